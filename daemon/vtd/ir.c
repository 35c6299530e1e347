/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/ir.h"

#include <errno.h>

#include "daemon/vtd/fault.h"
#include "daemon/vtd/regs.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/spec-ir.h"

/* A remappable request, decoded. */
struct request {
    uint32_t index;
    uint16_t sid;
    bool sid_valid;
};

/* By SVT << 2 | SQ.  SQ means something with SVT 01 only. */
#define SID_RSVD UINT8_MAX
static const uint8_t sid_checks[16] = {
    VTD_SID_NONE,       VTD_SID_NONE,       VTD_SID_NONE,
    VTD_SID_NONE,       VTD_SID_EXACT,      VTD_SID_IGNORE_2,
    VTD_SID_IGNORE_2_1, VTD_SID_IGNORE_2_0, VTD_SID_BUS_RANGE,
    VTD_SID_BUS_RANGE,  VTD_SID_BUS_RANGE,  VTD_SID_BUS_RANGE,
    SID_RSVD,           SID_RSVD,           SID_RSVD,
    SID_RSVD,
};

enum vtd_fr
vtd_irte_fetch(const struct vtd *vtd, uint32_t index, uint64_t raw[2])
{
    if (index >= vtd->irt.entries) {
        return VTD_FR_IR_INDEX_RANGE;
    }
    if (vtd->ops->mem_read(vtd->ctx,
                           vtd->irt.base + (uint64_t)index * VTD_IRTE_SIZE, raw,
                           VTD_IRTE_SIZE)) {
        return VTD_FR_IR_ROOT_ACCESS;
    }
    return VTD_FR_OK;
}

/*
 * Reserved values of SVT and DLM count as reserved fields: no source can
 * satisfy the one and no processor accept the other, and a route could not
 * express either.
 *
 * DEVIATION: QEMU and VirtualBox report SVT 11b as a failed check, 26h.
 */
enum vtd_fr
vtd_irte_decode(const uint64_t raw[2], bool eime, uint32_t index,
                struct vtd_route *route)
{
    uint64_t lo = raw[0];
    uint64_t hi = raw[1];
    uint64_t rsvd = VTD_IRTE_LO_RSVD | VTD_IRTE_LO_IM;
    unsigned mode = (unsigned)VTD_GET(VTD_IRTE_LO_DLM, lo);
    uint8_t check;

    if (!(lo & VTD_IRTE_LO_P)) {
        return VTD_FR_IR_NOT_PRESENT;
    }
    if (!eime) {
        rsvd |= VTD_IRTE_LO_RSVD_XAPIC;
    }
    if ((lo & rsvd) | (hi & VTD_IRTE_HI_RSVD) | (VTD_DLM_RSVD >> mode & 1)) {
        return VTD_FR_IR_ENTRY_RSVD;
    }
    check = sid_checks[VTD_GET(VTD_IRTE_HI_SVT | VTD_IRTE_HI_SQ, hi)];
    if (check == SID_RSVD) {
        return VTD_FR_IR_ENTRY_RSVD;
    }
    if (mode == VTD_DLM_FIXED && (lo & VTD_IRTE_LO_RH)) {
        mode = VTD_DLM_LOWEST;
    }
    *route = (struct vtd_route){
        .index = index,
        .dest = (uint32_t)(eime ? VTD_GET(VTD_IRTE_LO_DST, lo)
                                : VTD_GET(VTD_IRTE_LO_DST_XAPIC, lo)),
        .sid = check == VTD_SID_NONE ? 0 : (uint16_t)hi,
        .vector = (uint8_t)VTD_GET(VTD_IRTE_LO_V, lo),
        .sid_check = check,
        .delivery_mode = (uint8_t)mode,
        .present = true,
        .logical = (lo & VTD_IRTE_LO_DM) != 0,
        .level = (lo & VTD_IRTE_LO_TM) != 0,
        .fpd = (lo & VTD_IRTE_LO_FPD) != 0,
    };
    return VTD_FR_OK;
}

/*
 * In a bus range the first bus is the high byte of the entry's SID and the
 * last one the low byte; Linux and Xen program (first << 8) | last.
 */
static bool
sid_matches(const struct vtd_route *route, uint16_t sid)
{
    static const uint16_t compared[] = {
        [VTD_SID_NONE] = 0,
        [VTD_SID_EXACT] = 0xffff,
        [VTD_SID_IGNORE_2] = 0xfffb,
        [VTD_SID_IGNORE_2_1] = 0xfff9,
        [VTD_SID_IGNORE_2_0] = 0xfff8,
    };
    uint8_t bus = (uint8_t)(sid >> 8);

    if (route->sid_check == VTD_SID_BUS_RANGE) {
        return bus >= route->sid >> 8 && bus <= (route->sid & 0xff);
    }
    return ((sid ^ route->sid) & compared[route->sid_check]) == 0;
}

/*
 * Look a request up.  Of @raw, which stays zero unless the entry was read,
 * FPD says whether a fault is recorded: those found before the entry, and
 * that of reading it, always are.
 * [VT-d 4.1, "Interrupt-Remapping Fault Conditions"]
 */
static enum vtd_fr
resolve(const struct vtd *vtd, struct request req, uint64_t raw[2],
        struct vtd_route *route)
{
    enum vtd_fr fr;

    raw[0] = 0;
    raw[1] = 0;
    fr = vtd_irte_fetch(vtd, req.index, raw);
    if (fr == VTD_FR_OK) {
        fr = vtd_irte_decode(raw, vtd->irt.eime, req.index, route);
    }
    if (fr == VTD_FR_OK && req.sid_valid && !sid_matches(route, req.sid)) {
        fr = VTD_FR_IR_SID;
    }
    return fr;
}

/*
 * The sum of handle and subhandle does not wrap: beyond 16 bits it is beyond
 * every table.  Data counts only with a subhandle: an IOAPIC sends its vector
 * there without one.
 * [VT-d 4.1, "Interrupt Requests in Remappable Format"]
 */
static enum vtd_fr
request_index(uint64_t addr, uint32_t data, uint32_t *index)
{
    *index = 0;
    if ((addr & VTD_MSI_ADDR_BASE) != VTD_MSI_ADDR_FIXED) {
        return VTD_FR_IR_REQ_RSVD;
    }
    *index = (uint32_t)(VTD_GET(VTD_RMSI_ADDR_HANDLE, addr) |
                        VTD_GET(VTD_RMSI_ADDR_HANDLE_15, addr) << 15);
    if (addr & VTD_RMSI_ADDR_SHV) {
        if (data & VTD_RMSI_DATA_RSVD) {
            return VTD_FR_IR_REQ_RSVD;
        }
        *index += (uint32_t)VTD_GET(VTD_RMSI_DATA_SUBHANDLE, data);
    }
    return VTD_FR_OK;
}

static void
decode_compat(uint64_t addr, uint32_t data, struct vtd_route *route)
{
    unsigned mode = (unsigned)VTD_GET(VTD_CMSI_DATA_DLM, data);

    if (mode == VTD_DLM_FIXED && (addr & VTD_CMSI_ADDR_RH)) {
        mode = VTD_DLM_LOWEST;
    }
    *route = (struct vtd_route){
        .index = UINT32_MAX,
        .dest = (uint32_t)VTD_GET(VTD_CMSI_ADDR_DEST, addr),
        .vector = (uint8_t)VTD_GET(VTD_CMSI_DATA_V, data),
        .delivery_mode = (uint8_t)mode,
        .present = true,
        .logical = (addr & VTD_CMSI_ADDR_DM) != 0,
        .level = (data & VTD_CMSI_DATA_TM) != 0,
    };
}

enum vtd_fr
vtd_ir_remap(struct vtd *vtd, uint64_t addr, uint32_t data, uint16_t sid,
             bool sid_valid, struct vtd_route *route)
{
    struct request req = { .sid = sid, .sid_valid = sid_valid };
    uint32_t gsts = vtd_reg32(vtd, VTD_OFF_GSTS);
    uint64_t raw[2] = { 0, 0 };
    enum vtd_fr fr;

    if (!(gsts & VTD_GSTS_IRES)) {
        decode_compat(addr, data, route);
        return VTD_FR_OK;
    }
    if (addr & VTD_MSI_ADDR_FORMAT) {
        fr = request_index(addr, data, &req.index);
        if (fr == VTD_FR_OK) {
            fr = resolve(vtd, req, raw, route);
        }
    } else if (vtd->irt.eime || !(gsts & VTD_GSTS_CFIS)) {
        fr = VTD_FR_IR_COMPAT;
    } else {
        decode_compat(addr, data, route);
        fr = VTD_FR_OK;
    }
    if (fr != VTD_FR_OK && !(raw[0] & VTD_IRTE_LO_FPD)) {
        vtd_fault_record(vtd, fr, sid_valid ? sid : 0, req.index);
    }
    return fr;
}

/*
 * The route is announced even if it was before: a consumer that missed it
 * does not have it.
 */
static void
answer_miss(struct vtd *vtd, const struct vtd_ir_event *event)
{
    struct request req = { event->index, event->sid, event->sid_valid };
    struct vtd_route route;
    uint64_t raw[2];
    enum vtd_fr fr;

    vtd->stat[VTD_STAT_MISS]++;
    VTD_TRACE(vtd, MISS, event->index, event->sid, 0, 0);
    fr = resolve(vtd, req, raw, &route);
    if (fr == VTD_FR_OK) {
        vtd_route_announce(vtd, raw, &route);
        vtd->ops->ir_retry(vtd->ctx, event);
        return;
    }
    vtd_route_withdraw(vtd, event->index);
    if (!(raw[0] & VTD_IRTE_LO_FPD)) {
        vtd_fault_record(vtd, fr, event->sid, event->index);
    }
}

/* Events of a time when remapping was enabled still come after its end. */
void
vtd_ir_event(struct vtd *vtd, const struct vtd_ir_event *event)
{
    if (!(vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_IRES)) {
        return;
    }
    if (event->reason == VTD_FR_IR_NOT_PRESENT) {
        answer_miss(vtd, event);
    } else if (event->reason != VTD_FR_OK) {
        vtd_fault_record(vtd, event->reason, event->sid, event->index);
    }
    /* After the record: while PFO is set there would be none. */
    if (event->lost) {
        vtd_fault_lost(vtd);
    }
}

int
vtd_irte_inspect(const struct vtd *vtd, uint32_t index, uint64_t raw[2],
                 enum vtd_fr *verdict, struct vtd_route *route,
                 struct vtd_route *announced)
{
    const struct vtd_route none = { .index = index };
    enum vtd_fr fr = vtd_irte_fetch(vtd, index, raw);

    if (fr != VTD_FR_OK) {
        return fr == VTD_FR_IR_INDEX_RANGE ? -ERANGE : -EFAULT;
    }
    *route = none;
    *announced = none;
    *verdict = vtd_irte_decode(raw, vtd->irt.eime, index, route);
    vtd_route_lookup(vtd, index, announced);
    return 0;
}
