/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/fake-client.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct viommu *
fake_client_connect(const struct fake_guest *guest)
{
    struct viommu_options options = {
        .size = sizeof(options),
        .path = guest->path,
        .memory = &fake_guest_memory,
        .memory_ctx = (void *)(uintptr_t)guest,
    };
    struct viommu *viommu = NULL;

    assert_int_equal(viommu_open(&viommu, 1, &options), 0);
    return viommu;
}

struct fake_client *
fake_client_create(const struct fake_guest_options *options)
{
    struct fake_client *client = calloc(1, sizeof(*client));
    bool legacy = options->kind <= DMA_LEGACY_PASS;

    assert_non_null(client);
    client->guest = fake_guest_create(options);
    client->pasid = legacy ? VIOMMU_NO_PASID : FAKE_PASID;
    client->entry = fake_guest_map(client->guest, FAKE_IOVA, FAKE_GPA, 12,
                                   VIOMMU_READ | VIOMMU_WRITE);
    client->viommu = fake_client_connect(client->guest);
    assert_int_equal(viommu_device_attach(client->viommu, FAKE_SID, 0, NULL,
                                          NULL, &client->device),
                     0);
    assert_int_equal(viommu_thread_create(client->viommu, &client->thread), 0);
    return client;
}

struct fake_client *
fake_client_create_kind(enum dma_kind kind)
{
    struct fake_guest_options options = { .kind = kind };

    return fake_client_create(&options);
}

void
fake_client_destroy(struct fake_client *client)
{
    viommu_close(client->viommu);
    fake_guest_destroy(client->guest);
    free(client);
}

int
fake_client_read(struct fake_client *client, uint64_t iova, void *buf,
                 size_t len)
{
    struct viommu_access access = { .iova = iova, .pasid = client->pasid };

    return viommu_read(client->thread, client->device, &access, buf, len, NULL);
}

int
fake_client_write(struct fake_client *client, uint64_t iova, const void *buf,
                  size_t len)
{
    struct viommu_access access = { .iova = iova, .pasid = client->pasid };

    return viommu_write(client->thread, client->device, &access, buf, len,
                        NULL);
}

int
fake_client_translate(struct fake_client *client, uint64_t iova, uint8_t access,
                      struct viommu_translation *translation)
{
    struct viommu_access req = { .iova = iova,
                                 .pasid = client->pasid,
                                 .access = access };
    int rc;

    viommu_begin(client->thread);
    rc = viommu_translate(client->thread, client->device, &req, translation);
    viommu_end(client->thread);
    return rc;
}

void
fake_client_dispatch(struct viommu *viommu, const unsigned *count,
                     unsigned want)
{
    while (__atomic_load_n(count, __ATOMIC_ACQUIRE) < want) {
        struct pollfd fd = { .fd = viommu_fd(viommu), .events = POLLIN };

        assert_int_equal(poll(&fd, 1, 10000), 1);
        if (viommu_dispatch(viommu)) {
            break;
        }
    }
    assert_true(__atomic_load_n(count, __ATOMIC_ACQUIRE) >= want);
}
