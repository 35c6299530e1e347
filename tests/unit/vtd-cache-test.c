/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The caches alone, used as a client does: with counters that somebody else
 * moves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/vtd/cache-priv.h"
#include "tests/support/walker.h"

#define BIT(n) (UINT64_C(1) << (n))

#define SID 0x0193u

/* Addresses, one for each line of the tables below. */
static const uint64_t iovas[] = {
    UINT64_C(0x0000123456000), /* 4 KiB */
    UINT64_C(0x0000123457000), /* its neighbour */
    UINT64_C(0x0000123556000), /* 1 MiB away, in the same table */
    UINT64_C(0x0000123656000), /* in the next 2 MiB */
    UINT64_C(0x0000200000000), /* a page of 2 MiB */
    UINT64_C(0x0000200400000), /* another */
    UINT64_C(0x0001040000000), /* a page of 1 GiB */
};
static const uint8_t shifts[] = { 12, 12, 12, 12, 21, 21, 30 };
#define IOVAS (sizeof(iovas) / sizeof(iovas[0]))

/* PASIDs of the one function, and what they translate through. */
struct kind {
    uint16_t did;
    uint64_t pgtt;
};
static const struct kind kinds[] = {
    { 7, TABLES_PE_SECOND }, { 7, TABLES_PE_FIRST }, { 7, TABLES_PE_NESTED },
    { 8, TABLES_PE_SECOND }, { 8, TABLES_PE_FIRST },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct client {
    struct walker *w;
    struct vtd_gens gens; /* the daemon's */
    struct vtd_cache cache;
    uint64_t entry[KINDS]; /* PASID table entries */
    uint64_t leaf[KINDS][IOVAS];
    unsigned walks;
};

/* --- a client ------------------------------------------------------------ */

static enum vtd_fr
walk(struct client *c, const struct vtd_dma_req *req)
{
    const struct vtd_ctx_entry *from = vtd_ctx_find(&c->cache, &c->gens, req);
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr;

    if (!from) {
        uint64_t seq = vtd_gens_seq(&c->gens);

        fr = vtd_dma_ctx_resolve(&c->w->env, req, &ctx);
        if (fr != VTD_FR_OK) {
            return fr;
        }
        from =
            vtd_ctx_enter(&c->cache, &c->gens, &c->w->config, req, &ctx, seq);
    }
    c->walks++;
    return vtd_cache_translate(&c->cache, req, from, from->need[req->access]);
}

/* The address, or 0 for a fault. */
static uint64_t
translate(struct client *c, const struct vtd_dma_req *req)
{
    struct vtd_dma_resp resp;

    if (vtd_tlb_hit(&c->cache, &c->gens, req, &resp)) {
        return resp.gpa;
    }
    if (walk(c, req) != VTD_FR_OK) {
        return 0;
    }
    return vtd_tlb_slot(&c->cache, req)->resp.gpa + (req->iova & 0xfff);
}

static struct vtd_dma_req
request(unsigned pasid, uint64_t iova)
{
    return (struct vtd_dma_req){
        .iova = iova, .pasid = pasid, .sid = SID, .access = VTD_DMA_READ
    };
}

static uint64_t
read_page(struct client *c, unsigned pasid, unsigned page)
{
    static const uint64_t within[IOVAS] = { [4] = 0x5000, [6] = 0x17000 };
    struct vtd_dma_req req = request(pasid, iovas[page] + within[page]);
    uint64_t gpa = translate(c, &req);

    return gpa ? gpa - within[page] : 0;
}

/* Where a page is at first, and after it was moved. */
#define GPA(page)  (UINT64_C(0x4000000000) + ((uint64_t)(page) << 30))
#define MOVED(gpa) ((gpa) ^ BIT(40))

static void
move_all(struct client *c)
{
    for (unsigned k = 0; k < KINDS; k++) {
        for (unsigned i = 0; i < IOVAS; i++) {
            walker_flip(c->w, c->leaf[k][i], BIT(40));
        }
    }
}

static void
build_kind(struct client *c, uint64_t dir, unsigned k)
{
    struct tables *tables = &c->w->tables;
    bool first = kinds[k].pgtt != TABLES_PE_SECOND;
    struct tables_map map = { tables_pages(tables, 1), 4,
                              first ? 0x67 : TABLES_SS_R | TABLES_SS_W };
    uint64_t second = map.root;

    for (unsigned i = 0; i < IOVAS; i++) {
        c->leaf[k][i] = tables_map(tables, &map, iovas[i], GPA(i), shifts[i],
                                   first ? 0x67 : 3);
    }
    if (kinds[k].pgtt == TABLES_PE_NESTED) {
        struct tables_map all = { tables_pages(tables, 1), 4, 3 };

        second = all.root;
        for (uint64_t g = 0; g < 16; g++) {
            tables_map(tables, &all, GPA(g), GPA(g), 30, 3);
            tables_map(tables, &all, MOVED(GPA(g)), MOVED(GPA(g)), 30, 3);
        }
        tables_map(tables, &all, 0, 0, 30, 3);
    }
    c->entry[k] = tables_pasid(tables, dir, k);
    walker_q_set(c->w, c->entry[k],
                 second | TABLES_PE_AW(TABLES_AW_48) | kinds[k].pgtt | 1);
    walker_q_set(c->w, c->entry[k] + 8, TABLES_PE1_PWSNP | kinds[k].did);
    walker_q_set(c->w, c->entry[k] + 16, map.root);
}

static int
setup(void **state)
{
    struct client *c = calloc(1, sizeof(*c));
    void *w;
    uint64_t context;
    uint64_t root;
    uint64_t dir;

    assert_non_null(c);
    walker_setup(&w);
    c->w = w;
    root = tables_pages(&c->w->tables, 1);
    dir = tables_pages(&c->w->tables, 1);
    c->w->env.root = (struct vtd_root){ .base = root,
                                        .ttm = VTD_TTM_SCALABLE,
                                        .latched = true };
    context = tables_sm_context(&c->w->tables, root, SID);
    walker_q_set(c->w, context, dir | TABLES_SM_PASIDE | 1);
    /* RID_PASID: none of those that requests name. */
    walker_q_set(c->w, context + 8, KINDS);
    for (unsigned k = 0; k < KINDS; k++) {
        build_kind(c, dir, k);
    }
    vtd_gens_invalidate_all(&c->gens);
    vtd_cache_init(&c->cache, &c->gens, &c->w->env);
    *state = c;
    return 0;
}

static int
teardown(void **state)
{
    struct client *c = *state;
    void *w = c->w;

    walker_teardown(&w);
    free(c);
    return 0;
}

/* Everything is cached, and all pages have moved since. */
static void
fill_and_move(struct client *c)
{
    for (unsigned k = 0; k < KINDS; k++) {
        for (unsigned i = 0; i < IOVAS; i++) {
            assert_int_equal(read_page(c, k, i), GPA(i));
        }
    }
    move_all(c);
    for (unsigned k = 0; k < KINDS; k++) {
        for (unsigned i = 0; i < IOVAS; i++) {
            assert_int_equal(read_page(c, k, i), GPA(i));
        }
    }
}

/* --- what an invalidation drops ------------------------------------------ */

/*
 * Of each PASID, each page: 'x' is dropped, '.' is kept, and '?' is either: an
 * invalidation may drop more than it has to.
 */
struct reach {
    struct vtd_inv inv;
    const char *drops[KINDS];
};

#define ALL  "xxxxxxx"
#define NONE "......."
#define ANY  "???????"

#define WHOLE(k, s, d, p, source)                                            \
    {                                                                        \
        .kind = VTD_INV_##k, .scope = VTD_INV_##s, .did = (d), .pasid = (p), \
        .sid = (source)                                                      \
    }
#define PAGES(k, d, p, a, s)                                          \
    {                                                                 \
        .kind = (k), .scope = VTD_INV_ONE, .pages = true, .did = (d), \
        .pasid = (p), .addr = (a), .shift = (s)                       \
    }
#define IOTLB(a, s)          PAGES(VTD_INV_IOTLB, 7, VTD_NO_PASID, a, s)
#define PASID_IOTLB(p, a, s) PAGES(VTD_INV_PASID_IOTLB, 7, p, a, s)

static const struct reach reaches[] = {
    { WHOLE(ROOT, GLOBAL, 0, 0, 0), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(IOTLB, GLOBAL, 0, 0, 0), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(IOTLB, DOMAIN, 7, 0, 0), { ALL, ALL, ALL, NONE, NONE } },
    { WHOLE(IOTLB, DOMAIN, 8, 0, 0), { NONE, NONE, NONE, ALL, ALL } },
    { WHOLE(PASID_IOTLB, GLOBAL, 0, 0, 0), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(PASID_IOTLB, DOMAIN, 8, 0, 0), { NONE, NONE, NONE, ALL, ALL } },
    { WHOLE(PASID_IOTLB, ONE, 7, 1, 0), { NONE, ALL, NONE, NONE, NONE } },
    { WHOLE(PASID_IOTLB, ONE, 7, 2, 0), { NONE, NONE, ALL, NONE, NONE } },
    { WHOLE(PASID_IOTLB, ONE, 8, 4, 0), { NONE, NONE, NONE, NONE, ALL } },
    /* Pages of the second stage; every first one of the domain goes. */
    { IOTLB(0x123456000, 12), { "x?.....", ANY, ALL, NONE, NONE } },
    { IOTLB(0x123457fff, 12), { "?x.....", ANY, ALL, NONE, NONE } },
    { IOTLB(0x123456000, 13), { "xx.....", ANY, ALL, NONE, NONE } },
    { IOTLB(0x123500000, 20), { "..x....", ANY, ALL, NONE, NONE } },
    { IOTLB(0x123400000, 21), { "xxx....", ANY, ALL, NONE, NONE } },
    { IOTLB(0x123400000, 22), { "xxxx???", ANY, ALL, NONE, NONE } },
    { IOTLB(0x200000000, 12), { "....x.?", ANY, ALL, NONE, NONE } },
    { IOTLB(0x2001ff000, 12), { "....x.?", ANY, ALL, NONE, NONE } },
    { IOTLB(0x200400000, 21), { ".....x?", ANY, ALL, NONE, NONE } },
    { IOTLB(0x1040000000, 12), { "......x", ANY, ALL, NONE, NONE } },
    { IOTLB(0x107ffff000, 12), { "......x", ANY, ALL, NONE, NONE } },
    { IOTLB(0, 64), { ALL, ANY, ALL, NONE, NONE } },
    /* Pages of the first stage. */
    { PASID_IOTLB(1, 0x123456000, 12), { NONE, "x?.....", NONE, NONE, NONE } },
    { PASID_IOTLB(1, 0x123400000, 21), { NONE, "xxx....", NONE, NONE, NONE } },
    { PASID_IOTLB(1, 0x123400000, 22), { NONE, "xxxx???", NONE, NONE, NONE } },
    { PASID_IOTLB(1, 0x2001ff000, 12), { NONE, "....x..", NONE, NONE, NONE } },
    { PASID_IOTLB(1, 0x107ffff000, 12), { NONE, "......x", NONE, NONE, NONE } },
    { PASID_IOTLB(2, 0x123456000, 12), { NONE, NONE, "x???...", NONE, NONE } },
    { PASID_IOTLB(2, 0x2001ff000, 12), { NONE, NONE, "....x?.", NONE, NONE } },
    { PASID_IOTLB(2, 0x107ffff000, 12), { NONE, NONE, "......x", NONE, NONE } },
    /* Translations go with their contexts. */
    { WHOLE(CONTEXT, GLOBAL, 0, 0, 0), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(CONTEXT, DOMAIN, 7, 0, 0), { ALL, ALL, ALL, NONE, NONE } },
    { WHOLE(CONTEXT, ONE, 0, 0, SID), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(PASID_CACHE, GLOBAL, 0, 0, 0), { ALL, ALL, ALL, ALL, ALL } },
    { WHOLE(PASID_CACHE, DOMAIN, 8, 0, 0), { NONE, NONE, NONE, ALL, ALL } },
    { WHOLE(PASID_CACHE, ONE, 7, 1, 0), { ANY, ALL, ANY, NONE, NONE } },
    /* A device's own are not ours. */
    { WHOLE(DEV_TLB, GLOBAL, 0, 0, SID), { NONE, NONE, NONE, NONE, NONE } },
    { WHOLE(PASID_DEV_TLB, GLOBAL, 0, 0, SID),
      { NONE, NONE, NONE, NONE, NONE } },
};

static void
assert_reach(struct client *c, const struct reach *reach)
{
    for (unsigned k = 0; k < KINDS; k++) {
        for (unsigned i = 0; i < IOVAS; i++) {
            uint64_t gpa = read_page(c, k, i);

            if (reach->drops[k][i] == 'x') {
                assert_int_equal(gpa, MOVED(GPA(i)));
            } else if (reach->drops[k][i] == '.') {
                assert_int_equal(gpa, GPA(i));
            }
        }
    }
}

static void
each_invalidation_drops_what_it_names(void **state)
{
    for (unsigned i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
        for (unsigned leaf_only = 0; leaf_only < 2; leaf_only++) {
            struct vtd_inv inv = reaches[i].inv;
            struct client *c;

            inv.leaf_only = leaf_only != 0;
            setup(state);
            c = *state;
            fill_and_move(c);
            vtd_gens_invalidate(&c->gens, &inv);
            assert_reach(c, &reaches[i]);
            teardown(state);
        }
    }
    setup(state);
}

/* No counter goes down, and few go up: how few does not depend on entries. */
static void
invalidations_move_few_counters(void **state)
{
    struct client *c = *state;
    struct vtd_gens was;

    for (unsigned i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
        unsigned moved = 0;

        was = c->gens;
        vtd_gens_invalidate(&c->gens, &reaches[i].inv);
        assert_true(c->gens.seq > was.seq);
        for (unsigned n = 0; n < VTD_GEN_COUNT; n++) {
            assert_true(c->gens.gen[n] - was.gen[n] <= 1);
            moved += c->gens.gen[n] != was.gen[n];
        }
        assert_true(moved <= 40);
    }
}

/* --- contexts ------------------------------------------------------------ */

struct context_reach {
    struct vtd_inv inv;
    const char *drops; /* of each PASID */
};

static const struct context_reach context_reaches[] = {
    { WHOLE(ROOT, GLOBAL, 0, 0, 0), "xxxxx" },
    { WHOLE(CONTEXT, GLOBAL, 0, 0, 0), "xxxxx" },
    { WHOLE(CONTEXT, DOMAIN, 7, 0, 0), "xxx.." },
    { WHOLE(CONTEXT, ONE, 0, 0, SID), "xxxxx" },
    { { .kind = VTD_INV_CONTEXT,
        .scope = VTD_INV_ONE,
        .sid = SID ^ 4,
        .function_mask = 4 },
      "xxxxx" },
    { { .kind = VTD_INV_CONTEXT,
        .scope = VTD_INV_ONE,
        .sid = SID ^ 7,
        .function_mask = 7 },
      "xxxxx" },
    { WHOLE(CONTEXT, ONE, 0, 0, SID ^ 8), "....." },
    { WHOLE(PASID_CACHE, GLOBAL, 0, 0, 0), "xxxxx" },
    { WHOLE(PASID_CACHE, DOMAIN, 8, 0, 0), "...xx" },
    { WHOLE(PASID_CACHE, ONE, 7, 1, 0), ".x..." },
    { WHOLE(PASID_CACHE, ONE, 8, 1, 0), "....." },
    { WHOLE(IOTLB, GLOBAL, 0, 0, 0), "....." },
    { WHOLE(PASID_IOTLB, ONE, 7, 1, 0), "....." },
};

static void
each_invalidation_drops_the_contexts_it_names(void **state)
{
    struct client *c = *state;

    for (unsigned i = 0;
         i < sizeof(context_reaches) / sizeof(context_reaches[0]); i++) {
        const struct context_reach *reach = &context_reaches[i];

        for (unsigned k = 0; k < KINDS; k++) {
            struct vtd_dma_req req = request(k, iovas[0]);

            assert_int_equal(walk(c, &req), VTD_FR_OK);
            assert_non_null(vtd_ctx_find(&c->cache, &c->gens, &req));
        }
        vtd_gens_invalidate(&c->gens, &reach->inv);
        for (unsigned k = 0; k < KINDS; k++) {
            struct vtd_dma_req req = request(k, iovas[0]);

            assert_int_equal(vtd_ctx_find(&c->cache, &c->gens, &req) == NULL,
                             reach->drops[k] == 'x');
        }
    }
}

/* A context that was read again does not begin at another one's tables. */
static void
tables_of_an_old_context_are_not_taken(void **state)
{
    struct client *c = *state;
    struct vtd_inv inv = {
        .kind = VTD_INV_PASID_CACHE, .scope = VTD_INV_ONE, .did = 7, .pasid = 1
    };

    assert_int_equal(read_page(c, 1, 0), GPA(0));
    /* PASID 1 now has the second stage of PASID 0, with page 1 moved. */
    walker_q_set(c->w, c->entry[1], walker_q(c->w, c->entry[0]));
    walker_flip(c->w, c->leaf[0][1], BIT(40));
    vtd_gens_invalidate(&c->gens, &inv);
    assert_int_equal(read_page(c, 1, 1), MOVED(GPA(1)));
    walker_flip(c->w, c->leaf[0][0], BIT(40));
    assert_int_equal(read_page(c, 1, 0), MOVED(GPA(0)));
}

/* --- tables -------------------------------------------------------------- */

/* Reads of guest memory for a page that was never used. */
static unsigned
reads_for(struct client *c, unsigned pasid, uint64_t iova)
{
    struct vtd_dma_req req = request(pasid, iova);
    unsigned before = c->w->reads;

    (void)translate(c, &req);
    return c->w->reads - before;
}

static void
the_last_table_is_remembered(void **state)
{
    struct client *c = *state;

    for (unsigned k = 0; k < 2; k++) {
        read_page(c, k, 0);
        assert_int_equal(reads_for(c, k, iovas[1]), 1);
        assert_int_equal(reads_for(c, k, iovas[2]), 1);
        assert_int_equal(reads_for(c, k, iovas[3]), 4);
        assert_int_equal(reads_for(c, k, iovas[4]), 3);
        assert_int_equal(reads_for(c, k, iovas[4] + 0x1000), 1);
    }
}

static void
tables_go_unless_only_leaves_changed(void **state)
{
    struct client *c = *state;
    struct vtd_inv pages[] = { IOTLB(0x123457000, 12),
                               PASID_IOTLB(1, 0x123457000, 12) };

    for (unsigned k = 0; k < 2; k++) {
        read_page(c, k, 0);
        pages[k].leaf_only = true;
        vtd_gens_invalidate(&c->gens, &pages[k]);
        assert_int_equal(reads_for(c, k, iovas[1]), 1);
        pages[k].leaf_only = false;
        vtd_gens_invalidate(&c->gens, &pages[k]);
        assert_int_equal(reads_for(c, k, iovas[2]), 4);
    }
}

/* Counters that have moved before are no reason to remember less. */
static void
tables_are_remembered_again(void **state)
{
    struct client *c = *state;
    struct vtd_inv pages[] = { IOTLB(0x123457000, 12),
                               PASID_IOTLB(1, 0x123457000, 12) };

    for (unsigned k = 0; k < 2; k++) {
        vtd_gens_invalidate(&c->gens, &pages[k]);
        read_page(c, k, 0);
        assert_int_equal(reads_for(c, k, iovas[1]), 1);
    }
}

/* A table that spans 1 GiB goes with any entry above it in that range. */
static void
upper_tables_go_with_any_page_below_them(void **state)
{
    struct client *c = *state;
    struct vtd_inv inv = IOTLB(0x200400000, 12);

    read_page(c, 0, 4);
    assert_int_equal(reads_for(c, 0, iovas[4] + 0x1000), 1);
    vtd_gens_invalidate(&c->gens, &inv);
    assert_int_equal(reads_for(c, 0, iovas[4] + 0x2000), 3);
}

/* --- entries ------------------------------------------------------------- */

static void
nothing_is_valid_at_first(void **state)
{
    struct client *c = *state;
    struct vtd_dma_req req = { .iova = 0, .pasid = 0, .sid = 0 };
    struct vtd_dma_resp resp;

    assert_false(vtd_tlb_hit(&c->cache, &c->gens, &req, &resp));
    assert_null(vtd_tlb_find(&c->cache, &c->gens, &req, &c->cache.ctx[0], 0));
    assert_null(vtd_ctx_find(&c->cache, &c->gens, &req));
}

static int (*real_read)(void *ctx, uint64_t gpa, void *buf, size_t len);
static struct vtd_gens *racing;
static unsigned reads_until_race;

static int
read_and_invalidate(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct vtd_inv inv = IOTLB(0x123456000, 12);
    int rc = real_read(ctx, gpa, buf, len);

    if (reads_until_race-- == 0) {
        vtd_gens_invalidate(racing, &inv);
    }
    return rc;
}

/* Whenever it comes: what was read before it must not be kept. */
static void
an_invalidation_during_a_walk_keeps_it_from_being_cached(void **state)
{
    struct client *c = *state;

    real_read = c->w->ops.mem_read;
    racing = &c->gens;
    for (unsigned at = 0; at < 8; at++) {
        vtd_gens_invalidate_all(&c->gens);
        c->w->ops.mem_read = read_and_invalidate;
        reads_until_race = at;
        assert_int_equal(read_page(c, 0, 0), GPA(0));
        c->w->ops.mem_read = real_read;
        reads_until_race = UINT32_MAX;
        /* The table may have been read before: its leaf is read again. */
        c->walks = 0;
        assert_int_equal(read_page(c, 0, 0), GPA(0));
        assert_int_equal(c->walks, 1);
        assert_int_equal(read_page(c, 0, 0), GPA(0));
        assert_int_equal(c->walks, 1);
    }
}

static void
faults_are_not_cached(void **state)
{
    struct client *c = *state;
    uint64_t was = walker_q(c->w, c->leaf[0][0]);

    walker_q_set(c->w, c->leaf[0][0], 0);
    assert_int_equal(read_page(c, 0, 0), 0);
    walker_q_set(c->w, c->leaf[0][0], was);
    assert_int_equal(read_page(c, 0, 0), GPA(0));
    walker_flip(c->w, c->entry[3], 1);
    assert_int_equal(read_page(c, 3, 0), 0);
    walker_flip(c->w, c->entry[3], 1);
    assert_int_equal(read_page(c, 3, 0), GPA(0));
}

/* As many pages as there are entries, and none drives out another. */
static void
neighbours_do_not_collide(void **state)
{
    struct client *c = *state;

    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < VTD_TLB_ENTRIES; i++) {
            struct vtd_dma_req req = request(0, iovas[6] + (i << 12));

            assert_int_equal(translate(c, &req), GPA(6) + (i << 12));
        }
    }
    assert_int_equal(c->walks, VTD_TLB_ENTRIES);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_invalidation_drops_what_it_names,
                                  teardown),
        TEST(invalidations_move_few_counters),
        TEST(each_invalidation_drops_the_contexts_it_names),
        TEST(tables_of_an_old_context_are_not_taken),
        TEST(the_last_table_is_remembered),
        TEST(tables_go_unless_only_leaves_changed),
        TEST(tables_are_remembered_again),
        TEST(upper_tables_go_with_any_page_below_them),
        TEST(nothing_is_valid_at_first),
        TEST(an_invalidation_during_a_walk_keeps_it_from_being_cached),
        TEST(faults_are_not_cached),
        TEST(neighbours_do_not_collide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
