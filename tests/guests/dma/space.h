/* SPDX-License-Identifier: GPL-2.0-only */
/* What a device, or one of its PASIDs, translates through. */
#ifndef TESTS_GUESTS_DMA_SPACE_H
#define TESTS_GUESTS_DMA_SPACE_H

#include "tests/guests/dma/paging.h"
#include "tests/guests/lib/unit.h"

enum stage {
    STAGE_PASS,
    STAGE_SECOND,
    STAGE_FIRST,
    STAGE_NESTED,
};

struct space {
    enum stage stage;
    uint16_t did;
    struct tables first;
    struct tables second;
};

/*
 * Where guest memory lies between the two stages of a nested space: the
 * second stage maps the first GiB of it with pages of 2 MiB.
 */
#define NEST_BASE 0x4000000000ull

/* @levels: of the second stage, unless @stage is FIRST. */
void space_init(struct space *space, enum stage stage, unsigned levels,
                uint16_t did);

void space_map(struct space *space, uint64_t iova, uint64_t gpa, unsigned shift,
               unsigned perm);
void space_unmap(struct space *space, uint64_t iova, unsigned shift);

/* The invalidation that a change of the page takes, put into the queue. */
void space_put_flush(const struct space *space, uint32_t pasid, uint64_t iova,
                     unsigned shift);

/* And wait for it. */
bool space_flush(const struct space *space, uint32_t pasid, uint64_t iova,
                 unsigned shift);

/* --- which space a request has --------------------------------------------- */

/* No device has one, by an empty root table. */
void context_reset(bool scalable);

/* Legacy mode. */
void context_set(uint16_t sid, const struct space *space, bool ats);

/*
 * Scalable mode: the PASID tables are the source's, PASID 0 is that of
 * requests without one.
 */
#define CONTEXT_ATS   0x04u
#define CONTEXT_PASID 0x08u
#define CONTEXT_PRI   0x10u
void context_set_scalable(uint16_t sid, uint64_t flags);

/* PASIDs below PASIDS; @flags of the entry: */
#define PASIDS    8192u
#define PASID_SRE 1u /* supervisor requests                                 */
#define PASID_ERE 2u /* execute requests                                    */
void pasid_set(uint32_t pasid, const struct space *space, uint64_t flags);
void pasid_clear(uint32_t pasid);
bool pasid_flush(const struct space *space, uint32_t pasid);

/* Hand the root table over. */
bool context_latch(void);

/* And void what was before, remap from here on. */
bool context_enable(void);

/* --- device TLB, page requests ---------------------------------------------- */

/* Put the invalidation of a page in the device's TLB into the queue. */
void device_tlb_put_flush(uint16_t sid, uint32_t pasid, uint64_t iova);

/* Void all that the device keeps, in scalable mode that of PASIDs, too. */
bool device_tlb_empty(uint16_t sid, bool scalable);

struct page_request {
    uint64_t addr;
    uint32_t pasid;
    uint16_t sid;
    uint16_t group;
    bool read;
    bool write;
    bool last;
};

#define PAGE_RESPONSE_SUCCESS 0u
#define PAGE_RESPONSE_INVALID 1u

/* An empty queue of page requests. */
void page_requests_start(void);

/* The next one.  False: none came. */
bool page_request_take(struct page_request *request);
bool page_request_answer(const struct page_request *request, unsigned code);

#endif
