/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi.h"

#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/qi-desc.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/sync.h"

#define PAGE_SIZE 4096u

/* More than a lap of the largest queue; fits in an int with any cost added. */
#define BUDGET_MAX 65536u

/* Errors after which no descriptor is fetched until software clears them. */
#define STOPPED (VTD_FSTS_IQE | VTD_FSTS_ITE)

void
vtd_qi_init(struct vtd *vtd)
{
    vtd_desc_types_init(&vtd->desc_types[false], &vtd->config, false);
    vtd_desc_types_init(&vtd->desc_types[true], &vtd->config, true);
}

static bool
is_wide(const struct vtd *vtd)
{
    return (vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_DW) != 0;
}

static unsigned
desc_size(bool wide)
{
    return wide ? VTD_QI_DESC_SIZE_WIDE : VTD_QI_DESC_SIZE;
}

/* Bytes; of either width of descriptors. */
static uint32_t
queue_size(const struct vtd *vtd)
{
    return PAGE_SIZE << VTD_GET(VTD_IQA_QS, vtd_reg64(vtd, VTD_OFF_IQA));
}

static bool
is_running(const struct vtd *vtd)
{
    return (vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_QIES) &&
           !(vtd_reg32(vtd, VTD_OFF_FSTS) & STOPPED);
}

bool
vtd_run_pending(const struct vtd *vtd)
{
    return vtd_sync_is_waiting(&vtd->sync, VTD_SYNC_LOST) ||
           (is_running(vtd) &&
            !vtd_sync_is_waiting(&vtd->sync, VTD_SYNC_QUEUE) &&
            vtd_reg64(vtd, VTD_OFF_IQH) != vtd_reg64(vtd, VTD_OFF_IQT));
}

/*
 * Read descriptors from @head_off on into vtd->desc: as many as it holds, are
 * @left and lie in one page, or, where these cannot all be read, one.  Returns
 * their bytes; 0 if the one cannot be read.
 */
static inline __attribute__((always_inline)) uint64_t
fetch(struct vtd *vtd, uint64_t head_off, uint64_t left, unsigned size)
{
    uint64_t gpa = (vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_IQA) + head_off;
    uint64_t len = left < sizeof(vtd->desc) ? left : sizeof(vtd->desc);

    if (__builtin_expect(head_off % PAGE_SIZE > PAGE_SIZE - sizeof(vtd->desc),
                         0)) {
        len = size; /* near the end of a page one is read at a time */
    }
    if (__builtin_expect(vtd->ops->mem_read(vtd->ctx, gpa, vtd->desc, len) == 0,
                         1)) {
        return len;
    }
    return vtd->ops->mem_read(vtd->ctx, gpa, vtd->desc, size) ? 0 : size;
}

/*
 * Execute one; see vtd_desc_run for what it returns.  In legacy mode wide
 * descriptors have the types of the others, padded.
 * [VT-d 4.1, "Hardware Handling of Queued Invalidation Interface Errors"]
 */
static inline __attribute__((always_inline)) int
run_desc(struct vtd *vtd, const uint64_t *desc, bool wide)
{
    uint64_t lo = desc[0];
    uint64_t hi = desc[1];
    bool all = wide && vtd->view->state.root.ttm != VTD_TTM_LEGACY;
    const struct vtd_desc_types *types = &vtd->desc_types[all];
    uint64_t type = lo & VTD_QI_TYPE_LOW;
    uint64_t rsvd = (lo & types->rsvd_lo[type]) | (hi & types->rsvd_hi[type]);

    if (wide) {
        rsvd |= desc[2] | desc[3];
    }
    if (rsvd) {
        return -(int)vtd_desc_error(types, lo);
    }
    return types->run[type](vtd, lo, hi);
}

/*
 * Execute descriptors from the head to @tail_off, which differ, until they
 * cost @budget.  The head stays at a descriptor in error, or one that waits.
 * Returns 0, minus an enum vtd_iqei, or VTD_DESC_WAITS.  Compiled once for
 * either width.
 */
static inline __attribute__((always_inline)) int
run_descs(struct vtd *vtd, uint64_t tail_off, int budget, bool wide)
{
    const unsigned size = desc_size(wide);
    const uint64_t mask = queue_size(vtd) - 1u;
    uint64_t head_off = vtd_reg64(vtd, VTD_OFF_IQH);
    uint64_t left = (tail_off - head_off) & mask;
    int cost;

    do {
        const uint64_t *desc = vtd->desc;
        uint64_t len = fetch(vtd, head_off, left, size);
        const void *end = (const char *)desc + len;
        uint64_t done;

        cost = -VTD_IQEI_FETCH;
        while (desc != end) {
            VTD_TRACE(vtd, DESC, desc[0], desc[1],
                      (head_off + (desc - vtd->desc) * 8u) / size, 0);
            cost = run_desc(vtd, desc, wide);
            if (cost < 0) {
                break;
            }
            desc += size / 8;
            budget -= cost; /* last, for the flags that it leaves */
            if (budget <= 0) {
                break;
            }
        }
        done = (uint64_t)((const char *)desc - (const char *)vtd->desc);
        vtd->stat[VTD_STAT_DESC] += done / size;
        head_off = (head_off + done) & mask;
        left -= done;
    } while (left != 0 && cost >= 0 && budget > 0);
    vtd_reg64_set(vtd, VTD_OFF_IQH, head_off);
    return cost < 0 ? cost : 0;
}

static __attribute__((noinline)) int
run_wide(struct vtd *vtd, uint64_t tail_off, int budget)
{
    return run_descs(vtd, tail_off, budget, true);
}

/*
 * What is wrong with the queue as a whole; or 0.  All of it is checked before
 * every run: a write to IQA changes size and width under head and tail, and a
 * tail outside the queue would never be met by a head that wraps inside it.
 * The mode is that of the root table in force, used or not.
 * [VT-d 4.1, "Invalidation Queue Error Record Register"]
 */
static int
check_queue(const struct vtd *vtd, uint64_t offs, bool wide)
{
    if (offs >= queue_size(vtd)) {
        return -VTD_IQEI_TAIL;
    }
    if (wide && (offs & (VTD_QI_DESC_SIZE_WIDE - 1))) {
        return -VTD_IQEI_ALIGN;
    }
    switch (vtd->view->state.root.ttm) {
    case VTD_TTM_LEGACY:
        return 0;
    case VTD_TTM_RSVD:
        return -VTD_IQEI_TTM;
    default:
        return wide ? 0 : -VTD_IQEI_WIDTH;
    }
}

/* What is to be looked at before the queue may run. */
#define HELD (1u << VTD_SYNC_LOST | 1u << VTD_SYNC_QUEUE)

static __attribute__((noinline)) bool
is_held(struct vtd *vtd)
{
    if (vtd_sync_is_waiting(&vtd->sync, VTD_SYNC_LOST)) {
        vtd_sync_resume(vtd);
    }
    return vtd_sync_is_waiting(&vtd->sync, VTD_SYNC_QUEUE);
}

/* @budget is positive. */
static __attribute__((noinline)) void
run_queue(struct vtd *vtd, int budget)
{
    uint64_t head_off = vtd_reg64(vtd, VTD_OFF_IQH);
    uint64_t tail_off = vtd_reg64(vtd, VTD_OFF_IQT);
    bool wide = is_wide(vtd);
    int reason;

    if (__builtin_expect((vtd->sync.waiting & HELD) != 0, 0) && is_held(vtd)) {
        return;
    }
    if (head_off == tail_off || !is_running(vtd)) {
        return;
    }
    reason = check_queue(vtd, head_off | tail_off, wide);
    if (reason == 0) {
        reason = wide ? run_wide(vtd, tail_off, budget)
                      : run_descs(vtd, tail_off, budget, false);
        vtd_route_flush(vtd);
    }
    if (reason != 0 && reason != VTD_DESC_WAITS) {
        vtd_fault_queue_error(vtd, (enum vtd_iqei)(-reason));
    }
}

void
vtd_run(struct vtd *vtd, unsigned budget)
{
    if (budget == 0) {
        (void)is_held(vtd);
    } else {
        run_queue(vtd, (int)(budget < BUDGET_MAX ? budget : BUDGET_MAX));
    }
}

void
vtd_qi_kick(struct vtd *vtd)
{
    run_queue(vtd, VTD_WRITE_BUDGET);
}

/*
 * The wait descriptor is the one that was fetched.  Software may have written
 * another in its place; hardware would not see that either.
 * [VT-d 4.1, "Device-TLB Invalidation Timeouts"]
 */
void
vtd_qi_synced(struct vtd *vtd, bool done)
{
    uint64_t head_off = vtd_reg64(vtd, VTD_OFF_IQH);

    if (done) {
        (void)vtd_desc_complete(vtd, vtd->wait[0], vtd->wait[1]);
        vtd->stat[VTD_STAT_DESC]++;
    }
    head_off = (head_off + desc_size(is_wide(vtd))) & (queue_size(vtd) - 1);
    vtd_reg64_set(vtd, VTD_OFF_IQH, head_off);
    vtd_qi_kick(vtd);
}

/* [VT-d 4.1, "Invalidation Queue Head Register"] */
void
vtd_qi_disable(struct vtd *vtd)
{
    vtd_sync_cancel(vtd, VTD_SYNC_QUEUE);
    vtd_reg64_set(vtd, VTD_OFF_IQH, 0);
}

void
vtd_iqt_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    vtd_qi_kick(vtd);
}

/*
 * The queue may have moved or shrunk; run what is pending by the new rule.  A
 * wait descriptor at the head may be another now.
 */
void
vtd_iqa_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    vtd_sync_cancel(vtd, VTD_SYNC_QUEUE);
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
    uint8_t size = (uint8_t)desc_size(is_wide(vtd));

    *info = (struct vtd_queue_info){
        .enabled = (vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_QIES) != 0,
        .base = vtd_reg64(vtd, VTD_OFF_IQA) & VTD_IQA_IQA,
        .entries = queue_size(vtd) / size,
        .entry_size = size,
        .head = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQH) / size,
        .tail = (uint32_t)vtd_reg64(vtd, VTD_OFF_IQT) / size,
        .error =
            (uint8_t)VTD_GET(VTD_IQERCD_IQEI, vtd_reg64(vtd, VTD_OFF_IQERCD)),
        .stopped = (vtd_reg32(vtd, VTD_OFF_FSTS) & STOPPED) != 0,
    };
}
