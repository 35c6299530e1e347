/* SPDX-License-Identifier: GPL-2.0-only */
/* How it ends: cut off, killed, closed. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake-client.h"

static void
note(void *ctx)
{
    unsigned *count = ctx;

    (*count)++;
}

static const struct viommu_device_ops noted = { .cut_off = note };

static void
attach_noted(struct fake_client *client, unsigned *cut_offs)
{
    viommu_device_detach(client->device);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID, 0, &noted,
                                          cut_offs, &client->device),
                     0);
}

/* Nothing works any more, and says so. */
static void
assert_down(struct fake_client *client)
{
    struct viommu_thread *thread;
    struct viommu_device *device;
    struct viommu_page_request request = { .pasid = VIOMMU_NO_PASID };
    uint64_t val = 0;

    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), -ESHUTDOWN);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), -ESHUTDOWN);
    assert_int_equal(viommu_msi(client->device, 0xfee00000, 0), -ESHUTDOWN);
    assert_int_equal(viommu_page_request(client->device, &request), -ESHUTDOWN);
    assert_int_equal(viommu_thread_create(client->viommu, &thread), -ESHUTDOWN);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &device),
                     -ESHUTDOWN);
    assert_int_equal(viommu_dispatch(client->viommu), -ESHUTDOWN);
    assert_string_not_equal(viommu_cut_off_reason(client->viommu), "");
}

static void
a_batch_that_does_not_end_gets_the_client_cut_off(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY, .drain_ms = 50 };
    struct fake_client *client = fake_client_create(&options);
    struct fake_guest *guest = client->guest;
    unsigned cut_offs = 0;
    uint64_t us, val = 1;

    (void)state;
    attach_noted(client, &cut_offs);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), 0);
    viommu_begin(client->thread);
    fake_guest_unmap(guest, client->entry);
    fake_guest_invalidate_page(guest, FAKE_IOVA);
    us = fake_guest_wait(guest);
    assert_true(us >= 40000 && us < 5000000);
    fake_client_dispatch(client->viommu, &cut_offs, 1);
    viommu_end(client->thread);
    assert_non_null(
        strstr(viommu_cut_off_reason(client->viommu), "for too long"));
    assert_down(client);
    assert_int_equal(cut_offs, 1);
    assert_int_equal(guest->ram[FAKE_GPA], 1);
    fake_client_destroy(client);
}

static void
who_is_cut_off_translates_nothing_even_before_it_hears_so(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY, .drain_ms = 20 };
    struct fake_client *client = fake_client_create(&options);
    uint64_t val;

    (void)state;
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
    viommu_begin(client->thread);
    fake_guest_invalidate_page(client->guest, FAKE_IOVA + 0x10000000);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    viommu_end(client->thread);
    /* The page is mapped, and was cached; nobody has called dispatch. */
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), -ESHUTDOWN);
    fake_client_destroy(client);
}

static void
another_client_may_take_over(void **state)
{
    struct fake_guest_options options = { .kind = DMA_LEGACY, .drain_ms = 20 };
    struct fake_client *client = fake_client_create(&options);
    struct viommu *other = fake_client_connect(client->guest);
    struct viommu_device *device = NULL;
    struct viommu_thread *thread = NULL;
    struct viommu_access access = { .iova = FAKE_IOVA,
                                    .pasid = VIOMMU_NO_PASID };
    uint64_t val;

    (void)state;
    viommu_begin(client->thread);
    fake_guest_invalidate_page(client->guest, FAKE_IOVA);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    assert_int_equal(
        viommu_device_attach(other, FAKE_SID, 0, NULL, NULL, &device), 0);
    assert_int_equal(viommu_thread_create(other, &thread), 0);
    assert_int_equal(viommu_read(thread, device, &access, &val, 8, NULL), 0);
    viommu_end(client->thread);
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), -ESHUTDOWN);
    viommu_close(other);
    fake_client_destroy(client);
}

static void
without_the_daemon_nothing_is_translated(void **state)
{
    struct fake_guest_options options = { .kind = DMA_SECOND, .process = true };
    struct fake_client *client = fake_client_create(&options);
    struct pollfd fd = { .fd = viommu_fd(client->viommu), .events = POLLIN };
    unsigned cut_offs = 0;
    uint64_t val = 9;

    (void)state;
    attach_noted(client, &cut_offs);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), 0);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    assert_int_equal(poll(&fd, 1, 0), 0);
    fake_guest_kill(client->guest);
    assert_int_equal(poll(&fd, 1, 10000), 1);
    assert_int_equal(viommu_dispatch(client->viommu), -ESHUTDOWN);
    assert_down(client);
    assert_int_equal(cut_offs, 1);
    fake_client_destroy(client);
}

static void
a_daemon_that_dies_while_it_is_asked_is_noticed(void **state)
{
    struct fake_guest_options options = { .kind = DMA_SECOND, .process = true };
    struct fake_client *client = fake_client_create(&options);
    struct viommu_device *device;

    (void)state;
    fake_guest_kill(client->guest);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &device),
                     -ESHUTDOWN);
    assert_down(client);
    viommu_device_detach(client->device);
    fake_client_destroy(client);
}

static uint64_t
sleep_ms(struct fake_guest *guest, uint64_t ms, uint64_t unused)
{
    (void)unused;
    __atomic_store_n(&guest->busy, true, __ATOMIC_RELEASE);
    (void)usleep((useconds_t)(ms * 1000));
    return 0;
}

/* The answer comes after its time, and is not taken for another's. */
static void
a_daemon_that_is_slow_is_given_up_and_may_catch_up(void **state)
{
    struct fake_guest_options options = { .kind = DMA_SECOND, .process = true };
    struct fake_client *client = fake_client_create(&options);
    struct viommu_device *device = NULL;
    uint64_t val;

    (void)state;
    fake_guest_call_begin(client->guest, sleep_ms, 2000, 0);
    while (!__atomic_load_n(&client->guest->busy, __ATOMIC_ACQUIRE)) {
        (void)usleep(100);
    }
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &device),
                     -ETIMEDOUT);
    (void)fake_guest_call_end(client->guest);
    assert_int_equal(viommu_dispatch(client->viommu), 0);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID_2, 0, NULL,
                                          NULL, &device),
                     0);
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
    fake_client_destroy(client);
}

static void
it_may_be_closed_in_any_state(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct viommu *viommu = fake_client_connect(client->guest);
    struct viommu_device *device;
    struct viommu_thread *thread;

    (void)state;
    viommu_close(viommu);
    viommu = fake_client_connect(client->guest);
    assert_int_equal(
        viommu_device_attach(viommu, FAKE_SID_2, 0, NULL, NULL, &device), 0);
    viommu_close(viommu);
    viommu = fake_client_connect(client->guest);
    assert_int_equal(viommu_thread_create(viommu, &thread), 0);
    viommu_begin(thread);
    viommu_close(viommu);
    viommu = fake_client_connect(client->guest);
    assert_int_equal(viommu_thread_create(viommu, &thread), 0);
    viommu_thread_destroy(thread);
    assert_int_equal(viommu_thread_create(viommu, &thread), 0);
    viommu_memory_forget(viommu);
    viommu_close(viommu);
    /* The guest does not wait for those that are gone. */
    fake_guest_invalidate_all(client->guest);
    assert_true(fake_guest_wait(client->guest) < UINT64_MAX);
    fake_client_destroy(client);
}

static void
errors_have_words(void **state)
{
    (void)state;
    assert_string_equal(viommu_strerror(0), "Success");
    assert_string_equal(viommu_strerror(VTD_FR_SS_PERM),
                        vtd_fault_name(VTD_FR_SS_PERM));
    assert_string_equal(viommu_strerror(-ESHUTDOWN), "cut off from the daemon");
    assert_string_equal(viommu_strerror(-ENOMEM), "Cannot allocate memory");
    assert_string_equal(viommu_strerror(VTD_FR_BLOCKED),
                        "refused without a fault");
    assert_string_equal(viommu_strerror(-123456), "unknown error");
    assert_string_equal(viommu_strerror(0x101),
                        viommu_strerror(0xfe)); /* neither is a reason */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_that_does_not_end_gets_the_client_cut_off),
        cmocka_unit_test(
            who_is_cut_off_translates_nothing_even_before_it_hears_so),
        cmocka_unit_test(another_client_may_take_over),
        cmocka_unit_test(without_the_daemon_nothing_is_translated),
        cmocka_unit_test(a_daemon_that_dies_while_it_is_asked_is_noticed),
        cmocka_unit_test(a_daemon_that_is_slow_is_given_up_and_may_catch_up),
        cmocka_unit_test(it_may_be_closed_in_any_state),
        cmocka_unit_test(errors_have_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
