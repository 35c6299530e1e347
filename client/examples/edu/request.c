/* SPDX-License-Identifier: MIT */
#include "client/examples/edu/request.h"

#include <xen/xen.h>

/* After <xen/xen.h>, whose types it uses. */
#include <xen/hvm/ioreq.h>

/* What a read yields where nothing answers. */
#define NOTHING UINT64_MAX

/* Xen clips a repeated instruction to a page, of bytes at the least. */
#define STEPS_MAX 4096u

static uint64_t
truncate_to(uint64_t val, unsigned size)
{
    return val & UINT64_MAX >> (64 - 8 * size);
}

struct step {
    enum request_space space;
    unsigned size;
    bool indirect; /* the value is in guest memory, at gpa */
    uint64_t addr;
    uint64_t gpa;
    uint64_t val;
};

static uint64_t
step_read(const struct step *step, const struct request_ops *ops, void *ctx)
{
    uint64_t val = ops->read(ctx, step->space, step->addr, step->size);

    val = truncate_to(val, step->size);
    if (step->indirect) {
        (void)ops->memory(ctx, step->gpa, &val, step->size, true);
    }
    return val;
}

/* Where the guest has no memory to read from, it writes all ones. */
static void
step_write(const struct step *step, const struct request_ops *ops, void *ctx)
{
    uint64_t val = step->val;

    if (step->indirect) {
        val = 0; /* x86: the low bytes come first */
        if (ops->memory(ctx, step->gpa, &val, step->size, false)) {
            val = NOTHING;
        }
    }
    ops->write(ctx, step->space, step->addr, step->size,
               truncate_to(val, step->size));
}

uint64_t
request_run(const struct ioreq *req, const struct request_ops *ops, void *ctx)
{
    bool read = req->dir == IOREQ_READ;
    bool config = req->type == IOREQ_TYPE_PCI_CONFIG;
    uint64_t val = read ? NOTHING : req->data;
    uint32_t count = req->count < STEPS_MAX ? req->count : STEPS_MAX;

    if ((req->type != IOREQ_TYPE_COPY && !config) || req->size < 1 ||
        req->size > 8) {
        return val;
    }

    for (uint32_t i = 0; i < count; i++) {
        uint64_t dist = (uint64_t)i * req->size;
        uint64_t by = req->df ? -dist : dist;
        const struct step step = {
            .space = config ? REQUEST_CONFIG : REQUEST_MMIO,
            .size = req->size,
            .indirect = req->data_is_ptr,
            /* Ports, behind which configuration space is, do not advance. */
            .addr = config ? (uint32_t)req->addr : req->addr + by,
            .gpa = req->data + by,
            .val = req->data,
        };

        if (read) {
            val = step_read(&step, ops, ctx);
        } else {
            step_write(&step, ops, ctx);
        }
    }

    /* A pointer is handed back as it came. */
    return req->data_is_ptr ? req->data : val;
}
