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
    return 1 + (int)(read / ENTRIES_PER_COST);
}

/* One entry is what drivers invalidate all the time; it goes straight. */
static int
run_iec(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint64_t index = VTD_GET(VTD_IEC_LO_IIDX, lo);
    (void)hi;
    if ((lo & (VTD_IEC_LO_G | VTD_IEC_LO_IM)) != VTD_IEC_LO_G) {
        return run_iec_range(vtd, lo);
    }
    vtd->stat[VTD_STAT_IEC]++;
    if (index < vtd->irt.entries) {
        vtd_route_sync(vtd, index);
    }
    return 1;
}

/* --- waiting ------------------------------------------------------------- */

/* Bits of the address that the host does not have are ignored. */
static void
write_status(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    uint64_t gpa = hi & VTD_WAIT_HI_STADDR & (VTD_BIT(vtd->config.haw) - 1);

    vtd->status = (uint32_t)VTD_GET(VTD_WAIT_LO_STDATA, lo);
    (void)vtd->ops->mem_write(vtd->ctx, gpa, &vtd->status, sizeof(vtd->status));
}

static __attribute__((noinline)) int
complete_other(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    if (lo & VTD_WAIT_LO_SW) {
        write_status(vtd, lo, hi);
    }
    if ((lo & VTD_WAIT_LO_IF) && !(vtd_reg32(vtd, VTD_OFF_ICS) & VTD_ICS_IWC)) {
        vtd_reg32_set(vtd, VTD_OFF_ICS, VTD_ICS_IWC);
        vtd_event_raise(vtd, VTD_EVENT_COMPLETION);
    }
    return 1;
}

/*
 * A status write alone is what drivers wait for; it goes straight.  One that
 * hits no memory is lost as any posted write would be: the specification knows
 * no error for it.
 */
static inline int
complete(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    vtd->stat[VTD_STAT_WAIT]++;
    if ((lo & (VTD_WAIT_LO_SW | VTD_WAIT_LO_IF)) != VTD_WAIT_LO_SW) {
        return complete_other(vtd, lo, hi);
    }
    write_status(vtd, lo, hi);
    return 1;
}

int
vtd_desc_complete(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    return complete(vtd, lo, hi);
}

static __attribute__((noinline)) int
settle_and_complete(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    vtd_route_flush(vtd);
    if (!vtd_sync_request(vtd, VTD_SYNC_QUEUE)) {
        vtd->wait[0] = lo;
        vtd->wait[1] = hi;
        return VTD_DESC_WAITS;
    }
    return vtd_desc_complete(vtd, lo, hi);
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
    if (vtd->routes.batch_count != 0 || !vtd_sync_is_clean(&vtd->sync)) {
        return settle_and_complete(vtd, lo, hi);
    }
    return complete(vtd, lo, hi);
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
    return 1;
}

/* --- the table ----------------------------------------------------------- */

/* Capabilities that types, or bits of them, need. */
#define NEED_IR   0x01u
#define NEED_DT   0x02u
#define NEED_PRS  0x04u
#define NEED_SMTS 0x08u
#define NEED_PDS  0x10u
#define NEED_DIT  0x20u
#define NEED_WIDE 0x40u /* stands in queues of 256-bit descriptors alone */

/* Types that a unit does not know, whatever their other bits. */
static int
run_invalid(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    (void)vtd;
    (void)lo;
    (void)hi;
    return -VTD_IQEI_TYPE;
}

/* [VT-d 4.1, "Queued Invalidation Interface", table of descriptor types] */
static const struct {
    const char *name;
    vtd_desc_run *run;
    uint64_t rsvd_lo, rsvd_hi; /* the upper half of a wide one is, too */
    uint8_t need;
    uint8_t option;     /* capability without which there is no ... */
    uint64_t option_lo; /* ... such field in the low quadword */
} defined[] = {
    [VTD_QI_CONTEXT] = { "context-cache", vtd_inv_context, VTD_CC_LO_RSVD,
                         UINT64_MAX, 0, 0, 0 },
    [VTD_QI_IOTLB] = { "iotlb", vtd_inv_iotlb, VTD_TLB_LO_RSVD, VTD_TLB_HI_RSVD,
                       0, 0, 0 },
    [VTD_QI_DEV_TLB] = { "device-tlb", vtd_inv_dev_tlb, VTD_DTLB_LO_RSVD,
                         VTD_DTLB_HI_RSVD, NEED_DT, NEED_DIT, VTD_PFSID },
    [VTD_QI_IEC] = { "iec", run_iec, VTD_IEC_LO_RSVD, UINT64_MAX, NEED_IR, 0,
                     0 },
    [VTD_QI_WAIT] = { "wait", run_wait, VTD_WAIT_LO_RSVD, VTD_WAIT_HI_RSVD, 0,
                      NEED_PDS, VTD_WAIT_LO_PD },
    [VTD_QI_PASID_IOTLB] = { "pasid-iotlb", vtd_inv_pasid_iotlb,
                             VTD_PTLB_LO_RSVD, VTD_PTLB_HI_RSVD,
                             NEED_SMTS | NEED_WIDE, 0, 0 },
    [VTD_QI_PASID_CACHE] = { "pasid-cache", vtd_inv_pasid_cache, VTD_PC_LO_RSVD,
                             UINT64_MAX, NEED_SMTS | NEED_WIDE, 0, 0 },
    [VTD_QI_PASID_DEV_TLB] = { "pasid-device-tlb", vtd_inv_pasid_dev_tlb, 0,
                               VTD_PDTLB_HI_RSVD,
                               NEED_SMTS | NEED_DT | NEED_WIDE, NEED_DIT,
                               VTD_PFSID },
    [VTD_QI_PAGE_RESPONSE] = { "page-group-response", run_response,
                               VTD_PGR_LO_RSVD, VTD_PGR_HI_RSVD,
                               NEED_PRS | NEED_WIDE, 0, 0 },
};

#define DEFINED (sizeof(defined) / sizeof(defined[0]))

static unsigned
lacking(const struct vtd_config *config, bool wide)
{
    return (config->ir ? 0 : NEED_IR) | (config->dt ? 0 : NEED_DT) |
           (config->prs ? 0 : NEED_PRS) | (config->smts ? 0 : NEED_SMTS) |
           (config->pds ? 0 : NEED_PDS) | (config->dit ? 0 : NEED_DIT) |
           (wide ? 0 : NEED_WIDE);
}

void
vtd_desc_types_init(struct vtd_desc_types *types,
                    const struct vtd_config *config, bool wide)
{
    unsigned lack = lacking(config, wide);

    for (unsigned i = 0; i < 16; i++) {
        types->rsvd_lo[i] = 0;
        types->rsvd_hi[i] = 0;
        types->run[i] = run_invalid;
        if (i < DEFINED && defined[i].run && !(defined[i].need & lack)) {
            types->rsvd_lo[i] = defined[i].rsvd_lo | VTD_QI_TYPE_HIGH;
            types->rsvd_hi[i] = defined[i].rsvd_hi;
            types->run[i] = defined[i].run;
        }
        if (i < DEFINED && (defined[i].option & lack)) {
            types->rsvd_lo[i] |= defined[i].option_lo;
        }
    }
}

enum vtd_iqei
vtd_desc_error(const struct vtd_desc_types *types, uint64_t lo)
{
    if ((lo & VTD_QI_TYPE_HIGH) ||
        types->run[lo & VTD_QI_TYPE_LOW] == run_invalid) {
        return VTD_IQEI_TYPE;
    }
    return VTD_IQEI_RSVD;
}

const char *
vtd_desc_name(const uint64_t desc[4])
{
    uint64_t type = desc[0] & (VTD_QI_TYPE_HIGH | VTD_QI_TYPE_LOW);

    return type < DEFINED && defined[type].name ? defined[type].name
                                                : "unknown";
}
