/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads: invalidations that race with DMA, many threads, epochs. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "client/viommu-proto.h"
#include "tests/support/fake-client.h"

#define THREADS VIOMMU_CELLS_MAX

/* How long the guest unmaps under a device that writes; CLIENT_RACE_MS. */
#define RACE_MS 2000

static uint64_t
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static uint64_t
race_ms(void)
{
    const char *text = getenv("CLIENT_RACE_MS");

    return text ? strtoul(text, NULL, 10) : RACE_MS;
}

/* --- the race --------------------------------------------------------------- */

/* A device that writes to one page for as long as it may. */
struct writer {
    struct fake_client *client;
    uint64_t iova;
    pthread_t thread;
    bool stop;
    uint64_t writes, faults; /* atomic */
    uint64_t val;
};

static void *
write_on(void *ctx)
{
    struct writer *writer = ctx;
    struct fake_client *client = writer->client;
    struct viommu_thread *thread = NULL;
    struct viommu_access access = { .iova = writer->iova,
                                    .pasid = client->pasid };

    assert_int_equal(viommu_thread_create(client->viommu, &thread), 0);
    while (!__atomic_load_n(&writer->stop, __ATOMIC_ACQUIRE)) {
        uint64_t *count = &writer->writes;

        writer->val++;
        if (viommu_write(thread, client->device, &access, &writer->val, 8,
                         NULL)) {
            count = &writer->faults;
        }
        (void)__atomic_add_fetch(count, 1, __ATOMIC_RELEASE);
    }
    viommu_thread_destroy(thread);
    return NULL;
}

static void
writers_start(struct writer *writer, unsigned n, struct fake_client *client)
{
    for (unsigned i = 0; i < n; i++) {
        writer[i] = (struct writer){ .client = client, .iova = FAKE_IOVA };
        assert_int_equal(
            pthread_create(&writer[i].thread, NULL, write_on, &writer[i]), 0);
    }
}

static void
writers_stop(struct writer *writer, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        __atomic_store_n(&writer[i].stop, true, __ATOMIC_RELEASE);
        assert_int_equal(pthread_join(writer[i].thread, NULL), 0);
    }
}

/* The writer's next access of this kind has come to its end. */
static void
await(const uint64_t *count)
{
    uint64_t seen = __atomic_load_n(count, __ATOMIC_ACQUIRE);
    uint64_t start = now_ms();

    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < seen + 2) {
        assert_true(now_ms() - start < 10000);
    }
}

/*
 * The page is somebody else's as soon as the wait descriptor has completed: it
 * holds a pattern that no device may change.
 */
static unsigned
take_page(struct fake_client *client, const struct writer *writer)
{
    struct fake_guest *guest = client->guest;
    uint64_t *page = (uint64_t *)(void *)&guest->ram[FAKE_GPA];
    const uint64_t pattern = UINT64_C(0xdead0000dead0000);
    unsigned wrong = 0;

    fake_guest_unmap(guest, client->entry);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    assert_true(fake_guest_wait(guest) < UINT64_MAX);
    __atomic_store_n(page, pattern, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 200; i++) {
        wrong += __atomic_load_n(page, __ATOMIC_ACQUIRE) != pattern;
    }
    await(&writer->faults);
    wrong += __atomic_load_n(page, __ATOMIC_ACQUIRE) != pattern;
    return wrong;
}

static void
race(enum dma_kind kind)
{
    struct fake_guest_options options = { .kind = kind, .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct writer writer[2];
    uint64_t end = now_ms() + race_ms();
    unsigned rounds = 0, wrong = 0;

    writers_start(writer, 2, client);
    while (now_ms() < end) {
        await(&writer[0].writes);
        wrong += take_page(client, &writer[0]);
        client->entry = fake_guest_map(client->guest, FAKE_IOVA, FAKE_GPA, 12,
                                       VIOMMU_READ | VIOMMU_WRITE);
        rounds++;
    }
    writers_stop(writer, 2);
    assert_int_equal(wrong, 0);
    assert_true(rounds > 10);
    assert_true(writer[0].writes > rounds && writer[0].faults > rounds);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    fake_client_destroy(client);
}

static void
no_store_reaches_a_page_after_its_invalidation_completed(void **state)
{
    (void)state;
    race(DMA_LEGACY);
}

static void
nor_behind_two_stages(void **state)
{
    (void)state;
    race(DMA_NESTED);
}

/* --- epochs ----------------------------------------------------------------- */

static void
an_invalidation_waits_for_a_batch_and_for_no_one_else(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY,
                                          .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct viommu_thread *idle;
    struct fake_guest *guest = client->guest;

    (void)state;
    assert_int_equal(viommu_thread_create(client->viommu, &idle), 0);
    viommu_begin(idle);
    viommu_end(idle);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    assert_true(fake_guest_wait(guest) < UINT64_MAX);

    viommu_begin(client->thread);
    viommu_begin(client->thread);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    assert_int_equal(poll(NULL, 0, 30), 0);
    assert_false(fake_guest_is_done(guest));
    viommu_end(client->thread);
    assert_int_equal(poll(NULL, 0, 30), 0);
    assert_false(fake_guest_is_done(guest));
    viommu_end(client->thread);
    assert_true(fake_guest_wait(guest) < 1000000);

    /* A batch that began after it is none of its concern. */
    viommu_begin(client->thread);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    assert_int_equal(poll(NULL, 0, 30), 0);
    viommu_begin(idle);
    viommu_end(client->thread);
    assert_true(fake_guest_wait(guest) < 1000000);
    viommu_end(idle);
    fake_client_destroy(client);
}

/* --- many ------------------------------------------------------------------- */

static void
there_are_as_many_threads_as_there_are_cells(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_FIRST);
    struct viommu_thread *thread[THREADS];
    struct viommu_thread *more;
    struct viommu_access access = { .iova = FAKE_IOVA, .pasid = client->pasid };
    uint64_t val;

    (void)state;
    thread[0] = client->thread;
    for (unsigned i = 1; i < THREADS; i++) {
        assert_int_equal(viommu_thread_create(client->viommu, &thread[i]), 0);
    }
    assert_int_equal(viommu_thread_create(client->viommu, &more), -ENOSPC);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            viommu_read(thread[i], client->device, &access, &val, 8, NULL), 0);
    }
    /* The last one counts like the first. */
    viommu_begin(thread[THREADS - 1]);
    fake_guest_invalidate_page(client->guest, FAKE_IOVA);
    assert_int_equal(poll(NULL, 0, 20), 0);
    assert_false(fake_guest_is_done(client->guest));
    viommu_end(thread[THREADS - 1]);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    /* A place that is given back is to be had. */
    viommu_thread_destroy(thread[5]);
    assert_int_equal(viommu_thread_create(client->viommu, &more), 0);
    assert_int_equal(viommu_read(more, client->device, &access, &val, 8, NULL),
                     0);
    fake_client_destroy(client);
}

static void
a_batch_of_a_thread_that_is_destroyed_is_over(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_FIRST);

    (void)state;
    viommu_begin(client->thread);
    viommu_thread_destroy(client->thread);
    fake_guest_invalidate_page(client->guest, FAKE_IOVA);
    assert_true(fake_guest_wait(client->guest) < 100000);
    fake_client_destroy(client);
}

/* --- one socket, several threads -------------------------------------------- */

struct attacher {
    struct viommu *viommu;
    pthread_t thread;
    unsigned attached;
    int rc;
};

static void *
attach_again_and_again(void *ctx)
{
    struct attacher *attacher = ctx;

    for (unsigned i = 0; i < 200 && attacher->rc == 0; i++) {
        struct viommu_device *device;

        attacher->rc = viommu_device_attach(attacher->viommu, FAKE_SID_2, 0,
                                            NULL, NULL, &device);
        if (attacher->rc == 0) {
            viommu_device_detach(device);
            (void)__atomic_add_fetch(&attacher->attached, 1, __ATOMIC_RELEASE);
        }
    }
    return NULL;
}

static int
count_invalidation(void *ctx, const struct viommu_invalidation *inv,
                   uint32_t token)
{
    unsigned *count = ctx;

    (void)inv;
    (void)token;
    (void)__atomic_add_fetch(count, 1, __ATOMIC_RELEASE);
    return 0;
}

/* What the dispatcher does, until @attacher is done. */
static void
dispatch_until(struct viommu *viommu, const struct attacher *attacher)
{
    while (__atomic_load_n(&attacher->attached, __ATOMIC_ACQUIRE) < 200) {
        struct pollfd fd = { .fd = viommu_fd(viommu), .events = POLLIN };

        assert_true(poll(&fd, 1, 10) >= 0);
        assert_int_equal(viommu_dispatch(viommu), 0);
    }
}

struct invalidator {
    struct fake_guest *guest;
    pthread_t thread;
    bool stop;
    unsigned count;
    bool late;
};

static void *
invalidate_on(void *ctx)
{
    struct invalidator *invalidator = ctx;

    while (!__atomic_load_n(&invalidator->stop, __ATOMIC_ACQUIRE)) {
        fake_guest_invalidate_device_tlb(invalidator->guest, FAKE_SID,
                                         FAKE_IOVA);
        invalidator->late |= fake_guest_wait(invalidator->guest) == UINT64_MAX;
        invalidator->count++;
    }
    return NULL;
}

/*
 * Each finds in the socket what is for the other: none of it may be lost, and
 * whoever sleeps has to be woken.
 */
static void
who_attaches_does_not_steal_from_who_dispatches(void **state)
{
    static const struct viommu_device_ops ops = {
        .invalidate = count_invalidation,
    };
    struct fake_guest_options options = { .kind = DMA_LEGACY,
                                          .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct attacher attacher = { .viommu = client->viommu };
    struct invalidator invalidator = { .guest = client->guest };
    unsigned heard = 0;

    (void)state;
    viommu_device_detach(client->device);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID,
                                          VIOMMU_DEVICE_ATS, &ops, &heard,
                                          &client->device),
                     0);
    assert_int_equal(pthread_create(&attacher.thread, NULL,
                                    attach_again_and_again, &attacher),
                     0);
    assert_int_equal(
        pthread_create(&invalidator.thread, NULL, invalidate_on, &invalidator),
        0);
    dispatch_until(client->viommu, &attacher);
    assert_int_equal(pthread_join(attacher.thread, NULL), 0);
    __atomic_store_n(&invalidator.stop, true, __ATOMIC_RELEASE);
    while (pthread_tryjoin_np(invalidator.thread, NULL) == EBUSY) {
        assert_int_equal(viommu_dispatch(client->viommu), 0);
    }
    assert_int_equal(attacher.rc, 0);
    assert_false(invalidator.late);
    assert_true(invalidator.count > 0 && heard >= invalidator.count);
    fake_client_destroy(client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            no_store_reaches_a_page_after_its_invalidation_completed),
        cmocka_unit_test(nor_behind_two_stages),
        cmocka_unit_test(an_invalidation_waits_for_a_batch_and_for_no_one_else),
        cmocka_unit_test(there_are_as_many_threads_as_there_are_cells),
        cmocka_unit_test(a_batch_of_a_thread_that_is_destroyed_is_over),
        cmocka_unit_test(who_attaches_does_not_steal_from_who_dispatches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
