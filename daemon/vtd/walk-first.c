/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first stage, alone and nested on the second.
 * [VT-d 4.1, "First-Stage Translation", "Nested Translation"]
 */
#include "daemon/vtd/walk-first.h"

#include "daemon/vtd/walk-priv.h"
#include "daemon/vtd/walk-second.h"

/* Rights, as those of all levels are taken together: XD turned round. */
#define RIGHT_RW 1u
#define RIGHT_US 2u
#define RIGHT_X  4u

#define NEED_WRITE (VTD_DMA_WRITE | VTD_DMA_WRITE << VTD_PERM_SUPER_SHIFT)
#define NEED_EXEC  (VTD_DMA_EXEC | VTD_DMA_EXEC << VTD_PERM_SUPER_SHIFT)
#define NEED_USER  (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC)

static inline unsigned
rights_of(uint64_t entry)
{
    return (unsigned)(VTD_GET(VTD_FS_RW | VTD_FS_US, entry) |
                      VTD_GET(VTD_FS_XD, ~entry) << 2);
}

/*
 * Supervisor requests write to read-only pages unless WPE says otherwise, and
 * use user pages freely.  [VT-d 4.1, "Access Rights"]
 */
static inline uint8_t
perm_of_rights(unsigned rights, bool wpe)
{
    unsigned any = VTD_DMA_READ | (rights & RIGHT_X ? VTD_DMA_EXEC : 0);
    unsigned user = any | (rights & RIGHT_RW ? VTD_DMA_WRITE : 0);
    unsigned super = wpe ? user : any | VTD_DMA_WRITE;

    return (uint8_t)((rights & RIGHT_US ? user : 0) |
                     super << VTD_PERM_SUPER_SHIFT);
}

static enum vtd_fr
denied_fault(uint8_t need, unsigned rights, uint8_t missing)
{
    if (need & NEED_USER && !(rights & RIGHT_US)) {
        return VTD_FR_FS_USER;
    }
    return missing & NEED_WRITE ? VTD_FR_SM_WRITE : VTD_FR_FS_EXEC;
}

static inline bool
is_canonical(uint64_t iova, unsigned levels)
{
    unsigned unused = 64 - vtd_walk_shift(levels + 1);

    return (uint64_t)((int64_t)(iova << unused) >> unused) == iova;
}

/* Whether a bit is set that is reserved in an entry which names a page. */
static inline bool
is_page_rsvd(const struct vtd_config *config, uint64_t entry, unsigned level)
{
    uint64_t within = VTD_BIT(vtd_walk_shift(level)) - 1;

    switch (level) {
    case 1:
        return false;
    case 2:
        return (entry & VTD_FS_ADDR & ~VTD_FS_PAT & within) != 0;
    case 3:
        return !config->fs1gp ||
               (entry & VTD_FS_ADDR & ~VTD_FS_PAT & within) != 0;
    default:
        return true;
    }
}

/*
 * Where the second stage has the first-stage entry at @gpa, for a read or, to
 * set its flags, a write.
 */
static enum vtd_fr
entry_translate(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
                uint64_t gpa, uint8_t need, bool top, uint64_t *out)
{
    struct vtd_walk_hint hint = { .level = 0 };
    struct vtd_page page;
    enum vtd_fr fr = vtd_second_walk(env, ctx, gpa, need, &hint, &page);

    switch (fr) {
    case VTD_FR_OK:
        *out = page.gpa | (gpa & (VTD_BIT(VTD_TABLE_SHIFT) - 1));
        return VTD_FR_OK;
    case VTD_FR_DMA_WIDTH:
    case VTD_FR_SS_WIDTH:
        return VTD_FR_NEST_WIDTH;
    case VTD_FR_SS_PERM:
    case VTD_FR_SM_READ:
    case VTD_FR_SM_WRITE:
        if (need & VTD_DMA_WRITE) {
            return VTD_FR_NEST_WRITE;
        }
        return top ? VTD_FR_NEST_ROOT_READ : VTD_FR_NEST_READ;
    default:
        return fr;
    }
}

/* One entry on the way, as it was read. */
struct step {
    uint64_t gpa; /* as the table names it */
    uint64_t at;  /* the same, or behind the second stage */
    uint64_t entry;
    uint8_t level;
    bool leaf;
};

static inline enum vtd_fr
step_read(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
          struct step *step)
{
    bool top = step->level == ctx->fs_levels;

    step->at = step->gpa;
    if (ctx->stage == VTD_STAGE_NESTED) {
        enum vtd_fr fr =
            entry_translate(env, ctx, step->gpa, VTD_DMA_READ, top, &step->at);

        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
    if (vtd_walk_read(env, "first-stage", step->level, step->at, &step->entry,
                      1)) {
        return top ? VTD_FR_FS_ROOT_ACCESS : VTD_FR_FS_ACCESS;
    }
    return VTD_FR_OK;
}

static inline enum vtd_fr
step_check(const struct vtd_config *config, struct step *step, uint64_t rsvd)
{
    if (!(step->entry & VTD_FS_P)) {
        return VTD_FR_FS_P;
    }
    step->leaf = step->level == 1 || (step->entry & VTD_FS_PS);
    if (step->entry & rsvd ||
        (step->leaf && is_page_rsvd(config, step->entry, step->level))) {
        return VTD_FR_FS_RSVD;
    }
    return VTD_FR_OK;
}

/* [VT-d 4.1, "Accessed, Extended Accessed, and Dirty Flags"] */
static enum vtd_fr
step_set(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
         struct step *step, uint64_t bits, unsigned *tries)
{
    bool top = step->level == ctx->fs_levels;
    enum vtd_fr fr;

    if (!ctx->pwsnp) {
        return VTD_FR_FS_AD;
    }
    if (ctx->stage == VTD_STAGE_NESTED) {
        fr = entry_translate(env, ctx, step->gpa, VTD_DMA_READ | VTD_DMA_WRITE,
                             top, &step->at);
        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
    return vtd_walk_set(env, step->at, step->entry, bits, tries)
               ? VTD_FR_FS_AD_FAILED
               : VTD_FR_OK;
}

/* Flags that the entry lacks to be used as it is going to be. */
static inline uint64_t
step_flags(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
           const struct step *step, uint8_t need)
{
    if (env->trail) {
        return 0;
    }
    return (VTD_FS_A | (ctx->eafe ? VTD_FS_EA : 0) |
            (step->leaf && need & NEED_WRITE ? VTD_FS_D : 0)) &
           ~step->entry;
}

static inline void
fill_page(const struct vtd_dma_ctx *ctx, const struct step *step, uint64_t iova,
          uint8_t perm, struct vtd_page *page)
{
    if (!(step->entry & VTD_FS_D)) {
        perm &= (uint8_t)~NEED_WRITE;
    }
    vtd_walk_page(page, step->entry, iova, step->level);
    page->perm = perm;
    page->snoop = ctx->pgsnp;
    page->global = (step->entry & VTD_FS_G) != 0;
}

/* The first stage of @ctx; @at is where to begin, and where it ended. */
static inline enum vtd_fr
walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
     uint64_t iova, uint8_t need, struct vtd_walk_hint *at,
     struct vtd_page *page)
{
    uint64_t rsvd = vtd_walk_haw_rsvd(env->config, 51);
    unsigned tries = 0;

    if (!is_canonical(iova, ctx->fs_levels)) {
        return VTD_FR_FS_CANONICAL;
    }
    if (at->level == 0) {
        *at = (struct vtd_walk_hint){ ctx->fs_root, ctx->fs_levels,
                                      RIGHT_RW | RIGHT_US | RIGHT_X };
    }
    for (;;) {
        struct step step = { .gpa = vtd_walk_entry(at->table, iova, at->level),
                             .level = at->level };
        enum vtd_fr fr = step_read(env, ctx, &step);
        unsigned rights;
        uint64_t flags;

        if (fr == VTD_FR_OK) {
            fr = step_check(env->config, &step, rsvd);
        }
        if (fr != VTD_FR_OK) {
            return fr;
        }
        rights = at->perm & rights_of(step.entry);
        if (step.leaf) {
            uint8_t perm = perm_of_rights(rights, ctx->wpe);

            if (need & ~perm) {
                return denied_fault(need, rights, need & (uint8_t)~perm);
            }
            fill_page(ctx, &step, iova, perm, page);
        }
        flags = step_flags(env, ctx, &step, need);
        if (__builtin_expect(flags != 0, 0)) {
            fr = step_set(env, ctx, &step, flags, &tries);
            if (fr != VTD_FR_OK) {
                return fr;
            }
        } else if (step.leaf) {
            return VTD_FR_OK;
        } else {
            at->table = step.entry & VTD_FS_ADDR;
            at->level--;
            at->perm = (uint8_t)rights;
        }
    }
}

enum vtd_fr
vtd_first_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
               uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
               struct vtd_page *page)
{
    struct vtd_walk_hint at = *hint;
    enum vtd_fr fr = walk(env, ctx, iova, need, &at, page);

    *hint = at;
    return fr;
}

enum vtd_fr
vtd_nested_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
                uint64_t iova, uint8_t need, struct vtd_page *page)
{
    struct vtd_walk_hint at = { .level = 0 };
    struct vtd_walk_hint none = { .level = 0 };
    struct vtd_page second;
    enum vtd_fr fr = walk(env, ctx, iova, need, &at, page);

    if (fr == VTD_FR_OK) {
        /* What an execute request needs of the second stage is to read. */
        need |= need & NEED_EXEC ? VTD_DMA_READ : 0;
        fr = vtd_second_walk(env, ctx, page->gpa, need, &none, &second);
    }
    if (fr != VTD_FR_OK) {
        return fr;
    }
    page->gpa = second.gpa;
    page->perm &= second.perm;
    page->snoop |= second.snoop;
    if (second.shift < page->shift) {
        page->shift = second.shift;
    }
    return VTD_FR_OK;
}
