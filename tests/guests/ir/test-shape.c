/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every shape of access at every place of the register page, the page before
 * it and the page behind it.  Nothing is expected of the values, but that each
 * access is answered and that the unit can be used afterwards.
 *
 * What is written may start the unit in any state, so it is chosen to name no
 * memory: as an address, each mixture of the patterns' halves is beyond the
 * guest's RAM (which must end below 1 GiB) or zero, where only zeroes are
 * left; and no mixture is an INIT interrupt to one of the processors.
 */
#include <stddef.h>

#include "tests/guests/ir/shape.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define PATTERN  0x5a5a5a5a5a5a5a5aull
#define ALL_ONES (~0ull)

#define PAGE 4096u

#define LOW_MEMORY 0x80000u /* that a queue at address 0 covers             */

/* Room for a page, wherever in it a string begins and whichever way it goes. */
#define BUFFER_SIZE (3 * PAGE)

static uint8_t buffer[BUFFER_SIZE] __attribute__((aligned(4096)));

static void
low_memory_clear(void)
{
    shape_stos(
        &(struct shape_string){ .dst = 0, .count = LOW_MEMORY / 8, .width = 8 },
        0);
}

static void
expect_unit_works(void)
{
    expect(unit_start(), "the unit starts again");
    expect(queue_sync(), "a wait completes");
    expect_route_works(3, 0);
    expect_route_works(4, 1);
    expect_no_fault();
}

static void
buffer_fill(uint64_t val)
{
    shape_stos(&(struct shape_string){ .dst = gpa_of(buffer),
                                       .count = BUFFER_SIZE / 8,
                                       .width = 8 },
               val);
}

/*
 * Accesses of one instruction each: at every offset where registers are and
 * at both ends of the page.
 */
static const struct {
    uint16_t first;
    uint16_t last;
} single[] = {
    { 0x000, 0x0f8 },
    { 0x21c, 0x230 },
    { 0x298, 0x2a0 },
    { 0xff8, 0xfff },
};

#define SINGLE (sizeof(single) / sizeof(single[0]))

static void
loads(void)
{
    for (unsigned width = 1; width <= 8; width *= 2)
        for (size_t i = 0; i < SINGLE; i++)
            for (uint64_t off = single[i].first; off <= single[i].last; off++)
                shape_load(unit_base() + off - (width - 1), width);
    expect_unit_works();
}

static void
stores_of(uint64_t val)
{
    for (unsigned width = 1; width <= 8; width *= 2)
        for (size_t i = 0; i < SINGLE; i++)
            for (uint64_t off = single[i].first; off <= single[i].last; off++)
                shape_store(unit_base() + off - (width - 1), width, val);
    expect_unit_works();
}

static void
stores(void)
{
    low_memory_clear();
    stores_of(PATTERN);
    stores_of(0);
    stores_of(ALL_ONES);
}

static void
vectors(void)
{
    buffer_fill(PATTERN);
    for (uint64_t off = 0; off < UNIT_SIZE + 15; off += 37) {
        shape_load16(gpa_of(buffer));
        shape_store16(unit_base() + off - 15);
        shape_load16(unit_base() + off - 15);
    }
    expect_unit_works();
}

/*
 * Every offset at every width: a string that begins in the page before and
 * ends in the one behind, once for each alignment.
 */
static void
sweep(bool down)
{
    for (unsigned width = 1; width <= 8; width *= 2)
        for (unsigned align = 0; align < width; align++) {
            uint64_t count = PAGE / width + 1;
            uint64_t first = unit_base() - (width - 1) + align;
            uint64_t last = first + (count - 1) * width;
            struct shape_string in = {
                .src = down ? last : first,
                .dst = gpa_of(buffer) + (down ? 2 * PAGE : 0) + align,
                .count = count,
                .width = width,
                .down = down,
            };
            struct shape_string out = in;

            out.src = in.dst;
            out.dst = in.src;
            shape_movs(&in);
            buffer_fill(PATTERN);
            shape_movs(&out);
            shape_stos(&out, 0);
            shape_stos(&out, ALL_ONES);
        }
    expect_unit_works();
}

static void
strings_up(void)
{
    low_memory_clear();
    sweep(false);
}

static void
strings_down(void)
{
    low_memory_clear();
    sweep(true);
}

/* Strings that are taken apart, one access at a time: shorter ones. */
static void
strings_single(void)
{
    static const uint16_t off[] = { 0x018, 0x085, 0x220, 0xfe8 };

    low_memory_clear();
    for (size_t i = 0; i < 2 * sizeof(off) / sizeof(off[0]); i++)
        for (unsigned width = 1; width <= 8; width *= 2) {
            struct shape_string s = {
                .src = unit_base() + off[i / 2],
                .dst = unit_base() + off[i / 2],
                .count = 16,
                .width = width,
                .down = i % 2,
            };

            shape_lods(&s);
            shape_scas(&s, PATTERN);
            s.dst += 0x40;
            shape_movs(&s);
        }
    expect_unit_works();
}

static void
locked_at(uint64_t addr, unsigned width)
{
    shape_xchg(addr, width, PATTERN);
    shape_cmpxchg(addr, width, 0);
    shape_or(addr, width, 0);
    shape_xadd(addr, width, 0);
}

static void
locked(void)
{
    low_memory_clear();
    for (unsigned width = 1; width <= 8; width *= 2)
        for (uint64_t off = 0; off < 0x2c0; off += width < 4 ? 37 : 20)
            locked_at(unit_base() + off, width);
    for (uint64_t off = 0; off < 0x2c0; off += 64)
        shape_cmpxchg16b(unit_base() + off);
    for (uint32_t bit = 0; bit < 0x2c0 * 8; bit += 161)
        shape_bts(unit_base(), bit);
    for (uint64_t off = 0; off < 0x2c0; off += 44)
        shape_push_pop(unit_base() + off);
    expect_unit_works();
}

/* Processor 1 reads and writes all over the page while 0 uses the unit. */
static volatile uint32_t stop;

static void
disturb(void)
{
    /* Registers that have no effect on the queue or the table in use. */
    static const uint16_t reg[] = { VTD_FEDATA,  VTD_FEADDR, VTD_FEUADDR,
                                    VTD_IEDATA,  VTD_IEADDR, VTD_IEUADDR,
                                    VTD_VER + 4, VTD_CAP,    VTD_IQH };
    uint32_t off = 0;

    while (!stop) {
        shape_load(unit_base() + off, 1u << off % 4);
        off = (off + 13) % (UNIT_SIZE - 8);
        shape_store(unit_base() + reg[off % (sizeof(reg) / sizeof(reg[0]))], 4,
                    off);
    }
}

static void
both_processors(void)
{
    stop = 0;
    cpu_run(disturb);
    for (unsigned i = 0; i < 150; i++) {
        if (!expect(unit_flush(i % UNIT_ENTRIES, 0), "a wait completes"))
            break;
        if (i % 10 == 0)
            expect_route_works(i % UNIT_ENTRIES, 0);
    }
    stop = 1;
    cpu_join();
    expect_unit_works();
}

/*
 * Both processors ring the doorbell of one queue.  The tail that processor 1
 * writes may be a moment old, which sends the unit once round the ring; every
 * slot holds something harmless.
 */
static volatile uint32_t bells;

static void
ring(void)
{
    while (!stop) {
        queue_doorbell();
        bells++;
    }
}

static void
both_doorbells(void)
{
    for (uint32_t i = 0; i < queue_size(); i++)
        *queue_slot(i) = (struct desc){ .lo = DESC_WAIT | WAIT_FN };
    stop = 0;
    bells = 0;
    cpu_run(ring);
    for (unsigned i = 0; i < 150; i++)
        if (!expect(queue_sync(), "a wait completes"))
            break;
    stop = 1;
    cpu_join();
    expect(bells > 0, "the other processor took part");
    expect_unit_works();
}

const struct test shape_tests[] = {
    { "shape-loads", loads, false },
    { "shape-stores", stores, false },
    { "shape-vectors", vectors, false },
    { "shape-strings-up", strings_up, false },
    { "shape-strings-down", strings_down, false },
    { "shape-strings-single", strings_single, false },
    { "shape-locked", locked, false },
    { "shape-both-processors", both_processors, false },
    { "shape-both-doorbells", both_doorbells, false },
    { NULL, NULL, false },
};
