/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/pmr.h"

#include "daemon/vtd/inv.h"
#include "daemon/vtd/sync.h"
#include "daemon/vtd/translate.h"

#define GRANULE      VTD_BIT(21)
#define GRANULE_MASK (GRANULE - 1)
_Static_assert((VTD_PLMBASE_PLMB | GRANULE_MASK) == UINT32_MAX &&
                   VTD_PLMLIMIT_PLML == VTD_PLMBASE_PLMB &&
                   (VTD_PHMBASE_PHMB | GRANULE_MASK) == VTD_MASK(51, 0) &&
                   VTD_PHMLIMIT_PHML == VTD_PHMBASE_PHMB,
               "the regions' registers disagree about the granularity");

/*
 * The bits that a limit lacks count as ones, so that a region ends with the
 * granule that its limit names; one whose base is above its limit is none.
 * [VT-d 4.1, "Protected Low-Memory Limit Register"]
 */
void
vtd_pmr_get(const struct vtd *vtd, struct vtd_pmr *pmr)
{
    bool enabled = (vtd_reg32(vtd, VTD_OFF_PMEN) & VTD_PMEN_EPM) != 0;

    *pmr = (struct vtd_pmr){ .low = 1, .high = 1 };
    if (enabled && vtd->config.plmr) {
        pmr->low = vtd_reg32(vtd, VTD_OFF_PLMBASE);
        pmr->low_last = vtd_reg32(vtd, VTD_OFF_PLMLIMIT) | GRANULE_MASK;
    }
    if (enabled && vtd->config.phmr) {
        pmr->high = vtd_reg64(vtd, VTD_OFF_PHMBASE);
        pmr->high_last = vtd_reg64(vtd, VTD_OFF_PHMLIMIT) | GRANULE_MASK;
    }
}

void
vtd_pmr_synced(struct vtd *vtd, bool done)
{
    uint32_t pmen = vtd_reg32(vtd, VTD_OFF_PMEN);

    (void)done;
    pmen &= (uint32_t)~VTD_PMEN_PRS;
    if (pmen & VTD_PMEN_EPM) {
        pmen |= VTD_PMEN_PRS;
    }
    vtd_reg32_set(vtd, VTD_OFF_PMEN, pmen);
}

/*
 * Protection takes effect inside the write.  Who translates elsewhere may have
 * accesses in flight that it keeps out, so that the status follows when all
 * have acknowledged.
 * [VT-d 4.1, "Protected Memory Enable Register"]
 */
void
vtd_pmr_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    const struct vtd_view_state *state = &vtd->view->state;
    struct vtd_pmr pmr;

    (void)written;
    (void)cleared;
    vtd_pmr_get(vtd, &pmr);
    if (memcmp(&pmr, &state->pmr, sizeof(pmr)) != 0) {
        vtd_state_publish(vtd, &state->root);
        vtd_inv_announce_root(vtd);
    }
    if (vtd_sync_request(vtd, VTD_SYNC_PMR)) {
        vtd_pmr_synced(vtd, true);
    }
}
