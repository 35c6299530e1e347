/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What descriptors announce: each granularity, each bound of a range.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/queue.h"

struct announced {
    const char *what;
    uint64_t lo, hi;
    struct vtd_inv inv;
};

#define NO_PASID VTD_NO_PASID

static const struct announced announced[] = {
    { "contexts, global",
      UINT64_C(0x0003123456780011),
      0,
      { VTD_INV_CONTEXT, VTD_INV_GLOBAL, .pasid = NO_PASID, .shift = 64 } },
    { "contexts, domain, which none belongs to in scalable mode",
      UINT64_C(0x0003123456780021),
      0,
      { VTD_INV_CONTEXT, VTD_INV_GLOBAL, .pasid = NO_PASID, .shift = 64 } },
    { "contexts, device",
      UINT64_C(0x0000123456780031),
      0,
      { VTD_INV_CONTEXT, VTD_INV_ONE, .did = 0x5678, .sid = 0x1234,
        .pasid = NO_PASID, .shift = 64 } },
    { "contexts, functions that differ in bit 2",
      UINT64_C(0x0001123456780031),
      0,
      { VTD_INV_CONTEXT, VTD_INV_ONE, .function_mask = 4, .did = 0x5678,
        .sid = 0x1234, .pasid = NO_PASID, .shift = 64 } },
    { "contexts, functions that differ in bits 2:1",
      UINT64_C(0x0002123456780031),
      0,
      { VTD_INV_CONTEXT, VTD_INV_ONE, .function_mask = 6, .did = 0x5678,
        .sid = 0x1234, .pasid = NO_PASID, .shift = 64 } },
    { "contexts, every function",
      UINT64_C(0x0003123456780031),
      0,
      { VTD_INV_CONTEXT, VTD_INV_ONE, .function_mask = 7, .did = 0x5678,
        .sid = 0x1234, .pasid = NO_PASID, .shift = 64 } },
    { "translations, global",
      0x567800d2,
      UINT64_C(0xabcdef0123456052),
      { VTD_INV_IOTLB, VTD_INV_GLOBAL, .pasid = NO_PASID, .shift = 64 } },
    { "translations, domain",
      0x567800e2,
      UINT64_C(0xabcdef0123456052),
      { VTD_INV_IOTLB, VTD_INV_DOMAIN, .did = 0x5678, .pasid = NO_PASID,
        .shift = 64 } },
    { "translations, a page; bits beyond MGAW are ignored",
      0x567800f2,
      UINT64_C(0xabcdef0123456000),
      { VTD_INV_IOTLB, VTD_INV_ONE, .pages = true, .did = 0x5678,
        .pasid = NO_PASID, .addr = UINT64_C(0x01cdef0123456000),
        .shift = 12 } },
    { "translations, a last-level page",
      0x567800f2,
      UINT64_C(0xabcdef0123456040),
      { VTD_INV_IOTLB, VTD_INV_ONE, .pages = true, .leaf_only = true,
        .did = 0x5678, .pasid = NO_PASID, .addr = UINT64_C(0x01cdef0123456000),
        .shift = 12 } },
    { "translations, 2^18 pages around an address",
      0x567800f2,
      UINT64_C(0xabcdef0173456012),
      { VTD_INV_IOTLB, VTD_INV_ONE, .pages = true, .did = 0x5678,
        .pasid = NO_PASID, .addr = UINT64_C(0x01cdef0140000000),
        .shift = 30 } },
    { "a PASID's translations",
      UINT64_C(0x000abcde56780026),
      UINT64_C(0xabcdef0123456052),
      { VTD_INV_PASID_IOTLB, VTD_INV_ONE, .did = 0x5678, .pasid = 0xabcde,
        .shift = 64 } },
    { "pages of a PASID",
      UINT64_C(0x000abcde56780036),
      UINT64_C(0xabcdef0123456049),
      { VTD_INV_PASID_IOTLB, VTD_INV_ONE, .pages = true, .leaf_only = true,
        .did = 0x5678, .pasid = 0xabcde, .addr = UINT64_C(0xabcdef0123400000),
        .shift = 21 } },
    { "PASID cache, global",
      UINT64_C(0x000abcde56780037),
      0,
      { VTD_INV_PASID_CACHE, VTD_INV_GLOBAL, .pasid = NO_PASID, .shift = 64 } },
    { "PASID cache, domain",
      UINT64_C(0x000abcde56780007),
      0,
      { VTD_INV_PASID_CACHE, VTD_INV_DOMAIN, .did = 0x5678, .pasid = NO_PASID,
        .shift = 64 } },
    { "PASID cache, a PASID",
      UINT64_C(0x000abcde56780017),
      0,
      { VTD_INV_PASID_CACHE, VTD_INV_ONE, .did = 0x5678, .pasid = 0xabcde,
        .shift = 64 } },
    { "device TLB, a page",
      UINT64_C(0x1230abcd001f4003),
      UINT64_C(0xfedcba9876543000),
      { VTD_INV_DEV_TLB, VTD_INV_ONE, .pages = true, .sid = 0xabcd,
        .pasid = NO_PASID, .addr = UINT64_C(0xfedcba9876543000),
        .shift = 12 } },
    { "device TLB, 16 pages",
      UINT64_C(0x1230abcd001f4003),
      UINT64_C(0xfedcba9876547001),
      { VTD_INV_DEV_TLB, VTD_INV_ONE, .pages = true, .sid = 0xabcd,
        .pasid = NO_PASID, .addr = UINT64_C(0xfedcba9876540000),
        .shift = 16 } },
    { "device TLB, everything",
      UINT64_C(0x0000abcd00000003),
      UINT64_C(0x7ffffffffffff001),
      { VTD_INV_DEV_TLB, VTD_INV_ONE, .pages = true, .sid = 0xabcd,
        .pasid = NO_PASID, .shift = 64 } },
    { "a PASID's device TLB, 2 pages",
      UINT64_C(0x123abcdefeed41f8),
      UINT64_C(0xfedcba9876544800),
      { VTD_INV_PASID_DEV_TLB, VTD_INV_ONE, .pages = true, .sid = 0xfeed,
        .pasid = 0xabcde, .addr = UINT64_C(0xfedcba9876544000), .shift = 13 } },
    { "every PASID's device TLB, a page",
      UINT64_C(0x123abcdefeed41f8),
      UINT64_C(0xfedcba9876544001),
      { VTD_INV_PASID_DEV_TLB, VTD_INV_GLOBAL, .pages = true, .sid = 0xfeed,
        .pasid = NO_PASID, .addr = UINT64_C(0xfedcba9876544000),
        .shift = 12 } },
};

#define ANNOUNCED (sizeof(announced) / sizeof(announced[0]))

static void
assert_inv(const struct vtd_inv *is, const struct vtd_inv *want)
{
    assert_int_equal(is->kind, want->kind);
    assert_int_equal(is->scope, want->scope);
    assert_int_equal(is->pages, want->pages);
    assert_int_equal(is->leaf_only, want->leaf_only);
    assert_int_equal(is->function_mask, want->function_mask);
    assert_int_equal(is->did, want->did);
    assert_int_equal(is->sid, want->sid);
    assert_int_equal(is->pasid, want->pasid);
    assert_int_equal(is->addr, want->addr);
    assert_int_equal(is->shift, want->shift);
}

static void
each_granularity_is_announced_once(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);
    uint64_t count = vtd_stat_value(model->vtd, VTD_STAT_INVALIDATE);

    (void)state;
    for (unsigned i = 0; i < ANNOUNCED; i++) {
        unsigned before = model->inv_count;

        print_message("%s\n", announced[i].what);
        queue_accepts(model, announced[i].lo, announced[i].hi);
        assert_int_equal(model->inv_count, before + 1);
        assert_inv(model_inv_last(model), &announced[i].inv);
    }
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_INVALIDATE) - count,
                     ANNOUNCED);
    model_destroy(model);
}

/* Where the root table is one of legacy mode, contexts belong to domains. */
static void
legacy_contexts_have_a_domain(void **state)
{
    static const struct vtd_inv want = { VTD_INV_CONTEXT, VTD_INV_DOMAIN,
                                         .did = 0x5678, .pasid = NO_PASID,
                                         .shift = 64 };
    struct model *model = queue_unit(&vtd_config_full, false);

    (void)state;
    queue_accepts(model, UINT64_C(0x0003123456780021), 0);
    assert_inv(model_inv_last(model), &want);
    model_destroy(model);
}

/* Wide descriptors do not bring those of another mode with them. */
static void
legacy_mode_has_five_types(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    queue_accepts(model, 0x37, 0);
    queue_accepts(model, 9, 0);
    model_w8(model, VTD_OFF_RTADDR, 0);
    model_w4(model, VTD_OFF_GCMD, (uint32_t)(VTD_GCMD_QIE | VTD_GCMD_SRTP));
    for (uint64_t type = 1; type < 16; type++) {
        if (type > 5) {
            queue_refuses(model, type | 0x30, 0, QUEUE_TYPE);
        } else {
            queue_accepts(model,
                          type == 3   ? 3
                          : type == 5 ? 0x25
                                      : type | 0x10,
                          0);
        }
    }
    model_destroy(model);
}

static void
reserved_granularities_are_refused(void **state)
{
    static const uint64_t lo[] = { 0x01, 0x02, 0x06, 0x16, 0x27 };
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned i = 0; i < sizeof(lo) / sizeof(lo[0]); i++) {
        queue_refuses(model, lo[i], 0, QUEUE_RSVD);
    }
    model_destroy(model);
}

static void
address_masks_end_at_mamv(void **state)
{
    (void)state;
    for (uint8_t mamv = 9; mamv <= 18; mamv += 9) {
        struct vtd_config config = vtd_config_full;
        struct model *model;

        config.mamv = mamv;
        config.ss1g = mamv >= 18;
        config.fs1gp = config.ss1g;
        model = queue_unit(&config, false);
        for (uint64_t am = 0; am < 64; am++) {
            if (am > mamv) {
                queue_refuses(model, 0x32, am, QUEUE_RSVD);
            } else {
                queue_accepts(model, 0x32, am);
                assert_int_equal(model_inv_last(model)->shift, 12 + am);
            }
            /* It counts for pages alone. */
            queue_accepts(model, 0x12, am);
            queue_accepts(model, 0x22, am);
        }
        model_destroy(model);
    }
}

static void
address_masks_of_a_pasid_have_no_end(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (uint64_t am = 0; am < 64; am++) {
        const struct vtd_inv *inv;

        queue_accepts(model, 0x36, UINT64_C(0xfffffffffffff000) | am);
        inv = model_inv_last(model);
        assert_int_equal(inv->shift, am < 52 ? 12 + am : 64);
        assert_int_equal(inv->addr, am < 52 ? UINT64_MAX << (12 + am) : 0);
    }
    model_destroy(model);
}

/* The lowest clear bit tells; all bits set is everything, as bit 63 clear. */
static void
sizes_of_device_tlb_ranges(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned bit = 12; bit < 65; bit++) {
        uint64_t addr = bit < 64 ? ~(UINT64_C(1) << bit) : UINT64_MAX;
        unsigned shift = bit < 63 ? bit + 1 : 64;
        uint64_t base = shift < 64 ? UINT64_MAX << shift : 0;

        addr &= ~UINT64_C(0xfff);
        queue_accepts(model, 0x3, addr | 1);
        assert_int_equal(model_inv_last(model)->shift, shift);
        assert_int_equal(model_inv_last(model)->addr, base);
        queue_accepts(model, 0x8, addr | 0x800);
        assert_int_equal(model_inv_last(model)->shift, shift);
        assert_int_equal(model_inv_last(model)->addr, base);
    }
    model_destroy(model);
}

static void
index_masks_end_at_mhmv(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned im = 0; im < 32; im++) {
        if (im > 15) {
            queue_refuses(model, MODEL_IEC(0x1234, im), 0, QUEUE_RSVD);
        } else {
            queue_accepts(model, MODEL_IEC(0x1234, im), 0);
        }
        /* Of a global one the mask does not matter. */
        queue_accepts(model, MODEL_IEC(0x1234, im) & ~UINT64_C(0x10), 0);
    }
    /* Interrupt entries are not the sinks' business. */
    assert_int_equal(model->inv_count, 0);
    model_destroy(model);
}

static void
responses_reach_the_device(void **state)
{
    static const struct vtd_page_resp want[] = {
        { .pasid = 0xabcde, .sid = 0xfeed, .group = 0x1a5, .code = 0 },
        { .pasid = VTD_NO_PASID, .sid = 0xfeed, .group = 0x1ff, .code = 15 },
        { .pasid = 0, .sid = 0, .group = 0, .code = 1 },
    };
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    model_queue_append(model, UINT64_C(0x000abcdefeed0019), 0x1a5u << 3 | 4);
    model_queue_append(model, UINT64_C(0x000abcdefeedf009), 0x1ffu << 3);
    model_queue_append(model, 0x1019, 0);
    model_queue_doorbell(model);
    queue_assert_done(model);
    assert_int_equal(model->resp_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(model->resp[i].pasid, want[i].pasid);
        assert_int_equal(model->resp[i].sid, want[i].sid);
        assert_int_equal(model->resp[i].group, want[i].group);
        assert_int_equal(model->resp[i].code, want[i].code);
    }
    assert_int_equal(model->inv_count, 0);
    model_destroy(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_granularity_is_announced_once),
        cmocka_unit_test(legacy_contexts_have_a_domain),
        cmocka_unit_test(legacy_mode_has_five_types),
        cmocka_unit_test(reserved_granularities_are_refused),
        cmocka_unit_test(address_masks_end_at_mamv),
        cmocka_unit_test(address_masks_of_a_pasid_have_no_end),
        cmocka_unit_test(sizes_of_device_tlb_ranges),
        cmocka_unit_test(index_masks_end_at_mhmv),
        cmocka_unit_test(responses_reach_the_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
