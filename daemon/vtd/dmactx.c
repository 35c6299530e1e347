/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * From a request to what it translates through: root, context and PASID
 * entries, each read once and checked in the order of the fault conditions.
 * [VT-d 4.1, "Fault Conditions and Remapping Hardware Behavior for Various
 * Requests"]
 *
 * FPD of every entry that was reached counts, whether it is present or not,
 * so that it is noted before anything else is looked at.
 */
#include "daemon/vtd/walk-priv.h"

#define VTD_PASID_WITHIN(pasid, bits) (((pasid) >> (bits)) == 0)

/* The context table of @sid's bus, or of the half of it that holds @sid. */
static enum vtd_fr
root_read(const struct vtd_walk_env *env, uint16_t sid, uint64_t *table)
{
    bool scalable = env->root.ttm == VTD_TTM_SCALABLE;
    uint64_t gpa = env->root.base + (uint64_t)(sid >> 8) * VTD_RE_SIZE;
    uint64_t entry[2] = { 0, 0 };
    uint8_t quads = 2;

    if (scalable) {
        gpa += sid & VTD_SM_DEVFN_UPPER ? sizeof(entry[0]) : 0;
        quads = 1;
    }
    if (!env->root.latched ||
        vtd_walk_read(env, "root", 0, gpa, entry, quads)) {
        return scalable ? VTD_FR_SM_ROOT_ACCESS : VTD_FR_ROOT_ACCESS;
    }
    if (!(entry[0] & VTD_RE_P)) {
        return scalable ? VTD_FR_SM_ROOT_P : VTD_FR_ROOT_P;
    }
    if (entry[0] & (VTD_RE_RSVD | vtd_walk_haw_rsvd(env->config, 63)) ||
        entry[1] != 0) {
        return scalable ? VTD_FR_SM_ROOT_RSVD : VTD_FR_ROOT_RSVD;
    }
    *table = entry[0] & VTD_RE_CTP;
    return VTD_FR_OK;
}

/* The second stage that is at @root and has width @aw, if the unit has it. */
static bool
second_decode(const struct vtd_config *config, uint64_t aw, uint64_t root,
              struct vtd_dma_ctx *ctx)
{
    unsigned bits;

    if (aw > 3 || !(config->sagaw & VTD_BIT(aw))) {
        return false;
    }
    ctx->ss_root = root;
    ctx->ss_levels = (uint8_t)VTD_AW_LEVELS(aw);
    bits = VTD_TABLE_SHIFT + VTD_LEVEL_BITS * ctx->ss_levels;
    ctx->ss_bits = (uint8_t)(bits < config->mgaw ? bits : config->mgaw);
    return true;
}

/* [VT-d 4.1, "Context Entry"] */
static enum vtd_fr
legacy_decode(const struct vtd_config *config, const uint64_t entry[2],
              struct vtd_dma_ctx *ctx)
{
    uint64_t aw = VTD_GET(VTD_CE_HI_AW, entry[1]);
    uint64_t tt = VTD_GET(VTD_CE_LO_TT, entry[0]);
    /* Pass-through ignores SSPTPTR altogether. */
    uint64_t rsvd = VTD_CE_LO_RSVD |
                    (tt == VTD_TT_PASS ? 0 : vtd_walk_haw_rsvd(config, 63));

    if (entry[0] & rsvd || entry[1] & VTD_CE_HI_RSVD) {
        return VTD_FR_CTX_RSVD;
    }
    switch (tt) {
    case VTD_TT_SECOND:
        ctx->stage = VTD_STAGE_SECOND;
        break;
    case VTD_TT_SECOND_ATS:
        ctx->stage = VTD_STAGE_SECOND;
        ctx->ats = true;
        break;
    case VTD_TT_PASS:
        ctx->stage = VTD_STAGE_PASS;
        break;
    default:
        return VTD_FR_CTX_INV;
    }
    if (!second_decode(config, aw, entry[0] & VTD_CE_LO_SSPTPTR, ctx) ||
        (ctx->ats && !config->dt) ||
        (ctx->stage == VTD_STAGE_PASS && !config->pt)) {
        return VTD_FR_CTX_INV;
    }
    ctx->did = (uint16_t)VTD_GET(VTD_CE_HI_DID, entry[1]);
    return VTD_FR_OK;
}

static enum vtd_fr
legacy_resolve(const struct vtd_walk_env *env, const struct vtd_dma_req *req,
               struct vtd_dma_ctx *ctx)
{
    uint64_t entry[2];
    uint64_t table;
    enum vtd_fr fr;

    if (req->pasid != VTD_NO_PASID) {
        return VTD_FR_RTA_PASID;
    }
    fr = root_read(env, req->sid, &table);
    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (vtd_walk_read(env, "context", 0,
                      table + (uint64_t)(req->sid & 0xff) * VTD_CE_SIZE, entry,
                      2)) {
        return VTD_FR_CTX_ACCESS;
    }
    ctx->fpd = (entry[0] & VTD_CE_LO_FPD) != 0;
    if (!(entry[0] & VTD_CE_LO_P)) {
        return VTD_FR_CTX_P;
    }
    fr = legacy_decode(env->config, entry, ctx);
    return fr == VTD_FR_OK ? vtd_dma_ctx_permit(ctx, req) : fr;
}

/* PASIDs that the directory of a context entry has room for, in bits. */
static unsigned
directory_bits(const uint64_t entry[4])
{
    return VTD_PDTS_PASID_BITS((unsigned)VTD_GET(VTD_SM_CE0_PDTS, entry[0]));
}

/*
 * PRE without DTE is invalid programming: only a device TLB asks for pages.
 * So is a RID_PASID that the directory has no room for, whoever asks.
 * Fields of capabilities that the unit does not have are reserved.
 * [VT-d 4.1, "Scalable-Mode Context Entry"]
 */
static enum vtd_fr
sm_context_check(const struct vtd_config *config, const uint64_t entry[4])
{
    uint64_t rsvd0 = VTD_SM_CE0_RSVD | vtd_walk_haw_rsvd(config, 63) |
                     (config->dt ? 0 : VTD_SM_CE0_DTE) |
                     (config->pasid_bits != 0 ? 0 : VTD_SM_CE0_PASIDE) |
                     (config->prs ? 0 : VTD_SM_CE0_PRE);
    uint64_t rsvd1 = VTD_SM_CE1_RSVD |
                     (config->rprivs ? 0 : VTD_SM_CE1_RID_PRIV) |
                     (config->rps ? 0 : VTD_SM_CE1_RID_PASID);

    if (entry[0] & rsvd0 || entry[1] & rsvd1 || entry[2] != 0 ||
        entry[3] != 0) {
        return VTD_FR_SM_CTX_RSVD;
    }
    if ((entry[0] & VTD_SM_CE0_PRE && !(entry[0] & VTD_SM_CE0_DTE)) ||
        !VTD_PASID_WITHIN(VTD_GET(VTD_SM_CE1_RID_PASID, entry[1]),
                          directory_bits(entry))) {
        return VTD_FR_SM_CTX_INV;
    }
    return VTD_FR_OK;
}

static enum vtd_fr
sm_context_read(const struct vtd_walk_env *env, uint16_t sid, uint64_t entry[4],
                bool *fpd)
{
    uint64_t index = sid & (VTD_SM_DEVFN_UPPER - 1);
    uint64_t table;
    enum vtd_fr fr = root_read(env, sid, &table);

    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (vtd_walk_read(env, "context", 0, table + index * VTD_SM_CE_SIZE, entry,
                      4)) {
        return VTD_FR_SM_CTX_ACCESS;
    }
    *fpd = (entry[0] & VTD_SM_CE0_FPD) != 0;
    if (!(entry[0] & VTD_SM_CE0_P)) {
        return VTD_FR_SM_CTX_P;
    }
    return sm_context_check(env->config, entry);
}

/*
 * The PASID that a request uses: that of RID_PASID if it has none, and one of
 * its own must not be the same.  Without RPS the field is 0, and so are both
 * rules.
 */
static enum vtd_fr
sm_pasid_choose(const struct vtd_config *config, const uint64_t entry[4],
                uint32_t wanted, uint32_t *pasid)
{
    uint32_t rid_pasid = (uint32_t)VTD_GET(VTD_SM_CE1_RID_PASID, entry[1]);

    *pasid = wanted == VTD_NO_PASID ? rid_pasid : wanted;
    if (wanted == VTD_NO_PASID) {
        return VTD_FR_OK;
    }
    if (!(entry[0] & VTD_SM_CE0_PASIDE)) {
        return VTD_FR_SM_PASIDE;
    }
    if (!VTD_PASID_WITHIN(wanted, directory_bits(entry)) ||
        !VTD_PASID_WITHIN(wanted, config->pasid_bits)) {
        return VTD_FR_SM_PASID_RANGE;
    }
    return wanted == rid_pasid ? VTD_FR_SM_RID_PASID : VTD_FR_OK;
}

/* [VT-d 4.1, "Scalable-Mode PASID Directory Entry"] */
static enum vtd_fr
pasid_dir_read(const struct vtd_walk_env *env, uint64_t dir,
               struct vtd_dma_ctx *ctx, uint64_t *table)
{
    uint64_t index = ctx->pasid >> VTD_PDE_PASID_SHIFT;
    uint64_t entry;

    if (vtd_walk_read(env, "pasid-dir", 0, dir + index * VTD_PDE_SIZE, &entry,
                      1)) {
        return VTD_FR_PASID_DIR_ACCESS;
    }
    ctx->fpd |= (entry & VTD_PDE_FPD) != 0;
    if (!(entry & VTD_PDE_P)) {
        return VTD_FR_PASID_DIR_P;
    }
    if (entry & (VTD_PDE_RSVD | vtd_walk_haw_rsvd(env->config, 63))) {
        return VTD_FR_PASID_DIR_RSVD;
    }
    *table = entry & VTD_PDE_SMPTBLPTR;
    return VTD_FR_OK;
}

/*
 * DEVIATION: AW is not reserved in a unit without second stage, because Linux
 * sets it in every entry.
 */
static bool
is_pasid_entry_rsvd(const struct vtd_config *config, const uint64_t entry[8])
{
    uint64_t haw = vtd_walk_haw_rsvd(config, 63);
    uint64_t rsvd0 = VTD_PE0_RSVD | haw | (config->ssads ? 0 : VTD_PE0_SSADE) |
                     (config->ssts ? 0 : VTD_PE0_SSPTPTR);
    uint64_t rsvd1 = VTD_PE1_RSVD | (config->smpwcs ? 0 : VTD_PE1_PWSNP) |
                     (config->sc ? 0 : VTD_PE1_PGSNP);
    uint64_t rsvd2 = VTD_PE2_RSVD | haw | (config->srs ? 0 : VTD_PE2_SRE) |
                     (config->ers ? 0 : VTD_PE2_ERE) |
                     (config->eafs ? 0 : VTD_PE2_EAFE) |
                     (config->fsts ? 0 : VTD_PE2_FIRST);

    return ((entry[0] & rsvd0) | (entry[1] & rsvd1) | (entry[2] & rsvd2) |
            entry[3] | entry[4] | entry[5] | entry[6] | entry[7]) != 0;
}

/* What PGTT says, if the unit has it. */
static bool
is_pgtt_supported(const struct vtd_config *config, uint64_t pgtt,
                  struct vtd_dma_ctx *ctx)
{
    switch (pgtt) {
    case VTD_PGTT_FIRST:
        ctx->stage = VTD_STAGE_FIRST;
        return config->fsts;
    case VTD_PGTT_SECOND:
        ctx->stage = VTD_STAGE_SECOND;
        return config->ssts;
    case VTD_PGTT_NESTED:
        ctx->stage = VTD_STAGE_NESTED;
        return config->nest;
    case VTD_PGTT_PASS:
        ctx->stage = VTD_STAGE_PASS;
        return config->pt;
    default:
        return false;
    }
}

/*
 * Fields of a stage that PGTT does not use are ignored but for reserved bits.
 * [VT-d 4.1, "Scalable-Mode PASID Table Entry"]
 */
static enum vtd_fr
pasid_decode(const struct vtd_config *config, const uint64_t entry[8],
             struct vtd_dma_ctx *ctx)
{
    uint64_t aw = VTD_GET(VTD_PE0_AW, entry[0]);
    uint64_t fspm = VTD_GET(VTD_PE2_FSPM, entry[2]);

    if (is_pasid_entry_rsvd(config, entry)) {
        return VTD_FR_PASID_RSVD;
    }
    if (!is_pgtt_supported(config, VTD_GET(VTD_PE0_PGTT, entry[0]), ctx)) {
        return VTD_FR_PASID_INV;
    }
    if (ctx->stage == VTD_STAGE_SECOND || ctx->stage == VTD_STAGE_NESTED) {
        if (!second_decode(config, aw, entry[0] & VTD_PE0_SSPTPTR, ctx)) {
            return VTD_FR_PASID_INV;
        }
        ctx->ssade = (entry[0] & VTD_PE0_SSADE) != 0;
    }
    if (ctx->stage == VTD_STAGE_FIRST || ctx->stage == VTD_STAGE_NESTED) {
        if (fspm > VTD_FSPM_MAX || (fspm == VTD_FSPM_MAX && !config->fs5lp)) {
            return VTD_FR_PASID_INV;
        }
        ctx->fs_levels = (uint8_t)VTD_FSPM_LEVELS(fspm);
        ctx->fs_root = entry[2] & VTD_PE2_FSPTPTR;
        if (ctx->stage == VTD_STAGE_NESTED && ctx->fs_root >> ctx->ss_bits) {
            return VTD_FR_PASID_INV;
        }
        ctx->wpe = (entry[2] & VTD_PE2_WPE) != 0;
        ctx->eafe = (entry[2] & VTD_PE2_EAFE) != 0;
    }
    ctx->did = (uint16_t)VTD_GET(VTD_PE1_DID, entry[1]);
    ctx->pwsnp = (entry[1] & VTD_PE1_PWSNP) != 0;
    ctx->pgsnp = (entry[1] & VTD_PE1_PGSNP) != 0;
    ctx->sre = (entry[2] & VTD_PE2_SRE) != 0;
    ctx->ere = (entry[2] & VTD_PE2_ERE) != 0;
    return VTD_FR_OK;
}

static enum vtd_fr
pasid_read(const struct vtd_walk_env *env, uint64_t dir,
           struct vtd_dma_ctx *ctx)
{
    uint64_t index = ctx->pasid % (1u << VTD_PDE_PASID_SHIFT);
    uint64_t entry[8];
    uint64_t table;
    enum vtd_fr fr = pasid_dir_read(env, dir, ctx, &table);

    if (fr != VTD_FR_OK) {
        return fr;
    }
    if (vtd_walk_read(env, "pasid", 0, table + index * VTD_PE_SIZE, entry, 8)) {
        return VTD_FR_PASID_ACCESS;
    }
    ctx->fpd |= (entry[0] & VTD_PE0_FPD) != 0;
    if (!(entry[0] & VTD_PE0_P)) {
        return VTD_FR_PASID_P;
    }
    return pasid_decode(env->config, entry, ctx);
}

static enum vtd_fr
permit_address_type(const struct vtd_dma_ctx *ctx,
                    const struct vtd_dma_req *req)
{
    if (req->at == VTD_AT_UNTRANSLATED || ctx->ats) {
        return VTD_FR_OK;
    }
    return ctx->scalable ? VTD_FR_SM_DTE : VTD_FR_TT_BLOCK;
}

static bool
is_supervisor(const struct vtd_dma_ctx *ctx, const struct vtd_dma_req *req)
{
    return req->pasid == VTD_NO_PASID ? ctx->rid_priv : req->privileged;
}

/* Without PASID there is no execute request. */
static bool
is_execute(const struct vtd_dma_req *req)
{
    return req->pasid != VTD_NO_PASID && (req->access & VTD_DMA_EXEC);
}

/* A translated request was judged when its address was given out. */
static enum vtd_fr
permit_privilege(const struct vtd_dma_ctx *ctx, const struct vtd_dma_req *req)
{
    if (req->at == VTD_AT_TRANSLATED) {
        return VTD_FR_OK;
    }
    if (!ctx->ere && is_execute(req)) {
        return VTD_FR_PASID_ERE;
    }
    if (!ctx->sre && is_supervisor(ctx, req)) {
        return VTD_FR_PASID_SRE;
    }
    return VTD_FR_OK;
}

enum vtd_fr
vtd_dma_ctx_permit(const struct vtd_dma_ctx *ctx, const struct vtd_dma_req *req)
{
    enum vtd_fr fr = permit_address_type(ctx, req);

    return fr == VTD_FR_OK && ctx->scalable ? permit_privilege(ctx, req) : fr;
}

/*
 * Of a translated request the context entry alone is looked at.
 * [VT-d 4.1, "Handling of Translated Requests"]
 */
static enum vtd_fr
sm_resolve(const struct vtd_walk_env *env, const struct vtd_dma_req *req,
           struct vtd_dma_ctx *ctx)
{
    uint64_t entry[4];
    enum vtd_fr fr;

    ctx->scalable = true;
    fr = sm_context_read(env, req->sid, entry, &ctx->fpd);
    if (fr != VTD_FR_OK) {
        return fr;
    }
    ctx->ats = (entry[0] & VTD_SM_CE0_DTE) != 0;
    ctx->pri = (entry[0] & VTD_SM_CE0_PRE) != 0;
    ctx->rid_priv = (entry[1] & VTD_SM_CE1_RID_PRIV) != 0;
    fr = permit_address_type(ctx, req);
    if (req->at == VTD_AT_TRANSLATED) {
        return fr;
    }
    if (fr == VTD_FR_OK) {
        fr = sm_pasid_choose(env->config, entry, req->pasid, &ctx->pasid);
    }
    if (fr == VTD_FR_OK) {
        fr = pasid_read(env, entry[0] & VTD_SM_CE0_PASIDDIRPTR, ctx);
    }
    return fr == VTD_FR_OK ? permit_privilege(ctx, req) : fr;
}

/* TTM as it is in force: reserved without the capability. */
static enum vtd_ttm
table_mode(const struct vtd_walk_env *env)
{
    switch (env->root.ttm) {
    case VTD_TTM_LEGACY:
        return VTD_TTM_LEGACY;
    case VTD_TTM_SCALABLE:
        return env->config->smts ? VTD_TTM_SCALABLE : VTD_TTM_RSVD;
    case VTD_TTM_ABORT:
        return env->config->adms ? VTD_TTM_ABORT : VTD_TTM_RSVD;
    default:
        return VTD_TTM_RSVD;
    }
}

enum vtd_fr
vtd_dma_ctx_resolve(const struct vtd_walk_env *env,
                    const struct vtd_dma_req *req, struct vtd_dma_ctx *ctx)
{
    *ctx = (struct vtd_dma_ctx){
        .rsvd = vtd_walk_haw_rsvd(env->config, 51),
        .stage = VTD_STAGE_NONE,
    };
    switch (table_mode(env)) {
    case VTD_TTM_LEGACY:
        return legacy_resolve(env, req, ctx);
    case VTD_TTM_SCALABLE:
        return sm_resolve(env, req, ctx);
    case VTD_TTM_ABORT:
        return VTD_FR_RTA_ABORT;
    default:
        return VTD_FR_RTA;
    }
}

enum vtd_fr
vtd_page_req_resolve(const struct vtd_walk_env *env,
                     const struct vtd_page_req *req, struct vtd_dma_ctx *ctx)
{
    enum vtd_ttm ttm = table_mode(env);
    uint64_t entry[4];
    enum vtd_fr fr;

    *ctx = (struct vtd_dma_ctx){
        .rsvd = vtd_walk_haw_rsvd(env->config, 51),
        .stage = VTD_STAGE_NONE,
    };
    if (ttm == VTD_TTM_ABORT) {
        return VTD_FR_RTA_ABORT;
    }
    if (ttm != VTD_TTM_SCALABLE) {
        return ttm == VTD_TTM_RSVD ? VTD_FR_RTA : VTD_FR_RTA_PRQ;
    }
    fr = sm_context_read(env, req->sid, entry, &ctx->fpd);
    if (fr == VTD_FR_OK && !(entry[0] & VTD_SM_CE0_PRE)) {
        fr = VTD_FR_SM_PRE;
    }
    if (fr == VTD_FR_OK) {
        fr = sm_pasid_choose(env->config, entry, req->pasid, &ctx->pasid);
    }
    if (fr == VTD_FR_OK) {
        fr = pasid_read(env, entry[0] & VTD_SM_CE0_PASIDDIRPTR, ctx);
    }
    return fr;
}

uint8_t
vtd_dma_need(const struct vtd_config *config, const struct vtd_dma_ctx *ctx,
             const struct vtd_dma_req *req)
{
    uint8_t need = req->access;
    bool zero = false;

    if (req->atomic) {
        need |= VTD_DMA_READ | VTD_DMA_WRITE;
    }
    if (need & VTD_DMA_EXEC) {
        need |= VTD_DMA_READ;
        need &= is_execute(req) ? VTD_PERM_ALL : (uint8_t)~VTD_DMA_EXEC;
    }
    if (need == 0) {
        if (config->zlr && ctx->stage == VTD_STAGE_SECOND) {
            return 0;
        }
        need = VTD_DMA_READ;
        zero = config->zlr && ctx->stage == VTD_STAGE_NESTED;
    }
    if (is_supervisor(ctx, req)) {
        need = (uint8_t)(need << VTD_PERM_SUPER_SHIFT);
    }
    return zero ? need | VTD_PERM_ZERO : need;
}
