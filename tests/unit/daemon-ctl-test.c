/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections of the control socket: the loop and the socket run in a child
 * process, with commands of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/qmp.h"

/* More than a socket takes at once. */
#define BIG_SIZE (4u << 20)

#define PATIENCE_MS 20000
#define CLIENTS     8

static const char negotiate[] = "{\"execute\":\"qmp_capabilities\"}\n";

static char dir[] = "/tmp/viommud-ctl-XXXXXX";
static char path[64];
static pid_t child;

static struct json_object *
big(void *ctx, struct json_object *args, struct qmp_error *error)
{
    char *text = malloc(BIG_SIZE + 1);
    struct json_object *obj;

    (void)ctx;
    (void)args;
    (void)error;
    memset(text, 'x', BIG_SIZE);
    text[BIG_SIZE] = '\0';
    obj = json_object_new_string(text);
    free(text);
    return obj;
}

static struct json_object *
small(void *ctx, struct json_object *args, struct qmp_error *error)
{
    (void)ctx;
    (void)args;
    (void)error;
    return json_object_new_int(1);
}

static const char *const no_args[] = { NULL };
static const struct qmp_command commands[] = {
    { "big", no_args, big },
    { "small", no_args, small },
};

static void
stop(void *ctx)
{
    loop_stop(ctx);
}

static int
serve(void)
{
    const struct ctl_commands served = { .command = commands, .count = 2 };
    struct loop *loop = loop_create();
    struct loop_watch *sig = loop_watch_signal(loop, SIGTERM, stop, loop);
    struct ctl *ctl = ctl_create(loop, path, &served);

    if (!ctl)
        return 2;
    loop_run(loop);
    ctl_destroy(ctl);
    loop_watch_destroy(sig);
    loop_destroy(loop);
    return 0;
}

static int
setup(void **state)
{
    (void)state;
    fflush(NULL);
    child = fork();
    if (!child) {
        log_open(LOG_LEVEL_ERROR, 0);
        exit(serve());
    }
    for (int i = 0; i < PATIENCE_MS && access(path, F_OK) < 0; i++)
        (void)poll(NULL, 0, 1);
    return child < 0;
}

/* The server ends in order: no request has hurt it, and the socket is gone. */
static int
teardown(void **state)
{
    int status;

    (void)state;
    kill(child, SIGTERM);
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status))
        return -1;
    return access(path, F_OK) == 0;
}

static int
group_setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    return snprintf(path, sizeof(path), "%s/ctl", dir) < 0;
}

static int
group_teardown(void **state)
{
    (void)state;
    return rmdir(dir);
}

static int
dial(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (!connect(fd, (const struct sockaddr *)&addr, sizeof(addr)))
            return fd;
        (void)poll(NULL, 0, 1);
    }
    fail_msg("cannot connect: %s", strerror(errno));
    return -1;
}

static void
say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One line, without the newline; its length, or -1 at the end. */
static long
hear(int fd, char *buf, size_t size)
{
    size_t len = 0;

    for (;;) {
        struct pollfd pfd = { .fd = fd, .events = POLLIN };
        const char *end;
        ssize_t n;

        if (poll(&pfd, 1, PATIENCE_MS) != 1)
            fail_msg("no answer");

        /* Look first, so that what follows the line stays. */
        n = recv(fd, buf + len, size - len, MSG_PEEK);
        if (n <= 0)
            return -1;

        end = memchr(buf + len, '\n', (size_t)n);
        if (end)
            n = end + 1 - (buf + len);
        assert_int_equal(read(fd, buf + len, (size_t)n), n);
        len += (size_t)n;
        assert_true(end || len < size);
        if (end)
            break;
    }
    buf[len - 1] = '\0';
    return (long)len - 1;
}

static int
dial_negotiated(void)
{
    int fd = dial();
    char line[256];

    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_non_null(strstr(line, "QMP"));
    say(fd, negotiate);
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_string_equal(line, "{\"return\":{}}");
    return fd;
}

static void
ask_small(int fd)
{
    char line[64];

    say(fd, "{\"execute\":\"small\"}\n");
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_string_equal(line, "{\"return\":1}");
}

static void
requests_in_pieces_and_in_heaps(void **state)
{
    static const char req[] = "{\"execute\":\"small\"}\n";
    int fd = dial_negotiated();
    char line[64];

    (void)state;
    for (size_t i = 0; i < sizeof(req) - 1; i++)
        assert_int_equal(write(fd, &req[i], 1), 1);
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_string_equal(line, "{\"return\":1}");

    for (unsigned i = 0; i < 100; i++)
        say(fd, req);
    for (unsigned i = 0; i < 100; i++)
        assert_true(hear(fd, line, sizeof(line)) > 0);
    close(fd);
}

static void
a_large_reply_arrives_whole(void **state)
{
    static char line[BIG_SIZE + 64];
    int fd = dial_negotiated();

    (void)state;
    say(fd, "{\"execute\":\"big\"}\n{\"execute\":\"small\"}\n");
    assert_int_equal(hear(fd, line, sizeof(line)), BIG_SIZE + 13);
    assert_int_equal(strspn(line + 11, "x"), BIG_SIZE);
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_string_equal(line, "{\"return\":1}");
    close(fd);
}

static void
a_request_that_is_too_long_ends_the_connection(void **state)
{
    char text[QMP_REQUEST_MAX + 2];
    char line[256];
    int fd = dial_negotiated();

    (void)state;
    memset(text, ' ', sizeof(text));
    text[QMP_REQUEST_MAX + 1] = '\0';
    say(fd, text);
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_non_null(strstr(line, "longer than 4096"));
    assert_int_equal(hear(fd, line, sizeof(line)), -1);
    close(fd);
}

static void
what_is_not_json_ends_the_connection(void **state)
{
    char line[256];
    int fd = dial_negotiated();

    (void)state;
    say(fd, "hello\n{\"execute\":\"small\"}\n");
    assert_true(hear(fd, line, sizeof(line)) > 0);
    assert_non_null(strstr(line, "not JSON"));
    assert_int_equal(hear(fd, line, sizeof(line)), -1);
    close(fd);
}

static void
clients_do_not_disturb_each_other(void **state)
{
    int fd[CLIENTS];
    char line[256];
    int more;

    (void)state;
    for (int i = 0; i < CLIENTS; i++)
        fd[i] = dial_negotiated();

    /* There is room for so many; one more is turned away. */
    more = dial();
    assert_int_equal(hear(more, line, sizeof(line)), -1);
    close(more);

    say(fd[0], "{\"execute\":\"sm"); /* and never the rest */
    say(fd[1], "{\"execute\":\"big\"}\n");
    close(fd[1]);
    for (int i = 2; i < CLIENTS; i++)
        ask_small(fd[i]);

    more = dial_negotiated();
    ask_small(more);
    close(more);
    close(fd[0]);
    for (int i = 2; i < CLIENTS; i++)
        close(fd[i]);
}

/*
 * It is cut off while it sleeps, with one reply too large or many small ones
 * waiting for it, and the others are served meanwhile.
 */
static void
a_client_that_does_not_read_is_cut_off(void **state)
{
    int many = dial_negotiated();
    int slow = dial_negotiated();
    int other = dial_negotiated();
    struct pollfd pfd[2] = { { .fd = slow }, { .fd = many } };
    bool cut = false;

    (void)state;
    say(slow, "{\"execute\":\"big\"}\n");
    while (send(many, "{\"execute\":\"small\"}\n", 20,
                MSG_NOSIGNAL | MSG_DONTWAIT) > 0 ||
           poll(&(struct pollfd){ .fd = many, .events = POLLOUT }, 1, 100) > 0)
        ;

    for (int ms = 0; ms < PATIENCE_MS && !cut; ms += 100) {
        ask_small(other);
        (void)poll(NULL, 0, 100);
        cut =
            poll(pfd, 2, 0) == 2 && (pfd[0].revents & pfd[1].revents & POLLHUP);
    }
    assert_true(cut);
    ask_small(other);
    close(many);
    close(slow);
    close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(requests_in_pieces_and_in_heaps),
        TEST(a_large_reply_arrives_whole),
        TEST(a_request_that_is_too_long_ends_the_connection),
        TEST(what_is_not_json_ends_the_connection),
        TEST(clients_do_not_disturb_each_other),
        TEST(a_client_that_does_not_read_is_cut_off),
    };

    return cmocka_run_group_tests_name("daemon-ctl", tests, group_setup,
                                       group_teardown);
}
