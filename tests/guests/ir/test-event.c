/* SPDX-License-Identifier: GPL-2.0-only */
/* The unit's fault event. */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

/* A fault, for which the event comes and says which. */
static void
each_reason(void)
{
    static const struct {
        struct irte irte;
        uint32_t index;
        uint8_t reason;
    } cases[] = {
        { { 0, 0 }, UNIT_ENTRIES, FAULT_INDEX_RANGE },
        { { 0, 0 }, 10, FAULT_NOT_PRESENT },
        { { IRTE_P | 1ull << 24, 0 }, 11, FAULT_ENTRY_RESERVED },
        { { IRTE_P | IRTE_IM, 0 }, 12, FAULT_ENTRY_RESERVED },
        { { IRTE_P, IRTE_SVT(3) }, 13, FAULT_ENTRY_RESERVED },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t vector = irq_vector();

        fault_event(vector);
        if (cases[i].index < UNIT_ENTRIES)
            irte_write(cases[i].index, cases[i].irte);
        send_index(cases[i].index);
        expect_irq(vector, 0);
        expect_fault(cases[i].reason, (uint16_t)cases[i].index, MSI_SID);
    }
}

static void
compat(void)
{
    uint8_t vector = irq_vector();

    fault_event(vector);
    edu_msi(msi_compatible(cpu_apic_id(0)), irq_vector());
    expect_irq(vector, 0);
    expect_fault(FAULT_COMPAT, 0, MSI_SID);
}

/* One event for all faults until they are cleared. */
static void
once(void)
{
    struct fault fault[3];
    uint8_t vector = irq_vector();

    fault_event(vector);
    send_index(14);
    expect_irq(vector, 0);
    send_index(15);
    send_index(16);
    time_sleep_us(QUIET_US);
    expect_eq("events while faults are pending", 1, irq_count(vector));
    expect_eq("records", 3, faults_take(fault, 3));
    send_index(17);
    expect(irq_wait(vector, 2, IRQ_US), "the event after clearing");
    expect_fault(FAULT_NOT_PRESENT, 17, MSI_SID);
}

static void
masked(void)
{
    uint8_t vector = irq_vector();

    fault_event(vector);
    unit_write32(VTD_FECTL, EVENT_IM);
    send_index(18);
    expect(fault_wait(), "a fault is recorded");
    expect_eq("FECTL while masked", EVENT_IM | EVENT_IP,
              unit_read32(VTD_FECTL));
    expect_eq("events while masked", 0, irq_count(vector));
    unit_write32(VTD_FECTL, 0);
    expect(irq_wait(vector, 1, IRQ_US), "the event after unmasking");
    expect_eq("FECTL after it", 0, unit_read32(VTD_FECTL));
    expect_fault(FAULT_NOT_PRESENT, 18, MSI_SID);
}

/* Cleared before it was unmasked: nothing is left to say. */
static void
masked_cleared(void)
{
    uint8_t vector = irq_vector();

    fault_event(vector);
    unit_write32(VTD_FECTL, EVENT_IM);
    send_index(19);
    expect_fault(FAULT_NOT_PRESENT, 19, MSI_SID);
    expect_eq("FECTL after clearing", EVENT_IM, unit_read32(VTD_FECTL));
    unit_write32(VTD_FECTL, 0);
    time_sleep_us(QUIET_US);
    expect_eq("events", 0, irq_count(vector));
}

static void
second_processor(void)
{
    uint8_t vector = irq_vector();
    uint32_t id = cpu_apic_id(1);

    fault_event(vector);
    unit_write32(VTD_FEADDR, (uint32_t)msi_compatible(id));
    unit_write32(VTD_FEUADDR, id & ~0xffu);
    send_index(20);
    expect_irq(vector, 1);
    expect_fault(FAULT_NOT_PRESENT, 20, MSI_SID);
}

/*
 * The upper address register holds destination bits 31:8.  With all of them
 * set the low ones decide between nobody and everybody.
 */
static void
upper_address(void)
{
    uint8_t vector = irq_vector();

    fault_event(vector);
    unit_write32(VTD_FEUADDR, ~0xffu);
    expect_eq("FEUADDR", ~0xffu, unit_read32(VTD_FEUADDR));
    send_index(21);
    expect_fault(FAULT_NOT_PRESENT, 21, MSI_SID);
    time_sleep_us(QUIET_US);
    expect_eq("events to an id that no processor has", 0, irq_count(vector));

    unit_write32(VTD_FEADDR, (uint32_t)msi_compatible(0xff));
    send_index(22);
    expect(irq_wait(vector, 2, IRQ_US), "the event to all processors");
    expect_eq("events on processor 0", 1, irq_count_on(vector, 0));
    expect_eq("events on processor 1", 1, irq_count_on(vector, 1));
    expect_fault(FAULT_NOT_PRESENT, 22, MSI_SID);
}

/* The completion event has an upper address register of its own. */
static void
completion_upper_address(void)
{
    uint8_t vector = irq_vector();

    completion_event(vector);
    unit_write32(VTD_IEUADDR, ~0xffu);
    unit_write32(VTD_IEADDR, (uint32_t)msi_compatible(0xff));
    queue_put((struct desc){ .lo = DESC_WAIT | WAIT_IF });
    queue_doorbell();
    expect(irq_wait(vector, 2, IRQ_US), "the event to all processors");
    expect_eq("events on processor 0", 1, irq_count_on(vector, 0));
    expect_eq("events on processor 1", 1, irq_count_on(vector, 1));
}

const struct test event_tests[] = {
    { "event-each-reason", each_reason, false },
    { "event-compat", compat, false },
    { "event-once", once, false },
    { "event-masked", masked, false },
    { "event-masked-cleared", masked_cleared, false },
    { "event-second-processor", second_processor, false },
    { "event-upper-address", upper_address, true },
    { "event-completion-upper-address", completion_upper_address, true },
    { NULL, NULL, false },
};
