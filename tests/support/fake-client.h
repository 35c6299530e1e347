/* SPDX-License-Identifier: GPL-2.0-only */
/* A client of the fake guest, as most tests want it: one device, one thread. */
#ifndef TESTS_SUPPORT_FAKE_CLIENT_H
#define TESTS_SUPPORT_FAKE_CLIENT_H

#include "tests/support/fake-guest.h"

/* A page that is mapped, readable and writable, and where to. */
#define FAKE_IOVA UINT64_C(0x5a5b7c9e3000)
#define FAKE_GPA  (FAKE_DATA + UINT64_C(0x123000))

struct fake_client {
    struct fake_guest *guest;
    struct viommu *viommu;
    struct viommu_device *device;
    struct viommu_thread *thread;
    uint32_t pasid; /* of accesses that the helpers make */
    uint64_t entry; /* of FAKE_IOVA */
};

/* Never fail. */
struct fake_client *fake_client_create(
    const struct fake_guest_options *options);
struct fake_client *fake_client_create_kind(enum dma_kind kind);
void fake_client_destroy(struct fake_client *client);

/* Another connection to the same guest. */
struct viommu *fake_client_connect(const struct fake_guest *guest);

/* Copy; 0, a fault reason, or -errno. */
int fake_client_read(struct fake_client *client, uint64_t iova, void *buf,
                     size_t len);
int fake_client_write(struct fake_client *client, uint64_t iova,
                      const void *buf, size_t len);

/* Translate an access of FAKE_IOVA and the like, in a batch. */
int fake_client_translate(struct fake_client *client, uint64_t iova,
                          uint8_t access,
                          struct viommu_translation *translation);

/* viommu_dispatch() until *@count, which callbacks move, is at least @want. */
void fake_client_dispatch(struct viommu *viommu, const unsigned *count,
                          unsigned want);

#endif
