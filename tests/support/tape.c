/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/tape.h"

#include <stdlib.h>

#define PAGE_SHIFT 12
#define PAGE_BYTES (1u << PAGE_SHIFT)

struct tape_page {
    uint64_t gfn;
    bool known[PAGE_BYTES];
    uint8_t byte[PAGE_BYTES];
};

void
tape_forget(struct tape *tape)
{
    for (unsigned i = 0; i < TAPE_PAGES; i++)
        free(tape->page[i]);
    *tape = (struct tape){ .pages = 0 };
}

/* Where page @gfn is, or may be put; full tables have no such place. */
static unsigned
slot_find(const struct tape *tape, uint64_t gfn)
{
    unsigned i = (unsigned)(gfn % TAPE_PAGES);

    while (tape->page[i] && tape->page[i]->gfn != gfn)
        i = (i + 1) % TAPE_PAGES;
    return i;
}

static struct tape_page *
page_add(struct tape *tape, uint64_t gfn)
{
    unsigned i = slot_find(tape, gfn);

    /* One place stays free, so that a search always ends. */
    if (!tape->page[i] && tape->pages < TAPE_PAGES - 1) {
        tape->page[i] = calloc(1, sizeof(*tape->page[i]));
        if (tape->page[i]) {
            tape->page[i]->gfn = gfn;
            tape->pages++;
        }
    }
    return tape->page[i];
}

bool
tape_write(struct tape *tape, uint64_t gpa, const void *buf, size_t len)
{
    const uint8_t *byte = buf;

    for (size_t i = 0; i < len; i++) {
        struct tape_page *page = page_add(tape, (gpa + i) >> PAGE_SHIFT);

        if (!page)
            return false;
        page->byte[(gpa + i) % PAGE_BYTES] = byte[i];
        page->known[(gpa + i) % PAGE_BYTES] = true;
    }
    return true;
}

bool
tape_read(const struct tape *tape, uint64_t gpa, void *buf, size_t len)
{
    uint8_t *byte = buf;

    for (size_t i = 0; i < len; i++) {
        const struct tape_page *page =
            tape->page[slot_find(tape, (gpa + i) >> PAGE_SHIFT)];

        if (!page || !page->known[(gpa + i) % PAGE_BYTES])
            return false;
        byte[i] = page->byte[(gpa + i) % PAGE_BYTES];
    }
    return true;
}
