/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Misses that are answered without vtd_walk(): what is kept of them, and which
 * ones are not.  That they say the same as it is the matter of other tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/vtd/cache-nested.h"
#include "tests/support/walker.h"

#define RW   (TABLES_SS_R | TABLES_SS_W)
#define IOVA UINT64_C(0x123456000)
#define GPA  UINT64_C(0x345678000)

static struct {
    struct vtd_cache cache;
    struct vtd_gens gens;
    struct vtd_ctx_entry *from;
    struct vtd_dma_resp resp;
    uint64_t leaf; /* of the first page */
} s;

static void
setup_pages(struct walker *w)
{
    struct tables_map map = { tables_pages(&w->tables, 1), 4, RW };
    struct vtd_dma_req req = { .pasid = VTD_NO_PASID };

    w->ctx = (struct vtd_dma_ctx){ .ss_root = map.root,
                                   .stage = VTD_STAGE_SECOND,
                                   .ss_levels = 4,
                                   .ss_bits = 48 };
    s.leaf = tables_map(&w->tables, &map, IOVA, GPA, 12, RW);
    for (uint64_t off = 0x1000; off < 0x4000; off += 0x1000) {
        tables_map(&w->tables, &map, IOVA + off, GPA + off, 12, RW);
    }
    vtd_gens_invalidate_all(&s.gens);
    vtd_cache_init(&s.cache, &s.gens, &w->env);
    (void)vtd_ctx_enter(&s.cache, &s.gens, &w->config, &req, &w->ctx,
                        s.gens.seq);
    s.from = vtd_ctx_slot(&s.cache, &req);
}

static bool
miss(uint64_t iova, uint8_t access)
{
    struct vtd_dma_req req = { .iova = iova,
                               .pasid = VTD_NO_PASID,
                               .access = access };

    return vtd_cache_miss(&s.cache, &req, &s.resp, vtd_tlb_slot(&s.cache, &req),
                          s.from, false);
}

static bool
hit(uint64_t iova)
{
    struct vtd_dma_req req = { .iova = iova,
                               .pasid = VTD_NO_PASID,
                               .access = VTD_DMA_READ };

    return vtd_tlb_hit(&s.cache, &s.gens, &req, &s.resp);
}

static void
an_ordinary_miss_is_answered_and_kept(void **state)
{
    setup_pages(*state);
    assert_false(hit(IOVA));
    assert_true(miss(IOVA + 0x234, VTD_DMA_WRITE));
    assert_int_equal(s.resp.gpa, GPA + 0x234);
    assert_int_equal(s.resp.shift, 12);
    s.resp.gpa = 0;
    assert_true(hit(IOVA + 0x567));
    assert_int_equal(s.resp.gpa, GPA + 0x567);
}

static void
a_table_that_is_met_twice_is_remembered(void **state)
{
    static const unsigned reads[] = { 4, 4, 1, 1 };
    struct walker *w = *state;

    setup_pages(w);
    for (uint64_t i = 0; i < 4; i++) {
        w->reads = 0;
        assert_true(miss(IOVA + (i << 12), VTD_DMA_READ));
        assert_int_equal(s.resp.gpa, GPA + (i << 12));
        assert_int_equal(w->reads, reads[i]);
    }
}

static void
what_is_not_ordinary_is_not_answered(void **state)
{
    static const uint64_t bits[] = { 0, TABLES_SS_R, TABLES_SS_W, RW };
    struct walker *w = *state;

    setup_pages(w);
    assert_false(miss(UINT64_C(1) << 48, VTD_DMA_READ));
    for (uint8_t access = 0; access < 4; access++) {
        for (unsigned i = 0; i < 4; i++) {
            walker_q_set(w, s.leaf, GPA | bits[i]);
            assert_int_equal(miss(IOVA, access),
                             bits[i] != 0 && (access & ~bits[i]) == 0);
        }
    }
    walker_q_set(w, s.leaf, UINT64_C(0xfee01000) | RW);
    assert_false(miss(IOVA, VTD_DMA_READ));
    w->bad_gpa = s.leaf;
    assert_false(miss(IOVA, VTD_DMA_READ));
}

static int (*real_read)(void *ctx, uint64_t gpa, void *buf, size_t len);

static int
read_and_invalidate(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    (void)vtd_gens_invalidate_global(&s.gens);
    return real_read(ctx, gpa, buf, len);
}

static void
nothing_is_kept_that_an_invalidation_raced_with(void **state)
{
    setup_pages(*state);
    real_read = s.cache.mem_read;
    s.cache.mem_read = read_and_invalidate;
    assert_false(miss(IOVA, VTD_DMA_READ));
    assert_false(hit(IOVA));
}

/* --- nested ----------------------------------------------------------------- */

#define INNER UINT64_C(0x2345678000)
#define FIRST \
    (TABLES_FS_P | TABLES_FS_RW | TABLES_FS_US | TABLES_FS_A | TABLES_FS_D)

static uint64_t first_leaf; /* of IOVA; s.leaf is that of INNER */

/* The second stage has tables at their own addresses, by pages of 2 MiB. */
static void
setup_nested(struct walker *w)
{
    struct tables_map second = { tables_pages(&w->tables, 1), 4, RW };
    struct tables_map first = { tables_pages(&w->tables, 1), 4, FIRST };
    struct vtd_dma_req req = { .pasid = VTD_NO_PASID };

    w->config.ss2m = true;
    w->ctx = (struct vtd_dma_ctx){ .fs_root = first.root,
                                   .ss_root = second.root,
                                   .stage = VTD_STAGE_NESTED,
                                   .fs_levels = 4,
                                   .ss_levels = 4,
                                   .ss_bits = 48,
                                   .scalable = true };
    first_leaf = tables_map(&w->tables, &first, IOVA, INNER, 12, FIRST);
    tables_map(&w->tables, &second, 0, 0, 21, RW);
    s.leaf = tables_map(&w->tables, &second, INNER, GPA, 12, RW);
    vtd_gens_invalidate_all(&s.gens);
    vtd_cache_init(&s.cache, &s.gens, &w->env);
    (void)vtd_ctx_enter(&s.cache, &s.gens, &w->config, &req, &w->ctx,
                        s.gens.seq);
    s.from = vtd_ctx_slot(&s.cache, &req);
}

static bool
miss_nested(uint8_t access)
{
    struct vtd_dma_req req = { .iova = IOVA + 0x234,
                               .pasid = VTD_NO_PASID,
                               .access = access };

    return vtd_cache_miss_nested(&s.cache, &req, &s.resp,
                                 vtd_tlb_slot(&s.cache, &req), s.from);
}

static void
a_nested_miss_reads_few_tables_of_the_second_stage(void **state)
{
    struct walker *w = *state;

    setup_nested(w);
    w->reads = 0;
    assert_true(miss_nested(VTD_DMA_WRITE));
    assert_int_equal(s.resp.gpa, GPA + 0x234);
    assert_int_equal(s.resp.shift, 12);
    /* Three to the first table, one to each other; 4 to the page; and 4. */
    assert_int_equal(w->reads, 3 + 3 + 4 + 4);
    s.resp.gpa = 0;
    assert_true(hit(IOVA + 0x567));
    assert_int_equal(s.resp.gpa, GPA + 0x567);
}

static void
a_nested_page_permits_what_both_stages_do(void **state)
{
    static const uint64_t bits[] = { TABLES_SS_R, RW };
    struct walker *w = *state;

    setup_nested(w);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t first = i & 1 ? FIRST : FIRST & ~TABLES_FS_RW;

        walker_q_set(w, first_leaf, INNER | first);
        walker_q_set(w, s.leaf, GPA | bits[i >> 1]);
        assert_true(miss_nested(VTD_DMA_READ));
        assert_int_equal(miss_nested(VTD_DMA_WRITE), i == 3);
    }
}

static void
what_is_not_ordinary_in_either_stage_is_not_answered(void **state)
{
    struct walker *w = *state;

    setup_nested(w);
    walker_q_set(w, first_leaf, INNER | (FIRST & ~TABLES_FS_A));
    assert_false(miss_nested(VTD_DMA_READ));
    walker_q_set(w, first_leaf, INNER | (FIRST & ~TABLES_FS_D));
    assert_true(miss_nested(VTD_DMA_READ));
    assert_false(miss_nested(VTD_DMA_WRITE));
    walker_q_set(w, first_leaf, (INNER + (UINT64_C(1) << 48)) | FIRST);
    assert_false(miss_nested(VTD_DMA_READ));
    walker_q_set(w, first_leaf, INNER | FIRST);
    w->bad_gpa = s.leaf;
    assert_false(miss_nested(VTD_DMA_READ));
    w->bad_gpa = first_leaf;
    assert_false(miss_nested(VTD_DMA_READ));
}

static void
a_nested_page_goes_with_what_lies_around_it(void **state)
{
    setup_nested(*state);
    assert_true(miss_nested(VTD_DMA_READ));
    assert_true(hit(IOVA));
    vtd_gens_invalidate(&s.gens, &(struct vtd_inv){ .kind = VTD_INV_PASID_IOTLB,
                                                    .scope = VTD_INV_ONE,
                                                    .pages = true,
                                                    .addr = IOVA ^ 0x1000000,
                                                    .shift = 12 });
    assert_false(hit(IOVA));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(an_ordinary_miss_is_answered_and_kept),
        WALKER_TEST(a_table_that_is_met_twice_is_remembered),
        WALKER_TEST(what_is_not_ordinary_is_not_answered),
        WALKER_TEST(nothing_is_kept_that_an_invalidation_raced_with),
        WALKER_TEST(a_nested_miss_reads_few_tables_of_the_second_stage),
        WALKER_TEST(a_nested_page_permits_what_both_stages_do),
        WALKER_TEST(what_is_not_ordinary_in_either_stage_is_not_answered),
        WALKER_TEST(a_nested_page_goes_with_what_lies_around_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
