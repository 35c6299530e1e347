/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/ir/unit.h"

#include <stddef.h>

#include "tests/guests/ir/cpu.h"

#define GCMD_LASTING (GCMD_QIE | GCMD_IRE | GCMD_CFI)
#define GCMD_TE      (1u << 31)
#define FSTS_ERRORS  0x71u /* PFO, IQE, ICE, ITE: write 1 to clear          */

#define COMMAND_US 1000000u
#define STATUS_US  5000000u

#define TABLE_ENTRIES_MAX 65536u
#define PAGE_ALIGNED      __attribute__((aligned(4096)))

static struct desc queue[256u << QUEUE_ORDER_MAX] PAGE_ALIGNED;
static uint32_t queue_order;
static uint32_t queue_tail;
static volatile uint32_t wait_status;
static uint32_t wait_value;

static struct irte tables[TABLES][TABLE_ENTRIES_MAX] PAGE_ALIGNED;
static unsigned table_used;
static bool eime;
static uint32_t command; /* lasting bits of GCMD, as last written           */

/* --- registers ------------------------------------------------------------ */

uint32_t
unit_read32(uint32_t off)
{
    return mmio_read32(UNIT_BASE + off);
}

uint64_t
unit_read64(uint32_t off)
{
    return mmio_read64(UNIT_BASE + off);
}

void
unit_write32(uint32_t off, uint32_t val)
{
    mmio_write32(UNIT_BASE + off, val);
}

void
unit_write64(uint32_t off, uint64_t val)
{
    mmio_write64(UNIT_BASE + off, val);
}

bool
unit_command(uint32_t bit, bool set)
{
    uint64_t start = time_us();

    command = set ? command | bit : command & ~bit;
    unit_write32(VTD_GCMD, command);
    command &= GCMD_LASTING;
    while (!(unit_read32(VTD_GSTS) & bit) == set)
        if (time_us() - start > COMMAND_US)
            return false;
    return true;
}

/* --- the unit as a whole -------------------------------------------------- */

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

static void
faults_clear(void)
{
    uint64_t cap;

    if (!unit_read32(VTD_FSTS))
        return;
    cap = unit_read64(VTD_CAP);
    for (unsigned i = 0; i < CAP_NFR(cap); i++)
        unit_write32((uint32_t)CAP_FRO(cap) + i * 16 + 12, 1u << 31);
    unit_write32(VTD_FSTS, FSTS_ERRORS);
}

bool
unit_stop(void)
{
    bool ok = true;

    command = unit_read32(VTD_GSTS) & GCMD_LASTING;
    if (command & GCMD_CFI)
        ok = unit_command(GCMD_CFI, false);
    if (command & GCMD_IRE)
        ok = unit_command(GCMD_IRE, false) && ok;
    if (command & GCMD_QIE)
        ok = unit_command(GCMD_QIE, false) && ok;
    return ok;
}

bool
unit_start(void)
{
    bool ok = unit_stop();

    unit_write32(VTD_FECTL, EVENT_IM);
    unit_write32(VTD_IECTL, EVENT_IM);
    unit_write32(VTD_FEUADDR, 0);
    unit_write32(VTD_IEUADDR, 0);
    faults_clear();
    unit_write32(VTD_ICS, ICS_IWC);
    for (unsigned which = 0; which < TABLES; which++)
        table_clear(which, 7);
    return queue_start(0) && table_latch(0, 7) &&
           unit_command(GCMD_IRE, true) && ok;
}

/* --- the invalidation queue ----------------------------------------------- */

bool
queue_start(unsigned order)
{
    queue_order = order;
    queue_tail = 0;
    unit_write64(VTD_IQT, 0);
    unit_write64(VTD_IQA, gpa_of(queue) | order);
    return unit_command(GCMD_QIE, true);
}

uint32_t
queue_size(void)
{
    return 256u << queue_order;
}

struct desc *
queue_slot(uint32_t slot)
{
    return &queue[slot];
}

uint32_t
queue_put(struct desc desc)
{
    uint32_t slot = queue_tail;

    queue[slot] = desc;
    queue_tail = (slot + 1) % queue_size();
    return slot;
}

void
queue_set_tail(uint32_t slot)
{
    queue_tail = slot;
}

void
queue_doorbell(void)
{
    unit_write64(VTD_IQT, (uint64_t)queue_tail << 4);
}

void
queue_put_wait(void)
{
    wait_value++;
    queue_put((struct desc){
        .lo = DESC_WAIT | WAIT_SW | (uint64_t)wait_value << 32,
        .hi = gpa_of(&wait_status),
    });
}

bool
queue_wait_done(void)
{
    return time_wait(&wait_status, wait_value, STATUS_US);
}

bool
queue_sync(void)
{
    queue_put_wait();
    queue_doorbell();
    return queue_wait_done();
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

/* --- the interrupt remapping table ---------------------------------------- */

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
