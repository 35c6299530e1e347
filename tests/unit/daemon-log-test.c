/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

static char printed[8192];

/* Collect what @fn prints on standard error. */
static void
capture(void (*fn)(void))
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t n;

    assert_non_null(file);
    assert_true(saved >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    fn();
    fflush(stderr);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);

    rewind(file);
    n = fread(printed, 1, sizeof(printed) - 1, file);
    printed[n] = '\0';
    fclose(file);
}

static unsigned
lines(void)
{
    unsigned n = 0;

    for (const char *p = printed; *p; p++)
        n += *p == '\n';
    return n;
}

static void
a_burst_passes_and_no_more(void **state)
{
    struct log_bucket bucket = { 0 };
    unsigned suppressed = 99;

    (void)state;
    for (unsigned i = 0; i < LOG_BURST; i++) {
        assert_true(log_bucket_take(&bucket, 123456, &suppressed));
        assert_int_equal(suppressed, 0);
    }
    for (unsigned i = 0; i < 1000; i++)
        assert_false(log_bucket_take(&bucket, 123457 + i, &suppressed));

    /* A period later one passes, and says how many did not. */
    assert_true(log_bucket_take(&bucket, 123456 + LOG_PERIOD_MS, &suppressed));
    assert_int_equal(suppressed, 1000);
    assert_false(
        log_bucket_take(&bucket, 123456 + LOG_PERIOD_MS + 1, &suppressed));
}

static void
the_rate_holds_over_time(void **state)
{
    struct log_bucket bucket = { 0 };
    unsigned passed = 0;
    unsigned suppressed;

    (void)state;
    for (uint64_t now = 0; now < UINT64_C(100) * LOG_PERIOD_MS; now += 10)
        passed += log_bucket_take(&bucket, now, &suppressed);

    assert_in_range(passed, LOG_BURST + 98, LOG_BURST + 100);
}

static void
a_rest_fills_the_bucket_but_not_over(void **state)
{
    struct log_bucket bucket = { 0 };
    unsigned suppressed;
    unsigned passed = 0;

    (void)state;
    for (unsigned i = 0; i < 2 * LOG_BURST; i++)
        (void)log_bucket_take(&bucket, 0, &suppressed);
    for (unsigned i = 0; i < 2 * LOG_BURST; i++)
        passed += log_bucket_take(&bucket, UINT64_C(1) << 40, &suppressed);
    assert_int_equal(passed, LOG_BURST);
}

static void
say_hello(void)
{
    log_open(LOG_LEVEL_INFO, 7);
    log_info("x: value=%d", 3);
    log_debug("x: not shown");
    log_open(LOG_LEVEL_DEBUG, 0);
    log_debug("y: shown");
}

static void
lines_have_the_domain_and_the_level_filters(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    capture(say_hello);
    assert_string_equal(printed,
                        "viommud[d7]: x: value=3\nviommud: y: shown\n");
}

static void
say_controls(void)
{
    log_open(LOG_LEVEL_INFO, 7);
    log_warn("x: %s", "a\nb\033[31mc");
}

static void
a_message_is_one_line_whatever_is_in_it(void **state)
{
    (void)state;
    capture(say_controls);
    assert_string_equal(printed, "viommud[d7]: x: a?b?[31mc\n");
}

static void
say_to_journal(void)
{
    struct stat st;
    char stream[64];

    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu",
                   (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_open(LOG_LEVEL_DEBUG, 7);
    log_error("a");
    log_warn("b");
    log_info("c");
    log_debug("d");
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_open(LOG_LEVEL_INFO, 7);
    log_info("e");
    unsetenv("JOURNAL_STREAM");
}

static void
the_journal_gets_levels_and_others_do_not(void **state)
{
    (void)state;
    capture(say_to_journal);
    assert_string_equal(printed, "<3>viommud[d7]: a\n<4>viommud[d7]: b\n"
                                 "<6>viommud[d7]: c\n<7>viommud[d7]: d\n"
                                 "viommud[d7]: e\n");
}

static void
flood(void)
{
    log_open(LOG_LEVEL_INFO, 7);
    for (int i = 0; i < 1000; i++)
        log_limited(LOG_LEVEL_WARN, "one place i=%d", i);
    log_limited(LOG_LEVEL_WARN, "another place");
}

static void
each_place_has_its_own_bucket(void **state)
{
    (void)state;
    capture(flood);
    assert_int_equal(lines(), LOG_BURST + 1);
    assert_non_null(strstr(printed, "another place"));
}

static void
levels_have_names(void **state)
{
    enum log_level level;

    (void)state;
    assert_true(log_level_parse("error", &level));
    assert_int_equal(level, LOG_LEVEL_ERROR);
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_false(log_level_parse("Debug", &level));
    assert_false(log_level_parse("", &level));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_no_more),
        cmocka_unit_test(the_rate_holds_over_time),
        cmocka_unit_test(a_rest_fills_the_bucket_but_not_over),
        cmocka_unit_test(lines_have_the_domain_and_the_level_filters),
        cmocka_unit_test(a_message_is_one_line_whatever_is_in_it),
        cmocka_unit_test(the_journal_gets_levels_and_others_do_not),
        cmocka_unit_test(each_place_has_its_own_bucket),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests_name("daemon-log", tests, NULL, NULL);
}
