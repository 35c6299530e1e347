/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "daemon/vtd/walk-plan.h"

#include "daemon/vtd/walk-first.h"
#include "daemon/vtd/walk-priv.h"
#include "daemon/vtd/walk-second.h"

/* Address bits below a page of 2 MiB. */
#define WITHIN_2M VTD_MASK(20, 12)

/* No entry is of this form. */
static const struct vtd_walk_form none = { 0, 1 };

/* Add to permissions what an answer says of them. */
static void
derive_answers(struct vtd_walk_plan *plan, const struct vtd_dma_ctx *ctx,
               uint8_t perm_shift)
{
    for (unsigned i = 0; i < VTD_PLAN_RIGHTS; i++) {
        uint32_t access = plan->rights[i] >> perm_shift &
                          (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);

        plan->rights[i] |= (uint32_t)VTD_PREP(VTD_RIGHTS_ACCESS, access) |
                           (ctx->pgsnp ? (uint32_t)VTD_RIGHTS_SNOOP : 0);
    }
}

/* Where there are flags, a page that is not dirty is not ordinary. */
void
vtd_walk_plan_second(struct vtd_walk_plan *plan,
                     const struct vtd_config *config,
                     const struct vtd_dma_ctx *ctx, uint8_t perm_shift)
{
    uint64_t above = ctx->ssade ? VTD_SS_A : 0;
    uint64_t flags = ctx->ssade ? VTD_SS_A | VTD_SS_D : 0;
    uint64_t rsvd = ctx->rsvd | VTD_SS_TM;
    uint64_t page = rsvd | flags | (config->sc ? 0 : VTD_SS_SNP);
    uint64_t rw = VTD_SS_R | VTD_SS_W;

    plan->root = ctx->ss_root;
    plan->table =
        (struct vtd_walk_form){ rsvd | above | VTD_SS_SNP | VTD_SS_PS | rw,
                                above | rw };
    plan->page = (struct vtd_walk_form){ page, flags };
    plan->large = none;
    if (config->ss2m) {
        plan->large = (struct vtd_walk_form){ page | VTD_SS_PS | WITHIN_2M,
                                              flags | VTD_SS_PS };
    }
    for (unsigned i = 0; i < VTD_PLAN_RIGHTS; i++) {
        plan->rights[i] = vtd_second_perm(i);
    }
    plan->last = VTD_BIT(ctx->ss_bits) - 1;
    plan->levels = ctx->ss_levels;
    derive_answers(plan, ctx, perm_shift);
}

/* Of the canonical addresses those without the sign are ordinary. */
void
vtd_walk_plan_first(struct vtd_walk_plan *plan, const struct vtd_dma_ctx *ctx,
                    uint8_t perm_shift)
{
    uint64_t flags = VTD_FS_P | VTD_FS_A | (ctx->eafe ? VTD_FS_EA : 0);
    uint64_t rights = VTD_FS_RW | VTD_FS_US;
    uint64_t within = WITHIN_2M & ~VTD_FS_PAT;

    plan->root = ctx->fs_root;
    plan->table = (struct vtd_walk_form){
        ctx->rsvd | flags | rights | VTD_FS_XD | VTD_FS_PS, flags | rights
    };
    plan->page = (struct vtd_walk_form){ ctx->rsvd | flags, flags };
    plan->large =
        (struct vtd_walk_form){ ctx->rsvd | flags | within | VTD_FS_PS,
                                flags | VTD_FS_PS };
    for (unsigned i = 0; i < VTD_PLAN_RIGHTS; i++) {
        uint64_t entry = VTD_PREP(VTD_FS_RW | VTD_FS_US, i) |
                         VTD_PREP(VTD_FS_D, i >> 2) |
                         VTD_PREP(VTD_FS_XD, i >> 3);

        plan->rights[i] = vtd_first_perm(ctx, entry);
    }
    plan->last = VTD_BIT(vtd_walk_shift(ctx->fs_levels + 1u) - 1) - 1;
    plan->levels = ctx->fs_levels;
    derive_answers(plan, ctx, perm_shift);
}
