/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A walk that comes to the end that it would really come to, accessed and dirty
 * bits included, without a change of guest memory: what would be changed is
 * kept here, and read from here.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/vtd/walk.h"

/*
 * An entry is changed once, unless the guest does so, too: more than the longest
 * walk has.
 */
#define CHANGES VTD_TRAIL_MAX

struct dry {
    const struct vtd_walk_env *env;
    struct vtd_ops ops;
    unsigned count;
    struct change {
        uint64_t gpa;
        uint64_t val;
    } change[CHANGES];
};

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct dry *dry = ctx;
    int rc = dry->env->ops->mem_read(dry->env->ctx, gpa, buf, len);

    for (unsigned i = 0; rc == 0 && i < dry->count; i++) {
        const struct change *change = &dry->change[i];

        /* Only entries of this size have flags, and are read after that. */
        if (change->gpa == gpa && len == sizeof(change->val)) {
            memcpy(buf, &change->val, sizeof(change->val));
        }
    }
    return rc;
}

/* Whether memory takes it cannot be told: it is taken to be as it is read. */
static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct dry *dry = ctx;
    uint64_t val;
    int rc = mem_read(dry, gpa, &val, sizeof(val));

    if (rc || val != expected) {
        return rc ? rc : 1;
    }
    if (dry->count == CHANGES) {
        return -EFAULT;
    }
    dry->change[dry->count++] = (struct change){ gpa, desired };
    return 0;
}

enum vtd_fr
vtd_walk_dry(const struct vtd_walk_env *env, const struct vtd_dma_req *req,
             struct vtd_dma_ctx *ctx, struct vtd_page *page)
{
    struct dry dry = {
        .env = env,
        .ops = { .mem_read = mem_read, .mem_cmpxchg = mem_cmpxchg },
    };
    struct vtd_walk_env instead = *env;

    assert(!env->trail);
    instead.ops = &dry.ops;
    instead.ctx = &dry;
    return vtd_walk_request(&instead, req, ctx, page);
}
