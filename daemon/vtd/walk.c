/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Walks as a whole: which stages, where they may end, how they are shown. */
#include "daemon/vtd/walk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "daemon/vtd/walk-first.h"
#include "daemon/vtd/walk-priv.h"
#include "daemon/vtd/walk-second.h"

enum vtd_fr
vtd_walk_avoid(const struct vtd_dma_ctx *ctx, struct vtd_page *page)
{
    if (vtd_walk_is_interrupt(page->gpa)) {
        return ctx->scalable ? VTD_FR_SM_INT_RANGE : VTD_FR_INT_RANGE;
    }
    if (page->shift == 30) {
        page->shift = 21;
    }
    if (page->shift == 21 && page->gpa >> 21 == VTD_INT_BASE >> 21) {
        page->shift = 12;
    }
    return VTD_FR_OK;
}

enum vtd_fr
vtd_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
         uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
         struct vtd_page *page)
{
    if (ctx->stage == VTD_STAGE_SECOND) {
        return vtd_second_walk(env, ctx, iova, need, hint, page);
    }
    if (ctx->stage == VTD_STAGE_FIRST) {
        return vtd_first_walk(env, ctx, iova, need, hint, page);
    }
    assert(ctx->stage == VTD_STAGE_NESTED);
    return vtd_nested_walk(env, ctx, iova, need, hint, page);
}

int
vtd_walk_set(const struct vtd_walk_env *env, uint64_t gpa, uint64_t old,
             uint64_t bits, unsigned *tries)
{
    int rc;

    if ((*tries)++ == VTD_WALK_UPDATES) {
        return -EAGAIN;
    }
    rc = env->ops->mem_cmpxchg(env->ctx, gpa, old, old | bits);
    return rc < 0 ? rc : 0;
}

void
vtd_trail_add(struct vtd_trail *trail, const char *what, uint8_t level,
              uint64_t gpa, const uint64_t *raw, uint8_t quads)
{
    struct vtd_step *step = &trail->step[trail->count];

    assert(trail->count < VTD_TRAIL_MAX);
    *step = (struct vtd_step){
        .what = what, .level = level, .gpa = gpa, .quads = quads
    };
    memcpy(step->raw, raw, quads * sizeof(*raw));
    trail->count++;
}

bool
vtd_walk_is_needed(const struct vtd_dma_ctx *ctx, const struct vtd_dma_req *req)
{
    if (ctx->stage == VTD_STAGE_NONE || ctx->stage == VTD_STAGE_PASS ||
        req->at == VTD_AT_TRANSLATED) {
        return false;
    }
    return req->pasid != VTD_NO_PASID || !vtd_walk_is_interrupt(req->iova);
}

enum vtd_fr
vtd_walk_request(const struct vtd_walk_env *env, const struct vtd_dma_req *req,
                 struct vtd_dma_ctx *ctx, struct vtd_page *page)
{
    struct vtd_walk_hint hint = { .level = 0 };
    enum vtd_fr fr = vtd_dma_ctx_resolve(env, req, ctx);

    if (fr != VTD_FR_OK) {
        ctx->stage = VTD_STAGE_NONE;
        return fr;
    }
    if (!vtd_walk_is_needed(ctx, req)) {
        return VTD_FR_OK;
    }
    return vtd_walk(env, ctx, req->iova, vtd_dma_need(env->config, ctx, req),
                    &hint, page);
}

enum vtd_fr
vtd_walk_inspect(const struct vtd_walk_env *env, const struct vtd_dma_req *req,
                 struct vtd_dma_ctx *ctx, struct vtd_page *page)
{
    assert(env->trail);
    env->trail->count = 0;
    return vtd_walk_request(env, req, ctx, page);
}
