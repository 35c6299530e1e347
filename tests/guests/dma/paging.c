/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/dma/paging.h"

#include <stddef.h>

#include "tests/guests/lib/console.h"
#include "tests/guests/lib/cpu.h"

#define POOL_PAGES  256u
#define ENTRIES     512u
#define LEVEL_BITS  9u
#define LEAF_LEVEL  1u
#define ENTRY_ADDR  0x000ffffffffff000ull
#define ENTRY_LARGE (1ull << 7)

/* [VT-d 4.1, "Second-Stage Paging Entries", "First-Stage Paging Entries"] */
#define SECOND_R     (1ull << 0)
#define SECOND_W     (1ull << 1)
#define FIRST_P      (1ull << 0)
#define FIRST_RW     (1ull << 1)
#define FIRST_US     (1ull << 2)
#define FIRST_XD     (1ull << 63)
#define SECOND_TABLE (SECOND_R | SECOND_W)
#define FIRST_TABLE  (FIRST_P | FIRST_RW | FIRST_US)

static uint64_t pool[POOL_PAGES][ENTRIES] __attribute__((aligned(PAGE_SIZE)));
static unsigned pool_used;

void
pages_reset(void)
{
    pool_used = 0;
}

uint64_t *
pages_take(void)
{
    uint64_t *page = pool[pool_used];

    if (pool_used + 1 < POOL_PAGES)
        pool_used++;
    else
        expect(false, "pages are left in the pool");
    for (unsigned i = 0; i < ENTRIES; i++)
        page[i] = 0;
    return page;
}

void
tables_init(struct tables *tables, bool first, unsigned levels, uint64_t offset)
{
    tables->first = first;
    tables->levels = levels;
    tables->offset = offset;
    tables->root = pages_take();
}

static uint64_t
leaf_flags(const struct tables *tables, unsigned perm)
{
    if (!tables->first)
        return (perm & PERM_READ ? SECOND_R : 0) |
               (perm & PERM_WRITE ? SECOND_W : 0);
    return (perm & PERM_READ ? FIRST_P : 0) |
           (perm & PERM_WRITE ? FIRST_RW : 0) |
           (perm & PERM_USER ? FIRST_US : 0) |
           (perm & PERM_EXEC ? 0 : FIRST_XD);
}

static unsigned
index_of(uint64_t iova, unsigned level)
{
    unsigned shift = SHIFT_4K + LEVEL_BITS * (level - 1);

    return (unsigned)(iova >> shift) % ENTRIES;
}

/* Missing tables are made, and a larger page gives way to one. */
volatile uint64_t *
tables_entry(struct tables *tables, uint64_t iova, unsigned shift)
{
    unsigned last = LEAF_LEVEL + (shift - SHIFT_4K) / LEVEL_BITS;
    uint64_t flags = tables->first ? FIRST_TABLE : SECOND_TABLE;
    uint64_t *table = tables->root;

    for (unsigned level = tables->levels; level > last; level--) {
        uint64_t *entry = &table[index_of(iova, level)];

        if (!*entry || (*entry & ENTRY_LARGE))
            *entry = (gpa_of(pages_take()) + tables->offset) | flags;
        __asm__("" : "=r"(table) : "0"((*entry & ENTRY_ADDR) - tables->offset));
    }
    return &table[index_of(iova, last)];
}

void
tables_map(struct tables *tables, uint64_t iova, uint64_t target,
           unsigned shift, unsigned perm)
{
    *tables_entry(tables, iova, shift) = target | leaf_flags(tables, perm) |
                                         (shift > SHIFT_4K ? ENTRY_LARGE : 0);
}

void
tables_unmap(struct tables *tables, uint64_t iova, unsigned shift)
{
    *tables_entry(tables, iova, shift) = 0;
}
