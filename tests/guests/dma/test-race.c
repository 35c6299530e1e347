/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidation racing DMA.  The device writes a number to one address again
 * and again; the page there changes as fast as it can.  Once an invalidation
 * has completed, the page that was there must not change any more: it is
 * marked, and the mark is looked at when the page's turn comes again.
 */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define MARK (1ull << 63)

/* Every so many rounds the device must be seen to write to the new page. */
#define PROGRESS_ROUNDS 8u
#define PROGRESS_US     2000000u

uint64_t race_us;

struct race {
    bool device_tlb;
    uint64_t rounds;
    unsigned frame; /* that is mapped */
};

static uint64_t
mark_of(const struct race *race)
{
    return MARK | race->rounds;
}

/* All marks but that of the mapped frame, which has none. */
static bool
marks_stand(const struct race *race)
{
    for (unsigned i = 1; i < FRAMES && i <= race->rounds; i++) {
        unsigned frame = (race->frame + FRAMES - i) % FRAMES;

        if (!expect_eq("a page after its invalidation",
                       MARK | (race->rounds - i), frame_quads(frame)[1]))
            return false;
    }
    return true;
}

static bool
wait_for_number(volatile uint64_t *quad)
{
    uint64_t begin = time_us();

    while (!*quad) {
        if (time_us() - begin > PROGRESS_US)
            return expect(false, "the device writes to the new page");
        cpu_relax();
    }
    return true;
}

/* Map the next frame instead; true if all is well. */
static bool
round_run(struct race *race)
{
    unsigned next = (race->frame + 1) % FRAMES;
    volatile uint64_t *old = &frame_quads(race->frame)[1];
    volatile uint64_t *new = &frame_quads(next)[1];

    if (race->rounds >= FRAMES &&
        !expect_eq("a page after its invalidation",
                   MARK | (race->rounds + 1 - FRAMES), *new))
        return false;
    *new = 0;
    map_page(IOVA, next, PERM_RW);
    space_put_flush(&space, NO_PASID, IOVA, SHIFT_4K);
    if (race->device_tlb)
        device_tlb_put_flush(edu_sid(), NO_PASID, IOVA);
    if (!expect(queue_sync(), "the invalidation completes"))
        return false;
    *old = mark_of(race);
    race->frame = next;
    race->rounds++;
    return race->rounds % PROGRESS_ROUNDS || wait_for_number(new);
}

static void
race_run(struct race *race)
{
    uint64_t done = edu_read64(EDU_DMA_DONE);
    uint64_t begin = time_us();

    for (unsigned i = 0; i < FRAMES; i++)
        frame_quads(i)[1] = 0;
    map_page(IOVA, 0, PERM_RW);
    engine_set_mode(EDU_MODE_REPEAT | (race->device_tlb ? EDU_MODE_ATS : 0));
    engine_start_write(IOVA + 8, 8, 0);
    while (time_us() - begin < race_us && round_run(race))
        continue;
    edu_write64(EDU_DMA_CMD, 0);
    expect(engine_wait(), "the device stops");
    marks_stand(race);
    expect(race->rounds > FRAMES, "every page had its turn");
    expect_eq("DMA that failed", 0, edu_read32(EDU_DMA_RESULT));
    expect_no_fault();
    console_print("INFO race: %u rounds, %u writes\n", (unsigned)race->rounds,
                  (unsigned)(edu_read64(EDU_DMA_DONE) - done));
}

static void
unit_alone(const struct mode *mode)
{
    struct race race = { .device_tlb = false };

    (void)mode;
    race_run(&race);
}

static void
device_tlb(const struct mode *mode)
{
    struct race race = { .device_tlb = true };

    (void)mode;
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    race_run(&race);
    device_tlb_put_flush(edu_sid(), NO_PASID, IOVA);
    expect(queue_sync(), "the device acknowledges");
}

const struct test race_tests[] = {
    { "race", unit_alone, NEED_EXTENDED },
    { NULL, NULL, 0 },
};

const struct test race_device_tlb_tests[] = {
    { "race-device-tlb", device_tlb,
      NEED_EXTENDED | NEED_ECAM | NEED_DEVICE_TLB | NEED_SECOND |
          NEED_4_LEVELS },
    { NULL, NULL, 0 },
};
