/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/oracle.h"

#include <string.h>

/* --- reading ------------------------------------------------------------- */

struct ora_trace ora_trace;

static bool
fetch(const struct ora_world *world, uint64_t gpa, uint64_t *quad, unsigned n)
{
    if (ora_trace.n < ORA_READS) {
        ora_trace.gpa[ora_trace.n++] = gpa;
    }
    if (gpa >= world->ram_size || world->ram_size - gpa < n * 8) {
        return false;
    }
    memcpy(quad, world->ram + gpa, n * 8);
    return true;
}

static uint64_t
bits(uint64_t val, unsigned high, unsigned low)
{
    return val << (63 - high) >> (63 - high + low);
}

static bool
bit(uint64_t val, unsigned n)
{
    return val >> n & 1;
}

/* Address bits that no memory of the unit has. */
static bool
too_wide(const struct ora_world *world, uint64_t val)
{
    return bits(val, 51, 12) >> (world->config->haw - 12);
}

/* --- root and context entries -------------------------------------------- */

/*
 * Which faults a set FPD keeps out of the records: all that come after an
 * entry with FPD was found, but for structures that could not be read.
 */
static bool
fpd_counts(enum vtd_fr fr)
{
    switch (fr) {
    case 0x01:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x38:
    case 0x39:
    case 0x3a:
    case 0x40:
    case 0x50:
    case 0x58:
        return false;
    default:
        return true;
    }
}

static void
refuse(struct ora_context *ctx, unsigned reason)
{
    ctx->fr = (enum vtd_fr)reason;
    ctx->silent = ctx->fpd && fpd_counts(ctx->fr);
}

/* Levels of an address width's encoding; 0 if the unit does not have it. */
static unsigned
levels_of(const struct ora_world *world, uint64_t aw)
{
    return aw >= 1 && aw <= 3 && bit(world->config->sagaw, (unsigned)aw)
               ? (unsigned)aw + 2
               : 0;
}

static void
legacy_context(const struct ora_world *world, const struct vtd_dma_req *req,
               struct ora_context *ctx)
{
    uint64_t root[2];
    uint64_t entry[2];
    unsigned type;

    if (req->pasid != VTD_NO_PASID) {
        refuse(ctx, 0x31);
        return;
    }
    if (!fetch(world, world->root + (req->sid >> 8) * 16, root, 2)) {
        refuse(ctx, 0x08);
        return;
    }
    if (!bit(root[0], 0)) {
        refuse(ctx, 0x01);
        return;
    }
    if (bits(root[0], 11, 1) || root[0] >> 52 || too_wide(world, root[0]) ||
        root[1]) {
        refuse(ctx, 0x0a);
        return;
    }
    if (!fetch(world, (root[0] & ~UINT64_C(0xfff)) + (req->sid & 255) * 16,
               entry, 2)) {
        refuse(ctx, 0x09);
        return;
    }
    ctx->fpd = bit(entry[0], 1);
    type = (unsigned)bits(entry[0], 3, 2);
    ctx->second = bits(entry[0], 51, 12) << 12;
    ctx->second_levels = levels_of(world, bits(entry[1], 2, 0));
    ctx->did = (uint16_t)bits(entry[1], 23, 8);
    ctx->kind = type == 2 ? ORA_PASS : ORA_SECOND;
    ctx->ats = type == 1;
    if (!bit(entry[0], 0)) {
        refuse(ctx, 0x02);
    } else if (bits(entry[0], 11, 4) || entry[0] >> 52 ||
               too_wide(world, entry[0]) || bit(entry[1], 7) ||
               entry[1] >> 24) {
        refuse(ctx, 0x0b);
    } else if (type == 3 || (type == 2 && !world->config->pt) ||
               (type == 1 && !world->config->dt) || ctx->second_levels == 0) {
        refuse(ctx, 0x03);
    } else if (req->at != VTD_AT_UNTRANSLATED && type != 1) {
        refuse(ctx, 0x0d);
    }
}

static bool
pasid_entry_has_reserved(const struct ora_world *world, const uint64_t *e)
{
    const struct vtd_config *config = world->config;

    if (e[3] || e[4] || e[5] || e[6] || e[7]) {
        return true;
    }
    /* Bit 133 was NXE until it became reserved; drivers still set it. */
    if (bit(e[0], 5) || bits(e[0], 11, 10) || e[0] >> 52 ||
        too_wide(world, e[0]) || bits(e[1], 22, 16) || e[1] >> 25 ||
        bits(e[2], 11, 8) || bit(e[2], 6) || e[2] >> 52 ||
        too_wide(world, e[2])) {
        return true;
    }
    return (bit(e[0], 9) && !config->ssads) ||
           (bit(e[1], 23) && !config->smpwcs) ||
           (bit(e[1], 24) && !config->sc) || (bit(e[2], 0) && !config->srs) ||
           (bit(e[2], 1) && !config->ers) || (bit(e[2], 7) && !config->eafs);
}

/* Whether the unit can do what the entry asks for. */
static bool
pasid_entry_is_possible(const struct ora_world *world, const uint64_t *e,
                        struct ora_context *ctx)
{
    const struct vtd_config *config = world->config;
    unsigned paging = (unsigned)bits(e[2], 3, 2);
    bool first = paging == 0 || (paging == 1 && config->fs5lp);
    bool second = levels_of(world, bits(e[0], 4, 2)) != 0;

    switch (bits(e[0], 8, 6)) {
    case 1:
        ctx->kind = ORA_FIRST;
        return config->fsts && first;
    case 2:
        ctx->kind = ORA_SECOND;
        return config->ssts && second;
    case 3:
        ctx->kind = ORA_NESTED;
        return config->nest && first && second;
    case 4:
        ctx->kind = ORA_PASS;
        return config->pt;
    default:
        return false;
    }
}

static void
pasid_entry(const struct ora_world *world, const struct vtd_dma_req *req,
            uint64_t table, struct ora_context *ctx)
{
    uint64_t e[8];

    if (!fetch(world, table + (ctx->pasid & 63) * 64, e, 8)) {
        refuse(ctx, 0x58);
        return;
    }
    ctx->fpd |= bit(e[0], 1);
    ctx->did = (uint16_t)e[1];
    ctx->first = bits(e[2], 51, 12) << 12;
    ctx->second = bits(e[0], 51, 12) << 12;
    ctx->first_levels = 4 + (unsigned)bits(e[2], 3, 2);
    ctx->second_levels = levels_of(world, bits(e[0], 4, 2));
    ctx->ere = bit(e[2], 1);
    ctx->wpe = bit(e[2], 4);
    ctx->eafe = bit(e[2], 7);
    ctx->ssade = bit(e[0], 9);
    ctx->walk_snoop = bit(e[1], 23);
    ctx->page_snoop = bit(e[1], 24);
    if (!bit(e[0], 0)) {
        refuse(ctx, 0x59);
    } else if (pasid_entry_has_reserved(world, e)) {
        refuse(ctx, 0x5a);
    } else if (!pasid_entry_is_possible(world, e, ctx)) {
        refuse(ctx, 0x5b);
    } else if ((req->access & VTD_DMA_EXEC) && !ctx->ere) {
        refuse(ctx, 0x5c);
    } else if (ctx->super && !bit(e[2], 0)) {
        refuse(ctx, 0x5d);
    }
}

static bool
scalable_entry_has_reserved(const struct ora_world *world, const uint64_t *e)
{
    const struct vtd_config *config = world->config;

    if (bits(e[0], 8, 5) || e[0] >> 52 || too_wide(world, e[0]) || e[1] >> 21 ||
        e[2] || e[3]) {
        return true;
    }
    return (bit(e[0], 2) && !config->dt) ||
           (bit(e[0], 3) && config->pasid_bits == 0) ||
           (bit(e[0], 4) && !config->prs) || (bit(e[1], 20) && !config->rprivs);
}

static void
scalable_checked(const struct ora_world *world, const struct vtd_dma_req *req,
                 const uint64_t *e, struct ora_context *ctx)
{
    bool with = req->pasid != VTD_NO_PASID;
    uint64_t limit = UINT64_C(1) << (bits(e[0], 11, 9) + 13);
    uint64_t dir;

    ctx->pasid = with                 ? req->pasid
                 : world->config->rps ? (uint32_t)bits(e[1], 19, 0)
                                      : 0;
    ctx->super = with ? req->privileged : bit(e[1], 20);
    ctx->ats = bit(e[0], 2);
    if (req->at != VTD_AT_UNTRANSLATED && !ctx->ats) {
        refuse(ctx, 0x44);
    } else if (with && !bit(e[0], 3)) {
        refuse(ctx, 0x45);
    } else if (ctx->pasid >= limit ||
               (with && ctx->pasid >> world->config->pasid_bits)) {
        refuse(ctx, with ? 0x46 : 0x48);
    } else if (!fetch(world,
                      (bits(e[0], 51, 12) << 12) +
                          (uint64_t)(ctx->pasid >> 6) * 8,
                      &dir, 1)) {
        refuse(ctx, 0x50);
    } else {
        ctx->fpd |= bit(dir, 1);
        if (!bit(dir, 0)) {
            refuse(ctx, 0x51);
        } else if (bits(dir, 11, 2) || dir >> 52 || too_wide(world, dir)) {
            refuse(ctx, 0x52);
        } else {
            pasid_entry(world, req, dir & ~UINT64_C(0xfff), ctx);
        }
    }
}

static void
scalable_context(const struct ora_world *world, const struct vtd_dma_req *req,
                 struct ora_context *ctx)
{
    uint64_t half;
    uint64_t entry[4];

    ctx->scalable = true;
    if (!fetch(world,
               world->root + (req->sid >> 8) * 16 + (req->sid >> 7 & 1) * 8,
               &half, 1)) {
        refuse(ctx, 0x38);
    } else if (!bit(half, 0)) {
        refuse(ctx, 0x39);
    } else if (bits(half, 11, 1) || half >> 52 || too_wide(world, half)) {
        refuse(ctx, 0x3a);
    } else if (!fetch(world, (half & ~UINT64_C(0xfff)) + (req->sid & 127) * 32,
                      entry, 4)) {
        refuse(ctx, 0x40);
    } else {
        ctx->fpd = bit(entry[0], 1);
        if (!bit(entry[0], 0)) {
            refuse(ctx, 0x41);
        } else if (scalable_entry_has_reserved(world, entry)) {
            refuse(ctx, 0x42);
        } else if (bit(entry[0], 4) && !bit(entry[0], 2)) {
            /* Pages are requested by those alone who translate. */
            refuse(ctx, 0x43);
        } else {
            scalable_checked(world, req, entry, ctx);
        }
    }
}

void
ora_context(const struct ora_world *world, const struct vtd_dma_req *req,
            struct ora_context *ctx)
{
    *ctx = (struct ora_context){ 0 };
    ora_trace.n = 0;
    if (world->mode == ORA_LEGACY) {
        legacy_context(world, req, ctx);
    } else if (world->mode == ORA_SCALABLE && world->config->smts) {
        scalable_context(world, req, ctx);
    } else if (world->mode == ORA_ABORT && world->config->adms) {
        ctx->blocked = true;
    } else {
        refuse(ctx, 0x30);
    }
}

/* --- tables -------------------------------------------------------------- */

struct walk {
    const struct ora_world *upper, *lower;
    unsigned cut;
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

/* A zero-length read is content with a page that can be written. */
static bool
reads(const struct walk *walk)
{
    const struct vtd_dma_req *req = walk->req;

    if (req->access == 0 && !req->atomic) {
        return !walk->upper->config->zlr || walk->ctx->kind != ORA_SECOND;
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

/*
 * From @addr through the second stage to read or to write; 0 or a reason.
 * @alone: there is no first stage.
 */
static unsigned
second_stage(struct walk *walk, uint64_t addr, bool alone, bool read,
             bool write, struct place *to)
{
    uint64_t table = walk->ctx->second;
    unsigned top = walk->ctx->second_levels;
    unsigned reason = 0;

    *to = (struct place){ .read = true, .write = true };
    for (unsigned level = top; reason == 0 && to->shift == 0; level--) {
        bool old = walk->cut == 0 || (alone && level > walk->cut);
        uint64_t gpa = table + (addr >> (3 + 9 * level) & 511) * 8;
        uint64_t e;

        if (alone) {
            walk->answer->lowest = level;
        }
        if (!fetch(old ? walk->upper : walk->lower, gpa, &e, 1)) {
            return second_unreadable(walk, level == top);
        }
        reason = second_entry(walk, e, level, read, write, to);
        to->leaf = gpa;
        table = bits(e, 51, 12) << 12;
        if (reason == 0 && walk->ctx->ssade) {
            reason =
                update(walk, gpa, e, to->shift && write ? 0x300 : 0x100, 0x7c);
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
    if (addr >> width_of(walk->ctx->second_levels) ||
        addr >> walk->upper->config->mgaw) {
        return 0x74;
    }
    reason = second_stage(walk, addr, false, true, write, &place);
    *gpa = place.addr;
    if (reason == 0x79 || reason == 0x85 || reason == 0x86) {
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
        bool old = walk->cut == 0 || level > walk->cut;
        uint64_t addr = table + (iova >> (3 + 9 * level) & 511) * 8;
        uint64_t e;

        walk->answer->lowest = level;
        reason = find_entry(walk, addr, level == top, false, &to->leaf);
        if (reason != 0) {
            return reason;
        }
        if (!fetch(old ? walk->upper : walk->lower, to->leaf, &e, 1)) {
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
    walk->answer->silent = walk->ctx->fpd && fpd_counts(walk->answer->fr);
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

    if (addr >> walk->upper->config->mgaw) {
        return ctx->scalable ? 0x83 : 0x04;
    }
    if (addr >> width_of(ctx->second_levels)) {
        return ctx->scalable ? 0x84 : 0x04;
    }
    reason =
        second_stage(walk, addr, alone, reads(walk), writes(walk->req), to);
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

static void
walk_pass(struct walk *walk)
{
    struct place place = { .addr = walk->req->iova, .shift = 12 };

    if (walk->req->iova >> walk->upper->config->mgaw) {
        deny(walk, walk->ctx->scalable ? 0x83 : 0x04);
        return;
    }
    grant(walk, &place, VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);
}

void
ora_walk(const struct ora_world *upper, const struct ora_world *lower,
         unsigned cut, const struct ora_context *ctx,
         const struct vtd_dma_req *req, struct ora_answer *answer)
{
    struct walk walk = { upper, lower, cut, ctx, req, answer };

    *answer = (struct ora_answer){ .fr = ctx->fr, .silent = ctx->silent };
    if ((is_interrupt_range(req->iova) && req->pasid == VTD_NO_PASID) ||
        ctx->blocked) {
        answer->fr = VTD_FR_BLOCKED;
        answer->silent = true;
    }
    if (answer->fr != VTD_FR_OK) {
        return;
    }
    if (ctx->kind == ORA_PASS) {
        walk_pass(&walk);
    } else if (ctx->kind == ORA_SECOND) {
        walk_second(&walk);
    } else {
        walk_first(&walk);
    }
}
