/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every shape of request against a reference that is written the long way:
 * one byte array for the registers, one for memory, and a loop that moves
 * bytes.  What Xen never sends is in here too, because the answer to it is a
 * promise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <xen/xen.h>

#include <xen/hvm/ioreq.h>

#include "daemon/xen/ioreq-decode.h"

#define BASE     UINT64_C(0xfed90000)
#define RANGE    64u /* small, so that its ends are met often */
#define RAM_BASE UINT64_C(0x1000)
#define RAM_SIZE 256u

struct world {
    uint8_t reg[RANGE];
    uint8_t ram[RAM_SIZE];
    unsigned reads, writes; /* of registers */
};

static uint64_t
reg_read(void *ctx, uint32_t off, unsigned size)
{
    struct world *world = ctx;
    uint64_t val = 0;

    assert_true(off < RANGE);
    assert_in_range(size, 1, 8);
    world->reads++;
    for (unsigned i = 0; i < size && off + i < RANGE; i++)
        val |= (uint64_t)world->reg[off + i] << (8 * i);
    return val;
}

static void
reg_write(void *ctx, uint32_t off, unsigned size, uint64_t val)
{
    struct world *world = ctx;

    assert_true(off < RANGE);
    assert_in_range(size, 1, 8);
    assert_true(size == 8 || !(val >> (8 * size)));
    world->writes++;
    for (unsigned i = 0; i < size && off + i < RANGE; i++)
        world->reg[off + i] = (uint8_t)(val >> (8 * i));
}

static bool
in_ram(uint64_t gpa, size_t len)
{
    return gpa >= RAM_BASE && gpa < RAM_BASE + RAM_SIZE &&
           len <= RAM_BASE + RAM_SIZE - gpa;
}

static int
ram_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct world *world = ctx;

    if (!in_ram(gpa, len))
        return -EFAULT;
    memcpy(buf, world->ram + (gpa - RAM_BASE), len);
    return 0;
}

static int
ram_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct world *world = ctx;

    if (!in_ram(gpa, len))
        return -EFAULT;
    memcpy(world->ram + (gpa - RAM_BASE), buf, len);
    return 0;
}

static const struct ioreq_bus bus = {
    .size = RANGE,
    .read = reg_read,
    .write = reg_write,
    .mem_read = ram_read,
    .mem_write = ram_write,
};

static void
world_init(struct world *world)
{
    memset(world, 0, sizeof(*world));
    for (unsigned i = 0; i < RANGE; i++)
        world->reg[i] = (uint8_t)(0x80 + i);
    for (unsigned i = 0; i < RAM_SIZE; i++)
        world->ram[i] = (uint8_t)(3 * i + 1);
}

static uint64_t
run(const struct ioreq *req, struct world *world)
{
    struct ioreq_plan plan;

    ioreq_decode(req, BASE, &plan);
    return ioreq_plan_run(&plan, &bus, world);
}

/* --- the reference -------------------------------------------------------- */

/* The value at register offset @off (signed, anywhere), byte by byte. */
static uint64_t
ref_reg(const struct world *world, int64_t off, unsigned size)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = 0;

        if (off < 0 || off >= RANGE)
            byte = 0xff; /* the access is not ours at all */
        else if (off + i < RANGE)
            byte = world->reg[off + i];
        val |= (uint64_t)byte << (8 * i);
    }
    return val;
}

static void
ref_reg_set(struct world *world, int64_t off, unsigned size, uint64_t val)
{
    if (off < 0 || off >= RANGE)
        return;
    for (unsigned i = 0; i < size && off + i < RANGE; i++)
        world->reg[off + i] = (uint8_t)(val >> (8 * i));
}

static uint64_t
ref_ram(const struct world *world, int64_t pos, unsigned size)
{
    uint64_t val = 0;

    if (pos < 0 || pos + size > RAM_SIZE)
        return size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
    for (unsigned i = 0; i < size; i++)
        val |= (uint64_t)world->ram[pos + i] << (8 * i);
    return val;
}

static void
ref_ram_set(struct world *world, int64_t pos, unsigned size, uint64_t val)
{
    if (pos < 0 || pos + size > RAM_SIZE)
        return;
    for (unsigned i = 0; i < size; i++)
        world->ram[pos + i] = (uint8_t)(val >> (8 * i));
}

static uint64_t
ref_run(const struct ioreq *req, struct world *world)
{
    int64_t step = req->df ? -(int64_t)req->size : (int64_t)req->size;
    int64_t off = (int64_t)(req->addr - BASE);
    int64_t pos = (int64_t)(req->data - RAM_BASE);
    uint64_t val = req->dir == IOREQ_READ ? UINT64_MAX : req->data;

    for (uint32_t i = 0; i < req->count; i++) {
        if (req->dir == IOREQ_READ) {
            val = ref_reg(world, off, req->size);
            if (req->data_is_ptr)
                ref_ram_set(world, pos, req->size, val);
        } else {
            ref_reg_set(world, off, req->size,
                        req->data_is_ptr ? ref_ram(world, pos, req->size)
                                         : req->data);
        }
        off += step;
        pos += step;
    }
    return req->data_is_ptr ? req->data : val;
}

static void
compare(const struct ioreq *req)
{
    struct world got;
    struct world want;
    uint64_t got_val;
    uint64_t want_val;

    world_init(&got);
    world_init(&want);
    got_val = run(req, &got);
    want_val = ref_run(req, &want);

    if (got_val != want_val || memcmp(got.reg, want.reg, RANGE) != 0 ||
        memcmp(got.ram, want.ram, RAM_SIZE) != 0)
        fail_msg("addr=%#llx size=%u count=%u dir=%u df=%u ptr=%u data=%#llx: "
                 "got %#llx, want %#llx, or memory differs",
                 (unsigned long long)req->addr, req->size, req->count, req->dir,
                 req->df, req->data_is_ptr, (unsigned long long)req->data,
                 (unsigned long long)got_val, (unsigned long long)want_val);
}

/* --- tests ---------------------------------------------------------------- */

/* Offsets from below the range to beyond it, and counts. */
static void
compare_everywhere(unsigned size, unsigned bits)
{
    static const uint32_t counts[] = { 0, 1, 2, 3, 7, 8, 9, 33, 100 };
    static const uint64_t datas[] = {
        RAM_BASE,
        RAM_BASE + 1,
        RAM_BASE + 13,
        RAM_BASE + RAM_SIZE - 8,
        RAM_BASE + RAM_SIZE - 3,
    };

    for (uint64_t addr = BASE - 9; addr < BASE + RANGE + 2; addr++) {
        for (unsigned c = 0; c < 9; c++) {
            const struct ioreq req = {
                .type = IOREQ_TYPE_COPY,
                .addr = addr,
                .size = size,
                .count = counts[c],
                .data = datas[(addr + c) % 5],
                .dir = bits & 1,
                .df = (bits >> 1) & 1,
                .data_is_ptr = (bits >> 2) & 1,
                .state = STATE_IOREQ_READY,
            };

            compare(&req);
        }
    }
}

static void
every_shape_equals_the_reference(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 8; bits++) {
        for (unsigned size = 1; size <= 8; size++)
            compare_everywhere(size, bits);
    }
}

static void
a_long_repeat_is_cut(void **state)
{
    struct ioreq req = {
        .type = IOREQ_TYPE_COPY,
        .addr = BASE,
        .size = 1,
        .dir = IOREQ_READ,
    };
    struct ioreq_plan plan;

    (void)state;
    req.count = IOREQ_STEPS_MAX;
    ioreq_decode(&req, BASE, &plan);
    assert_int_equal(plan.count, IOREQ_STEPS_MAX);

    req.count = UINT32_MAX;
    ioreq_decode(&req, BASE, &plan);
    assert_int_equal(plan.count, IOREQ_STEPS_MAX);
}

/* Reads yield all ones, nothing is touched. */
static void
sizes_that_do_not_exist_touch_nothing(void **state)
{
    static const uint32_t sizes[] = { 0,   9,   16,         64,
                                      256, 257, 0x80000001, UINT32_MAX };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        for (unsigned bits = 0; bits < 8; bits++) {
            const struct ioreq req = {
                .type = IOREQ_TYPE_COPY,
                .addr = BASE,
                .size = sizes[i],
                .count = 1,
                .data = RAM_BASE,
                .dir = bits & 1,
                .df = (bits >> 1) & 1,
                .data_is_ptr = (bits >> 2) & 1,
            };
            struct world world;
            struct world before;

            world_init(&world);
            before = world;
            assert_int_equal(run(&req, &world),
                             req.dir == IOREQ_READ ? UINT64_MAX : RAM_BASE);
            assert_memory_equal(&world, &before, sizeof(world));
        }
    }
}

static void
other_types_are_answered(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const struct ioreq req = {
            .type = (uint8_t)type,
            .addr = BASE,
            .size = 4,
            .count = 1,
            .dir = IOREQ_READ,
        };
        struct ioreq_plan plan;
        struct world world;

        ioreq_decode(&req, BASE, &plan);
        if (type == IOREQ_TYPE_COPY) {
            assert_int_equal(plan.kind, IOREQ_ACCESS);
            continue;
        }

        assert_int_equal(plan.kind, type == IOREQ_TYPE_INVALIDATE
                                        ? IOREQ_INVALIDATE
                                        : IOREQ_OTHER);
        world_init(&world);
        assert_int_equal(ioreq_plan_run(&plan, &bus, &world), UINT64_MAX);
        assert_int_equal(world.reads + world.writes, 0);
    }
}

/* Address arithmetic at the ends of the number space. */
static void
addresses_wrap_without_harm(void **state)
{
    static const uint64_t ends[] = { 0, 7, UINT64_MAX, UINT64_MAX - 7,
                                     UINT64_C(1) << 63 };

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        for (unsigned j = 0; j < 5; j++) {
            for (unsigned bits = 0; bits < 8; bits++) {
                const struct ioreq req = {
                    .type = IOREQ_TYPE_COPY,
                    .addr = ends[i],
                    .size = 8,
                    .count = IOREQ_STEPS_MAX,
                    .data = ends[j],
                    .dir = bits & 1,
                    .df = (bits >> 1) & 1,
                    .data_is_ptr = (bits >> 2) & 1,
                };
                struct world world;
                struct world before;

                world_init(&world);
                before = world;
                (void)run(&req, &world);
                assert_memory_equal(world.reg, before.reg, RANGE);
            }
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_equals_the_reference),
        cmocka_unit_test(a_long_repeat_is_cut),
        cmocka_unit_test(sizes_that_do_not_exist_touch_nothing),
        cmocka_unit_test(other_types_are_answered),
        cmocka_unit_test(addresses_wrap_without_harm),
    };

    return cmocka_run_group_tests_name("daemon-decode", tests, NULL, NULL);
}
