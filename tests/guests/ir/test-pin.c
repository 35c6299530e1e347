/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins of the IOAPIC: edge and level, both ways of ending a level-triggered
 * interrupt, and the check of the source id, which the IOAPIC always has.
 */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define INDEX   2u
#define SID_BAD 0x1234u

/* Route INDEX, and the pin to it, level or edge as @rte_flags say. */
static void
pin_route(struct irte irte, uint8_t rte_vector, uint64_t rte_flags)
{
    irte_write(INDEX, irte);
    expect(unit_flush(INDEX, 0), "the invalidation completes");
    ioapic_write(edu_pin(), rte_remappable(INDEX, rte_vector) | rte_flags);
}

/* One edge of the pin. */
static void
pin_pulse(void)
{
    edu_raise();
    edu_lower();
}

static void
edge(void)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        uint8_t vector = irq_vector();

        pin_route(irte_to_cpu(cpu, vector), vector, 0);
        pin_pulse();
        expect_irq(vector, cpu);
        pin_pulse();
        expect(irq_wait(vector, 2, IRQ_US), "the second edge arrives");
    }
    expect_no_fault();
}

/* A timer of Xen's own, which finds its vector through the route. */
static void
pit(void)
{
    uint8_t vector = irq_vector();

    irte_write(4, irte_to_cpu(0, vector));
    ioapic_write(PIT_PIN, rte_remappable(4, PIT_PIN));
    for (uint32_t i = 1; i <= 5; i++) {
        pit_once(5000);
        expect(irq_wait(vector, i, IRQ_US), "the tick arrives");
    }
    pit_stop();
    ioapic_write(PIT_PIN, RTE_MASKED);
    expect_eq("ticks", 5, irq_count(vector));
    expect_no_fault();
}

/*
 * The vectors of both entries agree, so that the EOI message finds its pin.
 * [VT-d 4.1, "I/OxAPIC Programming"]
 */
static void
level_broadcast(void)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(0, vector);

    irte.lo |= IRTE_LEVEL;
    irq_hold_eoi(vector);
    pin_route(irte, vector, RTE_LEVEL);

    edu_raise();
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives");
    time_sleep_us(QUIET_US);
    expect_eq("interrupts before EOI", 1, irq_count(vector));
    expect_eq("remote IRR", RTE_REMOTE_IRR,
              ioapic_read(edu_pin()) & RTE_REMOTE_IRR);

    irq_eoi();
    expect(irq_wait(vector, 2, IRQ_US), "it comes again while asserted");
    edu_lower();
    irq_eoi();
    time_sleep_us(QUIET_US);
    expect_eq("interrupts when not asserted", 2, irq_count(vector));
    expect_eq("remote IRR", 0, ioapic_read(edu_pin()) & RTE_REMOTE_IRR);

    edu_raise();
    expect(irq_wait(vector, 3, IRQ_US), "it comes when asserted anew");
    edu_lower();
    irq_eoi();
    expect_no_fault();
}

/*
 * As Linux does it: the IOAPIC's entry holds the pin number, which no EOI
 * message names, and the entry is made edge-triggered for a moment.
 */
static void
level_by_edge(void)
{
    uint8_t vector = irq_vector();
    uint32_t count;

    irq_hold_eoi(vector);
    pin_route(irte_to_cpu(0, vector), (uint8_t)edu_pin(), RTE_LEVEL);
    for (uint32_t i = 1; i <= 5; i++) {
        edu_raise();
        expect(irq_wait(vector, i, IRQ_US), "the interrupt arrives");
        edu_lower();
        irq_eoi();
        ioapic_eoi(edu_pin());
        expect_eq("remote IRR", 0, ioapic_read(edu_pin()) & RTE_REMOTE_IRR);
    }
    time_sleep_us(QUIET_US);
    expect_eq("interrupts", 5, irq_count(vector));

    /* Still asserted when its service ends. */
    edu_raise();
    expect(irq_wait(vector, 6, IRQ_US), "the interrupt arrives");
    irq_eoi();
    ioapic_eoi(edu_pin());
    expect(irq_wait(vector, 7, IRQ_US), "it comes again while asserted");
    edu_lower();
    irq_eoi();
    ioapic_eoi(edu_pin());
    time_sleep_us(QUIET_US);
    count = irq_count(vector);
    irq_eoi();
    ioapic_eoi(edu_pin());
    time_sleep_us(QUIET_US);
    expect_eq("interrupts when not asserted", count, irq_count(vector));
    expect_no_fault();
}

/* Level-triggered and taken by the other processor. */
static void
level_second(void)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(1, vector);

    irte.lo |= IRTE_LEVEL;
    pin_route(irte, vector, RTE_LEVEL);
    edu_raise();
    expect(irq_wait(vector, 10, IRQ_US), "it comes again and again");
    edu_lower();
    expect_eq("interrupts on processor 0", 0, irq_count_on(vector, 0));
    expect_no_fault();
}

/*
 * The entry was not present when the pin was asserted.  Once it is, the usual
 * end of service brings the interrupt that was refused.
 */
static void
level_made_present(void)
{
    uint8_t vector = irq_vector();

    pin_route((struct irte){ 0 }, (uint8_t)edu_pin(), RTE_LEVEL);
    edu_raise();
    expect_fault(FAULT_NOT_PRESENT, INDEX, IOAPIC_SID);
    irte_write(INDEX, irte_to_cpu(0, vector));
    irq_hold_eoi(vector);
    ioapic_eoi(edu_pin());
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives");
    edu_lower();
    irq_eoi();
    ioapic_eoi(edu_pin());
    expect_no_fault();
}

/* Present, but nobody said so: the pin must find it. */
static void
edge_made_present(void)
{
    uint8_t vector = irq_vector();

    pin_route((struct irte){ 0 }, vector, 0);
    pin_pulse();
    expect_fault(FAULT_NOT_PRESENT, INDEX, IOAPIC_SID);
    irte_write(INDEX, irte_to_cpu(1, vector));
    pin_pulse();
    expect_irq(vector, 1);
    expect_no_fault();
}

static void
index_range(void)
{
    ioapic_write(edu_pin(), rte_remappable(UNIT_ENTRIES + 7, 0));
    pin_pulse();
    expect_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES + 7, IOAPIC_SID);
    ioapic_write(edu_pin(), rte_remappable(0x8001, 0));
    pin_pulse();
    expect_fault(FAULT_INDEX_RANGE, 0x8001, IOAPIC_SID);
}

static void
compat_blocked(void)
{
    uint8_t vector = irq_vector();

    ioapic_write(edu_pin(), rte_compatible(cpu_apic_id(0), vector));
    pin_pulse();
    expect_fault(FAULT_COMPAT, 0, IOAPIC_SID);
    expect_eq("blocked interrupts", 0, irq_count(vector));
}

/* The pin's interrupt passes, or is refused, by the entry's upper half. */
static void
expect_source(uint64_t hi, bool passes)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(0, vector);

    irte.hi = hi;
    pin_route(irte, vector, 0);
    pin_pulse();
    if (passes) {
        expect_irq(vector, 0);
        expect_no_fault();
    } else {
        expect_fault(FAULT_SID, INDEX, IOAPIC_SID);
        expect_eq("refused interrupts", 0, irq_count(vector));
    }
}

static void
source_exact(void)
{
    const uint64_t exact = IRTE_SVT(SVT_SID) | IRTE_SQ(0);

    expect_source(exact | IOAPIC_SID, true);
    expect_source(exact | SID_BAD, false);
    expect_source(exact | (IOAPIC_SID ^ 1), false);
    expect_source(exact | (IOAPIC_SID ^ 4), false);
    expect_source(IRTE_SVT(SVT_NONE) | SID_BAD, true);
}

static void
source_qualified(void)
{
    const uint64_t svt = IRTE_SVT(SVT_SID);

    expect_source(svt | IRTE_SQ(1) | (IOAPIC_SID ^ 4), true);
    expect_source(svt | IRTE_SQ(1) | (IOAPIC_SID ^ 2), false);
    expect_source(svt | IRTE_SQ(2) | (IOAPIC_SID ^ 6), true);
    expect_source(svt | IRTE_SQ(2) | (IOAPIC_SID ^ 1), false);
    expect_source(svt | IRTE_SQ(3) | (IOAPIC_SID ^ 7), true);
    expect_source(svt | IRTE_SQ(3) | (IOAPIC_SID ^ 8), false);
}

/* Start bus in the high byte, end bus in the low one; ours is ff. */
static void
source_bus(void)
{
    const uint64_t svt = IRTE_SVT(SVT_BUS);

    expect_source(svt | 0xf0ff, true);
    expect_source(svt | 0xffff, true);
    expect_source(svt | 0x00fe, false);
    expect_source(svt | 0xfff0, false);
}

static void
source_fpd(void)
{
    struct irte irte = irte_to_cpu(0, irq_vector());

    irte.lo |= IRTE_FPD;
    irte.hi = IRTE_SVT(SVT_SID) | SID_BAD;
    pin_route(irte, 0, 0);
    pin_pulse();
    pin_route((struct irte){ 0 }, 0, 0);
    pin_pulse();
    expect_fault(FAULT_NOT_PRESENT, INDEX, IOAPIC_SID);
}

/* The IOAPIC's id is the guest's to write and names no source. */
static void
source_id_register(void)
{
    uint32_t id = ioapic_id();

    ioapic_set_id(5);
    expect_source(IRTE_SVT(SVT_SID) | IOAPIC_SID, true);
    expect_source(IRTE_SVT(SVT_SID) | 5, false);
    ioapic_set_id(id);
}

const struct test pin_tests[] = {
    { "pin-edge", edge, false },
    { "pin-pit", pit, false },
    { "pin-level-broadcast", level_broadcast, false },
    { "pin-level-by-edge", level_by_edge, false },
    { "pin-level-second", level_second, false },
    { "pin-level-made-present", level_made_present, false },
    { "pin-edge-made-present", edge_made_present, false },
    { "pin-index-range", index_range, false },
    { "pin-compat-blocked", compat_blocked, false },
    { "pin-source-exact", source_exact, false },
    { "pin-source-qualified", source_qualified, false },
    { "pin-source-bus", source_bus, false },
    { "pin-source-fpd", source_fpd, false },
    { "pin-source-id-register", source_id_register, false },
    { NULL, NULL, false },
};
