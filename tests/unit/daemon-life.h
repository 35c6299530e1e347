/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run the daemon in a child process over the fake Xen, and play the guest.
 * Included by the tests that do so, once each.
 */
#ifndef TESTS_UNIT_DAEMON_LIFE_H
#define TESTS_UNIT_DAEMON_LIFE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/viommud.h"
#include "tests/unit/daemon-fake-xen.h"

/* Whoever waits longer has failed; generous, for emulated machines. */
#define PATIENCE_MS 20000

static char run_dir[] = "/tmp/viommud-life-XXXXXX";
static char domain_dir[64];
static char ctl_path[80];
static char notify_path[80];
static const char *trace_path; /* of the next daemon; NULL: none */
static int notify_fd;
static int stderr_fd;
static pid_t child;
static char printed[4096];

static inline void
path_join(char *buf, size_t size, const char *dir, const char *name)
{
    int len = snprintf(buf, size, "%s/%s", dir, name);

    assert_true(len > 0 && (size_t)len < size);
}

static inline int
group_setup(void **state)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    (void)state;
    if (!mkdtemp(run_dir))
        return -1;
    path_join(domain_dir, sizeof(domain_dir), run_dir, "7");
    path_join(ctl_path, sizeof(ctl_path), domain_dir, "ctl");
    path_join(notify_path, sizeof(notify_path), run_dir, "notify");

    fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fake == MAP_FAILED)
        return -1;

    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(addr.sun_path, notify_path, strlen(notify_path) + 1);
    setenv("NOTIFY_SOCKET", notify_path, 1);
    return bind(notify_fd, (const struct sockaddr *)&addr, sizeof(addr));
}

static inline int
group_teardown(void **state)
{
    (void)state;
    close(notify_fd);
    unlink(notify_path);
    return rmdir(run_dir);
}

static inline int
setup(void **state)
{
    (void)state;
    memset(fake, 0, sizeof(*fake));
    fake->owner = XEN_DMOP_VIOMMU_OWNER_NONE;
    strcpy(fake->config, "type=intel_vtd,intremap=1");
    printed[0] = '\0';
    trace_path = NULL;
    child = 0;
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, evtchn_pair);
}

static inline int
teardown(void **state)
{
    (void)state;
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    close(evtchn_pair[0]);
    close(evtchn_pair[1]);
    while (recv(notify_fd, printed, sizeof(printed), MSG_DONTWAIT) > 0)
        ;
    return 0;
}

static inline void
start(const char *config)
{
    const struct options options = {
        .domid = DOMID,
        .log_level = LOG_LEVEL_WARN,
        .config = config,
        .run_dir = run_dir,
        .trace = trace_path,
    };
    int out[2];

    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        dup2(out[1], STDERR_FILENO);
        log_open(options.log_level, DOMID);
        _exit(viommud_run(&options));
    }
    close(out[1]);
    stderr_fd = out[0];
}

/* The exit status, once the daemon has ended; and what it printed. */
static inline int
finish(void)
{
    size_t len = 0;
    ssize_t n;
    int status;

    while ((n = read(stderr_fd, printed + len, sizeof(printed) - 1 - len)) > 0)
        len += (size_t)n;
    printed[len] = '\0';
    close(stderr_fd);
    assert_int_equal(waitpid(child, &status, 0), child);
    child = 0;
    if (!WIFEXITED(status))
        fail_msg("the daemon died: status=%#x: %s", status, printed);
    return WEXITSTATUS(status);
}

static inline void
wait_readable(int fd)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    if (poll(&pfd, 1, PATIENCE_MS) != 1)
        fail_msg("the daemon does not answer");
}

static inline void
wait_ready(void)
{
    char text[256];
    ssize_t n;

    wait_readable(notify_fd);
    n = recv(notify_fd, text, sizeof(text) - 1, 0);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "READY=1\nSTATUS=Serving domain 7");
}

static inline void
start_ready(void)
{
    start(NULL);
    wait_ready();
}

static inline bool
exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static inline void
nothing_left(void)
{
    assert_false(exists(domain_dir));
    assert_int_equal(fake->nodes, 0);
    assert_int_equal(fake->live_maps, 0);
    assert_false(fake->pages_mapped);
    if (fake->created)
        assert_true(fake->destroyed & 1u << SERVER);
}

/* One line, which names what is wrong. */
static inline void
refused(const char *text)
{
    assert_int_equal(finish(), EXIT_FAILURE);
    if (!strstr(printed, text) ||
        strncmp(printed, "viommud[d7]: cannot", 19) != 0 ||
        strchr(printed, '\n') != printed + strlen(printed) - 1)
        fail_msg("expected one line with '%s': %s", text, printed);
    nothing_left();
}

static inline void
stop_and_check(void)
{
    kill(child, SIGTERM);
    assert_int_equal(finish(), EXIT_SUCCESS);
    nothing_left();
}

/* --- the guest ------------------------------------------------------------ */

static inline void
ring_bell(uint32_t remote)
{
    uint32_t port = LOCAL_PORT + remote;

    assert_int_equal(write(evtchn_pair[1], &port, 4), 4);
}

/* Take what the daemon sends until it rings for @vcpu. */
static inline void
wait_bell(unsigned vcpu)
{
    uint32_t got[EVTCHN_BATCH];

    do {
        wait_readable(evtchn_pair[1]);
        assert_true(read(evtchn_pair[1], got, sizeof(got)) >= 4);
    } while (got[0] != (0x80000000u | (LOCAL_PORT + REMOTE_PORT + vcpu)));
}

static inline uint64_t
request(unsigned vcpu, const struct ioreq *req)
{
    volatile struct ioreq *at = slot(vcpu);

    at->addr = req->addr;
    at->data = req->data;
    at->count = req->count;
    at->size = req->size;
    at->dir = req->dir;
    at->df = req->df;
    at->data_is_ptr = req->data_is_ptr;
    at->type = req->type;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    at->state = STATE_IOREQ_READY;
    ring_bell(REMOTE_PORT + vcpu);
    wait_bell(vcpu);
    assert_int_equal(at->state, STATE_IORESP_READY);
    at->state = STATE_IOREQ_NONE;
    return at->data;
}

/* One access by @vcpu to a register of unit @unit: pages that follow BASE. */
static inline uint64_t
access_unit(unsigned vcpu, unsigned unit, const struct ioreq *req)
{
    struct ioreq at = *req;

    at.type = IOREQ_TYPE_COPY;
    at.addr += BASE + (uint64_t)unit * PAGE;
    at.count = 1;
    return request(vcpu, &at);
}

static inline uint64_t
unit_read(unsigned unit, uint32_t off, unsigned size)
{
    return access_unit(
        0, unit,
        &(struct ioreq){ .addr = off, .size = size, .dir = IOREQ_READ });
}

static inline void
unit_write(unsigned unit, uint32_t off, unsigned size, uint64_t val)
{
    (void)access_unit(
        0, unit, &(struct ioreq){ .addr = off, .size = size, .data = val });
}

static inline uint64_t
reg_read(unsigned vcpu, uint32_t off, unsigned size)
{
    return access_unit(
        vcpu, 0,
        &(struct ioreq){ .addr = off, .size = size, .dir = IOREQ_READ });
}

static inline void
reg_write(unsigned vcpu, uint32_t off, unsigned size, uint64_t val)
{
    (void)access_unit(
        vcpu, 0, &(struct ioreq){ .addr = off, .size = size, .data = val });
}

/* Tests come with the fixture. */
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
