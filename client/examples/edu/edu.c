/* SPDX-License-Identifier: MIT */
#include "client/examples/edu/edu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/examples/edu/edu-priv.h"

#define IDENTIFICATION 0x010000edu
#define NOTHING        UINT64_MAX

/* Nothing is gained by meeting the same fault at full speed. */
#define FAULT_PAUSE_MS 1u

static const struct pci_identity identity = {
    .vendor = 0x1234,
    .device = 0x11e8,
    .class = 0x00ff,
    .revision = 0x10,
    .bar_size = EDU_BAR_SIZE,
};

/* --- interrupts ----------------------------------------------------------- */

static void
intx_update(struct edu *edu)
{
    bool level = pci_intx(&edu->pci, edu->irq_status != 0);

    if (level != edu->intx) {
        edu->intx = level;
        edu->ops->intx(edu->ctx, level);
    }
}

/* An MSI is a write by the device: without bus mastering there is none. */
static void
msi_send(struct edu *edu)
{
    uint64_t addr;
    uint32_t data;

    edu->msi_pending = false;
    if (pci_msi(&edu->pci, &addr, &data) && pci_is_master(&edu->pci)) {
        edu->msi_pending = edu->ops->msi(edu->ctx, addr, data) == -EAGAIN;
    }
}

static void
irq_raise(struct edu *edu, uint32_t val)
{
    edu->irq_status |= val;
    if (edu->irq_status) {
        msi_send(edu);
    }
    intx_update(edu);
}

static void
irq_lower(struct edu *edu, uint32_t val)
{
    edu->irq_status &= ~val;
    intx_update(edu);
}

bool
edu_msi_retry(struct edu *edu)
{
    bool pending;

    pthread_mutex_lock(&edu->lock);
    if (edu->msi_pending) {
        msi_send(edu);
    }
    pending = edu->msi_pending;
    pthread_mutex_unlock(&edu->lock);
    return pending;
}

/* --- the factorial -------------------------------------------------------- */

/* Modulo 2^32, which is 0 from 34! on: at most some 40 steps. */
static uint32_t
factorial(uint32_t n)
{
    uint32_t product = 1;

    while (n > 0 && product) {
        product *= n--;
    }
    return product;
}

static void *
factorial_main(void *arg)
{
    struct edu *edu = arg;

    pthread_mutex_lock(&edu->lock);
    while (!edu->stopping) {
        uint32_t n = edu->factorial;

        if (!(edu->status & EDU_STATUS_COMPUTING)) {
            pthread_cond_wait(&edu->factorial_work, &edu->lock);
            continue;
        }

        pthread_mutex_unlock(&edu->lock);
        n = factorial(n);
        pthread_mutex_lock(&edu->lock);

        edu->factorial = n;
        edu->status &= ~EDU_STATUS_COMPUTING;
        if (edu->status & EDU_STATUS_IRQ) {
            irq_raise(edu, EDU_IRQ_FACTORIAL);
        }
    }
    pthread_mutex_unlock(&edu->lock);
    return NULL;
}

/* --- DMA ------------------------------------------------------------------ */

bool
edu_dma_wait(struct edu *edu, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += ms % 1000 * 1000000L;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_cond_timedwait(&edu->dma_work, &edu->lock, &until) == 0;
}

/* @len bytes at @addr of the device's own: where in the buffer. */
static uint8_t *
buffer_at(struct edu *edu, uint64_t addr, uint64_t len)
{
    uint64_t off = addr - EDU_BUFFER;

    if (off > EDU_BUFFER_SIZE || len > EDU_BUFFER_SIZE - off) {
        return NULL;
    }
    return edu->buffer + off;
}

/*
 * Copy as @dma says.  @number is what a repeated one writes.  What QEMU's
 * device gets wrong, or aborts for, fails here: -EINVAL.
 */
static int
dma_copy(struct edu *edu, const struct dma *dma, struct viommu_access *access,
         uint64_t number)
{
    bool write = dma->cmd & EDU_DMA_TO_GUEST;
    bool numbered = write && dma->mode & EDU_MODE_REPEAT;
    uint64_t len = numbered ? sizeof(number) : dma->count;
    void *buf = numbered ? (uint8_t *)&number
                         : buffer_at(edu, write ? dma->src : dma->dst, len);

    access->iova = write ? dma->dst : dma->src;
    access->access |= write ? VIOMMU_WRITE : VIOMMU_READ;
    if (!buf || access->iova > edu->dma_mask ||
        (len && len - 1 > edu->dma_mask - access->iova)) {
        return -EINVAL;
    }
    if (dma->mode & EDU_MODE_ATS) {
        return extended_copy(edu, dma, access, buf, len);
    }
    return write ? edu->ops->write(edu->ctx, access, buf, len)
                 : edu->ops->read(edu->ctx, access, buf, len);
}

/* Called and left locked, not so in between. */
static int
dma_run(struct edu *edu)
{
    const struct dma dma = edu->dma;
    uint64_t number = edu->dma_done + 1;
    struct viommu_access access = { .pasid = VIOMMU_NO_PASID };
    int rc = extended_access(edu, &dma, &access);

    if (rc || !pci_is_master(&edu->pci)) {
        return -EPERM;
    }

    pthread_mutex_unlock(&edu->lock);
    rc = dma_copy(edu, &dma, &access, number);
    pthread_mutex_lock(&edu->lock);
    return rc;
}

static void
dma_end(struct edu *edu, int result)
{
    edu->dma_result = result;
    if (result) {
        edu->dma_faults++;
    } else {
        edu->dma_done++;
    }

    if (edu->dma.mode & EDU_MODE_REPEAT && !edu->dma_stop) {
        if (result) {
            (void)edu_dma_wait(edu, FAULT_PAUSE_MS);
        }
        return;
    }

    edu->dma_stop = false;
    edu->dma.cmd &= ~(uint64_t)EDU_DMA_RUN;
    if (edu->dma.cmd & EDU_DMA_IRQ) {
        irq_raise(edu, EDU_IRQ_DMA);
    }
}

static void *
dma_main(void *arg)
{
    struct edu *edu = arg;

    pthread_mutex_lock(&edu->lock);
    while (!edu->stopping) {
        extended_invalidate(edu);
        if (edu->dma.cmd & EDU_DMA_RUN) {
            dma_end(edu, dma_run(edu));
        } else {
            pthread_cond_wait(&edu->dma_work, &edu->lock);
        }
    }
    pthread_mutex_unlock(&edu->lock);
    return NULL;
}

/* --- registers ------------------------------------------------------------ */

/* Registers are where they are: nothing is at other offsets or sizes. */
static bool
size_is_right(uint64_t off, unsigned size)
{
    return size == 4 || (size == 8 && off >= EDU_DMA_SRC);
}

static uint64_t
register_read(const struct edu *edu, uint64_t off)
{
    switch (off) {
    case EDU_ID:
        return IDENTIFICATION;
    case EDU_LIVENESS:
        return edu->liveness;
    case EDU_FACTORIAL:
        return edu->factorial;
    case EDU_STATUS:
        return edu->status;
    case EDU_IRQ_STATUS:
        return edu->irq_status;
    case EDU_DMA_SRC:
        return edu->dma.src;
    case EDU_DMA_DST:
        return edu->dma.dst;
    case EDU_DMA_COUNT:
        return edu->dma.count;
    case EDU_DMA_CMD:
        return edu->dma.cmd;
    default:
        return edu->extended ? extended_read(edu, off) : NOTHING;
    }
}

uint64_t
edu_read(struct edu *edu, uint64_t off, unsigned size)
{
    uint64_t val;

    if (!size_is_right(off, size)) {
        return NOTHING;
    }
    pthread_mutex_lock(&edu->lock);
    val = register_read(edu, off);
    pthread_mutex_unlock(&edu->lock);
    return val;
}

static void
factorial_start(struct edu *edu, uint32_t n)
{
    if (!(edu->status & EDU_STATUS_COMPUTING)) {
        edu->factorial = n;
        edu->status |= EDU_STATUS_COMPUTING;
        pthread_cond_signal(&edu->factorial_work);
    }
}

/* A DMA that runs is left alone, but for one that would run for ever. */
static void
dma_write(struct edu *edu, uint64_t off, uint64_t val)
{
    bool running = edu->dma.cmd & EDU_DMA_RUN;

    if (off == EDU_DMA_CMD) {
        if (running && edu->extended && !(val & EDU_DMA_RUN)) {
            edu->dma_stop = true;
        } else if (!running && val & EDU_DMA_RUN) {
            edu->dma.cmd = val;
        }
        pthread_cond_signal(&edu->dma_work);
    } else if (!running) {
        *(off == EDU_DMA_SRC   ? &edu->dma.src
          : off == EDU_DMA_DST ? &edu->dma.dst
                               : &edu->dma.count) = val;
    }
}

static void
register_write(struct edu *edu, uint64_t off, uint64_t val)
{
    switch (off) {
    case EDU_LIVENESS:
        edu->liveness = ~(uint32_t)val;
        break;
    case EDU_FACTORIAL:
        factorial_start(edu, (uint32_t)val);
        break;
    case EDU_STATUS:
        edu->status =
            (edu->status & ~EDU_STATUS_IRQ) | ((uint32_t)val & EDU_STATUS_IRQ);
        break;
    case EDU_IRQ_RAISE:
        irq_raise(edu, (uint32_t)val);
        break;
    case EDU_IRQ_ACK:
        irq_lower(edu, (uint32_t)val);
        break;
    case EDU_DMA_SRC:
    case EDU_DMA_DST:
    case EDU_DMA_COUNT:
    case EDU_DMA_CMD:
        dma_write(edu, off, val);
        break;
    default:
        if (edu->extended) {
            extended_write(edu, off, val);
        }
        break;
    }
}

void
edu_write(struct edu *edu, uint64_t off, unsigned size, uint64_t val)
{
    if (!size_is_right(off, size)) {
        return;
    }
    pthread_mutex_lock(&edu->lock);
    register_write(edu, off, size == 4 ? (uint32_t)val : val);
    pthread_mutex_unlock(&edu->lock);
}

/* --- configuration space -------------------------------------------------- */

uint64_t
edu_config_read(struct edu *edu, uint64_t off, unsigned size)
{
    uint64_t val = NOTHING;

    pthread_mutex_lock(&edu->lock);
    if (off < PCI_CONFIG_SIZE) {
        val = pci_read(&edu->pci, (uint32_t)off, size);
    }
    pthread_mutex_unlock(&edu->lock);
    return val;
}

void
edu_config_write(struct edu *edu, uint64_t off, unsigned size, uint64_t val)
{
    if (off >= PCI_CONFIG_SIZE) {
        return;
    }
    pthread_mutex_lock(&edu->lock);
    pci_write(&edu->pci, (uint32_t)off, size, val);
    intx_update(edu); /* MSIs may be on now, or INTx off */
    pthread_mutex_unlock(&edu->lock);
}

uint64_t
edu_bar(struct edu *edu)
{
    uint64_t bar;

    pthread_mutex_lock(&edu->lock);
    bar = pci_bar(&edu->pci);
    pthread_mutex_unlock(&edu->lock);
    return bar;
}

/* --- life ----------------------------------------------------------------- */

static void
sync_init(struct edu *edu)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&edu->lock, NULL);
    pthread_cond_init(&edu->factorial_work, NULL);
    pthread_cond_init(&edu->dma_work, &monotonic);
    pthread_cond_init(&edu->invalidation_room, NULL);
    pthread_condattr_destroy(&monotonic);
}

static void
sync_destroy(struct edu *edu)
{
    pthread_mutex_destroy(&edu->lock);
    pthread_cond_destroy(&edu->factorial_work);
    pthread_cond_destroy(&edu->dma_work);
    pthread_cond_destroy(&edu->invalidation_room);
}

static void
stop(struct edu *edu)
{
    pthread_mutex_lock(&edu->lock);
    edu->stopping = true;
    pthread_cond_broadcast(&edu->factorial_work);
    pthread_cond_broadcast(&edu->dma_work);
    pthread_cond_broadcast(&edu->invalidation_room);
    pthread_mutex_unlock(&edu->lock);
}

struct edu *
edu_create(const struct edu_options *options, const struct edu_ops *ops,
           void *ctx)
{
    struct edu *edu = calloc(1, sizeof(*edu));
    int rc;

    if (!edu) {
        return NULL;
    }
    edu->ops = ops;
    edu->ctx = ctx;
    edu->extended = options->extended;
    edu->dma_mask = UINT64_MAX >> (64 - options->dma_bits);
    pci_init(&edu->pci, &identity, options->with);
    sync_init(edu);

    rc = pthread_create(&edu->factorial_thread, NULL, factorial_main, edu);
    if (rc) {
        goto fail;
    }
    rc = pthread_create(&edu->dma_thread, NULL, dma_main, edu);
    if (rc) {
        stop(edu);
        pthread_join(edu->factorial_thread, NULL);
        goto fail;
    }
    return edu;

fail:
    sync_destroy(edu);
    free(edu);
    errno = rc;
    return NULL;
}

void
edu_destroy(struct edu *edu)
{
    if (!edu) {
        return;
    }
    stop(edu);
    pthread_join(edu->factorial_thread, NULL);
    pthread_join(edu->dma_thread, NULL);
    sync_destroy(edu);
    free(edu);
}
