/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/event.h"

/* The control register of each event; the other three follow it. */
static const uint16_t control_off[] = {
    [VTD_EVENT_FAULT] = VTD_OFF_FECTL,
    [VTD_EVENT_COMPLETION] = VTD_OFF_IECTL,
};

#define DATA_STEP  4u
#define ADDR_STEP  8u
#define UADDR_STEP 12u
_Static_assert(VTD_OFF_FEDATA == VTD_OFF_FECTL + DATA_STEP &&
                   VTD_OFF_FEADDR == VTD_OFF_FECTL + ADDR_STEP &&
                   VTD_OFF_FEUADDR == VTD_OFF_FECTL + UADDR_STEP &&
                   VTD_OFF_IEDATA == VTD_OFF_IECTL + DATA_STEP &&
                   VTD_OFF_IEADDR == VTD_OFF_IECTL + ADDR_STEP &&
                   VTD_OFF_IEUADDR == VTD_OFF_IECTL + UADDR_STEP,
               "event registers are not in one block");

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
