/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands by register: what they announce, and how they and the queue wait
 * for sinks side by side.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/queue.h"

#define IOTLB_GLOBAL UINT64_C(0x12)
#define ICC          UINT64_C(0x8000000000000000)
#define CCMD_GLOBAL  (ICC | UINT64_C(1) << 61)
#define IOTLB_REG    (ICC | UINT64_C(1) << 60) /* IVT, global */

static int
setup(void **state)
{
    *state = queue_unit(&vtd_config_full, false);
    return 0;
}

static int
setup_late(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, false);

    model->sync_late = true;
    *state = model;
    return 0;
}

static void
done(struct model *model, uint64_t token)
{
    vtd_sync_done(model->vtd, token, VTD_SYNC_OK, 0);
}

static void
assert_signalled(struct model *model, uint32_t status)
{
    queue_assert_done(model);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), status);
}

/* --- what is announced --------------------------------------------------- */

/* The one invalidation since there were @before. */
static const struct vtd_inv *
only(const struct model *model, unsigned before)
{
    assert_int_equal(model->inv_count, before + 1);
    return model_inv_last(model);
}

/* Other modes have the queue alone: nothing is done, and told so. */
static void
registers_are_for_legacy_mode(void **state)
{
    struct model *model = *state;
    unsigned before;

    model_w8(model, VTD_OFF_RTADDR, 0x400);
    model_w4(model, VTD_OFF_GCMD, (uint32_t)VTD_GCMD_SRTP);
    before = model->inv_count;
    model_w8(model, 0x28, CCMD_GLOBAL);
    assert_int_equal(model_r8(model, 0x28), CCMD_GLOBAL & ~ICC);
    model_w8(model, 0xf8, IOTLB_REG);
    assert_int_equal(model_r8(model, 0xf8), IOTLB_REG & ~ICC);
    assert_int_equal(model->inv_count, before);
}

static void
contexts_by_register(void **state)
{
    struct model *model = *state;

    for (uint64_t g = 0; g < 4; g++) {
        for (uint64_t fm = 0; fm < 4; fm++) {
            static const unsigned mask[4] = { 0, 4, 6, 7 };
            uint64_t target = fm << 32 | 0x1234u << 16 | 0x5678;
            unsigned before = model->inv_count;
            const struct vtd_inv *inv;

            model_w8(model, 0x28, ICC | g << 61 | target);
            /* Complete, with the granularity that was performed. */
            assert_int_equal(model_r8(model, 0x28), g << 61 | g << 59 | target);
            if (g == 0) {
                assert_int_equal(model->inv_count, before);
                continue;
            }
            inv = only(model, before);
            assert_int_equal(inv->kind, VTD_INV_CONTEXT);
            assert_int_equal(inv->scope, g - 1);
            assert_int_equal(inv->did, g == 1 ? 0 : 0x5678);
            assert_int_equal(inv->sid, g == 3 ? 0x1234 : 0);
            assert_int_equal(inv->function_mask, g == 3 ? mask[fm] : 0);
        }
    }
}

static void
translations_by_register(void **state)
{
    struct model *model = *state;

    for (uint64_t g = 0; g < 4; g++) {
        for (uint64_t am = 0; am < 64; am++) {
            uint64_t other = UINT64_C(0x0003567800000000); /* DR, DW, DID */
            bool ok = g != 0 && !(g == 3 && am > 18);
            unsigned before = model->inv_count;
            const struct vtd_inv *inv;

            model_w8(model, 0xf0, UINT64_C(0xfedcba9876543040) | am);
            model_w8(model, 0xf8, ICC | g << 60 | other);
            assert_int_equal(model_r8(model, 0xf8),
                             g << 60 | (ok ? g : 0) << 57 | other);
            if (!ok) {
                assert_int_equal(model->inv_count, before);
                continue;
            }
            inv = only(model, before);
            assert_int_equal(inv->kind, VTD_INV_IOTLB);
            assert_int_equal(inv->scope, g - 1);
            assert_int_equal(inv->did, g == 1 ? 0 : 0x5678);
            assert_int_equal(inv->pages, g == 3);
            assert_int_equal(inv->leaf_only, g == 3);
            assert_int_equal(inv->shift, g == 3 ? 12 + am : 64);
            assert_int_equal(inv->addr, g == 3 ? UINT64_C(0x00dcba9876543000) >>
                                                     (12 + am) << (12 + am)
                                               : 0);
        }
    }
}

/* As seL4 does it: the half with the command last. */
static void
halves_of_a_command(void **state)
{
    struct model *model = *state;
    const struct vtd_inv *inv;

    model_w4(model, 0x28, 0x12345678);
    assert_int_equal(model->inv_count, 0);
    model_w4(model, 0x2c, 0xe0000002);
    inv = only(model, 0);
    assert_int_equal(inv->sid, 0x1234);
    assert_int_equal(inv->did, 0x5678);
    assert_int_equal(inv->function_mask, 6);
    model_w4(model, 0xf4, 0xfedcba98);
    model_w4(model, 0xf0, 0x76543009);
    model_w4(model, 0xfc, 0xb0000077);
    inv = only(model, 1);
    assert_int_equal(inv->did, 0x77);
    assert_int_equal(inv->addr, UINT64_C(0x00dcba9876400000));
    assert_int_equal(inv->shift, 21);
    /* Without the command nothing is done. */
    model_w8(model, 0x28, UINT64_C(0x6000000000000000));
    model_w8(model, 0xf8, UINT64_C(0x3000000000000000));
    assert_int_equal(model->inv_count, 2);
}

/* --- waiting ------------------------------------------------------------- */

static void
command_waits_for_sinks(void **state)
{
    static const uint32_t off[] = { 0x28, 0xf8 };
    static const uint64_t command[] = { CCMD_GLOBAL, IOTLB_REG };
    struct model *model = *state;

    for (unsigned i = 0; i < 2; i++) {
        model_w8(model, off[i], command[i]);
        assert_true(model_r8(model, off[i]) & ICC);
        /* Software cannot take it back. */
        model_w8(model, off[i], 0);
        assert_true(model_r8(model, off[i]) & ICC);
        assert_false(vtd_run_pending(model->vtd));
        vtd_sync_done(model->vtd, model->sync_token, VTD_SYNC_ERROR, 5);
        assert_true(model_r8(model, off[i]) & ICC);
        done(model, model->sync_token);
        assert_false(model_r8(model, off[i]) & ICC);
        assert_int_equal(model_fsts(model), QUEUE_ICE);
        /* A sink that fails is cut off: the command is complete. */
        model_w8(model, off[i], command[i]);
        vtd_sync_done(model->vtd, model->sync_token, VTD_SYNC_TIMEOUT, 6);
        assert_false(model_r8(model, off[i]) & ICC);
        assert_int_equal(model_fsts(model), QUEUE_ICE | QUEUE_ITE);
        model_w4(model, 0x34, QUEUE_ICE | QUEUE_ITE);
    }
}

enum user {
    SRTP,
    CCMD,
    IOTLB,
    QUEUE,
    USERS
};

static void
begin(struct model *model, enum user user)
{
    switch (user) {
    case SRTP:
        model_w8(model, 0x20, 0x20000);
        model_w4(model, 0x18, (uint32_t)(VTD_GCMD_QIE | VTD_GCMD_SRTP));
        break;
    case CCMD:
        model_w8(model, 0x28, CCMD_GLOBAL);
        break;
    case IOTLB:
        model_w8(model, 0xf8, IOTLB_REG);
        break;
    default:
        model_queue_append(model, IOTLB_GLOBAL, 0);
        model_queue_append(model, MODEL_WAIT_SW(1), MODEL_STATUS);
        model_queue_doorbell(model);
        break;
    }
}

static bool
is_complete(struct model *model, enum user user)
{
    switch (user) {
    case SRTP:
        return model_r4(model, 0x1c) & VTD_GSTS_RTPS;
    case CCMD:
        return !(model_r8(model, 0x28) & ICC);
    case IOTLB:
        return !(model_r8(model, 0xf8) & ICC);
    default:
        return model_ram_d(model, MODEL_STATUS) == 1;
    }
}

/* The @n-th order of four. */
static void
permute(unsigned n, unsigned order[USERS])
{
    for (unsigned i = 0; i < USERS; i++) {
        order[i] = i;
    }
    for (unsigned i = 0; i < USERS; i++) {
        unsigned left = USERS - i;
        unsigned k = i + n % left;
        unsigned swap = order[i];

        n /= left;
        order[i] = order[k];
        order[k] = swap;
    }
}

/*
 * Begun in one order, acknowledged in another: a token completes its user and
 * those that began before, whatever comes of the tokens of these later.
 */
static void
users_complete_in_every_order(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 24 * 24; n++) {
        struct model *model = queue_unit(&vtd_config_full, false);
        unsigned begun[USERS], acked[USERS];
        uint64_t token[USERS];
        uint64_t highest = 0;

        model->sync_late = true;
        permute(n % 24, begun);
        permute(n / 24, acked);
        for (unsigned i = 0; i < USERS; i++) {
            begin(model, begun[i]);
            token[begun[i]] = model->sync_token;
            assert_int_equal(model->sync_calls, i + 1);
            assert_false(is_complete(model, begun[i]));
        }
        for (unsigned i = 0; i < USERS; i++) {
            vtd_sync_done(model->vtd, token[acked[i]], VTD_SYNC_OK, 0);
            if (token[acked[i]] > highest) {
                highest = token[acked[i]];
            }
            for (unsigned user = 0; user < USERS; user++) {
                assert_int_equal(is_complete(model, user),
                                 token[user] <= highest);
            }
        }
        assert_int_equal(model->sync_calls, USERS);
        queue_assert_done(model);
        model_destroy(model);
    }
}

/* Sinks that acknowledge a later sync at once have acknowledged all. */
static void
later_sync_that_succeeds_completes_the_others(void **state)
{
    (void)state;
    for (unsigned last = 0; last < USERS; last++) {
        struct model *model = queue_unit(&vtd_config_full, false);

        model->sync_late = true;
        for (unsigned user = 0; user < USERS; user++) {
            if (user != last) {
                begin(model, user);
            }
        }
        model->sync_late = false;
        begin(model, last);
        for (unsigned user = 0; user < USERS; user++) {
            assert_true(is_complete(model, user));
        }
        queue_assert_done(model);
        model_destroy(model);
    }
}

/* A wait behind a command by register has nothing of its own to ask for. */
static void
users_share_a_token(void **state)
{
    struct model *model = *state;

    begin(model, CCMD);
    model_queue_run(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    assert_int_equal(model->sync_calls, 1);
    assert_int_equal(model_queue_head(model), 0);
    done(model, model->sync_token);
    assert_true(is_complete(model, CCMD));
    assert_signalled(model, 1);
}

/* The one that gave up does not take the other's acknowledgement along. */
static void
giving_up_leaves_the_others_waiting(void **state)
{
    struct model *model = *state;
    uint64_t token;

    begin(model, CCMD);
    model_queue_run(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    token = model->sync_token;
    model_w4(model, 0x18, 0);
    assert_false(is_complete(model, CCMD));
    done(model, token);
    assert_true(is_complete(model, CCMD));
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
}

static void
command_that_is_repeated_waits_anew(void **state)
{
    struct model *model = *state;
    uint64_t token;

    begin(model, CCMD);
    token = model->sync_token;
    begin(model, CCMD);
    assert_int_equal(model->sync_token, token + 1);
    done(model, token);
    assert_false(is_complete(model, CCMD));
    done(model, token + 1);
    assert_true(is_complete(model, CCMD));
}

/*
 * A time-out ends what waits for it; commands that began later go on waiting,
 * but not the wait descriptor: all of these are aborted.
 */
static void
time_out_ends_what_began_before(void **state)
{
    struct model *model = *state;
    uint64_t token[USERS];

    for (unsigned user = 0; user < USERS; user++) {
        begin(model, user);
        token[user] = model->sync_token;
    }
    vtd_sync_done(model->vtd, token[CCMD], VTD_SYNC_TIMEOUT, 9);
    assert_true(is_complete(model, SRTP) && is_complete(model, CCMD));
    assert_false(is_complete(model, IOTLB) || is_complete(model, QUEUE));
    assert_int_equal(model_fsts(model), QUEUE_ITE);
    assert_int_equal(model_queue_head(model), 2);
    /* Nobody waits for this one any more, but for one before it. */
    done(model, token[QUEUE]);
    assert_true(is_complete(model, IOTLB));
    /* What the wait was for is still to be acknowledged. */
    model_w4(model, 0x34, QUEUE_ITE);
    queue_assert_done(model);
    model_queue_run(model, MODEL_WAIT_SW(1), MODEL_STATUS);
    assert_int_equal(model->sync_calls, USERS + 1);
    assert_false(is_complete(model, QUEUE));
    done(model, model->sync_token);
    assert_signalled(model, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)
#define TEST_LATE(f) \
    cmocka_unit_test_setup_teardown(f, setup_late, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(contexts_by_register),
        TEST(registers_are_for_legacy_mode),
        TEST(translations_by_register),
        TEST(halves_of_a_command),
        TEST_LATE(command_waits_for_sinks),
        cmocka_unit_test(users_complete_in_every_order),
        cmocka_unit_test(later_sync_that_succeeds_completes_the_others),
        TEST_LATE(users_share_a_token),
        TEST_LATE(giving_up_leaves_the_others_waiting),
        TEST_LATE(command_that_is_repeated_waits_anew),
        TEST_LATE(time_out_ends_what_began_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
