/* SPDX-License-Identifier: GPL-2.0-only */
/* A kernel vhost device behind the vIOMMU; the kernel is the test's. */
#include "tests/unit/client-vhost.h"

#define R  VIOMMU_READ
#define W  VIOMMU_WRITE
#define RW (VIOMMU_READ | VIOMMU_WRITE)

/* How long the race goes on. */
#define RACE_ROUNDS 400u

/* --- answers ---------------------------------------------------------------- */

static void
a_miss_is_answered_by_where_the_page_lies(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND };

    (void)state;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct card card;

        card_open(&card, kinds[i]);
        kernel_ask(VHOST_IOTLB_MISS, FAKE_IOVA + 0x123, VHOST_ACCESS_RW);
        assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
        assert_entry(&card, FAKE_IOVA, FAKE_GPA, 4096, VHOST_ACCESS_RW);
        assert_stats(&card, 1, 1, 0);
        assert_int_equal(kernel.logged, 1);
        card_close(&card);
    }
}

static void
a_large_page_is_told_as_far_as_there_is_memory(void **state)
{
    const uint64_t iova = UINT64_C(0x4000000000);
    struct card card;
    uint8_t *ram;
    /* Not all that 2 MiB have, and not at the start of it. */
    struct viommu_vhost_region region[2] = {
        { .gpa = FAKE_DATA + 0x3000, .size = 0x5000 },
        { .gpa = FAKE_DATA + 0x200000, .size = 0x400000 },
    };

    (void)state;
    memset(&card, 0, sizeof(card));
    kernel_open(V2);
    card_attach(&card, DMA_LEGACY);
    ram = card.client->guest->ram;
    region[0].addr = &ram[region[0].gpa];
    region[1].addr = &ram[region[1].gpa];
    assert_int_equal(card_serve(&card, region, 2), 0);
    fake_guest_map(card.client->guest, iova, FAKE_DATA, 21, RW);
    fake_guest_map(card.client->guest, iova + 0x200000, FAKE_DATA + 0x200000,
                   21, RW);

    assert_int_equal(viommu_vhost_tell(card.vhost, iova + 0x4567, RW), 0);
    assert_entry(&card, iova + 0x3000, FAKE_DATA + 0x3000, 0x5000,
                 VHOST_ACCESS_RW);
    assert_int_equal(viommu_vhost_tell(card.vhost, iova + 0x3ffff8, R), 0);
    assert_entry(&card, iova + 0x200000, FAKE_DATA + 0x200000, 0x200000,
                 VHOST_ACCESS_RW);
    /* What is in no region is not for this device; and no fault. */
    assert_int_equal(viommu_vhost_tell(card.vhost, iova + 0x2fff, R), -EFAULT);
    assert_int_equal(viommu_vhost_tell(card.vhost, iova + 0x8000, R), -EFAULT);
    assert_stats(&card, 0, 2, 2);
    card_close(&card);
}

static void
a_page_is_told_for_what_it_permits(void **state)
{
    const uint64_t iova = UINT64_C(0x77000);
    struct vtd_fault_info fault;
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    fake_guest_map(card.client->guest, iova, FAKE_GPA, 12, R);
    fake_guest_map(card.client->guest, iova + 0x1000, FAKE_GPA, 12, W);
    kernel_ask(VHOST_IOTLB_MISS, iova, VHOST_ACCESS_RO);
    kernel_ask(VHOST_IOTLB_MISS, iova + 0x1000, VHOST_ACCESS_WO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_entry(&card, iova, FAKE_GPA, 4096, VHOST_ACCESS_RO);
    assert_entry(&card, iova + 0x1000, FAKE_GPA, 4096, VHOST_ACCESS_WO);
    assert_false(fake_guest_fault(card.client->guest, &fault));
    card_close(&card);
}

static void
what_is_not_mapped_is_not_answered_and_the_guest_hears_of_it(void **state)
{
    const uint64_t iova = UINT64_C(0x123456789000);
    struct vtd_fault_info fault;
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    kernel_ask(VHOST_IOTLB_MISS, iova + 0x10, VHOST_ACCESS_WO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_int_equal(kernel.logged, 0);
    assert_stats(&card, 1, 0, 1);
    fake_guest_fault_wait(card.client->guest, &fault);
    assert_int_equal(fault.reason, VTD_FR_WRITE);
    assert_int_equal(fault.sid, FAKE_SID);
    assert_int_equal(fault.info & ~UINT64_C(0xfff), iova);

    /* The kernel reports a failure of its own. */
    kernel_ask(VHOST_IOTLB_ACCESS_FAIL, iova, VHOST_ACCESS_RO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    fake_guest_fault_wait(card.client->guest, &fault);
    assert_int_equal(fault.reason, VTD_FR_READ);
    assert_stats(&card, 1, 0, 2);

    /* Told in advance, it is the caller who hears of it, too. */
    assert_int_equal(viommu_vhost_tell(card.vhost, iova, R), VTD_FR_READ);

    /* Once it is mapped, it is there. */
    fake_guest_map(card.client->guest, iova, FAKE_GPA, 12, RW);
    kernel_ask(VHOST_IOTLB_MISS, iova, VHOST_ACCESS_WO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_entry(&card, iova, FAKE_GPA, 4096, VHOST_ACCESS_RW);
    card_close(&card);
}

static void
one_turn_answers_so_many_and_no_more(void **state)
{
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    for (unsigned i = 0; i < 100; i++) {
        kernel_ask(VHOST_IOTLB_MISS, 0x1000, VHOST_ACCESS_RO);
    }
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_int_equal(kernel.count, 36);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_int_equal(kernel.count, 0);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
    assert_stats(&card, 100, 0, 100);
    card_close(&card);
}

/* --- invalidations ---------------------------------------------------------- */

static void
the_guest_waits_until_the_kernel_has_forgotten(void **state)
{
    struct card card;
    struct fake_guest *guest;

    (void)state;
    card_open(&card, DMA_LEGACY);
    guest = card.client->guest;
    assert_int_equal(viommu_vhost_tell(card.vhost, FAKE_IOVA, RW), 0);
    fake_guest_unmap(guest, card.client->entry);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    assert_non_null(kernel_find(FAKE_IOVA));
    assert_false(fake_guest_is_done(guest));
    wait_and_dispatch(&card);
    assert_null(kernel_find(FAKE_IOVA));
    assert_int_equal(viommu_vhost_tell(card.vhost, FAKE_IOVA, W), VTD_FR_WRITE);
    card_close(&card);
}

static void
everything_takes_two_messages(void **state)
{
    static const uint64_t offers[] = { V2, V2 | BATCH };
    const struct viommu_invalidation all = { .last = UINT64_MAX };
    const uint64_t half = UINT64_C(1) << 63;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        unsigned first = i;
        struct card card;

        memset(&card, 0, sizeof(card));
        kernel_open(offers[i]);
        card_attach(&card, DMA_LEGACY);
        assert_int_equal(card_serve(&card, NULL, 0), 0);
        assert_int_equal(viommu_vhost_invalidate(card.vhost, &all), 0);
        assert_int_equal(kernel.logged, 2 + 2 * i);
        assert_int_equal(kernel.log[first].iotlb.iova, 0);
        assert_int_equal(kernel.log[first].iotlb.size, half);
        assert_int_equal(kernel.log[first + 1].iotlb.iova, half);
        assert_int_equal(kernel.log[first + 1].iotlb.size, half);
        if (i > 0) {
            assert_int_equal(kernel.log[0].iotlb.type, VHOST_IOTLB_BATCH_BEGIN);
            assert_int_equal(kernel.log[3].iotlb.type, VHOST_IOTLB_BATCH_END);
        }
        card_close(&card);
    }
}

static void
what_the_kernel_was_told_is_taken_back_in_the_end(void **state)
{
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    assert_int_equal(viommu_vhost_tell(card.vhost, FAKE_IOVA, RW), 0);
    assert_non_null(kernel_find(FAKE_IOVA));
    viommu_vhost_destroy(card.vhost);
    card.vhost = NULL;
    assert_null(kernel_find(FAKE_IOVA));
    /* A device that has no adapter has nothing to forget. */
    fake_guest_invalidate_page(card.client->guest, FAKE_IOVA);
    wait_and_dispatch(&card);
    assert_true(card.invalidations > 0);
    card_close(&card);
}

static void
what_the_kernel_does_not_forget_is_not_acknowledged(void **state)
{
    const struct viommu_invalidation inv = { .iova = FAKE_IOVA,
                                             .last = FAKE_IOVA + 0xfff };
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    kernel.write_errno = EIO;
    assert_int_equal(viommu_vhost_invalidate(card.vhost, &inv), -EIO);
    kernel_ask(VHOST_IOTLB_MISS, FAKE_IOVA, VHOST_ACCESS_RO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), -EIO);
    assert_int_equal(viommu_vhost_tell(card.vhost, FAKE_IOVA, R), -EIO);
    kernel.write_errno = 0;
    card_close(&card);
}

/* --- what is not as it should be -------------------------------------------- */

static void
an_old_kernel_is_spoken_to_in_its_own_way(void **state)
{
    static const uint64_t offers[] = { UINT64_MAX, 0, BATCH };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct viommu_vhost_region all = { .size = FAKE_RAM };
        struct card card;

        memset(&card, 0, sizeof(card));
        kernel_open(offers[i]);
        card_attach(&card, DMA_LEGACY);
        all.addr = card.client->guest->ram;
        assert_int_equal(card_serve(&card, &all, 1), 0);
        assert_int_equal(format(), VHOST_IOTLB_MSG);
        kernel_ask(VHOST_IOTLB_MISS, FAKE_IOVA, VHOST_ACCESS_RO);
        assert_int_equal(viommu_vhost_dispatch(card.vhost), 0);
        assert_entry(&card, FAKE_IOVA, FAKE_GPA, 4096, VHOST_ACCESS_RW);
        card_close(&card);
    }
}

static void
only_known_features_are_chosen(void **state)
{
    struct card card;

    (void)state;
    memset(&card, 0, sizeof(card));
    kernel_open(UINT64_MAX - 1);
    card_attach(&card, DMA_LEGACY);
    assert_int_equal(card_serve(&card, NULL, 0), 0);
    assert_int_equal(kernel.chosen, V2 | BATCH);
    card_close(&card);
}

static void
what_is_no_message_is_an_error(void **state)
{
    static const struct {
        uint32_t format;
        uint8_t type, perm;
        size_t size;
    } bad[] = {
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MISS, 0, 72 },
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MISS, 4, 72 },
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_UPDATE, 1, 72 },
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_INVALIDATE, 1, 72 },
        { VHOST_IOTLB_MSG_V2, 0, 1, 72 },
        { VHOST_IOTLB_MSG_V2, 0xff, 1, 72 },
        { VHOST_IOTLB_MSG, VHOST_IOTLB_MISS, 1, 72 },
        { 7, VHOST_IOTLB_MISS, 1, 72 },
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MISS, 1, 71 },
        { VHOST_IOTLB_MSG_V2, VHOST_IOTLB_MISS, 1, 4 },
    };
    struct card card;

    (void)state;
    card_open(&card, DMA_LEGACY);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        kernel_ask(bad[i].type, FAKE_IOVA, bad[i].perm);
        kernel.queue[kernel.first].type = bad[i].format;
        kernel.size = bad[i].size;
        assert_int_equal(viommu_vhost_dispatch(card.vhost), -EPROTO);
    }
    assert_int_equal(kernel.logged, 0);
    kernel.ended = true;
    assert_int_equal(viommu_vhost_dispatch(card.vhost), -ENODEV);
    card_close(&card);
}

static void
regions_that_make_no_sense_are_refused(void **state)
{
    static const struct viommu_vhost_region bad[][2] = {
        { { 0x1000, 0, (void *)0x1000 } },
        { { 0x1001, 0x1000, (void *)0x1000 } },
        { { 0x1000, 0x1001, (void *)0x1000 } },
        { { 0x1000, 0x1000, (void *)0x1001 } },
        { { ~UINT64_C(0xfff), 0x2000, (void *)0x1000 } },
        { { 0x1000, 0x2000, (void *)0x1000 },
          { 0x2000, 0x1000, (void *)0x9000 } },
        { { 0x2000, 0x1000, (void *)0x9000 },
          { 0x1000, 0x2000, (void *)0x1000 } },
    };
    struct card card;

    (void)state;
    memset(&card, 0, sizeof(card));
    kernel_open(V2);
    card_attach(&card, DMA_LEGACY);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(card_serve(&card, bad[i], bad[i][1].size ? 2 : 1),
                         -EINVAL);
    }
    assert_int_equal(card_serve(&card, bad[0], SIZE_MAX / 16), -EINVAL);
    assert_null(card.vhost);
    card_close(&card);
}

static void
a_descriptor_that_cannot_be_used_is_refused(void **state)
{
    struct card card;
    int fd;

    (void)state;
    memset(&card, 0, sizeof(card));
    kernel_open(V2);
    card_attach(&card, DMA_LEGACY);
    kernel.set_errno = EOPNOTSUPP;
    assert_int_equal(card_serve(&card, NULL, 0), -EOPNOTSUPP);
    kernel.set_errno = 0;
    fd = kernel.fd;
    kernel.fd = -2;
    assert_int_equal(card_serve(&card, NULL, 0), -EBADF);
    kernel.fd = fd;
    assert_int_equal(card_serve(&card, NULL, 0), 0);
    assert_true(fcntl(kernel.fd, F_GETFL) & O_NONBLOCK);
    card_close(&card);
}

static void
a_device_that_is_cut_off_is_answered_nothing(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY, .process = true };
    struct viommu_vhost_region all = { .size = FAKE_RAM };
    struct card card;

    (void)state;
    memset(&card, 0, sizeof(card));
    kernel_open(V2);
    card.client = fake_client_create(&options);
    all.addr = card.client->guest->ram;
    assert_int_equal(card_serve(&card, &all, 1), 0);
    fake_guest_kill(card.client->guest);
    for (int rc = 0; rc == 0;) {
        assert_int_equal(poll(NULL, 0, 1), 0);
        rc = viommu_dispatch(card.client->viommu);
        assert_true(rc == 0 || rc == -ESHUTDOWN);
    }
    kernel_ask(VHOST_IOTLB_MISS, FAKE_IOVA, VHOST_ACCESS_RO);
    assert_int_equal(viommu_vhost_dispatch(card.vhost), -ESHUTDOWN);
    assert_int_equal(kernel.logged, 0);
    card_close(&card);
}

/* --- all at once ------------------------------------------------------------ */

/* The kernel's worker: it writes through what it knows, or asks. */
static void *
worker(void *ctx)
{
    bool *stop = ctx;
    uint64_t count = 0;

    while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
        const struct vhost_iotlb_msg *entry;

        (void)pthread_mutex_lock(&kernel.lock);
        entry = kernel_find(FAKE_IOVA);
        if (entry) {
            __atomic_store_n((uint64_t *)(uintptr_t)entry->uaddr, ++count,
                             __ATOMIC_RELAXED);
        } else if (kernel.count == 0) {
            kernel_queue(VHOST_IOTLB_MISS, FAKE_IOVA, VHOST_ACCESS_WO);
        }
        (void)pthread_mutex_unlock(&kernel.lock);
    }
    return NULL;
}

struct answerer {
    struct card *card;
    bool *stop;
};

/* Another thread than the one that hears of invalidations. */
static void *
answer(void *ctx)
{
    const struct answerer *answerer = ctx;

    while (!__atomic_load_n(answerer->stop, __ATOMIC_ACQUIRE)) {
        (void)viommu_vhost_dispatch(answerer->card->vhost);
        nap(10000);
    }
    return NULL;
}

/* Until the device has written to @at. */
static void
wait_for_access(const uint64_t *at)
{
    uint64_t last = __atomic_load_n(at, __ATOMIC_RELAXED);

    for (unsigned ms = 0; __atomic_load_n(at, __ATOMIC_RELAXED) == last; ms++) {
        assert_true(ms < 10000);
        nap(1000000);
    }
}

/*
 * The page moves all the time.  When an invalidation has completed, the old one
 * is not written to any more, however answers and invalidations meet: with the
 * kernel at work, or being told.
 */
static void
no_access_follows_an_invalidation(void **state)
{
    bool stop = false;
    struct card card;
    struct answerer answerer = { &card, &stop };
    struct fake_guest *guest;
    pthread_t thread[2];

    (void)state;
    card_open(&card, DMA_LEGACY);
    guest = card.client->guest;
    kernel.update_ns = 500000;
    assert_int_equal(pthread_create(&thread[0], NULL, worker, &stop), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, answer, &answerer), 0);
    for (unsigned i = 0; i < RACE_ROUNDS; i++) {
        uint64_t old = FAKE_GPA + (i % 2 ? 0x1000 : 0);
        uint64_t new = FAKE_GPA + (i % 2 ? 0 : 0x1000);
        const uint64_t *at = (const void *)&guest->ram[old];
        uint64_t last;

        if (i % 4 == 0) {
            wait_for_access(at);
        } else {
            nap((long)i % 16 * 40000);
        }
        fake_guest_map(guest, FAKE_IOVA, new, 12, RW);
        fake_guest_invalidate_page(guest, FAKE_IOVA);
        wait_and_dispatch(&card);
        last = __atomic_load_n(at, __ATOMIC_RELAXED);
        nap(1000000);
        assert_int_equal(__atomic_load_n(at, __ATOMIC_RELAXED), last);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    assert_int_equal(pthread_join(thread[0], NULL), 0);
    assert_int_equal(pthread_join(thread[1], NULL), 0);
    assert_true(card.invalidations >= RACE_ROUNDS);
    card_close(&card);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_miss_is_answered_by_where_the_page_lies),
        cmocka_unit_test(a_large_page_is_told_as_far_as_there_is_memory),
        cmocka_unit_test(a_page_is_told_for_what_it_permits),
        cmocka_unit_test(
            what_is_not_mapped_is_not_answered_and_the_guest_hears_of_it),
        cmocka_unit_test(one_turn_answers_so_many_and_no_more),
        cmocka_unit_test(the_guest_waits_until_the_kernel_has_forgotten),
        cmocka_unit_test(everything_takes_two_messages),
        cmocka_unit_test(what_the_kernel_was_told_is_taken_back_in_the_end),
        cmocka_unit_test(what_the_kernel_does_not_forget_is_not_acknowledged),
        cmocka_unit_test(an_old_kernel_is_spoken_to_in_its_own_way),
        cmocka_unit_test(only_known_features_are_chosen),
        cmocka_unit_test(what_is_no_message_is_an_error),
        cmocka_unit_test(regions_that_make_no_sense_are_refused),
        cmocka_unit_test(a_descriptor_that_cannot_be_used_is_refused),
        cmocka_unit_test(a_device_that_is_cut_off_is_answered_nothing),
        cmocka_unit_test(no_access_follows_an_invalidation),
    };

    return cmocka_run_group_tests_name("vhost", tests, NULL, NULL);
}
