/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each fault reason of DMA requests, provoked, with FPD of the context entry
 * clear and set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/dma.h"

#define BIT(n) (UINT64_C(1) << (n))
#define R      VTD_DMA_READ
#define W      VTD_DMA_WRITE
#define X      (VTD_DMA_READ | VTD_DMA_EXEC)

/* To change a page's address to one of interrupts. */
#define TO_INTERRUPTS (DMA_GPA ^ UINT64_C(0xfee01000))

#define FPD UINT64_C(2)

/* Quadwords of a guest's structures. */
enum place {
    NOWHERE,
    ROOT,
    CONTEXT,
    CONTEXT_1, /* the next quadword */
    CONTEXT_2,
    DIRECTORY,
    PASID,
    PASID_1,
    PASID_2,
    PASID_3,
    TOP, /* entry of the top table */
    LEAF,
    TOP_BEHIND, /* second-stage entries for those tables */
    LEAF_BEHIND,
};

struct flip {
    enum place place;
    uint64_t bits;
};

/* What causes a fault: at most two wrong quadwords, or one out of reach. */
struct cause {
    enum vtd_fr fr;
    enum dma_kind kind;
    struct flip flip[2];
    enum place unreadable, unwritable;
    uint64_t iova;  /* 0: DMA_IOVA */
    uint32_t pasid; /* 0: the kind's own */
    uint8_t access; /* 0: read */
    uint8_t at;
    bool privileged;
    uint8_t ttm; /* if not what the kind says */
    bool always; /* recorded in spite of FPD */
};

static const struct cause causes[] = {
    { 0x01, DMA_LEGACY, .flip = { { ROOT, 1 } }, .always = true },
    { 0x02, DMA_LEGACY, .flip = { { CONTEXT, 1 } } },
    { 0x03, DMA_LEGACY, .flip = { { CONTEXT, 0xc } } },
    { 0x04, DMA_LEGACY, .iova = BIT(48) },
    { 0x04, DMA_LEGACY_PASS, .iova = BIT(48) },
    { 0x04,
      DMA_LEGACY,
      { { CONTEXT, TABLES_TT_SECOND_ATS } },
      .iova = BIT(52),
      .at = VTD_AT_TRANSLATED },
    { 0x05, DMA_LEGACY, .flip = { { LEAF, TABLES_SS_W } }, .access = W },
    { 0x06, DMA_LEGACY, .flip = { { LEAF, TABLES_SS_R } } },
    { 0x07, DMA_LEGACY, .unreadable = LEAF },
    { 0x08, DMA_LEGACY, .unreadable = ROOT, .always = true },
    { 0x09, DMA_LEGACY, .unreadable = CONTEXT, .always = true },
    { 0x0a, DMA_LEGACY, .flip = { { ROOT, 2 } }, .always = true },
    { 0x0b, DMA_LEGACY, .flip = { { CONTEXT_1, BIT(63) } } },
    { 0x0c, DMA_LEGACY, .flip = { { LEAF, BIT(62) } } },
    { 0x0d, DMA_LEGACY, .at = VTD_AT_TRANSLATION },
    { 0x0d, DMA_LEGACY, .at = VTD_AT_TRANSLATED },
    { 0x0d, DMA_LEGACY_PASS, .at = VTD_AT_TRANSLATED },
    { 0x0e, DMA_LEGACY, .flip = { { LEAF, TO_INTERRUPTS } } },
    { 0x0e,
      DMA_LEGACY,
      { { CONTEXT, TABLES_TT_SECOND_ATS } },
      .iova = 0xfee01000,
      .at = VTD_AT_TRANSLATED },
    { 0x30, DMA_SECOND, .ttm = 2, .always = true },
    { 0x31, DMA_LEGACY, .pasid = 5, .always = true },
    { 0x33, DMA_SECOND, .ttm = 3, .always = true },
    { 0x38, DMA_SECOND, .unreadable = ROOT, .always = true },
    { 0x39, DMA_SECOND, .flip = { { ROOT, 1 } }, .always = true },
    { 0x3a, DMA_SECOND, .flip = { { ROOT, 2 } }, .always = true },
    { 0x40, DMA_SECOND, .unreadable = CONTEXT, .always = true },
    { 0x41, DMA_SECOND, .flip = { { CONTEXT, 1 } } },
    { 0x42, DMA_SECOND, .flip = { { CONTEXT_2, 1 } } },
    { 0x43, DMA_SECOND,
      .flip = { { CONTEXT, TABLES_SM_DTE | TABLES_SM_PRE } } },
    { 0x43, DMA_SECOND, .flip = { { CONTEXT_1, 0x2000 } } },
    { 0x43, DMA_SECOND, .flip = { { CONTEXT_1, 0x2000 } },
      .pasid = VTD_NO_PASID },
    { 0x44,
      DMA_SECOND,
      { { CONTEXT, TABLES_SM_DTE } },
      .at = VTD_AT_TRANSLATION },
    { 0x44,
      DMA_FIRST,
      { { CONTEXT, TABLES_SM_DTE } },
      .pasid = VTD_NO_PASID,
      .at = VTD_AT_TRANSLATED },
    { 0x45, DMA_SECOND, .flip = { { CONTEXT, TABLES_SM_PASIDE } } },
    { 0x46, DMA_SECOND, .pasid = 0x2000 },
    { 0x48, DMA_SECOND, .flip = { { CONTEXT_1, DMA_PASID } } },
    { 0x50, DMA_SECOND, .unreadable = DIRECTORY, .always = true },
    { 0x51, DMA_SECOND, .flip = { { DIRECTORY, 1 } } },
    { 0x52, DMA_SECOND, .flip = { { DIRECTORY, 4 } } },
    { 0x58, DMA_SECOND, .unreadable = PASID, .always = true },
    { 0x59, DMA_SECOND, .flip = { { PASID, 1 } } },
    { 0x5a, DMA_SECOND, .flip = { { PASID_3, 1 } } },
    { 0x5b, DMA_SECOND, .flip = { { PASID, TABLES_PE_SECOND } } },
    { 0x5b, DMA_NESTED, .flip = { { PASID_2, BIT(48) } } },
    { 0x5c, DMA_FIRST, .access = X },
    { 0x5d, DMA_FIRST, .privileged = true },
    { 0x70, DMA_FIRST, .unreadable = LEAF },
    { 0x71, DMA_FIRST, .flip = { { LEAF, TABLES_FS_P } } },
    { 0x72, DMA_FIRST, .flip = { { TOP, TABLES_PS } } },
    { 0x73, DMA_FIRST, .unreadable = TOP },
    { 0x74, DMA_NESTED, .flip = { { TOP, BIT(48) } } },
    { 0x74, DMA_NESTED, .flip = { { LEAF, BIT(48) } } },
    { 0x75, DMA_NESTED, { { TOP_BEHIND, TABLES_SS_R } }, .access = W },
    { 0x76, DMA_NESTED, .flip = { { LEAF_BEHIND, TABLES_SS_R } } },
    { 0x77, DMA_NESTED, .flip = { { LEAF_BEHIND, TABLES_SS_W } } },
    { 0x78, DMA_SECOND, .unreadable = LEAF },
    { 0x79, DMA_SECOND, .flip = { { LEAF, TABLES_SS_R | TABLES_SS_W } } },
    { 0x79, DMA_SECOND,
      .flip = { { TOP, TABLES_SS_R }, { LEAF, TABLES_SS_W } } },
    { 0x79, DMA_NESTED,
      .flip = { { LEAF_BEHIND, TABLES_SS_R | TABLES_SS_W } } },
    { 0x7a, DMA_SECOND, .flip = { { LEAF, BIT(62) } } },
    { 0x7b, DMA_SECOND, .unreadable = TOP },
    { 0x7c, DMA_SECOND,
      .flip = { { PASID, TABLES_PE_SSADE }, { PASID_1, TABLES_PE1_PWSNP } } },
    { 0x7d, DMA_SECOND, .flip = { { PASID, TABLES_PE_SSADE } },
      .unwritable = LEAF },
    { 0x80, DMA_FIRST, .iova = BIT(47) },
    { 0x81, DMA_FIRST, .flip = { { LEAF, TABLES_FS_US } } },
    { 0x82,
      DMA_FIRST,
      { { PASID_2, TABLES_PE2_ERE }, { LEAF, TABLES_FS_XD } },
      .access = X },
    { 0x83, DMA_PASS, .iova = BIT(52) },
    { 0x83, DMA_FIRST, .iova = BIT(52), .pasid = VTD_NO_PASID,
      .at = VTD_AT_TRANSLATED },
    { 0x84, DMA_SECOND, .iova = BIT(48) },
    { 0x85, DMA_FIRST, .flip = { { LEAF, TABLES_FS_RW } }, .access = W },
    { 0x86, DMA_SECOND, .flip = { { LEAF, TABLES_SS_R } } },
    { 0x87, DMA_SECOND, .flip = { { LEAF, TO_INTERRUPTS } } },
    { 0x87, DMA_FIRST, .flip = { { LEAF, TO_INTERRUPTS } } },
    { 0x87, DMA_FIRST, .flip = { { LEAF, TO_INTERRUPTS } },
      .at = VTD_AT_TRANSLATION },
    { 0x87, DMA_PASS, .iova = 0xfee01000 },
    { 0x87, DMA_PASS, .iova = 0xfee01000, .at = VTD_AT_TRANSLATION },
    { 0x87, DMA_NESTED, .iova = 0xfee01000, .pasid = VTD_NO_PASID,
      .at = VTD_AT_TRANSLATED },
    { 0x90, DMA_FIRST, .flip = { { PASID_1, TABLES_PE1_PWSNP } } },
    { 0x91, DMA_FIRST, .unwritable = LEAF },
};

#define CAUSES (sizeof(causes) / sizeof(causes[0]))

static uint64_t
gpa_of(struct dma *dma, enum place place)
{
    bool first = dma->kind == DMA_FIRST || dma->kind == DMA_NESTED;
    uint64_t root = first ? dma->first.root : dma->second.root;
    uint64_t top = tables_entry(&dma->tables, root, 4, DMA_IOVA, 4, 0);

    switch (place) {
    case ROOT:
        return dma->root_entry;
    case CONTEXT:
    case CONTEXT_1:
    case CONTEXT_2:
        return dma->context + (place - CONTEXT) * 8u;
    case DIRECTORY:
        return dma->dir_entry;
    case PASID:
    case PASID_1:
    case PASID_2:
    case PASID_3:
        return dma_pasid(dma, DMA_PASID, DMA_DID) + (place - PASID) * 8u;
    case TOP:
        return top;
    case LEAF:
        return dma->leaf;
    case TOP_BEHIND:
        return dma_behind(dma, top);
    case LEAF_BEHIND:
        return dma_behind(dma, dma->leaf);
    default:
        return 0;
    }
}

static struct dma *
arrange(const struct cause *cause, bool fpd)
{
    struct dma *dma = dma_create(cause->kind);

    for (unsigned i = 0; i < 2; i++) {
        if (cause->flip[i].place != NOWHERE) {
            dma_flip(dma, gpa_of(dma, cause->flip[i].place),
                     cause->flip[i].bits);
        }
    }
    if (fpd) {
        dma_flip(dma, dma->context, FPD);
    }
    dma->req.iova = (cause->iova ? cause->iova : DMA_IOVA) + 0xabc;
    dma->req.access = cause->access ? cause->access : R;
    dma->req.at = cause->at;
    dma->req.privileged = cause->privileged;
    if (cause->pasid != 0) {
        dma->req.pasid = cause->pasid;
    }
    if (cause->ttm != 0) {
        dma_latch(dma, cause->ttm);
    }
    dma->model->bad_gpa = gpa_of(dma, cause->unreadable);
    dma->model->bad_write = gpa_of(dma, cause->unwritable);
    return dma;
}

/* All that is to be in the record, put together by hand. */
static void
assert_recorded(struct dma *dma, const struct cause *cause)
{
    const struct vtd_dma_req *req = &dma->req;
    uint64_t hi = BIT(63) | (uint64_t)cause->fr << 32 | req->sid |
                  (uint64_t)req->at << 60;

    if (req->access & R) {
        hi |= BIT(62);
    }
    if (req->pasid != VTD_NO_PASID) {
        hi |= BIT(31) | (uint64_t)req->pasid << 40;
        hi |= req->access & VTD_DMA_EXEC ? BIT(30) : 0;
        hi |= req->privileged ? BIT(29) : 0;
    }
    assert_int_equal(model_r8(dma->model, 0x220), req->iova & ~UINT64_C(0xfff));
    assert_int_equal(model_r8(dma->model, 0x228), hi);
    assert_int_equal(model_fsts(dma->model), 2);
    assert_int_equal(model_r8(dma->model, 0x238), 0);
}

/* The whole request is remembered when its record has been cleared. */
static void
assert_remembered(struct dma *dma, const struct cause *cause, uint64_t count)
{
    struct vtd_fault last = { .reason = 0 };

    model_w4(dma->model, 0x22c, 0x80000000);
    assert_int_equal(model_r8(dma->model, 0x228) >> 63, 0);
    assert_int_equal(vtd_fault_last(dma->model->vtd, &last), count);
    assert_int_equal(last.reason, cause->fr);
    assert_int_equal(last.req.iova, dma->req.iova);
    assert_int_equal(last.req.pasid, dma->req.pasid);
    assert_int_equal(last.req.sid, dma->req.sid);
    assert_int_equal(last.req.access, dma->req.access);
    assert_int_equal(last.req.at, dma->req.at);
    assert_int_equal(last.req.privileged, dma->req.privileged);
}

/* Nothing was recorded, and nothing is remembered. */
static void
assert_forgotten(struct dma *dma)
{
    struct vtd_fault last = { .reason = 0xee };

    assert_int_equal(model_fsts(dma->model), 0);
    assert_int_equal(model_r8(dma->model, 0x228), 0);
    assert_int_equal(vtd_fault_last(dma->model->vtd, &last), 0);
    assert_int_equal(last.reason, 0xee);
}

/* Twice, so that what was cached in between is seen not to matter. */
static void
provoke(const struct cause *cause, bool fpd)
{
    struct dma *dma = arrange(cause, fpd);

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(dma_translate(dma), cause->fr);
    }
    if (!fpd || cause->always) {
        assert_recorded(dma, cause);
        assert_remembered(dma, cause, 2);
    } else {
        assert_forgotten(dma);
    }
    dma_destroy(dma);
}

static void
each_reason_is_recorded_in_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CAUSES; i++) {
        provoke(&causes[i], false);
    }
}

static void
fpd_suppresses_what_it_qualifies_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CAUSES; i++) {
        provoke(&causes[i], true);
    }
}

/* A translation is cached first, so that the context is. */
static void
reasons_of_a_request_come_from_a_cached_context_too(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CAUSES; i++) {
        const struct cause *cause = &causes[i];
        struct dma *dma = dma_create(cause->kind);

        if (cause->flip[0].place != NOWHERE || cause->unreadable ||
            cause->unwritable || cause->ttm || cause->pasid) {
            dma_destroy(dma);
            continue;
        }
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        dma_destroy(dma);
        dma = arrange(cause, false);
        dma->req.at = VTD_AT_UNTRANSLATED;
        dma->req.privileged = false;
        assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
        dma->req.at = cause->at;
        dma->req.privileged = cause->privileged;
        assert_int_equal(
            dma_access(dma, (cause->iova ? cause->iova : DMA_IOVA) + 0xabc,
                       cause->access ? cause->access : R),
            cause->fr);
        assert_recorded(dma, cause);
        dma_destroy(dma);
    }
}

/* Reasons of page requests, which have a path of their own. */
static bool
is_of_page_requests(unsigned fr)
{
    return fr == VTD_FR_RTA_PRQ || fr == VTD_FR_SM_PRE;
}

static void
no_reason_is_left_out(void **state)
{
    (void)state;
    for (unsigned fr = 1; fr < 0xff; fr++) {
        bool is_caused = false;

        if (strcmp(vtd_fault_name((uint8_t)fr), "unknown fault reason") == 0 ||
            (fr >= 0x20 && fr <= 0x29) || is_of_page_requests(fr)) {
            continue;
        }
        for (unsigned i = 0; i < CAUSES; i++) {
            is_caused |= causes[i].fr == fr;
        }
        assert_true(is_caused);
    }
}

/* --- records ------------------------------------------------------------- */

struct shape {
    uint8_t access;
    bool atomic;
    uint64_t bits; /* T1 and T2 */
};

static void
records_tell_the_type_of_a_request(void **state)
{
    static const struct shape shapes[] = {
        { R, false, BIT(62) },          { W, false, 0 },
        { 0, false, BIT(62) },          { R | W, false, 0 },
        { R, true, BIT(62) | BIT(28) }, { W, true, BIT(62) | BIT(28) },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        struct dma *dma = dma_create(DMA_LEGACY);

        dma_flip(dma, dma->context, 1);
        dma->req.atomic = shapes[i].atomic;
        assert_int_equal(dma_access(dma, DMA_IOVA, shapes[i].access),
                         VTD_FR_CTX_P);
        assert_int_equal(model_r8(dma->model, 0x228),
                         BIT(63) | UINT64_C(2) << 32 | DMA_SID |
                             shapes[i].bits);
        dma_destroy(dma);
    }
}

/* The page goes as far as tables do; what a unit does not have stays zero. */
static void
records_are_as_wide_as_the_unit(void **state)
{
    static const struct {
        const struct vtd_config *config;
        uint8_t sagaw;
        unsigned width;
    } units[] = {
        { &vtd_config_legacy, VTD_SAGAW_39, 39 },
        { &vtd_config_legacy, VTD_SAGAW_48, 48 },
        { &vtd_config_full, VTD_SAGAW_57, 57 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        struct vtd_config config = *units[i].config;
        const struct vtd_dma_req req = { .iova = UINT64_MAX,
                                         .pasid = 0x12345,
                                         .sid = 0x102,
                                         .access = R,
                                         .at = VTD_AT_TRANSLATION };
        struct vtd_dma_resp resp;
        struct model *model;
        uint64_t hi;

        config.sagaw = units[i].sagaw;
        if (config.mgaw > units[i].width) {
            config.mgaw = (uint8_t)units[i].width;
        }
        model = model_create(&config);
        model_w8(model, VTD_OFF_RTADDR, 0x10000);
        model_w4(model, VTD_OFF_GCMD, (uint32_t)VTD_GCMD_SRTP);
        model_w4(model, VTD_OFF_GCMD, (uint32_t)VTD_GCMD_TE);
        assert_int_equal(vtd_dma_translate(model->vtd, &req, &resp),
                         VTD_FR_RTA_PASID);
        assert_int_equal(model_r8(model, 0x220), BIT(units[i].width) - 0x1000);
        hi = BIT(63) | BIT(62) | UINT64_C(0x31) << 32 | 0x102;
        if (i == 2) {
            hi |= BIT(60) | BIT(31) | UINT64_C(0x12345) << 40;
        }
        assert_int_equal(model_r8(model, 0x228), hi);
        model_destroy(model);
    }
}

/* Of a request that reads and writes, the half that failed. */
static void
a_read_that_fails_is_a_read(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);

    (void)state;
    dma_flip(dma, dma->leaf, TABLES_SS_R);
    assert_int_equal(dma_access(dma, DMA_IOVA, R | W), VTD_FR_READ);
    assert_int_equal(model_r8(dma->model, 0x228) >> 62, 3);
    dma_destroy(dma);
    dma = dma_create(DMA_SECOND);
    dma_flip(dma, dma->leaf, TABLES_SS_R);
    assert_int_equal(dma_access(dma, DMA_IOVA, R | W), VTD_FR_SM_READ);
    assert_int_equal(model_r8(dma->model, 0x228) >> 62, 3);
    dma_destroy(dma);
}

/* Other requests for the same page repeat it, another page or access not. */
static void
repeats_of_a_request_are_collapsed(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);

    (void)state;
    dma_flip(dma, dma->leaf, TABLES_FS_P);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(dma_access(dma, DMA_IOVA + i, R), VTD_FR_FS_P);
    }
    assert_int_equal(model_r8(dma->model, 0x238), 0);
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_FS_P);
    assert_int_equal(dma_access(dma, DMA_IOVA + 0x1000, R), VTD_FR_FS_P);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_FS_P);
    assert_true(model_r8(dma->model, 0x258) >> 63);
    assert_false(model_r8(dma->model, 0x258) & BIT(31));
    assert_int_equal(model_r8(dma->model, 0x268), 0);
    assert_int_equal(vtd_stat_value(dma->model->vtd, VTD_STAT_FAULT), 53);
    dma_destroy(dma);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_recorded_in_full),
        cmocka_unit_test(fpd_suppresses_what_it_qualifies_and_nothing_else),
        cmocka_unit_test(reasons_of_a_request_come_from_a_cached_context_too),
        cmocka_unit_test(no_reason_is_left_out),
        cmocka_unit_test(records_tell_the_type_of_a_request),
        cmocka_unit_test(records_are_as_wide_as_the_unit),
        cmocka_unit_test(a_read_that_fails_is_a_read),
        cmocka_unit_test(repeats_of_a_request_are_collapsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
