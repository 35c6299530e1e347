/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/walker.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct vtd_config walker_config = {
    .fault_records = 8,
    .haw = 48,
    .sagaw = VTD_SAGAW_39 | VTD_SAGAW_48 | VTD_SAGAW_57,
    .mgaw = 57,
    .zlr = true,
    .ss2m = true,
    .ss1g = true,
    .pt = true,
    .sc = true,
    .dt = true,
    .smts = true,
    .ssts = true,
    .fsts = true,
    .nest = true,
    .fs1gp = true,
    .fs5lp = true,
    .ssads = true,
    .eafs = true,
    .srs = true,
    .ers = true,
    .rps = true,
    .rprivs = true,
    .smpwcs = true,
    .adms = true,
    .prs = true,
    .pasid_bits = 20,
};

static bool
is_hit(uint64_t bad, uint64_t gpa, size_t len)
{
    return bad != 0 && gpa <= bad && bad - gpa < len;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct walker *w = ctx;

    w->reads++;
    assert_true(len == 8 || len == 16 || len == 32 || len == 64);
    assert_int_equal(gpa % len, 0);
    if (gpa > WALKER_RAM - len || is_hit(w->bad_gpa, gpa, len)) {
        return -EFAULT;
    }
    memcpy(buf, &w->ram[gpa], len);
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct walker *w = ctx;

    w->exchanges++;
    assert_int_equal(gpa % 8, 0);
    assert_true(gpa < WALKER_RAM);
    if (is_hit(w->ro_gpa, gpa, 8)) {
        return -EFAULT;
    }
    if (w->races > 0) {
        w->races--;
        walker_flip(w, gpa, w->race_flip);
    }
    if (walker_q(w, gpa) != expected) {
        return 1;
    }
    walker_q_set(w, gpa, desired);
    return 0;
}

int
walker_setup(void **state)
{
    struct walker *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    tables_init(&w->tables, w->ram, 0x10000, WALKER_RAM);
    w->config = walker_config;
    w->ops.mem_read = mem_read;
    w->ops.mem_cmpxchg = mem_cmpxchg;
    w->env =
        (struct vtd_walk_env){ .config = &w->config, .ops = &w->ops, .ctx = w };
    w->req = (struct vtd_dma_req){ .pasid = VTD_NO_PASID,
                                   .sid = 0x01a3,
                                   .access = VTD_DMA_READ };
    *state = w;
    return 0;
}

int
walker_teardown(void **state)
{
    free(*state);
    return 0;
}

enum vtd_fr
walker_resolve(struct walker *w)
{
    memset(&w->ctx, 0xff, sizeof(w->ctx));
    return vtd_dma_ctx_resolve(&w->env, &w->req, &w->ctx);
}

/* Faults that a walk without a change of memory cannot find. */
static bool
is_flags_fault(enum vtd_fr fr)
{
    return fr == VTD_FR_FS_AD || fr == VTD_FR_FS_AD_FAILED ||
           fr == VTD_FR_SS_AD || fr == VTD_FR_SS_AD_FAILED ||
           fr == VTD_FR_NEST_WRITE;
}

/*
 * The same walk with its steps recorded, which reads the same and finds the
 * same, but for flags and the races about them.
 */
static void
walk_recorded(struct walker *w, uint64_t iova, uint8_t need)
{
    static struct vtd_trail trail;
    struct vtd_walk_env env = w->env;
    struct vtd_walk_hint hint = { .level = 0 };
    unsigned reads = w->reads;
    struct vtd_page page;
    enum vtd_fr fr;

    trail.count = 0;
    env.trail = &trail;
    w->reads = 0;
    fr = vtd_walk(&env, &w->ctx, iova, need, &hint, &page);
    assert_int_equal(w->exchanges, 0);
    assert_int_equal(trail.count, w->reads);
    w->recorded = fr;
    w->reads = reads;
}

enum vtd_fr
walker_walk(struct walker *w, uint64_t iova, uint8_t need)
{
    unsigned aw = 12 + 9 * w->ctx.ss_levels;
    bool is_racing = w->races > 0;
    enum vtd_fr fr;

    /* As resolving would have it. */
    w->ctx.ss_bits = (uint8_t)(aw < w->config.mgaw ? aw : w->config.mgaw);
    w->ctx.rsvd = (UINT64_C(1) << 52) - (UINT64_C(1) << w->config.haw);
    w->hint = (struct vtd_walk_hint){ .level = 0 };
    memset(&w->page, 0xff, sizeof(w->page));
    w->reads = 0;
    w->exchanges = 0;
    walk_recorded(w, iova, need);
    fr = vtd_walk(&w->env, &w->ctx, iova, need, &w->hint, &w->page);
    if (!is_racing && !is_flags_fault(fr)) {
        assert_int_equal(fr, w->recorded);
    }
    return fr;
}

uint64_t
walker_q(const struct walker *w, uint64_t gpa)
{
    return tables_q(&w->tables, gpa);
}

void
walker_q_set(struct walker *w, uint64_t gpa, uint64_t val)
{
    tables_q_set(&w->tables, gpa, val);
}

void
walker_flip(struct walker *w, uint64_t gpa, uint64_t bits)
{
    walker_q_set(w, gpa, walker_q(w, gpa) ^ bits);
}
