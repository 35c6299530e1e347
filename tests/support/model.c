/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct vtd_config model_config = {
    .ir = true,
    .haw = 52,
    .eim = true,
    .fault_records = 8,
};

static bool
covers(uint64_t gpa, size_t len, uint64_t bad)
{
    return bad != 0 && gpa <= bad && bad - gpa < len;
}

static bool
in_ram(const struct model *model, uint64_t gpa, size_t len)
{
    return !covers(gpa, len, model->bad_gpa) && gpa < MODEL_RAM_SIZE &&
           len <= MODEL_RAM_SIZE - gpa;
}

static bool
writable(const struct model *model, uint64_t gpa, size_t len)
{
    return in_ram(model, gpa, len) && !covers(gpa, len, model->bad_write);
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct model *model = ctx;

    model->reads++;
    assert_in_range(len, 1, 64);
    if (!in_ram(model, gpa, len)) {
        return -EFAULT;
    }
    memcpy(buf, &model->ram[gpa], len);
    return 0;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct model *model = ctx;

    model->writes++;
    model->routes_at_write = model->routes_told;
    assert_in_range(len, 1, 64);
    if (!writable(model, gpa, len)) {
        return -EFAULT;
    }
    memcpy(&model->ram[gpa], buf, len);
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct model *model = ctx;

    model->exchanges++;
    assert_int_equal(gpa % 8, 0);
    if (!writable(model, gpa, 8)) {
        return -EFAULT;
    }
    if (model->before_exchange) {
        model->before_exchange(model, gpa);
    }
    if (model_ram_q(model, gpa) != expected) {
        return 1;
    }
    model_ram_q_set(model, gpa, desired);
    return 0;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct model *model = ctx;

    assert_true(model->msi_count < MODEL_MSI_MAX);
    model->msi[model->msi_count++] = (struct model_msi){ addr, data };
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    struct model *model = ctx;

    model->state_calls++;
    model->state = *state;
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct model *model = ctx;

    assert_in_range(n, 1, VTD_ROUTE_BATCH);
    model->route_calls++;
    model->routes_told += n;
    for (unsigned i = 0; i < n; i++) {
        assert_true(route[i].index < VTD_IRT_MAX);
        model->route[route[i].index] = route[i];
    }
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    struct model *model = ctx;

    assert_true(n >= 1 && first < VTD_IRT_MAX && n <= VTD_IRT_MAX - first);
    model->clear_calls++;
    memset(&model->route[first], 0, n * sizeof(model->route[0]));
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    struct model *model = ctx;

    assert_true(model->retry_calls < MODEL_RETRY_MAX);
    model->retry[model->retry_calls++] = *miss;
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    struct model *model = ctx;

    assert_true(model->resp_count < MODEL_RESP_MAX);
    model->resp[model->resp_count++] = *resp;
}

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    struct model *model = ctx;

    model->inv[model->inv_count++ % MODEL_INV_MAX] = *inv;
}

static bool
sync_sinks(void *ctx, uint64_t token)
{
    struct model *model = ctx;

    assert_true(token > model->sync_token);
    model->sync_token = token;
    model->sync_calls++;
    return !model->sync_late;
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
    .page_response = page_response,
};

struct model *
model_create(const struct vtd_config *config)
{
    struct model *model = calloc(1, sizeof(*model));

    assert_non_null(model);
    model->ops = ops;
    model->desc_size = 16;
    model->vtd = vtd_create(config, &model->ops, model);
    assert_non_null(model->vtd);
    return model;
}

void
model_trace(struct model *model,
            void (*trace)(void *ctx, enum vtd_event ev, const uint64_t arg[4]))
{
    vtd_destroy(model->vtd);
    model->ops.trace = trace;
    model->vtd = vtd_create(&model_config, &model->ops, model);
    assert_non_null(model->vtd);
}

void
model_destroy(struct model *model)
{
    vtd_destroy(model->vtd);
    free(model);
}

int
model_setup(void **state)
{
    *state = model_create(&model_config);
    return 0;
}

int
model_teardown(void **state)
{
    model_destroy(*state);
    return 0;
}

uint32_t
model_r4(struct model *model, uint32_t off)
{
    return (uint32_t)vtd_mmio_read(model->vtd, off, 4);
}

uint64_t
model_r8(struct model *model, uint32_t off)
{
    return vtd_mmio_read(model->vtd, off, 8);
}

void
model_w4(struct model *model, uint32_t off, uint32_t val)
{
    vtd_mmio_write(model->vtd, off, 4, val);
}

void
model_w8(struct model *model, uint32_t off, uint64_t val)
{
    vtd_mmio_write(model->vtd, off, 8, val);
}

uint64_t
model_ram_q(const struct model *model, uint64_t gpa)
{
    uint64_t val;

    memcpy(&val, &model->ram[gpa], sizeof(val));
    return val;
}

uint32_t
model_ram_d(const struct model *model, uint64_t gpa)
{
    return (uint32_t)model_ram_q(model, gpa);
}

void
model_ram_q_set(struct model *model, uint64_t gpa, uint64_t val)
{
    memcpy(&model->ram[gpa], &val, sizeof(val));
}

/* GCMD is written as Linux does: what is on, and one bit more. */
static void
command(struct model *model, uint32_t bit)
{
    uint32_t on = model_r4(model, VTD_OFF_GSTS) &
                  (uint32_t)(VTD_GSTS_QIES | VTD_GSTS_IRES | VTD_GSTS_CFIS |
                             VTD_GSTS_TES);

    model_w4(model, VTD_OFF_GCMD, on | bit);
}

static void
queue_enable(struct model *model, unsigned qs, unsigned desc_size)
{
    model->tail = 0;
    model->queue_entries = (4096u << qs) / desc_size;
    model->desc_size = desc_size;
    model_w4(model, VTD_OFF_IQT, 0);
    model_w8(model, VTD_OFF_IQA,
             MODEL_QUEUE | qs | (desc_size == 32 ? 0x800 : 0));
    command(model, VTD_GCMD_QIE);
    assert_true(model_r4(model, VTD_OFF_GSTS) & VTD_GSTS_QIES);
}

void
model_queue_enable(struct model *model, unsigned qs)
{
    queue_enable(model, qs, 16);
}

/* In scalable mode, with a root table that nobody uses. */
void
model_queue_enable_wide(struct model *model, unsigned qs)
{
    if (!(model_r8(model, VTD_OFF_RTADDR) & VTD_RTADDR_TTM)) {
        model_w8(model, VTD_OFF_RTADDR, VTD_PREP(VTD_RTADDR_TTM, 1));
        command(model, VTD_GCMD_SRTP);
    }
    queue_enable(model, qs, 32);
    assert_true(model_r8(model, VTD_OFF_IQA) & 0x800);
}

void
model_queue_set(struct model *model, uint64_t i, unsigned quad, uint64_t val)
{
    model_ram_q_set(model, MODEL_QUEUE + i * model->desc_size + quad * 8, val);
}

uint32_t
model_queue_head(struct model *model)
{
    return (uint32_t)model_r8(model, VTD_OFF_IQH) / model->desc_size;
}

void
model_queue_append(struct model *model, uint64_t lo, uint64_t hi)
{
    model_queue_set(model, model->tail, 0, lo);
    model_queue_set(model, model->tail, 1, hi);
    for (unsigned quad = 2; quad < model->desc_size / 8; quad++) {
        model_queue_set(model, model->tail, quad, 0);
    }
    model->tail = (model->tail + 1) % model->queue_entries;
}

void
model_queue_doorbell(struct model *model)
{
    model_w8(model, VTD_OFF_IQT, model->tail * model->desc_size);
}

void
model_queue_run(struct model *model, uint64_t lo, uint64_t hi)
{
    model_queue_append(model, lo, hi);
    model_queue_doorbell(model);
}

void
model_sinks_attach(struct model *model)
{
    model->ops.invalidate = invalidate;
    model->ops.sync = sync_sinks;
}

const struct vtd_inv *
model_inv_last(const struct model *model)
{
    assert_true(model->inv_count != 0);
    return &model->inv[(model->inv_count - 1) % MODEL_INV_MAX];
}

void
model_irt_latch(struct model *model, unsigned s, bool eime)
{
    model_w8(model, VTD_OFF_IRTA, MODEL_IRT | s | (eime ? 0x800 : 0));
    command(model, VTD_GCMD_SIRTP);
    assert_true(model_r4(model, VTD_OFF_GSTS) & VTD_GSTS_IRTPS);
}

void
model_irt_enable(struct model *model, unsigned s, bool eime)
{
    model_irt_latch(model, s, eime);
    command(model, VTD_GCMD_IRE);
    assert_true(model_r4(model, VTD_OFF_GSTS) & VTD_GSTS_IRES);
}

void
model_irte_set(struct model *model, uint32_t index, uint64_t lo, uint64_t hi)
{
    model_ram_q_set(model, MODEL_IRT + index * 16, lo);
    model_ram_q_set(model, MODEL_IRT + index * 16 + 8, hi);
}

enum vtd_fr
model_remap(struct model *model, uint64_t addr, struct vtd_route *route)
{
    return vtd_ir_remap(model->vtd, addr, 0, 0, true, route);
}

enum vtd_fr
model_remap_sid(struct model *model, uint64_t addr, uint16_t sid)
{
    struct vtd_route route;

    return vtd_ir_remap(model->vtd, addr, 0, sid, true, &route);
}

uint32_t
model_fsts(struct model *model)
{
    return model_r4(model, VTD_OFF_FSTS);
}

void
model_record_clear(struct model *model, unsigned i)
{
    model_w4(model, VTD_OFF_FRCD0_HI + 4 + i * 16, 0x80000000);
}

void
model_faults_clear(struct model *model)
{
    for (unsigned i = 0; i < VTD_FAULT_RECORDS_MAX; i++) {
        model_record_clear(model, i);
    }
    model_w4(model, VTD_OFF_FSTS, UINT32_MAX);
    assert_int_equal(model_fsts(model) & 0xff, 0);
}
