/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/oracle-bits.h"

#include <string.h>

/* --- reading ------------------------------------------------------------- */

struct ora_trace ora_trace;

bool
ora_fetch(const struct ora_world *world, uint64_t gpa, uint64_t *quad,
          unsigned n)
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

/* --- root and context entries -------------------------------------------- */

/*
 * Which faults a set FPD keeps out of the records: all that come after an
 * entry with FPD was found, but for structures that could not be read.
 */
bool
ora_fpd_counts(enum vtd_fr fr)
{
    switch (fr) {
    case 0x01:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x29:
    case 0x30:
    case 0x31:
    case 0x32:
    case 0x33:
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
    ctx->silent = ctx->fpd && ora_fpd_counts(ctx->fr);
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
    if (!ora_fetch(world, world->root + (req->sid >> 8) * 16, root, 2)) {
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
    if (!ora_fetch(world, (root[0] & ~UINT64_C(0xfff)) + (req->sid & 255) * 16,
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
    } else if (bits(entry[0], 11, 4) || bit(entry[1], 7) || entry[1] >> 24 ||
               (type != 2 && (entry[0] >> 52 || too_wide(world, entry[0])))) {
        refuse(ctx, 0x0b);
    } else if (type == 3 || (type == 2 && !world->config->pt) ||
               (type == 1 && !world->config->dt) || ctx->second_levels == 0) {
        refuse(ctx, 0x03);
    } else if (req->at != VTD_AT_UNTRANSLATED && type != 1) {
        refuse(ctx, 0x0d);
    }
}

unsigned
ora_second_width(const struct ora_world *world, const struct ora_context *ctx)
{
    unsigned width = 12 + 9 * ctx->second_levels;

    return width < world->config->mgaw ? width : world->config->mgaw;
}

static bool
pasid_entry_has_reserved(const struct ora_world *world, const uint64_t *e)
{
    const struct vtd_config *config = world->config;

    if (e[3] || e[4] || e[5] || e[6] || e[7]) {
        return true;
    }
    /* Bits 133 and 134 were NXE and SMEP. */
    if (bit(e[0], 5) || bits(e[0], 11, 10) || e[0] >> 52 ||
        too_wide(world, e[0]) || bits(e[1], 22, 16) || e[1] >> 25 ||
        bits(e[2], 11, 8) || e[2] >> 52 || too_wide(world, e[2])) {
        return true;
    }
    if ((bits(e[0], 51, 12) && !config->ssts) ||
        ((bits(e[2], 51, 12) || bits(e[2], 4, 2)) && !config->fsts)) {
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
        return config->nest && first && second &&
               !(ctx->first >> ora_second_width(world, ctx));
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

    if (!ora_fetch(world, table + (ctx->pasid & 63) * 64, e, 8)) {
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
    } else if (req->pasid != VTD_NO_PASID && (req->access & VTD_DMA_EXEC) &&
               !ctx->ere) {
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
           (bit(e[0], 4) && !config->prs) ||
           (bit(e[1], 20) && !config->rprivs) ||
           (bits(e[1], 19, 0) && !config->rps);
}

static void
scalable_checked(const struct ora_world *world, const struct vtd_dma_req *req,
                 const uint64_t *e, struct ora_context *ctx)
{
    bool with = req->pasid != VTD_NO_PASID;
    uint64_t limit = UINT64_C(1) << (bits(e[0], 11, 9) + 13);
    uint64_t dir;

    ctx->pasid = with ? req->pasid : (uint32_t)bits(e[1], 19, 0);
    ctx->super = with ? req->privileged : bit(e[1], 20);
    ctx->ats = bit(e[0], 2);
    if (req->at != VTD_AT_UNTRANSLATED && !ctx->ats) {
        refuse(ctx, 0x44);
    } else if (req->at == VTD_AT_TRANSLATED) {
        /* The context entry alone is asked. */
        return;
    } else if (with && !bit(e[0], 3)) {
        refuse(ctx, 0x45);
    } else if (with && (ctx->pasid >= limit ||
                        ctx->pasid >> world->config->pasid_bits)) {
        refuse(ctx, 0x46);
    } else if (with && ctx->pasid == bits(e[1], 19, 0)) {
        refuse(ctx, 0x48);
    } else if (!ora_fetch(world,
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
    if (!ora_fetch(world,
                   world->root + (req->sid >> 8) * 16 + (req->sid >> 7 & 1) * 8,
                   &half, 1)) {
        refuse(ctx, 0x38);
    } else if (!bit(half, 0)) {
        refuse(ctx, 0x39);
    } else if (bits(half, 11, 1) || half >> 52 || too_wide(world, half)) {
        refuse(ctx, 0x3a);
    } else if (!ora_fetch(world,
                          (half & ~UINT64_C(0xfff)) + (req->sid & 127) * 32,
                          entry, 4)) {
        refuse(ctx, 0x40);
    } else {
        ctx->fpd = bit(entry[0], 1);
        if (!bit(entry[0], 0)) {
            refuse(ctx, 0x41);
        } else if (scalable_entry_has_reserved(world, entry)) {
            refuse(ctx, 0x42);
        } else if ((bit(entry[0], 4) && !bit(entry[0], 2)) ||
                   bits(entry[1], 19, 0) >> (bits(entry[0], 11, 9) + 13)) {
            /*
             * Pages are requested by those alone who translate, and the
             * directory has RID_PASID in it.
             */
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
        refuse(ctx, 0x33);
    } else {
        refuse(ctx, 0x30);
    }
}

enum ora_lot
ora_lot(enum vtd_fr fr)
{
    switch ((unsigned)fr) {
    case 0x05:
    case 0x06:
    case 0x82:
    case 0x85:
    case 0x86:
        return ORA_LESS;
    case 0x04:
    case 0x51:
    case 0x59:
    case 0x5c:
    case 0x5d:
    case 0x79:
    case 0x80:
    case 0x81:
    case 0x83:
    case 0x84:
    case 0x90:
        return ORA_NOTHING;
    case 0x91:
        return ORA_RECORDED;
    default:
        return fr >= 0x70 && fr <= 0x77 ? ORA_NOTHING : ORA_REFUSED;
    }
}

/* --- without tables ------------------------------------------------------ */

bool
ora_is_protected(const struct ora_world *world, uint64_t addr)
{
    const struct ora_switches *switches = world->switches;
    const bool has[] = { world->config->plmr, world->config->phmr };

    /* Regions begin and end with multiples of 2 MiB. */
    for (unsigned i = 0; i < 2; i++) {
        if (switches->protects && has[i] &&
            addr >> 21 >= switches->base[i] >> 21 &&
            addr >> 21 <= switches->limit[i] >> 21) {
            return true;
        }
    }
    return false;
}

void
ora_disabled(const struct ora_world *world, const struct vtd_dma_req *req,
             struct ora_answer *answer)
{
    *answer = (struct ora_answer){ .fr = VTD_FR_BLOCKED, .silent = true };
    if (req->at == VTD_AT_UNTRANSLATED && !ora_is_protected(world, req->iova)) {
        answer->fr = VTD_FR_OK;
        answer->resp =
            (struct vtd_dma_resp){ .gpa = req->iova, .shift = 12, .access = 7 };
    }
}

void
ora_walk_now(const struct ora_world *world, const struct ora_context *ctx,
             const struct vtd_dma_req *req, struct ora_answer *answer)
{
    const struct ora_ages ages = { .upper = world };

    ora_walk(&ages, ctx, req, answer);
}
