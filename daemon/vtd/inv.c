/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/inv.h"

#include "daemon/vtd/priv.h"
#include "daemon/vtd/spec-qi.h"

void
vtd_inv_announce(struct vtd *vtd, const struct vtd_inv *inv)
{
    vtd->stat[VTD_STAT_INVALIDATE]++;
    vtd_gens_invalidate(&vtd->dma.gens, inv);
    if (vtd->ops->invalidate) {
        vtd->ops->invalidate(vtd->ctx, inv);
        vtd->sync.dirty = vtd->ops->sync != NULL;
    }
}

void
vtd_inv_announce_root(struct vtd *vtd)
{
    const struct vtd_inv inv = {
        .kind = VTD_INV_ROOT,
        .scope = VTD_INV_GLOBAL,
        .pasid = VTD_NO_PASID,
        .shift = VTD_INV_SHIFT_ALL,
    };

    vtd_inv_announce(vtd, &inv);
}

/* Granularities are scopes, one higher. */
_Static_assert(VTD_G_GLOBAL - 1 == VTD_INV_GLOBAL &&
                   VTD_G_DOMAIN - 1 == VTD_INV_DOMAIN &&
                   VTD_G_ONE - 1 == VTD_INV_ONE,
               "enum vtd_inv_scope is in another order");

/* FM, as the bits of a function number that do not count. */
static uint8_t
function_mask(unsigned fm)
{
    return 0x7u & ~(0x7u >> fm);
}

bool
vtd_inv_context(struct vtd *vtd, unsigned g, uint16_t did, uint16_t sid,
                unsigned fm)
{
    struct vtd_inv inv = {
        .kind = VTD_INV_CONTEXT,
        .scope = g - 1,
        .pasid = VTD_NO_PASID,
        .shift = VTD_INV_SHIFT_ALL,
    };

    if (g == VTD_G_RSVD) {
        return false;
    }
    if (g != VTD_G_GLOBAL) {
        inv.did = did;
    }
    if (g == VTD_G_ONE) {
        inv.sid = sid;
        inv.function_mask = function_mask(fm);
    }
    vtd_inv_announce(vtd, &inv);
    return true;
}

_Static_assert(VTD_TLB_HI_ADDR == (uint64_t)VTD_IVA_ADDR &&
                   VTD_TLB_HI_IH == (uint64_t)VTD_IVA_IH &&
                   VTD_TLB_HI_AM == (uint64_t)VTD_IVA_AM,
               "IVA and the IOTLB descriptor differ");

bool
vtd_inv_iotlb(struct vtd *vtd, unsigned g, uint16_t did, uint64_t iva)
{
    unsigned am = (unsigned)VTD_GET(VTD_TLB_HI_AM, iva);
    struct vtd_inv inv = {
        .kind = VTD_INV_IOTLB,
        .scope = g - 1,
        .pasid = VTD_NO_PASID,
        .shift = VTD_INV_SHIFT_ALL,
    };

    if (g == VTD_G_RSVD || (g == VTD_G_ONE && am > vtd->config.mamv)) {
        return false;
    }
    if (g != VTD_G_GLOBAL) {
        inv.did = did;
    }
    if (g == VTD_G_ONE) {
        inv.pages = true;
        inv.leaf_only = (iva & VTD_TLB_HI_IH) != 0;
        inv.shift = (uint8_t)(VTD_INV_SHIFT_PAGE + am);
        inv.addr = vtd_inv_base(iva, inv.shift);
    }
    vtd_inv_announce(vtd, &inv);
    return true;
}
