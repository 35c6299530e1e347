/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/fuzz/ops.h"

#include <string.h>

#include "daemon/vtd/spec-regs.h"

/* Descriptors that one register write, or one vtd_run(), executes. */
#define BUDGET 256u

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- registers ----------------------------------------------------------- */

/* Offsets that do something, so that the fuzzer need not find them. */
static uint32_t
take_off(struct input *input)
{
    static const uint16_t offs[] = {
        0x018, 0x018, 0x018, 0x020, 0x028, 0x02c, 0x034, 0x034, 0x038,
        0x03c, 0x040, 0x044, 0x064, 0x068, 0x06c, 0x070, 0x078, 0x080,
        0x088, 0x088, 0x090, 0x09c, 0x0a0, 0x0a4, 0x0a8, 0x0ac, 0x0b8,
        0x0b8, 0x0c0, 0x0c8, 0x0d0, 0x0dc, 0x0e0, 0x0e4, 0x0e8, 0x0ec,
        0x0f0, 0x0f8, 0x0fc, 0x228, 0x22c, 0x23c, 0x29c,
    };
    uint32_t pick = (uint32_t)take(input, 2);

    return pick & 0x8000 ? pick % VTD_MMIO_SIZE : offs[pick % COUNT(offs)];
}

/* Addresses in memory are few and mostly exist. */
static uint64_t
sane_value(uint32_t off, uint64_t val)
{
    switch (off) {
    case VTD_OFF_RTADDR:
        return (val & 0xc00) | (val >> 4 & 0xf) << 12;
    case VTD_OFF_IQA:
    case VTD_OFF_PQA:
        return (val & 0x807) | (val >> 3 & 0xf) << 12;
    case VTD_OFF_IRTA:
        return (val & 0x80f) | (val >> 4 & 0xf) << 12;
    case VTD_OFF_IQT:
    case VTD_OFF_PQH:
    case VTD_OFF_PQT:
        return (val & 0x3f) << 4;
    default:
        return val;
    }
}

void
op_write(struct input *input)
{
    uint32_t off = take_off(input);
    uint8_t shape = (uint8_t)take(input, 1);
    unsigned size = shape & 0x80 ? (shape & 7) + 1u : shape & 1 ? 8 : 4;
    uint64_t val = take(input, size);

    if (shape & 0x40) {
        val = sane_value(off, val);
    }
    vtd_mmio_write(guest.vtd, off, size, val);
    /* An access may cover two registers of four bytes. */
    guest_operation_check(2 * BUDGET);
}

void
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

void
op_poke(struct input *input)
{
    uint64_t gpa = take(input, 2) % (RAM_SIZE / 8) * 8;

    guest_quad_set(gpa, take(input, 8));
}

/* --- the queue ----------------------------------------------------------- */

/* One descriptor: a good one of a type with fields of the fuzzer's, or any. */
static void
take_desc(struct input *input, uint64_t desc[4])
{
    static const struct {
        uint64_t lo, lo_free, hi, hi_free;
    } shapes[] = {
        { 0x01, UINT64_C(0x3ffffffff0030), 0, 0 },
        { 0x02, 0xffff00f0, 0, UINT64_MAX },
        { 0x32, 0xffff00c0, 0, 0xfffff07f },
        { 0x03, UINT64_C(0xffff001fffff0000), 0, UINT64_MAX & ~0xffeu },
        { 0x04, UINT64_C(0x0000fffff8000010), 0, 0 },
        { 0x14, UINT64_C(0x0000ffff38000000), 0, 0 },
        { 0x05, UINT64_C(0xffffffff00000070), 0, 0xfffc },
        { 0x25, UINT64_C(0xffffffff00000000), 0, 0xfffc },
        { 0x85, 0x70, 0, 0 },
        { 0x06, UINT64_C(0x000fffffffff0030), 0, UINT64_MAX },
        { 0x07, UINT64_C(0x000fffffffff0030), 0, 0 },
        { 0x08, UINT64_C(0xffffffffffffffff), 0, UINT64_MAX },
        { 0x09, UINT64_C(0xffffffffffffffff), 0, 0x1ff8 },
        { 0x25, UINT64_C(0xffffffff00000000), 0, 0xfffc },
    };
    uint8_t pick = (uint8_t)take(input, 1);

    memset(desc, 0, 4 * sizeof(desc[0]));
    if (pick & 0x80) {
        desc[0] = take(input, 8);
        desc[1] = take(input, 8);
        desc[pick & 0x40 ? 2 : 3] = take(input, 1);
    } else {
        unsigned i = pick % COUNT(shapes);

        desc[0] = shapes[i].lo | (take(input, 8) & shapes[i].lo_free);
        desc[1] = shapes[i].hi | (take(input, 2) & shapes[i].hi_free);
        /* Its low byte on both ends, so that addresses are high, too. */
        desc[1] |= (desc[1] << 56) & shapes[i].hi_free;
    }
}

void
op_submit(struct input *input)
{
    struct vtd_queue_info info;
    unsigned n = (unsigned)take(input, 1);
    uint64_t desc[4];

    /* Seldom so many that they are not run at once. */
    n = n < 0xf0 ? n % 8 + 1 : 0x120;
    vtd_queue_info(guest.vtd, &info);
    for (unsigned i = 0; i < n; i++) {
        uint32_t slot = (info.tail + i) % info.entries;
        uint64_t gpa = info.base + (uint64_t)slot * info.entry_size;

        if (i < 8) {
            take_desc(input, desc);
        }
        for (unsigned k = 0; k < info.entry_size / 8; k++) {
            guest_quad_set(gpa + 8 * k, desc[k]);
        }
    }
    guest_write8(VTD_OFF_IQT,
                 (info.tail + n) % info.entries * (uint64_t)info.entry_size);
    guest_operation_check(BUDGET);
}

void
op_run(struct input *input)
{
    vtd_run(guest.vtd, (unsigned)take(input, 1));
    guest_operation_check(BUDGET);
}

/* --- devices ------------------------------------------------------------- */

struct vtd_dma_req
ops_request(struct input *input)
{
    /* Few pages, in all places that tables of each depth have. */
    static const uint8_t shifts[] = { 12, 12, 21, 21, 30, 39, 47, 48, 56, 57 };
    uint8_t bits = (uint8_t)take(input, 1);
    uint8_t more = (uint8_t)take(input, 1);
    uint8_t place = (uint8_t)take(input, 1);
    struct vtd_dma_req req = {
        .sid = bits >> 6,
        .access = bits & 7,
        .at = more % 3,
        .privileged = more & 0x08,
        .no_write = more & 0x10,
        .atomic = more & 0x20,
        .pasid = bits & 0x08 ? take(input, 1) & 7 : VTD_NO_PASID,
    };

    req.iova = take(input, 1) << 8 & 0xff00;
    req.iova |= (uint64_t)(place & 0xf) << shifts[place % COUNT(shifts)];
    if (bits & 0x10) {
        req.iova = take(input, 8);
    }
    if (bits & 0x20) {
        req.pasid = (uint32_t)take(input, 3) & 0xfffff;
    }
    return req;
}

void
op_translate(struct input *input)
{
    struct vtd_dma_req req = ops_request(input);
    struct vtd_dma_resp resp;

    (void)vtd_dma_translate(guest.vtd, &req, &resp);
    guest_operation_check(BUDGET);
}

void
op_page_request(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);
    struct vtd_page_req req = {
        .addr = take(input, 2) << 12,
        .pasid = bits & 1 ? (uint32_t)take(input, 1) : VTD_NO_PASID,
        .sid = bits >> 6,
        .group = bits & 0x20 ? 511 : bits >> 1 & 3,
        .access = bits >> 1 & 7,
        .privileged = bits & 0x08,
        .last = bits & 0x10,
        .stop_marker = bits == 0xff,
    };

    vtd_page_request(guest.vtd, &req);
    CHECK(guest.responses <= 1);
    guest_operation_check(1);
}

void
op_remap(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);
    uint64_t addr = bits & 1 ? take(input, 8)
                             : 0xfee00010 | (take(input, 1) << 5) | (bits & 8);
    uint32_t data = (uint32_t)take(input, bits & 2 ? 4 : 1);
    struct vtd_route route;

    (void)vtd_ir_remap(guest.vtd, addr, data, (uint16_t)take(input, 2),
                       bits & 4, &route);
}

void
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
    vtd_ir_event(guest.vtd, &event);
    CHECK(guest.retries <= (event.reason == VTD_FR_IR_NOT_PRESENT));
}

/* --- the world ----------------------------------------------------------- */

void
op_sinks(struct input *input)
{
    guest.late = take(input, 1) & 1;
}

void
op_acknowledge(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);

    if (bits & 0x80) {
        /* A token of nobody's. */
        vtd_sync_done(guest.vtd, take(input, 8), VTD_SYNC_OK, 0);
    } else {
        guest_acknowledge(bits & 3, (enum vtd_sync_status)(bits >> 2 & 3) % 3,
                          (uint16_t)take(input, 1));
    }
    guest_operation_check(BUDGET);
}

void
op_race(struct input *input)
{
    guest.races = (unsigned)take(input, 1);
}

void
op_inspect(struct input *input)
{
    uint32_t i = (uint32_t)take(input, 2);
    struct vtd_fault_info fault;
    struct vtd_route route;
    struct vtd_route announced;
    enum vtd_fr verdict;
    uint64_t raw[4];

    if (vtd_queue_inspect(guest.vtd, i, raw) == 0) {
        CHECK(vtd_desc_name(raw));
    }
    (void)vtd_irte_inspect(guest.vtd, i, raw, &verdict, &route, &announced);
    vtd_fault_info(guest.vtd, i % guest.config.fault_records, &fault);
    CHECK(vtd_fault_name(fault.reason));
}

void
ops_run(struct input *input, op *const ops[], unsigned count)
{
    while (input->left > 0) {
        op *next = ops[take(input, 1) % count];

        guest_operation_begin();
        next(input);
        guest_registers_check();
    }
}

void
ops_enable(bool wide)
{
    uint32_t on = 0;
    static const struct {
        uint32_t set, latch;
    } steps[] = {
        { 0, VTD_GCMD_SRTP }, { VTD_GCMD_TE, 0 },  { 0, VTD_GCMD_SIRTP },
        { VTD_GCMD_IRE, 0 },  { VTD_GCMD_QIE, 0 },
    };

    guest_write8(VTD_OFF_IQA, 0x1000 | (wide ? 0x800 : 0));
    guest_write8(VTD_OFF_IRTA, 0x2000 | 0x800 | 7);
    guest_write8(VTD_OFF_RTADDR, 0x3000 | (wide ? 0x400 : 0));
    guest_write8(VTD_OFF_PQA, 0xf000);
    for (unsigned i = 0; i < COUNT(steps); i++) {
        on |= steps[i].set;
        guest_write4(VTD_OFF_GCMD, on | steps[i].latch);
    }
}
