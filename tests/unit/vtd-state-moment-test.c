/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moments at which a unit is saved: what is half done then is finished by the
 * one that takes over.
 */
#include "tests/unit/vtd-life.h"

#define STATUS_DATA 0x12345678u

/* The second unit takes over from the first one; its sinks are late. */
static void
take_over(void)
{
    uint8_t blob[BLOB_MAX];
    size_t size = life_save(&lives[0], blob);

    memcpy(lives[1].model->ram, lives[0].model->ram, MODEL_RAM_SIZE);
    lives[1].late = true;
    life_load(&lives[1], blob, size);
    assert_int_equal(lives[1].roots + lives[1].waits, 0);
    assert_true(vtd_run_pending(lives[1].model->vtd));
}

static int
begin_lives(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(lives); i++) {
        life_begin(&lives[i], &vtd_config_legacy);
    }
    life_build(&lives[0], false);
    lives[0].late = true;
    return 0;
}

static int
end_lives(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(lives); i++) {
        model_destroy(lives[i].model);
    }
    return 0;
}

static void
a_wait_that_stood_for_sinks_asks_again(void **state)
{
    static const uint64_t iotlb[2] = { 0x12 };
    static const uint64_t wait[2] = { MODEL_WAIT_SW(STATUS_DATA),
                                      MODEL_STATUS };
    struct model *model = lives[1].model;

    (void)state;
    life_submit(&lives[0], iotlb, 1);
    life_submit(&lives[0], wait, 1);
    assert_int_equal(lives[0].waits, 1);
    assert_int_equal(model_r8(lives[0].model, VTD_OFF_IQH), 0x10);
    take_over();
    /* Nobody awaits the token of before. */
    vtd_sync_done(model->vtd, lives[0].token, VTD_SYNC_OK, 0);
    assert_int_equal(model_r8(model, VTD_OFF_IQH), 0x10);
    vtd_run(model->vtd, 256);
    assert_int_equal(lives[1].roots, 1);
    assert_int_equal(lives[1].waits, 1);
    assert_false(vtd_run_pending(model->vtd));
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);
    vtd_sync_done(model->vtd, lives[1].token, VTD_SYNC_OK, 0);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), STATUS_DATA);
    assert_int_equal(model_r8(model, VTD_OFF_IQH), 0x20);
    assert_false(vtd_run_pending(model->vtd));
}

static void
commands_that_stood_for_sinks_ask_again(void **state)
{
    static const struct {
        uint16_t off;
        uint64_t command;
    } commands[] = {
        { VTD_OFF_CCMD, UINT64_C(0xa000000000000000) },
        { VTD_OFF_IOTLB, UINT64_C(0x9000000000000000) },
    };
    struct model *model = lives[1].model;

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++) {
        model_w8(lives[0].model, commands[i].off, commands[i].command);
    }
    model_w8(lives[0].model, VTD_OFF_RTADDR, ROOT + 0x1000);
    model_w4(lives[0].model, VTD_OFF_GCMD, 0xc6000000);
    assert_int_equal(model_r4(lives[0].model, VTD_OFF_GSTS), 0x87000000);
    take_over();
    for (unsigned turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < COUNT(commands); i++) {
            assert_true((model_r8(model, commands[i].off) >> 63) == !turn);
        }
        assert_int_equal(model_r4(model, VTD_OFF_GSTS),
                         turn ? 0xc7000000 : 0x87000000);
        vtd_run(model->vtd, 256);
        assert_int_equal(lives[1].roots, 1);
        vtd_sync_done(model->vtd, lives[1].token, VTD_SYNC_OK, 0);
        assert_false(vtd_run_pending(model->vtd));
    }
}

static void
a_queue_goes_on_where_it_stood(void **state)
{
    static const uint64_t iec[2] = { MODEL_IEC(0, 15) };
    struct model *model = lives[1].model;

    (void)state;
    life_submit(&lives[0], iec, 250);
    vtd_run(lives[0].model->vtd, 0);
    assert_true(model_r8(lives[0].model, VTD_OFF_IQH) < 250 * 16);
    take_over();
    assert_int_equal(model_r8(model, VTD_OFF_IQH),
                     model_r8(lives[0].model, VTD_OFF_IQH));
    while (vtd_run_pending(model->vtd)) {
        vtd_run(model->vtd, 256);
    }
    assert_int_equal(model_r8(model, VTD_OFF_IQH), 250 * 16);
}

static void
an_error_stands_and_its_event_is_sent_later(void **state)
{
    static const uint64_t bad[2] = { 0x0f };
    struct model *model = lives[1].model;

    (void)state;
    model_w4(lives[0].model, VTD_OFF_FEDATA, 0x41);
    model_w4(lives[0].model, VTD_OFF_FEADDR, 0xfee00000);
    life_submit(&lives[0], bad, 1);
    take_over();
    vtd_run(model->vtd, 256);
    assert_int_equal(model_fsts(model), 0x10);
    assert_int_equal(model_r8(model, VTD_OFF_IQERCD), 3);
    assert_int_equal(model_r8(model, VTD_OFF_IQH), 0);
    assert_int_equal(model->msi_count, 0);
    model_w4(model, VTD_OFF_FECTL, 0);
    assert_int_equal(model->msi_count, 1);
    assert_int_equal(model->msi[0].data, 0x41);
    assert_int_equal(model->msi[0].addr, 0xfee00000);
    assert_int_equal(lives[0].model->msi_count, 0);
}

/* The unit that loads had translations of its own. */
static void
caches_are_empty(void **state)
{
    struct vtd_dma_req req = { .pasid = VTD_NO_PASID, .access = VTD_DMA_READ };
    struct vtd_dma_resp resp;
    struct model *model = lives[1].model;

    (void)state;
    lives[0].late = false;
    life_build(&lives[1], false);
    req.iova = 0x5000;
    assert_int_equal(vtd_dma_translate(model->vtd, &req, &resp), VTD_FR_OK);
    lives[1].roots = 0;
    lives[1].waits = 0;
    /* In the other's memory no bus has a context table. */
    memset(&lives[0].model->ram[ROOT], 0, 4096);
    take_over();
    assert_int_equal(vtd_dma_translate(model->vtd, &req, &resp), VTD_FR_ROOT_P);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define LIVES_TEST(f) cmocka_unit_test_setup_teardown(f, begin_lives, end_lives)
        LIVES_TEST(a_wait_that_stood_for_sinks_asks_again),
        LIVES_TEST(commands_that_stood_for_sinks_ask_again),
        LIVES_TEST(a_queue_goes_on_where_it_stood),
        LIVES_TEST(an_error_stands_and_its_event_is_sent_later),
        LIVES_TEST(caches_are_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
