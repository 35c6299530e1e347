/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the model meets Xen: what the model announces becomes DMOPs, what Xen
 * reports becomes events of the model.
 *
 * The model speaks VT-d, Xen speaks vendor-neutral routes; only this file
 * knows both.  Nothing here fails towards the guest: an operation that Xen
 * refuses is logged and counted in dmop_stats.
 */
#ifndef DAEMON_FANOUT_H
#define DAEMON_FANOUT_H

#include "daemon/vtd/vtd.h"
#include "daemon/xen/dmop.h"
#include "daemon/xen/ioreq.h"

#include <stdbool.h>
#include <stdint.h>

struct gmem;
struct record;

struct fanout {
    struct vtd *vtd;       /* set once the model exists */
    struct record *record; /* NULL: nothing is recorded */
    struct dmop *dmop;
    struct gmem *gmem;
    uint16_t ioapic_sid; /* what Xen's vIOAPIC proves itself with */

    /* The calls to Xen want their elements in a row; see fanout_routes(). */
    struct xen_dm_op_viommu_irte route[DMOP_ROUTES_MAX];
};

/* The ctx of both is a struct fanout. */
extern const struct vtd_ops fanout_vtd_ops;
extern const struct ioreq_ops fanout_ioreq_ops;

/* As fanout_vtd_ops, and each event of the model is logged at debug level. */
extern const struct vtd_ops fanout_vtd_ops_trace;

/* Run some of the unit's queue, if that is due; true if there is more. */
bool fanout_work(struct fanout *fanout);

/*
 * Become the owner of the domain's vIOMMU in Xen, with a unit that is in its
 * reset state: what an earlier owner left behind is taken over and dropped.
 * 0, or -errno; -EBUSY while another live server owns it.
 */
int fanout_claim(struct fanout *fanout);

/*
 * Decode one of the unit's own MSIs for delivery past the remapping.  @addr
 * has the upper address in its high half.  False if it addresses no APIC.
 */
bool fanout_msi_decode(uint64_t addr, uint32_t data,
                       struct xen_dm_op_viommu_ir_inject *inject);

#endif
