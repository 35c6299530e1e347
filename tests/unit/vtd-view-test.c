/* SPDX-License-Identifier: GPL-2.0-only */
/* What a unit exports, and when it changes. */
#include "tests/unit/vtd-outside.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

static struct vtd_view_state
read_state(const struct vtd_view *view)
{
    struct vtd_view_state state;

    assert_true(vtd_view_read(view, &state));
    return state;
}

static void
the_root_is_what_srtp_latched(void **state)
{
    struct outside *outside = outside_create(DMA_SECOND);
    struct model *model = outside->dma->model;
    struct vtd_root root = read_state(outside->view).root;

    (void)state;
    assert_true(root.latched && root.enabled);
    assert_int_equal(root.base, outside->dma->root);
    assert_int_equal(root.ttm, VTD_TTM_SCALABLE);
    /* The register is not consulted. */
    model_w8(model, VTD_OFF_RTADDR, 0x7000);
    assert_int_equal(read_state(outside->view).root.base, outside->dma->root);
    model_w4(model, VTD_OFF_GCMD, 0);
    root = read_state(outside->view).root;
    assert_true(root.latched && !root.enabled);
    vtd_reset(model->vtd);
    root = read_state(outside->view).root;
    assert_false(root.latched || root.enabled);
    outside_destroy(outside);
}

static void
the_configuration_is_the_units(void **state)
{
    struct outside *outside = outside_create(DMA_SECOND);

    (void)state;
    assert_memory_equal(&outside->view->config, &vtd_config_full,
                        sizeof(vtd_config_full));
    outside_destroy(outside);
}

static void
protected_memory_is_there_while_enabled(void **state)
{
    struct outside *outside = outside_create(DMA_LEGACY_PASS);
    struct model *model = outside->dma->model;
    struct vtd_pmr pmr;

    (void)state;
    model_w4(model, VTD_OFF_PLMBASE, 0x400000);
    model_w4(model, VTD_OFF_PLMLIMIT, 0x600000);
    model_w8(model, VTD_OFF_PHMBASE, UINT64_C(0x100000000));
    model_w8(model, VTD_OFF_PHMLIMIT, UINT64_C(0x140000000));
    pmr = read_state(outside->view).pmr;
    assert_true(pmr.low > pmr.low_last && pmr.high > pmr.high_last);
    model_w4(model, VTD_OFF_PMEN, 0x80000000);
    pmr = read_state(outside->view).pmr;
    assert_int_equal(pmr.low, 0x400000);
    assert_int_equal(pmr.low_last, 0x7fffff);
    assert_int_equal(pmr.high, UINT64_C(0x100000000));
    assert_int_equal(pmr.high_last, UINT64_C(0x1401fffff));
    model_w4(model, VTD_OFF_PLMBASE, 0x600000);
    assert_int_equal(read_state(outside->view).pmr.low, 0x600000);
    model_w4(model, VTD_OFF_PMEN, 0);
    pmr = read_state(outside->view).pmr;
    assert_true(pmr.low > pmr.low_last && pmr.high > pmr.high_last);
    outside_destroy(outside);
}

/* Others would not know, and might hold what the state was before. */
static void
each_change_moves_everything(void **state)
{
    static const struct {
        uint16_t off;
        uint32_t val;
        bool moves;
    } writes[] = {
        { VTD_OFF_PLMBASE, 0x400000, false },
        { VTD_OFF_PLMLIMIT, 0x600000, false },
        { VTD_OFF_PMEN, 0x80000000, true },
        { VTD_OFF_PMEN, 0x80000000, false },
        { VTD_OFF_PLMBASE, 0x600000, true },
        { VTD_OFF_PLMLIMIT, 0x800000, true },
        { VTD_OFF_PHMLIMIT, 0x200000, true },
        { VTD_OFF_PHMBASE, 0x200000, true },
        { VTD_OFF_PMEN, 0, true },
        { VTD_OFF_GCMD, 0, true },          /* TE off */
        { VTD_OFF_GCMD, 0, false },         /* again */
        { VTD_OFF_GCMD, 0x80000000, true }, /* on */
        { VTD_OFF_GCMD, 0xc0000000, true }, /* SRTP, with ESRTPS */
    };
    struct outside *outside = outside_create(DMA_LEGACY);
    const struct vtd_gens *gens = &outside->view->gens;

    (void)state;
    for (unsigned i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        uint64_t all = gens->gen[VTD_GEN_ALL];
        uint64_t contexts = gens->gen[VTD_GEN_CTX_ALL];

        print_message("%#x: %#x\n", writes[i].off, writes[i].val);
        model_w4(outside->dma->model, writes[i].off, writes[i].val);
        assert_int_equal(gens->gen[VTD_GEN_ALL] != all, writes[i].moves);
        assert_int_equal(gens->gen[VTD_GEN_CTX_ALL] != contexts,
                         writes[i].moves);
    }
    outside_destroy(outside);
}

/* An owner that died in the middle, or is in the middle for too long. */
static void
a_torn_state_is_not_read(void **state)
{
    struct outside *outside = outside_create(DMA_LEGACY);
    struct vtd_view_state is;

    (void)state;
    outside->view->seq++;
    assert_false(vtd_view_read(outside->view, &is));
    assert_int_equal(outside_access(outside, DMA_IOVA, R), VTD_FR_BLOCKED);
    assert_int_equal(outside->reports, 0);
    outside->dma->req.at = VTD_AT_TRANSLATED;
    assert_int_equal(outside_access(outside, DMA_IOVA, R), VTD_FR_BLOCKED);
    outside->dma->req.at = VTD_AT_UNTRANSLATED;
    assert_int_equal(outside_access(outside, INTERRUPTS, R), VTD_FR_BLOCKED);
    assert_int_equal(outside->reports, 0);
    outside->view->seq++;
    assert_true(vtd_view_read(outside->view, &is));
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    /* Who knows the context need not read the state. */
    outside->view->seq++;
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    dma_map(outside->dma, DMA_IOVA + 0x1000, DMA_GPA, 12);
    assert_reaches(outside, DMA_IOVA + 0x1000, DMA_GPA);
    outside->view->seq++;
    outside_destroy(outside);
}

static void
a_torn_state_lets_nothing_pass(void **state)
{
    struct outside *outside = outside_create(DMA_PASS);

    (void)state;
    assert_reaches(outside, 0x5000, 0x5000);
    outside->view->seq++;
    assert_int_equal(outside_access(outside, 0x5000, R), VTD_FR_BLOCKED);
    assert_int_equal(outside->reports, 0);
    outside->view->seq++;
    assert_reaches(outside, 0x5000, 0x5000);
    outside_destroy(outside);
}

/* --- a writer beside a reader -------------------------------------------- */

/* All words of a state are of one number. */
static struct vtd_view_state
state_of(uint64_t n)
{
    return (struct vtd_view_state){
        .root = { .base = n, .ttm = n & 3, .enabled = n & 1 },
        .pmr = { n, n, n, n },
    };
}

static void
assert_whole(const struct vtd_view_state *is)
{
    struct vtd_view_state want = state_of(is->root.base);

    assert_memory_equal(&is->pmr, &want.pmr, sizeof(is->pmr));
    assert_int_equal(is->root.ttm, want.root.ttm);
    assert_int_equal(is->root.enabled, want.root.enabled);
}

/*
 * A view of which the end of the state lies on a page of its own, so that the
 * moment can be told in which a half of it was read or written.
 */
#define HOST_PAGE 4096u
#define SPLIT     ((offsetof(struct vtd_view, state) + 63) / 64 * 64)
_Static_assert(offsetof(struct vtd_view, seq) < SPLIT &&
                   offsetof(struct vtd_view, state.root) < SPLIT &&
                   SPLIT < offsetof(struct vtd_view, config),
               "the state is not split");

struct halves {
    uint8_t *block;
    uint8_t *second; /* the page */
    struct vtd_view *view;
    unsigned faults;
    bool odd;     /* in that moment */
    bool writing; /* it is a reader's: somebody writes */
};

static struct halves halves;

static void
on_fault(int signal, siginfo_t *info, void *ucontext)
{
    (void)signal;
    (void)ucontext;
    if ((uint8_t *)info->si_addr - halves.second >= HOST_PAGE ||
        mprotect(halves.second, HOST_PAGE, PROT_READ | PROT_WRITE)) {
        abort();
    }
    halves.faults++;
    halves.odd = halves.view->seq & 1;
    if (halves.writing) {
        struct vtd_view_state state = state_of(9);

        vtd_view_write(halves.view, &state);
    }
}

static void
split(bool writing, int access)
{
    const struct sigaction action = { .sa_sigaction = on_fault,
                                      .sa_flags = SA_SIGINFO };
    struct vtd_view_state state = state_of(4);
    size_t before = (SPLIT + HOST_PAGE - 1) / HOST_PAGE * HOST_PAGE;

    halves = (struct halves){ .writing = writing };
    halves.block = outside_alloc(HOST_PAGE, before + HOST_PAGE);
    halves.second = halves.block + before;
    halves.view = (void *)(halves.second - SPLIT);
    vtd_view_write(halves.view, &state);
    assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
    assert_int_equal(mprotect(halves.second, HOST_PAGE, access), 0);
}

static void
unsplit(void)
{
    assert_int_equal(halves.faults, 1);
    (void)signal(SIGSEGV, SIG_DFL);
    free(halves.block);
}

static void
a_state_that_changed_meanwhile_is_read_again(void **state)
{
    struct vtd_view_state is;

    (void)state;
    split(true, PROT_NONE);
    is = read_state(halves.view);
    assert_int_equal(is.root.base, 9);
    assert_whole(&is);
    unsplit();
}

static void
a_state_is_torn_while_it_is_written(void **state)
{
    const struct vtd_view_state to = state_of(7);
    struct vtd_view_state is;

    (void)state;
    split(false, PROT_READ);
    vtd_view_write(halves.view, &to);
    assert_true(halves.odd);
    is = read_state(halves.view);
    assert_int_equal(is.root.base, 7);
    assert_whole(&is);
    unsplit();
}

struct race {
    struct vtd_view *view;
    atomic_bool stop;
    atomic_uint turns;
};

static void *
write_states(void *arg)
{
    struct race *race = arg;

    for (uint64_t n = 0; !atomic_load(&race->stop); n++) {
        struct vtd_view_state state = state_of(n);

        vtd_view_write(race->view, &state);
        atomic_fetch_add(&race->turns, 1);
        /* A guest needs as long at least for its next write. */
        for (unsigned i = 0; i < 1000 && !atomic_load(&race->stop); i++) {
        }
    }
    return NULL;
}

/* Who reads may give up if the writer is not running. */
static void
a_reader_sees_states_that_were_written(void **state)
{
    struct race race = { .view = outside_alloc(_Alignof(struct vtd_view),
                                               sizeof(struct vtd_view)) };
    pthread_t writer;
    unsigned reads = 0;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, write_states, &race), 0);
    while (reads < 100000 || atomic_load(&race.turns) < 1000) {
        struct vtd_view_state is;

        if (vtd_view_read(race.view, &is)) {
            assert_whole(&is);
            reads++;
        }
    }
    atomic_store(&race.stop, true);
    assert_int_equal(pthread_join(writer, NULL), 0);
    free(race.view);
}

/* --- whose memory it is -------------------------------------------------- */

static void
the_view_may_be_the_callers(void **state)
{
    struct vtd_view *view =
        outside_alloc(_Alignof(struct vtd_view), sizeof(struct vtd_view));
    struct outside *outside = outside_create(DMA_LEGACY);
    struct model *model = outside->dma->model;

    (void)state;
    vtd_destroy(model->vtd);
    model->vtd = vtd_create_view(&vtd_config_full, &model->ops, model, view);
    assert_non_null(model->vtd);
    vtd_dma_init(outside->client, view, &model->ops, model);
    outside->client->faulted = NULL;
    assert_reaches(outside, DMA_IOVA, DMA_IOVA);
    dma_latch(outside->dma, VTD_TTM_LEGACY);
    assert_int_equal(read_state(view).root.base, outside->dma->root);
    assert_reaches(outside, DMA_IOVA, DMA_GPA);
    /* Nobody is told. */
    assert_int_equal(outside_access(outside, 0, R), VTD_FR_READ);
    vtd_destroy(model->vtd);
    model->vtd = NULL;
    assert_true(read_state(view).root.enabled);
    outside_destroy(outside);
    free(view);
}

static void
loading_a_state_changes_the_view(void **state)
{
    struct outside *from = outside_create(DMA_LEGACY);
    struct outside *to = outside_create(DMA_LEGACY);
    struct model *model = from->dma->model;
    uint8_t saved[4096];
    struct vtd_view_state was, is;

    (void)state;
    model_w4(model, VTD_OFF_PLMLIMIT, 0x600000);
    model_w4(model, VTD_OFF_PMEN, 0x80000000);
    vtd_save(model->vtd, saved);
    was = read_state(from->view);
    model_w4(to->dma->model, VTD_OFF_GCMD, 0);
    assert_reaches(to, DMA_IOVA, DMA_IOVA);
    assert_int_equal(
        vtd_load(to->dma->model->vtd, saved, vtd_save_size(model->vtd)), 0);
    is = read_state(to->view);
    assert_memory_equal(&is.pmr, &was.pmr, sizeof(is.pmr));
    assert_true(is.root.enabled && is.root.base == was.root.base);
    assert_reaches(to, DMA_IOVA, DMA_GPA);
    outside_destroy(from);
    outside_destroy(to);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_what_srtp_latched),
        cmocka_unit_test(the_configuration_is_the_units),
        cmocka_unit_test(protected_memory_is_there_while_enabled),
        cmocka_unit_test(each_change_moves_everything),
        cmocka_unit_test(a_torn_state_is_not_read),
        cmocka_unit_test(a_torn_state_lets_nothing_pass),
        cmocka_unit_test(a_state_that_changed_meanwhile_is_read_again),
        cmocka_unit_test(a_state_is_torn_while_it_is_written),
        cmocka_unit_test(a_reader_sees_states_that_were_written),
        cmocka_unit_test(the_view_may_be_the_callers),
        cmocka_unit_test(loading_a_state_changes_the_view),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
