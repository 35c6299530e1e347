/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests: who may not send them, what they invalidate, and responses
 * and draining by the invalidation queue.
 */
#include "tests/unit/vtd-prq.h"

/* Places that a case changes. */
enum place {
    NOWHERE,
    ROOT_ENTRY,
    CONTEXT_0,
    CONTEXT_1,
    DIR_ENTRY,
    PASID_0,
    PASID_1,
};

struct fault_case {
    enum vtd_fr reason;
    enum place place;
    uint64_t clear, set; /* bits at that place */
    bool unreadable;     /* it cannot be read */
    bool always;         /* FPD does not count */
};

static uint64_t
place_gpa(const struct world *world, enum place place)
{
    switch (place) {
    case ROOT_ENTRY:
        return world->root + (SID >> 7) * UINT64_C(8);
    case CONTEXT_0:
        return world->context;
    case CONTEXT_1:
        return world->context + 8;
    case DIR_ENTRY:
        return world->dir + (PASID >> 6) * UINT64_C(8);
    case PASID_0:
        return world->pasid;
    case PASID_1:
        return world->pasid + 8;
    case NOWHERE:
        break;
    }
    return 0;
}

static const struct fault_case cases[] = {
    { VTD_FR_SM_ROOT_ACCESS, ROOT_ENTRY, .unreadable = true, .always = true },
    { VTD_FR_SM_ROOT_P, ROOT_ENTRY, .clear = 1, .always = true },
    { VTD_FR_SM_ROOT_RSVD, ROOT_ENTRY, .set = 2, .always = true },
    { VTD_FR_SM_CTX_ACCESS, CONTEXT_0, .unreadable = true, .always = true },
    { VTD_FR_SM_CTX_P, CONTEXT_0, .clear = 1 },
    { VTD_FR_SM_CTX_RSVD, CONTEXT_0, .set = 0x20 },
    { VTD_FR_SM_CTX_RSVD, CONTEXT_1, .set = UINT64_C(1) << 63 },
    { VTD_FR_SM_CTX_INV, CONTEXT_0, .clear = TABLES_SM_DTE },
    { VTD_FR_SM_PASIDE, CONTEXT_0, .clear = TABLES_SM_PASIDE },
    { VTD_FR_SM_PASID_RANGE, CONTEXT_0, .clear = TABLES_SM_PDTS(4) },
    { VTD_FR_SM_PRE, CONTEXT_0, .clear = TABLES_SM_PRE },
    { VTD_FR_SM_PRE, CONTEXT_0, .clear = TABLES_SM_PRE | TABLES_SM_DTE },
    { VTD_FR_PASID_DIR_ACCESS, DIR_ENTRY, .unreadable = true, .always = true },
    { VTD_FR_PASID_DIR_P, DIR_ENTRY, .clear = 1 },
    { VTD_FR_PASID_DIR_RSVD, DIR_ENTRY, .set = 4 },
    { VTD_FR_PASID_ACCESS, PASID_0, .unreadable = true, .always = true },
    { VTD_FR_PASID_P, PASID_0, .clear = 1 },
    { VTD_FR_PASID_RSVD, PASID_1, .set = UINT64_C(1) << 63 },
    { VTD_FR_PASID_INV, PASID_0, .clear = 0x1c0 },
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* The record of a page request from SID; clear it. */
static void
assert_record(struct model *model, enum vtd_fr reason,
              const struct vtd_page_req *req)
{
    unsigned at = model_fsts(model) >> 8 & 0xff;
    uint64_t hi = UINT64_C(1) << 63 | (uint64_t)reason << 32 | 1 << 28 | SID;

    if (req->pasid != VTD_NO_PASID) {
        hi |= (uint64_t)PASID << 40 | UINT64_C(1) << 31 |
              (uint64_t)req->privileged << 29;
    }
    assert_int_equal(model_fsts(model) & 0xff, 2);
    assert_int_equal(model_r8(model, 0x220 + at * 16), ADDR);
    assert_int_equal(model_r8(model, 0x228 + at * 16), hi);
    assert_int_equal(model_r8(model, 0x228 + (at + 1) % 8 * 16) >> 63, 0);
    model_faults_clear(model);
}

/* @req was refused as an invalid one, and nothing else happened. */
static void
assert_invalid(struct model *model, const struct vtd_page_req *req)
{
    if (req->last && !req->stop_marker) {
        assert_response(model, req, VTD_PAGE_INVALID);
    }
    assert_no_response(model);
    assert_int_equal(tail(model), 0);
    assert_int_equal(prs(model), 0);
    assert_int_equal(inv_count, 0);
    assert_events(model, 0);
}

/*
 * Each fault, with FPD clear, and set in the entry where it is found or in one
 * before that; of a request that wants a response and of one that does not.
 */
static void
run_case(const struct world *world, const struct fault_case *c, bool fpd,
         bool last)
{
    struct model *model = world->model;
    uint64_t gpa = place_gpa(world, c->place);
    uint64_t context = model_ram_q(model, world->context);
    uint64_t old = model_ram_q(model, gpa);
    struct vtd_page_req req = plain;

    req.last = last;
    req.privileged = last;
    model_w4(model, VTD_OFF_PECTL, IM);
    model_ram_q_set(model, gpa, (old & ~c->clear) | c->set);
    if (fpd && c->place != ROOT_ENTRY) {
        model_ram_q_set(model, world->context,
                        model_ram_q(model, world->context) | TABLES_SM_FPD);
    }
    model->bad_gpa = c->unreadable ? gpa : 0;
    vtd_page_request(model->vtd, &req);
    model->bad_gpa = 0;
    if (!fpd || c->always) {
        model->msi_count = 0;
        assert_record(model, c->reason, &req);
    }
    assert_int_equal(model_fsts(model) & 0xff, 0);
    assert_invalid(model, &req);
    model_ram_q_set(model, gpa, old);
    model_ram_q_set(model, world->context, context);
}

static void
each_fault_is_told_and_answered(void **state)
{
    const struct world *world = *state;

    for (unsigned i = 0; i < CASES * 4; i++) {
        run_case(world, &cases[i / 4], i & 1, i & 2);
    }
    assert_int_equal(vtd_stat_value(world->model->vtd, VTD_STAT_PAGE_REFUSED),
                     CASES * 4);
    /* It was all put back. */
    vtd_page_request(world->model->vtd, &plain);
    assert_int_equal(prs(world->model), PPR);
}

static void
entries_of_pasids_have_fpd_too(void **state)
{
    const struct world *world = *state;
    struct model *model = world->model;
    uint64_t dir = place_gpa(world, DIR_ENTRY);

    model_ram_q_set(model, world->pasid,
                    model_ram_q(model, world->pasid) ^ (TABLES_PE_FPD | 1));
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(model_fsts(model), 0);
    assert_invalid(model, &plain);
    model_ram_q_set(model, dir, model_ram_q(model, dir) ^ 3);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(model_fsts(model), 0);
    assert_invalid(model, &plain);
    model_ram_q_set(model, dir, 0);
    vtd_page_request(model->vtd, &plain);
    assert_record(model, VTD_FR_PASID_DIR_P, &plain);
}

static void
request_without_pasid_takes_that_of_the_function(void **state)
{
    const struct world *world = *state;
    struct model *model = world->model;
    struct vtd_page_req req = plain;

    req.pasid = VTD_NO_PASID;
    /* The requests of the PASID cannot be resolved, those without can. */
    model_ram_q_set(model, world->pasid, 0);
    model_ram_q_set(model, world->context,
                    model_ram_q(model, world->context) & ~TABLES_SM_PASIDE);
    vtd_page_request(model->vtd, &req);
    assert_int_equal(prs(model), PPR);
    assert_no_response(model);
    model_ram_q_set(model, world->rid_pasid, 0);
    model_w4(model, VTD_OFF_PRS, PPR);
    model_w8(model, VTD_OFF_PQT, 0);
    inv_count = 0;
    model->msi_count = 0;
    vtd_page_request(model->vtd, &req);
    assert_record(model, VTD_FR_PASID_P, &req);
    assert_invalid(model, &req);
}

/* What the request could do with the page is not asked here. */
static void
supervisor_may_ask_where_it_may_not_access(void **state)
{
    const struct world *world = *state;
    struct model *model = world->model;
    struct vtd_page_req req = plain;

    req.privileged = true;
    req.access = VTD_DMA_READ | VTD_DMA_EXEC;
    vtd_page_request(model->vtd, &req);
    req.pasid = VTD_NO_PASID;
    model_ram_q_set(model, world->context + 8, RID_PASID | TABLES_SM_RID_PRIV);
    vtd_page_request(model->vtd, &req);
    assert_int_equal(tail(model), 2 * DESC);
    assert_no_response(model);
    assert_int_equal(model_fsts(model), 0);
}

static void
other_modes_take_no_requests(void **state)
{
    static const struct {
        unsigned ttm;
        enum vtd_fr reason;
    } modes[] = {
        { TTM_LEGACY, VTD_FR_RTA_PRQ },
        { TTM_RESERVED, VTD_FR_RTA },
        { TTM_ABORT, VTD_FR_RTA_ABORT },
    };
    const struct world *world = *state;
    struct model *model = world->model;

    for (unsigned i = 0; i < 3 * 3; i++) {
        struct vtd_page_req req = plain;
        enum vtd_fr reason = modes[i / 3].reason;

        req.last = i % 3 != 0;
        req.stop_marker = i % 3 == 2;
        req.pasid = i % 3 == 1 ? VTD_NO_PASID : PASID;
        latch(world, modes[i / 3].ttm, true);
        inv_count = 0;
        vtd_page_request(model->vtd, &req);
        model->msi_count = 0;
        assert_record(model, reason, &req);
        assert_int_equal(model_fsts(model) & 0xff, 0);
        assert_invalid(model, &req);
    }
}

static void
mode_of_a_missing_capability_is_reserved(void **state)
{
    struct vtd_config config = vtd_config_full;
    struct world *world;

    (void)state;
    config.adms = false;
    world = world_create(&config);
    latch(world, TTM_ABORT, true);
    inv_count = 0;
    vtd_page_request(world->model->vtd, &plain);
    assert_record(world->model, VTD_FR_RTA, &plain);
    assert_invalid(world->model, &plain);
    teardown((void **)&world);
}

static void
disabled_unit_takes_no_requests(void **state)
{
    const struct world *world = *state;

    latch(world, TTM_SCALABLE, false);
    inv_count = 0;
    vtd_page_request(world->model->vtd, &plain);
    assert_int_equal(model_fsts(world->model), 0);
    assert_invalid(world->model, &plain);
}

/* Only what is taken invalidates, by the type of the translation. */
static void
request_invalidates_what_is_cached_of_its_page(void **state)
{
    static const struct {
        uint64_t type;
        enum vtd_inv_kind kind;
        enum vtd_inv_scope scope;
        bool pages, pasid;
    } types[] = {
        { TABLES_PE_FIRST, VTD_INV_PASID_IOTLB, VTD_INV_ONE, true, true },
        { TABLES_PE_SECOND, VTD_INV_IOTLB, VTD_INV_ONE, true, false },
        { TABLES_PE_NESTED, VTD_INV_IOTLB, VTD_INV_DOMAIN, false, false },
        { TABLES_PE_PASS, VTD_INV_IOTLB, VTD_INV_ONE, true, false },
    };
    const struct world *world = *state;
    struct model *model = world->model;

    for (unsigned i = 0; i < 8; i++) {
        bool with = i & 1;
        struct vtd_page_req req = plain;

        req.addr += 0xfff;
        req.pasid = with ? PASID : VTD_NO_PASID;
        model_ram_q_set(model, with ? world->pasid : world->rid_pasid,
                        1 | types[i / 2].type | TABLES_PE_AW(2));
        inv_count = 0;
        vtd_page_request(model->vtd, &req);
        assert_int_equal(prs(model), PPR);
        assert_int_equal(inv_count, 1);
        assert_int_equal(inv_last.kind, types[i / 2].kind);
        assert_int_equal(inv_last.scope, types[i / 2].scope);
        assert_int_equal(inv_last.did, DID);
        assert_int_equal(inv_last.pasid, !types[i / 2].pasid ? VTD_NO_PASID
                                         : with              ? PASID
                                                             : RID_PASID);
        assert_int_equal(inv_last.pages, types[i / 2].pages);
        assert_int_equal(inv_last.addr, types[i / 2].pages ? ADDR : 0);
        assert_int_equal(inv_last.shift, types[i / 2].pages ? 12 : 64);
        assert_false(inv_last.leaf_only);
    }
}

/*
 * Software gave a page more permissions, which needs no invalidation.  What
 * was cached without them must not keep the device asking.
 */
static void
permission_that_was_added_is_seen_after_a_request(void **state)
{
    struct world *world = *state;
    struct model *model = world->model;
    const struct tables_map map = {
        .root = tables_pages(&world->tables, 1),
        .levels = 4,
        .path = TABLES_FS_P | TABLES_FS_RW | TABLES_FS_US,
    };
    const struct vtd_dma_req ats = {
        .iova = ADDR,
        .pasid = PASID,
        .sid = SID,
        .access = VTD_DMA_READ | VTD_DMA_WRITE,
        .at = VTD_AT_TRANSLATION,
    };
    struct vtd_dma_resp resp;

    model_ram_q_set(model, world->pasid + 16, map.root);
    model_ram_q_set(model, world->pasid + 8, DID | TABLES_PE1_PWSNP);
    model_ram_q_set(model, world->pasid, 1 | TABLES_PE_FIRST | TABLES_PE_AW(2));
    tables_map(&world->tables, &map, ADDR, 0x5000, 12,
               TABLES_FS_P | TABLES_FS_US | TABLES_FS_A);
    assert_int_equal(vtd_dma_translate(model->vtd, &ats, &resp), VTD_FR_OK);
    assert_int_equal(resp.access & VTD_DMA_WRITE, 0);
    tables_map(&world->tables, &map, ADDR, 0x5000, 12,
               TABLES_FS_P | TABLES_FS_RW | TABLES_FS_US | TABLES_FS_A);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(vtd_dma_translate(model->vtd, &ats, &resp), VTD_FR_OK);
    assert_int_equal(resp.access & VTD_DMA_WRITE, VTD_DMA_WRITE);
    assert_int_equal(resp.gpa, 0x5000);
}

/* --- the invalidation queue ----------------------------------------------- */

#define DW UINT64_C(0x800)

/* Descriptors of 256 bits; the upper half of each is zero. */
static void
wide_queue_run(struct model *model, uint64_t lo, uint64_t hi)
{
    uint64_t at = MODEL_QUEUE + model->tail * 32;

    if (!(model_r4(model, VTD_OFF_GSTS) & VTD_GSTS_QIES)) {
        model_w8(model, VTD_OFF_IQA, MODEL_QUEUE | DW);
        model_w4(model, VTD_OFF_GCMD, VTD_GCMD_TE | VTD_GCMD_QIE);
    }
    memset(&model->ram[at], 0, 32);
    model_ram_q_set(model, at, lo);
    model_ram_q_set(model, at + 8, hi);
    model->tail++;
    model_w8(model, VTD_OFF_IQT, model->tail * 32);
    assert_int_equal(model_r8(model, VTD_OFF_IQH), model->tail * 32);
    assert_int_equal(model_fsts(model) & 0xff, 0);
}

static void
responses_reach_the_device(void **state)
{
    static const uint8_t codes[] = { 0, 1, 2, 7, 14, 15 };
    struct model *model = ((struct world *)*state)->model;

    for (unsigned i = 0; i < 2 * sizeof(codes); i++) {
        bool with = i & 1;
        uint64_t code = codes[i / 2];
        struct vtd_page_req req = plain;

        req.pasid = with ? PASID : VTD_NO_PASID;
        /* The PASID counts with PP only, LPIG never. */
        wide_queue_run(model,
                       9 | (with ? 0x10 : 0) | code << 12 | SID << 16 |
                           (uint64_t)PASID << 32,
                       (i & 2 ? 4 : 0) | GROUP << 3);
        assert_response(model, &req, (enum vtd_page_resp_code)code);
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_RESPONSE),
                     2 * sizeof(codes));
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_REFUSED), 0);
}

/* As Linux drains a PASID: a fence, two invalidations, a wait with PD. */
static void
drain_finds_every_request_in_the_queue(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    for (unsigned i = 0; i < 5; i++) {
        vtd_page_request(model->vtd, &plain);
    }
    wide_queue_run(model, MODEL_WAIT_FN, 0);
    wide_queue_run(model, 6 | 2 << 4 | DID << 16 | (uint64_t)PASID << 32, 0);
    wide_queue_run(model, 8 | SID << 16 | (uint64_t)PASID << 32,
                   UINT64_C(0x7ffffffffffff800));
    wide_queue_run(model, MODEL_WAIT_SW(0x1234) | 0x80, MODEL_STATUS);
    assert_int_equal(model_ram_d(model, MODEL_STATUS), 0x1234);
    assert_int_equal(tail(model), 5 * DESC);
    assert_int_equal(model_ram_q(model, PRQ + 4 * DESC) & 0xff, 1);
}

static unsigned traced[VTD_EV_COUNT];

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    (void)ctx;
    if (ev == VTD_EV_PAGE_REQUEST || ev == VTD_EV_PAGE_RESPONSE) {
        assert_int_equal(arg[0], SID);
        assert_int_equal(arg[1], PASID);
        assert_int_equal(arg[2], ev == VTD_EV_PAGE_REQUEST ? ADDR : GROUP);
        assert_int_equal(arg[3], 1);
    }
    traced[ev]++;
}

static void
requests_and_responses_can_be_traced(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    model->ops.trace = trace;
    vtd_destroy(model->vtd);
    model->vtd = vtd_create(&vtd_config_full, &model->ops, model);
    assert_non_null(model->vtd);
    memset(traced, 0, sizeof(traced));
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(traced[VTD_EV_PAGE_REQUEST], 1);
    assert_int_equal(traced[VTD_EV_PAGE_RESPONSE], 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_fault_is_told_and_answered),
        TEST(entries_of_pasids_have_fpd_too),
        TEST(request_without_pasid_takes_that_of_the_function),
        TEST(supervisor_may_ask_where_it_may_not_access),
        TEST(other_modes_take_no_requests),
        cmocka_unit_test(mode_of_a_missing_capability_is_reserved),
        TEST(disabled_unit_takes_no_requests),
        TEST(request_invalidates_what_is_cached_of_its_page),
        TEST(permission_that_was_added_is_seen_after_a_request),
        TEST(responses_reach_the_device),
        TEST(drain_finds_every_request_in_the_queue),
        TEST(requests_and_responses_can_be_traced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
