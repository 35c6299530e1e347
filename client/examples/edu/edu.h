/* SPDX-License-Identifier: MIT */
/*
 * The edu device itself: registers, the factorial, and the DMA engine.  It
 * knows neither Xen nor where its DMA goes: that is struct edu_ops.
 *
 * Two threads of its own compute and copy.  So an access by a vCPU, which
 * waits for its answer, never waits for DMA.  All functions may be called by
 * any thread.
 */
#ifndef CLIENT_EXAMPLES_EDU_EDU_H
#define CLIENT_EXAMPLES_EDU_EDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/viommu-client.h"

struct edu;

/*
 * What the device needs of its surroundings.  None may call the device back.
 * Results are those of viommu-client.h: 0, a fault reason, or -errno.
 */
struct edu_ops {
    /* By the DMA thread, with nothing locked. */
    int (*read)(void *ctx, const struct viommu_access *access, void *buf,
                size_t len);
    int (*write)(void *ctx, const struct viommu_access *access, const void *buf,
                 size_t len);
    /* The same; only with PCI_WITH_ATS. */
    int (*translate)(void *ctx, struct viommu_access *access,
                     struct viommu_translation *translation);

    /* The others by any thread, with the device locked: must not block. */
    int (*page_request)(void *ctx, const struct viommu_page_request *request);
    void (*invalidation_done)(void *ctx, uint32_t token);
    int (*msi)(void *ctx, uint64_t addr, uint32_t data); /* -EAGAIN: later */
    void (*intx)(void *ctx, bool level);
};

struct edu_options {
    unsigned dma_bits; /* of an address, 1 to 64 */
    bool extended;     /* registers from EDU_PASID on */
    unsigned with;     /* PCI_WITH_*, see pci.h */
};

/* NULL with errno.  The device keeps @ops. */
struct edu *edu_create(const struct edu_options *options,
                       const struct edu_ops *ops, void *ctx);

/* Waits for its threads.  Accepts NULL. */
void edu_destroy(struct edu *edu);

/* BAR 0, and configuration space: any offset, any size from 1 to 8. */
uint64_t edu_read(struct edu *edu, uint64_t off, unsigned size);
void edu_write(struct edu *edu, uint64_t off, unsigned size, uint64_t val);
uint64_t edu_config_read(struct edu *edu, uint64_t off, unsigned size);
void edu_config_write(struct edu *edu, uint64_t off, unsigned size,
                      uint64_t val);

/* Where BAR 0 decodes now; 0: nowhere. */
uint64_t edu_bar(struct edu *edu);

/* Send the MSI that could not be sent; true if there still is one. */
bool edu_msi_retry(struct edu *edu);

/* For struct viommu_device_ops. */
int edu_invalidate(struct edu *edu, const struct viommu_invalidation *inv,
                   uint32_t token);
void edu_page_response(struct edu *edu,
                       const struct viommu_page_response *response);
void edu_cut_off(struct edu *edu);

#endif
