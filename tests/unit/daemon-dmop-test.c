/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls of the new DMOPs, over a fake of the one ioctl: what Xen refuses
 * in the middle of a batch, above all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <xen/xen.h>

#include <xen/sys/privcmd.h>

#include "daemon/xen/dmop.h"

#define DOMID  7u
#define SERVER 3u
#define TABLE  1024u

/* What Xen holds: the vector of each index, 0 for none. */
static uint8_t table[TABLE];
static bool refused[TABLE];
static int call_errno, clear_errno;
static unsigned interrupted; /* calls to come that a signal cuts short */
static unsigned calls;
static uint16_t asked_domid;
static bool hypercalls_allowed, restricted;

static int
fake_update(const struct privcmd_dm_op *call)
{
    struct xen_dm_op_viommu_ir_update *update =
        (void *)((uint8_t *)call->ubufs[0].uptr + 8);
    const struct xen_dm_op_viommu_irte *irte = call->ubufs[1].uptr;

    assert_int_equal(update->id, SERVER);
    assert_int_equal(update->done, 0);
    assert_int_equal(update->status, 0);
    assert_int_equal(update->pad, 0);
    if (update->flags & XEN_DMOP_VIOMMU_UPDATE_CLEAR) {
        assert_int_equal(call->num, 1);
        errno = clear_errno;
        if (clear_errno)
            return -1;
        memset(table + update->first, 0, update->nr);
        return 0;
    }

    assert_int_equal(call->num, 2);
    assert_int_equal(update->first, 0);
    assert_int_equal(call->ubufs[1].size, update->nr * sizeof(*irte));
    assert_true(call->ubufs[1].size <= 4096);
    for (; update->done < update->nr; update->done++) {
        const struct xen_dm_op_viommu_irte *one = &irte[update->done];

        if (refused[one->index]) {
            update->status = -EINVAL;
            return 0;
        }
        table[one->index] = one->vector;
    }
    return 1; /* the kernel passes on what is positive */
}

static int
fake_dm_op(const struct privcmd_dm_op *call)
{
    uint32_t op[2];

    calls++;
    asked_domid = call->dom;
    if (interrupted) {
        interrupted--;
        errno = EINTR;
        return -1;
    }

    errno = call->dom == DOMID ? call_errno : restricted ? EPERM : ESRCH;
    if (errno)
        return -1;

    memcpy(op, call->ubufs[0].uptr, 8);
    assert_int_equal(op[1], 0);
    return op[0] == XEN_DMOP_viommu_ir_update ? fake_update(call) : 0;
}

int
ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;

    assert_int_equal(fd, 99);
    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (request == IOCTL_PRIVCMD_HYPERCALL) {
        errno = EPERM;
        return hypercalls_allowed ? 4 << 16 | 17 : -1;
    }

    assert_int_equal(request, IOCTL_PRIVCMD_DM_OP);
    return fake_dm_op(arg);
}

static struct dmop dmop;
static struct xen_dm_op_viommu_irte batch[DMOP_ROUTES_MAX];

static int
setup(void **state)
{
    (void)state;
    memset(table, 0xaa, sizeof(table));
    memset(refused, 0, sizeof(refused));
    call_errno = 0;
    clear_errno = 0;
    interrupted = 0;
    calls = 0;
    hypercalls_allowed = false;
    restricted = true;
    dmop = (struct dmop){ .fd = 99, .domid = DOMID, .server = SERVER };
    for (unsigned i = 0; i < DMOP_ROUTES_MAX; i++) {
        batch[i] = (struct xen_dm_op_viommu_irte){
            .index = i,
            .vector = 0x50,
            .flags = XEN_DMOP_VIOMMU_IRTE_PRESENT,
        };
    }
    return 0;
}

static void
a_batch_is_one_call(void **state)
{
    (void)state;
    assert_int_equal(dmop_ir_update(&dmop, batch, DMOP_ROUTES_MAX), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(asked_domid, DOMID);
    for (unsigned i = 0; i < DMOP_ROUTES_MAX; i++)
        assert_int_equal(table[i], 0x50);
    assert_int_equal(table[DMOP_ROUTES_MAX], 0xaa);
    assert_int_equal(dmop.stats.routes, DMOP_ROUTES_MAX);
    assert_int_equal(dmop.stats.errors, 0);
}

/* Wherever it is in the batch: gone rather than old, and the others set. */
static void
a_refused_route_is_removed_and_the_rest_set(void **state)
{
    (void)state;
    for (unsigned bad = 0; bad < 8; bad++) {
        (void)setup(state);
        refused[bad] = true;
        assert_int_equal(dmop_ir_update(&dmop, batch, 8), -EINVAL);
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(table[i], i == bad ? 0 : 0x50);
        assert_int_equal(dmop.stats.routes, 7);
        assert_int_equal(dmop.stats.errors, 1);
    }
}

static void
all_refused_comes_to_an_end(void **state)
{
    (void)state;
    memset(refused, true, sizeof(refused));
    assert_int_equal(dmop_ir_update(&dmop, batch, DMOP_ROUTES_MAX), -EINVAL);
    for (unsigned i = 0; i < DMOP_ROUTES_MAX; i++)
        assert_int_equal(table[i], 0);
    assert_int_equal(dmop.stats.errors, DMOP_ROUTES_MAX);
}

/* A Xen that takes nothing at all is not asked 256 times. */
static void
a_dead_domain_is_asked_twice_at_most(void **state)
{
    (void)state;
    call_errno = ESRCH;
    assert_int_equal(dmop_ir_update(&dmop, batch, DMOP_ROUTES_MAX), -ESRCH);
    assert_true(calls <= 2);
    assert_true(dmop.stats.errors > 0);
}

static void
a_signal_does_not_lose_a_call(void **state)
{
    (void)state;
    interrupted = 3;
    assert_int_equal(dmop_ir_update(&dmop, batch, 1), 0);
    assert_int_equal(calls, 4);
    assert_int_equal(table[0], 0x50);
}

static void
a_range_is_cleared(void **state)
{
    (void)state;
    assert_int_equal(dmop_ir_clear(&dmop, 10, 5), 0);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(table[i], i >= 10 && i < 15 ? 0 : 0xaa);
    clear_errno = EBUSY;
    assert_int_equal(dmop_ir_clear(&dmop, 0, 1), -EBUSY);
    assert_int_equal(dmop.stats.calls, 2);
    assert_int_equal(dmop.stats.errors, 1);
}

static void
a_restriction_that_did_not_take_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(dmop_restrict_verify(&dmop, 8), 0);
    assert_int_equal(asked_domid, 8);

    hypercalls_allowed = true;
    assert_int_equal(dmop_restrict_verify(&dmop, 8), -EACCES);
    hypercalls_allowed = false;
    restricted = false; /* "no such domain" is an answer it must not give */
    assert_int_equal(dmop_restrict_verify(&dmop, 8), -EACCES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_batch_is_one_call, setup),
        cmocka_unit_test_setup(a_refused_route_is_removed_and_the_rest_set,
                               setup),
        cmocka_unit_test_setup(all_refused_comes_to_an_end, setup),
        cmocka_unit_test_setup(a_dead_domain_is_asked_twice_at_most, setup),
        cmocka_unit_test_setup(a_signal_does_not_lose_a_call, setup),
        cmocka_unit_test_setup(a_range_is_cleared, setup),
        cmocka_unit_test_setup(a_restriction_that_did_not_take_is_noticed,
                               setup),
    };

    return cmocka_run_group_tests_name("daemon-dmop", tests, NULL, NULL);
}
