/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device-model operations that xen-hooks adds.  libxendevicemodel has no
 * generic operation, so they go through a /dev/xen/privcmd of our own, which
 * is restricted to the one domain like the library's.
 *
 * All return 0 or -errno; dmop-abi.h lists what Xen means by each.
 */
#ifndef DAEMON_XEN_DMOP_H
#define DAEMON_XEN_DMOP_H

#include "daemon/xen/dmop-abi.h"

#include <stdint.h>

/* Routes in one call: what Linux's privcmd takes in one buffer (4096 bytes). */
#define DMOP_ROUTES_MAX 256u

struct dmop_stats {
    uint64_t calls;
    uint64_t errors; /* calls that failed, and routes refused */
    uint64_t routes; /* routes set or removed one by one */
};

struct dmop {
    int fd;
    uint16_t domid;
    uint16_t server; /* the ioreq server in whose name we speak */
    struct dmop_stats stats;
};

int dmop_open(struct dmop *dmop, uint16_t domid);
void dmop_close(struct dmop *dmop);

/* From now on, the kernel lets the descriptor act on our domain only. */
int dmop_restrict(const struct dmop *dmop);

/* Whether that took: 0, or -EACCES if something is allowed that must not. */
int dmop_restrict_verify(const struct dmop *dmop, uint16_t other_domid);

int dmop_query(struct dmop *dmop, struct xen_dm_op_viommu_query *query);

/* @control->id is filled in. */
int dmop_ir_control(struct dmop *dmop,
                    const struct xen_dm_op_viommu_ir_control *control);

/*
 * Set @n routes, at most DMOP_ROUTES_MAX.  A route that Xen refuses is removed
 * instead, so that no older version of it stays in force; the rest are set.
 * Returns the first error.  @route is not changed, but privcmd takes no const.
 */
int dmop_ir_update(struct dmop *dmop, struct xen_dm_op_viommu_irte *route,
                   unsigned n);
int dmop_ir_clear(struct dmop *dmop, uint32_t first, uint32_t n);

/* @inject->id is filled in. */
int dmop_ir_inject(struct dmop *dmop,
                   const struct xen_dm_op_viommu_ir_inject *inject);

#endif
