/* SPDX-License-Identifier: GPL-2.0-only */
/* An owner of a unit that lets all the unit sends pass, as members of ops. */
#ifndef TESTS_SUPPORT_SILENT_H
#define TESTS_SUPPORT_SILENT_H

#include "daemon/vtd/vtd.h"

static inline void
silent_msi(void *ctx, uint64_t addr, uint32_t data)
{
    (void)ctx;
    (void)addr;
    (void)data;
}

static inline void
silent_ir_state(void *ctx, const struct vtd_ir_state *state)
{
    (void)ctx;
    (void)state;
}

static inline void
silent_ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    (void)ctx;
    (void)route;
    (void)n;
}

static inline void
silent_ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    (void)ctx;
    (void)first;
    (void)n;
}

static inline void
silent_ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    (void)ctx;
    (void)miss;
}

#define SILENT_OPS                                              \
    .msi = silent_msi, .ir_state = silent_ir_state,             \
    .ir_routes = silent_ir_routes, .ir_clear = silent_ir_clear, \
    .ir_retry = silent_ir_retry

#endif
