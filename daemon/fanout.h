/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the models meet Xen: what they announce becomes DMOPs, what Xen
 * reports becomes events of theirs.
 *
 * A model speaks VT-d, Xen speaks vendor-neutral routes; only this file knows
 * both.  Nothing here fails towards the guest: an operation that Xen refuses
 * is logged and counted in dmop_stats.
 *
 * Xen has one table of routes a domain, which one unit fills: the wired one.
 * What the others remap is handed over by fanout_deliver(), remapped.
 */
#ifndef DAEMON_FANOUT_H
#define DAEMON_FANOUT_H

#include "daemon/unit.h"
#include "daemon/xen/dmop.h"
#include "daemon/xen/ioreq.h"

#include <stdbool.h>
#include <stdint.h>

struct fanout;
struct gmem;
struct sinks;

/* A unit's side of it: the ctx of its services. */
struct fanout_member {
    struct fanout *fanout;
    unsigned index;
    struct vtd_ops ops;
};

struct fanout {
    struct unit *unit; /* @unit_count of them */
    unsigned unit_count;
    struct dmop *dmop;
    struct gmem *gmem;
    struct sinks *sinks; /* of the units that remap DMA; NULL: none does */
    struct fanout_member member[CONFIG_UNITS_MAX];

    /* The calls to Xen want their elements in a row; see ir_routes(). */
    struct xen_dm_op_viommu_irte route[DMOP_ROUTES_MAX];
};

/*
 * The services for unit @index, whose context is the member of that number.
 * With @trace each event of the model is logged at debug level.
 */
const struct vtd_ops *fanout_ops(struct fanout *fanout, unsigned index,
                                 bool trace);

/* The ctx is a struct fanout; a unit's registers are the range of its number. */
extern const struct ioreq_ops fanout_ioreq_ops;

/* Run some of the units' queues, where that is due; true if there is more. */
bool fanout_work(struct fanout *fanout);

/*
 * Become the owner of the domain's vIOMMU in Xen, with a unit that is in its
 * reset state: what an earlier owner left behind is taken over and dropped.
 * 0, or -errno; -EBUSY while another live server owns it.
 */
int fanout_claim(struct fanout *fanout);

/* Deliver a remapped interrupt, past Xen's table.  The ctx is the fanout. */
void fanout_deliver(void *ctx, const struct vtd_route *route);

/*
 * Decode one of a unit's own MSIs for delivery past the remapping.  @addr
 * has the upper address in its high half.  False if it addresses no APIC.
 */
bool fanout_msi_decode(uint64_t addr, uint32_t data,
                       struct xen_dm_op_viommu_ir_inject *inject);

#endif
