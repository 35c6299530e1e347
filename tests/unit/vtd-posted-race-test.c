/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt posting while somebody else writes the descriptor, and while the
 * consumer of routes knows another entry.
 */
#include "tests/unit/vtd-posted.h"

static void
lose_control(struct model *model, uint64_t gpa)
{
    (void)gpa;
    model->bad_gpa = CONTROL_GPA;
}

static void
change_and_lose_requests(struct model *model, uint64_t gpa)
{
    model_ram_q_set(model, gpa, UINT64_C(1) << 60);
    model->bad_gpa = gpa;
}

static void
change_and_lose_control(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        model_ram_q_set(model, gpa, model_ram_q(model, gpa) ^ SN);
        model->bad_gpa = gpa;
    }
}

static void
memory_that_goes_in_between_is_an_access_fault(void **state)
{
    static void (*const others[])(struct model * model, uint64_t gpa) = {
        lose_control,
        change_and_lose_requests,
        change_and_lose_control,
    };
    struct model *model = *state;

    for (unsigned i = 0; i < 3; i++) {
        model->before_exchange = others[i];
        assert_int_equal(request(model, 9), VTD_FR_IR_PD_ACCESS);
        assert_fault(model, 0x27, 9, true);
        assert_notified(model, false);
        model->bad_gpa = 0;
        memset(&model->ram[PID], 0, 64);
        model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678));
    }
}

/* Another device's request, in the same quadword, once. */
static void
add_request_once(struct model *model, uint64_t gpa)
{
    if (gpa == PID + 8) {
        model_ram_q_set(model, gpa, UINT64_C(1) << 5);
        model->before_exchange = NULL;
    }
}

static void
requests_of_others_are_kept(void **state)
{
    struct model *model = *state;

    model->before_exchange = add_request_once;
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(model_ram_q(model, PID + 8),
                     UINT64_C(1) << 17 | UINT64_C(1) << 5);
    assert_int_equal(model->exchanges, 3);
    assert_notified(model, true);
}

/* The same vector, from another device. */
static void
add_same_request(struct model *model, uint64_t gpa)
{
    if (gpa == PID + 8) {
        model_ram_q_set(model, gpa, UINT64_C(1) << 17);
        model->before_exchange = NULL;
    }
}

static void
same_request_of_another_serves_both(void **state)
{
    struct model *model = *state;

    model->before_exchange = add_same_request;
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_requested(model, 0x51);
    assert_int_equal(model->exchanges, 2);
    assert_notified(model, true);
}

/*
 * The receiver of an earlier notification clears ON and takes the requests
 * just before this one is set.  It will not look again by itself.
 */
static void
take_requests(struct model *model, uint64_t gpa)
{
    if (gpa == PID + 8) {
        model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678));
        model->before_exchange = NULL;
    }
}

static void
receiver_that_was_just_done_is_notified_again(void **state)
{
    struct model *model = *state;

    model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678) | ON);
    model->before_exchange = take_requests;
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_requested(model, 0x51);
    assert_notified(model, true);
    assert_int_equal(model_ram_q(model, CONTROL_GPA),
                     CONTROL(0xf2, 0x12345678) | ON);
}

static void
set_outstanding_once(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        model_ram_q_set(model, gpa, model_ram_q(model, gpa) | ON);
    }
}

static void
suppress_once(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        model_ram_q_set(model, gpa, model_ram_q(model, gpa) | SN);
    }
}

static void
reserve_once(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        model_ram_q_set(model, gpa, model_ram_q(model, gpa) | 4);
    }
}

/* The processor moves: it sets another vector and destination. */
static void
move_once(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        model_ram_q_set(model, gpa, CONTROL(0xf3, 0x100));
        model->before_exchange = NULL;
    }
}

static void
control_that_changes_is_looked_at_again(void **state)
{
    static const struct {
        void (*other)(struct model *model, uint64_t gpa);
        enum vtd_fr fr;
        unsigned notified;
    } cases[] = {
        { set_outstanding_once, VTD_FR_OK, 0 },
        { suppress_once, VTD_FR_OK, 0 },
        { reserve_once, VTD_FR_IR_PD_RSVD, 0 },
        { move_once, VTD_FR_OK, 1 },
    };
    struct model *model = *state;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678));
        model->before_exchange = cases[i].other;
        assert_int_equal(request(model, 9), cases[i].fr);
        assert_requested(model, 0x51);
        assert_int_equal(model->msi_count, cases[i].notified);
    }
    assert_int_equal(model->msi[0].addr, UINT64_C(0x00000100fee00000));
    assert_int_equal(model->msi[0].data, 0xf3);
    assert_int_equal(model_ram_q(model, CONTROL_GPA),
                     CONTROL(0xf3, 0x100) | ON);
    assert_fault(model, 0x28, 9, true);
}

static void
change_always(struct model *model, uint64_t gpa)
{
    uint64_t flip = gpa == CONTROL_GPA ? UINT64_C(1) << 16 : UINT64_C(1) << 63;

    model_ram_q_set(model, gpa, model_ram_q(model, gpa) ^ flip);
}

static void
change_control_always(struct model *model, uint64_t gpa)
{
    if (gpa == CONTROL_GPA) {
        change_always(model, gpa);
    }
}

static void
guest_that_never_holds_still_gets_a_fault(void **state)
{
    static void (*const others[])(struct model * model, uint64_t gpa) = {
        change_always,
        change_control_always,
    };
    struct model *model = *state;

    for (unsigned i = 0; i < 2; i++) {
        model->exchanges = 0;
        model->before_exchange = others[i];
        assert_int_equal(request(model, 9), VTD_FR_IR_PD_ACCESS);
        assert_fault(model, 0x27, 9, true);
        assert_int_equal(model->exchanges, 64 + i);
        assert_notified(model, false);
    }
}

/* --- the consumer of routes ----------------------------------------------- */

static void
miss_is_posted_without_a_route(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 3; i++) {
        model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678));
        miss(model, 9);
        assert_requested(model, 0x51);
        assert_notified(model, true);
    }
    assert_int_equal(model->route_calls, 0);
    assert_int_equal(model->retry_calls, 0);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_MISS), 3);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED), 3);
}

static void
miss_that_cannot_be_posted_is_a_fault(void **state)
{
    struct model *model = *state;

    model_ram_q_set(model, CONTROL_GPA, 4);
    miss(model, 9);
    assert_fault(model, 0x28, 9, true);
    model->bad_gpa = PID;
    miss(model, 9);
    assert_fault(model, 0x27, 9, true);
    assert_int_equal(model->retry_calls, 0);
}

/*
 * What was announced holds until it is invalidated; then the format of the
 * entry decides, whichever it was before.
 */
static void
entry_changes_its_format(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_queue_enable(model, 0);
    model_irte_set(model, 9, MODEL_IRTE(0x61, 5), 0);
    miss(model, 9);
    assert_true(model->route[9].present);
    assert_int_equal(model->retry_calls, 1);

    model_irte_set(model, 9, POSTED_LO(PID, 0x51), POSTED_HI(PID));
    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI(9), 0, SID, true, &route), 0);
    assert_true(route.present);
    assert_int_equal(route.vector, 0x61);
    model_queue_run(model, MODEL_IEC(9, 0), 0);
    assert_false(model->route[9].present);
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_requested(model, 0x51);

    /* An invalidation of posted entries has nothing to tell. */
    model->route_calls = 0;
    model_queue_run(model, MODEL_IEC(9, 0), 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_int_equal(model->route_calls, 0);

    model_irte_set(model, 9, MODEL_IRTE(0x62, 6), 0);
    model_queue_run(model, MODEL_IEC(9, 0), 0);
    assert_true(model->route[9].present);
    assert_int_equal(model->route[9].vector, 0x62);
    assert_int_equal(model_fsts(model), 0);
}

/* The consumer lost a route that the guest meanwhile replaced. */
static void
miss_withdraws_the_route_that_was(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 9, MODEL_IRTE(0x61, 5), 0);
    miss(model, 9);
    model_irte_set(model, 9, POSTED_LO(PID, 0x51), POSTED_HI(PID));
    miss(model, 9);
    assert_false(model->route[9].present);
    assert_int_equal(model->retry_calls, 1);
    assert_requested(model, 0x51);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_that_goes_in_between_is_an_access_fault),
        TEST(requests_of_others_are_kept),
        TEST(same_request_of_another_serves_both),
        TEST(receiver_that_was_just_done_is_notified_again),
        TEST(control_that_changes_is_looked_at_again),
        TEST(guest_that_never_holds_still_gets_a_fault),
        TEST(miss_is_posted_without_a_route),
        TEST(miss_that_cannot_be_posted_is_a_fault),
        TEST(entry_changes_its_format),
        TEST(miss_withdraws_the_route_that_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
