/* SPDX-License-Identifier: GPL-2.0-only */
/* What the consumer of routes is told, and when: diffs, batches, misses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

static int
setup_config(void **state, const struct vtd_config *config)
{
    struct model *model = model_create(config);

    *state = model;
    model_queue_enable(model, 2);
    model_irt_enable(model, 15, true);
    return 0;
}

static int
setup(void **state)
{
    return setup_config(state, &model_config);
}

static int
setup_esirtps(void **state)
{
    static const struct vtd_config config = {
        .ir = true,
        .haw = 52,
        .eim = true,
        .esirtps = true,
        .fault_records = 8,
    };

    return setup_config(state, &config);
}

static void
iec(struct model *model, uint32_t index, unsigned im)
{
    model_queue_run(model, MODEL_IEC(index, im), 0);
    assert_int_equal(model_fsts(model) & 0xff, 0);
}

/* Calls since the last time, in the order routes, clear, retry. */
static void
assert_calls(struct model *model, unsigned routes, unsigned clears,
             unsigned retries)
{
    assert_int_equal(model->route_calls, routes);
    assert_int_equal(model->clear_calls, clears);
    assert_int_equal(model->retry_calls, retries);
    model->route_calls = 0;
    model->clear_calls = 0;
    model->retry_calls = 0;
}

static void
fill(struct model *model, uint32_t first, uint32_t n, uint8_t vector)
{
    for (uint32_t i = first; i < first + n; i++) {
        model_irte_set(model, i, MODEL_IRTE(vector, i), 0);
    }
}

static void
miss(struct model *model, uint32_t index, uint16_t sid, uint64_t cookie)
{
    const struct vtd_ir_event event = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = index,
        .sid = sid,
        .sid_valid = true,
        .cookie = cookie,
    };

    vtd_ir_event(model->vtd, &event);
}

static void
present_entry_is_pushed_once(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 8, MODEL_IRTE(0x41, 0x12345),
                   UINT64_C(5) << 16 | 0xff00);
    iec(model, 8, 0);
    assert_calls(model, 1, 0, 0);
    assert_true(model->route[8].present);
    assert_int_equal(model->route[8].index, 8);
    assert_int_equal(model->route[8].vector, 0x41);
    assert_int_equal(model->route[8].dest, 0x12345);
    assert_int_equal(model->route[8].sid, 0xff00);
    assert_int_equal(model->route[8].sid_check, VTD_SID_IGNORE_2);
    for (unsigned i = 0; i < 10; i++) {
        iec(model, 8, 0);
    }
    /* Bits for software's use make no difference. */
    model_irte_set(model, 8, MODEL_IRTE(0x41, 0x12345) | 0xf00,
                   UINT64_C(5) << 16 | 0xff00);
    iec(model, 8, 0);
    assert_calls(model, 0, 0, 0);
}

static void
changed_entry_is_pushed_and_gone_entry_removed(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 8, MODEL_IRTE(0x41, 1), 0);
    iec(model, 8, 0);
    model_irte_set(model, 8, MODEL_IRTE(0x42, 1), 0);
    assert_int_equal(model->route[8].vector, 0x41);
    iec(model, 8, 0);
    assert_calls(model, 2, 0, 0);
    assert_int_equal(model->route[8].vector, 0x42);
    model_irte_set(model, 8, 0, 0);
    iec(model, 8, 0);
    assert_calls(model, 1, 0, 0);
    assert_false(model->route[8].present);
    assert_int_equal(model->route[8].index, 8);
    iec(model, 8, 0);
    assert_calls(model, 0, 0, 0);
}

/* Wherever it is: withdrawn once more it is not there. */
static void
gone_entry_is_forgotten(void **state)
{
    static const uint32_t indices[] = { 0, 63, 64, 65, 0x1234, 0xffff };
    struct model *model = *state;

    for (unsigned i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
        model_irte_set(model, indices[i], MODEL_IRTE(0x41, 1), 0);
        iec(model, indices[i], 0);
        assert_true(model->route[indices[i]].present);
        model_irte_set(model, indices[i], 0, 0);
        iec(model, indices[i], 0);
        assert_calls(model, 2, 0, 0);
        miss(model, indices[i], 0, 0);
        assert_calls(model, 0, 0, 0);
        model_faults_clear(model);
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_ROUTE_CLEAR),
                     sizeof(indices) / sizeof(indices[0]));
}

/* Not present, malformed and unreadable entries are never announced. */
static void
unusable_entries_are_not_announced(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 1, MODEL_IRTE(0x41, 1) & ~UINT64_C(1), 0);
    model_irte_set(model, 2, MODEL_IRTE(0x41, 1) | 0x8000, 0);
    model_irte_set(model, 3, MODEL_IRTE(0x41, 1), 0);
    model->bad_gpa = MODEL_IRT + 3 * 16;
    iec(model, 0, 3);
    assert_calls(model, 0, 0, 0);
    /* An announced one is withdrawn when it becomes such. */
    model->bad_gpa = 0;
    model_irte_set(model, 2, MODEL_IRTE(0x41, 1), 0);
    iec(model, 0, 3);
    assert_calls(model, 1, 0, 0);
    assert_true(model->route[2].present && model->route[3].present);
    model_irte_set(model, 2, MODEL_IRTE(0x41, 1) | 0x8000, 0);
    model->bad_gpa = MODEL_IRT + 3 * 16;
    iec(model, 0, 3);
    assert_calls(model, 1, 0, 0);
    assert_false(model->route[2].present || model->route[3].present);
}

static void
only_the_range_is_read(void **state)
{
    struct model *model = *state;

    for (unsigned im = 0; im <= 8; im++) {
        uint32_t n = 1u << im;
        uint32_t first = 0x4321 & ~(n - 1);
        unsigned reads = model->reads;
        unsigned told = model->routes_told;

        fill(model, first - 1, n + 2, (uint8_t)(0x40 + im));
        iec(model, 0x4321, im);
        assert_int_equal(model->reads - reads, 1 + n);
        assert_int_equal(model->routes_told - told, n);
        assert_int_equal(model->route[first].vector, 0x40 + im);
        assert_int_equal(model->route[first + n - 1].vector, 0x40 + im);
        assert_int_not_equal(model->route[first + n].vector, 0x40 + im);
        assert_int_not_equal(model->route[first - 1].vector, 0x40 + im);
    }
}

static void
entries_beyond_the_table_are_ignored(void **state)
{
    struct model *model = *state;

    model_irt_enable(model, 3, true);
    fill(model, 0, 64, 0x50);
    iec(model, 16, 0);
    iec(model, 0xffff, 15);
    assert_calls(model, 0, 0, 0);
    iec(model, 0, 5);
    assert_int_equal(model->routes_told, 16);
}

static void
batches_span_descriptors_and_precede_the_wait(void **state)
{
    struct model *model = *state;

    fill(model, 0, 200, 0x51);
    for (uint32_t i = 0; i < 100; i++) {
        model_queue_append(model, MODEL_IEC(i, 0), 0);
    }
    model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_queue_append(model, MODEL_IEC(100, 0), 0);
    model_queue_append(model, MODEL_IEC(101, 0), 0);
    model_queue_doorbell(model);
    assert_int_equal(model->routes_at_write, 100);
    assert_int_equal(model->routes_told, 102);
    assert_calls(model, 2, 0, 0);
    /* A wait that follows nothing new costs no call. */
    model_queue_append(model, MODEL_IEC(100, 0), 0);
    model_queue_append(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    model_queue_doorbell(model);
    assert_calls(model, 0, 0, 0);
}

static void
batches_are_bounded(void **state)
{
    struct model *model = *state;

    fill(model, 0, 600, 0x51);
    for (uint32_t i = 0; i < 200; i++) {
        model_queue_append(model, MODEL_IEC(i * 2, 1), 0);
    }
    model_queue_doorbell(model);
    assert_int_equal(model->routes_told, 400);
    assert_calls(model, 2, 0, 0);
}

static void
error_flushes_what_was_done_before_it(void **state)
{
    struct model *model = *state;

    fill(model, 0, 4, 0x51);
    model_queue_append(model, MODEL_IEC(0, 1), 0);
    model_queue_append(model, 0, 0);
    model_queue_append(model, MODEL_IEC(2, 1), 0);
    model_queue_doorbell(model);
    assert_int_equal(model->routes_told, 2);
    assert_false(model->route[2].present);
}

static void
global_invalidation_rereads_the_few_announced(void **state)
{
    struct model *model = *state;
    unsigned reads;

    fill(model, 0, 0x10000, 0x52);
    for (uint32_t i = 0; i < 256; i++) {
        model_queue_append(model, MODEL_IEC(i * 251, 0), 0);
    }
    model_queue_doorbell(model);
    assert_int_equal(model->routes_told, 256);
    model->route_calls = 0;
    reads = model->reads;
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_int_equal(model->reads - reads, 257);
    assert_calls(model, 0, 0, 0);
    model_irte_set(model, 251, 0, 0);
    model_irte_set(model, 502, MODEL_IRTE(0x99, 1), 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_calls(model, 1, 0, 0);
    assert_false(model->route[251].present);
    assert_int_equal(model->route[502].vector, 0x99);
}

static void
global_invalidation_clears_when_many_are_announced(void **state)
{
    struct model *model = *state;

    fill(model, 0, 0x10000, 0x52);
    iec(model, 0, 8);
    iec(model, 0x8000, 0);
    assert_calls(model, 2, 0, 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_calls(model, 0, 1, 0);
    assert_false(model->route[0].present);
    assert_false(model->route[0x8000].present);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_ROUTE_CLEAR), 257);
    /* Nothing is left to clear. */
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_calls(model, 0, 0, 0);
    /* Misses bring the used ones back. */
    miss(model, 0x8000, 0, 1);
    assert_calls(model, 1, 0, 1);
    assert_true(model->route[0x8000].present);
}

/* Few routes or many, read again or withdrawn. */
static void
global_invalidation_reaches_the_last_entry(void **state)
{
    struct model *model = *state;

    fill(model, 0, 0x10000, 0x52);
    iec(model, 0xffff, 0);
    model_irte_set(model, 0xffff, MODEL_IRTE(0x99, 1), 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_int_equal(model->route[0xffff].vector, 0x99);
    iec(model, 0xff00, 8);
    iec(model, 0, 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_false(model->route[0xffff].present);
    iec(model, 0xffff, 0);
    assert_true(model->route[0xffff].present);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_ROUTE_CLEAR), 257);
}

/*
 * An invalidation of all costs what the map and the reads cost: 1 and
 * (10 + 65536 / 512) / 16, where a write has a budget of 256.
 */
static void
global_invalidation_costs_what_it_looks_at(void **state)
{
    struct model *model = *state;

    fill(model, 0, 0x10000, 0x52);
    for (uint32_t i = 0; i < 10; i++) {
        iec(model, 0x3000 + i * 0x1000, 0);
    }
    for (unsigned i = 0; i < 100; i++) {
        model_queue_append(model, MODEL_IEC_GLOBAL, 0);
    }
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 10 + (256 + 8) / 9);
    vtd_run(model->vtd, 100 * 9);
    assert_int_equal(model_queue_head(model), 110);
    /* Half of it costs half: 1 and (5 + 32768 / 512) / 16. */
    for (unsigned i = 0; i < 100; i++) {
        model_queue_append(model, MODEL_IEC(0x8000, 15), 0);
    }
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 110 + (256 + 4) / 5);
}

static void
wide_range_clears_its_own_routes_alone(void **state)
{
    struct model *model = *state;

    fill(model, 0, 0x10000, 0x52);
    iec(model, 0x0000, 8);
    iec(model, 0x4000, 8);
    iec(model, 0x4100, 0);
    iec(model, 0xc000, 0);
    assert_calls(model, 4, 0, 0);
    /* 257 in [0x4000, 0x8000). */
    iec(model, 0x4000, 14);
    assert_calls(model, 0, 1, 0);
    assert_true(model->route[0xff].present);
    assert_false(model->route[0x4000].present);
    assert_false(model->route[0x4100].present);
    assert_true(model->route[0xc000].present);
    /* 256 in [0, 0x4000): read again; one changed. */
    model_irte_set(model, 0xff, 0, 0);
    iec(model, 0x0000, 14);
    assert_calls(model, 1, 0, 0);
    assert_true(model->route[0xfe].present);
    assert_false(model->route[0xff].present);
}

/* A change that waits in the batch must not survive the clearing. */
static void
clearing_takes_pending_changes_with_it(void **state)
{
    struct model *model = *state;

    fill(model, 0, 300, 0x52);
    model_queue_append(model, MODEL_IEC(0, 8), 0);
    model_queue_append(model, MODEL_IEC(256, 4), 0);
    model_queue_append(model, MODEL_IEC_GLOBAL, 0);
    model_queue_doorbell(model);
    for (uint32_t i = 0; i < 300; i++) {
        assert_false(model->route[i].present);
    }
}

static void
resync_announces_again(void **state)
{
    struct model *model = *state;

    fill(model, 0, 0x10000, 0x52);
    iec(model, 0, 8);
    iec(model, 0x300, 8);
    iec(model, 0xffff, 0);
    memset(model->route, 0, sizeof(model->route));
    memset(&model->state, 0, sizeof(model->state));
    model_irte_set(model, 1, 0, 0);
    model->route_calls = 0;
    vtd_ir_resync(model->vtd);
    assert_calls(model, 2, 1, 0);
    assert_true(model->state.enabled);
    assert_int_equal(model->state.entries, 0x10000);
    assert_true(model->route[0].present);
    assert_false(model->route[1].present);
    assert_true(model->route[0x3ff].present);
    assert_true(model->route[0xffff].present);
    /* And knows what it announced. */
    iec(model, 0x300, 8);
    assert_calls(model, 0, 0, 0);
    iec(model, 1, 0);
    assert_calls(model, 0, 0, 0);
}

static void
new_table_withdraws_the_old_routes(void **state)
{
    struct model *model = *state;

    fill(model, 0, 16, 0x52);
    iec(model, 0, 4);
    model_ram_q_set(model, MODEL_IRT2 + 3 * 16, MODEL_IRTE(0x77, 9));
    model_w8(model, 0xb8, MODEL_IRT2 | 0x800 | 15);
    assert_true(model->route[3].present);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_calls(model, 1, 1, 0);
    assert_false(model->route[3].present);
    iec(model, 3, 0);
    assert_int_equal(model->route[3].vector, 0x77);
    /* A smaller one: no route beyond it may stand. */
    model_w8(model, 0xb8, MODEL_IRT2 | 0x800);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_false(model->route[3].present);
    assert_int_equal(model->state.entries, 2);
}

static void
latching_the_same_table_changes_nothing(void **state)
{
    struct model *model = *state;

    fill(model, 0, 16, 0x52);
    iec(model, 0, 4);
    model_irte_set(model, 3, MODEL_IRTE(0x99, 0), 0);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_calls(model, 1, 0, 0);
    assert_int_equal(model->route[3].vector, 0x52);
}

static void
latching_invalidates_with_esirtps(void **state)
{
    struct model *model = *state;

    fill(model, 0, 16, 0x52);
    iec(model, 0, 4);
    model_irte_set(model, 3, MODEL_IRTE(0x99, 0), 0);
    model_irte_set(model, 4, 0, 0);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_calls(model, 2, 0, 0);
    assert_int_equal(model->route[3].vector, 0x99);
    assert_false(model->route[4].present);
    /* A table that is read entry by entry: from its first on. */
    model_w8(model, 0xb8, MODEL_IRT | 0x800 | 3);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    iec(model, 0, 4);
    model_irte_set(model, 0, MODEL_IRTE(0x98, 0), 0);
    model_irte_set(model, 15, MODEL_IRTE(0x97, 0), 0);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_int_equal(model->route[0].vector, 0x98);
    assert_int_equal(model->route[15].vector, 0x97);
}

/* A change of the mode alone changes what each entry means. */
static void
change_of_mode_withdraws_routes(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 3, MODEL_IRTE(0x52, 0x700), 0);
    iec(model, 3, 0);
    assert_int_equal(model->route[3].dest, 0x700);
    model_w8(model, 0xb8, MODEL_IRT | 15);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP);
    assert_false(model->route[3].present);
    iec(model, 3, 0);
    assert_int_equal(model->route[3].dest, 7);
}

static void
routes_survive_disabling(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 3, MODEL_IRTE(0x52, 1), 0);
    iec(model, 3, 0);
    model_w4(model, 0x18, VTD_GCMD_QIE);
    assert_false(model->state.enabled);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE);
    assert_calls(model, 1, 0, 0);
    assert_true(model->route[3].present);
}

/* The cache is one: what the consumer has is what the unit answers. */
static void
remap_answers_as_announced_until_invalidated(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 3, MODEL_IRTE(0x52, 1), 0);
    assert_int_equal(model_remap(model, MODEL_MSI(3), &route), VTD_FR_OK);
    model_irte_set(model, 3, MODEL_IRTE(0x53, 1), UINT64_C(1) << 18 | 7);
    assert_int_equal(model_remap(model, MODEL_MSI(3), &route), VTD_FR_IR_SID);
    model_faults_clear(model);
    iec(model, 3, 0);
    model_irte_set(model, 3, 0, 0);
    assert_int_equal(model_remap_sid(model, MODEL_MSI(3), 7), VTD_FR_OK);
    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI_SHV(1), 2, 7, true, &route),
        VTD_FR_OK);
    assert_int_equal(route.index, 3);
    assert_int_equal(route.vector, 0x53);
    assert_int_equal(model_remap(model, MODEL_MSI(3), &route), VTD_FR_IR_SID);
    model_faults_clear(model);
    iec(model, 3, 0);
    assert_int_equal(model_remap_sid(model, MODEL_MSI(3), 7),
                     VTD_FR_IR_NOT_PRESENT);
}

/* The sum of handle and subhandle is not cut to the table's index. */
static void
announced_entry_is_not_reached_beyond_the_table(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 0, MODEL_IRTE(0x52, 1), 0);
    iec(model, 0, 0);
    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI_SHV(0xffff), 1, 7, true, &route),
        VTD_FR_IR_INDEX_RANGE);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)
    const struct CMUnitTest tests[] = {
        TEST(present_entry_is_pushed_once),
        TEST(changed_entry_is_pushed_and_gone_entry_removed),
        TEST(gone_entry_is_forgotten),
        TEST(unusable_entries_are_not_announced),
        TEST(only_the_range_is_read),
        TEST(entries_beyond_the_table_are_ignored),
        TEST(batches_span_descriptors_and_precede_the_wait),
        TEST(batches_are_bounded),
        TEST(error_flushes_what_was_done_before_it),
        TEST(global_invalidation_rereads_the_few_announced),
        TEST(global_invalidation_clears_when_many_are_announced),
        TEST(global_invalidation_reaches_the_last_entry),
        TEST(global_invalidation_costs_what_it_looks_at),
        TEST(wide_range_clears_its_own_routes_alone),
        TEST(clearing_takes_pending_changes_with_it),
        TEST(resync_announces_again),
        TEST(new_table_withdraws_the_old_routes),
        TEST(latching_the_same_table_changes_nothing),
        cmocka_unit_test_setup_teardown(latching_invalidates_with_esirtps,
                                        setup_esirtps, model_teardown),
        TEST(change_of_mode_withdraws_routes),
        TEST(routes_survive_disabling),
        TEST(remap_answers_as_announced_until_invalidated),
        TEST(announced_entry_is_not_reached_beyond_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
