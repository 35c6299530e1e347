/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The first stage, alone and nested on the second.
 * [VT-d 4.1, "First-Stage Translation", "Nested Translation"]
 */
#include "daemon/vtd/walk-first.h"

#include "daemon/vtd/walk-priv.h"
#include "daemon/vtd/walk-second.h"

/*
 * Rights, as those of all levels are taken together, XD turned round.  They
 * are what a user may do, if US is among them: who may read is what US says.
 */
#define RIGHT_US VTD_DMA_READ
#define RIGHT_RW VTD_DMA_WRITE
#define RIGHT_X  VTD_DMA_EXEC

#define NEED_WRITE (VTD_DMA_WRITE | VTD_DMA_WRITE << VTD_PERM_SUPER_SHIFT)
#define NEED_USER  (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC)

/* From what all entries have and what any has. */
static inline unsigned
rights_of(uint64_t all, uint64_t any)
{
    return (unsigned)((all & VTD_FS_RW) | VTD_GET(VTD_FS_US, all) |
                      VTD_GET(VTD_FS_XD, ~any) << 2);
}

_Static_assert(VTD_FS_RW == RIGHT_RW && RIGHT_US == 1 && RIGHT_X == 1 << 2,
               "rights are where rights_of() puts them");

/*
 * Supervisor requests write to read-only pages unless WPE says otherwise, and
 * use user pages freely.  [VT-d 4.1, "Access Rights"]
 */
static inline uint8_t
perm_of_rights(unsigned rights, bool wpe)
{
    unsigned super = rights | VTD_DMA_READ | (wpe ? 0 : VTD_DMA_WRITE);

    return (uint8_t)((rights & RIGHT_US ? rights : 0) |
                     super << VTD_PERM_SUPER_SHIFT);
}

/* Without D, which is to be set then, a write needs another walk. */
static inline uint8_t
perm_of_page(uint64_t entry, uint8_t perm)
{
    return entry & VTD_FS_D ? perm : perm & (uint8_t)~NEED_WRITE;
}

uint8_t
vtd_first_perm(const struct vtd_dma_ctx *ctx, uint64_t entry)
{
    return perm_of_page(entry,
                        perm_of_rights(rights_of(entry, entry), ctx->wpe));
}

static enum vtd_fr
denied_fault(uint8_t need, unsigned rights, uint8_t missing)
{
    if (need & NEED_USER && !(rights & RIGHT_US)) {
        return VTD_FR_FS_USER;
    }
    return missing & NEED_WRITE ? VTD_FR_SM_WRITE : VTD_FR_FS_EXEC;
}

/* Out of line: the compiler would compare for every entry. */
static __attribute__((noinline)) enum vtd_fr
unreadable_fault(const struct vtd_dma_ctx *ctx, unsigned level)
{
    return level == ctx->fs_levels ? VTD_FR_FS_ROOT_ACCESS : VTD_FR_FS_ACCESS;
}

static inline bool
is_canonical(uint64_t iova, unsigned levels)
{
    unsigned sign = vtd_walk_shift(levels + 1) - 1;

    /* From the sign upwards all bits are clear, or all are set. */
    return (uint64_t)((int64_t)iova >> sign) + 1 <= 1;
}

/* Whether a bit is set that is reserved in an entry which names a large page. */
static bool
is_large_rsvd(const struct vtd_config *config, uint64_t entry, unsigned level)
{
    uint64_t within;

    if (level > 3 || (level == 3 && !config->fs1gp)) {
        return true;
    }
    within = VTD_FS_ADDR & (VTD_BIT(vtd_walk_shift(level)) - 1);
    return (entry & within & ~VTD_FS_PAT) != 0;
}

/*
 * What is needed to read a first-stage entry: where the second stage has flags
 * itself, permission to write it, too.
 * [VT-d 4.1, "Nested Translation", "Access Rights"]
 */
static uint8_t
entry_need(const struct vtd_dma_ctx *ctx)
{
    return ctx->ssade ? VTD_DMA_READ | VTD_DMA_WRITE | VTD_PERM_CLEAN
                      : VTD_DMA_READ;
}

/*
 * Where the second stage was last: tables of the first stage that lie in one
 * region are found through one table of the second.
 */
struct second {
    struct vtd_walk_hint hint;
    uint64_t gpa;
    struct vtd_page page; /* what was found */
};

/* What is asked, and by which rules; it does not change on the way. */
struct query {
    const struct vtd_walk_env *env;
    const struct vtd_dma_ctx *ctx;
    uint64_t iova;
    uint64_t flags; /* A and EA, those that are to be set */
    uint8_t need;
    struct second *second; /* where the second stage was; NULL: not nested */
    bool plain;            /* not nested, and steps are not recorded */
};

/*
 * vtd_second_walk() for @gpa, from the table that was read last if it is that
 * of @gpa, too.  An inspector is shown every step.
 */
static enum vtd_fr
second_walk(const struct query *query, uint64_t gpa, uint8_t need)
{
    struct second *second = query->second;
    unsigned span = vtd_walk_shift(second->hint.level + 1u);

    if ((second->gpa ^ gpa) >> span || query->env->trail) {
        second->hint.level = 0;
    }
    second->gpa = gpa;
    return vtd_second_walk(query->env, query->ctx, gpa, need, &second->hint,
                           &second->page);
}

/*
 * Where the second stage has the first-stage entry at @gpa, for a read or, to
 * set its flags, a write.
 */
static enum vtd_fr
entry_translate(const struct query *query, uint64_t gpa, bool write, bool top,
                uint64_t *out)
{
    uint8_t need =
        write ? VTD_DMA_READ | VTD_DMA_WRITE : entry_need(query->ctx);
    enum vtd_fr fr = second_walk(query, gpa, need);

    if (__builtin_expect(fr == VTD_FR_OK, 1)) {
        *out = query->second->page.gpa | (gpa & (VTD_BIT(VTD_TABLE_SHIFT) - 1));
        return VTD_FR_OK;
    }
    switch (fr) {
    case VTD_FR_SS_WIDTH:
        return VTD_FR_NEST_WIDTH;
    case VTD_FR_SM_READ:
    case VTD_FR_SM_WRITE:
        if (write) {
            return VTD_FR_NEST_WRITE;
        }
        return top ? VTD_FR_NEST_ROOT_READ : VTD_FR_NEST_READ;
    default:
        return fr;
    }
}

/*
 * Where a walk is: a table, and what all and any of the entries above have; an
 * entry of it.
 */
struct place {
    uint64_t table;
    uint64_t all;
    uint64_t any;
    uint64_t entry;
    unsigned level;
};

/* [VT-d 4.1, "Accessed, Extended Accessed, and Dirty Flags"] */
static __attribute__((noinline)) enum vtd_fr
flags_set(const struct query *query, uint64_t gpa, uint64_t entry,
          uint64_t flags, unsigned *tries)
{
    if (!query->ctx->pwsnp) {
        return VTD_FR_FS_AD;
    }
    if (query->second) {
        enum vtd_fr fr = entry_translate(query, gpa, true, false, &gpa);

        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
    return vtd_walk_set(query->env, gpa, entry, flags, tries)
               ? VTD_FR_FS_AD_FAILED
               : VTD_FR_OK;
}

static inline __attribute__((always_inline)) enum vtd_fr
entry_read(const struct query *query, const struct place *at, uint64_t *entry)
{
    const struct vtd_walk_env *env = query->env;
    const struct vtd_dma_ctx *ctx = query->ctx;
    uint64_t gpa = vtd_walk_entry(at->table, query->iova, at->level);

    if (query->second) {
        bool top = at->level == ctx->fs_levels;
        enum vtd_fr fr = entry_translate(query, gpa, false, top, &gpa);

        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
    if (query->plain ? vtd_walk_read_plain(env, gpa, entry)
                     : vtd_walk_read(env, "first-stage", (uint8_t)at->level,
                                     gpa, entry, 1)) {
        return unreadable_fault(ctx, at->level);
    }
    return VTD_FR_OK;
}

/*
 * Go down to the entry that names the page, and check those on the way.  An
 * entry is judged by the local that it was read into.  When flags were set in
 * it, or it changed before they could be, it is read and judged again.
 *
 * What is unusual about an entry is looked for at once: PS, a reserved bit, or
 * a flag that is clear but should not be.
 */
static inline __attribute__((always_inline)) enum vtd_fr
page_find(const struct query *query, struct place *at, unsigned *tries)
{
    uint64_t unusual = query->ctx->rsvd | query->flags | VTD_FS_PS;

    for (;;) {
        uint64_t entry;
        enum vtd_fr fr = entry_read(query, at, &entry);

        if (fr != VTD_FR_OK) {
            return fr;
        }
        at->entry = entry;
        if (!(entry & VTD_FS_P)) {
            return VTD_FR_FS_P;
        }
        if (at->level == 1) {
            return VTD_FR_OK;
        }
        if (__builtin_expect(((entry ^ query->flags) & unusual) == 0, 1)) {
            at->all &= entry;
            at->any |= entry;
            at->table = entry & VTD_FS_ADDR;
            at->level--;
            continue;
        }
        if (entry & VTD_FS_PS) {
            return VTD_FR_OK;
        }
        if (entry & query->ctx->rsvd) {
            return VTD_FR_FS_RSVD;
        }
        fr = flags_set(query, vtd_walk_entry(at->table, query->iova, at->level),
                       entry, query->flags & ~entry, tries);
        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
}

/* Check an entry that names a page; @rights are those of all levels. */
static inline __attribute__((always_inline)) enum vtd_fr
page_check(const struct query *query, unsigned level, uint64_t entry,
           unsigned rights)
{
    uint8_t perm = perm_of_rights(rights, query->ctx->wpe);
    uint8_t missing = query->need & (uint8_t)~perm;

    if (entry & query->ctx->rsvd ||
        (level > 1 && is_large_rsvd(query->env->config, entry, level))) {
        return VTD_FR_FS_RSVD;
    }
    return missing == 0 ? VTD_FR_OK
                        : denied_fault(query->need, rights, missing);
}

/* A, and EA, which every entry that is used must have. */
static inline uint64_t
flags_of(const struct vtd_dma_ctx *ctx)
{
    return VTD_FS_A | (ctx->eafe ? VTD_FS_EA : 0);
}

/* Flags that the entry which names the page lacks. */
static inline uint64_t
page_flags(const struct query *query, uint64_t entry)
{
    if (query->flags == 0) {
        return 0;
    }
    return (query->flags | (query->need & NEED_WRITE ? VTD_FS_D : 0)) & ~entry;
}

static inline __attribute__((always_inline)) void
page_fill(const struct query *query, unsigned level, uint64_t entry,
          uint8_t perm, struct vtd_page *page)
{
    vtd_walk_page(page, entry, query->iova, level);
    page->perm = perm_of_page(entry, perm);
    page->snoop = query->ctx->pgsnp;
    page->global = (entry & VTD_FS_G) != 0;
}

/* Inlined once for plain queries, and once for all. */
static inline __attribute__((always_inline)) enum vtd_fr
walk(const struct query *query, struct vtd_walk_hint *hint,
     struct vtd_page *page)
{
    const struct vtd_dma_ctx *ctx = query->ctx;
    struct place at = { ctx->fs_root, UINT64_MAX, 0, 0, ctx->fs_levels };
    unsigned tries = 0;

    if (hint->level != 0) {
        at = (struct place){
            hint->table,
            (hint->perm & RIGHT_RW) | VTD_PREP(VTD_FS_US, hint->perm),
            hint->perm & RIGHT_X ? 0 : VTD_FS_XD,
            0,
            hint->level,
        };
    }
    if (!is_canonical(query->iova, ctx->fs_levels)) {
        return VTD_FR_FS_CANONICAL;
    }
    for (;;) {
        enum vtd_fr fr = page_find(query, &at, &tries);
        uint64_t flags;
        unsigned rights;

        if (fr != VTD_FR_OK) {
            return fr;
        }
        rights = rights_of(at.all & at.entry, at.any | at.entry);
        fr = page_check(query, at.level, at.entry, rights);
        if (fr != VTD_FR_OK) {
            return fr;
        }
        flags = page_flags(query, at.entry);
        if (__builtin_expect(flags == 0, 1)) {
            page_fill(query, at.level, at.entry,
                      perm_of_rights(rights, ctx->wpe), page);
            *hint =
                (struct vtd_walk_hint){ at.table, (uint8_t)at.level,
                                        (uint8_t)rights_of(at.all, at.any) };
            return VTD_FR_OK;
        }
        fr = flags_set(query, vtd_walk_entry(at.table, query->iova, at.level),
                       at.entry, flags, &tries);
        if (fr != VTD_FR_OK) {
            return fr;
        }
    }
}

static __attribute__((noinline)) enum vtd_fr
walk_any(const struct query *query, struct vtd_walk_hint *hint,
         struct vtd_page *page)
{
    return walk(query, hint, page);
}

enum vtd_fr
vtd_first_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
               uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
               struct vtd_page *page)
{
    enum vtd_fr fr;

    if (__builtin_expect(env->trail != NULL, 0)) {
        const struct query query = {
            .env = env,
            .ctx = ctx,
            .iova = iova,
            .need = need & VTD_PERM_ALL,
        };

        fr = walk_any(&query, hint, page);
    } else {
        const struct query query = {
            .env = env,
            .ctx = ctx,
            .iova = iova,
            .flags = flags_of(ctx),
            .need = need,
            .plain = true,
        };

        fr = walk(&query, hint, page);
    }
    if (fr == VTD_FR_OK && vtd_walk_is_near_interrupts(page)) {
        return vtd_walk_avoid(ctx, page);
    }
    return fr;
}

enum vtd_fr
vtd_nested_walk(const struct vtd_walk_env *env, const struct vtd_dma_ctx *ctx,
                uint64_t iova, uint8_t need, struct vtd_walk_hint *hint,
                struct vtd_page *page)
{
    struct second second = { .hint = { .level = 0 } };
    const struct query query = {
        .env = env,
        .ctx = ctx,
        .iova = iova,
        .flags = env->trail ? 0 : flags_of(ctx),
        .need = need & VTD_PERM_ALL,
        .second = &second,
    };
    const struct vtd_page *behind = &second.page;
    enum vtd_fr fr;

    hint->level = 0;
    fr = walk_any(&query, hint, page);
    hint->level = 0;
    if (fr == VTD_FR_OK) {
        fr = second_walk(&query, page->gpa, need & VTD_PERM_ZERO ? 0 : need);
    }
    if (fr != VTD_FR_OK) {
        return fr == VTD_FR_SS_WIDTH ? VTD_FR_NEST_WIDTH : fr;
    }
    page->gpa = behind->gpa;
    page->perm &= behind->perm;
    page->snoop |= behind->snoop;
    if (behind->shift < page->shift) {
        page->shift = behind->shift;
    }
    return vtd_walk_is_near_interrupts(page) ? vtd_walk_avoid(ctx, page) : fr;
}
