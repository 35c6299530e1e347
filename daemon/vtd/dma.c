/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/dma.h"

#include "daemon/vtd/cache-miss.h"
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
    vtd_cache_init(&vtd->dma.cache, &vtd->dma.gens, &vtd->dma.env);
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

static void
record(struct vtd *vtd, const struct vtd_dma_req *req, enum vtd_fr fr)
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

    vtd_fault_record_dma(vtd, &fault);
}

/*
 * The end of a request that meets @fr: it is recorded unless @fpd keeps it from
 * that, and returned.  But many faults are none to a device that translates
 * for itself: it is told that nothing is permitted.
 * [VT-d 4.1, "Recoverable Address Translation Faults"]
 */
static __attribute__((noinline)) enum vtd_fr
fail(struct vtd *vtd, const struct vtd_dma_req *req, enum vtd_fr fr, bool fpd,
     struct vtd_dma_resp *resp)
{
    enum vtd_ats_answer answer =
        req->at == VTD_AT_TRANSLATION ? vtd_fault_ats(fr) : VTD_ATS_REFUSED;
    bool told = answer == VTD_ATS_NOTHING || answer == VTD_ATS_LESS;

    if (!told && !(fpd && vtd_fault_is_qualified(fr))) {
        record(vtd, req, fr);
    }
    if (answer == VTD_ATS_REFUSED) {
        return fr;
    }
    *resp = (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12 };
    return VTD_FR_OK;
}

/* --- requests that no table is walked for -------------------------------- */

/*
 * What a device that translates for itself asks for: to read, and to write
 * unless it says not.  [VT-d 4.1, "Handling of Translation Requests"]
 */
static uint8_t
ats_want(const struct vtd *vtd, const struct vtd_dma_req *req)
{
    uint8_t want = VTD_DMA_READ;

    if (!req->no_write || !vtd->config.nwfs) {
        want |= VTD_DMA_WRITE;
    }
    if (req->pasid != VTD_NO_PASID) {
        want |= req->access & VTD_DMA_EXEC;
    }
    return want;
}

/*
 * To the address that it has.  Protected memory keeps out what is translated
 * by nothing; where there are tables, they are what software relies on, as in
 * all units of major version 1 once were.
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
        .access = req->at == VTD_AT_TRANSLATION
                      ? ats_want(vtd, req)
                      : VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC,
        .snoop = snoop,
    };
    return VTD_FR_OK;
}

static bool
is_zero_length(const struct vtd_dma_req *req)
{
    return req->at == VTD_AT_UNTRANSLATED && req->access == 0 && !req->atomic;
}

/*
 * What is untranslated and has no PASID is not translated there, whatever
 * tables say.  It is an interrupt, which is none of our concern, a zero-length
 * read, which always succeeds, or illegal.
 */
static enum vtd_fr
interrupt_access(struct vtd *vtd, const struct vtd_dma_req *req,
                 struct vtd_dma_resp *resp)
{
    if (!is_zero_length(req)) {
        record(vtd, req, VTD_FR_IR_INVALID);
        return VTD_FR_IR_INVALID;
    }
    *resp = (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12 };
    return VTD_FR_OK;
}

/*
 * A device that asks, without PASID, is told to write there untranslated: that
 * is an interrupt.
 */
static enum vtd_fr
interrupt_ask(const struct vtd *vtd, const struct vtd_dma_req *req,
              struct vtd_dma_resp *resp)
{
    bool write = (ats_want(vtd, req) & VTD_DMA_WRITE) != 0;

    *resp = (struct vtd_dma_resp){
        .gpa = req->iova,
        .shift = 12,
        .access = write ? VTD_DMA_WRITE : 0,
        .untranslated = write,
    };
    return VTD_FR_OK;
}

/*
 * The address of the request is that of memory: it must be one, and not among
 * the interrupts.
 */
static enum vtd_fr
identity(struct vtd *vtd, const struct vtd_dma_req *req,
         const struct vtd_dma_ctx *ctx, struct vtd_dma_resp *resp)
{
    unsigned bits = vtd->config.haw;

    /* In legacy mode pass-through is bounded like a table, too. */
    if (ctx->stage == VTD_STAGE_PASS && !ctx->scalable && ctx->ss_bits < bits) {
        bits = ctx->ss_bits;
    }
    if (req->iova >> bits) {
        return fail(vtd, req,
                    ctx->scalable ? VTD_FR_DMA_WIDTH : VTD_FR_ADDR_WIDTH,
                    ctx->fpd, resp);
    }
    if (is_interrupt_range(req->iova)) {
        return fail(vtd, req,
                    ctx->scalable ? VTD_FR_SM_INT_RANGE : VTD_FR_INT_RANGE,
                    ctx->fpd, resp);
    }
    return pass(vtd, req, ctx->pgsnp, resp);
}

/*
 * What a device translated for itself.  The context entry is read each time:
 * it is not what other requests need to know of the function.
 * [VT-d 4.1, "Handling of ATS Protocol Errors"]
 */
static enum vtd_fr
translated(struct vtd *vtd, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp)
{
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr;

    if (req->pasid != VTD_NO_PASID) {
        return VTD_FR_BLOCKED;
    }
    vtd->dma.env.root = vtd->root;
    fr = vtd_dma_ctx_resolve(&vtd->dma.env, req, &ctx);
    return fr == VTD_FR_OK ? identity(vtd, req, &ctx, resp)
                           : fail(vtd, req, fr, ctx.fpd, resp);
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
    return (need & VTD_PERM_ALL) >> VTD_PERM_SUPER_SHIFT != 0;
}

static inline void
count_walk(struct vtd *vtd, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    vtd->stat[VTD_STAT_DMA_WALK]++;
    VTD_TRACE(vtd, WALK, req->sid, req->pasid, req->iova, fr);
}

/* No translation is kept that will do. */
static __attribute__((noinline)) enum vtd_fr
miss(struct vtd *vtd, const struct vtd_dma_req *req,
     const struct vtd_ctx_entry *from, uint8_t need, struct vtd_dma_resp *resp)
{
    struct vtd_dma *dma = &vtd->dma;
    enum vtd_fr fr = vtd_cache_translate(&dma->cache, req, from, need);

    count_walk(vtd, req, fr);
    if (__builtin_expect(fr != VTD_FR_OK, 0)) {
        return fail(vtd, req, fr, from->ctx.fpd, resp);
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
    enum vtd_fr fr = VTD_FR_OK;

    for (unsigned i = 0; i < sizeof(asks); i++) {
        uint8_t need;

        ask.access = want & asks[i];
        if (ask.access == 0 || (i > 0 && ask.access == (want & asks[i - 1]))) {
            continue;
        }
        need = vtd_dma_need(&vtd->config, &from->ctx, &ask);
        fr = vtd_cache_walk(&dma->cache, req, from, need);
        count_walk(vtd, req, fr);
        if (fr == VTD_FR_OK) {
            *resp = (struct vtd_dma_resp){
                .gpa = page->gpa + (req->iova & 0xfff),
                .shift = page->shift,
                .access = access_of(page->perm, is_super(need)) & want,
                .snoop = page->snoop,
            };
            return fr;
        }
        if (vtd_fault_ats(fr) != VTD_ATS_LESS) {
            break;
        }
    }
    return fail(vtd, req, fr, from->ctx.fpd, resp);
}

/* --- requests ------------------------------------------------------------ */

/*
 * Find what the request translates through, or the fault and *fpd.  A context is
 * cached for all requests of its source and PASID, of which it may refuse
 * some.  A refusal is found anew in the structures, because FPD of those
 * behind the one that refuses does not count.
 */
static enum vtd_fr
find_context(struct vtd *vtd, const struct vtd_dma_req *req,
             const struct vtd_ctx_entry **from, bool *fpd)
{
    struct vtd_dma *dma = &vtd->dma;
    uint64_t seq = vtd_gens_seq(&dma->gens);
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr;

    *from = vtd_ctx_find(&dma->cache, &dma->gens, req);
    if (*from && vtd_dma_ctx_permit(&(*from)->ctx, req) == VTD_FR_OK) {
        return VTD_FR_OK;
    }
    dma->env.root = vtd->root;
    fr = vtd_dma_ctx_resolve(&dma->env, req, &ctx);
    *fpd = ctx.fpd;
    if (fr == VTD_FR_OK) {
        *from = vtd_ctx_enter(&dma->cache, &dma->gens, &vtd->config, req, &ctx,
                              seq);
    }
    return fr;
}

static enum vtd_fr
remap(struct vtd *vtd, const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    const struct vtd_ctx_entry *from;
    bool fpd = false;
    enum vtd_fr fr = find_context(vtd, req, &from, &fpd);

    if (fr != VTD_FR_OK) {
        return fail(vtd, req, fr, fpd, resp);
    }
    if (is_interrupt_range(req->iova) && req->pasid == VTD_NO_PASID) {
        return interrupt_ask(vtd, req, resp);
    }
    if (from->ctx.stage == VTD_STAGE_PASS) {
        return identity(vtd, req, &from->ctx, resp);
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
    if (req->at == VTD_AT_TRANSLATED) {
        return translated(vtd, req, resp);
    }
    if (req->at == VTD_AT_UNTRANSLATED && req->pasid == VTD_NO_PASID &&
        is_interrupt_range(req->iova)) {
        return interrupt_access(vtd, req, resp);
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

/*
 * A plain miss by one kind of stage; what is out of the ordinary begins anew,
 * and pays for that.  Not one function for both, which would have more than
 * the processor's registers hold.
 */
static inline __attribute__((always_inline)) enum vtd_fr
miss_stage(struct vtd *vtd, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
           const struct vtd_ctx_entry *from, bool first)
{
    if (!vtd_cache_miss(&vtd->dma.cache, req, resp, entry, from, first)) {
        return miss(vtd, req, from, from->need[req->access], resp);
    }
    count_walk(vtd, req, VTD_FR_OK);
    return VTD_FR_OK;
}

static __attribute__((noinline)) enum vtd_fr
miss_second(struct vtd *vtd, const struct vtd_dma_req *req,
            struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
            const struct vtd_ctx_entry *from)
{
    return miss_stage(vtd, req, resp, entry, from, false);
}

static __attribute__((noinline)) enum vtd_fr
miss_first(struct vtd *vtd, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
           const struct vtd_ctx_entry *from)
{
    return miss_stage(vtd, req, resp, entry, from, true);
}

/* Not to be had from the cache of translations, where @entry is its slot. */
static __attribute__((noinline)) enum vtd_fr
translate_miss(struct vtd *vtd, const struct vtd_dma_req *req,
               struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry)
{
    struct vtd_cache *cache = &vtd->dma.cache;
    const struct vtd_ctx_entry *from = vtd_ctx_find(cache, &vtd->dma.gens, req);

    if (from && is_plain(req)) {
        switch (from->ctx.stage) {
        case VTD_STAGE_SECOND:
            return miss_second(vtd, req, resp, entry, from);
        case VTD_STAGE_FIRST:
            return miss_first(vtd, req, resp, entry, from);
        case VTD_STAGE_NESTED:
            return miss(vtd, req, from, from->need[req->access], resp);
        default:
            break;
        }
    }
    return translate_any(vtd, req, resp);
}

enum vtd_fr
vtd_dma_translate(struct vtd *vtd, const struct vtd_dma_req *req,
                  struct vtd_dma_resp *resp)
{
    struct vtd_tlb_entry *entry;

    if (__builtin_expect(!vtd->root.enabled, 0)) {
        return req->at == VTD_AT_UNTRANSLATED ? pass(vtd, req, false, resp)
                                              : VTD_FR_BLOCKED;
    }
    entry = vtd_tlb_slot(&vtd->dma.cache, req);
    if (vtd_tlb_hit_at(entry, &vtd->dma.gens, req, resp)) {
        return VTD_FR_OK;
    }
    return translate_miss(vtd, req, resp, entry);
}
