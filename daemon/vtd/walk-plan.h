/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What an ordinary walk looks for, worked out once a context: nearly all
 * entries are as drivers write them, and are told from the rest by one
 * comparison each.  A walk that meets anything else is left to vtd_walk(),
 * which alone knows faults, flags to be set, and rare kinds of pages.
 */
#ifndef DAEMON_VTD_WALK_PLAN_H
#define DAEMON_VTD_WALK_PLAN_H

#include "daemon/vtd/spec-dma.h"
#include "daemon/vtd/walk.h"

/* An entry is ordinary if its bits of @mask are those of @want. */
struct vtd_walk_form {
    uint64_t mask;
    uint64_t want;
};

#define VTD_PLAN_RIGHTS   16u
#define VTD_RIGHTS_PERM   VTD_MASK(7, 0)
#define VTD_RIGHTS_ACCESS VTD_MASK(15, 8)
#define VTD_RIGHTS_READ   (VTD_DMA_READ << 8)
#define VTD_RIGHTS_SNOOP  VTD_BIT(16)

struct vtd_walk_plan {
    uint64_t root;
    struct vtd_walk_form table; /* names one, and permits everything */
    struct vtd_walk_form page;  /* of 4 KiB */
    struct vtd_walk_form large; /* of 2 MiB */
    uint64_t last;              /* ordinary address */
    /*
     * By vtd_second_index() or vtd_first_index() of the entry that names the
     * page: vtd_page.perm, and above it an answer's access and snoop, whatever
     * the entry says of that.
     */
    uint32_t rights[VTD_PLAN_RIGHTS];
    uint8_t levels;
};

/*
 * For the one and for the other stage of @ctx, which has it, and requests whose
 * permissions are at @perm_shift in vtd_page.perm.
 */
void vtd_walk_plan_second(struct vtd_walk_plan *plan,
                          const struct vtd_config *config,
                          const struct vtd_dma_ctx *ctx, uint8_t perm_shift);
void vtd_walk_plan_first(struct vtd_walk_plan *plan,
                         const struct vtd_dma_ctx *ctx, uint8_t perm_shift);

/* R and W. */
static inline unsigned
vtd_second_index(uint64_t entry)
{
    return entry & 3;
}
_Static_assert((VTD_SS_R | VTD_SS_W) == 3,
               "bits of an index are of other flags");

/* RW and US; D; XD. */
static inline unsigned
vtd_first_index(uint64_t entry)
{
    return (entry >> 1 & 3) | (entry >> 4 & 4) | (entry >> 60 & 8);
}
_Static_assert((VTD_FS_RW | VTD_FS_US) >> 1 == 3 && VTD_FS_D >> 4 == 4 &&
                   VTD_FS_XD >> 60 == 8,
               "bits of an index are of other flags");

static inline bool
vtd_walk_is(const struct vtd_walk_form *form, uint64_t entry)
{
    return (entry & form->mask) == form->want;
}

#endif
