/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel vhost device, and a card behind the vIOMMU that it serves.  What the
 * adapter reads from and writes to the vhost descriptor ends up here, at once,
 * as it does in the kernel.  Included by the test, once.
 */
#ifndef TESTS_UNIT_CLIENT_VHOST_H
#define TESTS_UNIT_CLIENT_VHOST_H

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/viommu-vhost.h"
#include "tests/support/fake-client.h"

#define V2    (UINT64_C(1) << VHOST_BACKEND_F_IOTLB_MSG_V2)
#define BATCH (UINT64_C(1) << VHOST_BACKEND_F_IOTLB_BATCH)

#define ENTRIES 8u
#define LOG     32u
#define QUEUE   128u

/* --- the kernel ------------------------------------------------------------- */

static struct kernel {
    int fd;
    pthread_mutex_t lock;

    uint64_t offers; /* backend features; UINT64_MAX: it knows no such ioctl */
    uint64_t chosen;
    int set_errno, write_errno;

    /* What is to be read. */
    struct vhost_msg_v2 queue[QUEUE];
    unsigned first, count;
    size_t size; /* of each */
    bool ended;

    /* What was written, and what follows of it. */
    struct vhost_msg_v2 log[LOG];
    unsigned logged;
    struct vhost_iotlb_msg entry[ENTRIES];
    long update_ns; /* until a worker lets an update in */
} kernel = { .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

static void
nap(long ns)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

static uint32_t
format(void)
{
    return kernel.chosen & V2 ? VHOST_IOTLB_MSG_V2 : VHOST_IOTLB_MSG;
}

static bool
overlaps(const struct vhost_iotlb_msg *entry,
         const struct vhost_iotlb_msg *range)
{
    return entry->size > 0 && entry->iova <= range->iova + (range->size - 1) &&
           range->iova <= entry->iova + (entry->size - 1);
}

static int
kernel_update(const struct vhost_iotlb_msg *msg)
{
    if (msg->size == 0) {
        return EINVAL;
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (kernel.entry[i].size == 0) {
            kernel.entry[i] = *msg;
            return 0;
        }
    }
    return ENOMEM;
}

static int
kernel_invalidate(const struct vhost_iotlb_msg *msg)
{
    if (msg->size == 0) {
        return EINVAL;
    }
    for (unsigned i = 0; i < ENTRIES; i++) {
        if (overlaps(&kernel.entry[i], msg)) {
            kernel.entry[i].size = 0;
        }
    }
    return 0;
}

static int
kernel_take(const struct vhost_msg_v2 *msg, size_t size)
{
    if (size != sizeof(*msg) || msg->type != format() || msg->asid != 0) {
        return EINVAL;
    }
    kernel.log[kernel.logged++ % LOG] = *msg;
    if (kernel.write_errno) {
        return kernel.write_errno;
    }
    switch (msg->iotlb.type) {
    case VHOST_IOTLB_UPDATE:
        return kernel_update(&msg->iotlb);
    case VHOST_IOTLB_INVALIDATE:
        return kernel_invalidate(&msg->iotlb);
    case VHOST_IOTLB_BATCH_BEGIN:
    case VHOST_IOTLB_BATCH_END:
        return kernel.chosen & BATCH ? 0 : EINVAL;
    default:
        return EINVAL;
    }
}

/* The names of the parameters are the C library's. */
ssize_t
write(int __fd, const void *__buf, size_t __n)
{
    const struct vhost_msg_v2 *msg = __buf;
    int error;

    if (__fd != kernel.fd) {
        return syscall(SYS_write, __fd, __buf, __n);
    }
    if (kernel.update_ns && msg->iotlb.type == VHOST_IOTLB_UPDATE) {
        nap(kernel.update_ns);
    }
    (void)pthread_mutex_lock(&kernel.lock);
    error = kernel_take(msg, __n);
    (void)pthread_mutex_unlock(&kernel.lock);
    errno = error;
    return error ? -1 : (ssize_t)__n;
}

ssize_t
read(int __fd, void *__buf, size_t __nbytes)
{
    ssize_t n = -1;

    if (__fd != kernel.fd) {
        return syscall(SYS_read, __fd, __buf, __nbytes);
    }
    (void)pthread_mutex_lock(&kernel.lock);
    errno = EAGAIN;
    if (kernel.count > 0) {
        n = (ssize_t)(kernel.size < __nbytes ? kernel.size : __nbytes);
        memcpy(__buf, &kernel.queue[kernel.first], (size_t)n);
        kernel.first = (kernel.first + 1) % QUEUE;
        kernel.count--;
    } else if (kernel.ended) {
        n = 0;
    }
    (void)pthread_mutex_unlock(&kernel.lock);
    return n;
}

int
ioctl(int __fd, unsigned long __request, ...)
{
    uint64_t *arg;
    va_list ap;

    va_start(ap, __request);
    arg = va_arg(ap, uint64_t *);
    va_end(ap);
    if (__fd != kernel.fd) {
        return (int)syscall(SYS_ioctl, __fd, __request, arg);
    }
    errno = kernel.offers == UINT64_MAX ? ENOTTY : kernel.set_errno;
    if (__request == VHOST_GET_BACKEND_FEATURES &&
        kernel.offers != UINT64_MAX) {
        *arg = kernel.offers;
        return 0;
    }
    if (errno || __request != VHOST_SET_BACKEND_FEATURES) {
        return -1;
    }
    kernel.chosen = *arg;
    return 0;
}

/* With the lock. */
static void
kernel_queue(uint32_t type, uint64_t iova, uint8_t perm)
{
    kernel.queue[(kernel.first + kernel.count++) % QUEUE] =
        (struct vhost_msg_v2){
            .type = format(),
            .iotlb = { .iova = iova, .perm = perm, .type = (uint8_t)type },
        };
}

static void
kernel_ask(uint32_t type, uint64_t iova, uint8_t perm)
{
    (void)pthread_mutex_lock(&kernel.lock);
    assert_true(kernel.count < QUEUE);
    kernel_queue(type, iova, perm);
    (void)pthread_mutex_unlock(&kernel.lock);
}

/* What the kernel knows of @iova; NULL: nothing. */
static const struct vhost_iotlb_msg *
kernel_find(uint64_t iova)
{
    const struct vhost_iotlb_msg byte = { .iova = iova, .size = 1 };

    for (unsigned i = 0; i < ENTRIES; i++) {
        if (overlaps(&kernel.entry[i], &byte)) {
            return &kernel.entry[i];
        }
    }
    return NULL;
}

/* --- a device behind it ----------------------------------------------------- */

struct card {
    struct fake_client *client;
    struct viommu_vhost *vhost;
    unsigned invalidations;
};

static int
invalidate(void *ctx, const struct viommu_invalidation *inv, uint32_t token)
{
    struct card *card = ctx;
    int rc = viommu_vhost_invalidate(card->vhost, inv);

    (void)token;
    __atomic_add_fetch(&card->invalidations, 1, __ATOMIC_RELEASE);
    return rc;
}

static const struct viommu_device_ops ops = { .invalidate = invalidate };

static void
kernel_open(uint64_t offers)
{
    kernel = (struct kernel){
        .fd = eventfd(0, EFD_CLOEXEC),
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .offers = offers,
        .size = sizeof(struct vhost_msg_v2),
    };
    assert_true(kernel.fd >= 0);
}

static void
card_attach(struct card *card, enum dma_kind kind)
{
    /* Nobody is cut off for the sake of a machine that is busy. */
    struct fake_guest_options options = { .kind = kind, .drain_ms = 10000 };

    card->client = fake_client_create(&options);
    viommu_device_detach(card->client->device);
    assert_int_equal(viommu_device_attach(card->client->viommu, FAKE_SID,
                                          VIOMMU_DEVICE_NOTIFY, &ops, card,
                                          &card->client->device),
                     0);
}

static int
card_serve(struct card *card, const struct viommu_vhost_region *region,
           size_t regions)
{
    return viommu_vhost_create(card->client->device, kernel.fd, region, regions,
                               &card->vhost);
}

/* All of the guest's memory, by a kernel with everything. */
static void
card_open(struct card *card, enum dma_kind kind)
{
    struct viommu_vhost_region all = { .size = FAKE_RAM };

    memset(card, 0, sizeof(*card));
    kernel_open(V2 | BATCH);
    card_attach(card, kind);
    all.addr = card->client->guest->ram;
    assert_int_equal(card_serve(card, &all, 1), 0);
}

static void
card_close(struct card *card)
{
    viommu_vhost_destroy(card->vhost);
    card->vhost = NULL;
    fake_client_destroy(card->client);
    assert_int_equal(close(kernel.fd), 0);
    kernel.fd = -1;
}

static void
assert_entry(const struct card *card, uint64_t iova, uint64_t gpa,
             uint64_t size, unsigned perm)
{
    const struct vhost_iotlb_msg *entry = kernel_find(iova);

    assert_non_null(entry);
    assert_int_equal(entry->iova, iova);
    assert_int_equal(entry->uaddr, (uintptr_t)&card->client->guest->ram[gpa]);
    assert_int_equal(entry->size, size);
    assert_int_equal(entry->perm, perm);
}

static void
assert_stats(const struct card *card, uint64_t misses, uint64_t updates,
             uint64_t refused)
{
    struct viommu_vhost_stats stats;

    viommu_vhost_stats(card->vhost, &stats);
    assert_int_equal(stats.misses, misses);
    assert_int_equal(stats.updates, updates);
    assert_int_equal(stats.refused, refused);
}

/* The guest waits, and our loop has its turn meanwhile. */
static void
wait_and_dispatch(struct card *card)
{
    for (unsigned ms = 0; !fake_guest_is_done(card->client->guest); ms++) {
        assert_true(ms < 10000);
        assert_int_equal(viommu_dispatch(card->client->viommu), 0);
        assert_int_equal(poll(NULL, 0, 1), 0);
    }
}

#endif
