/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Caches of the remapping structures: contexts, paging structures and
 * translations, of fixed size.
 *
 * An invalidation never looks at an entry.  It adds one to generation
 * counters: one for everything, one a domain, one a PASID of a domain, one a
 * region of a domain's addresses, where domains, PASIDs and regions share
 * counters by hash.  An entry holds the sum of the counters that it depends on
 * as it was when its walk began; no counter ever goes down, so the sum is the
 * same only if none has moved.  The counters may lie in memory that somebody
 * else writes: a client has entries of its own and the daemon's counters.
 */
#ifndef DAEMON_VTD_CACHE_H
#define DAEMON_VTD_CACHE_H

#include "daemon/vtd/walk.h"

/* Counters of a kind; powers of two. */
#define VTD_GEN_DOMAINS 256u
#define VTD_GEN_PASIDS  256u
#define VTD_GEN_DEVICES 256u
#define VTD_GEN_REGIONS 4096u
#define VTD_GEN_TABLES  1024u

/*
 * Where each kind begins.  A translation depends on ALL, on the region that
 * its page lies in, and on its domain: on DOMAIN if it is of the second stage
 * alone, else on FIRST, which also moves when pages of the domain's second
 * stage are invalidated, and on PASID.
 */
enum vtd_gen {
    VTD_GEN_ALL, /* translations */
    VTD_GEN_CTX_ALL,
    VTD_GEN_DOMAIN,
    VTD_GEN_FIRST = VTD_GEN_DOMAIN + VTD_GEN_DOMAINS,
    VTD_GEN_PASID = VTD_GEN_FIRST + VTD_GEN_DOMAINS,
    /* Regions as large as the page, or larger: of pages of 4 KiB, ... */
    VTD_GEN_64K = VTD_GEN_PASID + VTD_GEN_PASIDS,
    VTD_GEN_2M = VTD_GEN_64K + VTD_GEN_REGIONS,
    VTD_GEN_1G = VTD_GEN_2M + VTD_GEN_REGIONS,
    /* Paging structures, by what the table spans; unless only leaves moved. */
    VTD_GEN_TABLE_2M = VTD_GEN_1G + VTD_GEN_REGIONS,
    VTD_GEN_TABLE_1G = VTD_GEN_TABLE_2M + VTD_GEN_TABLES,
    VTD_GEN_CTX_DOMAIN = VTD_GEN_TABLE_1G + VTD_GEN_TABLES,
    VTD_GEN_CTX_DEVICE = VTD_GEN_CTX_DOMAIN + VTD_GEN_DOMAINS,
    VTD_GEN_CTX_PASID = VTD_GEN_CTX_DEVICE + VTD_GEN_DEVICES,
    VTD_GEN_COUNT = VTD_GEN_CTX_PASID + VTD_GEN_PASIDS,
};

struct vtd_gens {
    uint64_t gen[VTD_GEN_COUNT];
    uint64_t seq; /* invalidations; moves before any counter does */
};

/* Apply one invalidation to @gens.  O(1): at most 40 counters move. */
void vtd_gens_invalidate(struct vtd_gens *gens, const struct vtd_inv *inv);

/*
 * VTD_INV_IOTLB: everything, a domain, or the 2^@shift bytes around @addr.
 * They return the work that it was: 1, or 2 where many counters moved.
 */
int vtd_gens_invalidate_global(struct vtd_gens *gens);
int vtd_gens_invalidate_domain(struct vtd_gens *gens, uint16_t did);
int vtd_gens_invalidate_pages(struct vtd_gens *gens, uint16_t did,
                              uint64_t addr, unsigned shift, bool leaf_only);

/*
 * Everything is void, as by an invalidation of every kind.  Counters are zero
 * at first; this is called once before any entry is made, so that entries which
 * are zero are not valid.
 */
void vtd_gens_invalidate_all(struct vtd_gens *gens);

/* Entries; powers of two. */
#define VTD_TLB_ENTRIES 4096u
#define VTD_PWC_ENTRIES 512u
#define VTD_CTX_ENTRIES 256u

struct vtd_cache; /* entries of all three, in cache-priv.h */

#endif
