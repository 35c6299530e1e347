/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities: what configurations are refused and why, and that a feature
 * shows in exactly its own bits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

static const struct vtd_config *const presets[] = {
    &vtd_config_ir,
    &vtd_config_legacy,
    &vtd_config_scalable,
    &vtd_config_full,
};

#define PRESETS (sizeof(presets) / sizeof(presets[0]))

/* Switches, and the bits that each stands for; from the headers of Linux. */
static const struct feature {
    const char *name;
    size_t member;
    uint64_t cap;
    uint64_t ecap;
} features[] = {
#define BIT(n) (UINT64_C(1) << (n))
#define SWITCH(name, c, e)                             \
    {                                                  \
#name, offsetof(struct vtd_config, name), c, e \
    }
    SWITCH(ir, 0, BIT(3)),       SWITCH(eim, 0, BIT(4)),
    SWITCH(esirtps, BIT(62), 0), SWITCH(pi, BIT(59), 0),
    SWITCH(esrtps, BIT(63), 0),  SWITCH(cm, BIT(7), 0),
    SWITCH(zlr, BIT(22), 0),     SWITCH(drain, BIT(54) | BIT(55), 0),
    SWITCH(ss2m, BIT(34), 0),    SWITCH(ss1g, BIT(35), 0),
    SWITCH(plmr, BIT(5), 0),     SWITCH(phmr, BIT(6), 0),
    SWITCH(pt, 0, BIT(6)),       SWITCH(sc, 0, BIT(7)),
    SWITCH(dt, 0, BIT(2)),       SWITCH(dit, 0, BIT(41)),
    SWITCH(smts, 0, BIT(43)),    SWITCH(ssts, 0, BIT(46)),
    SWITCH(fsts, 0, BIT(47)),    SWITCH(nest, 0, BIT(26)),
    SWITCH(fs1gp, BIT(56), 0),   SWITCH(fs5lp, BIT(60), 0),
    SWITCH(ssads, 0, BIT(45)),   SWITCH(eafs, 0, BIT(34)),
    SWITCH(srs, 0, BIT(31)),     SWITCH(ers, 0, BIT(30)),
    SWITCH(nwfs, 0, BIT(33)),    SWITCH(rps, 0, BIT(49)),
    SWITCH(rprivs, 0, BIT(53)),  SWITCH(smpwcs, 0, BIT(48)),
    SWITCH(adms, 0, BIT(52)),    SWITCH(prs, 0, BIT(29)),
    SWITCH(pds, 0, BIT(42)),
};

#define FEATURES (sizeof(features) / sizeof(features[0]))

/* Members that are numbers: these, and the switches, are all there are. */
_Static_assert(sizeof(struct vtd_config) == FEATURES + 6,
               "a member of the configuration is not tested");

static uint8_t *
member_of(struct vtd_config *config, const struct feature *feature)
{
    return (uint8_t *)config + feature->member;
}

struct caps {
    uint64_t cap;
    uint64_t ecap;
};

static struct caps
caps_of(const struct vtd_config *config)
{
    struct model *model = model_create(config);
    struct caps caps = { model_r8(model, 8), model_r8(model, 16) };

    model_destroy(model);
    return caps;
}

static void
assert_refused(const struct vtd_config *config, const char *text)
{
    static const struct vtd_ops none;
    const char *reason = vtd_config_check(config);

    assert_non_null(reason);
    if (text) {
        assert_string_equal(reason, text);
    }
    errno = 0;
    assert_null(vtd_create(config, &none, NULL));
    assert_int_equal(errno, EINVAL);
    vtd_destroy(NULL);
}

static void
presets_are_accepted(void **state)
{
    (void)state;
    for (unsigned p = 0; p < PRESETS; p++) {
        assert_null(vtd_config_check(presets[p]));
    }
    /* Each is the one before, and more. */
    for (unsigned p = 1; p < PRESETS; p++) {
        struct caps less = caps_of(presets[p - 1]);
        struct caps more = caps_of(presets[p]);

        assert_int_equal(less.ecap & ~more.ecap, 0);
        assert_true(less.ecap != more.ecap);
    }
}

/* What the rules say, in one expression: not how they are written down. */
static bool
makes_sense(const struct vtd_config *c)
{
    bool dma = c->sagaw || c->smts;
    bool any_dma_feature = c->mgaw || c->mamv || c->esrtps || c->cm || c->zlr ||
                           c->drain || c->plmr || c->phmr || c->pt || c->sc ||
                           c->dt || c->adms;
    bool any_sm_feature =
        c->ssts || c->fsts || c->rps || c->smpwcs || c->pasid_bits || c->prs;
    bool any_fs_feature = c->nest || c->fs1gp || c->fs5lp || c->eafs;

    return (c->ir || dma) && (c->ir || !(c->eim || c->esirtps || c->pi)) &&
           (dma || !any_dma_feature) && (c->smts || !any_sm_feature) &&
           (c->fsts || !any_fs_feature) && (c->ssts || !c->nest) &&
           (c->ssts || !c->ssads) && (!c->smts || c->fsts || c->ssts) &&
           (c->sagaw || !(c->ssts || c->ss2m)) && (c->ss2m || !c->ss1g) &&
           (!c->ss2m || c->mamv >= 9) && (!c->ss1g || c->mamv >= 18) &&
           (c->dt || !(c->dit || c->nwfs || c->prs)) &&
           (c->pasid_bits || !(c->srs || c->ers)) && (c->srs || !c->rprivs) &&
           (c->prs || !c->pds);
}

static void
a_feature_shows_its_own_bits_or_is_refused(void **state)
{
    unsigned accepted = 0;
    unsigned refused = 0;

    (void)state;
    for (unsigned p = 0; p < PRESETS; p++) {
        struct caps before = caps_of(presets[p]);

        for (unsigned f = 0; f < FEATURES; f++) {
            struct vtd_config config = *presets[p];
            struct caps after;

            *member_of(&config, &features[f]) ^= 1;
            assert_int_equal(!vtd_config_check(&config), makes_sense(&config));
            if (vtd_config_check(&config)) {
                assert_refused(&config, NULL);
                refused++;
                continue;
            }
            after = caps_of(&config);
            assert_int_equal(before.cap ^ after.cap, features[f].cap);
            assert_int_equal(before.ecap ^ after.ecap, features[f].ecap);
            accepted++;
        }
    }
    assert_true(accepted >= 50 && refused >= 50);
}

static uint32_t
next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Presets with some of their features changed at random. */
static void
combinations_are_accepted_if_they_make_sense(void **state)
{
    uint32_t seed = 0x76746431;
    unsigned accepted = 0;
    unsigned refused = 0;

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        struct vtd_config config = *presets[next_random(&seed) % PRESETS];
        unsigned changes = next_random(&seed) % 6;

        for (unsigned i = 0; i < changes; i++) {
            *member_of(&config, &features[next_random(&seed) % FEATURES]) ^= 1;
        }
        if (next_random(&seed) % 8 == 0) {
            config.pasid_bits = (uint8_t)(next_random(&seed) % 21);
        }
        if (next_random(&seed) % 8 == 0) {
            config.mamv = (uint8_t)(next_random(&seed) % 53);
        }
        if (next_random(&seed) % 8 == 0 && !config.fsts) {
            config.sagaw = 0;
            config.mgaw = 0;
        }
        if (config.mgaw == 0 && (config.sagaw || config.smts)) {
            continue;
        }
        if (vtd_config_check(&config) ? makes_sense(&config)
                                      : !makes_sense(&config)) {
            fail_msg("combination %u: %s", n, vtd_config_check(&config));
        }
        accepted += makes_sense(&config);
        refused += !makes_sense(&config);
    }
    assert_true(accepted > 10000 && refused > 10000);
}

/* Each reason once, by a change of a preset that it alone forbids. */
static void
every_rule_refuses_in_its_own_words(void **state)
{
#define DMA_TEXT "needs DMA remapping: sagaw or smts"
#define IR_ONLY  .fault_records = 8, .haw = 52, .ir = true
#define LEGACY   IR_ONLY, .sagaw = 6, .mgaw = 48
#define FIRST \
    .fault_records = 8, .haw = 52, .smts = true, .fsts = true, .mgaw = 48
    static const struct {
        struct vtd_config config;
        const char *text;
    } cases[] = {
        { { .haw = 52, .ir = true }, "fault_records must be 1 to 8" },
        { { .haw = 52, .ir = true, .fault_records = 9 },
          "fault_records must be 1 to 8" },
        { { .fault_records = 1, .ir = true, .haw = 31 },
          "haw must be 32 to 52 bits" },
        { { .fault_records = 1, .ir = true, .haw = 53 },
          "haw must be 32 to 52 bits" },
        { { .fault_records = 1, .haw = 32 },
          "the unit would remap neither interrupts nor DMA" },
        { { IR_ONLY, .sagaw = 0x16, .mgaw = 48 },
          "sagaw has a width besides 39, 48 and 57 bits" },
        { { IR_ONLY, .sagaw = 1, .mgaw = 39 },
          "sagaw has a width besides 39, 48 and 57 bits" },
        { { IR_ONLY, .sagaw = 6 }, "mgaw must be 39, 48 or 57 bits" },
        { { IR_ONLY, .sagaw = 6, .mgaw = 47 },
          "mgaw must be 39, 48 or 57 bits" },
        { { IR_ONLY, .sagaw = 6, .mgaw = 57 },
          "mgaw is wider than the tables of any stage" },
        { { IR_ONLY, .sagaw = 2, .mgaw = 48 },
          "mgaw is wider than the tables of any stage" },
        { { .fault_records = 8,
            .haw = 52,
            .smts = true,
            .fsts = true,
            .mgaw = 57 },
          "mgaw is wider than the tables of any stage" },
        { { LEGACY, .mamv = 53 },
          "mamv must be at most 52: it covers every address" },
        { { LEGACY, .ss2m = true, .mamv = 8 },
          "ss2m needs mamv 9: one invalidation for a page" },
        { { LEGACY, .ss2m = true, .ss1g = true, .mamv = 17 },
          "ss1g needs mamv 18: one invalidation for a page" },
        { { .fault_records = 8,
            .haw = 32,
            .sagaw = 2,
            .mgaw = 39,
            .phmr = true },
          "phmr needs addresses above 4 GiB: haw above 32" },
        { { FIRST, .pasid_bits = 21 }, "pasid_bits must be at most 20" },
        { { FIRST, .eim = true }, "eim needs ir" },
        { { FIRST, .esirtps = true }, "esirtps needs ir" },
        { { FIRST, .pi = true }, "pi needs ir" },
        { { IR_ONLY, .mamv = 1 }, "mamv " DMA_TEXT },
        { { IR_ONLY, .mgaw = 48 }, "mgaw " DMA_TEXT },
        { { IR_ONLY, .esrtps = true }, "esrtps " DMA_TEXT },
        { { IR_ONLY, .cm = true }, "cm " DMA_TEXT },
        { { IR_ONLY, .zlr = true }, "zlr " DMA_TEXT },
        { { IR_ONLY, .drain = true }, "drain " DMA_TEXT },
        { { IR_ONLY, .plmr = true }, "plmr " DMA_TEXT },
        { { IR_ONLY, .phmr = true }, "phmr " DMA_TEXT },
        { { IR_ONLY, .pt = true }, "pt " DMA_TEXT },
        { { IR_ONLY, .sc = true }, "sc " DMA_TEXT },
        { { IR_ONLY, .dt = true }, "dt " DMA_TEXT },
        { { IR_ONLY, .adms = true }, "adms " DMA_TEXT },
        { { FIRST, .ss2m = true, .mamv = 18 },
          "ss2m needs a second stage: sagaw" },
        { { LEGACY, .ss1g = true, .mamv = 18 },
          "ss1g needs ss2m: software takes sizes in order" },
        { { LEGACY, .dit = true }, "dit needs dt" },
        { { LEGACY, .nwfs = true }, "nwfs needs dt" },
        { { LEGACY, .smts = true }, "smts needs a stage: fsts or ssts" },
        { { LEGACY, .ssts = true }, "ssts needs smts" },
        { { FIRST, .ssts = true }, "ssts needs widths: sagaw" },
        { { LEGACY, .fsts = true }, "fsts needs smts" },
        { { LEGACY, .smts = true, .ssts = true, .nest = true },
          "nest needs both stages: fsts and ssts" },
        { { FIRST, .nest = true }, "nest needs both stages: fsts and ssts" },
        { { LEGACY, .fs1gp = true }, "fs1gp needs fsts" },
        { { LEGACY, .fs5lp = true }, "fs5lp needs fsts" },
        { { LEGACY, .eafs = true }, "eafs needs fsts" },
        { { LEGACY, .ssads = true }, "ssads needs ssts" },
        { { LEGACY, .rps = true }, "rps needs smts" },
        { { LEGACY, .smpwcs = true }, "smpwcs needs smts" },
        { { LEGACY, .pasid_bits = 20 }, "pasid_bits needs smts" },
        { { FIRST, .srs = true }, "srs needs requests with PASID: pasid_bits" },
        { { FIRST, .ers = true }, "ers needs requests with PASID: pasid_bits" },
        { { FIRST, .pasid_bits = 1, .rprivs = true }, "rprivs needs srs" },
        { { LEGACY, .dt = true, .prs = true }, "prs needs smts" },
        { { FIRST, .prs = true },
          "prs needs dt: pages are asked for through ATS" },
        { { FIRST, .dt = true, .pds = true }, "pds needs prs" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_refused(&cases[i].config, cases[i].text);
    }
}

static void
numbers_show_in_their_fields(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= VTD_FAULT_RECORDS_MAX; n++) {
        struct vtd_config config = vtd_config_ir;

        config.fault_records = (uint8_t)n;
        assert_int_equal(caps_of(&config).cap >> 40 & 0xff, n - 1);
    }
    for (unsigned bits = 1; bits <= 20; bits++) {
        struct vtd_config config = vtd_config_full;

        config.pasid_bits = (uint8_t)bits;
        assert_int_equal(caps_of(&config).ecap >> 35 & 0x3f, 0x20 | (bits - 1));
    }
    for (unsigned mamv = 18; mamv <= 52; mamv++) {
        struct vtd_config config = vtd_config_full;

        config.mamv = (uint8_t)mamv;
        assert_int_equal(caps_of(&config).cap >> 48 & 0x3f, mamv);
    }
    for (unsigned haw = 33; haw <= 52; haw++) {
        struct vtd_config config = vtd_config_full;

        config.haw = (uint8_t)haw;
        assert_int_equal(caps_of(&config).cap, caps_of(&vtd_config_full).cap);
    }
}

static void
widths_show_in_their_fields(void **state)
{
    static const uint8_t mgaws[] = { 39, 48, 57 };

    (void)state;
    for (unsigned sagaw = 2; sagaw < 16; sagaw += 2) {
        for (unsigned i = 0; i < 3; i++) {
            struct vtd_config config = vtd_config_legacy;
            uint64_t cap;

            config.sagaw = (uint8_t)sagaw;
            config.mgaw = mgaws[i];
            /* Some width is as wide as that. */
            if (sagaw < 2u << i) {
                assert_refused(&config,
                               "mgaw is wider than the tables of any stage");
                continue;
            }
            cap = caps_of(&config).cap;
            assert_int_equal(cap >> 8 & 0x1f, sagaw);
            assert_int_equal(cap >> 16 & 0x3f, mgaws[i] - 1);
        }
    }
}

/* First stage alone: no width of a second one. */
static void
a_unit_may_have_a_first_stage_alone(void **state)
{
    struct vtd_config config = vtd_config_scalable;
    struct caps caps;

    (void)state;
    config.sagaw = 0;
    config.ssts = false;
    config.nest = false;
    config.ssads = false;
    config.ss2m = false;
    config.ss1g = false;
    assert_null(vtd_config_check(&config));
    caps = caps_of(&config);
    assert_int_equal(caps.cap >> 8 & 0x1f, 0);
    assert_int_equal(caps.cap >> 34 & 0xf, 0);
    assert_int_equal(caps.ecap & (BIT(43) | BIT(46) | BIT(47)),
                     BIT(43) | BIT(47));
}

static void
a_unit_may_leave_interrupts_alone(void **state)
{
    struct vtd_config config = vtd_config_legacy;
    struct model *model;

    (void)state;
    config.ir = false;
    config.eim = false;
    config.esirtps = false;
    model = model_create(&config);
    assert_int_equal(model_r8(model, 16) & 0x18, 0);
    model_w8(model, 0xb8, UINT64_MAX);
    assert_int_equal(model_r8(model, 0xb8), 0);
    model_w4(model, 0x18, 0x03800000);
    assert_int_equal(model_r4(model, 0x1c), 0);
    assert_int_equal(model->state_calls, 0);
    model_destroy(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_accepted),
        cmocka_unit_test(a_feature_shows_its_own_bits_or_is_refused),
        cmocka_unit_test(combinations_are_accepted_if_they_make_sense),
        cmocka_unit_test(every_rule_refuses_in_its_own_words),
        cmocka_unit_test(numbers_show_in_their_fields),
        cmocka_unit_test(widths_show_in_their_fields),
        cmocka_unit_test(a_unit_may_have_a_first_stage_alone),
        cmocka_unit_test(a_unit_may_leave_interrupts_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
