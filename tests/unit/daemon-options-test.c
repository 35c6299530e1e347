/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/options.h"

#define ARGS_MAX 8

static char err[256];

static enum options_result
parse(struct options *options, const char *const *words)
{
    char store[ARGS_MAX][64];
    char *argv[ARGS_MAX + 1] = { NULL };
    int argc = 0;

    for (; words[argc]; argc++) {
        assert_true(argc < ARGS_MAX);
        strncpy(store[argc], words[argc], sizeof(store[argc]) - 1);
        store[argc][sizeof(store[argc]) - 1] = '\0';
        argv[argc] = store[argc];
    }

    err[0] = '\0';
    return options_parse(argc, argv, options, err, sizeof(err));
}

#define PARSE(options, ...) \
    parse(options, (const char *const[]){ "viommud", __VA_ARGS__, NULL })

static void
the_domain_is_enough(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(PARSE(&o, "--domid", "7"), OPTIONS_RUN);
    assert_int_equal(o.domid, 7);
    assert_int_equal(o.log_level, LOG_LEVEL_INFO);
    assert_null(o.config);
    assert_string_equal(o.run_dir, "/run/viommud");
    assert_null(o.trace);
}

static void
all_options_are_taken(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(
        PARSE(&o, "-d", "32751", "--log-level=debug", "-r", "/tmp/x"),
        OPTIONS_RUN);
    assert_int_equal(o.domid, 32751);
    assert_int_equal(o.log_level, LOG_LEVEL_DEBUG);
}

static void
texts_are_kept_as_given(void **state)
{
    char name[] = "viommud";
    char domid[] = "--domid=1";
    char config[] = "--config=type=intel_vtd,intremap=1";
    char trace[] = "--trace=/tmp/a b";
    char *argv[] = { name, domid, config, trace, NULL };
    struct options o;

    (void)state;
    assert_int_equal(options_parse(4, argv, &o, err, sizeof(err)), OPTIONS_RUN);
    assert_string_equal(o.config, "type=intel_vtd,intremap=1");
    assert_string_equal(o.trace, "/tmp/a b");
}

static void
domain_ids_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "",   "0",  "-1",    "+7",    " 7",    "7 ",
        "7x", "x7", "32752", "65536", "65543", "99999999999999999999",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct options o;

        assert_int_equal(PARSE(&o, "--domid", bad[i]), OPTIONS_ERROR);
        assert_non_null(strstr(err, bad[i]));
        assert_non_null(strstr(err, "cannot use domain id"));
    }
}

static void
mistakes_are_named(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(PARSE(&o, "--log-level", "error"), OPTIONS_ERROR);
    assert_non_null(strstr(err, "--domid"));
    assert_int_equal(PARSE(&o, "--domid"), OPTIONS_ERROR);
    assert_non_null(strstr(err, "'--domid'"));
    assert_int_equal(PARSE(&o, "--domid", "7", "--colour"), OPTIONS_ERROR);
    assert_non_null(strstr(err, "'--colour'"));
    assert_int_equal(PARSE(&o, "--domid", "7", "more"), OPTIONS_ERROR);
    assert_non_null(strstr(err, "'more'"));
    assert_int_equal(PARSE(&o, "--domid", "7", "--log-level", "loud"),
                     OPTIONS_ERROR);
    assert_non_null(strstr(err, "'loud'"));
}

static void
help_and_version_need_no_domain(void **state)
{
    struct options o;

    (void)state;
    assert_int_equal(PARSE(&o, "--help"), OPTIONS_HELP);
    assert_int_equal(PARSE(&o, "-V"), OPTIONS_VERSION);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_domain_is_enough),
        cmocka_unit_test(all_options_are_taken),
        cmocka_unit_test(texts_are_kept_as_given),
        cmocka_unit_test(domain_ids_that_are_none_are_refused),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(help_and_version_need_no_domain),
    };

    return cmocka_run_group_tests_name("daemon-options", tests, NULL, NULL);
}
