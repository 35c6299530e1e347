/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From a request to a page, by looking at guest memory alone: the structures
 * that say what a function translates through, and the tables they name.
 *
 * Nothing here knows struct vtd, so that a client of the translation service
 * walks with the very same code.  Nothing here keeps anything: caches are in
 * cache.h, recording of faults in dma.c.
 */
#ifndef DAEMON_VTD_WALK_H
#define DAEMON_VTD_WALK_H

#include "daemon/vtd/vtd.h"

/* RTADDR as SRTP latched it. [VT-d 4.1, "Root Table Address Register"] */
enum vtd_ttm {
    VTD_TTM_LEGACY = 0,
    VTD_TTM_SCALABLE = 1,
    VTD_TTM_RSVD = 2,
    VTD_TTM_ABORT = 3, /* with ECAP.ADMS; VTD_TTM_RSVD without */
};

struct vtd_root {
    uint64_t base; /* guest physical */
    uint8_t ttm;   /* enum vtd_ttm */
    bool latched;  /* SRTP was given since reset */
    bool enabled;  /* requests are remapped: TE was given; GSTS.TES follows */
                   /* when all sinks know */
};

/* One step of a walk, for an inspector. */
struct vtd_step {
    const char *what; /* "root", "context", "pasid-dir", "pasid", */
                      /* "first-stage", "second-stage" */
    uint8_t level;    /* of a table entry; 0 for the others */
    uint64_t gpa;
    uint64_t raw[8]; /* as many as the entry has */
    uint8_t quads;
};

/*
 * The longest walk is nested: 4 structures, 5 first-stage entries, and 6 times
 * 5 second-stage ones.
 */
#define VTD_TRAIL_MAX 64u

struct vtd_trail {
    unsigned count;
    struct vtd_step step[VTD_TRAIL_MAX];
};

/* Where to look, and by which rules. */
struct vtd_walk_env {
    const struct vtd_config *config;
    const struct vtd_ops *ops; /* mem_read and mem_cmpxchg alone */
    void *ctx;
    struct vtd_root root;
    struct vtd_trail *trail; /* NULL; or record steps, change no memory */
};

enum vtd_stage {
    VTD_STAGE_NONE, /* not looked for: translated requests in scalable mode */
    VTD_STAGE_PASS,
    VTD_STAGE_SECOND,
    VTD_STAGE_FIRST,
    VTD_STAGE_NESTED,
};

/*
 * What the requests of one source with one PASID translate through: a context
 * entry, or a context and a PASID table entry, decoded and checked.
 */
struct vtd_dma_ctx {
    uint64_t fs_root; /* guest physical; with nesting second-stage input */
    uint64_t ss_root;
    uint64_t rsvd;  /* of addresses in paging entries: what the host lacks */
    uint32_t pasid; /* in use: RID_PASID for a request without; 0 in legacy */
    uint16_t did;
    uint8_t stage;      /* enum vtd_stage */
    uint8_t fs_levels;  /* 4 or 5 */
    uint8_t ss_levels;  /* 3, 4 or 5 */
    uint8_t ss_bits;    /* of addresses that the second stage takes */
    bool scalable;      /* which set of fault reasons */
    bool fpd;           /* faults from here on are not recorded */
    bool ats;           /* TT=01 or DTE: translation and translated requests */
    bool pri;           /* PRE */
    bool sre, ere, wpe; /* supervisor, execute requests; write protection */
    bool eafe, ssade;   /* extended accessed; second-stage A and D */
    bool pwsnp, pgsnp;  /* page walk and page snoop */
    bool rid_priv;      /* requests without PASID are supervisor's */
};

/*
 * Find it.  On a fault, ctx->fpd says whether an entry that was reached
 * suppresses its record; nothing else of *ctx is defined then.
 */
enum vtd_fr vtd_dma_ctx_resolve(const struct vtd_walk_env *env,
                                const struct vtd_dma_req *req,
                                struct vtd_dma_ctx *ctx);

/*
 * The part of resolving that depends on the request alone, for a context that
 * was found before: address type, supervisor and execute requests.
 */
enum vtd_fr vtd_dma_ctx_permit(const struct vtd_dma_ctx *ctx,
                               const struct vtd_dma_req *req);

/*
 * The same as vtd_dma_ctx_resolve() for a page request, which the function
 * must be allowed to send.  What it could do with the page is not looked at.
 */
enum vtd_fr vtd_page_req_resolve(const struct vtd_walk_env *env,
                                 const struct vtd_page_req *req,
                                 struct vtd_dma_ctx *ctx);

/* Permissions: VTD_DMA_* of user requests, and shifted of supervisor's. */
#define VTD_PERM_SUPER_SHIFT 3u
#define VTD_PERM_ALL         0x3fu

/*
 * Of a need: it is that of a zero-length read, which a first stage treats as a
 * read, and the second stage behind it as nothing but a look at the page.
 */
#define VTD_PERM_ZERO 0x40u

/* Of a need of the second stage: write permission, but D is not to be set. */
#define VTD_PERM_CLEAN 0x80u

/*
 * What @req needs of the tables, as bits of vtd_page.perm, or VTD_PERM_ZERO.  A
 * zero-length read needs nothing of a second stage with ZLR, and elsewhere what
 * a read needs.
 */
uint8_t vtd_dma_need(const struct vtd_config *config,
                     const struct vtd_dma_ctx *ctx,
                     const struct vtd_dma_req *req);

/* A translation, as caches keep it. */
struct vtd_page {
    uint64_t gpa;  /* of the 4 KiB page that holds the iova */
    uint8_t shift; /* of the smallest page of all stages: 12, 21, 30; less if */
                   /* interrupt addresses lie in it, none is in the result */
    uint8_t perm;  /* what may happen without another walk: write only if no */
                   /* D bit is to be set for it */
    bool snoop;
    bool global; /* first stage, G */
};

/*
 * The lowest table of the first (or only) stage that a walk read, for a
 * paging-structure cache: a walk may begin at it for every iova that shares
 * the bits above.  level 0: none.
 */
struct vtd_walk_hint {
    uint64_t table; /* guest physical */
    uint8_t level;  /* of its entries: 1 is the last */
    uint8_t perm;   /* of the entries above, taken together */
};

/*
 * Walk the tables of @ctx, which is SECOND, FIRST or NESTED, for @iova.
 * @need is what the access needs, as bits of vtd_page.perm; A and D bits are
 * set for it.  @hint is where to begin, and where the walk went through: it
 * must stem from a walk with this very @ctx, or be of level 0, and is undefined
 * after a fault.  Nested walks take none, and leave level 0.
 */
enum vtd_fr vtd_walk(const struct vtd_walk_env *env,
                     const struct vtd_dma_ctx *ctx, uint64_t iova, uint8_t need,
                     struct vtd_walk_hint *hint, struct vtd_page *page);

/* Whether FPD of the entry in charge keeps a fault from being recorded. */
bool vtd_fault_is_qualified(enum vtd_fr reason);

/* What becomes of a translation request that meets a fault. */
enum vtd_ats_answer {
    VTD_ATS_REFUSED,  /* like any request: it fails, and is recorded */
    VTD_ATS_NOTHING,  /* it is told that nothing is permitted */
    VTD_ATS_LESS,     /* it is told what is permitted */
    VTD_ATS_RECORDED, /* NOTHING, and recorded */
};

enum vtd_ats_answer vtd_fault_ats(enum vtd_fr reason);

/*
 * Whether tables say where @req goes, which @ctx was found for.  Not for what
 * is translated already or not at all, nor without PASID to where interrupts
 * are.
 */
bool vtd_walk_is_needed(const struct vtd_dma_ctx *ctx,
                        const struct vtd_dma_req *req);

/*
 * Resolve and, if need be, walk for @req.  *ctx has stage NONE if it was not
 * found, *page is defined if vtd_walk() was called and found one.
 */
enum vtd_fr vtd_walk_request(const struct vtd_walk_env *env,
                             const struct vtd_dma_req *req,
                             struct vtd_dma_ctx *ctx, struct vtd_page *page);

/*
 * The same without a change of guest memory.  The first one says in
 * @env->trail, which it empties first, what it reads, but goes on as if flags
 * were set that are not; the second one, without a trail, comes to the end
 * that vtd_walk_request() would come to.
 */
enum vtd_fr vtd_walk_inspect(const struct vtd_walk_env *env,
                             const struct vtd_dma_req *req,
                             struct vtd_dma_ctx *ctx, struct vtd_page *page);
enum vtd_fr vtd_walk_dry(const struct vtd_walk_env *env,
                         const struct vtd_dma_req *req, struct vtd_dma_ctx *ctx,
                         struct vtd_page *page);

#endif
