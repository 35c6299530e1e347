/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define VECTOR_NMI 2u
#define DLM_LOWEST 1u
#define DLM_NMI    4u

void
send_index(uint32_t index)
{
    edu_msi(msi_remappable(index), 0);
}

void
expect_irq(uint8_t vector, unsigned cpu)
{
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives");
    expect_eq("interrupts on the right processor", 1,
              irq_count_on(vector, cpu));
    expect_eq("interrupts on all", 1, irq_count(vector));
}

void
expect_route_works(uint32_t index, unsigned cpu)
{
    uint8_t vector = irq_vector();

    irte_write(index, irte_to_cpu(cpu, vector));
    expect(unit_flush(index, 0), "the invalidation completes");
    send_index(index);
    expect_irq(vector, cpu);
}

static void
physical(void)
{
    expect_route_works(1, 0);
    expect_route_works(2, 1);
    expect_route_works(UNIT_ENTRIES - 1, 0);
    expect_no_fault();
}

static void
logical(void)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        uint8_t vector = irq_vector();
        struct irte irte = irte_to(cpu_logical_id(cpu), vector);

        irte.lo |= IRTE_LOGICAL;
        irte_write(3 + cpu, irte);
        send_index(3 + cpu);
        expect_irq(vector, cpu);
    }
    expect_no_fault();
}

/* Both processors' logical ids in one destination. */
static struct irte
to_both(uint8_t vector)
{
    struct irte irte = irte_to(cpu_logical_id(0) | cpu_logical_id(1), vector);

    irte.lo |= IRTE_LOGICAL;
    return irte;
}

static void
expect_both(uint8_t vector)
{
    expect(irq_wait(vector, 2, IRQ_US), "both interrupts arrive");
    expect_eq("on processor 0", 1, irq_count_on(vector, 0));
    expect_eq("on processor 1", 1, irq_count_on(vector, 1));
}

static void
logical_both(void)
{
    uint8_t vector = irq_vector();

    irte_write(5, to_both(vector));
    send_index(5);
    expect_both(vector);
}

static void
broadcast(void)
{
    uint8_t vector = irq_vector();

    irte_write(5, irte_to(unit_eime() ? ~0u : 0xff, vector));
    send_index(5);
    expect_both(vector);
}

/* One of several, by delivery mode or by redirection hint. */
static void
expect_one_of_both(uint64_t flag)
{
    uint8_t vector = irq_vector();
    struct irte irte = to_both(vector);

    irte.lo |= flag;
    irte_write(6, irte);
    expect(unit_flush(6, 0), "the invalidation completes");
    send_index(6);
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives");
    time_sleep_us(QUIET_US);
    expect_eq("interrupts", 1, irq_count(vector));
}

static void
one_of_both(void)
{
    expect_one_of_both(IRTE_DLM(DLM_LOWEST));
    expect_one_of_both(IRTE_RH);
}

static void
nmi(void)
{
    uint32_t before = irq_count_on(VECTOR_NMI, 1);
    struct irte irte = irte_to_cpu(1, 0);

    irte.lo |= IRTE_DLM(DLM_NMI);
    irte_write(7, irte);
    send_index(7);
    expect(irq_wait(VECTOR_NMI, before + 1, IRQ_US), "the NMI arrives");
    expect_eq("NMIs on processor 1", before + 1, irq_count_on(VECTOR_NMI, 1));
}

/* An entry for each message of a multi-message device. */
static void
subhandle(void)
{
    for (unsigned i = 0; i < 4; i++) {
        uint8_t vector = irq_vector();

        irte_write(16 + i, irte_to_cpu(i % CPUS, vector));
        edu_msi(msi_remappable(16) | MSI_SHV, (uint16_t)i);
        expect_irq(vector, i % CPUS);
    }
    expect_no_fault();
}

/* Without SHV the data is no part of the index. */
static void
subhandle_not_valid(void)
{
    uint8_t vector = irq_vector();

    irte_write(20, irte_to_cpu(0, vector));
    edu_msi(msi_remappable(20), 3);
    expect_irq(vector, 0);
}

/* Index bit 15 is elsewhere in the address; the largest table there is. */
static void
high_index(void)
{
    static const uint32_t index[] = { 0x7fff, 0x8000, 0x8123, 0xffff };

    table_clear(1, 15);
    expect(table_latch(1, 15), "a table of 65,536 entries is latched");
    for (size_t i = 0; i < sizeof(index) / sizeof(index[0]); i++)
        expect_route_works(index[i], i % CPUS);
    expect_no_fault();
}

static void
rapid(void)
{
    uint8_t vector = irq_vector();
    const uint32_t n = 200;

    irte_write(8, irte_to_cpu(0, vector));
    for (uint32_t i = 1; i <= n; i++) {
        send_index(8);
        if (!expect(irq_wait(vector, i, IRQ_US), "every interrupt arrives"))
            return;
    }
    time_sleep_us(QUIET_US);
    expect_eq("interrupts", n, irq_count(vector));
}

/* Processor 0 sends as fast as it can, processor 1 takes them. */
static void
across(void)
{
    uint8_t vector = irq_vector();
    uint32_t before;

    irte_write(8, irte_to_cpu(1, vector));
    send_index(8);
    expect(irq_wait(vector, 1, IRQ_US), "the first interrupt arrives");
    for (unsigned i = 0; i < 50; i++)
        send_index(8);
    time_sleep_us(QUIET_US);
    before = irq_count(vector);
    send_index(8);
    expect(irq_wait(vector, before + 1, IRQ_US), "the last one arrives");
    expect_eq("interrupts on processor 0", 0, irq_count_on(vector, 0));
    expect_no_fault();
}

const struct test msi_tests[] = {
    { "msi-physical", physical, false },
    { "msi-logical", logical, false },
    { "msi-logical-both", logical_both, false },
    { "msi-broadcast", broadcast, false },
    { "msi-one-of-both", one_of_both, false },
    { "msi-nmi", nmi, false },
    { "msi-subhandle", subhandle, false },
    { "msi-subhandle-not-valid", subhandle_not_valid, false },
    { "msi-high-index", high_index, false },
    { "msi-rapid", rapid, false },
    { "msi-across", across, false },
    { NULL, NULL, false },
};
