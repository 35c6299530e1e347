/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/dma.h"

#include "daemon/vtd/fault.h"
#include "daemon/vtd/pmr.h"
#include "daemon/vtd/regs.h"

/* A request that the caches alone do not answer. */
struct job {
    struct vtd *vtd;
    const struct vtd_dma_req *req;
    struct vtd_dma_resp *resp;
    const struct vtd_ctx_entry *entry; /* what it translates through */
    struct vtd_walk_env env;
};

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
fail(const struct job *job, enum vtd_fr fr, bool fpd)
{
    const struct vtd_dma_req *req = job->req;

    if (!fpd || !vtd_fault_is_qualified(fr)) {
        vtd_fault_record_dma(job->vtd, &(struct vtd_fault){
                                           .addr = req->iova,
                                           .pasid = req->pasid,
                                           .sid = req->sid,
                                           .reason = (uint8_t)fr,
                                           .type = (uint8_t)fault_type(fr, req),
                                           .at = req->at,
                                           .exec = req->access & VTD_DMA_EXEC,
                                           .privileged = req->privileged,
                                       });
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
static enum vtd_fr
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
pass_through(const struct job *job)
{
    const struct vtd_dma_ctx *ctx = &job->entry->ctx;
    uint64_t iova = job->req->iova;

    if (iova >> job->vtd->config.mgaw) {
        return fail(job, ctx->scalable ? VTD_FR_DMA_WIDTH : VTD_FR_ADDR_WIDTH,
                    ctx->fpd);
    }
    if (is_interrupt_range(iova)) {
        return fail(job, VTD_FR_SM_INT_RANGE, ctx->fpd);
    }
    return pass(job->vtd, job->req, ctx->pgsnp, job->resp);
}

static enum vtd_fr
translated(const struct job *job)
{
    if (is_interrupt_range(job->req->iova)) {
        return VTD_FR_BLOCKED;
    }
    return pass(job->vtd, job->req, false, job->resp);
}

/* --- tables -------------------------------------------------------------- */

/* Whether @need is of a supervisor. */
static bool
is_super(uint8_t need)
{
    return need >> VTD_PERM_SUPER_SHIFT != 0;
}

static uint8_t
access_of(uint8_t perm, bool super)
{
    if (super) {
        perm >>= VTD_PERM_SUPER_SHIFT;
    }
    return perm & (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);
}

static void
answer(const struct vtd_page *page, uint8_t access, struct vtd_dma_resp *resp)
{
    *resp = (struct vtd_dma_resp){
        .gpa = page->gpa,
        .shift = page->shift,
        .access = access,
        .snoop = page->snoop,
        .global = page->global,
    };
}

/*
 * What the context refuses is no permission, whatever tables say: such a
 * request must fail there.
 */
static uint8_t
permitted(const struct vtd_dma_ctx *ctx, uint8_t perm)
{
    if (!ctx->ere) {
        perm &=
            (uint8_t) ~(VTD_DMA_EXEC | VTD_DMA_EXEC << VTD_PERM_SUPER_SHIFT);
    }
    if (!ctx->sre) {
        perm &= VTD_PERM_ALL >> VTD_PERM_SUPER_SHIFT;
    }
    return perm;
}

/* Walk for @need, from the lowest table that is known. */
static enum vtd_fr
walk(const struct job *job, uint8_t need, struct vtd_page *page)
{
    struct vtd_dma *dma = &job->vtd->dma;
    const struct vtd_ctx_entry *entry = job->entry;
    uint64_t iova = job->req->iova;
    uint64_t seq = vtd_gens_seq(&dma->gens);
    struct vtd_walk_hint hint;
    enum vtd_fr fr;
    uint8_t begin;

    job->vtd->stat[VTD_STAT_DMA_WALK]++;
    vtd_pwc_find(&dma->cache, &dma->gens, entry, iova, &hint);
    begin = hint.level;
    fr = vtd_walk(&job->env, &entry->ctx, iova, need, &hint, page);
    VTD_TRACE(job->vtd, WALK, job->req->sid, job->req->pasid, iova, fr);
    if (fr == VTD_FR_OK && hint.level != begin) {
        vtd_pwc_enter(&dma->cache, &dma->gens, entry, iova, &hint, seq);
    }
    if (fr == VTD_FR_OK) {
        page->perm = permitted(&entry->ctx, page->perm);
    }
    return fr;
}

/*
 * The size, as a shift, of what software may invalidate a part of to be rid of
 * @page.  That is not page->shift where another stage has a larger page, nor
 * where interrupt addresses near by made it less than it is.
 */
static uint8_t
span_of(const struct vtd_dma_ctx *ctx, const struct vtd_page *page)
{
    bool is_near = page->gpa >> 30 == 0xfee00000 >> 30;
    bool is_next = page->gpa >> 21 == 0xfee00000 >> 21;

    if (ctx->stage == VTD_STAGE_NESTED || is_next ||
        (is_near && page->shift > 12)) {
        return 30;
    }
    return page->shift;
}

/*
 * Keep a translation for requests like this one, but not for executing where
 * the context refuses it: that must fail there.  A request for no access at
 * all would hit any entry, so that one which is not for zero-length reads is
 * hidden from it.
 */
static void
keep(const struct job *job, const struct vtd_page *page, uint64_t seq)
{
    const struct vtd_dma_ctx *ctx = &job->entry->ctx;
    bool super = job->req->pasid == VTD_NO_PASID && ctx->rid_priv;
    bool writes_suffice =
        job->vtd->config.zlr && ctx->stage == VTD_STAGE_SECOND;
    uint8_t access = access_of(page->perm, super);
    struct vtd_dma_resp resp;

    answer(page, access, &resp);
    if (ctx->scalable && !ctx->ere) {
        access &= (uint8_t)~VTD_DMA_EXEC;
    }
    vtd_tlb_enter(&job->vtd->dma.cache, &job->vtd->dma.gens,
                  &(struct vtd_tlb_fill){
                      .req = job->req,
                      .ctx = ctx,
                      .page = page,
                      .resp = &resp,
                      .access = access,
                      .hidden = !(access & VTD_DMA_READ) && !writes_suffice,
                      .span = span_of(ctx, page),
                      .seq = seq,
                  });
}

static enum vtd_fr
translate(const struct job *job)
{
    struct vtd_dma *dma = &job->vtd->dma;
    const struct vtd_dma_req *req = job->req;
    const struct vtd_dma_ctx *ctx = &job->entry->ctx;
    uint8_t need = vtd_dma_need(&job->vtd->config, ctx, req);
    uint64_t seq = vtd_gens_seq(&dma->gens);
    const struct vtd_tlb_entry *hit;
    struct vtd_page page;
    enum vtd_fr fr;

    hit = vtd_tlb_find(&dma->cache, &dma->gens, req, need);
    if (hit) {
        *job->resp = hit->resp;
        job->resp->access = access_of(hit->perm, is_super(need));
    } else {
        fr = walk(job, need, &page);
        if (fr != VTD_FR_OK) {
            return fail(job, fr, ctx->fpd);
        }
        answer(&page, access_of(page.perm, is_super(need)), job->resp);
        keep(job, &page, seq);
    }
    job->resp->gpa += req->iova & 0xfff;
    return VTD_FR_OK;
}

/*
 * A device that translates for itself.  It is given what there is of what it
 * asks for: first all of it, then less.  Its own cache takes the answer, so
 * that none of ours does.
 */
static enum vtd_fr
ats_translate(const struct job *job)
{
    static const uint8_t asks[] = {
        VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC,
        VTD_DMA_READ | VTD_DMA_WRITE,
        VTD_DMA_READ | VTD_DMA_EXEC,
        VTD_DMA_READ,
        VTD_DMA_WRITE,
    };
    const struct vtd_config *config = &job->vtd->config;
    struct vtd_dma_req ask = *job->req;
    uint8_t want = ask.access ? ask.access : VTD_DMA_READ;
    uint8_t tried = 0;
    struct vtd_page page;

    if (ask.no_write && config->nwfs) {
        want &= (uint8_t)~VTD_DMA_WRITE;
    }
    *job->resp = (struct vtd_dma_resp){ .gpa = ask.iova, .shift = 12 };
    for (unsigned i = 0; i < sizeof(asks); i++) {
        uint8_t need;
        enum vtd_fr fr;

        ask.access = want & asks[i];
        if (ask.access == 0 || ask.access == tried) {
            continue;
        }
        tried = ask.access;
        need = vtd_dma_need(config, &job->entry->ctx, &ask);
        fr = walk(job, need, &page);
        if (fr == VTD_FR_OK) {
            answer(&page, access_of(page.perm, is_super(need)), job->resp);
            job->resp->access &= want | VTD_DMA_READ | VTD_DMA_WRITE;
            job->resp->gpa += ask.iova & 0xfff;
            return VTD_FR_OK;
        }
        if (!is_missing_permission(fr)) {
            return fail(job, fr, job->entry->ctx.fpd);
        }
    }
    return VTD_FR_OK;
}

/* --- requests ------------------------------------------------------------ */

/* Find what the request translates through; a fault is told. */
static enum vtd_fr
find_context(struct job *job)
{
    struct vtd_dma *dma = &job->vtd->dma;
    uint64_t seq = vtd_gens_seq(&dma->gens);
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr;

    job->entry = vtd_ctx_find(&dma->cache, &dma->gens, job->req);
    if (job->entry) {
        fr = vtd_dma_ctx_permit(&job->entry->ctx, job->req);
        return fr == VTD_FR_OK ? fr : fail(job, fr, job->entry->ctx.fpd);
    }
    fr = vtd_dma_ctx_resolve(&job->env, job->req, &ctx);
    if (fr != VTD_FR_OK) {
        return fail(job, fr, ctx.fpd);
    }
    job->entry = vtd_ctx_enter(&dma->cache, &dma->gens, job->req, &ctx, seq);
    return VTD_FR_OK;
}

static enum vtd_fr
remap(struct job *job)
{
    enum vtd_fr fr = find_context(job);

    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (job->entry->ctx.stage == VTD_STAGE_BLOCKED) {
        return VTD_FR_BLOCKED;
    }
    if (job->req->at == VTD_AT_TRANSLATED) {
        return translated(job);
    }
    if (job->entry->ctx.stage == VTD_STAGE_PASS) {
        return pass_through(job);
    }
    if (job->req->at == VTD_AT_TRANSLATION) {
        return ats_translate(job);
    }
    return translate(job);
}

static __attribute__((noinline)) enum vtd_fr
translate_other(struct vtd *vtd, const struct vtd_dma_req *req,
                struct vtd_dma_resp *resp)
{
    struct job job = {
        .vtd = vtd,
        .req = req,
        .resp = resp,
        .env = { .config = &vtd->config,
                 .ops = vtd->ops,
                 .ctx = vtd->ctx,
                 .root = vtd->root },
    };

    if (!vtd->root.enabled) {
        return pass(vtd, req, false, resp);
    }
    if (is_interrupt_range(req->iova) && req->pasid == VTD_NO_PASID) {
        return interrupt_range(req, resp);
    }
    return remap(&job);
}

enum vtd_fr
vtd_dma_translate(struct vtd *vtd, const struct vtd_dma_req *req,
                  struct vtd_dma_resp *resp)
{
    if (vtd->root.enabled &&
        vtd_tlb_hit(&vtd->dma.cache, &vtd->dma.gens, req, resp)) {
        return VTD_FR_OK;
    }
    return translate_other(vtd, req, resp);
}
