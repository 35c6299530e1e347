/* SPDX-License-Identifier: GPL-2.0-only */
/* What tools ask for.  Reads only. */
#include "daemon/client/priv.h"

static void
cells_inspect(const struct viommu_cells *cells,
              struct service_client_info *info)
{
    uint32_t count = __atomic_load_n(&cells->count, __ATOMIC_RELAXED);

    info->threads = count < VIOMMU_CELLS_MAX ? count : VIOMMU_CELLS_MAX;
    for (unsigned i = 0; i < info->threads; i++) {
        const struct viommu_cell *cell = &cells->cell[i];

        info->active += !!__atomic_load_n(&cell->epoch, __ATOMIC_RELAXED);
        info->misses += __atomic_load_n(&cell->misses, __ATOMIC_RELAXED);
        info->faults += __atomic_load_n(&cell->faults, __ATOMIC_RELAXED);
    }
}

bool
service_client_info(const struct service *service, unsigned i,
                    struct service_client_info *info)
{
    const struct client *client = service->client;
    const struct client *end = client + SERVICE_CLIENTS_MAX;

    for (; client < end; client++) {
        if (client->watch && client->greeted && i-- == 0)
            break;
    }
    if (client == end)
        return false;

    *info = (struct service_client_info){
        .id = client->id,
        .pid = client->pid,
        .uid = client->uid,
        .walks = client->cells != NULL,
        .messages = client->messages,
    };
    if (client->cells)
        cells_inspect(client->cells, info);
    for (unsigned j = 0; j < SERVICE_DEVICES_MAX; j++) {
        if (service->device[j].client == client)
            info->pending +=
                service->device[j].queued + service->device[j].flight;
    }
    return true;
}

bool
service_device_info(const struct service *service, unsigned i,
                    struct service_device_info *info)
{
    const struct device *device = service->device;
    const struct device *end = device + SERVICE_DEVICES_MAX;

    for (; device < end; device++) {
        if (device->used && i-- == 0)
            break;
    }
    if (device == end)
        return false;

    *info = (struct service_device_info){
        .sid = device->sid,
        .unit = device->unit,
        .client = device->client ? device->client->id : 0,
        .flags = device->flags,
        .blocked = device->blocked,
    };
    return true;
}

void
service_stats(const struct service *service, struct service_stats *stats)
{
    *stats = service->stats;
}
