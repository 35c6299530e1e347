/* SPDX-License-Identifier: GPL-2.0-only */
/* Translations that the device keeps. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define ATS \
    (NEED_EXTENDED | NEED_ECAM | NEED_DEVICE_TLB | NEED_SECOND | NEED_4_LEVELS)
#define ATS_PASID (ATS | NEED_PASID | NEED_FIRST)

#define PASID 9u
#define OTHER 10u

#define SOURCE 0u
#define TARGET 1u
#define NEW    2u

#define EACCES 13u

#define DTE_CLEAR 0x44u
#define TT_BLOCKS 0x0du

#define TIMEOUT_US 5000000u

static void
expect_entries(uint64_t want)
{
    expect_eq("entries of the device's TLB", want, edu_read64(EDU_TLB_ENTRIES));
}

/* Two pages that the device has used. */
static void
fill(void)
{
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    frame_fill(NEW, 3);
    map_page(IOVA, SOURCE, PERM_RW);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_RW);
    engine_set_mode(EDU_MODE_ATS);
    expect_entries(0);
    expect_read(IOVA, PAGE_SIZE);
    expect_write(IOVA + PAGE_SIZE, 64);
    expect(frame_has(TARGET, 1, 0, 64), "the page is written");
    expect_entries(2);
}

static void
tlb_flush(uint32_t pasid, uint64_t iova)
{
    device_tlb_put_flush(edu_sid(), pasid, iova);
    expect(queue_sync(), "the device acknowledges");
}

/* A translation request is refused without a fault. */
static void
expect_not_permitted(uint64_t iova)
{
    expect(engine_write(iova, 64), "the write ends");
    expect_eq("the device's result", (uint32_t)-EACCES,
              edu_read32(EDU_DMA_RESULT));
    expect_no_fault();
}

/*
 * What the device keeps holds until it is told, whatever the tables say; from
 * then on it does not.
 */
static void
exercise(void)
{
    fill();
    map_page(IOVA + PAGE_SIZE, NEW, PERM_RW);
    expect(space_flush(&space, NO_PASID, IOVA + PAGE_SIZE, SHIFT_4K),
           "the unit's invalidation completes");
    frame_fill(TARGET, 2);
    expect_write(IOVA + PAGE_SIZE, 64);
    expect(frame_has(TARGET, 1, 0, 64), "the device still has the old page");
    tlb_flush(NO_PASID, IOVA + PAGE_SIZE);
    expect_entries(1);
    frame_fill(TARGET, 2);
    expect_write(IOVA + PAGE_SIZE, 64);
    expect_entries(2);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "the old page is as it was");
    expect(frame_has(NEW, 1, 0, 64), "the new one is written");

    unmap_page(IOVA + PAGE_SIZE);
    tlb_flush(NO_PASID, IOVA + PAGE_SIZE);
    frame_fill(NEW, 3);
    expect_not_permitted(IOVA + PAGE_SIZE);
    expect(frame_has(NEW, 3, 0, PAGE_SIZE), "memory is as it was");
    map_page(IOVA + PAGE_SIZE, NEW, PERM_READ | PERM_USER);
    expect(space_flush(&space, NO_PASID, IOVA + PAGE_SIZE, SHIFT_4K),
           "the unit's invalidation completes");
    expect_not_permitted(IOVA + PAGE_SIZE);
    expect_read(IOVA, 64);
    tlb_flush(NO_PASID, IOVA);
}

static void
scalable(const struct mode *mode)
{
    (void)mode;
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    exercise();
}

/* The context entry of legacy mode says that there is one. */
static void
start_legacy(bool ats)
{
    context_reset(false);
    space_init(&space, STAGE_SECOND, 4, DID);
    context_set(edu_sid(), &space, ats);
    expect(context_enable(), "remapping starts");
}

static void
legacy(const struct mode *mode)
{
    (void)mode;
    start_legacy(true);
    exercise();
}

static void
expect_blocked(uint8_t reason)
{
    struct fault fault = { 0 };

    map_page(IOVA, TARGET, PERM_RW);
    engine_set_mode(EDU_MODE_ATS);
    expect(engine_write(IOVA, 64), "the write ends");
    expect_one_fault(&fault);
    expect_eq("fault reason", reason, fault.reason);
    expect_entries(0);
}

/* A device whose entry permits no translation requests. */
static void
blocked(const struct mode *mode)
{
    (void)mode;
    start_legacy(false);
    expect_blocked(TT_BLOCKS);
    expect(unit_command(GCMD_TE, false), "remapping stops");
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    context_set_scalable(edu_sid(), 0);
    expect(context_enable(), "the context entry is taken");
    expect_blocked(DTE_CLEAR);
}

/* Each PASID's entries are its own; one invalidation can mean them all. */
static void
pasids(const struct mode *mode)
{
    static struct space spaces[2];
    static const uint32_t pasid[2] = { PASID, OTHER };

    (void)mode;
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    frame_fill(SOURCE, 1);
    map_page(IOVA, SOURCE, PERM_RW);
    expect_read(IOVA, PAGE_SIZE);
    engine_set_mode(EDU_MODE_ATS);
    for (unsigned i = 0; i < 2; i++) {
        frame_fill(TARGET + i, 2);
        space_init(&spaces[i], STAGE_FIRST, 4, (uint16_t)(DID + 1 + i));
        space_map(&spaces[i], IOVA, frame_gpa(TARGET + i), SHIFT_4K, PERM_RW);
        pasid_set(pasid[i], &spaces[i], 0);
        engine_set_pasid(EDU_PASID_VALID | pasid[i]);
        expect_write(IOVA, 64);
        expect(frame_has(TARGET + i, 1, 0, 64), "the PASID's page is written");
    }
    expect_entries(2);
    tlb_flush(PASID, IOVA);
    expect_entries(1);
    tlb_flush(PASID, IOVA);
    expect_entries(1);
    tlb_flush(OTHER, IOVA);
    expect_entries(0);
}

const struct test device_tlb_tests[] = {
    { "device-tlb-scalable", scalable, ATS },
    { "device-tlb-legacy", legacy, ATS },
    { "device-tlb-blocked", blocked, ATS },
    { "device-tlb-pasids", pasids, ATS_PASID },
    { NULL, NULL, 0 },
};

/* --- a device that does not acknowledge ------------------------------------- */

/*
 * The wait descriptor behind its invalidation is given up, and FSTS.ITE says
 * so; once that is cleared, the queue goes on with what follows.
 * [VT-d 4.1, "Device-TLB Invalidation Timeouts"]
 */
static void
no_ack(const struct mode *mode)
{
    uint64_t begin;

    (void)mode;
    start_legacy(true);
    fill();
    engine_set_mode(EDU_MODE_ATS | EDU_MODE_NO_ACK);
    device_tlb_put_flush(edu_sid(), NO_PASID, IOVA);
    begin = time_us();
    queue_put_wait();
    queue_doorbell();
    while (!(unit_read32(VTD_FSTS) & FSTS_ITE)) {
        if (!expect(time_us() - begin < TIMEOUT_US, "FSTS.ITE is set"))
            return;
        time_sleep_us(1000);
    }
    expect_eq("the source id of the device", edu_sid(),
              unit_read64(VTD_IQERCD) >> 32 & 0xffff);
    unit_write32(VTD_FSTS, FSTS_ITE);
    expect(queue_sync(), "what follows completes");
    expect(!(unit_read32(VTD_FSTS) & FSTS_ITE), "FSTS.ITE is cleared");
}

const struct test no_ack_tests[] = {
    { "device-tlb-no-ack", no_ack, ATS },
    { NULL, NULL, 0 },
};
