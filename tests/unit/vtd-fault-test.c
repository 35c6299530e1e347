/* SPDX-License-Identifier: GPL-2.0-only */
/* Fault records, FSTS, and the fault and completion events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define PFO 0x01u
#define PPF 0x02u
#define IQE 0x10u
#define IM  0x80000000u
#define IP  0x40000000u

#define FECTL 0x38u
#define IECTL 0xa0u

static const struct vtd_config three_records = {
    .ir = true,
    .haw = 52,
    .eim = true,
    .fault_records = 3,
};

static uint32_t
fri(struct model *model)
{
    return model_fsts(model) >> 8 & 0xff;
}

/* A not-present entry: one fault for each index. */
static void
provoke(struct model *model, uint32_t index)
{
    assert_int_equal(model_remap_sid(model, MODEL_MSI(index), 0xff00),
                     VTD_FR_IR_NOT_PRESENT);
}

static void
program_event(struct model *model, uint32_t control)
{
    model_w4(model, control + 4, 0x4e);
    model_w4(model, control + 8, 0xfee0100c);
    model_w4(model, control + 12, 0x00abcd00);
}

static int
setup(void **state)
{
    struct model *model;

    model_setup(state);
    model = *state;
    program_event(model, FECTL);
    program_event(model, IECTL);
    model_irt_enable(model, 7, true);
    model_queue_enable(model, 0);
    return 0;
}

static void
record_has_every_field(void **state)
{
    struct model *model = *state;
    struct vtd_fault_info info;

    assert_int_equal(model_remap_sid(model, MODEL_MSI(0xa5), 0x1234),
                     VTD_FR_IR_NOT_PRESENT);
    assert_int_equal(model_r8(model, 0x220), UINT64_C(0xa5) << 48);
    assert_int_equal(model_r8(model, 0x228),
                     UINT64_C(0x8000002200000000) | 0x1234);
    assert_int_equal(model_fsts(model), PPF);
    vtd_fault_info(model->vtd, 0, &info);
    assert_true(info.valid);
    assert_int_equal(info.sid, 0x1234);
    assert_int_equal(info.reason, 0x22);
    assert_int_equal(info.info, UINT64_C(0xa5) << 48);
    assert_int_equal(info.raw[0], model_r8(model, 0x220));
    assert_int_equal(info.raw[1], model_r8(model, 0x228));
    vtd_fault_info(model->vtd, 1, &info);
    assert_false(info.valid);
}

static void
records_are_used_in_turn(void **state)
{
    struct model *model = *state;

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 8; i++) {
            provoke(model, round * 16 + i);
            assert_int_equal(model_r8(model, 0x220 + i * 16) >> 48,
                             round * 16 + i);
        }
        assert_int_equal(model_fsts(model), PPF);
        for (unsigned i = 0; i < 8; i++) {
            assert_int_equal(model_fsts(model), PPF);
            model_record_clear(model, i);
        }
        assert_int_equal(model_fsts(model) & 0xff, 0);
    }
}

static void
first_pending_record_is_named(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 20; i++) {
        provoke(model, i);
        assert_int_equal(fri(model), i % 8);
        provoke(model, i + 32);
        assert_int_equal(fri(model), i % 8);
        model_record_clear(model, i % 8);
        assert_int_equal(model_fsts(model) & PPF, PPF);
        model_record_clear(model, (i + 1) % 8);
        assert_int_equal(model_fsts(model) & PPF, 0);
        provoke(model, i + 64);
        assert_int_equal(fri(model), (i + 2) % 8);
        model_record_clear(model, (i + 2) % 8);
        /* Step on, so that every record comes first once. */
        for (unsigned k = 0; k < 6; k++) {
            provoke(model, i + 64 + k);
            model_record_clear(model, (i + 3 + k) % 8);
        }
    }
}

static void
overflow_stops_recording_until_cleared(void **state)
{
    struct model *model = model_create(&three_records);

    (void)state;
    model_irt_enable(model, 7, true);
    for (uint32_t i = 0; i < 3; i++) {
        provoke(model, i);
    }
    assert_int_equal(model_fsts(model), PPF);
    provoke(model, 3);
    assert_int_equal(model_fsts(model), PPF | PFO);
    /* A free record is not used while PFO stands. */
    model_record_clear(model, 0);
    provoke(model, 4);
    assert_int_equal(model_r8(model, 0x228) >> 63, 0);
    model_w4(model, 0x34, PFO);
    assert_int_equal(model_fsts(model), PPF);
    provoke(model, 5);
    assert_int_equal(model_r8(model, 0x220) >> 48, 5);
    /* Records that the unit does not have stay zero. */
    assert_int_equal(model_r8(model, 0x250), 0);
    assert_int_equal(model_r8(model, 0x258), 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT), 6);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT_LOST), 2);
    model_destroy(model);
}

static void
repeats_of_a_pending_fault_are_collapsed(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < 100; i++) {
        provoke(model, 7);
    }
    assert_int_equal(model_fsts(model), PPF);
    assert_int_equal(model_r8(model, 0x238), 0);
    /* Another source, another index and another reason are other faults. */
    assert_int_equal(model_remap_sid(model, MODEL_MSI(7), 0xff01),
                     VTD_FR_IR_NOT_PRESENT);
    provoke(model, 8);
    model_irte_set(model, 7, 0x8001, 0);
    assert_int_equal(model_remap_sid(model, MODEL_MSI(7), 0xff00),
                     VTD_FR_IR_ENTRY_RSVD);
    assert_true(model_r8(model, 0x258) >> 63);
    assert_int_equal(model_r8(model, 0x268), 0);
    /* Cleared, it is recorded again. */
    model_faults_clear(model);
    provoke(model, 8);
    assert_int_equal(model_fsts(model) & 0xff, PPF);
}

static void
disabling_remapping_restarts_the_records(void **state)
{
    struct model *model = *state;

    provoke(model, 1);
    model_record_clear(model, 0);
    model_w4(model, 0x18, VTD_GCMD_QIE);
    model_w4(model, 0x18, VTD_GCMD_QIE | VTD_GCMD_IRE);
    provoke(model, 2);
    assert_int_equal(model_r8(model, 0x220) >> 48, 2);
}

static void
loss_before_the_unit_is_an_overflow(void **state)
{
    struct model *model = *state;
    struct vtd_ir_event event = {
        .reason = VTD_FR_IR_SID,
        .index = 9,
        .sid = 0x0100,
        .sid_valid = true,
        .lost = true,
    };

    vtd_ir_event(model->vtd, &event);
    assert_int_equal(model_fsts(model), PPF | PFO);
    assert_int_equal(model_r8(model, 0x228),
                     UINT64_C(0x8000002600000000) | 0x0100);
}

/* What Linux does on the interrupt: read dwords from the top, clear, go on. */
static void
linux_handler_drains_all_records(void **state)
{
    struct model *model = *state;
    unsigned index;
    unsigned seen = 0;

    provoke(model, 0);
    model_record_clear(model, 0);
    for (uint32_t i = 0; i < 8; i++) {
        provoke(model, 100 + i);
    }
    index = fri(model);
    assert_int_equal(index, 1);
    while (model_r4(model, 0x22c + index * 16) & 0x80000000u) {
        assert_int_equal(model_r8(model, 0x220 + index * 16) >> 48, 100 + seen);
        model_w4(model, 0x22c + index * 16, 0x80000000u);
        index = (index + 1) % 8;
        seen++;
        assert_true(seen <= 8);
    }
    assert_int_equal(seen, 8);
    model_w4(model, 0x34, 0x83);
    assert_int_equal(model_fsts(model) & 0xff, 0);
}

/* --- the events --------------------------------------------------------- */

static void
assert_msi(const struct model *model, unsigned count)
{
    assert_int_equal(model->msi_count, count);
    if (count > 0) {
        assert_int_equal(model->msi[count - 1].addr,
                         UINT64_C(0x00abcd00fee0100c));
        assert_int_equal(model->msi[count - 1].data, 0x4e);
    }
}

static void
fault_event_fires_once_for_pending_faults(void **state)
{
    struct model *model = *state;

    model_w4(model, FECTL, 0);
    provoke(model, 1);
    assert_msi(model, 1);
    assert_int_equal(model_r4(model, FECTL), 0);
    provoke(model, 2);
    assert_msi(model, 1);
    model_record_clear(model, 0);
    provoke(model, 3);
    assert_msi(model, 1);
    model_record_clear(model, 1);
    model_record_clear(model, 2);
    provoke(model, 4);
    assert_msi(model, 2);
}

static void
masked_fault_event_fires_when_unmasked(void **state)
{
    struct model *model = *state;

    assert_int_equal(model_r4(model, FECTL), IM);
    provoke(model, 1);
    assert_msi(model, 0);
    assert_int_equal(model_r4(model, FECTL), IM | IP);
    /* IP is not software's to set or clear. */
    model_w4(model, FECTL, IM);
    assert_int_equal(model_r4(model, FECTL), IM | IP);
    model_w4(model, FECTL, IP);
    assert_msi(model, 1);
    assert_int_equal(model_r4(model, FECTL), 0);
    model_w4(model, FECTL, 0);
    assert_msi(model, 1);
}

static void
serviced_fault_event_is_forgotten(void **state)
{
    struct model *model = *state;

    provoke(model, 1);
    provoke(model, 2);
    model_record_clear(model, 0);
    assert_int_equal(model_r4(model, FECTL), IM | IP);
    model_record_clear(model, 1);
    assert_int_equal(model_r4(model, FECTL), IM);
    model_w4(model, FECTL, 0);
    assert_msi(model, 0);
}

static void
overflow_keeps_the_event_pending(void **state)
{
    struct model *model = *state;

    for (uint32_t i = 0; i < 9; i++) {
        provoke(model, i);
    }
    for (unsigned i = 0; i < 8; i++) {
        model_record_clear(model, i);
    }
    assert_int_equal(model_fsts(model) & 0xff, PFO);
    assert_int_equal(model_r4(model, FECTL), IM | IP);
    model_w4(model, 0x34, PFO);
    assert_int_equal(model_r4(model, FECTL), IM);
}

static void
queue_error_and_faults_share_the_event(void **state)
{
    struct model *model = *state;

    model_w4(model, FECTL, 0);
    model_queue_run(model, 0xf, 0);
    assert_int_equal(model_fsts(model) & 0xff, IQE);
    assert_msi(model, 1);
    provoke(model, 1);
    assert_int_equal(model_fsts(model) & 0xff, IQE | PPF);
    assert_msi(model, 1);
    model_record_clear(model, 0);
    assert_int_equal(model_fsts(model) & 0xff, IQE);
    /* The same bad descriptor again is a new condition. */
    model_w4(model, 0x34, IQE);
    assert_int_equal(model_fsts(model) & 0xff, IQE);
    assert_msi(model, 2);
}

static void
completion_event_fires_once_until_acknowledged(void **state)
{
    struct model *model = *state;

    model_w4(model, IECTL, 0);
    model_queue_run(model, MODEL_WAIT_IF, 0);
    assert_int_equal(model_r4(model, 0x9c), 1);
    assert_msi(model, 1);
    model_queue_run(model, MODEL_WAIT_IF, 0);
    assert_msi(model, 1);
    model_w4(model, 0x9c, 0);
    assert_int_equal(model_r4(model, 0x9c), 1);
    model_w4(model, 0x9c, 1);
    assert_int_equal(model_r4(model, 0x9c), 0);
    model_queue_run(model, MODEL_WAIT_IF, 0);
    assert_msi(model, 2);
}

static void
masked_completion_event_waits_or_is_forgotten(void **state)
{
    struct model *model = *state;

    model_queue_run(model, MODEL_WAIT_IF, 0);
    assert_msi(model, 0);
    assert_int_equal(model_r4(model, IECTL), IM | IP);
    model_w4(model, IECTL, 0);
    assert_int_equal(model_r4(model, IECTL), 0);
    assert_msi(model, 1);
    model_w4(model, 0x9c, 1);
    model_w4(model, IECTL, IM);
    model_queue_run(model, MODEL_WAIT_IF, 0);
    assert_int_equal(model_r4(model, IECTL), IM | IP);
    model_w4(model, 0x9c, 0xfffffffe);
    assert_int_equal(model_r4(model, IECTL), IM | IP);
    model_w4(model, 0x9c, 1);
    assert_int_equal(model_r4(model, IECTL), IM);
    model_w4(model, IECTL, 0);
    assert_msi(model, 1);
}

/* One 8-byte write sets the data and unmasks: the message must have it. */
static void
unmasking_with_data_sends_the_new_message(void **state)
{
    struct model *model = *state;

    provoke(model, 1);
    model_w8(model, FECTL, UINT64_C(0x99) << 32);
    assert_int_equal(model->msi_count, 1);
    assert_int_equal(model->msi[0].data, 0x99);
}

static void
names_exist_for_every_reason(void **state)
{
    (void)state;
    for (uint8_t reason = 0x20; reason <= 0x29; reason++) {
        assert_string_not_equal(vtd_fault_name(reason), "unknown fault reason");
    }
    assert_string_equal(vtd_fault_name(0x2a), "unknown fault reason");
    assert_string_equal(vtd_fault_name(0xff), "unknown fault reason");
    assert_string_equal(vtd_fault_name(0), "no fault");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(record_has_every_field),
        TEST(records_are_used_in_turn),
        TEST(first_pending_record_is_named),
        TEST(overflow_stops_recording_until_cleared),
        TEST(repeats_of_a_pending_fault_are_collapsed),
        TEST(disabling_remapping_restarts_the_records),
        TEST(loss_before_the_unit_is_an_overflow),
        TEST(linux_handler_drains_all_records),
        TEST(fault_event_fires_once_for_pending_faults),
        TEST(masked_fault_event_fires_when_unmasked),
        TEST(serviced_fault_event_is_forgotten),
        TEST(overflow_keeps_the_event_pending),
        TEST(queue_error_and_faults_share_the_event),
        TEST(completion_event_fires_once_until_acknowledged),
        TEST(masked_completion_event_waits_or_is_forgotten),
        TEST(unmasking_with_data_sends_the_new_message),
        TEST(names_exist_for_every_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
