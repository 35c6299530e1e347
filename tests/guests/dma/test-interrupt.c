/* SPDX-License-Identifier: GPL-2.0-only */
/* The device's MSIs pass its unit's table, whoever delivers them. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define INDEX      5u
#define INTERRUPTS 0xfee00000u /* what is written there is one             */
#define IRQ_US     3000000u
#define QUIET_US   50000u

#define SOURCE 0u
#define TARGET 1u

/* An entry for this device, or for @sid alone. */
static void
route(uint32_t index, unsigned cpu, uint8_t vector, uint16_t sid)
{
    struct irte irte = irte_to_cpu(cpu, vector);

    irte.hi = IRTE_SVT(SVT_SID) | sid;
    irte_write(index, irte);
    expect(unit_flush(index, 0), "the invalidation completes");
}

static void
expect_arrives(uint8_t vector, unsigned cpu)
{
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives");
    expect_eq("interrupts on the right processor", 1,
              irq_count_on(vector, cpu));
    expect_no_fault();
}

static void
arrives(const struct mode *mode)
{
    (void)mode;
    for (unsigned i = 0; i < 2 * CPUS; i++) {
        uint8_t vector = irq_vector();

        route(INDEX + i, i % CPUS, vector, edu_sid());
        edu_msi(msi_remappable(INDEX + i), 0);
        expect_arrives(vector, i % CPUS);
    }
}

/* Entries that let anyone, or a range of buses, or most of a function. */
static void
sources(const struct mode *mode)
{
    const uint64_t hi[] = {
        0,
        IRTE_SVT(SVT_BUS),
        IRTE_SVT(SVT_SID) | IRTE_SQ(3) | (edu_sid() ^ 5u),
    };

    (void)mode;
    for (size_t i = 0; i < sizeof(hi) / sizeof(hi[0]); i++) {
        uint8_t vector = irq_vector();
        struct irte irte = irte_to_cpu(0, vector);

        irte.hi = hi[i];
        irte_write(INDEX, irte);
        expect(unit_flush(INDEX, 0), "the invalidation completes");
        edu_msi(msi_remappable(INDEX), 0);
        expect_arrives(vector, 0);
    }
}

static void
wrong_source(const struct mode *mode)
{
    uint8_t vector = irq_vector();

    (void)mode;
    route(INDEX, 0, vector, (uint16_t)(edu_sid() ^ 8));
    edu_msi(msi_remappable(INDEX), 0);
    expect_fault(FAULT_SID, INDEX, edu_sid());
    time_sleep_us(QUIET_US);
    expect_eq("interrupts", 0, irq_count(vector));
}

static void
not_present(const struct mode *mode)
{
    (void)mode;
    edu_msi(msi_remappable(INDEX + 1), 0);
    expect_fault(FAULT_NOT_PRESENT, INDEX + 1, edu_sid());
    edu_msi(msi_remappable(UNIT_ENTRIES), 0);
    expect_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES, edu_sid());
}

static void
compatible(const struct mode *mode)
{
    uint8_t vector = irq_vector();

    (void)mode;
    edu_msi(msi_compatible(cpu_apic_id(0)), vector);
    expect_fault(FAULT_COMPAT, 0, edu_sid());
    expect_eq("interrupts", 0, irq_count(vector));
}

/* Without interrupt remapping it is what the processor takes. */
static void
off(const struct mode *mode)
{
    uint8_t vector = irq_vector();

    (void)mode;
    expect(unit_command(GCMD_IRE, false), "interrupt remapping stops");
    edu_msi(msi_compatible(cpu_apic_id(0)), vector);
    expect_arrives(vector, 0);
}

/* The interrupt at the end of DMA says that what it wrote is there. */
static void
after_dma(const struct mode *mode)
{
    (void)mode;
    expect(mode_start(&modes[MODE_LEGACY_4]), "remapping starts");
    map_page(IOVA, SOURCE, PERM_READ);
    map_page(IOVA + PAGE_SIZE, TARGET, PERM_RW);
    for (unsigned i = 0; i < 50; i++) {
        uint8_t vector = irq_vector();
        bool ok;

        frame_fill(SOURCE, (uint8_t)i);
        route(INDEX, i % CPUS, vector, edu_sid());
        edu_set_msi(msi_remappable(INDEX), 0);
        expect_read(IOVA, PAGE_SIZE);
        engine_start_write(IOVA + PAGE_SIZE, PAGE_SIZE, EDU_DMA_IRQ);
        ok = expect(irq_wait(vector, 1, IRQ_US), "the interrupt arrives") &&
             expect(frame_has(TARGET, (uint8_t)i, 0, PAGE_SIZE),
                    "what it is about is there") &&
             expect(engine_wait(), "the write ends") &&
             expect_eq("why", EDU_IRQ_DMA, edu_read32(EDU_IRQ_STATUS));
        edu_write32(EDU_IRQ_ACK, EDU_IRQ_DMA);
        if (!ok)
            return;
    }
}

/* DMA to the interrupt range is an interrupt, and not of this device's. */
static void
by_dma(const struct mode *mode)
{
    struct fault fault;

    (void)mode;
    expect(mode_start(&modes[MODE_LEGACY_4]), "remapping starts");
    space_map(&space, INTERRUPTS, frame_gpa(SOURCE), SHIFT_4K, PERM_RW);
    frame_fill(SOURCE, 1);
    expect(engine_write(INTERRUPTS, 64), "the write ends");
    expect_one_fault(&fault);
    expect(frame_has(SOURCE, 1, 0, PAGE_SIZE), "memory is as it was");
}

const struct test interrupt_tests[] = {
    { "interrupt-arrives", arrives, NEED_IR },
    { "interrupt-sources", sources, NEED_IR },
    { "interrupt-wrong-source", wrong_source, NEED_IR },
    { "interrupt-not-present", not_present, NEED_IR },
    { "interrupt-compatible", compatible, NEED_IR },
    { "interrupt-off", off, NEED_IR },
    { "interrupt-after-dma", after_dma, NEED_IR | NEED_4_LEVELS },
    { "interrupt-by-dma", by_dma, NEED_IR | NEED_4_LEVELS },
    { NULL, NULL, 0 },
};
