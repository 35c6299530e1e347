/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define NO_MEMORY (1ull << 40) /* far beyond the guest's                    */

static const struct desc unknown_type = { .lo = 0xf };
static const struct desc reserved_set = { .lo = DESC_IEC_GLOBAL, .hi = 1 };

static void
expect_stopped(uint32_t slot, unsigned iqei)
{
    expect_eq("FSTS.IQE", FSTS_IQE, unit_read32(VTD_FSTS) & FSTS_IQE);
    expect_eq("IQERCD.IQEI", iqei, IQEI(unit_read64(VTD_IQERCD)));
    expect_eq("IQH", slot * 16ull, unit_read64(VTD_IQH));
}

/* Submit @bad and a wait behind it; the unit stops at @bad and says so. */
static uint32_t
submit_bad(struct desc bad, unsigned iqei)
{
    uint8_t vector = irq_vector();
    uint32_t slot;

    fault_event(vector);
    expect(queue_sync(), "the queue works");
    slot = queue_put(bad);
    queue_put_wait();
    queue_doorbell();
    expect(irq_wait(vector, 1, IRQ_US), "the fault event");
    expect_stopped(slot, iqei);
    return slot;
}

/* In place of the bad one something good: the queue goes on by itself. */
static void
repair(uint32_t slot)
{
    *queue_slot(slot) = (struct desc){ .lo = DESC_IEC_GLOBAL };
    unit_write32(VTD_FSTS, FSTS_IQE);
    expect(queue_wait_done(), "the queue goes on without a doorbell");
    expect_no_fault();
    expect(queue_sync(), "and works");
}

static void
bad_type(void)
{
    repair(submit_bad(unknown_type, IQEI_TYPE));
}

static void
bad_reserved(void)
{
    repair(submit_bad(reserved_set, IQEI_RESERVED));
}

/* Nothing runs, whatever is written, until the error is cleared. */
static void
stays_stopped(void)
{
    uint32_t slot = submit_bad(unknown_type, IQEI_TYPE);

    queue_doorbell();
    unit_write32(VTD_FSTS, 0);
    expect_stopped(slot, IQEI_TYPE);

    /* Not repaired: the same error again. */
    unit_write32(VTD_FSTS, FSTS_IQE);
    expect_stopped(slot, IQEI_TYPE);
    repair(slot);
}

static void
two_errors(void)
{
    uint32_t first = submit_bad(unknown_type, IQEI_TYPE);
    uint32_t second = queue_put(reserved_set);

    queue_put_wait();
    queue_doorbell();
    *queue_slot(first) = (struct desc){ .lo = DESC_IEC_GLOBAL };
    unit_write32(VTD_FSTS, FSTS_IQE);
    expect_stopped(second, IQEI_RESERVED);
    repair(second);
}

/* The same at the end of the ring, with the tail wrapped. */
static void
bad_at_wrap(void)
{
    while (queue_put((struct desc){ .lo = DESC_IEC_GLOBAL }) < queue_size() - 4)
        continue;
    queue_doorbell();
    repair(submit_bad(unknown_type, IQEI_TYPE));
}

static void
tail_beyond(void)
{
    uint32_t slot;

    expect(queue_sync(), "the queue works");
    slot = queue_put((struct desc){ .lo = DESC_IEC_GLOBAL });
    unit_write64(VTD_IQT, (uint64_t)queue_size() << 4);
    expect_stopped(slot, IQEI_TAIL_RANGE);
    queue_put_wait();
    queue_doorbell();
    unit_write32(VTD_FSTS, FSTS_IQE);
    expect(queue_wait_done(), "the queue goes on with a good tail");
    expect_no_fault();
}

static void
base_beyond(void)
{
    expect(unit_command(GCMD_QIE, false), "the queue stops");
    unit_write64(VTD_IQT, 0);
    unit_write64(VTD_IQA, NO_MEMORY);
    expect(unit_command(GCMD_QIE, true), "a queue without memory starts");
    unit_write64(VTD_IQT, 1 << 4);
    expect_stopped(0, IQEI_FETCH);
    unit_write32(VTD_FSTS, FSTS_IQE);
    expect_stopped(0, IQEI_FETCH);
    expect(unit_start(), "the unit starts again");
    expect(queue_sync(), "and its queue works");
}

/* Whatever the unit makes of @desc, it can be started again. */
static void
expect_survives(struct desc desc)
{
    queue_put(desc);
    queue_doorbell();
    expect(unit_start(), "the unit starts again");
    expect(queue_sync(), "and its queue works");
}

/* A status write to nowhere, and to the unit itself. */
static void
status_beyond(void)
{
    expect_survives((struct desc){ DESC_WAIT | WAIT_SW, NO_MEMORY });
    expect_survives((struct desc){ DESC_WAIT | WAIT_SW, unit_base() });
}

/* An index mask beyond ECAP.MHMV. */
static void
mask_beyond(void)
{
    expect_survives(
        (struct desc){ .lo = DESC_IEC_GLOBAL | 1u << 4 | 31ull << 27 });
}

const struct test queue_error_tests[] = {
    { "queue-bad-type", bad_type, false },
    { "queue-bad-reserved", bad_reserved, false },
    { "queue-stays-stopped", stays_stopped, false },
    { "queue-two-errors", two_errors, false },
    { "queue-bad-at-wrap", bad_at_wrap, false },
    { "queue-tail-beyond", tail_beyond, false },
    { "queue-base-beyond", base_beyond, false },
    { "queue-status-beyond", status_beyond, false },
    { "queue-mask-beyond", mask_beyond, false },
    { NULL, NULL, false },
};
