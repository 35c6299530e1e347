/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices that translate for themselves: their requests, before and after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/dma.h"

#define BIT(n) (UINT64_C(1) << (n))
#define R      VTD_DMA_READ
#define W      VTD_DMA_WRITE
#define X      VTD_DMA_EXEC

#define INTERRUPTS UINT64_C(0xfee00000)

static struct dma *
ats_create(enum dma_kind kind)
{
    struct dma *dma = dma_create(kind);

    if (kind == DMA_LEGACY) {
        dma_flip(dma, dma->context, TABLES_TT_SECOND_ATS);
    }
    dma->req.at = VTD_AT_TRANSLATION;
    return dma;
}

static void
assert_told(struct dma *dma, uint8_t asked, uint8_t access)
{
    assert_int_equal(dma_access(dma, DMA_IOVA + 0x10, asked), VTD_FR_OK);
    assert_int_equal(dma->resp.access, access);
    assert_int_equal(dma->resp.gpa, access ? DMA_GPA + 0x10 : DMA_IOVA + 0x10);
    assert_int_equal(dma->resp.shift, 12);
    assert_false(dma->resp.untranslated);
    assert_int_equal(model_fsts(dma->model), 0);
}

static void
what_there_is_is_told(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND };
    static const uint8_t accesses[] = { 0, R, W, R | W };

    (void)state;
    for (unsigned i = 0; i < 2 * 4; i++) {
        struct dma *dma = ats_create(kinds[i / 4]);
        uint8_t access = accesses[i % 4];

        /* What the device is going to do with it is not known. */
        assert_told(dma, access, R | W);
        dma->req.no_write = true;
        assert_told(dma, access, R);
        dma->req.no_write = false;
        dma_flip(dma, dma->leaf, TABLES_SS_W);
        assert_told(dma, access, R);
        dma_flip(dma, dma->leaf, TABLES_SS_W | TABLES_SS_R);
        assert_told(dma, access, W);
        dma->req.no_write = true;
        assert_told(dma, access, 0);
        dma->req.no_write = false;
        dma_flip(dma, dma->leaf, TABLES_SS_W);
        assert_told(dma, access, 0);
        dma_destroy(dma);
    }
}

static void
first_stage_is_told_with_its_flags(void **state)
{
    struct dma *dma = ats_create(DMA_FIRST);

    (void)state;
    /* NW: a device that will not write. */
    dma->req.no_write = true;
    assert_told(dma, R | W, R);
    assert_told(dma, W, R);
    assert_true(dma_q(dma, dma->leaf) & TABLES_FS_A);
    assert_false(dma_q(dma, dma->leaf) & TABLES_FS_D);
    dma->req.no_write = false;
    assert_told(dma, R, R | W);
    assert_true(dma_q(dma, dma->leaf) & TABLES_FS_D);
    dma->req.no_write = true;
    assert_told(dma, R, R);
    dma->req.no_write = false;
    dma_flip(dma, dma->leaf, TABLES_FS_RW);
    assert_told(dma, R | W, R);
    dma_flip(dma, dma->leaf, TABLES_FS_US);
    assert_told(dma, R | W, 0);
    dma_flip(dma, dma->leaf, TABLES_FS_US | TABLES_FS_P);
    assert_told(dma, R | W, 0);
    dma_destroy(dma);
}

/* G is for processors. */
static void
no_answer_is_global(void **state)
{
    struct dma *dma = ats_create(DMA_FIRST);

    (void)state;
    dma_flip(dma, dma->leaf, TABLES_FS_G);
    assert_told(dma, R, R | W);
    assert_false(dma->resp.global);
    dma_destroy(dma);
}

static void
no_write_means_nothing_without_the_capability(void **state)
{
    struct vtd_config config = vtd_config_full;
    struct dma *dma;

    (void)state;
    config.nwfs = false;
    dma = dma_create_config(&config, DMA_FIRST);
    dma->req.at = VTD_AT_TRANSLATION;
    dma->req.no_write = true;
    assert_told(dma, R | W, R | W);
    dma_destroy(dma);
}

static void
executing_is_told_when_it_is_asked_for(void **state)
{
    struct dma *dma = ats_create(DMA_FIRST);

    (void)state;
    assert_told(dma, R | X, 0);
    dma_flip(dma, dma_pasid(dma, DMA_PASID, DMA_DID) + 16, TABLES_PE2_ERE);
    dma->req.no_write = true;
    assert_told(dma, R | X, R | X);
    dma->req.no_write = false;
    assert_told(dma, X, R | W | X);
    assert_told(dma, R, R | W);
    dma_flip(dma, dma->leaf, TABLES_FS_XD);
    assert_told(dma, X, R | W);
    dma_flip(dma, dma->leaf, TABLES_FS_XD | TABLES_FS_RW);
    assert_told(dma, X, R | X);
    dma_flip(dma, dma->leaf, TABLES_FS_XD);
    assert_told(dma, X, R);
    dma_destroy(dma);
}

static void
second_stage_holes_are_no_fault_when_nested(void **state)
{
    struct dma *dma = ats_create(DMA_NESTED);
    uint64_t behind = dma_behind(dma, dma->leaf);

    (void)state;
    assert_told(dma, R | W, R | W);
    dma_flip(dma, behind, TABLES_SS_R | TABLES_SS_W);
    assert_told(dma, R | W, 0);
    dma_flip(dma, behind, TABLES_SS_W);
    assert_told(dma, R | W, 0);
    /* What hinders a flag from being set leaves nothing. */
    dma_flip(dma, behind, TABLES_SS_R | TABLES_SS_W);
    assert_told(dma, R | W, R | W);
    dma_flip(dma, dma->leaf, TABLES_FS_D);
    assert_told(dma, R | W, 0);
    dma_destroy(dma);
}

/* Structures that lack something: what is told, and what is a fault. */
static void
most_of_what_is_missing_is_no_fault(void **state)
{
    struct dma *dma = ats_create(DMA_FIRST);
    uint64_t pasid = dma_pasid(dma, DMA_PASID, DMA_DID);

    (void)state;
    dma->model->bad_gpa = dma->leaf;
    assert_told(dma, R, 0);
    dma->model->bad_gpa = 0;
    dma_flip(dma, pasid, 1);
    dma_latch(dma, 1); /* voids what is cached */
    assert_told(dma, R, 0);
    dma_flip(dma, pasid, 1);
    dma_flip(dma, dma->dir_entry, 1);
    assert_told(dma, R, 0);
    dma_flip(dma, dma->dir_entry, 1);
    dma->req.privileged = true;
    assert_told(dma, R, 0);
    dma->req.privileged = false;
    assert_int_equal(dma_access(dma, BIT(47), R), VTD_FR_OK);
    assert_int_equal(dma->resp.access, 0);
    assert_int_equal(model_fsts(dma->model), 0);
    dma_flip(dma, pasid + 24, 1);
    dma_latch(dma, 1);
    assert_int_equal(dma_translate(dma), VTD_FR_PASID_RSVD);
    assert_int_not_equal(model_fsts(dma->model), 0);
    dma_destroy(dma);

    dma = ats_create(DMA_SECOND);
    assert_int_equal(dma_access(dma, BIT(48), R), VTD_FR_OK);
    assert_int_equal(dma->resp.access, 0);
    assert_int_equal(model_fsts(dma->model), 0);
    dma_flip(dma, dma->leaf, BIT(62));
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_SS_RSVD);
    dma_destroy(dma);

    dma = ats_create(DMA_LEGACY);
    assert_int_equal(dma_access(dma, BIT(48), R), VTD_FR_OK);
    assert_int_equal(dma->resp.access, 0);
    assert_int_equal(model_fsts(dma->model), 0);
    dma_destroy(dma);
}

/* The one condition that is both. */
static void
flags_that_cannot_be_set_are_told_and_recorded(void **state)
{
    struct dma *dma = ats_create(DMA_FIRST);

    (void)state;
    dma->model->bad_write = dma->leaf;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma->resp.access, 0);
    assert_int_equal(model_r8(dma->model, 0x228) >> 32 & 0xff, 0x91);
    dma_destroy(dma);
}

/* The device's cache has it: ours is not asked, and does not answer. */
static void
answers_are_never_older_than_the_tables(void **state)
{
    struct dma *dma = ats_create(DMA_LEGACY);

    (void)state;
    dma->req.at = VTD_AT_UNTRANSLATED;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    dma_flip(dma, dma->leaf, BIT(30));
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, DMA_GPA);
    dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, DMA_GPA ^ BIT(30));
    dma_destroy(dma);
}

static void
pass_through_is_told_as_it_is(void **state)
{
    struct dma *dma = ats_create(DMA_PASS);

    (void)state;
    assert_int_equal(dma_access(dma, 0x1234567, R), VTD_FR_OK);
    assert_false(dma->resp.untranslated);
    assert_int_equal(dma->resp.gpa, 0x1234567);
    assert_int_equal(dma->resp.access, R | W);
    assert_int_equal(dma_access(dma, BIT(52), R), VTD_FR_OK);
    assert_int_equal(dma->resp.access, 0);
    assert_int_equal(model_fsts(dma->model), 0);
    dma_destroy(dma);
}

static void
interrupts_are_to_be_sent_untranslated(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND, DMA_PASS };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct dma *dma = ats_create(kinds[i]);

        dma->req.pasid = VTD_NO_PASID;
        assert_int_equal(dma_access(dma, INTERRUPTS + 0x10, R), VTD_FR_OK);
        assert_true(dma->resp.untranslated);
        assert_int_equal(dma->resp.gpa, INTERRUPTS + 0x10);
        assert_int_equal(dma->resp.shift, 12);
        assert_int_equal(dma->resp.access, W);
        dma->req.no_write = true;
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        assert_false(dma->resp.untranslated);
        assert_int_equal(dma->resp.access, 0);
        dma->req.no_write = false;
        assert_int_equal(dma_access(dma, INTERRUPTS - 1, R), VTD_FR_OK);
        assert_false(dma->resp.untranslated);
        assert_int_equal(dma_access(dma, INTERRUPTS + BIT(20), R), VTD_FR_OK);
        assert_false(dma->resp.untranslated);
        assert_int_equal(model_fsts(dma->model), 0);
        /* But only if the function may ask at all. */
        dma_flip(dma, dma->context, 1);
        dma_latch(dma, i == 0 ? 0 : 1);
        assert_int_equal(dma_access(dma, INTERRUPTS, R),
                         i == 0 ? VTD_FR_CTX_P : VTD_FR_SM_CTX_P);
        dma_destroy(dma);
    }
}

static void
translated_requests_pass(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                           DMA_NESTED, DMA_PASS };

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct dma *dma = ats_create(kinds[i]);

        dma->req.at = VTD_AT_TRANSLATED;
        dma->req.pasid = VTD_NO_PASID;
        assert_int_equal(dma_access(dma, 0xabcdef123, W), VTD_FR_OK);
        assert_int_equal(dma->resp.gpa, 0xabcdef123);
        assert_int_equal(dma->resp.access, R | W | X);
        assert_false(dma->resp.untranslated);
        model_w4(dma->model, VTD_OFF_PLMBASE, 0x400000);
        model_w4(dma->model, VTD_OFF_PLMLIMIT, 0x400000);
        model_w4(dma->model, VTD_OFF_PMEN, BIT(31));
        assert_int_equal(dma_access(dma, 0x400000, R), VTD_FR_BLOCKED);
        /* Its PASID was of use when the address was asked for. */
        dma->req.pasid = DMA_PASID;
        assert_int_equal(dma_access(dma, 0xabcdef123, W), VTD_FR_BLOCKED);
        assert_int_equal(dma_walks(dma), 0);
        assert_int_equal(model_fsts(dma->model), 0);
        dma_destroy(dma);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_there_is_is_told),
        cmocka_unit_test(first_stage_is_told_with_its_flags),
        cmocka_unit_test(no_answer_is_global),
        cmocka_unit_test(most_of_what_is_missing_is_no_fault),
        cmocka_unit_test(flags_that_cannot_be_set_are_told_and_recorded),
        cmocka_unit_test(no_write_means_nothing_without_the_capability),
        cmocka_unit_test(executing_is_told_when_it_is_asked_for),
        cmocka_unit_test(second_stage_holes_are_no_fault_when_nested),
        cmocka_unit_test(answers_are_never_older_than_the_tables),
        cmocka_unit_test(pass_through_is_told_as_it_is),
        cmocka_unit_test(interrupts_are_to_be_sent_untranslated),
        cmocka_unit_test(translated_requests_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
