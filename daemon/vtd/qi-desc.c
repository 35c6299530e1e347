/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi-desc.h"

#include "daemon/vtd/caps.h"
#include "daemon/vtd/event.h"
#include "daemon/vtd/inv.h"
#include "daemon/vtd/prq.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/sync.h"

/* Entries read for an invalidation that cost as much as a descriptor. */
#define ENTRIES_PER_COST 16u

/* Up to this address mask pages share so few counters that they cost none. */
#define AM_CHEAP 4u

/* --- context cache, IOTLB, PASID cache ----------------------------------- */

static int
run_context(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)hi;
    if (!vtd_inv_context(vtd, (unsigned)VTD_GET(VTD_CC_LO_G, lo),
                         (uint16_t)VTD_GET(VTD_CC_LO_DID, lo),
                         (uint16_t)VTD_GET(VTD_CC_LO_SID, lo),
                         (unsigned)VTD_GET(VTD_CC_LO_FM, lo))) {
        return -VTD_IQEI_RSVD;
    }
    return 0;
}

/*
 * Accesses are translated one by one and complete, as far as the model is
 * concerned, at once; sinks that have some in flight acknowledge when these
 * are done.  So every wait descriptor drains, whatever DR and DW say.
 * [VT-d 4.1, "Draining of Requests to Memory"]
 */
static int
run_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    if (!vtd_inv_iotlb(vtd, (unsigned)VTD_GET(VTD_TLB_LO_G, lo),
                       (uint16_t)VTD_GET(VTD_TLB_LO_DID, lo), hi)) {
        return -VTD_IQEI_RSVD;
    }
    return VTD_GET(VTD_TLB_HI_AM, hi) > AM_CHEAP;
}

/*
 * CAP.MAMV does not bound the mask (peers): Linux flushes up to 2^52 pages by
 * one descriptor.  What goes beyond the address space is all of it.
 */
static int
run_pasid_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint64_t g = VTD_GET(VTD_PTLB_LO_G, lo);
    unsigned shift = VTD_INV_SHIFT_PAGE + (unsigned)VTD_GET(VTD_PTLB_HI_AM, hi);
    struct vtd_inv inv = {
        .kind = VTD_INV_PASID_IOTLB,
        .scope = VTD_INV_ONE,
        .did = (uint16_t)VTD_GET(VTD_PTLB_LO_DID, lo),
        .pasid = (uint32_t)VTD_GET(VTD_PTLB_LO_PASID, lo),
        .shift = VTD_INV_SHIFT_ALL,
    };

    if (g < VTD_PTLB_G_PASID) {
        return -VTD_IQEI_RSVD;
    }
    if (g == VTD_PTLB_G_PAGE) {
        inv.pages = true;
        inv.leaf_only = (hi & VTD_PTLB_HI_IH) != 0;
        if (shift < VTD_INV_SHIFT_ALL) {
            inv.shift = (uint8_t)shift;
        }
        inv.addr = vtd_inv_base(hi, inv.shift);
    }
    vtd_inv_announce(vtd, &inv);
    return VTD_GET(VTD_PTLB_HI_AM, hi) > AM_CHEAP;
}

static int
run_pasid_cache(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv inv = {
        .kind = VTD_INV_PASID_CACHE,
        .scope = VTD_INV_GLOBAL,
        .pasid = VTD_NO_PASID,
        .shift = VTD_INV_SHIFT_ALL,
    };

    (void)hi;
    switch (VTD_GET(VTD_PC_LO_G, lo)) {
    case VTD_PC_G_GLOBAL:
        break;
    case VTD_PC_G_DOMAIN:
        inv.scope = VTD_INV_DOMAIN;
        inv.did = (uint16_t)VTD_GET(VTD_PC_LO_DID, lo);
        break;
    case VTD_PC_G_PASID:
        inv.scope = VTD_INV_ONE;
        inv.did = (uint16_t)VTD_GET(VTD_PC_LO_DID, lo);
        inv.pasid = (uint32_t)VTD_GET(VTD_PC_LO_PASID, lo);
        break;
    default:
        return -VTD_IQEI_RSVD;
    }
    vtd_inv_announce(vtd, &inv);
    return 0;
}

/* --- device TLBs --------------------------------------------------------- */

/*
 * With @s the lowest clear bit of the address tells the size: the range is
 * twice as large as the bit.  Without a clear bit it is everything.
 * [PCIe, "Invalidate Request Message Body"]
 */
static void
set_device_range(struct vtd_inv *inv, uint64_t addr, bool s)
{
    uint64_t clear = ~(addr | VTD_MASK(11, 0));

    inv->pages = true;
    if (!s) {
        inv->shift = VTD_INV_SHIFT_PAGE;
    } else if (clear != 0) {
        inv->shift = (uint8_t)(__builtin_ctzll(clear) + 1);
    } else {
        inv->shift = VTD_INV_SHIFT_ALL;
    }
    inv->addr = vtd_inv_base(addr, inv->shift);
}

/*
 * The model has no device TLB; sinks have.  MIP and PFSID pace hardware that
 * sends such invalidations over a link; nothing here needs it.
 */
static int
run_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv inv = {
        .kind = VTD_INV_DEV_TLB,
        .scope = VTD_INV_ONE,
        .sid = (uint16_t)VTD_GET(VTD_DTLB_LO_SID, lo),
        .pasid = VTD_NO_PASID,
    };

    if ((lo & VTD_PFSID) && !vtd->config.dit) {
        return -VTD_IQEI_RSVD;
    }
    set_device_range(&inv, hi & VTD_DTLB_HI_ADDR, (hi & VTD_DTLB_HI_S) != 0);
    vtd_inv_announce(vtd, &inv);
    return 0;
}

static int
run_pasid_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv inv = {
        .kind = VTD_INV_PASID_DEV_TLB,
        .scope = VTD_INV_GLOBAL,
        .sid = (uint16_t)VTD_GET(VTD_PDTLB_LO_SID, lo),
        .pasid = VTD_NO_PASID,
    };

    if ((lo & VTD_PFSID) && !vtd->config.dit) {
        return -VTD_IQEI_RSVD;
    }
    if (!(hi & VTD_PDTLB_HI_G)) {
        inv.scope = VTD_INV_ONE;
        inv.pasid = (uint32_t)VTD_GET(VTD_PDTLB_LO_PASID, lo);
    }
    set_device_range(&inv, hi & VTD_PDTLB_HI_ADDR, (hi & VTD_PDTLB_HI_S) != 0);
    vtd_inv_announce(vtd, &inv);
    return 0;
}

/* --- interrupt entry cache ----------------------------------------------- */

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

/* --- waiting ------------------------------------------------------------- */

/*
 * A status write that hits no memory is lost as any posted write would be: the
 * specification knows no error for it.
 */
void
vtd_desc_complete(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
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
}

/*
 * Descriptors complete in order and routes are flushed here, so a fence has
 * nothing to wait for but the sinks, for which every wait descriptor waits.
 * Page requests are queued in the call that brings them, so that none is in
 * flight for PD to drain.
 * [VT-d 4.1, "Invalidation Wait Descriptor"]
 */
static int
run_wait(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    if ((lo & VTD_WAIT_LO_PD) && !vtd->config.pds) {
        return -VTD_IQEI_RSVD;
    }
    vtd_route_flush(vtd);
    if (!vtd_sync_is_clean(&vtd->sync) &&
        !vtd_sync_request(vtd, VTD_SYNC_QUEUE)) {
        return VTD_DESC_WAITS;
    }
    vtd_desc_complete(vtd, lo, hi);
    return 0;
}

/* --- page requests ------------------------------------------------------- */

/*
 * Every response is passed on, with LPIG or without: Linux does not set it any
 * more.  What a response code means is the device's business.
 */
static int
run_response(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    const struct vtd_page_resp resp = {
        .pasid = lo & VTD_PGR_LO_PP ? (uint32_t)VTD_GET(VTD_PGR_LO_PASID, lo)
                                    : VTD_NO_PASID,
        .sid = (uint16_t)VTD_GET(VTD_PGR_LO_RID, lo),
        .group = (uint16_t)VTD_GET(VTD_PGR_HI_PRGI, hi),
        .code = (uint8_t)VTD_GET(VTD_PGR_LO_RC, lo),
    };

    vtd_prq_respond(vtd, &resp);
    return 0;
}

/* --- the table ----------------------------------------------------------- */

/* What a type needs; any other stands in every queue. */
#define NEED_IR   0x01u
#define NEED_DT   0x02u
#define NEED_PRS  0x04u
#define NEED_SMTS 0x08u
#define NEED_WIDE 0x10u

const struct vtd_desc_type vtd_desc_types[16] = {
    [0] = { .name = "unknown" },
    [10 ... 15] = { .name = "unknown" },
    [VTD_QI_CONTEXT] = { "context-cache",
                         { VTD_CC_LO_RSVD, UINT64_MAX },
                         run_context,
                         0 },
    [VTD_QI_IOTLB] = { "iotlb",
                       { VTD_TLB_LO_RSVD, VTD_TLB_HI_RSVD },
                       run_iotlb,
                       0 },
    [VTD_QI_DEV_TLB] = { "device-tlb",
                         { VTD_DTLB_LO_RSVD, VTD_DTLB_HI_RSVD },
                         run_dev_tlb,
                         NEED_DT },
    [VTD_QI_IEC] = { "iec", { VTD_IEC_LO_RSVD, UINT64_MAX }, run_iec, NEED_IR },
    [VTD_QI_WAIT] = { "wait",
                      { VTD_WAIT_LO_RSVD, VTD_WAIT_HI_RSVD },
                      run_wait,
                      0 },
    [VTD_QI_PASID_IOTLB] = { "pasid-iotlb",
                             { VTD_PTLB_LO_RSVD, VTD_PTLB_HI_RSVD },
                             run_pasid_iotlb,
                             NEED_SMTS | NEED_WIDE },
    [VTD_QI_PASID_CACHE] = { "pasid-cache",
                             { VTD_PC_LO_RSVD, UINT64_MAX },
                             run_pasid_cache,
                             NEED_SMTS | NEED_WIDE },
    [VTD_QI_PASID_DEV_TLB] = { "pasid-device-tlb",
                               { 0, VTD_PDTLB_HI_RSVD },
                               run_pasid_dev_tlb,
                               NEED_SMTS | NEED_DT | NEED_WIDE },
    [VTD_QI_PAGE_RESPONSE] = { "page-group-response",
                               { VTD_PGR_LO_RSVD, VTD_PGR_HI_RSVD },
                               run_response,
                               NEED_PRS | NEED_WIDE },
};

#define DESC_TYPES (sizeof(vtd_desc_types) / sizeof(vtd_desc_types[0]))

uint16_t
vtd_desc_legal(const struct vtd *vtd, bool wide)
{
    const struct vtd_config *config = &vtd->config;
    unsigned lack = (config->ir ? 0 : NEED_IR) | (config->dt ? 0 : NEED_DT) |
                    (config->prs ? 0 : NEED_PRS) |
                    (config->smts ? 0 : NEED_SMTS) | (wide ? 0 : NEED_WIDE);
    uint16_t legal = 0;

    for (unsigned type = 0; type < DESC_TYPES; type++) {
        if (vtd_desc_types[type].run && !(vtd_desc_types[type].need & lack)) {
            legal |= (uint16_t)(1u << type);
        }
    }
    return legal;
}

const char *
vtd_desc_name(const uint64_t desc[4])
{
    uint64_t lo = desc[0];

    return vtd_desc_types[lo & VTD_QI_TYPE_HIGH ? 0 : lo & VTD_QI_TYPE_LOW]
        .name;
}
