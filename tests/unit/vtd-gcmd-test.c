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

/* --- DMA remapping -------------------------------------------------------- */

/* A sink that acknowledges when it is told to. */
static struct {
    unsigned announced; /* VTD_INV_ROOT */
    uint64_t token;     /* asked for last */
    bool late;
} sink;

static void
sink_invalidate(void *ctx, const struct vtd_inv *inv)
{
    (void)ctx;
    sink.announced += inv->kind == VTD_INV_ROOT;
}

static bool
sink_sync(void *ctx, uint64_t token)
{
    (void)ctx;
    sink.token = token;
    return !sink.late;
}

/* A unit with an empty root table at 64 KiB, and a sink. */
static struct model *
dma_model(const struct vtd_config *config)
{
    struct model *model = model_create(config);

    sink.announced = 0;
    sink.late = false;
    model->ops.invalidate = sink_invalidate;
    model->ops.sync = sink_sync;
    model_w8(model, 0x20, 0x10000);
    return model;
}

static enum vtd_fr
request(struct model *model)
{
    const struct vtd_dma_req req = {
        .iova = 0x5000,
        .pasid = VTD_NO_PASID,
        .sid = 0x0010,
        .access = VTD_DMA_READ,
    };
    struct vtd_dma_resp resp;

    return vtd_dma_translate(model->vtd, &req, &resp);
}

static void
translation_is_refused_without_a_root(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);

    (void)state;
    gcmd(model, TE);
    assert_int_equal(gsts(model), 0);
    assert_int_equal(request(model), VTD_FR_OK);
    assert_int_equal(sink.announced, 0);
    gcmd(model, SRTP);
    assert_int_equal(gsts(model), SRTP);
    assert_int_equal(request(model), VTD_FR_OK);
    gcmd(model, TE);
    assert_int_equal(gsts(model), SRTP | TE);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    gcmd(model, 0);
    assert_int_equal(gsts(model), SRTP);
    assert_int_equal(request(model), VTD_FR_OK);
    /* Each changed what requests go through. */
    assert_int_equal(sink.announced, 3);
    /* Both in one write are taken in the order that works. */
    vtd_reset(model->vtd);
    gcmd(model, SRTP | TE);
    assert_int_equal(gsts(model), SRTP | TE);
    model_destroy(model);
}

static void
root_pointer_is_latched_by_srtp_alone(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);

    (void)state;
    gcmd(model, SRTP | TE);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    model_w8(model, 0x20, UINT64_C(1) << 40);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    gcmd(model, SRTP | TE);
    assert_int_equal(gsts(model), SRTP | TE);
    assert_int_equal(request(model), VTD_FR_ROOT_ACCESS);
    model_destroy(model);
}

static void
root_table_mode_is_latched_with_it(void **state)
{
    static const struct {
        const struct vtd_config *config;
        enum vtd_fr fr[4]; /* by TTM */
    } cases[] = {
        /* The mode is reserved there, and not stored. */
        { &vtd_config_legacy,
          { VTD_FR_ROOT_P, VTD_FR_ROOT_P, VTD_FR_ROOT_P, VTD_FR_ROOT_P } },
        { &vtd_config_scalable,
          { VTD_FR_ROOT_P, VTD_FR_SM_ROOT_P, VTD_FR_RTA, VTD_FR_RTA } },
        { &vtd_config_full,
          { VTD_FR_ROOT_P, VTD_FR_SM_ROOT_P, VTD_FR_RTA, VTD_FR_RTA_ABORT } },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct model *model = dma_model(cases[i].config);

        for (uint64_t ttm = 0; ttm < 4; ttm++) {
            model_w8(model, 0x20, 0x10000 | ttm << 10);
            gcmd(model, SRTP | TE);
            assert_int_equal(gsts(model), SRTP | TE);
            assert_int_equal(request(model), cases[i].fr[ttm]);
        }
        model_destroy(model);
    }
}

/* ADMS without SMTS: the mode of neither is the other's. */
static void
abort_mode_needs_no_scalable_mode(void **state)
{
    struct vtd_config config = vtd_config_legacy;
    struct model *model;

    (void)state;
    config.adms = true;
    model = dma_model(&config);
    model_w8(model, 0x20, 0x10c00);
    gcmd(model, SRTP | TE);
    assert_int_equal(request(model), VTD_FR_RTA_ABORT);
    model_w8(model, 0x20, 0x10400);
    gcmd(model, SRTP | TE);
    assert_int_equal(request(model), VTD_FR_RTA);
    model_destroy(model);
}

/* Guests that write GSTS back set SRTP each time. */
static void
a_repeat_of_srtp_invalidates_with_esrtps_alone(void **state)
{
    (void)state;
    for (unsigned esrtps = 0; esrtps < 2; esrtps++) {
        struct vtd_config config = vtd_config_full;
        struct model *model;

        config.esrtps = esrtps;
        model = dma_model(&config);
        gcmd(model, SRTP);
        gcmd(model, TE);
        assert_int_equal(sink.announced, 2);
        gcmd(model, gsts(model));
        assert_int_equal(gsts(model), SRTP | TE);
        assert_int_equal(sink.announced, 2 + esrtps);
        /* Another mode, or another table, is no repeat. */
        model_w8(model, 0x20, 0x10400);
        gcmd(model, gsts(model));
        assert_int_equal(sink.announced, 3 + esrtps);
        model_w8(model, 0x20, 0x11400);
        gcmd(model, gsts(model));
        assert_int_equal(sink.announced, 4 + esrtps);
        assert_int_equal(gsts(model), SRTP | TE);
        model_destroy(model);
    }
}

static void
status_waits_for_every_sink(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);
    uint64_t first;

    (void)state;
    sink.late = true;
    gcmd(model, SRTP);
    assert_int_equal(gsts(model), 0);
    first = sink.token;
    vtd_sync_done(model->vtd, first, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), SRTP);
    gcmd(model, TE);
    assert_int_equal(gsts(model), SRTP);
    assert_true(sink.token != first);
    /* In force, or a sink that asks again would be told as before. */
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    /* Asked for already; a command besides does not change that. */
    gcmd(model, TE | QIE);
    assert_int_equal(gsts(model), SRTP | QIE);
    assert_int_equal(sink.announced, 2);
    vtd_sync_done(model->vtd, first, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), SRTP | QIE);
    vtd_sync_done(model->vtd, sink.token, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), SRTP | QIE | TE);
    /* The other way round. */
    gcmd(model, QIE);
    assert_int_equal(gsts(model), SRTP | QIE | TE);
    assert_int_equal(request(model), VTD_FR_OK);
    vtd_sync_done(model->vtd, sink.token, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), SRTP | QIE);
    model_destroy(model);
}

static void
commands_given_before_the_status_are_waited_for_together(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);
    uint64_t first;

    (void)state;
    sink.late = true;
    gcmd(model, SRTP | TE);
    first = sink.token;
    assert_int_equal(sink.announced, 2);
    gcmd(model, 0);
    assert_int_equal(gsts(model), 0);
    /* Of before the last one: not enough. */
    vtd_sync_done(model->vtd, first, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), 0);
    vtd_sync_done(model->vtd, sink.token, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), SRTP);
    model_destroy(model);
}

/* It is cut off then, and a guest that polls must not hang. */
static void
a_sink_that_does_not_answer_does_not_hold_the_status(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);

    (void)state;
    sink.late = true;
    gcmd(model, SRTP | TE);
    vtd_sync_done(model->vtd, sink.token, VTD_SYNC_TIMEOUT, 0x0010);
    assert_int_equal(gsts(model), SRTP | TE);
    model_destroy(model);
}

static void
a_status_that_waits_is_gone_with_a_reset(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);

    (void)state;
    sink.late = true;
    gcmd(model, SRTP | TE);
    vtd_reset(model->vtd);
    vtd_sync_done(model->vtd, sink.token, VTD_SYNC_OK, 0);
    assert_int_equal(gsts(model), 0);
    assert_int_equal(request(model), VTD_FR_OK);
    model_destroy(model);
}

/* [VT-d 4.1, "Primary Fault Logging"] */
static void
records_start_over_when_all_remapping_is_disabled(void **state)
{
    struct model *model = dma_model(&vtd_config_legacy);

    (void)state;
    model_w8(model, 0xb8, MODEL_IRT | 7);
    gcmd(model, SIRTP | SRTP);
    gcmd(model, TE | IRE);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    assert_true(model_r8(model, 0x228) >> 63);
    /* One of the two is left each time. */
    gcmd(model, TE);
    gcmd(model, TE | IRE);
    gcmd(model, IRE);
    gcmd(model, IRE | TE);
    model_faults_clear(model);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    assert_false(model_r8(model, 0x228) >> 63);
    assert_true(model_r8(model, 0x238) >> 63);
    model_faults_clear(model);
    gcmd(model, 0);
    gcmd(model, TE);
    assert_int_equal(request(model), VTD_FR_ROOT_P);
    assert_true(model_r8(model, 0x228) >> 63);
    model_destroy(model);
}

/* --- interrupt remapping and the queue ------------------------------------ */

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
disabling_forgets_entries_with_esirtps(void **state)
{
    static const struct vtd_ir_event miss = { .reason = VTD_FR_IR_NOT_PRESENT,
                                              .index = 5 };
    struct vtd_config config = vtd_config_ir;

    (void)state;
    for (unsigned esirtps = 0; esirtps < 2; esirtps++) {
        struct model *model;

        config.esirtps = esirtps != 0;
        model = model_create(&config);
        model_irt_enable(model, 7, true);
        model_irte_set(model, 5, MODEL_IRTE(0x31, 1), 0);
        vtd_ir_event(model->vtd, &miss);
        model->clear_calls = 0;
        model_w4(model, 0x18, 0);
        assert_int_equal(model->clear_calls, esirtps);
        model_w4(model, 0x18, IRE);
        model_w4(model, 0x18, 0);
        assert_int_equal(model->clear_calls, esirtps);
        model_destroy(model);
    }
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
        cmocka_unit_test(translation_is_refused_without_a_root),
        cmocka_unit_test(root_pointer_is_latched_by_srtp_alone),
        cmocka_unit_test(root_table_mode_is_latched_with_it),
        cmocka_unit_test(abort_mode_needs_no_scalable_mode),
        cmocka_unit_test(a_repeat_of_srtp_invalidates_with_esrtps_alone),
        cmocka_unit_test(status_waits_for_every_sink),
        cmocka_unit_test(
            commands_given_before_the_status_are_waited_for_together),
        cmocka_unit_test(a_sink_that_does_not_answer_does_not_hold_the_status),
        cmocka_unit_test(a_status_that_waits_is_gone_with_a_reset),
        cmocka_unit_test(records_start_over_when_all_remapping_is_disabled),
        MODEL_TEST(commands_of_absent_capabilities_are_ignored),
        MODEL_TEST(remapping_is_refused_without_a_table),
        MODEL_TEST(table_pointer_is_latched_by_sirtp_alone),
        cmocka_unit_test(disabling_forgets_entries_with_esirtps),
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
