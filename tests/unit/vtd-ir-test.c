/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt remapping: requests, entries, source ids, each fault reason. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define FPD UINT64_C(2)

static int
setup(void **state)
{
    model_setup(state);
    model_irt_enable(*state, 15, true);
    return 0;
}

static enum vtd_fr
remap(struct model *model, uint64_t addr, uint32_t data,
      struct vtd_route *route)
{
    return vtd_ir_remap(model->vtd, addr, data, 0x0102, true, route);
}

/* Record 0 holds exactly this fault, and it is the only one; clear it. */
static void
assert_fault(struct model *model, uint8_t reason, uint16_t sid, uint32_t index)
{
    assert_int_equal(model_fsts(model) & 0xff, 2);
    assert_int_equal(model_r8(model, 0x220), (uint64_t)index << 48);
    assert_int_equal(model_r8(model, 0x228),
                     UINT64_C(1) << 63 | (uint64_t)reason << 32 | sid);
    assert_int_equal(model_r8(model, 0x238), 0);
    vtd_reset(model->vtd);
    model_irt_enable(model, 15, true);
}

static void
assert_no_fault(struct model *model)
{
    assert_int_equal(model_fsts(model), 0);
}

static void
every_index_reaches_its_entry(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    for (uint32_t index = 0; index < 0x10000; index++) {
        model_irte_set(model, index, MODEL_IRTE(0x40, index * 3), 0);
    }
    for (uint32_t index = 0; index < 0x10000; index++) {
        assert_int_equal(remap(model, MODEL_MSI(index), 0, &route), 0);
        assert_int_equal(route.index, index);
        assert_int_equal(route.dest, index * 3);
    }
    /* Bits 1:0 of the address are don't-care, data without SHV too. */
    assert_int_equal(remap(model, MODEL_MSI(7) | 3, UINT32_MAX, &route), 0);
    assert_int_equal(route.index, 7);
    assert_no_fault(model);
}

static void
subhandle_is_added_without_wrap(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    for (uint32_t index = 0; index < 0x10000; index++) {
        model_irte_set(model, index, MODEL_IRTE(0x40, index), 0);
    }
    assert_int_equal(remap(model, MODEL_MSI_SHV(0x100), 5, &route), 0);
    assert_int_equal(route.dest, 0x105);
    assert_int_equal(remap(model, MODEL_MSI_SHV(0x8000), 0x7fff, &route), 0);
    assert_int_equal(route.dest, 0xffff);
    assert_int_equal(remap(model, MODEL_MSI(0x100), 5, &route), 0);
    assert_int_equal(route.dest, 0x100);
    assert_no_fault(model);
    assert_int_equal(remap(model, MODEL_MSI_SHV(0x8000), 0x8000, &route),
                     VTD_FR_IR_INDEX_RANGE);
    assert_fault(model, 0x21, 0x0102, 0);
    assert_int_equal(remap(model, MODEL_MSI_SHV(0xffff), 0xffff, &route),
                     VTD_FR_IR_INDEX_RANGE);
    assert_fault(model, 0x21, 0x0102, 0xfffe);
}

static void
reserved_bits_of_the_request_fault(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 0x20, MODEL_IRTE(0x40, 1) | FPD, 0);
    for (unsigned bit = 16; bit < 32; bit++) {
        assert_int_equal(remap(model, MODEL_MSI_SHV(0x20), 1u << bit, &route),
                         VTD_FR_IR_REQ_RSVD);
        assert_fault(model, 0x20, 0x0102, 0x20);
        assert_int_equal(remap(model, MODEL_MSI(0x20), 1u << bit, &route), 0);
    }
    for (unsigned bit = 20; bit < 64; bit++) {
        assert_int_equal(
            remap(model, MODEL_MSI(0x20) ^ UINT64_C(1) << bit, 5, &route),
            VTD_FR_IR_REQ_RSVD);
        assert_fault(model, 0x20, 0x0102, 0x20);
    }
}

static void
index_beyond_the_table_faults_at_every_size(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    for (uint32_t index = 0; index < 0x10000; index++) {
        model_irte_set(model, index, MODEL_IRTE(0x40, 1) | FPD, 0);
    }
    for (unsigned s = 0; s < 15; s++) {
        uint32_t entries = 2u << s;

        model_irt_enable(model, s, true);
        assert_int_equal(remap(model, MODEL_MSI(entries - 1), 0, &route), 0);
        assert_no_fault(model);
        assert_int_equal(remap(model, MODEL_MSI(entries), 0, &route),
                         VTD_FR_IR_INDEX_RANGE);
        /* FPD of an entry beyond the table does not count. */
        assert_fault(model, 0x21, 0x0102, entries);
    }
}

/* An entry that faults, with FPD set and clear. */
static void
check_entry_fault(struct model *model, uint64_t lo, uint64_t hi,
                  enum vtd_fr reason)
{
    struct vtd_route route;

    model_irte_set(model, 0x30, lo & ~FPD, hi);
    if (remap(model, MODEL_MSI(0x30), 0, &route) != reason) {
        fail_msg("entry %#llx:%#llx", (unsigned long long)hi,
                 (unsigned long long)lo);
    }
    assert_fault(model, (uint8_t)reason, 0x0102, 0x30);
    model_irte_set(model, 0x30, lo | FPD, hi);
    assert_int_equal(remap(model, MODEL_MSI(0x30), 0, &route), reason);
    assert_no_fault(model);
}

static void
entry_not_present_faults(void **state)
{
    struct model *model = *state;

    check_entry_fault(model, 0, 0, VTD_FR_IR_NOT_PRESENT);
    /* Nothing else of such an entry is looked at. */
    check_entry_fault(model, UINT64_MAX & ~UINT64_C(1), UINT64_MAX,
                      VTD_FR_IR_NOT_PRESENT);
}

static void
table_that_cannot_be_read_faults(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irte_set(model, 5, MODEL_IRTE(0x40, 1) | FPD, 0);
    model->bad_gpa = MODEL_IRT + 5 * 16;
    assert_int_equal(remap(model, MODEL_MSI(5), 0, &route),
                     VTD_FR_IR_ROOT_ACCESS);
    assert_fault(model, 0x23, 0x0102, 5);
}

static void
reserved_bits_of_the_entry_fault(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    for (unsigned bit = 0; bit < 128; bit++) {
        uint64_t lo = MODEL_IRTE(0x40, 1);
        uint64_t hi = 0;
        bool reserved = (bit >= 12 && bit <= 15) || (bit >= 24 && bit < 32) ||
                        bit >= 64 + 20;

        if (bit < 64) {
            lo ^= UINT64_C(1) << bit;
        } else {
            hi ^= UINT64_C(1) << (bit - 64);
        }
        if (reserved) {
            check_entry_fault(model, lo, hi, VTD_FR_IR_ENTRY_RSVD);
        } else if (bit != 0 && (bit < 64 || bit == 64 + 19)) {
            /* The rest is legal; SVT 10b of buses 0 to 0 rejects bus 1. */
            model_irte_set(model, 0x30, lo | FPD, hi);
            assert_int_equal(remap(model, MODEL_MSI(0x30), 0, &route),
                             bit == 64 + 19 ? VTD_FR_IR_SID : VTD_FR_OK);
        }
    }
}

static void
reserved_values_of_the_entry_fault(void **state)
{
    struct model *model = *state;

    for (uint64_t sq = 0; sq < 4; sq++) {
        check_entry_fault(model, MODEL_IRTE(0x40, 1),
                          UINT64_C(3) << 18 | sq << 16, VTD_FR_IR_ENTRY_RSVD);
    }
    check_entry_fault(model, MODEL_IRTE(0x40, 1) | 3 << 5, 0,
                      VTD_FR_IR_ENTRY_RSVD);
    check_entry_fault(model, MODEL_IRTE(0x40, 1) | 6 << 5, 0,
                      VTD_FR_IR_ENTRY_RSVD);
}

static void
destination_is_8_bits_without_eim(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_irt_enable(model, 15, false);
    for (uint64_t id = 0; id < 256; id++) {
        model_irte_set(model, 0x30, 1 | id << 40, 0);
        assert_int_equal(remap(model, MODEL_MSI(0x30), 0, &route), 0);
        assert_int_equal(route.dest, id);
    }
    for (unsigned bit = 32; bit < 64; bit++) {
        if (bit < 40 || bit > 47) {
            model_irte_set(model, 0x30, 1 | UINT64_C(1) << bit, 0);
            assert_int_equal(remap(model, MODEL_MSI(0x30), 0, &route),
                             VTD_FR_IR_ENTRY_RSVD);
        }
    }
}

static void
every_field_is_decoded(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    for (unsigned mode = 0; mode < 8; mode++) {
        uint64_t lo = MODEL_IRTE(0xab, 0x89abcdef) | (uint64_t)mode << 5;

        if (mode == 3 || mode == 6) {
            continue;
        }
        model_irte_set(model, 0x77, lo | 0xf00, 0);
        memset(&route, 1, sizeof(route));
        assert_int_equal(remap(model, MODEL_MSI(0x77), 0, &route), 0);
        assert_int_equal(route.index, 0x77);
        assert_int_equal(route.vector, 0xab);
        assert_int_equal(route.dest, 0x89abcdef);
        assert_int_equal(route.delivery_mode, mode);
        assert_true(route.present);
        assert_false(route.logical);
        assert_false(route.level);
        assert_false(route.fpd);
        assert_int_equal(route.sid_check, VTD_SID_NONE);
        model_irte_set(model, 0x77, lo | 0x1e, 0);
        memset(&route, 0, sizeof(route));
        assert_int_equal(remap(model, MODEL_MSI(0x77), 0, &route), 0);
        assert_int_equal(route.index, 0x77);
        assert_true(route.present);
        assert_true(route.logical);
        assert_true(route.level);
        assert_true(route.fpd);
        /* A redirection hint makes fixed lowest priority. */
        assert_int_equal(route.delivery_mode, mode == 0 ? 1 : mode);
    }
}

/* What passes, by a definition that shares nothing with the model's. */
static bool
sid_passes(unsigned svt, unsigned sq, uint16_t entry, uint16_t sid)
{
    static const uint16_t ignored[] = { 0, 4, 6, 7 };

    if (svt == 1) {
        return (entry | ignored[sq]) == (sid | ignored[sq]);
    }
    return svt == 0 || (sid / 256 >= entry / 256 && sid / 256 <= entry % 256);
}

static void
source_id_checks(void **state)
{
    static const uint16_t sids[] = {
        0x0000, 0x0001, 0x0002, 0x0004, 0x0006, 0x0007, 0x0008, 0x00ff,
        0x0100, 0x0203, 0x0204, 0x0207, 0x0320, 0x0327, 0x05ff, 0x0600,
        0x7fff, 0x8000, 0xfeff, 0xff00, 0xff07, 0xfff8, 0xffff,
    };
    struct model *model = *state;
    unsigned n = sizeof(sids) / sizeof(sids[0]);
    unsigned passed = 0;

    for (unsigned i = 0; i < n * n * 12; i++) {
        unsigned svt = i % 3;
        unsigned sq = i / 3 % 4;
        uint16_t entry = sids[i / 12 % n];
        uint16_t sid = sids[i / 12 / n];
        bool pass = sid_passes(svt, sq, entry, sid);

        model_irte_set(model, 9, MODEL_IRTE(0x40, 1) | FPD,
                       (uint64_t)svt << 18 | (uint64_t)sq << 16 | entry);
        assert_int_equal(model_remap_sid(model, MODEL_MSI(9), sid),
                         pass ? VTD_FR_OK : VTD_FR_IR_SID);
        passed += pass;
    }
    assert_in_range(passed, n * n, n * n * 11);
}

/* Start bus is the high byte: Linux programs (first << 8) | last. */
static void
bus_range_is_first_bus_high(void **state)
{
    struct model *model = *state;

    model_irte_set(model, 9, MODEL_IRTE(0x40, 1), UINT64_C(2) << 18 | 0x0205);
    for (unsigned bus = 0; bus < 256; bus++) {
        assert_int_equal(
            model_remap_sid(model, MODEL_MSI(9), (uint16_t)(bus << 8 | 0x55)),
            bus >= 2 && bus <= 5 ? VTD_FR_OK : VTD_FR_IR_SID);
    }
}

static void
wrong_source_faults_by_fpd(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    check_entry_fault(model, MODEL_IRTE(0x40, 1), UINT64_C(1) << 18 | 0xff00,
                      VTD_FR_IR_SID);
    /* A caller that names no source is not checked. */
    model_irte_set(model, 0x30, MODEL_IRTE(0x40, 1),
                   UINT64_C(1) << 18 | 0xff00);
    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI(0x30), 0, 0, false, &route), 0);
    assert_int_equal(route.sid_check, VTD_SID_EXACT);
    assert_int_equal(route.sid, 0xff00);
    assert_no_fault(model);
}

static void
compatibility_format_is_blocked_or_passed(void **state)
{
    struct model *model = *state;
    struct vtd_route route = { .index = 0 };
    const uint64_t addr = 0xfee3400c;

    assert_int_equal(remap(model, addr, 0x8153, &route), VTD_FR_IR_COMPAT);
    assert_fault(model, 0x25, 0x0102, 0);
    model_w4(model, 0x18, VTD_GCMD_IRE | VTD_GCMD_CFI);
    assert_int_equal(remap(model, addr, 0x8153, &route), VTD_FR_IR_COMPAT);
    vtd_reset(model->vtd);
    model_irt_enable(model, 15, false);
    assert_int_equal(remap(model, addr, 0x8153, &route), VTD_FR_IR_COMPAT);
    model_w4(model, 0x18, VTD_GCMD_IRE | VTD_GCMD_CFI);
    assert_int_equal(remap(model, addr, 0x8153, &route), VTD_FR_OK);
    assert_int_equal(route.index, UINT32_MAX);
    assert_int_equal(route.dest, 0x34);
    assert_int_equal(route.vector, 0x53);
    assert_int_equal(route.delivery_mode, 1);
    assert_true(route.logical);
    assert_true(route.level);
    /* The remappable format still is remapped. */
    model_irte_set(model, 1, MODEL_IRTE(0x99, 0), 0);
    assert_int_equal(remap(model, MODEL_MSI(1), 0, &route), VTD_FR_OK);
    assert_int_equal(route.vector, 0x99);
}

static void
requests_pass_while_remapping_is_off(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    model_w4(model, 0x18, 0);
    assert_int_equal(remap(model, MODEL_MSI(0x123), 0x31, &route), VTD_FR_OK);
    assert_int_equal(route.index, UINT32_MAX);
    assert_int_equal(route.vector, 0x31);
    assert_int_equal(route.delivery_mode, 0);
    assert_true(route.present);
    assert_int_equal(remap(model, 0xfee05008, 0x4430, &route), VTD_FR_OK);
    assert_int_equal(route.dest, 5);
    assert_int_equal(route.delivery_mode, 4);
    assert_false(route.logical);
    assert_false(route.level);
    /* The hint of an otherwise fixed message. */
    assert_int_equal(remap(model, 0xfee05008, 0x4030, &route), VTD_FR_OK);
    assert_int_equal(route.delivery_mode, 1);
    assert_no_fault(model);
}

static void
fault_without_a_source_records_zero(void **state)
{
    struct model *model = *state;
    struct vtd_route route;

    assert_int_equal(
        vtd_ir_remap(model->vtd, MODEL_MSI(2), 0, 0x7777, false, &route),
        VTD_FR_IR_NOT_PRESENT);
    assert_fault(model, 0x22, 0, 2);
}

static void
inspection_shows_entries_as_they_are(void **state)
{
    struct model *model = *state;
    struct vtd_route route;
    struct vtd_route announced;
    enum vtd_fr verdict;
    uint64_t raw[2];

    model_queue_enable(model, 0);
    model_irte_set(model, 4, MODEL_IRTE(0x55, 6), 0);
    model_queue_run(model, MODEL_IEC(4, 0), 0);
    model_irte_set(model, 4, MODEL_IRTE(0x66, 7), 0x1000ff);
    assert_int_equal(
        vtd_irte_inspect(model->vtd, 4, raw, &verdict, &route, &announced), 0);
    assert_int_equal(raw[0], MODEL_IRTE(0x66, 7));
    assert_int_equal(raw[1], 0x1000ff);
    assert_int_equal(verdict, VTD_FR_IR_ENTRY_RSVD);
    assert_false(route.present);
    assert_true(announced.present);
    assert_int_equal(announced.vector, 0x55);
    assert_int_equal(announced.dest, 6);
    assert_int_equal(
        vtd_irte_inspect(model->vtd, 5, raw, &verdict, &route, &announced), 0);
    assert_int_equal(verdict, VTD_FR_IR_NOT_PRESENT);
    assert_false(announced.present);
    assert_int_equal(vtd_irte_inspect(model->vtd, 0x10000, raw, &verdict,
                                      &route, &announced),
                     -ERANGE);
    model->bad_gpa = MODEL_IRT + 16;
    assert_int_equal(
        vtd_irte_inspect(model->vtd, 1, raw, &verdict, &route, &announced),
        -EFAULT);
    assert_no_fault(model);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_index_reaches_its_entry),
        TEST(subhandle_is_added_without_wrap),
        TEST(reserved_bits_of_the_request_fault),
        TEST(index_beyond_the_table_faults_at_every_size),
        TEST(entry_not_present_faults),
        TEST(table_that_cannot_be_read_faults),
        TEST(reserved_bits_of_the_entry_fault),
        TEST(reserved_values_of_the_entry_fault),
        TEST(destination_is_8_bits_without_eim),
        TEST(every_field_is_decoded),
        TEST(source_id_checks),
        TEST(bus_range_is_first_bus_high),
        TEST(wrong_source_faults_by_fpd),
        TEST(compatibility_format_is_blocked_or_passed),
        TEST(requests_pass_while_remapping_is_off),
        TEST(fault_without_a_source_records_zero),
        TEST(inspection_shows_entries_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
