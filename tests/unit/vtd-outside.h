/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One who translates through a unit's view from outside, as a client of the
 * translation service does.
 */
#ifndef TESTS_UNIT_VTD_OUTSIDE_H
#define TESTS_UNIT_VTD_OUTSIDE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/vtd/priv.h"
#include "tests/support/dma.h"

#define R VTD_DMA_READ
#define W VTD_DMA_WRITE
#define X VTD_DMA_EXEC

#define INTERRUPTS UINT64_C(0xfee00000)

struct outside {
    struct dma *dma;
    struct vtd_view *view; /* of the unit */
    struct vtd_dma *client;
    /* What was to be recorded: how often, and the last. */
    unsigned reports;
    enum vtd_fr reported;
    struct vtd_dma_req req;
    struct vtd_dma_resp resp;
};

/* Zero, and aligned as its type is. */
static inline void *
outside_alloc(size_t align, size_t size)
{
    void *block = aligned_alloc(align, size);

    assert_non_null(block);
    return memset(block, 0, size);
}

static inline void
outside_report(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    struct outside *outside = owner;

    assert_memory_equal(req, &outside->req, sizeof(*req));
    outside->reports++;
    outside->reported = fr;
}

static inline struct outside *
outside_create_config(const struct vtd_config *config, enum dma_kind kind)
{
    struct outside *outside = calloc(1, sizeof(*outside));
    struct dma *dma = dma_create_config(config, kind);

    assert_non_null(outside);
    outside->dma = dma;
    outside->view = dma->model->vtd->view;
    outside->client =
        outside_alloc(_Alignof(struct vtd_dma), sizeof(struct vtd_dma));
    vtd_dma_init(outside->client, outside->view, &dma->model->ops, dma->model);
    outside->client->owner = outside;
    outside->client->faulted = outside_report;
    return outside;
}

static inline struct outside *
outside_create(enum dma_kind kind)
{
    return outside_create_config(&vtd_config_full, kind);
}

static inline void
outside_destroy(struct outside *outside)
{
    dma_destroy(outside->dma);
    free(outside->client);
    free(outside);
}

/* As the unit's dma_translate() and dma_access(). */
static inline enum vtd_fr
outside_translate(struct outside *outside)
{
    outside->reports = 0;
    outside->reported = VTD_FR_OK;
    outside->req = outside->dma->req;
    return vtd_dma_access(outside->client, &outside->req, &outside->resp);
}

static inline enum vtd_fr
outside_access(struct outside *outside, uint64_t iova, uint8_t access)
{
    outside->dma->req.iova = iova;
    outside->dma->req.access = access;
    return outside_translate(outside);
}

/* A read of @iova ends at @gpa. */
static inline void
assert_reaches(struct outside *outside, uint64_t iova, uint64_t gpa)
{
    assert_int_equal(outside_access(outside, iova, R), VTD_FR_OK);
    assert_int_equal(outside->resp.gpa, gpa);
}

static inline void
queue_enable(struct outside *outside)
{
    if (outside->dma->kind >= DMA_SECOND) {
        model_queue_enable_wide(outside->dma->model, 0);
    } else {
        model_queue_enable(outside->dma->model, 0);
    }
}

#endif
