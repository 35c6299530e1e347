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

#include "tests/guests/ir/cpu.h"
#include "tests/guests/ir/shape.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/ir/unit.h"

#define PATTERN  0x5a5a5a5a5a5a5a5aull
#define ALL_ONES (~0ull)

/* Bytes of an access that may lie outside the page at either end. */
#define MARGIN 15u

#define LOW_MEMORY 0x80000u /* that a queue at address 0 covers             */

#define BUFFER_SIZE 8192u
#define STRING_MAX  300u

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
loads(void)
{
    for (unsigned width = 1; width <= 8; width *= 2)
        for (uint64_t off = 0; off < UNIT_SIZE + width - 1; off++)
            shape_load(UNIT_BASE + off - (width - 1), width);
    expect_unit_works();
}

static void
stores_of(uint64_t val, unsigned step)
{
    for (unsigned width = 1; width <= 8; width *= 2)
        for (uint64_t off = 0; off < UNIT_SIZE + width - 1; off += step)
            shape_store(UNIT_BASE + off - (width - 1), width, val);
    expect_unit_works();
}

static void
stores(void)
{
    low_memory_clear();
    stores_of(PATTERN, 1);
    stores_of(0, 1);
    stores_of(ALL_ONES, 1);
}

static void
vectors(void)
{
    for (uint64_t off = 0; off < UNIT_SIZE + MARGIN; off += 3) {
        shape_load16(gpa_of(buffer));
        shape_store16(UNIT_BASE + off - MARGIN);
        shape_load16(UNIT_BASE + off - MARGIN);
    }
    expect_unit_works();
}

/* Where strings begin: in the page, and so that they enter or leave it. */
static const uint16_t string_off[] = { 0x000, 0x018, 0x085, 0x220, 0xf00 };

static void
string_all(const struct shape_string *shape)
{
    struct shape_string s = *shape;
    uint64_t ram = gpa_of(buffer) + BUFFER_SIZE / 2;
    uint64_t reg = s.dst;

    s.src = ram + 3;
    shape_movs(&s);
    shape_stos(&s, PATTERN);
    shape_stos(&s, 0);
    shape_scas(&s, PATTERN);
    s.src = reg;
    s.dst = ram + 5;
    shape_movs(&s);
    shape_lods(&s);
    s.dst = reg + 0x40;
    shape_movs(&s);
}

static void
strings(bool down)
{
    for (size_t i = 0; i < sizeof(string_off) / sizeof(string_off[0]); i++)
        for (unsigned width = 1; width <= 8; width *= 2) {
            string_all(&(struct shape_string){
                .dst = UNIT_BASE + string_off[i],
                .count = STRING_MAX,
                .width = width,
                .down = down,
            });
            /* What was read of the unit must not be written to it. */
            shape_stos(&(struct shape_string){ .dst = gpa_of(buffer),
                                               .count = BUFFER_SIZE / 8,
                                               .width = 8 },
                       PATTERN);
        }
    expect_unit_works();
}

static void
strings_up(void)
{
    low_memory_clear();
    strings(false);
}

static void
strings_down(void)
{
    low_memory_clear();
    strings(true);
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
        for (uint64_t off = 0; off < 0x2c0; off += width == 8 ? 4 : 5)
            locked_at(UNIT_BASE + off, width);
    for (uint64_t off = 0; off < 0x2c0; off += 16)
        shape_cmpxchg16b(UNIT_BASE + off);
    for (uint32_t bit = 0; bit < 0x2c0 * 8; bit += 61)
        shape_bts(UNIT_BASE, bit);
    for (uint64_t off = 0; off < 0x2c0; off += 12)
        shape_push_pop(UNIT_BASE + off);
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
        shape_load(UNIT_BASE + off, 1u << off % 4);
        off = (off + 13) % (UNIT_SIZE - 8);
        shape_store(UNIT_BASE + reg[off % (sizeof(reg) / sizeof(reg[0]))], 4,
                    off);
    }
}

static void
both_processors(void)
{
    stop = 0;
    cpu_run(disturb);
    for (unsigned i = 0; i < 300; i++) {
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
    for (unsigned i = 0; i < 300; i++)
        if (!expect(queue_sync(), "a wait completes"))
            break;
    stop = 1;
    cpu_join();
    expect(bells > 0, "the other processor took part");
    expect_unit_works();
}

const struct test shape_tests[] = {
    { "shape-loads", loads },
    { "shape-stores", stores },
    { "shape-vectors", vectors },
    { "shape-strings-up", strings_up },
    { "shape-strings-down", strings_down },
    { "shape-locked", locked },
    { "shape-both-processors", both_processors },
    { "shape-both-doorbells", both_doorbells },
    { NULL, NULL },
};
