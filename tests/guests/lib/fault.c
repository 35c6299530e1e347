/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/lib/console.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define RECORDS_MAX 256u
#define RECORD_F    (1ull << 63)
#define RECORD_PP   (1ull << 31)

#define FAULT_US      2000000u
#define FAULT_POLL_US 500u

unsigned
faults_max(void)
{
    return (unsigned)CAP_NFR(unit_read64(VTD_CAP));
}

/* Each look is an exit to the emulator: not in a tight loop. */
bool
fault_wait(void)
{
    uint64_t start = time_us();

    while (!(unit_read32(VTD_FSTS) & FSTS_PPF)) {
        if (time_us() - start > FAULT_US)
            return false;
        time_sleep_us(FAULT_POLL_US);
    }
    return true;
}

/* [VT-d 4.1, "Fault Recording Registers"] */
static bool
record_take(uint32_t off, struct fault *fault)
{
    uint64_t hi = unit_read64(off + 8);
    uint64_t lo;

    if (!(hi & RECORD_F))
        return false;
    lo = unit_read64(off);
    fault->index = (uint16_t)(lo >> 48);
    fault->addr = lo & ~0xfffull;
    fault->pasid = hi & RECORD_PP ? (uint32_t)(hi >> 40) & 0xfffff : NO_PASID;
    fault->read = hi >> 62 & 1;
    fault->sid = (uint16_t)hi;
    fault->reason = (uint8_t)(hi >> 32);
    unit_write32(off + 12, 1u << 31);
    return true;
}

unsigned
faults_take(struct fault *fault, unsigned max)
{
    uint64_t cap = unit_read64(VTD_CAP);
    unsigned records = (unsigned)CAP_NFR(cap);
    unsigned first = FSTS_FRI(unit_read32(VTD_FSTS));
    unsigned n = 0;

    for (unsigned i = 0; i < records && n < max; i++) {
        unsigned record = (first + i) % records;

        if (!record_take((uint32_t)CAP_FRO(cap) + record * 16, &fault[n]))
            break;
        n++;
    }
    unit_write32(VTD_FSTS, FSTS_PFO);
    return n;
}

bool
expect_one_fault(struct fault *fault)
{
    struct fault found[2] = { 0 };
    unsigned n;

    if (!expect(fault_wait(), "a fault is recorded"))
        return false;
    n = faults_take(found, 2);
    *fault = found[0];
    return expect_eq("number of faults", 1, n);
}

void
expect_fault(uint8_t reason, uint16_t index, uint16_t sid)
{
    struct fault fault;

    if (!expect_one_fault(&fault))
        return;
    expect_eq("fault reason", reason, fault.reason);
    expect_eq("fault index", index, fault.index);
    expect_eq("fault source id", sid, fault.sid);
    expect_eq("fault status afterwards", 0,
              unit_read32(VTD_FSTS) & (FSTS_PFO | FSTS_PPF));
}

void
expect_no_fault(void)
{
    expect_eq("fault status", 0,
              unit_read32(VTD_FSTS) & (FSTS_PFO | FSTS_PPF | FSTS_IQE));
}

static void
event_program(uint32_t control, uint8_t vector)
{
    uint32_t id = cpu_apic_id(0);

    unit_write32(control + 0x4, vector);
    unit_write32(control + 0x8, (uint32_t)msi_compatible(id));
    unit_write32(control + 0xc, id & ~0xffu);
    unit_write32(control, 0);
}

void
fault_event(uint8_t vector)
{
    event_program(VTD_FECTL, vector);
}

void
completion_event(uint8_t vector)
{
    event_program(VTD_IECTL, vector);
}
