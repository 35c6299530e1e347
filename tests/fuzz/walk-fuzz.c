/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the translation of requests: structures and tables of the fuzzer's in
 * guest memory, requests of all kinds.
 *
 *   - a translation costs a bounded number of reads and exchanges;
 *   - it permits what was asked for, and its address is one that the request
 *     itself or an entry in memory has;
 *   - after everything was invalidated, a unit with caches answers as one
 *     does that was loaded a moment ago and has none;
 *   - an explanation of a request changes nothing, and is the same then.
 */
#include <string.h>

#include "daemon/vtd/spec-regs.h"
#include "daemon/vtd/state.h"
#include "daemon/vtd/walk.h"
#include "tests/fuzz/ops.h"

/*
 * A nested walk of five and five levels, and what leads to it; a translation
 * request walks for one permission after the other.  Each attempt to set an
 * accessed or dirty bit, of which a walk makes a bounded number, repeats one
 * step of it.
 */
#define WALKS_MAX         4u
#define READS_OF_WALK     64u
#define READS_OF_EXCHANGE 6u
#define EXCHANGES_MAX     (WALKS_MAX * 512u)

/* --- what must hold ------------------------------------------------------ */

/* Some entry in memory, of whatever kind, has this address. */
static bool
is_named(uint64_t gpa, uint8_t shift)
{
    uint64_t page = gpa >> shift << shift & (UINT64_C(1) << 52) - 1;

    for (uint64_t at = 0; at < RAM_SIZE; at += 8) {
        uint64_t quad = guest_quad(at) & (UINT64_C(1) << 52) - 1;

        if (quad >> shift << shift == page) {
            return true;
        }
    }
    return false;
}

static void
check_response(const struct vtd_dma_req *req, const struct vtd_dma_resp *resp)
{
    /* Without a PASID nothing says that a read is for executing. */
    unsigned asked =
        req->access &
        (req->pasid == VTD_NO_PASID ? VTD_DMA_READ | VTD_DMA_WRITE : UINT8_MAX);

    CHECK(resp->shift == 12 || resp->shift == 21 || resp->shift == 30);
    CHECK(resp->access < 8);
    CHECK((resp->gpa & 0xfff) == (req->iova & 0xfff));
    if (req->at == VTD_AT_TRANSLATION) {
        return;
    }
    CHECK((asked & ~resp->access) == 0);
    CHECK(resp->gpa == req->iova || resp->gpa >> guest.config.haw == 0);
    CHECK(resp->gpa == req->iova || resp->gpa >> 20 != 0xfee);
}

/*
 * Where nothing is old: what is cached may have been overwritten since.
 * Nested: the page of the one stage lies in a larger one of the other.
 */
static void
check_named(const struct vtd_dma_req *req, const struct vtd_dma_resp *resp)
{
    if (req->at != VTD_AT_TRANSLATION && resp->gpa >> 12 != req->iova >> 12) {
        CHECK(is_named(resp->gpa, 12) || is_named(resp->gpa, 21) ||
              is_named(resp->gpa, 30));
    }
}

/* It walks twice, once for the steps and once for the answer. */
static enum vtd_fr
explain(struct vtd *vtd, const struct vtd_dma_req *req)
{
    struct vtd_trail trail;
    struct vtd_dma_ctx ctx;
    struct vtd_page page;
    enum vtd_fr fr;

    guest_operation_begin();
    fr = vtd_dma_inspect(vtd, req, &trail, &ctx, &page);
    CHECK(guest.exchanges == 0 && guest.writes == 0 && guest.responses == 0);
    CHECK(guest.reads <= 2 * READS_OF_WALK * READS_OF_EXCHANGE);
    CHECK(trail.count <= VTD_TRAIL_MAX);
    CHECK(fr != VTD_FR_OK || page.shift >= 12);
    return fr;
}

static enum vtd_fr
translate(struct vtd *vtd, const struct vtd_dma_req *req,
          struct vtd_dma_resp *resp)
{
    enum vtd_fr fr;

    memset(resp, 0, sizeof(*resp));
    (void)explain(vtd, req);
    guest_operation_begin();
    fr = vtd_dma_translate(vtd, req, resp);
    CHECK(guest.reads <=
          WALKS_MAX * READS_OF_WALK + READS_OF_EXCHANGE * guest.exchanges);
    CHECK(guest.exchanges <= EXCHANGES_MAX);
    CHECK(guest.writes == 0 && guest.responses == 0);
    if (fr == VTD_FR_OK) {
        check_response(req, resp);
    }
    return fr;
}

/* --- operations ---------------------------------------------------------- */

/*
 * An entry of any table in one of few places: what it points to is a page,
 * and its other bits are those that tables have.
 */
static uint64_t
take_entry(struct input *input)
{
    uint16_t bits = (uint16_t)take(input, 2);
    uint64_t entry = (bits & 0xf) * PAGE_SIZE;

    if (bits & 0x0010) {
        /* A large page, where there is no memory. */
        entry = (uint64_t)(bits & 0xf) << 30 | 0x80;
    }
    if (bits & 0x0020) {
        entry = (uint64_t)(bits & 0xf) << 21 | 0x80;
    }
    entry |= bits >> 6 & 0x007;
    if (bits & 0x1000) {
        entry |= take(input, 2) & 0xf7f;
    }
    if (bits & 0x2000) {
        entry |= take(input, 1) << 56;
    }
    return entry;
}

static void
op_entry(struct input *input)
{
    static const uint16_t indices[] = { 0, 1, 2, 3, 4, 8, 256, 511 };
    uint8_t place = (uint8_t)take(input, 1);
    uint64_t gpa = (place & 0xf) * PAGE_SIZE;

    guest_quad_set(gpa + indices[place >> 4 & 7] * UINT64_C(8),
                   take_entry(input));
}

/*
 * Where op_build() puts tables: each stage has one of each level, whose first
 * entry is the next one.  Pages 0 to 15 of either stage are those of memory.
 */
#define PAGE(n)   ((n)*PAGE_SIZE)
#define ROOT      PAGE(3)
#define CONTEXT   PAGE(4)
#define DIRECTORY PAGE(5)
#define PASIDS    PAGE(6)
#define FIRST     PAGE(7)
#define SECOND    PAGE(11)

/* Levels above the last one, each a page; the last one has 16 entries. */
static void
build_tables(uint64_t table, unsigned levels, uint64_t low)
{
    for (; levels > 1; levels--) {
        guest_quad_set(table, (table + PAGE_SIZE) | low);
        guest_quad_set(table + 8, UINT64_C(1) << 30 | 0x80 | low);
        guest_quad_set(table + 8 * UINT64_C(511), (table + PAGE_SIZE) | low);
        table += PAGE_SIZE;
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        guest_quad_set(table + 8 * i, PAGE(i) | low);
    }
}

/* A PASID of each kind, and a few odd ones. */
static void
build_pasids(uint64_t bits)
{
    for (uint64_t pasid = 0; pasid < 8; pasid++) {
        uint64_t at = PASIDS + pasid * 64;
        uint64_t aw = bits >> 8 & 3;

        guest_quad_set(at, SECOND | pasid << 6 | aw << 2 | (bits & 0x200) | 1);
        guest_quad_set(at + 8, (bits >> 10 & 3) << 23 | pasid >> 1);
        guest_quad_set(at + 16, FIRST | (bits >> 16 & 0x97));
    }
}

/*
 * Structures that are right but for what the input says: sixteen functions of
 * bus 0, in the format of the mode that the unit is in.
 */
static void
op_build(struct input *input)
{
    uint64_t bits = take(input, 3);
    bool scalable = guest_read8(VTD_OFF_RTADDR) & 0x400;

    guest_quad_set(ROOT, CONTEXT | 1);
    guest_quad_set(ROOT + 8, scalable ? CONTEXT | 1 : 0);
    guest_quad_set(DIRECTORY, PASIDS | 1);
    for (uint64_t devfn = 0; devfn < 16; devfn++) {
        if (scalable) {
            uint64_t at = CONTEXT + devfn * 32;

            guest_quad_set(at, DIRECTORY | (~bits & 0x1c) | 1);
            guest_quad_set(at + 8, devfn & 7);
        } else {
            uint64_t at = CONTEXT + devfn * 16;

            guest_quad_set(at, SECOND | (devfn & 3) << 2 | 1);
            guest_quad_set(at + 8, (bits & 3) | (devfn & 6) << 8);
        }
    }
    build_pasids(bits);
    build_tables(SECOND, 2 + (bits >> 8 & 3), bits & 0x08 ? 0x303 : 3);
    build_tables(FIRST, 4, bits & 0x10 ? 0x67 : 7);
}

/* One bit of one of these structures and tables, in an entry that is used. */
static void
op_flip(struct input *input)
{
    uint16_t place = (uint16_t)take(input, 2);
    uint64_t gpa = ROOT + PAGE(place & 0xf) + (place >> 4 & 0x3f) * 8;

    guest_quad_set(gpa, guest_quad(gpa) ^ UINT64_C(1)
                                              << (take(input, 1) & 0x3f));
}

static void
op_check_translate(struct input *input)
{
    struct vtd_dma_req req = ops_request(input);
    struct vtd_dma_resp resp;

    (void)translate(guest.vtd, &req, &resp);
}

/*
 * By another root table, and the first one again: that works in every mode, and
 * with the queue in any state.
 */
static void
invalidate_all(void)
{
    uint32_t on = guest_read4(VTD_OFF_GSTS) & 0x86800000;
    uint64_t root = guest_read8(VTD_OFF_RTADDR);

    guest_write8(VTD_OFF_RTADDR, root ^ PAGE_SIZE);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_SRTP);
    guest_write8(VTD_OFF_RTADDR, root);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_SRTP);
}

/*
 * What a unit in @blob's state that has nothing cached says; and its state
 * then.  A walk that sets an accessed or dirty bit may find that it was part
 * of a structure that led to it, so that nobody comes that way again: it is
 * asked until nothing changes.  How often, or 0: that has no end.
 */
static unsigned
ask_twin(uint64_t *blob, const struct vtd_dma_req *req,
         struct vtd_dma_resp *want, enum vtd_fr *fr)
{
    struct vtd *twin = guest_twin();

    for (unsigned i = 1; i <= 4; i++) {
        CHECK(vtd_load(twin, blob, VTD_STATE_QUADS * sizeof(*blob)) == 0);
        *fr = translate(twin, req, want);
        if (guest.exchanges == 0) {
            vtd_save(twin, blob);
            return i;
        }
    }
    return 0;
}

/* Software may void everything at any time: then nothing is old. */
static void
op_compare(struct input *input)
{
    static uint64_t blob[VTD_STATE_QUADS];
    static uint64_t other[VTD_STATE_QUADS];
    unsigned n = (unsigned)take(input, 1) % 8 + 1;

    guest.races = 0;
    invalidate_all();
    for (unsigned i = 0; i < n; i++) {
        struct vtd_dma_req req = ops_request(input);
        struct vtd_dma_resp want;
        struct vtd_dma_resp got;
        unsigned times;
        enum vtd_fr fr;

        vtd_save(guest.vtd, blob);
        times = ask_twin(blob, &req, &want, &fr);
        if (times == 0) {
            return;
        }
        if (times > 1) {
            invalidate_all();
        }
        CHECK(translate(guest.vtd, &req, &got) == fr);
        CHECK(memcmp(&got, &want, sizeof(got)) == 0);
        CHECK(req.at == VTD_AT_TRANSLATION || explain(guest.vtd, &req) == fr);
        if (fr == VTD_FR_OK) {
            check_named(&req, &got);
        }
        vtd_save(guest.vtd, other);
        CHECK(memcmp(blob, other, sizeof(blob)) == 0);
    }
}

static void
op_root(struct input *input)
{
    uint32_t on = guest_read4(VTD_OFF_GSTS) & 0x86800000;
    uint8_t bits = (uint8_t)take(input, 1);

    guest_write8(VTD_OFF_RTADDR, ROOT | (bits & 3u) << 10);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_SRTP);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_TE);
    guest_write4(VTD_OFF_FSTS, 0xff);
}

static void
op_clear_faults(struct input *input)
{
    (void)input;
    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        guest_write4(VTD_OFF_FRCD0_HI + 4 + i * 16, UINT32_C(1) << 31);
    }
    guest_write4(VTD_OFF_FSTS, 0xff);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static op *const ops[] = {
        op_entry,
        op_entry,
        op_flip,
        op_flip,
        op_flip,
        op_flip,
        op_build,
        op_build,
        op_poke,
        op_compare,
        op_compare,
        op_compare,
        op_check_translate,
        op_check_translate,
        op_check_translate,
        op_submit,
        op_clear_faults,
        op_root,
        op_race,
    };
    struct input input = { data, size };
    uint8_t bits = (uint8_t)take(&input, 1);

    guest_start(bits);
    ops_enable(bits & 0x80);
    OPS_RUN(&input, ops);
    return 0;
}
