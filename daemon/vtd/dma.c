/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "daemon/vtd/dma.h"

#include "daemon/vtd/cache-nested.h"

void
vtd_dma_init(struct vtd_dma *dma, const struct vtd_view *view,
             const struct vtd_ops *ops, void *ctx)
{
    dma->view = view;
    dma->env = (struct vtd_walk_env){
        .config = &view->config,
        .ops = ops,
        .ctx = ctx,
    };
    vtd_cache_init(&dma->cache, &view->gens, &dma->env);
}

static void
record(const struct vtd_dma *dma, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    if (dma->faulted) {
        dma->faulted(dma->owner, req, fr);
    }
}

/*
 * The end of a request that meets @fr: it is to be recorded unless @fpd keeps
 * it from that, and returned.  But many faults are none to a device that
 * translates for itself: it is told that nothing is permitted.
 * [VT-d 4.1, "Recoverable Address Translation Faults"]
 */
static __attribute__((noinline)) enum vtd_fr
fail(struct vtd_dma *dma, const struct vtd_dma_req *req, enum vtd_fr fr,
     bool fpd, struct vtd_dma_resp *resp)
{
    enum vtd_ats_answer answer =
        req->at == VTD_AT_TRANSLATION ? vtd_fault_ats(fr) : VTD_ATS_REFUSED;
    bool told = answer == VTD_ATS_NOTHING || answer == VTD_ATS_LESS;

    if (!told && !(fpd && vtd_fault_is_qualified(fr))) {
        record(dma, req, fr);
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
ats_want(const struct vtd_dma *dma, const struct vtd_dma_req *req)
{
    uint8_t want = VTD_DMA_READ;

    if (!req->no_write || !dma->env.config->nwfs) {
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
pass(const struct vtd_dma *dma, const struct vtd_pmr *pmr,
     const struct vtd_dma_req *req, bool snoop, struct vtd_dma_resp *resp)
{
    if (vtd_pmr_blocks(pmr, req->iova, 1)) {
        return VTD_FR_BLOCKED;
    }
    *resp = (struct vtd_dma_resp){
        .gpa = req->iova,
        .shift = 12,
        .access = req->at == VTD_AT_TRANSLATION
                      ? ats_want(dma, req)
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
interrupt_access(struct vtd_dma *dma, const struct vtd_dma_req *req,
                 struct vtd_dma_resp *resp)
{
    if (!is_zero_length(req)) {
        record(dma, req, VTD_FR_IR_INVALID);
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
interrupt_ask(const struct vtd_dma *dma, const struct vtd_dma_req *req,
              struct vtd_dma_resp *resp)
{
    bool write = (ats_want(dma, req) & VTD_DMA_WRITE) != 0;

    *resp = (struct vtd_dma_resp){
        .gpa = req->iova,
        .shift = 12,
        .access = write ? VTD_DMA_WRITE : 0,
        .untranslated = write,
    };
    return VTD_FR_OK;
}

/*
 * The address of a request is that of memory: it must be one, and not among
 * the interrupts.
 */
static enum vtd_fr
check_address(const struct vtd_dma *dma, const struct vtd_dma_ctx *ctx,
              uint64_t addr)
{
    unsigned bits = dma->env.config->haw;

    /* In legacy mode pass-through is bounded like a table, too. */
    if (ctx->stage == VTD_STAGE_PASS && !ctx->scalable && ctx->ss_bits < bits) {
        bits = ctx->ss_bits;
    }
    if (addr >> bits) {
        return ctx->scalable ? VTD_FR_DMA_WIDTH : VTD_FR_ADDR_WIDTH;
    }
    if (vtd_walk_is_interrupt(addr)) {
        return ctx->scalable ? VTD_FR_SM_INT_RANGE : VTD_FR_INT_RANGE;
    }
    return VTD_FR_OK;
}

static enum vtd_fr
identity(struct vtd_dma *dma, const struct vtd_dma_req *req,
         const struct vtd_dma_ctx *ctx, struct vtd_dma_resp *resp)
{
    enum vtd_fr fr = check_address(dma, ctx, req->iova);
    struct vtd_view_state state;

    if (fr != VTD_FR_OK) {
        return fail(dma, req, fr, ctx->fpd, resp);
    }
    if (!vtd_view_read(dma->view, &state)) {
        return VTD_FR_BLOCKED;
    }
    return pass(dma, &state.pmr, req, ctx->pgsnp, resp);
}

/*
 * What a device translated for itself.  The context entry is read each time:
 * it is not what other requests need to know of the function.
 * [VT-d 4.1, "Handling of ATS Protocol Errors"]
 */
static enum vtd_fr
translated(struct vtd_dma *dma, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp)
{
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr = vtd_dma_ctx_resolve(&dma->env, req, &ctx);

    return fr == VTD_FR_OK ? identity(dma, req, &ctx, resp)
                           : fail(dma, req, fr, ctx.fpd, resp);
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
count_walk(struct vtd_dma *dma, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    dma->walks++;
    if (__builtin_expect(dma->walked != NULL, 0)) {
        dma->walked(dma->owner, req, fr);
    }
}

/* No translation is kept that will do. */
static __attribute__((noinline)) enum vtd_fr
miss(struct vtd_dma *dma, const struct vtd_dma_req *req,
     const struct vtd_ctx_entry *from, uint8_t need, struct vtd_dma_resp *resp)
{
    enum vtd_fr fr = vtd_cache_translate(&dma->cache, req, from, need);

    count_walk(dma, req, fr);
    if (__builtin_expect(fr != VTD_FR_OK, 0)) {
        return fail(dma, req, fr, from->ctx.fpd, resp);
    }
    *resp = dma->cache.found->resp;
    resp->gpa += req->iova & 0xfff;
    return VTD_FR_OK;
}

/* A request that a look-up by its word alone does not serve. */
static enum vtd_fr
translate(struct vtd_dma *dma, const struct vtd_dma_req *req,
          const struct vtd_ctx_entry *from, struct vtd_dma_resp *resp)
{
    uint8_t need = vtd_dma_need(dma->env.config, &from->ctx, req);
    const struct vtd_tlb_entry *hit =
        vtd_tlb_find(&dma->cache, dma->cache.gens, req, from, need);
    enum vtd_fr fr;

    if (hit) {
        *resp = hit->resp;
        resp->gpa += req->iova & 0xfff;
        resp->access = access_of(hit->perm, is_super(need));
        return VTD_FR_OK;
    }
    fr = miss(dma, req, from, need, resp);
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
ats_translate(struct vtd_dma *dma, const struct vtd_dma_req *req,
              const struct vtd_ctx_entry *from, struct vtd_dma_resp *resp)
{
    static const uint8_t asks[] = {
        VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC,
        VTD_DMA_READ | VTD_DMA_WRITE,
        VTD_DMA_READ | VTD_DMA_EXEC,
        VTD_DMA_READ,
        VTD_DMA_WRITE,
    };
    const struct vtd_page *page = &dma->cache.page;
    struct vtd_dma_req ask = *req;
    uint8_t want = ats_want(dma, req);
    enum vtd_fr fr = VTD_FR_OK;

    for (unsigned i = 0; i < sizeof(asks); i++) {
        uint8_t need;

        ask.access = want & asks[i];
        if (ask.access == 0 || (i > 0 && ask.access == (want & asks[i - 1]))) {
            continue;
        }
        need = vtd_dma_need(dma->env.config, &from->ctx, &ask);
        fr = vtd_cache_walk(&dma->cache, req, from, need);
        count_walk(dma, req, fr);
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
    return fail(dma, req, fr, from->ctx.fpd, resp);
}

/* --- requests ------------------------------------------------------------ */

/* Through a context that lets @req pass. */
static enum vtd_fr
go_through(struct vtd_dma *dma, const struct vtd_dma_req *req,
           const struct vtd_ctx_entry *from, struct vtd_dma_resp *resp)
{
    if (vtd_walk_is_interrupt(req->iova) && req->pasid == VTD_NO_PASID) {
        return interrupt_ask(dma, req, resp);
    }
    if (from->ctx.stage == VTD_STAGE_PASS) {
        return identity(dma, req, &from->ctx, resp);
    }
    if (req->at == VTD_AT_TRANSLATION) {
        return ats_translate(dma, req, from, resp);
    }
    return translate(dma, req, from, resp);
}

/*
 * Find what the request translates through, and keep it as what was good at
 * @seq.
 */
static enum vtd_fr
resolve(struct vtd_dma *dma, const struct vtd_dma_req *req, uint64_t seq,
        struct vtd_dma_resp *resp)
{
    struct vtd_cache *cache = &dma->cache;
    const struct vtd_walk_env *env = &dma->env;
    struct vtd_dma_ctx ctx;
    enum vtd_fr fr = vtd_dma_ctx_resolve(env, req, &ctx);

    if (fr != VTD_FR_OK) {
        return fail(dma, req, fr, ctx.fpd, resp);
    }
    return go_through(
        dma, req,
        vtd_ctx_enter(cache, cache->gens, env->config, req, &ctx, seq), resp);
}

/* Untranslated and without PASID, to where interrupts are. */
static bool
is_interrupt_access(const struct vtd_dma_req *req)
{
    return req->at == VTD_AT_UNTRANSLATED && req->pasid == VTD_NO_PASID &&
           vtd_walk_is_interrupt(req->iova);
}

/* What becomes of a request, before anything of its source is known. */
enum way {
    WAY_BLOCKED,
    WAY_OPEN,      /* it is not remapped */
    WAY_INTERRUPT, /* see interrupt_access() */
    WAY_MEMORY,    /* its address is that of memory */
    WAY_TABLES,
};

static enum way
way_of(const struct vtd_root *root, const struct vtd_dma_req *req)
{
    if (!root->enabled) {
        return req->at == VTD_AT_UNTRANSLATED ? WAY_OPEN : WAY_BLOCKED;
    }
    if (req->at == VTD_AT_TRANSLATED) {
        return req->pasid == VTD_NO_PASID ? WAY_MEMORY : WAY_BLOCKED;
    }
    return is_interrupt_access(req) ? WAY_INTERRUPT : WAY_TABLES;
}

/*
 * A request of which no context is known.  The state is read after the number
 * of invalidations, and changed before that moves: a context which comes of an
 * older state is not kept.
 */
static enum vtd_fr
begin(struct vtd_dma *dma, const struct vtd_dma_req *req,
      struct vtd_dma_resp *resp)
{
    uint64_t seq = vtd_gens_seq(dma->cache.gens);
    struct vtd_view_state state;

    if (!vtd_view_read(dma->view, &state)) {
        return VTD_FR_BLOCKED;
    }
    dma->env.root = state.root;
    switch (way_of(&state.root, req)) {
    case WAY_OPEN:
        return pass(dma, &state.pmr, req, false, resp);
    case WAY_INTERRUPT:
        return interrupt_access(dma, req, resp);
    case WAY_MEMORY:
        return translated(dma, req, resp);
    case WAY_TABLES:
        return resolve(dma, req, seq, resp);
    default:
        return VTD_FR_BLOCKED;
    }
}

/*
 * Any request that is not a plain one with a context at hand; @from is NULL or
 * that.  A context is cached for all requests of its source and PASID, of which
 * it may refuse some.  A refusal is found anew in the structures, because FPD
 * of those behind the one that refuses does not count.
 */
static __attribute__((noinline)) enum vtd_fr
miss_any(struct vtd_dma *dma, const struct vtd_dma_req *req,
         struct vtd_dma_resp *resp, const struct vtd_ctx_entry *from)
{
    if (from && req->at != VTD_AT_TRANSLATED && !is_interrupt_access(req) &&
        vtd_dma_ctx_permit(&from->ctx, req) == VTD_FR_OK) {
        return go_through(dma, req, from, resp);
    }
    return begin(dma, req, resp);
}

/*
 * Neither a translation nor a translated request, no access that a context may
 * refuse, and not to where interrupts are.
 */
static inline bool
is_plain(const struct vtd_dma_req *req)
{
    return vtd_req_word(req) >> 48 <= (VTD_DMA_READ | VTD_DMA_WRITE) &&
           !vtd_req_is_special(req) && !vtd_walk_is_interrupt(req->iova);
}

/*
 * A plain miss by one kind of stage; what is out of the ordinary begins anew,
 * and pays for that.  Not one function for both, which would have more than
 * the processor's registers hold.
 */
static inline __attribute__((always_inline)) enum vtd_fr
miss_stage(struct vtd_dma *dma, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
           const struct vtd_ctx_entry *from, bool first)
{
    if (!vtd_cache_miss(&dma->cache, req, resp, entry, from, first)) {
        return miss(dma, req, from, from->need[req->access], resp);
    }
    count_walk(dma, req, VTD_FR_OK);
    return VTD_FR_OK;
}

static __attribute__((noinline)) enum vtd_fr
miss_second(struct vtd_dma *dma, const struct vtd_dma_req *req,
            struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
            const struct vtd_ctx_entry *from)
{
    return miss_stage(dma, req, resp, entry, from, false);
}

static __attribute__((noinline)) enum vtd_fr
miss_first(struct vtd_dma *dma, const struct vtd_dma_req *req,
           struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
           const struct vtd_ctx_entry *from)
{
    return miss_stage(dma, req, resp, entry, from, true);
}

static __attribute__((noinline)) enum vtd_fr
miss_nested(struct vtd_dma *dma, const struct vtd_dma_req *req,
            struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry,
            const struct vtd_ctx_entry *from)
{
    if (!vtd_cache_miss_nested(&dma->cache, req, resp, entry, from)) {
        return miss(dma, req, from, from->need[req->access], resp);
    }
    count_walk(dma, req, VTD_FR_OK);
    return VTD_FR_OK;
}

enum vtd_fr
vtd_dma_miss(struct vtd_dma *dma, const struct vtd_dma_req *req,
             struct vtd_dma_resp *resp, struct vtd_tlb_entry *entry)
{
    struct vtd_cache *cache = &dma->cache;
    const struct vtd_ctx_entry *from = vtd_ctx_find(cache, cache->gens, req);

    if (from && is_plain(req)) {
        switch (from->ctx.stage) {
        case VTD_STAGE_SECOND:
            return miss_second(dma, req, resp, entry, from);
        case VTD_STAGE_FIRST:
            return miss_first(dma, req, resp, entry, from);
        case VTD_STAGE_NESTED:
            return miss_nested(dma, req, resp, entry, from);
        default:
            break;
        }
    }
    return miss_any(dma, req, resp, from);
}

/* --- inspection ---------------------------------------------------------- */

/* To the address that it has, as pass(). */
static enum vtd_fr
inspect_pass(const struct vtd_pmr *pmr, const struct vtd_dma_req *req,
             struct vtd_page *page)
{
    if (vtd_pmr_blocks(pmr, req->iova, 1)) {
        return VTD_FR_BLOCKED;
    }
    page->perm = VTD_PERM_ALL;
    return VTD_FR_OK;
}

static enum vtd_fr
inspect_tables(const struct vtd_dma *dma, const struct vtd_dma_req *req,
               const struct vtd_view_state *state, struct vtd_trail *trail,
               struct vtd_dma_ctx *ctx, struct vtd_page *page)
{
    struct vtd_walk_env env = dma->env;
    struct vtd_page found;
    enum vtd_fr fr;

    env.root = state->root;
    env.trail = trail;
    (void)vtd_walk_inspect(&env, req, ctx, &found);
    env.trail = NULL;
    fr = vtd_walk_dry(&env, req, ctx, &found);
    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (vtd_walk_is_needed(ctx, req)) {
        *page = found;
        return VTD_FR_OK;
    }
    if (req->at == VTD_AT_TRANSLATION && vtd_walk_is_interrupt(req->iova)) {
        page->perm = ats_want(dma, req) & VTD_DMA_WRITE;
        return VTD_FR_OK;
    }
    page->snoop = ctx->pgsnp;
    fr = check_address(dma, ctx, req->iova);
    return fr == VTD_FR_OK ? inspect_pass(&state->pmr, req, page) : fr;
}

enum vtd_fr
vtd_dma_explain(const struct vtd_dma *dma, const struct vtd_dma_req *req,
                struct vtd_trail *trail, struct vtd_dma_ctx *ctx,
                struct vtd_page *page)
{
    struct vtd_view_state state;

    trail->count = 0;
    *ctx = (struct vtd_dma_ctx){ .stage = VTD_STAGE_NONE };
    *page = (struct vtd_page){
        .gpa = req->iova & ~UINT64_C(0xfff),
        .shift = 12,
    };
    if (!vtd_view_read(dma->view, &state)) {
        return VTD_FR_BLOCKED;
    }
    switch (way_of(&state.root, req)) {
    case WAY_OPEN:
        return inspect_pass(&state.pmr, req, page);
    case WAY_INTERRUPT:
        return is_zero_length(req) ? VTD_FR_OK : VTD_FR_IR_INVALID;
    case WAY_MEMORY:
    case WAY_TABLES:
        return inspect_tables(dma, req, &state, trail, ctx, page);
    default:
        return VTD_FR_BLOCKED;
    }
}
