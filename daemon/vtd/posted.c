/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/posted.h"

/*
 * Attempts at a quadword that somebody else changes at the same time.  Each
 * failure is a success of another processor of the guest, or of one that does
 * nothing else; hardware, which owns the cache line meanwhile, has none.
 *
 * DEVIATION: a request that fails as often as this is fault 27h.
 */
#define ATTEMPTS 64u

/* A notification is a fixed, physical, edge-triggered interrupt. */
#define MSI_DEST_LOW VTD_MASK(19, 12)

/*
 * Address bits at and above HAW are reserved, and so is SVT 11b, as in the
 * other format.
 */
enum vtd_fr
vtd_posted_check(const struct vtd *vtd, const uint64_t raw[2])
{
    uint64_t hi_rsvd = VTD_PIRTE_HI_RSVD | UINT64_MAX << vtd->config.haw;

    if ((raw[0] & VTD_PIRTE_LO_RSVD) || (raw[1] & hi_rsvd) ||
        VTD_GET(VTD_IRTE_HI_SVT, raw[1]) == VTD_SVT_RSVD) {
        return VTD_FR_IR_ENTRY_RSVD;
    }
    return VTD_FR_OK;
}

static uint64_t
descriptor_address(const uint64_t raw[2])
{
    return (raw[1] & VTD_PIRTE_HI_PDAH) | VTD_GET(VTD_PIRTE_LO_PDAL, raw[0])
                                              << 6;
}

/*
 * Replace the quadword at @gpa, which was @*val, by @desired.  0; or 1 with
 * what it is instead in @*val; or -errno.
 */
static int
replace(const struct vtd *vtd, uint64_t gpa, uint64_t *val, uint64_t desired)
{
    const struct vtd_ops *ops = vtd->ops;
    int rc = ops->mem_cmpxchg(vtd->ctx, gpa, *val, desired);

    if (rc > 0) {
        int read = ops->mem_read(vtd->ctx, gpa, val, sizeof(*val));

        return read ? read : rc;
    }
    return rc;
}

/* Set @bit in the quadword of requests at @gpa, which was @val. */
static enum vtd_fr
set_request(const struct vtd *vtd, uint64_t gpa, uint64_t val, uint64_t bit)
{
    int rc = 1;

    for (unsigned i = 0; i < ATTEMPTS && rc > 0; i++) {
        if (val & bit) {
            return VTD_FR_OK;
        }
        rc = replace(vtd, gpa, &val, val | bit);
    }
    return rc ? VTD_FR_IR_PD_ACCESS : VTD_FR_OK;
}

static uint64_t
control_rsvd(const struct vtd *vtd)
{
    return vtd->irt.eime ? VTD_PID_RSVD : VTD_PID_RSVD | VTD_PID_RSVD_XAPIC;
}

/* The upper address of the message holds bits 31:8 of a destination. */
static void
notify(struct vtd *vtd, uint64_t control)
{
    uint64_t dest =
        VTD_GET(vtd->irt.eime ? VTD_PID_NDST : VTD_PID_NDST_XAPIC, control);
    uint64_t addr = VTD_MSI_ADDR_FIXED | VTD_PREP(MSI_DEST_LOW, dest) |
                    (dest & ~UINT64_C(0xff)) << 32;

    vtd->stat[VTD_STAT_POSTED_NOTIFY]++;
    vtd->ops->msi(vtd->ctx, addr, (uint32_t)VTD_GET(VTD_PID_NV, control));
}

/*
 * The request is in its place: tell the processor, unless a notification is
 * on its way already or is not wanted.  The control quadword is read only
 * now: one that was read before might show a notification whose receiver had
 * looked at the requests by then.
 */
static enum vtd_fr
set_outstanding(struct vtd *vtd, uint64_t gpa, bool urgent)
{
    uint64_t control;
    int rc;

    if (vtd->ops->mem_read(vtd->ctx, gpa, &control, sizeof(control))) {
        return VTD_FR_IR_PD_ACCESS;
    }
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        uint64_t old = control;

        if (old & control_rsvd(vtd)) {
            return VTD_FR_IR_PD_RSVD;
        }
        if ((old & VTD_PID_ON) || (!urgent && (old & VTD_PID_SN))) {
            return VTD_FR_OK;
        }
        rc = replace(vtd, gpa, &control, old | VTD_PID_ON);
        if (rc == 0) {
            notify(vtd, old);
            return VTD_FR_OK;
        }
        if (rc < 0) {
            break;
        }
    }
    return VTD_FR_IR_PD_ACCESS;
}

/*
 * Hardware changes the whole descriptor at once.  Here the request is set
 * first and ON after it, because processors go the other way: one that clears
 * ON and then takes the requests either finds this one or is notified again.
 * [VT-d 4.1, "Interrupt-Posting Hardware Operation"]
 */
enum vtd_fr
vtd_posted_deliver(struct vtd *vtd, uint32_t index, const uint64_t raw[2])
{
    uint64_t gpa = descriptor_address(raw);
    uint64_t vector = VTD_GET(VTD_PIRTE_LO_VV, raw[0]);
    bool urgent = (raw[0] & VTD_PIRTE_LO_URG) != 0;
    uint64_t pid[VTD_PID_SIZE / 8];
    enum vtd_fr fr;

    _Static_assert(sizeof(pid) == VTD_PID_SIZE, "a descriptor is quadwords");
    if (vtd->ops->mem_read(vtd->ctx, gpa, pid, sizeof(pid))) {
        return VTD_FR_IR_PD_ACCESS;
    }
    if ((pid[VTD_PID_CONTROL / 8] & control_rsvd(vtd)) || pid[5] || pid[6] ||
        pid[7]) {
        return VTD_FR_IR_PD_RSVD;
    }
    fr = set_request(vtd, gpa + vector / 64 * 8, pid[vector / 64],
                     VTD_BIT(vector % 64));
    if (fr == VTD_FR_OK) {
        fr = set_outstanding(vtd, gpa + VTD_PID_CONTROL, urgent);
    }
    if (fr == VTD_FR_OK) {
        vtd->stat[VTD_STAT_POSTED]++;
        VTD_TRACE(vtd, POSTED, index, vector, gpa, urgent);
    }
    return fr;
}
