/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks of the second stage, in legacy and in scalable mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walker.h"

#define BIT(n) (UINT64_C(1) << (n))
#define R      VTD_DMA_READ
#define W      VTD_DMA_WRITE
#define RW     (R | W)
/* As bits of vtd_page.perm: who asks does not matter, nor does executing. */
#define PERM_R  0x2d
#define PERM_W  0x12
#define PERM_RW 0x3f

#define GPA UINT64_C(0xabcd12345000)

/* Each fault's reason in legacy and in scalable mode. */
static const struct reasons {
    enum vtd_fr root, access, rsvd, none_w, none_r, write, read, width;
} reasons[2] = {
    { 0x03, 0x07, 0x0c, 0x05, 0x06, 0x05, 0x06, 0x04 },
    { 0x7b, 0x78, 0x7a, 0x79, 0x79, 0x85, 0x86, 0x84 },
};

static struct tables_map
setup_tables(struct walker *w, unsigned levels, bool scalable)
{
    struct tables_map map = { .root = tables_pages(&w->tables, 1),
                              .levels = levels,
                              .path = RW };

    w->ctx = (struct vtd_dma_ctx){ .ss_root = map.root,
                                   .stage = VTD_STAGE_SECOND,
                                   .ss_levels = (uint8_t)levels,
                                   .scalable = scalable };
    return map;
}

/* An address that has bits in each level's index and in the page. */
static uint64_t
some_iova(unsigned levels)
{
    return UINT64_C(0x01a5a5b7c9e3f6d8) & (BIT(12 + 9 * levels) - 1);
}

static void
every_size_at_every_depth(void **state)
{
    struct walker *w = *state;

    for (unsigned levels = 3; levels <= 5; levels++) {
        for (unsigned level = 1; level <= 3; level++) {
            struct tables_map map = setup_tables(w, levels, levels % 2);
            unsigned shift = 3 + 9 * level;
            uint64_t iova = some_iova(levels);
            uint64_t size = BIT(shift);
            uint64_t gpa = GPA & ~(size - 1);

            tables_map(&w->tables, &map, iova, gpa, shift, RW);
            assert_int_equal(walker_walk(w, iova, RW), VTD_FR_OK);
            assert_int_equal(w->page.gpa,
                             gpa | (iova & (size - 1) & ~UINT64_C(0xfff)));
            assert_int_equal(w->page.shift, shift);
            assert_int_equal(w->page.perm, PERM_RW);
            assert_false(w->page.snoop || w->page.global);
            assert_int_equal(w->reads, levels - level + 1);
            assert_int_equal(w->exchanges, 0);
            /* First and last byte of it, and the neighbours. */
            iova &= ~(size - 1);
            assert_int_equal(walker_walk(w, iova, R), VTD_FR_OK);
            assert_int_equal(w->page.gpa, gpa);
            assert_int_equal(walker_walk(w, iova + size - 1, R), VTD_FR_OK);
            assert_int_equal(w->page.gpa, gpa + size - 4096);
            assert_int_not_equal(walker_walk(w, iova + size, R), VTD_FR_OK);
            assert_int_not_equal(walker_walk(w, iova - 1, R), VTD_FR_OK);
        }
    }
}

/*
 * Of the entry of @level, exactly the bits @rsvd are reserved.  A walk behind
 * an entry that a flip sends elsewhere may fail otherwise.
 */
static void
assert_rsvd(struct walker *w, uint64_t entry, uint64_t iova, uint64_t rsvd)
{
    for (unsigned bit = 2; bit < 64; bit++) {
        enum vtd_fr fr;

        walker_flip(w, entry, BIT(bit));
        fr = walker_walk(w, iova, RW);
        walker_flip(w, entry, BIT(bit));
        if (rsvd & BIT(bit)) {
            assert_int_equal(fr, reasons[w->ctx.scalable].rsvd);
        } else {
            assert_int_not_equal(fr, reasons[w->ctx.scalable].rsvd);
        }
    }
}

#define RSVD_ALL (UINT64_C(0x400f000000000000)) /* bit 62, 51:48 */
#define RSVD_DIR (RSVD_ALL | 0x800)

static void
reserved_bits_of_tables(void **state)
{
    struct walker *w = *state;

    for (unsigned scalable = 0; scalable < 2; scalable++) {
        struct tables_map map = setup_tables(w, 5, scalable);
        uint64_t iova = some_iova(5);

        tables_map(&w->tables, &map, iova, GPA, 12, RW);
        for (unsigned level = 2; level <= 5; level++) {
            uint64_t entry =
                tables_entry(&w->tables, map.root, 5, iova, level, 0);
            /* A page at these levels is either none, or out of line. */
            uint64_t ps = TABLES_PS;

            assert_rsvd(w, entry, iova, RSVD_DIR | ps);
        }
    }
}

static void
reserved_bits_of_pages(void **state)
{
    struct walker *w = *state;

    for (unsigned level = 1; level <= 3; level++) {
        struct tables_map map = setup_tables(w, 4, level % 2);
        uint64_t iova = some_iova(4);
        unsigned shift = 3 + 9 * level;
        uint64_t within = (BIT(shift) - 1) & ~UINT64_C(0xfff);
        uint64_t entry = tables_map(&w->tables, &map, iova,
                                    GPA & ~(BIT(shift) - 1), shift, RW);

        assert_rsvd(w, entry, iova, RSVD_ALL | within);
        w->config.sc = false;
        assert_rsvd(w, entry, iova, RSVD_ALL | within | TABLES_SS_SNP);
        w->config.sc = true;
    }
}

static void
addresses_are_as_wide_as_the_host(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 3, false);
    uint64_t entry = tables_map(&w->tables, &map, 0, 0x1000, 12, RW);

    for (uint8_t haw = 32; haw <= 52; haw++) {
        uint64_t rsvd = haw < 52 ? (BIT(52) - 1) & ~(BIT(haw) - 1) : 0;

        w->config.haw = haw;
        assert_rsvd(w, entry, 0, rsvd | BIT(62));
    }
}

static void
page_sizes_need_their_capability(void **state)
{
    struct walker *w = *state;

    for (unsigned level = 2; level <= 5; level++) {
        struct tables_map map = setup_tables(w, 5, true);
        uint64_t iova = some_iova(5);
        unsigned shift = 3 + 9 * level;

        tables_map(&w->tables, &map, iova, 0, shift, RW);
        assert_int_equal(walker_walk(w, iova, R),
                         level > 3 ? VTD_FR_SS_RSVD : VTD_FR_OK);
        w->config.ss2m = level != 2;
        w->config.ss1g = level != 3;
        assert_int_equal(walker_walk(w, iova, R), VTD_FR_SS_RSVD);
        w->config.ss2m = w->config.ss1g = true;
    }
}

static void
permissions_of_all_levels_count(void **state)
{
    struct walker *w = *state;

    for (unsigned scalable = 0; scalable < 2; scalable++) {
        const struct reasons *fr = &reasons[scalable];
        struct tables_map map = setup_tables(w, 4, scalable);

        tables_map(&w->tables, &map, 0, 0x1000, 12, RW);
        for (unsigned level = 1; level <= 4; level++) {
            uint64_t entry = tables_entry(&w->tables, map.root, 4, 0, level, 0);

            walker_flip(w, entry, W);
            assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
            assert_int_equal(w->page.perm, PERM_R);
            assert_int_equal(walker_walk(w, 0, 0), VTD_FR_OK);
            assert_int_equal(walker_walk(w, 0, W), fr->write);
            assert_int_equal(walker_walk(w, 0, RW), fr->write);
            walker_flip(w, entry, RW);
            assert_int_equal(walker_walk(w, 0, W), VTD_FR_OK);
            assert_int_equal(w->page.perm, PERM_W);
            assert_int_equal(walker_walk(w, 0, 0), VTD_FR_OK);
            assert_int_equal(walker_walk(w, 0, R), fr->read);
            assert_int_equal(walker_walk(w, 0, RW), fr->read);
            walker_flip(w, entry, W);
            assert_int_equal(walker_walk(w, 0, W), fr->none_w);
            assert_int_equal(walker_walk(w, 0, R), fr->none_r);
            assert_int_equal(walker_walk(w, 0, RW), fr->none_w);
            assert_int_equal(walker_walk(w, 0, 0), fr->none_r);
            walker_flip(w, entry, RW);
        }
    }
}

static void
permissions_meet_at_the_page(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);
    uint64_t entry = tables_map(&w->tables, &map, 0, 0x1000, 12, R);

    walker_q_set(w, tables_entry(&w->tables, map.root, 4, 0, 3, 0),
                 walker_q(w, tables_entry(&w->tables, map.root, 4, 0, 3, 0)) &
                     ~(uint64_t)R);
    /* Neither entry permits nothing, and together they do. */
    assert_int_equal(walker_walk(w, 0, 0), VTD_FR_SS_PERM);
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_SS_PERM);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_PERM);
    /* What is wrong with an entry comes before what it permits. */
    walker_flip(w, entry, BIT(62));
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_RSVD);
    /* An entry that maps nothing has no reserved bits. */
    walker_flip(w, entry, R);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_PERM);
}

static void
supervisors_and_execution_need_nothing_more(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);

    tables_map(&w->tables, &map, 0, 0x1000, 12, R);
    assert_int_equal(walker_walk(w, 0, R | VTD_DMA_EXEC), VTD_FR_OK);
    assert_int_equal(walker_walk(w, 0, R << 3 | VTD_DMA_EXEC << 3), VTD_FR_OK);
    assert_int_equal(walker_walk(w, 0, W << 3), VTD_FR_SM_WRITE);
}

static void
unreadable_tables(void **state)
{
    struct walker *w = *state;

    for (unsigned scalable = 0; scalable < 2; scalable++) {
        for (unsigned levels = 3; levels <= 5; levels++) {
            struct tables_map map = setup_tables(w, levels, scalable);

            tables_map(&w->tables, &map, 0, 0x1000, 12, RW);
            for (unsigned level = 1; level <= levels; level++) {
                w->bad_gpa =
                    tables_entry(&w->tables, map.root, levels, 0, level, 0);
                assert_int_equal(walker_walk(w, 0, R),
                                 level == levels ? reasons[scalable].root
                                                 : reasons[scalable].access);
            }
            w->bad_gpa = 0;
        }
    }
}

static void
addresses_beyond_the_width(void **state)
{
    struct walker *w = *state;

    for (unsigned scalable = 0; scalable < 2; scalable++) {
        const struct reasons *fr = &reasons[scalable];

        for (unsigned levels = 3; levels <= 5; levels++) {
            struct tables_map map = setup_tables(w, levels, scalable);
            unsigned aw = 12 + 9 * levels;

            tables_map(&w->tables, &map, BIT(aw) - 4096, 0x1000, 12, RW);
            assert_int_equal(walker_walk(w, BIT(aw) - 1, R), VTD_FR_OK);
            assert_int_equal(walker_walk(w, BIT(aw), R), fr->width);
            assert_int_equal(w->reads, 0);
            assert_int_equal(walker_walk(w, UINT64_MAX, R), fr->width);
            w->config.mgaw = (uint8_t)(aw - 9);
            assert_int_equal(walker_walk(w, BIT(aw) - 1, R), fr->width);
            assert_int_equal(walker_walk(w, BIT(aw - 9), R), fr->width);
            assert_int_not_equal(walker_walk(w, BIT(aw - 9) - 1, R), fr->width);
            w->config.mgaw = 57;
        }
    }
}

static void
snooping(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);

    tables_map(&w->tables, &map, 0, 0, 30, RW | TABLES_SS_SNP);
    tables_map(&w->tables, &map, BIT(30), 0x1000, 12, RW);
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    assert_true(w->page.snoop);
    assert_int_equal(walker_walk(w, BIT(30), R), VTD_FR_OK);
    assert_false(w->page.snoop);
    w->ctx.pgsnp = true;
    assert_int_equal(walker_walk(w, BIT(30), R), VTD_FR_OK);
    assert_true(w->page.snoop);
}

/* --- the interrupt range ------------------------------------------------- */

static void
no_output_among_interrupts(void **state)
{
    struct walker *w = *state;

    for (unsigned scalable = 0; scalable < 2; scalable++) {
        struct tables_map map = setup_tables(w, 4, scalable);
        enum vtd_fr range = scalable ? VTD_FR_SM_INT_RANGE : VTD_FR_INT_RANGE;
        static const struct {
            uint64_t iova;
            uint8_t shift; /* 0: the fault */
        } row[] = {
            { 0xc0000000, 21 }, { 0xfebff000, 21 }, { 0xfec00000, 21 },
            { 0xfedff000, 21 }, { 0xfee00000, 0 },  { 0xfeefffff, 0 },
            { 0xfef00000, 12 }, { 0xfefff000, 12 }, { 0xff000000, 21 },
            { 0xfffff000, 21 }, { 0xbffff000, 30 }, { 0x1fee00000, 30 },
        };

        for (uint64_t iova = 0; iova < BIT(33); iova += BIT(30)) {
            tables_map(&w->tables, &map, iova, iova, 30, RW);
        }
        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            enum vtd_fr fr = walker_walk(w, row[i].iova, R);

            assert_int_equal(fr, row[i].shift ? VTD_FR_OK : range);
            if (fr == VTD_FR_OK) {
                assert_int_equal(w->page.gpa, row[i].iova);
                assert_int_equal(w->page.shift, row[i].shift);
            }
        }
        map = setup_tables(w, 4, scalable);
        tables_map(&w->tables, &map, 0, 0xfee00000, 21, RW);
        assert_int_equal(walker_walk(w, 0xff000, R), range);
        assert_int_equal(walker_walk(w, 0x100000, R), VTD_FR_OK);
        assert_int_equal(w->page.shift, 12);
        tables_map(&w->tables, &map, BIT(21), 0xfee01000, 12, RW);
        assert_int_equal(walker_walk(w, BIT(21), R), range);
        /* An input there is an address like any other here. */
        tables_map(&w->tables, &map, 0xfee00000, 0x1000, 12, RW);
        assert_int_equal(walker_walk(w, 0xfee00000, R), VTD_FR_OK);
    }
}

/* --- hints --------------------------------------------------------------- */

static void
a_walk_begins_where_another_ended(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, false);
    uint64_t top = tables_map(&w->tables, &map, 0, 0x1000, 12, RW);
    struct vtd_walk_hint hint;

    tables_map(&w->tables, &map, 0x1000, 0x7000, 12, RW);
    tables_map(&w->tables, &map, BIT(30), 0x200000, 21, RW);
    /* Writes are not permitted above the last table. */
    top = tables_entry(&w->tables, map.root, 4, 0, 4, 0);
    walker_flip(w, top, W);

    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    assert_int_equal(w->hint.level, 1);
    assert_int_equal(w->hint.table,
                     tables_entry(&w->tables, map.root, 4, 0, 1, 0));
    hint = w->hint;
    w->reads = 0;
    assert_int_equal(vtd_walk(&w->env, &w->ctx, 0x1000, R, &w->hint, &w->page),
                     VTD_FR_OK);
    assert_int_equal(w->reads, 1);
    assert_int_equal(w->page.gpa, 0x7000);
    assert_int_equal(w->page.perm, PERM_R);
    assert_memory_equal(&w->hint, &hint, sizeof(hint));
    assert_int_equal(vtd_walk(&w->env, &w->ctx, 0x1000, W, &w->hint, &w->page),
                     VTD_FR_WRITE);

    assert_int_equal(walker_walk(w, BIT(30), R), VTD_FR_OK);
    assert_int_equal(w->hint.level, 2);
    assert_int_equal(w->hint.table,
                     tables_entry(&w->tables, map.root, 4, BIT(30), 2, 0));
    w->reads = 0;
    assert_int_equal(
        vtd_walk(&w->env, &w->ctx, BIT(30) + 0x5000, R, &w->hint, &w->page),
        VTD_FR_OK);
    assert_int_equal(w->page.gpa, 0x205000);
    assert_int_equal(w->reads, 1);
    /* The root is not what is read now. */
    w->bad_gpa = tables_entry(&w->tables, map.root, 4, BIT(30), 2, 0);
    assert_int_equal(vtd_walk(&w->env, &w->ctx, BIT(30), R, &w->hint, &w->page),
                     VTD_FR_PT_ACCESS);
}

/* --- accessed and dirty -------------------------------------------------- */

#define A TABLES_SS_A
#define D TABLES_SS_D

/* Flags of the four entries for @iova, A in the low digit, D in the high. */
static unsigned
flags_of(const struct walker *w, uint64_t root)
{
    struct tables tables = w->tables;
    unsigned flags = 0;

    for (unsigned level = 4; level >= 1; level--) {
        uint64_t entry =
            walker_q(w, tables_entry(&tables, root, 4, 0, level, 0));

        flags = flags << 4 | (entry & A ? 1 : 0) | (entry & D ? 2 : 0);
    }
    return flags;
}

static void
flags_are_set_where_they_are_enabled(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);
    uint64_t leaf = tables_map(&w->tables, &map, 0, 0x1000, 12, RW);

    assert_int_equal(walker_walk(w, 0, RW), VTD_FR_OK);
    assert_int_equal(flags_of(w, map.root), 0);
    w->ctx.ssade = w->ctx.pwsnp = true;

    /* A fault leaves the last entry alone. */
    walker_flip(w, leaf, W);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SM_WRITE);
    assert_int_equal(flags_of(w, map.root), 0x1110);
    walker_flip(w, leaf, W);

    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    assert_int_equal(flags_of(w, map.root), 0x1111);
    /* A later write must walk, so that it sets D. */
    assert_int_equal(w->page.perm, PERM_R);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_OK);
    assert_int_equal(flags_of(w, map.root), 0x1113);
    assert_int_equal(w->exchanges, 1);
    assert_int_equal(w->page.perm, PERM_RW);
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    assert_int_equal(w->exchanges, 0);
    assert_int_equal(w->page.perm, PERM_RW);

    walker_flip(w, leaf, A | D);
    assert_int_equal(walker_walk(w, 0, W << VTD_PERM_SUPER_SHIFT), VTD_FR_OK);
    assert_int_equal(w->exchanges, 1);
    assert_int_equal(flags_of(w, map.root), 0x1113);
}

static void
flags_need_a_walk_that_snoops(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);

    tables_map(&w->tables, &map, 0, 0x1000, 12, RW);
    w->ctx.ssade = true;
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_SS_AD);
    assert_int_equal(w->exchanges, 0);
    w->ctx.pwsnp = true;
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    w->ctx.pwsnp = false;
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_AD);
}

static void
a_lost_race_is_decided_anew(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);
    uint64_t leaf = tables_map(&w->tables, &map, 0, 0x1000, 12, RW);

    w->ctx.ssade = w->ctx.pwsnp = true;
    assert_int_equal(walker_walk(w, 0, R), VTD_FR_OK);

    /* The page moves. */
    w->races = 1;
    w->race_flip = 0x6000;
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_OK);
    assert_int_equal(w->page.gpa, 0x7000);
    assert_int_equal(walker_q(w, leaf), 0x7000 | RW | A | D);
    /* It becomes read-only. */
    walker_flip(w, leaf, D);
    w->races = 1;
    w->race_flip = W;
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SM_WRITE);
    assert_int_equal(walker_q(w, leaf), 0x7000 | R | A);
    /* It goes. */
    walker_flip(w, leaf, W);
    w->races = 1;
    w->race_flip = RW;
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_PERM);
    assert_int_equal(walker_q(w, leaf), 0x7000 | A);
}

static void
races_end(void **state)
{
    struct walker *w = *state;
    struct tables_map map = setup_tables(w, 4, true);

    tables_map(&w->tables, &map, 0, 0x1000, 12, RW);
    w->ctx.ssade = w->ctx.pwsnp = true;
    w->race_flip = BIT(60);
    w->races = UINT32_MAX;
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_AD_FAILED);
    assert_true(w->exchanges <= 16);
    /* Nor may setting them succeed for ever. */
    w->race_flip = 0;
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_OK);
    assert_int_equal(w->exchanges, 4);
    w->races = 0;
    w->ro_gpa = tables_entry(&w->tables, map.root, 4, 0, 1, 0);
    walker_flip(w, w->ro_gpa, D);
    assert_int_equal(walker_walk(w, 0, W), VTD_FR_SS_AD_FAILED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        WALKER_TEST(every_size_at_every_depth),
        WALKER_TEST(reserved_bits_of_tables),
        WALKER_TEST(reserved_bits_of_pages),
        WALKER_TEST(addresses_are_as_wide_as_the_host),
        WALKER_TEST(page_sizes_need_their_capability),
        WALKER_TEST(permissions_of_all_levels_count),
        WALKER_TEST(permissions_meet_at_the_page),
        WALKER_TEST(supervisors_and_execution_need_nothing_more),
        WALKER_TEST(unreadable_tables),
        WALKER_TEST(addresses_beyond_the_width),
        WALKER_TEST(snooping),
        WALKER_TEST(no_output_among_interrupts),
        WALKER_TEST(a_walk_begins_where_another_ended),
        WALKER_TEST(flags_are_set_where_they_are_enabled),
        WALKER_TEST(flags_need_a_walk_that_snoops),
        WALKER_TEST(a_lost_race_is_decided_anew),
        WALKER_TEST(races_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
