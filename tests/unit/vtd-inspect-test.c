/* SPDX-License-Identifier: GPL-2.0-only */
/* What tools are shown: register fields, counters, trace events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

static void
registers_are_listed_by_offset(void **state)
{
    struct model *model = *state;
    uint32_t end = 0;

    assert_int_equal(vtd_reg_count(model->vtd), 40);
    for (unsigned i = 0; i < vtd_reg_count(model->vtd); i++) {
        struct vtd_reg_info info;

        vtd_reg_info(model->vtd, i, &info);
        assert_non_null(info.name);
        assert_true(info.size == 4 || info.size == 8);
        assert_true(info.off >= end);
        end = info.off + info.size;
        assert_int_equal(vtd_reg_value(model->vtd, i),
                         vtd_mmio_read(model->vtd, info.off, info.size));
    }
    assert_true(end <= VTD_MMIO_SIZE);
}

static void
fields_are_contiguous_and_ordered(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < vtd_reg_count(model->vtd); i++) {
        struct vtd_reg_info info;
        uint64_t above = 0;

        vtd_reg_info(model->vtd, i, &info);
        assert_true(info.field_count > 0);
        for (unsigned k = 0; k < info.field_count; k++) {
            uint64_t mask = info.field[k].mask;
            uint64_t low = mask & -mask;

            assert_non_null(info.field[k].name);
            assert_int_not_equal(mask, 0);
            /* Adding the lowest bit of a run of ones leaves one bit or none. */
            assert_int_equal((mask + low) & (mask + low - 1) & mask, 0);
            assert_int_equal((mask / low) & (mask / low + 1), 0);
            assert_true(above == 0 || mask < (above & -above));
            assert_true(info.size == 8 || mask >> 32 == 0);
            above = mask;
        }
    }
}

/* Find a register and the value of one of its fields by their names. */
static uint64_t
field_value(struct model *model, const char *reg, const char *field)
{
    for (unsigned i = 0; i < vtd_reg_count(model->vtd); i++) {
        struct vtd_reg_info info;

        vtd_reg_info(model->vtd, i, &info);
        for (unsigned k = 0; k < info.field_count; k++) {
            uint64_t mask = info.field[k].mask;

            if (strcmp(info.name, reg) == 0 &&
                strcmp(info.field[k].name, field) == 0) {
                return (vtd_reg_value(model->vtd, i) & mask) / (mask & -mask);
            }
        }
    }
    fail_msg("no %s.%s", reg, field);
    return 0;
}

static void
fields_show_what_the_unit_does(void **state)
{
    struct model *model = *state;

    model_irt_enable(model, 12, true);
    model_queue_enable(model, 3);
    (void)model_remap_sid(model, MODEL_MSI(0x1ab), 0x4321);
    assert_int_equal(field_value(model, "GSTS", "IRES"), 1);
    assert_int_equal(field_value(model, "GSTS", "QIES"), 1);
    assert_int_equal(field_value(model, "GSTS", "TES"), 0);
    assert_int_equal(field_value(model, "IRTA", "S"), 12);
    assert_int_equal(field_value(model, "IRTA", "EIME"), 1);
    assert_int_equal(field_value(model, "IRTA", "IRTA"), MODEL_IRT >> 12);
    assert_int_equal(field_value(model, "IQA", "QS"), 3);
    assert_int_equal(field_value(model, "CAP", "NFR"), 7);
    assert_int_equal(field_value(model, "CAP", "SAGAW"), 0);
    assert_int_equal(field_value(model, "ECAP", "MHMV"), 15);
    assert_int_equal(field_value(model, "FECTL", "IP"), 1);
    assert_int_equal(field_value(model, "FRCD0_HI", "FR"), 0x22);
    assert_int_equal(field_value(model, "FRCD0_HI", "SID"), 0x4321);
    assert_int_equal(field_value(model, "FRCD0_HI", "F"), 1);
}

static void
counters_have_names_of_their_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < VTD_STAT_COUNT; i++) {
        const char *name = vtd_stat_name(i);

        assert_non_null(name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"),
                         strlen(name));
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(name, vtd_stat_name(k));
        }
    }
}

static void
counters_count(void **state)
{
    static const struct {
        enum vtd_stat stat;
        uint64_t value;
    } want[] = {
        { VTD_STAT_DESC, 4 },       { VTD_STAT_WAIT, 2 },
        { VTD_STAT_IEC, 2 },        { VTD_STAT_QUEUE_ERROR, 1 },
        { VTD_STAT_ROUTE_SET, 1 },  { VTD_STAT_ROUTE_CLEAR, 1 },
        { VTD_STAT_MISS, 1 },       { VTD_STAT_FAULT, 2 },
        { VTD_STAT_FAULT_LOST, 1 }, { VTD_STAT_EVENT, 1 },
        { VTD_STAT_MMIO_BAD, 1 },
    };
    struct model *model = *state;
    struct vtd_ir_event event = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 9,
        .lost = true,
    };
    uint64_t writes;

    model_irt_enable(model, 7, true);
    model_queue_enable(model, 0);
    model_irte_set(model, 3, MODEL_IRTE(0x41, 1), 0);
    model_queue_run(model, MODEL_IEC(3, 0), 0);
    model_queue_run(model, MODEL_WAIT_FN, 0);
    model_irte_set(model, 3, 0, 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    model_queue_run(model, MODEL_WAIT_FN, 0);
    model_w4(model, VTD_OFF_FECTL, 0);
    (void)model_remap_sid(model, MODEL_MSI(8), 0);
    vtd_ir_event(model->vtd, &event);
    model_queue_run(model, 0, 0);
    writes = vtd_stat_value(model->vtd, VTD_STAT_MMIO_WRITE);
    vtd_mmio_write(model->vtd, 2, 2, 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_MMIO_WRITE),
                     writes + 1);
    for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        if (vtd_stat_value(model->vtd, want[i].stat) != want[i].value) {
            fail_msg(
                "%s: %llu", vtd_stat_name(want[i].stat),
                (unsigned long long)vtd_stat_value(model->vtd, want[i].stat));
        }
    }
    /* They survive a reset. */
    vtd_reset(model->vtd);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_FAULT), 2);
}

/* --- tracing ------------------------------------------------------------ */

struct traced {
    enum vtd_event ev;
    uint64_t arg[4];
};

static struct traced traced[64];
static unsigned traced_count;

static void
record_trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    struct traced *slot = &traced[traced_count];

    assert_non_null(ctx);
    assert_true(traced_count < sizeof(traced) / sizeof(traced[0]));
    traced_count++;
    slot->ev = ev;
    memcpy(slot->arg, arg, sizeof(slot->arg));
}

static void
assert_traced(enum vtd_event ev, uint64_t a, uint64_t b, uint64_t c)
{
    for (unsigned i = 0; i < traced_count; i++) {
        if (traced[i].ev == ev && traced[i].arg[0] == a &&
            traced[i].arg[1] == b && traced[i].arg[2] == c) {
            return;
        }
    }
    fail_msg("event %u (%#llx, %#llx, %#llx) was not traced", (unsigned)ev,
             (unsigned long long)a, (unsigned long long)b,
             (unsigned long long)c);
}

static void
every_event_is_traced(void **state)
{
    const struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = 9,
        .sid = 0x18,
        .sid_valid = true,
    };
    struct model *model = *state;

    traced_count = 0;
    model_trace(model, record_trace);
    model_irt_enable(model, 7, true);
    model_queue_enable(model, 0);
    model_w4(model, VTD_OFF_FECTL, 0);
    model_w4(model, VTD_OFF_FEADDR, 0xfee00000);
    model_w4(model, VTD_OFF_FEDATA, 0x99);
    model_irte_set(model, 3, MODEL_IRTE(0x41, 5), 0);
    model_queue_run(model, MODEL_IEC(3, 0), 0);
    vtd_ir_event(model->vtd, &miss);
    model_queue_run(model, 0xd, 0x123);
    assert_traced(VTD_EV_MMIO_READ, VTD_OFF_GSTS, 4, 0x01000000);
    assert_traced(VTD_EV_MMIO_WRITE, VTD_OFF_FEDATA, 4, 0x99);
    assert_traced(VTD_EV_GCMD, 0x02000000, 0x03000000, 0);
    assert_traced(VTD_EV_DESC, MODEL_IEC(3, 0), 0, 0);
    assert_traced(VTD_EV_DESC, 0xd, 0x123, 1);
    assert_traced(VTD_EV_ROUTE, 3, 5, 0x41);
    assert_traced(VTD_EV_MISS, 9, 0x18, 0);
    assert_traced(VTD_EV_FAULT, 0x22, 0x18, UINT64_C(9) << 48);
    assert_traced(VTD_EV_EVENT, 0xfee00000, 0x99, 0);
    assert_traced(VTD_EV_QUEUE_ERROR, 3, 1, 0);
}

/* The very fields, of the first layout and of the last. */
static void
fields_are_those_of_the_register(void **state)
{
    struct model *model = *state;
    struct vtd_reg_info info;

    vtd_reg_info(model->vtd, 0, &info);
    assert_string_equal(info.name, "VER");
    assert_int_equal(info.field_count, 2);
    assert_string_equal(info.field[0].name, "MAX");
    assert_int_equal(info.field[0].mask, 0xf0);
    assert_string_equal(info.field[1].name, "MIN");
    vtd_reg_info(model->vtd, vtd_reg_count(model->vtd) - 1, &info);
    assert_string_equal(info.name, "FRCD7_HI");
    assert_string_equal(info.field[0].name, "F");
    assert_string_equal(info.field[info.field_count - 1].name, "SID");
}

static void
each_record_is_shown(void **state)
{
    struct model *model = *state;
    struct vtd_fault_info info;

    model_irt_enable(model, 7, true);
    for (uint16_t i = 0; i < 3; i++) {
        assert_int_equal(model_remap_sid(model, MODEL_MSI(5 + i), 0x100 + i),
                         VTD_FR_IR_NOT_PRESENT);
    }
    for (uint16_t i = 0; i < 3; i++) {
        vtd_fault_info(model->vtd, i, &info);
        assert_true(info.valid);
        assert_int_equal(info.sid, 0x100 + i);
        assert_int_equal(info.reason, VTD_FR_IR_NOT_PRESENT);
        assert_int_equal(info.info, (uint64_t)(5 + i) << 48);
        assert_int_equal(info.raw[0], model_r8(model, 0x220 + 16u * i));
        assert_int_equal(info.raw[1], model_r8(model, 0x228 + 16u * i));
    }
    vtd_fault_info(model->vtd, 3, &info);
    assert_false(info.valid);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(registers_are_listed_by_offset),
        MODEL_TEST(fields_are_contiguous_and_ordered),
        MODEL_TEST(fields_show_what_the_unit_does),
        MODEL_TEST(fields_are_those_of_the_register),
        MODEL_TEST(each_record_is_shown),
        MODEL_TEST(counters_have_names_of_their_own),
        MODEL_TEST(counters_count),
        MODEL_TEST(every_event_is_traced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
