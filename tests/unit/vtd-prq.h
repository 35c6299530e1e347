/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit that takes page requests, and a function that may send them, for the
 * tests of that.  Included by each of them once.
 */
#ifndef TESTS_UNIT_VTD_PRQ_H
#define TESTS_UNIT_VTD_PRQ_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"
#include "tests/support/tables.h"

#define SID       0x1a23
#define PASID     0x12345u
#define RID_PASID 0x40u
#define DID       0x77

#define PRQ   UINT64_C(0x300000) /* up to 512 KiB */
#define DESC  UINT64_C(32)
#define ADDR  UINT64_C(0x7f0012345000)
#define GROUP 0x1a5

#define PPR 1u
#define PRO 2u
#define IM  (UINT32_C(1) << 31)
#define IP  (UINT32_C(1) << 30)

#define EVENT_ADDR UINT64_C(0x12345600fee07000)
#define EVENT_DATA 0x4051u

#define TTM_LEGACY   0u
#define TTM_SCALABLE 1u
#define TTM_RESERVED 2u
#define TTM_ABORT    3u

struct world {
    struct model *model;
    struct tables tables;
    uint64_t root, dir;
    uint64_t context;          /* the entry of SID */
    uint64_t pasid, rid_pasid; /* the entries of these two */
};

/* What was announced to the sinks. */
static unsigned inv_count;
static struct vtd_inv inv_last;

static inline void
note_invalidation(void *ctx, const struct vtd_inv *inv)
{
    (void)ctx;
    inv_count++;
    inv_last = *inv;
}

static inline bool
sync_at_once(void *ctx, uint64_t token)
{
    (void)ctx;
    (void)token;
    return true;
}

/* Latch the root table in mode @ttm; then enable remapping, or disable it. */
static inline void
latch(const struct world *world, unsigned ttm, bool enable)
{
    model_w8(world->model, VTD_OFF_RTADDR, world->root | ttm << 10);
    model_w4(world->model, VTD_OFF_GCMD,
             VTD_GCMD_SRTP | (enable ? VTD_GCMD_TE : 0));
    model_w4(world->model, VTD_OFF_GCMD, enable ? VTD_GCMD_TE : 0);
}

/* An empty queue of 128 << @pqs entries; its event is not masked. */
static inline void
queue_init(struct model *model, unsigned pqs)
{
    model_w8(model, VTD_OFF_PQH, 0);
    model_w8(model, VTD_OFF_PQT, 0);
    model_w8(model, VTD_OFF_PQA, PRQ | pqs);
    model_w4(model, VTD_OFF_PEDATA, EVENT_DATA);
    model_w4(model, VTD_OFF_PEADDR, (uint32_t)EVENT_ADDR);
    model_w4(model, VTD_OFF_PEUADDR, (uint32_t)(EVENT_ADDR >> 32));
    model_w4(model, VTD_OFF_PECTL, 0);
}

/* A PASID entry that translates by pass-through. */
static inline void
pasid_entry_set(struct world *world, uint64_t gpa)
{
    tables_q_set(&world->tables, gpa + 8, DID);
    tables_q_set(&world->tables, gpa, 1 | TABLES_PE_PASS | TABLES_PE_AW(2));
}

static inline struct world *
world_create(const struct vtd_config *config)
{
    struct world *world = calloc(1, sizeof(*world));
    struct tables *tables;

    assert_non_null(world);
    world->model = model_create(config);
    world->model->ops.invalidate = note_invalidation;
    world->model->ops.sync = sync_at_once;
    tables = &world->tables;
    tables_init(tables, world->model->ram, 0x10000, 0x100000);
    world->root = tables_pages(tables, 1);
    world->dir = tables_pages(tables, 32);
    world->context = tables_sm_context(tables, world->root, SID);
    world->pasid = tables_pasid(tables, world->dir, PASID);
    world->rid_pasid = tables_pasid(tables, world->dir, RID_PASID);
    pasid_entry_set(world, world->pasid);
    pasid_entry_set(world, world->rid_pasid);
    tables_q_set(tables, world->context + 8, RID_PASID);
    tables_q_set(tables, world->context,
                 world->dir | 1 | TABLES_SM_DTE | TABLES_SM_PASIDE |
                     TABLES_SM_PRE | TABLES_SM_PDTS(7));
    latch(world, TTM_SCALABLE, true);
    queue_init(world->model, 0);
    inv_count = 0;
    return world;
}

static inline int
setup(void **state)
{
    *state = world_create(&vtd_config_full);
    return 0;
}

static inline int
teardown(void **state)
{
    struct world *world = *state;

    model_destroy(world->model);
    free(world);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* A request of SID with PASID to read a page, the last of its group. */
static const struct vtd_page_req plain = {
    .addr = ADDR,
    .pasid = PASID,
    .sid = SID,
    .group = GROUP,
    .access = VTD_DMA_READ,
    .last = true,
};

/* One response to @req, or none, since the last time. */
static inline void
assert_response(struct model *model, const struct vtd_page_req *req,
                enum vtd_page_resp_code code)
{
    assert_int_equal(model->resp_count, 1);
    assert_int_equal(model->resp[0].sid, req->sid);
    assert_int_equal(model->resp[0].pasid, req->pasid);
    assert_int_equal(model->resp[0].group, req->group);
    assert_int_equal(model->resp[0].code, code);
    model->resp_count = 0;
}

static inline void
assert_no_response(const struct model *model)
{
    assert_int_equal(model->resp_count, 0);
}

/* Events of the page request queue since the last time. */
static inline void
assert_events(struct model *model, unsigned count)
{
    assert_int_equal(model->msi_count, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(model->msi[i].addr, EVENT_ADDR);
        assert_int_equal(model->msi[i].data, EVENT_DATA);
    }
    model->msi_count = 0;
}

static inline uint32_t
prs(struct model *model)
{
    return model_r4(model, VTD_OFF_PRS);
}

static inline uint64_t
tail(struct model *model)
{
    return model_r8(model, VTD_OFF_PQT);
}

#endif
