/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/cache.h"

#include "daemon/vtd/cache-priv.h"

#define BITS_256  8u
#define BITS_512  9u
#define BITS_4096 12u
_Static_assert(VTD_GEN_PASIDS == 1u << BITS_256 &&
                   VTD_GEN_DEVICES == 1u << BITS_256 &&
                   VTD_CTX_ENTRIES == 1u << BITS_256 &&
                   VTD_PWC_ENTRIES == 1u << BITS_512 &&
                   VTD_GEN_REGIONS == 1u << BITS_4096,
               "a hash of another size than what it is for");

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
    gens->gen[i]++;
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
static void
bump_pages(struct vtd_gens *gens, uint64_t space, const struct vtd_inv *inv)
{
    unsigned n = inv->shift > SHIFT_64K ? 1u << (inv->shift - SHIFT_64K) : 1;
    uint64_t first = (inv->addr >> SHIFT_64K) & -(uint64_t)n;

    for (unsigned i = 0; i < n; i++) {
        bump(gens, gen_region(VTD_GEN_64K, space, first + i));
    }
    bump(gens, gen_region(VTD_GEN_2M, space, inv->addr >> SHIFT_2M));
    bump(gens, gen_region(VTD_GEN_1G, space, inv->addr >> SHIFT_1G));
    if (!inv->leaf_only) {
        bump(gens, gen_table(VTD_GEN_TABLE_2M, space, inv->addr >> SHIFT_2M));
        bump(gens, gen_table(VTD_GEN_TABLE_1G, space, inv->addr >> SHIFT_1G));
    }
}

static bool
has_few_pages(const struct vtd_inv *inv)
{
    return inv->pages && inv->shift <= SHIFT_2M;
}

/*
 * Pages of the second stage may be behind any translation of the domain's
 * first stages, so all of these go.
 * [VT-d 4.1, "IOTLB Invalidate Descriptor"]
 */
static void
invalidate_iotlb(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    if (inv->scope == VTD_INV_GLOBAL) {
        bump(gens, VTD_GEN_ALL);
    } else if (inv->scope == VTD_INV_ONE && has_few_pages(inv)) {
        bump(gens, gen_domain(VTD_GEN_FIRST, inv->did));
        bump_pages(gens, space_second(inv->did), inv);
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
    } else if (has_few_pages(inv)) {
        bump_pages(gens, space_first(inv->did, inv->pasid), inv);
    } else {
        bump(gens, gen_pasid(VTD_GEN_PASID, inv->did, inv->pasid));
    }
}

static void
invalidate_ctx(struct vtd_gens *gens, const struct vtd_inv *inv)
{
    if (inv->scope == VTD_INV_GLOBAL) {
        bump(gens, VTD_GEN_CTX_ALL);
    } else if (inv->scope == VTD_INV_DOMAIN) {
        bump(gens, gen_domain(VTD_GEN_CTX_DOMAIN, inv->did));
    } else if (inv->kind == VTD_INV_CONTEXT) {
        bump(gens, gen_device(inv->sid));
    } else {
        bump(gens, gen_pasid(VTD_GEN_CTX_PASID, inv->did, inv->pasid));
    }
}

/* See vtd_tlb_enter() for why this comes first. */
static void
announce(struct vtd_gens *gens)
{
    gens->seq++;
    vtd_gens_order();
}

void
vtd_gens_invalidate_all(struct vtd_gens *gens)
{
    announce(gens);
    bump(gens, VTD_GEN_ALL);
    bump(gens, VTD_GEN_CTX_ALL);
}

/* Translations of a context that is gone stay until theirs are, too. */
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
static uint64_t
sum_or_never(const struct vtd_gens *gens, uint64_t seq, uint64_t sum)
{
    return vtd_gens_seq(gens) == seq ? sum : 0;
}

static bool
has_first_stage(const struct vtd_dma_ctx *ctx)
{
    return ctx->stage != VTD_STAGE_SECOND;
}

/* What every translation and every table of @ctx depends on. */
struct deps {
    uint64_t space;
    uint16_t domain;
    uint16_t pasid; /* VTD_GEN_ALL without a first stage */
};

static struct deps
deps_of(const struct vtd_dma_ctx *ctx)
{
    if (has_first_stage(ctx)) {
        return (struct deps){
            .space = space_first(ctx->did, ctx->pasid),
            .domain = (uint16_t)gen_domain(VTD_GEN_FIRST, ctx->did),
            .pasid = (uint16_t)gen_pasid(VTD_GEN_PASID, ctx->did, ctx->pasid),
        };
    }
    return (struct deps){
        .space = space_second(ctx->did),
        .domain = (uint16_t)gen_domain(VTD_GEN_DOMAIN, ctx->did),
        .pasid = VTD_GEN_ALL,
    };
}

/* The region that a page of 2^@shift bytes at @iova lies in. */
static unsigned
gen_page(uint64_t space, uint64_t iova, uint8_t shift)
{
    if (shift <= SHIFT_64K) {
        return gen_region(VTD_GEN_64K, space, iova >> SHIFT_64K);
    }
    if (shift <= SHIFT_2M) {
        return gen_region(VTD_GEN_2M, space, iova >> SHIFT_2M);
    }
    return gen_region(VTD_GEN_1G, space, iova >> SHIFT_1G);
}

void
vtd_tlb_enter(struct vtd_cache *cache, const struct vtd_gens *gens,
              const struct vtd_tlb_fill *fill)
{
    uint64_t iova = fill->req->iova & ~UINT64_C(0xfff);
    uint64_t word = vtd_req_word(fill->req);
    struct vtd_tlb_entry *entry = vtd_tlb_slot(cache, fill->req);
    struct deps deps = deps_of(fill->ctx);
    uint64_t denied = ~(uint64_t)fill->access;

    entry->iova = iova;
    entry->who = (word & VTD_WORD_WHO) | (fill->hidden ? VTD_WORD_AT : 0);
    entry->care =
        VTD_WORD_WHO | VTD_WORD_AT | VTD_PREP(VTD_WORD_ACCESS, denied);
    entry->dep[0] = deps.domain;
    entry->dep[1] = deps.pasid;
    entry->dep[2] = (uint16_t)gen_page(deps.space, iova, fill->span);
    entry->perm = fill->page->perm;
    entry->resp = *fill->resp;
    entry->sum = sum_or_never(gens, fill->seq, vtd_tlb_sum(gens, entry));
}

const struct vtd_tlb_entry *
vtd_tlb_find(struct vtd_cache *cache, const struct vtd_gens *gens,
             const struct vtd_dma_req *req, uint8_t need)
{
    uint64_t word = vtd_req_word(req);
    const struct vtd_tlb_entry *entry = vtd_tlb_slot(cache, req);

    if ((req->iova ^ entry->iova) >= 4096 ||
        ((word ^ entry->who) & VTD_WORD_WHO) || (need & ~entry->perm) ||
        entry->sum != vtd_tlb_sum(gens, entry)) {
        return NULL;
    }
    return entry;
}

static unsigned
ctx_slot(uint64_t who)
{
    return hash(who, BITS_256);
}

const struct vtd_ctx_entry *
vtd_ctx_find(const struct vtd_cache *cache, const struct vtd_gens *gens,
             const struct vtd_dma_req *req)
{
    uint64_t who = vtd_req_word(req) & VTD_WORD_WHO;
    const struct vtd_ctx_entry *entry = &cache->ctx[ctx_slot(who)];

    if (entry->who != who || !vtd_stamp_is_valid(gens, &entry->stamp)) {
        return NULL;
    }
    return entry;
}

const struct vtd_ctx_entry *
vtd_ctx_enter(struct vtd_cache *cache, const struct vtd_gens *gens,
              const struct vtd_dma_req *req, const struct vtd_dma_ctx *ctx,
              uint64_t seq)
{
    uint64_t who = vtd_req_word(req) & VTD_WORD_WHO;
    struct vtd_ctx_entry *entry = &cache->ctx[ctx_slot(who)];
    uint16_t *dep = entry->stamp.dep;

    entry->who = who;
    entry->serial = ++cache->serial;
    entry->ctx = *ctx;
    dep[0] = VTD_GEN_CTX_ALL;
    dep[1] = (uint16_t)gen_domain(VTD_GEN_CTX_DOMAIN, ctx->did);
    dep[2] = (uint16_t)gen_device(req->sid);
    dep[3] = (uint16_t)gen_pasid(VTD_GEN_CTX_PASID, ctx->did, ctx->pasid);
    entry->stamp.sum = sum_or_never(gens, seq, vtd_gens_sum(gens, dep));
    return entry;
}

static unsigned
pwc_slot(const struct vtd_ctx_entry *entry, uint64_t region)
{
    return hash(region + (entry->serial << 48), BITS_512);
}

void
vtd_pwc_find(const struct vtd_cache *cache, const struct vtd_gens *gens,
             const struct vtd_ctx_entry *entry, uint64_t iova,
             struct vtd_walk_hint *hint)
{
    uint64_t region = iova >> VTD_PWC_SHIFT;
    const struct vtd_pwc_entry *pwc = &cache->pwc[pwc_slot(entry, region)];

    if (pwc->region == region && pwc->serial == entry->serial &&
        vtd_stamp_is_valid(gens, &pwc->stamp)) {
        *hint = pwc->hint;
    } else {
        *hint = (struct vtd_walk_hint){ .level = 0 };
    }
}

/*
 * A table is entered for the 2 MiB around @iova alone, but it serves as much
 * as it spans: it goes as soon as an entry above it may have changed for any
 * of that.  Tables above those that span 1 GiB are not worth an entry.
 */
void
vtd_pwc_enter(struct vtd_cache *cache, const struct vtd_gens *gens,
              const struct vtd_ctx_entry *entry, uint64_t iova,
              const struct vtd_walk_hint *hint, uint64_t seq)
{
    uint64_t region = iova >> VTD_PWC_SHIFT;
    struct vtd_pwc_entry *pwc = &cache->pwc[pwc_slot(entry, region)];
    struct deps deps = deps_of(&entry->ctx);
    uint16_t *dep = pwc->stamp.dep;

    if (hint->level < 1 || hint->level > 2) {
        return;
    }
    pwc->serial = entry->serial;
    pwc->region = region;
    pwc->hint = *hint;
    dep[0] = VTD_GEN_ALL;
    dep[1] = deps.domain;
    dep[2] = deps.pasid;
    dep[3] =
        (uint16_t)(hint->level == 1 ? gen_table(VTD_GEN_TABLE_2M, deps.space,
                                                iova >> SHIFT_2M)
                                    : gen_table(VTD_GEN_TABLE_1G, deps.space,
                                                iova >> SHIFT_1G));
    pwc->stamp.sum = sum_or_never(gens, seq, vtd_gens_sum(gens, dep));
}
