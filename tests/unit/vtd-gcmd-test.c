/* SPDX-License-Identifier: GPL-2.0-only */
/* Global command and status: handshakes, latches, what the owner is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define TE    0x80000000u
#define SRTP  0x40000000u
#define SFL   0x20000000u
#define EAFL  0x10000000u
#define WBF   0x08000000u
#define QIE   0x04000000u
#define IRE   0x02000000u
#define SIRTP 0x01000000u
#define CFI   0x00800000u

static uint32_t
gsts(struct model *model)
{
    return model_r4(model, 0x1c);
}

static void
gcmd(struct model *model, uint32_t val)
{
    model_w4(model, 0x18, val);
}

static void
command_register_reads_as_zero(void **state)
{
    struct model *model = *state;

    gcmd(model, QIE | CFI);
    assert_int_equal(model_r4(model, 0x18), 0);
    assert_int_equal(gsts(model), QIE | CFI);
}

static void
translation_is_refused_and_root_pointer_accepted(void **state)
{
    struct model *model = *state;

    gcmd(model, SRTP);
    assert_int_equal(gsts(model), SRTP);
    gcmd(model, TE);
    assert_int_equal(gsts(model), SRTP);
}

static void
commands_of_absent_capabilities_are_ignored(void **state)
{
    struct model *model = *state;

    gcmd(model, SFL);
    gcmd(model, EAFL);
    gcmd(model, WBF);
    gcmd(model, 0x007fffff);
    assert_int_equal(gsts(model), 0);
    assert_int_equal(model->state_calls, 0);
}

static void
remapping_is_refused_without_a_table(void **state)
{
    struct model *model = *state;

    gcmd(model, IRE);
    assert_int_equal(gsts(model), 0);
    assert_int_equal(model->state_calls, 0);
    /* Both in one write are taken in the order that works. */
    gcmd(model, IRE | SIRTP);
    assert_int_equal(gsts(model), IRE | SIRTP);
    assert_int_equal(model->state.entries, 2);
}

static void
table_pointer_is_latched_by_sirtp_alone(void **state)
{
    struct model *model = *state;
    struct vtd_ir_state now;

    for (unsigned s = 0; s < 16; s++) {
        model_w8(model, 0xb8, MODEL_IRT | s);
        vtd_ir_state_get(model->vtd, &now);
        assert_int_equal(now.entries, s == 0 ? 0 : 1u << s);
        gcmd(model, SIRTP);
        vtd_ir_state_get(model->vtd, &now);
        assert_int_equal(now.entries, 2u << s);
        assert_int_equal(model->state.entries, 2u << s);
        assert_int_equal(gsts(model), SIRTP);
    }
    assert_int_equal(model->state_calls, 16);
}

static void
extended_mode_takes_effect_at_sirtp(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 1, MODEL_IRTE(0x31, 0x00000700), 0);
    model_irt_enable(model, 3, false);
    assert_int_equal(model_remap(model, MODEL_MSI(1), &route), VTD_FR_OK);
    assert_int_equal(route.dest, 7);
    model_w8(model, 0xb8, MODEL_IRT | 0x800 | 3);
    assert_int_equal(model_remap(model, MODEL_MSI(1), &route), VTD_FR_OK);
    assert_int_equal(route.dest, 7);
    gcmd(model, IRE | SIRTP);
    assert_int_equal(model_remap(model, MODEL_MSI(1), &route), VTD_FR_OK);
    assert_int_equal(route.dest, 0x700);
}

static void
compatibility_blocking_follows_cfi_and_eime(void **state)
{
    struct model *model = *state;
    struct vtd_ir_state now;

    for (unsigned bits = 0; bits < 8; bits++) {
        bool enable = bits & 1;
        bool cfi = bits & 2;
        bool eime = bits & 4;

        vtd_reset(model->vtd);
        model_w8(model, 0xb8, MODEL_IRT | (eime ? 0x800 : 0) | 7);
        gcmd(model, SIRTP);
        gcmd(model, (enable ? IRE : 0) | (cfi ? CFI : 0));
        assert_int_equal(gsts(model),
                         SIRTP | (enable ? IRE : 0) | (cfi ? CFI : 0));
        vtd_ir_state_get(model->vtd, &now);
        assert_int_equal(now.enabled, enable);
        assert_int_equal(now.block_compat, enable && (eime || !cfi));
        assert_int_equal(model->state.enabled, now.enabled);
        assert_int_equal(model->state.block_compat, now.block_compat);
        assert_int_equal(model->state.entries, now.entries);
    }
}

static void
owner_is_told_of_changes_alone(void **state)
{
    struct model *model = *state;

    model_irt_enable(model, 15, true);
    assert_int_equal(model->state_calls, 2);
    /* Guests that write GSTS back set the one-shot bits again. */
    gcmd(model, gsts(model));
    gcmd(model, gsts(model) | SRTP);
    gcmd(model, gsts(model));
    assert_int_equal(gsts(model), SRTP | SIRTP | IRE);
    assert_int_equal(model->state_calls, 2);
    /* CFI changes nothing while EIME blocks the format. */
    gcmd(model, gsts(model) | CFI);
    assert_int_equal(model->state_calls, 2);
    gcmd(model, 0);
    assert_int_equal(model->state_calls, 3);
    assert_false(model->state.enabled);
    assert_int_equal(gsts(model), SRTP | SIRTP);
}

static void
queue_is_enabled_and_disabled_at_any_time(void **state)
{
    struct model *model = *state;

    model_queue_enable(model, 0);
    model_queue_run(model, MODEL_IEC_GLOBAL, 0);
    assert_int_equal(model_r8(model, 0x80), 0x10);
    gcmd(model, 0);
    assert_int_equal(gsts(model), 0);
    assert_int_equal(model_r8(model, 0x80), 0);
    /* Off while remapping is on, as a kernel does that takes over. */
    model_queue_enable(model, 0);
    model_irt_enable(model, 7, false);
    gcmd(model, IRE);
    assert_int_equal(gsts(model), SIRTP | IRE);
}

static void
tail_written_before_enabling_counts(void **state)
{
    struct model *model = *state;

    model->queue_entries = 256;
    model_queue_append(model, MODEL_WAIT_SW(0x77), MODEL_STATUS);
    model_w8(model, 0x90, MODEL_QUEUE);
    model_queue_doorbell(model);
    assert_int_equal(model_r8(model, 0x80), 0);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    gcmd(model, QIE);
    assert_int_equal(model_r8(model, 0x80), 0x10);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0x77);
}

static void
reset_is_told_and_withdraws_routes(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 3, MODEL_IRTE(0x41, 1), 0);
    model_queue_enable(model, 0);
    model_irt_enable(model, 7, true);
    model_queue_run(model, MODEL_IEC(3, 0), 0);
    assert_true(model->route[3].present);
    vtd_reset(model->vtd);
    assert_false(model->state.enabled);
    assert_int_equal(model->state.entries, 0);
    assert_false(model->route[3].present);
    assert_int_equal(gsts(model), 0);
    /* A reset of a unit at rest says nothing. */
    assert_int_equal(model->clear_calls, 1);
    vtd_reset(model->vtd);
    assert_int_equal(model->clear_calls, 1);
}

static void
register_invalidation_completes_at_once(void **state)
{
    struct model *model = *state;

    for (uint64_t g = 0; g < 4; g++) {
        model_w8(model, 0x28, UINT64_C(1) << 63 | g << 61 | 0x1234);
        assert_int_equal(model_r8(model, 0x28), g << 61 | g << 59 | 0x1234);
        model_w8(model, 0xf8,
                 UINT64_C(1) << 63 | g << 60 | UINT64_C(0x300120000) << 16);
        assert_int_equal(model_r8(model, 0xf8),
                         g << 60 | g << 57 | UINT64_C(0x300120000) << 16);
    }
    /* The command in the high dword alone, and with the queue enabled. */
    model_queue_enable(model, 0);
    model_w4(model, 0x2c, 0xa0000000);
    assert_int_equal(model_r4(model, 0x2c), 0x28000000);
    model_w4(model, 0xfc, 0xa0000000);
    assert_int_equal(model_r4(model, 0xfc), 0x24000000);
    /* A write without the command asks for nothing. */
    model_w4(model, 0x2c, 0x60000000);
    assert_int_equal(model_r4(model, 0x2c), 0x68000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(command_register_reads_as_zero),
        MODEL_TEST(translation_is_refused_and_root_pointer_accepted),
        MODEL_TEST(commands_of_absent_capabilities_are_ignored),
        MODEL_TEST(remapping_is_refused_without_a_table),
        MODEL_TEST(table_pointer_is_latched_by_sirtp_alone),
        MODEL_TEST(extended_mode_takes_effect_at_sirtp),
        MODEL_TEST(compatibility_blocking_follows_cfi_and_eime),
        MODEL_TEST(owner_is_told_of_changes_alone),
        MODEL_TEST(queue_is_enabled_and_disabled_at_any_time),
        MODEL_TEST(tail_written_before_enabling_counts),
        MODEL_TEST(reset_is_told_and_withdraws_routes),
        MODEL_TEST(register_invalidation_completes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
