/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* [VT-d 4.1, "Second-Stage Translation"] */
#include "daemon/vtd/walk-second.h"

#include "daemon/vtd/walk-priv.h"

#define RW (VTD_SS_R | VTD_SS_W)

/* R and W as bits of vtd_page.perm: users and supervisors, code and data. */
static const uint8_t perm_of_rw[4] = { 0, 0x2d, 0x12, 0x3f };

_Static_assert(VTD_SS_R == VTD_DMA_READ && VTD_SS_W == VTD_DMA_WRITE,
               "needs and entries have the same permission bits");

uint8_t
vtd_second_perm(uint64_t rw)
{
    return perm_of_rw[rw & RW];
}

/*
 * The top table is what the context or PASID entry names; that it cannot be
 * read is that entry's fault.
 */
static enum vtd_fr
unreadable_fault(const struct vtd_dma_ctx *ctx, unsigned level)
{
    if (ctx->scalable) {
        return level == ctx->ss_levels ? VTD_FR_SS_ROOT : VTD_FR_SS_ACCESS;
    }
    return level == ctx->ss_levels ? VTD_FR_CTX_INV : VTD_FR_PT_ACCESS;
}

static enum vtd_fr
rsvd_fault(const struct vtd_dma_ctx *ctx)
{
    return ctx->scalable ? VTD_FR_SS_RSVD : VTD_FR_PT_RSVD;
}

/*
 * @rw is what the entries permit together, or one that permits nothing does;
 * @missing are bits of vtd_page.perm.  In scalable mode there is a reason for
 * nothing at all.
 */
static enum vtd_fr
denied_fault(const struct vtd_dma_ctx *ctx, uint64_t rw, uint8_t missing)
{
    bool is_write = (missing & perm_of_rw[VTD_SS_W]) != 0;

    if (!ctx->scalable) {
        return is_write ? VTD_FR_WRITE : VTD_FR_READ;
    }
    if (!(rw & RW)) {
        return VTD_FR_SS_PERM;
    }
    return is_write ? VTD_FR_SM_WRITE : VTD_FR_SM_READ;
}

/* Whether a bit is set that is reserved in an entry which names a large page. */
static bool
is_large_rsvd(const struct vtd_config *config, uint64_t entry, unsigned level)
{
    uint64_t within = VTD_SS_ADDR & (VTD_BIT(vtd_walk_shift(level)) - 1);

    return level > 3 || !(level == 2 ? config->ss2m : config->ss1g) ||
           (entry & within) != 0;
}

/* [VT-d 4.1, "Second-Stage Accessed and Dirty Flags"] */
static __attribute__((noinline)) enum vtd_fr
flags_set(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
          uint64_t gpa, uint64_t entry, uint64_t flags, unsigned *tries)
{
    if (!ctx->pwsnp) {
        return VTD_FR_SS_AD;
    }
    return vtd_walk_set(env, gpa, entry, flags, tries) ? VTD_FR_SS_AD_FAILED
                                                       : VTD_FR_OK;
}

/* What is asked; it does not change on the way. */
struct query {
    const struct vtd_walk_env *env;
    const struct vtd_dma_ctx *ctx;
    uint64_t iova;
    uint64_t flags; /* A, if it is to be set */
    uint8_t need;
    bool write; /* set D */
    bool plain; /* there are no flags, and steps are not recorded */
};

/* Where a walk is: a table, and what the entries above permit; an entry. */
struct place {
    uint64_t table;
    uint64_t rw;
    uint64_t entry;
    unsigned level;
};

/*
 * Go down to the entry that names the page, and check those on the way.  An
 * entry is judged by the local that it was read into.  When flags were set in
 * it, or it changed before they could be, it is read and judged again.
 *
 * What is unusual about an entry is looked for at once: PS, a reserved bit, or
 * a flag that is clear but should not be.
 */
static inline __attribute__((always_inline)) enum vtd_fr
page_find(const struct query *query, struct place *at, unsigned *tries)
{
    uint64_t rsvd = query->ctx->rsvd | VTD_SS_TM | VTD_SS_SNP;
    uint64_t unusual = rsvd | query->flags | VTD_SS_PS;

    for (;;) {
        uint64_t gpa = vtd_walk_entry(at->table, query->iova, at->level);
        uint64_t entry;
        enum vtd_fr fr;

        if (query->plain ? vtd_walk_read_plain(query->env, gpa, &entry)
                         : vtd_walk_read(query->env, "second-stage",
                                         (uint8_t)at->level, gpa, &entry, 1)) {
            return unreadable_fault(query->ctx, at->level);
        }
        at->entry = entry;
        if (!(entry & RW)) {
            return denied_fault(query->ctx, entry, query->need);
        }
        if (at->level == 1) {
            return VTD_FR_OK;
        }
        if (__builtin_expect(((entry ^ query->flags) & unusual) == 0, 1)) {
            at->rw &= entry;
            at->table = entry & VTD_SS_ADDR;
            at->level--;
            continue;
        }
        if (entry & VTD_SS_PS) {
            return VTD_FR_OK;
        }
        if (entry & rsvd || query->flags == 0) {
            return rsvd_fault(query->ctx);
        }
        fr = flags_set(query->env, query->ctx, gpa, entry, VTD_SS_A, tries);
        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
}

/* Whether an entry that names a page has a bit set which is reserved there. */
static inline __attribute__((always_inline)) bool
is_page_rsvd(const struct query *query, const struct place *at)
{
    const struct vtd_config *config = query->env->config;
    uint64_t rsvd = query->ctx->rsvd | VTD_SS_TM;

    if (__builtin_expect(at->level == 1 && !(at->entry & (rsvd | VTD_SS_SNP)),
                         1)) {
        return false;
    }
    return at->entry & rsvd || (at->entry & VTD_SS_SNP && !config->sc) ||
           (at->level > 1 && is_large_rsvd(config, at->entry, at->level));
}

/* Check an entry that names a page; @perm is what all levels permit. */
static inline __attribute__((always_inline)) enum vtd_fr
page_check(const struct query *query, const struct place *at, uint8_t perm)
{
    if (is_page_rsvd(query, at)) {
        return rsvd_fault(query->ctx);
    }
    /* A zero-length read needs nothing but a page that somebody may use. */
    if (query->need & ~perm || perm == 0) {
        return denied_fault(query->ctx, at->rw & at->entry,
                            query->need & (uint8_t)~perm);
    }
    return VTD_FR_OK;
}

/* Flags that the entry which names the page lacks. */
static inline uint64_t
page_flags(const struct query *query, const struct place *at)
{
    if (query->flags == 0) {
        return 0;
    }
    return (query->flags | (query->write ? VTD_SS_D : 0)) & ~at->entry;
}

static inline __attribute__((always_inline)) void
page_fill(const struct query *query, const struct place *at, uint8_t perm,
          struct vtd_page *page)
{
    if (!query->plain && query->ctx->ssade && !(at->entry & VTD_SS_D)) {
        perm &= perm_of_rw[VTD_SS_R];
    }
    vtd_walk_page(page, at->entry, query->iova, at->level);
    page->perm = perm;
    page->snoop = (at->entry & VTD_SS_SNP) != 0 || query->ctx->pgsnp;
    page->global = false;
}

/* Inlined once for plain queries, and once for all. */
static inline __attribute__((always_inline)) enum vtd_fr
walk(const struct query *query, struct vtd_walk_hint *hint,
     struct vtd_page *page)
{
    const struct vtd_dma_ctx *ctx = query->ctx;
    struct place at = { ctx->ss_root, RW, 0, ctx->ss_levels };
    unsigned tries = 0;

    if (hint->level != 0) {
        at = (struct place){ hint->table, hint->perm, 0, hint->level };
    }
    if (query->iova >> ctx->ss_bits) {
        return ctx->scalable ? VTD_FR_SS_WIDTH : VTD_FR_ADDR_WIDTH;
    }
    for (;;) {
        enum vtd_fr fr = page_find(query, &at, &tries);
        uint64_t flags;
        uint8_t perm;

        if (fr != VTD_FR_OK) {
            return fr;
        }
        perm = perm_of_rw[at.rw & at.entry];
        fr = page_check(query, &at, perm);
        if (fr != VTD_FR_OK) {
            return fr;
        }
        flags = page_flags(query, &at);
        if (flags == 0) {
            page_fill(query, &at, perm, page);
            *hint = (struct vtd_walk_hint){ at.table, (uint8_t)at.level,
                                            (uint8_t)at.rw };
            return VTD_FR_OK;
        }
        fr = flags_set(query->env, ctx,
                       vtd_walk_entry(at.table, query->iova, at.level),
                       at.entry, flags, &tries);
        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
}

static __attribute__((noinline)) enum vtd_fr
walk_any(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
         uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
         struct vtd_page *page)
{
    const struct query query = {
        .env = env,
        .ctx = ctx,
        .iova = iova,
        .flags = ctx->ssade && !env->trail ? VTD_SS_A : 0,
        .need = need & VTD_PERM_ALL,
        .write = need & perm_of_rw[VTD_SS_W] && !(need & VTD_PERM_CLEAN),
    };

    return walk(&query, hint, page);
}

enum vtd_fr
vtd_second_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
                uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
                struct vtd_page *page)
{
    enum vtd_fr fr;

    if (__builtin_expect(ctx->ssade || env->trail, 0)) {
        fr = walk_any(env, ctx, iova, need, hint, page);
    } else {
        const struct query query = {
            .env = env, .ctx = ctx, .iova = iova, .need = need, .plain = true
        };

        fr = walk(&query, hint, page);
    }
    if (fr == VTD_FR_OK && vtd_walk_is_near_interrupts(page) &&
        ctx->stage == VTD_STAGE_SECOND) {
        return vtd_walk_avoid(ctx, page);
    }
    return fr;
}
