/* SPDX-License-Identifier: GPL-2.0-only */
/* Start and stop a domain's viommud: as a systemd unit, or directly. */
#ifndef TOOLS_VIOMMU_CTL_LAUNCH_H
#define TOOLS_VIOMMU_CTL_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/viommu-ctl/text.h"

struct launch {
    unsigned domid;
    const char *run_dir;
    const char *log_dir; /* run_dir instead if this one cannot be used   */
    bool systemd;        /* start the unit viommud@<domid>.service    */
    int guard;           /* of process_guard()                        */
    int timeout_ms;      /* until the daemon must be ready            */
    pid_t pid;           /* set by launch_start() without systemd     */
    char log[96];        /* likewise: where the daemon logs           */
};

/* Does systemd run this machine? */
bool launch_has_systemd(void);

/*
 * Start the daemon and wait until it is ready to answer the guest.  Returns 0
 * or -errno with @err set; then no daemon is left.
 */
int launch_start(struct launch *launch, struct text_error *err);

void launch_stop(struct launch *launch);

#endif
