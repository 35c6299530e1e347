/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way to reach Xen that stays open while the guest runs: opened,
 * restricted to the guest's domain and closed in one place, in one order.
 */
#ifndef DAEMON_XEN_HANDLES_H
#define DAEMON_XEN_HANDLES_H

#include "daemon/xen/dmop.h"
#include "daemon/xen/evtchn.h"

#include <stdint.h>

struct xendevicemodel_handle;
struct xenforeignmemory_handle;

struct xen_handles {
    uint16_t domid;
    struct xendevicemodel_handle *dm;
    struct xenforeignmemory_handle *fmem;
    struct evtchn evtchn;
    struct dmop dmop;
};

/* What went wrong is logged.  handles_close() may follow any of them. */
int handles_open(struct xen_handles *xen, uint16_t domid);
void handles_close(struct xen_handles *xen);

/*
 * Give up the power over every other domain, and check that it is gone.
 * Failing, nothing may go on: the guest must not reach an unrestricted
 * process.
 */
int handles_restrict(struct xen_handles *xen);

/* The domain's vCPUs, or -ESRCH, or -EINVAL for a PV domain. */
int handles_vcpus(const struct xen_handles *xen);

#endif
