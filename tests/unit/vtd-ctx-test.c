/* SPDX-License-Identifier: GPL-2.0-only */
/* Root and context entries: what they mean, their reserved bits and faults. */
#include "tests/unit/vtd-ctx.h"

/* --- root ---------------------------------------------------------------- */

static void
a_root_that_was_not_latched_is_no_root(void **state)
{
    struct walker *w = *state;

    legacy(w);
    w->env.root.latched = false;
    assert_early_fault(w, VTD_FR_ROOT_ACCESS);
    w->env.root.ttm = VTD_TTM_SCALABLE;
    assert_early_fault(w, VTD_FR_SM_ROOT_ACCESS);
}

static void
a_mode_without_its_capability_is_reserved(void **state)
{
    struct walker *w = *state;

    scalable(w, 0, 0);
    w->config.smts = false;
    assert_early_fault(w, VTD_FR_RTA);
    w->env.root.ttm = VTD_TTM_RSVD;
    assert_early_fault(w, VTD_FR_RTA);
    w->env.root.ttm = VTD_TTM_ABORT;
    assert_early_fault(w, VTD_FR_RTA_ABORT);
    w->config.adms = false;
    assert_early_fault(w, VTD_FR_RTA);
}

static void
root_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    assert_found(w);
    assert_rsvd(w, at.root, 0xffe | HAW48, VTD_FR_ROOT_RSVD);
    assert_rsvd(w, at.root + 8, ALL, VTD_FR_ROOT_RSVD);
    w->config.haw = 40;
    assert_rsvd(w, at.root, 0xffe | ALL << 40, VTD_FR_ROOT_RSVD);
    walker_flip(w, at.root, 1);
    assert_early_fault(w, VTD_FR_ROOT_P);
    w->bad_gpa = at.root;
    assert_early_fault(w, VTD_FR_ROOT_ACCESS);
    w->env.root.base = WALKER_RAM;
    assert_early_fault(w, VTD_FR_ROOT_ACCESS);
}

static void
scalable_root_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    assert_found(w);
    assert_rsvd(w, at.root, 0xffe | HAW48, VTD_FR_SM_ROOT_RSVD);
    walker_flip(w, at.root, 1);
    assert_early_fault(w, VTD_FR_SM_ROOT_P);
    w->bad_gpa = at.root;
    assert_early_fault(w, VTD_FR_SM_ROOT_ACCESS);
}

static void
each_half_of_a_scalable_root_entry_is_of_its_own(void **state)
{
    struct walker *w = *state;
    struct places upper;
    struct places lower;

    upper = scalable(w, 0, 0);
    w->req.sid ^= 0x80;
    lower = scalable(w, 0, 0);
    assert_int_equal(upper.root % 16, 8);
    assert_int_equal(lower.root % 16, 0);
    walker_q_set(w, lower.root + 8, ALL);
    assert_found(w);
    assert_int_equal(w->ctx.did, 0x4321);
}

static void
every_function_has_its_own_context_entry(void **state)
{
    struct walker *w = *state;

    for (unsigned i = 0; i < 512; i++) {
        bool is_legacy = i % 2;
        struct places at;
        uint64_t first = w->tables.next;

        w->req.sid = (uint16_t)(0xff00 ^ (i / 2) * 0x0101);
        at = is_legacy ? legacy(w) : scalable(w, 0, 0);
        assert_found(w);
        walker_flip(w, at.table, 1);
        assert_int_equal(walker_resolve(w),
                         is_legacy ? VTD_FR_CTX_P : VTD_FR_SM_CTX_P);
        w->tables.next = first;
    }
}

/* --- legacy mode --------------------------------------------------------- */

static void
a_context_entry_says_all_of_it(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    assert_found(w);
    assert_int_equal(w->reads, 2);
    assert_int_equal(w->ctx.stage, VTD_STAGE_SECOND);
    assert_int_equal(w->ctx.ss_root, SS_ROOT);
    assert_int_equal(w->ctx.ss_levels, 4);
    assert_int_equal(w->ctx.did, 0x1234);
    assert_int_equal(w->ctx.pasid, 0);
    assert_false(w->ctx.scalable || w->ctx.fpd || w->ctx.ats || w->ctx.pri);
    assert_false(w->ctx.ssade || w->ctx.pgsnp || w->ctx.rid_priv);

    tables_context_set(&w->tables, at.table,
                       SS_ROOT | TABLES_TT_SECOND_ATS | FPD, TABLES_AW_39, 7);
    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_SECOND);
    assert_int_equal(w->ctx.ss_levels, 3);
    assert_int_equal(w->ctx.did, 7);
    assert_true(w->ctx.ats && w->ctx.fpd);

    tables_context_set(&w->tables, at.table, TABLES_TT_PASS, TABLES_AW_57, 7);
    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_PASS);
    assert_false(w->ctx.ats);
}

static void
a_context_knows_the_widths_of_its_addresses(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    for (unsigned aw = 1; aw <= 3; aw++) {
        unsigned bits = 30 + 9 * aw;

        tables_context_set(&w->tables, at.table, 0, aw, 0);
        w->config.mgaw = 57;
        w->config.haw = 52;
        assert_found(w);
        assert_int_equal(w->ctx.ss_bits, bits);
        assert_int_equal(w->ctx.rsvd, 0);
        w->config.mgaw = 39;
        w->config.haw = 39;
        assert_found(w);
        assert_int_equal(w->ctx.ss_bits, 39);
        assert_int_equal(w->ctx.rsvd, BIT(52) - BIT(39));
    }
}

static void
context_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    assert_rsvd(w, at.table, 0xff0 | HAW48, VTD_FR_CTX_RSVD);
    assert_rsvd(w, at.table + 8, 0x80 | ALL << 24, VTD_FR_CTX_RSVD);
    walker_flip(w, at.table, 0x10);
    assert_fault(w, VTD_FR_CTX_RSVD, at.table);
    walker_flip(w, at.table, 1);
    assert_fault(w, VTD_FR_CTX_P, at.table);
    w->bad_gpa = at.table;
    assert_early_fault(w, VTD_FR_CTX_ACCESS);
}

static void
a_context_entry_must_be_supported(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    for (unsigned aw = 0; aw < 8; aw++) {
        tables_context_set(&w->tables, at.table, SS_ROOT, aw, 0);
        if (aw < 1 || aw > 3) {
            assert_fault(w, VTD_FR_CTX_INV, at.table);
            continue;
        }
        assert_found(w);
        assert_int_equal(w->ctx.ss_levels, aw + 2);
        w->config.sagaw = (uint8_t)(0xe & ~(1u << aw));
        assert_fault(w, VTD_FR_CTX_INV, at.table);
        w->config.sagaw = 0xe;
    }
    tables_context_set(&w->tables, at.table, 0xc, TABLES_AW_48, 0);
    assert_fault(w, VTD_FR_CTX_INV, at.table);
    tables_context_set(&w->tables, at.table, TABLES_TT_PASS, TABLES_AW_48, 0);
    w->config.pt = false;
    assert_fault(w, VTD_FR_CTX_INV, at.table);
    tables_context_set(&w->tables, at.table, TABLES_TT_SECOND_ATS, TABLES_AW_48,
                       0);
    assert_found(w);
    w->config.dt = false;
    assert_fault(w, VTD_FR_CTX_INV, at.table);
}

static void
translation_types_block_ats(void **state)
{
    struct walker *w = *state;
    struct places at = legacy(w);

    for (uint8_t type = VTD_AT_TRANSLATION; type <= VTD_AT_TRANSLATED; type++) {
        w->req.at = type;
        walker_q_set(w, at.table, SS_ROOT | TABLES_TT_SECOND | 1);
        assert_fault(w, VTD_FR_TT_BLOCK, at.table);
        walker_q_set(w, at.table, SS_ROOT | TABLES_TT_PASS | 1);
        assert_fault(w, VTD_FR_TT_BLOCK, at.table);
        walker_q_set(w, at.table, SS_ROOT | TABLES_TT_SECOND_ATS | 1);
        assert_found(w);
    }
}

static void
legacy_mode_knows_no_pasid(void **state)
{
    struct walker *w = *state;

    legacy(w);
    w->req.pasid = 0;
    w->reads = 0;
    assert_early_fault(w, VTD_FR_RTA_PASID);
    assert_int_equal(w->reads, 0);
}

/* --- scalable mode: context entries -------------------------------------- */

static void
scalable_context_entries_fault(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    assert_rsvd(w, at.table, 0x1e0 | HAW48, VTD_FR_SM_CTX_RSVD);
    assert_rsvd(w, at.table + 8, ALL << 21, VTD_FR_SM_CTX_RSVD);
    assert_rsvd(w, at.table + 16, ALL, VTD_FR_SM_CTX_RSVD);
    assert_rsvd(w, at.table + 24, ALL, VTD_FR_SM_CTX_RSVD);
    walker_flip(w, at.table + 24, 1);
    assert_fault(w, VTD_FR_SM_CTX_RSVD, at.table);
    walker_flip(w, at.table, 1);
    assert_fault(w, VTD_FR_SM_CTX_P, at.table);
    w->bad_gpa = at.table;
    assert_early_fault(w, VTD_FR_SM_CTX_ACCESS);
}

static void
context_bits_without_their_capability_are_reserved(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    w->config.dt = false;
    assert_rsvd(w, at.table, 0x1e4 | HAW48, VTD_FR_SM_CTX_RSVD);
    w->config.dt = true;
    w->config.pasid_bits = 0;
    assert_rsvd(w, at.table, 0x1e8 | HAW48, VTD_FR_SM_CTX_RSVD);
    w->config.pasid_bits = 20;
    w->config.prs = false;
    assert_rsvd(w, at.table, 0x1f0 | HAW48, VTD_FR_SM_CTX_RSVD);
    w->config.rprivs = false;
    assert_rsvd(w, at.table + 8, ALL << 20, VTD_FR_SM_CTX_RSVD);
}

static void
page_requests_without_a_device_tlb_are_no_programming(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    walker_flip(w, at.table, TABLES_SM_PRE);
    assert_fault(w, VTD_FR_SM_CTX_INV, at.table);
    walker_flip(w, at.table, TABLES_SM_DTE);
    assert_found(w);
    assert_true(w->ctx.ats && w->ctx.pri);
}

static void
scalable_mode_blocks_ats_without_dte(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    for (uint8_t type = VTD_AT_TRANSLATION; type <= VTD_AT_TRANSLATED; type++) {
        w->req.at = type;
        assert_fault(w, VTD_FR_SM_DTE, at.table);
        walker_flip(w, at.table, TABLES_SM_DTE);
        assert_found(w);
        assert_true(w->ctx.ats);
        walker_flip(w, at.table, TABLES_SM_DTE);
    }
}

static void
requests_with_pasid_must_be_enabled(void **state)
{
    struct walker *w = *state;
    struct places at;

    w->req.pasid = 5;
    at = scalable(w, 0, 5);
    assert_fault(w, VTD_FR_SM_PASIDE, at.table);
    walker_flip(w, at.table, TABLES_SM_PASIDE);
    assert_found(w);
    assert_int_equal(w->ctx.pasid, 5);
    assert_int_equal(w->ctx.did, 0x4321);
}

static void
a_directory_bounds_the_pasid(void **state)
{
    struct walker *w = *state;

    for (unsigned pdts = 0; pdts < 8; pdts++) {
        uint32_t last = (1u << (pdts + 13)) - 1;
        uint64_t first = w->tables.next;
        struct places at;

        w->config.pasid_bits = 20;
        w->req.pasid = last;
        at = scalable(w, pdts, last);
        walker_flip(w, at.table, TABLES_SM_PASIDE);
        assert_found(w);
        assert_int_equal(w->ctx.pasid, last);
        w->config.pasid_bits = (uint8_t)(pdts + 12);
        assert_fault(w, VTD_FR_SM_PASID_RANGE, at.table);
        w->config.pasid_bits = 20;
        w->req.pasid = last + 1;
        assert_fault(w, VTD_FR_SM_PASID_RANGE, at.table);

        w->req.pasid = VTD_NO_PASID;
        walker_q_set(w, at.table + 8, last);
        assert_found(w);
        assert_int_equal(w->ctx.pasid, last);
        if (pdts < 7) {
            walker_q_set(w, at.table + 8, last + 1);
            assert_fault(w, VTD_FR_SM_CTX_INV, at.table);
            /* It is wrong whoever asks. */
            w->req.pasid = 0;
            assert_fault(w, VTD_FR_SM_CTX_INV, at.table);
        }
        w->tables.next = first;
    }
}

static void
a_pasid_is_that_of_requests_with_or_without(void **state)
{
    struct walker *w = *state;
    struct places at;

    w->req.pasid = 5;
    at = scalable(w, 0, 5);
    walker_q_set(w, at.table + 8, 5);
    walker_flip(w, at.table, TABLES_SM_PASIDE);
    assert_fault(w, VTD_FR_SM_RID_PASID, at.table);
    walker_q_set(w, at.table + 8, 6);
    assert_found(w);
    w->req.pasid = VTD_NO_PASID;
    walker_q_set(w, at.table + 8, 5);
    assert_found(w);
    assert_int_equal(w->ctx.pasid, 5);
}

static void
without_rps_the_pasid_of_a_function_is_zero(void **state)
{
    struct walker *w = *state;
    struct places at;

    w->config.rps = false;
    at = scalable(w, 0, 0);
    assert_found(w);
    assert_int_equal(w->ctx.pasid, 0);
    assert_rsvd(w, at.table + 8, 0xfffff | ALL << 21, VTD_FR_SM_CTX_RSVD);
}

/* Nothing behind the context entry matters, nor is it read. */
static void
translated_requests_need_a_context_entry_alone(void **state)
{
    struct walker *w = *state;
    struct places at = scalable(w, 0, 0);

    walker_flip(w, at.table, TABLES_SM_DTE);
    walker_flip(w, at.dir_entry, 1);
    assert_fault(w, VTD_FR_PASID_DIR_P, at.table);
    w->req.at = VTD_AT_TRANSLATED;
    assert_found(w);
    assert_int_equal(w->ctx.stage, VTD_STAGE_NONE);
    walker_flip(w, at.table, TABLES_SM_DTE);
    assert_fault(w, VTD_FR_SM_DTE, at.table);
}

/* --- what depends on the request alone ----------------------------------- */

static void
a_known_context_permits_what_resolving_would(void **state)
{
    struct walker *w = *state;
    struct vtd_dma_ctx ctx = { .stage = VTD_STAGE_SECOND };

    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    w->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_TT_BLOCK);
    ctx.scalable = true;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_SM_DTE);
    ctx.ats = true;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    /* Without PASID there is no execute request. */
    w->req.access = VTD_DMA_READ | VTD_DMA_EXEC;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    w->req.pasid = 1;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_PASID_ERE);
    /* A translated request was judged before. */
    w->req.at = VTD_AT_TRANSLATED;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    w->req.at = VTD_AT_TRANSLATION;
    ctx.ere = true;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    w->req.privileged = true;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_PASID_SRE);
    ctx.sre = true;
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
    /* Legacy mode knows neither. */
    ctx = (struct vtd_dma_ctx){ .ats = true };
    assert_int_equal(vtd_dma_ctx_permit(&ctx, &w->req), VTD_FR_OK);
}

static void
needs_follow_from_requests(void **state)
{
    struct walker *w = *state;
    static const struct {
        uint8_t access, need;
        bool atomic;
    } row[] = {
        { VTD_DMA_READ, VTD_DMA_READ, false },
        { VTD_DMA_WRITE, VTD_DMA_WRITE, false },
        { VTD_DMA_WRITE, VTD_DMA_READ | VTD_DMA_WRITE, true },
        { 0, VTD_DMA_READ | VTD_DMA_WRITE, true },
        { VTD_DMA_EXEC, VTD_DMA_READ | VTD_DMA_EXEC, false },
        { VTD_DMA_READ | VTD_DMA_WRITE, VTD_DMA_READ | VTD_DMA_WRITE, false },
    };

    memset(&w->ctx, 0, sizeof(w->ctx));
    w->ctx.stage = VTD_STAGE_SECOND;
    w->req.pasid = 1;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        w->req.access = row[i].access;
        w->req.atomic = row[i].atomic;
        assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req),
                         row[i].need);
    }
    w->req.access = 0;
    w->req.atomic = false;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), 0);
    w->ctx.stage = VTD_STAGE_FIRST;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), VTD_DMA_READ);
    w->ctx.stage = VTD_STAGE_NESTED;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req),
                     VTD_DMA_READ | VTD_PERM_ZERO);
    w->config.zlr = false;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), VTD_DMA_READ);
    w->ctx.stage = VTD_STAGE_SECOND;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), VTD_DMA_READ);
    /* Without PASID there is no execute request. */
    w->req.pasid = VTD_NO_PASID;
    w->req.access = VTD_DMA_READ | VTD_DMA_EXEC;
    assert_int_equal(vtd_dma_need(&w->config, &w->ctx, &w->req), VTD_DMA_READ);
}

/* --- page requests ------------------------------------------------------- */

static enum vtd_fr
page_request(struct walker *w)
{
    const struct vtd_page_req req = { .pasid = w->req.pasid,
                                      .sid = w->req.sid,
                                      .access = 7,
                                      .privileged = true };

    memset(&w->ctx, 0xff, sizeof(w->ctx));
    return vtd_page_req_resolve(&w->env, &req, &w->ctx);
}

static void
page_requests_need_a_mode_that_has_them(void **state)
{
    struct walker *w = *state;

    legacy(w);
    assert_int_equal(page_request(w), VTD_FR_RTA_PRQ);
    assert_false(w->ctx.fpd);
    w->env.root.ttm = VTD_TTM_RSVD;
    assert_int_equal(page_request(w), VTD_FR_RTA);
    w->env.root.ttm = VTD_TTM_ABORT;
    assert_int_equal(page_request(w), VTD_FR_RTA_ABORT);
}

static void
page_requests_are_checked_as_far_as_the_pasid_entry(void **state)
{
    struct walker *w = *state;
    struct places at;

    w->req.pasid = 5;
    at = scalable(w, 0, 5);
    assert_int_equal(page_request(w), VTD_FR_SM_PRE);
    assert_false(w->ctx.fpd);
    walker_flip(w, at.table, FPD);
    assert_int_equal(page_request(w), VTD_FR_SM_PRE);
    assert_true(w->ctx.fpd);
    walker_flip(w, at.table, FPD | TABLES_SM_DTE | TABLES_SM_PRE);
    assert_int_equal(page_request(w), VTD_FR_SM_PASIDE);
    walker_flip(w, at.table, TABLES_SM_PASIDE);
    /* Neither SRE nor ERE matters for it. */
    assert_int_equal(page_request(w), VTD_FR_OK);
    assert_int_equal(w->ctx.pasid, 5);
    assert_int_equal(w->ctx.did, 0x4321);
    w->req.pasid = 1u << 13;
    assert_int_equal(page_request(w), VTD_FR_SM_PASID_RANGE);
    w->req.pasid = VTD_NO_PASID;
    assert_int_equal(page_request(w), VTD_FR_PASID_P);
    walker_flip(w, at.table, 1);
    assert_int_equal(page_request(w), VTD_FR_SM_CTX_P);
}

/* --- FPD ----------------------------------------------------------------- */

static void
fpd_qualifies_what_is_found_behind_it(void **state)
{
    /* Never, by code; every other code of the model is qualified. */
    static const uint8_t always[] = {
        0x00, 0x01, 0x08, 0x09, 0x0a, 0x20, 0x21, 0x23, 0x25, 0x29,
        0x30, 0x31, 0x32, 0x33, 0x38, 0x39, 0x3a, 0x40, 0x50, 0x58,
    };
    static const uint8_t qualified[] = {
        0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0b, 0x0c, 0x0d, 0x0e, 0x22,
        0x24, 0x26, 0x27, 0x28, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47,
        0x48, 0x51, 0x52, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x70, 0x71, 0x72,
        0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d,
        0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x90, 0x91,
    };

    (void)state;
    for (size_t i = 0; i < sizeof(always); i++) {
        assert_false(vtd_fault_is_qualified((enum vtd_fr)always[i]));
    }
    for (size_t i = 0; i < sizeof(qualified); i++) {
        assert_true(vtd_fault_is_qualified((enum vtd_fr)qualified[i]));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(a_root_that_was_not_latched_is_no_root),
        WALKER_TEST(a_mode_without_its_capability_is_reserved),
        WALKER_TEST(root_entries_fault),
        WALKER_TEST(scalable_root_entries_fault),
        WALKER_TEST(each_half_of_a_scalable_root_entry_is_of_its_own),
        WALKER_TEST(every_function_has_its_own_context_entry),
        WALKER_TEST(a_context_entry_says_all_of_it),
        WALKER_TEST(a_context_knows_the_widths_of_its_addresses),
        WALKER_TEST(context_entries_fault),
        WALKER_TEST(a_context_entry_must_be_supported),
        WALKER_TEST(translation_types_block_ats),
        WALKER_TEST(legacy_mode_knows_no_pasid),
        WALKER_TEST(scalable_context_entries_fault),
        WALKER_TEST(context_bits_without_their_capability_are_reserved),
        WALKER_TEST(page_requests_without_a_device_tlb_are_no_programming),
        WALKER_TEST(scalable_mode_blocks_ats_without_dte),
        WALKER_TEST(requests_with_pasid_must_be_enabled),
        WALKER_TEST(a_directory_bounds_the_pasid),
        WALKER_TEST(a_pasid_is_that_of_requests_with_or_without),
        WALKER_TEST(without_rps_the_pasid_of_a_function_is_zero),
        WALKER_TEST(translated_requests_need_a_context_entry_alone),
        WALKER_TEST(a_known_context_permits_what_resolving_would),
        WALKER_TEST(needs_follow_from_requests),
        WALKER_TEST(page_requests_need_a_mode_that_has_them),
        WALKER_TEST(page_requests_are_checked_as_far_as_the_pasid_entry),
        WALKER_TEST(fpd_qualifies_what_is_found_behind_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
