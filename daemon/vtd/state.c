/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/state.h"

#include <errno.h>
#include <string.h>

#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/ir.h"
#include "daemon/vtd/route.h"

/* In a latch: it holds something.  The bit is reserved in the register. */
#define LATCHED VTD_BIT(63)

/*
 * Bits that the unit sets by itself, of the registers that it has.  Besides
 * these software's own are saved, and all others are constant.
 */
static const uint64_t own_bits[VTD_REG_COUNT] = {
    [VTD_REG_GSTS] = VTD_GSTS_TES | VTD_GSTS_RTPS | VTD_GSTS_QIES |
                     VTD_GSTS_IRES | VTD_GSTS_IRTPS | VTD_GSTS_CFIS,
    [VTD_REG_CCMD] = VTD_CCMD_CAIG,
    [VTD_REG_FSTS] = VTD_FSTS_FRI | VTD_FSTS_PPF,
    [VTD_REG_FECTL] = VTD_EVCTL_IP,
    [VTD_REG_IQH] = VTD_IQH_QH,
    [VTD_REG_IECTL] = VTD_EVCTL_IP,
    [VTD_REG_IQERCD] = VTD_IQERCD_ICESID | VTD_IQERCD_ITESID | VTD_IQERCD_IQEI,
    [VTD_REG_IOTLB] = VTD_IOTLB_IAIG,
};

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
    return LATCHED | irt->base | (irt->eime ? VTD_IRTA_EIME : 0) |
           VTD_PREP(VTD_IRTA_S, __builtin_ctz(irt->entries) - 1);
}

static void
irt_load(struct vtd_irt *irt, uint64_t latch)
{
    *irt = (struct vtd_irt){ .entries = 0 };
    if (latch & LATCHED) {
        irt->base = latch & VTD_IRTA_IRTA;
        irt->entries = 2u << VTD_GET(VTD_IRTA_S, latch);
        irt->eime = (latch & VTD_IRTA_EIME) != 0;
        vtd_irt_set_mode(irt);
    }
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
    latch[VTD_LATCH_FAULT_NEXT] = vtd->fault_next;
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

/* Something is pending only while it is masked, and only with a cause. */
static bool
is_event_consistent(uint64_t control, bool cause)
{
    return !(control & VTD_EVCTL_IP) || ((control & VTD_EVCTL_IM) && cause);
}

static bool
are_faults_consistent(const struct vtd *vtd, const uint64_t *reg)
{
    uint64_t fsts = reg[VTD_REG_FSTS];
    bool pending = false;

    for (unsigned i = 0; i < vtd->config.fault_records; i++) {
        pending |= (reg[VTD_REG_FRCD0_HI + 2 * i] & VTD_FRCDHI_F) != 0;
    }
    return !(fsts & VTD_FSTS_PPF) == !pending &&
           VTD_GET(VTD_FSTS_FRI, fsts) < vtd->config.fault_records &&
           is_event_consistent(reg[VTD_REG_FECTL],
                               (fsts & VTD_FSTS_STATUS) != 0);
}

/* What is enabled has what it needs; what is not stands at its beginning. */
static bool
is_status_consistent(const uint64_t *reg, const uint64_t *latch)
{
    uint64_t gsts = reg[VTD_REG_GSTS];
    bool irt = (latch[VTD_LATCH_IRTA] & LATCHED) != 0;

    return !(gsts & VTD_GSTS_IRTPS) == !irt &&
           (irt || !(gsts & VTD_GSTS_IRES)) &&
           ((gsts & VTD_GSTS_QIES) || reg[VTD_REG_IQH] == 0) &&
           is_event_consistent(reg[VTD_REG_IECTL],
                               (reg[VTD_REG_ICS] & VTD_ICS_IWC) != 0);
}

/* A latch holds what its register could. */
static bool
are_latches_possible(const struct vtd *vtd, const uint64_t *latch)
{
    uint64_t irta = latch[VTD_LATCH_IRTA];
    uint64_t irta_bits = LATCHED | state_bits(vtd, VTD_REG_IRTA);

    return (irta == 0 || (irta & LATCHED)) && !(irta & ~irta_bits) &&
           latch[VTD_LATCH_FAULT_NEXT] < vtd->config.fault_records;
}

static void
commit(struct vtd *vtd, const uint64_t *reg, const uint64_t *latch)
{
    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        uint16_t off = vtd_reg_table[i].off;

        vtd_reg32_set(vtd, off, reg[i]);
        if (vtd_reg_table[i].size == 8) {
            vtd_reg32_set(vtd, off + 4, reg[i] >> 32);
        }
    }
    irt_load(&vtd->irt, latch[VTD_LATCH_IRTA]);
    vtd->fault_next = (unsigned)latch[VTD_LATCH_FAULT_NEXT];
    vtd_ir_state_get(vtd, &vtd->ir_told);
    vtd_route_forget(vtd);
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
        !is_status_consistent(reg, latch)) {
        return -EINVAL;
    }
    commit(vtd, reg, latch);
    return 0;
}
