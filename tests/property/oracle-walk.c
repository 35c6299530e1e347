/* SPDX-License-Identifier: GPL-2.0-only */
/* The oracle's walks of tables. */
#include "tests/property/oracle-bits.h"

struct walk {
    const struct ora_ages *ages;
    const struct ora_world *upper;
    const struct ora_context *ctx;
    const struct vtd_dma_req *req;
    struct ora_answer *answer;
};

/* Where a stage leads. */
struct place {
    uint64_t addr;
    unsigned shift;      /* 0 until a page is found */
    bool read, write;    /* second stage: what all entries permit */
    bool user, rw, code; /* first stage: the same */
    bool snoop, global;
    uint64_t leaf; /* where the last entry stands */
};

static bool
writes(const struct vtd_dma_req *req)
{
    return (req->access & VTD_DMA_WRITE) || req->atomic;
}

/* Which memory the table of @level is read in. */
static const struct ora_world *
world_of(const struct walk *walk, unsigned level)
{
    const struct ora_ages *ages = walk->ages;

    if (ages->cut != 0 && level <= ages->cut) {
        return ages->lower;
    }
    return level == 2 && ages->middle ? ages->middle : ages->upper;
}

/* A zero-length read is content with a page that can be written. */
static bool
reads(const struct walk *walk)
{
    const struct vtd_dma_req *req = walk->req;

    if (req->access == 0 && !req->atomic) {
        return !walk->upper->config->zlr || walk->ctx->kind == ORA_FIRST;
    }
    return (req->access & (VTD_DMA_READ | VTD_DMA_EXEC)) || req->atomic;
}

static unsigned
width_of(unsigned levels)
{
    return 12 + 9 * levels;
}

/* Bit @val of leaf @gpa tells that the page was written. */
static void
dirty(struct walk *walk, uint64_t gpa, uint64_t val)
{
    struct ora_answer *answer = walk->answer;

    answer->dirty[answer->dirties++] = (struct ora_mark){ gpa, val };
}

/*
 * Set @val in the entry @e at @gpa, which may hold some of it already; 0, or
 * @reason if it must not be, because walks do not snoop.
 */
static unsigned
update(struct walk *walk, uint64_t gpa, uint64_t e, uint64_t val,
       unsigned reason)
{
    struct ora_answer *answer = walk->answer;

    if ((~e & val) && !walk->ctx->walk_snoop) {
        return reason;
    }
    if (answer->marks < ORA_MARKS) {
        answer->mark[answer->marks++] = (struct ora_mark){ gpa, val };
    }
    return 0;
}

/* --- second stage -------------------------------------------------------- */

static bool
second_has_reserved(const struct ora_world *world, uint64_t e, unsigned level)
{
    const struct vtd_config *config = world->config;
    bool leaf = level == 1 || bit(e, 7);

    if (too_wide(world, e) || bit(e, 62) || (level >= 4 && bit(e, 7)) ||
        (bit(e, 11) && !(leaf && config->sc))) {
        return true;
    }
    if (level == 3 && leaf) {
        return !config->ss1g || bits(e, 29, 12);
    }
    if (level == 2 && leaf) {
        return !config->ss2m || bits(e, 20, 12);
    }
    return false;
}

/* Why a request that wants to read or write is refused; 0: it is not. */
static unsigned
second_refusal(const struct walk *walk, const struct place *place, bool read,
               bool write)
{
    bool scalable = walk->ctx->scalable;

    if (scalable && !place->read && !place->write) {
        return 0x79;
    }
    if (write && !place->write) {
        return scalable ? 0x85 : 0x05;
    }
    if ((read && !place->read) || (!place->read && !place->write)) {
        return scalable ? 0x86 : 0x06;
    }
    return 0;
}

static unsigned
second_unreadable(const struct walk *walk, bool top)
{
    if (!walk->ctx->scalable) {
        return top ? 0x03 : 0x07;
    }
    return top ? 0x7b : 0x78;
}

/* Entry @e of @level at @gpa; 0 or a reason.  It is the last if to->shift. */
static unsigned
second_entry(struct walk *walk, uint64_t e, unsigned level, bool read,
             bool write, struct place *to)
{
    unsigned shift = 12 + 9 * (level - 1);

    to->read &= bit(e, 0);
    to->write &= bit(e, 1);
    if (!bit(e, 0) && !bit(e, 1)) {
        return !walk->ctx->scalable ? (write ? 0x05 : 0x06) : 0x79;
    }
    if (second_has_reserved(walk->upper, e, level)) {
        return walk->ctx->scalable ? 0x7a : 0x0c;
    }
    if (level > 1 && !bit(e, 7)) {
        return 0;
    }
    to->shift = shift;
    to->snoop = bit(e, 11);
    to->addr = bits(e, 51, 12) << 12 >> shift << shift;
    return second_refusal(walk, to, read, write);
}

/* Who asks the second stage, and what for. */
enum purpose {
    ALONE,       /* the request, without a first stage */
    BEHIND,      /* the request, behind one */
    TABLE_READ,  /* the first stage, to read an entry; where the second one */
                 /* has flags it must permit writing, too */
    TABLE_WRITE, /* ... to set flags of an entry */
};

/* From @addr through the second stage; 0 or a reason. */
static unsigned
second_stage(struct walk *walk, uint64_t addr, enum purpose purpose,
             struct place *to)
{
    bool alone = purpose == ALONE;
    bool read = purpose >= TABLE_READ || reads(walk);
    bool dirties =
        purpose >= TABLE_READ ? purpose == TABLE_WRITE : writes(walk->req);
    bool write = dirties || (purpose == TABLE_READ && walk->ctx->ssade);
    uint64_t table = walk->ctx->second;
    unsigned top = walk->ctx->second_levels;
    unsigned reason = 0;

    *to = (struct place){ .read = true, .write = true };
    for (unsigned level = top; reason == 0 && to->shift == 0; level--) {
        const struct ora_world *world = world_of(walk, alone ? level : 0);
        uint64_t gpa = table + (addr >> (3 + 9 * level) & 511) * 8;
        uint64_t e;

        if (alone) {
            walk->answer->lowest = level;
        }
        if (!ora_fetch(world, gpa, &e, 1)) {
            return second_unreadable(walk, level == top);
        }
        reason = second_entry(walk, e, level, read, write, to);
        to->leaf = gpa;
        table = bits(e, 51, 12) << 12;
        if (reason == 0 && walk->ctx->ssade) {
            reason = update(walk, gpa, e, to->shift && dirties ? 0x300 : 0x100,
                            0x7c);
        }
    }
    to->addr += addr & ((UINT64_C(1) << to->shift) - 1);
    return reason;
}

/* --- first stage --------------------------------------------------------- */

static bool
first_has_reserved(const struct ora_world *world, uint64_t e, unsigned level)
{
    if (too_wide(world, e)) {
        return true;
    }
    if (level >= 4) {
        return bit(e, 7);
    }
    if (level == 3 && bit(e, 7)) {
        return !world->config->fs1gp || bits(e, 29, 13);
    }
    return level == 2 && bit(e, 7) && bits(e, 20, 13);
}

/*
 * Where first-stage entry @addr lies, to be read or written: there, or where
 * the second stage has it.
 */
static unsigned
find_entry(struct walk *walk, uint64_t addr, bool top, bool write,
           uint64_t *gpa)
{
    struct place place;
    unsigned reason;

    *gpa = addr;
    if (walk->ctx->kind != ORA_NESTED) {
        return 0;
    }
    if (addr >> ora_second_width(walk->upper, walk->ctx)) {
        return 0x74;
    }
    reason = second_stage(walk, addr, write ? TABLE_WRITE : TABLE_READ, &place);
    *gpa = place.addr;
    if (reason == 0x85 || reason == 0x86) {
        return write ? 0x77 : top ? 0x75 : 0x76;
    }
    return reason;
}

/* Why a page that the entries permit like that is refused. */
static unsigned
first_refusal(const struct walk *walk, struct place *place)
{
    const struct ora_context *ctx = walk->ctx;

    place->write = place->rw || (ctx->super && !ctx->wpe);
    if (!ctx->super && !place->user) {
        return 0x81;
    }
    if (writes(walk->req) && !place->write) {
        return 0x85;
    }
    return (walk->req->access & VTD_DMA_EXEC) && !place->code ? 0x82 : 0;
}

/* Entry @e of @level; 0 or a reason.  It is the last one if to->shift. */
static unsigned
first_entry(struct walk *walk, uint64_t e, unsigned level, struct place *to)
{
    unsigned shift = 12 + 9 * (level - 1);

    if (!bit(e, 0)) {
        return 0x71;
    }
    if (first_has_reserved(walk->upper, e, level)) {
        return 0x72;
    }
    to->rw &= bit(e, 1);
    to->user &= bit(e, 2);
    to->code &= !bit(e, 63);
    if (level > 1 && !bit(e, 7)) {
        return 0;
    }
    to->shift = shift;
    to->global = bit(e, 8);
    to->addr = bits(e, 51, 12) << 12 >> shift << shift;
    return first_refusal(walk, to);
}

/* A, EA and D of the first-stage entry @addr, which is @e at @gpa. */
static unsigned
first_update(struct walk *walk, uint64_t addr, uint64_t *gpa, uint64_t e,
             bool top, bool leaf)
{
    uint64_t want = 0x20 | (walk->ctx->eafe ? 0x400 : 0) |
                    (leaf && writes(walk->req) ? 0x40 : 0);
    unsigned reason;

    if ((~e & want) && walk->ctx->walk_snoop) {
        reason = find_entry(walk, addr, top, true, gpa);
        if (reason != 0) {
            return reason;
        }
    }
    return update(walk, *gpa, e, want, 0x90);
}

static unsigned
first_stage(struct walk *walk, struct place *to)
{
    uint64_t iova = walk->req->iova;
    uint64_t table = walk->ctx->first;
    unsigned top = walk->ctx->first_levels;
    int64_t canonical = (int64_t)iova >> (width_of(top) - 1);
    unsigned reason = 0;

    if (canonical != 0 && canonical != -1) {
        return 0x80;
    }
    *to = (struct place){ .user = true, .rw = true, .code = true };
    for (unsigned level = top; reason == 0 && to->shift == 0; level--) {
        const struct ora_world *world = world_of(walk, level);
        uint64_t addr = table + (iova >> (3 + 9 * level) & 511) * 8;
        uint64_t e;

        walk->answer->lowest = level;
        reason = find_entry(walk, addr, level == top, false, &to->leaf);
        if (reason != 0) {
            return reason;
        }
        if (!ora_fetch(world, to->leaf, &e, 1)) {
            return level == top ? 0x73 : 0x70;
        }
        reason = first_entry(walk, e, level, to);
        table = bits(e, 51, 12) << 12;
        if (reason == 0) {
            reason = first_update(walk, addr, &to->leaf, e, level == top,
                                  to->shift != 0);
        }
    }
    to->addr += iova & ((UINT64_C(1) << to->shift) - 1);
    return reason;
}

/* --- all of it ----------------------------------------------------------- */

static bool
is_interrupt_range(uint64_t addr)
{
    return addr >> 20 == 0xfee;
}

static void
deny(struct walk *walk, unsigned reason)
{
    walk->answer->fr = (enum vtd_fr)reason;
    walk->answer->silent = walk->ctx->fpd && ora_fpd_counts(walk->answer->fr);
}

/*
 * Interrupt addresses are no memory.  A translation is told to hold for no
 * larger a page than one without any of them.
 */
static void
grant(struct walk *walk, const struct place *place, unsigned access)
{
    struct vtd_dma_resp *resp = &walk->answer->resp;

    if (is_interrupt_range(place->addr)) {
        deny(walk, walk->ctx->scalable ? 0x87 : 0x0e);
        return;
    }
    resp->gpa = place->addr;
    resp->shift = (uint8_t)place->shift;
    while (resp->shift > 12 &&
           place->addr >> resp->shift == UINT64_C(0xfee00000) >> resp->shift) {
        resp->shift -= 9;
    }
    resp->access = (uint8_t)access;
    resp->snoop = place->snoop || walk->ctx->page_snoop;
    resp->global = place->global;
}

/* @addr in the second stage, as the request itself. */
static unsigned
second_of_request(struct walk *walk, uint64_t addr, bool alone,
                  struct place *to)
{
    const struct ora_context *ctx = walk->ctx;
    unsigned reason;

    *to = (struct place){ 0 };
    if (addr >> ora_second_width(walk->upper, ctx)) {
        return !ctx->scalable ? 0x04 : alone ? 0x84 : 0x74;
    }
    reason = second_stage(walk, addr, alone ? ALONE : BEHIND, to);
    if (reason == 0 && ctx->ssade) {
        dirty(walk, to->leaf, 0x200);
    }
    return reason;
}

static void
walk_second(struct walk *walk)
{
    struct place place;
    unsigned reason = second_of_request(walk, walk->req->iova, true, &place);

    if (reason != 0) {
        deny(walk, reason);
        return;
    }
    grant(walk, &place,
          (place.read ? VTD_DMA_READ | VTD_DMA_EXEC : 0u) |
              (place.write ? VTD_DMA_WRITE : 0u));
}

static void
walk_first(struct walk *walk)
{
    const struct ora_context *ctx = walk->ctx;
    struct place place;
    struct place last = { .read = true, .write = true };
    unsigned reason = first_stage(walk, &place);

    if (reason == 0 && ctx->kind == ORA_NESTED) {
        reason = second_of_request(walk, place.addr, false, &last);
        place.addr = last.addr;
        place.snoop = last.snoop;
        if (last.shift < place.shift) {
            place.shift = last.shift;
        }
    }
    if (reason != 0) {
        deny(walk, reason);
        return;
    }
    dirty(walk, place.leaf, 0x40);
    grant(walk, &place,
          (last.read ? VTD_DMA_READ : 0u) |
              (place.write && last.write ? VTD_DMA_WRITE : 0u) |
              (place.code && last.read ? VTD_DMA_EXEC : 0u));
}

/* What a device asks for that translates for itself. */
static unsigned
wanted(const struct walk *walk)
{
    const struct vtd_dma_req *req = walk->req;
    bool no_write = req->no_write && walk->upper->config->nwfs;

    return VTD_DMA_READ | (no_write ? 0u : VTD_DMA_WRITE) |
           (req->pasid != VTD_NO_PASID ? req->access & VTD_DMA_EXEC : 0u);
}

/* The address is that of memory. */
static void
walk_identity(struct walk *walk)
{
    const struct ora_context *ctx = walk->ctx;
    struct place place = { .addr = walk->req->iova, .shift = 12 };
    unsigned width = walk->upper->config->haw;

    if (!ctx->scalable && ctx->kind == ORA_PASS &&
        ora_second_width(walk->upper, ctx) < width) {
        width = ora_second_width(walk->upper, ctx);
    }
    if (place.addr >> width) {
        deny(walk, ctx->scalable ? 0x83 : 0x04);
        return;
    }
    if (!is_interrupt_range(place.addr) &&
        ora_is_protected(walk->upper, place.addr)) {
        walk->answer->fr = VTD_FR_BLOCKED;
        walk->answer->silent = true;
        return;
    }
    grant(walk, &place, walk->req->at == VTD_AT_TRANSLATION ? wanted(walk) : 7);
}

static void
walk_untranslated(struct walk *walk)
{
    if (walk->ctx->kind == ORA_PASS) {
        walk_identity(walk);
    } else if (walk->ctx->kind == ORA_SECOND) {
        walk_second(walk);
    } else {
        walk_first(walk);
    }
}

/* The fault so far, as a device is told it. */
static void
tell_device(const struct vtd_dma_req *req, struct ora_answer *answer)
{
    if (answer->fr != VTD_FR_OK && ora_lot(answer->fr) != ORA_REFUSED) {
        answer->fr = VTD_FR_OK;
        answer->dirties = 0;
        answer->resp = (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12 };
    }
}

/* A device gets the most of what it asks for that there is. */
static void
walk_for_device(const struct walk *asked)
{
    static const uint8_t tries[] = { 7, 3, 5, 1, 2 };
    struct vtd_dma_req ask = *asked->req;
    struct walk walk = *asked;
    struct ora_answer *answer = walk.answer;
    unsigned want = wanted(asked);

    walk.req = &ask;
    for (unsigned i = 0; i < sizeof(tries); i++) {
        ask.access = (uint8_t)(want & tries[i]);
        if (ask.access == 0) {
            continue;
        }
        answer->fr = VTD_FR_OK;
        answer->dirties = 0;
        walk_untranslated(&walk);
        if (answer->fr == VTD_FR_OK || ora_lot(answer->fr) != ORA_LESS) {
            break;
        }
    }
    answer->resp.access &= (uint8_t)want;
    answer->resp.global = false;
}

/*
 * Without PASID and untranslated: an interrupt, which is no DMA, or nothing
 * that there may be; only a zero-length read succeeds.
 */
static void
answer_interrupt_range(const struct vtd_dma_req *req, struct ora_answer *answer)
{
    *answer = (struct ora_answer){ .fr = VTD_FR_IR_INVALID };
    if (req->access == 0 && !req->atomic) {
        answer->fr = VTD_FR_OK;
        answer->resp = (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12 };
    }
}

/* One that asks is told to write there, untranslated. */
static void
answer_interrupt_ask(const struct walk *walk)
{
    bool write = (wanted(walk) & VTD_DMA_WRITE) != 0;

    walk->answer->resp = (struct vtd_dma_resp){
        .gpa = walk->req->iova,
        .shift = 12,
        .access = write ? VTD_DMA_WRITE : 0,
        .untranslated = write,
    };
}

static void
answer_device(struct walk *walk, bool interrupt)
{
    if (walk->answer->fr != VTD_FR_OK) {
        return;
    }
    if (interrupt) {
        answer_interrupt_ask(walk);
    } else if (walk->ctx->kind == ORA_PASS) {
        walk_identity(walk);
    } else {
        walk_for_device(walk);
    }
}

void
ora_walk(const struct ora_ages *ages, const struct ora_context *ctx,
         const struct vtd_dma_req *req, struct ora_answer *answer)
{
    struct walk walk = { ages, ages->upper, ctx, req, answer };
    bool interrupt =
        is_interrupt_range(req->iova) && req->pasid == VTD_NO_PASID;

    *answer = (struct ora_answer){ .fr = ctx->fr, .silent = ctx->silent };
    if (!walk.upper->switches->enabled) {
        ora_disabled(walk.upper, req, answer);
    } else if (req->at == VTD_AT_TRANSLATED && req->pasid != VTD_NO_PASID) {
        answer->fr = VTD_FR_BLOCKED;
        answer->silent = true;
    } else if (req->at == VTD_AT_UNTRANSLATED && interrupt) {
        answer_interrupt_range(req, answer);
    } else if (req->at == VTD_AT_TRANSLATION) {
        answer_device(&walk, interrupt);
        tell_device(req, answer);
    } else if (answer->fr != VTD_FR_OK) {
        return;
    } else if (req->at == VTD_AT_TRANSLATED) {
        walk_identity(&walk);
    } else {
        walk_untranslated(&walk);
    }
}
