/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cache of mappings over a fake libxenforeignmemory, which counts, and
 * fails the test for a mapping that is cut or kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#include "daemon/xen/gmem.h"

#define PAGE      UINT64_C(4096)
#define RAM_PAGES 512u
#define HOLE      300u /* a page that the guest does not have */
#define DOMID     7u

static uint8_t ram[RAM_PAGES * PAGE] __attribute__((aligned(4096)));

/* Which page each live mapping shows; a mapping is &ram[...] itself. */
static unsigned mapped[RAM_PAGES];
static unsigned live, maps;
static int fail_whole; /* errno for the whole call, not the page */

void *
xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot,
                     size_t pages, const xen_pfn_t arr[], int err[])
{
    static uint8_t hole[PAGE];

    (void)fmem;
    assert_int_equal(dom, DOMID);
    assert_int_equal(prot, PROT_READ | PROT_WRITE);
    assert_int_equal(pages, 1);
    if (fail_whole) {
        errno = fail_whole;
        return NULL;
    }

    maps++;
    live++;
    if (arr[0] >= RAM_PAGES || arr[0] == HOLE) {
        err[0] = EINVAL;
        return hole;
    }

    err[0] = 0;
    mapped[arr[0]]++;
    return ram + arr[0] * PAGE;
}

int
xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
    uint8_t *page = addr;

    (void)fmem;
    assert_int_equal(pages, 1);
    assert_true(live > 0);
    live--;
    if (page >= ram && page < ram + sizeof(ram)) {
        assert_int_equal((size_t)(page - ram) % PAGE, 0);
        assert_int_equal(mapped[(size_t)(page - ram) / PAGE]--, 1);
    }
    return 0;
}

static struct gmem gmem;

static int
setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ram); i++)
        ram[i] = (uint8_t)(i * 7 + i / PAGE);
    live = 0;
    maps = 0;
    fail_whole = 0;
    memset(mapped, 0, sizeof(mapped));
    gmem_open(&gmem, NULL, DOMID);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    gmem_drop(&gmem);
    return live ? -1 : 0;
}

static void
every_length_and_alignment_is_copied(void **state)
{
    (void)state;
    for (uint64_t gpa = PAGE - 70; gpa < PAGE + 70; gpa++) {
        for (size_t len = 0; len <= 64; len++) {
            uint8_t buf[66];

            memset(buf, 0xee, sizeof(buf));
            assert_int_equal(gmem_read(&gmem, gpa, buf, len), 0);
            assert_memory_equal(buf, ram + gpa, len);
            assert_int_equal(buf[len], 0xee);
        }
    }
}

static void
writes_touch_what_they_should(void **state)
{
    static uint8_t want[sizeof(ram)];

    (void)state;
    for (uint64_t gpa = PAGE - 20; gpa < PAGE + 20; gpa++) {
        for (size_t len = 0; len <= 40; len++) {
            uint8_t buf[40];

            for (size_t i = 0; i < len; i++)
                buf[i] = (uint8_t)(gpa + 3 * i + len);
            memcpy(want, ram, 3 * PAGE);
            memcpy(want + gpa, buf, len);
            assert_int_equal(gmem_write(&gmem, gpa, buf, len), 0);
            assert_memory_equal(ram, want, 3 * PAGE);
        }
    }
}

static void
what_is_no_memory_is_a_fault(void **state)
{
    uint64_t val = 0;

    (void)state;
    assert_int_equal(gmem_read(&gmem, HOLE * PAGE, &val, 8), -EFAULT);
    assert_int_equal(gmem_write(&gmem, HOLE * PAGE, &val, 8), -EFAULT);
    assert_int_equal(gmem_read(&gmem, HOLE * PAGE - 4, &val, 8), -EFAULT);
    assert_int_equal(gmem_read(&gmem, UINT64_C(1) << 52, &val, 8), -EFAULT);

    /* Around the end of the number space. */
    assert_int_equal(gmem_read(&gmem, UINT64_MAX - 3, &val, 8), -EFAULT);
    assert_int_equal(gmem_write(&gmem, UINT64_MAX, &val, 2), -EFAULT);

    /* Of all that, the page before the hole is there, and nothing else. */
    assert_int_equal(live, 1);
    assert_int_equal(mapped[HOLE - 1], 1);
    assert_int_equal(gmem_read(&gmem, (HOLE + 1) * PAGE, &val, 8), 0);
}

static void
a_failing_library_is_a_fault(void **state)
{
    uint64_t val;

    (void)state;
    fail_whole = EPERM;
    assert_int_equal(gmem_read(&gmem, 0, &val, 8), -EFAULT);
    fail_whole = 0;
    assert_int_equal(gmem_read(&gmem, 0, &val, 8), 0);
}

static void
a_page_is_mapped_once_while_it_is_used(void **state)
{
    uint64_t val;

    (void)state;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(gmem_read(&gmem, (i % 512) * UINT64_C(8), &val, 8), 0);
    assert_int_equal(maps, 1);
}

static void
a_quadword_is_exchanged_only_if_it_is_the_expected_one(void **state)
{
    static uint8_t want[sizeof(ram)];
    uint64_t old;

    (void)state;
    for (uint64_t gpa = PAGE - 16; gpa <= PAGE + 8; gpa += 8) {
        memcpy(&old, ram + gpa, 8);
        memcpy(want, ram, sizeof(ram));
        for (unsigned bit = 0; bit < 64; bit++)
            assert_int_equal(
                gmem_cmpxchg(&gmem, gpa, old ^ UINT64_C(1) << bit, ~old), 1);
        assert_memory_equal(ram, want, sizeof(ram));

        assert_int_equal(gmem_cmpxchg(&gmem, gpa, old, ~old), 0);
        for (unsigned i = 0; i < 8; i++)
            want[gpa + i] ^= 0xff;
        assert_memory_equal(ram, want, sizeof(ram));
    }
}

/* Xen refuses to map a page writable that the guest may only read. */
static void
an_exchange_needs_memory_that_can_be_written(void **state)
{
    (void)state;
    assert_int_equal(gmem_cmpxchg(&gmem, HOLE * PAGE, 0, 1), -EFAULT);
    assert_int_equal(gmem_cmpxchg(&gmem, UINT64_MAX - 7, 0, 1), -EFAULT);
    fail_whole = EPERM;
    assert_int_equal(gmem_cmpxchg(&gmem, 0, 0, 1), -EFAULT);
}

#define ADDS 20000u

/* A guest's processor that sets and clears bits while we do. */
static void *
add_many(void *ctx)
{
    uint64_t *quad = ctx;

    for (unsigned i = 0; i < ADDS; i++)
        __atomic_fetch_add(quad, UINT64_C(1) << 32, __ATOMIC_RELAXED);
    return NULL;
}

static void
an_exchange_loses_nothing_that_others_write(void **state)
{
    uint64_t *quad = (void *)(ram + PAGE);
    pthread_t thread;
    uint64_t seen;

    (void)state;
    *quad = 0;
    assert_int_equal(pthread_create(&thread, NULL, add_many, quad), 0);
    for (unsigned i = 0; i < ADDS; i++) {
        do
            assert_int_equal(gmem_read(&gmem, PAGE, &seen, 8), 0);
        while (gmem_cmpxchg(&gmem, PAGE, seen, seen + 1) != 0);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(*quad, UINT64_C(0x100000001) * ADDS);
}

/* As many pages as the cache holds, none is mapped twice. */
static void
the_cache_holds_what_it_says(void **state)
{
    uint64_t val;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < GMEM_SETS * GMEM_WAYS; i++)
            assert_int_equal(gmem_read(&gmem, (uint64_t)i * PAGE, &val, 8), 0);
    }
    assert_int_equal(maps, GMEM_SETS * GMEM_WAYS);
    assert_int_equal(live, GMEM_SETS * GMEM_WAYS);
}

static void
the_cache_never_grows(void **state)
{
    uint64_t val;

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < HOLE; i++) {
            assert_int_equal(gmem_read(&gmem, (uint64_t)i * PAGE, &val, 8), 0);
            assert_memory_equal(&val, ram + i * PAGE, 8);
            assert_true(live <= GMEM_SETS * GMEM_WAYS);
        }
    }
}

static void
dropping_leaves_nothing_mapped(void **state)
{
    uint64_t val;

    (void)state;
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(gmem_read(&gmem, (uint64_t)i * PAGE, &val, 8), 0);
    gmem_drop(&gmem);
    assert_int_equal(live, 0);
    assert_int_equal(gmem_read(&gmem, PAGE, &val, 8), 0);
    assert_memory_equal(&val, ram + PAGE, 8);
}

/* Whoever looks after that must not keep a page of a dying domain. */
static void
closing_is_for_good(void **state)
{
    uint64_t val = 0;

    (void)state;
    assert_int_equal(gmem_read(&gmem, PAGE, &val, 8), 0);
    gmem_close(&gmem);
    assert_int_equal(live, 0);
    assert_int_equal(gmem_read(&gmem, PAGE, &val, 8), -EFAULT);
    assert_int_equal(gmem_write(&gmem, PAGE, &val, 8), -EFAULT);
    assert_int_equal(gmem_cmpxchg(&gmem, PAGE, val, val), -EFAULT);
    assert_int_equal(maps, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_length_and_alignment_is_copied,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(writes_touch_what_they_should, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_no_memory_is_a_fault, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failing_library_is_a_fault, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_page_is_mapped_once_while_it_is_used,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_quadword_is_exchanged_only_if_it_is_the_expected_one, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            an_exchange_needs_memory_that_can_be_written, setup, teardown),
        cmocka_unit_test_setup_teardown(
            an_exchange_loses_nothing_that_others_write, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cache_holds_what_it_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_cache_never_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(closing_is_for_good, setup, teardown),
        cmocka_unit_test_setup_teardown(dropping_leaves_nothing_mapped, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("daemon-gmem", tests, NULL, NULL);
}
