/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/ir.h"

#include <errno.h>

#include "daemon/vtd/fault.h"
#include "daemon/vtd/posted.h"
#include "daemon/vtd/regs.h"
#include "daemon/vtd/route.h"

/* A remappable request, decoded. */
struct request {
    uint32_t index;
    uint16_t sid;
    bool sid_valid;
};

/*
 * How the source id is checked, by SVT << 2 | SQ; SQ means something with SVT
 * 01b only.  @compared are the bits of it that must be equal.
 */
static const struct sid_rule {
    uint16_t compared;
    uint8_t check;
} sid_rules[] = {
    { 0, VTD_SID_NONE },
    { 0, VTD_SID_NONE },
    { 0, VTD_SID_NONE },
    { 0, VTD_SID_NONE },
    { 0xffff, VTD_SID_EXACT },
    { 0xfffb, VTD_SID_IGNORE_2 },
    { 0xfff9, VTD_SID_IGNORE_2_1 },
    { 0xfff8, VTD_SID_IGNORE_2_0 },
    { 0, VTD_SID_BUS_RANGE },
    { 0, VTD_SID_BUS_RANGE },
    { 0, VTD_SID_BUS_RANGE },
    { 0, VTD_SID_BUS_RANGE },
};

#define SID_RULES (sizeof(sid_rules) / sizeof(sid_rules[0]))

/*
 * What bits 7:0 of an entry, its flags and delivery mode, make of a route.
 * They are not usable without P, nor with a reserved delivery mode.  A hint
 * to redirect makes a fixed interrupt one of lowest priority.
 */
struct flags {
    uint8_t delivery_mode;
    bool usable;
    bool logical;
    bool level;
};

#define MODE(b) ((b) >> 5)
#define FLAGS(b)                                                          \
    {                                                                     \
        MODE(b) == VTD_DLM_FIXED && ((b)&VTD_IRTE_LO_RH) ? VTD_DLM_LOWEST \
                                                         : MODE(b),       \
            ((b)&VTD_IRTE_LO_P) && !(VTD_DLM_RSVD >> MODE(b) & 1),        \
            ((b)&VTD_IRTE_LO_DM) != 0, ((b)&VTD_IRTE_LO_TM) != 0,         \
    }
#define FLAGS_4(b) FLAGS(b), FLAGS((b) + 1), FLAGS((b) + 2), FLAGS((b) + 3)
#define FLAGS_16(b) \
    FLAGS_4(b), FLAGS_4((b) + 4), FLAGS_4((b) + 8), FLAGS_4((b) + 12)
#define FLAGS_64(b) \
    FLAGS_16(b), FLAGS_16((b) + 16), FLAGS_16((b) + 32), FLAGS_16((b) + 48)

static const struct flags flags_of[256] = {
    FLAGS_64(0),
    FLAGS_64(64),
    FLAGS_64(128),
    FLAGS_64(192),
};

/*
 * Without extended interrupt mode the destination is 8 bits and the bits
 * around them are reserved.  IM is reserved here in any unit: resolve() looks
 * at entries of the posted format.
 */
void
vtd_irt_set_mode(struct vtd_irt *irt)
{
    irt->lo_rsvd = VTD_IRTE_LO_RSVD | VTD_IRTE_LO_IM;
    irt->dest_shift = 32;
    if (!irt->eime) {
        irt->lo_rsvd |= VTD_IRTE_LO_RSVD_XAPIC;
        irt->dest_shift = 40;
    }
}

/*
 * Reserved values of SVT and DLM count as reserved fields: no source can
 * satisfy the one and no processor accept the other, and a route could not
 * express either.  SVT 11b and the reserved bits above it are what leads
 * outside sid_rules[].
 *
 * DEVIATION: QEMU and VirtualBox report SVT 11b as a failed check, 26h.
 */
static inline enum vtd_fr
validate(const struct vtd_irt *irt, uint64_t lo, uint64_t hi)
{
    if (flags_of[lo & 0xff].usable && !(lo & irt->lo_rsvd) &&
        hi >> 16 < SID_RULES) {
        return VTD_FR_OK;
    }
    return lo & VTD_IRTE_LO_P ? VTD_FR_IR_ENTRY_RSVD : VTD_FR_IR_NOT_PRESENT;
}

/* All of *route but the index, from a valid entry. */
static inline void
fill(const struct vtd_irt *irt, uint64_t lo, uint64_t hi,
     struct vtd_route *route)
{
    const struct flags *flags = &flags_of[lo & 0xff];

    route->dest = (uint32_t)(lo >> irt->dest_shift);
    route->sid = (uint16_t)hi;
    route->vector = (uint8_t)VTD_GET(VTD_IRTE_LO_V, lo);
    route->sid_check = sid_rules[hi >> 16].check;
    route->delivery_mode = flags->delivery_mode;
    route->present = true;
    route->logical = flags->logical;
    route->level = flags->level;
    route->fpd = (lo & VTD_IRTE_LO_FPD) != 0;
}

enum vtd_fr
vtd_irte_decode(const struct vtd_irt *irt, const uint64_t raw[2],
                struct vtd_route *route)
{
    enum vtd_fr fr = validate(irt, raw[0], raw[1]);

    if (fr == VTD_FR_OK) {
        fill(irt, raw[0], raw[1], route);
    }
    return fr;
}

/*
 * In a bus range the first bus is the high byte of the entry's SID and the
 * last one the low byte; Linux and Xen program (first << 8) | last.
 */
static inline bool
sid_matches(uint64_t hi, uint16_t sid)
{
    const struct sid_rule *rule = &sid_rules[hi >> 16];

    if (rule->check == VTD_SID_BUS_RANGE) {
        return sid >> 8 >= (hi >> 8 & 0xff) && sid >> 8 <= (hi & 0xff);
    }
    return ((hi ^ sid) & rule->compared) == 0;
}

/* Apply valid entry @raw to @req. */
static inline enum vtd_fr
apply(const struct vtd *vtd, struct request req, const uint64_t raw[2],
      struct vtd_route *route)
{
    if (req.sid_valid && !sid_matches(raw[1], req.sid)) {
        return VTD_FR_IR_SID;
    }
    route->index = req.index;
    fill(&vtd->irt, raw[0], raw[1], route);
    return VTD_FR_OK;
}

/* The same with an entry of the posted format, which is in vtd->irte. */
static __attribute__((noinline)) enum vtd_fr
post(struct vtd *vtd, struct request req, struct vtd_route *route)
{
    enum vtd_fr fr = vtd_posted_check(vtd, vtd->irte);

    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (req.sid_valid && !sid_matches(vtd_posted_source(vtd->irte), req.sid)) {
        return VTD_FR_IR_SID;
    }
    *route = (struct vtd_route){ .index = req.index };
    return vtd_posted_deliver(vtd, req.index, vtd->irte);
}

/* Look a request up in the table; the entry is left in vtd->irte. */
static enum vtd_fr
resolve(struct vtd *vtd, struct request req, struct vtd_route *route)
{
    enum vtd_fr fr;

    if (req.index >= vtd->irt.entries) {
        return VTD_FR_IR_INDEX_RANGE;
    }
    if (vtd_irte_read(vtd, req.index, vtd->irte)) {
        return VTD_FR_IR_ROOT_ACCESS;
    }
    fr = validate(&vtd->irt, vtd->irte[0], vtd->irte[1]);
    if (fr == VTD_FR_OK) {
        return apply(vtd, req, vtd->irte, route);
    }
    if (fr == VTD_FR_IR_ENTRY_RSVD && vtd_irte_is_posted(vtd, vtd->irte)) {
        return post(vtd, req, route);
    }
    return fr;
}

/*
 * FPD qualifies the faults that are found in its entry; the others are always
 * recorded.  [VT-d 4.1, "Interrupt-Remapping Fault Conditions"]
 */
static bool
is_recorded(enum vtd_fr fr, uint64_t lo)
{
    switch (fr) {
    case VTD_FR_IR_NOT_PRESENT:
    case VTD_FR_IR_ENTRY_RSVD:
    case VTD_FR_IR_SID:
    case VTD_FR_IR_PD_ACCESS:
    case VTD_FR_IR_PD_RSVD:
        return !(lo & VTD_IRTE_LO_FPD);
    default:
        return true;
    }
}

/* Record fault @fr if it is to be, with @lo of the entry; returns it. */
static __attribute__((noinline)) enum vtd_fr
record(struct vtd *vtd, enum vtd_fr fr, struct request req, uint64_t lo)
{
    if (fr != VTD_FR_OK && is_recorded(fr, lo)) {
        vtd_fault_record(vtd, fr, req.sid_valid ? req.sid : 0, req.index);
    }
    return fr;
}

static __attribute__((noinline)) enum vtd_fr
remap_by_table(struct vtd *vtd, struct request req, struct vtd_route *route)
{
    enum vtd_fr fr = resolve(vtd, req, route);

    return record(vtd, fr, req, vtd->irte[0]);
}

/*
 * Announced entries, which are valid, serve here as they do at the consumer,
 * so that a request has one answer wherever it is asked for; an invalidation
 * makes both follow the table.  Entries that are not announced are read.
 */
static inline __attribute__((always_inline)) enum vtd_fr
remap(struct vtd *vtd, struct request req, struct vtd_route *route)
{
    const uint64_t *told = vtd->routes.entry[req.index & (VTD_IRT_MAX - 1)];
    enum vtd_fr fr;

    if (req.index >= vtd->irt.entries || told[0] == 0) {
        return remap_by_table(vtd, req, route);
    }
    fr = apply(vtd, req, told, route);
    if (__builtin_expect(fr != VTD_FR_OK, 0)) {
        return record(vtd, fr, req, told[0]);
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

/* What is not remapped passes as it is, or is blocked. */
static enum vtd_fr
pass_or_block(struct vtd *vtd, uint64_t addr, uint32_t data, struct request req,
              struct vtd_route *route)
{
    uint32_t gsts = vtd_reg32(vtd, VTD_OFF_GSTS);

    if ((gsts & VTD_GSTS_IRES) && (vtd->irt.eime || !(gsts & VTD_GSTS_CFIS))) {
        return record(vtd, VTD_FR_IR_COMPAT, req, 0);
    }
    decode_compat(addr, data, route);
    return VTD_FR_OK;
}

static inline uint32_t
handle(uint64_t addr)
{
    return (uint32_t)(VTD_GET(VTD_RMSI_ADDR_HANDLE, addr) |
                      (addr & VTD_RMSI_ADDR_HANDLE_15) << 13);
}

/*
 * All but the plain remappable request.  The sum of handle and subhandle does
 * not wrap: beyond 16 bits it is beyond every table.  Data counts only with a
 * subhandle: an IOAPIC sends its vector there without one.
 * [VT-d 4.1, "Interrupt Requests in Remappable Format"]
 */
static __attribute__((noinline)) enum vtd_fr
remap_other(struct vtd *vtd, uint64_t addr, uint32_t data, uint16_t sid,
            bool sid_valid, struct vtd_route *route)
{
    struct request req = { .sid = sid, .sid_valid = sid_valid };
    uint64_t rsvd = (addr ^ VTD_MSI_ADDR_FIXED) & VTD_MSI_ADDR_BASE;

    if (!(vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_IRES) ||
        !(addr & VTD_MSI_ADDR_FORMAT)) {
        return pass_or_block(vtd, addr, data, req, route);
    }
    req.index = handle(addr);
    if (addr & VTD_RMSI_ADDR_SHV) {
        req.index += (uint32_t)VTD_GET(VTD_RMSI_DATA_SUBHANDLE, data);
        rsvd |= data & VTD_RMSI_DATA_RSVD;
    }
    return rsvd ? record(vtd, VTD_FR_IR_REQ_RSVD, req, 0)
                : remap(vtd, req, route);
}

/* The bits of an address that tell a plain remappable request. */
#define PLAIN      (VTD_MSI_ADDR_FIXED | VTD_MSI_ADDR_FORMAT)
#define PLAIN_MASK (VTD_MSI_ADDR_BASE | VTD_MSI_ADDR_FORMAT | VTD_RMSI_ADDR_SHV)

enum vtd_fr
vtd_ir_remap(struct vtd *vtd, uint64_t addr, uint32_t data, uint16_t sid,
             bool sid_valid, struct vtd_route *route)
{
    struct request req = { handle(addr), sid, sid_valid };

    if (!(vtd_reg32(vtd, VTD_OFF_GSTS) & VTD_GSTS_IRES) ||
        ((addr ^ PLAIN) & PLAIN_MASK)) {
        return remap_other(vtd, addr, data, sid, sid_valid, route);
    }
    return remap(vtd, req, route);
}

/*
 * The route is announced even if it was before: a consumer that missed it
 * does not have it.  A request that was posted is done; an entry of that
 * format has no route, so that each of its requests comes here.
 */
static void
answer_miss(struct vtd *vtd, const struct vtd_ir_event *event)
{
    struct request req = {
        .index = event->index,
        .sid = event->sid,
        .sid_valid = event->sid_valid,
    };
    struct vtd_route route;
    enum vtd_fr fr;

    vtd->stat[VTD_STAT_MISS]++;
    VTD_TRACE(vtd, MISS, event->index, event->sid, 0, 0);
    fr = resolve(vtd, req, &route);
    if (fr == VTD_FR_OK && route.present) {
        vtd_route_announce(vtd, vtd->irte, &route);
        vtd->ops->ir_retry(vtd->ctx, event);
        return;
    }
    vtd_route_withdraw(vtd, event->index);
    record(vtd, fr, req, vtd->irte[0]);
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

static enum vtd_fr
inspect_posted(const struct vtd *vtd, const uint64_t raw[2],
               struct vtd_route *route)
{
    enum vtd_fr fr = vtd_posted_check(vtd, raw);

    if (fr == VTD_FR_OK) {
        route->vector = (uint8_t)VTD_GET(VTD_PIRTE_LO_VV, raw[0]);
        route->sid = (uint16_t)raw[1];
        route->sid_check = sid_rules[vtd_posted_source(raw) >> 16].check;
        route->fpd = (raw[0] & VTD_IRTE_LO_FPD) != 0;
    }
    return fr;
}

int
vtd_irte_inspect(const struct vtd *vtd, uint32_t index, uint64_t raw[2],
                 enum vtd_fr *verdict, struct vtd_route *route,
                 struct vtd_route *announced)
{
    if (index >= vtd->irt.entries) {
        return -ERANGE;
    }
    if (vtd_irte_read(vtd, index, raw)) {
        return -EFAULT;
    }
    *route = (struct vtd_route){ .index = index };
    *announced = *route;
    *verdict = vtd_irte_decode(&vtd->irt, raw, route);
    if (*verdict == VTD_FR_IR_ENTRY_RSVD && vtd_irte_is_posted(vtd, raw)) {
        *verdict = inspect_posted(vtd, raw, route);
    }
    vtd_route_lookup(vtd, index, announced);
    return 0;
}
