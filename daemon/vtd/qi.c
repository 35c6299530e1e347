/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi.h"

#include "daemon/vtd/caps.h"
#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/spec-qi.h"

/* IQH and IQT count bytes; heads and tails in the code count entries. */
#define ENTRY_SHIFT 4u
_Static_assert(VTD_QI_DESC_SIZE == 1u << ENTRY_SHIFT, "entry size");

/* Entries read for an invalidation that cost as much as a descriptor. */
#define ENTRIES_PER_COST 16u

struct desc_type {
    const char *name;
    uint64_t rsvd[2];
    enum vtd_iqei (*run)(struct vtd *vtd, uint64_t lo, uint64_t hi);
};

/*
 * Nothing is cached for DMA remapping, so that its invalidations complete at
 * once; what is wrong in them is still an error.
 */
static enum vtd_iqei
run_context(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)vtd;
    (void)hi;
    if (VTD_GET(VTD_CC_LO_G, lo) == VTD_G_RSVD) {
        return VTD_IQEI_RSVD;
    }
    return VTD_IQEI_NONE;
}

static enum vtd_iqei
run_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint64_t granularity = VTD_GET(VTD_TLB_LO_G, lo);

    (void)vtd;
    if (granularity == VTD_G_RSVD ||
        (granularity == VTD_G_PAGE && VTD_GET(VTD_TLB_HI_AM, hi) > VTD_MAMV)) {
        return VTD_IQEI_RSVD;
    }
    return VTD_IQEI_NONE;
}

static enum vtd_iqei
run_iec(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint32_t first = 0;
    uint32_t n = VTD_IRT_MAX;

    (void)hi;
    if (lo & VTD_IEC_LO_G) {
        unsigned im = (unsigned)VTD_GET(VTD_IEC_LO_IM, lo);

        if (im > VTD_MHMV) {
            return VTD_IQEI_RSVD;
        }
        n = 1u << im;
        first = (uint32_t)VTD_GET(VTD_IEC_LO_IIDX, lo) & ~(n - 1);
    }
    vtd->stat[VTD_STAT_IEC]++;
    vtd->qi_spent += vtd_route_invalidate(vtd, first, n) / ENTRIES_PER_COST;
    return VTD_IQEI_NONE;
}

/*
 * Descriptors complete in order and routes are flushed here, so a fence has
 * nothing to wait for.  A status write that hits no memory is lost as any
 * posted write would be: the specification knows no error for it.
 * [VT-d 4.1, "Invalidation Wait Descriptor"]
 */
static enum vtd_iqei
run_wait(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    vtd_route_flush(vtd);
    vtd->stat[VTD_STAT_WAIT]++;
    if (lo & VTD_WAIT_LO_SW) {
        uint32_t status = (uint32_t)VTD_GET(VTD_WAIT_LO_STDATA, lo);

        (void)vtd->ops->mem_write(vtd->ctx, hi & VTD_WAIT_HI_STADDR, &status,
                                  sizeof(status));
    }
    if ((lo & VTD_WAIT_LO_IF) && !(vtd_reg32(vtd, VTD_OFF_ICS) & VTD_ICS_IWC)) {
        vtd_reg32_set(vtd, VTD_OFF_ICS, VTD_ICS_IWC);
        vtd_event_raise(vtd, VTD_EVENT_COMPLETION);
    }
    return VTD_IQEI_NONE;
}

static enum vtd_iqei
run_invalid(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)vtd;
    (void)lo;
    (void)hi;
    return VTD_IQEI_TYPE;
}

/*
 * Types that the unit lacks the capability for are invalid as unknown ones
 * are, whatever their other bits.
 */
static const struct desc_type types[] = {
    [0] = { "unknown", { 0, 0 }, run_invalid },
    [VTD_QI_CONTEXT] = { "context-cache",
                         { VTD_CC_LO_RSVD, UINT64_MAX },
                         run_context },
    [VTD_QI_IOTLB] = { "iotlb",
                       { VTD_TLB_LO_RSVD, VTD_TLB_HI_RSVD },
                       run_iotlb },
    [VTD_QI_DEV_TLB] = { "device-tlb", { 0, 0 }, run_invalid },
    [VTD_QI_IEC] = { "iec", { VTD_IEC_LO_RSVD, UINT64_MAX }, run_iec },
    [VTD_QI_WAIT] = { "wait",
                      { VTD_WAIT_LO_RSVD | VTD_WAIT_LO_PD, VTD_WAIT_HI_RSVD },
                      run_wait },
    [VTD_QI_PASID_IOTLB] = { "pasid-iotlb", { 0, 0 }, run_invalid },
    [VTD_QI_PASID_CACHE] = { "pasid-cache", { 0, 0 }, run_invalid },
    [VTD_QI_PASID_DEV_TLB] = { "pasid-device-tlb", { 0, 0 }, run_invalid },
    [VTD_QI_PAGE_RESPONSE] = { "page-group-response", { 0, 0 }, run_invalid },
};

static const struct desc_type *
type_of(uint64_t lo)
{
    uint64_t type = lo & VTD_QI_TYPE_LOW;

    if ((lo & VTD_QI_TYPE_HIGH) || type >= sizeof(types) / sizeof(types[0])) {
        return &types[0];
    }
    return &types[type];
}

static inline enum vtd_iqei
run_desc(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    const struct desc_type *type = type_of(lo);

    if ((lo & type->rsvd[0]) | (hi & type->rsvd[1])) {
        return VTD_IQEI_RSVD;
    }
    return type->run(vtd, lo, hi);
}

const char *
vtd_desc_name(const uint64_t desc[4])
{
    return type_of(desc[0])->name;
}

static uint32_t
queue_entries(const struct vtd *vtd)
{
    uint64_t iqa = vtd_reg64(vtd, VTD_OFF_IQA);

    return 256u << VTD_GET(VTD_IQA_QS, iqa);
}

static bool
is_running(const struct vtd *vtd)
{
    return (vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_QIES) &&
           !(vtd_reg32(vtd, VTD_OFF_FSTS) & VTD_FSTS_IQE);
}

bool
vtd_run_pending(const struct vtd *vtd)
{
    return is_running(vtd) &&
           vtd_reg64(vtd, VTD_OFF_IQH) != vtd_reg64(vtd, VTD_OFF_IQT);
}

/*
 * A tail outside the queue would never be met by a head that wraps inside it.
 * Both are checked before every run: a write to IQA changes the queue's size
 * under them.  [VT-d 4.1, "Invalidation Queue Error Record Register"]
 */
void
vtd_run(struct vtd *vtd, unsigned budget)
{
    uint32_t entries = queue_entries(vtd);
    uint64_t base = vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_IQA;
    uint32_t head = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQH) >> ENTRY_SHIFT;
    uint32_t tail = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQT) >> ENTRY_SHIFT;
    enum vtd_iqei iqei = VTD_IQEI_NONE;

    if (!is_running(vtd) || head == tail) {
        return;
    }
    if (head >= entries || tail >= entries) {
        vtd_fault_queue_error(vtd, VTD_IQEI_TAIL);
        return;
    }
    vtd->qi_spent = 0;
    while (head != tail && vtd->qi_spent < budget) {
        uint64_t desc[2];

        if (vtd->ops->mem_read(vtd->ctx, base + (uint64_t)head * sizeof(desc),
                               desc, sizeof(desc))) {
            iqei = VTD_IQEI_FETCH;
            break;
        }
        VTD_TRACE(vtd, DESC, desc[0], desc[1], head, 0);
        iqei = run_desc(vtd, desc[0], desc[1]);
        if (iqei != VTD_IQEI_NONE) {
            break;
        }
        vtd->stat[VTD_STAT_DESC]++;
        head = (head + 1) & (entries - 1);
        vtd->qi_spent++;
    }
    vtd_route_flush(vtd);
    /* The head stays at a descriptor in error. */
    vtd_reg64_set(vtd, VTD_OFF_IQH, (uint64_t)head << ENTRY_SHIFT);
    if (iqei != VTD_IQEI_NONE) {
        vtd_fault_queue_error(vtd, iqei);
    }
}

void
vtd_qi_kick(struct vtd *vtd)
{
    vtd_run(vtd, VTD_WRITE_BUDGET);
}

/* [VT-d 4.1, "Invalidation Queue Head Register"] */
void
vtd_qi_disable(struct vtd *vtd)
{
    vtd_reg64_set(vtd, VTD_OFF_IQH, 0);
}

void
vtd_iqt_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    vtd_qi_kick(vtd);
}

/* The queue may have moved or shrunk; run what is pending by the new rule. */
void
vtd_iqa_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    vtd_qi_kick(vtd);
}

void
vtd_ics_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    if (cleared & VTD_ICS_IWC) {
        vtd_event_drop(vtd, VTD_EVENT_COMPLETION);
    }
}

void
vtd_queue_info(const struct vtd *vtd, struct vtd_queue_info *info)
{
    *info = (struct vtd_queue_info){
        .enabled = (vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_QIES) != 0,
        .base = vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_IQA,
        .entries = queue_entries(vtd),
        .entry_size = VTD_QI_DESC_SIZE,
        .head = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQH) >> ENTRY_SHIFT,
        .tail = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQT) >> ENTRY_SHIFT,
        .error =
            (uint8_t)VTD_GET(VTD_IQERCD_IQEI, vtd_reg64(vtd, VTD_OFF_IQERCD)),
        .stopped = (vtd_reg32(vtd, VTD_OFF_FSTS) & VTD_FSTS_IQE) != 0,
    };
}
