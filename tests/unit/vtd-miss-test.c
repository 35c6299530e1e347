/* SPDX-License-Identifier: GPL-2.0-only */
/* What the consumer of routes reports: misses and faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/model.h"

static int
setup(void **state)
{
    model_setup(state);
    model_queue_enable(*state, 2);
    model_irt_enable(*state, 15, true);
    return 0;
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
miss_is_answered_with_route_and_retry(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 77, MODEL_IRTE(0x61, 3), UINT64_C(1) << 18 | 0x10);
    miss(model, 77, 0x10, 0xc00c1e);
    assert_calls(model, 1, 0, 1);
    assert_true(model->route[77].present);
    assert_int_equal(model->retry[0].index, 77);
    assert_int_equal(model->retry[0].cookie, 0xc00c1e);
    assert_int_equal(model_fsts(model), 0);
    /* Whoever misses it again has lost it. */
    miss(model, 77, 0x10, 1);
    assert_calls(model, 1, 0, 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_MISS), 2);
}

static void
miss_of_an_unusable_entry_is_the_fault_it_is(void **state)
{
    static const struct {
        uint64_t lo;
        uint64_t hi;
        uint8_t reason;
    } cases[] = {
        { 0, 0, 0x22 },
        { MODEL_IRTE(0x41, 1) | 0x8000, 0, 0x24 },
        { MODEL_IRTE(0x41, 1), UINT64_C(1) << 18 | 0x11, 0x26 },
    };
    struct model *model = *state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint64_t fpd = 0; fpd < 2; fpd++) {
            model_irte_set(model, 77, cases[i].lo | fpd << 1, cases[i].hi);
            miss(model, 77, 0x10, 0);
            assert_int_equal(model_fsts(model) & 2, fpd ? 0 : 2);
            if (!fpd) {
                assert_int_equal(model_r8(model, 0x228 + i * 16),
                                 UINT64_C(1) << 63 |
                                     (uint64_t)cases[i].reason << 32 | 0x10);
                assert_int_equal(model_r8(model, 0x220 + i * 16) >> 48, 77);
            }
            model_faults_clear(model);
        }
    }
    assert_calls(model, 0, 0, 0);
    miss(model, 0x12345, 0, 0);
    assert_int_equal(model_r8(model, 0x258) >> 32 & 0xff, 0x21);
}

/* A miss shows that an announced entry is gone: both forget it. */
static void
miss_withdraws_an_entry_that_went(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 5, MODEL_IRTE(0x41, 1), 0);
    iec(model, 5, 0);
    model_irte_set(model, 5, 0, 0);
    miss(model, 5, 0, 0);
    assert_calls(model, 2, 0, 0);
    assert_false(model->route[5].present);
}

static void
events_become_records(void **state)
{
    struct model *model = *state;

    for (uint8_t reason = 0x20; reason <= 0x26; reason++) {
        struct vtd_ir_event event = {
            .reason = reason,
            .index = 0x55,
            .sid = 0x0203,
            .sid_valid = true,
        };

        if (reason == VTD_FR_IR_NOT_PRESENT) {
            continue;
        }
        vtd_ir_event(model->vtd, &event);
        assert_int_equal(model_fsts(model) & 0xff, 2);
        vtd_reset(model->vtd);
        model_irt_enable(model, 15, true);
        model_queue_enable(model, 2);
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT), 6);
    assert_calls(model, 0, 0, 0);
}

/* That something was lost may be all there is to say. */
static void
loss_alone_is_no_fault(void **state)
{
    struct model *model = *state;
    const struct vtd_ir_event event = { .index = 7, .lost = true };

    vtd_ir_event(model->vtd, &event);
    assert_int_equal(model_fsts(model), VTD_FSTS_PFO);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT), 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT_LOST), 1);
}

/* They may come from the time before the guest switched off. */
static void
events_while_disabled_are_dropped(void **state)
{
    struct model *model = *state;
    struct vtd_ir_event event = { .reason = VTD_FR_IR_SID, .lost = true };

    model_irte_set(model, 5, MODEL_IRTE(0x41, 1), 0);
    model_w4(model, 0x18, VTD_GCMD_QIE);
    vtd_ir_event(model->vtd, &event);
    miss(model, 5, 0, 0);
    assert_int_equal(model_fsts(model), 0);
    assert_calls(model, 0, 0, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(miss_is_answered_with_route_and_retry),
        TEST(miss_of_an_unusable_entry_is_the_fault_it_is),
        TEST(miss_withdraws_an_entry_that_went),
        TEST(events_become_records),
        TEST(loss_alone_is_no_fault),
        TEST(events_while_disabled_are_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
