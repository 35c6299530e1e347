/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PASIDs of one device: entries of every kind side by side, all of which map
 * the same address, each to memory of its own.
 */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define PASID (NEED_EXTENDED | NEED_ECAM | NEED_PASID)
#define MIXED \
    (PASID | NEED_FIRST | NEED_SECOND | NEED_NEST | NEED_PASS | NEED_4_LEVELS)

#define SRE_CLEAR   0x5du
#define ERE_CLEAR   0x5cu
#define EXEC_DENIED 0x82u
#define USER_DENIED 0x81u
#define NO_ENTRY    0x59u
#define NO_TABLE    0x51u
#define TOO_LARGE   0x46u
#define IS_RID      0x48u
#define FIRST_NONE  0x71u
#define SECOND_NONE 0x79u
#define LEGACY      0x31u

/* Some in one table, some not. */
static const struct {
    uint32_t pasid;
    enum stage stage;
    uint8_t unmapped;
} entries[] = {
    { 1, STAGE_FIRST, FIRST_NONE },   { 5, STAGE_NESTED, FIRST_NONE },
    { 6, STAGE_SECOND, SECOND_NONE }, { 70, STAGE_FIRST, FIRST_NONE },
    { 71, STAGE_NESTED, FIRST_NONE }, { 8191, STAGE_FIRST, FIRST_NONE },
};
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))
#define FIRST   0u /* entries of which tests want one                      */
#define NESTED  1u
#define SECOND  2u

#define SOURCE 16u

static struct space spaces[ENTRIES];

static void
use(uint32_t pasid)
{
    engine_set_pasid(EDU_PASID_VALID | pasid);
}

/* Entry i maps IOVA to frame i. */
static void
start(uint64_t flags)
{
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    for (size_t i = 0; i < ENTRIES; i++) {
        frame_fill((unsigned)i, (uint8_t)i);
        space_init(&spaces[i], entries[i].stage, 4, (uint16_t)(0x200 + i));
        space_map(&spaces[i], IOVA, frame_gpa((unsigned)i), SHIFT_4K, PERM_RW);
        pasid_set(entries[i].pasid, &spaces[i],
                  entries[i].stage == STAGE_SECOND ? 0 : flags);
    }
    frame_fill(SOURCE, 99);
    map_page(IOVA, SOURCE, PERM_RW);
}

static void
expect_pasid_fault(uint32_t pasid, uint64_t addr, bool read, uint8_t reason)
{
    const struct want want = {
        .reason = reason,
        .addr = addr,
        .read = read,
        .pasid = pasid,
    };

    expect_eq("the device's result", reason, edu_read32(EDU_DMA_RESULT));
    expect_dma_fault(&want);
}

static void
expect_refused(uint32_t pasid, uint8_t reason)
{
    use(pasid);
    expect(engine_read(IOVA, 64), "the read ends");
    expect_pasid_fault(pasid, IOVA, true, reason);
}

/* Every one writes what every other reads. */
static void
mixed(const struct mode *mode)
{
    (void)mode;
    start(0);
    for (size_t from = 0; from < ENTRIES; from++) {
        size_t to = (from + 1) % ENTRIES;

        frame_fill((unsigned)from, (uint8_t)(from + 50));
        use(entries[from].pasid);
        expect_read(IOVA, PAGE_SIZE);
        use(entries[to].pasid);
        expect_write(IOVA, PAGE_SIZE);
        expect(frame_has((unsigned)to, (uint8_t)(from + 50), 0, PAGE_SIZE),
               "the page of the one is copied to that of the other");
    }
    engine_set_pasid(0);
    expect_write(IOVA, 64);
    expect(frame_has(SOURCE, ENTRIES - 1 + 50, 0, 64),
           "requests without PASID have a page of their own");
}

static void
unmapped(const struct mode *mode)
{
    (void)mode;
    start(0);
    for (size_t i = 0; i < ENTRIES; i++) {
        use(entries[i].pasid);
        expect_read(IOVA, 64);
        space_unmap(&spaces[i], IOVA, SHIFT_4K);
        expect(space_flush(&spaces[i], entries[i].pasid, IOVA, SHIFT_4K),
               "the invalidation completes");
        expect_refused(entries[i].pasid, entries[i].unmapped);
    }
    engine_set_pasid(0);
    expect_read(IOVA, 64);
}

/* Of one PASID; the page that another one has there goes on. */
static void
unmapped_alone(const struct mode *mode)
{
    (void)mode;
    start(0);
    pasid_set(2, &spaces[FIRST], 0);
    use(2);
    expect_write(IOVA, 64);
    space_unmap(&spaces[FIRST], IOVA, SHIFT_4K);
    expect(space_flush(&spaces[FIRST], 2, IOVA, SHIFT_4K),
           "the invalidation completes");
    expect_refused(2, FIRST_NONE);
    use(entries[NESTED].pasid);
    expect_write(IOVA, 64);
}

static void
no_entry(const struct mode *mode)
{
    (void)mode;
    start(0);
    expect_refused(2, NO_ENTRY);
    expect_refused(4000, NO_TABLE);
    expect_refused(PASIDS, TOO_LARGE);
    expect_refused(EDU_PASID_VALUE, TOO_LARGE);
    expect_refused(0, IS_RID);
    use(entries[FIRST].pasid);
    expect_read(IOVA, 64);
}

/* An entry goes, and another kind comes instead. */
static void
replaced(const struct mode *mode)
{
    uint32_t pasid = entries[FIRST].pasid;

    (void)mode;
    start(0);
    use(pasid);
    expect_read(IOVA, 64);
    pasid_clear(pasid);
    expect(pasid_flush(&spaces[FIRST], pasid), "the invalidation completes");
    expect_refused(pasid, NO_ENTRY);
    pasid_set(pasid, &spaces[NESTED], 0);
    expect(pasid_flush(&spaces[NESTED], pasid), "the invalidation completes");
    expect_write(IOVA, 64);
    expect(frame_has(NESTED, FIRST, 0, 64), "the new entry's page is written");
    use(entries[SECOND].pasid);
    expect_write(IOVA, 64);
}

static void
expect_privileged_refused(uint32_t pasid, uint32_t flags, uint8_t reason)
{
    engine_set_pasid(EDU_PASID_VALID | flags | pasid);
    expect(engine_read(IOVA, 64), "the read ends");
    expect_pasid_fault(pasid, IOVA, true, reason);
}

static void
privileged(const struct mode *mode)
{
    uint32_t pasid = entries[FIRST].pasid;

    (void)mode;
    start(0);
    expect_privileged_refused(pasid, EDU_PASID_PRIVILEGED, SRE_CLEAR);
    expect_privileged_refused(pasid, EDU_PASID_EXEC, ERE_CLEAR);

    pasid_set(pasid, &spaces[FIRST], PASID_SRE | PASID_ERE);
    expect(pasid_flush(&spaces[FIRST], pasid), "the invalidation completes");
    expect_privileged_refused(pasid, EDU_PASID_EXEC, EXEC_DENIED);
    space_map(&spaces[FIRST], IOVA, frame_gpa(FIRST), SHIFT_4K,
              PERM_READ | PERM_WRITE | PERM_EXEC);
    expect(space_flush(&spaces[FIRST], pasid, IOVA, SHIFT_4K),
           "the invalidation completes");
    expect_refused(pasid, USER_DENIED);
    engine_set_pasid(EDU_PASID_VALID | EDU_PASID_PRIVILEGED | EDU_PASID_EXEC |
                     pasid);
    expect_read(IOVA, 64);
}

static void
legacy(const struct mode *mode)
{
    (void)mode;
    expect(mode_start(&modes[MODE_LEGACY_4]), "remapping starts");
    map_page(IOVA, SOURCE, PERM_RW);
    expect_read(IOVA, 64);
    expect_refused(1, LEGACY);
}

const struct test pasid_tests[] = {
    { "pasid-mixed", mixed, MIXED },
    { "pasid-unmapped", unmapped, MIXED },
    { "pasid-unmapped-alone", unmapped_alone, MIXED },
    { "pasid-no-entry", no_entry, MIXED },
    { "pasid-replaced", replaced, MIXED },
    { "pasid-privileged", privileged, MIXED | NEED_REQUESTS },
    { "pasid-legacy", legacy, PASID | NEED_4_LEVELS },
    { NULL, NULL, 0 },
};
