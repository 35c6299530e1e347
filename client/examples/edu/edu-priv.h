/* SPDX-License-Identifier: MIT */
/* What edu.c and edu-extended.c share. */
#ifndef CLIENT_EXAMPLES_EDU_EDU_PRIV_H
#define CLIENT_EXAMPLES_EDU_EDU_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/examples/edu/edu-regs.h"
#include "client/examples/edu/edu.h"
#include "client/examples/edu/pci.h"

/* As many as the ATS capability says may be on the way. */
#define INVALIDATIONS_MAX 32u

#define TLB_ENTRIES 64u

/* A DMA: the registers that describe it. */
struct dma {
    uint64_t src;
    uint64_t dst;
    uint64_t count;
    uint64_t cmd;
    uint32_t pasid;
    uint32_t mode;
};

struct invalidation {
    struct viommu_invalidation range;
    uint32_t token;
};

/* The DMA thread's own: it alone translates, keeps, and forgets. */
struct tlb_entry {
    uint64_t iova; /* of the page, as gpa */
    uint64_t gpa;
    uint32_t pasid;
    uint8_t shift; /* of its size; 0: the entry is free */
    uint8_t access;
    bool privileged;
    bool global;
};

struct tlb {
    struct tlb_entry entry[TLB_ENTRIES];
    unsigned next; /* to be replaced, in turn */
    _Atomic(uint64_t) used;
};

/* Pages are requested one at a time. */
struct page_wait {
    bool waiting;
    uint16_t group;
    uint8_t code; /* of the answer, once it does not wait any more */
};

struct edu {
    const struct edu_ops *ops;
    void *ctx;
    bool extended;
    uint64_t dma_mask;

    pthread_t factorial_thread;
    pthread_t dma_thread;
    struct tlb tlb;
    uint8_t buffer[EDU_BUFFER_SIZE]; /* the DMA thread's */

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t factorial_work;
    pthread_cond_t dma_work;
    pthread_cond_t invalidation_room;
    bool stopping;
    bool gone; /* the vIOMMU is: nothing answers page requests */

    struct pci_function pci;
    bool intx;
    bool msi_pending;

    uint32_t liveness;
    uint32_t factorial;
    uint32_t status;
    uint32_t irq_status;

    struct dma dma;
    bool dma_stop; /* RUN was cleared, and is to be */
    int dma_result;
    uint64_t dma_done;
    uint64_t dma_faults;

    struct page_wait page;
    uint64_t page_requests;
    uint64_t page_success;
    struct invalidation invalidation[INVALIDATIONS_MAX];
    unsigned invalidations;
};

/* Wait for work, for @ms at most.  False once that time has passed. */
bool edu_dma_wait(struct edu *edu, unsigned ms);

/* --- edu-extended.c ------------------------------------------------------- */

/* Registers from EDU_PASID on; locked. */
uint64_t extended_read(const struct edu *edu, uint64_t off);
void extended_write(struct edu *edu, uint64_t off, uint64_t val);

/* How the DMA is attributed; -EPERM: configuration space does not let it. */
int extended_access(struct edu *edu, const struct dma *dma,
                    struct viommu_access *access);

/* A DMA of mode ATS.  Not locked. */
int extended_copy(struct edu *edu, const struct dma *dma,
                  const struct viommu_access *asked, void *buf, size_t len);

/* Forget what was invalidated, and say so; locked. */
void extended_invalidate(struct edu *edu);

#endif
