/* SPDX-License-Identifier: GPL-2.0-only */
/* What tools are told of a request, and of what is cached. */
#include "tests/unit/vtd-outside.h"

#define PAGE_END UINT64_C(0x1000)

struct told {
    struct vtd_trail trail;
    struct vtd_dma_ctx ctx;
    struct vtd_page page;
};

static enum vtd_fr
ask(const struct dma *dma, struct told *told)
{
    memset(told, 0xa5, sizeof(*told));
    return vtd_dma_inspect(dma->model->vtd, &dma->req, &told->trail, &told->ctx,
                           &told->page);
}

static enum vtd_fr
ask_of(struct dma *dma, uint64_t iova, uint8_t access, struct told *told)
{
    dma->req.iova = iova;
    dma->req.access = access;
    return ask(dma, told);
}

static void
assert_page(const struct told *told, uint64_t gpa, uint8_t perm)
{
    assert_int_equal(told->page.gpa, gpa);
    assert_int_equal(told->page.shift, 12);
    assert_int_equal(told->page.perm, perm);
}

/* Each structure once, and nothing changes. */
static void
a_walk_is_told_from_the_root_on(void **state)
{
    static const struct {
        enum dma_kind kind;
        unsigned steps;
        uint8_t stage;
        const char *last;
    } kinds[] = {
        { DMA_LEGACY, 2 + 4, VTD_STAGE_SECOND, "second-stage" },
        { DMA_SECOND, 4 + 4, VTD_STAGE_SECOND, "second-stage" },
        { DMA_FIRST, 4 + 4, VTD_STAGE_FIRST, "first-stage" },
        { DMA_NESTED, 4 + 4 + 5 * 4, VTD_STAGE_NESTED, "second-stage" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct dma *dma = dma_create(kinds[i].kind);
        uint64_t leaf = dma_q(dma, dma->leaf);
        struct told told;

        assert_int_equal(ask_of(dma, DMA_IOVA + 0x123, W, &told), VTD_FR_OK);
        assert_int_equal(told.trail.count, kinds[i].steps);
        assert_string_equal(told.trail.step[0].what, "root");
        assert_string_equal(told.trail.step[kinds[i].steps - 1].what,
                            kinds[i].last);
        assert_int_equal(told.ctx.stage, kinds[i].stage);
        assert_int_equal(told.ctx.did, DMA_DID);
        assert_int_equal(told.page.gpa, DMA_GPA);
        assert_true(told.page.perm & W);
        /* Of a write to a first stage that marks it. */
        assert_int_equal(dma_q(dma, dma->leaf), leaf);
        assert_int_equal(dma->model->exchanges, 0);
        assert_int_equal(dma_walks(dma), 0);
        dma_destroy(dma);
    }
}

static void
a_fault_is_told_and_not_recorded(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);
    struct told told;

    (void)state;
    assert_int_equal(ask_of(dma, DMA_IOVA + PAGE_END, W, &told),
                     VTD_FR_SS_PERM);
    assert_int_equal(told.trail.count, 8);
    assert_int_equal(told.ctx.stage, VTD_STAGE_SECOND);
    assert_page(&told, DMA_IOVA + PAGE_END, 0);
    dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(ask(dma, &told), VTD_FR_SS_PERM);
    dma->req.at = VTD_AT_UNTRANSLATED;
    /* On the way to the tables. */
    dma_flip(dma, dma->context, 1);
    assert_int_equal(ask(dma, &told), VTD_FR_SM_CTX_P);
    assert_int_equal(told.trail.count, 2);
    assert_int_equal(told.ctx.stage, VTD_STAGE_NONE);
    assert_int_equal(model_fsts(dma->model), 0);
    dma_destroy(dma);
}

/* What is cached is another matter. */
static void
memory_is_looked_at_and_not_the_cache(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);
    struct told told;

    (void)state;
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    dma_flip(dma, dma->leaf, 3);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(ask(dma, &told), VTD_FR_READ);
    dma_destroy(dma);
}

/*
 * A flag that is to be set and cannot be: the walk is shown to its end, the
 * verdict is the fault.
 */
static void
flags_that_cannot_be_set_are_told(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    struct told told;
    uint64_t pe = dma_pasid(dma, DMA_PASID, DMA_DID);

    (void)state;
    dma_flip(dma, pe + 8, TABLES_PE1_PWSNP);
    assert_int_equal(ask_of(dma, DMA_IOVA, R, &told), VTD_FR_FS_AD);
    assert_int_equal(told.trail.count, 8);
    assert_page(&told, DMA_IOVA, 0);
    assert_int_equal(dma_translate(dma), VTD_FR_FS_AD);
    dma_destroy(dma);

    /* The second stage, at the entries of the first. */
    dma = dma_create(DMA_NESTED);
    dma_flip(dma, dma_behind(dma, dma->leaf), TABLES_SS_W);
    assert_int_equal(ask_of(dma, DMA_IOVA, R, &told), VTD_FR_NEST_WRITE);
    assert_int_equal(dma_translate(dma), VTD_FR_NEST_WRITE);
    dma_destroy(dma);
}

/* Called before guest memory changes. */
static void
no_exchange(struct model *model, uint64_t gpa)
{
    (void)model;
    (void)gpa;
    fail_msg("an explanation changes memory");
}

static void
second_stage_flags_are_taken_for_set(void **state)
{
    struct dma *dma = dma_create(DMA_NESTED);
    uint64_t pe = dma_pasid(dma, DMA_PASID, DMA_DID);
    struct told told;

    (void)state;
    dma_flip(dma, pe, TABLES_PE_SSADE);
    dma->model->before_exchange = no_exchange;
    assert_int_equal(ask_of(dma, DMA_IOVA, R | W, &told), VTD_FR_OK);
    assert_int_equal(told.page.gpa, DMA_GPA);
    assert_true(told.page.perm & W);
    assert_int_equal(told.trail.count, 4 + 4 + 5 * 4);
    dma_destroy(dma);
}

/* Before the third read of the page's entry it is of another page. */
static struct {
    int (*mem_read)(void *ctx, uint64_t gpa, void *buf, size_t len);
    struct dma *dma;
    unsigned reads;
} racing;

static int
read_and_race(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    if (gpa == racing.dma->leaf && ++racing.reads == 3) {
        dma_flip(racing.dma, gpa, UINT64_C(1) << 35);
    }
    return racing.mem_read(ctx, gpa, buf, len);
}

/* One for the steps, one for the entry, one to set a flag of it. */
static void
an_entry_that_changes_meanwhile_is_read_again(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    struct told told;

    (void)state;
    racing.mem_read = dma->model->ops.mem_read;
    racing.dma = dma;
    dma->model->ops.mem_read = read_and_race;
    assert_int_equal(ask_of(dma, DMA_IOVA, R, &told), VTD_FR_OK);
    assert_int_equal(told.page.gpa, DMA_GPA ^ UINT64_C(1) << 35);
    assert_true(racing.reads > 3);
    dma_destroy(dma);
}

static void
what_is_not_remapped_is_told(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);
    struct told told;

    (void)state;
    model_w4(dma->model, VTD_OFF_GCMD, 0);
    assert_int_equal(ask_of(dma, 0x5123, R, &told), VTD_FR_OK);
    assert_int_equal(told.trail.count, 0);
    assert_int_equal(told.ctx.stage, VTD_STAGE_NONE);
    assert_page(&told, 0x5000, VTD_PERM_ALL);
    dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(ask(dma, &told), VTD_FR_BLOCKED);
    dma->req.at = VTD_AT_UNTRANSLATED;
    model_w4(dma->model, VTD_OFF_PMEN, 0x80000000);
    assert_int_equal(ask(dma, &told), VTD_FR_BLOCKED);
    assert_page(&told, 0x5000, 0);
    dma_destroy(dma);
}

static void
pass_through_is_told(void **state)
{
    (void)state;
    for (unsigned scalable = 0; scalable < 2; scalable++) {
        struct dma *dma = dma_create(scalable ? DMA_PASS : DMA_LEGACY_PASS);
        struct told told;

        assert_int_equal(ask_of(dma, 0x5123, R, &told), VTD_FR_OK);
        assert_int_equal(told.trail.count, scalable ? 4 : 2);
        assert_int_equal(told.ctx.stage, VTD_STAGE_PASS);
        assert_page(&told, 0x5000, VTD_PERM_ALL);
        assert_int_equal(ask_of(dma, UINT64_C(1) << 60, R, &told),
                         scalable ? VTD_FR_DMA_WIDTH : VTD_FR_ADDR_WIDTH);
        model_w4(dma->model, VTD_OFF_PMEN, 0x80000000);
        assert_int_equal(ask_of(dma, 0x5123, R, &told), VTD_FR_BLOCKED);
        dma_destroy(dma);
    }
}

static void
translated_requests_are_told(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);
    struct told told;

    (void)state;
    dma->req.at = VTD_AT_TRANSLATED;
    assert_int_equal(ask_of(dma, 0x5123, R, &told), VTD_FR_BLOCKED);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(ask_of(dma, 0x5123, R, &told), VTD_FR_OK);
    assert_int_equal(told.trail.count, 2);
    assert_page(&told, 0x5000, VTD_PERM_ALL);
    assert_int_equal(ask_of(dma, INTERRUPTS, R, &told), VTD_FR_SM_INT_RANGE);
    dma_destroy(dma);
}

static void
interrupt_addresses_are_told(void **state)
{
    struct dma *dma = dma_create(DMA_LEGACY);
    struct told told;

    (void)state;
    tables_context_set(&dma->tables, dma->context,
                       dma->second.root | TABLES_TT_SECOND_ATS, TABLES_AW_48,
                       DMA_DID);
    assert_int_equal(ask_of(dma, INTERRUPTS, W, &told), VTD_FR_IR_INVALID);
    assert_int_equal(ask_of(dma, INTERRUPTS, 0, &told), VTD_FR_OK);
    assert_page(&told, INTERRUPTS, 0);
    dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(ask_of(dma, INTERRUPTS, R | W, &told), VTD_FR_OK);
    assert_page(&told, INTERRUPTS, W);
    assert_int_equal(told.trail.count, 2);
    assert_int_equal(ask_of(dma, INTERRUPTS + 0xfffff, R, &told), VTD_FR_OK);
    assert_page(&told, INTERRUPTS + 0xff000, W);
    /* Those before and behind are none. */
    assert_int_equal(ask_of(dma, INTERRUPTS - 1, R, &told), VTD_FR_READ);
    assert_int_equal(ask_of(dma, INTERRUPTS + 0x100000, R, &told), VTD_FR_READ);
    dma_destroy(dma);
}

static void
a_torn_view_tells_nothing(void **state)
{
    struct outside *outside = outside_create(DMA_LEGACY);
    struct told told;

    (void)state;
    outside->view->seq++;
    assert_int_equal(ask(outside->dma, &told), VTD_FR_BLOCKED);
    assert_int_equal(told.trail.count, 0);
    outside_destroy(outside);
}

static struct {
    unsigned count;
    uint64_t arg[4];
} traced;

static void
note_walk(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    (void)ctx;
    if (ev == VTD_EV_WALK) {
        traced.count++;
        memcpy(traced.arg, arg, sizeof(traced.arg));
    }
}

static void
walks_of_the_unit_are_traced(void **state)
{
    struct dma *dma = dma_create(DMA_SECOND);
    struct model *model = dma->model;
    const uint64_t page[] = { DMA_SID, DMA_PASID, DMA_IOVA, VTD_FR_OK };
    const uint64_t none[] = { DMA_SID, DMA_PASID, DMA_IOVA + PAGE_END,
                              VTD_FR_SS_PERM };

    (void)state;
    vtd_destroy(model->vtd);
    model->ops.trace = note_walk;
    model->vtd = vtd_create(&vtd_config_full, &model->ops, model);
    assert_non_null(model->vtd);
    dma_latch(dma, VTD_TTM_SCALABLE);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(traced.count, 1);
    assert_memory_equal(traced.arg, page, sizeof(page));
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(traced.count, 1);
    assert_int_equal(dma_access(dma, DMA_IOVA + PAGE_END, R), VTD_FR_SS_PERM);
    assert_int_equal(traced.count, 2);
    assert_memory_equal(traced.arg, none, sizeof(none));
    dma_destroy(dma);
}

/* --- what is cached ------------------------------------------------------ */

static unsigned
list(const struct dma *dma, struct vtd_tlb_info info[4])
{
    const struct vtd *vtd = dma->model->vtd;
    unsigned n = 0;

    for (unsigned i = 0; i < vtd_tlb_size(vtd); i++) {
        struct vtd_tlb_info one;

        if (vtd_tlb_info(vtd, i, &one)) {
            assert_true(n < 4);
            info[n++] = one;
        }
    }
    return n;
}

static void
cached_translations_are_listed(void **state)
{
    struct dma *dma = dma_create(DMA_FIRST);
    struct vtd_tlb_info info[4];

    (void)state;
    assert_int_equal(list(dma, info), 0);
    assert_int_equal(dma_access(dma, DMA_IOVA + 0x123, R), VTD_FR_OK);
    assert_int_equal(list(dma, info), 1);
    assert_int_equal(info[0].iova, DMA_IOVA);
    assert_int_equal(info[0].gpa, DMA_GPA);
    assert_int_equal(info[0].sid, DMA_SID);
    assert_int_equal(info[0].pasid, DMA_PASID);
    assert_int_equal(info[0].shift, 12);
    assert_int_equal(info[0].access, R | X);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
    assert_int_equal(list(dma, info), 2);
    vtd_forget(dma->model->vtd);
    assert_int_equal(list(dma, info), 0);
    dma->req.pasid = VTD_NO_PASID;
    assert_int_equal(dma_access(dma, DMA_IOVA, W), VTD_FR_OK);
    assert_int_equal(list(dma, info), 1);
    assert_int_equal(info[0].pasid, VTD_NO_PASID);
    assert_int_equal(info[0].access, R | W | X);
    dma_destroy(dma);
}

static void
invalidations_are_counted_by_kind(void **state)
{
    struct outside *outside = outside_create(DMA_LEGACY);
    struct vtd *vtd = outside->dma->model->vtd;
    struct vtd_gen_info was, is;

    (void)state;
    queue_enable(outside);
    vtd_gen_info(vtd, &was);
    model_queue_run(outside->dma->model, 0x12, 0); /* translations, all */
    vtd_gen_info(vtd, &is);
    assert_int_equal(is.translations - was.translations, 1);
    assert_int_equal(is.contexts - was.contexts, 0);
    assert_int_equal(is.invalidations - was.invalidations, 1);
    model_queue_run(outside->dma->model, 0x11, 0); /* contexts, all */
    model_queue_run(outside->dma->model, 0x22 | DMA_DID << 16, 0);
    vtd_gen_info(vtd, &is);
    assert_int_equal(is.translations - was.translations, 2);
    assert_int_equal(is.contexts - was.contexts, 1);
    assert_int_equal(is.invalidations - was.invalidations, 3);
    outside_destroy(outside);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_is_told_from_the_root_on),
        cmocka_unit_test(a_fault_is_told_and_not_recorded),
        cmocka_unit_test(memory_is_looked_at_and_not_the_cache),
        cmocka_unit_test(flags_that_cannot_be_set_are_told),
        cmocka_unit_test(second_stage_flags_are_taken_for_set),
        cmocka_unit_test(an_entry_that_changes_meanwhile_is_read_again),
        cmocka_unit_test(what_is_not_remapped_is_told),
        cmocka_unit_test(pass_through_is_told),
        cmocka_unit_test(translated_requests_are_told),
        cmocka_unit_test(interrupt_addresses_are_told),
        cmocka_unit_test(walks_of_the_unit_are_traced),
        cmocka_unit_test(a_torn_view_tells_nothing),
        cmocka_unit_test(cached_translations_are_listed),
        cmocka_unit_test(invalidations_are_counted_by_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
