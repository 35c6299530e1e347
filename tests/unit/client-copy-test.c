/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies through the guest's tables, in every mode. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake-client.h"

#define RW (VIOMMU_READ | VIOMMU_WRITE)

static const enum dma_kind translated[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                            DMA_NESTED };
#define KINDS (sizeof(translated) / sizeof(translated[0]))

static void
fill(uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf[i] = (uint8_t)(i * 7 + i / 256);
    }
}

static void
a_copy_is_right_across_pages_that_lie_anywhere(void **state)
{
    uint8_t out[3 * 4096], in[sizeof(out)];

    (void)state;
    fill(out, sizeof(out));
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        struct fake_guest *guest = client->guest;
        uint64_t iova = FAKE_IOVA + 100;

        /* In memory the pages are in no order. */
        fake_guest_map(guest, FAKE_IOVA + 0x1000, FAKE_GPA - 0x5000, 12, RW);
        fake_guest_map(guest, FAKE_IOVA + 0x2000, FAKE_GPA + 0x9000, 12, RW);
        fake_guest_map(guest, FAKE_IOVA + 0x3000, FAKE_GPA + 0x200000, 12, RW);
        assert_int_equal(fake_client_write(client, iova, out, sizeof(out)), 0);
        assert_memory_equal(&guest->ram[FAKE_GPA + 100], out, 3996);
        assert_memory_equal(&guest->ram[FAKE_GPA - 0x5000], &out[3996], 4096);
        assert_memory_equal(&guest->ram[FAKE_GPA + 0x9000], &out[8092], 4096);
        assert_memory_equal(&guest->ram[FAKE_GPA + 0x200000], &out[12188],
                            sizeof(out) - 12188);
        memset(in, 0, sizeof(in));
        assert_int_equal(fake_client_read(client, iova, in, sizeof(in)), 0);
        assert_memory_equal(in, out, sizeof(in));
        fake_client_destroy(client);
    }
}

static void
a_copy_goes_through_pages_of_any_size(void **state)
{
    const uint64_t iova = UINT64_C(0x4000000000);
    uint8_t out[8192], in[sizeof(out)];

    (void)state;
    fill(out, sizeof(out));
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        struct fake_guest *guest = client->guest;
        struct viommu_translation t;

        /* 2 MiB, behind it 4 KiB; and 1 GiB, of which the guest has little. */
        fake_guest_map(guest, iova, FAKE_DATA, 21, RW);
        fake_guest_map(guest, iova + 0x200000, FAKE_GPA, 12, RW);
        fake_guest_map(guest, iova + 0x40000000, 0, 30, RW);
        assert_int_equal(
            fake_client_write(client, iova + 0x1ff000, out, sizeof(out)), 0);
        assert_memory_equal(&guest->ram[FAKE_DATA + 0x1ff000], out, 4096);
        assert_memory_equal(&guest->ram[FAKE_GPA], &out[4096], 4096);
        assert_int_equal(
            fake_client_read(client, iova + 0x40000000 + FAKE_DATA + 0x1ff000,
                             in, 4096),
            0);
        assert_memory_equal(in, out, 4096);
        assert_int_equal(
            fake_client_translate(client, iova + 0x1234, VIOMMU_READ, &t), 0);
        assert_int_equal(t.shift, 21);
        assert_int_equal(t.gpa, FAKE_DATA + 0x1234);
        fake_client_destroy(client);
    }
}

/* The daemon must know of @reason, as the client does. */
static void
assert_fault(struct fake_client *client, int reason, uint64_t iova)
{
    struct vtd_fault_info fault;

    assert_true(reason > 0);
    fake_guest_fault_wait(client->guest, &fault);
    assert_int_equal(fault.reason, reason);
    assert_int_equal(fault.sid, FAKE_SID);
    assert_int_equal(fault.info & ~UINT64_C(0xfff), iova);
    assert_false(fake_guest_fault(client->guest, &fault));
}

static void
what_is_not_mapped_cannot_be_touched_and_the_guest_hears_of_it(void **state)
{
    const uint64_t iova = UINT64_C(0x123456789000);

    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        uint64_t val = UINT64_C(0x1122334455667788);

        assert_fault(client, fake_client_read(client, iova, &val, 8), iova);
        assert_fault(client, fake_client_write(client, iova, &val, 8), iova);
        fake_client_destroy(client);
    }
}

static void
a_page_that_is_read_only_is_not_written(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        uint64_t iova = FAKE_IOVA + 0x1000;
        uint64_t val = 1, seen = 2;

        fake_guest_map(client->guest, iova, FAKE_GPA + 0x1000, 12, VIOMMU_READ);
        assert_int_equal(fake_client_read(client, iova, &seen, 8), 0);
        assert_int_equal(seen, 0);
        assert_fault(client, fake_client_write(client, iova, &val, 8), iova);
        assert_int_equal(client->guest->ram[FAKE_GPA + 0x1000], 0);
        fake_client_destroy(client);
    }
}

static void
a_copy_stops_at_the_page_that_faults_and_says_where(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_SECOND);
    struct viommu_access access = { .iova = FAKE_IOVA + 4000,
                                    .pasid = FAKE_PASID };
    uint8_t buf[200];
    size_t done = 7;

    (void)state;
    assert_true(viommu_read(client->thread, client->device, &access, buf,
                            sizeof(buf), &done) > 0);
    assert_int_equal(done, 96);
    assert_int_equal(access.iova, FAKE_IOVA + 4000);
    fake_client_destroy(client);
}

static void
what_was_unmapped_is_blocked_once_the_invalidation_has_completed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        struct fake_guest *guest = client->guest;
        uint64_t val = 1;

        assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), 0);
        fake_guest_unmap(guest, client->entry);
        fake_guest_invalidate_page(guest, FAKE_IOVA);
        assert_true(fake_guest_wait(guest) < UINT64_MAX);
        val = 2;
        assert_fault(client, fake_client_write(client, FAKE_IOVA, &val, 8),
                     FAKE_IOVA);
        assert_int_equal(guest->ram[FAKE_GPA], 1);
        fake_client_destroy(client);
    }
}

static void
a_device_whose_context_is_taken_away_is_blocked(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        struct fake_guest *guest = client->guest;
        uint64_t val;

        assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
        fake_guest_block(guest, FAKE_SID, true);
        fake_guest_invalidate_all(guest);
        assert_true(fake_guest_wait(guest) < UINT64_MAX);
        assert_fault(client, fake_client_read(client, FAKE_IOVA, &val, 8),
                     FAKE_IOVA);
        fake_guest_block(guest, FAKE_SID, false);
        fake_guest_invalidate_all(guest);
        assert_true(fake_guest_wait(guest) < UINT64_MAX);
        assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
        fake_client_destroy(client);
    }
}

static void
pass_through_reaches_memory_by_its_own_address(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY_PASS, DMA_PASS };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct fake_client *client = fake_client_create_kind(kinds[i]);
        uint32_t val = 0x12345678;

        assert_int_equal(fake_client_write(client, FAKE_GPA + 2, &val, 4), 0);
        assert_memory_equal(&client->guest->ram[FAKE_GPA + 2], &val, 4);
        fake_client_destroy(client);
    }
}

static void
without_te_addresses_are_those_of_memory_and_te_is_noticed(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY, .off = true };
    struct fake_client *client = fake_client_create(&options);
    struct fake_guest *guest = client->guest;
    const uint32_t on = VTD_GCMD_QIE | VTD_GCMD_IRE;
    uint32_t val = 0xabcdef01;

    (void)state;
    assert_int_equal(fake_client_write(client, FAKE_GPA, &val, 4), 0);
    assert_memory_equal(&guest->ram[FAKE_GPA], &val, 4);
    fake_guest_write(guest, VTD_OFF_GCMD, on | VTD_GCMD_TE);
    assert_true(fake_client_write(client, FAKE_GPA, &val, 4) > 0);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 4), 0);
    fake_guest_write(guest, VTD_OFF_GCMD, on);
    assert_int_equal(fake_client_write(client, FAKE_GPA, &val, 4), 0);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 4), -EFAULT);
    fake_client_destroy(client);
}

static void
an_aligned_word_is_one_access(void **state)
{
    static const size_t sizes[] = { 1, 2, 4, 8 };
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        for (uint64_t off = 0; off < 16; off++) {
            uint64_t out = UINT64_C(0x0123456789abcdef) + off, in = 0;

            assert_int_equal(
                fake_client_write(client, FAKE_IOVA + off, &out, sizes[i]), 0);
            assert_memory_equal(&client->guest->ram[FAKE_GPA + off], &out,
                                sizes[i]);
            assert_int_equal(
                fake_client_read(client, FAKE_IOVA + off, &in, sizes[i]), 0);
            assert_memory_equal(&in, &out, sizes[i]);
        }
    }
    fake_client_destroy(client);
}

static void
reads_may_be_for_execution(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_FIRST);
    struct viommu_access access = { .iova = FAKE_IOVA,
                                    .pasid = FAKE_PASID,
                                    .access = VIOMMU_EXEC };
    uint64_t val;

    (void)state;
    /* The PASID's entry does not allow that. */
    assert_int_equal(
        viommu_read(client->thread, client->device, &access, &val, 8, NULL),
        VTD_FR_PASID_ERE);
    /* A write is none, whatever it says. */
    assert_int_equal(
        viommu_write(client->thread, client->device, &access, &val, 8, NULL),
        0);
    access.access = 0;
    assert_int_equal(
        viommu_read(client->thread, client->device, &access, &val, 8, NULL), 0);
    fake_client_destroy(client);
}

static void
without_a_pasid_requests_are_those_of_the_function(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct fake_client *client = fake_client_create_kind(translated[i]);
        uint64_t val = 11;

        client->pasid = VIOMMU_NO_PASID;
        assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), 0);
        assert_int_equal(client->guest->ram[FAKE_GPA], 11);
        /* One that the tables do not have; legacy mode has none at all. */
        client->pasid = FAKE_PASID + 1;
        assert_fault(client, fake_client_write(client, FAKE_IOVA, &val, 8),
                     FAKE_IOVA);
        fake_client_destroy(client);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_right_across_pages_that_lie_anywhere),
        cmocka_unit_test(a_copy_goes_through_pages_of_any_size),
        cmocka_unit_test(
            what_is_not_mapped_cannot_be_touched_and_the_guest_hears_of_it),
        cmocka_unit_test(a_page_that_is_read_only_is_not_written),
        cmocka_unit_test(a_copy_stops_at_the_page_that_faults_and_says_where),
        cmocka_unit_test(
            what_was_unmapped_is_blocked_once_the_invalidation_has_completed),
        cmocka_unit_test(a_device_whose_context_is_taken_away_is_blocked),
        cmocka_unit_test(pass_through_reaches_memory_by_its_own_address),
        cmocka_unit_test(
            without_te_addresses_are_those_of_memory_and_te_is_noticed),
        cmocka_unit_test(an_aligned_word_is_one_access),
        cmocka_unit_test(reads_may_be_for_execution),
        cmocka_unit_test(without_a_pasid_requests_are_those_of_the_function),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
