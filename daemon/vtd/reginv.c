/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/reginv.h"

#include "daemon/vtd/inv.h"
#include "daemon/vtd/spec-qi.h"
#include "daemon/vtd/sync.h"

/*
 * Commands are executed with the queue enabled or not, though software should
 * use the queue then (QEMU leaves them pending for ever).  The
 * granularity performed is the one requested, or, for a request that makes no
 * sense, the reserved one: nothing was done, and the command is complete.
 * Another command while one is pending starts over.
 * [VT-d 4.1, "Context Command Register" and "IOTLB Invalidate Register"]
 */
struct command {
    enum vtd_reg_off off;
    enum vtd_sync_user user;
    uint64_t pending;   /* ICC or IVT */
    uint64_t performed; /* CAIG or IAIG */
};

/* Address, hint and mask are passed on as they are. */
_Static_assert(VTD_TLB_HI_ADDR == (uint64_t)VTD_IVA_ADDR &&
                   VTD_TLB_HI_IH == (uint64_t)VTD_IVA_IH &&
                   VTD_TLB_HI_AM == (uint64_t)VTD_IVA_AM,
               "IVA and the IOTLB descriptor differ");

/* In other modes every command is an incorrect one: there is but the queue. */
static bool
is_in_charge(const struct vtd *vtd)
{
    return vtd->view->state.root.ttm == VTD_TTM_LEGACY;
}

static const struct command ccmd_command = {
    VTD_OFF_CCMD,
    VTD_SYNC_CCMD,
    VTD_CCMD_ICC,
    VTD_CCMD_CAIG,
};

static const struct command iotlb_command = {
    VTD_OFF_IOTLB,
    VTD_SYNC_IOTLB,
    VTD_IOTLB_IVT,
    VTD_IOTLB_IAIG,
};

static void
begin(struct vtd *vtd, const struct command *command, uint64_t granularity)
{
    uint64_t val = vtd_reg64(vtd, command->off) & ~command->performed;

    val |= VTD_PREP(command->performed, granularity);
    vtd_reg64_set(vtd, command->off, val | command->pending);
    if (vtd_sync_request(vtd, command->user)) {
        vtd_reg64_set(vtd, command->off, val & ~command->pending);
    }
}

static void
end(struct vtd *vtd, const struct command *command)
{
    vtd_reg64_set(vtd, command->off,
                  vtd_reg64(vtd, command->off) & ~command->pending);
}

void
vtd_ccmd_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint64_t ccmd = vtd_reg64(vtd, VTD_OFF_CCMD);
    unsigned g = (unsigned)VTD_GET(VTD_CCMD_CIRG, ccmd);

    (void)cleared;
    if (written & VTD_CCMD_ICC) {
        uint64_t lo = VTD_PREP(VTD_CC_LO_G, g) |
                      VTD_PREP(VTD_CC_LO_DID, VTD_GET(VTD_CCMD_DID, ccmd)) |
                      VTD_PREP(VTD_CC_LO_SID, VTD_GET(VTD_CCMD_SID, ccmd)) |
                      VTD_PREP(VTD_CC_LO_FM, VTD_GET(VTD_CCMD_FM, ccmd));

        if (!is_in_charge(vtd) || vtd_inv_context(vtd, lo, 0) < 0) {
            g = 0;
        }
        begin(vtd, &ccmd_command, g);
    }
}

void
vtd_iotlb_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint64_t iotlb = vtd_reg64(vtd, VTD_OFF_IOTLB);
    unsigned g = (unsigned)VTD_GET(VTD_IOTLB_IIRG, iotlb);

    (void)cleared;
    if (written & VTD_IOTLB_IVT) {
        uint64_t lo = VTD_PREP(VTD_TLB_LO_G, g) |
                      VTD_PREP(VTD_TLB_LO_DID, VTD_GET(VTD_IOTLB_DID, iotlb));
        uint64_t hi = vtd_reg64(vtd, VTD_OFF_IVA);

        if (!is_in_charge(vtd) || vtd_inv_iotlb(vtd, lo, hi) < 0) {
            g = 0;
        }
        begin(vtd, &iotlb_command, g);
    }
}

void
vtd_ccmd_synced(struct vtd *vtd, bool done)
{
    (void)done;
    end(vtd, &ccmd_command);
}

void
vtd_iotlb_synced(struct vtd *vtd, bool done)
{
    (void)done;
    end(vtd, &iotlb_command);
}
