/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi.h"

#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/qi-desc.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/spec-qi.h"

/* IQH and IQT count bytes; heads and tails in the code count entries. */
#define ENTRY_SHIFT 4u
_Static_assert(VTD_QI_DESC_SIZE == 1u << ENTRY_SHIFT, "entry size");

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
    unsigned spent = 0;

    if (!is_running(vtd) || head == tail) {
        return;
    }
    if (head >= entries || tail >= entries) {
        vtd_fault_queue_error(vtd, VTD_IQEI_TAIL);
        return;
    }
    while (head != tail && spent < budget) {
        uint64_t desc[2];

        if (vtd->ops->mem_read(vtd->ctx, base + (uint64_t)head * sizeof(desc),
                               desc, sizeof(desc))) {
            iqei = VTD_IQEI_FETCH;
            break;
        }
        VTD_TRACE(vtd, DESC, desc[0], desc[1], head, 0);
        iqei = vtd_qi_desc_run(vtd, desc, &spent);
        if (iqei != VTD_IQEI_NONE) {
            break;
        }
        vtd->stat[VTD_STAT_DESC]++;
        head = (head + 1) & (entries - 1);
        spent++;
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
vtd_iqt_write(struct vtd *vtd, uint64_t old, uint64_t written)
{
    (void)old;
    (void)written;
    vtd_qi_kick(vtd);
}

/* The queue may have moved or shrunk; run what is pending by the new rule. */
void
vtd_iqa_write(struct vtd *vtd, uint64_t old, uint64_t written)
{
    (void)old;
    (void)written;
    vtd_qi_kick(vtd);
}

void
vtd_ics_write(struct vtd *vtd, uint64_t old, uint64_t written)
{
    if (old & written & VTD_ICS_IWC) {
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
