/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/fuzz/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guest guest;

void
guest_check(bool holds, const char *file, int line, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        abort();
    }
}

bool
guest_has(uint64_t gpa, size_t len)
{
    return gpa < RAM_SIZE && len <= RAM_SIZE - gpa;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    CHECK(ctx == &guest && len >= 1 && len <= 64);
    guest.reads++;
    if (!guest_has(gpa, len)) {
        return -EFAULT;
    }
    memcpy(buf, &guest.ram[gpa], len);
    return 0;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    CHECK(ctx == &guest && len == 4 && gpa % 4 == 0);
    guest.writes++;
    if (!guest_has(gpa, len)) {
        return -EFAULT;
    }
    memcpy(&guest.ram[gpa], buf, len);
    return 0;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    (void)data;
    CHECK(ctx == &guest && addr % 4 == 0);
    CHECK(guest.config.eim || addr >> 32 == 0);
    guest.msis++;
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    CHECK(ctx == &guest);
    guest.state = *state;
    guest.state_told = true;
}

bool
guest_route_stands(uint32_t index)
{
    return guest.routed[index / 64] >> index % 64 & 1;
}

static void
route_remove(uint32_t index)
{
    guest.routed[index / 64] &= ~(UINT64_C(1) << index % 64);
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    CHECK(ctx == &guest && n >= 1 && n <= VTD_ROUTE_BATCH);
    for (unsigned i = 0; i < n; i++) {
        uint32_t index = route[i].index;

        CHECK(index < VTD_IRT_MAX);
        CHECK(route[i].sid_check <= VTD_SID_BUS_RANGE);
        CHECK(route[i].delivery_mode < 8);
        if (route[i].present) {
            guest.routed[index / 64] |= UINT64_C(1) << index % 64;
        } else {
            CHECK(guest_route_stands(index));
            route_remove(index);
        }
        guest.route[index] = route[i];
    }
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    CHECK(ctx == &guest && n >= 1 && first < VTD_IRT_MAX &&
          n <= VTD_IRT_MAX - first);
    for (uint32_t index = first; index < first + n; index++) {
        if (guest.routed[index / 64] == 0) {
            index |= 63;
        } else {
            route_remove(index);
        }
    }
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    CHECK(ctx == &guest && miss->index < VTD_IRT_MAX);
    CHECK(guest_route_stands(miss->index));
    guest.retries++;
}

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    CHECK(ctx == &guest && ev < VTD_EV_COUNT && arg);
}

const struct vtd_ops guest_quiet_ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
};

const struct vtd_ops guest_traced_ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
    .trace = trace,
};
