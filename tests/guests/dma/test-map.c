/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of 4 KiB, in every mode. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define SOURCE 0u
#define TARGET 1u
#define OTHER  2u
#define BEFORE 3u
#define AFTER  4u

static void
copy(const struct mode *mode)
{
    (void)mode;
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_page(IOVA, SOURCE, PERM_READ | PERM_USER);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_RW);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(IOVA + PAGE_SIZE, PAGE_SIZE);
    expect(frame_has(TARGET, 1, 0, PAGE_SIZE), "the page is copied");

    frame_fill(TARGET, 2);
    expect_write(IOVA + PAGE_SIZE + 100, 1);
    expect(frame_has(TARGET, 2, 0, 100) &&
               frame_has(TARGET, 2, 101, PAGE_SIZE - 101),
           "one byte is written, and no other");
}

/* Neighbours by address that are none in memory. */
static void
copy_across(const struct mode *mode)
{
    (void)mode;
    frame_fill(SOURCE, 1);
    map_page(IOVA, SOURCE, PERM_RW);
    map_page(IOVA + PAGE_SIZE, AFTER, PERM_RW);
    map_page(IOVA + 2 * PAGE_SIZE, BEFORE, PERM_RW);
    frame_fill(AFTER, 2);
    frame_fill(BEFORE, 3);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(IOVA + PAGE_SIZE + 0xf00, PAGE_SIZE);
    expect(frame_has(AFTER, 2, 0, 0xf00), "what is before it stays");
    expect_eq("the last byte of the one page",
              ((const volatile uint8_t *)frame_quads(SOURCE))[0xff],
              ((const volatile uint8_t *)frame_quads(AFTER))[0xfff]);
    expect_eq("the first byte of the other",
              ((const volatile uint8_t *)frame_quads(SOURCE))[0x100],
              ((const volatile uint8_t *)frame_quads(BEFORE))[0]);
    expect(frame_has(BEFORE, 3, 0xf00, 0x100), "what is behind it stays");
}

static void
read_only(const struct mode *mode)
{
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_page(IOVA, SOURCE, PERM_RW);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_READ | PERM_USER);
    expect_read(IOVA, PAGE_SIZE);
    expect_refused_write(IOVA + PAGE_SIZE, PAGE_SIZE, mode->read_only);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "memory is as it was");
    expect_read(IOVA + PAGE_SIZE, PAGE_SIZE);
}

static void
unmapped(const struct mode *mode)
{
    frame_fill(TARGET, 2);
    map_page(IOVA, TARGET, PERM_RW);
    expect_refused_write(IOVA + PAGE_SIZE, 64, mode->unmapped_write);
    expect_refused_read(IOVA + PAGE_SIZE, 64, mode->unmapped_read);
    expect_refused_write(IOVA - PAGE_SIZE, 64, mode->unmapped_write);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "memory is as it was");
}

/* The first page is mapped, the second is not. */
static void
unmapped_behind(const struct mode *mode)
{
    const struct want want = {
        .reason = mode->unmapped_write,
        .addr = IOVA + PAGE_SIZE,
        .pasid = NO_PASID,
    };

    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_page(IOVA + 4 * PAGE_SIZE, SOURCE, PERM_RW);
    map_page(IOVA, TARGET, PERM_RW);
    expect_read(IOVA + 4 * PAGE_SIZE, PAGE_SIZE);
    expect(engine_write(IOVA + 0x800, PAGE_SIZE), "the write ends");
    expect_dma_fault(&want);
    expect(frame_has(TARGET, 2, 0, 0x800), "what is before it stays");
}

static void
just_unmapped(const struct mode *mode)
{
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_page(IOVA, SOURCE, PERM_RW);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_RW);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(IOVA + PAGE_SIZE, 64);
    expect(frame_has(TARGET, 1, 0, 64), "while it is mapped it is written");
    unmap_page(IOVA + PAGE_SIZE);
    frame_fill(TARGET, 2);
    expect_refused_write(IOVA + PAGE_SIZE, 64, mode->unmapped_write);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "memory is as it was");
    unmap_page(IOVA);
    expect_refused_read(IOVA, 64, mode->unmapped_read);
}

static void
mapped_elsewhere(const struct mode *mode)
{
    (void)mode;
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    frame_fill(OTHER, 3);
    map_page(IOVA, SOURCE, PERM_RW);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_RW);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(IOVA + PAGE_SIZE, 64);
    frame_fill(TARGET, 2);
    map_page(IOVA + PAGE_SIZE, OTHER, PERM_RW);
    expect(space_flush(&space, NO_PASID, IOVA + PAGE_SIZE, SHIFT_4K),
           "the invalidation completes");
    expect_write(IOVA + PAGE_SIZE, 64);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "the old page is as it was");
    expect(frame_has(OTHER, 1, 0, 64), "the new one is written");
}

/* What was refused may be permitted later: no miss is remembered. */
static void
mapped_at_last(const struct mode *mode)
{
    frame_fill(TARGET, 2);
    expect_refused_write(IOVA, 8, mode->unmapped_write);
    map_page(IOVA, TARGET, PERM_READ | PERM_USER);
    expect(space_flush(&space, NO_PASID, IOVA, SHIFT_4K),
           "the invalidation completes");
    expect_refused_write(IOVA, 8, mode->read_only);
    map_page(IOVA, TARGET, PERM_RW);
    expect(space_flush(&space, NO_PASID, IOVA, SHIFT_4K),
           "the invalidation completes");
    expect_read(IOVA + 8, 8);
    expect_write(IOVA, 8);
}

/* Many pages in turn, more than once. */
static void
many(const struct mode *mode)
{
    (void)mode;
    for (unsigned i = 0; i < FRAMES; i++) {
        frame_fill(i, (uint8_t)i);
        map_page(IOVA + i * PAGE_SIZE, i, PERM_RW);
    }
    for (unsigned i = 0; i + 1 < FRAMES; i += 2) {
        expect_read(IOVA + i * PAGE_SIZE, PAGE_SIZE);
        expect_write(IOVA + (i + 1) * PAGE_SIZE, PAGE_SIZE);
        if (!expect(frame_has(i + 1, (uint8_t)i, 0, PAGE_SIZE),
                    "the page is copied"))
            return;
    }
}

/* Without remapping addresses are the guest's; and then no more. */
static void
off(const struct mode *mode)
{
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    map_page(IOVA, TARGET, PERM_RW);
    expect(unit_command(GCMD_TE, false), "remapping stops");
    expect_read(frame_gpa(SOURCE), 64);
    expect_write(frame_gpa(TARGET), 64);
    expect(frame_has(TARGET, 1, 0, 64), "addresses are the guest's");
    expect(unit_command(GCMD_TE, true), "remapping starts");
    expect_refused_write(frame_gpa(TARGET), 64, mode->unmapped_write);
}

const struct test map_tests[] = {
    { "copy", copy, 0 },
    { "copy-across", copy_across, 0 },
    { "read-only", read_only, 0 },
    { "unmapped", unmapped, 0 },
    { "unmapped-behind", unmapped_behind, 0 },
    { "just-unmapped", just_unmapped, 0 },
    { "mapped-elsewhere", mapped_elsewhere, 0 },
    { "mapped-at-last", mapped_at_last, 0 },
    { "many", many, 0 },
    { "off", off, 0 },
    { NULL, NULL, 0 },
};

/* --- pass-through ---------------------------------------------------------- */

static void
pass(const struct mode *mode)
{
    (void)mode;
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    expect_read(frame_gpa(SOURCE), PAGE_SIZE);
    expect_write(frame_gpa(TARGET), PAGE_SIZE);
    expect(frame_has(TARGET, 1, 0, PAGE_SIZE), "the page is copied");
}

const struct test pass_tests[] = {
    { "copy", pass, 0 },
    { NULL, NULL, 0 },
};
