/* SPDX-License-Identifier: GPL-2.0-only */
/* The receiving end of sd_notify(3), for a daemon started without systemd. */
#ifndef TOOLS_VIOMMU_CTL_READY_H
#define TOOLS_VIOMMU_CTL_READY_H

#include <sys/types.h>

#include "tools/viommu-ctl/text.h"

struct ready {
    int fd;
    char dir[80];
    char path[96]; /* for NOTIFY_SOCKET                         */
};

/*
 * A socket below @run_dir that only root can reach.  Returns 0 or -errno with
 * @err set; ready_close() removes it.
 */
int ready_open(struct ready *ready, const char *run_dir,
               struct text_error *err);

/*
 * Wait until READY=1 came.  Returns 0, or with @err set -ECHILD if the process
 * @pid ended, -EINTR if @guard became readable, -ETIMEDOUT, or -errno.
 */
int ready_wait(const struct ready *ready, pid_t pid, int guard, int timeout_ms,
               struct text_error *err);

void ready_close(struct ready *ready);

#endif
