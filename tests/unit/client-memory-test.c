/* SPDX-License-Identifier: GPL-2.0-only */
/* How guest memory is mapped, and unmapped. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/fake-client.h"

/* Guest memory that counts its mappings. */
struct counted {
    struct fake_guest *guest;
    unsigned maps, unmaps;
    size_t pages; /* mapped now */
};

static void *
counted_map(void *ctx, uint64_t gfn, size_t count, int *error)
{
    struct counted *counted = ctx;
    void *addr = fake_guest_memory.map(counted->guest, gfn, count, error);

    counted->maps++;
    counted->pages += addr ? count : 0;
    return addr;
}

static void
counted_unmap(void *ctx, void *addr, size_t count)
{
    struct counted *counted = ctx;

    fake_guest_memory.unmap(counted->guest, addr, count);
    counted->unmaps++;
    counted->pages -= count;
}

static const struct viommu_memory_ops counted_ops = {
    .map = counted_map,
    .unmap = counted_unmap,
};

/* The client's connection is one with counted memory. */
static void
reconnect(struct fake_client *client, struct counted *counted)
{
    struct viommu_options options = { .size = sizeof(options),
                                      .path = client->guest->path,
                                      .memory = &counted_ops,
                                      .memory_ctx = counted };

    *counted = (struct counted){ .guest = client->guest };
    viommu_device_detach(client->device);
    viommu_close(client->viommu);
    assert_int_equal(viommu_open(&client->viommu, 1, &options), 0);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID, 0, NULL,
                                          NULL, &client->device),
                     0);
    assert_int_equal(viommu_thread_create(client->viommu, &client->thread), 0);
}

static void
memory_is_mapped_once_in_large_pieces(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY_PASS);
    struct counted counted;
    uint64_t val;

    (void)state;
    reconnect(client, &counted);
    for (uint64_t off = 0; off < 0x200000; off += 0x1000) {
        assert_int_equal(fake_client_read(client, FAKE_DATA + off, &val, 8), 0);
    }
    /* One for the data, one for root and context table. */
    assert_int_equal(counted.maps, 2);
    assert_int_equal(counted.pages, 1024);
    assert_int_equal(fake_client_read(client, FAKE_DATA + 0x200000, &val, 8),
                     0);
    assert_int_equal(counted.maps, 3);
    viommu_close(client->viommu);
    client->viommu = NULL;
    assert_int_equal(counted.pages, 0);
    assert_int_equal(counted.unmaps, 3);
    fake_client_destroy(client);
}

static void
where_there_is_no_memory_nothing_is_mapped(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY_PASS);
    struct counted counted;
    uint64_t val = 0;

    (void)state;
    reconnect(client, &counted);
    assert_int_equal(fake_client_read(client, FAKE_RAM, &val, 8), -EFAULT);
    assert_int_equal(
        fake_client_write(client, FAKE_RAM + 0x3fffffff000, &val, 8), -EFAULT);
    /* Beyond all that the unit has addresses for: not even asked. */
    viommu_begin(client->thread);
    assert_null(viommu_memory(client->thread, UINT64_C(1) << 52));
    assert_null(viommu_memory(client->thread, UINT64_MAX));
    viommu_end(client->thread);
    assert_int_equal(counted.pages, 512);
    fake_client_destroy(client);
}

static void
a_hole_is_no_memory_and_may_be_filled(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY_PASS);
    struct counted counted;
    uint64_t val = 5, seen = 0;
    unsigned maps;

    (void)state;
    reconnect(client, &counted);
    assert_int_equal(fake_client_write(client, FAKE_HOLE, &val, 8), -EFAULT);
    assert_int_equal(fake_client_write(client, FAKE_HOLE + 0x1008, &val, 8),
                     -EFAULT);
    /* Its neighbours are fine, on both sides. */
    assert_int_equal(fake_client_write(client, FAKE_HOLE - 8, &val, 8), 0);
    assert_int_equal(fake_client_write(client, FAKE_HOLE_END, &val, 8), 0);
    assert_int_equal(fake_client_read(client, FAKE_HOLE_END, &seen, 8), 0);
    assert_int_equal(seen, 5);
    /* A copy stops there. */
    assert_int_equal(fake_client_write(client, FAKE_HOLE - 4, &val, 8),
                     -EFAULT);

    fake_guest_fill_hole(client->guest);
    assert_int_equal(fake_client_write(client, FAKE_HOLE + 0x1008, &val, 8), 0);
    assert_int_equal(client->guest->ram[FAKE_HOLE + 0x1008], 5);
    maps = counted.maps;
    assert_int_equal(fake_client_write(client, FAKE_HOLE + 0x1010, &val, 8), 0);
    assert_int_equal(counted.maps, maps);
    viommu_memory_forget(client->viommu);
    assert_int_equal(counted.pages, 0);
    assert_int_equal(fake_client_write(client, FAKE_HOLE + 0x2000, &val, 8), 0);
    fake_client_destroy(client);
}

static void
tables_in_a_hole_are_a_fault(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct fake_guest *guest = client->guest;
    uint64_t val;

    (void)state;
    /* The entry above the page's names a table that is not there. */
    tables_q_set(
        &guest->tables,
        tables_entry(&guest->tables, guest->second.root, 4, FAKE_IOVA, 2, 3),
        FAKE_HOLE | 3);
    fake_guest_invalidate_all(guest);
    assert_true(fake_guest_wait(guest) < UINT64_MAX);
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8),
                     VTD_FR_PT_ACCESS);
    fake_client_destroy(client);
}

/* --- forgetting ------------------------------------------------------------- */

static void
all_is_mapped_anew_after_it_was_forgotten(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_SECOND);
    struct counted counted;
    uint64_t val = 3;

    (void)state;
    reconnect(client, &counted);
    assert_int_equal(fake_client_write(client, FAKE_IOVA, &val, 8), 0);
    viommu_memory_forget(client->viommu);
    assert_int_equal(counted.pages, 0);
    assert_int_equal(fake_client_read(client, FAKE_IOVA, &val, 8), 0);
    assert_int_equal(val, 3);
    assert_int_not_equal(counted.pages, 0);
    viommu_memory_forget(client->viommu);
    viommu_memory_forget(client->viommu);
    assert_int_equal(counted.pages, 0);
    fake_client_destroy(client);
}

struct forgetter {
    struct viommu *viommu;
    bool done;
};

static void *
forget(void *ctx)
{
    struct forgetter *forgetter = ctx;

    viommu_memory_forget(forgetter->viommu);
    __atomic_store_n(&forgetter->done, true, __ATOMIC_RELEASE);
    return NULL;
}

static void
what_a_batch_uses_stays_until_the_batch_ends(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_LEGACY);
    struct forgetter forgetter = { .viommu = client->viommu };
    struct viommu_translation t;
    struct viommu_access access = { .iova = FAKE_IOVA,
                                    .pasid = VIOMMU_NO_PASID,
                                    .access = VIOMMU_WRITE };
    pthread_t thread;
    uint64_t *at;

    (void)state;
    viommu_begin(client->thread);
    viommu_begin(client->thread);
    assert_int_equal(
        viommu_translate(client->thread, client->device, &access, &t), 0);
    at = viommu_memory(client->thread, t.gpa);
    assert_non_null(at);
    assert_int_equal(pthread_create(&thread, NULL, forget, &forgetter), 0);
    (void)usleep(20000);
    /* It is found anew, in another place. */
    assert_ptr_not_equal(viommu_memory(client->thread, t.gpa), at);
    viommu_end(client->thread); /* of the inner one, which does not count */
    (void)usleep(20000);
    assert_false(__atomic_load_n(&forgetter.done, __ATOMIC_ACQUIRE));
    *at = 77;
    viommu_end(client->thread);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(client->guest->ram[FAKE_GPA], 77);
    fake_client_destroy(client);
}

struct copier {
    struct fake_client *client;
    bool stop;
    unsigned copies;
    int rc;
};

static void *
copy(void *ctx)
{
    struct copier *copier = ctx;
    struct viommu_thread *thread;
    struct viommu_access access = { .iova = FAKE_IOVA,
                                    .pasid = copier->client->pasid };
    uint8_t buf[256];

    copier->rc = viommu_thread_create(copier->client->viommu, &thread);
    while (copier->rc == 0 &&
           !__atomic_load_n(&copier->stop, __ATOMIC_ACQUIRE)) {
        copier->rc = viommu_read(thread, copier->client->device, &access, buf,
                                 sizeof(buf), NULL);
        (void)__atomic_add_fetch(&copier->copies, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void
forgetting_does_not_disturb_who_copies(void **state)
{
    struct fake_client *client = fake_client_create_kind(DMA_NESTED);
    struct copier copier[2] = { { .client = client }, { .client = client } };
    pthread_t thread[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, copy, &copier[i]), 0);
    }
    for (unsigned i = 0; i < 300; i++) {
        unsigned copies = __atomic_load_n(&copier[0].copies, __ATOMIC_RELAXED);

        viommu_memory_forget(client->viommu);
        while (__atomic_load_n(&copier[0].copies, __ATOMIC_RELAXED) <
               copies + 2) {
            (void)usleep(50);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        __atomic_store_n(&copier[i].stop, true, __ATOMIC_RELEASE);
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(copier[i].rc, 0);
    }
    fake_client_destroy(client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_mapped_once_in_large_pieces),
        cmocka_unit_test(where_there_is_no_memory_nothing_is_mapped),
        cmocka_unit_test(a_hole_is_no_memory_and_may_be_filled),
        cmocka_unit_test(tables_in_a_hole_are_a_fault),
        cmocka_unit_test(all_is_mapped_anew_after_it_was_forgotten),
        cmocka_unit_test(what_a_batch_uses_stays_until_the_batch_ends),
        cmocka_unit_test(forgetting_does_not_disturb_who_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
