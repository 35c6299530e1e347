/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of one size on pages of another, and refusals by either stage. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define NESTED (NEED_NEST | NEED_4_LEVELS)

/* Between the stages, behind what space_init() maps: pages of 4 KiB. */
#define BETWEEN (NEST_BASE + (1ull << SHIFT_1G))

#define SECOND_WRITE 0x85u
#define SECOND_NONE  0x79u

static void
start(void)
{
    expect(mode_start(&modes[MODE_NESTED]), "remapping starts");
}

/* 2 MiB of the first stage on pages of 4 KiB that are not in a row. */
static void
large_on_small(const struct mode *mode)
{
    (void)mode;
    start();
    for (unsigned i = 0; i < 16; i++) {
        frame_fill(i, (uint8_t)i);
        tables_map(&space.second, BETWEEN + i * PAGE_SIZE,
                   frame_gpa((i * 5 + 3) % 16), SHIFT_4K, PERM_RW);
    }
    tables_map(&space.first, IOVA_1G, BETWEEN, SHIFT_2M, PERM_RW);
    for (unsigned i = 0; i + 1 < 16; i++) {
        unsigned low = (i * 5 + 3) % 16;
        unsigned high = ((i + 1) * 5 + 3) % 16;

        expect_read(IOVA_1G + i * PAGE_SIZE + 0x800, PAGE_SIZE);
        tables_map(&space.first, IOVA, frame_gpa(20) + NEST_BASE, SHIFT_4K,
                   PERM_RW);
        expect_write(IOVA, PAGE_SIZE);
        expect_eq("the upper half of one page", frame_quads(low)[256],
                  frame_quads(20)[0]);
        expect_eq("the lower half of the next", frame_quads(high)[0],
                  frame_quads(20)[256]);
    }
}

/* 4 KiB on 2 MiB, then 2 MiB on 4 KiB, then 2 MiB on 2 MiB, in one access. */
static void
across(const struct mode *mode)
{
    uint64_t large = frame_gpa(2) >> SHIFT_2M << SHIFT_2M;

    (void)mode;
    start();
    frame_fill(0, 1);
    frame_fill(1, 2);
    frame_fill(20, 9);
    tables_map(&space.second, BETWEEN, frame_gpa(1), SHIFT_4K, PERM_RW);
    space_map(&space, IOVA_1G - PAGE_SIZE, frame_gpa(0), SHIFT_4K, PERM_RW);
    tables_map(&space.first, IOVA_1G, BETWEEN, SHIFT_2M, PERM_RW);
    space_map(&space, IOVA, frame_gpa(20), SHIFT_4K, PERM_RW);
    expect_read(IOVA_1G - 0x800, PAGE_SIZE);
    expect_write(IOVA, PAGE_SIZE);
    expect_eq("small on large", frame_quads(0)[256], frame_quads(20)[0]);
    expect_eq("large on small", frame_quads(1)[0], frame_quads(20)[256]);

    tables_map(&space.second, BETWEEN + (1ull << SHIFT_2M) - PAGE_SIZE,
               frame_gpa(1), SHIFT_4K, PERM_RW);
    space_map(&space, IOVA_1G + (1ull << SHIFT_2M), large, SHIFT_2M, PERM_RW);
    expect_read(IOVA_1G + (1ull << SHIFT_2M) - 0x800, 0x800);
    expect_read(IOVA_1G + (1ull << SHIFT_2M) + frame_gpa(2) - large, 64);
}

static void
expect_refused(uint64_t iova, bool read, uint8_t reason)
{
    if (read)
        expect_refused_read(iova, 64, reason);
    else
        expect_refused_write(iova, 64, reason);
}

static void
second_refuses(const struct mode *mode)
{
    (void)mode;
    start();
    frame_fill(0, 1);
    tables_map(&space.second, BETWEEN, frame_gpa(0), SHIFT_4K, PERM_READ);
    tables_map(&space.first, IOVA, BETWEEN, SHIFT_4K, PERM_RW);
    tables_map(&space.first, IOVA + PAGE_SIZE, BETWEEN + PAGE_SIZE, SHIFT_4K,
               PERM_RW);
    expect_read(IOVA, 64);
    expect_refused(IOVA, false, SECOND_WRITE);
    expect_refused(IOVA + PAGE_SIZE, false, SECOND_NONE);
    expect_refused(IOVA + PAGE_SIZE, true, SECOND_NONE);
    expect(frame_has(0, 1, 0, PAGE_SIZE), "memory is as it was");
}

/* A second-stage page is taken away; the first stage does not change. */
static void
second_unmapped(const struct mode *mode)
{
    const struct space second = { .stage = STAGE_SECOND, .did = DID };

    (void)mode;
    start();
    frame_fill(0, 1);
    frame_fill(1, 2);
    tables_map(&space.second, BETWEEN, frame_gpa(0), SHIFT_4K, PERM_RW);
    tables_map(&space.first, IOVA, BETWEEN, SHIFT_4K, PERM_RW);
    expect_read(IOVA, 64);
    expect_write(IOVA + 64, 64);
    tables_map(&space.second, BETWEEN, frame_gpa(1), SHIFT_4K, PERM_RW);
    expect(space_flush(&second, NO_PASID, BETWEEN, SHIFT_4K),
           "the invalidation completes");
    frame_fill(0, 1);
    expect_write(IOVA, 64);
    expect(frame_has(0, 1, 0, PAGE_SIZE), "the old page is as it was");
    expect(frame_has(1, 1, 0, 64), "the new one is written");
    tables_unmap(&space.second, BETWEEN, SHIFT_4K);
    expect(space_flush(&second, NO_PASID, BETWEEN, SHIFT_4K),
           "the invalidation completes");
    expect_refused(IOVA, true, SECOND_NONE);
}

const struct test nest_tests[] = {
    { "nest-large-on-small", large_on_small, NESTED },
    { "nest-across", across, NESTED },
    { "nest-second-refuses", second_refuses, NESTED },
    { "nest-second-unmapped", second_unmapped, NESTED },
    { NULL, NULL, 0 },
};
