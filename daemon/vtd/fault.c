/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/fault.h"

#include "daemon/vtd/event.h"
#include "daemon/vtd/qi.h"

/* FI of an interrupt request is its index. */
#define FI_INDEX VTD_MASK(63, 48)

static uint64_t
record_lo(const struct vtd *vtd, unsigned i)
{
    return vtd_reg64(vtd, VTD_OFF_FRCD0_LO + i * VTD_FRCD_SIZE);
}

static uint64_t
record_hi(const struct vtd *vtd, unsigned i)
{
    return vtd_reg64(vtd, VTD_OFF_FRCD0_HI + i * VTD_FRCD_SIZE);
}

static bool
any_record(const struct vtd *vtd)
{
    for (unsigned i = 0; i < vtd->config.fault_records; i++) {
        if (record_hi(vtd, i) & VTD_FRCDHI_F) {
            return true;
        }
    }
    return false;
}

/*
 * Set @bits.  It is a new interrupt condition only if no status bit was set
 * before.  [VT-d 4.1, "Fault Event Control Register", on IP]
 */
static void
status_set(struct vtd *vtd, uint64_t bits)
{
    uint32_t fsts = vtd_reg32(vtd, VTD_OFF_FSTS);

    vtd_reg32_set(vtd, VTD_OFF_FSTS, fsts | bits);
    if (!(fsts & VTD_FSTS_STATUS)) {
        vtd_event_raise(vtd, VTD_EVENT_FAULT);
    }
}

/* Software cleared something: PPF follows the records, IP the status. */
static void
status_refresh(struct vtd *vtd)
{
    uint32_t fsts = vtd_reg32(vtd, VTD_OFF_FSTS);

    if ((fsts & VTD_FSTS_PPF) && !any_record(vtd)) {
        fsts &= (uint32_t)~VTD_FSTS_PPF;
        vtd_reg32_set(vtd, VTD_OFF_FSTS, fsts);
    }
    if (!(fsts & VTD_FSTS_STATUS)) {
        vtd_event_drop(vtd, VTD_EVENT_FAULT);
    }
}

/*
 * A record that is still pending may stand for repeats of its fault.  Only
 * the very same fault is left out, so that every distinct one is told.
 * [VT-d 4.1, "Fault Recording Registers", on F]
 */
static bool
is_repeat(const struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    for (unsigned i = 0; i < vtd->config.fault_records; i++) {
        if (record_lo(vtd, i) == lo && record_hi(vtd, i) == hi) {
            return true;
        }
    }
    return false;
}

static void
overflow(struct vtd *vtd)
{
    vtd->stat[VTD_STAT_FAULT_LOST]++;
    status_set(vtd, VTD_FSTS_PFO);
}

/*
 * Records are used in turn; while PFO is set none is.
 * [VT-d 4.1, "Primary Fault Logging"]
 */
static void
record(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    unsigned slot = vtd->fault_next;
    uint32_t fsts = vtd_reg32(vtd, VTD_OFF_FSTS);

    vtd->stat[VTD_STAT_FAULT]++;
    VTD_TRACE(vtd, FAULT, VTD_GET(VTD_FRCDHI_FR, hi),
              VTD_GET(VTD_FRCDHI_SID, hi), lo, 0);
    if (is_repeat(vtd, lo, hi)) {
        return;
    }
    if ((fsts & VTD_FSTS_PFO) || (record_hi(vtd, slot) & VTD_FRCDHI_F)) {
        overflow(vtd);
        return;
    }
    vtd_reg64_set(vtd, VTD_OFF_FRCD0_LO + slot * VTD_FRCD_SIZE, lo);
    vtd_reg64_set(vtd, VTD_OFF_FRCD0_HI + slot * VTD_FRCD_SIZE, hi);
    vtd->fault_next = (slot + 1) % vtd->config.fault_records;
    if (!(fsts & VTD_FSTS_PPF)) {
        fsts &= (uint32_t)~VTD_FSTS_FRI;
        vtd_reg32_set(vtd, VTD_OFF_FSTS, fsts | VTD_PREP(VTD_FSTS_FRI, slot));
    }
    status_set(vtd, VTD_FSTS_PPF);
}

/* F, the reason and the source: what every record has. */
static uint64_t
record_base(uint8_t reason, uint16_t sid)
{
    return VTD_FRCDHI_F | VTD_PREP(VTD_FRCDHI_FR, reason) |
           VTD_PREP(VTD_FRCDHI_SID, sid);
}

void
vtd_fault_record(struct vtd *vtd, enum vtd_fr reason, uint16_t sid,
                 uint32_t index)
{
    record(vtd, VTD_PREP(FI_INDEX, index), record_base((uint8_t)reason, sid));
}

/*
 * FI of a DMA request: the page, as far as the widest tables go.
 * [VT-d 4.1, "Fault Recording Registers", on FI]
 */
static uint64_t
info_mask(const struct vtd_config *config)
{
    if (config->sagaw & VTD_SAGAW_57 || (config->fsts && config->fs5lp)) {
        return VTD_FRCDLO_FI & VTD_MASK(56, 0);
    }
    return VTD_FRCDLO_FI &
           (config->sagaw & VTD_SAGAW_48 || config->fsts ? VTD_MASK(47, 0)
                                                         : VTD_MASK(38, 0));
}

/* Fields of capabilities that the unit does not have stay zero. */
void
vtd_fault_record_dma(struct vtd *vtd, const struct vtd_fault *fault)
{
    const struct vtd_config *config = &vtd->config;
    const struct vtd_dma_req *req = &fault->req;
    uint64_t hi = record_base(fault->reason, req->sid) |
                  VTD_PREP(VTD_FRCDHI_T1, fault->type >> 1) |
                  VTD_PREP(VTD_FRCDHI_T2, fault->type);

    if (config->dt) {
        hi |= VTD_PREP(VTD_FRCDHI_AT, req->at);
    }
    if (req->pasid != VTD_NO_PASID && config->pasid_bits != 0) {
        hi |= VTD_FRCDHI_PP | VTD_PREP(VTD_FRCDHI_PV, req->pasid) |
              VTD_PREP(VTD_FRCDHI_EXE, (req->access & VTD_DMA_EXEC) != 0) |
              VTD_PREP(VTD_FRCDHI_PRIV, req->privileged);
    }
    vtd->fault_last = *fault;
    vtd->fault_count++;
    record(vtd, req->iova & info_mask(config), hi);
}

uint64_t
vtd_fault_last(const struct vtd *vtd, struct vtd_fault *fault)
{
    if (vtd->fault_count > 0) {
        *fault = vtd->fault_last;
    }
    return vtd->fault_count;
}

void
vtd_fault_lost(struct vtd *vtd)
{
    overflow(vtd);
}

void
vtd_fault_queue_error(struct vtd *vtd, enum vtd_iqei iqei)
{
    uint64_t record = vtd_reg64(vtd, VTD_OFF_IQERCD) & ~VTD_IQERCD_IQEI;

    vtd->stat[VTD_STAT_QUEUE_ERROR]++;
    VTD_TRACE(vtd, QUEUE_ERROR, iqei,
              VTD_GET(VTD_IQH_QH, vtd_reg64(vtd, VTD_OFF_IQH)), 0, 0);
    vtd_reg64_set(vtd, VTD_OFF_IQERCD,
                  record | VTD_PREP(VTD_IQERCD_IQEI, iqei));
    status_set(vtd, VTD_FSTS_IQE);
}

/*
 * The source id is that of the first error since software cleared the last
 * one.  [VT-d 4.1, "Invalidation Queue Error Record Register"]
 */
static void
device_error(struct vtd *vtd, uint64_t status, uint64_t field, uint64_t sid)
{
    uint64_t record = vtd_reg64(vtd, VTD_OFF_IQERCD) & ~field;

    if (!(vtd_reg32(vtd, VTD_OFF_FSTS) & status)) {
        vtd_reg64_set(vtd, VTD_OFF_IQERCD, record | sid);
    }
    status_set(vtd, status);
}

void
vtd_fault_timeout(struct vtd *vtd, uint16_t sid)
{
    device_error(vtd, VTD_FSTS_ITE, VTD_IQERCD_ITESID,
                 VTD_PREP(VTD_IQERCD_ITESID, sid));
}

void
vtd_fault_completion(struct vtd *vtd, uint16_t sid)
{
    device_error(vtd, VTD_FSTS_ICE, VTD_IQERCD_ICESID,
                 VTD_PREP(VTD_IQERCD_ICESID, sid));
}

void
vtd_fsts_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    status_refresh(vtd);
    if (cleared & (VTD_FSTS_IQE | VTD_FSTS_ITE)) {
        vtd_qi_kick(vtd);
    }
}

void
vtd_frcd_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    status_refresh(vtd);
}
