/* SPDX-License-Identifier: GPL-2.0-only */
/* When a change of a table, of the table or of the mode takes effect. */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define COMPAT_INDEX 0u

/* Send in compatibility format to processor 0 and expect its arrival. */
static void
expect_compat_arrives(void)
{
    uint8_t vector = irq_vector();

    edu_msi(msi_compatible(cpu_apic_id(0)), vector);
    expect_irq(vector, 0);
}

static void
expect_compat_blocked(void)
{
    uint8_t vector = irq_vector();

    edu_msi(msi_compatible(cpu_apic_id(0)), vector);
    expect_fault(FAULT_COMPAT, COMPAT_INDEX, MSI_SID);
    expect_eq("blocked interrupts", 0, irq_count(vector));
}

/*
 * The unit may not keep that an entry was not present: without CAP.CM
 * software need not say that it now is.
 */
static void
made_present(void)
{
    uint8_t vector = irq_vector();

    send_index(30);
    expect_fault(FAULT_NOT_PRESENT, 30, MSI_SID);
    irte_write(30, irte_to_cpu(1, vector));
    send_index(30);
    expect_irq(vector, 1);
    expect_no_fault();
}

/* From then on it is known, and goes away when software says so. */
static void
made_absent(void)
{
    uint8_t vector = irq_vector();

    irte_write(31, irte_to_cpu(0, vector));
    send_index(31);
    expect_irq(vector, 0);
    irte_write(31, (struct irte){ 0 });
    expect(unit_flush(31, 0), "the invalidation completes");
    send_index(31);
    expect_fault(FAULT_NOT_PRESENT, 31, MSI_SID);
    expect_eq("interrupts", 1, irq_count(vector));
}

/* The next interrupt after the wait descriptor takes the new route. */
static void
changed(void)
{
    for (unsigned i = 0; i < 20; i++)
        expect_route_works(32, i % CPUS);
    expect_no_fault();
}

/* Eight known entries change; @flushed of them from @first are flushed. */
static void
change_eight(bool (*flush)(void), uint32_t first, uint32_t flushed)
{
    uint8_t vector[8];

    for (unsigned i = 0; i < 8; i++)
        expect_route_works(40 + i, 0);
    for (unsigned i = 0; i < 8; i++) {
        vector[i] = irq_vector();
        irte_write(40 + i, irte_to_cpu(1, vector[i]));
    }
    expect(flush(), "the invalidation completes");
    for (uint32_t i = first; i < first + flushed; i++) {
        send_index(i);
        expect_irq(vector[i - 40], 1);
    }
}

static bool
flush_four(void)
{
    return unit_flush(44, 2);
}

static void
changed_mask(void)
{
    change_eight(flush_four, 44, 4);
}

static void
changed_all(void)
{
    change_eight(unit_flush_all, 40, 8);
}

/* The largest mask there is, and an index beyond the table: both harmless. */
static void
wide_mask(void)
{
    expect_route_works(33, 0);
    irte_write(33, (struct irte){ 0 });
    expect(unit_flush(0, 15), "the widest invalidation completes");
    send_index(33);
    expect_fault(FAULT_NOT_PRESENT, 33, MSI_SID);
    expect(unit_flush(0xffff, 15), "one beyond the table completes");
    expect_no_fault();
}

static void
second_table(void)
{
    uint8_t first = irq_vector();
    uint8_t second = irq_vector();

    irte_write(50, irte_to_cpu(0, first));
    send_index(50);
    expect_irq(first, 0);
    expect(table_latch(1, 7), "a second table is latched");
    irte_write(50, irte_to_cpu(1, second));
    send_index(50);
    expect_irq(second, 1);
    expect(table_latch(0, 7), "the first table is latched again");
    send_index(50);
    expect(irq_wait(first, 2, IRQ_US), "the first route is back");
    expect_eq("interrupts of the second", 1, irq_count(second));
    expect_no_fault();
}

/* IRTA is written, but SIRTP is not: the old table stays in use. */
static void
not_latched(void)
{
    uint64_t irta = unit_read64(VTD_IRTA);

    unit_write64(VTD_IRTA, 1ull << 40);
    expect_route_works(51, 0);
    unit_write64(VTD_IRTA, irta);
    expect_no_fault();
}

static void
smaller_table(void)
{
    expect_route_works(200, 0);
    expect(table_latch(0, 5), "a table of 64 entries is latched");
    send_index(200);
    expect_fault(FAULT_INDEX_RANGE, 200, MSI_SID);
    expect_route_works(63, 1);
}

static void
compat_blocked(void)
{
    expect_compat_blocked();
    expect_route_works(52, 0);
}

static void
remapping_off(void)
{
    expect(unit_command(GCMD_IRE, false), "remapping goes off");
    expect_compat_arrives();
    expect(unit_command(GCMD_IRE, true), "remapping goes on");
    expect_compat_blocked();
    expect_route_works(53, 1);
}

/* In the mode of 32-bit destinations GCMD.CFI lets nothing pass. */
static void
cfi_extended(void)
{
    expect(unit_command(GCMD_CFI, true), "GSTS.CFIS is set");
    expect_compat_blocked();
    expect(unit_command(GCMD_CFI, false), "GSTS.CFIS is cleared");
    expect_compat_blocked();
}

/* With 8-bit destinations it does, and only there. */
static void
cfi(void)
{
    bool eime = unit_eime();

    unit_set_eime(false);
    expect(unit_start(), "the unit starts with 8-bit destinations");
    expect_compat_blocked();
    expect(unit_command(GCMD_CFI, true), "GSTS.CFIS is set");
    expect_compat_arrives();
    expect_route_works(54, 1);
    expect(unit_command(GCMD_CFI, false), "GSTS.CFIS is cleared");
    expect_compat_blocked();
    unit_set_eime(eime);
    expect(unit_start(), "the unit starts in the mode it was in");
    expect_route_works(55, 1);
}

const struct test table_tests[] = {
    { "table-made-present", made_present, false },
    { "table-made-absent", made_absent, false },
    { "table-changed", changed, false },
    { "table-changed-mask", changed_mask, false },
    { "table-changed-all", changed_all, false },
    { "table-wide-mask", wide_mask, false },
    { "table-second", second_table, false },
    { "table-not-latched", not_latched, false },
    { "table-smaller", smaller_table, false },
    { "compat-blocked", compat_blocked, false },
    { "remapping-off", remapping_off, false },
    { "compat-cfi-extended", cfi_extended, true },
    { "compat-cfi", cfi, false },
    { NULL, NULL, false },
};
