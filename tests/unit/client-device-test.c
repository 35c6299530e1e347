/* SPDX-License-Identifier: GPL-2.0-only */
/* Attaching, and all that is not DMA: MSIs, invalidations, page requests. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/fake-client.h"

#define NO_PASID VIOMMU_NO_PASID

/* What callbacks were told. */
struct heard {
    struct viommu_device *device;
    int answer; /* of invalidate() */
    unsigned invalidations;
    struct viommu_invalidation inv[32];
    uint32_t token[32];
    unsigned responses;
    struct viommu_page_response response[8];
    unsigned cut_offs;
};

static int
hear_invalidate(void *ctx, const struct viommu_invalidation *inv,
                uint32_t token)
{
    struct heard *heard = ctx;
    unsigned i = heard->invalidations % 32;

    heard->inv[i] = *inv;
    heard->token[i] = token;
    heard->invalidations++;
    return heard->answer;
}

static void
hear_response(void *ctx, const struct viommu_page_response *response)
{
    struct heard *heard = ctx;

    heard->response[heard->responses % 8] = *response;
    heard->responses++;
}

static void
hear_cut_off(void *ctx)
{
    struct heard *heard = ctx;

    heard->cut_offs++;
}

static const struct viommu_device_ops hear = {
    .invalidate = hear_invalidate,
    .page_response = hear_response,
    .cut_off = hear_cut_off,
};

/* The client's device is attached anew with these. */
static void
attach(struct fake_client *client, unsigned flags, struct heard *heard)
{
    viommu_device_detach(client->device);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID, flags,
                                          &hear, heard, &client->device),
                     0);
    heard->device = client->device;
}

/* --- attaching -------------------------------------------------------------- */

static void
a_device_of_no_unit_is_not_attached(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct viommu_device *device = NULL;

    (void)state;
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_FOREIGN, 0,
                                          NULL, NULL, &device),
                     -ENODEV);
    assert_null(device);
    fake_client_destroy(client);
}

static void
a_device_has_one_client(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct viommu *other = fake_client_connect(client->guest);
    struct viommu_device *device = NULL;
    int rc = -EBUSY;

    (void)state;
    assert_int_equal(
        viommu_device_attach(other, FAKE_SID, 0, NULL, NULL, &device), -EBUSY);
    viommu_device_detach(client->device);
    assert_int_equal(
        viommu_device_attach(other, FAKE_SID, 0, NULL, NULL, &device), 0);
    viommu_close(other);
    /* A client that leaves gives its devices back, when that is noticed. */
    for (unsigned i = 0; i < 1000 && rc == -EBUSY; i++) {
        rc = viommu_device_attach(client->viommu, FAKE_SID, 0, NULL, NULL,
                                  &client->device);
        assert_int_equal(poll(NULL, 0, 1), 0);
    }
    assert_int_equal(rc, 0);
    fake_client_destroy(client);
}

static void
callbacks_that_flags_need_must_be_there(void **state)
{
    static const struct viommu_device_ops none;
    static const unsigned flags[] = { VIOMMU_DEVICE_NOTIFY, VIOMMU_DEVICE_ATS,
                                      VIOMMU_DEVICE_PRI, 0x100 };
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct viommu_device *device = NULL;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2,
                                              flags[i], &none, NULL, &device),
                         -EINVAL);
    }
    fake_client_destroy(client);
}

static void
two_devices_are_told_apart(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct viommu_device *second;
    struct viommu_access access = { .iova = FAKE_IOVA, .pasid = NO_PASID };
    struct vtd_fault_info fault;
    uint64_t val;

    (void)state;
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &second),
                     0);
    fake_guest_block(client->guest, FAKE_SID_2, true);
    fake_guest_invalidate_all(client->guest);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
    assert_int_equal(
        viommu_read(client->thread, second, &access, &val, 8, NULL),
        VTD_FR_CTX_P);
    fake_guest_fault_wait(client->guest, &fault);
    assert_int_equal(fault.sid, FAKE_SID_2);
    fake_client_destroy(client);
}

static void
no_daemon_is_an_error_of_its_own(void **state)
{
    struct viommu_options options = { .size = sizeof(options),
                                      .path = "/nonexistent/dma",
                                      .memory = &fake_guest_memory };
    struct viommu *viommu = NULL;
    char longer[sizeof(options) + 8] = { 0 };
    struct viommu_options *newer = (void *)longer;

    (void)state;
    assert_int_equal(viommu_open(&viommu, 1, &options), -ENOENT);
    /* Options of a later version, of which none is used; and one is. */
    options.size = sizeof(longer);
    memcpy(longer, &options, sizeof(options));
    assert_int_equal(viommu_open(&viommu, 1, newer), -ENOENT);
    longer[sizeof(longer) - 1] = 1;
    assert_int_equal(viommu_open(&viommu, 1, newer), -EINVAL);
    assert_null(viommu);
    viommu_close(NULL);
    viommu_device_detach(NULL);
    viommu_thread_destroy(NULL);
}

/* --- MSIs ------------------------------------------------------------------- */

/* A remappable message that names FAKE_IRTE. */
#define MSI_ADDR (UINT64_C(0xfee00010) | FAKE_IRTE << 5)

static void
an_msi_is_remapped_as_its_own_device_s(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct fake_guest *guest = client->guest;
    struct viommu_device *second;
    struct vtd_fault_info fault;

    (void)state;
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &second),
                     0);
    assert_int_equal(viommu_msi(client->device, MSI_ADDR, 0), 0);
    fake_guest_delivery_wait(guest, 1);
    assert_int_equal(guest->delivery[0].vector, FAKE_VECTOR);
    assert_int_equal(guest->delivery[0].index, FAKE_IRTE);
    /* The entry is not the other device's to use. */
    assert_int_equal(viommu_msi(second, MSI_ADDR, 0), 0);
    fake_guest_fault_wait(guest, &fault);
    assert_int_equal(fault.reason, VTD_FR_IR_SID);
    assert_int_equal(fault.sid, FAKE_SID_2);
    assert_int_equal(guest->delivered, 1);
    fake_client_destroy(client);
}

/* --- invalidations ---------------------------------------------------------- */

static void
a_device_tlb_is_filled_and_hears_its_invalidations(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct fake_guest *guest = client->guest;
    struct heard heard = { .answer = 0 };
    struct viommu_access access = { .iova = FAKE_IOVA,
                                    .pasid = NO_PASID,
                                    .address_type = VIOMMU_AT_TRANSLATION };
    struct viommu_translation t;

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS, &heard);
    viommu_begin(client->thread);
    assert_int_equal(
        viommu_translate(client->thread, client->device, &access, &t), 0);
    assert_int_equal(t.gpa, FAKE_GPA);
    assert_int_equal(t.access, VIOMMU_READ | VIOMMU_WRITE);
    access.iova = t.gpa;
    access.address_type = VIOMMU_AT_TRANSLATED;
    access.access = VIOMMU_READ;
    assert_int_equal(
        viommu_translate(client->thread, client->device, &access, &t), 0);
    assert_int_equal(t.gpa, FAKE_GPA);
    viommu_end(client->thread);

    fake_guest_invalidate_device_tlb(guest, FAKE_SID, FAKE_IOVA);
    assert_false(fake_guest_is_done(guest));
    fake_client_dispatch(client->viommu, &heard.invalidations, 1);
    assert_int_equal(heard.inv[0].iova, FAKE_IOVA);
    assert_int_equal(heard.inv[0].last, FAKE_IOVA + 0xfff);
    assert_int_equal(heard.inv[0].pasid, NO_PASID);
    assert_true(fake_guest_wait(guest) < UINT64_MAX);
    fake_client_destroy(client);
}

static void
an_invalidation_may_be_done_later(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY,
                                          .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct heard heard = { .answer = -EINPROGRESS };

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS, &heard);
    fake_guest_invalidate_device_tlb(client->guest, FAKE_SID, FAKE_IOVA);
    fake_client_dispatch(client->viommu, &heard.invalidations, 1);
    assert_int_equal(poll(NULL, 0, 20), 0);
    assert_false(fake_guest_is_done(client->guest));
    /* A token that is not one changes nothing. */
    viommu_invalidation_done(client->device, heard.token[0] + 1);
    viommu_invalidation_done(client->device, heard.token[0] + 256);
    assert_int_equal(poll(NULL, 0, 20), 0);
    assert_false(fake_guest_is_done(client->guest));
    viommu_invalidation_done(client->device, heard.token[0]);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    viommu_invalidation_done(client->device, heard.token[0]);
    fake_client_destroy(client);
}

/* In one doorbell, so that they come as a batch. */
static void
queue_three(struct fake_guest *guest)
{
    uint64_t lo = 0x3 | (uint64_t)FAKE_SID << 32;

    fake_guest_append(guest, lo, FAKE_IOVA);
    fake_guest_append(guest, lo, FAKE_IOVA + 0x1000);
    fake_guest_descriptor(guest, lo, FAKE_IOVA + 0x2000);
}

static void
a_batch_is_acknowledged_when_the_last_of_it_is_done(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY,
                                          .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct heard heard = { .answer = -EINPROGRESS };

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS, &heard);
    queue_three(client->guest);
    fake_client_dispatch(client->viommu, &heard.invalidations, 3);
    viommu_invalidation_done(client->device, heard.token[2]);
    viommu_invalidation_done(client->device, heard.token[0]);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    assert_int_equal(poll(NULL, 0, 20), 0);
    assert_false(fake_guest_is_done(client->guest));
    viommu_invalidation_done(client->device, heard.token[1]);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    fake_client_destroy(client);
}

static void
who_asks_hears_of_every_invalidation(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct heard heard = { .answer = 0 };
    const struct viommu_invalidation *inv = &heard.inv[0];

    (void)state;
    attach(client, VIOMMU_DEVICE_NOTIFY, &heard);
    fake_guest_invalidate_page(client->guest, FAKE_IOVA);
    fake_client_dispatch(client->viommu, &heard.invalidations, 1);
    assert_true(inv->iova <= FAKE_IOVA && inv->last >= FAKE_IOVA + 0xfff);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    fake_client_destroy(client);
}

static void
a_device_tlb_that_fails_is_a_time_out_for_the_guest(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct heard heard = { .answer = -EIO };

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS, &heard);
    fake_guest_invalidate_device_tlb(client->guest, FAKE_SID, FAKE_IOVA);
    fake_client_dispatch(client->viommu, &heard.invalidations, 1);
    while (!(fake_guest_read(client->guest, VTD_OFF_FSTS) & VTD_FSTS_ITE)) {
        assert_false(fake_guest_is_done(client->guest));
    }
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    fake_client_destroy(client);
}

static void
a_device_that_goes_owes_nothing(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY,
                                          .drain_ms = 5000 };
    struct fake_client *client = fake_client_create(&options);
    struct heard heard = { .answer = -EINPROGRESS };

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS, &heard);
    fake_guest_invalidate_device_tlb(client->guest, FAKE_SID, FAKE_IOVA);
    fake_client_dispatch(client->viommu, &heard.invalidations, 1);
    viommu_device_detach(client->device);
    assert_true(fake_guest_wait(client->guest) < 2000000);
    /* One that is on its way when the device goes. */
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID,
                                          VIOMMU_DEVICE_ATS, &hear, &heard,
                                          &client->device),
                     0);
    fake_guest_invalidate_device_tlb(client->guest, FAKE_SID, FAKE_IOVA);
    viommu_device_detach(client->device);
    assert_true(fake_guest_wait(client->guest) < 2000000);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    assert_int_equal(heard.invalidations, 1);
    /* It is not held against the next one. */
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID, 0, NULL,
                                          NULL, &client->device),
                     0);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    fake_client_destroy(client);
}

/* --- page requests ---------------------------------------------------------- */

/* A group response of the guest, for the last request of its queue. */
static void
respond(struct fake_guest *guest, unsigned group, unsigned code)
{
    fake_guest_descriptor(guest,
                          UINT64_C(0x9) | UINT64_C(1) << 4 |
                              (uint64_t)FAKE_SID << 16 |
                              (uint64_t)FAKE_PASID << 32,
                          (uint64_t)group << 3 | (uint64_t)code << 12);
}

static void
a_page_request_is_answered_and_the_access_tried_again(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_SECOND);
    struct fake_guest *guest = client->guest;
    struct heard heard = { .answer = 0 };
    struct viommu_page_request request = { .addr = FAKE_IOVA + 0x1000,
                                           .pasid = FAKE_PASID,
                                           .group = 7,
                                           .access = VIOMMU_READ,
                                           .last = true };
    uint64_t val;

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS | VIOMMU_DEVICE_PRI, &heard);
    assert_int_equal(viommu_page_request(client->device, &request), 0);
    while (fake_guest_read(guest, VTD_OFF_PQT) == 0) {
    }
    fake_guest_map(guest, FAKE_IOVA + 0x1000, FAKE_GPA, 12, VIOMMU_READ);
    respond(guest, 7, 0);
    fake_client_dispatch(client->viommu, &heard.responses, 1);
    assert_int_equal(heard.response[0].code, 0);
    assert_int_equal(heard.response[0].group, 7);
    assert_int_equal(heard.response[0].pasid, FAKE_PASID);
    assert_int_equal(fake_client_read(client, FAKE_IOVA + 0x1000, &val, 8), 0);
    fake_client_destroy(client);
}

static void
a_page_request_that_tables_refuse_is_answered_by_the_unit(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_SECOND);
    struct heard heard = { .answer = 0 };
    struct viommu_page_request request = { .addr = FAKE_IOVA,
                                           .pasid = 0x55555,
                                           .group = 3,
                                           .access = VIOMMU_READ,
                                           .last = true };

    (void)state;
    attach(client, VIOMMU_DEVICE_ATS | VIOMMU_DEVICE_PRI, &heard);
    assert_int_equal(viommu_page_request(client->device, &request), 0);
    fake_client_dispatch(client->viommu, &heard.responses, 1);
    assert_int_equal(heard.response[0].code, 1);
    assert_int_equal(heard.response[0].group, 3);
    fake_client_destroy(client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_of_no_unit_is_not_attached),
        cmocka_unit_test(a_device_has_one_client),
        cmocka_unit_test(callbacks_that_flags_need_must_be_there),
        cmocka_unit_test(two_devices_are_told_apart),
        cmocka_unit_test(no_daemon_is_an_error_of_its_own),
        cmocka_unit_test(an_msi_is_remapped_as_its_own_device_s),
        cmocka_unit_test(a_device_tlb_is_filled_and_hears_its_invalidations),
        cmocka_unit_test(an_invalidation_may_be_done_later),
        cmocka_unit_test(a_batch_is_acknowledged_when_the_last_of_it_is_done),
        cmocka_unit_test(who_asks_hears_of_every_invalidation),
        cmocka_unit_test(a_device_tlb_that_fails_is_a_time_out_for_the_guest),
        cmocka_unit_test(a_device_that_goes_owes_nothing),
        cmocka_unit_test(a_page_request_is_answered_and_the_access_tried_again),
        cmocka_unit_test(
            a_page_request_that_tables_refuse_is_answered_by_the_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
