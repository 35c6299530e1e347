/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Caches of the remapping structures: contexts, paging structures and
 * translations, of fixed size.
 *
 * An invalidation never looks at an entry.  It adds one to generation
 * counters: one for everything, one a domain, one a PASID of a domain, one a
 * region of a domain's addresses, where domains, PASIDs and regions share
 * counters by hash.  An entry holds the sum of the counters that it depends on
 * as it was before the walk; no counter ever goes down, so the sum is the
 * same only if none has moved.  The counters may lie in memory that somebody
 * else writes: a client has entries of its own and the daemon's counters.
 */
#ifndef DAEMON_VTD_CACHE_H
#define DAEMON_VTD_CACHE_H

#include "daemon/vtd/walk.h"

/* Counters; powers of two. */
#define VTD_GEN_DOMAINS 256u
#define VTD_GEN_PASIDS  256u
#define VTD_GEN_REGIONS 4096u /* of each of the three sizes */
#define VTD_GEN_DEVICES 256u

/* Sizes of the regions that a page-selective invalidation is told apart by. */
#define VTD_GEN_SHIFT_4K 16u /* for 4 KiB pages: 64 KiB */
#define VTD_GEN_SHIFT_2M 21u
#define VTD_GEN_SHIFT_1G 30u

struct vtd_gens {
    uint64_t all;     /* translations */
    uint64_t ctx_all; /* contexts */
    uint64_t domain[VTD_GEN_DOMAINS];
    uint64_t nested[VTD_GEN_DOMAINS]; /* nested translations of a domain */
    uint64_t pasid[VTD_GEN_PASIDS];
    uint64_t region[3][VTD_GEN_REGIONS];
    uint64_t ctx_domain[VTD_GEN_DOMAINS];
    uint64_t ctx_device[VTD_GEN_DEVICES];
    uint64_t ctx_pasid[VTD_GEN_PASIDS];
};

/* Apply one invalidation to @gens.  O(1): at most 64 counters move. */
void vtd_gens_invalidate(struct vtd_gens *gens, const struct vtd_inv *inv);

/* Entries; powers of two. */
#define VTD_TLB_ENTRIES 4096u
#define VTD_PWC_ENTRIES 512u
#define VTD_CTX_ENTRIES 256u

struct vtd_cache; /* entries of all three, in cache-priv.h */

#endif
