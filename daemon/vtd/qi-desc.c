/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/qi-desc.h"

#include "daemon/vtd/caps.h"
#include "daemon/vtd/event.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/spec-qi.h"

/* Entries read for an invalidation that cost as much as a descriptor. */
#define ENTRIES_PER_COST 16u

struct desc_type {
    const char *name;
    uint64_t rsvd[2];
    /* NULL: the unit lacks the capability that makes the type valid. */
    enum vtd_iqei (*run)(struct vtd *vtd, const uint64_t desc[2],
                         unsigned *cost);
};

/*
 * Nothing is cached for DMA remapping, so that its invalidations complete at
 * once; what is wrong in them is still an error.
 */
static enum vtd_iqei
run_context(struct vtd *vtd, const uint64_t desc[2], unsigned *cost)
{
    (void)vtd;
    (void)cost;
    if (VTD_GET(VTD_CC_LO_G, desc[0]) == VTD_G_RSVD) {
        return VTD_IQEI_RSVD;
    }
    return VTD_IQEI_NONE;
}

static enum vtd_iqei
run_iotlb(struct vtd *vtd, const uint64_t desc[2], unsigned *cost)
{
    uint64_t granularity = VTD_GET(VTD_TLB_LO_G, desc[0]);

    (void)vtd;
    (void)cost;
    if (granularity == VTD_G_RSVD ||
        (granularity == VTD_G_PAGE &&
         VTD_GET(VTD_TLB_HI_AM, desc[1]) > VTD_MAMV)) {
        return VTD_IQEI_RSVD;
    }
    return VTD_IQEI_NONE;
}

static enum vtd_iqei
run_iec(struct vtd *vtd, const uint64_t desc[2], unsigned *cost)
{
    uint32_t first = 0;
    uint32_t n = VTD_IRT_MAX;

    if (desc[0] & VTD_IEC_LO_G) {
        unsigned im = (unsigned)VTD_GET(VTD_IEC_LO_IM, desc[0]);

        if (im > VTD_MHMV) {
            return VTD_IQEI_RSVD;
        }
        n = 1u << im;
        first = (uint32_t)VTD_GET(VTD_IEC_LO_IIDX, desc[0]) & ~(n - 1);
    }
    vtd->stat[VTD_STAT_IEC]++;
    *cost += vtd_route_invalidate(vtd, first, n) / ENTRIES_PER_COST;
    return VTD_IQEI_NONE;
}

/*
 * Descriptors complete in order and routes are flushed here, so a fence has
 * nothing to wait for.  A status write that hits no memory is lost as any
 * posted write would be: the specification knows no error for it.
 * [VT-d 4.1, "Invalidation Wait Descriptor"]
 */
static enum vtd_iqei
run_wait(struct vtd *vtd, const uint64_t desc[2], unsigned *cost)
{
    (void)cost;
    vtd_route_flush(vtd);
    vtd->stat[VTD_STAT_WAIT]++;
    if (desc[0] & VTD_WAIT_LO_SW) {
        uint32_t status = (uint32_t)VTD_GET(VTD_WAIT_LO_STDATA, desc[0]);

        (void)vtd->ops->mem_write(vtd->ctx, desc[1] & VTD_WAIT_HI_STADDR,
                                  &status, sizeof(status));
    }
    if ((desc[0] & VTD_WAIT_LO_IF) &&
        !(vtd_reg32(vtd, VTD_OFF_ICS) & VTD_ICS_IWC)) {
        vtd_reg32_set(vtd, VTD_OFF_ICS, VTD_ICS_IWC);
        vtd_event_raise(vtd, VTD_EVENT_COMPLETION);
    }
    return VTD_IQEI_NONE;
}

static const struct desc_type types[] = {
    [VTD_QI_CONTEXT] = { "context-cache",
                         { VTD_CC_LO_RSVD, UINT64_MAX },
                         run_context },
    [VTD_QI_IOTLB] = { "iotlb",
                       { VTD_TLB_LO_RSVD, VTD_TLB_HI_RSVD },
                       run_iotlb },
    [VTD_QI_DEV_TLB] = { "device-tlb", { 0, 0 }, NULL },
    [VTD_QI_IEC] = { "iec", { VTD_IEC_LO_RSVD, UINT64_MAX }, run_iec },
    [VTD_QI_WAIT] = { "wait",
                      { VTD_WAIT_LO_RSVD | VTD_WAIT_LO_PD, VTD_WAIT_HI_RSVD },
                      run_wait },
    [VTD_QI_PASID_IOTLB] = { "pasid-iotlb", { 0, 0 }, NULL },
    [VTD_QI_PASID_CACHE] = { "pasid-cache", { 0, 0 }, NULL },
    [VTD_QI_PASID_DEV_TLB] = { "pasid-device-tlb", { 0, 0 }, NULL },
    [VTD_QI_PAGE_RESPONSE] = { "page-group-response", { 0, 0 }, NULL },
};

static const struct desc_type *
type_of(const uint64_t desc[2])
{
    uint64_t type = VTD_GET(VTD_QI_TYPE_LOW, desc[0]) |
                    VTD_GET(VTD_QI_TYPE_HIGH, desc[0]) << 4;

    if (type >= sizeof(types) / sizeof(types[0]) || !types[type].name) {
        return NULL;
    }
    return &types[type];
}

enum vtd_iqei
vtd_qi_desc_run(struct vtd *vtd, const uint64_t desc[2], unsigned *cost)
{
    const struct desc_type *type = type_of(desc);

    if (!type || !type->run) {
        return VTD_IQEI_TYPE;
    }
    if ((desc[0] & type->rsvd[0]) | (desc[1] & type->rsvd[1])) {
        return VTD_IQEI_RSVD;
    }
    return type->run(vtd, desc, cost);
}

const char *
vtd_desc_name(const uint64_t desc[4])
{
    const struct desc_type *type = type_of(desc);

    return type ? type->name : "unknown";
}
