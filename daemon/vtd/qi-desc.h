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

struct vtd_desc_type {
    const char *name;
    uint64_t rsvd[2]; /* with bits 6:4 of the type, which are clear in all */
    /*
     * Execute one without these bits set.  Returns the work that it was, in
     * ordinary descriptors; or minus an enum vtd_iqei or VTD_DESC_WAITS: it
     * has no effect then.
     */
    int (*run)(struct vtd *vtd, uint64_t lo, uint64_t hi);
};

/* Bits 3:0 of a type index these. */
#define VTD_DESC_TYPES 16u

/*
 * The types as a unit with @config executes them from a queue of 128-bit or,
 * if @wide, of 256-bit descriptors.
 */
void vtd_desc_types_init(struct vtd_desc_type types[VTD_DESC_TYPES],
                         const struct vtd_config *config, bool wide);

/* Why a descriptor with bits of @type->rsvd set is in error. */
enum vtd_iqei vtd_desc_error(const struct vtd_desc_type *type, uint64_t lo);

/* Signal the completion of a wait descriptor; its cost, as run() has it. */
int vtd_desc_complete(struct vtd *vtd, uint64_t lo, uint64_t hi);

#endif
