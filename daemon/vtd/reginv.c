/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/reginv.h"

/*
 * Nothing is cached for DMA remapping, so that an invalidation by register
 * completes inside the write that asks for it, with the queue enabled or not.
 * The granularity performed is the one requested; the reserved one performs
 * nothing, which the same copy says.
 * [VT-d 4.1, "Context Command Register" and "IOTLB Invalidate Register"]
 */
void
vtd_ccmd_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint64_t ccmd = vtd_reg64(vtd, VTD_OFF_CCMD);
    uint64_t granularity = VTD_GET(VTD_CCMD_CIRG, ccmd);

    (void)cleared;
    if (written & VTD_CCMD_ICC) {
        ccmd &= ~VTD_CCMD_CAIG;
        vtd_reg64_set(vtd, VTD_OFF_CCMD,
                      ccmd | VTD_PREP(VTD_CCMD_CAIG, granularity));
    }
}

void
vtd_iotlb_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint64_t iotlb = vtd_reg64(vtd, VTD_OFF_IOTLB);
    uint64_t granularity = VTD_GET(VTD_IOTLB_IIRG, iotlb);

    (void)cleared;
    if (written & VTD_IOTLB_IVT) {
        iotlb &= ~VTD_IOTLB_IAIG;
        vtd_reg64_set(vtd, VTD_OFF_IOTLB,
                      iotlb | VTD_PREP(VTD_IOTLB_IAIG, granularity));
    }
}
