/* SPDX-License-Identifier: GPL-2.0-only */
/* Large pages, and accesses across pages of different kinds. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define SIZE_2M (1ull << SHIFT_2M)
#define SIZE_1G (1ull << SHIFT_1G)

#define SOURCE 0u
#define TARGET 1u
#define SMALL  2u

/* Where @frame is in a large page that is mapped to its own address. */
static uint64_t
inside(unsigned frame, uint64_t size)
{
    return frame_gpa(frame) & (size - 1);
}

/* Map the large page that has @frame at @iova. */
static void
map_large(uint64_t iova, unsigned frame, unsigned shift, unsigned perm)
{
    space_map(&space, iova, frame_gpa(frame) >> shift << shift, shift, perm);
}

static void
large(const struct mode *mode, unsigned shift)
{
    uint64_t size = 1ull << shift;

    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_large(IOVA_1G, SOURCE, shift, PERM_RW);
    map_large(IOVA_1G + 2 * size, TARGET, shift, PERM_READ | PERM_USER);
    expect_read(IOVA_1G + inside(SOURCE, size), PAGE_SIZE);
    expect_refused_write(IOVA_1G + 2 * size + inside(TARGET, size), PAGE_SIZE,
                         mode->read_only);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "memory is as it was");
    map_large(IOVA_1G + 2 * size, TARGET, shift, PERM_RW);
    expect(space_flush(&space, NO_PASID, IOVA_1G + 2 * size, shift),
           "the invalidation completes");
    expect_write(IOVA_1G + 2 * size + inside(TARGET, size), PAGE_SIZE);
    expect(frame_has(TARGET, 1, 0, PAGE_SIZE), "the page is copied");

    /* One page of it is invalidated: all of it is void. */
    space_unmap(&space, IOVA_1G + 2 * size, shift);
    expect(space_flush(&space, NO_PASID,
                       IOVA_1G + 2 * size + inside(TARGET, size), SHIFT_4K),
           "the invalidation of 4 KiB completes");
    expect_refused_write(IOVA_1G + 2 * size + inside(SOURCE, size), 8,
                         mode->unmapped_write);
}

static void
large_2m(const struct mode *mode)
{
    large(mode, SHIFT_2M);
}

static void
large_1g(const struct mode *mode)
{
    large(mode, SHIFT_1G);
}

/*
 * 4 KiB ending where a page of 2^@shift begins; what the large page begins
 * with is memory below 1 MiB or this kernel's pool, which is only read.
 */
static void
small_beside(unsigned shift)
{
    uint64_t border = IOVA_1G;
    uint64_t first = frame_gpa(SOURCE) >> shift << shift;
    const volatile uint8_t *large_bytes;
    const volatile uint8_t *target =
        (const volatile uint8_t *)frame_quads(TARGET);

    __asm__("" : "=r"(large_bytes) : "0"(first));
    frame_fill(SMALL, 3);
    frame_fill(TARGET, 2);
    map_page(border - PAGE_SIZE, SMALL, PERM_RW);
    map_large(border, SOURCE, shift, PERM_READ | PERM_USER);
    map_page(IOVA, TARGET, PERM_RW);
    expect_read(border - 0x800, PAGE_SIZE);
    expect_write(IOVA, PAGE_SIZE);
    for (unsigned i = 0; i < 0x800; i++)
        if (!expect_eq(
                "a byte of the small page",
                ((const volatile uint8_t *)frame_quads(SMALL))[0x800 + i],
                target[i]) ||
            !expect_eq("a byte of the large page", large_bytes[i],
                       target[0x800 + i]))
            return;
}

static void
across_2m(const struct mode *mode)
{
    (void)mode;
    small_beside(SHIFT_2M);
}

static void
across_1g(const struct mode *mode)
{
    (void)mode;
    small_beside(SHIFT_1G);
}

/* A large page becomes small ones, one of which is another page. */
static void
split(const struct mode *mode)
{
    uint64_t iova = IOVA_1G + inside(TARGET, SIZE_2M);

    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    frame_fill(SMALL, 3);
    map_page(IOVA, SOURCE, PERM_RW);
    map_large(IOVA_1G, TARGET, SHIFT_2M, PERM_RW);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(iova, 64);
    expect(frame_has(TARGET, 1, 0, 64), "the large page is written");
    frame_fill(TARGET, 2);
    map_page(iova, SMALL, PERM_RW);
    expect(space_flush(&space, NO_PASID, IOVA_1G, SHIFT_2M),
           "the invalidation completes");
    expect_write(iova, 64);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "the old page is as it was");
    expect(frame_has(SMALL, 1, 0, 64), "the small page is written");
    expect_refused_write(iova + PAGE_SIZE, 64, mode->unmapped_write);
}

const struct test large_tests[] = {
    { "2m", large_2m, 0 },         { "1g", large_1g, NEED_1G },
    { "across-2m", across_2m, 0 }, { "across-1g", across_1g, NEED_1G },
    { "split", split, 0 },         { NULL, NULL, 0 },
};
