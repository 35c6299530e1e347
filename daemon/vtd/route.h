/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Routes announced to the owner, who keeps them: in the specification's terms
 * the interrupt entry cache.  Changes are collected in a batch; it is flushed
 * before any other call of an op that depends on them, and before the model
 * returns to its caller.
 */
#ifndef DAEMON_VTD_ROUTE_H
#define DAEMON_VTD_ROUTE_H

#include "daemon/vtd/ir.h"
#include "daemon/vtd/priv.h"

/*
 * The guest invalidated entries [first, first + n); @n is a power of two and
 * @first a multiple of it.  Afterwards no route of
 * the range is older than this call.  Returns its cost: how many entries
 * were read, or as much work done.
 */
unsigned vtd_route_invalidate(struct vtd *vtd, uint32_t first, uint32_t n);

/* Entry @index, in vtd->irte, differs from what the owner was told. */
void vtd_route_update(struct vtd *vtd, uint64_t index);

/* The low quadword without what the route does not depend on. */
static inline uint64_t
vtd_irte_significant(uint64_t lo)
{
    return lo & ~VTD_IRTE_LO_AVAIL;
}

/*
 * Read entry @index of the table again.  The entry alone decides whether the
 * route changed: the mode it is decoded under changes only where every route
 * is withdrawn.  Inline for the descriptor that is run all the time.
 */
static inline void
vtd_route_sync(struct vtd *vtd, uint64_t index)
{
    if (__builtin_expect(vtd_irte_read(vtd, index, vtd->irte) != 0, 0)) {
        vtd->irte[0] = 0;
    }
    if (vtd_irte_significant(vtd->irte[0]) != vtd->routes.entry[index][0] ||
        vtd->irte[1] != vtd->routes.entry[index][1]) {
        vtd_route_update(vtd, index);
    }
}

/* Entry @raw, decoded as @route, was looked up; announce it now. */
void vtd_route_announce(struct vtd *vtd, const uint64_t raw[2],
                        const struct vtd_route *route);

/* Entry @index is not usable; withdraw its route if there is one. */
void vtd_route_withdraw(struct vtd *vtd, uint32_t index);

/* Withdraw every route. */
void vtd_route_clear(struct vtd *vtd);

/* Forget every route and tell nobody: the unit becomes another one. */
void vtd_route_forget(struct vtd *vtd);

/* The owner has lost every route: announce again those that it had. */
void vtd_route_replay(struct vtd *vtd);

/* Pass the collected changes, of which there are some, to the owner. */
void vtd_route_flush_batch(struct vtd *vtd);

/* Pass collected changes to the owner. */
static inline void
vtd_route_flush(struct vtd *vtd)
{
    if (vtd->routes.batch_count != 0) {
        vtd_route_flush_batch(vtd);
    }
}

/* The route announced for @index, but for its index; false without one. */
bool vtd_route_lookup(const struct vtd *vtd, uint32_t index,
                      struct vtd_route *route);

#endif
