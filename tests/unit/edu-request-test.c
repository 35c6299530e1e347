/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of every shape, and those that Xen never sends: the answer to them
 * is a promise.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <xen/xen.h>

#include <xen/hvm/ioreq.h>

#include "client/examples/edu/request.h"

#define RAM  256u
#define SEEN 8u

/* The accesses of a request, and guest memory from address 0 on. */
struct world {
    struct {
        enum request_space space;
        uint64_t addr;
        uint64_t val;
        unsigned size;
    } seen[SEEN];
    unsigned reads;
    unsigned writes;
    uint64_t answer; /* to a read; goes up with each */
    uint8_t ram[RAM];
};

static void
note(struct world *world, enum request_space space, uint64_t addr,
     unsigned size, uint64_t val)
{
    unsigned n = world->reads + world->writes;

    assert_in_range(size, 1, 8);
    assert_true(size == 8 || !(val >> (8 * size)));
    if (n < SEEN) {
        world->seen[n].space = space;
        world->seen[n].addr = addr;
        world->seen[n].size = size;
        world->seen[n].val = val;
    }
}

static uint64_t
device_read(void *ctx, enum request_space space, uint64_t addr, unsigned size)
{
    struct world *world = ctx;

    note(world, space, addr, size, 0);
    world->reads++;
    return world->answer++;
}

static void
device_write(void *ctx, enum request_space space, uint64_t addr, unsigned size,
             uint64_t val)
{
    struct world *world = ctx;

    note(world, space, addr, size, val);
    world->writes++;
}

static int
memory(void *ctx, uint64_t gpa, void *buf, size_t len, bool write)
{
    struct world *world = ctx;

    if (gpa >= RAM || len > RAM - gpa) {
        return -EFAULT;
    }
    if (write) {
        memcpy(world->ram + gpa, buf, len);
    } else {
        memcpy(buf, world->ram + gpa, len);
    }
    return 0;
}

static const struct request_ops ops = {
    .read = device_read,
    .write = device_write,
    .memory = memory,
};

static uint64_t
run(struct world *world, const struct ioreq *req)
{
    world->reads = 0;
    world->writes = 0;
    return request_run(req, &ops, world);
}

static void
a_read_is_answered_with_what_the_device_says(void **state)
{
    (void)state;
    for (unsigned size = 1; size <= 8; size++) {
        struct world world = { .answer = 0x8877665544332211 };
        const struct ioreq req = {
            .type = IOREQ_TYPE_COPY,
            .addr = 0xf0000003,
            .size = size,
            .count = 1,
            .dir = IOREQ_READ,
            .data = 42,
        };

        assert_int_equal(run(&world, &req), UINT64_C(0x8877665544332211) &
                                                UINT64_MAX >> (64 - 8 * size));
        assert_int_equal(world.reads, 1);
        assert_int_equal(world.seen[0].addr, 0xf0000003);
        assert_int_equal(world.seen[0].size, size);
        assert_int_equal(world.seen[0].space, REQUEST_MMIO);
    }
}

static void
a_write_writes_as_much_as_it_says(void **state)
{
    struct world world = { 0 };
    const struct ioreq req = {
        .type = IOREQ_TYPE_COPY,
        .addr = 0xf0000000,
        .size = 2,
        .count = 1,
        .dir = IOREQ_WRITE,
        .data = 0x12345678,
    };

    (void)state;
    (void)run(&world, &req);
    assert_int_equal(world.writes, 1);
    assert_int_equal(world.seen[0].val, 0x5678);
}

static void
configuration_space_is_behind_a_port(void **state)
{
    struct world world = { .answer = 0x1111 };
    struct ioreq req = {
        .type = IOREQ_TYPE_PCI_CONFIG,
        .addr = UINT64_C(0x28) << 32 | 0x3c,
        .size = 2,
        .count = 3,
        .dir = IOREQ_READ,
    };

    (void)state;
    assert_int_equal(run(&world, &req), 0x1113);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(world.seen[i].space, REQUEST_CONFIG);
        assert_int_equal(world.seen[i].addr, 0x3c);
    }

    req.dir = IOREQ_WRITE;
    req.df = 1;
    (void)run(&world, &req);
    assert_int_equal(world.writes, 3);
    assert_int_equal(world.seen[2].addr, 0x3c);
}

static void
a_repeated_move_goes_either_way_and_up_or_down(void **state)
{
    (void)state;
    for (unsigned df = 0; df <= 1; df++) {
        struct world world = { .answer = 0xa0 };
        struct ioreq req = {
            .type = IOREQ_TYPE_COPY,
            .addr = 0xf0000010,
            .size = 4,
            .count = 3,
            .dir = IOREQ_READ,
            .df = df & 1,
            .data_is_ptr = 1,
            .data = 0x20,
        };
        uint32_t ram[5];

        assert_int_equal(run(&world, &req), 0x20);
        memcpy(ram, world.ram + 0x18, sizeof(ram));
        assert_int_equal(ram[2], 0xa0);
        assert_int_equal(ram[df ? 1 : 3], 0xa1);
        assert_int_equal(ram[df ? 0 : 4], 0xa2);
        assert_int_equal(ram[df ? 4 : 0], 0);

        req.dir = IOREQ_WRITE;
        assert_int_equal(run(&world, &req), 0x20);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(world.seen[i].val, 0xa0 + i);
            assert_int_equal(world.seen[i].addr,
                             df ? 0xf0000010 - 4 * i : 0xf0000010 + 4 * i);
        }
    }
}

static void
a_repeated_store_writes_the_same_again(void **state)
{
    struct world world = { 0 };
    const struct ioreq req = {
        .type = IOREQ_TYPE_COPY,
        .addr = 0xf0000000,
        .size = 8,
        .count = 2,
        .dir = IOREQ_WRITE,
        .data = 0x1122334455667788,
    };

    (void)state;
    (void)run(&world, &req);
    assert_int_equal(world.writes, 2);
    assert_int_equal(world.seen[1].addr, 0xf0000008);
    assert_int_equal(world.seen[1].val, 0x1122334455667788);
}

static void
memory_that_is_not_there_reads_as_all_ones(void **state)
{
    struct world world = { 0 };
    struct ioreq req = {
        .type = IOREQ_TYPE_COPY,
        .size = 4,
        .count = 1,
        .dir = IOREQ_WRITE,
        .data_is_ptr = 1,
        .data = UINT64_MAX - 1,
    };

    (void)state;
    assert_int_equal(run(&world, &req), UINT64_MAX - 1);
    assert_int_equal(world.seen[0].val, UINT32_MAX);

    req.dir = IOREQ_READ;
    assert_int_equal(run(&world, &req), UINT64_MAX - 1);
    assert_int_equal(world.reads, 1);
}

static void
no_request_takes_more_than_a_page_of_steps(void **state)
{
    struct world world = { 0 };
    const struct ioreq req = {
        .type = IOREQ_TYPE_COPY,
        .size = 1,
        .count = UINT32_MAX,
        .dir = IOREQ_WRITE,
        .addr = UINT64_MAX,
    };

    (void)state;
    (void)run(&world, &req);
    assert_int_equal(world.writes, 4096);
}

static void
what_makes_no_sense_is_answered_and_reaches_nothing(void **state)
{
    static const uint32_t sizes[] = { 0, 9, 256, 257, UINT32_MAX };
    struct world world = { 0 };

    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        struct ioreq req = {
            .type = (uint8_t)type,
            .size = 4,
            .count = 1,
            .dir = IOREQ_READ,
        };

        if (type != IOREQ_TYPE_COPY && type != IOREQ_TYPE_PCI_CONFIG) {
            assert_int_equal(run(&world, &req), UINT64_MAX);
            assert_int_equal(world.reads, 0);
        }
    }
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct ioreq req = {
            .type = IOREQ_TYPE_COPY,
            .size = sizes[i],
            .count = 1,
            .dir = IOREQ_READ,
        };

        assert_int_equal(run(&world, &req), UINT64_MAX);
        req.dir = IOREQ_WRITE;
        (void)run(&world, &req);
        assert_int_equal(world.reads + world.writes, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_answered_with_what_the_device_says),
        cmocka_unit_test(a_write_writes_as_much_as_it_says),
        cmocka_unit_test(configuration_space_is_behind_a_port),
        cmocka_unit_test(a_repeated_move_goes_either_way_and_up_or_down),
        cmocka_unit_test(a_repeated_store_writes_the_same_again),
        cmocka_unit_test(memory_that_is_not_there_reads_as_all_ones),
        cmocka_unit_test(no_request_takes_more_than_a_page_of_steps),
        cmocka_unit_test(what_makes_no_sense_is_answered_and_reaches_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
