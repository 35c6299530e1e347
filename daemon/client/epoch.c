/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Epochs: when is an invalidation complete?
 *
 * The owner moves generations, then service_sync() moves the epoch and looks
 * at the clients' cells, with a full barrier in between.  A client's thread
 * stores the epoch in its cell, and then reads generations, with a full
 * barrier in between.  So either we see that cell, or the thread sees those
 * generations.  A cell that holds an epoch older than ours belongs to a thread
 * which may still use what it learnt from older generations: it is waited for.
 *
 * Acknowledgements of messages have the same order: what is announced is of
 * the epoch that is current then, and a wait is for everything older.
 */
#include "daemon/client/priv.h"

#include <errno.h>
#include <string.h>

/*
 * A batch is short, so that most often it ends while we look.  After that the
 * guest's other requests are served in between, and later, when a client was
 * not running, so that we do not take its processor away.
 */
#define SPIN_NS     UINT64_C(20000)
#define FINE_NS     UINT64_C(20000)
#define FINE_FOR_NS UINT64_C(2000000)
#define COARSE_NS   NS_PER_MS

static void
pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/*
 * The oldest epoch in @client's cells.  It can write there what it likes; what
 * no client writes that follows the protocol is its end.
 */
static uint64_t
cells_oldest(struct client *client)
{
    const struct viommu_cells *cells = client->cells;
    uint64_t current = client->service->shm->epoch;
    uint64_t oldest = EPOCH_NONE;
    uint32_t count = __atomic_load_n(&cells->count, __ATOMIC_ACQUIRE);

    if (count > VIOMMU_CELLS_MAX) {
        client_doom(client, -EPROTO, "it has more cells than there are");
        return 0;
    }

    for (uint32_t i = 0; i < count; i++) {
        uint64_t epoch =
            __atomic_load_n(&cells->cell[i].epoch, __ATOMIC_ACQUIRE);

        if (epoch > current) {
            client_doom(client, -EPROTO, "its epoch is yet to come");
            return 0;
        }
        if (epoch != 0 && epoch < oldest)
            oldest = epoch;
    }

    return oldest;
}

/* Of all clients.  Nothing is complete while there is one to be cut off. */
static uint64_t
clients_oldest(struct service *service)
{
    uint64_t oldest = EPOCH_NONE;

    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        struct client *client = &service->client[i];
        uint64_t epoch;

        if (!client->walking)
            continue;

        epoch = cells_oldest(client);
        if (epoch < oldest)
            oldest = epoch;
    }

    return service->doomed ? 0 : oldest;
}

static uint64_t
oldest_of_all(struct service *service)
{
    uint64_t cells = clients_oldest(service);
    uint64_t messages = invalidate_oldest(service);

    service->cells_hold = cells != EPOCH_NONE;
    return cells < messages ? cells : messages;
}

/* A wait for @epoch could end here and now. */
static bool
is_clear(struct service *service, unsigned unit, uint64_t epoch)
{
    uint16_t sid;

    return oldest_of_all(service) >= epoch &&
           !invalidate_failed(service, unit, epoch, &sid);
}

static bool
spin(struct service *service, unsigned unit, uint64_t epoch, uint64_t start_ns)
{
    do {
        for (unsigned i = 0; i < 32; i++)
            pause_a_little();
        if (is_clear(service, unit, epoch))
            return true;
    } while (service->cells_hold && !service->doomed &&
             service_now_ns() - start_ns < SPIN_NS);

    return false;
}

static void
waited(struct service *service, uint64_t start_ns)
{
    uint64_t us = (service_now_ns() - start_ns) / 1000;

    if (us > service->stats.drain_us_max)
        service->stats.drain_us_max = us;
}

/*
 * Without room the last one waits for this one, too: its token is before this
 * one's, which stands for it.
 */
static void
wait_add(struct waits *waits, const struct wait *wait)
{
    if (waits->count < SERVICE_WAITS_MAX)
        waits->count++;
    waits->wait[waits->count - 1] = *wait;
}

bool
service_sync(struct service *service, unsigned unit, uint64_t token)
{
    struct viommu_shm *shm = service->shm;
    struct waits *waits = &service->waits[unit];
    struct wait wait = { .token = token, .epoch = shm->epoch + 1 };

    service->stats.syncs++;
    __atomic_store_n(&shm->epoch, wait.epoch, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    invalidate_flush(service);
    if (is_clear(service, unit, wait.epoch)) {
        waits->count = 0;
        return true;
    }

    service->stats.syncs_waited++;
    wait.start_ns = service_now_ns();
    if (service->cells_hold && spin(service, unit, wait.epoch, wait.start_ns)) {
        waits->count = 0;
        waited(service, wait.start_ns);
        return true;
    }

    wait_add(waits, &wait);
    service_schedule(service);
    return false;
}

/* The owner may come back with the next sync from within. */
static void
wait_complete(struct service *service, unsigned unit)
{
    struct waits *waits = &service->waits[unit];
    struct wait wait = waits->wait[0];
    enum service_status status = SERVICE_DONE;
    uint16_t sid = 0;

    waits->count--;
    memmove(&waits->wait[0], &waits->wait[1],
            waits->count * sizeof(waits->wait[0]));
    waited(service, wait.start_ns);

    if (invalidate_failed(service, unit, wait.epoch, &sid)) {
        status = SERVICE_TIMEOUT;
        invalidate_told(service, unit, wait.epoch);
    }
    service->ops.synced(service->ctx, unit, wait.token, status, sid);
}

/* Those that begin meanwhile are for later epochs. */
static void
waits_complete(struct service *service)
{
    uint64_t done = oldest_of_all(service);

    if (done > service->shm->epoch)
        done = service->shm->epoch;
    for (unsigned unit = 0; unit < service->units; unit++) {
        const struct waits *waits = &service->waits[unit];

        while (waits->count && waits->wait[0].epoch <= done)
            wait_complete(service, unit);
    }
}

/* The latest epoch that somebody has waited for too long; 0: none. */
static uint64_t
overdue(const struct service *service)
{
    uint64_t now = service_now_ns();
    uint64_t epoch = 0;

    for (unsigned unit = 0; unit < service->units; unit++) {
        const struct waits *waits = &service->waits[unit];

        for (unsigned i = 0; i < waits->count; i++) {
            if (now - waits->wait[i].start_ns >= service->drain_ns &&
                waits->wait[i].epoch > epoch)
                epoch = waits->wait[i].epoch;
        }
    }

    return epoch;
}

bool
epoch_is_awaited(const struct service *service)
{
    for (unsigned unit = 0; unit < service->units; unit++) {
        if (service->waits[unit].count)
            return true;
    }

    return false;
}

static void
cut_off_overdue(struct service *service, uint64_t epoch)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        struct client *client = &service->client[i];

        if (client->walking && cells_oldest(client) < epoch)
            client_doom(client, -ETIMEDOUT,
                        "it stayed in a batch of accesses for too long");
    }

    invalidate_expire(service, epoch);
}

void
epoch_poll(struct service *service)
{
    uint64_t epoch;

    if (!epoch_is_awaited(service))
        return;

    waits_complete(service);
    epoch = overdue(service);
    if (epoch) {
        cut_off_overdue(service, epoch);
        /* A device TLB that failed is told at once. */
        waits_complete(service);
    }
}

/* The wait that began first. */
static const struct wait *
wait_first(const struct service *service)
{
    const struct wait *first = NULL;

    for (unsigned unit = 0; unit < service->units; unit++) {
        const struct waits *waits = &service->waits[unit];

        if (waits->count &&
            (!first || waits->wait[0].start_ns < first->start_ns))
            first = &waits->wait[0];
    }

    return first;
}

uint64_t
epoch_due(const struct service *service, uint64_t now_ns)
{
    const struct wait *first = wait_first(service);
    uint64_t due, look;

    if (!first)
        return 0;

    due = first->start_ns + service->drain_ns;
    if (service->cells_hold)
        look = now_ns +
               (now_ns - first->start_ns < FINE_FOR_NS ? FINE_NS : COARSE_NS);
    else if (invalidate_oldest(service) < first->epoch)
        look = due; /* acknowledgements come by themselves */
    else
        look = now_ns;
    return look < due ? look : due;
}
