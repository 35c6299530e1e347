/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/ioreq-decode.h"

#include <xen/xen.h>

/* After <xen/xen.h>, whose types it uses. */
#include <xen/hvm/ioreq.h>

/* What a read yields where nothing answers. */
#define NO_DEVICE UINT64_MAX

void
ioreq_decode(const struct ioreq *req, uint64_t base, struct ioreq_plan *plan)
{
    *plan = (struct ioreq_plan){
        .kind = IOREQ_OTHER,
        .read = req->dir == IOREQ_READ,
        .indirect = req->data_is_ptr,
        .backward = req->df,
        .off = req->addr - base,
        .data = req->data,
    };

    if (req->type == IOREQ_TYPE_INVALIDATE)
        plan->kind = IOREQ_INVALIDATE;

    /* The size is kept in a byte; check all of it first. */
    if (req->type != IOREQ_TYPE_COPY || req->size < 1 || req->size > 8)
        return;

    plan->kind = IOREQ_ACCESS;
    plan->size = (uint8_t)req->size;
    plan->count = req->count < IOREQ_STEPS_MAX ? req->count : IOREQ_STEPS_MAX;
}

static uint64_t
size_mask(unsigned size)
{
    return UINT64_MAX >> (64 - 8 * size);
}

/*
 * An access that begins in the range and ends beyond it is in the range: the
 * registers know what lies beyond the last of them.
 */
static uint64_t
bus_read(const struct ioreq_bus *bus, void *ctx, uint64_t off, unsigned size)
{
    if (off >= bus->size)
        return NO_DEVICE & size_mask(size);

    return bus->read(ctx, (uint32_t)off, size) & size_mask(size);
}

static void
bus_write(const struct ioreq_bus *bus, void *ctx, uint64_t off, unsigned size,
          uint64_t val)
{
    if (off < bus->size)
        bus->write(ctx, (uint32_t)off, size, val & size_mask(size));
}

/* Where the guest has no memory, reads yield all ones; writes are lost. */
static uint64_t
ram_read(const struct ioreq_bus *bus, void *ctx, uint64_t gpa, unsigned size)
{
    uint64_t val = 0; /* x86: the low bytes come first */

    return bus->mem_read(ctx, gpa, &val, size) ? NO_DEVICE : val;
}

uint64_t
ioreq_plan_run(const struct ioreq_plan *plan, const struct ioreq_bus *bus,
               void *ctx)
{
    uint64_t val = plan->read ? NO_DEVICE : plan->data;

    if (plan->kind != IOREQ_ACCESS)
        return val;

    for (uint32_t i = 0; i < plan->count; i++) {
        uint64_t dist = (uint64_t)i * plan->size;
        uint64_t off = plan->backward ? plan->off - dist : plan->off + dist;
        uint64_t gpa = plan->backward ? plan->data - dist : plan->data + dist;

        if (plan->read)
            val = bus_read(bus, ctx, off, plan->size);
        else if (plan->indirect)
            bus_write(bus, ctx, off, plan->size,
                      ram_read(bus, ctx, gpa, plan->size));
        else
            bus_write(bus, ctx, off, plan->size, plan->data);

        if (plan->read && plan->indirect)
            (void)bus->mem_write(ctx, gpa, &val, plan->size);
    }

    /* A pointer is handed back as it came. */
    return plan->indirect ? plan->data : val;
}
