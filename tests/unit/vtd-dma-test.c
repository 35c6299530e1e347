/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of devices: what they are answered, where none is a fault. */
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

/* *dma->resp has these, and nothing else. */
static void
assert_answer(const struct dma *dma, uint64_t gpa, uint8_t shift,
              uint8_t access)
{
    assert_int_equal(dma->resp.gpa, gpa);
    assert_int_equal(dma->resp.shift, shift);
    assert_int_equal(dma->resp.access, access);
    assert_false(dma->resp.snoop || dma->resp.global || dma->resp.untranslated);
}

static void
assert_no_fault(const struct dma *dma)
{
    assert_int_equal(model_fsts(dma->model), 0);
    assert_int_equal(vtd_stat_value(dma->model->vtd, VTD_STAT_FAULT), 0);
}

static void
every_kind_translates_and_then_hits(void **state)
{
    static const struct {
        enum dma_kind kind;
        uint8_t first, second; /* permissions of the first and second access */
    } kinds[] = {
        { DMA_LEGACY, R | W | X, R | W | X },
        { DMA_SECOND, R | W | X, R | W | X },
        { DMA_FIRST, R | X, R | W | X }, /* the D bit */
        { DMA_NESTED, R | X, R | W | X },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct dma *dma = dma_create(kinds[i].kind);
        unsigned reads;

        assert_int_equal(dma_access(dma, DMA_IOVA + 0x123, R), VTD_FR_OK);
        assert_answer(dma, DMA_GPA + 0x123, 12, kinds[i].first);
        assert_int_equal(dma_access(dma, DMA_IOVA + 0xfff, W), VTD_FR_OK);
        assert_answer(dma, DMA_GPA + 0xfff, 12, kinds[i].second);
        reads = dma->model->reads;
        assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
        assert_answer(dma, DMA_GPA, 12, kinds[i].second);
        assert_int_equal(dma_access(dma, DMA_IOVA + 0x456, R | W), VTD_FR_OK);
        assert_answer(dma, DMA_GPA + 0x456, 12, kinds[i].second);
        assert_int_equal(dma->model->reads, reads);
        assert_int_equal(dma_walks(dma),
                         kinds[i].first == kinds[i].second ? 1 : 2);
        assert_no_fault(dma);
        dma_destroy(dma);
    }
}

static void
dirty_is_set_by_the_first_write_alone(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);

    (void)state;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma_q(dma, dma->leaf) & (TABLES_FS_A | TABLES_FS_D),
                     TABLES_FS_A);
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
    assert_int_equal(dma_q(dma, dma->leaf) & (TABLES_FS_A | TABLES_FS_D),
                     TABLES_FS_A | TABLES_FS_D);
    /* Cached: software that clears D has to invalidate. */
    dma_flip(dma, dma->leaf, TABLES_FS_D);
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
    assert_false(dma_q(dma, dma->leaf) & TABLES_FS_D);
    dma_destroy(dma);
}

/* Of an entry that needs no flag set, in a context that is known. */
static void
a_miss_permits_what_the_entry_does(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        struct dma *dma = dma_create(DMA_FIRST);
        /* PWT, PCD and PAT have no say in it. */
        uint64_t others = i & 8 ? 0x98 : 0;
        uint64_t leaf = dma_map(dma, DMA_IOVA + 0x1000, DMA_GPA + 0x1000, 12);
        bool rw = i & 1;
        bool dirty = i & 2;
        bool xd = i & 4;

        dma_flip(dma, leaf,
                 TABLES_FS_A | (rw ? 0 : TABLES_FS_RW) |
                     (dirty ? TABLES_FS_D : 0) | (xd ? TABLES_FS_XD : 0) |
                     others);
        assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
        assert_int_equal(dma_access(dma, DMA_IOVA + 0x1000, R), VTD_FR_OK);
        assert_answer(dma, DMA_GPA + 0x1000, 12,
                      R | (rw && dirty ? W : 0) | (xd ? 0 : X));
        dma_destroy(dma);
    }
}

static void
large_pages_are_told_by_their_size(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                           DMA_NESTED };
    static const unsigned shifts[] = { 21, 30 };

    (void)state;
    for (unsigned i = 0; i < 4 * 2; i++) {
        struct dma *dma = dma_create(kinds[i / 2]);
        unsigned shift = shifts[i % 2];
        uint64_t iova = UINT64_C(0x380000000000);
        uint64_t gpa = UINT64_C(0x4000000000);
        uint64_t within = BIT(shift) - 0x2345;

        dma_map(dma, iova, gpa, shift);
        assert_int_equal(dma_access(dma, iova + within, R), VTD_FR_OK);
        assert_int_equal(dma->resp.gpa, gpa + within);
        assert_int_equal(dma->resp.shift, shift);
        /* The next byte behind it is not mapped. */
        assert_int_not_equal(dma_access(dma, iova + BIT(shift), R), VTD_FR_OK);
        dma_destroy(dma);
    }
}

/* Whether the context is new or known. */
static void
large_pages_need_their_capability(void **state)
{
    struct vtd_config config = vtd_config_legacy;
    uint64_t iova = UINT64_C(0x380000000000);
    struct dma *dma;

    (void)state;
    config.ss2m = false;
    config.ss1g = false;
    dma = dma_create_config(&config, DMA_LEGACY);
    dma_map(dma, iova, UINT64_C(0x4000000000), 21);
    assert_int_equal(dma_access(dma, iova, R), VTD_FR_PT_RSVD);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma_access(dma, iova, R), VTD_FR_PT_RSVD);
    dma_destroy(dma);
}

static void
all_passes_while_remapping_is_disabled(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);

    (void)state;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    model_w4(dma->model, VTD_OFF_GCMD, 0);
    assert_int_equal(dma_access(dma, DMA_IOVA + 5, W), VTD_FR_OK);
    assert_answer(dma, DMA_IOVA + 5, 12, R | W | X);
    assert_int_equal(dma_access(dma, INTERRUPTS, W), VTD_FR_OK);
    dma->req.sid = 0xffff;
    assert_int_equal(dma_access(dma, UINT64_MAX, R), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, UINT64_MAX);
    /* But there are no device TLBs then. */
    dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_BLOCKED);
    dma->req.at = VTD_AT_TRANSLATED;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_BLOCKED);
    assert_no_fault(dma);
    dma_destroy(dma);
}

/* In legacy mode as wide as a table would be, too. */
static void
pass_through_passes_what_is_as_wide_as_addresses(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY_PASS, DMA_PASS };
    struct vtd_config config = vtd_config_full;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct dma *dma;
        unsigned width;

        config.haw = i < 2 ? 52 : 46;
        dma = dma_create_config(&config, kinds[i % 2]);
        width = i == 0 ? 48 : config.haw;
        assert_int_equal(dma_access(dma, BIT(width) - 1, R | W), VTD_FR_OK);
        assert_answer(dma, BIT(width) - 1, 12, R | W | X);
        assert_int_equal(dma_access(dma, INTERRUPTS - 1, R), VTD_FR_OK);
        assert_int_equal(dma_access(dma, INTERRUPTS + BIT(20), R), VTD_FR_OK);
        assert_int_equal(dma_walks(dma), 0);
        assert_no_fault(dma);
        dma_destroy(dma);
    }
}

static void
page_snoop_makes_accesses_snoop(void **state)
{
    static const enum dma_kind kinds[] = { DMA_SECOND, DMA_FIRST, DMA_NESTED,
                                           DMA_PASS };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct dma *dma = dma_create(kinds[i]);

        dma_flip(dma, dma_pasid(dma, DMA_PASID, DMA_DID) + 8, TABLES_PE1_PGSNP);
        for (unsigned twice = 0; twice < 2; twice++) {
            assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
            assert_true(dma->resp.snoop);
        }
        dma_destroy(dma);
    }
}

static void
snoop_and_global_are_told_of_a_hit_too(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);

    (void)state;
    dma_flip(dma, dma->leaf, TABLES_SS_SNP);
    for (unsigned twice = 0; twice < 2; twice++) {
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        assert_true(dma->resp.snoop);
        assert_false(dma->resp.global);
    }
    dma_destroy(dma);
    dma = dma_create(DMA_FIRST);
    dma_flip(dma, dma->leaf, TABLES_FS_G);
    for (unsigned twice = 0; twice < 2; twice++) {
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        assert_true(dma->resp.global);
        assert_false(dma->resp.snoop);
    }
    dma_destroy(dma);
}

/* --- who asks ------------------------------------------------------------ */

static void
other_functions_and_pasids_do_not_share_translations(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);

    (void)state;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    dma->req.sid ^= 1;
    assert_int_equal(dma_translate(dma), VTD_FR_SM_CTX_P);
    dma->req.sid ^= 1;
    dma->req.pasid++;
    assert_int_equal(dma_translate(dma), VTD_FR_PASID_P);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_int_equal(dma_walks(dma), 2);
    dma_destroy(dma);
}

static void
supervisors_have_pages_of_their_own(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    uint64_t entry = dma_pasid(dma, DMA_PASID, DMA_DID);

    (void)state;
    dma_flip(dma, entry + 16, TABLES_PE2_SRE | TABLES_PE2_WPE);
    dma_flip(dma, dma->leaf, TABLES_FS_US);
    dma->req.privileged = true;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        assert_answer(dma, DMA_GPA, 12, R | X);
    }
    assert_int_equal(dma_walks(dma), 1);
    dma->req.privileged = false;
    assert_int_equal(dma_translate(dma), VTD_FR_FS_USER);
    assert_int_equal(dma_access(dma, DMA_IOVA, 0), VTD_FR_FS_USER);
    dma->req.privileged = true;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    dma_destroy(dma);
}

/* RID_PRIV: a function without PASID is a supervisor. */
static void
functions_may_be_supervisors(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    uint64_t entry = dma_pasid(dma, 0, DMA_DID);

    (void)state;
    dma_flip(dma, dma->context + 8, TABLES_SM_RID_PRIV);
    dma_flip(dma, dma->leaf, TABLES_FS_US);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(dma_translate(dma), VTD_FR_PASID_SRE);
    dma_flip(dma, entry + 16, TABLES_PE2_SRE | TABLES_PE2_WPE);
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_answer(dma, DMA_GPA, 12, R | X);
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_answer(dma, DMA_GPA, 12, R | X);
    assert_int_equal(dma_walks(dma), 1);
    dma_destroy(dma);
}

/* What a context refuses is refused of a page that is cached, too. */
static void
executing_is_refused_though_the_page_permits_it(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    uint64_t entry = dma_pasid(dma, DMA_PASID, DMA_DID);

    (void)state;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_true(dma->resp.access & X);
    assert_int_equal(dma_access(dma, DMA_IOVA, R | X), VTD_FR_PASID_ERE);
    assert_int_equal(dma_access(dma, DMA_IOVA, X), VTD_FR_PASID_ERE);
    dma_destroy(dma);
    dma = dma_create(DMA_FIRST);
    entry = dma_pasid(dma, DMA_PASID, DMA_DID);
    dma_flip(dma, entry + 16, TABLES_PE2_ERE);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma_access(dma, DMA_IOVA, R | X), VTD_FR_OK);
    assert_int_equal(dma_walks(dma), 1);
    dma_destroy(dma);
}

static void
atomics_need_both_permissions(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);

    (void)state;
    dma_flip(dma, dma->leaf, TABLES_SS_W);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    dma->req.atomic = true;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_WRITE);
    assert_int_equal(dma_access(dma, DMA_IOVA, 0), VTD_FR_WRITE);
    dma_flip(dma, dma->leaf, TABLES_SS_W);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
    assert_int_equal(dma_walks(dma), 4);
    dma_destroy(dma);
}

static void
zero_length_reads_of_write_only_pages_need_a_capability(void **state)
{
    struct vtd_config config = vtd_config_full;

    (void)state;
    for (unsigned zlr = 0; zlr < 2; zlr++) {
        struct dma *dma;

        config.zlr = zlr != 0;
        dma = dma_create_config(&config, DMA_LEGACY);
        dma_flip(dma, dma->leaf, TABLES_SS_R);
        for (unsigned twice = 0; twice < 2; twice++) {
            assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
            assert_answer(dma, DMA_GPA, 12, W);
            assert_int_equal(dma_access(dma, DMA_IOVA, 0),
                             zlr ? VTD_FR_OK : VTD_FR_READ);
            assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_READ);
        }
        dma_destroy(dma);
    }
}

/* --- addresses that are special ------------------------------------------ */

static void
interrupt_range_is_not_translated_without_pasid(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_LEGACY_PASS,
                                           DMA_SECOND, DMA_FIRST };
    static const uint8_t accesses[] = { R, W, 0 };

    (void)state;
    for (unsigned i = 0; i < 4 * 3; i++) {
        struct dma *dma = dma_create(kinds[i / 3]);

        enum vtd_fr fr = accesses[i % 3] ? VTD_FR_IR_INVALID : VTD_FR_OK;

        dma_map(dma, INTERRUPTS, DMA_GPA, 12);
        dma->req.pasid = VTD_NO_PASID;
        assert_int_equal(dma_access(dma, INTERRUPTS + 4, accesses[i % 3]), fr);
        /* What the structures say does not count. */
        dma_flip(dma, dma->context, 3);
        assert_int_equal(dma_access(dma, INTERRUPTS + 0xfffff, accesses[i % 3]),
                         fr);
        if (fr == VTD_FR_OK) {
            assert_answer(dma, INTERRUPTS + 0xfffff, 12, 0);
            assert_no_fault(dma);
        } else {
            assert_int_equal(model_r8(dma->model, 0x228) >> 32 & 0xff, 0x29);
            assert_int_equal(model_r8(dma->model, 0x238) >> 63, 1);
            assert_int_equal(model_r8(dma->model, 0x248), 0);
        }
        dma_destroy(dma);
    }
}

static void
interrupt_range_is_translated_with_pasid(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);

    (void)state;
    dma_map(dma, INTERRUPTS, DMA_GPA, 12);
    for (unsigned twice = 0; twice < 2; twice++) {
        assert_int_equal(dma_access(dma, INTERRUPTS + 4, R), VTD_FR_OK);
        assert_int_equal(dma->resp.gpa, DMA_GPA + 4);
    }
    dma_destroy(dma);
}

/* A page around the range is cut: no part of it tells of an interrupt. */
static void
large_pages_around_the_interrupt_range_are_cut(void **state)
{
    static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_FIRST };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct dma *dma = dma_create(kinds[i]);
        uint64_t iova = UINT64_C(0x380000000000);

        dma_map(dma, iova, 0xc0000000, 30);
        assert_int_equal(dma_access(dma, iova, R), VTD_FR_OK);
        assert_int_equal(dma->resp.shift, 21);
        assert_int_equal(dma_access(dma, iova + 0x3ef00000, R), VTD_FR_OK);
        assert_int_equal(dma->resp.shift, 12);
        assert_int_equal(dma_access(dma, iova + 0x3ee00000, R),
                         i == 0 ? VTD_FR_INT_RANGE : VTD_FR_SM_INT_RANGE);
        dma_destroy(dma);
    }
}

static void
protected_memory_keeps_out_what_no_table_translates(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY_PASS);

    (void)state;
    model_w4(dma->model, VTD_OFF_PLMBASE, 0x400000);
    model_w4(dma->model, VTD_OFF_PLMLIMIT, 0x400000);
    assert_int_equal(dma_access(dma, 0x400000, R), VTD_FR_OK);
    model_w4(dma->model, VTD_OFF_PMEN, BIT(31));
    assert_int_equal(dma_access(dma, 0x400000, R), VTD_FR_BLOCKED);
    assert_int_equal(dma_access(dma, 0x5fffff, W), VTD_FR_BLOCKED);
    assert_int_equal(dma_access(dma, 0x3fffff, R), VTD_FR_OK);
    assert_int_equal(dma_access(dma, 0x600000, R), VTD_FR_OK);
    model_w4(dma->model, VTD_OFF_GCMD, 0);
    assert_int_equal(dma_access(dma, 0x400000, R), VTD_FR_BLOCKED);
    assert_no_fault(dma);
    dma_destroy(dma);

    dma = dma_create(DMA_LEGACY);
    model_w4(dma->model, VTD_OFF_PLMBASE, 0x400000);
    model_w4(dma->model, VTD_OFF_PLMLIMIT, 0x400000);
    model_w4(dma->model, VTD_OFF_PMEN, BIT(31));
    dma_map(dma, 0x7000, 0x400000, 12);
    assert_int_equal(dma_access(dma, 0x7000, R), VTD_FR_OK);
    dma_destroy(dma);
}

static void
abort_mode_refuses_all_and_says_so(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);

    (void)state;
    dma_latch(dma, 3);
    for (uint8_t at = 0; at < 3; at++) {
        dma->req.at = at;
        dma->req.pasid = at == VTD_AT_TRANSLATED ? VTD_NO_PASID : DMA_PASID;
        assert_int_equal(dma_translate(dma), VTD_FR_RTA_ABORT);
        assert_int_equal(model_r8(dma->model, 0x228 + at * 16) >> 63, 1);
    }
    assert_int_equal(model_r8(dma->model, 0x258), 0);
    dma->req.pasid = DMA_PASID;
    dma->req.at = 0;
    dma_latch(dma, 1);
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    dma_destroy(dma);
}

/* What a descriptor says of its hint reaches the tables that are cached. */
static void
upper_tables_are_read_again_unless_only_leaves_changed(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);

    (void)state;
    model_queue_enable(dma->model, 0);
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    for (uint64_t hint = 0; hint < 2; hint++) {
        unsigned reads;

        model_queue_run(dma->model, 0x32 | DMA_DID << 16, DMA_IOVA | hint << 6);
        reads = dma->model->reads;
        assert_int_equal(dma_translate(dma), VTD_FR_OK);
        assert_int_equal(dma->model->reads - reads, hint ? 1 : 4);
    }
    dma_destroy(dma);
}

static void
a_reset_forgets_all_translations(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);

    (void)state;
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    vtd_reset(dma->model->vtd);
    dma_flip(dma, dma->leaf, BIT(20));
    dma_latch(dma, 1);
    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, DMA_GPA ^ BIT(20));
    dma_destroy(dma);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_translates_and_then_hits),
        cmocka_unit_test(dirty_is_set_by_the_first_write_alone),
        cmocka_unit_test(a_miss_permits_what_the_entry_does),
        cmocka_unit_test(large_pages_are_told_by_their_size),
        cmocka_unit_test(large_pages_need_their_capability),
        cmocka_unit_test(all_passes_while_remapping_is_disabled),
        cmocka_unit_test(pass_through_passes_what_is_as_wide_as_addresses),
        cmocka_unit_test(page_snoop_makes_accesses_snoop),
        cmocka_unit_test(snoop_and_global_are_told_of_a_hit_too),
        cmocka_unit_test(other_functions_and_pasids_do_not_share_translations),
        cmocka_unit_test(supervisors_have_pages_of_their_own),
        cmocka_unit_test(functions_may_be_supervisors),
        cmocka_unit_test(executing_is_refused_though_the_page_permits_it),
        cmocka_unit_test(atomics_need_both_permissions),
        cmocka_unit_test(
            zero_length_reads_of_write_only_pages_need_a_capability),
        cmocka_unit_test(interrupt_range_is_not_translated_without_pasid),
        cmocka_unit_test(interrupt_range_is_translated_with_pasid),
        cmocka_unit_test(large_pages_around_the_interrupt_range_are_cut),
        cmocka_unit_test(protected_memory_keeps_out_what_no_table_translates),
        cmocka_unit_test(abort_mode_refuses_all_and_says_so),
        cmocka_unit_test(
            upper_tables_are_read_again_unless_only_leaves_changed),
        cmocka_unit_test(a_reset_forgets_all_translations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
