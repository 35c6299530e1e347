/* SPDX-License-Identifier: GPL-2.0-only */
/* The invalidation queue: descriptors, errors, bounds, budget. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/queue.h"

static int
setup(void **state)
{
    model_setup(state);
    model_queue_enable(*state, 0);
    return 0;
}

/* No more than what the interrupts need: no page is known, so no mask is. */
static void
granularities_are_checked(void **state)
{
    struct model *model = *state;

    queue_refuses(model, 0x01, 0, QUEUE_RSVD);
    queue_refuses(model, 0x02, 0, QUEUE_RSVD);
    for (uint64_t g = 1; g < 4; g++) {
        queue_accepts(model, 1 | g << 4, 0);
        queue_accepts(model, 2 | g << 4, 0);
        for (uint64_t am = 1; am < 64; am++) {
            if (g == 3) {
                queue_refuses(model, 2 | g << 4, am, QUEUE_RSVD);
            } else {
                queue_accepts(model, 2 | g << 4, am);
            }
        }
    }
}

static void
types_the_unit_lacks_are_invalid(void **state)
{
    struct model *model = *state;

    for (uint64_t type = 0; type < 128; type++) {
        if (type != 1 && type != 2 && type != 4 && type != 5) {
            queue_refuses(model, (type & 15) | (type >> 4) << 9 | 0x10, 0,
                          QUEUE_TYPE);
        }
    }
}

static void
wait_combinations(void **state)
{
    struct model *model = *state;

    for (unsigned bits = 0; bits < 8; bits++) {
        bool interrupt = bits & 1;
        bool status = bits & 2;

        model_w4(model, 0x9c, 1);
        model_ram_q_set(model, MODEL_STATUS, UINT64_C(0x1111111122222222));
        model_queue_run(model, 5 | bits << 4 | UINT64_C(0xabcd0000) << 32,
                        MODEL_STATUS);
        queue_assert_done(model);
        assert_int_equal(model_r4(model, 0x9c), interrupt);
        /* A dword, not more. */
        assert_int_equal(model_ram_q(model, MODEL_STATUS),
                         status ? UINT64_C(0x11111111abcd0000)
                                : UINT64_C(0x1111111122222222));
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_WAIT), 8);
}

/* A posted write to nowhere is lost; the queue does not stop for it. */
static void
wait_status_beyond_memory_is_lost(void **state)
{
    struct model *model = *state;

    model_queue_run(model, MODEL_WAIT_SW(1), UINT64_MAX - 3);
    queue_assert_done(model);
    assert_int_equal(model->writes, 1);
    model_queue_run(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
    /* Address bits beyond HAW do not count. */
    model_queue_run(model, MODEL_WAIT_SW(3), MODEL_STATUS | UINT64_C(1) << 52);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 3);
}

static void
wrap_around(struct model *model, unsigned qs)
{
    uint64_t entries = model->queue_entries;

    model->tail = 0;
    for (uint64_t i = 0; i < entries - 2; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    while (vtd_run_pending(model->vtd)) {
        vtd_run(model->vtd, 1000);
    }
    assert_int_equal(model_queue_head(model), entries - 2);
    for (unsigned i = 0; i < 4; i++) {
        model_queue_append(model, MODEL_WAIT_SW(qs * 8 + i), MODEL_STATUS);
    }
    assert_int_equal(model->tail, 2);
    model_queue_doorbell(model);
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), qs * 8 + 3);
}

static void
queue_wraps_at_every_size(void **state)
{
    struct model *model = *state;

    for (unsigned qs = 0; qs < 8; qs++) {
        model_w4(model, 0x18, 0);
        model_queue_enable(model, qs);
        assert_int_equal(model->queue_entries, 256u << qs);
        wrap_around(model, qs);
    }
}

static void
wide_queue_wraps_at_every_size(void **state)
{
    struct model *model = model_create(&vtd_config_scalable);

    (void)state;
    for (unsigned qs = 0; qs < 8; qs++) {
        model_w4(model, 0x18, 0);
        model_queue_enable_wide(model, qs);
        assert_int_equal(model->queue_entries, 128u << qs);
        wrap_around(model, qs);
    }
    model_destroy(model);
}

static void
tail_beyond_the_queue_is_an_error(void **state)
{
    struct model *model = *state;

    for (unsigned qs = 0; qs < 7; qs++) {
        model_w4(model, 0x18, 0);
        model_queue_enable(model, qs);
        model->reads = 0;
        model_w8(model, 0x88, 0x1000u << qs);
        assert_int_equal(model_fsts(model), QUEUE_IQE);
        assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
        assert_int_equal(model->reads, 0);
        assert_int_equal(model_queue_head(model), 0);
        /* It stays one until the tail is mended. */
        model_w4(model, 0x34, QUEUE_IQE);
        assert_int_equal(model_fsts(model), QUEUE_IQE);
        model_w8(model, 0x88, 0);
        model_w4(model, 0x34, QUEUE_IQE);
        assert_int_equal(model_fsts(model), 0);
    }
}

/* Tail and head were legal in the larger queue. */
static void
shrinking_the_queue_is_caught(void **state)
{
    struct model *model = *state;

    model_w4(model, 0x18, 0);
    model_queue_enable(model, 1);
    for (unsigned i = 0; i < 300; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    vtd_run(model->vtd, 100);
    queue_assert_done(model);
    /* Nothing is pending, so nothing is wrong yet. */
    model_w8(model, 0x90, MODEL_QUEUE);
    assert_int_equal(model_fsts(model), 0);
    /* The head is outside, wherever the tail goes. */
    model_w8(model, 0x88, 0x10);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
    assert_int_equal(model_queue_head(model), 300);
    /* Restoring the size mends it. */
    model_w8(model, 0x88, 0x12d0);
    model_w8(model, 0x90, MODEL_QUEUE | 1);
    model_ram_q_set(model, MODEL_QUEUE + 300 * 16, MODEL_WAIT_FN);
    model_w4(model, 0x34, QUEUE_IQE);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(model_queue_head(model), 301);
}

static void
moved_queue_is_revalidated_at_once(void **state)
{
    struct model *model = *state;

    model_w4(model, 0x18, 0);
    model_queue_enable(model, 2);
    model_ram_q_set(model, MODEL_QUEUE, 0xf);
    model_w8(model, 0x88, 0x3840);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TYPE);
    model_w4(model, 0x98, 0);
    /* While stopped the change does nothing; clearing the error tells. */
    model_w8(model, 0x90, MODEL_QUEUE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TYPE);
    model_w4(model, 0x34, QUEUE_IQE);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
}

/* In a queue of 256-bit descriptors bit 4 of the tail is reserved. */
static void
tail_between_wide_descriptors_is_an_error(void **state)
{
    struct model *model = queue_unit(&vtd_config_scalable, true);

    (void)state;
    model_queue_append(model, MODEL_WAIT_SW(7), MODEL_STATUS);
    for (uint64_t tail = 0x10; tail < 0x1000; tail += 0x20) {
        model_w8(model, 0x88, tail);
        assert_int_equal(model_fsts(model), QUEUE_IQE);
        assert_int_equal(model_r8(model, 0xb0), QUEUE_ALIGN);
        assert_int_equal(model_r8(model, 0x80), 0);
        model_w8(model, 0x88, 0);
        model_w4(model, 0x34, QUEUE_IQE);
        assert_int_equal(model_fsts(model), 0);
    }
    /* Beyond the queue is beyond the queue. */
    model_w8(model, 0x88, 0x1010);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
    model_w8(model, 0x88, 0);
    model_w4(model, 0x34, QUEUE_IQE);
    model_queue_doorbell(model);
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 7);
    model_destroy(model);
}

/* The head was at an odd descriptor of 128 bits when they became 256. */
static void
change_of_width_is_caught(void **state)
{
    struct model *model = queue_unit(&vtd_config_scalable, false);

    (void)state;
    queue_accepts(model, MODEL_WAIT_FN, 0);
    model_w8(model, 0x90, MODEL_QUEUE | 0x800);
    assert_int_equal(model_fsts(model), 0);
    model_w8(model, 0x88, 0x40);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_ALIGN);
    assert_int_equal(model_r8(model, 0x80), 0x10);
    /* Back in order, both descriptors before the tail are run. */
    model_w8(model, 0x88, 0x20);
    model_ram_q_set(model, MODEL_QUEUE + 0x10, MODEL_WAIT_FN);
    model_ram_q_set(model, MODEL_QUEUE + 0x18, 0);
    model_w8(model, 0x90, MODEL_QUEUE);
    model_w4(model, 0x34, QUEUE_IQE);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(model_r8(model, 0x80), 0x20);
    model_destroy(model);
}

static void
latch_root(struct model *model, unsigned ttm)
{
    uint32_t on = model_r4(model, 0x1c) & 0x04000000;

    model_w8(model, 0x20, 0x10000 | ttm << 10);
    model_w4(model, 0x18, on | VTD_GCMD_SRTP);
    model_w4(model, 0x18, on | (uint32_t)VTD_GCMD_TE);
}

/* [VT-d 4.1, "Invalidation Queue Error Record Register", on IQEI] */
static void
width_and_mode_must_agree(void **state)
{
    static const struct {
        unsigned ttm;
        enum queue_error narrow, wide;
    } modes[] = {
        { 0, 0, 0 },
        { 1, QUEUE_WIDTH, 0 },
        { 2, QUEUE_TTM, QUEUE_TTM },
        { 3, QUEUE_TTM, QUEUE_TTM }, /* abort mode is not supported */
    };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        struct model *model = queue_unit(&vtd_config_scalable, i & 1);
        unsigned ttm = modes[i / 2].ttm;
        enum queue_error want = i & 1 ? modes[i / 2].wide : modes[i / 2].narrow;

        latch_root(model, ttm);
        model_queue_run(model, MODEL_WAIT_FN, 0);
        if (want == 0) {
            queue_assert_done(model);
        } else {
            queue_assert_error(model, want);
            /* It makes no difference whether the table is used. */
            model_w4(model, 0x18, (uint32_t)VTD_GCMD_QIE);
            model_w4(model, VTD_OFF_FSTS, QUEUE_IQE);
            assert_int_equal(model_fsts(model), QUEUE_IQE);
            latch_root(model, 0);
            queue_mend(model);
        }
        model_destroy(model);
    }
}

static void
unreadable_descriptor_is_a_fetch_error(void **state)
{
    struct model *model = *state;

    model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_queue_append(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    model_queue_append(model, MODEL_WAIT_SW(3), MODEL_STATUS);
    model->bad_gpa = MODEL_QUEUE + 16;
    model_queue_doorbell(model);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_FETCH);
    assert_int_equal(model_queue_head(model), 1);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 1);
    model->bad_gpa = 0;
    model_w4(model, 0x34, QUEUE_IQE);
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 3);
}

/* As Linux repairs a queue: its descriptor becomes a wait, QUEUE_IQE is cleared. */
static void
queue_resumes_as_soon_as_the_error_is_cleared(void **state)
{
    struct model *model = *state;

    model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_queue_append(model, 0x3f, 0);
    model_queue_append(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    model_queue_append(model, 0x14, UINT64_MAX);
    model_queue_append(model, MODEL_WAIT_SW(3), MODEL_STATUS);
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 1);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TYPE);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 1);
    model_ram_q_set(model, MODEL_QUEUE + 16, MODEL_WAIT_FN);
    model_w4(model, 0x34, QUEUE_IQE);
    /* Two different errors in a row, each reported. */
    assert_int_equal(model_queue_head(model), 3);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_RSVD);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
    model_ram_q_set(model, MODEL_QUEUE + 3 * 16 + 8, 0);
    model_w4(model, 0x34, QUEUE_IQE);
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 3);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_QUEUE_ERROR), 2);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_DESC), 5);
}

/* Clearing another status bit, or writing 0, does not resume. */
static void
only_clearing_the_error_resumes(void **state)
{
    struct model *model = *state;

    model_queue_run(model, 0, 0);
    model_ram_q_set(model, MODEL_QUEUE, MODEL_WAIT_FN);
    model_w4(model, 0x34, 0);
    model_w4(model, 0x34, 0x61);
    assert_int_equal(model_queue_head(model), 0);
    model_w4(model, 0x34, QUEUE_IQE);
    queue_assert_done(model);
}

static void
long_queue_is_run_in_parts(void **state)
{
    struct model *model = *state;
    unsigned runs = 0;

    model_w4(model, 0x18, 0);
    model_queue_enable(model, 7);
    for (unsigned i = 0; i < 32767; i++) {
        model_queue_append(model, MODEL_WAIT_SW(i), MODEL_STATUS);
    }
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 256);
    assert_true(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 0);
    assert_int_equal(model_queue_head(model), 256);
    while (vtd_run_pending(model->vtd)) {
        uint32_t before = model_queue_head(model);

        vtd_run(model->vtd, 300);
        assert_in_range(model_queue_head(model) - before, 1, 300);
        assert_int_equal(model_ram_d(model, MODEL_STATUS),
                         model_queue_head(model) - 1);
        runs++;
    }
    assert_true(runs > 100);
    queue_assert_done(model);
    /* No budget is too large; this one is for the way around the end. */
    model_queue_set(model, 32767, 0, MODEL_WAIT_FN);
    model_w8(model, 0x88, 0x10000);
    assert_true(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, UINT_MAX);
    assert_int_equal(model_queue_head(model), 0x1000);
    assert_int_equal(model_fsts(model), 0);
    /* Disabled half way, the rest is not run. */
    model_w8(model, 0x88, 0x7d000);
    model_w8(model, 0x88, 0x79180);
    model_w4(model, 0x18, 0);
    assert_false(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 100);
    assert_int_equal(model_queue_head(model), 0);
}

/* An invalidation that reads many entries takes more of the budget. */
static void
wide_invalidations_use_up_the_budget(void **state)
{
    struct model *model = *state;

    model_irt_enable(model, 15, true);
    for (unsigned i = 0; i < 255; i++) {
        model_queue_append(model, MODEL_IEC(0x400, 8), 0);
    }
    model->reads = 0;
    model_queue_doorbell(model);
    assert_true(vtd_run_pending(model->vtd));
    assert_true(model->reads < 5000);
}

static void
ordinary_descriptors_cost_one_each(void **state)
{
    static const uint64_t lo[] = { 0x11, 0x12, MODEL_IEC(1, 0), MODEL_WAIT_FN,
                                   MODEL_IEC_GLOBAL };
    struct model *model = *state;

    model_irt_enable(model, 15, true);
    for (unsigned i = 0; i < 255; i++) {
        model_queue_append(model, lo[i % 5], 0);
    }
    model_queue_doorbell(model);
    queue_assert_done(model);
    for (unsigned i = 0; i < 5; i++) {
        model_w4(model, 0x18, VTD_GCMD_IRE);
        model_w8(model, 0x88, 0);
        model_w4(model, 0x18, VTD_GCMD_IRE | VTD_GCMD_QIE);
        model->tail = 0;
        for (unsigned k = 0; k < 255; k++) {
            model_queue_append(model, lo[i], 0);
        }
        model_queue_doorbell(model);
        queue_assert_done(model);
    }
}

/* Descriptors are left over; the queue shrinks below the tail. */
static void
change_of_a_pending_queue_is_seen_at_once(void **state)
{
    struct model *model = *state;

    model_w4(model, 0x18, 0);
    model_queue_enable(model, 2);
    for (unsigned i = 0; i < 900; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 256);
    assert_true(vtd_run_pending(model->vtd));
    model_w8(model, 0x90, MODEL_QUEUE | 1);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
    assert_int_equal(model_queue_head(model), 256);
}

static void
disabled_queue_does_nothing(void **state)
{
    struct model *model = *state;

    model_w4(model, 0x18, 0);
    model_queue_run(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_w8(model, 0x88, 0x7fff0);
    vtd_run(model->vtd, 100);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(model->reads, 0);
}

static void
inspection_shows_the_queue(void **state)
{
    struct model *model = *state;
    struct vtd_queue_info info;
    uint64_t desc[4];

    model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_queue_append(model, 0x7, 0x1234);
    model_queue_append(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    vtd_queue_info(model->vtd, &info);
    assert_true(info.enabled);
    assert_false(info.stopped);
    model_queue_doorbell(model);
    vtd_queue_info(model->vtd, &info);
    assert_true(info.enabled);
    assert_true(info.stopped);
    assert_int_equal(info.base, MODEL_QUEUE);
    assert_int_equal(info.entries, 256);
    assert_int_equal(info.entry_size, 16);
    assert_int_equal(info.head, 1);
    assert_int_equal(info.tail, 3);
    assert_int_equal(info.error, QUEUE_TYPE);
    assert_int_equal(vtd_queue_inspect(model->vtd, 1, desc), 0);
    assert_int_equal(desc[0], 7);
    assert_int_equal(desc[1], 0x1234);
    assert_int_equal(desc[2] | desc[3], 0);
    assert_string_equal(vtd_desc_name(desc), "pasid-cache");
    assert_int_equal(vtd_queue_inspect(model->vtd, 256, desc), -ERANGE);
    model->bad_gpa = MODEL_QUEUE + 16;
    assert_int_equal(vtd_queue_inspect(model->vtd, 1, desc), -EFAULT);
}

static void
inspection_shows_a_wide_queue(void **state)
{
    struct model *model = queue_unit(&vtd_config_scalable, true);
    struct vtd_queue_info info;
    uint64_t desc[4];

    (void)state;
    queue_accepts(model, MODEL_WAIT_FN, 0);
    model_queue_append(model, 0x17, 0);
    model_queue_set(model, 1, 3, 0x4444);
    model_queue_doorbell(model);
    vtd_queue_info(model->vtd, &info);
    assert_int_equal(info.base, MODEL_QUEUE);
    assert_int_equal(info.entries, 128);
    assert_int_equal(info.entry_size, 32);
    assert_int_equal(info.head, 1);
    assert_int_equal(info.tail, 2);
    assert_int_equal(info.error, QUEUE_RSVD);
    assert_int_equal(vtd_queue_inspect(model->vtd, 1, desc), 0);
    assert_int_equal(desc[0], 0x17);
    assert_int_equal(desc[3], 0x4444);
    assert_int_equal(vtd_queue_inspect(model->vtd, 128, desc), -ERANGE);
    model_destroy(model);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(granularities_are_checked),
        TEST(types_the_unit_lacks_are_invalid),
        TEST(wait_combinations),
        TEST(wait_status_beyond_memory_is_lost),
        TEST(queue_wraps_at_every_size),
        cmocka_unit_test(wide_queue_wraps_at_every_size),
        TEST(tail_beyond_the_queue_is_an_error),
        TEST(shrinking_the_queue_is_caught),
        TEST(moved_queue_is_revalidated_at_once),
        cmocka_unit_test(tail_between_wide_descriptors_is_an_error),
        cmocka_unit_test(change_of_width_is_caught),
        cmocka_unit_test(width_and_mode_must_agree),
        TEST(unreadable_descriptor_is_a_fetch_error),
        TEST(queue_resumes_as_soon_as_the_error_is_cleared),
        TEST(only_clearing_the_error_resumes),
        TEST(long_queue_is_run_in_parts),
        TEST(wide_invalidations_use_up_the_budget),
        TEST(ordinary_descriptors_cost_one_each),
        TEST(change_of_a_pending_queue_is_seen_at_once),
        TEST(disabled_queue_does_nothing),
        TEST(inspection_shows_the_queue),
        cmocka_unit_test(inspection_shows_a_wide_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
