/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the invalidation queue and the commands in registers that wait for
 * the same sinks: descriptors of both widths, sinks that acknowledge late, in
 * any order, with errors, for tokens that nobody waits for.
 *
 * guest.c sees that no wait is over before the sinks are.  And whatever was
 * done before: a queue that is set up anew works to its end.
 */
#include "daemon/vtd/spec-regs.h"
#include "tests/fuzz/ops.h"

/* Let all late sinks answer, and the queue go on, for a bounded time. */
static void
settle(void)
{
    guest.late = false;
    for (unsigned i = 0; i < guest.waits && i < WAITS; i++) {
        guest_acknowledge(i, VTD_SYNC_OK, 0);
    }
    /* A queue of the largest size, in steps of a register write's budget. */
    for (unsigned i = 0; i < 4096 && vtd_run_pending(guest.vtd); i++) {
        vtd_run(guest.vtd, 256);
    }
    CHECK(!vtd_run_pending(guest.vtd));
}

/*
 * A register command is over as soon as the sinks have answered; the queue
 * stands in an error or at its end.
 */
static void
check_settled(void)
{
    uint32_t gsts = guest_read4(VTD_OFF_GSTS);

    CHECK(!(guest_read8(VTD_OFF_CCMD) >> 63));
    CHECK(!(guest_read8(VTD_OFF_IOTLB) >> 63));
    CHECK(!(gsts & VTD_GSTS_QIES) || (guest_read4(VTD_OFF_FSTS) & 0x70) ||
          guest_read8(VTD_OFF_IQH) == guest_read8(VTD_OFF_IQT));
}

/* In legacy mode: others would want the other width of descriptors. */
static void
check_new_queue(void)
{
    const uint64_t queue = 0x8000;
    const uint64_t status = 0x9000;
    uint32_t on = guest_read4(VTD_OFF_GSTS) & 0x02800000;

    guest_write8(VTD_OFF_RTADDR, 0x3000);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_SRTP);
    guest_write4(VTD_OFF_FSTS, 0x70);
    guest_write8(VTD_OFF_IQT, 0);
    guest_write8(VTD_OFF_IQA, queue);
    guest_write4(VTD_OFF_GCMD, on | VTD_GCMD_QIE);
    guest_quad_set(queue, 0x04);
    guest_quad_set(queue + 8, 0);
    guest_quad_set(queue + 16, UINT64_C(0x1234567800000025));
    guest_quad_set(queue + 24, status);
    guest_quad_set(status, 0);
    if (!guest.config.ir) {
        guest_quad_set(queue, 0x11);
    }
    guest_write8(VTD_OFF_IQT, 0x20);
    settle();
    CHECK(guest_quad(status) == 0x12345678);
    CHECK(guest_read8(VTD_OFF_IQH) == 0x20);
    CHECK(!(guest_read4(VTD_OFF_FSTS) & 0x70));
}

/* Registers of the queue alone. */
static void
op_queue_write(struct input *input)
{
    static const uint16_t offs[] = {
        VTD_OFF_IQT, VTD_OFF_IQT,   VTD_OFF_IQA,    VTD_OFF_CCMD,
        VTD_OFF_IVA, VTD_OFF_IOTLB, VTD_OFF_RTADDR,
    };
    uint8_t pick = (uint8_t)take(input, 1);
    uint16_t off = offs[pick % (sizeof(offs) / sizeof(offs[0]))];
    uint64_t val = take(input, 2);

    switch (off) {
    case VTD_OFF_IQT:
        val = (val & 0x7fff) << 4;
        break;
    case VTD_OFF_IQA:
        val = (val & 0x807) | (val >> 3 & 0xf) << 12;
        break;
    case VTD_OFF_RTADDR:
        val = (val & 0xc00) | 0x3000;
        break;
    default:
        val |= val << 48;
        break;
    }
    guest_write8(off, val);
    guest_operation_check(256);
}

static void
op_command(struct input *input)
{
    guest_write4(VTD_OFF_GCMD, take(input, 2) << 16);
    guest_operation_check(2 * 256);
}

/* Errors are cleared, or completions taken note of. */
static void
op_clear(struct input *input)
{
    guest_write4(VTD_OFF_FSTS, take(input, 1));
    guest_operation_check(256);
    guest_write4(VTD_OFF_ICS, 1);
}

static void
op_settle(struct input *input)
{
    (void)input;
    settle();
    check_settled();
}

static void
op_reset(struct input *input)
{
    (void)input;
    vtd_reset(guest.vtd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static op *const ops[] = {
        op_submit,      op_submit,      op_submit,      op_submit,
        op_queue_write, op_run,         op_acknowledge, op_acknowledge,
        op_clear,       op_queue_write, op_sinks,       op_command,
        op_write,       op_settle,      op_translate,   op_reset,
    };
    struct input input = { data, size };
    uint8_t bits = (uint8_t)take(&input, 1);

    guest_start(bits);
    ops_enable(bits & 0x80);
    guest.late = bits & 0x40;
    OPS_RUN(&input, ops);
    settle();
    check_settled();
    check_new_queue();
    return 0;
}
