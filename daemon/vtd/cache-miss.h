/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Misses as they are nearly always, for inlining into the one function that
 * has them: what a walk knows stays in registers, and nothing is copied on its
 * way to the entry.  That is half the instructions of a miss.
 */
#ifndef DAEMON_VTD_CACHE_MISS_H
#define DAEMON_VTD_CACHE_MISS_H

#include "daemon/vtd/cache-priv.h"
#include "daemon/vtd/walk-priv.h"

/*
 * Read an aligned quadword of guest memory; false if that fails.  A build for
 * one kind of memory alone may know a shorter way.
 */
#ifndef VTD_READ_QUAD
#define VTD_READ_QUAD(cache, gpa, raw) \
    ((cache)->mem_read((cache)->mem_ctx, gpa, raw, sizeof(uint64_t)) == 0)
#endif

/* A miss, and how far it is. */
struct vtd_miss {
    struct vtd_cache *cache;
    const struct vtd_dma_req *req;
    const struct vtd_ctx_entry *from;
    struct vtd_tlb_entry *entry; /* the slot of @req */
    struct vtd_pwc_entry *pwc;   /* and that of a table */
    struct vtd_dma_resp *resp;
    uint64_t table; /* where the walk is */
    uint64_t raw;   /* what was read there last */
    bool first;     /* a constant: which stage */
};

/* Of a hint: what entries permit together that permit everything. */
static inline uint8_t
vtd_miss_all(bool first)
{
    return first ? VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC
                 : VTD_SS_R | VTD_SS_W;
}

/* The level to begin at: that of the lowest table that is known, or the top. */
static inline __attribute__((always_inline)) unsigned
vtd_miss_begin(struct vtd_miss *miss)
{
    const struct vtd_ctx_entry *from = miss->from;
    uint64_t iova = miss->req->iova;
    const struct vtd_pwc_entry *pwc = miss->pwc;

    if (vtd_pwc_is_valid(pwc, miss->cache->gens, from, iova) &&
        pwc->hint.perm == vtd_miss_all(miss->first)) {
        miss->table = pwc->hint.table;
        return pwc->hint.level;
    }
    miss->table = from->plan.root;
    return from->plan.levels;
}

/* Read the entry of a table of @level, a constant; false if that fails. */
static inline __attribute__((always_inline)) bool
vtd_miss_read(struct vtd_miss *miss, unsigned level)
{
    struct vtd_cache *cache = miss->cache;
    uint64_t gpa = vtd_walk_entry(miss->table, miss->req->iova, level);
    uint64_t *raw = &cache->raw;

    vtd_keep(raw); /* in no register of its own between levels */

    if (!VTD_READ_QUAD(cache, gpa, raw)) {
        return false;
    }
    miss->raw = cache->raw;
    return true;
}

/* Read it and go down one level, if that is ordinary. */
static inline __attribute__((always_inline)) bool
vtd_miss_step(struct vtd_miss *miss, unsigned level)
{
    if (!vtd_miss_read(miss, level) ||
        !vtd_walk_is(&miss->from->plan.table, miss->raw)) {
        return false;
    }
    miss->table = miss->raw & VTD_DMA_ADDR;
    return true;
}

/*
 * Keep the table that names the page, as pwc_enter() in cache.c does, but only
 * when it is met twice: most tables of scattered pages are not.
 */
static inline __attribute__((always_inline)) void
vtd_miss_keep_table(const struct vtd_miss *miss, uint8_t level)
{
    const struct vtd_ctx_entry *from = miss->from;
    const struct vtd_gens *gens = miss->cache->gens;
    uint64_t iova = miss->req->iova;
    struct vtd_pwc_entry *pwc = miss->pwc;

    if (__builtin_expect(pwc->hint.table != miss->table, 1)) {
        pwc->hint.table = miss->table;
        pwc->sum = 0; /* not valid */
        return;
    }
    pwc->serial = from->serial;
    pwc->region = iova >> VTD_PWC_SHIFT;
    pwc->sum =
        vtd_gen_add(from->base, gens, vtd_gen_of_table(from, iova, level));
    pwc->hint.level = level;
    pwc->hint.perm = vtd_miss_all(miss->first);
}

/* A page that was found: what there is to be known of it. */
struct vtd_found {
    uint64_t page;    /* that of 4 KiB; guest physical */
    uint64_t tail;    /* of the answer */
    uint32_t rights;  /* as in struct vtd_walk_plan */
    uint16_t counter; /* of the region that it lies in */
};

/* Keep the translation, as tlb_enter() in cache.c does. */
static inline __attribute__((always_inline)) void
vtd_miss_keep(const struct vtd_miss *miss, const struct vtd_found *found,
              uint64_t who)
{
    const struct vtd_ctx_entry *from = miss->from;
    struct vtd_tlb_entry *entry = miss->entry;
    uint64_t permit = found->rights >> 8 & from->permit;
    uint64_t deps;

    memcpy(&deps, from->dep, sizeof(deps));
    deps |= (uint64_t)found->counter << 48; /* dep[3] of a context is 0 */
    entry->iova = miss->req->iova & ~UINT64_C(0xfff);
    vtd_gens_order(); /* two stores are shorter than one of a vector */
    entry->who = who;
    entry->care = ~VTD_PREP(VTD_WORD_ACCESS, permit);
    entry->sum = vtd_gen_add(from->base, miss->cache->gens, found->counter);
    memcpy(entry->dep, &deps, sizeof(deps));
    vtd_resp_set_tail(&entry->resp, found->tail);
    entry->perm = (uint8_t)found->rights;
    entry->serial = (uint32_t)from->serial;
    entry->resp.gpa = found->page;
}

/* The same if the page may be used as the request does; else false. */
static inline __attribute__((always_inline)) bool
vtd_miss_keep_page(const struct vtd_miss *miss, const struct vtd_found *found)
{
    const struct vtd_ctx_entry *from = miss->from;
    uint32_t rights = found->rights;
    uint64_t who = from->who;

    if ((from->need[miss->req->access] & ~rights) ||
        found->page >> 30 == VTD_INT_BASE >> 30) {
        return false;
    }
    if (__builtin_expect(!(rights & VTD_RIGHTS_READ), 0)) {
        if (!(rights & VTD_RIGHTS_ACCESS)) {
            return false; /* not even to read nothing */
        }
        who |= from->need[0] != 0 ? VTD_WORD_AT : 0;
    }
    vtd_miss_keep(miss, found, who);
    return true;
}

/*
 * What was read may be older than the counters are: then nothing is kept.
 * That is known only once the counters have been read, too, because they may
 * move between any two instructions of a client.
 */
static inline __attribute__((always_inline)) bool
vtd_miss_is_current(const struct vtd_miss *miss)
{
    if (__builtin_expect(vtd_gens_seq(miss->cache->gens) != miss->from->checked,
                         0)) {
        miss->entry->sum = 0;
        return false;
    }
    return true;
}

static inline __attribute__((always_inline)) void
vtd_miss_answer(const struct vtd_miss *miss, const struct vtd_found *found)
{
    miss->resp->gpa = found->page | (miss->req->iova & 0xfff);
    vtd_resp_set_tail(miss->resp, found->tail);
}

/* The page that miss->raw of a table of @level, a constant, names. */
static inline __attribute__((always_inline)) bool
vtd_miss_finish(struct vtd_miss *miss, uint8_t level)
{
    const struct vtd_ctx_entry *from = miss->from;
    uint64_t within = level == 1 ? 0 : VTD_MASK(20, 12);
    uint64_t iova = miss->req->iova;
    struct vtd_found found = {
        .page = (miss->raw & VTD_DMA_ADDR & ~within) | (iova & within),
        .rights = from->plan.rights[miss->first ? vtd_first_index(miss->raw)
                                                : vtd_second_index(miss->raw)],
        .counter = level == 1 ? vtd_gen_of_region(from, VTD_GEN_64K, iova >> 16)
                              : vtd_gen_of_region(from, VTD_GEN_2M, iova >> 21),
    };

    found.tail = (found.rights & ~VTD_RIGHTS_PERM) | vtd_walk_shift(level) |
                 (miss->first ? (miss->raw & VTD_FS_G) << 16
                              : (miss->raw & VTD_SS_SNP) << 5);
    if (!vtd_miss_keep_page(miss, &found)) {
        return false;
    }
    vtd_miss_keep_table(miss, level);
    if (!vtd_miss_is_current(miss)) {
        miss->pwc->sum = 0;
        return false;
    }
    vtd_miss_answer(miss, &found);
    return true;
}

/*
 * A request that is neither privileged nor atomic, does not execute and is not
 * for an interrupt address, through @from of stage SECOND or, if @first, FIRST.
 * True: *resp, and the translation is kept at @entry, the slot of @req.  False:
 * something is not as @from->plan has it, and nothing is known.  Levels are
 * spelt out so that each has its shift as a constant.
 */
static inline __attribute__((always_inline)) bool
vtd_cache_miss(struct vtd_cache *cache, const struct vtd_dma_req *req,
               struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
               const struct vtd_ctx_entry *from, bool first)
{
    struct vtd_miss miss = { .cache = cache,
                             .req = req,
                             .from = from,
                             .entry = entry,
                             .pwc = vtd_pwc_slot(cache, from, req->iova),
                             .resp = resp,
                             .first = first };
    unsigned level;

    if (req->iova > from->plan.last) {
        return false;
    }
    level = vtd_miss_begin(&miss);
    if ((level > 4 && !vtd_miss_step(&miss, 5)) ||
        (level > 3 && !vtd_miss_step(&miss, 4)) ||
        (level > 2 && !vtd_miss_step(&miss, 3))) {
        return false;
    }
    if (level > 1 && !vtd_miss_step(&miss, 2)) {
        /* It may be that it could not be read: then raw is a table's. */
        return vtd_walk_is(&from->plan.large, miss.raw) &&
               vtd_miss_finish(&miss, 2);
    }
    return vtd_miss_read(&miss, 1) && vtd_walk_is(&from->plan.page, miss.raw) &&
           vtd_miss_finish(&miss, 1);
}

#endif
