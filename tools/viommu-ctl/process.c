/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

int
process_guard(struct text_error *err)
{
    sigset_t set;
    int fd = -1;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (!sigprocmask(SIG_BLOCK, &set, NULL)) {
        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    }
    if (fd < 0) {
        return text_fail(err, -errno, "cannot watch signals: %s",
                         strerror(errno));
    }
    return fd;
}

bool
process_interrupted(int guard)
{
    struct pollfd pfd = { .fd = guard, .events = POLLIN };

    return poll(&pfd, 1, 0) > 0;
}

/* execvp() changes nothing, but its type does not say so. */
static char **
copy_argv(const char *const argv[])
{
    size_t n = 0;
    char **copy;

    while (argv[n]) {
        n++;
    }
    copy = calloc(n + 1, sizeof(*copy));
    if (!copy) {
        _exit(127);
    }
    memcpy(copy, argv, n * sizeof(*copy));
    return copy;
}

static void __attribute__((noreturn))
exec_child(const char *const argv[], int output)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
    }
    if (output >= 0) {
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
    }
    execvp(argv[0], copy_argv(argv));
    fprintf(stderr, "viommu-ctl: cannot run %s: %s\n", argv[0],
            strerror(errno));
    _exit(127);
}

pid_t
process_start(const char *const argv[], int output, struct text_error *err)
{
    pid_t pid;

    /* What is buffered would be written twice. */
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        return text_fail(err, -errno, "cannot start %s: %s", argv[0],
                         strerror(errno));
    }
    if (pid == 0) {
        exec_child(argv, output);
    }
    return pid;
}

/* True once @pid has ended, false after @timeout_ms. */
static bool
wait_end(pid_t pid, int timeout_ms)
{
    struct pollfd pfd = { .fd = pidfd_open(pid, 0), .events = POLLIN };
    int n;

    if (pfd.fd < 0) {
        return false;
    }
    do {
        n = poll(&pfd, 1, timeout_ms);
    } while (n < 0 && errno == EINTR);
    close(pfd.fd);
    return n > 0;
}

static int
reap(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int
process_run(const char *const argv[], int timeout_ms, struct text_error *err)
{
    pid_t pid = process_start(argv, -1, err);
    int status;

    if (pid < 0) {
        return pid;
    }
    if (!wait_end(pid, timeout_ms)) {
        process_stop(pid, 1000);
        return text_fail(err, -ETIMEDOUT, "%s %s did not end within %d s",
                         argv[0], argv[1], timeout_ms / 1000);
    }
    status = reap(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status)) {
        return text_fail(err, -ECHILD, "%s %s failed with status %d", argv[0],
                         argv[1], WEXITSTATUS(status));
    }
    if (WIFSIGNALED(status)) {
        return text_fail(err, -ECHILD, "%s %s was ended by signal %d", argv[0],
                         argv[1], WTERMSIG(status));
    }
    return 0;
}

void
process_stop(pid_t pid, int timeout_ms)
{
    kill(pid, SIGTERM);
    if (!wait_end(pid, timeout_ms)) {
        kill(pid, SIGKILL);
    }
    reap(pid);
}
