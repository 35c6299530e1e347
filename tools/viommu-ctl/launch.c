/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/viommu-ctl/process.h"
#include "tools/viommu-ctl/ready.h"

#define STOP_MS 5000

/* Of a failed daemon's log, the last bytes that are shown. */
#define LOG_TAIL 2048

/* The check of sd_booted(3). */
bool
launch_has_systemd(void)
{
    return access("/run/systemd/system", F_OK) == 0;
}

static int
run_systemctl(const struct launch *launch, const char *verb,
              struct text_error *err)
{
    char unit[64];
    const char *const argv[] = { "systemctl", verb, unit, NULL };

    snprintf(unit, sizeof(unit), "viommud@%u.service", launch->domid);
    return process_run(argv, launch->timeout_ms, err);
}

static int
start_unit(struct launch *launch, struct text_error *err)
{
    struct text_error why;
    int rc = run_systemctl(launch, "start", &why);

    if (rc) {
        text_fail(err, rc,
                  "cannot start the daemon: %.200s; `journalctl -u "
                  "viommud@%u` says why",
                  why.text, launch->domid);
        launch_stop(launch);
    }
    return rc;
}

static int
open_log(struct launch *launch, struct text_error *err)
{
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    const char *const dir[] = { launch->log_dir, launch->run_dir };
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < sizeof(dir) / sizeof(dir[0]); i++) {
        snprintf(launch->log, sizeof(launch->log), "%s/viommud-%u.log", dir[i],
                 launch->domid);
        fd = open(launch->log, flags, 0600);
    }
    if (fd < 0) {
        return text_fail(err, -errno, "cannot write %s: %s", launch->log,
                         strerror(errno));
    }
    return fd;
}

/* What a daemon that failed has said since @start. */
static void
show_log(int fd, off_t start)
{
    char text[LOG_TAIL + 1];
    off_t end = lseek(fd, 0, SEEK_END);
    ssize_t n;
    char *save = NULL;

    n = pread(fd, text, LOG_TAIL,
              end - start > LOG_TAIL ? end - LOG_TAIL : start);
    if (n <= 0) {
        return;
    }
    text[n] = '\0';
    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        text_make_printable(line, strlen(line));
        fprintf(stderr, "  %s\n", line);
    }
}

static int
start_process(struct launch *launch, struct text_error *err)
{
    char domid[16];
    const char *const argv[] = { "viommud",   "--domid",       domid,
                                 "--run-dir", launch->run_dir, NULL };
    struct ready ready;
    off_t start;
    int log;
    int rc;

    rc = ready_open(&ready, launch->run_dir, err);
    if (rc) {
        return rc;
    }
    log = open_log(launch, err);
    if (log < 0) {
        ready_close(&ready);
        return log;
    }
    start = lseek(log, 0, SEEK_END);
    snprintf(domid, sizeof(domid), "%u", launch->domid);
    setenv("NOTIFY_SOCKET", ready.path, 1);
    launch->pid = process_start(argv, log, err);
    unsetenv("NOTIFY_SOCKET");
    rc = launch->pid < 0 ? launch->pid
                         : ready_wait(&ready, launch->pid, launch->guard,
                                      launch->timeout_ms, err);
    if (rc && launch->pid > 0) {
        launch_stop(launch);
        show_log(log, start);
    }
    close(log);
    ready_close(&ready);
    return rc;
}

int
launch_start(struct launch *launch, struct text_error *err)
{
    return launch->systemd ? start_unit(launch, err)
                           : start_process(launch, err);
}

void
launch_stop(struct launch *launch)
{
    struct text_error err;

    if (!launch->systemd) {
        process_stop(launch->pid, STOP_MS);
    } else if (run_systemctl(launch, "stop", &err)) {
        text_error_print(&err);
    }
}
