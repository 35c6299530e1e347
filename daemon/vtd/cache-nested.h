/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The miss of cache-miss.h where both stages translate: each table of the first
 * stage, and the page, is where the second stage has it.  Levels are not spelt
 * out, as two dozen entries may be read and the code of the second stage serves
 * for all.
 */
#ifndef DAEMON_VTD_CACHE_NESTED_H
#define DAEMON_VTD_CACHE_NESTED_H

#include "daemon/vtd/cache-miss.h"

/*
 * The second stage behind a first one, and the lowest table that was read
 * there: what lies near the address before is found through the same.
 */
struct vtd_behind {
    const struct vtd_walk_plan *plan;
    uint64_t last; /* address that was looked for */
    uint64_t table;
    uint64_t raw; /* the entry of it that names the page */
    unsigned level;
};

static inline struct vtd_behind
vtd_behind_begin(const struct vtd_cache *cache,
                 const struct vtd_ctx_entry *from)
{
    const struct vtd_walk_plan *plan = &cache->behind[from - cache->ctx];

    return (struct vtd_behind){ .plan = plan,
                                .table = plan->root,
                                .level = plan->levels };
}

/* Where the second stage has @addr; false if anything there is unusual. */
static inline __attribute__((always_inline)) bool
vtd_behind_find(struct vtd_cache *cache, struct vtd_behind *at, uint64_t addr,
                uint64_t *gpa)
{
    const struct vtd_walk_plan *plan = at->plan;
    uint64_t within;

    if (addr > plan->last) {
        return false;
    }
    if ((at->last ^ addr) >> vtd_walk_shift(at->level + 1)) {
        at->table = plan->root;
        at->level = plan->levels;
    }
    at->last = addr;
    for (;; at->level--) {
        if (!VTD_READ_QUAD(cache, vtd_walk_entry(at->table, addr, at->level),
                           &cache->raw)) {
            return false;
        }
        at->raw = cache->raw;
        if (at->level == 1 || !vtd_walk_is(&plan->table, at->raw)) {
            break;
        }
        at->table = at->raw & VTD_DMA_ADDR;
    }
    if (at->level > 2 ||
        !vtd_walk_is(at->level == 1 ? &plan->page : &plan->large, at->raw)) {
        return false;
    }
    within = VTD_BIT(vtd_walk_shift(at->level)) - 1;
    *gpa = (at->raw & VTD_DMA_ADDR & ~within) | (addr & within);
    return true;
}

/*
 * Read the first-stage entry for the request in miss->table.  That flags may
 * have to be set there, so that a second stage with flags wants it writable, is
 * as good as always so.
 */
static inline __attribute__((always_inline)) bool
vtd_nested_read(struct vtd_miss *miss, struct vtd_behind *behind,
                unsigned level)
{
    struct vtd_cache *cache = miss->cache;
    uint64_t rw = VTD_SS_R | VTD_SS_W;
    uint64_t gpa;

    if (!vtd_behind_find(cache, behind,
                         vtd_walk_entry(miss->table, miss->req->iova, level),
                         &gpa) ||
        (behind->raw & rw) != rw || !VTD_READ_QUAD(cache, gpa, &cache->raw)) {
        return false;
    }
    miss->raw = cache->raw;
    return true;
}

/*
 * As vtd_cache_miss(), through @from of stage NESTED.  The page is as large as
 * both stages have it, and permits what both do.
 */
static inline __attribute__((always_inline)) bool
vtd_cache_miss_nested(struct vtd_cache *cache, const struct vtd_dma_req *req,
                      struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
                      const struct vtd_ctx_entry *from)
{
    const struct vtd_walk_plan *plan = &from->plan;
    struct vtd_behind behind = vtd_behind_begin(cache, from);
    struct vtd_miss miss = { .cache = cache,
                             .req = req,
                             .from = from,
                             .entry = entry,
                             .resp = resp,
                             .table = plan->root,
                             .first = true };
    unsigned level = plan->levels;
    struct vtd_found found;
    uint64_t within;
    unsigned shift;

    if (req->iova > plan->last) {
        return false;
    }
    for (;; level--) {
        if (!vtd_nested_read(&miss, &behind, level)) {
            return false;
        }
        if (level == 1 || !vtd_walk_is(&plan->table, miss.raw)) {
            break;
        }
        miss.table = miss.raw & VTD_DMA_ADDR;
    }
    if (level > 2 ||
        !vtd_walk_is(level == 1 ? &plan->page : &plan->large, miss.raw)) {
        return false;
    }
    within = VTD_BIT(vtd_walk_shift(level)) - 1;
    if (!vtd_behind_find(cache, &behind,
                         (miss.raw & VTD_DMA_ADDR & ~within) |
                             (req->iova & within & ~UINT64_C(0xfff)),
                         &found.page)) {
        return false;
    }
    shift = vtd_walk_shift(level < behind.level ? level : behind.level);
    found.rights = plan->rights[vtd_first_index(miss.raw)] &
                   behind.plan->rights[vtd_second_index(behind.raw)];
    found.tail = (found.rights & ~VTD_RIGHTS_PERM) | shift |
                 (miss.raw & VTD_FS_G) << 16 | (behind.raw & VTD_SS_SNP) << 5;
    found.counter = vtd_gen_of_region(from, VTD_GEN_1G, req->iova >> 30);
    if (!vtd_miss_keep_page(&miss, &found) || !vtd_miss_is_current(&miss)) {
        return false;
    }
    vtd_miss_answer(&miss, &found);
    return true;
}

#endif
