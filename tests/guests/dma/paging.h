/* SPDX-License-Identifier: GPL-2.0-only */
/* Translation tables of both stages, made of pages from a pool. */
#ifndef TESTS_GUESTS_DMA_PAGING_H
#define TESTS_GUESTS_DMA_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE 4096u

#define SHIFT_4K 12u
#define SHIFT_2M 21u
#define SHIFT_1G 30u

#define PERM_READ  1u
#define PERM_WRITE 2u
#define PERM_EXEC  4u
#define PERM_USER  8u /* of a first stage; without it: supervisors alone    */
#define PERM_RW    (PERM_READ | PERM_WRITE | PERM_USER)

/* Give all pages back; every test begins so. */
void pages_reset(void);

/* One, zeroed.  There are enough for any test. */
uint64_t *pages_take(void);

struct tables {
    bool first; /* stage; else second                                      */
    unsigned levels;
    uint64_t *root;
    uint64_t offset; /* entries name tables by gpa plus this               */
};

void tables_init(struct tables *tables, bool first, unsigned levels,
                 uint64_t offset);

/* A page of 2^@shift bytes, instead of what was there. */
void tables_map(struct tables *tables, uint64_t iova, uint64_t target,
                unsigned shift, unsigned perm);
void tables_unmap(struct tables *tables, uint64_t iova, unsigned shift);

/* The entry itself. */
volatile uint64_t *tables_entry(struct tables *tables, uint64_t iova,
                                unsigned shift);

#endif
