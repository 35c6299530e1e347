/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that drives the interrupt remapping unit as no operating system
 * does, and checks what arrives.
 *
 * Started as a Linux kernel (QEMU's -kernel; kernel= of an xl HVM guest), with
 * two processors, 64 MiB to 1 GiB and QEMU's edu device.  Results are
 * lines on COM1:
 *
 *     PASS name
 *     FAIL name: expectation that did not hold
 *     SKIP name: why it cannot run here
 *     DONE 3 passed 1 failed 1 skipped
 *
 * DONE is the last one, also after an unexpected exception; the kernel then
 * halts.
 *
 * Words of the command line:
 *
 *     xapic      local APICs in xAPIC mode and 8-bit destinations, even if the
 *                unit has ECAP.EIM
 *     want-msi   dom0 answers lines of the form
 *                    WANT-MSI addr data sid
 *                (hexadecimal; sid "-": none) by sending that MSI once:
 *                    inject-msi DOMID 0xADDR 0xDATA [0xSID]
 *                Without it, the tests of named source ids are skipped.
 *     no-shapes  leave out the hostile access shapes
 *     only=NAME  run only tests whose name begins with NAME
 *
 * The mode without any word is the unit's best: 32-bit destinations and
 * x2APIC if it has ECAP.EIM, otherwise xAPIC.
 */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cmdline.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

static void
run_tests(const struct test *test)
{
    for (; test->name; test++) {
        if (!cmdline_selects(test->name) || (test->extended && !unit_eime()))
            continue;
        test_begin(test->name);
        edu_lower();
        ioapic_write(edu_pin(), RTE_MASKED);
        if (expect(unit_start(), "the unit starts"))
            test->run();
        test_end();
    }
}

/* Everything that the tests stand on; without it none of them runs. */
static bool
platform_start(void)
{
    uint64_t ecap = unit_read64(VTD_ECAP);
    bool eim = ecap != ~0ull && (ecap & ECAP_EIM) && !cmdline_find("xapic");
    enum apic_mode mode = eim ? APIC_X2APIC : APIC_XAPIC;
    bool ok;

    test_begin("platform");
    ok = expect(ecap != ~0ull, "a unit answers at its address") &&
         expect(!eim || cpu_has_x2apic(), "processors have x2APIC") &&
         expect(cpu_start(mode), "the second processor starts") &&
         expect(unit_stop(), "the unit stops") && device_init();
    unit_set_eime(eim);
    test_end();
    if (ok)
        console_print("INFO %s apic ids %x %x edu pin %u\n",
                      eim ? "x2apic" : "xapic", cpu_apic_id(0), cpu_apic_id(1),
                      edu_pin());
    return ok;
}

void
kernel_main(void)
{
    cmdline_init();
    console_init();
    source_set_answered(cmdline_find("want-msi"));
    if (platform_start()) {
        uint64_t begin = time_us();

        run_tests(register_tests);
        run_tests(queue_tests);
        run_tests(queue_error_tests);
        run_tests(msi_tests);
        run_tests(table_tests);
        run_tests(fault_tests);
        run_tests(event_tests);
        run_tests(pin_tests);
        run_tests(source_tests);
        if (!cmdline_find("no-shapes"))
            run_tests(shape_tests);
        console_print("INFO tests took %u s\n",
                      (unsigned)((time_us() - begin) / 1000000));
    }
    test_done();
    cpu_halt();
}
