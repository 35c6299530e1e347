/* SPDX-License-Identifier: GPL-2.0-only */
/* The device itself, and devices that nothing is said of. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define COMPUTE_US 2000000u

#define LEGACY_ROOT    0x01u
#define LEGACY_CONTEXT 0x02u
#define ROOT           0x39u
#define CONTEXT        0x41u
#define DIRECTORY      0x51u

static void
registers(const struct mode *mode)
{
    (void)mode;
    expect_eq("identification", 0x010000ed, edu_read32(EDU_ID));
    edu_write32(EDU_LIVENESS, 0x12345678);
    expect_eq("liveness", ~0x12345678u, edu_read32(EDU_LIVENESS));
}

static void
factorial(const struct mode *mode)
{
    uint64_t begin = time_us();

    (void)mode;
    edu_write32(EDU_STATUS, 0);
    edu_write32(EDU_FACTORIAL, 10);
    while (edu_read32(EDU_STATUS) & EDU_STATUS_COMPUTING)
        if (!expect(time_us() - begin < COMPUTE_US, "it is computed"))
            return;
    expect_eq("10!", 3628800, edu_read32(EDU_FACTORIAL));
}

/* While nothing is remapped, addresses are the guest's. */
static void
untranslated(const struct mode *mode)
{
    (void)mode;
    frame_fill(0, 1);
    frame_fill(1, 2);
    expect_read(frame_gpa(0), PAGE_SIZE);
    expect_write(frame_gpa(1), PAGE_SIZE);
    expect(frame_has(1, 1, 0, PAGE_SIZE), "the page is copied");
}

static void
expect_nothing_of_it(bool scalable, uint8_t root, uint8_t context)
{
    context_reset(scalable);
    expect(context_enable(), "an empty root table is taken");
    expect_refused_read(frame_gpa(0), 64, root);
    expect(unit_command(GCMD_TE, false), "remapping stops");

    /* Another function's entry makes the context table. */
    context_reset(scalable);
    space_init(&space, STAGE_PASS, 4, DID);
    if (scalable)
        context_set_scalable(edu_sid() ^ 1, 0);
    else
        context_set(edu_sid() ^ 1, &space, false);
    expect(context_enable(), "a root table is taken");
    expect_refused_read(frame_gpa(0), 64, context);
}

static void
unknown_legacy(const struct mode *mode)
{
    (void)mode;
    expect_nothing_of_it(false, LEGACY_ROOT, LEGACY_CONTEXT);
}

static void
unknown_scalable(const struct mode *mode)
{
    (void)mode;
    expect_nothing_of_it(true, ROOT, CONTEXT);
    expect(unit_command(GCMD_TE, false), "remapping stops");
    context_reset(true);
    context_set_scalable(edu_sid(), 0);
    expect(context_enable(), "a root table is taken");
    expect_refused_read(frame_gpa(0), 64, DIRECTORY);
}

static void
capabilities(const struct mode *mode)
{
    (void)mode;
    expect(engine_capability(PCI_EXT_ATS), "ATS capability");
    expect(engine_capability(PCI_EXT_PRI), "page request capability");
    expect(engine_capability(PCI_EXT_PASID), "PASID capability");
    expect_eq("identification in the window", 0x11e81234,
              engine_config_read(0));
    expect_eq("no capability of another id", 0, engine_capability(0xfff0));
}

const struct test device_tests[] = {
    { "device-registers", registers, 0 },
    { "device-factorial", factorial, 0 },
    { "device-capabilities", capabilities, NEED_ECAM },
    { "device-untranslated", untranslated, 0 },
    { "device-unknown-legacy", unknown_legacy, 0 },
    { "device-unknown-scalable", unknown_scalable, NEED_SCALABLE },
    { NULL, NULL, 0 },
};
