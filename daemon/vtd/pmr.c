/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/pmr.h"

#define GRANULE      VTD_BIT(21)
#define GRANULE_MASK (GRANULE - 1)
_Static_assert((VTD_PLMBASE_PLMB | GRANULE_MASK) == UINT32_MAX &&
                   VTD_PLMLIMIT_PLML == VTD_PLMBASE_PLMB &&
                   (VTD_PHMBASE_PHMB | GRANULE_MASK) == VTD_MASK(51, 0) &&
                   VTD_PHMLIMIT_PHML == VTD_PHMBASE_PHMB,
               "the regions' registers disagree about the granularity");

/*
 * Whether [@first, @last] and the region touch.  The bits that the limit
 * lacks count as ones, so that a region ends with the granule that its limit
 * names; one whose base is above its limit is none.
 * [VT-d 4.1, "Protected Low-Memory Limit Register"]
 */
static bool
is_inside(uint64_t base, uint64_t limit, uint64_t first, uint64_t last)
{
    limit |= GRANULE_MASK;
    return base <= limit && first <= limit && last >= base;
}

bool
vtd_pmr_blocks(const struct vtd *vtd, uint64_t gpa, uint64_t size)
{
    uint64_t last = gpa + (size - 1);

    if (!(vtd_reg32(vtd, VTD_OFF_PMEN) & VTD_PMEN_PRS)) {
        return false;
    }
    if (last < gpa) {
        last = UINT64_MAX;
    }
    return (vtd->config.plmr &&
            is_inside(vtd_reg32(vtd, VTD_OFF_PLMBASE),
                      vtd_reg32(vtd, VTD_OFF_PLMLIMIT), gpa, last)) ||
           (vtd->config.phmr &&
            is_inside(vtd_reg64(vtd, VTD_OFF_PHMBASE),
                      vtd_reg64(vtd, VTD_OFF_PHMLIMIT), gpa, last));
}

/*
 * Protection takes effect inside the write, so that the status follows at
 * once: no request is in flight while the owner makes a call.
 * [VT-d 4.1, "Protected Memory Enable Register"]
 */
void
vtd_pmen_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint32_t pmen = vtd_reg32(vtd, VTD_OFF_PMEN);

    (void)written;
    (void)cleared;
    pmen &= (uint32_t)~VTD_PMEN_PRS;
    if (pmen & VTD_PMEN_EPM) {
        pmen |= VTD_PMEN_PRS;
    }
    vtd_reg32_set(vtd, VTD_OFF_PMEN, pmen);
}
