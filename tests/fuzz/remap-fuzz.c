/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes interrupt remapping and posting against a deliberately simple second
 * opinion written from the specification:
 *
 *   - a request is remapped as a plain decoding of the entry says, and its
 *     fault is recorded or not as FPD says;
 *   - a posted one sets its bit, and notifies if it is to;
 *   - after an invalidation every route of its range that stands at the
 *     consumer is what the entry says, and the model knows of each.
 */
#include <string.h>

#include "daemon/vtd/spec-regs.h"
#include "tests/fuzz/ops.h"
#include "tests/fuzz/oracle.h"

static struct oracle oracle = { .ram = guest.ram, .ram_size = RAM_SIZE };

/* --- what must hold ------------------------------------------------------ */

struct answer {
    enum vtd_fr fr;
    bool fpd;
    bool posted;
    bool notify;
    struct oracle_post post;
    struct vtd_route route;
};

static void
expect_source(struct answer *want, const struct vtd_route *source, uint16_t sid,
              bool sid_valid)
{
    if (want->fr == VTD_FR_OK && sid_valid && !oracle_sid_passes(source, sid)) {
        want->fr = VTD_FR_IR_SID;
    }
}

/* An entry that was announced answers as it was then. */
static void
expect_entry(uint32_t index, uint16_t sid, bool sid_valid, struct answer *want)
{
    if (index < oracle.entries && guest_route_stands(index)) {
        want->fr = VTD_FR_OK;
        want->route = guest.route[index];
        want->fpd = want->route.fpd;
        expect_source(want, &want->route, sid, sid_valid);
        return;
    }
    want->posted = oracle_is_posted(&oracle, index, &want->post, &want->fr);
    if (want->posted) {
        want->fpd = guest.ram[oracle.base + index * 16] & 2;
        expect_source(want, &want->post.source, sid, sid_valid);
        if (want->fr == VTD_FR_OK) {
            want->fr = oracle_post(&oracle, &want->post, &want->notify);
        }
        return;
    }
    want->fr = oracle_decode(&oracle, index, &want->route, &want->fpd);
    expect_source(want, &want->route, sid, sid_valid);
}

static void
expect(uint64_t addr, uint32_t data, uint16_t sid, bool sid_valid,
       struct answer *want)
{
    uint32_t gsts = guest_read4(VTD_OFF_GSTS);
    uint32_t index =
        ((uint32_t)addr >> 5 & 0x7fff) | ((uint32_t)addr & 4 ? 0x8000 : 0);
    bool shv = addr & 8;

    memset(want, 0, sizeof(*want));
    want->route.index = UINT32_MAX;
    if (!(gsts & 0x02000000)) {
        want->fr = VTD_FR_OK;
    } else if (!(addr & 0x10)) {
        want->fr =
            oracle.eime || !(gsts & 0x00800000) ? VTD_FR_IR_COMPAT : VTD_FR_OK;
    } else if (addr >> 20 != 0xfee || (shv && data >> 16 != 0)) {
        want->fr = VTD_FR_IR_REQ_RSVD;
    } else {
        expect_entry(index + (shv ? data : 0), sid, sid_valid, want);
    }
}

static void
check_posted(const struct answer *want, const struct vtd_route *got)
{
    uint64_t bit = want->post.pid * 8 + want->post.vector;

    CHECK(!got->present);
    CHECK(guest.ram[bit / 8] >> bit % 8 & 1);
    CHECK(guest.msis == want->notify);
    CHECK(!want->notify || (guest.ram[want->post.pid + 32] & 1));
}

static void
op_check_remap(struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);
    uint64_t addr = bits & 1 ? take(input, 8)
                             : 0xfee00010 | (take(input, 1) << 5) | (bits & 8);
    uint32_t data = (uint32_t)take(input, bits & 2 ? 4 : 1);
    uint16_t sid = (uint16_t)take(input, 2);
    uint64_t faults = vtd_stat_value(guest.vtd, VTD_STAT_FAULT);
    uint64_t events = vtd_stat_value(guest.vtd, VTD_STAT_EVENT);
    struct vtd_route got;
    struct answer want;

    expect(addr, data, sid, bits & 4, &want);
    CHECK(vtd_ir_remap(guest.vtd, addr, data, sid, bits & 4, &got) == want.fr);
    if (want.fr == VTD_FR_OK && want.posted) {
        check_posted(&want, &got);
    } else if (want.fr == VTD_FR_OK) {
        CHECK(got.index == want.route.index);
        CHECK(got.index == UINT32_MAX || oracle_same_route(&got, &want.route));
    }
    CHECK(vtd_stat_value(guest.vtd, VTD_STAT_FAULT) ==
          faults + (want.fr != VTD_FR_OK && !want.fpd));
    CHECK(want.fr == VTD_FR_OK ||
          guest.msis == vtd_stat_value(guest.vtd, VTD_STAT_EVENT) - events);
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
op_check_memory(struct input *input)
{
    uint32_t index = (uint32_t)take(input, 1);
    struct vtd_route route;
    struct vtd_route announced;
    struct oracle_post post;
    struct vtd_route want;
    enum vtd_fr verdict;
    enum vtd_fr fr;
    uint64_t raw[2];
    bool fpd;

    if (vtd_irte_inspect(guest.vtd, index, raw, &verdict, &route, &announced)) {
        return;
    }
    if (!oracle_is_posted(&oracle, index, &post, &fr)) {
        fr = oracle_decode(&oracle, index, &want, &fpd);
        CHECK(verdict != VTD_FR_OK || oracle_same_route(&route, &want));
    }
    CHECK(fr == verdict);
    CHECK(announced.present == guest_route_stands(index));
    CHECK(!announced.present ||
          oracle_same_route(&announced, &guest.route[index]));
}

/* --- operations ---------------------------------------------------------- */

static void
unlatch(void)
{
    oracle.base = 0;
    oracle.entries = 0;
    oracle.eime = false;
    oracle.posts = guest.config.pi;
    oracle.top = UINT64_C(1) << guest.config.haw;
}

static void
latch(uint64_t irta, uint64_t command)
{
    guest_write8(VTD_OFF_IRTA, irta);
    irta = guest_read8(VTD_OFF_IRTA);
    oracle.base = irta >> 12 << 12;
    oracle.entries = 2u << (irta & 15);
    oracle.eime = irta & 0x800;
    guest_write4(VTD_OFF_GCMD, command | VTD_GCMD_SIRTP);
}

static void
op_latch(struct input *input)
{
    uint64_t val = take(input, 2);

    latch((val & 0x80f) | (val >> 4 & 0xf) << 12,
          take(input, 1) << 23 & 0x07800000);
}

/* Commands but SIRTP. */
static void
op_command(struct input *input)
{
    guest_write4(VTD_OFF_GCMD, take(input, 1) << 23 & 0x06800000);
}

/* An entry of the latched table: mostly legal, few bytes free. */
static void
op_entry(struct input *input)
{
    uint64_t gpa = oracle.base + take(input, 1) * 16;
    uint64_t lo = take(input, 3) << 16 | take(input, 1) | take(input, 1) << 40;
    uint64_t hi = take(input, 2) | (take(input, 1) & 0xf) << 16;

    guest_quad_set(gpa, lo & ~UINT64_C(0xff000000));
    guest_quad_set(gpa + 8, hi);
}

/* One of the other format, and sometimes the descriptor it names. */
static void
op_posted_entry(struct input *input)
{
    uint64_t gpa = oracle.base + take(input, 1) * 16;
    uint64_t lo = 0x8001 | (take(input, 1) & 0x42) << 8 | take(input, 1) << 16;
    uint64_t pid = take(input, 2) << 6;
    uint8_t bits = (uint8_t)take(input, 1);

    guest_quad_set(gpa, lo | pid << 32 | (bits & 2));
    guest_quad_set(gpa + 8, bits & 1 ? take(input, 8) : 0);
    if (bits & 4) {
        guest_quad_set(pid + 32, take(input, 1) | take(input, 1) << 16 |
                                     take(input, 1) << 40);
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
        guest_quad_set(oracle.base + index * 16, lo);
        guest_quad_set(oracle.base + index * 16 + 8, 0);
    }
}

/*
 * A clean invalidation by descriptor @lo: whatever the state was, afterwards
 * every route of the range that stands is the entry's, and nothing is pending.
 */
static void
invalidate(uint64_t lo, uint32_t first, uint32_t n)
{
    const uint64_t queue = (PAGES - 1) * PAGE_SIZE;
    const uint64_t desc[4] = { lo, 0, 5, 0 };
    uint32_t on = guest_read4(VTD_OFF_GSTS) & 0x02800000;

    guest_write4(VTD_OFF_GCMD, on);
    guest_write4(VTD_OFF_FSTS, 0x10);
    guest_write8(VTD_OFF_IQA, queue);
    guest_write8(VTD_OFF_IQT, 0);
    guest_write4(VTD_OFF_GCMD, on | 0x04000000);
    memcpy(&guest.ram[queue], desc, sizeof(desc));
    guest_write8(VTD_OFF_IQT, 0x20);
    CHECK(guest_read4(VTD_OFF_IQH) == 0x20);
    CHECK(!(guest_read4(VTD_OFF_FSTS) & 0x10));
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
op_resync(struct input *input)
{
    (void)input;
    memset(guest.routed, 0, sizeof(guest.routed));
    vtd_ir_resync(guest.vtd);
}

/* Requests while somebody else changes the descriptor: no second opinion. */
static void
op_remap_racing(struct input *input)
{
    guest.races = (unsigned)take(input, 1);
    op_remap(input);
    guest.races = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static op *const ops[] = {
        op_check_remap,  op_check_remap, op_check_remap, op_check_memory,
        op_latch,        op_command,     op_entry,       op_posted_entry,
        op_posted_entry, op_fill,        op_invalidate,  op_event,
        op_event,        op_poke,        op_resync,      op_remap_racing,
    };
    struct input input = { data, size };
    uint8_t bits = (uint8_t)take(&input, 1);

    guest_start(bits);
    unlatch();
    if (bits & 0x40) {
        latch(0x2000 | (bits & 0x80 ? 0x800 : 0) | 15, 0);
        guest_write4(VTD_OFF_GCMD, VTD_GCMD_IRE);
    }
    OPS_RUN(&input, ops);
    invalidate(4, 0, VTD_IRT_MAX);
    return 0;
}
