/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait descriptors for sinks that acknowledge later, or never; and what leaves
 * nothing hanging.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/queue.h"

#define IOTLB_GLOBAL UINT64_C(0x12)

static int
setup_queue(void **state, bool wide)
{
    struct model *model = queue_unit(&vtd_config_full, wide);

    model->sync_late = true;
    *state = model;
    return 0;
}

static int
setup(void **state)
{
    return setup_queue(state, true);
}

/* In legacy mode, which alone has commands in registers. */
static int
setup_legacy(void **state)
{
    return setup_queue(state, false);
}

static void
done(struct model *model, uint64_t token)
{
    vtd_sync_done(model->vtd, token, VTD_SYNC_OK, 0);
}

/* An invalidation and a wait that signals @status; returns the token. */
static uint64_t
stand_at_wait(struct model *model, uint32_t status)
{
    uint64_t at;

    model_queue_append(model, IOTLB_GLOBAL, 0);
    at = model->tail;
    model_queue_append(model, MODEL_WAIT_SW(status), MODEL_STATUS);
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), at);
    assert_int_not_equal(model_ram_d(model, MODEL_STATUS), status);
    return model->sync_token;
}

static void
assert_signalled(struct model *model, uint32_t status)
{
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), status);
}

static void
sinks_are_asked_only_for_what_was_announced(void **state)
{
    struct model *model = *state;

    queue_accepts(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    queue_accepts(model, MODEL_IEC(3, 0), 0);
    queue_accepts(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    assert_signalled(model, 2);
    assert_int_equal(model->sync_calls, 0);
    model->sync_late = false;
    for (unsigned i = 0; i < 3; i++) {
        queue_accepts(model, IOTLB_GLOBAL, 0);
    }
    queue_accepts(model, MODEL_WAIT_SW(3), MODEL_STATUS);
    assert_signalled(model, 3);
    assert_int_equal(model->sync_calls, 1);
    queue_accepts(model, MODEL_WAIT_SW(4), MODEL_STATUS);
    assert_signalled(model, 4);
    assert_int_equal(model->sync_calls, 1);
}

static void
wait_stands_until_sinks_acknowledge(void **state)
{
    struct model *model = *state;
    uint64_t token;

    token = stand_at_wait(model, 1);
    assert_false(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 100);
    assert_int_equal(model_queue_head(model), 1);
    assert_int_equal(model->sync_calls, 1);
    done(model, token);
    assert_signalled(model, 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_SYNC_LATE), 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_WAIT), 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_DESC), 2);
}

/* Also one that only fences, or only interrupts. */
static void
every_kind_of_wait_stands(void **state)
{
    static const uint64_t waits[] = { MODEL_WAIT_FN, MODEL_WAIT_IF, 5, 0x85 };
    struct model *model = *state;

    for (unsigned i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        model_queue_append(model, IOTLB_GLOBAL, 0);
        model_queue_append(model, waits[i], 0);
        model_queue_doorbell(model);
        assert_int_equal(model_queue_head(model), model->tail - 1);
        assert_int_equal(model_r4(model, 0x9c), 0);
        done(model, model->sync_token);
        queue_assert_done(model);
        assert_int_equal(model_r4(model, 0x9c), waits[i] == MODEL_WAIT_IF);
        model_w4(model, 0x9c, 1);
    }
}

/* Nothing behind the wait is executed, though software adds to it. */
static void
descriptors_behind_a_wait_stay(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    for (unsigned i = 0; i < 10; i++) {
        model_queue_run(model, IOTLB_GLOBAL, 0);
    }
    assert_int_equal(model->inv_count, 1);
    assert_int_equal(model_queue_head(model), 1);
    assert_false(vtd_run_pending(model->vtd));
    done(model, token);
    assert_signalled(model, 1);
    assert_int_equal(model->inv_count, 11);
}

/* The acknowledgement is answered within the budget of a register write. */
static void
much_behind_a_wait_is_run_in_parts(void **state)
{
    struct model *model = *state;
    uint64_t token;

    model_w4(model, 0x18, 0);
    model_queue_enable_wide(model, 3);
    token = stand_at_wait(model, 1);
    for (unsigned i = 0; i < 1000; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    done(model, token);
    assert_int_equal(model_queue_head(model), 258);
    assert_true(vtd_run_pending(model->vtd));
    vtd_run(model->vtd, 1000);
    assert_signalled(model, 1);
}

static void
tokens_that_are_not_awaited_are_ignored(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);
    static const enum vtd_sync_status all[] = { VTD_SYNC_OK, VTD_SYNC_TIMEOUT,
                                                VTD_SYNC_ERROR };

    for (unsigned i = 0; i < 3; i++) {
        vtd_sync_done(model->vtd, 0, all[i], 7);
        vtd_sync_done(model->vtd, token - 1, all[i], 7);
        vtd_sync_done(model->vtd, token + 1, all[i], 7);
        vtd_sync_done(model->vtd, UINT64_MAX, all[i], 7);
        assert_int_equal(model_queue_head(model), 1);
        assert_int_equal(model_fsts(model), 0);
    }
    done(model, token);
    assert_signalled(model, 1);
    for (unsigned i = 0; i < 3; i++) {
        vtd_sync_done(model->vtd, token, all[i], 7);
        assert_signalled(model, 1);
    }
    /* The next one is another. */
    assert_true(stand_at_wait(model, 2) > token);
    done(model, token);
    assert_int_equal(model_queue_head(model), 3);
}

/* --- what software does meanwhile ---------------------------------------- */

/*
 * The wait was given up; what was announced before it is not acknowledged, so
 * that the next wait stands for it too.
 */
static void
assert_given_up(struct model *model, uint64_t token)
{
    uint64_t next;

    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    model_w4(model, 0x18, 0);
    model_queue_enable_wide(model, 0);
    done(model, token);
    model_queue_run(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    assert_int_equal(model_queue_head(model), 0);
    next = model->sync_token;
    assert_true(next > token);
    done(model, token);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    done(model, next);
    assert_signalled(model, 2);
}

static void
disabling_the_queue_gives_the_wait_up(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    model_w4(model, 0x18, 0);
    assert_int_equal(model_r8(model, 0x80), 0);
    assert_false(vtd_run_pending(model->vtd));
    done(model, token);
    assert_int_equal(model_r8(model, 0x80), 0);
    assert_given_up(model, token);
}

static void
reset_gives_the_wait_up(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    vtd_reset(model->vtd);
    assert_int_equal(model_inv_last(model)->kind, VTD_INV_ROOT);
    done(model, token);
    assert_int_equal(model_r8(model, 0x80), 0);
    assert_given_up(model, token);
}

/* What stands at the head of a queue elsewhere is another descriptor. */
static void
moving_the_queue_gives_the_wait_up(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);
    uint64_t next;

    model_ram_q_set(model, MODEL_IRT + 32, MODEL_WAIT_SW(3));
    model_ram_q_set(model, MODEL_IRT + 40, MODEL_STATUS);
    model_w8(model, 0x90, MODEL_IRT | 0x800);
    next = model->sync_token;
    assert_true(next > token);
    assert_int_equal(model_r8(model, 0x80), 32);
    done(model, token);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    done(model, next);
    assert_signalled(model, 3);
}

/* The queue shrinks below its head: an error, and no wait any more. */
static void
shrinking_the_queue_gives_the_wait_up(void **state)
{
    struct model *model = *state;
    uint64_t token;

    model_w4(model, 0x18, 0);
    model_queue_enable_wide(model, 1);
    for (unsigned i = 0; i < 200; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    token = stand_at_wait(model, 1);
    model_w8(model, 0x90, MODEL_QUEUE | 0x800);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0), QUEUE_TAIL);
    done(model, token);
    assert_int_equal(model_queue_head(model), 201);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    assert_int_equal(model_fsts(model), QUEUE_IQE);
}

/* What software writes in the place of the wait comes too late. */
static void
wait_that_stands_was_fetched(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    model_queue_set(model, 1, 0, 0xf);
    vtd_queue_inspect(model->vtd, 0, (uint64_t[4]){ 0 });
    done(model, token);
    assert_signalled(model, 1);
}

/* --- devices that fail --------------------------------------------------- */

static void
device_that_does_not_answer_aborts_the_wait(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    model_w4(model, 0x38, 0);
    model_queue_run(model, MODEL_WAIT_SW(2), MODEL_STATUS);
    vtd_sync_done(model->vtd, token, VTD_SYNC_TIMEOUT, 0x1234);
    assert_int_equal(model_fsts(model), QUEUE_ITE);
    assert_int_equal(model_r8(model, 0xb0), UINT64_C(0x1234) << 32);
    assert_int_equal(model->msi_count, 1);
    /* The head is past the wait, nothing was signalled, nothing is fetched. */
    assert_int_equal(model_queue_head(model), 2);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    assert_false(vtd_run_pending(model->vtd));
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 2);
    /* Until software has seen it; what failed is over. */
    model_w4(model, 0x34, QUEUE_ITE);
    assert_signalled(model, 2);
    assert_int_equal(model->sync_calls, 1);
}

static void
aborted_wait_may_be_the_last_of_the_queue(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 126; i++) {
        model_queue_append(model, MODEL_WAIT_FN, 0);
    }
    model_queue_doorbell(model);
    queue_assert_done(model);
    stand_at_wait(model, 1);
    assert_int_equal(model->tail, 0);
    vtd_sync_done(model->vtd, model->sync_token, VTD_SYNC_TIMEOUT, 1);
    assert_int_equal(model_queue_head(model), 0);
    model_w4(model, 0x34, QUEUE_ITE);
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
}

/* As Linux does: what was aborted is submitted once more. */
static void
aborted_invalidation_may_be_repeated(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 3; i++) {
        stand_at_wait(model, 1);
        vtd_sync_done(model->vtd, model->sync_token, VTD_SYNC_TIMEOUT, 1);
        model_w4(model, 0x34, QUEUE_ITE);
        queue_assert_done(model);
    }
    done(model, stand_at_wait(model, 1));
    assert_signalled(model, 1);
    assert_int_equal(model->inv_count, 4);
    assert_int_equal(model->sync_calls, 4);
}

/*
 * Software must not write CCMD while ICC is set.  A second command, for which
 * nothing is announced, hides neither itself nor a wait from the first one's
 * token.
 */
static void
command_over_a_pending_one_waits_for_it(void **state)
{
    static const uint64_t icc = UINT64_C(1) << 63;
    static const uint64_t global = UINT64_C(1) << 61;
    struct model *model = *state;
    uint64_t token;

    model_w8(model, 0x28, icc | global);
    token = model->sync_token;
    model_w8(model, 0x28, icc);
    assert_true(model_r8(model, 0x28) & icc);
    assert_int_equal(model->sync_calls, 1);
    model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), 0);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    done(model, token);
    assert_false(model_r8(model, 0x28) & icc);
    assert_signalled(model, 1);
}

/*
 * An owner that has many tokens to remember may forget all but the last one,
 * though the wait that it was for has been given up.
 */
static void
token_stands_for_those_before(void **state)
{
    static const uint64_t icc = UINT64_C(1) << 63;
    static const uint64_t global = UINT64_C(1) << 61;
    struct model *model = *state;
    uint64_t token;

    model_w8(model, 0x28, icc | global);
    token = stand_at_wait(model, 1);
    assert_int_equal(token, 2);
    model_w4(model, 0x18, 0);
    done(model, token + 1);
    assert_true(model_r8(model, 0x28) & icc);
    done(model, token);
    assert_false(model_r8(model, 0x28) & icc);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
}

/* A wrong completion is told; the device has still to answer. */
static void
completion_that_makes_no_sense_does_not_count(void **state)
{
    struct model *model = *state;
    uint64_t token = stand_at_wait(model, 1);

    vtd_sync_done(model->vtd, token, VTD_SYNC_ERROR, 0xabcd);
    vtd_sync_done(model->vtd, token, VTD_SYNC_ERROR, 0x1111);
    assert_int_equal(model_fsts(model), QUEUE_ICE);
    assert_int_equal(model_r8(model, 0xb0), UINT64_C(0xabcd) << 48);
    assert_int_equal(model_queue_head(model), 1);
    done(model, token);
    assert_int_equal(model_queue_head(model), 2);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 1);
    /* Cleared, the next one is told anew. */
    model_w4(model, 0x34, QUEUE_ICE);
    token = stand_at_wait(model, 2);
    vtd_sync_done(model->vtd, token, VTD_SYNC_ERROR, 0x2222);
    assert_int_equal(model_r8(model, 0xb0), UINT64_C(0x2222) << 48);
    vtd_sync_done(model->vtd, token, VTD_SYNC_TIMEOUT, 0x3333);
    assert_int_equal(model_fsts(model), QUEUE_ICE | QUEUE_ITE);
    assert_int_equal(model_r8(model, 0xb0), UINT64_C(0x222233330000) << 16);
    /* A queue error in between takes nothing away. */
    model_w4(model, 0x34, QUEUE_ITE);
    model_queue_run(model, 0, 0);
    assert_int_equal(model_fsts(model), QUEUE_ICE | QUEUE_IQE);
    assert_int_equal(model_r8(model, 0xb0),
                     UINT64_C(0x222233330000) << 16 | QUEUE_TYPE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sinks_are_asked_only_for_what_was_announced),
        TEST(wait_stands_until_sinks_acknowledge),
        TEST(every_kind_of_wait_stands),
        TEST(descriptors_behind_a_wait_stay),
        TEST(much_behind_a_wait_is_run_in_parts),
        TEST(tokens_that_are_not_awaited_are_ignored),
        TEST(disabling_the_queue_gives_the_wait_up),
        TEST(reset_gives_the_wait_up),
        TEST(moving_the_queue_gives_the_wait_up),
        TEST(shrinking_the_queue_gives_the_wait_up),
        TEST(wait_that_stands_was_fetched),
        TEST(device_that_does_not_answer_aborts_the_wait),
        TEST(aborted_wait_may_be_the_last_of_the_queue),
        TEST(aborted_invalidation_may_be_repeated),
        cmocka_unit_test_setup_teardown(token_stands_for_those_before,
                                        setup_legacy, model_teardown),
        cmocka_unit_test_setup_teardown(command_over_a_pending_one_waits_for_it,
                                        setup_legacy, model_teardown),
        TEST(completion_that_makes_no_sense_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
