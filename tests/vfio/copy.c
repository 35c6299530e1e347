/* SPDX-License-Identifier: GPL-2.0-only */
/* What is mapped is reached, and nothing beside it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/vfio/checks.h"

#define RW (VFIO_EDU_READ | VFIO_EDU_WRITE)

/* @len bytes at @from and at @to, and where the device finds them. */
struct copy {
    uint8_t *from, *to;
    uint64_t from_iova, to_iova;
    unsigned len;
};

static bool
copy_through(struct test *t, const struct copy *c)
{
    /* The device's buffer ends where the copy does. */
    unsigned off = t->most - c->len;

    test_fill(c->from, c->len, (uint32_t)(c->from_iova ^ c->len));
    if (!test_dma(t, EDU_FROM_GUEST, c->from_iova, off, c->len) ||
        !test_dma(t, EDU_INTO_GUEST, c->to_iova, off, c->len)) {
        return false;
    }
    return memcmp(c->from, c->to, c->len) == 0 ||
           because(t, "%u bytes from 0x%llx arrived wrong at 0x%llx", c->len,
                   (unsigned long long)c->from_iova,
                   (unsigned long long)c->to_iova);
}

static bool
all_are(const uint8_t *at, size_t len, uint8_t value)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (at[i] != value) {
            return false;
        }
    }
    return true;
}

/* One after the other at its own place in a page, with guards around. */
static bool
sizes(struct test *t)
{
    static const unsigned lens[] = { 1,  2,   3,   4,    7,    8,   63,
                                     64, 511, 512, 1000, 4095, 4096 };
    uint8_t *to = test_page(t, 3);
    struct copy c;
    unsigned i, off;

    if (!test_map(t, 0, 1, 0x100000, RW) || !test_map(t, 2, 3, 0x300000, RW)) {
        return false;
    }
    for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        if (lens[i] > t->most) {
            continue;
        }
        off = (i * 5) % (PAGE - lens[i] + 1);
        memset(test_page(t, 2), 0x5a, (size_t)3 * PAGE);
        c = (struct copy){
            .from = test_page(t, 0) + off,
            .to = to + off,
            .from_iova = 0x100000 + off,
            .to_iova = 0x301000 + off,
            .len = lens[i],
        };
        if (!copy_through(t, &c)) {
            return false;
        }
        if (!all_are(test_page(t, 2), PAGE + off, 0x5a) ||
            !all_are(to + off + lens[i], 2 * PAGE - off - lens[i], 0x5a)) {
            return because(t, "%u bytes at 0x%llx changed others", lens[i],
                           (unsigned long long)c.to_iova);
        }
    }
    return test_unmap(t, 0x100000, PAGE) &&
           test_unmap(t, 0x300000, (size_t)3 * PAGE);
}

/* Neighbours by IOVA that are none in memory, in both directions. */
static bool
crossing(struct test *t)
{
    uint8_t *first = test_page(t, 9), *second = test_page(t, 4), buf[PAGE];
    unsigned len = t->most, in_first = PAGE - 100;

    if (!test_map(t, 9, 1, 0x40000, RW) || !test_map(t, 4, 1, 0x41000, RW)) {
        return false;
    }
    test_fill(first + 1000, PAGE - 1000, 77);
    test_fill(second, 1000, 78);
    if (!test_dma(t, EDU_FROM_GUEST, 0x40000 + 1000, 0, len)) {
        return false;
    }
    memcpy(buf, first + 1000, PAGE - 1000);
    memcpy(buf + PAGE - 1000, second, 1000);
    memset(first, 0, PAGE);
    memset(second, 0, PAGE);
    if (!test_dma(t, EDU_INTO_GUEST, 0x40000 + 100, 0, len)) {
        return false;
    }
    if (!all_are(first, 100, 0) || memcmp(first + 100, buf, in_first) != 0 ||
        memcmp(second, buf + in_first, len - in_first) != 0 ||
        !all_are(second + len - in_first, PAGE - len + in_first, 0)) {
        return because(t, "%u bytes over two pages arrived wrong", len);
    }
    return test_unmap(t, 0x40000, PAGE) && test_unmap(t, 0x41000, PAGE);
}

/* One page of memory at an IOVA and another one at a far one. */
static bool
copy_between(struct test *t, uint64_t from_iova, uint64_t to_iova)
{
    struct copy c = {
        .from = test_page(t, 5) + 16,
        .to = test_page(t, 6) + 32,
        .from_iova = from_iova + 16,
        .to_iova = to_iova + 32,
        .len = 2000,
    };

    memset(test_page(t, 6), 0, PAGE);
    return test_map(t, 5, 1, from_iova, RW) && test_map(t, 6, 1, to_iova, RW) &&
           copy_through(t, &c) && test_unmap(t, from_iova, PAGE) &&
           test_unmap(t, to_iova, PAGE);
}

static bool
several_iovas(struct test *t)
{
    return copy_between(t, 0, 0x1ff000) &&
           copy_between(t, 0x200000, 0x7fff000) &&
           copy_between(t, 0x8000000, 0x1000);
}

static bool
high_iovas(struct test *t)
{
    return copy_between(t, t->high, t->high / 2 + PAGE / 2) &&
           copy_between(t, t->high - 0x4000, t->high);
}

/* The same memory at two IOVAs. */
static bool
alias(struct test *t)
{
    struct copy c = {
        .from = test_page(t, 7),
        .to = test_page(t, 7) + 2048,
        .from_iova = 0x500000,
        .to_iova = 0x602800,
        .len = 2048,
    };

    return test_map(t, 7, 1, 0x500000, RW) && test_map(t, 7, 1, 0x602000, RW) &&
           copy_through(t, &c) && test_unmap(t, 0x500000, PAGE) &&
           test_unmap(t, 0x602000, PAGE);
}

/* A page of 2 MiB, at its ends and over the border of 4 KiB. */
static bool
huge(struct test *t)
{
    static const unsigned offs[] = { 0, 0x12345, 0x0ff800, 0x1ffc00 };
    uint64_t iova = 0x4000000;
    uint8_t *page;
    unsigned i;
    int rc;

    page =
        mmap(NULL, HUGE_SIZE, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
    if (page == MAP_FAILED) {
        return because(t, "no page of 2 MiB: %s", strerror(errno));
    }
    rc = vfio_map(&t->vfio, page, HUGE_SIZE, iova, RW);
    if (rc != 0) {
        return because(t, "cannot map 2 MiB: %s", strerror(-rc));
    }
    for (i = 1; i < sizeof(offs) / sizeof(offs[0]); i++) {
        struct copy c = {
            .from = page + offs[i - 1],
            .to = page + offs[i],
            .from_iova = iova + offs[i - 1],
            .to_iova = iova + offs[i],
            .len = 1024,
        };

        if (!copy_through(t, &c)) {
            return false;
        }
    }
    if (!test_unmap(t, iova, HUGE_SIZE)) {
        return false;
    }
    kmsg_expect(&t->kmsg);
    memset(page, 0x11, HUGE_SIZE);
    if (!test_dma(t, EDU_INTO_GUEST, iova + 0x12345, 0, 256)) {
        return false;
    }
    if (!all_are(page, HUGE_SIZE, 0x11)) {
        return because(t, "a page of 2 MiB was written after its unmapping");
    }
    if (!kmsg_fault(&t->kmsg, true, iova + 0x12345, 3000)) {
        return because(t, "no fault of a page of 2 MiB in the log");
    }
    munmap(page, HUGE_SIZE);
    return true;
}

/* The device's buffer, with a number every 8 bytes. */
static bool
load_numbers(struct test *t, uint64_t first)
{
    uint64_t value;
    unsigned i;

    for (i = 0; i < PAGE / sizeof(value); i++) {
        value = first + i;
        memcpy(test_page(t, 0) + i * sizeof(value), &value, sizeof(value));
    }
    return test_map(t, 0, 1, 0x100000, VFIO_EDU_READ) &&
           test_dma(t, EDU_FROM_GUEST, 0x100000, 0, t->most) &&
           test_unmap(t, 0x100000, PAGE);
}

/* Map a page, have the device write a number, unmap it. */
static bool
one_round(struct test *t, unsigned page, uint64_t iova, uint64_t slot,
          uint64_t expected)
{
    uint64_t seen = 0;

    memcpy(test_page(t, page), &seen, sizeof(seen));
    if (!test_map(t, page, 1, iova, RW) ||
        !test_dma(t, EDU_INTO_GUEST, iova, (unsigned)slot * 8, 8) ||
        !test_unmap(t, iova, PAGE)) {
        return false;
    }
    memcpy(&seen, test_page(t, page), sizeof(seen));
    return seen == expected ||
           because(t, "0x%llx instead of 0x%llx", (unsigned long long)seen,
                   (unsigned long long)expected);
}

/* Always the same few IOVAs, each time with other memory behind. */
static bool
map_and_unmap(struct test *t)
{
    uint64_t first = 0x0123456789000000u, slots = PAGE / 8 - 1;
    unsigned i;

    if (!load_numbers(t, first)) {
        return false;
    }
    kmsg_skip(&t->kmsg);
    for (i = 0; i < t->rounds; i++) {
        if (!one_round(t, 1 + i % 7, 0x2000000 + (uint64_t)(i % 3) * PAGE,
                       i % slots, first + i % slots)) {
            return false;
        }
    }
    return kmsg_faults(&t->kmsg) == 0 ||
           because(t, "the kernel reports a fault");
}

const struct check checks_copy[] = {
    { "copies of 1 to 4096 bytes", sizes },
    { "a copy over two pages", crossing },
    { "copies at several IOVAs", several_iovas },
    { "copies at the highest IOVAs", high_iovas },
    { "one page at two IOVAs", alias },
    { "a page of 2 MiB", huge },
    { NULL, NULL },
};

const struct check checks_rounds[] = {
    { "maps and unmaps with DMA in between", map_and_unmap },
    { NULL, NULL },
};
