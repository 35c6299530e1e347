/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks of the first stage alone. */
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
#define EA     TABLES_FS_EA
#define XD     TABLES_FS_XD
#define ALL    (P | RW | US | A | D)

/* Needs of users' and of supervisors' requests. */
#define UR VTD_DMA_READ
#define UW VTD_DMA_WRITE
#define UX (VTD_DMA_READ | VTD_DMA_EXEC)
#define SR (UR << VTD_PERM_SUPER_SHIFT)
#define SW (UW << VTD_PERM_SUPER_SHIFT)
#define SX (UX << VTD_PERM_SUPER_SHIFT)

#define GPA UINT64_C(0xabcd12345000)

static struct tables_map
setup_tables(struct walker *w, unsigned levels)
{
    struct tables_map map = { .root = tables_pages(&w->tables, 1),
                              .levels = levels,
                              .path = P | RW | US | A };

    w->ctx = (struct vtd_dma_ctx){ .fs_root = map.root,
                                   .stage = VTD_STAGE_FIRST,
                                   .fs_levels = (uint8_t)levels,
                                   .scalable = true,
                                   .pwsnp = true };
    return map;
}

static uint64_t
some_iova(unsigned levels)
{
    return UINT64_C(0x00a5a5b7c9e3f6d8) & (BIT(11 + 9 * levels) - 1);
}

static uint64_t
entry_of(struct walker *w, const struct tables_map *map, uint64_t iova,
         unsigned level)
{
    return tables_entry(&w->tables, map->root, map->levels, iova, level, 0);
}

static void
every_size_at_every_depth(void **state)
{
    struct walker *w = *state;

    for (unsigned levels = 4; levels <= 5; levels++) {
        for (unsigned level = 1; level <= 3; level++) {
            struct tables_map map = setup_tables(w, levels);
            unsigned shift = 3 + 9 * level;
            /* In the upper half, so that all bits above are set. */
            uint64_t iova = some_iova(levels) | ~(BIT(11 + 9 * levels) - 1);
            uint64_t size = BIT(shift);
            uint64_t gpa = GPA & ~(size - 1);

            tables_map(&w->tables, &map, iova, gpa, shift, ALL);
            assert_int_equal(walker_walk(w, iova, UX | UW), VTD_FR_OK);
            assert_int_equal(w->page.gpa,
                             gpa | (iova & (size - 1) & ~UINT64_C(0xfff)));
            assert_int_equal(w->page.shift, shift);
            assert_int_equal(w->page.perm, VTD_PERM_ALL);
            assert_false(w->page.snoop || w->page.global);
            assert_int_equal(w->reads, levels - level + 1);
            assert_int_equal(w->exchanges, 0);
            iova &= ~(size - 1);
            assert_int_equal(walker_walk(w, iova, UR), VTD_FR_OK);
            assert_int_equal(w->page.gpa, gpa);
            assert_int_equal(walker_walk(w, iova + size - 1, UR), VTD_FR_OK);
            assert_int_equal(w->page.gpa, gpa + size - 4096);
            assert_int_not_equal(walker_walk(w, iova + size, UR), VTD_FR_OK);
            assert_int_not_equal(walker_walk(w, iova - 1, UR), VTD_FR_OK);
        }
    }
}

static void
addresses_are_canonical(void **state)
{
    struct walker *w = *state;

    for (unsigned levels = 4; levels <= 5; levels++) {
        struct tables_map map = setup_tables(w, levels);
        uint64_t half = BIT(11 + 9 * levels);

        tables_map(&w->tables, &map, half - 4096, 0x1000, 12, ALL);
        tables_map(&w->tables, &map, -half, 0x2000, 12, ALL);
        assert_int_equal(walker_walk(w, half - 1, UR), VTD_FR_OK);
        assert_int_equal(walker_walk(w, -half, UR), VTD_FR_OK);
        assert_int_equal(walker_walk(w, half, UR), VTD_FR_FS_CANONICAL);
        assert_int_equal(walker_walk(w, -half - 1, UR), VTD_FR_FS_CANONICAL);
        assert_int_equal(w->reads, 0);
        assert_int_equal(walker_walk(w, BIT(63), UR), VTD_FR_FS_CANONICAL);
    }
}

/* Of the entry at @entry, exactly the bits @rsvd but P are reserved. */
static void
assert_rsvd(struct walker *w, uint64_t entry, uint64_t iova, uint64_t rsvd)
{
    for (unsigned bit = 1; bit < 64; bit++) {
        enum vtd_fr fr;

        walker_flip(w, entry, BIT(bit));
        fr = walker_walk(w, iova, UR);
        walker_flip(w, entry, BIT(bit));
        if (rsvd & BIT(bit)) {
            assert_int_equal(fr, VTD_FR_FS_RSVD);
        } else {
            assert_int_not_equal(fr, VTD_FR_FS_RSVD);
        }
    }
}

#define RSVD_HAW UINT64_C(0x000f000000000000)

static void
reserved_bits(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 5);
    uint64_t iova = some_iova(5);
    uint64_t entry = tables_map(&w->tables, &map, iova, GPA, 12, ALL);

    assert_rsvd(w, entry, iova, RSVD_HAW);
    /* A table's entry as a page's is out of line, or has no such size. */
    for (unsigned level = 2; level <= 5; level++) {
        assert_rsvd(w, entry_of(w, &map, iova, level), iova,
                    RSVD_HAW | TABLES_PS);
    }
    w->config.haw = 52;
    assert_rsvd(w, entry, iova, 0);
    w->config.haw = 36;
    walker_q_set(w, entry, 0x1000 | ALL);
    assert_rsvd(w, entry_of(w, &map, iova, 4), iova,
                (BIT(52) - BIT(36)) | TABLES_PS);
    w->config.haw = 48;
    for (unsigned level = 2; level <= 3; level++) {
        unsigned shift = 3 + 9 * level;

        map = setup_tables(w, 4);
        iova = some_iova(4);
        entry = tables_map(&w->tables, &map, iova, GPA & ~(BIT(shift) - 1),
                           shift, ALL);
        /* Bit 12 is PAT, and no part of the address. */
        assert_rsvd(w, entry, iova, RSVD_HAW | (BIT(shift) - BIT(13)));
        walker_flip(w, entry, BIT(12));
        assert_int_equal(walker_walk(w, iova & ~(BIT(shift) - 1), UR),
                         VTD_FR_OK);
        assert_int_equal(w->page.gpa, GPA & ~(BIT(shift) - 1));
    }
}

static void
large_pages_need_their_capability(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 5);

    tables_map(&w->tables, &map, 0, 0, 30, ALL);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    w->config.fs1gp = false;
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_FS_RSVD);
    tables_map(&w->tables, &map, BIT(30), 0, 21, ALL);
    assert_int_equal(walker_walk(w, BIT(30), UR), VTD_FR_OK);
    w->config.fs1gp = true;
    tables_map(&w->tables, &map, BIT(40), 0, 39, ALL);
    assert_int_equal(walker_walk(w, BIT(40), UR), VTD_FR_FS_RSVD);
    tables_map(&w->tables, &map, BIT(50), 0, 48, ALL);
    assert_int_equal(walker_walk(w, BIT(50), UR), VTD_FR_FS_RSVD);
}

static void
entries_must_be_there(void **state)
{
    struct walker *w = *state;

    for (unsigned levels = 4; levels <= 5; levels++) {
        struct tables_map map = setup_tables(w, levels);

        tables_map(&w->tables, &map, 0, 0x1000, 12, ALL);
        for (unsigned level = 1; level <= levels; level++) {
            uint64_t entry = entry_of(w, &map, 0, level);

            walker_flip(w, entry, P);
            assert_int_equal(walker_walk(w, 0, UR), VTD_FR_FS_P);
            /* What is not present has no reserved bits. */
            walker_flip(w, entry, RSVD_HAW);
            assert_int_equal(walker_walk(w, 0, UR), VTD_FR_FS_P);
            walker_flip(w, entry, P | RSVD_HAW);
            w->bad_gpa = entry;
            assert_int_equal(walker_walk(w, 0, UR), level == levels
                                                        ? VTD_FR_FS_ROOT_ACCESS
                                                        : VTD_FR_FS_ACCESS);
            w->bad_gpa = 0;
        }
    }
}

/* Every right taken away at every level, against every kind of request. */
static void
rights_of_all_levels_count(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);
    static const struct {
        uint64_t flip;
        bool wpe;
        uint8_t perm;
        enum vtd_fr fr[6]; /* UR UW UX SR SW SX */
    } row[] = {
        { 0, false, 077, { 0, 0, 0, 0, 0, 0 } },
        { 0, true, 077, { 0, 0, 0, 0, 0, 0 } },
        { RW, false, 075, { 0, 0x85, 0, 0, 0, 0 } },
        { RW, true, 055, { 0, 0x85, 0, 0, 0x85, 0 } },
        { US, false, 070, { 0x81, 0x81, 0x81, 0, 0, 0 } },
        { US, true, 070, { 0x81, 0x81, 0x81, 0, 0, 0 } },
        { XD, false, 033, { 0, 0, 0x82, 0, 0, 0x82 } },
        { RW | US, true, 050, { 0x81, 0x81, 0x81, 0, 0x85, 0 } },
        { RW | XD, true, 011, { 0, 0x85, 0x82, 0, 0x85, 0x82 } },
        { RW | US | XD, false, 030, { 0x81, 0x81, 0x81, 0, 0, 0x82 } },
    };
    static const uint8_t need[6] = { UR, UW, UX, SR, SW, SX };

    tables_map(&w->tables, &map, 0, 0x1000, 12, ALL);
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        w->ctx.wpe = row[i].wpe;
        for (unsigned level = 1; level <= 4; level++) {
            uint64_t entry = entry_of(w, &map, 0, level);

            walker_flip(w, entry, row[i].flip);
            for (unsigned n = 0; n < 6; n++) {
                assert_int_equal(walker_walk(w, 0, need[n]), row[i].fr[n]);
                if (row[i].fr[n] == VTD_FR_OK) {
                    assert_int_equal(w->page.perm, row[i].perm);
                }
            }
            walker_flip(w, entry, row[i].flip);
        }
    }
    /* A write that may not execute either fails as a write. */
    w->ctx.wpe = false;
    walker_flip(w, entry_of(w, &map, 0, 1), RW | XD);
    assert_int_equal(walker_walk(w, 0, UW | UX), VTD_FR_SM_WRITE);
}

static void
global_and_snooped_pages(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);

    tables_map(&w->tables, &map, 0, 0x1000, 12, ALL | TABLES_FS_G);
    tables_map(&w->tables, &map, BIT(30), 0, 30, ALL | TABLES_FS_G);
    tables_map(&w->tables, &map, 0x1000, 0x1000, 12, ALL);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_true(w->page.global);
    assert_int_equal(walker_walk(w, BIT(30), UR), VTD_FR_OK);
    assert_true(w->page.global);
    /* Of a table it says nothing. */
    walker_flip(w, entry_of(w, &map, 0, 2), TABLES_FS_G);
    assert_int_equal(walker_walk(w, 0x1000, UR), VTD_FR_OK);
    assert_false(w->page.global);
    assert_false(w->page.snoop);
    w->ctx.pgsnp = true;
    assert_int_equal(walker_walk(w, 0x1000, UR), VTD_FR_OK);
    assert_true(w->page.snoop);
}

static void
no_output_among_interrupts(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);

    tables_map(&w->tables, &map, 0, 0xc0000000, 30, ALL);
    assert_int_equal(walker_walk(w, 0x3ee00000, UR), VTD_FR_SM_INT_RANGE);
    assert_int_equal(walker_walk(w, 0x3eefffff, UR), VTD_FR_SM_INT_RANGE);
    assert_int_equal(walker_walk(w, 0x3ef00000, UR), VTD_FR_OK);
    assert_int_equal(w->page.shift, 12);
    assert_int_equal(walker_walk(w, 0x3ed00000, UR), VTD_FR_OK);
    assert_int_equal(w->page.shift, 21);
}

static void
a_walk_begins_where_another_ended(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 5);
    struct vtd_walk_hint hint;

    tables_map(&w->tables, &map, 0, 0x1000, 12, ALL);
    tables_map(&w->tables, &map, 0x1000, 0x7000, 12, ALL);
    walker_flip(w, entry_of(w, &map, 0, 3), RW);
    walker_flip(w, entry_of(w, &map, 0, 5), XD);
    w->ctx.wpe = true;
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_int_equal(w->hint.level, 1);
    assert_int_equal(w->hint.table, entry_of(w, &map, 0, 1));
    hint = w->hint;
    w->reads = 0;
    assert_int_equal(vtd_walk(&w->env, &w->ctx, 0x1000, UR, &w->hint, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->reads, 1);
    assert_int_equal(w->page.gpa, 0x7000);
    /* What the tables above permit is not forgotten. */
    assert_int_equal(w->page.perm, 011);
    assert_memory_equal(&w->hint, &hint, sizeof(hint));
    w->bad_gpa = entry_of(w, &map, 0, 1);
    assert_int_equal(vtd_walk(&w->env, &w->ctx, 0, UR, &w->hint, &w->page),
                     VTD_FR_FS_ACCESS);
}

/* --- accessed, extended accessed and dirty ------------------------------- */

static void
flags_clear(struct walker *w, const struct tables_map *map)
{
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t entry = entry_of(w, map, 0, level);

        walker_q_set(w, entry, walker_q(w, entry) & ~(A | D | EA));
    }
}

/* @other are the flags of all entries but the last. */
static void
assert_flags(struct walker *w, const struct tables_map *map, uint64_t other,
             uint64_t last)
{
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t entry = walker_q(w, entry_of(w, map, 0, level));

        assert_int_equal(entry & (A | D | EA), level > 1 ? other : last);
    }
}

static void
flags_are_set(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);
    uint64_t leaf = tables_map(&w->tables, &map, 0, 0x1000, 12, P | RW | US);

    flags_clear(w, &map);
    /* A fault leaves the last entry alone. */
    walker_flip(w, leaf, RW);
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_SM_WRITE);
    assert_flags(w, &map, A, 0);
    walker_flip(w, leaf, RW);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_flags(w, &map, A, A);
    assert_int_equal(w->exchanges, 1);
    /* A later write must walk, so that it sets D. */
    assert_int_equal(w->page.perm, 055);
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_OK);
    assert_flags(w, &map, A, A | D);
    assert_int_equal(w->page.perm, 077);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_int_equal(w->exchanges, 0);
    assert_int_equal(w->page.perm, 077);
    walker_flip(w, leaf, A | D);
    assert_int_equal(walker_walk(w, 0, SW), VTD_FR_OK);
    assert_flags(w, &map, A, A | D);
    assert_int_equal(w->exchanges, 1);
}

static void
extended_flags_are_set_where_they_are_enabled(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);

    tables_map(&w->tables, &map, 0, 0x1000, 12, ALL);
    w->ctx.eafe = true;
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_flags(w, &map, A | EA, A | D | EA);
    flags_clear(w, &map);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_flags(w, &map, A | EA, A | EA);
    assert_int_equal(w->exchanges, 4);
}

static void
large_pages_have_flags(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);
    uint64_t leaf = tables_map(&w->tables, &map, 0, 0, 30, P | RW | US);

    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_OK);
    assert_int_equal(walker_q(w, leaf), TABLES_PS | ALL);
}

static void
flags_need_a_walk_that_snoops(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);
    uint64_t leaf =
        tables_map(&w->tables, &map, 0, 0x1000, 12, P | RW | US | A);

    w->ctx.pwsnp = false;
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_FS_AD);
    walker_flip(w, leaf, A);
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_FS_AD);
    assert_int_equal(w->exchanges, 0);
}

static void
a_lost_race_is_decided_anew(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4);
    uint64_t leaf =
        tables_map(&w->tables, &map, 0, 0x1000, 12, P | RW | US | A);

    /* The page moves. */
    w->races = 1;
    w->race_flip = 0x6000;
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_OK);
    assert_int_equal(w->page.gpa, 0x7000);
    assert_int_equal(walker_q(w, leaf), 0x7000 | ALL);
    /* It becomes read-only. */
    walker_flip(w, leaf, D);
    w->races = 1;
    w->race_flip = RW;
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_SM_WRITE);
    assert_int_equal(walker_q(w, leaf), 0x7000 | P | US | A);
    /* It goes. */
    walker_flip(w, leaf, RW);
    w->races = 1;
    w->race_flip = P;
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_FS_P);
    assert_int_equal(walker_q(w, leaf), 0x7000 | RW | US | A);
}

static void
races_end(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 5);
    uint64_t leaf = tables_map(&w->tables, &map, 0, 0x1000, 12, P | RW | US);

    w->race_flip = BIT(60);
    w->races = UINT32_MAX;
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_FS_AD_FAILED);
    assert_int_equal(w->exchanges, 16);
    assert_false(walker_q(w, leaf) & (A | D));
    /* One race less is won. */
    w->races = 15;
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_OK);
    assert_int_equal(w->exchanges, 16);
    walker_flip(w, leaf, D);
    w->ro_gpa = leaf;
    assert_int_equal(walker_walk(w, 0, UR), VTD_FR_OK);
    assert_int_equal(walker_walk(w, 0, UW), VTD_FR_FS_AD_FAILED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(every_size_at_every_depth),
        WALKER_TEST(addresses_are_canonical),
        WALKER_TEST(reserved_bits),
        WALKER_TEST(large_pages_need_their_capability),
        WALKER_TEST(entries_must_be_there),
        WALKER_TEST(rights_of_all_levels_count),
        WALKER_TEST(global_and_snooped_pages),
        WALKER_TEST(no_output_among_interrupts),
        WALKER_TEST(a_walk_begins_where_another_ended),
        WALKER_TEST(flags_are_set),
        WALKER_TEST(extended_flags_are_set_where_they_are_enabled),
        WALKER_TEST(large_pages_have_flags),
        WALKER_TEST(flags_need_a_walk_that_snoops),
        WALKER_TEST(a_lost_race_is_decided_anew),
        WALKER_TEST(races_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
