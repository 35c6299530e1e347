/* SPDX-License-Identifier: MIT */
/* Devices that this process speaks for, and what they say. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/internal.h"

#define FLAGS (VIOMMU_DEVICE_NOTIFY | VIOMMU_DEVICE_ATS | VIOMMU_DEVICE_PRI)
_Static_assert(VIOMMU_DEVICE_NOTIFY == VIOMMU_ATTACH_NOTIFY &&
                   VIOMMU_DEVICE_ATS == VIOMMU_ATTACH_ATS &&
                   VIOMMU_DEVICE_PRI == VIOMMU_ATTACH_PRI,
               "flags that are not the protocol's");

struct viommu_device *
viommu_device_find(struct viommu *viommu, uint16_t sid)
{
    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++) {
        struct viommu_device *device = viommu->device[i];

        if (device && device->sid == sid) {
            return device;
        }
    }
    return NULL;
}

void
viommu_devices_cut_off(struct viommu *viommu)
{
    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++) {
        struct viommu_device *device = viommu->device[i];

        if (device && !device->told) {
            device->told = true;
            if (device->ops.cut_off) {
                device->ops.cut_off(device->ctx);
            }
        }
    }
}

/* --- attaching -------------------------------------------------------------- */

/* The reply: where the device is in what we share. */
static int
accept_reply(struct viommu_device *device,
             const struct viommu_msg_attached *attached)
{
    const struct viommu *viommu = device->viommu;
    struct viommu_shm_device entry = {
        .sid = device->sid,
        .unit = (uint8_t)attached->unit,
        .owner = viommu->id,
    };

    if (attached->status) {
        return attached->status < 0 ? attached->status : -EPROTO;
    }
    if (attached->unit >= viommu->units ||
        attached->index >= VIOMMU_SHM_DEVICES_MAX) {
        return -EPROTO;
    }
    device->dma = offsetof(struct viommu_thread, dma) +
                  attached->unit * sizeof(struct vtd_dma);
    device->slot = vtd_tlb_slot_of_sid(device->sid);
    device->entry =
        (const uint64_t *)(const void *)&viommu->shm->device[attached->index];
    memcpy(&device->ours, &entry, sizeof(device->ours));
    return 0;
}
_Static_assert(sizeof(struct viommu_shm_device) == sizeof(uint64_t),
               "more than what is read at once");

static int
enter(struct viommu *viommu, struct viommu_device *device)
{
    int rc = -ENOSPC;

    (void)pthread_mutex_lock(&viommu->dispatch);
    (void)pthread_mutex_lock(&viommu->lists);
    if (viommu_is_down(viommu)) {
        rc = -ESHUTDOWN;
    }
    for (unsigned i = 0; rc == -ENOSPC && i < VIOMMU_SHM_DEVICES_MAX; i++) {
        if (!viommu->device[i]) {
            viommu->device[i] = device;
            rc = 0;
        }
    }
    (void)pthread_mutex_unlock(&viommu->lists);
    (void)pthread_mutex_unlock(&viommu->dispatch);
    return rc;
}

static void
leave(struct viommu *viommu, const struct viommu_device *device)
{
    (void)pthread_mutex_lock(&viommu->dispatch);
    (void)pthread_mutex_lock(&viommu->lists);
    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++) {
        if (viommu->device[i] == device) {
            viommu->device[i] = NULL;
        }
    }
    (void)pthread_mutex_unlock(&viommu->lists);
    viommu_acks_drop(viommu, device);
    (void)pthread_mutex_unlock(&viommu->dispatch);
}

/*
 * The daemon may attach it yet, which nobody waits for any more; its reply to
 * this finds nobody, either.
 */
static void
take_back(struct viommu *viommu, uint16_t sid)
{
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_DETACH },
        .detach = { .sid = sid },
    };

    (void)viommu_msg_send(viommu->fd, &msg);
}

int
viommu_device_attach(struct viommu *viommu, uint16_t sid, unsigned flags,
                     const struct viommu_device_ops *ops, void *ctx,
                     struct viommu_device **device)
{
    static const struct viommu_device_ops none;
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_ATTACH },
        .attach = { .sid = sid, .flags = flags | VIOMMU_ATTACH_WALK },
    };
    struct viommu_device *new;
    int rc;

    ops = ops ? ops : &none;
    if (flags & ~FLAGS ||
        ((flags & VIOMMU_DEVICE_PRI) && !ops->page_response) ||
        ((flags & (VIOMMU_DEVICE_NOTIFY | VIOMMU_DEVICE_ATS)) &&
         !ops->invalidate)) {
        return -EINVAL;
    }
    new = calloc(1, sizeof(*new));
    if (!new) {
        return -ENOMEM;
    }
    *new = (struct viommu_device){
        .sid = sid, .viommu = viommu, .ops = *ops, .ctx = ctx
    };
    rc = viommu_call(viommu, &msg);
    if (rc == 0) {
        rc = accept_reply(new, &msg.attached);
    }
    if (rc == 0) {
        rc = enter(viommu, new);
    }
    if (rc) {
        if (rc == -ETIMEDOUT) {
            take_back(viommu, sid);
        }
        free(new);
        return rc;
    }
    *device = new;
    return 0;
}

void
viommu_device_detach(struct viommu_device *device)
{
    struct viommu_msg msg = { .header = { .type = VIOMMU_MSG_DETACH } };

    if (!device) {
        return;
    }
    msg.detach.sid = device->sid;
    /* First: what it owes is acknowledged before the daemon forgets it. */
    leave(device->viommu, device);
    /* That the daemon has nothing to take back is as good. */
    (void)viommu_call(device->viommu, &msg);
    free(device);
}

/* --- what a device sends ---------------------------------------------------- */

static int
say(struct viommu_device *device, struct viommu_msg *msg)
{
    if (viommu_is_down(device->viommu)) {
        return -ESHUTDOWN;
    }
    return viommu_msg_send(device->viommu->fd, msg);
}

int
viommu_msi(struct viommu_device *device, uint64_t addr, uint32_t data)
{
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_MSI },
        .msi = { .addr = addr, .data = data, .sid = device->sid },
    };

    return say(device, &msg);
}

int
viommu_page_request(struct viommu_device *device,
                    const struct viommu_page_request *request)
{
    unsigned flags = (request->privileged ? VIOMMU_PAGE_PRIVILEGED : 0) |
                     (request->last ? VIOMMU_PAGE_LAST : 0) |
                     (request->stop ? VIOMMU_PAGE_STOP : 0);
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_PAGE_REQUEST },
        .page_request = {
            .addr = request->addr,
            .pasid = request->pasid,
            .sid = device->sid,
            .group = request->group,
            .access = request->access,
            .flags = (uint8_t)flags,
        },
    };

    return say(device, &msg);
}
