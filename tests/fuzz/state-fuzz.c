/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes saved state.  What vtd_load() refuses changes nothing; what it takes
 * is saved again as it was, keeps the rules of the registers, and lives: the
 * input goes on with accesses of all kinds, saves and loads among them.
 *
 * A blob is what the unit saved with quadwords of the fuzzer's in it, and a
 * hash that is right, or any bytes.
 */
#include <string.h>

#include "daemon/vtd/state.h"
#include "tests/fuzz/ops.h"

static uint64_t blob[VTD_STATE_QUADS];

static void
seal(void)
{
    blob[VTD_STATE_QUAD_CHECK] = vtd_state_hash(
        VTD_STATE_HASH_EMPTY, blob, VTD_STATE_QUAD_CHECK * sizeof(blob[0]));
}

static void
load(void)
{
    static uint64_t before[VTD_STATE_QUADS];
    static uint64_t after[VTD_STATE_QUADS];
    bool loaded;

    vtd_save(guest.vtd, before);
    loaded = vtd_load(guest.vtd, blob, sizeof(blob)) == 0;
    vtd_save(guest.vtd, after);
    CHECK(memcmp(after, loaded ? blob : before, sizeof(blob)) == 0);
    if (loaded) {
        vtd_ir_resync(guest.vtd);
    }
}

/* What a unit saves is never refused. */
static void
op_save(struct input *input)
{
    (void)input;
    vtd_save(guest.vtd, blob);
    CHECK(vtd_load(guest.vtd, blob, sizeof(blob)) == 0);
    vtd_ir_resync(guest.vtd);
}

/* A unit that was another one a moment ago, or a little different. */
static void
op_change(struct input *input)
{
    unsigned n = (unsigned)take(input, 1) % 8;

    if (take(input, 1) & 1) {
        vtd_save(guest.vtd, blob);
    }
    for (unsigned i = 0; i < n; i++) {
        unsigned quad = (unsigned)take(input, 1) % VTD_STATE_QUADS;
        uint8_t bits = (uint8_t)take(input, 1);

        if (bits & 0x80) {
            blob[quad] = take(input, 8);
        } else {
            blob[quad] ^= UINT64_C(1) << bits % 64;
        }
    }
    seal();
    load();
}

static void
op_load_bytes(struct input *input)
{
    uint64_t bytes[VTD_STATE_QUADS] = { 0 };
    size_t len = take(input, 2) % (sizeof(bytes) + 2);

    for (size_t i = 0; i < VTD_STATE_QUADS && input->left > 0; i++) {
        bytes[i] = take(input, 8);
    }
    CHECK(len > sizeof(bytes) || vtd_load(guest.vtd, bytes, len) != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static op *const ops[] = {
        op_change,       op_change, op_change,      op_save,
        op_load_bytes,   op_write,  op_write,       op_submit,
        op_run,          op_event,  op_remap,       op_translate,
        op_page_request, op_sinks,  op_acknowledge, op_poke,
    };
    struct input input = { data, size };
    uint8_t bits = (uint8_t)take(&input, 1);

    guest_start(bits);
    vtd_save(guest.vtd, blob);
    if (bits & 0x40) {
        ops_enable(bits & 0x80);
    }
    OPS_RUN(&input, ops);
    return 0;
}
