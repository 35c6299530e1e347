/* SPDX-License-Identifier: GPL-2.0-only */
/* The protocol of the control socket: what a client says wrong, above all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/qmp.h"

static struct json_object *
echo(void *ctx, struct json_object *args, struct qmp_error *error)
{
    struct json_object *obj;
    uint64_t number = 5;
    bool flag = false;

    assert_string_equal(ctx, "context");
    if (!qmp_arg_uint(args, "number", 100, &number, error) ||
        !qmp_arg_bool(args, "flag", &flag, error))
        return NULL;

    obj = json_object_new_object();
    json_object_object_add(obj, "number", json_object_new_uint64(number));
    json_object_object_add(obj, "flag", json_object_new_boolean(flag));
    return obj;
}

static const char *const echo_args[] = { "number", "flag", NULL };
static const struct qmp_command commands[] = { { "echo", echo_args, echo } };

static struct qmp_session session;
static char context[] = "context";
static char reply[8192];
static bool fatal;

static const char *
ask_len(const char *line, size_t len)
{
    struct json_object *obj = qmp_request(&session, line, len, &fatal);

    assert_non_null(obj);
    (void)snprintf(reply, sizeof(reply), "%s",
                   json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN));
    json_object_put(obj);
    return reply;
}

static const char *
ask(const char *line)
{
    return ask_len(line, strlen(line));
}

static int
setup(void **state)
{
    (void)state;
    session = (struct qmp_session){
        .command = commands,
        .command_count = 1,
        .ctx = context,
    };
    return 0;
}

static int
setup_negotiated(void **state)
{
    (void)setup(state);
    (void)ask("{\"execute\":\"qmp_capabilities\"}");
    return session.negotiated ? 0 : -1;
}

static void
the_greeting_is_as_documented(void **state)
{
    struct json_object *obj = qmp_greeting();

    (void)state;
    assert_string_equal(
        json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN),
        "{\"QMP\":{\"version\":{\"viommud\":{\"major\":0,\"minor\":1,"
        "\"micro\":0}},\"capabilities\":[]}}");
    json_object_put(obj);
}

static void
negotiation_comes_first(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("{\"execute\":\"echo\",\"id\":1}"),
                           "\"class\":\"CommandNotExpected\""));
    assert_false(fatal);
    assert_non_null(strstr(reply, "\"id\":1"));

    assert_string_equal(ask("{\"execute\":\"qmp_capabilities\"}"),
                        "{\"return\":{}}");
    assert_string_equal(ask("{\"execute\":\"echo\",\"id\":[2,\"x\"]}"),
                        "{\"return\":{\"number\":5,\"flag\":false},"
                        "\"id\":[2,\"x\"]}");
    assert_non_null(
        strstr(ask("{\"execute\":\"qmp_capabilities\"}"), "CommandNotFound"));
}

static void
unknown_commands_are_named(void **state)
{
    (void)state;
    assert_string_equal(ask("{\"execute\":\"x\",\"id\":2}"),
                        "{\"error\":{\"class\":\"CommandNotFound\",\"desc\":"
                        "\"no command named 'x'\"},\"id\":2}");
    assert_false(fatal);
}

static void
arguments_are_checked(void **state)
{
    static const char *const bad[] = {
        "{\"number\":101}",
        "{\"number\":-1}",
        "{\"number\":18446744073709551616}",
        "{\"number\":1.5}",
        "{\"number\":\"5\"}",
        "{\"number\":null}",
        "{\"number\":true}",
        "{\"flag\":1}",
        "{\"flag\":\"true\"}",
        "{\"flag\":null}",
        "{\"colour\":1}",
        "[]",
        "7",
        "null",
    };
    char line[256];

    (void)state;
    assert_string_equal(ask("{\"execute\":\"echo\",\"arguments\":{\"number\":"
                            "100,\"flag\":true}}"),
                        "{\"return\":{\"number\":100,\"flag\":true}}");
    assert_string_equal(ask("{\"execute\":\"echo\",\"arguments\":{}}"),
                        "{\"return\":{\"number\":5,\"flag\":false}}");

    /* The last one is no argument at all, to json-c. */
    for (unsigned i = 0; i + 1 < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"execute\":\"echo\",\"arguments\":%s}", bad[i]);
        if (!strstr(ask(line), "GenericError"))
            fail_msg("%s: %s", line, reply);
        assert_false(fatal);
    }
}

static void
what_is_not_json_ends_the_connection(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "\r",
        "{",
        "{\"execute\":\"echo\"",
        "{\"execute\":\"echo\"}}",
        "{\"execute\":\"echo\"} {\"execute\":\"echo\"}",
        "{'execute':'echo'}",
        "{\"execute\":\"echo\",}",
        "execute",
        "null",
        "\"echo",
        "\xff\xfe",
        "{\"execute\":\"\xc3\x28\"}",
        "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":1}}}}}}}}",
        "GET / HTTP/1.1",
    };
    static const char nul[] = "{\"execute\":\"echo\"}\0{\"execute\":\"x\"}";

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!strstr(ask(bad[i]), "the request is not JSON"))
            fail_msg("'%s': %s", bad[i], reply);
        assert_true(fatal);
    }

    (void)ask_len(nul, sizeof(nul) - 1);
    assert_true(fatal);
    assert_non_null(strstr(reply, "the request is not JSON"));
}

static void
json_that_is_no_request_is_an_error(void **state)
{
    static const char *const bad[] = {
        "[]",
        "7",
        "\"echo\"",
        "true",
        "{}",
        "{\"execute\":7}",
        "{\"execute\":null}",
        "{\"execute\":{}}",
        "{\"id\":1}",
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!strstr(ask(bad[i]), "GenericError"))
            fail_msg("'%s': %s", bad[i], reply);
        assert_false(fatal);
    }
}

static void
a_carriage_return_does_no_harm(void **state)
{
    (void)state;
    assert_non_null(strstr(ask("{\"execute\":\"echo\"}\r"), "return"));
    assert_false(fatal);
}

static void
the_longest_request_is_taken_and_a_longer_is_not(void **state)
{
    static const char req[] = "{\"execute\":\"echo\"}";
    static char line[QMP_REQUEST_MAX + 1];
    struct json_object *obj;

    (void)state;
    memset(line, ' ', sizeof(line));
    memcpy(line, req, sizeof(req) - 1);
    assert_non_null(strstr(ask_len(line, QMP_REQUEST_MAX), "return"));
    assert_false(fatal);
    assert_non_null(strstr(ask_len(line, QMP_REQUEST_MAX + 1), "GenericError"));
    assert_true(fatal);

    obj = qmp_request_too_long();
    assert_non_null(strstr(json_object_to_json_string(obj), "4096"));
    json_object_put(obj);
}

/* Names that a client chooses are quoted, and cut. */
static void
an_error_stays_short(void **state)
{
    char line[1024];

    (void)state;
    (void)snprintf(line, sizeof(line), "{\"execute\":\"%0900d\"}", 1);
    assert_non_null(strstr(ask(line), "CommandNotFound"));
    assert_true(strlen(reply) < 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greeting_is_as_documented),
        cmocka_unit_test_setup(negotiation_comes_first, setup),
        cmocka_unit_test_setup(unknown_commands_are_named, setup_negotiated),
        cmocka_unit_test_setup(arguments_are_checked, setup_negotiated),
        cmocka_unit_test_setup(what_is_not_json_ends_the_connection,
                               setup_negotiated),
        cmocka_unit_test_setup(json_that_is_no_request_is_an_error,
                               setup_negotiated),
        cmocka_unit_test_setup(a_carriage_return_does_no_harm,
                               setup_negotiated),
        cmocka_unit_test_setup(the_longest_request_is_taken_and_a_longer_is_not,
                               setup_negotiated),
        cmocka_unit_test_setup(an_error_stays_short, setup_negotiated),
    };

    return cmocka_run_group_tests_name("daemon-qmp", tests, NULL, NULL);
}
