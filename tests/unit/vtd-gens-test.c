/* SPDX-License-Identifier: GPL-2.0-only */
/* Generation counters: the queue's short ways to move them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/vtd/cache.h"

#define DID 0x1207u

#define PAGES(a, s, leaf)                                             \
    {                                                                 \
        .kind = VTD_INV_IOTLB, .scope = VTD_INV_ONE, .pages = true,   \
        .did = DID, .pasid = VTD_NO_PASID, .addr = (a), .shift = (s), \
        .leaf_only = (leaf)                                           \
    }

/* Each is worth what it costs: 2 where many counters move. */
static const struct {
    struct vtd_inv inv;
    int cost;
} cases[] = {
    { { .kind = VTD_INV_IOTLB, .scope = VTD_INV_GLOBAL }, 1 },
    { { .kind = VTD_INV_IOTLB, .scope = VTD_INV_DOMAIN, .did = DID }, 1 },
    { PAGES(0x123456000, 12, false), 1 },
    { PAGES(0x123456000, 12, true), 1 },
    { PAGES(0x123450000, 16, false), 1 },
    { PAGES(0x123460000, 17, false), 2 },
    { PAGES(0x123400000, 21, true), 2 },
    { PAGES(0x123400000, 22, false), 2 },
    { PAGES(0, 64, false), 2 },
};

static int
go_short_way(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    switch (inv->scope) {
    case VTD_INV_GLOBAL:
        return vtd_gens_invalidate_global(gens);
    case VTD_INV_DOMAIN:
        return vtd_gens_invalidate_domain(gens, inv->did);
    default:
        return vtd_gens_invalidate_pages(gens, inv->did, inv->addr, inv->shift,
                                         inv->leaf_only);
    }
}

/* The one that announces an invalidation, and those that do not. */
static void
short_ways_move_the_same_counters(void **state)
{
    static struct vtd_gens want;
    static struct vtd_gens gens;

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t seq = gens.seq;

        vtd_gens_invalidate(&want, &cases[i].inv);
        assert_int_equal(go_short_way(&gens, &cases[i].inv), cases[i].cost);
        assert_int_equal(gens.seq, seq + 1);
        assert_memory_equal(&gens, &want, sizeof(want));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ways_move_the_same_counters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
