/* SPDX-License-Identifier: GPL-2.0-only */
/* Protected memory regions: bounds, enabling, which requests they keep out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/vtd/pmr.h"
#include "tests/support/model.h"

#define PMEN     0x64
#define PLMBASE  0x68
#define PLMLIMIT 0x6c
#define PHMBASE  0x70
#define PHMLIMIT 0x78

#define EPM 0x80000000u
#define ON  0x80000001u
#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)

static int
setup(void **state)
{
    *state = model_create(&vtd_config_full);
    return 0;
}

static bool
is_blocked(struct model *model, uint64_t gpa)
{
    const struct vtd_dma_req req = {
        .iova = gpa,
        .pasid = VTD_NO_PASID,
        .access = VTD_DMA_READ,
    };
    struct vtd_dma_resp resp;
    enum vtd_fr fr = vtd_dma_translate(model->vtd, &req, &resp);

    assert_true(fr == VTD_FR_OK || fr == VTD_FR_BLOCKED);
    return fr == VTD_FR_BLOCKED;
}

static void
status_follows_enable(void **state)
{
    struct model *model = *state;

    model_w4(model, PMEN, 0x7fffffff);
    assert_int_equal(model_r4(model, PMEN), 0);
    model_w4(model, PMEN, EPM);
    assert_int_equal(model_r4(model, PMEN), ON);
    model_w4(model, PMEN, ON);
    assert_int_equal(model_r4(model, PMEN), ON);
    model_w4(model, PMEN, 1);
    assert_int_equal(model_r4(model, PMEN), 0);
    model_w4(model, PMEN, EPM);
    vtd_reset(model->vtd);
    assert_int_equal(model_r4(model, PMEN), 0);
}

/* As the specification tells software to find it. */
static void
granularity_is_found_by_writing_ones(void **state)
{
    static const uint32_t offs[] = { PLMBASE, PLMLIMIT, PHMBASE, PHMLIMIT };
    struct model *model = *state;

    for (unsigned i = 0; i < 4; i++) {
        model_w4(model, offs[i], UINT32_MAX);
        assert_int_equal(model_r4(model, offs[i]), 0xffe00000);
    }
}

static void
low_region_is_from_base_to_limit(void **state)
{
    struct model *model = *state;

    model_w4(model, PLMBASE, (uint32_t)(16 * MIB));
    model_w4(model, PLMLIMIT, (uint32_t)(32 * MIB));
    assert_false(is_blocked(model, 16 * MIB));
    model_w4(model, PMEN, EPM);
    assert_false(is_blocked(model, 16 * MIB - 1));
    assert_true(is_blocked(model, 16 * MIB));
    /* The granule that the limit names is inside. */
    assert_true(is_blocked(model, 34 * MIB - 1));
    assert_false(is_blocked(model, 34 * MIB));
    assert_false(is_blocked(model, 4 * GIB + 16 * MIB));
    /* Nothing is recorded. */
    assert_int_equal(model_fsts(model), 0);
    model_w4(model, PMEN, 0);
    assert_false(is_blocked(model, 16 * MIB));
}

static void
high_region_is_from_base_to_limit(void **state)
{
    struct model *model = *state;

    model_w8(model, PHMBASE, 5 * GIB);
    model_w8(model, PHMLIMIT, 6 * GIB - 1);
    model_w4(model, PLMBASE, UINT32_MAX);
    model_w4(model, PMEN, EPM);
    assert_false(is_blocked(model, 5 * GIB - 1));
    assert_true(is_blocked(model, 5 * GIB));
    assert_true(is_blocked(model, 6 * GIB - 1));
    assert_false(is_blocked(model, 6 * GIB));
    assert_false(is_blocked(model, GIB));
}

/* After reset both registers are zero: a region of one granule. */
static void
base_above_limit_is_no_region(void **state)
{
    struct model *model = *state;

    model_w4(model, PMEN, EPM);
    assert_true(is_blocked(model, 0));
    assert_true(is_blocked(model, 2 * MIB - 1));
    assert_false(is_blocked(model, 2 * MIB));
    model_w4(model, PLMBASE, (uint32_t)(2 * MIB));
    model_w8(model, PHMBASE, 4 * GIB);
    for (uint64_t gpa = 0; gpa < 8 * GIB; gpa += MIB) {
        assert_false(is_blocked(model, gpa));
    }
}

static void
a_range_is_blocked_if_a_byte_of_it_is(void **state)
{
    struct model *model = *state;
    const struct vtd_pmr *pmr;

    model_w4(model, PLMBASE, (uint32_t)(16 * MIB));
    model_w4(model, PLMLIMIT, (uint32_t)(16 * MIB));
    model_w8(model, PHMBASE, UINT64_MAX);
    model_w8(model, PHMLIMIT, UINT64_MAX);
    model_w4(model, PMEN, EPM);
    pmr = &model->vtd->view->state.pmr;
    assert_false(vtd_pmr_blocks(pmr, 16 * MIB - 4096, 4096));
    assert_true(vtd_pmr_blocks(pmr, 16 * MIB - 4096, 4097));
    assert_true(vtd_pmr_blocks(pmr, 0, GIB));
    assert_true(vtd_pmr_blocks(pmr, 18 * MIB - 1, GIB));
    assert_false(vtd_pmr_blocks(pmr, 18 * MIB, GIB));
    /* The end of the address space is an end. */
    assert_false(vtd_pmr_blocks(pmr, UINT64_MAX - 15, 16));
    assert_false(vtd_pmr_blocks(pmr, UINT64_MAX - 15, 32));
    assert_true(vtd_pmr_blocks(pmr, GIB, UINT64_MAX));
}

/* As whoever has them from elsewhere may ask. */
static void
a_region_may_be_one_byte(void **state)
{
    const struct vtd_pmr pmr = { .low = 5, .low_last = 5, .high = 1 };

    (void)state;
    assert_true(vtd_pmr_blocks(&pmr, 5, 1));
    assert_false(vtd_pmr_blocks(&pmr, 4, 1));
    assert_false(vtd_pmr_blocks(&pmr, 6, 1));
    assert_false(vtd_pmr_blocks(&pmr, 0, 2));
}

/* Each region has a capability of its own. */
static void
a_region_that_the_unit_lacks_blocks_nothing(void **state)
{
    (void)state;
    for (unsigned low = 0; low < 2; low++) {
        struct vtd_config config = vtd_config_full;
        struct model *model;

        config.plmr = low;
        config.phmr = !low;
        model = model_create(&config);
        model_w4(model, PLMLIMIT, UINT32_MAX);
        model_w8(model, PHMBASE, 4 * GIB);
        model_w8(model, PHMLIMIT, 5 * GIB);
        model_w4(model, PMEN, EPM);
        assert_int_equal(model_r4(model, PMEN), ON);
        assert_int_equal(is_blocked(model, GIB), low);
        assert_int_equal(is_blocked(model, 4 * GIB), !low);
        model_destroy(model);
    }
}

static void
a_unit_without_regions_has_no_enable(void **state)
{
    struct model *model = model_create(&vtd_config_legacy);

    (void)state;
    model_w4(model, PMEN, ON);
    assert_int_equal(model_r4(model, PMEN), 0);
    assert_false(is_blocked(model, 0));
    model_destroy(model);
}

/* Until then accesses that it keeps out may be in flight elsewhere. */
static void
status_waits_for_sinks(void **state)
{
    struct model *model = *state;

    model_sinks_attach(model);
    model->sync_late = true;
    for (unsigned on = 2; on-- > 0;) {
        model_w4(model, PMEN, on ? EPM : 0);
        assert_int_equal(model_inv_last(model)->kind, VTD_INV_ROOT);
        assert_int_equal(model_r4(model, PMEN), on ? EPM : 1);
        assert_int_equal(is_blocked(model, 0), on);
        /* Not even if it is written again. */
        model_w4(model, PMEN, on ? EPM : 0);
        assert_int_equal(model_r4(model, PMEN), on ? EPM : 1);
        vtd_sync_done(model->vtd, model->sync_token, VTD_SYNC_OK, 0);
        assert_int_equal(model_r4(model, PMEN), on ? ON : 0);
    }
    assert_int_equal(model->inv_count, 2);
}

/* A region that is moved is moved for all; what does not count is not told. */
static void
sinks_are_told_what_changes_for_them(void **state)
{
    struct model *model = *state;

    model_sinks_attach(model);
    model_w4(model, PLMLIMIT, (uint32_t)(16 * MIB));
    model_w8(model, PHMBASE, 4 * GIB);
    model_w4(model, PMEN, 0);
    assert_int_equal(model->inv_count, 0);
    model_w4(model, PMEN, EPM);
    assert_int_equal(model->inv_count, 1);
    model_w4(model, PLMLIMIT, (uint32_t)(16 * MIB + 1));
    assert_int_equal(model->inv_count, 1);
    model_w4(model, PLMLIMIT, (uint32_t)(18 * MIB));
    assert_int_equal(model->inv_count, 2);
    assert_int_equal(model->sync_calls, 2);
    assert_int_equal(model_r4(model, PMEN), ON);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(status_follows_enable),
        TEST(granularity_is_found_by_writing_ones),
        TEST(low_region_is_from_base_to_limit),
        TEST(high_region_is_from_base_to_limit),
        TEST(base_above_limit_is_no_region),
        TEST(a_range_is_blocked_if_a_byte_of_it_is),
        TEST(status_waits_for_sinks),
        TEST(sinks_are_told_what_changes_for_them),
        cmocka_unit_test(a_region_may_be_one_byte),
        cmocka_unit_test(a_region_that_the_unit_lacks_blocks_nothing),
        cmocka_unit_test(a_unit_without_regions_has_no_enable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
