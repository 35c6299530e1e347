/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidations by message, for those who are not served by generations.
 *
 * They are kept for each device until a sync, and then sent as one batch with
 * one acknowledgement; what comes meanwhile is kept for the next batch.  What
 * does not fit becomes one invalidation of everything.  So however much the
 * guest invalidates, a client that reads has room for it.
 */
#include "daemon/client/priv.h"

#include <errno.h>

#include "daemon/log.h"

void
invalidate_reset(struct device *device)
{
    device->queued = 0;
    device->flight = 0;
    device->queue_epoch = EPOCH_NONE;
    device->flight_epoch = EPOCH_NONE;
    device->failed = false;
    device->strikes = 0;
}

static bool
is_everything(const struct inval *inval)
{
    return inval->iova == 0 && inval->last == UINT64_MAX &&
           inval->pasid == VIOMMU_PROTO_NO_PASID;
}

/* An earlier one says the same, or more. */
static bool
is_queued(const struct device *device, const struct inval *inval)
{
    for (unsigned i = 0; i < device->queued; i++) {
        const struct inval *old = &device->queue[i];

        if (old->type == inval->type &&
            (old->pasid == inval->pasid ||
             old->pasid == VIOMMU_PROTO_NO_PASID) &&
            old->iova <= inval->iova && old->last >= inval->last)
            return true;
    }

    return false;
}

/* Drop those of @type for one of everything that is about to follow. */
static void
drop_type(struct device *device, uint16_t type)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < device->queued; i++) {
        if (device->queue[i].type != type)
            device->queue[kept++] = device->queue[i];
    }
    device->queued = kept;
}

static void
device_queue(struct service *service, struct device *device,
             const struct inval *asked)
{
    struct inval inval = *asked;

    if (device->queue_epoch == EPOCH_NONE)
        device->queue_epoch = service->shm->epoch;
    if (!device->flight)
        service->unsent = true;

    if (is_queued(device, &inval))
        return;

    /* The last place is for everything of the other type. */
    if (device->queued >= SERVICE_QUEUE_MAX - 1) {
        inval.iova = 0;
        inval.last = UINT64_MAX;
        inval.pasid = VIOMMU_PROTO_NO_PASID;
    }
    if (is_everything(&inval))
        drop_type(device, inval.type);
    device->queue[device->queued++] = inval;
}

void
service_invalidate(struct service *service, unsigned unit,
                   const struct service_inv *inv)
{
    const struct inval inval = {
        .iova = inv->iova,
        .last = inv->last,
        .pasid = inv->pasid,
        .type = inv->device_tlb ? VIOMMU_MSG_DEV_TLB_INVALIDATE
                                : VIOMMU_MSG_IOTLB_INVALIDATE,
    };
    const uint32_t wanted =
        inv->device_tlb ? VIOMMU_ATTACH_ATS : VIOMMU_ATTACH_NOTIFY;

    for (unsigned i = 0; service->hearing && i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client && device->unit == unit &&
            (device->flags & wanted) &&
            (!inv->device_tlb || device->sid == inv->sid))
            device_queue(service, device, &inval);
    }

    /* Without a sync that follows they are sent a little later. */
    if (service->unsent)
        service_schedule(service);
}

static void
send_batch_mark(const struct device *device, enum viommu_msg_type type)
{
    const struct viommu_msg msg = { .batch = { .count = device->queued } };

    client_send(device->client, type, device->flight_seq, &msg);
}

/* One alone needs no batch around it. */
static void
device_flush(struct service *service, struct device *device)
{
    bool batch = device->queued > 1;

    device->flight_seq = ++service->last_seq;
    device->flight_iotlb = false;
    if (batch)
        send_batch_mark(device, VIOMMU_MSG_BATCH_BEGIN);

    for (unsigned i = 0; i < device->queued; i++) {
        const struct inval *inval = &device->queue[i];
        const struct viommu_msg msg = {
            .invalidate = {
                .iova = inval->iova,
                .last = inval->last,
                .pasid = inval->pasid,
                .sid = device->sid,
            },
        };

        if (inval->type == VIOMMU_MSG_IOTLB_INVALIDATE)
            device->flight_iotlb = true;
        client_send(device->client, inval->type, device->flight_seq, &msg);
    }

    if (batch)
        send_batch_mark(device, VIOMMU_MSG_BATCH_END);

    device->flight = device->queued;
    device->flight_epoch = device->queue_epoch;
    device->queued = 0;
    device->queue_epoch = EPOCH_NONE;
}

void
invalidate_flush(struct service *service)
{
    if (!service->unsent)
        return;

    service->unsent = false;
    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client && device->queued && !device->flight)
            device_flush(service, device);
    }
}

static void
flight_end(struct service *service, struct device *device)
{
    device->flight = 0;
    device->flight_epoch = EPOCH_NONE;
    if (device->queued)
        service->unsent = true;
}

/*
 * The device TLB did not answer.  The guest hears so from each sync of the
 * unit that is under way, or else from the next one.
 */
static void
device_failed(struct service *service, struct device *device)
{
    const struct waits *waits = &service->waits[device->unit];

    if (!device->failed)
        device->failed_epoch = device->flight_epoch;
    device->failed = true;
    device->failed_last =
        waits->count ? waits->wait[waits->count - 1].epoch : 0;
    flight_end(service, device);

    log_limited(LOG_LEVEL_WARN,
                "client: pid=%d: the device TLB of sid=0x%04x did not "
                "acknowledge",
                (int)device->client->pid, device->sid);
    if (++device->strikes >= SERVICE_STRIKES)
        client_doom(device->client, -ETIMEDOUT,
                    "its device TLB acknowledges nothing");
}

static struct device *
flight_find(struct client *client, uint32_t seq)
{
    struct service *service = client->service;

    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client == client && device->flight &&
            device->flight_seq == seq)
            return device;
    }

    return NULL;
}

void
invalidate_ack(struct client *client, uint32_t seq, int32_t status)
{
    struct device *device = flight_find(client, seq);

    if (!device) {
        if (client->late == 0) {
            client_doom(client, -EPROTO, "it acknowledges what was not sent");
            return;
        }
        client->late--;
        return;
    }

    if (status == 0) {
        device->strikes = 0;
        flight_end(client->service, device);
    } else if (status == -ETIMEDOUT && !device->flight_iotlb) {
        device_failed(client->service, device);
    } else {
        client_doom(client, -EPROTO, "it refuses an invalidation");
    }
}

uint64_t
invalidate_oldest(const struct service *service)
{
    uint64_t oldest = EPOCH_NONE;

    for (unsigned i = 0; service->hearing && i < SERVICE_DEVICES_MAX; i++) {
        const struct device *device = &service->device[i];

        if (device->flight_epoch < oldest)
            oldest = device->flight_epoch;
        if (device->queue_epoch < oldest)
            oldest = device->queue_epoch;
    }

    return oldest;
}

/*
 * What is queued behind the batch that failed is sent, but holds up none of
 * those who hear of the failure.
 */
static void
device_expire(struct service *service, struct device *device)
{
    if (device->flags & VIOMMU_ATTACH_NOTIFY) {
        client_doom(device->client, -ETIMEDOUT,
                    "it did not acknowledge an invalidation");
        return;
    }

    device->client->late++;
    device_failed(service, device);
    if (device->queued)
        device->queue_epoch = service->shm->epoch;
}

void
invalidate_expire(struct service *service, uint64_t epoch)
{
    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->client && device->flight && device->flight_epoch < epoch)
            device_expire(service, device);
    }
}

bool
invalidate_failed(struct service *service, unsigned unit, uint64_t epoch,
                  uint16_t *sid)
{
    for (unsigned i = 0; service->hearing && i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->failed && device->unit == unit &&
            device->failed_epoch < epoch) {
            *sid = device->sid;
            return true;
        }
    }

    return false;
}

void
invalidate_told(struct service *service, unsigned unit, uint64_t epoch)
{
    for (unsigned i = 0; service->hearing && i < SERVICE_DEVICES_MAX; i++) {
        struct device *device = &service->device[i];

        if (device->unit == unit && device->failed_last <= epoch)
            device->failed = false;
    }
}
