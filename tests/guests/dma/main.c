/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that has the edu device do DMA through the remapping unit, in every
 * way that there is, and checks what is written and what is not.
 *
 * Started as a Linux kernel (QEMU's -kernel; kernel= of an xl HVM guest) or by
 * Xen's PVH entry, with two processors, 64 MiB to 1 GiB and QEMU's edu device
 * or the one of client/examples/edu.  Results are lines on COM1 or on the PV
 * console, as those of tests/guests/ir; a test of a mode is named MODE-TEST.
 *
 * Words of the command line:
 *
 *     unit=ADDR         the unit's registers; 0xfed90000
 *     ecam=ADDR         configuration space of bus 0; without it the device's
 *                       extended capabilities are not used
 *     bar=ADDR          where to put the device's registers if nobody did;
 *                       0xf0000000
 *     race-seconds=N    how long invalidation races DMA, in all; 60
 *     no-ack            at last the device does not acknowledge; after that
 *                       it may not work any more
 *     vhost             none of all this: drive a network device that dom0's
 *                       kernel serves; see vhost.c
 *     only=NAME         run only tests whose name begins with NAME
 */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/dma/vhost.h"
#include "tests/guests/lib/cmdline.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/xen.h"

#define BAR_HOLE     0xf0000000u
#define RACE_SECONDS 60u
#define RACES        (MODES + 1u) /* and the device's TLB                */
#define NAME_SIZE    48u

static unsigned have; /* enum need                                          */

static const struct {
    unsigned need;
    const char *what;
} needs[] = {
    { NEED_EXTENDED, "the device is QEMU's own" },
    { NEED_ECAM, "no ecam= on the command line" },
    { NEED_IR, "the unit remaps no interrupts" },
    { NEED_PASS, "the unit has no pass-through" },
    { NEED_SCALABLE, "the unit has no scalable mode" },
    { NEED_FIRST, "the unit has no first stage" },
    { NEED_SECOND, "the unit has no second stage in scalable mode" },
    { NEED_NEST, "the unit does not nest stages" },
    { NEED_PASID, "the unit has no PASIDs" },
    { NEED_DEVICE_TLB, "the unit allows no device TLBs" },
    { NEED_PRI, "the unit takes no page requests" },
    { NEED_1G, "the unit has no pages of 1 GiB" },
    { NEED_3_LEVELS, "the unit has no tables of 3 levels" },
    { NEED_4_LEVELS, "the unit has no tables of 4 levels" },
    { NEED_REQUESTS, "the unit takes no supervisor or execute requests" },
};

static void
capabilities_find(void)
{
    uint64_t cap = unit_read64(VTD_CAP);
    uint64_t ecap = unit_read64(VTD_ECAP);
    uint64_t ecam = cmdline_number("ecam=", 0);

    have = (ecap & ECAP_IR ? NEED_IR : 0) | (ecap & ECAP_PT ? NEED_PASS : 0) |
           (ecap & ECAP_SMTS ? NEED_SCALABLE : 0) |
           (ecap & ECAP_FSTS ? NEED_FIRST : 0) |
           (ecap & ECAP_SSTS ? NEED_SECOND : 0) |
           (ecap & ECAP_NEST ? NEED_NEST : 0) |
           (ecap & ECAP_PASID ? NEED_PASID : 0) |
           (ecap & ECAP_DT ? NEED_DEVICE_TLB : 0) |
           (ecap & ECAP_PRS ? NEED_PRI : 0) |
           (cap & CAP_SSLPS_1G ? NEED_1G : 0) |
           (CAP_SAGAW(cap) & 2 ? NEED_3_LEVELS : 0) |
           (CAP_SAGAW(cap) & 4 ? NEED_4_LEVELS : 0) |
           (ecap & ECAP_SRS && ecap & ECAP_ERS ? NEED_REQUESTS : 0) |
           (engine_is_extended() ? NEED_EXTENDED : 0) |
           (ecam && engine_open_ecam(ecam) ? NEED_ECAM : 0);
}

/* Why a test that needs @need cannot run; NULL: it can. */
static const char *
lacking(unsigned need)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (needs[i].need & need & ~have)
            return needs[i].what;
    return NULL;
}

/* "MODE-TEST", or "TEST". */
static const char *
full_name(const struct mode *mode, const struct test *test)
{
    static char name[NAME_SIZE];
    const char *part[] = { mode ? mode->name : "", mode ? "-" : "",
                           test->name };
    size_t len = 0;

    for (size_t i = 0; i < 3; i++)
        for (const char *s = part[i]; *s && len < NAME_SIZE - 1; s++)
            name[len++] = *s;
    name[len] = '\0';
    return name;
}

/* No device is remapped; what the queue knows depends on the mode. */
static bool
unit_forget(bool scalable)
{
    pages_reset();
    context_reset(scalable);
    queue_set_wide(scalable);
    return unit_stop() && context_latch() && unit_start();
}

/* Nothing of the test before, in the device or in its TLB. */
static bool
device_forget(void)
{
    bool scalable = have & NEED_SCALABLE;

    if (!engine_reset())
        return false;
    if (!(have & NEED_EXTENDED) || !edu_read64(EDU_TLB_ENTRIES))
        return true;
    return unit_forget(scalable) && device_tlb_empty(edu_sid(), scalable) &&
           !edu_read64(EDU_TLB_ENTRIES);
}

static void
run_test(const struct mode *mode, const struct test *test)
{
    const char *name = full_name(mode, test);
    const char *lack = lacking(test->need | (mode ? mode->need : 0));
    bool ok;

    if (!cmdline_selects(name))
        return;
    test_begin(name);
    if (lack) {
        test_skip(lack);
        test_end();
        return;
    }
    ok = expect(device_forget(), "the device stops") &&
         expect(unit_forget(mode ? mode->scalable : have & NEED_SCALABLE),
                "the unit starts") &&
         (!mode || expect(mode_start(mode), "remapping starts"));
    if (ok)
        test->run(mode);
    test_end();
}

/* In a mode of its own each, or, with @mode, in every one of them. */
static void
run_tests(const struct mode *mode, const struct test *tests)
{
    for (; !mode || mode->name; mode++) {
        for (const struct test *test = tests; test->name; test++)
            run_test(mode, test);
        if (!mode)
            return;
    }
}

/* Everything that the tests stand on; without it none of them runs. */
static bool
platform_start(void)
{
    uint64_t ecap = unit_read64(VTD_ECAP);
    bool eim = ecap != ~0ull && (ecap & ECAP_EIM);
    bool ok;

    test_begin("platform");
    ok = expect(ecap != ~0ull, "a unit answers at its address") &&
         expect(cpu_start(eim ? APIC_X2APIC : APIC_XAPIC),
                "the second processor starts") &&
         expect(unit_stop(), "the unit stops") &&
         expect(edu_find((uint32_t)cmdline_number("bar=", BAR_HOLE)),
                "an edu device with a BAR and MSI");
    unit_set_eime(eim);
    test_end();
    if (ok) {
        capabilities_find();
        console_print("INFO %s %s cap %lx ecap %lx edu %x\n",
                      boot_is_pvh ? "pvh" : "pc", eim ? "x2apic" : "xapic",
                      unit_read64(VTD_CAP), ecap, edu_sid());
    }
    return ok;
}

static void
run_all(void)
{
    run_tests(NULL, device_tests);
    run_tests(pass_modes, pass_tests);
    run_tests(modes, map_tests);
    run_tests(modes, large_tests);
    run_tests(NULL, nest_tests);
    run_tests(NULL, pasid_tests);
    run_tests(NULL, interrupt_tests);
    run_tests(NULL, page_request_tests);
    run_tests(NULL, device_tlb_tests);
    race_us = cmdline_number("race-seconds=", RACE_SECONDS) * 1000000 / RACES;
    run_tests(modes, race_tests);
    run_tests(NULL, race_device_tlb_tests);
    if (cmdline_find("no-ack"))
        run_tests(NULL, no_ack_tests);
}

void
kernel_main(void)
{
    cmdline_init();
    console_init();
    unit_set_base(cmdline_number("unit=", UNIT_BASE_DEFAULT));
    if (cmdline_find("vhost")) {
        vhost_run();
    } else if (platform_start()) {
        uint64_t begin = time_us();

        run_all();
        console_print("INFO tests took %u s\n",
                      (unsigned)((time_us() - begin) / 1000000));
    }
    test_done();
    cpu_halt();
}
