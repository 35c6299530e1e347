/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/dma.h"

#include "daemon/vtd/fault.h"
#include "daemon/vtd/pmr.h"
#include "daemon/vtd/regs.h"

void
vtd_dma_init(struct vtd *vtd)
{
    vtd->dma.env = (struct vtd_walk_env){
        .config = &vtd->config,
        .ops = vtd->ops,
        .ctx = vtd->ctx,
    };
    vtd->dma.cache.gens = &vtd->dma.gens;
    vtd->dma.cache.env = &vtd->dma.env;
}

/* [VT-d 4.1, "Handling Requests to Interrupt Address Range"] */
static bool
is_interrupt_range(uint64_t addr)
{
    return addr >> 20 == 0xfee;
}

/* --- faults -------------------------------------------------------------- */

/*
 * A request of this interface may read and write; it is told as the half that
 * failed.
 */
static enum vtd_fault_type
fault_type(enum vtd_fr fr, const struct vtd_dma_req *req)
{
    if (req->atomic) {
        return VTD_FAULT_ATOMIC;
    }
    if ((req->access & VTD_DMA_WRITE) && fr != VTD_FR_READ &&
        fr != VTD_FR_SM_READ) {
        return VTD_FAULT_WRITE;
    }
    return VTD_FAULT_READ;
}

/* Record @fr unless @fpd keeps it from being recorded; returns it. */
static __attribute__((noinline)) enum vtd_fr
fail(struct vtd *vtd, const struct vtd_dma_req *req, enum vtd_fr fr, bool fpd)
{
    struct vtd_fault fault = {
        .addr = req->iova,
        .pasid = req->pasid,
        .sid = req->sid,
        .reason = (uint8_t)fr,
        .type = (uint8_t)fault_type(fr, req),
        .at = req->at,
        .exec = (req->access & VTD_DMA_EXEC) != 0,
        .privileged = req->privileged,
    };

    if (!fpd || !vtd_fault_is_qualified(fr)) {
        vtd_fault_record_dma(vtd, &fault);
    }
    return fr;
}

/*
 * What the tables do not permit or do not have.  It is the answer to a
 * translation request, and no fault of it.
 * [VT-d 4.1, "Address Translation Services", "Handling of Faults"]
 */
static bool
is_missing_permission(enum vtd_fr fr)
{
    switch (fr) {
    case VTD_FR_WRITE:
    case VTD_FR_READ:
    case VTD_FR_FS_P:
    case VTD_FR_NEST_ROOT_READ:
    case VTD_FR_NEST_READ:
    case VTD_FR_NEST_WRITE:
    case VTD_FR_SS_PERM:
    case VTD_FR_FS_USER:
    case VTD_FR_FS_EXEC:
    case VTD_FR_SM_WRITE:
    case VTD_FR_SM_READ:
        return true;
    default:
        return false;
    }
}

/* --- requests that no table is walked for -------------------------------- */

/*
 * To the address that it has.  Protected memory keeps out what is translated
 * by nothing; where there are tables, they are what software relies on.
 * [VT-d 4.1, "Protected Memory Enable Register"]
 */
static __attribute__((noinline)) enum vtd_fr
pass(const struct vtd *vtd, const struct vtd_dma_req *req, bool snoop,
     struct vtd_dma_resp *resp)
{
    if (vtd_pmr_blocks(vtd, req->iova, 1)) {
        return VTD_FR_BLOCKED;
    }
    *resp = (struct vtd_dma_resp){
        .gpa = req->iova,
        .shift = 12,
        .access = VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC,
        .snoop = snoop,
        .untranslated = req->at == VTD_AT_TRANSLATION,
    };
    return VTD_FR_OK;
}

/*
 * Without PASID the range is not translated, whatever tables say.  A device
 * that asks is told to write there untranslated: that is an interrupt.
 */
static enum vtd_fr
interrupt_range(const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    if (req->at != VTD_AT_TRANSLATION) {
        return VTD_FR_BLOCKED;
    }
    *resp = (struct vtd_dma_resp){
        .gpa = req->iova,
        .shift = 12,
        .access = VTD_DMA_WRITE,
        .untranslated = true,
    };
    return VTD_FR_OK;
}

static enum vtd_fr
pass_through(struct vtd *vtd, const struct vtd_dma_req *req,
             const struct vtd_dma_ctx *ctx, struct vtd_dma_resp *resp)
{
    if (req->iova >> vtd->config.mgaw) {
        return fail(vtd, req,
                    ctx->scalable ? VTD_FR_DMA_WIDTH : VTD_FR_ADDR_WIDTH,
                    ctx->fpd);
    }
    if (is_interrupt_range(req->iova)) {
        return fail(vtd, req, VTD_FR_SM_INT_RANGE, ctx->fpd);
    }
    return pass(vtd, req, ctx->pgsnp, resp);
}

static enum vtd_fr
translated(const struct vtd *vtd, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp)
{
    if (is_interrupt_range(req->iova)) {
        return VTD_FR_BLOCKED;
    }
    return pass(vtd, req, false, resp);
}

/* --- tables -------------------------------------------------------------- */

static uint8_t
access_of(uint8_t perm, bool super)
{
    if (super) {
        perm >>= VTD_PERM_SUPER_SHIFT;
    }
    return perm & (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);
}

static bool
is_super(uint8_t need)
{
    return need >> VTD_PERM_SUPER_SHIFT != 0;
}

static inline void
count_walk(struct vtd *vtd, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    vtd->stat[VTD_STAT_DMA_WALK]++;
    VTD_TRACE(vtd, WALK, req->sid, req->pasid, req->iova, fr);
}

/* No translation is kept that will do. */
static inline enum vtd_fr
miss(struct vtd *vtd, const struct vtd_dma_req *req,
     const struct vtd_ctx_entry *from, uint8_t need, struct vtd_dma_resp *resp)
{
    struct vtd_dma *dma = &vtd->dma;
    enum vtd_fr fr = vtd_cache_translate(&dma->cache, req, from, need);

    count_walk(vtd, req, fr);
    if (__builtin_expect(fr != VTD_FR_OK, 0)) {
        return fail(vtd, req, fr, from->ctx.fpd);
    }
    *resp = dma->cache.found->resp;
    resp->gpa += req->iova & 0xfff;
    return VTD_FR_OK;
}

/* A request that a look-up by its word alone does not serve. */
static enum vtd_fr
translate(struct vtd *vtd, const struct vtd_dma_req *req,
          const struct vtd_ctx_entry *from, struct vtd_dma_resp *resp)
{
    struct vtd_dma *dma = &vtd->dma;
    uint8_t need = vtd_dma_need(&vtd->config, &from->ctx, req);
    const struct vtd_tlb_entry *hit =
        vtd_tlb_find(&dma->cache, &dma->gens, req, from, need);
    enum vtd_fr fr;

    if (hit) {
        *resp = hit->resp;
        resp->gpa += req->iova & 0xfff;
        resp->access = access_of(hit->perm, is_super(need));
        return VTD_FR_OK;
    }
    fr = miss(vtd, req, from, need, resp);
    if (fr == VTD_FR_OK) {
        resp->access = access_of(dma->cache.page.perm, is_super(need));
    }
    return fr;
}

/* What a device asks for when it asks for @access. */
static uint8_t
ats_want(const struct vtd *vtd, const struct vtd_dma_req *req)
{
    uint8_t want = req->access ? req->access : VTD_DMA_READ;

    if (req->no_write && vtd->config.nwfs) {
        want &= (uint8_t)~VTD_DMA_WRITE;
    }
    return want;
}

/*
 * A device that translates for itself.  It is given what there is of what it
 * asks for: first all of it, then less.  Its own cache takes the answer, so
 * that none of ours does.
 */
static enum vtd_fr
ats_translate(struct vtd *vtd, const struct vtd_dma_req *req,
              const struct vtd_ctx_entry *from, struct vtd_dma_resp *resp)
{
    static const uint8_t asks[] = {
        VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC,
        VTD_DMA_READ | VTD_DMA_WRITE,
        VTD_DMA_READ | VTD_DMA_EXEC,
        VTD_DMA_READ,
        VTD_DMA_WRITE,
    };
    struct vtd_dma *dma = &vtd->dma;
    const struct vtd_page *page = &dma->cache.page;
    struct vtd_dma_req ask = *req;
    uint8_t want = ats_want(vtd, req);

    *resp = (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12 };
    for (unsigned i = 0; i < sizeof(asks); i++) {
        uint8_t need;
        enum vtd_fr fr;

        ask.access = want & asks[i];
        if (ask.access == 0 || (i > 0 && ask.access == (want & asks[i - 1]))) {
            continue;
        }
        need = vtd_dma_need(&vtd->config, &from->ctx, &ask);
        fr = vtd_cache_walk(&dma->cache, req, from, need);
        count_walk(vtd, req, fr);
        if (fr == VTD_FR_OK) {
            resp->gpa = page->gpa + (req->iova & 0xfff);
            resp->shift = page->shift;
            resp->access = access_of(page->perm, is_super(need)) &
                           (want | VTD_DMA_READ | VTD_DMA_WRITE);
            resp->snoop = page->snoop;
            resp->global = page->global;
            return VTD_FR_OK;
        }
        if (!is_missing_permission(fr)) {
            return fail(vtd, req, fr, from->ctx.fpd);
        }
    }
    return VTD_FR_OK;
}

/* --- requests ------------------------------------------------------------ */

/*
 * Find what the request translates through, or tell the fault.  A context is
 * cached for all requests of its source and PASID, of which it may refuse
 * some.  A refusal is found anew in the structures, because FPD of those
 * behind the one that refuses does not count.
 */
static enum vtd_fr
find_context(struct vtd *vtd, const struct vtd_dma_req *req,
             const struct vtd_ctx_entry **from)
{
    struct vtd_dma *dma = &vtd->dma;
    uint64_t seq = vtd_gens_seq(&dma->gens);
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr;

    *from = vtd_ctx_find(&dma->cache, &dma->gens, req);
    if (*from && ((*from)->ctx.stage == VTD_STAGE_BLOCKED ||
                  vtd_dma_ctx_permit(&(*from)->ctx, req) == VTD_FR_OK)) {
        return VTD_FR_OK;
    }
    dma->env.root = vtd->root;
    fr = vtd_dma_ctx_resolve(&dma->env, req, &ctx);
    if (fr != VTD_FR_OK) {
        return fail(vtd, req, fr, ctx.fpd);
    }
    *from =
        vtd_ctx_enter(&dma->cache, &dma->gens, &vtd->config, req, &ctx, seq);
    return VTD_FR_OK;
}

static enum vtd_fr
remap(struct vtd *vtd, const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    const struct vtd_ctx_entry *from;
    enum vtd_fr fr = find_context(vtd, req, &from);

    if (fr != VTD_FR_OK) {
        return fr;
    }
    /* Whatever it is: there is nothing that says what is permitted. */
    if (from->ctx.stage == VTD_STAGE_BLOCKED) {
        return VTD_FR_BLOCKED;
    }
    if (req->at == VTD_AT_TRANSLATED) {
        return translated(vtd, req, resp);
    }
    if (from->ctx.stage == VTD_STAGE_PASS) {
        return pass_through(vtd, req, &from->ctx, resp);
    }
    if (req->at == VTD_AT_TRANSLATION) {
        return ats_translate(vtd, req, from, resp);
    }
    return translate(vtd, req, from, resp);
}

/* Any request that is not a plain one with a context at hand. */
static __attribute__((noinline)) enum vtd_fr
translate_any(struct vtd *vtd, const struct vtd_dma_req *req,
              struct vtd_dma_resp *resp)
{
    if (is_interrupt_range(req->iova) && req->pasid == VTD_NO_PASID) {
        return interrupt_range(req, resp);
    }
    return remap(vtd, req, resp);
}

/*
 * Neither a translation nor a translated request, no access that a context may
 * refuse, and not to where interrupts are.
 */
static inline bool
is_plain(const struct vtd_dma_req *req)
{
    return vtd_req_word(req) >> 48 <= (VTD_DMA_READ | VTD_DMA_WRITE) &&
           !vtd_req_is_special(req) && !is_interrupt_range(req->iova);
}

/* Not to be had from the cache of translations. */
static __attribute__((noinline)) enum vtd_fr
translate_miss(struct vtd *vtd, const struct vtd_dma_req *req,
               struct vtd_dma_resp *resp)
{
    const struct vtd_ctx_entry *from =
        vtd_ctx_find(&vtd->dma.cache, &vtd->dma.gens, req);

    if (from && is_plain(req) && from->ctx.stage >= VTD_STAGE_SECOND) {
        return miss(vtd, req, from, from->need[req->access], resp);
    }
    return translate_any(vtd, req, resp);
}

enum vtd_fr
vtd_dma_translate(struct vtd *vtd, const struct vtd_dma_req *req,
                  struct vtd_dma_resp *resp)
{
    if (__builtin_expect(!vtd->root.enabled, 0)) {
        return pass(vtd, req, false, resp);
    }
    if (vtd_tlb_hit(&vtd->dma.cache, &vtd->dma.gens, req, resp)) {
        return VTD_FR_OK;
    }
    return translate_miss(vtd, req, resp);
}
