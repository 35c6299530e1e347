/* SPDX-License-Identifier: GPL-2.0-only */
/* Reasons, records, FPD and overflow; all by MSI. */
#include <stddef.h>

#include "tests/guests/ir/device.h"
#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define NO_MEMORY (1ull << 40) /* far beyond the guest's                    */
#define RECORDS   256u

static void
index_range(void)
{
    send_index(UNIT_ENTRIES);
    expect_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES, MSI_SID);
    send_index(0xffff);
    expect_fault(FAULT_INDEX_RANGE, 0xffff, MSI_SID);
    expect_route_works(UNIT_ENTRIES - 1, 0);
}

/* The sum of index and subhandle counts. */
static void
subhandle_range(void)
{
    uint8_t vector = irq_vector();

    irte_write(UNIT_ENTRIES - 1, irte_to_cpu(0, vector));
    edu_msi(msi_remappable(UNIT_ENTRIES - 6) | MSI_SHV, 5);
    expect_irq(vector, 0);
    edu_msi(msi_remappable(UNIT_ENTRIES - 6) | MSI_SHV, 6);
    expect_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES, MSI_SID);
}

/* In the largest table the sum leaves 16 bits; it must not come round. */
static void
subhandle_overflow(void)
{
    struct fault fault;
    uint8_t vector = irq_vector();

    table_clear(1, 15);
    expect(table_latch(1, 15), "a table of 65,536 entries is latched");
    for (uint32_t i = 0; i < 32; i++)
        irte_write(i, irte_to_cpu(0, vector));
    edu_msi(msi_remappable(0xfff0) | MSI_SHV, 0x20);
    if (!expect(fault_wait(), "a fault is recorded"))
        return;
    expect_eq("faults", 1, faults_take(&fault, 1));
    expect_eq("fault reason", FAULT_INDEX_RANGE, fault.reason);
    expect_eq("interrupts", 0, irq_count(vector));
}

static void
not_present(void)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(0, vector);

    irte.lo &= ~IRTE_P;
    irte_write(60, irte);
    send_index(60);
    expect_fault(FAULT_NOT_PRESENT, 60, MSI_SID);
    expect_eq("interrupts", 0, irq_count(vector));
}

static void
table_access(void)
{
    unit_write64(VTD_IRTA, NO_MEMORY | (unit_eime() ? IRTA_EIME : 0) | 7);
    expect(unit_command(GCMD_SIRTP, true), "a table without memory is latched");
    expect(unit_flush_all(), "the invalidation completes");
    send_index(61);
    expect_fault(FAULT_TABLE_ACCESS, 61, MSI_SID);
    expect(table_latch(0, 7), "a good table is latched");
    expect_route_works(61, 0);
}

/* Write an entry with @lo and @hi added, and expect it to be refused. */
static void
expect_refused(uint64_t lo, uint64_t hi)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(0, vector);

    irte.lo |= lo;
    irte.hi |= hi;
    irte_write(62, irte);
    expect(unit_flush(62, 0), "the invalidation completes");
    send_index(62);
    expect_fault(FAULT_ENTRY_RESERVED, 62, MSI_SID);
    expect_eq("interrupts", 0, irq_count(vector));
}

static void
entry_reserved(void)
{
    expect_refused(1ull << 12, 0);
    expect_refused(1ull << 24, 0);
    expect_refused(0, 1ull << 20);
    expect_refused(0, 1ull << 63);
    expect_route_works(62, 0);
}

/* CAP.PI is clear: an entry of the posted format is a bad one. */
static void
entry_posted(void)
{
    expect_refused(IRTE_IM, 0);
}

static void
entry_svt(void)
{
    expect_refused(0, IRTE_SVT(3));
}

/* Bits that software may use as it likes are no reason to refuse. */
static void
entry_available(void)
{
    uint8_t vector = irq_vector();
    struct irte irte = irte_to_cpu(0, vector);

    irte.lo |= 0xfull << 8;
    irte_write(63, irte);
    send_index(63);
    expect_irq(vector, 0);
    expect_no_fault();
}

/*
 * Faults are recorded in order: when one that follows is there, and alone,
 * those before it left no record.
 */
static void
expect_only_next(void)
{
    send_index(65);
    expect_fault(FAULT_NOT_PRESENT, 65, MSI_SID);
}

static void
fpd(void)
{
    struct irte irte = irte_to_cpu(0, irq_vector());

    irte_write(64, (struct irte){ .lo = IRTE_FPD });
    send_index(64);
    expect_only_next();

    irte.lo |= IRTE_FPD | 1ull << 24;
    irte_write(64, irte);
    expect(unit_flush(64, 0), "the invalidation completes");
    send_index(64);
    expect_only_next();

    irte.lo |= IRTE_FPD | IRTE_IM;
    irte_write(64, irte);
    expect(unit_flush(64, 0), "the invalidation completes");
    send_index(64);
    expect_only_next();
}

/* FPD of an entry has no say where the entry is never looked at. */
static void
fpd_not_reached(void)
{
    irte_write(0, (struct irte){ .lo = IRTE_FPD });
    send_index(UNIT_ENTRIES);
    expect_fault(FAULT_INDEX_RANGE, UNIT_ENTRIES, MSI_SID);
    edu_msi(msi_compatible(cpu_apic_id(0)), irq_vector());
    expect_fault(FAULT_COMPAT, 0, MSI_SID);
}

/* Wait until FSTS.PFO is set. */
static bool
overflow_wait(void)
{
    uint64_t start = time_us();

    while (!(unit_read32(VTD_FSTS) & FSTS_PFO)) {
        if (time_us() - start > IRQ_US)
            return false;
        time_sleep_us(1000);
    }
    return true;
}

static void
overflow(void)
{
    struct fault fault[RECORDS];
    unsigned max = faults_max();
    unsigned n;

    for (uint32_t i = 0; i < max + 3; i++)
        send_index(70 + i);
    expect(overflow_wait(), "FSTS.PFO");
    n = faults_take(fault, RECORDS);
    expect_eq("records", max, n);
    for (unsigned i = 0; i < n; i++) {
        expect_eq("reason", FAULT_NOT_PRESENT, fault[i].reason);
        expect_eq("index, in order", 70 + i, fault[i].index);
    }
    expect_no_fault();
    send_index(90);
    expect_fault(FAULT_NOT_PRESENT, 90, MSI_SID);
}

/* While PFO stands nothing is recorded, even where a record is free. */
static void
overflow_stands(void)
{
    struct fault fault[RECORDS];
    unsigned max = faults_max();
    uint64_t cap = unit_read64(VTD_CAP);
    uint32_t fro = (uint32_t)CAP_FRO(cap);

    for (uint32_t i = 0; i < max + 1; i++)
        send_index(70 + i);
    expect(overflow_wait(), "FSTS.PFO");
    for (uint32_t i = 0; i < max; i++)
        unit_write32(fro + 16 * i + 12, 1u << 31);
    expect_eq("FSTS.PFO, PPF", FSTS_PFO,
              unit_read32(VTD_FSTS) & (FSTS_PFO | FSTS_PPF));
    send_index(100);
    time_sleep_us(QUIET_US);
    expect_eq("records", 0, faults_take(fault, RECORDS));
    expect_no_fault();
    send_index(101);
    expect_fault(FAULT_NOT_PRESENT, 101, MSI_SID);
}

/* Round the ring of records several times. */
static void
records_in_turn(void)
{
    unsigned n = 3 * faults_max() + 1;

    for (uint32_t i = 0; i < n; i++) {
        send_index(110 + i);
        expect_fault(FAULT_NOT_PRESENT, (uint16_t)(110 + i), MSI_SID);
    }
}

const struct test fault_tests[] = {
    { "fault-index-range", index_range, false },
    { "fault-subhandle-range", subhandle_range, false },
    { "fault-subhandle-overflow", subhandle_overflow, false },
    { "fault-not-present", not_present, false },
    { "fault-table-access", table_access, false },
    { "fault-entry-reserved", entry_reserved, false },
    { "fault-entry-posted", entry_posted, false },
    { "fault-entry-svt", entry_svt, false },
    { "fault-entry-available", entry_available, false },
    { "fault-fpd", fpd, false },
    { "fault-fpd-not-reached", fpd_not_reached, false },
    { "fault-overflow", overflow, false },
    { "fault-overflow-stands", overflow_stands, false },
    { "fault-records-in-turn", records_in_turn, false },
    { NULL, NULL, false },
};
