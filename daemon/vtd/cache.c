/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "daemon/vtd/cache.h"

#include "daemon/vtd/cache-priv.h"

#define BITS_256  8u
#define BITS_4096 12u
_Static_assert(VTD_GEN_PASIDS == 1u << BITS_256 &&
                   VTD_GEN_DEVICES == 1u << BITS_256 &&
                   VTD_GEN_REGIONS == 1u << BITS_4096,
               "a hash of another size than what it is for");

/* Every access, of users or shifted of supervisors. */
#define PERM_USER (VTD_PERM_ALL >> VTD_PERM_SUPER_SHIFT)

#define SHIFT_64K 16u
#define SHIFT_2M  21u
#define SHIFT_1G  30u

/* The upper @bits of a product that depends on every bit of @key. */
static unsigned
hash(uint64_t key, unsigned bits)
{
    return (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - bits));
}

/*
 * Whose addresses: those of a domain's second stage, or of the first stage of
 * one PASID in it.
 */
static uint64_t
space_second(uint16_t did)
{
    return did;
}

static uint64_t
space_first(uint16_t did, uint32_t pasid)
{
    return VTD_BIT(63) | (uint64_t)pasid << 16 | did;
}

static unsigned
gen_domain(enum vtd_gen kind, uint16_t did)
{
    return kind + did % VTD_GEN_DOMAINS;
}

static unsigned
gen_pasid(enum vtd_gen kind, uint16_t did, uint32_t pasid)
{
    return kind + hash((uint64_t)pasid << 16 | did, BITS_256);
}

/* Functions of a device share one: a function mask then has no effect. */
static unsigned
gen_device(uint16_t sid)
{
    return VTD_GEN_CTX_DEVICE + hash(sid >> 3, BITS_256);
}

/* Neighbouring regions have neighbouring counters. */
static unsigned
gen_region(enum vtd_gen kind, uint64_t space, uint64_t region)
{
    return kind + (hash(space, BITS_4096) + region) % VTD_GEN_REGIONS;
}

static unsigned
gen_table(enum vtd_gen kind, uint64_t space, uint64_t region)
{
    return kind + (hash(space, BITS_4096) + region) % VTD_GEN_TABLES;
}

/* --- invalidation -------------------------------------------------------- */

static void
bump(struct vtd_gens *gens, unsigned i)
{
    vtd_gen_move(&gens->gen[i]);
}

static void
bump_domain(struct vtd_gens *gens, uint16_t did)
{
    bump(gens, gen_domain(VTD_GEN_DOMAIN, did));
    bump(gens, gen_domain(VTD_GEN_FIRST, did));
}

/*
 * The pages of an aligned range of at most 2 MiB.  Larger pages around it go,
 * too: what software invalidates may have been a part of one.
 */
static inline __attribute__((always_inline)) void
bump_pages(struct vtd_gens *gens, uint64_t space, uint64_t addr, unsigned shift,
           bool leaf_only)
{
    uint64_t first = addr >> SHIFT_64K;

    if (shift <= SHIFT_64K) {
        bump(gens, gen_region(VTD_GEN_64K, space, first));
    } else {
        unsigned n = 1u << (shift - SHIFT_64K);

        first &= -(uint64_t)n;
        for (unsigned i = 0; i < n; i++) {
            bump(gens, gen_region(VTD_GEN_64K, space, first + i));
        }
    }
    bump(gens, gen_region(VTD_GEN_2M, space, addr >> SHIFT_2M));
    bump(gens, gen_region(VTD_GEN_1G, space, addr >> SHIFT_1G));
    if (!leaf_only) {
        bump(gens, gen_table(VTD_GEN_TABLE_2M, space, addr >> SHIFT_2M));
        bump(gens, gen_table(VTD_GEN_TABLE_1G, space, addr >> SHIFT_1G));
    }
}

/*
 * Pages of the second stage may be behind any translation of the domain's
 * first stages, so all of these go.
 * [VT-d 4.1, "IOTLB Invalidate Descriptor"]
 */
static inline __attribute__((always_inline)) void
invalidate_pages(struct vtd_gens *gens, uint16_t did, uint64_t addr,
                 unsigned shift, bool leaf_only)
{
    bump(gens, gen_domain(VTD_GEN_FIRST, did));
    if (shift <= SHIFT_2M) {
        bump_pages(gens, space_second(did), addr, shift, leaf_only);
    } else {
        bump(gens, gen_domain(VTD_GEN_DOMAIN, did));
    }
}

static void
invalidate_iotlb(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    if (inv->scope == VTD_INV_GLOBAL) {
        bump(gens, VTD_GEN_ALL);
    } else if (inv->scope == VTD_INV_ONE && inv->pages) {
        invalidate_pages(gens, inv->did, inv->addr, inv->shift, inv->leaf_only);
    } else {
        bump_domain(gens, inv->did);
    }
}

/* [VT-d 4.1, "PASID-based-IOTLB Invalidate Descriptor"] */
static void
invalidate_pasid_iotlb(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    if (inv->scope != VTD_INV_ONE) {
        invalidate_iotlb(gens, inv);
    } else if (inv->pages && inv->shift <= SHIFT_2M) {
        bump_pages(gens, space_first(inv->did, inv->pasid), inv->addr,
                   inv->shift, inv->leaf_only);
    } else {
        bump(gens, gen_pasid(VTD_GEN_PASID, inv->did, inv->pasid));
    }
}

/*
 * A translation is found by its source, not by the domain that the context
 * names now: it goes with the context, or a source would be translated that
 * is blocked already, or as in the domain it left.  Which entries are of one
 * device no counter tells, so that all go; software gives and takes devices
 * rarely.
 */
static void
invalidate_ctx(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    if (inv->scope == VTD_INV_GLOBAL) {
        bump(gens, VTD_GEN_CTX_ALL);
        bump(gens, VTD_GEN_ALL);
    } else if (inv->scope == VTD_INV_DOMAIN) {
        bump(gens, gen_domain(VTD_GEN_CTX_DOMAIN, inv->did));
        bump_domain(gens, inv->did);
    } else if (inv->kind == VTD_INV_CONTEXT) {
        bump(gens, gen_device(inv->sid));
        bump(gens, VTD_GEN_ALL);
    } else {
        bump(gens, gen_pasid(VTD_GEN_CTX_PASID, inv->did, inv->pasid));
        bump_domain(gens, inv->did);
    }
}

/* See vtd_tlb_enter() for why this comes first. */
static void
announce(struct vtd_gens *gens)
{
    vtd_gen_move(&gens->seq);
    vtd_gens_order();
}

void
vtd_gens_invalidate_all(struct vtd_gens *gens)
{
    announce(gens);
    bump(gens, VTD_GEN_ALL);
    bump(gens, VTD_GEN_CTX_ALL);
}

int
vtd_gens_invalidate_global(struct vtd_gens *gens)
{
    announce(gens);
    bump(gens, VTD_GEN_ALL);
    return 1;
}

int
vtd_gens_invalidate_domain(struct vtd_gens *gens, uint16_t did)
{
    announce(gens);
    bump_domain(gens, did);
    return 1;
}

int
vtd_gens_invalidate_pages(struct vtd_gens *gens, uint16_t did, uint64_t addr,
                          unsigned shift, bool leaf_only)
{
    announce(gens);
    if (__builtin_expect(shift <= SHIFT_64K, 1)) {
        /* All these move the same counters: compiled for one of them. */
        invalidate_pages(gens, did, addr, SHIFT_64K, leaf_only);
        return 1;
    }
    invalidate_pages(gens, did, addr, shift, leaf_only);
    return 2;
}

void
vtd_gens_invalidate(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    announce(gens);
    switch (inv->kind) {
    case VTD_INV_CONTEXT:
    case VTD_INV_PASID_CACHE:
        invalidate_ctx(gens, inv);
        break;
    case VTD_INV_IOTLB:
        invalidate_iotlb(gens, inv);
        break;
    case VTD_INV_PASID_IOTLB:
        invalidate_pasid_iotlb(gens, inv);
        break;
    case VTD_INV_DEV_TLB:
    case VTD_INV_PASID_DEV_TLB:
        break; /* a device's own */
    case VTD_INV_ROOT:
        vtd_gens_invalidate_all(gens);
        break;
    }
}

/* --- entries ------------------------------------------------------------- */

/*
 * The sum of the counters, unless an invalidation came since @seq was read:
 * what was read from guest memory since may be older than it, and the counters
 * may be newer.  Such an entry is never valid.
 */
static inline uint64_t
sum_or_never(const struct vtd_gens *gens, uint64_t seq, uint64_t sum)
{
    return vtd_gens_seq(gens) == seq ? sum : 0;
}

/*
 * The size, as a shift, of what software may invalidate a part of to be rid of
 * @page.  That is not page->shift where another stage has a larger page, nor
 * where interrupt addresses near by made it less than it is.
 */
static inline unsigned
span_of(const struct vtd_dma_ctx *ctx, const struct vtd_page *page)
{
    if (__builtin_expect(page->gpa >> 30 == 0xfee00000 >> 30, 0) &&
        (page->shift > 12 || page->gpa >> 21 == 0xfee00000 >> 21)) {
        return SHIFT_1G;
    }
    return ctx->stage == VTD_STAGE_NESTED ? SHIFT_1G : page->shift;
}

/* The region that @page at @iova lies in. */
static inline uint16_t
dep_page(const struct vtd_ctx_entry *from, const struct vtd_page *page,
         uint64_t iova)
{
    unsigned span = span_of(&from->ctx, page);

    if (span <= SHIFT_64K) {
        return vtd_gen_of_region(from, VTD_GEN_64K, iova >> SHIFT_64K);
    }
    if (span <= SHIFT_2M) {
        return vtd_gen_of_region(from, VTD_GEN_2M, iova >> SHIFT_2M);
    }
    return vtd_gen_of_region(from, VTD_GEN_1G, iova >> SHIFT_1G);
}

/*
 * A page says in the same places what an answer does, but for permissions
 * where that has accesses.  The rest of an answer is zero.
 */
#define TAIL offsetof(struct vtd_page, shift)
_Static_assert(offsetof(struct vtd_page, perm) == TAIL + 1 &&
                   offsetof(struct vtd_page, snoop) == TAIL + 2 &&
                   offsetof(struct vtd_page, global) == TAIL + 3 &&
                   VTD_RESP_TAIL == TAIL,
               "a page cannot be copied to an answer");

/*
 * The entry is kept for requests like this one, but not for executing where
 * the context refuses it: that must fail there.  A request for no access at
 * all would hit any entry, so that one which is not for zero-length reads is
 * hidden from it.
 */
static inline void
tlb_enter(struct vtd_cache *cache, const struct vtd_dma_req *req,
          const struct vtd_ctx_entry *from)
{
    const struct vtd_gens *gens = cache->gens;
    struct vtd_tlb_entry *entry = vtd_tlb_slot(cache, req);
    const struct vtd_page *page = &cache->page;
    unsigned access = page->perm >> from->perm_shift & PERM_USER;
    uint64_t permit = access & from->permit;
    uint16_t region = dep_page(from, page, req->iova);
    uint32_t tail;

    cache->found = entry;
    entry->iova = req->iova & ~UINT64_C(0xfff);
    entry->who = from->who;
    if (__builtin_expect(!(permit & VTD_DMA_READ) && from->need[0] != 0, 0)) {
        entry->who |= VTD_WORD_AT;
    }
    entry->care = ~VTD_PREP(VTD_WORD_ACCESS, permit);
    memcpy(entry->dep, from->dep, sizeof(entry->dep));
    entry->dep[3] = region;
    entry->perm = page->perm;
    entry->serial = (uint32_t)from->serial;
    entry->resp.gpa = page->gpa;
    memcpy(&tail, (const char *)page + TAIL, sizeof(tail));
    vtd_resp_set_tail(&entry->resp, (tail & ~UINT32_C(0xff00)) | access << 8);
    entry->sum = sum_or_never(gens, from->checked,
                              vtd_gen_add(from->base, gens, region));
}

const struct vtd_tlb_entry *
vtd_tlb_find(struct vtd_cache *cache, const struct vtd_gens *gens,
             const struct vtd_dma_req *req, const struct vtd_ctx_entry *from,
             uint8_t need)
{
    const struct vtd_tlb_entry *entry = vtd_tlb_slot(cache, req);

    if ((req->iova ^ entry->iova) >= 4096 ||
        ((from->who ^ entry->who) & VTD_WORD_WHO) ||
        entry->serial != (uint32_t)from->serial || (need & ~entry->perm) ||
        entry->sum != vtd_gens_sum(gens, entry->dep)) {
        return NULL;
    }
    return entry;
}

/* What translations and tables of @entry's context depend on. */
static void
derive_deps(struct vtd_ctx_entry *entry)
{
    const struct vtd_dma_ctx *ctx = &entry->ctx;
    uint64_t space = space_second(ctx->did);

    entry->dep[0] = VTD_GEN_ALL;
    entry->dep[1] = (uint16_t)gen_domain(VTD_GEN_DOMAIN, ctx->did);
    entry->dep[2] = VTD_GEN_ALL;
    entry->dep[3] = VTD_GEN_ALL;
    if (ctx->scalable) {
        entry->dep[2] =
            (uint16_t)gen_pasid(VTD_GEN_PASID, ctx->did, ctx->pasid);
    }
    if (ctx->stage != VTD_STAGE_SECOND) {
        space = space_first(ctx->did, ctx->pasid);
        entry->dep[1] = (uint16_t)gen_domain(VTD_GEN_FIRST, ctx->did);
    }
    entry->region_base = (uint16_t)hash(space, BITS_4096);
}

/* What requests like @req may and must have. */
static void
derive_needs(struct vtd_ctx_entry *entry, const struct vtd_config *config,
             const struct vtd_dma_req *req)
{
    struct vtd_dma_req plain = { .pasid = req->pasid, .sid = req->sid };

    for (unsigned i = 0; i < sizeof(entry->need); i++) {
        plain.access = (uint8_t)i;
        entry->need[i] = vtd_dma_need(config, &entry->ctx, &plain);
    }
    entry->perm_shift =
        entry->need[VTD_DMA_READ] & VTD_DMA_READ ? 0 : VTD_PERM_SUPER_SHIFT;
    plain.access = VTD_DMA_EXEC;
    entry->permit = PERM_USER;
    if (vtd_dma_ctx_permit(&entry->ctx, &plain) != VTD_FR_OK) {
        entry->permit &= (uint8_t)~VTD_DMA_EXEC;
    }
}

/* One a stage. */
static void
derive_plans(struct vtd_cache *cache, struct vtd_ctx_entry *entry,
             const struct vtd_config *config)
{
    const struct vtd_dma_ctx *ctx = &entry->ctx;
    struct vtd_walk_plan *behind = &cache->behind[entry - cache->ctx];

    if (ctx->stage == VTD_STAGE_FIRST || ctx->stage == VTD_STAGE_NESTED) {
        vtd_walk_plan_first(&entry->plan, ctx, entry->perm_shift);
    }
    if (ctx->stage == VTD_STAGE_SECOND || ctx->stage == VTD_STAGE_NESTED) {
        vtd_walk_plan_second(ctx->stage == VTD_STAGE_NESTED ? behind
                                                            : &entry->plan,
                             config, ctx, entry->perm_shift);
    }
}

const struct vtd_ctx_entry *
vtd_ctx_enter(struct vtd_cache *cache, const struct vtd_gens *gens,
              const struct vtd_config *config, const struct vtd_dma_req *req,
              const struct vtd_dma_ctx *ctx, uint64_t seq)
{
    uint64_t who = vtd_req_word(req) & VTD_WORD_WHO;
    struct vtd_ctx_entry *entry = vtd_ctx_slot(cache, req);
    uint16_t *dep = entry->stamp.dep;

    entry->who = who;
    entry->serial = ++cache->serial;
    entry->pwc_base = (uint16_t)(entry->serial * VTD_PWC_STEP);
    entry->checked = seq;
    entry->ctx = *ctx;
    derive_deps(entry);
    derive_needs(entry, config, req);
    derive_plans(cache, entry, config);
    entry->base = vtd_gens_base(gens, entry->dep);
    dep[0] = VTD_GEN_CTX_ALL;
    dep[1] = (uint16_t)gen_domain(VTD_GEN_CTX_DOMAIN, ctx->did);
    dep[2] = (uint16_t)gen_device(req->sid);
    dep[3] = (uint16_t)gen_pasid(VTD_GEN_CTX_PASID, ctx->did, ctx->pasid);
    entry->stamp.sum = sum_or_never(gens, seq, vtd_gens_sum(gens, dep));
    return entry;
}

/* Where a walk may begin, in cache->hint; level 0: at the top. */
static inline void
pwc_find(struct vtd_cache *cache, const struct vtd_ctx_entry *from,
         uint64_t iova)
{
    const struct vtd_pwc_entry *pwc = vtd_pwc_slot(cache, from, iova);

    cache->hint.level = 0;
    if (vtd_pwc_is_valid(pwc, cache->gens, from, iova)) {
        cache->hint = pwc->hint;
    }
}

/*
 * A table is entered for the 2 MiB around @iova alone, but it serves as much
 * as it spans: it goes as soon as an entry above it may have changed for any
 * of that.  Tables above those that span 1 GiB are not worth an entry.
 */
static inline void
pwc_enter(struct vtd_cache *cache, const struct vtd_ctx_entry *from,
          uint64_t iova)
{
    const struct vtd_gens *gens = cache->gens;
    struct vtd_pwc_entry *pwc = vtd_pwc_slot(cache, from, iova);
    uint8_t level = cache->hint.level;

    if (level != 1 && level != 2) {
        return;
    }
    pwc->serial = from->serial;
    pwc->region = iova >> VTD_PWC_SHIFT;
    pwc->hint = cache->hint;
    pwc->sum = sum_or_never(
        gens, from->checked,
        vtd_gen_add(from->base, gens, vtd_gen_of_table(from, iova, level)));
}

static inline __attribute__((always_inline)) enum vtd_fr
walk(struct vtd_cache *cache, const struct vtd_dma_req *req,
     const struct vtd_ctx_entry *from, uint8_t need)
{
    enum vtd_fr fr;
    uint8_t begin;

    pwc_find(cache, from, req->iova);
    begin = cache->hint.level;
    fr = vtd_walk(cache->env, &from->ctx, req->iova, need, &cache->hint,
                  &cache->page);
    if (fr == VTD_FR_OK && cache->hint.level != begin) {
        pwc_enter(cache, from, req->iova);
    }
    return fr;
}

enum vtd_fr
vtd_cache_walk(struct vtd_cache *cache, const struct vtd_dma_req *req,
               const struct vtd_ctx_entry *from, uint8_t need)
{
    return walk(cache, req, from, need);
}

enum vtd_fr
vtd_cache_translate(struct vtd_cache *cache, const struct vtd_dma_req *req,
                    const struct vtd_ctx_entry *from, uint8_t need)
{
    enum vtd_fr fr = walk(cache, req, from, need);

    if (fr == VTD_FR_OK) {
        tlb_enter(cache, req, from);
    }
    return fr;
}
