/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files that walk structures in guest memory share. */
#ifndef DAEMON_VTD_WALK_PRIV_H
#define DAEMON_VTD_WALK_PRIV_H

#include "daemon/vtd/spec-dma.h"
#include "daemon/vtd/walk.h"

/*
 * Times that one walk tries to set A or D bits, before it gives up with a
 * fault: six for the longest walk, the rest for races that it loses.  A guest
 * that keeps changing an entry cannot keep us here.
 */
#define VTD_WALK_UPDATES 16u

/* Record a step; @quads 0: it could not be read. */
void vtd_trail_add(struct vtd_trail *trail, const char *what, uint8_t level,
                   uint64_t gpa, const uint64_t *raw, uint8_t quads);

/*
 * Set @bits in the entry at @gpa if it still is @old.  The caller reads the
 * entry again in any case, and decides anew.  Returns 0, or a negative number
 * if there is no point in that.
 */
int vtd_walk_set(const struct vtd_walk_env *env, uint64_t gpa, uint64_t old,
                 uint64_t bits, unsigned *tries);

/* Read the @quads quadwords at @gpa.  Returns 0 or -EFAULT. */
static inline int
vtd_walk_read(const struct vtd_walk_env *env, const char *what, uint8_t level,
              uint64_t gpa, uint64_t *raw, uint8_t quads)
{
    int rc = env->ops->mem_read(env->ctx, gpa, raw, quads * sizeof(*raw));

    if (__builtin_expect(env->trail != NULL, 0)) {
        vtd_trail_add(env->trail, what, level, gpa, raw,
                      rc ? (uint8_t)0 : quads);
    }
    return rc;
}

/* The same for a paging entry, of a walk whose steps are not recorded. */
static inline int
vtd_walk_read_plain(const struct vtd_walk_env *env, uint64_t gpa, uint64_t *raw)
{
    return env->ops->mem_read(env->ctx, gpa, raw, sizeof(*raw));
}

/* Address bits of a structure, up to bit @hi, that the host does not have. */
static inline uint64_t
vtd_walk_haw_rsvd(const struct vtd_config *config, unsigned hi)
{
    return config->haw > hi ? 0 : VTD_MASK(hi, config->haw);
}

/* The size of what an entry of @level maps, as a shift. */
static inline unsigned
vtd_walk_shift(unsigned level)
{
    return VTD_TABLE_SHIFT + VTD_LEVEL_BITS * (level - 1);
}

/* Where the entry for @iova of a table of @level is. */
static inline uint64_t
vtd_walk_entry(uint64_t table, uint64_t iova, unsigned level)
{
    unsigned shift = VTD_LEVEL_BITS * level;

    /* The index at bit 12 and up in level 1, but times 8. */
    return table + (iova >> shift & 0xff8);
}

/*
 * Fill in where @iova is in the page of @level that @entry names.  Bits of the
 * address below the page's size are reserved or mean something else.
 */
static inline void
vtd_walk_page(struct vtd_page *page, uint64_t entry, uint64_t iova,
              unsigned level)
{
    unsigned shift = vtd_walk_shift(level);
    uint64_t within = VTD_BIT(shift) - 1;

    page->gpa = entry & VTD_DMA_ADDR;
    page->shift = VTD_TABLE_SHIFT;
    if (level > 1) {
        page->gpa &= ~within;
        page->gpa |= iova & within & ~(VTD_BIT(VTD_TABLE_SHIFT) - 1);
        page->shift = (uint8_t)shift;
    }
}

/* [VT-d 4.1, "Handling Requests to Interrupt Address Range"] */
static inline bool
vtd_walk_is_interrupt(uint64_t addr)
{
    return (addr & ~(VTD_INT_SIZE - 1)) == VTD_INT_BASE;
}

/*
 * The end of a walk: refuse an output among the interrupt addresses, and cut a
 * larger page that holds some of them down to one that does not.  The access
 * counts, not what lies around it, and a cache of the page must not let
 * through the others.
 */
enum vtd_fr vtd_walk_avoid(const struct vtd_dma_ctx *ctx,
                           struct vtd_page *page);

/* Whether that could change anything. */
static inline bool
vtd_walk_is_near_interrupts(const struct vtd_page *page)
{
    return __builtin_expect(page->gpa >> 30 == VTD_INT_BASE >> 30, 0);
}

#endif
