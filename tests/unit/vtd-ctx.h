/* SPDX-License-Identifier: GPL-2.0-only */
/* Structures for one function, and their faults with FPD set and clear. */
#ifndef TESTS_UNIT_VTD_CTX_H
#define TESTS_UNIT_VTD_CTX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/walker.h"

#define ALL     UINT64_MAX
#define HAW48   (ALL << 48)
#define BIT(n)  (UINT64_C(1) << (n))
#define FPD     UINT64_C(2)
#define SS_ROOT UINT64_C(0x123456789000)
#define FS_ROOT UINT64_C(0xabcdef012000)

/* Where the entries for w->req are. */
struct places {
    uint64_t root, table, dir_entry, pasid;
};

static inline struct places
legacy(struct walker *w)
{
    struct places at = { .root = tables_pages(&w->tables, 1) };

    w->env.root = (struct vtd_root){ .base = at.root,
                                     .ttm = VTD_TTM_LEGACY,
                                     .latched = true };
    at.table = tables_context(&w->tables, at.root, w->req.sid);
    tables_context_set(&w->tables, at.table, SS_ROOT, TABLES_AW_48, 0x1234);
    at.root += UINT64_C(16) * (w->req.sid >> 8);
    return at;
}

/* A directory of @pdts with one PASID: second stage, 4 levels. */
static inline struct places
scalable(struct walker *w, unsigned pdts, uint32_t pasid)
{
    struct places at = { .root = tables_pages(&w->tables, 1) };
    uint64_t dir =
        tables_pages(&w->tables, 1u << pdts >> 2 ? 1u << (pdts - 2) : 1);

    w->env.root = (struct vtd_root){ .base = at.root,
                                     .ttm = VTD_TTM_SCALABLE,
                                     .latched = true };
    at.table = tables_sm_context(&w->tables, at.root, w->req.sid);
    walker_q_set(w, at.table, dir | TABLES_SM_PDTS(pdts) | 1);
    walker_q_set(w, at.table + 8, w->req.pasid == VTD_NO_PASID ? pasid : 0);
    at.pasid = tables_pasid(&w->tables, dir, pasid);
    walker_q_set(w, at.pasid,
                 SS_ROOT | TABLES_PE_SECOND | TABLES_PE_AW(TABLES_AW_48) | 1);
    walker_q_set(w, at.pasid + 8, 0x4321);
    at.root += UINT64_C(16) * (w->req.sid >> 8) + (w->req.sid & 0x80) / 16;
    at.dir_entry = dir + (pasid >> 6) * 8;
    return at;
}

static inline void
assert_found(struct walker *w)
{
    assert_int_equal(walker_resolve(w), VTD_FR_OK);
}

/* The fault, with FPD of the entry at @gpa clear and set. */
static inline void
assert_fault(struct walker *w, enum vtd_fr fr, uint64_t gpa)
{
    uint64_t was = walker_q(w, gpa);

    walker_q_set(w, gpa, was & ~FPD);
    assert_int_equal(walker_resolve(w), fr);
    assert_false(w->ctx.fpd);
    walker_q_set(w, gpa, was | FPD);
    assert_int_equal(walker_resolve(w), fr);
    assert_true(w->ctx.fpd);
    walker_q_set(w, gpa, was);
}

/* The fault, where there is no FPD yet. */
static inline void
assert_early_fault(struct walker *w, enum vtd_fr fr)
{
    assert_int_equal(walker_resolve(w), fr);
    assert_false(w->ctx.fpd);
}

/* Of the quadword at @gpa, exactly the bits @rsvd are reserved. */
static inline void
assert_rsvd(struct walker *w, uint64_t gpa, uint64_t rsvd, enum vtd_fr fr)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        walker_flip(w, gpa, BIT(bit));
        if (rsvd & BIT(bit)) {
            assert_int_equal(walker_resolve(w), fr);
        } else {
            assert_int_not_equal(walker_resolve(w), fr);
        }
        walker_flip(w, gpa, BIT(bit));
    }
}

#endif
