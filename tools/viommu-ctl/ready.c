/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/ready.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int
ready_open(struct ready *ready, const char *run_dir, struct text_error *err)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int rc = 0;

    *ready = (struct ready){ .fd = -1 };
    if ((size_t)snprintf(ready->dir, sizeof(ready->dir), "%s/notify-XXXXXX",
                         run_dir) >= sizeof(ready->dir)) {
        return text_fail(err, -ENAMETOOLONG, "cannot use %s: %s", run_dir,
                         strerror(ENAMETOOLONG));
    }
    if (!mkdtemp(ready->dir)) {
        rc = -errno;
        ready->dir[0] = '\0';
        return text_fail(err, rc, "cannot make a directory in %s: %s", run_dir,
                         strerror(-rc));
    }
    snprintf(ready->path, sizeof(ready->path), "%s/socket", ready->dir);
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", ready->path);
    ready->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ready->fd < 0 ||
        bind(ready->fd, (struct sockaddr *)&addr, sizeof(addr))) {
        rc = -errno;
        text_fail(err, rc, "cannot listen on %s: %s", ready->path,
                  strerror(-rc));
        ready_close(ready);
    }
    return rc;
}

void
ready_close(struct ready *ready)
{
    if (ready->fd >= 0) {
        close(ready->fd);
        unlink(ready->path);
    }
    if (ready->dir[0]) {
        rmdir(ready->dir);
    }
    *ready = (struct ready){ .fd = -1 };
}

/* A message is assignments, one a line. */
static bool
is_ready(char *message)
{
    char *save = NULL;

    for (char *line = strtok_r(message, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (!strcmp(line, "READY=1")) {
            return true;
        }
    }
    return false;
}

static bool
receive_ready(int fd)
{
    char message[4096];
    ssize_t n;

    while ((n = recv(fd, message, sizeof(message) - 1, 0)) >= 0) {
        message[n] = '\0';
        if (is_ready(message)) {
            return true;
        }
    }
    return false;
}

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
wait_events(const struct ready *ready, int pidfd, int guard, int timeout_ms,
            struct text_error *err)
{
    int64_t deadline = now_ms() + timeout_ms;
    struct pollfd pfd[] = {
        { .fd = ready->fd, .events = POLLIN },
        { .fd = pidfd, .events = POLLIN },
        { .fd = guard, .events = POLLIN },
    };
    int64_t left;

    while ((left = deadline - now_ms()) > 0) {
        if (poll(pfd, 3, (int)left) < 0 && errno != EINTR) {
            return text_fail(err, -errno, "cannot wait for viommud: %s",
                             strerror(errno));
        }
        if (receive_ready(ready->fd)) {
            return 0;
        }
        if (pfd[1].revents) {
            return text_fail(err, -ECHILD, "viommud ended before it was ready");
        }
        if (pfd[2].revents) {
            return text_fail(err, -EINTR, "interrupted");
        }
    }
    return text_fail(err, -ETIMEDOUT, "viommud was not ready within %d ms",
                     timeout_ms);
}

int
ready_wait(const struct ready *ready, pid_t pid, int guard, int timeout_ms,
           struct text_error *err)
{
    int pidfd = pidfd_open(pid, 0);
    int rc;

    if (pidfd < 0) {
        return text_fail(err, -errno, "cannot watch viommud: %s",
                         strerror(errno));
    }
    rc = wait_events(ready, pidfd, guard, timeout_ms, err);
    close(pidfd);
    return rc;
}
