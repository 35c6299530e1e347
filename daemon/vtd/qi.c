/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi.h"

#include "daemon/vtd/caps.h"
#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/spec-qi.h"

/* IQA.QS = 7 */
#define QUEUE_ENTRIES_MAX 32768u

/* Entries read for an invalidation that cost as much as a descriptor. */
#define ENTRIES_PER_COST 16u

struct desc_type {
    const char *name;
    uint64_t rsvd[2];
    /*
     * Execute one without reserved bits set.  Returns the work beyond that of
     * an ordinary descriptor, in descriptors, or minus an enum vtd_iqei; it
     * has no effect then.
     */
    int (*run)(struct vtd *vtd, uint64_t lo, uint64_t hi);
};

/*
 * Nothing is cached for DMA remapping, so that its invalidations complete at
 * once; what is wrong in them is still an error.
 */
static int
run_context(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)vtd;
    (void)hi;
    if (VTD_GET(VTD_CC_LO_G, lo) == VTD_G_RSVD) {
        return -VTD_IQEI_RSVD;
    }
    return 0;
}

static int
run_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint64_t granularity = VTD_GET(VTD_TLB_LO_G, lo);

    (void)vtd;
    if (granularity == VTD_G_RSVD ||
        (granularity == VTD_G_PAGE &&
         VTD_GET(VTD_TLB_HI_AM, hi) > vtd->config.mamv)) {
        return -VTD_IQEI_RSVD;
    }
    return 0;
}

static __attribute__((noinline)) int
run_iec_range(struct vtd *vtd, uint64_t lo)
{
    uint32_t index = (uint32_t)VTD_GET(VTD_IEC_LO_IIDX, lo);
    unsigned im = (unsigned)VTD_GET(VTD_IEC_LO_IM, lo);
    unsigned read;

    if (!(lo & VTD_IEC_LO_G)) {
        read = vtd_route_invalidate(vtd, 0, VTD_IRT_MAX);
    } else if (im > VTD_MHMV) {
        return -VTD_IQEI_RSVD;
    } else {
        read = vtd_route_invalidate(vtd, index >> im << im, 1u << im);
    }
    vtd->stat[VTD_STAT_IEC]++;
    return (int)(read / ENTRIES_PER_COST);
}

/* One entry is what drivers invalidate all the time; it goes straight. */
static int
run_iec(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)hi;
    if ((lo & (VTD_IEC_LO_G | VTD_IEC_LO_IM)) != VTD_IEC_LO_G) {
        return run_iec_range(vtd, lo);
    }
    vtd->stat[VTD_STAT_IEC]++;
    return vtd_route_invalidate_one(vtd,
                                    (uint32_t)VTD_GET(VTD_IEC_LO_IIDX, lo));
}

/*
 * Descriptors complete in order and routes are flushed here, so a fence has
 * nothing to wait for.  A status write that hits no memory is lost as any
 * posted write would be: the specification knows no error for it.
 * [VT-d 4.1, "Invalidation Wait Descriptor"]
 */
static int
run_wait(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    vtd_route_flush(vtd);
    vtd->stat[VTD_STAT_WAIT]++;
    if (lo & VTD_WAIT_LO_SW) {
        vtd->status = (uint32_t)VTD_GET(VTD_WAIT_LO_STDATA, lo);
        (void)vtd->ops->mem_write(vtd->ctx, hi & VTD_WAIT_HI_STADDR,
                                  &vtd->status, sizeof(vtd->status));
    }
    if ((lo & VTD_WAIT_LO_IF) && !(vtd_reg32(vtd, VTD_OFF_ICS) & VTD_ICS_IWC)) {
        vtd_reg32_set(vtd, VTD_OFF_ICS, VTD_ICS_IWC);
        vtd_event_raise(vtd, VTD_EVENT_COMPLETION);
    }
    return 0;
}

static int
run_invalid(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)vtd;
    (void)lo;
    (void)hi;
    return -VTD_IQEI_TYPE;
}

/*
 * Types that the unit lacks the capability for are invalid as unknown ones
 * are, whatever their other bits.
 */
static const struct desc_type types[16] = {
    [0] = { "unknown", { 0, 0 }, run_invalid },
    [10 ... 15] = { "unknown", { 0, 0 }, run_invalid },
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
    return &types[lo & VTD_QI_TYPE_HIGH ? 0 : lo & VTD_QI_TYPE_LOW];
}

static inline int
run_desc(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    const struct desc_type *type = type_of(lo);

    if ((lo & type->rsvd[0]) | (hi & type->rsvd[1])) {
        return -VTD_IQEI_RSVD;
    }
    return type->run(vtd, lo, hi);
}

const char *
vtd_desc_name(const uint64_t desc[4])
{
    return type_of(desc[0])->name;
}

/* Bytes. */
static uint32_t
queue_size(const struct vtd *vtd)
{
    return 4096u << VTD_GET(VTD_IQA_QS, vtd_reg64(vtd, VTD_OFF_IQA));
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
 * Execute descriptors from @head_off to @tail_off, until they cost @budget.
 * Returns the new head, which stays at a descriptor in error; *@iqei says
 * which error.
 */
static uint64_t
run_descs(struct vtd *vtd, uint64_t head_off, uint64_t tail_off, int budget,
          enum vtd_iqei *iqei)
{
    uint64_t base = vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_IQA;
    uint64_t mask = queue_size(vtd) - 1u;
    uint64_t first_off = head_off;

    *iqei = VTD_IQEI_NONE;
    while (head_off != tail_off && budget > 0) {
        int cost;

        if (vtd->ops->mem_read(vtd->ctx, base + head_off, vtd->desc,
                               VTD_QI_DESC_SIZE)) {
            *iqei = VTD_IQEI_FETCH;
            break;
        }
        VTD_TRACE(vtd, DESC, vtd->desc[0], vtd->desc[1],
                  head_off / VTD_QI_DESC_SIZE, 0);
        cost = run_desc(vtd, vtd->desc[0], vtd->desc[1]);
        if (cost < 0) {
            *iqei = (enum vtd_iqei)(-cost);
            break;
        }
        budget -= cost + 1;
        head_off = (head_off + VTD_QI_DESC_SIZE) & mask;
    }
    vtd->stat[VTD_STAT_DESC] +=
        ((head_off - first_off) & mask) / VTD_QI_DESC_SIZE;
    return head_off;
}

/*
 * A tail outside the queue would never be met by a head that wraps inside it.
 * Both are checked before every run: a write to IQA changes the queue's size
 * under them.  [VT-d 4.1, "Invalidation Queue Error Record Register"]
 */
void
vtd_run(struct vtd *vtd, unsigned budget)
{
    uint64_t head_off = vtd_reg64(vtd, VTD_OFF_IQH);
    uint64_t tail_off = vtd_reg64(vtd, VTD_OFF_IQT);
    enum vtd_iqei iqei = VTD_IQEI_TAIL;

    if (!is_running(vtd) || head_off == tail_off) {
        return;
    }
    /* A lap of the largest queue; more would not fit below. */
    if (budget > QUEUE_ENTRIES_MAX) {
        budget = QUEUE_ENTRIES_MAX;
    }
    if ((head_off | tail_off) < queue_size(vtd)) {
        head_off = run_descs(vtd, head_off, tail_off, (int)budget, &iqei);
        vtd_route_flush(vtd);
        vtd_reg64_set(vtd, VTD_OFF_IQH, head_off);
    }
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
        .entries = queue_size(vtd) / VTD_QI_DESC_SIZE,
        .entry_size = VTD_QI_DESC_SIZE,
        .head = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQH) / VTD_QI_DESC_SIZE,
        .tail = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQT) / VTD_QI_DESC_SIZE,
        .error =
            (uint8_t)VTD_GET(VTD_IQERCD_IQEI, vtd_reg64(vtd, VTD_OFF_IQERCD)),
        .stopped = (vtd_reg32(vtd, VTD_OFF_FSTS) & VTD_FSTS_IQE) != 0,
    };
}
