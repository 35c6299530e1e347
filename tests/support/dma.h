/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit that remaps DMA, and the structures of one function in its guest's
 * memory.
 */
#ifndef TESTS_SUPPORT_DMA_H
#define TESTS_SUPPORT_DMA_H

#include "tests/support/model.h"
#include "tests/support/tables.h"

/* What the function translates through. */
enum dma_kind {
    DMA_LEGACY,
    DMA_LEGACY_PASS,
    DMA_SECOND, /* scalable from here on */
    DMA_FIRST,
    DMA_NESTED,
    DMA_PASS,
};

#define DMA_SID   0x0193u
#define DMA_DID   0x0107u
#define DMA_PASID 0x25u /* of requests in scalable mode; RID_PASID is 0 */

/* One page that is mapped, and where to. */
#define DMA_IOVA UINT64_C(0x5a5b7c9e3000)
#define DMA_GPA  UINT64_C(0x123456000)

struct dma {
    struct model *model;
    struct tables tables;
    enum dma_kind kind;
    uint64_t root;           /* table */
    uint64_t root_entry;     /* of the function, as all that follow */
    uint64_t context;        /* entry */
    uint64_t dir, dir_entry; /* PASID directory */
    struct tables_map first, second;
    uint64_t leaf; /* the entry for DMA_IOVA of the first, or only, stage */
    struct vtd_dma_req req;
    struct vtd_dma_resp resp;
};

/* vtd_config_full, with a root table that is in force and one page mapped. */
struct dma *dma_create(enum dma_kind kind);
struct dma *dma_create_config(const struct vtd_config *config,
                              enum dma_kind kind);
void dma_destroy(struct dma *dma);

uint64_t dma_q(const struct dma *dma, uint64_t gpa);
void dma_flip(struct dma *dma, uint64_t gpa, uint64_t bits);

/* Where the entry of @pasid is; a new one is as the kind says, of @did. */
uint64_t dma_pasid(struct dma *dma, uint32_t pasid, uint16_t did);

/*
 * Map @iova in the first, or only, stage, readable and writable; and where it
 * leads to in the second if there is one.  Returns where the entry is.
 */
uint64_t dma_map(struct dma *dma, uint64_t iova, uint64_t gpa, unsigned shift);

/* The second stage's entry of the page that @gpa lies in; nested. */
uint64_t dma_behind(struct dma *dma, uint64_t gpa);

/* Translate dma->req; the answer is in dma->resp. */
enum vtd_fr dma_translate(struct dma *dma);
/* The same for @iova and @access. */
enum vtd_fr dma_access(struct dma *dma, uint64_t iova, uint8_t access);

/* How many walks there were. */
uint64_t dma_walks(const struct dma *dma);

/* Latch the root table with mode @ttm, and enable translation. */
void dma_latch(struct dma *dma, uint64_t ttm);

#endif
