/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define TABLE_ENTRIES_MAX 65536u
#define PAGE_ALIGNED      __attribute__((aligned(4096)))

static struct irte tables[TABLES][TABLE_ENTRIES_MAX] PAGE_ALIGNED;
static unsigned table_used;
static bool eime;

void
unit_set_eime(bool on)
{
    eime = on;
}

bool
unit_eime(void)
{
    return eime;
}

bool
unit_flush(uint32_t index, unsigned mask)
{
    queue_put((struct desc){
        .lo = DESC_IEC_GLOBAL | 1u << 4 | (uint64_t)mask << 27 |
              (uint64_t)index << 32,
    });
    return queue_sync();
}

bool
unit_flush_all(void)
{
    queue_put((struct desc){ .lo = DESC_IEC_GLOBAL });
    return queue_sync();
}

struct irte
irte_to(uint32_t dest, uint8_t vector)
{
    uint64_t field = eime ? dest : dest << 8;

    return (struct irte){
        .lo = IRTE_P | (uint64_t)vector << 16 | field << 32,
    };
}

struct irte
irte_to_cpu(unsigned cpu, uint8_t vector)
{
    return irte_to(cpu_apic_id(cpu), vector);
}

/*
 * An entry in use changes in one 16-byte access, as the specification wants
 * of software that does not clear P first.
 */
void
irte_write(uint32_t index, struct irte irte)
{
    struct irte *entry = &tables[table_used][index];
    uint64_t lo = entry->lo;
    uint64_t hi = entry->hi;

    __asm__ volatile("1: lock cmpxchg16b %0; jnz 1b"
                     : "+m"(*entry), "+a"(lo), "+d"(hi)
                     : "b"(irte.lo), "c"(irte.hi)
                     : "memory", "cc");
}

void
table_clear(unsigned which, unsigned order)
{
    for (unsigned i = 0; i < 2u << order; i++)
        tables[which][i] = (struct irte){ 0 };
}

bool
table_latch(unsigned which, unsigned order)
{
    table_used = which;
    unit_write64(VTD_IRTA,
                 gpa_of(tables[which]) | (eime ? IRTA_EIME : 0) | order);
    return unit_command(GCMD_SIRTP, true) && unit_flush_all();
}

/* [VT-d 4.1, "Interrupt Requests in Remappable Format"] */
uint64_t
msi_remappable(uint32_t index)
{
    return 0xfee00010u | (uint64_t)(index & 0x7fff) << 5 |
           (uint64_t)(index >> 15 & 1) << 2;
}

uint64_t
msi_compatible(uint32_t apic_id)
{
    return 0xfee00000u | (uint64_t)(apic_id & 0xff) << 12;
}
