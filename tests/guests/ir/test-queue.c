/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

static void
expect_drained(void)
{
    expect_eq("IQH reaches IQT", unit_read64(VTD_IQT), unit_read64(VTD_IQH));
    expect_no_fault();
}

static void
wait_status(void)
{
    expect(queue_sync(), "the wait completes");
    expect_drained();
}

/* One event until ICS.IWC is cleared, then the next. */
static void
wait_interrupt(void)
{
    uint8_t vector = irq_vector();
    const struct desc wait = { .lo = DESC_WAIT | WAIT_IF };

    completion_event(vector);
    queue_put(wait);
    queue_doorbell();
    expect(irq_wait(vector, 1, IRQ_US), "the completion interrupt");
    expect_eq("ICS", ICS_IWC, unit_read32(VTD_ICS));

    queue_put(wait);
    expect(queue_sync(), "a second wait completes");
    time_sleep_us(QUIET_US);
    expect_eq("interrupts while ICS.IWC stands", 1, irq_count(vector));

    unit_write32(VTD_ICS, ICS_IWC);
    expect_eq("ICS after clearing", 0, unit_read32(VTD_ICS));
    queue_put(wait);
    queue_doorbell();
    expect(irq_wait(vector, 2, IRQ_US), "the next completion interrupt");
    expect_drained();
}

static void
event_masked(void)
{
    uint8_t vector = irq_vector();
    const struct desc wait = { .lo = DESC_WAIT | WAIT_IF };

    completion_event(vector);
    unit_write32(VTD_IECTL, EVENT_IM);
    queue_put(wait);
    expect(queue_sync(), "the wait completes");
    expect_eq("IECTL while masked", EVENT_IM | EVENT_IP,
              unit_read32(VTD_IECTL));
    expect_eq("interrupts while masked", 0, irq_count(vector));
    unit_write32(VTD_IECTL, 0);
    expect(irq_wait(vector, 1, IRQ_US), "the interrupt after unmasking");
    expect_eq("IECTL after it", 0, unit_read32(VTD_IECTL));

    /* Serviced before it was unmasked: nothing is left to say. */
    unit_write32(VTD_IECTL, EVENT_IM);
    unit_write32(VTD_ICS, ICS_IWC);
    queue_put(wait);
    expect(queue_sync(), "the second wait completes");
    unit_write32(VTD_ICS, ICS_IWC);
    expect_eq("IECTL after service", EVENT_IM, unit_read32(VTD_IECTL));
    unit_write32(VTD_IECTL, 0);
    time_sleep_us(QUIET_US);
    expect_eq("interrupts in all", 1, irq_count(vector));
}

static void
fence_only(void)
{
    queue_put((struct desc){ .lo = DESC_WAIT | WAIT_FN });
    expect(queue_sync(), "the wait behind a fence completes");
    expect_drained();
}

/* A thousand descriptors, four times round the ring. */
static void
wrap(void)
{
    for (unsigned i = 0; i < 50; i++) {
        for (unsigned j = 0; j < 20; j++)
            queue_put((struct desc){ .lo = DESC_IEC_GLOBAL });
        if (!expect(queue_sync(), "a wait completes"))
            return;
    }
    expect_drained();
}

/* All slots but the one that tells full from empty. */
static void
full(void)
{
    for (uint32_t i = 2; i < queue_size(); i++)
        queue_put((struct desc){ .lo = DESC_IEC_GLOBAL });
    expect(queue_sync(), "a full queue completes");
    expect_drained();
}

static bool
restart(unsigned order)
{
    return unit_command(GCMD_QIE, false) && queue_start(order);
}

/* More than the unit does in one go: it must come back to it by itself. */
static void
long_batch(void)
{
    expect(restart(QUEUE_ORDER_MAX), "the largest queue starts");
    for (uint32_t i = 0; i < 20000; i++)
        queue_put((struct desc){ .lo = DESC_WAIT | WAIT_FN });
    expect(queue_sync(), "20,000 descriptors complete");
    expect_drained();
}

static void
off_on(void)
{
    expect(queue_sync(), "the queue works");
    expect(unit_command(GCMD_QIE, false), "the queue stops");
    queue_put_wait();
    queue_doorbell();
    time_sleep_us(QUIET_US);
    expect(!unit_read64(VTD_IQH), "IQH stands still at zero");
    expect(queue_start(0), "the queue starts again");
    expect(queue_sync(), "and works");
    expect_drained();
}

/* The head stood beyond the end of the queue that follows. */
static void
shrunk(void)
{
    expect(restart(1), "a queue of 512 starts");
    for (unsigned i = 0; i < 300; i++)
        queue_put((struct desc){ .lo = DESC_IEC_GLOBAL });
    expect(queue_sync(), "it works");
    expect_eq("IQH", 301ull * 16, unit_read64(VTD_IQH));
    expect(restart(0), "a queue of 256 starts");
    expect(queue_sync(), "it works, too");
    expect_drained();
}

const struct test queue_tests[] = {
    { "queue-wait-status", wait_status, false },
    { "queue-wait-interrupt", wait_interrupt, false },
    { "queue-event-masked", event_masked, false },
    { "queue-fence-only", fence_only, false },
    { "queue-wrap", wrap, false },
    { "queue-full", full, false },
    { "queue-long-batch", long_batch, false },
    { "queue-off-on", off_on, false },
    { "queue-shrunk", shrunk, false },
    { NULL, NULL, false },
};
