/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traces of a unit whose owner has clients that do DMA: what is written, and
 * that a player comes to the same from it.
 */
#include "tests/unit/daemon-player.h"

#include "daemon/log.h"
#include "tests/support/model.h"

#define SID   0x20u /* 00:04.0 */
#define DID   UINT64_C(5)
#define ROOT  UINT64_C(0x10000)
#define CTX   UINT64_C(0x11000)
#define TABLE UINT64_C(0x12000) /* of 4 levels, one behind the other */
#define PAGE  UINT64_C(0x20000)
#define IOVA  UINT64_C(0x5000)

/* A unit that is recorded; the whole trace is in all[], the rest is new. */
struct fixture {
    struct model *model;
    struct record *record;
    struct vtd_ops inner;
    size_t len, seen;
    char all[RECORD_STEP];
};

static int
keep(void *ctx, const char *text, size_t len)
{
    struct fixture *f = ctx;

    assert_true(len < sizeof(f->all) - f->len);
    memcpy(f->all + f->len, text, len);
    f->len += len;
    f->all[f->len] = '\0';
    return 0;
}

/* What was written since the last time has @want in it. */
static void
expect(struct fixture *f, const char *want)
{
    if (!strstr(f->all + f->seen, want))
        fail_msg("no '%s' in:\n%s", want, f->all + f->seen);
    f->seen = f->len;
}

static void
w(struct fixture *f, uint32_t off, unsigned size, uint64_t val)
{
    record_mmio_write(f->record, f->model->vtd, off, size, val);
}

static enum vtd_fr
translate(struct fixture *f, uint64_t iova, uint8_t access)
{
    const struct vtd_dma_req req = {
        .iova = iova,
        .pasid = VTD_NO_PASID,
        .sid = SID,
        .access = access,
    };
    struct vtd_dma_resp resp;

    return record_dma_translate(f->record, f->model->vtd, &req, &resp);
}

static void
translation_enable(struct fixture *f)
{
    w(f, 0x20, 8, ROOT);
    w(f, 0x18, 4, 0x40000000);
    w(f, 0x18, 4, 0x80000000);
}

/* One page of the device is mapped, read-only; translation is on. */
static int
begin(void **state)
{
    static const struct vtd_config *const config = &vtd_config_full;
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->model = model_create(config);
    vtd_destroy(f->model->vtd);
    model_sinks_attach(f->model);
    f->inner = f->model->ops;
    f->record = record_create(keep, f, RECORD_LIMIT);
    assert_non_null(f->record);
    f->model->vtd = vtd_create(
        config, record_ops(f->record, config, &f->inner, f->model), f->record);
    assert_non_null(f->model->vtd);
    *state = f;

    model_ram_q_set(f->model, ROOT, CTX | 1);
    model_ram_q_set(f->model, CTX + SID * 16, TABLE | 1);
    model_ram_q_set(f->model, CTX + SID * 16 + 8, DID << 8 | 2);
    for (unsigned i = 0; i < 3; i++)
        model_ram_q_set(f->model, TABLE + i * 0x1000,
                        (TABLE + (i + 1) * 0x1000) | 3);
    model_ram_q_set(f->model, TABLE + 0x3000 + IOVA / 0x1000 * 8, PAGE | 1);

    translation_enable(f);
    return 0;
}

static int
end(void **state)
{
    struct fixture *f = *state;

    record_close(f->record);
    model_destroy(f->model);
    free(f);
    return 0;
}

/* A unit that is done the same to does the same. */
static void
plays_the_same(const struct fixture *f)
{
    struct player *player = player_new();

    play(player, f->all);
    if (player->why[0])
        fail_msg("%s; in:\n%s", player->why, f->all);
    assert_true(player->inputs > 3);
    player_free(player);
}

static void
what_clients_are_told_is_written(void **state)
{
    struct fixture *f = *state;

    assert_non_null(strstr(f->all, "\n > sinks\nw8 20 10000\n"));
    expect(f, "\n > invalidate 6 0 0 0 - 0 ");
    plays_the_same(f);
}

static void
translations_are_written_with_their_walk(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(translate(f, IOVA + 8, VTD_DMA_READ), VTD_FR_OK);
    expect(f, "\ntranslate 20 - 5008 1 0 20008 c 5\n < 10000 ");
    assert_int_equal(translate(f, IOVA, VTD_DMA_WRITE), VTD_FR_WRITE);
    expect(f, "translate 20 - 5000 2 5 0 0 0\n");

    /* Void, it is walked again. */
    record_forget(f->record, f->model->vtd);
    assert_int_equal(translate(f, IOVA, VTD_DMA_READ), VTD_FR_OK);
    expect(f, "forget\ntranslate 20 - 5000 1 0 20000 c 5\n < 10000 ");
    plays_the_same(f);
}

static void
the_kind_of_a_request_is_written(void **state)
{
    struct fixture *f = *state;
    struct vtd_dma_resp resp;
    const struct vtd_dma_req req = {
        .iova = IOVA,
        .pasid = 0x1234,
        .sid = SID,
        .access = VTD_DMA_READ | VTD_DMA_EXEC,
        .at = VTD_AT_TRANSLATION,
        .privileged = true,
        .atomic = true,
        .no_write = true,
    };

    (void)record_dma_translate(f->record, f->model->vtd, &req, &resp);
    expect(f, "translate 20 1234 5000 715 31 0 0 0\n");
    plays_the_same(f);
}

/* The wait descriptor at the queue's head stands until they have. */
static void
late_acknowledgements_are_written(void **state)
{
    struct fixture *f = *state;
    struct model *model = f->model;

    w(f, 0x90, 8, MODEL_QUEUE);
    w(f, 0x18, 4, 0x84000000);
    model_ram_q_set(model, MODEL_QUEUE, 0x12 | DID << 16);
    model_ram_q_set(model, MODEL_QUEUE + 16, MODEL_WAIT_SW(2));
    model_ram_q_set(model, MODEL_QUEUE + 24, MODEL_STATUS);
    model->sync_late = true;
    w(f, 0x88, 4, 0x20);
    assert_non_null(strstr(f->all, " > invalidate 2 "));
    assert_non_null(strstr(f->all, " later\n"));
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0);

    record_sync_done(f->record, model->vtd, model->sync_token, VTD_SYNC_OK, 0);
    record_run(f->record, model->vtd, 256);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 2);
    assert_non_null(strstr(f->all, "\nsynced "));
    expect(f, "\n > 2000 02000000\n");
    plays_the_same(f);
}

/* In legacy mode there are none: the device is told at once. */
static void
page_requests_are_written_with_their_answer(void **state)
{
    struct fixture *f = *state;
    const struct vtd_page_req req = {
        .addr = IOVA,
        .pasid = VTD_NO_PASID,
        .sid = SID,
        .group = 0x101,
        .access = VTD_DMA_READ,
        .last = true,
    };

    record_page_request(f->record, f->model->vtd, &req);
    expect(f, "page 20 - 5000 101 201\n > response 20 - 101 1\n");
    assert_int_equal(f->model->resp_count, 1);
    plays_the_same(f);
}

static void
messages_are_written_with_what_became_of_them(void **state)
{
    struct fixture *f = *state;
    struct record_msi message = { 0xfee03000, 0x41, SID };
    struct vtd_route route;

    assert_int_equal(
        record_ir_remap(f->record, f->model->vtd, &message, &route), VTD_FR_OK);
    assert_int_equal(route.dest, 3);
    expect(f, "remap 20 fee03000 41 0 1 41 3\n");

    w(f, 0xb8, 8, MODEL_IRT | 7);
    w(f, 0x18, 4, 0x81000000);
    w(f, 0x18, 4, 0x82000000);
    message.addr = MODEL_MSI(5);
    assert_int_equal(
        record_ir_remap(f->record, f->model->vtd, &message, &route),
        VTD_FR_IR_NOT_PRESENT);
    expect(f, "remap 20 fee000b0 41 22 0 0 0\n");
    plays_the_same(f);
}

/* Each is done without a record as well. */
static void
nothing_need_be_recorded(void **state)
{
    struct fixture *f = *state;
    const struct vtd_page_req req = {
        .pasid = VTD_NO_PASID,
        .access = VTD_DMA_READ,
        .last = true,
    };
    const struct vtd_ir_event miss = { .reason = VTD_FR_IR_NOT_PRESENT };
    const struct record_msi message = { 0xfee03000, 0x41, SID };
    struct vtd *vtd = f->model->vtd;
    struct vtd_route route;
    size_t len = f->len;

    record_close(f->record);
    f->record = NULL;
    vtd_destroy(vtd);
    f->model->sync_token = 0;
    f->model->vtd = vtd = vtd_create(&vtd_config_full, &f->inner, f->model);
    assert_non_null(vtd);

    translation_enable(f);
    w(f, 0x40, 4, 0xfee01000);
    assert_int_equal(record_mmio_read(NULL, vtd, 0x40, 4), 0xfee01000);
    assert_int_equal(translate(f, IOVA, VTD_DMA_READ), VTD_FR_OK);
    record_page_request(NULL, vtd, &req);
    assert_int_equal(f->model->resp_count, 1);
    assert_int_equal(record_ir_remap(NULL, vtd, &message, &route), VTD_FR_OK);
    record_ir_event(NULL, vtd, &miss);
    record_sync_done(NULL, vtd, 1, VTD_SYNC_OK, 0);
    record_forget(NULL, vtd);
    record_run(NULL, vtd, 1);
    assert_int_equal(f->len, len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_clients_are_told_is_written),
        TEST(translations_are_written_with_their_walk),
        TEST(the_kind_of_a_request_is_written),
        TEST(late_acknowledgements_are_written),
        TEST(page_requests_are_written_with_their_answer),
        TEST(messages_are_written_with_what_became_of_them),
        TEST(nothing_need_be_recorded),
    };

    log_open(LOG_LEVEL_ERROR, 0);
    return cmocka_run_group_tests_name("daemon-record-dma", tests, NULL, NULL);
}
