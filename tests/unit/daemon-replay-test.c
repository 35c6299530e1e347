/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recorded traces, which tests/replay/README.md describes: each input
 * goes to a unit that is recorded again, and both records must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/record.h"
#include "tests/support/silent.h"
#include "tests/support/tape.h"

#define FEEDS_MAX 4096u
#define READ_MAX  64u
#define STEP_MAX  (2 * RECORD_STEP)

/* A read of guest memory that the trace has for an input. */
struct feed {
    uint64_t gpa;
    uint8_t len;
    bool fault;
    bool used;
    uint8_t byte[READ_MAX];
};

struct player {
    struct tape memory;
    struct vtd *vtd;
    struct record *record;
    unsigned line, inputs;
    unsigned translated; /* translations asked for that had no fault */

    struct feed feed[FEEDS_MAX];
    unsigned feeds;
    char want[STEP_MAX]; /* the input and what the model did, without reads */
    char got[STEP_MAX];
    char why[512]; /* why it is not as recorded; empty: it is */
};

/* The first reason is the one that matters. */
static void __attribute__((format(printf, 2, 3)))
differ(struct player *player, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (player->why[0])
        return;

    n = snprintf(player->why, sizeof(player->why), "line %u: ", player->line);
    va_start(ap, fmt);
    (void)vsnprintf(player->why + n, sizeof(player->why) - (size_t)n, fmt, ap);
    va_end(ap);
}

/* --- the unit's owner ----------------------------------------------------- */

/*
 * Memory is as the trace first has it in this step, for a model that reads in
 * other pieces than the one that was recorded.
 */
static void
learn_step(struct player *player)
{
    for (unsigned i = player->feeds; i-- > 0;) {
        const struct feed *feed = &player->feed[i];

        if (!feed->fault)
            assert_true(
                tape_write(&player->memory, feed->gpa, feed->byte, feed->len));
    }
}

/* A read that was recorded sees what that one saw; the next one the next. */
static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct player *player = ctx;

    for (unsigned i = 0; i < player->feeds; i++) {
        struct feed *feed = &player->feed[i];

        if (feed->used || feed->gpa != gpa || feed->len != len)
            continue;
        if (feed->fault)
            return -EFAULT;
        feed->used = true;
        assert_true(tape_write(&player->memory, gpa, feed->byte, len));
        break;
    }

    if (tape_read(&player->memory, gpa, buf, len))
        return 0;

    differ(player, "reads %zu bytes at %" PRIx64 ", which nobody recorded", len,
           gpa);
    return -EFAULT;
}

/* Whether the model is recorded to have done this; for what failed then. */
static bool __attribute__((format(printf, 2, 3)))
recorded(const struct player *player, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return strstr(player->want, text);
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct player *player = ctx;

    if (recorded(player, "\n >! %" PRIx64 " ", gpa))
        return -EFAULT;
    assert_true(tape_write(&player->memory, gpa, buf, len));
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct player *player = ctx;
    uint64_t seen;

#define EXCHANGE(how)                                                         \
    recorded(player, "\n > cmpxchg %" PRIx64 " %" PRIx64 " %" PRIx64 " " how, \
             gpa, expected, desired)

    if (EXCHANGE("fault"))
        return -EFAULT;
    if (EXCHANGE("lost"))
        return 1;
    if (!tape_read(&player->memory, gpa, &seen, sizeof(seen)) ||
        seen != expected)
        differ(player, "exchanges what is not at %" PRIx64, gpa);
    assert_true(tape_write(&player->memory, gpa, &desired, sizeof(desired)));
    return 0;
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    /* The record has what these are told. */
    SILENT_OPS,
};

/* --- one step ------------------------------------------------------------- */

/* A step is compared without what it read: lines that begin with " <". */
static void
step_add(char *step, const char *text, size_t len)
{
    size_t used = strlen(step);

    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) + 1 : len;

        if (n < 2 || memcmp(text, " <", 2) != 0) {
            assert_true(used + n < STEP_MAX);
            memcpy(step + used, text, n);
            used += n;
        }
        text += n;
        len -= n;
    }
    step[used] = '\0';
}

static int
put(void *ctx, const char *text, size_t len)
{
    struct player *player = ctx;

    step_add(player->got, text, len);
    return 0;
}

static void
play_config(struct player *player, const char *line)
{
    struct vtd_config config;
    const char *why = "not one";

    if (record_config_parse(line, &config))
        why = player->vtd ? "a second" : vtd_config_check(&config);
    if (why) {
        differ(player, "unusable configuration: %s", why);
        return;
    }

    player->record = record_create(put, player, SIZE_MAX);
    assert_non_null(player->record);
    player->vtd =
        vtd_create(&config, record_ops(player->record, &config, &ops, player),
                   player->record);
    assert_non_null(player->vtd);
}

/* The translation is asked for behind the recorder's back. */
static bool
play_dma(struct player *player, const char *text)
{
    struct vtd_dma_req req = { .pasid = VTD_NO_PASID };
    struct vtd_dma_resp resp = { .gpa = 0 };
    char pasid[16];
    char answer[160];
    enum vtd_fr fr;

    if (sscanf(text, "%" SCNx16 " %15s %" SCNx64 " %" SCNx8, &req.sid, pasid,
               &req.iova, &req.access) != 4)
        return false;
    if (strcmp(pasid, "-") != 0)
        req.pasid = (uint32_t)strtoul(pasid, NULL, 16);

    fr = vtd_dma_translate(player->vtd, &req, &resp);
    if (fr == VTD_FR_OK)
        player->translated++;
    else
        resp = (struct vtd_dma_resp){ .gpa = 0 };
    (void)snprintf(answer, sizeof(answer),
                   "dma %x %s %" PRIx64 " %x %x %" PRIx64 " %x %x\n", req.sid,
                   pasid, req.iova, req.access, (unsigned)fr, resp.gpa,
                   resp.shift, resp.access);
    step_add(player->got, answer, strlen(answer));
    return true;
}

static bool
play_event(struct player *player, const char *text)
{
    struct vtd_ir_event event = { .index = 0 };
    unsigned reason;
    char sid[8];

    if (sscanf(text, "%x %" SCNx32 " %7s %" SCNx64, &reason, &event.index, sid,
               &event.cookie) != 4)
        return false;

    event.reason = (enum vtd_fr)reason;
    event.sid_valid = strcmp(sid, "-") != 0;
    if (event.sid_valid)
        event.sid = (uint16_t)strtoul(sid, NULL, 16);
    event.lost = strstr(text, " lost");
    record_ir_event(player->record, player->vtd, &event);
    return true;
}

static bool
play_access(struct player *player, const char *line)
{
    unsigned size;
    uint32_t off;
    uint64_t val;

    if (sscanf(line + 1, "%u %" SCNx32 " %" SCNx64, &size, &off, &val) != 3 ||
        size < 1 || size > 8 || off >= VTD_MMIO_SIZE)
        return false;

    if (line[0] == 'r')
        (void)record_mmio_read(player->record, player->vtd, off, size);
    else
        record_mmio_write(player->record, player->vtd, off, size, val);
    return true;
}

static bool
play_input(struct player *player, const char *line)
{
    if (strncmp(line, "config ", 7) == 0) {
        play_config(player, line);
        return true;
    }
    if (!player->vtd)
        return false;
    if (strncmp(line, "run ", 4) == 0) {
        record_run(player->record, player->vtd,
                   (unsigned)strtoul(line + 4, NULL, 16));
        return true;
    }
    if (strncmp(line, "dma ", 4) == 0)
        return play_dma(player, line + 4);
    if (strncmp(line, "event ", 6) == 0)
        return play_event(player, line + 6);
    return (line[0] == 'r' || line[0] == 'w') && play_access(player, line);
}

/* --- a trace -------------------------------------------------------------- */

static bool
feed_bytes(struct feed *feed, const char *hex)
{
    size_t digits = strspn(hex, "0123456789abcdef");

    if (hex[digits] != '\0' || digits % 2 || digits == 0 ||
        digits > (size_t)2 * READ_MAX)
        return false;

    feed->len = (uint8_t)(digits / 2);
    for (size_t i = 0; i < feed->len; i++) {
        unsigned byte = 0;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        feed->byte[i] = (uint8_t)byte;
    }
    return true;
}

/* " < GPA BYTES" or " <! GPA LENGTH" */
static bool
feed_add(struct player *player, const char *line)
{
    struct feed *feed = &player->feed[player->feeds];
    char *rest;

    if (player->feeds == FEEDS_MAX)
        return false;

    *feed = (struct feed){ .fault = line[2] == '!' };
    line += feed->fault ? 3 : 2;
    feed->gpa = strtoull(line, &rest, 16);
    if (rest == line || *rest != ' ')
        return false;

    player->feeds++;
    if (!feed->fault)
        return feed_bytes(feed, rest + 1);
    feed->len = (uint8_t)strtoul(rest, NULL, 16);
    return true;
}

/* Read one input's lines; @text is what follows it then. */
static const char *
step_read(struct player *player, const char *text, char *input, size_t size)
{
    unsigned lines = 0;

    player->feeds = 0;
    player->want[0] = '\0';
    player->got[0] = '\0';
    player->line++;
    do {
        size_t len = strcspn(text, "\n");
        char line[READ_MAX * 2 + 256];

        if (len >= sizeof(line) || text[len] != '\n') {
            differ(player, "line %u of it is cut or too long", lines);
            return NULL;
        }
        memcpy(line, text, len);
        line[len] = '\0';
        if (!lines++)
            (void)snprintf(input, size, "%s", line);
        if (strncmp(line, " <", 2) == 0 && !feed_add(player, line))
            differ(player, "cannot understand '%s'", line);
        step_add(player->want, text, len + 1);
        text += len + 1;
    } while (*text == ' ');

    player->line += lines - 1;
    return text;
}

/* Play @text until it differs; then why[] says how. */
static void
play(struct player *player, const char *text)
{
    char input[512];

    while (text && *text && !player->why[0]) {
        if (*text == '#' || *text == '\n') {
            player->line++;
            text += strcspn(text, "\n");
            text += *text == '\n';
            continue;
        }

        text = step_read(player, text, input, sizeof(input));
        if (!text || player->why[0])
            break;
        learn_step(player);
        if (!play_input(player, input))
            differ(player, "cannot play '%s'", input);
        else if (strcmp(player->want, player->got) != 0)
            differ(player, "recorded:\n%.200splayed:\n%.200s", player->want,
                   player->got);
        player->inputs++;
    }
}

static struct player *
player_new(void)
{
    struct player *player = calloc(1, sizeof(*player));

    assert_non_null(player);
    return player;
}

static void
player_free(struct player *player)
{
    vtd_destroy(player->vtd);
    record_close(player->record);
    tape_forget(&player->memory);
    free(player);
}

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
