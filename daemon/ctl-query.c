/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl-query.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/ctl-common.h"
#include "daemon/ctl-dma.h"
#include "daemon/viommud.h"

/* What one reply lists at most, and what it looks at for that: a client that
 * asks for more asks again, and the guest has its turn in between. */
#define IRT_LIST_MAX   256u
#define IRT_SCAN_MAX   4096u
#define QUEUE_LIST_MAX 32u

/* --- query-status --------------------------------------------------------- */

static struct json_object *
xen_counters(const struct xen_dm_op_viommu_query *query)
{
    struct json_object *obj = json_object_new_object();

    ctl_add_uint(obj, "remapped", query->remapped);
    ctl_add_uint(obj, "events", query->events);
    ctl_add_uint(obj, "lost", query->lost);
    ctl_add_uint(obj, "requests", query->requests);
    return obj;
}

static struct json_object *
xen_status(const struct xen_dm_op_viommu_query *query)
{
    struct json_object *obj = xen_counters(query);

    ctl_add_uint(obj, "version", query->version);
    ctl_add_uint(obj, "features", query->features);
    ctl_add_uint(obj, "owner", query->owner);
    return obj;
}

static unsigned
faults_pending(const struct unit *unit)
{
    unsigned n = 0;

    for (unsigned i = 0; i < unit->config.faults; i++) {
        struct vtd_fault_info info;

        vtd_fault_info(unit->vtd, i, &info);
        n += info.valid;
    }

    return n;
}

/* What a unit's scope names; for all the others an empty list. */
static struct json_object *
device_list(const struct viommu_config *config)
{
    struct json_object *list = json_object_new_array();

    for (uint8_t i = 0; i < config->device_count; i++) {
        unsigned sid = config->device[i];
        char text[16];

        (void)snprintf(text, sizeof(text), "%02x:%02x.%x", sid >> 8,
                       sid >> 3 & 0x1f, sid & 7);
        json_object_array_add(list, json_object_new_string(text));
    }
    return list;
}

static struct json_object *
unit_status(const struct unit *unit)
{
    struct json_object *obj = json_object_new_object();
    struct vtd_ir_state state;
    struct vtd_queue_info queue;

    vtd_ir_state_get(unit->vtd, &state);
    vtd_queue_info(unit->vtd, &queue);

    ctl_add_uint(obj, "unit", unit->index);
    ctl_add_uint(obj, "base", unit->config.base);
    ctl_add_string(obj, "dma", config_dma_name(unit->config.dma));
    ctl_add_bool(obj, "translating", ctl_reg_field(unit->vtd, "GSTS", "TES"));
    json_object_object_add(obj, "devices", device_list(&unit->config));
    ctl_add_bool(obj, "wired", unit->wired);
    ctl_add_bool(obj, "intremap", state.enabled);
    ctl_add_bool(obj, "x2apic",
                 state.enabled && ctl_reg_field(unit->vtd, "IRTA", "EIME"));
    ctl_add_bool(obj, "queue", queue.enabled);
    ctl_add_bool(obj, "compat-blocked", state.enabled && state.block_compat);
    ctl_add_uint(obj, "table-entries", state.entries);
    ctl_add_uint(obj, "faults-pending", faults_pending(unit));
    return obj;
}

static struct json_object *
notes(void)
{
    struct json_object *list = json_object_new_array();

    json_object_array_add(
        list,
        json_object_new_string(
            "A device model that names no source id for its MSIs, as Debian's "
            "QEMU, has them delivered without the source-id check of the "
            "entry; the I/O APIC and callers that name one are always "
            "checked."));
    return list;
}

static struct json_object *
query_status(void *ctx, struct json_object *args, struct qmp_error *error)
{
    struct viommud *v = ctx;
    struct json_object *obj = json_object_new_object();
    struct json_object *ioreq = json_object_new_object();
    struct json_object *units = json_object_new_array();
    struct xen_dm_op_viommu_query query;
    char config[CONFIG_TEXT_SIZE];

    (void)args;
    (void)error;
    (void)configs_format(&v->configs, config, sizeof(config));

    ctl_add_uint(obj, "domid", v->xen.domid);
    ctl_add_uint(obj, "pid", (uint64_t)getpid());
    ctl_add_string(obj, "version", VIOMMUD_VERSION);
    ctl_add_uint(obj, "uptime-ms", loop_now_ms() - v->start_ms);
    ctl_add_string(obj, "state", "running");
    ctl_add_string(obj, "config", config);
    json_object_object_add(obj, "notes", notes());

    ctl_add_uint(ioreq, "server", v->ioreq.id);
    ctl_add_uint(ioreq, "vcpus", v->ioreq.vcpus);
    json_object_object_add(obj, "ioreq", ioreq);

    for (unsigned i = 0; i < v->unit_count; i++)
        json_object_array_add(units, unit_status(&v->unit[i]));
    json_object_object_add(obj, "units", units);

    /* A domain on its way out has no answer. */
    json_object_object_add(
        obj, "xen",
        dmop_query(&v->xen.dmop, &query) ? NULL : xen_status(&query));
    return obj;
}

/* --- query-regs ----------------------------------------------------------- */

static struct json_object *
reg_object(const struct vtd *vtd, unsigned i)
{
    struct json_object *obj = json_object_new_object();
    struct json_object *fields = json_object_new_array();
    uint64_t val = vtd_reg_value(vtd, i);
    struct vtd_reg_info info;

    vtd_reg_info(vtd, i, &info);
    ctl_add_string(obj, "name", info.name);
    ctl_add_uint(obj, "offset", info.off);
    ctl_add_uint(obj, "size", info.size);
    ctl_add_uint(obj, "value", val);

    for (unsigned j = 0; j < info.field_count; j++) {
        const struct vtd_field *field = &info.field[j];
        struct json_object *entry = json_object_new_object();

        ctl_add_string(entry, "name", field->name);
        ctl_add_uint(entry, "value",
                     (val & field->mask) >> __builtin_ctzll(field->mask));
        json_object_array_add(fields, entry);
    }
    json_object_object_add(obj, "fields", fields);
    return obj;
}

static struct json_object *
query_regs(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct unit *unit = ctl_arg_unit(ctx, args, error);
    struct json_object *list;

    if (!unit)
        return NULL;

    list = json_object_new_array();
    for (unsigned i = 0; i < vtd_reg_count(unit->vtd); i++)
        json_object_array_add(list, reg_object(unit->vtd, i));
    return list;
}

/* --- query-irt ------------------------------------------------------------ */

static const char *
mode_name(uint8_t mode)
{
    static const char *const name[] = {
        "fixed", "lowest-priority", "smi",    "reserved", "nmi",
        "init",  "reserved",        "extint",
    };

    return name[mode & 7];
}

static const char *
sid_check_name(uint8_t check)
{
    static const char *const name[] = {
        [VTD_SID_NONE] = "none",
        [VTD_SID_EXACT] = "exact",
        [VTD_SID_IGNORE_2] = "ignore-2",
        [VTD_SID_IGNORE_2_1] = "ignore-2-1",
        [VTD_SID_IGNORE_2_0] = "ignore-2-0",
        [VTD_SID_BUS_RANGE] = "bus-range",
    };

    return check < sizeof(name) / sizeof(name[0]) ? name[check] : "reserved";
}

/* Not by memcmp(): a structure has gaps. */
static bool
route_equal(const struct vtd_route *a, const struct vtd_route *b)
{
    return a->dest == b->dest && a->sid == b->sid && a->vector == b->vector &&
           a->sid_check == b->sid_check &&
           a->delivery_mode == b->delivery_mode && a->logical == b->logical &&
           a->level == b->level && a->fpd == b->fpd;
}

/* One entry, as vtd_irte_inspect() sees it. */
struct irte_view {
    uint32_t index;
    uint64_t raw[2];
    enum vtd_fr verdict;
    struct vtd_route route;
    struct vtd_route announced;
};

static struct json_object *
irte_object(const struct irte_view *view)
{
    struct json_object *obj = json_object_new_object();
    const struct vtd_route *route = &view->route;
    bool ok = view->verdict == VTD_FR_OK;
    bool routed = ok && route->present;

    ctl_add_uint(obj, "index", view->index);
    ctl_add_raw(obj, view->raw, 2);
    ctl_add_bool(obj, "present", view->verdict != VTD_FR_IR_NOT_PRESENT);
    ctl_add_string(obj, "verdict",
                   routed ? "ok"
                   : ok   ? "posted"
                          : vtd_fault_name((uint8_t)view->verdict));
    ctl_add_uint(obj, "vector", route->vector);
    ctl_add_uint(obj, "dest", route->dest);
    ctl_add_string(obj, "mode", mode_name(route->delivery_mode));
    ctl_add_bool(obj, "logical", route->logical);
    ctl_add_bool(obj, "level", route->level);
    ctl_add_uint(obj, "sid", route->sid);
    ctl_add_string(obj, "sid-check", sid_check_name(route->sid_check));
    ctl_add_bool(obj, "announced", view->announced.present);
    ctl_add_bool(obj, "stale",
                 view->announced.present &&
                     !(routed && route_equal(route, &view->announced)));
    return obj;
}

static int
irte_view(const struct vtd *vtd, uint32_t index, struct irte_view *view)
{
    *view = (struct irte_view){ .index = index };
    return vtd_irte_inspect(vtd, index, view->raw, &view->verdict, &view->route,
                            &view->announced);
}

struct irt_range {
    uint64_t first;
    uint64_t count;
    bool all;
};

/*
 * List what @range asks for.  Returns the index to go on at, or @entries at
 * the end of the table.
 */
static uint32_t
irt_list(const struct vtd *vtd, const struct irt_range *range, uint32_t entries,
         struct json_object *list)
{
    uint64_t index = range->first;
    uint64_t end = index + IRT_SCAN_MAX;

    for (; index < entries && index < end; index++) {
        struct irte_view view;
        int rc;

        if (json_object_array_length(list) >= range->count)
            break;

        rc = irte_view(vtd, (uint32_t)index, &view);
        if (rc == -ERANGE)
            return entries;
        if (rc) /* unreadable memory, as if the table were empty there */
            continue;

        if (range->all || view.announced.present ||
            view.verdict != VTD_FR_IR_NOT_PRESENT)
            json_object_array_add(list, irte_object(&view));
    }

    return index < entries ? (uint32_t)index : entries;
}

static struct json_object *
query_irt(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct unit *unit = ctl_arg_unit(ctx, args, error);
    struct irt_range range = { .count = IRT_LIST_MAX };
    struct vtd_ir_state state;
    struct json_object *obj;
    struct json_object *list;
    uint32_t next;

    if (!unit ||
        !qmp_arg_uint(args, "first", VTD_IRT_MAX - 1, &range.first, error) ||
        !qmp_arg_uint(args, "count", VTD_IRT_MAX, &range.count, error) ||
        !qmp_arg_bool(args, "all", &range.all, error))
        return NULL;

    if (range.count > IRT_LIST_MAX)
        range.count = IRT_LIST_MAX;

    obj = json_object_new_object();
    list = json_object_new_array();
    vtd_ir_state_get(unit->vtd, &state);
    next = irt_list(unit->vtd, &range, state.entries, list);

    ctl_add_uint(obj, "entries", state.entries);
    ctl_add_uint(obj, "base", ctl_reg_field(unit->vtd, "IRTA", "IRTA"));
    json_object_object_add(obj, "list", list);
    json_object_object_add(obj, "next",
                           next < state.entries ? json_object_new_uint64(next)
                                                : NULL);
    return obj;
}

/* --- query-queue ---------------------------------------------------------- */

static struct json_object *
desc_object(const struct vtd *vtd, const struct vtd_queue_info *info,
            uint32_t index)
{
    struct json_object *obj = json_object_new_object();
    uint64_t desc[4] = { 0 };
    bool readable = !vtd_queue_inspect(vtd, index, desc);
    /* Both counted from the head, around the end of the queue. */
    uint32_t dist = (index + info->entries - info->head) % info->entries;
    uint32_t depth = (info->tail + info->entries - info->head) % info->entries;

    ctl_add_uint(obj, "index", index);
    ctl_add_raw(obj, desc, readable ? info->entry_size / 8 : 0);
    ctl_add_string(obj, "type", readable ? vtd_desc_name(desc) : "unreadable");
    ctl_add_bool(obj, "pending", dist < depth);
    return obj;
}

static struct json_object *
desc_list(const struct vtd *vtd, const struct vtd_queue_info *info)
{
    struct json_object *list = json_object_new_array();
    uint32_t n =
        info->entries < QUEUE_LIST_MAX ? info->entries : QUEUE_LIST_MAX;

    if (!info->enabled || !n)
        return list;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t index = (info->tail % info->entries + info->entries - n + i) %
                         info->entries;

        json_object_array_add(list, desc_object(vtd, info, index));
    }
    return list;
}

static struct json_object *
query_queue(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct unit *unit = ctl_arg_unit(ctx, args, error);
    struct vtd_queue_info info;
    struct json_object *obj;

    if (!unit)
        return NULL;

    vtd_queue_info(unit->vtd, &info);
    obj = json_object_new_object();
    ctl_add_bool(obj, "enabled", info.enabled);
    ctl_add_bool(obj, "stopped", info.stopped);
    ctl_add_uint(obj, "base", info.base);
    ctl_add_uint(obj, "entries", info.entries);
    ctl_add_uint(obj, "entry-size", info.entry_size);
    ctl_add_uint(obj, "head", info.head);
    ctl_add_uint(obj, "tail", info.tail);
    ctl_add_uint(obj, "error", info.error);
    json_object_object_add(obj, "list", desc_list(unit->vtd, &info));
    return obj;
}

/* --- query-faults, query-stats -------------------------------------------- */

static struct json_object *
query_faults(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct unit *unit = ctl_arg_unit(ctx, args, error);
    struct json_object *list;

    if (!unit)
        return NULL;

    list = json_object_new_array();
    for (unsigned i = 0; i < unit->config.faults; i++) {
        struct json_object *obj = json_object_new_object();
        struct vtd_fault_info info;

        vtd_fault_info(unit->vtd, i, &info);
        ctl_add_uint(obj, "record", i);
        ctl_add_bool(obj, "valid", info.valid);
        ctl_add_uint(obj, "sid", info.sid);
        ctl_add_uint(obj, "reason", info.reason);
        ctl_add_string(obj, "text",
                       info.valid ? vtd_fault_name(info.reason) : "");
        /* The interrupt's index is in the top of the fault information. */
        ctl_add_uint(obj, "index", info.info >> 48);
        ctl_add_raw(obj, info.raw, 2);
        json_object_array_add(list, obj);
    }
    return list;
}

static struct json_object *
model_stats(const struct vtd *vtd)
{
    struct json_object *obj = json_object_new_object();

    for (unsigned i = 0; i < VTD_STAT_COUNT; i++)
        ctl_add_uint(obj, vtd_stat_name((enum vtd_stat)i),
                     vtd_stat_value(vtd, (enum vtd_stat)i));
    return obj;
}

static struct json_object *
ioreq_stats(const struct ioreq_stats *stats)
{
    struct json_object *obj = json_object_new_object();

    ctl_add_uint(obj, "requests", stats->requests);
    ctl_add_uint(obj, "rep", stats->rep);
    ctl_add_uint(obj, "data-is-ptr", stats->data_is_ptr);
    ctl_add_uint(obj, "invalidate", stats->invalidate);
    ctl_add_uint(obj, "other", stats->other);
    return obj;
}

static struct json_object *
query_stats(void *ctx, struct json_object *args, struct qmp_error *error)
{
    struct viommud *v = ctx;
    const struct unit *unit = ctl_arg_unit(v, args, error);
    struct xen_dm_op_viommu_query query;
    struct json_object *obj;
    struct json_object *dmop;
    int rc;

    if (!unit)
        return NULL;

    rc = dmop_query(&v->xen.dmop, &query);
    obj = json_object_new_object();
    dmop = json_object_new_object();
    ctl_add_uint(dmop, "calls", v->xen.dmop.stats.calls);
    ctl_add_uint(dmop, "errors", v->xen.dmop.stats.errors);
    ctl_add_uint(dmop, "routes", v->xen.dmop.stats.routes);

    json_object_object_add(obj, "model", model_stats(unit->vtd));
    json_object_object_add(obj, "ioreq", ioreq_stats(&v->ioreq.stats));
    json_object_object_add(obj, "xen", rc ? NULL : xen_counters(&query));
    json_object_object_add(obj, "dmop", dmop);
    return obj;
}

static const char *const no_args[] = { NULL };
static const char *const unit_args[] = { "unit", NULL };
static const char *const irt_args[] = { "unit", "all", "first", "count", NULL };
static const char *const tlb_args[] = { "unit", "first", "count", NULL };
static const char *const walk_args[] = {
    "unit", "sid", "pasid", "iova", "access", "privileged", NULL,
};

const struct qmp_command ctl_query_commands[] = {
    { "query-status", no_args, query_status },
    { "query-regs", unit_args, query_regs },
    { "query-irt", irt_args, query_irt },
    { "query-queue", unit_args, query_queue },
    { "query-faults", unit_args, query_faults },
    { "query-stats", unit_args, query_stats },
    { "query-devices", no_args, ctl_dma_devices },
    { "query-walk", walk_args, ctl_dma_walk },
    { "query-why", unit_args, ctl_dma_why },
    { "query-tlb", tlb_args, ctl_dma_tlb },
    { "query-clients", no_args, ctl_dma_clients },
};

const unsigned ctl_query_command_count =
    sizeof(ctl_query_commands) / sizeof(ctl_query_commands[0]);
