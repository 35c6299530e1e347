/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a whole daemon writes of a unit that clients do DMA through plays as it
 * was recorded.
 */
#include "tests/unit/daemon-client.h"
#include "tests/unit/daemon-player.h"

#define SPEC "type=intel_vtd,dma=legacy,devices=00:04.0"

/* The trace, played; it is removed. */
static void
plays_as_recorded(const char *path, const char *const *wanted, size_t count)
{
    static char text[65536];
    struct player *player = player_new();
    FILE *file = fopen(path, "re");
    size_t len;

    assert_non_null(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    assert_true(len > 0 && len < sizeof(text) - 1);
    text[len] = '\0';
    (void)fclose(file);
    assert_int_equal(unlink(path), 0);

    for (size_t i = 0; i < count; i++) {
        if (!strstr(text, wanted[i]))
            fail_msg("no '%s' in:\n%s", wanted[i], text);
    }
    play(player, text);
    if (player->why[0])
        fail_msg("%s; in:\n%s", player->why, text);
    player_free(player);
}

static void
a_client_that_takes_its_time(void **state)
{
    static const char *const wanted[] = {
        "\n > sinks\n",     "\ntranslate 20 - 5000 1 0 20000 c ",
        " > invalidate 2 ", " later\n",
        "\nsynced ",        "\ntranslate 20 - 5000 1 6 ",
        "\nremap 20 ",
    };
    const volatile unsigned *status = (void *)&fake->ram[STATUS];
    char path[80];
    uint64_t gpa = 0;

    (void)state;
    path_join(path, sizeof(path), run_dir, "trace");
    trace_path = path;
    strcpy(fake->config, SPEC);
    start_ready();
    translation_enable();
    assert_int_equal(client_attach(SID).status, 0);
    assert_int_equal(client_translate(IOVA, &gpa), 0);
    page_unmap();
    client_acknowledge();
    wait_for(status, 7);
    assert_int_equal(client_translate(IOVA, &gpa), 6);
    client_msi(0xfee01000u, 0x41);
    wait_for(&fake->injects, 1);
    close(client_fd);
    stop_and_check();
    plays_as_recorded(path, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

/* One that never answers is cut off; the guest goes on, and so does the trace. */
static void
a_client_that_is_cut_off(void **state)
{
    static const char *const wanted[] = {
        " later\n",
        "\nforget\n",
        "\nsynced ",
        "\n > 9000 07000000\n",
    };
    const volatile unsigned *status = (void *)&fake->ram[STATUS];
    char path[80];

    (void)state;
    path_join(path, sizeof(path), run_dir, "trace");
    trace_path = path;
    strcpy(fake->config, SPEC ",drain_ms=50");
    start_ready();
    translation_enable();
    assert_int_equal(client_attach(SID).status, 0);
    page_unmap();
    wait_for(status, 7);
    close(client_fd);
    stop_and_check();
    plays_as_recorded(path, wanted, sizeof(wanted) / sizeof(wanted[0]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_that_takes_its_time),
        TEST(a_client_that_is_cut_off),
    };

    return cmocka_run_group_tests_name("daemon-trace", tests, group_setup,
                                       group_teardown);
}
