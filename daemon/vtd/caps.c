/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/caps.h"

#include <assert.h>

#include "daemon/vtd/regs.h"

/*
 * 16-bit domain ids (CAP.ND), so that no domain id anywhere has reserved
 * bits.  Without DMA remapping CAP.MGAW describes nothing, but has no value
 * for that: 48 bits.  [VT-d 4.1, "Capability Register"]
 */
#define CAP_ND      6u
#define MGAW_NO_DMA 48u

#define RECORD_STEP (VTD_OFF_FRCD1_LO - VTD_OFF_FRCD0_LO)
_Static_assert(RECORD_STEP == VTD_FRCD_SIZE && VTD_OFF_FRCD0_LO % 16 == 0,
               "CAP.FRO cannot describe the fault records");
_Static_assert(VTD_OFF_IVA % 16 == 0 && VTD_OFF_IOTLB == VTD_OFF_IVA + 8,
               "ECAP.IRO cannot describe the IOTLB registers");

#define MEMBER(name) offsetof(struct vtd_config, name)

/* A member of struct vtd_config that is one byte; 0 is "not there". */
static bool
is_set(const struct vtd_config *config, size_t member)
{
    return ((const uint8_t *)config)[member] != 0;
}

/* Either of two members is enough. */
static const struct {
    uint8_t member;
    uint8_t other;
} needs[VTD_NEED_RECORD] = {
#define ONE(name)                  \
    {                              \
        MEMBER(name), MEMBER(name) \
    }
#define EITHER(a, b)         \
    {                        \
        MEMBER(a), MEMBER(b) \
    }
    [VTD_NEED_ANY] = ONE(haw),
    [VTD_NEED_DMA] = EITHER(sagaw, smts),
    [VTD_NEED_IR] = ONE(ir),
    [VTD_NEED_EIM] = ONE(eim),
    [VTD_NEED_SMTS] = ONE(smts),
    [VTD_NEED_TTM] = EITHER(smts, adms),
    [VTD_NEED_PMR] = EITHER(plmr, phmr),
    [VTD_NEED_PLMR] = ONE(plmr),
    [VTD_NEED_PHMR] = ONE(phmr),
    [VTD_NEED_DT] = ONE(dt),
    [VTD_NEED_PRS] = ONE(prs),
    [VTD_NEED_PASID] = ONE(pasid_bits),
    [VTD_NEED_SAGAW] = ONE(sagaw),
    [VTD_NEED_SS2M] = ONE(ss2m),
    [VTD_NEED_STAGE] = EITHER(fsts, ssts),
    [VTD_NEED_SSTS] = ONE(ssts),
    [VTD_NEED_FSTS] = ONE(fsts),
    [VTD_NEED_SRS] = ONE(srs),
};

bool
vtd_caps_have(const struct vtd_config *config, enum vtd_need need)
{
    assert(need < VTD_NEED_RECORD);
    return is_set(config, needs[need].member) ||
           is_set(config, needs[need].other);
}

/* Capabilities that are one bit of CAP or of ECAP each, or two. */
struct flag {
    size_t member;
    uint64_t bits;
};

static const struct flag cap_flags[] = {
    { MEMBER(esrtps), VTD_CAP_ESRTPS },
    { MEMBER(esirtps), VTD_CAP_ESIRTPS },
    { MEMBER(fs5lp), VTD_CAP_FS5LP },
    { MEMBER(pi), VTD_CAP_PI },
    { MEMBER(fs1gp), VTD_CAP_FS1GP },
    { MEMBER(drain), VTD_CAP_DRD | VTD_CAP_DWD },
    { MEMBER(ss2m), VTD_PREP(VTD_CAP_SSLPS, 1) },
    { MEMBER(ss1g), VTD_PREP(VTD_CAP_SSLPS, 2) },
    { MEMBER(zlr), VTD_CAP_ZLR },
    { MEMBER(cm), VTD_CAP_CM },
    { MEMBER(phmr), VTD_CAP_PHMR },
    { MEMBER(plmr), VTD_CAP_PLMR },
};

static const struct flag ecap_flags[] = {
    { MEMBER(rprivs), VTD_ECAP_RPRIVS },
    { MEMBER(adms), VTD_ECAP_ADMS },
    { MEMBER(rps), VTD_ECAP_RPS },
    { MEMBER(smpwcs), VTD_ECAP_SMPWCS },
    { MEMBER(fsts), VTD_ECAP_FSTS },
    { MEMBER(ssts), VTD_ECAP_SSTS },
    { MEMBER(ssads), VTD_ECAP_SSADS },
    { MEMBER(smts), VTD_ECAP_SMTS },
    { MEMBER(pds), VTD_ECAP_PDS },
    { MEMBER(dit), VTD_ECAP_DIT },
    { MEMBER(pasid_bits), VTD_ECAP_PASID },
    { MEMBER(eafs), VTD_ECAP_EAFS },
    { MEMBER(nwfs), VTD_ECAP_NWFS },
    { MEMBER(srs), VTD_ECAP_SRS },
    { MEMBER(ers), VTD_ECAP_ERS },
    { MEMBER(prs), VTD_ECAP_PRS },
    { MEMBER(nest), VTD_ECAP_NEST },
    { MEMBER(sc), VTD_ECAP_SC },
    { MEMBER(pt), VTD_ECAP_PT },
    { MEMBER(eim), VTD_ECAP_EIM },
    { MEMBER(ir), VTD_ECAP_IR },
    { MEMBER(dt), VTD_ECAP_DT },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t
flags_value(const struct vtd_config *config, const struct flag *flag,
            size_t count)
{
    uint64_t val = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_set(config, flag[i].member)) {
            val |= flag[i].bits;
        }
    }
    return val;
}

static uint64_t
cap_value(const struct vtd_config *config)
{
    bool dma = vtd_caps_have(config, VTD_NEED_DMA);
    unsigned mgaw = dma ? config->mgaw : MGAW_NO_DMA;

    return flags_value(config, cap_flags, COUNT(cap_flags)) |
           VTD_PREP(VTD_CAP_ND, CAP_ND) | VTD_PREP(VTD_CAP_MGAW, mgaw - 1) |
           VTD_PREP(VTD_CAP_SAGAW, config->sagaw) | VTD_PREP(VTD_CAP_PSI, dma) |
           VTD_PREP(VTD_CAP_MAMV, config->mamv) |
           VTD_PREP(VTD_CAP_FRO, VTD_OFF_FRCD0_LO / 16) |
           VTD_PREP(VTD_CAP_NFR, config->fault_records - 1u);
}

/*
 * C: entries are read coherently, so software need not flush them from its
 * caches; the bit covers the interrupt remapping table too.  PSS says the
 * width less one.  [VT-d 4.1, "Extended Capability Register"]
 */
static uint64_t
ecap_value(const struct vtd_config *config)
{
    uint64_t pss = config->pasid_bits ? config->pasid_bits - 1u : 0;

    return flags_value(config, ecap_flags, COUNT(ecap_flags)) | VTD_ECAP_C |
           VTD_ECAP_QI | VTD_PREP(VTD_ECAP_PSS, pss) |
           VTD_PREP(VTD_ECAP_IRO, VTD_OFF_IVA / 16) |
           VTD_PREP(VTD_ECAP_MHMV, VTD_MHMV);
}

/* Bits of registers that are reserved without a capability. */
static const struct {
    uint16_t off;
    uint8_t need; /* enum vtd_need */
    uint64_t bits;
} optional_bits[] = {
    { VTD_OFF_RTADDR, VTD_NEED_TTM, VTD_RTADDR_TTM },
    { VTD_OFF_FEUADDR, VTD_NEED_EIM, VTD_EVUADDR_MUA },
    { VTD_OFF_IQA, VTD_NEED_SMTS, VTD_IQA_DW },
    { VTD_OFF_IEUADDR, VTD_NEED_EIM, VTD_EVUADDR_MUA },
    { VTD_OFF_IRTA, VTD_NEED_EIM, VTD_IRTA_EIME },
    { VTD_OFF_PEUADDR, VTD_NEED_EIM, VTD_EVUADDR_MUA },
};

/* Registers that hold a host address; its bits from HAW up are reserved. */
static const uint16_t address_regs[] = {
    VTD_OFF_RTADDR, VTD_OFF_PHMBASE, VTD_OFF_PHMLIMIT,
    VTD_OFF_IQA,    VTD_OFF_IRTA,    VTD_OFF_PQA,
};

static void
rw_set(struct vtd *vtd, unsigned off, uint64_t bits)
{
    vtd->rw[off / 4] |= (uint32_t)bits;
    vtd->rw[off / 4 + 1] |= (uint32_t)(bits >> 32);
}

static void
rw_take(struct vtd *vtd, unsigned off, uint64_t bits)
{
    vtd->rw[off / 4] &= (uint32_t)~bits;
    vtd->rw[off / 4 + 1] &= (uint32_t)(~bits >> 32);
}

void
vtd_caps_apply(struct vtd *vtd)
{
    const struct vtd_config *config = &vtd->config;

    vtd_reg64_set(vtd, VTD_OFF_CAP, cap_value(config));
    vtd_reg64_set(vtd, VTD_OFF_ECAP, ecap_value(config));

    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        if (vtd_reg_is_present(config, i)) {
            rw_set(vtd, vtd_reg_table[i].off, vtd_reg_table[i].rw);
        }
    }
    for (size_t i = 0; i < COUNT(optional_bits); i++) {
        if (!vtd_caps_have(config, optional_bits[i].need)) {
            rw_take(vtd, optional_bits[i].off, optional_bits[i].bits);
        }
    }
    for (size_t i = 0; i < COUNT(address_regs); i++) {
        rw_take(vtd, address_regs[i], UINT64_MAX << config->haw);
    }
}
