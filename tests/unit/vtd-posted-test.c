/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt posting: entries, descriptors and notifications. */
#include "tests/unit/vtd-posted.h"

static void
every_vector_has_its_bit(void **state)
{
    struct model *model = *state;

    for (unsigned vector = 0; vector < 256; vector++) {
        model_irte_set(model, 9, POSTED_LO(PID, vector), POSTED_HI(PID));
        model_ram_q_set(model, CONTROL_GPA, CONTROL(0xf2, 0x12345678));
        assert_int_equal(request(model, 9), VTD_FR_OK);
        assert_requested(model, vector);
        assert_notified(model, true);
        assert_int_equal(model_ram_q(model, CONTROL_GPA),
                         CONTROL(0xf2, 0x12345678) | ON);
    }
    for (uint64_t gpa = PID + 40; gpa < PID + 64; gpa += 8) {
        assert_int_equal(model_ram_q(model, gpa), 0);
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED), 256);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED_NOTIFY), 256);
    assert_int_equal(model_fsts(model), 0);
}

static void
requests_that_are_pending_stay(void **state)
{
    struct model *model = *state;

    model_ram_q_set(model, PID, UINT64_MAX);
    model_ram_q_set(model, PID + 8, ~(UINT64_C(1) << 17));
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(model_ram_q(model, PID), UINT64_MAX);
    assert_int_equal(model_ram_q(model, PID + 8), UINT64_MAX);
    assert_int_equal(model_ram_q(model, PID + 16), 0);
    assert_notified(model, true);
    /* The same once more: nothing is left to change. */
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(model->exchanges, 2);
    assert_notified(model, false);
}

/* X = (ON == 0) & (URG | (SN == 0)), each of the eight. */
static void
notification_depends_on_three_bits(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t on = i & 1 ? ON : 0;
        uint64_t sn = i & 2 ? SN : 0;
        uint64_t urgent = i & 4 ? URG : 0;
        bool notified = !on && (urgent || !sn);
        uint64_t before = CONTROL(0xf2, 0x12345678) | on | sn;

        model_irte_set(model, 9, POSTED_LO(PID, 0x51) | urgent, POSTED_HI(PID));
        model_ram_q_set(model, CONTROL_GPA, before);
        assert_int_equal(request(model, 9), VTD_FR_OK);
        assert_requested(model, 0x51);
        assert_notified(model, notified);
        assert_int_equal(model_ram_q(model, CONTROL_GPA),
                         notified ? before | ON : before);
    }
}

static void
xapic_destination_is_eight_bits(void **state)
{
    struct model *model = *state;

    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(model->msi_count, 1);
    assert_int_equal(model->msi[0].addr, 0xfee9a000);
    assert_int_equal(model->msi[0].data, 0xf2);
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(model->msi_count, 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED), 2);
}

static void
xapic_destination_has_reserved_bits(void **state)
{
    struct model *model = *state;

    for (unsigned bit = 2; bit < 64; bit++) {
        if ((bit >= 16 && bit < 24) || (bit >= 40 && bit < 48)) {
            continue;
        }
        model_ram_q_set(model, CONTROL_GPA,
                        CONTROL(0xf2, 0x9a00) | UINT64_C(1) << bit);
        assert_int_equal(request(model, 9), VTD_FR_IR_PD_RSVD);
        assert_fault(model, 0x28, 9, true);
    }
    assert_int_equal(model_ram_q(model, PID + 8), 0);
    assert_int_equal(model->exchanges, 0);
}

/* Bits that an entry of this format reserves, for a host of 46 bits. */
static void
entry_has_reserved_bits(void **state)
{
    struct model *model = *state;
    const uint64_t lo_rsvd = UINT64_C(0x3fff0030fc);
    const uint64_t hi_rsvd = UINT64_C(0xffffc000fff00000);

    for (unsigned i = 0; i < 256; i++) {
        uint64_t bit = UINT64_C(1) << i % 64;
        uint64_t lo = i & 64 ? 0 : bit & lo_rsvd;
        uint64_t hi = i & 64 ? bit & hi_rsvd : 0;
        uint64_t fpd = i & 128 ? FPD : 0;

        if (lo == 0 && hi == 0) {
            continue;
        }
        model_irte_set(model, 9, POSTED_LO(PID, 0x51) | lo | fpd,
                       POSTED_HI(PID) | hi);
        assert_int_equal(request(model, 9), VTD_FR_IR_ENTRY_RSVD);
        assert_fault(model, 0x24, 9, fpd == 0);
    }
    assert_int_equal(model->exchanges, 0);
    /* Bits that software may use do not count. */
    model_irte_set(model, 9, POSTED_LO(PID, 0x51) | 0xf00, POSTED_HI(PID));
    assert_int_equal(request(model, 9), VTD_FR_OK);
}

static void
source_is_checked_as_in_the_other_format(void **state)
{
    static const struct {
        uint32_t source; /* bits 19:0 of the high quadword */
        enum vtd_fr fr;
    } cases[] = {
        { 0x00000, VTD_FR_OK },
        { 0x09999, VTD_FR_OK },
        { 0x40102, VTD_FR_OK },
        { 0x40103, VTD_FR_IR_SID },
        { 0x50106, VTD_FR_OK },
        { 0x50100, VTD_FR_IR_SID },
        { 0x60104, VTD_FR_OK },
        { 0x60103, VTD_FR_IR_SID },
        { 0x70107, VTD_FR_OK },
        { 0x7010a, VTD_FR_IR_SID },
        { 0x80001, VTD_FR_OK },
        { 0x80202, VTD_FR_IR_SID },
        { 0xc0102, VTD_FR_IR_ENTRY_RSVD },
    };
    struct model *model = *state;

    for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        enum vtd_fr fr = cases[i / 2].fr;
        uint64_t fpd = i & 1 ? FPD : 0;

        model_irte_set(model, 9, POSTED_LO(PID, 0x51) | fpd,
                       POSTED_HI(PID) | cases[i / 2].source);
        assert_int_equal(request(model, 9), fr);
        if (fr != VTD_FR_OK) {
            assert_fault(model, (uint8_t)fr, 9, fpd == 0);
        }
    }
    assert_int_equal(model_fsts(model) & 0xff, 0);
}

static void
request_without_a_source_is_not_checked(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 9, POSTED_LO(PID, 0x51), POSTED_HI(PID) | 0x40999);
    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI(9), 0, 0, false, &route), 0);
    assert_false(route.present);
    assert_requested(model, 0x51);
}

static void
entry_without_present_is_no_entry(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 9, POSTED_LO(PID, 0x51) & ~UINT64_C(1),
                   POSTED_HI(PID));
    assert_int_equal(request(model, 9), VTD_FR_IR_NOT_PRESENT);
    assert_fault(model, 0x22, 9, true);
    assert_int_equal(model->exchanges, 0);
}

static void
unit_without_posting_reserves_the_format(void **state)
{
    struct vtd_config plain = posted_config;
    struct model *model;

    (void)state;
    plain.pi = false;
    model = model_create(&plain);
    model_irt_enable(model, 15, true);
    model_irte_set(model, 9, POSTED_LO(PID, 0x51), POSTED_HI(PID));
    assert_int_equal(request(model, 9), VTD_FR_IR_ENTRY_RSVD);
    assert_fault(model, 0x24, 9, true);
    model_irte_set(model, 9, MODEL_IRTE(0x51, 1) | URG, 0);
    assert_int_equal(request(model, 9), VTD_FR_IR_ENTRY_RSVD);
    assert_int_equal(model->exchanges, 0);
    model_destroy(model);
}

/* URG alone means nothing: in the other format it is reserved. */
static void
urgent_is_reserved_in_the_other_format(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 9, MODEL_IRTE(0x51, 1) | URG, 0);
    assert_int_equal(request(model, 9), VTD_FR_IR_ENTRY_RSVD);
    assert_fault(model, 0x24, 9, true);
}

static void
descriptor_has_reserved_bits(void **state)
{
    struct model *model = *state;
    const uint64_t control_rsvd = 0xff00fffc;

    for (unsigned i = 0; i < 2 * 256; i++) {
        uint64_t gpa = PID + 32 + i / 64 % 4 * 8;
        uint64_t fpd = i & 256 ? FPD : 0;
        uint64_t bit = UINT64_C(1) << i % 64;
        uint64_t old = model_ram_q(model, gpa);

        if (gpa == CONTROL_GPA && !(bit & control_rsvd)) {
            continue;
        }
        model_irte_set(model, 9, POSTED_LO(PID, 0x51) | fpd, POSTED_HI(PID));
        model_ram_q_set(model, gpa, old | bit);
        assert_int_equal(request(model, 9), VTD_FR_IR_PD_RSVD);
        assert_fault(model, 0x28, 9, fpd == 0);
        model_ram_q_set(model, gpa, old);
    }
    /* A request that is blocked leaves no trace. */
    assert_int_equal(model_ram_q(model, PID + 8), 0);
    assert_int_equal(model->exchanges, 0);
    assert_notified(model, false);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED), 0);
}

static void
descriptor_cannot_be_accessed(void **state)
{
    /* Beyond memory, in the interrupt range, the last of the host's. */
    static const uint64_t nowhere[] = {
        MODEL_RAM_SIZE,
        0xfee00000,
        UINT64_C(0x3fffffffffc0),
    };
    struct model *model = *state;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t fpd = i & 1 ? FPD : 0;
        uint64_t gpa = nowhere[i / 2];

        model_irte_set(model, 9, POSTED_LO(gpa, 0x51) | fpd, POSTED_HI(gpa));
        assert_int_equal(request(model, 9), VTD_FR_IR_PD_ACCESS);
        assert_fault(model, 0x27, 9, fpd == 0);
    }
    assert_int_equal(model->exchanges, 0);
}

static void
descriptor_cannot_be_changed(void **state)
{
    struct model *model = *state;

    model->bad_write = PID + 8;
    assert_int_equal(request(model, 9), VTD_FR_IR_PD_ACCESS);
    assert_fault(model, 0x27, 9, true);
    assert_notified(model, false);
    /* The request may be in its place when the rest turns out to fail. */
    model->bad_write = CONTROL_GPA;
    assert_int_equal(request(model, 9), VTD_FR_IR_PD_ACCESS);
    assert_fault(model, 0x27, 9, true);
    assert_notified(model, false);
    /* Nobody tries again what cannot be done. */
    assert_int_equal(model->exchanges, 3);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_POSTED), 0);
}

static void
inspection_shows_a_posted_entry_as_good(void **state)
{
    struct model *model = *state;
    struct vtd_route announced;
    struct vtd_route route;
    enum vtd_fr verdict;
    uint64_t raw[2];

    assert_int_equal(
        vtd_irte_inspect(model->vtd, 9, raw, &verdict, &route, &announced), 0);
    assert_int_equal(verdict, VTD_FR_OK);
    assert_false(route.present);
    assert_false(announced.present);
    assert_int_equal(raw[0], POSTED_LO(PID, 0x51));
    assert_int_equal(route.vector, 0x51);
    assert_int_equal(route.sid_check, VTD_SID_NONE);
    assert_false(route.fpd);
    model_irte_set(model, 9, POSTED_LO(PID, 0x51) | FPD,
                   POSTED_HI(PID) | 0x60102);
    assert_int_equal(
        vtd_irte_inspect(model->vtd, 9, raw, &verdict, &route, &announced), 0);
    assert_int_equal(route.sid, 0x0102);
    assert_int_equal(route.sid_check, VTD_SID_IGNORE_2_1);
    assert_true(route.fpd);
    assert_false(route.present);
    /* Of a wrong one nothing is said but what is wrong. */
    model_irte_set(model, 9, POSTED_LO(PID, 0x51) | FPD | 4,
                   POSTED_HI(PID) | 0x60102);
    assert_int_equal(
        vtd_irte_inspect(model->vtd, 9, raw, &verdict, &route, &announced), 0);
    assert_int_equal(verdict, VTD_FR_IR_ENTRY_RSVD);
    assert_int_equal(route.vector, 0);
    assert_int_equal(route.sid, 0);
    assert_int_equal(route.sid_check, VTD_SID_NONE);
    assert_false(route.fpd);
    assert_int_equal(model->exchanges, 0);
}

static unsigned traced;

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    (void)ctx;
    if (ev == VTD_EV_POSTED) {
        assert_int_equal(arg[0], 9);
        assert_int_equal(arg[1], 0x51);
        assert_int_equal(arg[2], PID);
        assert_int_equal(arg[3], 1);
        traced++;
    }
}

static void
posting_can_be_traced(void **state)
{
    struct model *model = *state;

    model->ops.trace = trace;
    vtd_destroy(model->vtd);
    model->vtd = vtd_create(&posted_config, &model->ops, model);
    assert_non_null(model->vtd);
    model_irt_enable(model, 15, true);
    model_irte_set(model, 9, POSTED_LO(PID, 0x51) | URG, POSTED_HI(PID));
    traced = 0;
    assert_int_equal(request(model, 9), VTD_FR_OK);
    assert_int_equal(traced, 1);
}

#define XAPIC_TEST(f) \
    cmocka_unit_test_setup_teardown(f, setup_xapic, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_vector_has_its_bit),
        TEST(requests_that_are_pending_stay),
        TEST(notification_depends_on_three_bits),
        XAPIC_TEST(xapic_destination_is_eight_bits),
        XAPIC_TEST(xapic_destination_has_reserved_bits),
        TEST(entry_has_reserved_bits),
        TEST(source_is_checked_as_in_the_other_format),
        TEST(request_without_a_source_is_not_checked),
        TEST(entry_without_present_is_no_entry),
        cmocka_unit_test(unit_without_posting_reserves_the_format),
        TEST(urgent_is_reserved_in_the_other_format),
        TEST(descriptor_has_reserved_bits),
        TEST(descriptor_cannot_be_accessed),
        TEST(descriptor_cannot_be_changed),
        TEST(inspection_shows_a_posted_entry_as_good),
        TEST(posting_can_be_traced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
