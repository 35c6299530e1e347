/* SPDX-License-Identifier: GPL-2.0-only */
/* PASID directory and table: what they mean, reserved bits, faults. */
#include "tests/unit/vtd-ctx.h"

/* --- scalable mode: PASID directory and table ---------------------------- */

static void
directory_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0x1fc1);

    assert_found(w);
    assert_rsvd(w, at.dir_entry, 0xffc | HAW48, VTD_FR_PASID_DIR_RSVD);
    walker_flip(w, at.dir_entry, 4);
    assert_fault(w, VTD_FR_PASID_DIR_RSVD, at.dir_entry);
    assert_fault(w, VTD_FR_PASID_DIR_RSVD, at.table);
    walker_flip(w, at.dir_entry, 1);
    assert_fault(w, VTD_FR_PASID_DIR_P, at.dir_entry);
    assert_fault(w, VTD_FR_PASID_DIR_P, at.table);
    w->bad_gpa = at.dir_entry;
    assert_fault(w, VTD_FR_PASID_DIR_ACCESS, at.table);
}

static void
pasid_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0x1fc1);

    assert_rsvd(w, at.pasid, 0xc20 | HAW48, VTD_FR_PASID_RSVD);
    assert_rsvd(w, at.pasid + 8, 0x7f0000 | ALL << 25, VTD_FR_PASID_RSVD);
    assert_rsvd(w, at.pasid + 16, 0xf00 | HAW48, VTD_FR_PASID_RSVD);
    for (unsigned i = 3; i < 8; i++) {
        assert_rsvd(w, at.pasid + i * UINT64_C(8), ALL, VTD_FR_PASID_RSVD);
    }
    walker_flip(w, at.pasid + 56, BIT(63));
    assert_fault(w, VTD_FR_PASID_RSVD, at.pasid);
    assert_fault(w, VTD_FR_PASID_RSVD, at.dir_entry);
    assert_fault(w, VTD_FR_PASID_RSVD, at.table);
    walker_flip(w, at.pasid, 1);
    assert_fault(w, VTD_FR_PASID_P, at.pasid);
    w->bad_gpa = at.pasid;
    assert_fault(w, VTD_FR_PASID_ACCESS, at.dir_entry);
    assert_fault(w, VTD_FR_PASID_ACCESS, at.table);
}

static void
pasid_bits_without_their_capability_are_reserved(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    w->config.ssads = w->config.sc = w->config.srs = false;
    assert_rsvd(w, at.pasid, 0xe20 | HAW48, VTD_FR_PASID_RSVD);
    assert_rsvd(w, at.pasid + 8, 0x7f0000 | ALL << 24, VTD_FR_PASID_RSVD);
    assert_rsvd(w, at.pasid + 16, 0xf01 | HAW48, VTD_FR_PASID_RSVD);
    w->config.sc = w->config.srs = true;
    w->config.smpwcs = w->config.ers = w->config.eafs = false;
    assert_rsvd(w, at.pasid + 8, 0xff0000 | ALL << 25, VTD_FR_PASID_RSVD);
    assert_rsvd(w, at.pasid + 16, 0xf82 | HAW48, VTD_FR_PASID_RSVD);
}

static void
bits_that_were_once_nxe_and_smep_are_ignored(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    walker_q_set(w, at.pasid, TABLES_PE_FIRST | 1);
    walker_q_set(w, at.pasid + 16, FS_ROOT | BIT(5) | BIT(6));
    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_FIRST);
}

static void
a_pasid_entry_says_all_of_it(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_SECOND);
    assert_true(w->ctx.scalable);
    assert_int_equal(w->ctx.ss_root, SS_ROOT);
    assert_int_equal(w->ctx.ss_levels, 4);
    assert_int_equal(w->ctx.fs_root, 0);
    assert_false(w->ctx.ssade || w->ctx.pwsnp || w->ctx.pgsnp || w->ctx.sre);
    assert_false(w->ctx.ere || w->ctx.wpe || w->ctx.eafe || w->ctx.rid_priv);
    assert_false(w->ctx.ats || w->ctx.pri || w->ctx.fpd);

    walker_q_set(w, at.table + 8, TABLES_SM_RID_PRIV);
    walker_q_set(w, at.pasid,
                 SS_ROOT | TABLES_PE_NESTED | TABLES_PE_SSADE |
                     TABLES_PE_AW(TABLES_AW_57) | TABLES_PE_FPD | 1);
    walker_q_set(w, at.pasid + 8, 0xffff | TABLES_PE1_PWSNP | TABLES_PE1_PGSNP);
    walker_q_set(w, at.pasid + 16,
                 FS_ROOT | TABLES_PE2_SRE | TABLES_PE2_ERE | TABLES_PE2_FS5LP |
                     TABLES_PE2_WPE | TABLES_PE2_EAFE);
    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_NESTED);
    assert_int_equal(w->ctx.did, 0xffff);
    assert_int_equal(w->ctx.ss_levels, 5);
    assert_int_equal(w->ctx.fs_levels, 5);
    assert_int_equal(w->ctx.fs_root, FS_ROOT);
    assert_true(w->ctx.ssade && w->ctx.pwsnp && w->ctx.pgsnp && w->ctx.sre);
    assert_true(w->ctx.ere && w->ctx.wpe && w->ctx.eafe && w->ctx.rid_priv);
    assert_true(w->ctx.fpd);
}

/* Each of the fields alone, so that none stands for another. */
static void
each_flag_of_a_pasid_entry_is_itself(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);
    const struct {
        unsigned quad;
        uint64_t bit;
        const bool *flag;
    } flag[] = {
        { 0, TABLES_PE_FPD, &w->ctx.fpd },
        { 0, TABLES_PE_SSADE, &w->ctx.ssade },
        { 1, TABLES_PE1_PWSNP, &w->ctx.pwsnp },
        { 1, TABLES_PE1_PGSNP, &w->ctx.pgsnp },
        { 2, TABLES_PE2_SRE, &w->ctx.sre },
        { 2, TABLES_PE2_ERE, &w->ctx.ere },
        { 2, TABLES_PE2_WPE, &w->ctx.wpe },
        { 2, TABLES_PE2_EAFE, &w->ctx.eafe },
    };
    const size_t n = sizeof(flag) / sizeof(flag[0]);

    walker_flip(w, at.pasid, TABLES_PE_SECOND ^ TABLES_PE_NESTED);
    for (size_t set = 0; set < n; set++) {
        walker_flip(w, at.pasid + flag[set].quad * 8, flag[set].bit);
        assert_found(w);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(*flag[i].flag, i == set);
        }
        walker_flip(w, at.pasid + flag[set].quad * 8, flag[set].bit);
    }
}

static void
the_translation_type_must_be_supported(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);
    bool *const capability[8] = { [1] = &w->config.fsts,
                                  [2] = &w->config.ssts,
                                  [3] = &w->config.nest,
                                  [4] = &w->config.pt };
    static const uint8_t stage[8] = { [1] = VTD_STAGE_FIRST,
                                      [2] = VTD_STAGE_SECOND,
                                      [3] = VTD_STAGE_NESTED,
                                      [4] = VTD_STAGE_PASS };

    for (unsigned pgtt = 0; pgtt < 8; pgtt++) {
        walker_q_set(w, at.pasid,
                     (uint64_t)pgtt << 6 | TABLES_PE_AW(TABLES_AW_48) | 1);
        if (!capability[pgtt]) {
            assert_fault(w, VTD_FR_PASID_INV, at.pasid);
            continue;
        }
        assert_found(w);
        assert_int_equal(w->ctx.stage, stage[pgtt]);
        assert_int_equal(w->ctx.did, 0x4321);
        *capability[pgtt] = false;
        assert_fault(w, VTD_FR_PASID_INV, at.pasid);
        *capability[pgtt] = true;
    }
}

static void
fields_of_a_stage_that_there_is_not_are_reserved(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    w->config.fsts = false;
    assert_rsvd(
        w, at.pasid + 16,
        ~(TABLES_PE2_SRE | TABLES_PE2_ERE | TABLES_PE2_EAFE | BIT(5) | BIT(6)),
        VTD_FR_PASID_RSVD);
    w->config.fsts = true;
    w->config.ssts = false;
    walker_q_set(w, at.pasid, TABLES_PE_FIRST | 1);
    assert_found(w);
    assert_rsvd(w, at.pasid, 0xc20 | ALL << 12, VTD_FR_PASID_RSVD);
}

static void
a_nested_root_is_within_the_second_stage(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    w->config.haw = 52;
    walker_q_set(w, at.pasid,
                 SS_ROOT | TABLES_PE_NESTED | TABLES_PE_AW(TABLES_AW_48) | 1);
    walker_q_set(w, at.pasid + 16, BIT(48) - 4096);
    assert_found(w);
    walker_q_set(w, at.pasid + 16, BIT(48));
    assert_fault(w, VTD_FR_PASID_INV, at.pasid);
    walker_flip(w, at.pasid, TABLES_PE_NESTED ^ TABLES_PE_FIRST);
    assert_found(w);
}

static void
the_address_width_matters_where_it_is_used(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    w->config.sagaw = VTD_SAGAW_48;
    for (unsigned pgtt = 1; pgtt <= 4; pgtt++) {
        for (unsigned aw = 0; aw < 8; aw++) {
            walker_q_set(w, at.pasid,
                         SS_ROOT | (uint64_t)pgtt << 6 | TABLES_PE_AW(aw) | 1);
            if ((pgtt == 2 || pgtt == 3) && aw != TABLES_AW_48) {
                assert_fault(w, VTD_FR_PASID_INV, at.pasid);
            } else {
                assert_found(w);
            }
        }
    }
}

static void
the_paging_mode_matters_where_it_is_used(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    for (unsigned pgtt = 1; pgtt <= 4; pgtt++) {
        bool is_used = pgtt == 1 || pgtt == 3;

        walker_q_set(w, at.pasid,
                     SS_ROOT | (uint64_t)pgtt << 6 |
                         TABLES_PE_AW(TABLES_AW_48) | 1);
        for (unsigned fspm = 0; fspm < 4; fspm++) {
            walker_q_set(w, at.pasid + 16, FS_ROOT | fspm << 2);
            if (is_used && fspm > 1) {
                assert_fault(w, VTD_FR_PASID_INV, at.pasid);
                continue;
            }
            assert_found(w);
            assert_int_equal(w->ctx.fs_levels, is_used ? 4 + fspm : 0);
        }
        walker_q_set(w, at.pasid + 16, FS_ROOT | TABLES_PE2_FS5LP);
        w->config.fs5lp = false;
        if (is_used) {
            assert_fault(w, VTD_FR_PASID_INV, at.pasid);
        } else {
            assert_found(w);
        }
        w->config.fs5lp = true;
    }
}

static void
execute_and_supervisor_requests_must_be_enabled(void **state)
{
    struct walker *w = *state;
    struct places at;

    w->req.pasid = 5;
    at = scalable(w, 0, 5);
    walker_flip(w, at.table, TABLES_SM_PASIDE);
    w->req.access = VTD_DMA_READ | VTD_DMA_EXEC;
    assert_fault(w, VTD_FR_PASID_ERE, at.pasid);
    walker_flip(w, at.pasid + 16, TABLES_PE2_ERE);
    assert_found(w);

    w->req.access = VTD_DMA_READ;
    w->req.privileged = true;
    assert_fault(w, VTD_FR_PASID_SRE, at.pasid);
    walker_flip(w, at.pasid + 16, TABLES_PE2_SRE);
    assert_found(w);
}

static void
rid_priv_makes_requests_without_pasid_supervisors(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    /* A privilege without PASID is none. */
    w->req.privileged = true;
    assert_found(w);
    w->req.privileged = false;
    walker_flip(w, at.table + 8, TABLES_SM_RID_PRIV);
    assert_fault(w, VTD_FR_PASID_SRE, at.pasid);
    walker_flip(w, at.pasid + 16, TABLES_PE2_SRE);
    assert_found(w);
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req),
                     VTD_DMA_READ << VTD_PERM_SUPER_SHIFT);
    /* With PASID it is the request that says what it is. */
    w->req.pasid = 0;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), VTD_DMA_READ);
    w->req.privileged = true;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req),
                     VTD_DMA_READ << VTD_PERM_SUPER_SHIFT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(directory_entries_fault),
        WALKER_TEST(pasid_entries_fault),
        WALKER_TEST(pasid_bits_without_their_capability_are_reserved),
        WALKER_TEST(bits_that_were_once_nxe_and_smep_are_ignored),
        WALKER_TEST(a_pasid_entry_says_all_of_it),
        WALKER_TEST(each_flag_of_a_pasid_entry_is_itself),
        WALKER_TEST(the_translation_type_must_be_supported),
        WALKER_TEST(fields_of_a_stage_that_there_is_not_are_reserved),
        WALKER_TEST(a_nested_root_is_within_the_second_stage),
        WALKER_TEST(the_address_width_matters_where_it_is_used),
        WALKER_TEST(the_paging_mode_matters_where_it_is_used),
        WALKER_TEST(execute_and_supervisor_requests_must_be_enabled),
        WALKER_TEST(rid_priv_makes_requests_without_pasid_supervisors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
