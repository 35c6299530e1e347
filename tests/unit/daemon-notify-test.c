/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/notify.h"

static struct notify notify;

static int
setup(void **state)
{
    (void)state;
    log_open(LOG_LEVEL_ERROR, 0);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static int
listen_on(const struct sockaddr_un *addr, size_t path_len)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    assert_int_equal(
        bind(fd, (const struct sockaddr *)addr,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len)),
        0);
    return fd;
}

static void
expect_ready(int fd)
{
    char text[64];
    ssize_t n;

    notify_open(&notify);
    assert_true(notify.fd >= 0);
    notify_send(&notify, "READY=1");
    n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    assert_int_equal(n, 7);
    text[n] = '\0';
    assert_string_equal(text, "READY=1");
    notify_close(&notify);
    close(fd);
}

static void
a_path(void **state)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd;

    (void)state;
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path),
                   "/tmp/viommud-notify-%d", (int)getpid());
    fd = listen_on(&addr, strlen(addr.sun_path) + 1);
    setenv("NOTIFY_SOCKET", addr.sun_path, 1);
    expect_ready(fd);
    unlink(addr.sun_path);
}

static void
an_abstract_name(void **state)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof(name), "@viommud-notify-%d", (int)getpid());
    memcpy(addr.sun_path, name, strlen(name));
    addr.sun_path[0] = '\0';
    fd = listen_on(&addr, strlen(name));
    setenv("NOTIFY_SOCKET", name, 1);
    expect_ready(fd);
}

static void
nobody_to_notify(void **state)
{
    char longname[200];
    const char *const bad[] = { "", "/", "relative", "/tmp/nobody/is/here",
                                longname };

    (void)state;
    memset(longname, '/', sizeof(longname) - 1);
    longname[sizeof(longname) - 1] = '\0';

    notify_open(&notify);
    assert_int_equal(notify.fd, -1);
    for (unsigned i = 0; i < 5; i++) {
        setenv("NOTIFY_SOCKET", bad[i], 1);
        notify_open(&notify);
        assert_int_equal(notify.fd, -1);
        assert_int_equal(notify.watchdog_ms, 0);
        notify_send(&notify, "READY=1");
        notify_close(&notify);
    }
}

static void
the_watchdog_is_fed_twice_as_often(void **state)
{
    static const struct {
        const char *usec;
        int pid; /* 0: none; 1: ours; 2: another */
        uint64_t want_ms;
    } rows[] = {
        { "5000000", 0, 2500 }, { "5000000", 1, 2500 }, { "5000000", 2, 0 },
        { "0", 0, 0 },          { "5s", 0, 0 },         { "", 0, 0 },
    };
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char name[64];
    int fd;

    (void)state;
    (void)snprintf(name, sizeof(name), "@viommud-watchdog-%d", (int)getpid());
    memcpy(addr.sun_path, name, strlen(name));
    addr.sun_path[0] = '\0';
    fd = listen_on(&addr, strlen(name));
    setenv("NOTIFY_SOCKET", name, 1);

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char pid[16];

        (void)snprintf(pid, sizeof(pid), "%d",
                       (int)getpid() + (rows[i].pid == 2));
        setenv("WATCHDOG_USEC", rows[i].usec, 1);
        if (rows[i].pid)
            setenv("WATCHDOG_PID", pid, 1);
        notify_open(&notify);
        assert_int_equal(notify.watchdog_ms, rows[i].want_ms);
        notify_close(&notify);
        unsetenv("WATCHDOG_PID");
    }
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_path, setup),
        cmocka_unit_test_setup(an_abstract_name, setup),
        cmocka_unit_test_setup(nobody_to_notify, setup),
        cmocka_unit_test_setup(the_watchdog_is_fed_twice_as_often, setup),
    };

    return cmocka_run_group_tests_name("daemon-notify", tests, NULL, NULL);
}
