/* SPDX-License-Identifier: MIT */
/* What a device does that has PASIDs, a device TLB, and page requests. */
#include <errno.h>
#include <linux/pci_regs.h>
#include <string.h>

#include "client/examples/edu/edu-priv.h"

#define PAGE_SIZE 4096u
#define NOTHING   UINT64_MAX

/* A page that is gone again each time that it was requested is given up. */
#define PAGE_TRIES 4u

/* The guest may have to read it from a disk. */
#define PAGE_WAIT_MS 10000u

#define GROUPS 512u

/* --- registers ------------------------------------------------------------ */

uint64_t
extended_read(const struct edu *edu, uint64_t off)
{
    switch (off) {
    case EDU_PASID:
        return edu->dma.pasid;
    case EDU_MODE:
        return edu->dma.mode;
    case EDU_DMA_RESULT:
        return (uint32_t)edu->dma_result;
    case EDU_DMA_DONE:
        return edu->dma_done;
    case EDU_DMA_FAULTS:
        return edu->dma_faults;
    case EDU_TLB_ENTRIES:
        return atomic_load(&edu->tlb.used);
    case EDU_PAGE_REQUESTS:
        return edu->page_requests;
    case EDU_PAGE_SUCCESS:
        return edu->page_success;
    default:
        return NOTHING;
    }
}

void
extended_write(struct edu *edu, uint64_t off, uint64_t val)
{
    if (off == EDU_PASID && !(edu->dma.cmd & EDU_DMA_RUN)) {
        edu->dma.pasid =
            (uint32_t)val & (EDU_PASID_VALUE | EDU_PASID_EXEC |
                             EDU_PASID_PRIVILEGED | EDU_PASID_VALID);
    } else if (off == EDU_MODE) {
        edu->dma.mode = (uint32_t)val & (EDU_MODE_ATS | EDU_MODE_PRI |
                                         EDU_MODE_REPEAT | EDU_MODE_NO_ACK);
        pthread_cond_signal(&edu->dma_work);
    }
}

int
extended_access(struct edu *edu, const struct dma *dma,
                struct viommu_access *access)
{
    static const struct {
        uint32_t bit;
        uint16_t control;
    } permitted[] = {
        { EDU_PASID_VALID, PCI_PASID_CTRL_ENABLE },
        { EDU_PASID_EXEC, PCI_PASID_CTRL_EXEC },
        { EDU_PASID_PRIVILEGED, PCI_PASID_CTRL_PRIV },
    };
    unsigned enabled = pci_enabled(&edu->pci);

    if ((dma->mode & (EDU_MODE_ATS | EDU_MODE_PRI) &&
         !(enabled & PCI_WITH_ATS)) ||
        (dma->mode & EDU_MODE_PRI && !(enabled & PCI_WITH_PRI))) {
        return -EPERM;
    }
    if (!(dma->pasid & EDU_PASID_VALID)) {
        return 0;
    }
    for (unsigned i = 0; i < sizeof(permitted) / sizeof(permitted[0]); i++) {
        if (dma->pasid & permitted[i].bit &&
            !(pci_pasid_control(&edu->pci) & permitted[i].control)) {
            return -EPERM;
        }
    }
    access->pasid = dma->pasid & EDU_PASID_VALUE;
    access->privileged = dma->pasid & EDU_PASID_PRIVILEGED;
    if (dma->pasid & EDU_PASID_EXEC && !(dma->cmd & EDU_DMA_TO_GUEST)) {
        access->access = VIOMMU_EXEC;
    }
    return 0;
}

/* --- the device TLB ------------------------------------------------------- */

static uint64_t
entry_size(const struct tlb_entry *entry)
{
    return (uint64_t)1 << entry->shift;
}

static bool
entry_covers(const struct tlb_entry *entry, const struct viommu_access *access)
{
    return entry->shift && access->iova - entry->iova < entry_size(entry) &&
           entry->privileged == access->privileged &&
           (entry->global || entry->pasid == access->pasid);
}

static bool
entry_is_hit(const struct tlb_entry *entry,
             const struct viommu_invalidation *inv)
{
    return entry->shift && entry->iova <= inv->last &&
           inv->iova <= entry->iova + (entry_size(entry) - 1) &&
           (entry->global || inv->pasid == VIOMMU_NO_PASID ||
            entry->pasid == inv->pasid);
}

static void
entry_free(struct tlb *tlb, struct tlb_entry *entry)
{
    if (entry->shift) {
        entry->shift = 0;
        atomic_fetch_sub(&tlb->used, 1);
    }
}

static const struct tlb_entry *
tlb_find(const struct tlb *tlb, const struct viommu_access *access)
{
    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        if (entry_covers(&tlb->entry[i], access)) {
            return &tlb->entry[i];
        }
    }
    return NULL;
}

/* Instead of what it had for that page, or of the next in turn. */
static const struct tlb_entry *
tlb_keep(struct tlb *tlb, const struct viommu_access *access,
         const struct viommu_translation *to)
{
    uint64_t inside = ((uint64_t)1 << to->shift) - 1;
    struct tlb_entry *entry;

    for (unsigned i = 0; i < TLB_ENTRIES; i++) {
        if (entry_covers(&tlb->entry[i], access)) {
            entry_free(tlb, &tlb->entry[i]);
        }
    }

    entry = &tlb->entry[tlb->next++ % TLB_ENTRIES];
    entry_free(tlb, entry);
    *entry = (struct tlb_entry){
        .iova = access->iova & ~inside,
        .gpa = to->gpa & ~inside,
        .pasid = access->pasid,
        .shift = to->shift,
        .access = to->access,
        .privileged = access->privileged,
        .global = to->global,
    };
    atomic_fetch_add(&tlb->used, 1);
    return entry;
}

/*
 * All under the DMA thread, which neither translates nor copies meanwhile: a
 * translation from before the invalidation is in the TLB by now, and no copy
 * through it is under way.  That is what the acknowledgement promises.
 */
void
extended_invalidate(struct edu *edu)
{
    for (unsigned n = 0; n < edu->invalidations; n++) {
        const struct invalidation *inv = &edu->invalidation[n];

        for (unsigned i = 0; i < TLB_ENTRIES; i++) {
            if (entry_is_hit(&edu->tlb.entry[i], &inv->range)) {
                entry_free(&edu->tlb, &edu->tlb.entry[i]);
            }
        }
        if (!(edu->dma.mode & EDU_MODE_NO_ACK)) {
            edu->ops->invalidation_done(edu->ctx, inv->token);
        }
    }
    edu->invalidations = 0;
    pthread_cond_broadcast(&edu->invalidation_room);
}

int
edu_invalidate(struct edu *edu, const struct viommu_invalidation *inv,
               uint32_t token)
{
    pthread_mutex_lock(&edu->lock);
    while (edu->invalidations == INVALIDATIONS_MAX && !edu->stopping) {
        pthread_cond_wait(&edu->invalidation_room, &edu->lock);
    }
    if (edu->invalidations < INVALIDATIONS_MAX) {
        edu->invalidation[edu->invalidations++] =
            (struct invalidation){ .range = *inv, .token = token };
    }
    pthread_cond_signal(&edu->dma_work);
    pthread_mutex_unlock(&edu->lock);
    return -EINPROGRESS;
}

/* --- page requests -------------------------------------------------------- */

void
edu_page_response(struct edu *edu, const struct viommu_page_response *response)
{
    pthread_mutex_lock(&edu->lock);
    if (edu->page.waiting && edu->page.group == response->group) {
        edu->page.waiting = false;
        edu->page.code = response->code;
        edu->page_success += !response->code;
        pthread_cond_signal(&edu->dma_work);
    }
    pthread_mutex_unlock(&edu->lock);
}

void
edu_cut_off(struct edu *edu)
{
    pthread_mutex_lock(&edu->lock);
    edu->gone = true;
    pthread_cond_signal(&edu->dma_work);
    pthread_mutex_unlock(&edu->lock);
}

/* Whether to wait on for the answer; invalidations are heard meanwhile. */
static bool
page_wait(struct edu *edu)
{
    extended_invalidate(edu);
    return edu->page.waiting && !edu->gone && !edu->stopping &&
           !edu->dma_stop && edu_dma_wait(edu, PAGE_WAIT_MS);
}

/* Request the page of @access.  0: it may be there now. */
static int
page_request(struct edu *edu, const struct viommu_access *access)
{
    struct viommu_page_request request = {
        .addr = access->iova & ~(uint64_t)(PAGE_SIZE - 1),
        .pasid = access->pasid,
        .access = access->access,
        .privileged = access->privileged,
        .last = true,
    };
    int rc;

    pthread_mutex_lock(&edu->lock);
    request.group = (uint16_t)(edu->page_requests % GROUPS);
    edu->page = (struct page_wait){ .waiting = true, .group = request.group };
    rc = edu->ops->page_request(edu->ctx, &request);
    if (!rc) {
        edu->page_requests++;
        while (page_wait(edu)) {
        }
        rc = edu->page.waiting ? -ETIMEDOUT : edu->page.code ? -EACCES : 0;
    }
    edu->page.waiting = false;
    pthread_mutex_unlock(&edu->lock);
    return rc;
}

/* --- copies through translations that are kept ---------------------------- */

/*
 * How to reach the page of @asked: *@access.  -EACCES: the translation does not
 * permit it.
 */
static int
page_translate(struct edu *edu, const struct viommu_access *asked,
               struct viommu_access *access)
{
    const struct tlb_entry *entry = tlb_find(&edu->tlb, asked);
    struct viommu_translation to;
    int rc;

    *access = *asked;
    if (!entry || asked->access & ~entry->access) {
        access->address_type = VIOMMU_AT_TRANSLATION;
        access->no_write = !(asked->access & VIOMMU_WRITE);
        rc = edu->ops->translate(edu->ctx, access, &to);
        *access = *asked;
        if (rc || to.untranslated) {
            return rc;
        }
        if (asked->access & ~to.access) {
            return -EACCES;
        }
        entry = tlb_keep(&edu->tlb, asked, &to);
    }

    /* Whose it is was judged before; a PASID is an error by now. */
    *access = (struct viommu_access){
        .iova = entry->gpa + (asked->iova - entry->iova),
        .pasid = VIOMMU_NO_PASID,
        .access = asked->access & (VIOMMU_READ | VIOMMU_WRITE),
        .address_type = VIOMMU_AT_TRANSLATED,
    };
    return 0;
}

/* The same, with page requests for what is not there. */
static int
page_find(struct edu *edu, const struct dma *dma,
          const struct viommu_access *asked, struct viommu_access *access)
{
    int rc = page_translate(edu, asked, access);

    for (unsigned i = 0; i < PAGE_TRIES && dma->mode & EDU_MODE_PRI &&
                         (rc > 0 || rc == -EACCES);
         i++) {
        int answer = page_request(edu, asked);

        if (answer) {
            return answer == -EACCES ? rc : answer;
        }
        rc = page_translate(edu, asked, access);
    }
    return rc;
}

int
extended_copy(struct edu *edu, const struct dma *dma,
              const struct viommu_access *asked, void *buf, size_t len)
{
    struct viommu_access part = *asked;
    size_t done = 0;

    while (done < len) {
        size_t left = PAGE_SIZE - (size_t)(part.iova % PAGE_SIZE);
        size_t n = len - done < left ? len - done : left;
        uint8_t *at = (uint8_t *)buf + done;
        struct viommu_access access;
        int rc = page_find(edu, dma, &part, &access);

        if (!rc) {
            rc = part.access & VIOMMU_WRITE
                     ? edu->ops->write(edu->ctx, &access, at, n)
                     : edu->ops->read(edu->ctx, &access, at, n);
        }
        if (rc) {
            return rc;
        }
        done += n;
        part.iova += n;
    }
    return 0;
}
