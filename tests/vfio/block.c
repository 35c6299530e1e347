/* SPDX-License-Identifier: GPL-2.0-only */
/* What is not mapped is not reached, and the kernel hears of it. */
#include <stdio.h>
#include <string.h>

#include "tests/vfio/checks.h"

#define RW    (VFIO_EDU_READ | VFIO_EDU_WRITE)
#define GUARD 0xc3

/* The device's buffer, with bytes that @seed tells, by way of page 0. */
static bool
load_buffer(struct test *t, uint32_t seed)
{
    test_fill(test_page(t, 0), PAGE, seed);
    return test_map(t, 0, 1, 0x10000, RW) &&
           test_dma(t, EDU_FROM_GUEST, 0x10000, 0, t->most) &&
           test_unmap(t, 0x10000, PAGE);
}

/* The device's buffer, in page 1. */
static bool
save_buffer(struct test *t)
{
    memset(test_page(t, 1), 0, PAGE);
    return test_map(t, 1, 1, 0x11000, RW) &&
           test_dma(t, EDU_INTO_GUEST, 0x11000, 0, t->most) &&
           test_unmap(t, 0x11000, PAGE);
}

static void
guard_all(struct test *t)
{
    memset(test_page(t, 0), GUARD, PAGES * PAGE);
}

static bool
guards_stand(struct test *t)
{
    size_t i;

    for (i = 0; i < PAGES * PAGE; i++) {
        if (t->pages[i] != GUARD) {
            return because(t, "memory was written, page %zu", i / PAGE);
        }
    }
    return true;
}

static bool
fault_reported(struct test *t, bool write, uint64_t iova)
{
    return kmsg_fault(&t->kmsg, write, iova, 3000) ||
           because(t, "no fault of a %s at 0x%llx in the log",
                   write ? "write" : "read", (unsigned long long)iova);
}

/* Write to @iova; neither memory changes nor does it stay unnoticed. */
static bool
write_blocked(struct test *t, uint64_t iova)
{
    kmsg_expect(&t->kmsg);
    guard_all(t);
    return test_dma(t, EDU_INTO_GUEST, iova, 0, 512) && guards_stand(t) &&
           fault_reported(t, true, iova);
}

static bool
write_read_only(struct test *t)
{
    if (!load_buffer(t, 1) || !test_map(t, 2, 1, 0x20000, VFIO_EDU_READ) ||
        !write_blocked(t, 0x20000 + 80)) {
        return false;
    }
    /* It can still be read. */
    test_fill(test_page(t, 2), PAGE, 2);
    if (!test_dma(t, EDU_FROM_GUEST, 0x20000, 0, t->most) ||
        !test_unmap(t, 0x20000, PAGE) || !save_buffer(t)) {
        return false;
    }
    return memcmp(test_page(t, 1), test_page(t, 2), t->most) == 0 ||
           because(t, "the page cannot be read any more");
}

static bool
write_unmapped(struct test *t)
{
    return load_buffer(t, 3) && write_blocked(t, 0x3456000);
}

static bool
write_just_unmapped(struct test *t)
{
    if (!load_buffer(t, 5) || !test_map(t, 4, 1, 0x50000, RW) ||
        !test_dma(t, EDU_INTO_GUEST, 0x50000, 0, t->most)) {
        return false;
    }
    if (memcmp(test_page(t, 4), test_page(t, 0), t->most) != 0) {
        return because(t, "the page was not written while mapped");
    }
    return test_unmap(t, 0x50000, PAGE) && write_blocked(t, 0x50000);
}

static bool
read_just_unmapped(struct test *t)
{
    if (!load_buffer(t, 6) || !test_map(t, 4, 1, 0x51000, RW) ||
        !test_dma(t, EDU_FROM_GUEST, 0x51000, 0, 8) ||
        !test_unmap(t, 0x51000, PAGE)) {
        return false;
    }
    kmsg_expect(&t->kmsg);
    test_fill(test_page(t, 4), PAGE, 7);
    if (!test_dma(t, EDU_FROM_GUEST, 0x51000, 0, t->most) ||
        !fault_reported(t, false, 0x51000) || !save_buffer(t)) {
        return false;
    }
    return memcmp(test_page(t, 1) + 8, test_page(t, 4) + 8, t->most - 8) != 0 ||
           because(t, "the device has the memory's contents");
}

/* Another page is where one was a moment ago. */
static bool
write_remapped(struct test *t)
{
    if (!load_buffer(t, 8) || !test_map(t, 5, 1, 0x52000, RW) ||
        !test_dma(t, EDU_INTO_GUEST, 0x52000, 0, 64) ||
        !test_unmap(t, 0x52000, PAGE)) {
        return false;
    }
    guard_all(t);
    if (!test_map(t, 6, 1, 0x52000, RW) ||
        !test_dma(t, EDU_INTO_GUEST, 0x52000, 0, t->most) ||
        !test_unmap(t, 0x52000, PAGE)) {
        return false;
    }
    test_fill(test_page(t, 0), PAGE, 8);
    if (memcmp(test_page(t, 6), test_page(t, 0), t->most) != 0) {
        return because(t, "the new page was not written");
    }
    memset(test_page(t, 0), GUARD, PAGE);
    memset(test_page(t, 6), GUARD, t->most);
    return guards_stand(t);
}

/* From what is mapped on into what is not. */
static bool
write_over_the_end(struct test *t)
{
    unsigned i;

    if (!load_buffer(t, 9) || !test_map(t, 7, 1, 0x60000, RW)) {
        return false;
    }
    kmsg_expect(&t->kmsg);
    guard_all(t);
    if (!test_dma(t, EDU_INTO_GUEST, 0x60000 + PAGE - 256, 0, 512)) {
        return false;
    }
    for (i = 0; i < 256; i++) {
        test_page(t, 7)[PAGE - 256 + i] = GUARD;
    }
    return guards_stand(t) && fault_reported(t, true, 0x61000) &&
           test_unmap(t, 0x60000, PAGE);
}

const struct check checks_block[] = {
    { "a write to a read-only page is blocked", write_read_only },
    { "a write to an unmapped IOVA is blocked", write_unmapped },
    { NULL, NULL },
};

const struct check checks_block_more[] = {
    { "a write to what was unmapped a moment ago is blocked",
      write_just_unmapped },
    { "a read of what was unmapped a moment ago is blocked",
      read_just_unmapped },
    { "a write after mapping anew goes to the new page", write_remapped },
    { "a write over the end of a mapped page is blocked there",
      write_over_the_end },
    { NULL, NULL },
};
