/* SPDX-License-Identifier: GPL-2.0-only */
/* What each type of invalidation descriptor is, and does. */
#ifndef DAEMON_VTD_QI_DESC_H
#define DAEMON_VTD_QI_DESC_H

#include "daemon/vtd/priv.h"
#include "daemon/vtd/spec-qi.h"

/* Returned by run(): the descriptor stays at the head until sinks answer. */
#define VTD_DESC_WAITS (-16)
_Static_assert(VTD_IQERCD_IQEI == 15, "an IQEI could be VTD_DESC_WAITS");

struct vtd_desc_type {
    const char *name;
    uint64_t rsvd[2]; /* the upper half of a 256-bit one is reserved */
    /*
     * Execute one without reserved bits set.  Returns the work beyond that of
     * an ordinary descriptor, in descriptors; or minus an enum vtd_iqei or
     * VTD_DESC_WAITS: it has no effect then.
     */
    int (*run)(struct vtd *vtd, uint64_t lo, uint64_t hi);
    uint8_t need; /* for vtd_desc_legal() */
};

/* By type; those that are not defined have no function. */
extern const struct vtd_desc_type vtd_desc_types[16];

/* Signal the completion of a wait descriptor, without reserved bits set. */
void vtd_desc_complete(struct vtd *vtd, uint64_t lo, uint64_t hi);

/*
 * A bit for each type that the unit executes from a queue of 128-bit or, if
 * @wide, of 256-bit descriptors.  Types that it lacks the capability for are
 * invalid as unknown ones are, whatever their other bits.
 * [VT-d 4.1, "Queued Invalidation Interface", table of descriptor types]
 */
uint16_t vtd_desc_legal(const struct vtd *vtd, bool wide);

#endif
