/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recorded traces, which tests/replay/README.md describes: each input
 * goes to a unit that is recorded again, and both records must be the same.
 */
#include "tests/unit/daemon-player.h"

#include <dirent.h>

#include "daemon/log.h"

static char *
file_read(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text;
    long size;

    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    (void)fclose(file);
    return text;
}

static void
play_file(const char *path)
{
    struct player *player = player_new();
    char *text = file_read(path);

    play(player, text);
    if (player->why[0])
        fail_msg("%s: %s", path, player->why);
    assert_true(player->inputs > 20);
    /* It was asked for translations while the driver's rings were up. */
    assert_true(player->translated >= 8);
    free(text);
    player_free(player);
}

static void
what_linux_did_plays_as_recorded(void **state)
{
    static const char dir_name[] = "tests/replay/recorded";
    const char *one = getenv("REPLAY");
    const struct dirent *entry;
    unsigned files = 0;
    DIR *dir;

    (void)state;
    if (one) {
        play_file(one);
        return;
    }
    dir = opendir(dir_name);
    if (!dir) {
        fail_msg("no %s here: run this from the top of the tree", dir_name);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[512];

        if (!dot || strcmp(dot, ".trace") != 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", dir_name, entry->d_name);
        play_file(path);
        files++;
    }
    (void)closedir(dir);
    assert_true(files >= 10);
}

/* --- the player itself ---------------------------------------------------- */

#define CONFIG "config fault_records=1 haw=2e ir=1 eim=1\n"
#define QUEUE  CONFIG "w8 90 100000\nw4 18 4000000\nr4 1c 4000000\n"
#define WAIT   " < 100000 25000000020000000020000000000000\n"

static void
plays(const char *text)
{
    struct player *player = player_new();

    play(player, text);
    if (player->why[0])
        fail_msg("%s", player->why);
    assert_true(player->inputs > 0);
    player_free(player);
}

static void
fails(const char *text, const char *why)
{
    struct player *player = player_new();

    play(player, text);
    if (!strstr(player->why, why))
        fail_msg("want '%s', got '%s'", why, player->why);
    player_free(player);
}

static void
what_was_recorded_plays(void **state)
{
    (void)state;
    plays(QUEUE "w4 88 10\n" WAIT " > 2000 02000000\nr8 80 10\n");
    plays(QUEUE "w4 88 10\n < 100000 2500000002000000\n"
                " < 100008 0020000000000000\n > 2000 02000000\n");
    plays("# A comment\n\n" QUEUE "w4 88 10\n <! 100000 10\n");
    plays(QUEUE "w4 88 10\n" WAIT " >! 2000 02000000\n");
    plays(CONFIG "w8 b8 200007\nw4 18 1000000\n > state 0 0 100\n"
                 "w4 18 2000000\n > state 1 1 100\n"
                 "event 22 5 ff00 111\n"
                 " < 200050 05005500000300000000000000000000\n"
                 " > route 5 1 55 3 0 0 0 logical\n > retry 5 ff00 111\n");
}

static void
each_difference_is_found(void **state)
{
    (void)state;
    fails(CONFIG "r4 0 11\n", "played:\nr4 0 10\n");
    fails(QUEUE "w4 88 10\n" WAIT " > 2000 03000000\n", " > 2000 02000000\n");
    fails(QUEUE "w4 88 10\n" WAIT " > 2008 02000000\n", " > 2000 02000000\n");
    fails(QUEUE "w4 88 10\n" WAIT, " > 2000 02000000\n");
    fails(QUEUE "w4 88 10\n" WAIT " > 2000 02000000\n > msi 0 0\n", "played");
    fails(QUEUE "w4 88 10\n > 2000 02000000\n", "which nobody recorded");
    fails(QUEUE "w4 88 10\n < 100000 2500000002000000\n > 2000 02000000\n",
          "which nobody recorded");
    fails(CONFIG "w4 18 4000000\n > state 1 1 1\n", "played");
}

static void
a_trace_that_makes_no_sense_fails(void **state)
{
    (void)state;
    fails("r4 0 10\n", "cannot play 'r4 0 10'");
    fails(CONFIG "r9 0 10\n", "cannot play");
    fails(CONFIG "r4 1000 10\n", "cannot play");
    fails(CONFIG "dma 8\n", "cannot play");
    fails(CONFIG "event 22\n", "cannot play");
    fails(CONFIG "jump\n", "cannot play");
    fails(CONFIG "r4 0 10", "cut");
    fails(CONFIG CONFIG, "a second");
    fails("config colour=1\n", "not one");
    fails("config haw=2e\n", "unusable configuration");
    fails(QUEUE "w4 88 10\n < 100000 250\n", "cannot understand");
    fails(QUEUE "w4 88 10\n <100000\n", "cannot understand");
}

static void
memory_is_unknown_until_it_is_written(void **state)
{
    static struct tape tape;
    uint8_t buf[16] = { 0 };

    (void)state;
    assert_false(tape_read(&tape, 0xffc, buf, 1));
    assert_true(tape_write(&tape, 0xffc, "12345678", 8));
    assert_true(tape_read(&tape, 0xffc, buf, 8));
    assert_memory_equal(buf, "12345678", 8);
    assert_false(tape_read(&tape, 0xffb, buf, 2));
    assert_false(tape_read(&tape, 0x1000, buf, 5));

    /* Pages that share a place, and as many as there is room for. */
    for (uint64_t i = 2; i < TAPE_PAGES - 1; i++)
        assert_true(tape_write(&tape, i * TAPE_PAGES * 4096, &i, 8));
    assert_false(tape_write(&tape, 0x5000, buf, 1));
    assert_false(tape_read(&tape, 0x5000, buf, 1));
    for (uint64_t i = 2; i < TAPE_PAGES - 1; i++) {
        assert_true(tape_read(&tape, i * TAPE_PAGES * 4096, buf, 8));
        assert_memory_equal(buf, &i, 8);
    }
    tape_forget(&tape);
    assert_false(tape_read(&tape, 0xffc, buf, 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_linux_did_plays_as_recorded),
        cmocka_unit_test(what_was_recorded_plays),
        cmocka_unit_test(each_difference_is_found),
        cmocka_unit_test(a_trace_that_makes_no_sense_fails),
        cmocka_unit_test(memory_is_unknown_until_it_is_written),
    };

    log_open(LOG_LEVEL_ERROR, 0);
    return cmocka_run_group_tests_name("daemon-replay", tests, NULL, NULL);
}
