/* SPDX-License-Identifier: GPL-2.0-only */
/* Which configurations make sense, and four that do. */
#include "daemon/vtd/caps.h"

#define HAW_MIN 32u
#define HAW_MAX 52u

/* An address mask of 52 covers all 64 bits. */
#define MAMV_MAX 52u

/* Masks that one page of each size needs. */
#define MAMV_2M 9u
#define MAMV_1G 18u

#define PASID_BITS_MAX 20u

#define SAGAW_ALL (VTD_SAGAW_39 | VTD_SAGAW_48 | VTD_SAGAW_57)

const struct vtd_config vtd_config_ir = {
    .fault_records = 8,
    .haw = 52,
    .ir = true,
    .eim = true,
    .esirtps = true,
};

#define LEGACY                                                               \
    .fault_records = 8, .haw = 52, .ir = true, .eim = true, .esirtps = true, \
    .mamv = 18, .esrtps = true, .zlr = true, .drain = true, .ss2m = true,    \
    .ss1g = true, .pt = true, .sc = true

#define SCALABLE                                                           \
    .smts = true, .ssts = true, .fsts = true, .nest = true, .fs1gp = true, \
    .ssads = true, .smpwcs = true, .pasid_bits = 20

const struct vtd_config vtd_config_legacy = {
    LEGACY,
    .sagaw = VTD_SAGAW_39 | VTD_SAGAW_48,
    .mgaw = 48,
};

const struct vtd_config vtd_config_scalable = {
    LEGACY,
    SCALABLE,
    .sagaw = VTD_SAGAW_39 | VTD_SAGAW_48,
    .mgaw = 48,
};

const struct vtd_config vtd_config_full = {
    LEGACY,       SCALABLE,      .sagaw = SAGAW_ALL, .mgaw = 57,
    .pi = true,   .plmr = true,  .phmr = true,       .dt = true,
    .dit = true,  .fs5lp = true, .eafs = true,       .srs = true,
    .ers = true,  .nwfs = true,  .rps = true,        .rprivs = true,
    .adms = true, .prs = true,   .pds = true,
};

static bool
is_idle(const struct vtd_config *config)
{
    return !config->ir && !vtd_caps_have(config, VTD_NEED_DMA);
}

static bool
is_records_odd(const struct vtd_config *config)
{
    return config->fault_records < 1 ||
           config->fault_records > VTD_FAULT_RECORDS_MAX;
}

static bool
is_haw_odd(const struct vtd_config *config)
{
    return config->haw < HAW_MIN || config->haw > HAW_MAX;
}

static bool
is_sagaw_odd(const struct vtd_config *config)
{
    return (config->sagaw & ~SAGAW_ALL) != 0;
}

static bool
is_mgaw_odd(const struct vtd_config *config)
{
    return vtd_caps_have(config, VTD_NEED_DMA) && config->mgaw != 39 &&
           config->mgaw != 48 && config->mgaw != 57;
}

/* No table of any stage translates the widest addresses. */
static bool
is_mgaw_wide(const struct vtd_config *config)
{
    unsigned width = 39;

    if (config->fs5lp || (config->sagaw & VTD_SAGAW_57)) {
        width = 57;
    } else if (config->fsts || (config->sagaw & VTD_SAGAW_48)) {
        width = 48;
    }
    return config->mgaw > width;
}

static bool
is_mamv_wide(const struct vtd_config *config)
{
    return config->mamv > MAMV_MAX;
}

static bool
is_mamv_below_2m(const struct vtd_config *config)
{
    return config->ss2m && config->mamv < MAMV_2M;
}

static bool
is_mamv_below_1g(const struct vtd_config *config)
{
    return config->ss1g && config->mamv < MAMV_1G;
}

static bool
is_phmr_empty(const struct vtd_config *config)
{
    return config->phmr && config->haw == HAW_MIN;
}

static bool
is_pasid_wide(const struct vtd_config *config)
{
    return config->pasid_bits > PASID_BITS_MAX;
}

static const struct {
    bool (*is_broken)(const struct vtd_config *config);
    const char *text;
} bounds[] = {
    { is_records_odd, "fault_records must be 1 to 8" },
    { is_haw_odd, "haw must be 32 to 52 bits" },
    { is_idle, "the unit would remap neither interrupts nor DMA" },
    { is_sagaw_odd, "sagaw has a width besides 39, 48 and 57 bits" },
    { is_mgaw_odd, "mgaw must be 39, 48 or 57 bits" },
    { is_mamv_wide, "mamv must be at most 52: it covers every address" },
    { is_mamv_below_2m, "ss2m needs mamv 9: one invalidation for a page" },
    { is_mamv_below_1g, "ss1g needs mamv 18: one invalidation for a page" },
    { is_phmr_empty, "phmr needs addresses above 4 GiB: haw above 32" },
    { is_pasid_wide, "pasid_bits must be at most 20" },
};

/*
 * What a capability needs.  Either it has no meaning without the other, or
 * the other is what a driver would use it through.
 */
static const struct {
    uint8_t member; /* of struct vtd_config, one byte */
    uint8_t need;   /* enum vtd_need */
    const char *text;
} rules[] = {
#define RULE(name, need, text)                                             \
    {                                                                      \
        offsetof(struct vtd_config, name), VTD_NEED_##need, #name " " text \
    }
    RULE(eim, IR, "needs ir"),
    RULE(esirtps, IR, "needs ir"),
    RULE(pi, IR, "needs ir"),
    RULE(mgaw, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(mamv, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(esrtps, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(cm, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(zlr, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(drain, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(plmr, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(phmr, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(pt, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(sc, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(dt, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(adms, DMA, "needs DMA remapping: sagaw or smts"),
    RULE(ss2m, SAGAW, "needs a second stage: sagaw"),
    RULE(ss1g, SS2M, "needs ss2m: software takes sizes in order"),
    RULE(dit, DT, "needs dt"),
    RULE(nwfs, DT, "needs dt"),
    RULE(smts, STAGE, "needs a stage: fsts or ssts"),
    RULE(ssts, SMTS, "needs smts"),
    RULE(ssts, SAGAW, "needs widths: sagaw"),
    RULE(fsts, SMTS, "needs smts"),
    RULE(nest, FSTS, "needs both stages: fsts and ssts"),
    RULE(nest, SSTS, "needs both stages: fsts and ssts"),
    RULE(fs1gp, FSTS, "needs fsts"),
    RULE(fs5lp, FSTS, "needs fsts"),
    RULE(eafs, FSTS, "needs fsts"),
    RULE(ssads, SSTS, "needs ssts"),
    RULE(rps, SMTS, "needs smts"),
    RULE(smpwcs, SMTS, "needs smts"),
    RULE(pasid_bits, SMTS, "needs smts"),
    RULE(srs, PASID, "needs requests with PASID: pasid_bits"),
    RULE(ers, PASID, "needs requests with PASID: pasid_bits"),
    RULE(rprivs, SRS, "needs srs"),
    RULE(prs, SMTS, "needs smts"),
    RULE(prs, DT, "needs dt: pages are asked for through ATS"),
    RULE(pds, PRS, "needs prs"),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *
vtd_config_check(const struct vtd_config *config)
{
    for (size_t i = 0; i < COUNT(bounds); i++) {
        if (bounds[i].is_broken(config)) {
            return bounds[i].text;
        }
    }
    for (size_t i = 0; i < COUNT(rules); i++) {
        if (((const uint8_t *)config)[rules[i].member] != 0 &&
            !vtd_caps_have(config, rules[i].need)) {
            return rules[i].text;
        }
    }
    if (is_mgaw_wide(config)) {
        return "mgaw is wider than the tables of any stage";
    }
    return NULL;
}
