/* SPDX-License-Identifier: GPL-2.0-only */
/* [VT-d 4.1, "Second-Stage Translation"] */
#include "daemon/vtd/walk-second.h"

#include "daemon/vtd/walk-priv.h"

#define RW (VTD_SS_R | VTD_SS_W)

/* R and W as bits of vtd_page.perm: who asks does not matter, nor does X. */
static const uint8_t perm_of_rw[4] = { 0, 0x2d, 0x12, 0x3f };

/* What an access needs, as R and W. */
static inline uint64_t
rw_of_need(uint8_t need)
{
    return (need | need >> VTD_PERM_SUPER_SHIFT) & RW;
}

_Static_assert(VTD_SS_R == VTD_DMA_READ && VTD_SS_W == VTD_DMA_WRITE,
               "needs and entries have the same permission bits");

/*
 * An address of more bits than the unit has, or than the tables take.
 * [VT-d 4.1, "Address Width Restrictions"]
 */
static enum vtd_fr
width_fault(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
            uint64_t iova)
{
    if (!ctx->scalable) {
        return VTD_FR_ADDR_WIDTH;
    }
    return iova >> env->config->mgaw ? VTD_FR_DMA_WIDTH : VTD_FR_SS_WIDTH;
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

/*
 * In scalable mode 79h says that an entry maps nothing, 85h and 86h that the
 * entries do not permit what is asked for, as in the first stage, where no
 * entry could cause 86h.  (peers: QEMU has legacy mode's reasons for both)
 */
static enum vtd_fr
denied_fault(const struct vtd_dma_ctx *ctx, uint64_t entry, uint64_t missing)
{
    if (!ctx->scalable) {
        return missing & VTD_SS_W ? VTD_FR_WRITE : VTD_FR_READ;
    }
    if (!(entry & RW)) {
        return VTD_FR_SS_PERM;
    }
    return missing & VTD_SS_W ? VTD_FR_SM_WRITE : VTD_FR_SM_READ;
}

/* Whether a bit is set that is reserved in an entry which names a page. */
static inline bool
is_page_rsvd(const struct vtd_config *config, uint64_t entry, unsigned level)
{
    uint64_t within = VTD_BIT(vtd_walk_shift(level)) - 1;

    if (entry & VTD_SS_SNP && !config->sc) {
        return true;
    }
    switch (level) {
    case 1:
        return false;
    case 2:
        return !config->ss2m || (entry & VTD_SS_ADDR & within) != 0;
    case 3:
        return !config->ss1g || (entry & VTD_SS_ADDR & within) != 0;
    default:
        return true;
    }
}

/* One entry on the way, as it was read. */
struct step {
    uint64_t gpa;
    uint64_t entry;
    bool leaf;
};

/* Read the entry for @iova of the table @at, and check what it is. */
static inline enum vtd_fr
step_read(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
          const struct vtd_walk_hint *at, uint64_t need, struct step *step)
{
    const struct vtd_config *config = env->config;
    uint64_t rsvd = VTD_SS_TM | vtd_walk_haw_rsvd(config, 51);

    if (vtd_walk_read(env, "second-stage", at->level, step->gpa, &step->entry,
                      1)) {
        return unreadable_fault(ctx, at->level);
    }
    if (!(step->entry & RW)) {
        return denied_fault(ctx, step->entry, need);
    }
    step->leaf = at->level == 1 || (step->entry & VTD_SS_PS);
    if (step->entry & rsvd ||
        (step->leaf ? is_page_rsvd(config, step->entry, at->level)
                    : (step->entry & VTD_SS_SNP) != 0)) {
        return ctx->scalable ? VTD_FR_SS_RSVD : VTD_FR_PT_RSVD;
    }
    /* A zero-length read needs nothing but a page that somebody may use. */
    need &= ~(at->perm & step->entry);
    return step->leaf && (need != 0 || !(at->perm & step->entry & RW))
               ? denied_fault(ctx, step->entry, need)
               : VTD_FR_OK;
}

/* Flags that the entry lacks to be used as it is going to be. */
static inline uint64_t
step_flags(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
           const struct step *step, uint64_t need)
{
    if (!ctx->ssade || env->trail) {
        return 0;
    }
    return (VTD_SS_A | (step->leaf && need & VTD_SS_W ? VTD_SS_D : 0)) &
           ~step->entry;
}

/* [VT-d 4.1, "Second-Stage Accessed and Dirty Flags"] */
static enum vtd_fr
step_set(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
         const struct step *step, uint64_t flags, unsigned *tries)
{
    if (!ctx->pwsnp) {
        return VTD_FR_SS_AD;
    }
    /* No reason of its own: as if it could not be accessed. */
    return vtd_walk_set(env, step->gpa, step->entry, flags, tries)
               ? VTD_FR_SS_ACCESS
               : VTD_FR_OK;
}

static inline void
fill_page(const struct vtd_dma_ctx *ctx, uint64_t entry, uint64_t iova,
          const struct vtd_walk_hint *at, struct vtd_page *page)
{
    uint64_t perm = at->perm & entry;

    if (ctx->ssade && !(entry & VTD_SS_D)) {
        perm &= ~VTD_SS_W;
    }
    vtd_walk_page(page, entry, iova, at->level);
    page->perm = perm_of_rw[perm];
    page->snoop = (entry & VTD_SS_SNP) != 0 || ctx->pgsnp;
    page->global = false;
}

enum vtd_fr
vtd_second_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
                uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
                struct vtd_page *page)
{
    uint64_t rw = rw_of_need(need);
    struct vtd_walk_hint at = *hint;
    unsigned tries = 0;

    if (iova >> vtd_walk_shift(ctx->ss_levels + 1u) ||
        iova >> env->config->mgaw) {
        return width_fault(env, ctx, iova);
    }
    if (at.level == 0) {
        at = (struct vtd_walk_hint){ ctx->ss_root, ctx->ss_levels, RW };
    }
    for (;;) {
        struct step step = { .gpa = vtd_walk_entry(at.table, iova, at.level) };
        enum vtd_fr fr = step_read(env, ctx, &at, rw, &step);
        uint64_t flags;

        if (fr != VTD_FR_OK) {
            return fr;
        }
        flags = step_flags(env, ctx, &step, rw);
        if (__builtin_expect(flags != 0, 0)) {
            fr = step_set(env, ctx, &step, flags, &tries);
            if (fr != VTD_FR_OK) {
                return fr;
            }
        } else if (step.leaf) {
            fill_page(ctx, step.entry, iova, &at, page);
            *hint = at;
            return VTD_FR_OK;
        } else {
            at.perm &= (uint8_t)step.entry;
            at.table = step.entry & VTD_SS_ADDR;
            at.level--;
        }
    }
}
