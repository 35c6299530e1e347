/* SPDX-License-Identifier: GPL-2.0-only */
/* The one context: a daemon, its guest, and the units it serves. */
#ifndef DAEMON_VIOMMUD_H
#define DAEMON_VIOMMUD_H

#include "daemon/config.h"
#include "daemon/fanout.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/options.h"
#include "daemon/rundir.h"
#include "daemon/sinks.h"
#include "daemon/unit.h"
#include "daemon/xen/gmem.h"
#include "daemon/xen/handles.h"
#include "daemon/xen/ioreq.h"

#include <stdbool.h>
#include <stdint.h>

struct ctl;
struct record;

struct viommud {
    const struct options *options;
    struct viommu_configs configs;
    struct unit unit[CONFIG_UNITS_MAX];
    unsigned unit_count;

    struct loop *loop;
    struct loop_watch *sigterm;
    struct loop_watch *sigint;
    struct loop_watch *events; /* event channels */
    struct loop_watch *pulse;  /* is the domain alive? */
    struct loop_watch *watchdog;

    struct notify notify;
    struct rundir rundir;
    struct xen_handles xen;
    struct ioreq_server ioreq;
    struct gmem gmem;
    struct record *record; /* NULL without --trace */
    struct sinks sinks;    /* open if one of the units remaps DMA */
    struct fanout fanout;
    struct ctl *ctl;

    uint64_t start_ms;
    uint64_t gone_ms; /* when the server was found missing */
    bool xenstore_written;
    int exit_status;
};

/*
 * Serve the guest until it is gone or a signal asks to stop.  Returns the
 * exit status; the reason for any but 0 has been logged.
 */
int viommud_run(const struct options *options);

#endif
