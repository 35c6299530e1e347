/* SPDX-License-Identifier: MIT */
/*
 * Invalidations that callbacks hear of, and their acknowledgements.  One that
 * is not done at once has a token; an acknowledgement is sent when all that it
 * stands for is done.
 */
#include <errno.h>

#include "client/internal.h"

void
viommu_acks_init(struct viommu_acks *acks)
{
    for (uint32_t i = 0; i < TOKENS_MAX; i++) {
        acks->token[i].value = i;
    }
}

/* --- acknowledgements: with the lock ---------------------------------------- */

static struct viommu_ack *
ack_take(struct viommu_acks *acks)
{
    for (unsigned i = 0; i < ACKS_MAX; i++) {
        struct viommu_ack *ack = &acks->ack[i];

        if (!ack->used) {
            *ack = (struct viommu_ack){ .used = true };
            return ack;
        }
    }
    return NULL;
}

/* Send it if nothing is owed any more; it stays if the socket is full. */
static void
ack_send(struct viommu *viommu, struct viommu_ack *ack)
{
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_ACK, .seq = ack->seq },
        .ack = { .status = ack->status },
    };

    if (!ack->used || ack->open || ack->owed > 0) {
        return;
    }
    if (viommu_msg_send(viommu->fd, &msg) == -EAGAIN) {
        viommu->want_write = true;
        viommu_events_update(viommu);
        return;
    }
    ack->used = false;
    viommu_events_resume(viommu);
}

void
viommu_acks_flush(struct viommu *viommu)
{
    if (!viommu->want_write) {
        return;
    }
    viommu->want_write = false;
    for (unsigned i = 0; i < ACKS_MAX; i++) {
        ack_send(viommu, &viommu->acks.ack[i]);
    }
    viommu_events_update(viommu);
}

/* --- tokens: with the lock -------------------------------------------------- */

static struct viommu_token *
token_take(struct viommu_acks *acks, const struct viommu_device *device,
           struct viommu_ack *ack)
{
    for (unsigned i = 0; i < TOKENS_MAX; i++) {
        struct viommu_token *token = &acks->token[i];

        if (!token->device) {
            token->device = device;
            token->ack = ack;
            ack->owed++;
            return token;
        }
    }
    return NULL;
}

static void
token_done(struct viommu *viommu, struct viommu_token *token, int status)
{
    struct viommu_ack *ack = token->ack;

    token->device = NULL;
    token->value += TOKENS_MAX; /* a late one is not taken for the next */
    ack->owed--;
    if (status) {
        ack->status = -ETIMEDOUT;
    }
    ack_send(viommu, ack);
    viommu_events_resume(viommu);
}

void
viommu_acks_drop(struct viommu *viommu, const struct viommu_device *device)
{
    (void)pthread_mutex_lock(&viommu->lock);
    for (unsigned i = 0; i < TOKENS_MAX; i++) {
        if (viommu->acks.token[i].device == device) {
            token_done(viommu, &viommu->acks.token[i], 0);
        }
    }
    (void)pthread_mutex_unlock(&viommu->lock);
}

/* Nothing if it is done already. */
static void
done(struct viommu *viommu, uint32_t value, int status)
{
    struct viommu_token *token = &viommu->acks.token[value % TOKENS_MAX];

    (void)pthread_mutex_lock(&viommu->lock);
    if (token->device && token->value == value) {
        token_done(viommu, token, status);
    }
    (void)pthread_mutex_unlock(&viommu->lock);
}

void
viommu_invalidation_done(struct viommu_device *device, uint32_t token)
{
    done(device->viommu, token, 0);
}

/* --- messages --------------------------------------------------------------- */

/* With the lock. */
static int
batch_begin(struct viommu_acks *acks)
{
    if (acks->batch) {
        return -EPROTO;
    }
    acks->batch = ack_take(acks);
    if (!acks->batch) {
        return -EAGAIN;
    }
    acks->batch->open = true;
    return 0;
}

static int
batch_end(struct viommu *viommu, uint32_t seq)
{
    struct viommu_ack *ack = viommu->acks.batch;

    if (!ack) {
        return -EPROTO;
    }
    viommu->acks.batch = NULL;
    ack->open = false;
    ack->seq = seq;
    ack_send(viommu, ack);
    return 0;
}

/*
 * Room for what is owed for an invalidation: a token, or none for a device that
 * is not attached (any more), which has nothing left to forget.
 */
static int
prepare(struct viommu *viommu, const struct viommu_device *device, uint32_t seq,
        struct viommu_token **token)
{
    struct viommu_acks *acks = &viommu->acks;
    struct viommu_ack *ack = acks->batch;

    if (!ack) {
        ack = ack_take(acks);
        if (!ack) {
            return -EAGAIN;
        }
        ack->seq = seq;
    }
    *token = device ? token_take(acks, device, ack) : NULL;
    if (device && !*token) {
        ack->used = ack == acks->batch;
        return -EAGAIN;
    }
    if (!device) {
        ack_send(viommu, ack);
    }
    return 0;
}

static int
invalidate(struct viommu *viommu, const struct viommu_msg *msg)
{
    struct viommu_device *device =
        viommu_device_find(viommu, msg->invalidate.sid);
    struct viommu_invalidation inv = {
        .iova = msg->invalidate.iova,
        .last = msg->invalidate.last,
        .pasid = msg->invalidate.pasid,
    };
    struct viommu_token *token;
    uint32_t value = 0;
    int rc;

    if (device && !device->ops.invalidate) {
        device = NULL;
    }
    (void)pthread_mutex_lock(&viommu->lock);
    rc = prepare(viommu, device, msg->header.seq, &token);
    if (rc == 0 && token) {
        value = token->value;
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    if (rc || !token) {
        return rc;
    }
    rc = device->ops.invalidate(device->ctx, &inv, value);
    if (rc != -EINPROGRESS) {
        done(viommu, value, rc);
    }
    return 0;
}

int
viommu_invalidation_handle(struct viommu *viommu, const struct viommu_msg *msg)
{
    int rc;

    if (msg->header.type != VIOMMU_MSG_BATCH_BEGIN &&
        msg->header.type != VIOMMU_MSG_BATCH_END) {
        return invalidate(viommu, msg);
    }
    (void)pthread_mutex_lock(&viommu->lock);
    rc = msg->header.type == VIOMMU_MSG_BATCH_BEGIN
             ? batch_begin(&viommu->acks)
             : batch_end(viommu, msg->header.seq);
    (void)pthread_mutex_unlock(&viommu->lock);
    return rc;
}
