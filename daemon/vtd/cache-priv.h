/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The entries of the caches, and their look-up.  Besides struct vtd, so that a
 * client of the translation service has entries of its own and the counters of
 * the daemon.
 *
 * All three are direct-mapped: an entry's place follows from its key.
 */
#ifndef DAEMON_VTD_CACHE_PRIV_H
#define DAEMON_VTD_CACHE_PRIV_H

#include <string.h>

#include "daemon/vtd/bits.h"
#include "daemon/vtd/cache.h"
#include "daemon/vtd/walk-plan.h"

/*
 * The part of a request that a look-up compares is one quadword: PASID, source
 * id, accesses and address type.  The first two are the key WHO.
 */
#define VTD_WORD_PASID  VTD_MASK(31, 0)
#define VTD_WORD_SID    VTD_MASK(47, 32)
#define VTD_WORD_WHO    VTD_MASK(47, 0)
#define VTD_WORD_ACCESS VTD_MASK(55, 48)
#define VTD_WORD_AT     VTD_MASK(63, 56)
#define VTD_REQ_WORD    offsetof(struct vtd_dma_req, pasid)
_Static_assert(offsetof(struct vtd_dma_req, sid) == VTD_REQ_WORD + 4 &&
                   offsetof(struct vtd_dma_req, access) == VTD_REQ_WORD + 6 &&
                   offsetof(struct vtd_dma_req, at) == VTD_REQ_WORD + 7 &&
                   offsetof(struct vtd_dma_req, privileged) ==
                       VTD_REQ_WORD + 8 &&
                   offsetof(struct vtd_dma_req, atomic) == VTD_REQ_WORD + 9,
               "a request's quadword is not what its masks say");

static inline uint64_t
vtd_req_word(const struct vtd_dma_req *req)
{
    uint64_t word;

    memcpy(&word, (const char *)req + VTD_REQ_WORD, sizeof(word));
    return word;
}

/* The bytes of an answer from its shift on, at once. */
#define VTD_RESP_TAIL offsetof(struct vtd_dma_resp, shift)
_Static_assert(offsetof(struct vtd_dma_resp, access) == VTD_RESP_TAIL + 1 &&
                   offsetof(struct vtd_dma_resp, snoop) == VTD_RESP_TAIL + 2 &&
                   offsetof(struct vtd_dma_resp, global) == VTD_RESP_TAIL + 3 &&
                   sizeof(struct vtd_dma_resp) ==
                       VTD_RESP_TAIL + sizeof(uint64_t),
               "the end of an answer is not one quadword");

static inline void
vtd_resp_set_tail(struct vtd_dma_resp *resp, uint64_t tail)
{
    memcpy((char *)resp + VTD_RESP_TAIL, &tail, sizeof(tail));
}

/* Privileged or atomic. */
static inline bool
vtd_req_is_special(const struct vtd_dma_req *req)
{
    uint16_t flags;

    memcpy(&flags, (const char *)req + VTD_REQ_WORD + 8, sizeof(flags));
    return flags != 0;
}

/*
 * Which counters an entry depends on, and the sum of them.  An entry that is
 * never valid has the sum 0.
 */
struct vtd_stamp {
    uint64_t sum;
    uint16_t dep[4]; /* indices into vtd_gens.gen[] */
};
_Static_assert(VTD_GEN_COUNT <= UINT16_MAX + 1u, "a counter has no index");

/*
 * Before and after a group of loads that another process' stores may race
 * with: x86 keeps the order of loads, and of stores, and this the compiler's.
 */
static inline void
vtd_gens_order(void)
{
    __atomic_signal_fence(__ATOMIC_ACQ_REL);
}

/*
 * A counter, which somebody else may be moving: it is read at once, and
 * written at once by the one who moves it.
 */
static inline uint64_t
vtd_gen(const struct vtd_gens *gens, unsigned i)
{
    return __atomic_load_n(&gens->gen[i], __ATOMIC_RELAXED);
}

/*
 * The same by one instruction, where the compiler's atomic operations take two
 * or three: half a dozen a look-up, and a sixth of an invalidation.  Who looks
 * for races is shown what it knows.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
static inline uint64_t
vtd_gen_add(uint64_t sum, const struct vtd_gens *gens, unsigned i)
{
    __asm__("addq %1, %0" : "+r"(sum) : "m"(gens->gen[i]) : "cc");
    return sum;
}

static inline void
vtd_gen_move(uint64_t *gen) /* NOLINT(readability-non-const-parameter) */
{
    __asm__("incq %0" : "+m"(*gen) : : "cc");
}
#else
static inline uint64_t
vtd_gen_add(uint64_t sum, const struct vtd_gens *gens, unsigned i)
{
    return sum + vtd_gen(gens, i);
}

static inline void
vtd_gen_move(uint64_t *gen)
{
    __atomic_store_n(gen, *gen + 1, __ATOMIC_RELAXED);
}
#endif

static inline uint64_t
vtd_gens_sum(const struct vtd_gens *gens, const uint16_t dep[4])
{
    uint64_t sum = vtd_gen(gens, dep[0]);

    sum = vtd_gen_add(sum, gens, dep[1]);
    sum = vtd_gen_add(sum, gens, dep[2]);
    return vtd_gen_add(sum, gens, dep[3]);
}

/* The part of it that a context's translations have in common. */
static inline uint64_t
vtd_gens_base(const struct vtd_gens *gens, const uint16_t dep[4])
{
    uint64_t sum = vtd_gen(gens, dep[0]);

    sum = vtd_gen_add(sum, gens, dep[1]);
    return vtd_gen_add(sum, gens, dep[2]);
}

static inline uint64_t
vtd_gens_seq(const struct vtd_gens *gens)
{
    uint64_t seq;

    vtd_gens_order();
    seq = __atomic_load_n(&gens->seq, __ATOMIC_RELAXED);
    vtd_gens_order();
    return seq;
}

static inline bool
vtd_stamp_is_valid(const struct vtd_gens *gens, const struct vtd_stamp *stamp)
{
    return vtd_gens_sum(gens, stamp->dep) == stamp->sum;
}

/*
 * One translation of one 4 KiB page, also of a part of a larger page.  Where
 * no sum can be stamped it is no entry.
 */
struct vtd_tlb_entry {
    uint64_t iova; /* of the page */
    uint64_t who;  /* and an address type that no request has, so that only */
                   /* vtd_tlb_find() finds it */
    /*
     * The bits of a request's word that must be as in @who: all of that, no
     * address type but untranslated, and no access that is not permitted to
     * requests that are neither privileged nor atomic.
     */
    uint64_t care;
    uint64_t sum;
    uint16_t dep[4]; /* indices into vtd_gens.gen[] */
    /* To such requests; its gpa is that of the page. */
    struct vtd_dma_resp resp;
    uint8_t perm;    /* as in struct vtd_page */
    uint32_t serial; /* low bits of vtd_ctx_entry.serial */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct vtd_tlb_entry) == 64, "not one cache line");

/*
 * A table of the first, or only, stage of one context.  It depends on what the
 * context's translations depend on, and on one counter more that follows from
 * the region and the level.
 */
struct vtd_pwc_entry {
    uint64_t serial; /* vtd_ctx_entry.serial */
    uint64_t region; /* iova >> VTD_PWC_SHIFT */
    uint64_t sum;
    struct vtd_walk_hint hint;
} __attribute__((aligned(64)));
#define VTD_PWC_SHIFT 21u

/*
 * What one source with one PASID translates through, and what follows from it
 * for each of its translations.
 */
struct vtd_ctx_entry {
    uint64_t who;
    uint64_t serial;  /* unique in this cache: nothing that was learnt */
                      /* through another entry is taken for this one's */
    uint64_t checked; /* vtd_gens.seq when the context was known to be good: */
                      /* what is found through it is as good as that */
    struct vtd_stamp stamp;
    uint64_t base; /* sum of @dep at that moment */
    /* What all its translations depend on; the last is not used. */
    uint16_t dep[4];
    uint16_t region_base; /* counter of the region at 0, in each kind */
    uint16_t pwc_base;    /* slot of the table of that region */
    /*
     * Of requests that are neither privileged nor atomic: what those which do
     * not execute need of the tables, by VTD_DMA_READ and VTD_DMA_WRITE; where
     * their permissions are in vtd_page.perm; and which ones the context lets
     * pass.
     */
    uint8_t need[4];
    uint8_t perm_shift;
    uint8_t permit;
    struct vtd_dma_ctx ctx;
    struct vtd_walk_plan plan;
} __attribute__((aligned(256)));
_Static_assert(sizeof(struct vtd_ctx_entry) == 256, "slots are not cheap");

struct vtd_cache {
    /* Constant, by vtd_cache_init(). */
    const struct vtd_gens *gens;
    const struct vtd_walk_env *env;
    uint64_t serial; /* the last one given */
    /*
     * What the last walk found.  Not on the stack: see irte and the others in
     * struct vtd.
     */
    struct vtd_walk_hint hint;
    struct vtd_page page;
    const struct vtd_tlb_entry *found; /* where it was kept */
    uint64_t raw; /* an entry of the walk; for the same reason here */
    /* Those of @env, which is two loads away. */
    int (*mem_read)(void *ctx, uint64_t gpa, void *buf, size_t len);
    void *mem_ctx;
    struct vtd_tlb_entry tlb[VTD_TLB_ENTRIES];
    struct vtd_pwc_entry pwc[VTD_PWC_ENTRIES];
    struct vtd_ctx_entry ctx[VTD_CTX_ENTRIES];
    /* Of those with nesting the second stage; their own is of the first. */
    struct vtd_walk_plan behind[VTD_CTX_ENTRIES];
};

/* Keep this address; GCC would compute it once more for each use. */
#define vtd_keep(p) __asm__("" : "+r"(p))

/* @gens are the counters that count, @env says how walks are done. */
static inline void
vtd_cache_init(struct vtd_cache *cache, const struct vtd_gens *gens,
               const struct vtd_walk_env *env)
{
    cache->gens = gens;
    cache->env = env;
    cache->mem_read = env->ops->mem_read;
    cache->mem_ctx = env->ctx;
}

/*
 * Neighbouring pages have neighbouring slots; those of another source or PASID
 * are far away.  Both steps are odd, so that no two of 4096 begin at one slot.
 */
#define VTD_TLB_PASID_STEP 1607u
#define VTD_TLB_SID_STEP   2531u
#define VTD_CTX_SID_STEP   155u

/* Tables of another context are far away. */
#define VTD_PWC_STEP 197u

static inline uint32_t
vtd_tlb_slot_of_sid(uint16_t sid)
{
    return sid * VTD_TLB_SID_STEP;
}

/* The same as vtd_tlb_slot(), for who has @of_sid of the request at hand. */
static inline struct vtd_tlb_entry *
vtd_tlb_slot_of(struct vtd_cache *cache, const struct vtd_dma_req *req,
                uint32_t of_sid)
{
    uint32_t begin = req->pasid * VTD_TLB_PASID_STEP + of_sid;
    struct vtd_tlb_entry *entry =
        &cache->tlb[((uint32_t)(req->iova >> 12) + begin) % VTD_TLB_ENTRIES];

    vtd_keep(entry);
    return entry;
}

static inline struct vtd_tlb_entry *
vtd_tlb_slot(struct vtd_cache *cache, const struct vtd_dma_req *req)
{
    return vtd_tlb_slot_of(cache, req, vtd_tlb_slot_of_sid(req->sid));
}

/*
 * The way of nearly every request, whose slot @entry is: true, and *resp.
 * Anything that is out of the ordinary is no hit.
 */
static inline bool
vtd_tlb_hit_at(const struct vtd_tlb_entry *entry, const struct vtd_gens *gens,
               const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    uint64_t word = vtd_req_word(req);
    uint64_t off;

    vtd_gens_order();
    off = req->iova ^ entry->iova;
    if (__builtin_expect(off >= 4096 || ((word ^ entry->who) & entry->care) ||
                             vtd_req_is_special(req) ||
                             vtd_gens_sum(gens, entry->dep) != entry->sum,
                         0)) {
        return false;
    }
    *resp = entry->resp;
    resp->gpa += off;
    return true;
}

static inline bool
vtd_tlb_hit(struct vtd_cache *cache, const struct vtd_gens *gens,
            const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    return vtd_tlb_hit_at(vtd_tlb_slot(cache, req), gens, req, resp);
}

/*
 * The same for any access, but only what was found through @from: a context
 * that was read anew may be another one's, whose rights do not go with the
 * old one's tables.  @need is as in vtd_page.perm.
 */
const struct vtd_tlb_entry *vtd_tlb_find(struct vtd_cache *cache,
                                         const struct vtd_gens *gens,
                                         const struct vtd_dma_req *req,
                                         const struct vtd_ctx_entry *from,
                                         uint8_t need);

static inline struct vtd_ctx_entry *
vtd_ctx_slot(struct vtd_cache *cache, const struct vtd_dma_req *req)
{
    uint32_t key = req->sid * VTD_CTX_SID_STEP + req->pasid;

    struct vtd_ctx_entry *entry = &cache->ctx[key % VTD_CTX_ENTRIES];

    vtd_keep(entry);
    return entry;
}

/*
 * The context of @req; NULL if it is not cached.  Counters are compared once
 * after each invalidation.
 */
static inline const struct vtd_ctx_entry *
vtd_ctx_find(struct vtd_cache *cache, const struct vtd_gens *gens,
             const struct vtd_dma_req *req)
{
    uint64_t who = vtd_req_word(req) & VTD_WORD_WHO;
    struct vtd_ctx_entry *entry = vtd_ctx_slot(cache, req);
    uint64_t seq = vtd_gens_seq(gens);

    if (entry->who != who) {
        return NULL;
    }
    if (entry->checked != seq) {
        if (!vtd_stamp_is_valid(gens, &entry->stamp)) {
            return NULL;
        }
        entry->checked = seq;
        entry->base = vtd_gens_base(gens, entry->dep);
    }
    return entry;
}

/* The counter of @kind for the region number @region. */
static inline uint16_t
vtd_gen_of_region(const struct vtd_ctx_entry *from, enum vtd_gen kind,
                  uint64_t region)
{
    return (uint16_t)(kind + (from->region_base + region) % VTD_GEN_REGIONS);
}

/* The counter that a table depends on which has entries of @level: 1 or 2. */
static inline uint16_t
vtd_gen_of_table(const struct vtd_ctx_entry *from, uint64_t iova, uint8_t level)
{
    enum vtd_gen kind = level == 1 ? VTD_GEN_TABLE_2M : VTD_GEN_TABLE_1G;
    uint64_t region = level == 1 ? iova >> 21 : iova >> 30;

    return (uint16_t)(kind + (from->region_base + region) % VTD_GEN_TABLES);
}

static inline struct vtd_pwc_entry *
vtd_pwc_slot(struct vtd_cache *cache, const struct vtd_ctx_entry *from,
             uint64_t iova)
{
    uint64_t key = (iova >> VTD_PWC_SHIFT) + from->pwc_base;
    struct vtd_pwc_entry *pwc = &cache->pwc[key % VTD_PWC_ENTRIES];

    vtd_keep(pwc);
    return pwc;
}

/*
 * Whether a walk for @iova may begin at @pwc.  @from->base is as good as
 * @from->checked, and no counter goes down: if the sum is the same, so are all
 * that it is of.
 */
static inline bool
vtd_pwc_is_valid(const struct vtd_pwc_entry *pwc, const struct vtd_gens *gens,
                 const struct vtd_ctx_entry *from, uint64_t iova)
{
    return pwc->region == iova >> VTD_PWC_SHIFT &&
           pwc->serial == from->serial &&
           pwc->sum ==
               vtd_gen_add(from->base, gens,
                           vtd_gen_of_table(from, iova, pwc->hint.level));
}

/*
 * What was resolved for a request since gens->seq was @seq.  The entry is
 * good for this request in any case, and for others if nothing moved.
 */
const struct vtd_ctx_entry *vtd_ctx_enter(struct vtd_cache *cache,
                                          const struct vtd_gens *gens,
                                          const struct vtd_config *config,
                                          const struct vtd_dma_req *req,
                                          const struct vtd_dma_ctx *ctx,
                                          uint64_t seq);

/*
 * Walk for @need of @req through @from, from the lowest table that is known;
 * the page is left in cache->page.
 */
enum vtd_fr vtd_cache_walk(struct vtd_cache *cache,
                           const struct vtd_dma_req *req,
                           const struct vtd_ctx_entry *from, uint8_t need);

/*
 * The same, and keep the translation for requests like this one.  It is left
 * in cache->found, the answer good for @req in any case.
 */
enum vtd_fr vtd_cache_translate(struct vtd_cache *cache,
                                const struct vtd_dma_req *req,
                                const struct vtd_ctx_entry *from, uint8_t need);

#endif
