/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/client/priv.h"

#include <errno.h>

#define ATTACH_FLAGS                                                 \
    (VIOMMU_ATTACH_WALK | VIOMMU_ATTACH_NOTIFY | VIOMMU_ATTACH_ATS | \
     VIOMMU_ATTACH_PRI)
#define HEARS (VIOMMU_ATTACH_NOTIFY | VIOMMU_ATTACH_ATS)

unsigned
device_index(const struct device *device)
{
    const struct service *service = device->client->service;

    return (unsigned)(device - service->device);
}

struct device *
device_find(struct client *client, uint16_t sid)
{
    struct service *service = client->service;

    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client == client && device->sid == sid)
            return device;
    }

    return NULL;
}

struct device *
device_hearing(struct service *service, unsigned unit, uint16_t sid,
               uint32_t flags)
{
    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client && device->unit == unit && device->sid == sid &&
            (device->flags & flags))
            return device;
    }

    return NULL;
}

/* What clients see of it. */
static void
device_publish(struct service *service, const struct device *device)
{
    const struct viommu_shm_device seen = {
        .sid = device->sid,
        .unit = device->unit,
        .blocked = device->blocked,
        .owner = device->client ? device->client->id : 0,
    };

    shm_device_set(service, (unsigned)(device - service->device), &seen);
}

/*
 * The place of @sid; or a free one; or one that is only kept to show that its
 * device is blocked, which it is without it, too.  -EBUSY, -ENOSPC.
 */
static int
place_find(struct service *service, uint16_t sid, struct device **place)
{
    struct device *spare = NULL;
    struct device *blocked = NULL;

    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->used && device->sid == sid) {
            *place = device;
            return device->client ? -EBUSY : 0;
        }
        if (!device->used && !spare)
            spare = device;
        if (device->used && !device->client && !blocked)
            blocked = device;
    }

    *place = spare ? spare : blocked;
    return *place ? 0 : -ENOSPC;
}

int
device_attach(struct client *client, const struct viommu_msg_attach *attach,
              struct device **device)
{
    struct service *service = client->service;
    unsigned unit = 0;
    int rc;

    if ((attach->flags & ~ATTACH_FLAGS) ||
        ((attach->flags & VIOMMU_ATTACH_WALK) && !client->cells))
        return -EINVAL;

    rc = service->ops.attach(service->ctx, attach->sid, client->uid,
                             attach->flags, &unit);
    if (!rc)
        rc = place_find(service, attach->sid, device);
    if (rc)
        return rc;

    **device = (struct device){
        .used = true,
        .sid = attach->sid,
        .unit = (uint8_t)unit,
        .flags = attach->flags,
        .client = client,
    };
    invalidate_reset(*device);
    client->walking += !!(attach->flags & VIOMMU_ATTACH_WALK);
    service->hearing += !!(attach->flags & HEARS);
    device_publish(service, *device);
    return 0;
}

static void
device_release(struct device *device, bool blocked)
{
    struct client *client = device->client;
    struct service *service = client->service;

    client->walking -= !!(device->flags & VIOMMU_ATTACH_WALK);
    service->hearing -= !!(device->flags & HEARS);
    /* It is on its way, and the client acknowledges what it gets. */
    client->late += !!device->flight;
    invalidate_reset(device);
    device->client = NULL;
    device->used = blocked;
    device->blocked = blocked;
    device_publish(service, device);
}

/* What its client learnt for the device is not the next one's to use. */
void
device_detach(struct device *device)
{
    struct service *service = device->client->service;
    unsigned unit = device->unit;

    device_release(device, false);
    service->ops.forget(service->ctx, unit);
}

void
devices_release(struct client *client, bool blocked)
{
    struct service *service = client->service;
    bool forget[VIOMMU_SHM_UNITS_MAX] = { false };

    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client == client) {
            forget[device->unit] = true;
            device_release(device, blocked);
        }
    }

    for (unsigned unit = 0; unit < service->units; unit++) {
        if (forget[unit] && !service->ended)
            service->ops.forget(service->ctx, unit);
    }
}
