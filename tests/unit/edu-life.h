/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The edu device in a guest of 16 pages, of which some are mapped for it, and
 * nobody else.
 */
#ifndef TESTS_UNIT_EDU_LIFE_H
#define TESTS_UNIT_EDU_LIFE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/examples/edu/edu-regs.h"
#include "client/examples/edu/edu.h"
#include "client/examples/edu/pci.h"

#define PAGE        4096u
#define PAGES       16u
#define MSI_CAP     0x40u
#define NOT_PRESENT 0x46 /* a fault reason: which one does not matter */
#define WAIT_MS     10000

struct world {
    struct edu *edu;

    pthread_mutex_t gate; /* whoever has it holds copies back */
    atomic_uint arrived;  /* copies, at the gate */

    pthread_mutex_t lock; /* of all below: two threads of the device's call */
    uint8_t ram[PAGES][PAGE];
    struct {
        uint8_t frame; /* of an iova's page */
        uint8_t perm;
    } page[PAGES];

    struct viommu_access last; /* of the last copy */
    unsigned copies;
    unsigned translations;
    unsigned untranslated; /* answer so, that often */
    int translated_rc;     /* of copies with such an address */

    unsigned msis;
    uint64_t msi_addr;
    uint32_t msi_data;
    int msi_rc;
    bool intx;
    unsigned edges; /* changes of it */

    struct viommu_page_request request;
    unsigned requests;
    unsigned done; /* invalidations */
    uint32_t token;
};

/* --- the surroundings ----------------------------------------------------- */

static int
world_copy(struct world *world, const struct viommu_access *access, void *to,
           const void *from, size_t len)
{
    uint64_t page = access->iova / PAGE;
    uint8_t *ram;
    int rc = 0;

    assert_true(access->iova % PAGE + len <= PAGE || !access->address_type);
    atomic_fetch_add(&world->arrived, 1);
    pthread_mutex_lock(&world->gate);
    pthread_mutex_unlock(&world->gate);

    pthread_mutex_lock(&world->lock);
    world->last = *access;
    world->copies++;
    if (access->address_type == VIOMMU_AT_TRANSLATED) {
        rc = world->translated_rc;
    }
    for (size_t i = 0; i < len && !rc; i++) {
        page = (access->iova + i) / PAGE;
        if (page >= PAGES) {
            rc = -EFAULT;
        } else if (access->address_type == VIOMMU_AT_TRANSLATED) {
            ram = world->ram[page];
        } else if (access->access & ~world->page[page].perm) {
            rc = NOT_PRESENT;
        } else {
            ram = world->ram[world->page[page].frame];
        }
        if (!rc && to) {
            ((uint8_t *)to)[i] = ram[(access->iova + i) % PAGE];
        } else if (!rc) {
            ram[(access->iova + i) % PAGE] = ((const uint8_t *)from)[i];
        }
    }
    pthread_mutex_unlock(&world->lock);
    return rc;
}

static int
world_read(void *ctx, const struct viommu_access *access, void *buf, size_t len)
{
    return world_copy(ctx, access, buf, NULL, len);
}

static int
world_write(void *ctx, const struct viommu_access *access, const void *buf,
            size_t len)
{
    return world_copy(ctx, access, NULL, buf, len);
}

static int
world_translate(void *ctx, struct viommu_access *access,
                struct viommu_translation *to)
{
    struct world *world = ctx;
    uint64_t page = access->iova / PAGE;
    int rc = 0;

    assert_int_equal(access->address_type, VIOMMU_AT_TRANSLATION);
    assert_int_equal(access->no_write, !(access->access & VIOMMU_WRITE));
    pthread_mutex_lock(&world->lock);
    world->translations++;
    *to = (struct viommu_translation){ .shift = 12 };
    if (page >= PAGES) {
        rc = NOT_PRESENT;
    } else if (world->untranslated) {
        world->untranslated--;
        to->untranslated = true;
    } else {
        to->gpa = (uint64_t)world->page[page].frame * PAGE;
        to->gpa += access->iova % PAGE;
        to->access = world->page[page].perm;
    }
    pthread_mutex_unlock(&world->lock);
    return rc;
}

static int
world_page_request(void *ctx, const struct viommu_page_request *request)
{
    struct world *world = ctx;

    pthread_mutex_lock(&world->lock);
    world->request = *request;
    world->requests++;
    pthread_mutex_unlock(&world->lock);
    return 0;
}

static void
world_invalidation_done(void *ctx, uint32_t token)
{
    struct world *world = ctx;

    pthread_mutex_lock(&world->lock);
    world->token = token;
    world->done++;
    pthread_mutex_unlock(&world->lock);
}

static int
world_msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct world *world = ctx;
    int rc;

    pthread_mutex_lock(&world->lock);
    rc = world->msi_rc;
    world->msis += !rc;
    world->msi_addr = addr;
    world->msi_data = data;
    pthread_mutex_unlock(&world->lock);
    return rc;
}

static void
world_intx(void *ctx, bool level)
{
    struct world *world = ctx;

    pthread_mutex_lock(&world->lock);
    world->edges += world->intx != level;
    world->intx = level;
    pthread_mutex_unlock(&world->lock);
}

static const struct edu_ops world_ops = {
    .read = world_read,
    .write = world_write,
    .translate = world_translate,
    .page_request = world_page_request,
    .invalidation_done = world_invalidation_done,
    .msi = world_msi,
    .intx = world_intx,
};

/* --- life ----------------------------------------------------------------- */

/* Page n is at frame PAGES - 1 - n, so that no iova is its gpa. */
static inline int
world_setup(void **state, const struct edu_options *options)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    pthread_mutex_init(&world->gate, NULL);
    pthread_mutex_init(&world->lock, NULL);
    for (unsigned i = 0; i < PAGES; i++) {
        world->page[i].frame = (uint8_t)(PAGES - 1 - i);
        world->page[i].perm = VIOMMU_READ | VIOMMU_WRITE;
    }
    world->edu = edu_create(options, &world_ops, world);
    assert_non_null(world->edu);
    edu_config_write(world->edu, PCI_COMMAND, 2,
                     PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    *state = world;
    return 0;
}

static inline int
world_teardown(void **state)
{
    struct world *world = *state;

    edu_destroy(world->edu);
    pthread_mutex_destroy(&world->gate);
    pthread_mutex_destroy(&world->lock);
    free(world);
    return 0;
}

/* --- the guest ------------------------------------------------------------ */

static inline uint32_t
r4(const struct world *world, uint64_t off)
{
    return (uint32_t)edu_read(world->edu, off, 4);
}

static inline uint64_t
r8(const struct world *world, uint64_t off)
{
    return edu_read(world->edu, off, 8);
}

static inline void
w4(const struct world *world, uint64_t off, uint32_t val)
{
    edu_write(world->edu, off, 4, val);
}

static inline void
w8(const struct world *world, uint64_t off, uint64_t val)
{
    edu_write(world->edu, off, 8, val);
}

static inline void
nap(void)
{
    const struct timespec ms = { .tv_nsec = 1000000 };

    (void)nanosleep(&ms, NULL);
}

/* Wait until COND is true, which another thread makes so. */
#define wait_for(cond)                                    \
    do {                                                  \
        for (int left = WAIT_MS; !(cond); left--) {       \
            if (!left) {                                  \
                fail_msg("never became true: %s", #cond); \
            }                                             \
            nap();                                        \
        }                                                 \
    } while (0)

/* What another thread counts. */
static inline unsigned
seen(struct world *world, const unsigned *count)
{
    unsigned val;

    pthread_mutex_lock(&world->lock);
    val = *count;
    pthread_mutex_unlock(&world->lock);
    return val;
}

static inline void
dma_start(const struct world *world, uint64_t src, uint64_t dst, uint64_t count,
          uint64_t cmd)
{
    w8(world, EDU_DMA_SRC, src);
    w8(world, EDU_DMA_DST, dst);
    w8(world, EDU_DMA_COUNT, count);
    w8(world, EDU_DMA_CMD, cmd | EDU_DMA_RUN);
}

static inline void
dma_wait(const struct world *world)
{
    wait_for(!(r4(world, EDU_DMA_CMD) & EDU_DMA_RUN));
}

static inline void
dma(const struct world *world, uint64_t src, uint64_t dst, uint64_t count,
    uint64_t cmd)
{
    dma_start(world, src, dst, count, cmd);
    dma_wait(world);
}

static inline void
to_guest(const struct world *world, uint64_t iova, uint64_t count)
{
    dma(world, EDU_BUFFER, iova, count, EDU_DMA_TO_GUEST);
}

static inline void
from_guest(const struct world *world, uint64_t iova, uint64_t count)
{
    dma(world, iova, EDU_BUFFER, count, 0);
}

static inline void
msi_enable(const struct world *world)
{
    edu_config_write(world->edu, MSI_CAP + PCI_MSI_ADDRESS_LO, 4, 0xfee01000);
    edu_config_write(world->edu, MSI_CAP + PCI_MSI_ADDRESS_HI, 4, 1);
    edu_config_write(world->edu, MSI_CAP + PCI_MSI_DATA_64, 2, 0x4123);
    edu_config_write(world->edu, MSI_CAP + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE);
}

#endif
