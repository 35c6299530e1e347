/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who translates through a view by himself gets the unit's answers, and keeps
 * none of them longer than the unit does.
 */
#include "tests/unit/vtd-outside.h"

#include <signal.h>
#include <sys/mman.h>

#define BIT(n)   (UINT64_C(1) << (n))
#define OTHER    (DMA_GPA ^ BIT(35))
#define PAGE_END UINT64_C(0x1000)

static const enum dma_kind kinds[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                       DMA_NESTED };
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void
assert_same_answer(const struct vtd_dma_resp *a, const struct vtd_dma_resp *b)
{
    assert_int_equal(a->gpa, b->gpa);
    assert_int_equal(a->shift, b->shift);
    assert_int_equal(a->access, b->access);
    assert_int_equal(a->snoop, b->snoop);
    assert_int_equal(a->global, b->global);
    assert_int_equal(a->untranslated, b->untranslated);
}

/* --- the same answers ---------------------------------------------------- */

/* Whether the unit has recorded something, which is cleared. */
static bool
take_record(struct model *model)
{
    bool found = model_r4(model, VTD_OFF_FSTS) & VTD_FSTS_PPF;

    model_faults_clear(model);
    return found;
}

static void
assert_same(struct outside *outside)
{
    struct dma *dma = outside->dma;
    enum vtd_fr fr = outside_translate(outside);

    assert_false(take_record(dma->model));
    assert_int_equal(fr, dma_translate(dma));
    if (fr == VTD_FR_OK) {
        assert_same_answer(&outside->resp, &dma->resp);
    }
    assert_int_equal(outside->reports, take_record(dma->model));
    assert_true(outside->reports == 0 || fr == VTD_FR_OK ||
                outside->reported == fr);
}

/* Every kind of request, to a page, to nowhere, and to interrupts. */
static void
assert_same_for_all(struct outside *outside)
{
    static const uint64_t iovas[] = {
        DMA_IOVA, DMA_IOVA + 0x123, DMA_IOVA + PAGE_END, INTERRUPTS, BIT(60),
    };
    struct vtd_dma_req *req = &outside->dma->req;
    uint32_t pasid = req->pasid;

    for (unsigned i = 0; i < 5 * 256; i++) {
        *req = (struct vtd_dma_req){
            .iova = iovas[i / 256],
            .pasid = i & 128 ? VTD_NO_PASID : pasid,
            .sid = DMA_SID,
            .access = i & 7,
            .at = (i >> 3 & 3) % 3,
            .privileged = i & 32,
            .atomic = i & 64,
            .no_write = i & 64,
        };
        assert_same(outside);
    }
    req->sid ^= 8;
    assert_same(outside);
}

static void
answers_are_the_units(void **state)
{
    (void)state;
    for (enum dma_kind kind = DMA_LEGACY; kind <= DMA_PASS; kind++) {
        struct outside *outside = outside_create(kind);
        struct model *model = outside->dma->model;

        assert_same_for_all(outside);
        model_w4(model, VTD_OFF_PMEN, 0x80000000);
        assert_same_for_all(outside);
        model_w4(model, VTD_OFF_GCMD, 0);
        assert_same_for_all(outside);
        model_w4(model, VTD_OFF_PLMLIMIT, 0xffffffff);
        model_w8(model, VTD_OFF_PHMLIMIT, UINT64_MAX);
        assert_same_for_all(outside);
        outside_destroy(outside);
    }
}

/* FPD is for the owner, too. */
static void
what_is_not_recorded_is_not_reported(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct outside *outside = outside_create(kinds[i]);
        uint64_t iova = DMA_IOVA + PAGE_END;

        assert_int_not_equal(outside_access(outside, iova, R), VTD_FR_OK);
        assert_int_equal(outside->reports, 1);
        dma_flip(outside->dma, outside->dma->context, TABLES_SM_FPD);
        vtd_forget(outside->dma->model->vtd);
        assert_int_not_equal(outside_access(outside, iova, R), VTD_FR_OK);
        assert_int_equal(outside->reports, 0);
        assert_int_equal(model_fsts(outside->dma->model), 0);
        outside_destroy(outside);
    }
}

/* Told that nothing is permitted, but recorded, too. */
static void
an_answered_request_may_be_reported(void **state)
{
    struct outside *outside = outside_create(DMA_FIRST);

    (void)state;
    outside->dma->model->bad_write = outside->dma->leaf;
    outside->dma->req.at = VTD_AT_TRANSLATION;
    assert_int_equal(outside_access(outside, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(outside->resp.access, 0);
    assert_int_equal(outside->reports, 1);
    assert_int_equal(outside->reported, VTD_FR_FS_AD_FAILED);
    outside_destroy(outside);
}

/* --- walks --------------------------------------------------------------- */

static void
note_walk(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    struct outside *outside = owner;

    assert_memory_equal(req, &outside->req, sizeof(*req));
    outside->reports++;
    outside->reported = fr;
}

/* So many walks are counted, and shown, for one read. */
static void
assert_walks(struct outside *outside, uint64_t iova, unsigned n)
{
    uint64_t before = outside->client->walks;

    (void)outside_access(outside, iova, R);
    assert_int_equal(outside->client->walks - before, n);
    assert_int_equal(outside->reports, n);
}

static void
walks_are_counted_and_shown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < KINDS; i++) {
        struct outside *outside = outside_create(kinds[i]);

        queue_enable(outside);
        outside->client->faulted = NULL;
        outside->client->walked = note_walk;
        assert_walks(outside, DMA_IOVA, 1);
        assert_int_equal(outside->reported, VTD_FR_OK);
        assert_walks(outside, DMA_IOVA + 1, 0);
        assert_true(
            vtd_dma_hit(outside->client, &outside->req, &outside->resp));
        assert_int_equal(outside->resp.gpa, DMA_GPA + 1);
        /* With the context at hand, and all flags set. */
        model_queue_run(outside->dma->model, 0x12, 0);
        assert_walks(outside, DMA_IOVA, 1);
        assert_int_equal(outside->reported, VTD_FR_OK);
        assert_walks(outside, DMA_IOVA + PAGE_END, 1);
        assert_int_not_equal(outside->reported, VTD_FR_OK);
        assert_false(
            vtd_dma_hit(outside->client, &outside->req, &outside->resp));
        /* The unit counts its own. */
        assert_int_equal(dma_walks(outside->dma), 0);
        outside_destroy(outside);
    }
}

/* --- invalidation -------------------------------------------------------- */

/* Kinds, a bit each. */
#define FIRST    (1u << DMA_FIRST | 1u << DMA_NESTED)
#define SECOND   (1u << DMA_LEGACY | 1u << DMA_SECOND)
#define SCALABLE (FIRST | 1u << DMA_SECOND)
#define ANY      (FIRST | SECOND)

#define DID   ((uint64_t)DMA_DID << 16)
#define SID   ((uint64_t)DMA_SID << 32)
#define PASID ((uint64_t)DMA_PASID << 32)

/* Descriptors that cover the page, of these kinds. */
static const struct {
    const char *what;
    uint64_t lo, hi;
    unsigned kinds;
} invs[] = {
    { "contexts, all", 0x11, 0, ANY },
    { "contexts of the domain", 0x21 | DID, 0, ANY },
    { "the context", 0x31 | DID | SID, 0, ANY },
    { "translations, all", 0x12, 0, ANY },
    { "translations of the domain", 0x22 | DID, 0, ANY },
    { "the page", 0x32 | DID, DMA_IOVA, SECOND },
    { "PASIDs, all", 0x37, 0, SCALABLE },
    { "PASIDs of the domain", 0x07 | DID, 0, SCALABLE },
    { "the PASID", 0x17 | DID | PASID, 0, SCALABLE },
    { "translations of the PASID", 0x26 | DID | PASID, 0, SCALABLE },
    { "the page of the PASID", 0x36 | DID | PASID, DMA_IOVA, FIRST },
};

static void
assert_inv_reaches(struct outside *outside, unsigned i)
{
    struct dma *dma = outside->dma;

    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    dma_flip(dma, dma->leaf, BIT(35));
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    model_queue_run(dma->model, invs[i].lo, invs[i].hi);
    assert_int_equal(model_fsts(dma->model), 0);
    assert_reaches(outside, DMA_IOVA, OTHER);
    /* And back, for the next. */
    dma_flip(dma, dma->leaf, BIT(35));
    vtd_forget(dma->model->vtd);
}

static void
each_invalidation_is_seen(void **state)
{
    (void)state;
    for (unsigned k = 0; k < KINDS; k++) {
        struct outside *outside = outside_create(kinds[k]);

        if (kinds[k] == DMA_NESTED) {
            dma_map(outside->dma, DMA_IOVA + PAGE_END, OTHER, 12);
        }
        queue_enable(outside);
        for (unsigned i = 0; i < sizeof(invs) / sizeof(invs[0]); i++) {
            if (!(invs[i].kinds & 1u << kinds[k])) {
                continue;
            }
            print_message("kind %u: %s\n", kinds[k], invs[i].what);
            assert_inv_reaches(outside, i);
        }
        outside_destroy(outside);
    }
}

/* By registers, in legacy mode. */
static void
commands_by_register_are_seen(void **state)
{
    static const struct {
        uint16_t off;
        uint64_t val;
    } writes[] = { { VTD_OFF_CCMD, BIT(63) | BIT(61) },
                   { VTD_OFF_IOTLB, BIT(63) | BIT(60) } };
    struct outside *outside = outside_create(DMA_LEGACY);
    struct dma *dma = outside->dma;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        assert_reaches(outside, DMA_IOVA, i ? OTHER : DMA_GPA);
        dma_flip(dma, dma->leaf, BIT(35));
        assert_reaches(outside, DMA_IOVA, i ? OTHER : DMA_GPA);
        model_w8(dma->model, writes[i].off, writes[i].val);
        assert_reaches(outside, DMA_IOVA, i ? DMA_GPA : OTHER);
    }
    outside_destroy(outside);
}

/* Without any invalidation by software. */
static void
enabling_and_disabling_is_seen(void **state)
{
    (void)state;
    for (enum dma_kind kind = DMA_LEGACY; kind <= DMA_PASS; kind++) {
        struct outside *outside = outside_create(kind);
        struct model *model = outside->dma->model;
        bool pass = kind == DMA_LEGACY_PASS || kind == DMA_PASS;
        uint64_t iova = pass ? DMA_GPA : DMA_IOVA;

        for (unsigned i = 0; i < 3; i++) {
            assert_reaches(outside, iova, DMA_GPA);
            assert_reaches(outside, iova, DMA_GPA);
            model_w4(model, VTD_OFF_GCMD, 0);
            assert_reaches(outside, iova, iova);
            model_w4(model, VTD_OFF_GCMD, (uint32_t)VTD_GCMD_TE);
        }
        outside_destroy(outside);
    }
}

/* ESRTPS or not: a new root counts at once. */
static void
another_root_is_seen(void **state)
{
    (void)state;
    for (unsigned esrtps = 0; esrtps < 2; esrtps++) {
        struct vtd_config config = vtd_config_full;
        struct outside *outside;
        struct dma *dma;

        config.esrtps = esrtps;
        outside = outside_create_config(&config, DMA_LEGACY);
        dma = outside->dma;
        assert_reaches(outside, DMA_IOVA, DMA_GPA);
        /* Whose tables are empty. */
        dma->root = tables_pages(&dma->tables, 1);
        dma_latch(dma, VTD_TTM_LEGACY);
        assert_int_equal(outside_access(outside, DMA_IOVA, R), VTD_FR_ROOT_P);
        outside_destroy(outside);
    }
}

static void
protecting_memory_is_seen(void **state)
{
    struct outside *outside = outside_create(DMA_PASS);
    struct model *model = outside->dma->model;

    (void)state;
    for (unsigned te = 0; te < 2; te++) {
        assert_reaches(outside, 0x5000, 0x5000);
        model_w4(model, VTD_OFF_PMEN, 0x80000000);
        assert_int_equal(outside_access(outside, 0x5000, R), VTD_FR_BLOCKED);
        assert_int_equal(outside->reports, 0);
        assert_reaches(outside, 0x200000, 0x200000);
        model_w4(model, VTD_OFF_PLMLIMIT, 0x200000);
        assert_int_equal(outside_access(outside, 0x200000, R), VTD_FR_BLOCKED);
        model_w4(model, VTD_OFF_PMEN, 0);
        assert_reaches(outside, 0x200000, 0x200000);
        model_w4(model, VTD_OFF_PLMLIMIT, 0);
        model_w4(model, VTD_OFF_GCMD, 0);
    }
    outside_destroy(outside);
}

static void
a_reset_is_seen(void **state)
{
    struct outside *outside = outside_create(DMA_NESTED);

    (void)state;
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    vtd_reset(outside->dma->model->vtd);
    assert_reaches(outside, DMA_IOVA, DMA_IOVA);
    outside_destroy(outside);
}

/* A device that changes hands is none of the guest's business. */
static void
forgetting_is_seen_and_told_to_nobody(void **state)
{
    struct outside *outside = outside_create(DMA_FIRST);
    struct dma *dma = outside->dma;
    unsigned told;

    (void)state;
    model_sinks_attach(dma->model);
    dma_latch(dma, VTD_TTM_SCALABLE);
    vtd_dma_init(outside->client, dma->model->vtd->view, &dma->model->ops,
                 dma->model);
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    dma_flip(dma, dma->leaf, BIT(35));
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, DMA_GPA);
    told = dma->model->inv_count;
    vtd_forget(dma->model->vtd);
    assert_int_equal(dma->model->inv_count, told);
    assert_reaches(outside, DMA_IOVA, OTHER);
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, OTHER);
    outside_destroy(outside);
}

/* Each of several has its own. */
static void
caches_are_separate(void **state)
{
    struct outside *outside = outside_create(DMA_SECOND);
    struct dma *dma = outside->dma;

    (void)state;
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    dma_flip(dma, dma->leaf, BIT(35));
    assert_int_equal(dma_access(dma, DMA_IOVA, R), VTD_FR_OK);
    assert_int_equal(dma->resp.gpa, OTHER);
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    outside_destroy(outside);
}

/* --- an invalidation between any two instructions ------------------------- */

#define HOST_PAGE 4096u
#define NEXT      (DMA_IOVA + PAGE_END)

/* Where the counter is of the 64 KiB that both pages lie in. */
static struct {
    struct outside *outside;
    uint8_t *counters;
    uint64_t leaf;
    unsigned faults;
} moment;

/* Its entry has been read, the counter has not: now the guest moves the page. */
static void
on_counter(int signal, siginfo_t *info, void *ucontext)
{
    (void)signal;
    (void)ucontext;
    if ((uint8_t *)info->si_addr - moment.counters >= HOST_PAGE ||
        mprotect(moment.counters, HOST_PAGE, PROT_READ | PROT_WRITE)) {
        abort();
    }
    moment.faults++;
    dma_flip(moment.outside->dma, moment.leaf, BIT(35));
    vtd_gens_invalidate_pages(&moment.outside->view->gens, DMA_DID, NEXT, 12,
                              false);
}

/* As outside_create(), with the counters at the beginning of a host's page. */
static struct outside *
create_on_pages(void)
{
    size_t size = (sizeof(struct vtd_view) / HOST_PAGE + 1) * HOST_PAGE;
    struct outside *outside = outside_create(DMA_LEGACY);
    struct model *model = outside->dma->model;

    vtd_destroy(model->vtd);
    outside->view = outside_alloc(HOST_PAGE, size);
    model->vtd =
        vtd_create_view(&vtd_config_full, &model->ops, model, outside->view);
    assert_non_null(model->vtd);
    vtd_dma_init(outside->client, outside->view, &model->ops, model);
    dma_latch(outside->dma, VTD_TTM_LEGACY);
    return outside;
}

static void
an_invalidation_before_the_counter_is_read_counts(void **state)
{
    const struct sigaction action = { .sa_sigaction = on_counter,
                                      .sa_flags = SA_SIGINFO };
    struct outside *outside = create_on_pages();
    const struct vtd_gens *gens = &outside->view->gens;
    const struct vtd_tlb_entry *entry;
    void *view = outside->view;
    uintptr_t at;

    (void)state;
    moment.outside = outside;
    moment.leaf = dma_map(outside->dma, NEXT, DMA_GPA, 12);
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    entry = vtd_tlb_slot(&outside->client->cache, &outside->req);
    at = (uintptr_t)&gens->gen[entry->dep[3]];
    moment.counters = (uint8_t *)(at - at % HOST_PAGE);
    assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
    assert_int_equal(mprotect(moment.counters, HOST_PAGE, PROT_NONE), 0);
    /* This one may still have been under way. */
    assert_int_equal(outside_access(outside, NEXT, R), VTD_FR_OK);
    assert_int_equal(moment.faults, 1);
    assert_reaches(outside, NEXT, OTHER);
    (void)signal(SIGSEGV, SIG_DFL);
    outside_destroy(outside);
    free(view);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_the_units),
        cmocka_unit_test(what_is_not_recorded_is_not_reported),
        cmocka_unit_test(an_answered_request_may_be_reported),
        cmocka_unit_test(walks_are_counted_and_shown),
        cmocka_unit_test(each_invalidation_is_seen),
        cmocka_unit_test(commands_by_register_are_seen),
        cmocka_unit_test(enabling_and_disabling_is_seen),
        cmocka_unit_test(another_root_is_seen),
        cmocka_unit_test(protecting_memory_is_seen),
        cmocka_unit_test(a_reset_is_seen),
        cmocka_unit_test(forgetting_is_seen_and_told_to_nobody),
        cmocka_unit_test(caches_are_separate),
        cmocka_unit_test(an_invalidation_before_the_counter_is_read_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
