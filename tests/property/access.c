/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/access.h"

#include <stdio.h>
#include <string.h>

struct access_counts access_counts;

/* What the model said to one request. */
struct said {
    const struct vtd_dma_req *req;
    enum vtd_fr fr;
    bool recorded;
    struct vtd_dma_resp resp;
};

/* --- what an invalidation covers ----------------------------------------- */

/* A part of a page is enough to be rid of all of it: @shift is its size. */
static bool
in_range(const struct inv *inv, uint64_t iova, unsigned shift)
{
    unsigned wide = 12u + inv->am;

    if (wide < shift) {
        wide = shift;
    }
    return wide > 63 || iova >> wide == inv->addr >> wide;
}

/* What is known of @sid's context @ctx is void after @inv. */
static bool
covers_context(const struct inv *inv, const struct ora_context *ctx,
               uint16_t sid)
{
    static const uint16_t masks[] = { 0xffff, 0xfffb, 0xfff9, 0xfff8 };

    switch (inv->kind) {
    case INV_CONTEXT_GLOBAL:
    case INV_PASID_GLOBAL:
    case INV_ROOT:
        return true;
    case INV_CONTEXT_DOMAIN:
        return !ctx->scalable && ctx->did == inv->did;
    case INV_CONTEXT_DEVICE:
        return ((sid ^ inv->sid) & masks[inv->function_mask]) == 0 &&
               (ctx->scalable || ctx->did == inv->did);
    case INV_PASID_DOMAIN:
        return ctx->scalable && ctx->did == inv->did;
    case INV_PASID_ONE:
        return ctx->scalable && ctx->did == inv->did &&
               ctx->pasid == inv->pasid;
    default:
        return false;
    }
}

/*
 * What is known of @iova behind @ctx is void after @inv; of the tables above
 * the last if @shift is 0, else of a page of that size.
 */
static bool
covers_page(const struct inv *inv, const struct ora_context *ctx, uint64_t iova,
            unsigned shift)
{
    bool upper = shift == 0;
    bool first = ctx->kind == ORA_FIRST || ctx->kind == ORA_NESTED;

    switch (inv->kind) {
    case INV_TLB_GLOBAL:
    case INV_ROOT:
        return true;
    case INV_TLB_DOMAIN:
        return ctx->did == inv->did;
    case INV_TLB_PAGES:
        return ctx->did == inv->did && !(upper && inv->leaf_only) &&
               (ctx->kind == ORA_NESTED ||
                (ctx->kind == ORA_SECOND && in_range(inv, iova, shift)));
    case INV_TLB_PASID:
        return ctx->scalable && ctx->did == inv->did &&
               ctx->pasid == inv->pasid;
    case INV_TLB_PASID_PAGES:
        return first && ctx->did == inv->did && ctx->pasid == inv->pasid &&
               !(upper && inv->leaf_only) && in_range(inv, iova, shift);
    default:
        return false;
    }
}

/* --- comparing ----------------------------------------------------------- */

static bool
is_answer(const struct said *said, const struct ora_answer *answer)
{
    const struct vtd_dma_resp *a = &said->resp;
    const struct vtd_dma_resp *b = &answer->resp;
    bool writes = said->req->atomic ||
                  ((said->req->access & VTD_DMA_WRITE) && !said->req->no_write);
    unsigned optional = answer->dirties && !writes ? VTD_DMA_WRITE : 0;

    if (said->fr != answer->fr) {
        return false;
    }
    if (said->fr != VTD_FR_OK) {
        return said->recorded == !answer->silent;
    }
    return a->gpa == b->gpa && a->shift == b->shift &&
           (a->access | optional) == (b->access | optional) &&
           a->snoop == b->snoop && a->global == b->global &&
           a->untranslated == b->untranslated;
}

/* --- is there an explanation? -------------------------------------------- */

struct search {
    const struct said *said;
    unsigned now;
    bool in_three;                   /* tables of three moments, too */
    struct ora_context ctx[MOMENTS]; /* as each moment has it */
};

/* A unit may keep what it found, if the fault is but this request's. */
static bool
may_be_kept(const struct ora_context *ctx)
{
    switch (ctx->fr) {
    case VTD_FR_OK:
    case VTD_FR_TT_BLOCK:
    case VTD_FR_SM_DTE:
    case VTD_FR_PASID_ERE:
    case VTD_FR_PASID_SRE:
        return true;
    default:
        return false;
    }
}

/* What was known of the context at moment @from still counts at @to. */
static bool
context_lives(const struct search *s, unsigned from, unsigned to)
{
    for (unsigned i = from + 1; i <= to; i++) {
        if (covers_context(&guest.moment[i].inv, &s->ctx[from],
                           s->said->req->sid)) {
            return false;
        }
    }
    return from == to || may_be_kept(&s->ctx[from]);
}

static bool
page_lives(const struct search *s, const struct ora_context *ctx, unsigned from,
           unsigned to, unsigned shift)
{
    for (unsigned i = from + 1; i <= to; i++) {
        if (covers_page(&guest.moment[i].inv, ctx, s->said->req->iova, shift)) {
            return false;
        }
    }
    return true;
}

/*
 * The tables of @path with the flags of that or of another moment's context;
 * what was kept holds the permissions of users and of supervisors.
 */
#define MIXTURES 3u

static struct ora_context
mixture(const struct ora_context *path, const struct ora_context *flags,
        unsigned i)
{
    struct ora_context mixed = i == 0 ? *flags : *path;

    mixed.kind = path->kind;
    mixed.first = path->first;
    mixed.second = path->second;
    mixed.first_levels = path->first_levels;
    mixed.second_levels = path->second_levels;
    mixed.fpd = flags->fpd;
    mixed.fr = VTD_FR_OK;
    if (i == 2) {
        mixed.super = flags->super;
    }
    return mixed;
}

/* What @answer found at moment @at, behind @path, may have been kept. */
static bool
is_kept(const struct search *s, const struct ora_context *path,
        const struct ora_answer *answer, unsigned at)
{
    return answer->fr == VTD_FR_OK &&
           page_lives(s, path, at, s->now, 3 + 9 * answer->lowest);
}

/*
 * Tables of @ages, the last one of moment @at, with the flags of each of the
 * mixtures.
 */
static bool
explains_walk(const struct search *s, const struct ora_ages *ages,
              const struct ora_context *path, const struct ora_context *flags,
              unsigned at)
{
    for (unsigned i = 0; i < MIXTURES; i++) {
        struct ora_context mixed = mixture(path, flags, i);
        struct ora_answer answer;

        ora_walk(ages, &mixed, s->said->req, &answer);
        if (is_answer(s->said, &answer) &&
            (at == s->now || is_kept(s, path, &answer, at))) {
            return true;
        }
    }
    return false;
}

/*
 * The upper tables are of moment @u, found through @path, and the last one is
 * of some moment since: of now, or of when a translation was kept.  The one
 * above that may have been found through the upper ones in between.
 */
static bool
explains_page(const struct search *s, const struct ora_context *path,
              const struct ora_context *flags, unsigned u)
{
    struct ora_ages ages = { .upper = &guest.moment[u].world };
    struct ora_answer first;
    unsigned lowest;

    ora_walk(&ages, path, s->said->req, &first);
    lowest = first.lowest;
    for (unsigned l = s->now + 1; l-- > u;) {
        if (!page_lives(s, path, u, l, 0)) {
            continue;
        }
        ages.lower = &guest.moment[l].world;
        ages.middle = NULL;
        ages.cut = lowest;
        if (explains_walk(s, &ages, path, flags, l)) {
            return true;
        }
        ages.cut = 1;
        for (unsigned m = u + 1; s->in_three && m < l; m++) {
            ages.middle = &guest.moment[m].world;
            if (explains_walk(s, &ages, path, flags, l)) {
                return true;
            }
        }
    }
    return false;
}

static bool
explains_context(const struct search *s, unsigned c)
{
    const struct ora_context *flags = &s->ctx[c];
    struct ora_answer answer;

    if (flags->fr != VTD_FR_OK || flags->kind == ORA_PASS ||
        s->said->req->at == VTD_AT_TRANSLATED) {
        ora_walk_now(&guest.moment[c].world, flags, s->said->req, &answer);
        return is_answer(s->said, &answer);
    }
    for (unsigned u = s->now + 1; u-- > 0;) {
        for (unsigned p = u + 1; p-- > 0;) {
            const struct ora_context *path = &s->ctx[p];

            if (may_be_kept(path) && path->did == flags->did &&
                path->pasid == flags->pasid && path->kind != ORA_PASS &&
                context_lives(s, p, u) && explains_page(s, path, flags, u)) {
                return true;
            }
        }
    }
    return false;
}

static bool
is_explained(const struct said *said)
{
    struct search s = { .said = said, .now = guest.moments - 1 };

    for (unsigned i = 0; i < guest.moments; i++) {
        ora_context(&guest.moment[i].world, said->req, &s.ctx[i]);
    }
    for (unsigned three = 0; three < 2; three++) {
        s.in_three = three != 0;
        for (unsigned c = guest.moments; c-- > 0;) {
            if (context_lives(&s, c, s.now) && explains_context(&s, c)) {
                return true;
            }
        }
    }
    return false;
}

/* --- fault records ------------------------------------------------------- */

static void
show(const char *who, enum vtd_fr fr, bool recorded,
     const struct vtd_dma_resp *resp)
{
    (void)fprintf(
        stderr, "  %s: reason %#x (%s)%s, gpa %#lx shift %u access %u%s%s%s\n",
        who, fr, fr ? vtd_fault_name((uint8_t)fr) : "none",
        recorded ? " recorded" : "", (unsigned long)resp->gpa, resp->shift,
        resp->access, resp->snoop ? " snoop" : "",
        resp->global ? " global" : "",
        resp->untranslated ? " untranslated" : "");
}

static void
show_request(const struct vtd_dma_req *req)
{
    (void)fprintf(stderr,
                  "  request: sid %#x pasid %#x iova %#lx access %u at %u%s%s%s"
                  ", TTM %u, moment %u\n",
                  req->sid, req->pasid, (unsigned long)req->iova, req->access,
                  req->at, req->privileged ? " privileged" : "",
                  req->atomic ? " atomic" : "", req->no_write ? " nw" : "",
                  guest_now()->mode, guest.moments - 1);
    for (unsigned i = 0; i < guest.moments; i++) {
        const struct inv *inv = &guest.moment[i].inv;
        struct ora_context ctx;
        struct ora_answer answer;

        ora_context(&guest.moment[i].world, req, &ctx);
        ora_walk_now(&guest.moment[i].world, &ctx, req, &answer);
        (void)fprintf(
            stderr,
            "  moment %u: kind %d did %#x sid %#x pasid %#x "
            "addr %#lx am %u%s; reason %#x gpa %#lx shift %u; did %#x\n",
            i, inv->kind, inv->did, inv->sid, inv->pasid,
            (unsigned long)inv->addr, inv->am, inv->leaf_only ? " ih" : "",
            answer.fr, (unsigned long)answer.resp.gpa, answer.resp.shift,
            ctx.did);
        for (unsigned j = 0; j < ora_trace.n; j++) {
            uint64_t val = 0;

            if (ora_trace.gpa[j] < RAM_SIZE) {
                memcpy(&val, guest.moment[i].world.ram + ora_trace.gpa[j], 8);
            }
            (void)fprintf(stderr, " %#lx: %#lx",
                          (unsigned long)ora_trace.gpa[j], (unsigned long)val);
        }
        (void)fputc('\n', stderr);
    }
}

/* The record that a fault must leave, in the two quadwords of a register. */
static void
check_record(const struct vtd_dma_req *req, enum vtd_fr fr, uint64_t lo,
             uint64_t hi)
{
    bool with = req->pasid != VTD_NO_PASID;
    bool reads = !(req->access & VTD_DMA_WRITE) || fr == VTD_FR_READ ||
                 fr == VTD_FR_SM_READ;
    unsigned width = guest.config.fs5lp || (guest.config.sagaw & 8)  ? 57
                     : guest.config.fsts || (guest.config.sagaw & 4) ? 48
                                                                     : 39;
    uint64_t page = (req->iova & ~(PAGE - 1)) & ((UINT64_C(1) << width) - 1);
    uint64_t want = UINT64_C(1) << 63 | (uint64_t)fr << 32 | req->sid;

    want |= reads || req->atomic ? UINT64_C(1) << 62 : 0;
    want |= req->atomic ? UINT64_C(1) << 28 : 0;
    want |= guest.config.dt ? (uint64_t)req->at << 60 : 0;
    if (with && guest.config.pasid_bits) {
        want |= (uint64_t)req->pasid << 40 | UINT64_C(1) << 31;
        want |= req->access & VTD_DMA_EXEC ? UINT64_C(1) << 30 : 0;
        want |= req->privileged ? UINT64_C(1) << 29 : 0;
    }
    if (hi != want || lo != page) {
        show_request(req);
        fail("fault record %#lx %#lx, not %#lx %#lx", (unsigned long)hi,
             (unsigned long)lo, (unsigned long)want, (unsigned long)page);
    }
}

/* One record at most, and it is cleared again. */
static bool
take_record(const struct vtd_dma_req *req, enum vtd_fr fr)
{
    bool found = false;

    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        uint64_t hi = vtd_mmio_read(guest.vtd, 0x228 + i * 16, 8);

        if (hi >> 63) {
            if (found) {
                fail("two records of one fault");
            }
            check_record(req, fr, vtd_mmio_read(guest.vtd, 0x220 + i * 16, 8),
                         hi);
            found = true;
            vtd_mmio_write(guest.vtd, 0x22c + i * 16, 4, 0x80000000);
        }
    }
    if (found && fr == VTD_FR_OK) {
        fail("a record of no fault");
    }
    return found;
}

/* --- accessed and dirty bits --------------------------------------------- */

/* All that the oracle sets are there; the model set no others. */
static void
check_marks(const struct said *said, const struct ora_answer *answer)
{
    for (unsigned i = 0; i < answer->marks && said->fr == VTD_FR_OK; i++) {
        const struct ora_mark *mark = &answer->mark[i];

        if (~guest_read(mark->gpa) & mark->bits) {
            show_request(said->req);
            fail("bits %#lx at %#lx are not all set", (unsigned long)mark->bits,
                 (unsigned long)mark->gpa);
        }
    }
    for (unsigned i = 0; i < answer->dirties && said->fr == VTD_FR_OK; i++) {
        const struct ora_mark *mark = &answer->dirty[i];

        if ((said->resp.access & VTD_DMA_WRITE) &&
            (~guest_read(mark->gpa) & mark->bits)) {
            show_request(said->req);
            fail("writes are granted, but D at %#lx is clear",
                 (unsigned long)mark->gpa);
        }
    }
    for (unsigned i = 0; i < guest.marks; i++) {
        uint64_t bits = 0;

        for (unsigned j = 0; j < answer->marks; j++) {
            if (answer->mark[j].gpa == guest.mark[i].gpa) {
                bits |= answer->mark[j].bits;
            }
        }
        if (guest.mark[i].bits & ~bits) {
            show_request(said->req);
            fail("reason %#x: bits %#lx at %#lx were set needlessly", said->fr,
                 (unsigned long)guest.mark[i].bits,
                 (unsigned long)guest.mark[i].gpa);
        }
    }
}

/* --- asking -------------------------------------------------------------- */

/* The unit, or him who translates from outside: their answers are the same. */
static void
ask(struct said *said)
{
    if (random_one_in(3)) {
        guest.reported = VTD_FR_OK;
        said->fr = vtd_dma_access(guest.client, said->req, &said->resp);
        said->recorded = guest.reported != VTD_FR_OK;
        if (said->recorded && said->fr != VTD_FR_OK &&
            said->fr != guest.reported) {
            fail("reason %#x, but %#x is to be recorded", said->fr,
                 guest.reported);
        }
        access_counts.outside++;
        return;
    }
    said->fr = vtd_dma_translate(guest.vtd, said->req, &said->resp);
    if (said->fr != VTD_FR_OK) {
        said->recorded = take_record(said->req, said->fr);
    }
}

/* Who explains looks at memory alone, and says what is true now. */
static void
check_explanation(const struct vtd_dma_req *req,
                  const struct ora_answer *answer)
{
    struct vtd_trail trail;
    struct vtd_dma_ctx ctx;
    struct vtd_page page;
    enum vtd_fr fr = vtd_dma_inspect(guest.vtd, req, &trail, &ctx, &page);

    if (guest.marks != 0) {
        fail("an explanation changed memory");
    }
    if (req->at == VTD_AT_TRANSLATION) {
        return; /* answered by what there is, not refused */
    }
    if (fr != answer->fr ||
        (fr == VTD_FR_OK && page.gpa + req->iova % PAGE != answer->resp.gpa)) {
        show_request(req);
        fail("explained by reason %#x and page %#lx, but it is %#x, %#lx", fr,
             (unsigned long)page.gpa, answer->fr,
             (unsigned long)answer->resp.gpa);
    }
}

void
access_check(const struct vtd_dma_req *req)
{
    const struct ora_world *now = guest_now();
    bool alone = guest.moments == 1;
    struct said said = { .req = req };
    struct ora_context ctx;
    struct ora_answer answer;

    ora_context(now, req, &ctx);
    ora_walk_now(now, &ctx, req, &answer);
    guest.marks = 0;
    guest.odd = false;
    check_explanation(req, &answer);
    ask(&said);
    access_counts.all++;
    access_counts.good += said.fr == VTD_FR_OK;
    access_counts.reason[said.fr & 255]++;
    if (is_answer(&said, &answer)) {
        access_counts.exact += alone;
        access_counts.fresh += !alone;
        if (alone && !guest.odd) {
            check_marks(&said, &answer);
        }
        return;
    }
    if ((alone && !guest.odd) || !is_explained(&said)) {
        ora_context(now, req, &ctx);
        ora_walk_now(now, &ctx, req, &answer);
        show_request(req);
        show("the model ", said.fr, said.recorded, &said.resp);
        show("the oracle", answer.fr, !answer.silent && answer.fr,
             &answer.resp);
        fail(alone ? "the only answer is another one"
                   : "no moment explains the answer");
    }
    access_counts.stale++;
}
