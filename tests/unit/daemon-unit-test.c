/* SPDX-License-Identifier: GPL-2.0-only */
/* What a unit advertises for a configuration. */
#include "daemon/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct vtd_config
unit_of(const char *spec)
{
    struct viommu_config config;
    struct vtd_config unit;
    char err[512];

    if (config_parse(spec, &config, err, sizeof(err))) {
        fail_msg("'%s': %s", spec, err);
    }
    unit_config(&config, &unit);
    return unit;
}

static void
finds_the_unit_of_a_device(void **state)
{
    struct unit unit[3] = {
        { .config = { .device_count = 2, .device = { 0x28, 0x30 } } },
        { .config = { .device_count = 1, .device = { 0x38 } } },
        { .config = { .device_count = 0 } },
    };
    int place;

    (void)state;
    assert_ptr_equal(unit_find_device(unit, 3, 0x30, &place), &unit[0]);
    assert_int_equal(place, 1);
    assert_ptr_equal(unit_find_device(unit, 3, 0x38, &place), &unit[1]);
    assert_int_equal(place, 0);
    assert_ptr_equal(unit_find_device(unit, 3, 0x40, &place), &unit[2]);
    assert_int_equal(place, -1);
    assert_ptr_equal(unit_find_device(unit, 3, 0x28, NULL), &unit[0]);
    assert_null(unit_find_device(unit, 2, 0x40, NULL));
}

static void
the_default_is_a_unit_for_interrupts(void **state)
{
    struct vtd_config want = vtd_config_ir;
    struct vtd_config unit = unit_of("type=intel_vtd");

    (void)state;
    want.haw = 46;
    assert_memory_equal(&unit, &want, sizeof(unit));
    unit = unit_of("type=intel_vtd,eim=0,faults=3,width=39,posted=1");
    want.haw = 39;
    want.eim = false;
    want.fault_records = 3;
    want.pi = true;
    assert_memory_equal(&unit, &want, sizeof(unit));
}

static void
a_mode_of_dma_remapping_is_a_preset(void **state)
{
    struct vtd_config want = vtd_config_legacy;
    struct vtd_config unit =
        unit_of("type=intel_vtd,dma=legacy,devices=00:04.0,width=52");

    (void)state;
    assert_memory_equal(&unit, &want, sizeof(unit));
    unit = unit_of("type=intel_vtd,dma=legacy,devices=00:04.0,width=52,"
                   "caching=1,ats=1,intremap=0");
    want.cm = true;
    want.dt = true;
    want.ir = false;
    want.eim = false;
    want.esirtps = false;
    assert_memory_equal(&unit, &want, sizeof(unit));

    want = vtd_config_scalable;
    unit = unit_of("type=intel_vtd,dma=scalable,devices=00:04.0,width=52");
    assert_memory_equal(&unit, &want, sizeof(unit));
    want.pasid_bits = 0;
    unit =
        unit_of("type=intel_vtd,dma=scalable,pasid=0,devices=00:04.0,width=52");
    assert_memory_equal(&unit, &want, sizeof(unit));
}

static void
a_stage_can_be_left_out(void **state)
{
    struct vtd_config want = vtd_config_scalable;
    struct vtd_config unit = unit_of("type=intel_vtd,dma=scalable,width=52,"
                                     "stages=second,devices=00:04.0");

    (void)state;
    want.fsts = false;
    want.nest = false;
    want.fs1gp = false;
    assert_memory_equal(&unit, &want, sizeof(unit));

    want = vtd_config_scalable;
    want.ssts = false;
    want.nest = false;
    want.ssads = false;
    unit = unit_of("type=intel_vtd,dma=scalable,width=52,stages=first,"
                   "devices=00:04.0");
    assert_memory_equal(&unit, &want, sizeof(unit));
}

/* All but 5-level tables. */
static void
the_full_mode_is_what_a_guest_of_xen_can_use(void **state)
{
    struct vtd_config want = vtd_config_full;
    struct vtd_config unit =
        unit_of("type=intel_vtd,dma=full,devices=00:04.0,width=52");

    (void)state;
    want.fs5lp = false;
    want.sagaw = VTD_SAGAW_39 | VTD_SAGAW_48;
    want.mgaw = 48;
    assert_memory_equal(&unit, &want, sizeof(unit));
    unit = unit_of("type=intel_vtd,dma=full,devices=00:04.0,width=52,prs=0");
    want.prs = false;
    want.pds = false;
    assert_memory_equal(&unit, &want, sizeof(unit));
    unit = unit_of("type=intel_vtd,dma=full,devices=00:04.0,width=32,ats=0,"
                   "posted=0,pasid=0");
    assert_false(unit.pi || unit.dt || unit.dit || unit.srs || unit.phmr);
    assert_false(unit.prs || unit.pds);
    assert_int_equal(unit.pasid_bits, 0);
}

static void
page_requests_need_not_be_of_the_full_mode(void **state)
{
    struct vtd_config want = vtd_config_scalable;
    struct vtd_config unit = unit_of("type=intel_vtd,dma=scalable,width=52,"
                                     "devices=00:04.0,ats=1,prs=1");

    (void)state;
    want.dt = true;
    want.prs = true;
    want.pds = true;
    assert_memory_equal(&unit, &want, sizeof(unit));
}

static void
three_levels_are_the_only_width(void **state)
{
    static const char *const dma[] = { "legacy", "scalable", "full" };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct vtd_config unit;
        char spec[128];

        snprintf(spec, sizeof(spec),
                 "type=intel_vtd,dma=%s,devices=00:04.0,levels=3", dma[i]);
        unit = unit_of(spec);
        assert_int_equal(unit.sagaw, VTD_SAGAW_39);
        assert_int_equal(unit.mgaw, 39);
        assert_null(vtd_config_check(&unit));
    }
}

/* Each combination of the keys that decide what is advertised. */
static void
what_is_accepted_makes_a_unit(void **state)
{
    static const char *const dma[] = {
        "none",
        "legacy",
        "scalable",
        "full",
        "scalable,stages=first",
        "scalable,stages=second",
        "full,stages=first",
        "full,stages=second",
    };
    unsigned accepted = 0;

    (void)state;
    for (unsigned n = 0; n < 8u << 9; n++) {
        struct viommu_config config;
        struct vtd_config unit;
        char spec[256];
        char err[512];

        snprintf(spec, sizeof(spec),
                 "type=intel_vtd,dma=%s,intremap=%u,eim=%u,caching=%u,"
                 "posted=%u,ats=%u,pasid=%u,width=%u,prs=%u,levels=%u,"
                 "devices=00:04.0",
                 dma[n >> 9], n & 1, n >> 1 & 1, n >> 2 & 1, n >> 3 & 1,
                 n >> 4 & 1, n >> 5 & 1 ? 20 : 0, n >> 6 & 1 ? 32 : 52,
                 n >> 7 & 1, n >> 8 & 1 ? 3 : 4);
        if (config_parse(spec, &config, err, sizeof(err))) {
            continue;
        }
        unit_config(&config, &unit);
        if (vtd_config_check(&unit)) {
            fail_msg("'%s': %s", spec, vtd_config_check(&unit));
        }
        assert_int_equal(unit.ir, n & 1);
        assert_int_equal(unit.eim, n >> 1 & 1);
        assert_int_equal(unit.cm, n >> 2 & 1);
        assert_int_equal(unit.pi, n >> 3 & 1);
        assert_int_equal(unit.dt, n >> 4 & 1);
        assert_int_equal(unit.pasid_bits, n >> 5 & 1 ? 20 : 0);
        assert_int_equal(unit.haw, n >> 6 & 1 ? 32 : 52);
        assert_int_equal(unit.prs, n >> 7 & 1);
        assert_int_equal(unit.pds, n >> 7 & 1);
        accepted++;
    }
    /*
     * Interrupts alone; legacy; scalable and full, with PASIDs and without,
     * with each stage and with both, and page requests, which need PASIDs and
     * device TLBs.  All but the first with 3 levels as well.
     */
    assert_int_equal(accepted, 4 * 2 + 2 * (5 * 8 + 2 * 3 * (5 * 16 + 5 * 4)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_unit_of_a_device),
        cmocka_unit_test(the_default_is_a_unit_for_interrupts),
        cmocka_unit_test(a_mode_of_dma_remapping_is_a_preset),
        cmocka_unit_test(a_stage_can_be_left_out),
        cmocka_unit_test(the_full_mode_is_what_a_guest_of_xen_can_use),
        cmocka_unit_test(page_requests_need_not_be_of_the_full_mode),
        cmocka_unit_test(three_levels_are_the_only_width),
        cmocka_unit_test(what_is_accepted_makes_a_unit),
    };

    return cmocka_run_group_tests_name("unit", tests, NULL, NULL);
}
