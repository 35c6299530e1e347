/* SPDX-License-Identifier: MIT */
/*
 * What one of Xen's requests asks for: a bounded sequence of accesses.  Pure.
 *
 * Xen passes on what an instruction of the guest did: of any size, at any
 * alignment, repeated (REP) upwards or downwards, with the value in the request
 * or in guest memory.  Whatever a request says, it has an answer.
 */
#ifndef CLIENT_EXAMPLES_EDU_REQUEST_H
#define CLIENT_EXAMPLES_EDU_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ioreq;

/* Where a device answers. */
enum request_space {
    REQUEST_MMIO,   /* addresses are guest physical */
    REQUEST_CONFIG, /* addresses are offsets in configuration space */
};

struct request_ops {
    uint64_t (*read)(void *ctx, enum request_space space, uint64_t addr,
                     unsigned size);
    void (*write)(void *ctx, enum request_space space, uint64_t addr,
                  unsigned size, uint64_t val);
    /* Copy up to 8 bytes from or to guest memory; 0 or -errno. */
    int (*memory)(void *ctx, uint64_t gpa, void *buf, size_t len, bool write);
};

/*
 * Carry out @req, a private copy and not the page that is shared with Xen.
 * Returns the data to answer with.
 */
uint64_t request_run(const struct ioreq *req, const struct request_ops *ops,
                     void *ctx);

#endif
