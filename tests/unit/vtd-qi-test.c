/* SPDX-License-Identifier: GPL-2.0-only */
/* The invalidation queue: descriptors, errors, bounds, budget. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define IQE 0x10u

enum {
    TAIL = 1,
    FETCH = 2,
    TYPE = 3,
    RSVD = 4
};

static int
setup(void **state)
{
    model_setup(state);
    model_queue_enable(*state, 0);
    return 0;
}

static uint32_t
head(struct model *model)
{
    return (uint32_t)model_r8(model, 0x80) / 16;
}

/* The last descriptor was executed. */
static void
assert_done(struct model *model)
{
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(head(model), model->tail);
    assert_false(vtd_run_pending(model->vtd));
}

/* The last descriptor is in error; make it a wait and go on. */
static void
assert_error_and_resume(struct model *model, unsigned iqei)
{
    uint64_t bad = (model->tail - 1) % model->queue_entries;

    if (!(model_fsts(model) & IQE)) {
        fail_msg("no error");
    }
    assert_int_equal(model_r8(model, 0xb0), iqei);
    assert_int_equal(head(model), bad);
    assert_false(vtd_run_pending(model->vtd));
    /* Nothing runs while the error stands. */
    model_queue_doorbell(model);
    assert_int_equal(head(model), bad);
    model_ram_q_set(model, MODEL_QUEUE + bad * 16, 5);
    model_ram_q_set(model, MODEL_QUEUE + bad * 16 + 8, 0);
    model_w4(model, 0x34, IQE);
    assert_done(model);
}

/* A descriptor type: which bits it defines. */
struct type {
    const char *name;
    uint64_t lo; /* a legal one */
    uint64_t hi;
    uint64_t lo_legal; /* bits that may be flipped in it */
    uint64_t hi_legal;
};

static const struct type types[] = {
    { "context-cache", 0x11, 0, UINT64_C(0x0003ffffffff0000), 0 },
    { "iotlb", 0x12, 0, UINT64_C(0x00000000ffff00c0),
      UINT64_C(0xfffffffffffff07f) },
    { "iec", 0x14, 0, UINT64_C(0x0000ffff78000000) | 0x10, 0 },
    { "wait", 0x05, 0, UINT64_C(0xffffffff00000070),
      UINT64_C(0xfffffffffffffffc) },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

/* Bits 3:0 and 11:9 are the type itself. */
#define TYPE_BITS UINT64_C(0xe0f)

static void
legal_descriptors_complete(void **state)
{
    struct model *model = *state;

    for (unsigned t = 0; t < TYPES; t++) {
        const struct type *type = &types[t];
        const uint64_t desc[4] = { type->lo, type->hi, 0, 0 };

        assert_string_equal(vtd_desc_name(desc), type->name);
        model_queue_run(model, type->lo, type->hi);
        assert_done(model);
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t flip = UINT64_C(1) << bit;

            if (type->lo_legal & flip) {
                model_queue_run(model, type->lo ^ flip, type->hi);
                assert_done(model);
            }
            if (type->hi_legal & flip) {
                model_queue_run(model, type->lo, type->hi ^ flip);
                assert_done(model);
            }
        }
    }
}

static void
reserved_bits_stop_the_queue(void **state)
{
    struct model *model = *state;
    unsigned tried = 0;

    for (unsigned t = 0; t < TYPES; t++) {
        const struct type *type = &types[t];

        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t flip = UINT64_C(1) << bit;

            if (!((type->lo_legal | TYPE_BITS) & flip) &&
                !(t < 2 && (bit == 4 || bit == 5)) && !(t == 2 && bit == 31)) {
                model_queue_run(model, type->lo ^ flip, type->hi);
                assert_error_and_resume(model, RSVD);
                tried++;
            }
            if (!(type->hi_legal & flip)) {
                model_queue_run(model, type->lo, type->hi ^ flip);
                assert_error_and_resume(model, RSVD);
                tried++;
            }
        }
    }
    assert_true(tried > 200);
}

static void
granularities_are_checked(void **state)
{
    struct model *model = *state;

    for (uint64_t g = 0; g < 4; g++) {
        model_queue_run(model, 1 | g << 4, 0);
        g == 0 ? assert_error_and_resume(model, RSVD) : assert_done(model);
        model_queue_run(model, 2 | g << 4, 0);
        g == 0 ? assert_error_and_resume(model, RSVD) : assert_done(model);
        /* An address mask counts for pages alone; none is supported. */
        for (uint64_t am = 1; am < 64; am++) {
            model_queue_run(model, 2 | g << 4, am);
            g == 0 || g == 3 ? assert_error_and_resume(model, RSVD)
                             : assert_done(model);
        }
    }
}

static void
index_masks_beyond_mhmv_are_refused(void **state)
{
    struct model *model = *state;

    for (unsigned im = 0; im < 32; im++) {
        model_queue_run(model, MODEL_IEC(0x1234, im), 0);
        im > 15 ? assert_error_and_resume(model, RSVD) : assert_done(model);
        /* Of a global one the mask does not matter. */
        model_queue_run(model, MODEL_IEC(0x1234, im) & ~UINT64_C(0x10), 0);
        assert_done(model);
    }
    /* Neither had an effect on the unit's cost: no table was latched. */
    assert_int_equal(model->route_calls + model->clear_calls, 0);
}

static void
types_the_unit_lacks_are_invalid(void **state)
{
    struct model *model = *state;

    for (uint64_t type = 0; type < 128; type++) {
        uint64_t lo = (type & 15) | (type >> 4) << 9 | 0x10;
        const uint64_t desc[4] = { lo, 0, 0, 0 };

        if (type == 1 || type == 2 || type == 4 || type == 5) {
            continue;
        }
        model_queue_run(model, lo, 0);
        assert_error_and_resume(model, TYPE);
        if (type == 0 || type > 9) {
            assert_string_equal(vtd_desc_name(desc), "unknown");
        } else {
            assert_string_not_equal(vtd_desc_name(desc), "unknown");
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
        assert_done(model);
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
    assert_done(model);
    assert_int_equal(model->writes, 1);
    model_queue_run(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
}

static void
queue_wraps_at_every_size(void **state)
{
    struct model *model = *state;

    for (unsigned qs = 0; qs < 8; qs++) {
        uint32_t entries = 256u << qs;

        model_w4(model, 0x18, 0);
        model_queue_enable(model, qs);
        model->tail = entries - 2;
        for (uint32_t i = 0; i < entries; i++) {
            model_ram_q_set(model, MODEL_QUEUE + i * 16, MODEL_WAIT_FN);
            model_ram_q_set(model, MODEL_QUEUE + i * 16 + 8, 0);
        }
        model_queue_doorbell(model);
        while (vtd_run_pending(model->vtd)) {
            vtd_run(model->vtd, 1000);
        }
        assert_int_equal(head(model), entries - 2);
        for (unsigned i = 0; i < 4; i++) {
            model_queue_append(model, MODEL_WAIT_SW(qs * 8 + i), MODEL_STATUS);
        }
        assert_int_equal(model->tail, 2);
        model_queue_doorbell(model);
        assert_done(model);
        assert_int_equal(model_ram_d(model, MODEL_STATUS), qs * 8 + 3);
    }
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
        assert_int_equal(model_fsts(model), IQE);
        assert_int_equal(model_r8(model, 0xb0), TAIL);
        assert_int_equal(model->reads, 0);
        assert_int_equal(head(model), 0);
        /* It stays one until the tail is mended. */
        model_w4(model, 0x34, IQE);
        assert_int_equal(model_fsts(model), IQE);
        model_w8(model, 0x88, 0);
        model_w4(model, 0x34, IQE);
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
    assert_done(model);
    /* Nothing is pending, so nothing is wrong yet. */
    model_w8(model, 0x90, MODEL_QUEUE);
    assert_int_equal(model_fsts(model), 0);
    /* The head is outside, wherever the tail goes. */
    model_w8(model, 0x88, 0x10);
    assert_int_equal(model_fsts(model), IQE);
    assert_int_equal(model_r8(model, 0xb0), TAIL);
    assert_int_equal(head(model), 300);
    /* Restoring the size mends it. */
    model_w8(model, 0x88, 0x12d0);
    model_w8(model, 0x90, MODEL_QUEUE | 1);
    model_ram_q_set(model, MODEL_QUEUE + 300 * 16, MODEL_WAIT_FN);
    model_w4(model, 0x34, IQE);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(head(model), 301);
}

static void
moved_queue_is_revalidated_at_once(void **state)
{
    struct model *model = *state;

    model_w4(model, 0x18, 0);
    model_queue_enable(model, 2);
    model_ram_q_set(model, MODEL_QUEUE, 0xf);
    model_w8(model, 0x88, 0x3840);
    assert_int_equal(model_r8(model, 0xb0), TYPE);
    model_w4(model, 0x98, 0);
    /* While stopped the change does nothing; clearing the error tells. */
    model_w8(model, 0x90, MODEL_QUEUE);
    assert_int_equal(model_r8(model, 0xb0), TYPE);
    model_w4(model, 0x34, IQE);
    assert_int_equal(model_fsts(model), IQE);
    assert_int_equal(model_r8(model, 0xb0), TAIL);
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
    assert_int_equal(model_fsts(model), IQE);
    assert_int_equal(model_r8(model, 0xb0), FETCH);
    assert_int_equal(head(model), 1);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 1);
    model->bad_gpa = 0;
    model_w4(model, 0x34, IQE);
    assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 3);
}

/* As Linux repairs a queue: its descriptor becomes a wait, IQE is cleared. */
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
    assert_int_equal(head(model), 1);
    assert_int_equal(model_r8(model, 0xb0), TYPE);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 1);
    model_ram_q_set(model, MODEL_QUEUE + 16, MODEL_WAIT_FN);
    model_w4(model, 0x34, IQE);
    /* Two different errors in a row, each reported. */
    assert_int_equal(head(model), 3);
    assert_int_equal(model_fsts(model), IQE);
    assert_int_equal(model_r8(model, 0xb0), RSVD);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
    model_ram_q_set(model, MODEL_QUEUE + 3 * 16 + 8, 0);
    model_w4(model, 0x34, IQE);
    assert_done(model);
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
    assert_int_equal(head(model), 0);
    model_w4(model, 0x34, IQE);
    assert_done(model);
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
    assert_int_equal(head(model), 256);
    assert_true(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 0);
    assert_int_equal(head(model), 256);
    while (vtd_run_pending(model->vtd)) {
        uint32_t before = head(model);

        vtd_run(model->vtd, 300);
        assert_in_range(head(model) - before, 1, 300);
        assert_int_equal(model_ram_d(model, MODEL_STATUS), head(model) - 1);
        runs++;
    }
    assert_true(runs > 100);
    assert_done(model);
    /* No budget is too large. */
    model_w8(model, 0x88, 0x10000);
    vtd_run(model->vtd, UINT_MAX);
    assert_false(vtd_run_pending(model->vtd));
    /* Disabled half way, the rest is not run. */
    model_w8(model, 0x88, 0x7d000);
    model_w8(model, 0x88, 0x79180);
    model_w4(model, 0x18, 0);
    assert_false(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 100);
    assert_int_equal(head(model), 0);
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
    assert_done(model);
    for (unsigned i = 0; i < 5; i++) {
        model_w4(model, 0x18, VTD_GCMD_IRE);
        model_w8(model, 0x88, 0);
        model_w4(model, 0x18, VTD_GCMD_IRE | VTD_GCMD_QIE);
        model->tail = 0;
        for (unsigned k = 0; k < 255; k++) {
            model_queue_append(model, lo[i], 0);
        }
        model_queue_doorbell(model);
        assert_done(model);
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
    assert_int_equal(head(model), 256);
    assert_true(vtd_run_pending(model->vtd));
    model_w8(model, 0x90, MODEL_QUEUE | 1);
    assert_int_equal(model_fsts(model), IQE);
    assert_int_equal(model_r8(model, 0xb0), TAIL);
    assert_int_equal(head(model), 256);
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
    assert_int_equal(info.error, TYPE);
    assert_int_equal(vtd_queue_inspect(model->vtd, 1, desc), 0);
    assert_int_equal(desc[0], 7);
    assert_int_equal(desc[1], 0x1234);
    assert_int_equal(desc[2] | desc[3], 0);
    assert_string_equal(vtd_desc_name(desc), "pasid-cache");
    assert_int_equal(vtd_queue_inspect(model->vtd, 256, desc), -ERANGE);
    model->bad_gpa = MODEL_QUEUE + 16;
    assert_int_equal(vtd_queue_inspect(model->vtd, 1, desc), -EFAULT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(legal_descriptors_complete),
        TEST(reserved_bits_stop_the_queue),
        TEST(granularities_are_checked),
        TEST(index_masks_beyond_mhmv_are_refused),
        TEST(types_the_unit_lacks_are_invalid),
        TEST(wait_combinations),
        TEST(wait_status_beyond_memory_is_lost),
        TEST(queue_wraps_at_every_size),
        TEST(tail_beyond_the_queue_is_an_error),
        TEST(shrinking_the_queue_is_caught),
        TEST(moved_queue_is_revalidated_at_once),
        TEST(unreadable_descriptor_is_a_fetch_error),
        TEST(queue_resumes_as_soon_as_the_error_is_cleared),
        TEST(only_clearing_the_error_resumes),
        TEST(long_queue_is_run_in_parts),
        TEST(wide_invalidations_use_up_the_budget),
        TEST(ordinary_descriptors_cost_one_each),
        TEST(change_of_a_pending_queue_is_seen_at_once),
        TEST(disabled_queue_does_nothing),
        TEST(inspection_shows_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
