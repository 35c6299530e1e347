/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Translation of requests through a unit's view: the tables, and a cache of
 * one's own.  The unit has one of these; a client of the translation service
 * has one a thread, and gets the same answers.
 *
 * Nothing here knows struct vtd, and nothing records: the owner is told.
 */
#ifndef DAEMON_VTD_DMA_H
#define DAEMON_VTD_DMA_H

#include "daemon/vtd/cache-priv.h"
#include "daemon/vtd/view.h"

struct vtd_dma {
    /* Constant, but for the root, which is copied when it is looked at. */
    struct vtd_walk_env env;
    const struct vtd_view *view;
    /*
     * Each NULL, or set by the owner after vtd_dma_init().  faulted() is told
     * of what is to be recorded, in vtd_dma_access(), at most once a request.
     * That is not what that returns: a request may fail without a record, and
     * one of ATS be recorded and answered.  walked() is told of each walk.
     */
    void (*faulted)(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr);
    void (*walked)(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr);
    void *owner;

    uint64_t walks; /* translations that were not cached */
    struct vtd_cache cache;
};

/*
 * Once.  @dma is zero, aligned as its type is, and stays where it is; @view
 * and @ops are kept, not copied.  Of @ops mem_read() and mem_cmpxchg() are
 * used, with @ctx.
 */
void vtd_dma_init(struct vtd_dma *dma, const struct vtd_view *view,
                  const struct vtd_ops *ops, void *ctx);

/* True: *resp.  False: nothing is known. */
static inline bool
vtd_dma_hit(struct vtd_dma *dma, const struct vtd_dma_req *req,
            struct vtd_dma_resp *resp)
{
    return vtd_tlb_hit(&dma->cache, &dma->view->gens, req, resp);
}

/* What vtd_dma_hit() had no answer to; @entry is vtd_tlb_slot() of @req. */
enum vtd_fr vtd_dma_miss(struct vtd_dma *dma, const struct vtd_dma_req *req,
                         struct vtd_dma_resp *resp,
                         struct vtd_tlb_entry *entry);

/* Any request, with the answers of vtd_dma_translate(). */
static inline enum vtd_fr
vtd_dma_access(struct vtd_dma *dma, const struct vtd_dma_req *req,
               struct vtd_dma_resp *resp)
{
    struct vtd_tlb_entry *entry = vtd_tlb_slot(&dma->cache, req);

    if (vtd_tlb_hit_at(entry, &dma->view->gens, req, resp)) {
        return VTD_FR_OK;
    }
    return vtd_dma_miss(dma, req, resp, entry);
}

/*
 * What vtd_dma_access() would answer if nothing were cached, and why; see
 * vtd_dma_inspect().
 */
enum vtd_fr vtd_dma_explain(const struct vtd_dma *dma,
                            const struct vtd_dma_req *req,
                            struct vtd_trail *trail, struct vtd_dma_ctx *ctx,
                            struct vtd_page *page);

#endif
