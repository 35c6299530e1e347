/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct model *
queue_unit(const struct vtd_config *config, bool wide)
{
    struct model *model = model_create(config);

    if (wide) {
        model_queue_enable_wide(model, 0);
    } else {
        model_queue_enable(model, 0);
    }
    model_sinks_attach(model);
    return model;
}

void
queue_assert_done(struct model *model)
{
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(model_queue_head(model), model->tail);
    assert_false(vtd_run_pending(model->vtd));
}

static uint64_t
last(const struct model *model)
{
    return (model->tail - 1) % model->queue_entries;
}

void
queue_assert_error(struct model *model, enum queue_error iqei)
{
    assert_int_equal(model_fsts(model), QUEUE_IQE);
    assert_int_equal(model_r8(model, VTD_OFF_IQERCD), iqei);
    assert_int_equal(model_queue_head(model), last(model));
    assert_false(vtd_run_pending(model->vtd));
    /* Nothing runs while the error stands. */
    model_queue_doorbell(model);
    assert_int_equal(model_queue_head(model), last(model));
}

void
queue_mend(struct model *model)
{
    model_queue_set(model, last(model), 0, MODEL_WAIT_FN);
    for (unsigned quad = 1; quad < model->desc_size / 8; quad++) {
        model_queue_set(model, last(model), quad, 0);
    }
    model_w4(model, VTD_OFF_FSTS, QUEUE_IQE);
    queue_assert_done(model);
}

void
queue_accepts(struct model *model, uint64_t lo, uint64_t hi)
{
    model_queue_run(model, lo, hi);
    if (model_fsts(model) != 0) {
        fail_msg("%016lx %016lx: error %u", lo, hi,
                 (unsigned)model_r8(model, VTD_OFF_IQERCD));
    }
    queue_assert_done(model);
}

void
queue_refuses(struct model *model, uint64_t lo, uint64_t hi,
              enum queue_error iqei)
{
    unsigned effects = model->inv_count + model->resp_count;

    model_queue_run(model, lo, hi);
    if (model_fsts(model) != QUEUE_IQE) {
        fail_msg("%016lx %016lx: no error", lo, hi);
    }
    queue_assert_error(model, iqei);
    assert_int_equal(model->inv_count + model->resp_count, effects);
    queue_mend(model);
}
