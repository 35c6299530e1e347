/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes a unit as a guest and its devices could: any access to the register
 * page, any bytes in guest memory, any request, sinks that answer or do not.
 * The model must not crash, keep the rules of its registers, and do a bounded
 * amount of work in each call.
 */
#include "tests/fuzz/ops.h"

static void
op_reset(struct input *input)
{
    (void)input;
    vtd_reset(guest.vtd);
    for (unsigned i = 0; i < VTD_IRT_MAX / 64; i++) {
        CHECK(guest.routed[i] == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static op *const ops[] = {
        op_write,       op_write,     op_write,   op_poke,         op_poke,
        op_submit,      op_submit,    op_run,     op_read,         op_event,
        op_translate,   op_translate, op_remap,   op_page_request, op_sinks,
        op_acknowledge, op_race,      op_inspect, op_reset,
    };
    struct input input = { data, size };
    uint8_t bits = (uint8_t)take(&input, 1);

    guest_start(bits);
    if (bits & 0x40) {
        ops_enable(bits & 0x80);
    }
    OPS_RUN(&input, ops);
    return 0;
}
