/* SPDX-License-Identifier: GPL-2.0-only */
/* What each type of invalidation descriptor is, and does. */
#ifndef DAEMON_VTD_QI_DESC_H
#define DAEMON_VTD_QI_DESC_H

#include "daemon/vtd/spec-qi.h"
#include "daemon/vtd/spec-regs.h"
#include "daemon/vtd/vtd.h"

/* Returned by run(): the descriptor stays at the head until sinks answer. */
#define VTD_DESC_WAITS (-16)
_Static_assert(VTD_IQERCD_IQEI == 15, "an IQEI could be VTD_DESC_WAITS");

/*
 * Execute a descriptor without reserved bits set.  Returns the work that it
 * was, in ordinary descriptors; or minus an enum vtd_iqei or VTD_DESC_WAITS:
 * it has no effect then.
 */
typedef int vtd_desc_run(struct vtd *vtd, uint64_t lo, uint64_t hi);

/*
 * The types as a unit executes them from a queue of 128-bit or of 256-bit
 * descriptors, by bits 3:0 of a type: columns, so that an index is scaled by
 * the processor.
 */
struct vtd_desc_types {
    uint64_t rsvd_lo[16]; /* and bits 6:4 of the type, which none has set */
    uint64_t rsvd_hi[16];
    vtd_desc_run *run[16];
};

void vtd_desc_types_init(struct vtd_desc_types *types,
                         const struct vtd_config *config, bool wide);

/* Why a descriptor with reserved bits set is in error. */
enum vtd_iqei vtd_desc_error(const struct vtd_desc_types *types, uint64_t lo);

/* Signal the completion of a wait descriptor. */
vtd_desc_run vtd_desc_complete;

#endif
