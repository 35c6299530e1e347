/* SPDX-License-Identifier: MIT */
/*
 * Threads, and their batches.  The daemon reads a thread's cell to know whether
 * an access from before an invalidation may be under way.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "client/internal.h"

static size_t
thread_size(const struct viommu *viommu)
{
    return sizeof(struct viommu_thread) +
           viommu->units * sizeof(struct vtd_dma);
}

void
viommu_thread_void(struct viommu_thread *thread)
{
    const struct viommu *viommu = thread->viommu;

    for (unsigned i = 0; i < viommu->units; i++) {
        memset(&thread->dma[i], 0, sizeof(thread->dma[i]));
        viommu_dma_init(thread, i);
    }
}

int
viommu_thread_create(struct viommu *viommu, struct viommu_thread **thread)
{
    struct viommu_thread *new;
    unsigned i = 0;
    int rc = 0;

    /* Pages that are not used, of caches of units that are not, cost none. */
    new = mmap(NULL, thread_size(viommu), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (new == MAP_FAILED) {
        return -errno;
    }
    new->depth = -1;
    new->shm = viommu->shm;
    new->viommu = viommu;
    for (unsigned unit = 0; unit < viommu->units; unit++) {
        viommu_dma_init(new, unit);
    }

    (void)pthread_mutex_lock(&viommu->lists);
    while (i < VIOMMU_CELLS_MAX && viommu->thread[i]) {
        i++;
    }
    if (i == VIOMMU_CELLS_MAX) {
        rc = -ENOSPC;
    } else if (viommu_is_down(viommu)) {
        rc = -ESHUTDOWN;
    } else {
        new->index = i;
        new->cell = &viommu->cells->cell[i];
        viommu->thread[i] = new;
        if (viommu->cells->count <= i) {
            /* The daemon looks at cells below it: before any is used. */
            __atomic_store_n(&viommu->cells->count, i + 1, __ATOMIC_SEQ_CST);
        }
    }
    (void)pthread_mutex_unlock(&viommu->lists);

    if (rc) {
        (void)munmap(new, thread_size(viommu));
        return rc;
    }
    *thread = new;
    return 0;
}

void
viommu_thread_destroy(struct viommu_thread *thread)
{
    struct viommu *viommu;

    if (!thread) {
        return;
    }
    viommu = thread->viommu;
    (void)pthread_mutex_lock(&viommu->lists);
    __atomic_store_n(&thread->cell->epoch, 0, __ATOMIC_RELEASE);
    viommu->thread[thread->index] = NULL;
    (void)pthread_mutex_unlock(&viommu->lists);
    (void)munmap(thread, thread_size(viommu));
}

void
viommu_threads_alert(struct viommu *viommu)
{
    for (unsigned i = 0; i < VIOMMU_CELLS_MAX; i++) {
        if (viommu->thread[i]) {
            __atomic_store_n(&viommu->thread[i]->attention, true,
                             __ATOMIC_SEQ_CST);
        }
    }
}

/* --- batches ---------------------------------------------------------------- */

/* Memory is gone, which needs no more than to be known; or the daemon is. */
static __attribute__((noinline)) void
attend(struct viommu_thread *thread)
{
    __atomic_store_n(&thread->attention, false, __ATOMIC_SEQ_CST);
    if (viommu_is_down(thread->viommu)) {
        viommu_thread_void(thread);
    }
}

/*
 * The exchange is a full barrier: counters, tables and mappings are read after
 * the cell says so.  The daemon moves counters before it looks at cells, so
 * that it sees this batch, or this batch its counters.  An epoch that is older
 * than the shared one by now only makes the daemon wait for nothing.
 */
void
viommu_begin(struct viommu_thread *thread)
{
    if (++thread->depth != 0) {
        return;
    }
    (void)__atomic_exchange_n(
        &thread->cell->epoch,
        __atomic_load_n(&thread->shm->epoch, __ATOMIC_ACQUIRE),
        __ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&thread->attention, __ATOMIC_ACQUIRE),
                         0)) {
        attend(thread);
    }
}

void
viommu_end(struct viommu_thread *thread)
{
    if (--thread->depth < 0) {
        __atomic_store_n(&thread->cell->epoch, 0, __ATOMIC_RELEASE);
    }
}
