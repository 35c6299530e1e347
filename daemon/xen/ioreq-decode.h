/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one request of Xen's asks for: a bounded sequence of accesses to a
 * range of registers.  Pure.
 *
 * Xen passes on what the guest's instruction did: any direction, 1, 2, 4 or 8
 * bytes at any alignment, repeated (REP) upwards or downwards (df), with the
 * value in the request or, for a repeated move between memory and registers,
 * in guest memory (data_is_ptr).  Nothing of that is relied on: whatever a
 * request says, it has a meaning here and an answer.
 */
#ifndef DAEMON_XEN_IOREQ_DECODE_H
#define DAEMON_XEN_IOREQ_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ioreq;

/* Xen clips a repeated instruction to a page, of bytes at the least. */
#define IOREQ_STEPS_MAX 4096u

enum ioreq_kind {
    IOREQ_ACCESS,     /* to be run by ioreq_plan_run() */
    IOREQ_INVALIDATE, /* the guest gave memory back: drop mappings */
    IOREQ_OTHER,      /* not for us; answered as a bus without a */
                      /* device would */
};

struct ioreq_plan {
    enum ioreq_kind kind;
    bool read;
    bool indirect; /* the value is in guest memory, at @data */
    bool backward;
    uint8_t size;   /* 1 to 8 bytes */
    uint32_t count; /* at most IOREQ_STEPS_MAX */
    uint64_t off;   /* of the first access; wraps if below the base */
    uint64_t data;
};

/* What the accesses reach. */
struct ioreq_bus {
    uint32_t size; /* bytes in the range */
    uint64_t (*read)(void *ctx, uint32_t off, unsigned size);
    void (*write)(void *ctx, uint32_t off, unsigned size, uint64_t val);
    int (*mem_read)(void *ctx, uint64_t gpa, void *buf, size_t len);
    int (*mem_write)(void *ctx, uint64_t gpa, const void *buf, size_t len);
};

/* @req is a private copy, not the page that is shared with Xen. */
void ioreq_decode(const struct ioreq *req, uint64_t base,
                  struct ioreq_plan *plan);

/* Run @plan, and return the data to answer with. */
uint64_t ioreq_plan_run(const struct ioreq_plan *plan,
                        const struct ioreq_bus *bus, void *ctx);

#endif
