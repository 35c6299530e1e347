/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/caps.h"

#include "daemon/vtd/regs.h"

/*
 * An interrupt-remapping-only unit: no address width (SAGAW), so software
 * leaves DMA remapping alone.  Fields that describe DMA remapping are zero
 * but for two that have no value for "none": 16-bit domain ids (ND), so that
 * no domain id in a descriptor has reserved bits, and 48 bits of address
 * (MGAW).  [VT-d 4.1, "Capability Register"]
 */
#define CAP_ND   6u
#define CAP_MGAW 47u

#define RECORD_STEP (VTD_OFF_FRCD1_LO - VTD_OFF_FRCD0_LO)
_Static_assert(RECORD_STEP == VTD_FRCD_SIZE && VTD_OFF_FRCD0_LO % 16 == 0,
               "CAP.FRO cannot describe the fault records");
_Static_assert(VTD_OFF_IVA % 16 == 0 && VTD_OFF_IOTLB == VTD_OFF_IVA + 8,
               "ECAP.IRO cannot describe the IOTLB registers");

bool
vtd_caps_check(const struct vtd_config *config)
{
    return config->fault_records >= 1 &&
           config->fault_records <= VTD_FAULT_RECORDS_MAX;
}

static uint64_t
cap_value(const struct vtd_config *config)
{
    return VTD_PREP(VTD_CAP_ND, CAP_ND) | VTD_PREP(VTD_CAP_MGAW, CAP_MGAW) |
           VTD_PREP(VTD_CAP_FRO, VTD_OFF_FRCD0_LO / 16) |
           VTD_PREP(VTD_CAP_NFR, config->fault_records - 1u) |
           VTD_PREP(VTD_CAP_ESIRTPS, config->esirtps);
}

/*
 * C: entries are read coherently, so software need not flush them from its
 * caches; the bit covers the interrupt remapping table too.
 * [VT-d 4.1, "Extended Capability Register"]
 */
static uint64_t
ecap_value(const struct vtd_config *config)
{
    return VTD_ECAP_C | VTD_ECAP_QI | VTD_ECAP_IR |
           VTD_PREP(VTD_ECAP_EIM, config->eim) |
           VTD_PREP(VTD_ECAP_IRO, VTD_OFF_IVA / 16) |
           VTD_PREP(VTD_ECAP_MHMV, VTD_MHMV);
}

void
vtd_caps_apply(struct vtd *vtd)
{
    vtd_reg64_set(vtd, VTD_OFF_CAP, cap_value(&vtd->config));
    vtd_reg64_set(vtd, VTD_OFF_ECAP, ecap_value(&vtd->config));

    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        const struct vtd_reg_desc *desc = &vtd_reg_table[i];

        vtd->rw[desc->off / 4] = (uint32_t)desc->rw;
        if (desc->size == 8) {
            vtd->rw[desc->off / 4 + 1] = (uint32_t)(desc->rw >> 32);
        }
    }
    /* Reserved without extended interrupt mode. */
    if (!vtd->config.eim) {
        vtd->rw[VTD_OFF_IRTA / 4] &= (uint32_t)~VTD_IRTA_EIME;
        vtd->rw[VTD_OFF_FEUADDR / 4] = 0;
        vtd->rw[VTD_OFF_IEUADDR / 4] = 0;
    }
}
