/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/dma/tests.h"

/* [VT-d 4.1, "DMA Remapping Fault Conditions"] */
#define LEGACY_WRITE 0x05u
#define LEGACY_READ  0x06u
#define FIRST_NONE   0x71u
#define SECOND_NONE  0x79u
#define WRITE        0x85u

const struct mode modes[] = {
    [MODE_LEGACY_3] = { "legacy-3", STAGE_SECOND, false, 3, NEED_3_LEVELS,
                        LEGACY_READ, LEGACY_WRITE, LEGACY_WRITE },
    [MODE_LEGACY_4] = { "legacy-4", STAGE_SECOND, false, 4, NEED_4_LEVELS,
                        LEGACY_READ, LEGACY_WRITE, LEGACY_WRITE },
    [MODE_SECOND_3] = { "second-3", STAGE_SECOND, true, 3,
                        NEED_SECOND | NEED_3_LEVELS, SECOND_NONE, SECOND_NONE,
                        WRITE },
    [MODE_SECOND_4] = { "second-4", STAGE_SECOND, true, 4,
                        NEED_SECOND | NEED_4_LEVELS, SECOND_NONE, SECOND_NONE,
                        WRITE },
    [MODE_FIRST] = { "first", STAGE_FIRST, true, 4, NEED_FIRST, FIRST_NONE,
                     FIRST_NONE, WRITE },
    [MODE_NESTED] = { "nested", STAGE_NESTED, true, 4,
                      NEED_NEST | NEED_4_LEVELS, FIRST_NONE, FIRST_NONE,
                      WRITE },
    { NULL, STAGE_PASS, false, 0, 0, 0, 0, 0 },
};

const struct mode pass_modes[] = {
    { "legacy-pass", STAGE_PASS, false, 4, NEED_PASS, 0, 0, 0 },
    { "pass", STAGE_PASS, true, 4, NEED_PASS | NEED_SCALABLE, 0, 0, 0 },
    { NULL, STAGE_PASS, false, 0, 0, 0, 0, 0 },
};

struct space space;

bool
mode_start(const struct mode *mode)
{
    uint64_t ecap = unit_read64(VTD_ECAP);
    uint64_t flags = (ecap & ECAP_DT ? CONTEXT_ATS : 0) |
                     (ecap & ECAP_PASID ? CONTEXT_PASID : 0) |
                     (ecap & ECAP_PRS ? CONTEXT_PRI : 0);

    context_reset(mode->scalable);
    space_init(&space, mode->stage, mode->levels, DID);
    if (mode->scalable) {
        context_set_scalable(edu_sid(), flags);
        pasid_set(0, &space, 0);
    } else {
        context_set(edu_sid(), &space, false);
    }
    return context_enable();
}

void
map_page(uint64_t iova, unsigned frame, unsigned perm)
{
    space_map(&space, iova, frame_gpa(frame), SHIFT_4K, perm);
}

void
unmap_page(uint64_t iova)
{
    space_unmap(&space, iova, SHIFT_4K);
    expect(space_flush(&space, NO_PASID, iova, SHIFT_4K),
           "the invalidation completes");
}

/* --- expectations ---------------------------------------------------------- */

/* A device that tells is asked as well. */
static void
expect_result(uint32_t want)
{
    if (engine_is_extended())
        expect_eq("the device's result", want, edu_read32(EDU_DMA_RESULT));
}

void
expect_dma_fault(const struct want *want)
{
    struct fault fault;

    if (!expect_one_fault(&fault))
        return;
    expect_eq("fault reason", want->reason, fault.reason);
    expect_eq("fault address", want->addr, fault.addr);
    expect_eq("fault source id", edu_sid(), fault.sid);
    expect_eq("fault is of a read", want->read, fault.read);
    expect_eq("fault PASID", want->pasid, fault.pasid);
}

void
expect_read(uint64_t iova, uint32_t len)
{
    expect(engine_read(iova, len), "the read ends");
    expect_result(0);
    expect_no_fault();
}

void
expect_write(uint64_t iova, uint32_t len)
{
    expect(engine_write(iova, len), "the write ends");
    expect_result(0);
    expect_no_fault();
}

static void
expect_refused(uint64_t iova, bool read, uint8_t reason)
{
    const struct want want = {
        .reason = reason,
        .addr = iova & ~0xfffull,
        .read = read,
        .pasid = NO_PASID,
    };

    expect_result(reason);
    expect_dma_fault(&want);
}

void
expect_refused_read(uint64_t iova, uint32_t len, uint8_t reason)
{
    expect(engine_read(iova, len), "the read ends");
    expect_refused(iova, true, reason);
}

void
expect_refused_write(uint64_t iova, uint32_t len, uint8_t reason)
{
    expect(engine_write(iova, len), "the write ends");
    expect_refused(iova, false, reason);
}
