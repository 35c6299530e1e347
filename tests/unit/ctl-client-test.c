/* SPDX-License-Identifier: GPL-2.0-only */
/* The client of the control socket against an honest and a hostile daemon. */
#include "tools/viommu-ctl/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/ctl-server.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Long enough for a loaded machine, when an answer does come. */
#define PATIENT_MS 10000
/* For a daemon that does not answer. */
#define HASTY_MS 150
/* A bound that a loaded machine keeps. */
#define SOON_MS INT64_C(5000)

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Connect and execute "query-x"; *reply is set on success. */
static int
ask(struct server *server, int timeout_ms, struct json_object **reply,
    struct text_error *err)
{
    struct client *client = NULL;
    int rc;

    server_start(server);
    rc = client_open(server->path, timeout_ms, &client, err);
    if (!rc) {
        rc = client_call(client, "query-x", NULL, reply, err);
    }
    client_close(client);
    server_stop(server);
    return rc;
}

static void
negotiates_and_asks(void **state)
{
    struct server server = {
        .script = { SERVER_GREETING, SERVER_READY,
                    "{\"return\": {\"a\": 5}, \"id\": 2}\n",
                    "{\"id\": 3, \"return\": [true, null]}\n" },
    };
    struct json_object *args = json_object_new_object();
    struct json_object *reply = NULL;
    struct client *client = NULL;
    struct text_error err = { "" };

    (void)state;
    server_start(&server);
    assert_int_equal(client_open(server.path, PATIENT_MS, &client, &err), 0);
    assert_int_equal(client_call(client, "query-x", NULL, &reply, &err), 0);
    assert_string_equal(
        json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN),
        "{\"a\":5}");
    json_object_put(reply);
    json_object_object_add(args, "unit", json_object_new_int(1));
    assert_int_equal(client_call(client, "query-y", args, &reply, &err), 0);
    assert_string_equal(
        json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN),
        "[true,null]");
    json_object_put(reply);
    client_close(client);
    server_stop(&server);
    assert_string_equal(server.request[1],
                        "{\"execute\":\"qmp_capabilities\",\"id\":1}");
    assert_string_equal(server.request[2],
                        "{\"execute\":\"query-x\",\"id\":2}");
    assert_string_equal(
        server.request[3],
        "{\"execute\":\"query-y\",\"arguments\":{\"unit\":1},\"id\":3}");
}

static void
takes_several_lines_of_one_packet(void **state)
{
    struct server server = {
        .script = { SERVER_GREETING SERVER_READY
                    "{\"return\": 18446744073709551615, \"id\": 2}\n" },
        .hang = true,
    };
    struct json_object *reply = NULL;
    struct text_error err;

    (void)state;
    assert_int_equal(ask(&server, PATIENT_MS, &reply, &err), 0);
    assert_true(json_object_get_uint64(reply) == UINT64_MAX);
    json_object_put(reply);
}

/* Answers to "query-x" that must not be taken, and what is said of them. */
static const struct {
    const char *answer;
    int rc;
    const char *message;
} bad_answers[] = {
    { "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no command "
      "named 'query-x'\"}, \"id\": 2}\n",
      -EREMOTEIO, "viommud refused query-x: no command named 'query-x'" },
    { "{\"error\": {\"desc\": \"\\u001b[2J\\n\\u009b1mx\\u0000y\"}}\n",
      -EREMOTEIO, "viommud refused query-x: ?[2J???1mx?y" },
    { "{\"error\": {\"desc\": \"%s%n%99999999d\"}}\n", -EREMOTEIO,
      "viommud refused query-x: %s%n%99999999d" },
    { "{\"error\": 5}\n", -EREMOTEIO,
      "viommud refused query-x: no reason given" },
    { "{\"return\": {}, \"id\": 1}\n", -EPROTO,
      "viommud's answer is for another request" },
    { "{\"return\": {}}\n", -EPROTO,
      "viommud's answer is for another request" },
    { "{\"id\": 2}\n", -EPROTO,
      "viommud's answer is neither a result nor an error" },
    { "[]\n", -EPROTO, "viommud's answer is not the JSON it should be" },
    { "5\n", -EPROTO, "viommud's answer is not the JSON it should be" },
    { "\n", -EPROTO, "viommud's answer is not the JSON it should be" },
    { "{\"return\": {}, \"id\": 2} {}\n", -EPROTO,
      "viommud's answer is not the JSON it should be" },
    { "{\"return\": {}, \"id\": 2\n", -EPROTO,
      "viommud's answer is not the JSON it should be" },
    { "{\"return\": {\"a\\u001b[31m\": 1}, \"id\": 2}\n", -EPROTO,
      "viommud's answer is not the JSON it should be" },
    { "{\"return\": {\"\xc2\x9b\": 1}, \"id\": 2}\n", -EPROTO,
      "viommud's answer is not the JSON it should be" },
    { "{\"return\": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]], \"id\": 2}\n",
      -EPROTO, "viommud's answer is not the JSON it should be" },
    { "{\"return\": {}", -EPROTO,
      "viommud's answer ended early: it closed the connection" },
    { "", -EPROTO, "viommud's answer ended early: it closed the connection" },
};

static void
refuses_bad_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_answers); i++) {
        struct server server = {
            .script = { SERVER_GREETING, SERVER_READY, bad_answers[i].answer },
        };
        struct json_object *reply = NULL;
        struct text_error err = { "" };

        assert_int_equal(ask(&server, PATIENT_MS, &reply, &err),
                         bad_answers[i].rc);
        assert_string_equal(err.text, bad_answers[i].message);
        assert_null(reply);
    }
}

static void
refuses_bad_greetings(void **state)
{
    static const char *const greetings[] = { "{}\n", "hello\n",
                                             "{\"return\": {}}\n", "" };

    (void)state;
    for (size_t i = 0; i < COUNT(greetings); i++) {
        struct server server = { .script = { greetings[i] } };
        struct text_error err;

        assert_int_equal(ask(&server, PATIENT_MS, NULL, &err), -EPROTO);
    }
}

static void
makes_strings_printable(void **state)
{
    struct server server = {
        .script = { SERVER_GREETING, SERVER_READY,
                    "{\"return\": {\"a\": [\"\\u001b]0;x\\u0007\", \"ok ~\"], "
                    "\"b\": {\"c\": \"\xc2\x9b\x7f\xff\\u0000\\n\"}}, "
                    "\"id\": 2}\n" },
    };
    struct json_object *reply = NULL;
    struct text_error err;

    (void)state;
    assert_int_equal(ask(&server, PATIENT_MS, &reply, &err), 0);
    assert_string_equal(
        json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN),
        "{\"a\":[\"?]0;x?\",\"ok ~\"],\"b\":{\"c\":\"??????\"}}");
    json_object_put(reply);
}

static void
refuses_an_endless_line(void **state)
{
    const size_t size = CLIENT_REPLY_MAX + 4096;
    char *endless = malloc(size);
    struct server server = {
        .script = { SERVER_GREETING, SERVER_READY, endless },
        .hang = true,
    };
    struct json_object *reply = NULL;
    struct text_error err;

    (void)state;
    assert_non_null(endless);
    memset(endless, ' ', size - 1);
    endless[size - 1] = '\0';
    assert_int_equal(ask(&server, PATIENT_MS, &reply, &err), -EPROTO);
    assert_string_equal(err.text, "viommud's answer is too long");
    free(endless);
}

static void
takes_the_longest_line(void **state)
{
    static const char head[] = "{\"return\": \"";
    static const char tail[] = "\", \"id\": 2}\n";
    char *line = malloc(CLIENT_REPLY_MAX + 1);
    struct server server = {
        .script = { SERVER_GREETING, SERVER_READY, line },
    };
    const size_t fill = CLIENT_REPLY_MAX - strlen(head) - strlen(tail);
    struct json_object *reply = NULL;
    struct text_error err = { "" };

    (void)state;
    assert_non_null(line);
    snprintf(line, CLIENT_REPLY_MAX + 1, "%s%*s%s", head, (int)fill, "", tail);
    assert_int_equal(ask(&server, PATIENT_MS, &reply, &err), 0);
    assert_int_equal(json_object_get_string_len(reply), fill);
    json_object_put(reply);
    free(line);
}

/* How far a daemon gets before it falls silent. */
static const char *const silences[][4] = {
    { "" },
    { "{\"QMP\":" },
    { SERVER_GREETING },
    { SERVER_GREETING, SERVER_READY },
    { SERVER_GREETING, SERVER_READY, "{\"return\":" },
};

static void
gives_up_on_a_silent_daemon(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(silences); i++) {
        struct server server = { .hang = true };
        struct json_object *reply = NULL;
        struct text_error err;
        int64_t start = now_ms();

        memcpy(server.script, silences[i], sizeof(silences[i]));
        assert_int_equal(ask(&server, HASTY_MS, &reply, &err), -ETIMEDOUT);
        assert_string_equal(err.text, "viommud did not answer within 150 ms");
        assert_true(now_ms() - start >= HASTY_MS);
        assert_true(now_ms() - start < SOON_MS);
    }
}

/* Nobody accepts, and the backlog is full: connect() itself must end. */
static void
gives_up_on_a_full_backlog(void **state)
{
    struct server server = { .hang = true };
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct client *client = NULL;
    struct text_error err;
    int waiting[4];

    (void)state;
    server_listen(&server);
    memcpy(addr.sun_path, server.path, sizeof(server.path));
    for (size_t i = 0; i < COUNT(waiting); i++) {
        waiting[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(waiting[i], (struct sockaddr *)&addr, sizeof(addr));
    }
    assert_int_equal(client_open(server.path, HASTY_MS, &client, &err),
                     -ETIMEDOUT);
    assert_null(client);
    for (size_t i = 0; i < COUNT(waiting); i++) {
        close(waiting[i]);
    }
    server_remove(&server);
}

static void
says_when_nobody_listens(void **state)
{
    struct server server = { .hang = false };
    struct client *client = NULL;
    struct text_error err;
    char want[160];

    (void)state;
    assert_int_equal(client_open("/nonexistent/ctl", HASTY_MS, &client, &err),
                     -ESRCH);
    assert_string_equal(err.text, "no viommud listens on /nonexistent/ctl");
    /* A socket that a killed daemon left. */
    server_listen(&server);
    shutdown(server.fd, SHUT_RDWR);
    close(server.fd);
    assert_int_equal(client_open(server.path, HASTY_MS, &client, &err), -ESRCH);
    snprintf(want, sizeof(want), "no viommud listens on %s", server.path);
    assert_string_equal(err.text, want);
    server.fd = -1;
    server_remove(&server);
}

static void
does_not_follow_a_link(void **state)
{
    struct server server = { .script = { SERVER_GREETING } };
    struct client *client = NULL;
    struct text_error err;
    char link[128];

    (void)state;
    server_listen(&server);
    snprintf(link, sizeof(link), "%s/link", server.dir);
    assert_int_equal(symlink(server.path, link), 0);
    assert_int_equal(client_open(link, HASTY_MS, &client, &err), -ENOTSOCK);
    assert_null(client);
    unlink(link);
    server_remove(&server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiates_and_asks),
        cmocka_unit_test(takes_several_lines_of_one_packet),
        cmocka_unit_test(refuses_bad_answers),
        cmocka_unit_test(refuses_bad_greetings),
        cmocka_unit_test(makes_strings_printable),
        cmocka_unit_test(refuses_an_endless_line),
        cmocka_unit_test(takes_the_longest_line),
        cmocka_unit_test(gives_up_on_a_silent_daemon),
        cmocka_unit_test(gives_up_on_a_full_backlog),
        cmocka_unit_test(says_when_nobody_listens),
        cmocka_unit_test(does_not_follow_a_link),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
