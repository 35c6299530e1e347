/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt posting: requests that an entry records in a descriptor in guest
 * memory, with a notification to the processor that is to look at it.
 *
 * A posted entry is never announced as a route.  So each request for one is a
 * miss to the consumer, and is posted here.
 */
#ifndef DAEMON_VTD_POSTED_H
#define DAEMON_VTD_POSTED_H

#include "daemon/vtd/priv.h"
#include "daemon/vtd/spec-pi.h"

/* Of an entry that is present: whether it has the posted format. */
static inline bool
vtd_irte_is_posted(const struct vtd *vtd, const uint64_t raw[2])
{
    return vtd->config.pi && (raw[0] & VTD_IRTE_LO_IM);
}

/* What a posted entry says of the source id, as one of the other format. */
static inline uint64_t
vtd_posted_source(const uint64_t raw[2])
{
    return raw[1] & (VTD_IRTE_HI_SID | VTD_IRTE_HI_SQ | VTD_IRTE_HI_SVT);
}

/* VTD_FR_OK, or VTD_FR_IR_ENTRY_RSVD. */
enum vtd_fr vtd_posted_check(const struct vtd *vtd, const uint64_t raw[2]);

/*
 * Post one request through entry @index, @raw, which has been checked.
 * VTD_FR_OK, VTD_FR_IR_PD_ACCESS or VTD_FR_IR_PD_RSVD.
 */
enum vtd_fr vtd_posted_deliver(struct vtd *vtd, uint32_t index,
                               const uint64_t raw[2]);

#endif
