/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes a unit as a guest could: any access to the register page, any bytes
 * in guest memory, any interrupt request, any event of the consumer.  The
 * input is a list of operations.
 *
 * Besides not crashing, the model must agree with a deliberately simple
 * second opinion written from the specification:
 *
 *   - a request is remapped as a plain decoding of the entry says, and its
 *     fault is recorded or not as FPD says;
 *   - after an invalidation every route of its range that stands at the
 *     consumer is what the entry says, and the model knows of each;
 *   - what was told is what the registers say;
 *   - one register write does a bounded amount of work.
 */
#include <string.h>

#include "daemon/vtd/spec-regs.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/oracle.h"

/* Work of one register write or of one vtd_run() with this budget. */
#define BUDGET   256u
#define READ_MAX (BUDGET * 18u + 4096u)

/* --- what must hold ----------------------------------------------------- */

static struct oracle oracle = { .ram = guest.ram, .ram_size = RAM_SIZE };

static uint32_t
read4(uint32_t off)
{
    return (uint32_t)vtd_mmio_read(guest.vtd, off, 4);
}

/* An entry that was announced answers as it was then. */
static enum vtd_fr
cached_entry(uint32_t index, struct vtd_route *route, bool *fpd)
{
    if (index < oracle.entries && guest_route_stands(index)) {
        *route = guest.route[index];
        *fpd = route->fpd;
        return VTD_FR_OK;
    }
    return oracle_decode(&oracle, index, route, fpd);
}

static void
check_remap(uint64_t addr, uint32_t data, uint16_t sid, bool sid_valid)
{
    uint64_t faults = vtd_stat_value(guest.vtd, VTD_STAT_FAULT);
    uint32_t index =
        ((uint32_t)addr >> 5 & 0x7fff) | ((uint32_t)addr & 4 ? 0x8000 : 0);
    bool shv = addr & 8;
    struct vtd_route got;
    struct vtd_route want;
    enum vtd_fr fr;
    bool fpd = false;

    if (!(read4(0x1c) & 0x02000000)) {
        fr = VTD_FR_OK;
        want.index = UINT32_MAX;
    } else if (!(addr & 0x10)) {
        want.index = UINT32_MAX;
        fr = oracle.eime || !(read4(0x1c) & 0x00800000) ? VTD_FR_IR_COMPAT
                                                        : VTD_FR_OK;
    } else if (addr >> 20 != 0xfee || (shv && data >> 16 != 0)) {
        fr = VTD_FR_IR_REQ_RSVD;
    } else {
        fr = cached_entry(index + (shv ? data : 0), &want, &fpd);
        if (fr == VTD_FR_OK && sid_valid && !oracle_sid_passes(&want, sid)) {
            fr = VTD_FR_IR_SID;
        }
    }
    CHECK(vtd_ir_remap(guest.vtd, addr, data, sid, sid_valid, &got) == fr);
    if (fr == VTD_FR_OK) {
        CHECK(got.index == want.index);
        CHECK(want.index == UINT32_MAX || oracle_same_route(&got, &want));
    }
    CHECK(vtd_stat_value(guest.vtd, VTD_STAT_FAULT) ==
          faults + (fr != VTD_FR_OK && !fpd));
}

/* Each route of the range that stands is what its entry says now. */
static void
check_routes_fresh(uint32_t first, uint32_t n)
{
    for (uint32_t index = first; index < first + n; index++) {
        struct vtd_route want;
        bool fpd;

        if (guest.routed[index / 64] == 0) {
            index |= 63;
        } else if (guest_route_stands(index)) {
            CHECK(oracle_decode(&oracle, index, &want, &fpd) == VTD_FR_OK);
            CHECK(oracle_same_route(&guest.route[index], &want));
        }
    }
}

/* What the model remembers of each route is what the consumer was told. */
static void
check_route_memory(uint32_t index)
{
    struct vtd_route route;
    struct vtd_route announced;
    enum vtd_fr verdict;
    uint64_t raw[2];

    if (vtd_irte_inspect(guest.vtd, index, raw, &verdict, &route, &announced) ==
        0) {
        struct vtd_route want;
        bool fpd;

        CHECK(oracle_decode(&oracle, index, &want, &fpd) == verdict);
        CHECK(verdict != VTD_FR_OK || oracle_same_route(&route, &want));
        CHECK(announced.present == guest_route_stands(index));
        CHECK(!announced.present ||
              oracle_same_route(&announced, &guest.route[index]));
    }
}

static void
check_registers(void)
{
    uint32_t fsts = read4(0x34);
    bool pending = false;
    struct vtd_ir_state state;

    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        pending |= read4(0x22c + i * 16) >> 31;
    }
    CHECK(!(fsts & 2) == !pending);
    CHECK((fsts & ~0xff73u) == 0);
    CHECK((fsts >> 8) < guest.config.fault_records);
    /* IP is held only while masked, and only while there is a cause. */
    CHECK(!(read4(0x38) & 0x40000000) ||
          ((read4(0x38) & 0x80000000) && (fsts & 0x73)));
    CHECK(!(read4(0xa0) & 0x40000000) ||
          ((read4(0xa0) & 0x80000000) && (read4(0x9c) & 1)));
    CHECK((read4(0x80) & ~0x7fff0u) == 0);
    CHECK(!(read4(0x1c) & 0x3a000000 & ~0x02000000u));
    CHECK((read4(0x1c) & 0x04000000) || read4(0x80) == 0);
    vtd_ir_state_get(guest.vtd, &state);
    CHECK(state.enabled == ((read4(0x1c) >> 25) & 1));
    CHECK(state.entries == oracle.entries);
    if (guest.state_told) {
        CHECK(state.enabled == guest.state.enabled);
        CHECK(state.block_compat == guest.state.block_compat);
        CHECK(state.entries == guest.state.entries);
    }
}

/* --- operations --------------------------------------------------------- */

struct input {
    const uint8_t *data;
    size_t left;
};

static uint64_t
take(struct input *input, unsigned bytes)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < bytes && input->left > 0; i++) {
        val |= (uint64_t)*input->data << 8 * i;
        input->data++;
        input->left--;
    }
    return val;
}

/* Offsets that do something, so that the fuzzer need not find them. */
static uint32_t
take_off(struct input *input)
{
    static const uint16_t offs[] = {
        0x18, 0x18, 0x28, 0x2c, 0x34,  0x38,  0x3c,  0x40,  0x44,
        0x80, 0x88, 0x88, 0x90, 0x9c,  0xa0,  0xa4,  0xa8,  0xac,
        0xb8, 0xb8, 0xf8, 0xfc, 0x22c, 0x228, 0x23c, 0x29c,
    };
    uint32_t pick = (uint32_t)take(input, 2);

    if (pick & 0x8000) {
        return pick % VTD_MMIO_SIZE;
    }
    return offs[pick % (sizeof(offs) / sizeof(offs[0]))];
}

/* Addresses in memory are few and mostly exist. */
static uint64_t
sane_value(uint32_t off, uint64_t val)
{
    switch (off) {
    case VTD_OFF_IQA:
        return (val & 7) | (val >> 3 & 0xf) << 12;
    case VTD_OFF_IRTA:
        return (val & 0x80f) | (val >> 4 & 0xf) << 12;
    case VTD_OFF_IQT:
        return (val & 0x3f) << 4;
    default:
        return val;
    }
}

static void
oracle_unlatch(void)
{
    oracle.base = 0;
    oracle.entries = 0;
    oracle.eime = false;
}

static void
latch_if_commanded(uint32_t off, unsigned size, uint64_t val)
{
    unsigned shift = (VTD_OFF_GCMD - off) * 8;

    if (off <= VTD_OFF_GCMD && off + size >= VTD_OFF_GCMD + 4 &&
        (val >> shift & VTD_GCMD_SIRTP)) {
        uint64_t irta = vtd_mmio_read(guest.vtd, VTD_OFF_IRTA, 8);

        oracle.base = irta >> 12 << 12;
        oracle.entries = 2u << (irta & 15);
        oracle.eime = irta & 0x800;
    }
}

static void
op_write(struct input *input)
{
    uint32_t off = take_off(input);
    uint8_t shape = (uint8_t)take(input, 1);
    unsigned size = shape & 0x80 ? (shape & 7) + 1u : shape & 1 ? 8 : 4;
    uint64_t val = take(input, size);

    if (shape & 0x40) {
        val = sane_value(off, val);
    }
    guest.reads = 0;
    guest.writes = 0;
    /* An access that covers GCMD does not cover IRTA. */
    latch_if_commanded(off, size, val);
    vtd_mmio_write(guest.vtd, off, size, val);
    CHECK(guest.writes <= BUDGET * 2);
    CHECK(guest.reads <= READ_MAX * 2);
}

static void
op_read(struct input *input)
{
    uint32_t off = (uint32_t)take(input, 2) % VTD_MMIO_SIZE;
    unsigned size = (unsigned)take(input, 1) % 8 + 1;
    uint64_t val = vtd_mmio_read(guest.vtd, off, size);

    CHECK(size == 8 || val >> size * 8 == 0);
    for (unsigned i = 0; i < size && off + i < VTD_MMIO_SIZE; i++) {
        CHECK(vtd_mmio_read(guest.vtd, off + i, 1) == (val >> 8 * i & 0xff));
    }
}

static void
op_poke(struct input *input)
{
    uint64_t gpa = take(input, 2) % (RAM_SIZE / 8) * 8;
    uint64_t val = take(input, 8);

    memcpy(&guest.ram[gpa], &val, 8);
}

/* An entry of the latched table: mostly legal, one byte free. */
static void
op_poke_entry(struct input *input)
{
    uint64_t index = take(input, 1);
    uint64_t lo = take(input, 3) << 16 | take(input, 1) | take(input, 1) << 40;
    uint64_t hi = take(input, 2) | (take(input, 1) & 0xf) << 16;
    uint64_t gpa = oracle.base + index * 16;

    lo &= ~UINT64_C(0xff000000);
    if (guest_has(gpa, 16)) {
        memcpy(&guest.ram[gpa], &lo, 8);
        memcpy(&guest.ram[gpa + 8], &hi, 8);
    }
}

/* Hundreds of legal entries, so that ranges with many routes arise. */
static void
op_fill(struct input *input)
{
    uint64_t lo = (take(input, 1) << 16 | take(input, 1) << 40) | 1;
    uint64_t first = take(input, 2) % 4096;
    uint64_t n = take(input, 2) % 1024;

    for (uint64_t index = first; index < first + n; index++) {
        uint64_t gpa = oracle.base + index * 16;

        if (guest_has(gpa, 16)) {
            memcpy(&guest.ram[gpa], &lo, 8);
            memset(&guest.ram[gpa + 8], 0, 8);
        }
    }
}

/* Put descriptors where the queue's tail is, and ring. */
static void
op_submit(struct input *input)
{
    struct vtd_queue_info info;
    unsigned n = (unsigned)take(input, 1) % 8 + 1;

    vtd_queue_info(guest.vtd, &info);
    for (unsigned i = 0; i < n; i++) {
        uint32_t slot = (info.tail + i) % info.entries;
        uint64_t gpa = info.base + (uint64_t)slot * 16;
        uint8_t kind = (uint8_t)take(input, 1);
        uint64_t lo = kind % 4 == 0   ? 4
                      : kind % 4 == 1 ? 0x14 | (take(input, 4) << 27)
                      : kind % 4 == 2 ? 0x25 | take(input, 4) << 32
                                      : take(input, 8);
        uint64_t hi = kind % 4 == 2   ? take(input, 2) & ~3u
                      : kind % 4 == 3 ? take(input, 8)
                                      : 0;

        if (guest_has(gpa, 16)) {
            memcpy(&guest.ram[gpa], &lo, 8);
            memcpy(&guest.ram[gpa + 8], &hi, 8);
        }
    }
    guest.reads = 0;
    vtd_mmio_write(guest.vtd, VTD_OFF_IQT, 8,
                   (info.tail + n) % info.entries * UINT64_C(16));
    CHECK(guest.reads <= READ_MAX);
}

/*
 * A clean invalidation by descriptor @lo: whatever the state was, afterwards
 * every route of the range that stands is the entry's, and nothing is pending.
 */
static void
invalidate(uint64_t lo, uint32_t first, uint32_t n)
{
    const uint64_t desc[4] = { lo, 0, 5, 0 };
    uint32_t on = read4(0x1c) & 0x02800000;

    vtd_mmio_write(guest.vtd, VTD_OFF_GCMD, 4, on);
    vtd_mmio_write(guest.vtd, VTD_OFF_FSTS, 4, 0x10);
    vtd_mmio_write(guest.vtd, VTD_OFF_IQA, 8, (PAGES - 1) * PAGE_SIZE);
    vtd_mmio_write(guest.vtd, VTD_OFF_IQT, 8, 0);
    vtd_mmio_write(guest.vtd, VTD_OFF_GCMD, 4, on | 0x04000000);
    memcpy(&guest.ram[(PAGES - 1) * PAGE_SIZE], desc, sizeof(desc));
    vtd_mmio_write(guest.vtd, VTD_OFF_IQT, 8, 0x20);
    CHECK(read4(0x80) == 0x20);
    CHECK(!(read4(0x34) & 0x10));
    CHECK(!vtd_run_pending(guest.vtd));
    check_routes_fresh(first, n);
}

static void
op_invalidate(struct input *input)
{
    unsigned im = (unsigned)take(input, 1) % 17;
    uint32_t index = (uint32_t)take(input, 2);

    if (im == 16) {
        invalidate(4, 0, VTD_IRT_MAX);
    } else {
        invalidate(0x14 | (uint64_t)im << 27 | (uint64_t)index << 32,
                   index >> im << im, 1u << im);
    }
}

static void
op_event(struct input *input)
{
    static const uint8_t reasons[] = { 0x22, 0x22, 0x22, 0x20, 0x21,
                                       0x24, 0x25, 0x26, 0x00, 0x23 };
    struct vtd_ir_event event = {
        .reason = reasons[take(input, 1) % sizeof(reasons)],
        .index = (uint32_t)take(input, 2),
        .sid = (uint16_t)take(input, 2),
    };
    uint8_t bits = (uint8_t)take(input, 1);

    event.sid_valid = bits & 1;
    event.lost = bits & 2;
    event.index &= bits & 4 ? 0xff : 0xffff;
    guest.retries = 0;
    vtd_ir_event(guest.vtd, &event);
    CHECK(guest.retries <= (event.reason == VTD_FR_IR_NOT_PRESENT));
}

static void
op_remap(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);
    uint64_t addr = bits & 1 ? take(input, 8)
                             : 0xfee00010 | (take(input, 1) << 5) | (bits & 8);
    uint32_t data = (uint32_t)take(input, bits & 2 ? 4 : 1);

    check_remap(addr, data, (uint16_t)take(input, 2), bits & 4);
}

static void
op_other(struct input *input)
{
    uint64_t desc[4];
    struct vtd_fault_info fault;

    switch (take(input, 1) % 6) {
    case 0:
        vtd_run(guest.vtd, (unsigned)take(input, 1));
        break;
    case 1:
        oracle_unlatch();
        vtd_reset(guest.vtd);
        for (unsigned i = 0; i < VTD_IRT_MAX / 64; i++) {
            CHECK(guest.routed[i] == 0);
        }
        break;
    case 2:
        memset(guest.routed, 0, sizeof(guest.routed));
        vtd_ir_resync(guest.vtd);
        break;
    case 3:
        (void)vtd_queue_inspect(guest.vtd, (uint32_t)take(input, 2), desc);
        break;
    case 4:
        vtd_fault_info(guest.vtd, 0, &fault);
        CHECK(vtd_fault_name(fault.reason));
        break;
    default:
        check_route_memory((uint32_t)take(input, 1));
        break;
    }
}

/*
 * Units are kept from input to input, one a configuration, because creating
 * one costs more than an input does; a reset must leave nothing behind.
 */
static struct vtd *
unit_of(uint8_t bits)
{
    static struct vtd *units[64];
    struct vtd **unit = &units[bits & 0x3f];

    guest.config = (struct vtd_config){
        .ir = true,
        .haw = 52,
        .eim = bits & 1,
        .esirtps = bits & 2,
        .fault_records = (uint8_t)((bits >> 2 & 7) + 1),
    };
    if (!*unit) {
        *unit = vtd_create(&guest.config,
                           bits & 0x20 ? &guest_traced_ops : &guest_quiet_ops,
                           &guest);
        CHECK(*unit);
    }
    return *unit;
}

static void
start(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);

    oracle_unlatch();
    memset(guest.ram, 0, sizeof(guest.ram));
    guest.vtd = unit_of(bits);
    vtd_reset(guest.vtd);
    memset(guest.routed, 0, sizeof(guest.routed));
    guest.state_told = false;
    if (bits & 0x40) {
        /* Half way already: queue and table in place, remapping on. */
        vtd_mmio_write(guest.vtd, VTD_OFF_IQA, 8, 0x1000);
        vtd_mmio_write(guest.vtd, VTD_OFF_IRTA, 8,
                       0x2000 | (bits & 0x80 ? 0x800 : 0) | 15);
        latch_if_commanded(VTD_OFF_GCMD, 4, VTD_GCMD_SIRTP);
        vtd_mmio_write(guest.vtd, VTD_OFF_GCMD, 4, VTD_GCMD_SIRTP);
        vtd_mmio_write(guest.vtd, VTD_OFF_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_IRE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const ops[])(struct input * input) = {
        op_write, op_write, op_poke, op_poke_entry, op_submit,     op_event,
        op_remap, op_remap, op_read, op_other,      op_invalidate, op_fill,
    };
    struct input input = { data, size };

    start(&input);
    while (input.left > 0) {
        ops[take(&input, 1) % (sizeof(ops) / sizeof(ops[0]))](&input);
        check_registers();
    }
    invalidate(4, 0, VTD_IRT_MAX);
    return 0;
}
