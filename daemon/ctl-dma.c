/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl-dma.h"

#include <json-c/json.h>

#include "daemon/client/service.h"
#include "daemon/ctl-common.h"
#include "daemon/ctl-walk.h"
#include "daemon/qmp.h"
#include "daemon/viommud.h"

/* What one reply lists at most. */
#define TLB_LIST_MAX 256u

/* --- query-devices ---------------------------------------------------------- */

/* Who speaks for @sid; false if nobody ever did. */
static bool
find_speaker(const struct service *service, uint16_t sid,
             struct service_device_info *device)
{
    for (unsigned i = 0; service && service_device_info(service, i, device);
         i++) {
        if (device->sid == sid)
            return true;
    }
    return false;
}

static bool
find_client(const struct service *service, uint32_t id,
            struct service_client_info *client)
{
    for (unsigned i = 0; id && service_client_info(service, i, client); i++) {
        if (client->id == id)
            return true;
    }
    return false;
}

static struct json_object *
device_object(const struct service *service, const struct unit *unit,
              uint16_t sid)
{
    struct json_object *obj = json_object_new_object();
    struct service_device_info device = { .client = 0 };
    struct service_client_info client = { .id = 0 };
    struct ctl_walk walk;

    if (find_speaker(service, sid, &device))
        (void)find_client(service, device.client, &client);

    /* For its context; whether it may read at 0 does not matter. */
    ctl_walk_run(&walk, unit,
                 &(struct vtd_dma_req){ .pasid = VTD_NO_PASID,
                                        .sid = sid,
                                        .access = VTD_DMA_READ });
    ctl_add_uint(obj, "sid", sid);
    ctl_add_uint(obj, "unit", unit->index);
    ctl_walk_add_mode(obj, &walk);
    ctl_add_string(obj, "verdict",
                   vtd_fault_name(walk.ctx.stage == VTD_STAGE_NONE
                                      ? (uint8_t)walk.fr
                                      : VTD_FR_OK));
    ctl_add_known(obj, "client", client.id != 0, client.id);
    ctl_add_known(obj, "pid", client.id != 0, (uint64_t)client.pid);
    ctl_add_bool(obj, "walks", device.flags & VIOMMU_ATTACH_WALK);
    ctl_add_bool(obj, "notify", device.flags & VIOMMU_ATTACH_NOTIFY);
    ctl_add_bool(obj, "ats", device.flags & VIOMMU_ATTACH_ATS);
    ctl_add_bool(obj, "pri", device.flags & VIOMMU_ATTACH_PRI);
    ctl_add_bool(obj, "blocked", device.blocked);
    return obj;
}

/*
 * The devices that a unit's scope names; of one whose scope is everything else,
 * those that somebody speaks for.
 */
static void
unit_devices(const struct viommud *v, const struct unit *unit,
             struct json_object *list)
{
    const struct service *service = v->sinks.service;
    struct service_device_info device;

    if (unit->config.dma == CONFIG_DMA_NONE)
        return;

    for (unsigned i = 0; i < unit->config.device_count; i++)
        json_object_array_add(
            list, device_object(service, unit, unit->config.device[i]));
    if (unit->config.device_count > 0)
        return;

    for (unsigned i = 0; service && service_device_info(service, i, &device);
         i++) {
        if (device.unit == unit->index)
            json_object_array_add(list,
                                  device_object(service, unit, device.sid));
    }
}

struct json_object *
ctl_dma_devices(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct viommud *v = ctx;
    struct json_object *list = json_object_new_array();

    (void)args;
    (void)error;
    for (unsigned i = 0; i < v->unit_count; i++)
        unit_devices(v, &v->unit[i], list);
    return list;
}

/* --- query-tlb -------------------------------------------------------------- */

static struct json_object *
tlb_object(const struct vtd_tlb_info *info)
{
    struct json_object *obj = json_object_new_object();
    char permits[CTL_PERMITS_SIZE];

    ctl_permits(info->access, permits);
    ctl_add_uint(obj, "sid", info->sid);
    ctl_add_known(obj, "pasid", info->pasid != VTD_NO_PASID, info->pasid);
    ctl_add_uint(obj, "iova", info->iova);
    ctl_add_uint(obj, "gpa", info->gpa);
    ctl_add_uint(obj, "size", UINT64_C(1) << info->shift);
    ctl_add_string(obj, "permits", permits);
    return obj;
}

/* The misses of those that have caches of their own. */
static struct json_object *
miss_list(const struct service *service)
{
    struct json_object *list = json_object_new_array();
    struct service_client_info client;

    for (unsigned i = 0; service && service_client_info(service, i, &client);
         i++) {
        struct json_object *obj = json_object_new_object();

        ctl_add_uint(obj, "client", client.id);
        ctl_add_uint(obj, "misses", client.misses);
        json_object_array_add(list, obj);
    }
    return list;
}

struct json_object *
ctl_dma_tlb(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct viommud *v = ctx;
    const struct unit *unit = ctl_arg_unit(v, args, error);
    uint64_t index = 0;
    uint64_t count = TLB_LIST_MAX;
    struct json_object *list;
    struct json_object *obj;
    struct vtd_gen_info gens;
    unsigned size;

    if (!unit || !qmp_arg_uint(args, "first", UINT32_MAX, &index, error) ||
        !qmp_arg_uint(args, "count", TLB_LIST_MAX, &count, error))
        return NULL;

    obj = json_object_new_object();
    list = json_object_new_array();
    size = vtd_tlb_size(unit->vtd);
    for (; index < size && json_object_array_length(list) < count; index++) {
        struct vtd_tlb_info info;

        if (vtd_tlb_info(unit->vtd, (unsigned)index, &info))
            json_object_array_add(list, tlb_object(&info));
    }
    ctl_add_uint(obj, "unit", unit->index);
    ctl_add_uint(obj, "entries", size);
    ctl_add_uint(obj, "walks", vtd_stat_value(unit->vtd, VTD_STAT_DMA_WALK));
    vtd_gen_info(unit->vtd, &gens);
    ctl_add_uint(obj, "invalidations", gens.invalidations);
    ctl_add_uint(obj, "global", gens.translations);
    ctl_add_uint(obj, "global-contexts", gens.contexts);
    json_object_object_add(obj, "clients", miss_list(v->sinks.service));
    json_object_object_add(obj, "list", list);
    ctl_add_known(obj, "next", index < size, index);
    return obj;
}

/* --- query-clients ---------------------------------------------------------- */

static struct json_object *
client_object(const struct service_client_info *info)
{
    struct json_object *obj = json_object_new_object();

    ctl_add_uint(obj, "client", info->id);
    ctl_add_uint(obj, "pid", (uint64_t)info->pid);
    ctl_add_uint(obj, "uid", info->uid);
    ctl_add_bool(obj, "walks", info->walks);
    ctl_add_uint(obj, "threads", info->threads);
    ctl_add_uint(obj, "active", info->active);
    ctl_add_uint(obj, "messages", info->messages);
    ctl_add_uint(obj, "misses", info->misses);
    ctl_add_uint(obj, "faults", info->faults);
    ctl_add_uint(obj, "pending", info->pending);
    return obj;
}

struct json_object *
ctl_dma_clients(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct viommud *v = ctx;
    const struct service *service = v->sinks.service;
    struct json_object *obj = json_object_new_object();
    struct json_object *list = json_object_new_array();
    struct json_object *counters = json_object_new_object();
    struct service_client_info client;
    struct service_stats stats = { .messages = 0 };

    (void)args;
    (void)error;
    for (unsigned i = 0; service && service_client_info(service, i, &client);
         i++)
        json_object_array_add(list, client_object(&client));
    if (service)
        service_stats(service, &stats);
    ctl_add_uint(counters, "messages", stats.messages);
    ctl_add_uint(counters, "cut-off", stats.cut_off);
    ctl_add_uint(counters, "syncs", stats.syncs);
    ctl_add_uint(counters, "syncs-waited", stats.syncs_waited);
    ctl_add_uint(counters, "drain-us-max", stats.drain_us_max);
    json_object_object_add(obj, "list", list);
    json_object_object_add(obj, "stats", counters);
    return obj;
}
