/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/interrupt.h"

#include <string.h>

#include "tests/fuzz/oracle.h"
#include "tests/property/command.h"

#define ENTRIES 256u

unsigned long interrupt_checks;

static uint64_t
entry_at(uint32_t index)
{
    return AT_IRT + index * UINT64_C(16);
}

/* Mostly legal; posted entries have tests of their own. */
static void
change_entry(uint32_t index)
{
    uint64_t lo = (random64() & UINT64_C(0xff0000ff0fff)) | 1;
    uint64_t hi = random64() & 0x7ffff;
    unsigned mode = random_below(8);

    lo = (lo & ~UINT64_C(0xe0)) | (uint64_t)(mode == 3 ? 0 : mode) << 5;
    lo &= ~UINT64_C(0xff00000000);
    if (guest.eime) {
        lo |= random64() << 32;
    }
    if (random_one_in(8)) {
        lo &= ~UINT64_C(1);
    }
    if (random_one_in(8)) {
        hi ^= UINT64_C(1) << random_below(64);
    }
    if (random_one_in(8)) {
        lo ^= UINT64_C(1) << random_below(64);
        lo &= ~UINT64_C(0x8000);
    }
    guest_write(entry_at(index), lo);
    guest_write(entry_at(index) + 8, hi);
}

static void
check_request(uint32_t index)
{
    struct oracle oracle = {
        .ram = guest.io,
        .ram_size = IO_SIZE,
        .base = AT_IRT - AT_STATUS,
        .entries = ENTRIES,
        .eime = guest.eime,
    };
    uint16_t sid = (uint16_t)random64();
    bool announced = index < ENTRIES && guest.routed[index];
    uint64_t faults = vtd_stat_value(guest.vtd, VTD_STAT_FAULT);
    struct vtd_route want;
    struct vtd_route got;
    enum vtd_fr fr;
    enum vtd_fr said;
    bool fpd;

    if (announced) {
        /* It answers as it was when it was announced. */
        want = guest.route[index];
        fpd = want.fpd;
        fr = VTD_FR_OK;
    } else {
        fr = oracle_decode(&oracle, index, &want, &fpd);
    }
    if (fr == VTD_FR_OK && random_one_in(2)) {
        sid = want.sid;
    }
    if (fr == VTD_FR_OK && !oracle_sid_passes(&want, sid)) {
        fr = VTD_FR_IR_SID;
    }
    said = vtd_ir_remap(guest.vtd, 0xfee00010 | (index & 0x7fff) << 5, 0, sid,
                        true, &got);
    if (said != fr) {
        fail("index %u from %#x: reason %#x, the oracle says %#x", index, sid,
             said, fr);
    }
    if (fr == VTD_FR_OK && !oracle_same_route(&got, &want)) {
        fail("index %u: another route than the oracle's", index);
    }
    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        vtd_mmio_write(guest.vtd, 0x22c + i * 16, 4, 0x80000000);
    }
    if (vtd_stat_value(guest.vtd, VTD_STAT_FAULT) !=
        faults + (fr != VTD_FR_OK && !fpd)) {
        fail("index %u: reason %#x is recorded, or is not", index, fr);
    }
    interrupt_checks++;
}

/* What stands at the consumer is what the entry says. */
static void
check_routes(uint32_t first, uint32_t n)
{
    struct oracle oracle = {
        .ram = guest.io,
        .ram_size = IO_SIZE,
        .base = AT_IRT - AT_STATUS,
        .entries = ENTRIES,
        .eime = guest.eime,
    };

    for (uint32_t i = first; i < first + n; i++) {
        struct vtd_route want;
        bool fpd;

        if (guest.routed[i] &&
            (oracle_decode(&oracle, i, &want, &fpd) != VTD_FR_OK ||
             !oracle_same_route(&guest.route[i], &want))) {
            fail("entry %u: its route is out of date", i);
        }
    }
}

static void
miss(uint32_t index)
{
    struct vtd_ir_event event = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = index,
    };

    vtd_ir_event(guest.vtd, &event);
    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        vtd_mmio_write(guest.vtd, 0x22c + i * 16, 4, 0x80000000);
    }
}

void
interrupt_operation(void)
{
    uint32_t index = random_below(random_one_in(2) ? 4 : ENTRIES);
    unsigned im = random_below(9);

    switch (random_below(8)) {
    case 0:
    case 1:
        change_entry(index);
        break;
    case 2:
        index &= ~((1u << im) - 1) & (ENTRIES - 1);
        if (!command_invalidate_entries(index, im)) {
            break;
        }
        check_routes(im > 7 ? 0 : index, 1u << im);
        break;
    case 3:
        miss(index);
        break;
    case 4:
        if (random_one_in(16)) {
            command_toggle_eime();
        }
        break;
    default:
        check_request(random_one_in(64) ? ENTRIES + index : index);
        break;
    }
}
