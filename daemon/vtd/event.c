/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/event.h"

/* The control register of each event; the other three follow it. */
static const uint16_t control_off[] = {
    [VTD_EVENT_FAULT] = VTD_OFF_FECTL,
    [VTD_EVENT_COMPLETION] = VTD_OFF_IECTL,
    [VTD_EVENT_PAGE_REQUEST] = VTD_OFF_PECTL,
};

#define DATA_STEP  4u
#define ADDR_STEP  8u
#define UADDR_STEP 12u
#define CHECK_BLOCK(ctl, data, addr, uaddr)                           \
    _Static_assert(VTD_OFF_##data == VTD_OFF_##ctl + DATA_STEP &&     \
                       VTD_OFF_##addr == VTD_OFF_##ctl + ADDR_STEP && \
                       VTD_OFF_##uaddr == VTD_OFF_##ctl + UADDR_STEP, \
                   #ctl ": its registers are not in one block")
CHECK_BLOCK(FECTL, FEDATA, FEADDR, FEUADDR);
CHECK_BLOCK(IECTL, IEDATA, IEADDR, IEUADDR);
CHECK_BLOCK(PECTL, PEDATA, PEADDR, PEUADDR);

/* These messages are not subject to remapping; the owner knows. */
static void
send(struct vtd *vtd, uint16_t off)
{
    uint32_t data = vtd_reg32(vtd, off + DATA_STEP);
    uint64_t addr = vtd_reg32(vtd, off + ADDR_STEP) |
                    (uint64_t)vtd_reg32(vtd, off + UADDR_STEP) << 32;

    vtd->stat[VTD_STAT_EVENT]++;
    VTD_TRACE(vtd, EVENT, addr, data, 0, 0);
    vtd->ops->msi(vtd->ctx, addr, data);
}

void
vtd_event_raise(struct vtd *vtd, enum vtd_event_kind kind)
{
    uint16_t off = control_off[kind];
    uint32_t control = vtd_reg32(vtd, off);

    if (control & VTD_EVCTL_IM) {
        vtd_reg32_set(vtd, off, control | VTD_EVCTL_IP);
    } else {
        send(vtd, off);
    }
}

void
vtd_event_drop(struct vtd *vtd, enum vtd_event_kind kind)
{
    uint16_t off = control_off[kind];

    vtd_reg32_set(vtd, off, vtd_reg32(vtd, off) & ~VTD_EVCTL_IP);
}

/*
 * IP is set only while IM is, so that the write which clears IM finds it and
 * no other does.
 * [VT-d 4.1, "Fault Event Control Register"]
 */
static void
control_write(struct vtd *vtd, enum vtd_event_kind kind)
{
    uint16_t off = control_off[kind];
    uint32_t control = vtd_reg32(vtd, off);

    if ((control & VTD_EVCTL_IP) && !(control & VTD_EVCTL_IM)) {
        vtd_event_drop(vtd, kind);
        send(vtd, off);
    }
}

void
vtd_fectl_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    control_write(vtd, VTD_EVENT_FAULT);
}

void
vtd_iectl_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    control_write(vtd, VTD_EVENT_COMPLETION);
}

void
vtd_pectl_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    control_write(vtd, VTD_EVENT_PAGE_REQUEST);
}
