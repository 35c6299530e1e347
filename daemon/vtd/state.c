/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/state.h"

#include <errno.h>
#include <string.h>

#include "daemon/vtd/caps.h"
#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/ir.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/sync.h"
#include "daemon/vtd/translate.h"

/*
 * Bits that the unit sets by itself, of the registers that it has.  Besides
 * these software's own are saved, and all others are constant.
 */
static const uint64_t own_bits[VTD_REG_COUNT] = {
    [VTD_REG_GSTS] = VTD_GSTS_TES | VTD_GSTS_RTPS | VTD_GSTS_QIES |
                     VTD_GSTS_IRES | VTD_GSTS_IRTPS | VTD_GSTS_CFIS,
    [VTD_REG_CCMD] = VTD_CCMD_ICC | VTD_CCMD_CAIG,
    [VTD_REG_FSTS] = VTD_FSTS_FRI | VTD_FSTS_PPF,
    [VTD_REG_FECTL] = VTD_EVCTL_IP,
    [VTD_REG_PMEN] = VTD_PMEN_PRS,
    [VTD_REG_IQH] = VTD_IQH_QH,
    [VTD_REG_IECTL] = VTD_EVCTL_IP,
    [VTD_REG_IQERCD] = VTD_IQERCD_ICESID | VTD_IQERCD_ITESID | VTD_IQERCD_IQEI,
    [VTD_REG_PECTL] = VTD_EVCTL_IP,
    [VTD_REG_IOTLB] = VTD_IOTLB_IVT | VTD_IOTLB_IAIG,
};

/* Of these, bits that are state only with a capability. */
static const struct {
    uint8_t reg;
    uint8_t need; /* enum vtd_need */
    uint64_t bits;
} optional_bits[] = {
    { VTD_REG_GSTS, VTD_NEED_DMA, VTD_GSTS_TES },
    { VTD_REG_GSTS, VTD_NEED_IR,
      VTD_GSTS_IRES | VTD_GSTS_IRTPS | VTD_GSTS_CFIS },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A record is all the unit's, but for F, which software clears. */
#define RECORD_LO VTD_FRCDLO_FI
#define RECORD_HI                                                       \
    (VTD_FRCDHI_T1 | VTD_FRCDHI_AT | VTD_FRCDHI_PV | VTD_FRCDHI_FR |    \
     VTD_FRCDHI_PP | VTD_FRCDHI_EXE | VTD_FRCDHI_PRIV | VTD_FRCDHI_T2 | \
     VTD_FRCDHI_SID)

uint64_t
vtd_state_hash(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Its members are bytes, so that none of them is padding. */
_Static_assert(_Alignof(struct vtd_config) == 1,
               "the configuration cannot be hashed as bytes");

static uint64_t
unit_hash(const struct vtd *vtd)
{
    uint64_t hash =
        vtd_state_hash(VTD_STATE_HASH_EMPTY, &vtd->config, sizeof(vtd->config));

    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        const uint16_t place[] = { vtd_reg_table[i].off,
                                   vtd_reg_table[i].size };

        hash = vtd_state_hash(hash, place, sizeof(place));
    }
    return hash;
}

static uint64_t
irt_save(const struct vtd_irt *irt)
{
    if (irt->entries == 0) {
        return 0;
    }
    return VTD_LATCH_VALID | irt->base | (irt->eime ? VTD_IRTA_EIME : 0) |
           VTD_PREP(VTD_IRTA_S, __builtin_ctz(irt->entries) - 1);
}

static void
irt_load(struct vtd_irt *irt, uint64_t latch)
{
    *irt = (struct vtd_irt){ .entries = 0 };
    if (latch & VTD_LATCH_VALID) {
        irt->base = latch & VTD_IRTA_IRTA;
        irt->entries = 2u << VTD_GET(VTD_IRTA_S, latch);
        irt->eime = (latch & VTD_IRTA_EIME) != 0;
        vtd_irt_set_mode(irt);
    }
}

static uint64_t
root_save(const struct vtd_root *root)
{
    if (!root->latched) {
        return 0;
    }
    return VTD_LATCH_VALID | (root->enabled ? VTD_LATCH_ENABLED : 0) |
           root->base | VTD_PREP(VTD_RTADDR_TTM, root->ttm);
}

static void
root_load(struct vtd_root *root, uint64_t latch)
{
    *root = (struct vtd_root){
        .base = latch & VTD_RTADDR_RTA,
        .ttm = (uint8_t)VTD_GET(VTD_RTADDR_TTM, latch),
        .latched = (latch & VTD_LATCH_VALID) != 0,
        .enabled = (latch & VTD_LATCH_ENABLED) != 0,
    };
}

size_t
vtd_save_size(const struct vtd *vtd)
{
    (void)vtd;
    return VTD_STATE_SIZE;
}

/* The quadwords that say what the others are. */
static void
fill_head(const struct vtd *vtd, uint64_t quad[VTD_STATE_QUADS])
{
    quad[VTD_STATE_QUAD_MAGIC] = VTD_STATE_MAGIC;
    quad[VTD_STATE_QUAD_FORMAT] = VTD_STATE_VERSION | (uint64_t)VTD_STATE_SIZE
                                                          << 32;
    quad[VTD_STATE_QUAD_UNIT] = unit_hash(vtd);
}

static uint64_t
check_of(const uint64_t quad[VTD_STATE_QUADS])
{
    return vtd_state_hash(VTD_STATE_HASH_EMPTY, quad,
                          VTD_STATE_QUAD_CHECK * sizeof(quad[0]));
}

void
vtd_save(const struct vtd *vtd, void *buf)
{
    uint64_t quad[VTD_STATE_QUADS];
    uint64_t *latch = &quad[VTD_STATE_QUAD_LATCHES];

    fill_head(vtd, quad);
    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        quad[VTD_STATE_QUAD_REGS + i] = vtd_reg_row_value(vtd, i);
    }
    latch[VTD_LATCH_IRTA] = irt_save(&vtd->irt);
    latch[VTD_LATCH_RTADDR] = root_save(&vtd->view->state.root);
    latch[VTD_LATCH_FAULT_NEXT] = vtd->fault_next;
    latch[VTD_LATCH_SYNC] = vtd_sync_save(vtd);
    quad[VTD_STATE_QUAD_CHECK] = check_of(quad);
    memcpy(buf, quad, sizeof(quad));
}

/* --- load ---------------------------------------------------------------- */

/* Made by a unit like @vtd, and not damaged since. */
static bool
is_whole(const struct vtd *vtd, const uint64_t quad[VTD_STATE_QUADS])
{
    uint64_t head[VTD_STATE_QUADS];

    fill_head(vtd, head);
    return memcmp(quad, head, VTD_STATE_QUAD_REGS * sizeof(quad[0])) == 0 &&
           quad[VTD_STATE_QUAD_CHECK] == check_of(quad);
}

/* Bits of register @i that are state; the others are constant. */
static uint64_t
state_bits(const struct vtd *vtd, unsigned i)
{
    const struct vtd_reg_desc *desc = &vtd_reg_table[i];
    uint64_t bits = vtd->rw[desc->off / 4] | desc->w1c | own_bits[i];

    if (!vtd_reg_is_present(&vtd->config, i)) {
        return 0;
    }
    if (desc->size == 8) {
        bits |= (uint64_t)vtd->rw[desc->off / 4 + 1] << 32;
    }
    if (i >= VTD_REG_FRCD0_LO) {
        bits |= (i - VTD_REG_FRCD0_LO) % 2 ? RECORD_HI : RECORD_LO;
    }
    for (size_t k = 0; k < COUNT(optional_bits); k++) {
        if (optional_bits[k].reg == i &&
            !vtd_caps_have(&vtd->config, optional_bits[k].need)) {
            bits &= ~optional_bits[k].bits;
        }
    }
    return bits;
}

/* No bit is set that nothing can set, and none is clear that is constant. */
static bool
are_registers_possible(const struct vtd *vtd, const uint64_t *reg)
{
    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        if ((reg[i] ^ vtd_reg_row_value(vtd, i)) & ~state_bits(vtd, i)) {
            return false;
        }
    }
    return true;
}

/* A latch holds nothing, or what its register could. */
static bool
is_latch_possible(const struct vtd *vtd, uint64_t latch, enum vtd_reg reg,
                  uint64_t more)
{
    uint64_t bits = VTD_LATCH_VALID | more | state_bits(vtd, reg);

    return latch == 0 || ((latch & VTD_LATCH_VALID) && !(latch & ~bits));
}

/* A mode that the unit lacks was latched as the reserved one. */
static bool
is_mode_possible(const struct vtd *vtd, uint64_t rtaddr)
{
    uint64_t ttm = VTD_GET(VTD_RTADDR_TTM, rtaddr);

    return (ttm != VTD_TTM_SCALABLE || vtd->config.smts) &&
           (ttm != VTD_TTM_ABORT || vtd->config.adms);
}

static bool
are_latches_possible(const struct vtd *vtd, const uint64_t *latch)
{
    uint64_t rtaddr = latch[VTD_LATCH_RTADDR];

    return is_latch_possible(vtd, latch[VTD_LATCH_IRTA], VTD_REG_IRTA, 0) &&
           is_latch_possible(vtd, rtaddr, VTD_REG_RTADDR, VTD_LATCH_ENABLED) &&
           is_mode_possible(vtd, rtaddr) &&
           (rtaddr == 0 || vtd_caps_have(&vtd->config, VTD_NEED_DMA)) &&
           latch[VTD_LATCH_FAULT_NEXT] < vtd->config.fault_records &&
           !(latch[VTD_LATCH_SYNC] & ~(uint64_t)VTD_SYNC_SAVED);
}

static bool
is_set(uint64_t word, uint64_t bits)
{
    return (word & bits) != 0;
}

static bool
are_faults_consistent(const struct vtd *vtd, const uint64_t *reg)
{
    uint64_t fsts = reg[VTD_REG_FSTS];
    bool pending = false;

    for (unsigned i = 0; i < vtd->config.fault_records; i++) {
        pending |= is_set(reg[VTD_REG_FRCD0_HI + 2 * i], VTD_FRCDHI_F);
    }
    return is_set(fsts, VTD_FSTS_PPF) == pending &&
           VTD_GET(VTD_FSTS_FRI, fsts) < vtd->config.fault_records;
}

/* An event is pending only while it is masked, and only with a cause. */
static bool
are_events_consistent(const uint64_t *reg)
{
    static const struct {
        uint8_t control, status;
        uint64_t causes;
    } events[] = {
        { VTD_REG_FECTL, VTD_REG_FSTS, VTD_FSTS_STATUS },
        { VTD_REG_IECTL, VTD_REG_ICS, VTD_ICS_IWC },
        { VTD_REG_PECTL, VTD_REG_PRS, VTD_PRS_PPR | VTD_PRS_PRO },
    };

    for (size_t i = 0; i < COUNT(events); i++) {
        uint64_t control = reg[events[i].control];

        if (is_set(control, VTD_EVCTL_IP) &&
            !(is_set(control, VTD_EVCTL_IM) &&
              is_set(reg[events[i].status], events[i].causes))) {
            return false;
        }
    }
    return true;
}

/*
 * What is enabled has what it needs; what is not stands at its beginning.  The
 * status says what was latched, unless it has to wait for sinks.
 */
static bool
is_status_consistent(const struct vtd *vtd, const uint64_t *reg,
                     const uint64_t *latch)
{
    uint64_t gsts = reg[VTD_REG_GSTS];
    uint64_t pmen = reg[VTD_REG_PMEN];
    bool irt = is_set(latch[VTD_LATCH_IRTA], VTD_LATCH_VALID);
    bool root = is_set(latch[VTD_LATCH_RTADDR], VTD_LATCH_VALID);
    bool te = is_set(latch[VTD_LATCH_RTADDR], VTD_LATCH_ENABLED);
    bool rtps = is_set(gsts, VTD_GSTS_RTPS);
    bool tes = is_set(gsts, VTD_GSTS_TES);

    if (is_set(gsts, VTD_GSTS_IRTPS) != irt ||
        (is_set(gsts, VTD_GSTS_IRES) && !irt) ||
        (reg[VTD_REG_IQH] != 0 && !is_set(gsts, VTD_GSTS_QIES)) ||
        (is_set(pmen, VTD_PMEN_PRS) != is_set(pmen, VTD_PMEN_EPM) &&
         !is_set(latch[VTD_LATCH_SYNC], 1u << VTD_SYNC_PMR))) {
        return false;
    }
    if (!vtd_caps_have(&vtd->config, VTD_NEED_DMA)) {
        return true;
    }
    if (is_set(latch[VTD_LATCH_SYNC], 1u << VTD_SYNC_SRTP)) {
        return root || (!rtps && !tes);
    }
    return rtps == root && tes == te;
}

/* Commands are pending as long as they wait. */
static bool
are_waits_consistent(const uint64_t *reg, uint64_t waiting)
{
    return is_set(reg[VTD_REG_CCMD], VTD_CCMD_ICC) ==
               is_set(waiting, 1u << VTD_SYNC_CCMD) &&
           is_set(reg[VTD_REG_IOTLB], VTD_IOTLB_IVT) ==
               is_set(waiting, 1u << VTD_SYNC_IOTLB);
}

static void
commit(struct vtd *vtd, const uint64_t *reg, const uint64_t *latch)
{
    struct vtd_root root;

    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        uint16_t off = vtd_reg_table[i].off;

        vtd_reg32_set(vtd, off, reg[i]);
        if (vtd_reg_table[i].size == 8) {
            vtd_reg32_set(vtd, off + 4, reg[i] >> 32);
        }
    }
    irt_load(&vtd->irt, latch[VTD_LATCH_IRTA]);
    root_load(&root, latch[VTD_LATCH_RTADDR]);
    vtd_state_publish(vtd, &root);
    vtd->fault_next = (unsigned)latch[VTD_LATCH_FAULT_NEXT];
    vtd_ir_state_get(vtd, &vtd->ir_told);
    vtd_route_forget(vtd);
    vtd_gens_invalidate_all(&vtd->view->gens);
    vtd_sync_restore(vtd, (uint8_t)latch[VTD_LATCH_SYNC]);
}

/*
 * All is checked before anything is changed.  What the model's code relies on
 * is checked, and what no unit ever says of itself; a blob that passes need
 * not be one that a guest could have brought about.
 */
int
vtd_load(struct vtd *vtd, const void *buf, size_t len)
{
    uint64_t quad[VTD_STATE_QUADS];
    const uint64_t *reg = &quad[VTD_STATE_QUAD_REGS];
    const uint64_t *latch = &quad[VTD_STATE_QUAD_LATCHES];

    if (len != sizeof(quad)) {
        return -EINVAL;
    }
    memcpy(quad, buf, sizeof(quad));
    if (!is_whole(vtd, quad) || !are_registers_possible(vtd, reg) ||
        !are_latches_possible(vtd, latch) || !are_faults_consistent(vtd, reg) ||
        !are_events_consistent(reg) || !is_status_consistent(vtd, reg, latch) ||
        !are_waits_consistent(reg, latch[VTD_LATCH_SYNC])) {
        return -EINVAL;
    }
    commit(vtd, reg, latch);
    return 0;
}
