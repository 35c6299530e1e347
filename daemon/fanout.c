/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/fanout.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/sinks.h"
#include "daemon/xen/dmop-abi.h"
#include "daemon/xen/gmem.h"

/* An MSI as the processor's local APICs read it. */
#define MSI_ADDR_APIC      UINT64_C(0xfee00000) /* bits 31:20 */
#define MSI_ADDR_APIC_MASK UINT64_C(0xfff00000)
#define MSI_ADDR_LOGICAL   (1u << 2)
#define MSI_ADDR_HINT      (1u << 3)
#define MSI_DATA_LEVEL     (1u << 15)
#define MSI_MODE_FIXED     0u
#define MSI_MODE_LOWEST    1u

#define INJECT_LOGICAL (1u << 3)
#define INJECT_LEVEL   (1u << 4)

/* Descriptors that one turn of the loop runs, between looking for requests. */
#define RUN_BUDGET 256u

/* The cookie of an event: how Xen is to run the request again. */
#define COOKIE_IOAPIC (UINT64_C(1) << 8)
#define COOKIE_PIN    UINT64_C(0xff)

/* A domain that dies takes its vIOMMU along; the end is noticed elsewhere. */
static void
host_error(const char *what, int rc)
{
    if (rc && rc != -ESRCH)
        log_limited(LOG_LEVEL_ERROR, "fanout: cannot %s: %s", what,
                    strerror(-rc));
}

/* --- the model's services ------------------------------------------------- */

static struct fanout *
fanout_of(void *ctx)
{
    const struct fanout_member *member = ctx;

    return member->fanout;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct fanout *fanout = fanout_of(ctx);

    return gmem_read(fanout->gmem, gpa, buf, len);
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    const struct fanout *fanout = fanout_of(ctx);

    return gmem_write(fanout->gmem, gpa, buf, len);
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    const struct fanout *fanout = fanout_of(ctx);

    return gmem_cmpxchg(fanout->gmem, gpa, expected, desired);
}

/*
 * The upper address register holds bits 31:8 of a 32-bit destination, at the
 * same place in the upper half.
 * [VT-d 4.1, "Fault Event Upper Address Register"]
 */
bool
fanout_msi_decode(uint64_t addr, uint32_t data,
                  struct xen_dm_op_viommu_ir_inject *inject)
{
    uint8_t mode = (data >> 8) & 7;

    if ((addr & MSI_ADDR_APIC_MASK) != MSI_ADDR_APIC)
        return false;

    /* The hint asks for one of the destinations: lowest priority does. */
    if ((addr & MSI_ADDR_HINT) && mode == MSI_MODE_FIXED)
        mode = MSI_MODE_LOWEST;
    if (addr & MSI_ADDR_LOGICAL)
        mode |= INJECT_LOGICAL;
    if (data & MSI_DATA_LEVEL)
        mode |= INJECT_LEVEL;

    *inject = (struct xen_dm_op_viommu_ir_inject){
        .flags = XEN_DMOP_VIOMMU_INJECT_BYPASS,
        .dest = ((uint32_t)(addr >> 32) & 0xffffff00u) |
                ((uint32_t)(addr >> 12) & 0xffu),
        .vector = (uint8_t)data,
        .mode = mode,
    };
    return true;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    const struct fanout *fanout = fanout_of(ctx);
    struct xen_dm_op_viommu_ir_inject inject;
    int rc = -EINVAL;

    /*
     * Hardware would write @data to memory at an address that is no APIC's; no
     * driver wants that.  Xen refuses delivery modes that do not exist.
     */
    if (fanout_msi_decode(addr, data, &inject))
        rc = dmop_ir_inject(fanout->dmop, &inject);

    if (rc == -EINVAL)
        log_limited(LOG_LEVEL_WARN,
                    "fanout: the guest's event message is no interrupt: "
                    "addr=0x%" PRIx64 " data=0x%" PRIx32,
                    addr, data);
    else
        host_error("inject an event of the unit", rc);
}

void
fanout_deliver(void *ctx, const struct vtd_route *route)
{
    const struct fanout *fanout = ctx;
    const struct xen_dm_op_viommu_ir_inject inject = {
        .flags = XEN_DMOP_VIOMMU_INJECT_BYPASS,
        .dest = route->dest,
        .vector = route->vector,
        .mode = (uint8_t)(route->delivery_mode |
                          (route->logical ? INJECT_LOGICAL : 0) |
                          (route->level ? INJECT_LEVEL : 0)),
    };
    int rc = dmop_ir_inject(fanout->dmop, &inject);

    /* Delivery modes that do not exist are the guest's. */
    if (rc == -EINVAL)
        log_limited(
            LOG_LEVEL_WARN,
            "fanout: a device's message is no interrupt: dest=0x%" PRIx32
            " vector=0x%x mode=0x%x",
            inject.dest, inject.vector, inject.mode);
    else
        host_error("inject a device's interrupt", rc);
}

/* There is always one. */
static const struct unit *
wired_unit(const struct fanout *fanout)
{
    const struct unit *unit = fanout->unit;

    while (!unit->wired)
        unit++;
    return unit;
}

static int
control(const struct fanout *fanout, const struct vtd_ir_state *state,
        uint16_t flags)
{
    struct xen_dm_op_viommu_ir_control op = {
        .flags = flags,
        .nr_entries = state->entries,
        .ioapic_sid = wired_unit(fanout)->config.ioapic_sid,
    };

    if (state->enabled)
        op.flags |= XEN_DMOP_VIOMMU_IR_ENABLE;
    if (state->block_compat)
        op.flags |= XEN_DMOP_VIOMMU_IR_BLOCK_COMPAT;

    return dmop_ir_control(fanout->dmop, &op);
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    const struct fanout *fanout = fanout_of(ctx);

    host_error("set the state of interrupt remapping",
               control(fanout, state, 0));
}

static uint16_t
route_flags(const struct vtd_route *route)
{
    unsigned flags = XEN_DMOP_VIOMMU_IRTE_PRESENT;

    if (route->logical)
        flags |= XEN_DMOP_VIOMMU_IRTE_LOGICAL;
    if (route->level)
        flags |= XEN_DMOP_VIOMMU_IRTE_LEVEL;
    if (route->fpd)
        flags |= XEN_DMOP_VIOMMU_IRTE_FPD;
    flags |= (unsigned)route->delivery_mode << XEN_DMOP_VIOMMU_IRTE_DLM_SHIFT;
    return (uint16_t)flags;
}

/* The two enumerations agree, so a check is passed on as it is. */
_Static_assert(VTD_SID_NONE == XEN_DMOP_VIOMMU_SID_NONE &&
                   VTD_SID_EXACT == XEN_DMOP_VIOMMU_SID_EXACT &&
                   VTD_SID_IGNORE_2 == XEN_DMOP_VIOMMU_SID_IGNORE_2 &&
                   VTD_SID_IGNORE_2_1 == XEN_DMOP_VIOMMU_SID_IGNORE_2_1 &&
                   VTD_SID_IGNORE_2_0 == XEN_DMOP_VIOMMU_SID_IGNORE_2_0 &&
                   VTD_SID_BUS_RANGE == XEN_DMOP_VIOMMU_SID_BUS_RANGE,
               "source id checks");
_Static_assert(VTD_ROUTE_BATCH <= DMOP_ROUTES_MAX, "a batch is one call");

static void
route_convert(const struct vtd_route *route, struct xen_dm_op_viommu_irte *irte)
{
    *irte = (struct xen_dm_op_viommu_irte){ .index = route->index };
    if (!route->present)
        return;

    irte->dest = route->dest;
    irte->sid = route->sid;
    irte->vector = route->vector;
    irte->sid_check = route->sid_check;
    irte->flags = route_flags(route);
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct fanout *fanout = fanout_of(ctx);

    assert(n >= 1 && n <= VTD_ROUTE_BATCH);
    for (unsigned i = 0; i < n; i++)
        route_convert(&route[i], &fanout->route[i]);

    host_error("set routes", dmop_ir_update(fanout->dmop, fanout->route, n));
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    const struct fanout *fanout = fanout_of(ctx);

    host_error("remove routes", dmop_ir_clear(fanout->dmop, first, n));
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    const struct fanout *fanout = fanout_of(ctx);
    struct xen_dm_op_viommu_ir_inject inject = { .index = miss->index };

    if (miss->sid_valid) {
        inject.flags |= XEN_DMOP_VIOMMU_INJECT_SID_VALID;
        inject.sid = miss->sid;
    }
    if (miss->cookie & COOKIE_IOAPIC) {
        inject.flags |= XEN_DMOP_VIOMMU_INJECT_IOAPIC;
        inject.vector = miss->cookie & COOKIE_PIN;
    }

    host_error("run an interrupt again", dmop_ir_inject(fanout->dmop, &inject));
}

static const char *const event_name[] = {
#define TRACE(name, args) [VTD_EV_##name] = #name " (" args ")",
#include "daemon/vtd/trace.def"
#undef TRACE
};

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    (void)ctx;
    log_debug("vtd: %s 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64,
              event_name[ev], arg[0], arg[1], arg[2], arg[3]);
}

/* --- services of a unit that Xen does not look at ------------------------- */

static void
no_ir_state(void *ctx, const struct vtd_ir_state *state)
{
    (void)ctx;
    (void)state;
}

static void
no_ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    (void)ctx;
    (void)route;
    (void)n;
}

static void
no_ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    (void)ctx;
    (void)first;
    (void)n;
}

static void
no_ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    (void)ctx;
    (void)miss;
}

/* --- services of a unit that remaps DMA ----------------------------------- */

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    const struct fanout_member *member = ctx;

    sinks_invalidate(member->fanout->sinks, member->index, inv);
}

static bool
sync_sinks(void *ctx, uint64_t token)
{
    const struct fanout_member *member = ctx;

    return sinks_sync(member->fanout->sinks, member->index, token);
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    const struct fanout_member *member = ctx;

    sinks_page_response(member->fanout->sinks, member->index, resp);
}

const struct vtd_ops *
fanout_ops(struct fanout *fanout, unsigned index, bool trace_events)
{
    struct fanout_member *member = &fanout->member[index];
    const struct unit *unit = &fanout->unit[index];
    struct vtd_ops ops = {
        .mem_read = mem_read,
        .mem_write = mem_write,
        .mem_cmpxchg = mem_cmpxchg,
        .msi = msi,
        .ir_state = unit->wired ? ir_state : no_ir_state,
        .ir_routes = unit->wired ? ir_routes : no_ir_routes,
        .ir_clear = unit->wired ? ir_clear : no_ir_clear,
        .ir_retry = unit->wired ? ir_retry : no_ir_retry,
        .trace = trace_events ? trace : NULL,
    };

    if (unit->config.dma != CONFIG_DMA_NONE) {
        ops.invalidate = invalidate;
        ops.sync = sync_sinks;
        ops.page_response = page_response;
    }

    *member = (struct fanout_member){
        .fanout = fanout,
        .index = index,
        .ops = ops,
    };
    return &member->ops;
}

/* --- what Xen reports ----------------------------------------------------- */

static uint64_t
reg_read(void *ctx, unsigned range, uint32_t off, unsigned size)
{
    const struct fanout *fanout = ctx;
    const struct unit *unit = &fanout->unit[range];

    return record_mmio_read(unit->record, unit->vtd, off, size);
}

static void
reg_write(void *ctx, unsigned range, uint32_t off, unsigned size, uint64_t val)
{
    const struct fanout *fanout = ctx;
    const struct unit *unit = &fanout->unit[range];

    record_mmio_write(unit->record, unit->vtd, off, size, val);
}

/*
 * A route that Xen cannot deliver, as one with a delivery mode that it does
 * not know, is to the guest an entry with a reserved value in it.
 */
static enum vtd_fr
event_reason(unsigned reason)
{
    switch (reason) {
    case VIOMMU_REASON_MISS:
        return VTD_FR_IR_NOT_PRESENT;
    case VIOMMU_REASON_RANGE:
        return VTD_FR_IR_INDEX_RANGE;
    case VIOMMU_REASON_SID:
        return VTD_FR_IR_SID;
    case VIOMMU_REASON_COMPAT:
        return VTD_FR_IR_COMPAT;
    case VIOMMU_REASON_RESERVED:
        return VTD_FR_IR_REQ_RSVD;
    case VIOMMU_REASON_MODE:
        return VTD_FR_IR_ENTRY_RSVD;
    default:
        return VTD_FR_OK;
    }
}

static void
ring_event(void *ctx, uint32_t addr, uint32_t data)
{
    const struct unit *unit = wired_unit(ctx);
    struct vtd_ir_event event = {
        .reason = event_reason(VIOMMU_EVENT_REASON(addr)),
        .index = VIOMMU_EVENT_INDEX(addr),
        .sid_valid = VIOMMU_EVENT_SID_VALID(data),
        .lost = VIOMMU_EVENT_LOST(data),
        .cookie = VIOMMU_EVENT_PIN(data),
    };

    if (event.reason == VTD_FR_OK) {
        log_limited(LOG_LEVEL_ERROR,
                    "fanout: Xen reports an unknown reason: addr=0x%" PRIx32
                    " data=0x%" PRIx32,
                    addr, data);
        return;
    }

    if (event.sid_valid)
        event.sid = VIOMMU_EVENT_SID(data);
    if (VIOMMU_EVENT_IOAPIC(data))
        event.cookie |= COOKIE_IOAPIC;

    record_ir_event(unit->record, unit->vtd, &event);
}

const struct ioreq_ops fanout_ioreq_ops = {
    .read = reg_read,
    .write = reg_write,
    .event = ring_event,
};

bool
fanout_work(struct fanout *fanout)
{
    bool more = false;

    for (unsigned i = 0; i < fanout->unit_count; i++) {
        const struct unit *unit = &fanout->unit[i];

        if (vtd_run_pending(unit->vtd))
            record_run(unit->record, unit->vtd, RUN_BUDGET);
        more |= vtd_run_pending(unit->vtd);
    }

    return more;
}

int
fanout_claim(struct fanout *fanout)
{
    struct vtd_ir_state state;

    vtd_ir_state_get(wired_unit(fanout)->vtd, &state);
    return control(fanout, &state,
                   XEN_DMOP_VIOMMU_IR_ADOPT | XEN_DMOP_VIOMMU_IR_FLUSH);
}
