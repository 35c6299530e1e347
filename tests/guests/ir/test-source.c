/* SPDX-License-Identifier: GPL-2.0-only */
/* MSIs whose source id is named; they come from dom0, see main.c. */
#include <stddef.h>

#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define INDEX    140u
#define SID      0x0128u /* 01:05.0                                        */
#define NO_SID   (~0u)
#define REPLY_US 30000000u

static bool answered;

void
source_set_answered(bool yes)
{
    answered = yes;
}

static void
want_msi(uint64_t addr, uint32_t data, uint32_t sid)
{
    if (sid == NO_SID)
        console_print("WANT-MSI %lx %x -\n", addr, data);
    else
        console_print("WANT-MSI %lx %x %x\n", addr, data, sid);
}

/* The fault that dom0's MSI causes; it takes dom0 a while. */
static void
expect_answer_fault(uint8_t reason, uint16_t index, uint16_t sid)
{
    for (unsigned i = 0; i < REPLY_US / 1000000; i++) {
        if (unit_read32(VTD_FSTS) & FSTS_PPF)
            break;
        time_sleep_us(1000000);
    }
    expect_fault(reason, index, sid);
}

/* An MSI of @sid through an entry with @hi passes, or is refused. */
static void
expect_msi(uint64_t hi, uint32_t sid, bool passes)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(1, vector);

    irte.hi = hi;
    irte_write(INDEX, irte);
    expect(unit_flush(INDEX, 0), "the invalidation completes");
    want_msi(msi_remappable(INDEX), 0, sid);
    if (passes) {
        expect(irq_wait(vector, 1, REPLY_US), "dom0's MSI arrives");
        expect_irq(vector, 1);
        expect_no_fault();
    } else {
        expect_answer_fault(FAULT_SID, INDEX, (uint16_t)sid);
        expect_eq("refused interrupts", 0, irq_count(vector));
    }
}

static bool
skipped(void)
{
    if (!answered)
        test_skip("nobody in dom0 answers");
    return !answered;
}

static void
exact(void)
{
    const uint64_t svt = IRTE_SVT(SVT_SID);

    if (skipped())
        return;
    expect_msi(svt | SID, SID, true);
    expect_msi(svt | SID, SID ^ 0x100, false);
    expect_msi(svt | SID, SID ^ 1, false);
}

/* A caller that names none is not checked, as stock QEMU. */
static void
none(void)
{
    if (skipped())
        return;
    expect_msi(IRTE_SVT(SVT_SID) | SID, NO_SID, true);
}

static void
bus(void)
{
    const uint64_t svt = IRTE_SVT(SVT_BUS);

    if (skipped())
        return;
    expect_msi(svt | 0x0103, 0x0300, true);
    expect_msi(svt | 0x0103, 0x0400, false);
}

/* What is recorded names the source, also where no entry is looked at. */
static void
recorded(void)
{
    if (skipped())
        return;
    want_msi(msi_compatible(cpu_apic_id(0)), irq_vector(), SID);
    expect_answer_fault(FAULT_COMPAT, 0, SID);
    want_msi(msi_remappable(UNIT_ENTRIES), 0, SID);
    expect_answer_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES, SID);
    irte_write(INDEX, (struct irte){ 0 });
    expect(unit_flush(INDEX, 0), "the invalidation completes");
    want_msi(msi_remappable(INDEX), 0, SID);
    expect_answer_fault(FAULT_NOT_PRESENT, INDEX, SID);
}

/*
 * The upper half of the data must be zero in remappable format.
 * [VT-d 4.1, "Interrupt Requests in Remappable Format"]
 */
static void
request_reserved(void)
{
    uint8_t vector = irq_vector();

    if (skipped())
        return;
    irte_write(INDEX, irte_to_cpu(0, vector));
    want_msi(msi_remappable(INDEX) | MSI_SHV, 0x10000, SID);
    expect_answer_fault(FAULT_REQ_RESERVED, INDEX, SID);
    expect_eq("refused interrupts", 0, irq_count(vector));
}

const struct test source_tests[] = {
    { "source-exact", exact, false },
    { "source-none", none, false },
    { "source-bus", bus, false },
    { "source-recorded", recorded, false },
    { "source-request-reserved", request_reserved, false },
    { NULL, NULL, false },
};
