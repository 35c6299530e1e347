/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks of the first stage nested on the second, and what an inspector sees of
 * a walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walker.h"

#define BIT(n) (UINT64_C(1) << (n))
#define P      TABLES_FS_P
#define RW     TABLES_FS_RW
#define US     TABLES_FS_US
#define A      TABLES_FS_A
#define D      TABLES_FS_D
#define ALL    (P | RW | US | A | D)
#define SS_RW  (TABLES_SS_R | TABLES_SS_W)

#define UR VTD_DMA_READ
#define UW VTD_DMA_WRITE
#define UX (VTD_DMA_READ | VTD_DMA_EXEC)

#define LEVELS 4u
/* Where the second stage has what is at 0 in memory. */
#define BEHIND UINT64_C(0x4000000000)
/* What is translated: in the first stage, behind it, and in the end. */
#define IOVA  UINT64_C(0x5a5b7c9e3000)
#define INNER UINT64_C(0x123456789000)
#define OUTER UINT64_C(0xabcdef012000)

/* Tables of the first stage by level, and where INNER's entry is. */
struct nest {
    struct tables_map second;
    uint64_t table[LEVELS + 1];
    uint64_t inner;
};

static uint64_t
first_entry(const struct nest *nest, unsigned level)
{
    return nest->table[level] + (IOVA >> (3 + 9 * level) & 0x1ff) * 8;
}

/* Where the second stage's entry for the first stage's table of @level is. */
static uint64_t
second_entry(struct walker *w, const struct nest *nest, unsigned level)
{
    return tables_entry(&w->tables, nest->second.root, LEVELS,
                        BEHIND + nest->table[level], 1, 0);
}

static struct nest
setup_nest(struct walker *w)
{
    struct nest nest = { .second = { .root = tables_pages(&w->tables, 1),
                                     .levels = LEVELS,
                                     .path = SS_RW } };
    uint64_t next = INNER;

    for (unsigned level = 1; level <= LEVELS; level++) {
        nest.table[level] = tables_pages(&w->tables, 1);
        tables_map(&w->tables, &nest.second, BEHIND + nest.table[level],
                   nest.table[level], 12, SS_RW);
        walker_q_set(w, first_entry(&nest, level), next | ALL);
        next = BEHIND + nest.table[level];
    }
    nest.inner = tables_map(&w->tables, &nest.second, INNER, OUTER, 12, SS_RW);
    w->ctx = (struct vtd_dma_ctx){ .fs_root = next,
                                   .ss_root = nest.second.root,
                                   .stage = VTD_STAGE_NESTED,
                                   .fs_levels = LEVELS,
                                   .ss_levels = LEVELS,
                                   .scalable = true,
                                   .pwsnp = true };
    return nest;
}

static void
both_stages_are_walked(void **state)
{
    struct walker *w = *state;

    setup_nest(w);
    assert_int_equal(walker_walk(w, IOVA + 0x678, UX | UW), VTD_FR_OK);
    assert_int_equal(w->page.gpa, OUTER);
    assert_int_equal(w->page.shift, 12);
    assert_int_equal(w->page.perm, VTD_PERM_ALL);
    assert_false(w->page.snoop || w->page.global);
    /* The second stage has all tables in one of its own, the page elsewhere. */
    assert_int_equal(w->reads, LEVELS + LEVELS + (LEVELS - 1) + LEVELS);
    assert_int_equal(w->exchanges, 0);
    assert_int_equal(w->hint.level, 0);
    assert_int_equal(walker_walk(w, BIT(47), UR), VTD_FR_FS_CANONICAL);
}

static void
hints_are_not_taken(void **state)
{
    struct walker *w = *state;

    setup_nest(w);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    w->hint = (struct vtd_walk_hint){ .table = 0x1000, .level = 1 };
    assert_int_equal(vtd_walk(&w->env, &w->ctx, IOVA, UR, &w->hint, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->page.gpa, OUTER);
    assert_int_equal(w->hint.level, 0);
}

static void
the_smaller_page_counts(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    static const struct {
        uint8_t first, second, both;
    } row[] = { { 21, 12, 12 }, { 21, 21, 21 }, { 21, 30, 21 },
                { 30, 12, 12 }, { 30, 21, 21 }, { 30, 30, 30 } };

    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        unsigned level = (row[i].first - 12) / 9 + 1;
        uint64_t inner = BIT(40) + i * BIT(30);
        uint64_t within = IOVA & (BIT(row[i].first) - 1);
        uint64_t outer = within & (BIT(row[i].second) - 1);

        walker_q_set(w, first_entry(&nest, level), inner | ALL | TABLES_PS);
        tables_map(&w->tables, &nest.second, inner + within, 0, row[i].second,
                   SS_RW);
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
        assert_int_equal(w->page.gpa, outer);
        assert_int_equal(w->page.shift, row[i].both);
    }
    /* And small pages on large ones. */
    nest = setup_nest(w);
    walker_q_set(w, first_entry(&nest, 1), BIT(45) | 0x5000 | ALL);
    tables_map(&w->tables, &nest.second, BIT(45), 0x40000000, 30, SS_RW);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_int_equal(w->page.gpa, 0x40005000);
    assert_int_equal(w->page.shift, 12);
}

static void
permissions_of_both_stages_count(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    walker_flip(w, nest.inner, TABLES_SS_W);
    assert_int_equal(walker_walk(w, IOVA, UX), VTD_FR_OK);
    assert_int_equal(w->page.perm, 055);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_SM_WRITE);
    walker_flip(w, nest.inner, SS_RW);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
    assert_int_equal(w->page.perm, 022);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SM_READ);
    assert_int_equal(walker_walk(w, IOVA, VTD_DMA_EXEC), VTD_FR_SM_READ);
    walker_flip(w, nest.inner, TABLES_SS_W);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_PERM);
    walker_flip(w, nest.inner, SS_RW);

    walker_flip(w, first_entry(&nest, 1), RW);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_SM_WRITE);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_int_equal(w->page.perm, 075);
    walker_flip(w, first_entry(&nest, 2), US);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_FS_USER);
    walker_flip(w, first_entry(&nest, 3), P);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_FS_P);
}

static void
snooping_and_global_pages(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    walker_flip(w, first_entry(&nest, 1), TABLES_FS_G);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_true(w->page.global);
    assert_false(w->page.snoop);
    walker_flip(w, nest.inner, TABLES_SS_SNP);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_true(w->page.snoop);
    walker_flip(w, nest.inner, TABLES_SS_SNP);
    w->ctx.pgsnp = true;
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_true(w->page.snoop);
}

static void
first_stage_tables_must_be_readable(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    for (unsigned level = 1; level <= LEVELS; level++) {
        bool top = level == LEVELS;
        uint64_t entry = second_entry(w, &nest, level);
        enum vtd_fr read = top ? VTD_FR_NEST_ROOT_READ : VTD_FR_NEST_READ;

        walker_flip(w, entry, SS_RW);
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_PERM);
        walker_flip(w, entry, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UW), read);
        walker_flip(w, entry, TABLES_SS_R);
        walker_flip(w, entry, BIT(62));
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_RSVD);
        walker_flip(w, entry, BIT(62));
        w->bad_gpa = entry;
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_ACCESS);
        w->bad_gpa = first_entry(&nest, level);
        assert_int_equal(walker_walk(w, IOVA, UR),
                         top ? VTD_FR_FS_ROOT_ACCESS : VTD_FR_FS_ACCESS);
        w->bad_gpa = 0;
    }
    w->ctx.ss_root = WALKER_RAM;
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_ROOT);
}

static void
first_stage_addresses_are_as_wide_as_the_second_stage(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    uint64_t leaf = walker_q(w, first_entry(&nest, 1));

    w->config.haw = 52;
    walker_q_set(w, first_entry(&nest, 1), BIT(48) | ALL);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WIDTH);
    w->config.mgaw = 48;
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WIDTH);
    walker_q_set(w, first_entry(&nest, 1), leaf);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    for (unsigned level = 2; level <= LEVELS; level++) {
        walker_flip(w, first_entry(&nest, level), BIT(48));
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WIDTH);
        w->config.mgaw = 57;
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WIDTH);
        w->config.mgaw = 48;
        walker_flip(w, first_entry(&nest, level), BIT(48));
    }
    w->ctx.fs_root |= BIT(51);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WIDTH);
}

static void
no_output_among_interrupts(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    tables_map(&w->tables, &nest.second, INNER, 0xfee01000, 12, SS_RW);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_SM_INT_RANGE);
    /* In between it is an address like any other. */
    walker_q_set(w, first_entry(&nest, 1), 0xfee02000 | ALL);
    tables_map(&w->tables, &nest.second, 0xfee02000, OUTER, 12, SS_RW);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
    assert_int_equal(w->page.gpa, OUTER);
}

/* --- accessed and dirty -------------------------------------------------- */

static void
first_stage_flags_are_written_through_the_second(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    for (unsigned level = 1; level <= LEVELS; level++) {
        uint64_t entry = first_entry(&nest, level);
        uint64_t second = second_entry(w, &nest, level);

        walker_flip(w, entry, A);
        walker_flip(w, second, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_NEST_WRITE);
        assert_false(walker_q(w, entry) & A);
        walker_flip(w, second, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
        assert_true(walker_q(w, entry) & A);
        assert_int_equal(w->exchanges, 1);
        /* With all flags set nothing has to be written. */
        walker_flip(w, second, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
        walker_flip(w, second, TABLES_SS_W);
    }
    walker_flip(w, first_entry(&nest, 1), D);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    assert_int_equal(w->page.perm, 055);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
    assert_int_equal(w->page.perm, 077);
    w->ctx.pwsnp = false;
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
    walker_flip(w, first_entry(&nest, 1), D);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_FS_AD);
}

static void
second_stage_flags_tell_tables_from_pages(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    uint64_t flags = TABLES_SS_A | TABLES_SS_D;

    w->ctx.ssade = true;
    walker_flip(w, first_entry(&nest, 2), A);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    /* The one first-stage table that was written is dirty. */
    for (unsigned level = 1; level <= LEVELS; level++) {
        assert_int_equal(walker_q(w, second_entry(w, &nest, level)) & flags,
                         level == 2 ? flags : TABLES_SS_A);
    }
    assert_int_equal(walker_q(w, nest.inner) & flags, TABLES_SS_A);
    assert_int_equal(w->page.perm, 055);
    assert_int_equal(walker_walk(w, IOVA, UW), VTD_FR_OK);
    assert_int_equal(walker_q(w, nest.inner) & flags, flags);
    assert_int_equal(w->page.perm, 077);
}

/* Where the second stage has flags, first-stage tables are written by reading. */
static void
with_second_stage_flags_tables_must_be_writable(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);

    w->ctx.ssade = true;
    for (unsigned level = 1; level <= LEVELS; level++) {
        uint64_t second = second_entry(w, &nest, level);

        walker_flip(w, second, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UR), level == LEVELS
                                                       ? VTD_FR_NEST_ROOT_READ
                                                       : VTD_FR_NEST_READ);
        walker_flip(w, second, TABLES_SS_W);
        assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
        /* But nothing was written. */
        assert_false(walker_q(w, second) & TABLES_SS_D);
    }
    w->ctx.pwsnp = false;
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_OK);
    walker_flip(w, nest.inner, TABLES_SS_A);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SS_AD);
}

static void
a_zero_length_read_looks_at_the_second_stage_alone(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    const uint8_t zero = UR | VTD_PERM_ZERO;

    walker_flip(w, nest.inner, TABLES_SS_R);
    assert_int_equal(walker_walk(w, IOVA, UR), VTD_FR_SM_READ);
    assert_int_equal(walker_walk(w, IOVA, zero), VTD_FR_OK);
    assert_int_equal(w->page.perm, 022);
    walker_flip(w, first_entry(&nest, 2), US);
    assert_int_equal(walker_walk(w, IOVA, zero), VTD_FR_FS_USER);
    walker_flip(w, first_entry(&nest, 2), US);
    walker_flip(w, nest.inner, TABLES_SS_W);
    assert_int_equal(walker_walk(w, IOVA, zero), VTD_FR_SS_PERM);
}

/* --- inspection ---------------------------------------------------------- */

/* The same through entries that say it, for a request with PASID 70. */
static void
setup_request(struct walker *w)
{
    uint64_t root = tables_pages(&w->tables, 1);
    uint64_t dir = tables_pages(&w->tables, 1);
    uint64_t entry;

    w->req.pasid = 70;
    w->req.iova = IOVA + 5;
    w->env.root = (struct vtd_root){ .base = root,
                                     .ttm = VTD_TTM_SCALABLE,
                                     .latched = true };
    entry = tables_sm_context(&w->tables, root, w->req.sid);
    walker_q_set(w, entry, dir | TABLES_SM_PASIDE | 1);
    entry = tables_pasid(&w->tables, dir, w->req.pasid);
    walker_q_set(w, entry,
                 w->ctx.ss_root | TABLES_PE_NESTED |
                     TABLES_PE_AW(TABLES_AW_48) | 1);
    walker_q_set(w, entry + 8, TABLES_PE1_PWSNP);
    walker_q_set(w, entry + 16, w->ctx.fs_root);
}

static void
an_inspector_sees_every_step(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    static struct vtd_trail trail;
    static const char *const what[] = { "root", "context", "pasid-dir",
                                        "pasid" };
    static const uint8_t quads[] = { 1, 4, 1, 8 };
    unsigned first = LEVELS;
    unsigned second = LEVELS;

    setup_request(w);
    w->env.trail = &trail;
    trail.count = 7;
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->page.gpa, OUTER);
    assert_int_equal(w->ctx.pasid, 70);
    assert_int_equal(trail.count, 4 + LEVELS * (LEVELS + 1) + LEVELS);
    for (unsigned i = 0; i < trail.count; i++) {
        const struct vtd_step *step = &trail.step[i];

        for (unsigned q = 0; q < step->quads; q++) {
            assert_int_equal(step->raw[q],
                             walker_q(w, step->gpa + q * UINT64_C(8)));
        }
        if (i < 4) {
            assert_string_equal(step->what, what[i]);
            assert_int_equal(step->level, 0);
            assert_int_equal(step->quads, quads[i]);
        } else if (second > 0) {
            assert_string_equal(step->what, "second-stage");
            assert_int_equal(step->level, second--);
            assert_int_equal(step->quads, 1);
        } else {
            assert_string_equal(step->what, "first-stage");
            assert_int_equal(step->level, first);
            assert_int_equal(step->gpa, first_entry(&nest, first--));
            second = LEVELS;
        }
    }
}

static void
an_inspector_changes_nothing(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    static struct vtd_trail trail;
    static uint8_t before[WALKER_RAM];

    setup_request(w);
    walker_flip(w, first_entry(&nest, 3), A);
    walker_flip(w, first_entry(&nest, 1), A | D);
    w->env.trail = &trail;
    w->req.access = UW;
    memcpy(before, w->ram, sizeof(before));
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_OK);
    /* Nothing was set, so that nothing may be written without a walk. */
    assert_int_equal(w->page.perm, 055);
    assert_int_equal(w->exchanges, 0);
    assert_memory_equal(w->ram, before, sizeof(before));
}

static void
an_inspector_sees_where_a_walk_fails(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    static struct vtd_trail trail;

    setup_request(w);
    w->env.trail = &trail;
    w->bad_gpa = first_entry(&nest, LEVELS);
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_FS_ROOT_ACCESS);
    assert_int_equal(trail.count, 4 + LEVELS + 1);
    assert_int_equal(trail.step[trail.count - 1].gpa, w->bad_gpa);
    assert_int_equal(trail.step[trail.count - 1].quads, 0);
    w->bad_gpa = 0;
    w->req.pasid = 64;
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_PASID_P);
    assert_int_equal(trail.count, 4);
    w->env.root.ttm = VTD_TTM_ABORT;
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_RTA_ABORT);
    assert_int_equal(trail.count, 0);
}

static void
the_longest_trail_has_room(void **state)
{
    struct walker *w = *state;
    struct nest nest = setup_nest(w);
    static struct vtd_trail trail;
    uint64_t root5 = tables_pages(&w->tables, 1);
    uint64_t second5 = tables_pages(&w->tables, 1);
    uint64_t dir;
    uint64_t entry;

    setup_request(w);
    dir = walker_q(
              w, tables_sm_context(&w->tables, w->env.root.base, w->req.sid)) &
          ~UINT64_C(0xfff);
    entry = tables_pasid(&w->tables, dir, w->req.pasid);
    /* One level more of each, with the old tables behind their entry 0. */
    walker_q_set(w, root5, w->ctx.fs_root | ALL);
    walker_q_set(w, second5, nest.second.root | SS_RW);
    tables_map(&w->tables, &nest.second, BEHIND + root5, root5, 12, SS_RW);
    walker_q_set(w, entry,
                 second5 | TABLES_PE_NESTED | TABLES_PE_AW(TABLES_AW_57) | 1);
    walker_q_set(w, entry + 16, (BEHIND + root5) | TABLES_PE2_FS5LP);
    w->env.trail = &trail;
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->page.gpa, OUTER);
    assert_int_equal(trail.count, 4 + 5 * 6 + 5);
    assert_true(trail.count <= VTD_TRAIL_MAX);
}

static void
pass_through_has_no_tables(void **state)
{
    struct walker *w = *state;
    static struct vtd_trail trail;
    uint64_t root = tables_pages(&w->tables, 1);

    w->env.root = (struct vtd_root){ .base = root, .latched = true };
    w->env.trail = &trail;
    tables_context_set(&w->tables, tables_context(&w->tables, root, w->req.sid),
                       TABLES_TT_PASS, TABLES_AW_48, 1);
    assert_int_equal(vtd_walk_inspect(&w->env, &w->req, &w->ctx, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->ctx.stage, VTD_STAGE_PASS);
    assert_int_equal(trail.count, 2);
    assert_int_equal(trail.step[0].quads, 2);
    assert_int_equal(trail.step[1].quads, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(both_stages_are_walked),
        WALKER_TEST(hints_are_not_taken),
        WALKER_TEST(the_smaller_page_counts),
        WALKER_TEST(permissions_of_both_stages_count),
        WALKER_TEST(snooping_and_global_pages),
        WALKER_TEST(first_stage_tables_must_be_readable),
        WALKER_TEST(first_stage_addresses_are_as_wide_as_the_second_stage),
        WALKER_TEST(no_output_among_interrupts),
        WALKER_TEST(first_stage_flags_are_written_through_the_second),
        WALKER_TEST(second_stage_flags_tell_tables_from_pages),
        WALKER_TEST(with_second_stage_flags_tables_must_be_writable),
        WALKER_TEST(a_zero_length_read_looks_at_the_second_stage_alone),
        WALKER_TEST(an_inspector_sees_every_step),
        WALKER_TEST(an_inspector_changes_nothing),
        WALKER_TEST(an_inspector_sees_where_a_walk_fails),
        WALKER_TEST(the_longest_trail_has_room),
        WALKER_TEST(pass_through_has_no_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
