/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every type of invalidation descriptor: which of its bits may be set, in both
 * widths, and what it needs.  Masks are written down here once more, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/queue.h"

/*
 * A type: one legal descriptor, and the bits that may be flipped in it, one at
 * a time.  Bits 3:0 and 11:9 are the type itself.  @also_lo are left out:
 * whether one of them is legal depends on others, and has a test of its own.
 */
struct type {
    const char *name;
    uint64_t lo, hi;
    uint64_t lo_legal, hi_legal;
    uint64_t also_lo;
    bool wide_only;
};

#define TYPE_BITS UINT64_C(0xe0f)
#define ALL_ADDR  UINT64_C(0xfffffffffffff000)

static const struct type types[] = {
    { "context-cache", 0x11, 0, UINT64_C(0x0003ffffffff0000), 0, 0x30, false },
    { "iotlb", 0x12, 0, UINT64_C(0x00000000ffff00c0), ALL_ADDR | 0x7f, 0x30,
      false },
    { "device-tlb", 0x3, 0, UINT64_C(0xfff0ffff001ff000), ALL_ADDR | 1, 0,
      false },
    { "iec", 0x14, 0, UINT64_C(0x0000ffff78000010), 0, UINT64_C(0x80000000),
      false },
    { "wait", 0x05, 0, UINT64_C(0xffffffff000000f0),
      UINT64_C(0xfffffffffffffffc), 0, false },
    { "pasid-iotlb", 0x26, 0, UINT64_C(0x000fffffffff0010), ALL_ADDR | 0x7f,
      0x20, true },
    { "pasid-cache", 0x7, 0, UINT64_C(0x000fffffffff0010), 0, 0x20, true },
    { "pasid-device-tlb", 0x8, 0, UINT64_C(0xfffffffffffff1f0),
      ALL_ADDR | 0x801, 0, true },
    { "page-group-response", 0x9, 0, UINT64_C(0x000ffffffffff010), 0xffc, 0,
      true },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static void
names_are_those_of_the_types(void **state)
{
    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        const uint64_t desc[4] = { types[t].lo, types[t].hi, 0, 0 };

        assert_string_equal(vtd_desc_name(desc), types[t].name);
    }
}

static void
legal_bits_are_accepted(struct model *model, const struct type *type)
{
    queue_accepts(model, type->lo, type->hi);
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t flip = UINT64_C(1) << bit;

        model->resp_count = 0; /* the recorder is small */
        if (type->lo_legal & flip) {
            queue_accepts(model, type->lo ^ flip, type->hi);
        }
        if (type->hi_legal & flip) {
            queue_accepts(model, type->lo, type->hi ^ flip);
        }
    }
}

static void
each_legal_bit_is_accepted_in_128_bits(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, false);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        if (!types[t].wide_only) {
            legal_bits_are_accepted(model, &types[t]);
        }
    }
    model_destroy(model);
}

static void
each_legal_bit_is_accepted_in_256_bits(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        legal_bits_are_accepted(model, &types[t]);
    }
    model_destroy(model);
}

static void
reserved_bits_are_refused(struct model *model, const struct type *type)
{
    uint64_t lo_rsvd = ~(type->lo_legal | type->also_lo | TYPE_BITS);
    unsigned tried = 0;

    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t flip = UINT64_C(1) << bit;

        if (lo_rsvd & flip) {
            queue_refuses(model, type->lo ^ flip, type->hi, QUEUE_RSVD);
            tried++;
        }
        if (!(type->hi_legal & flip)) {
            queue_refuses(model, type->lo, type->hi ^ flip, QUEUE_RSVD);
            tried++;
        }
    }
    assert_true(tried >= 10);
}

static void
each_reserved_bit_stops_a_queue_of_128_bits(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, false);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        if (!types[t].wide_only) {
            reserved_bits_are_refused(model, &types[t]);
        }
    }
    model_destroy(model);
}

static void
each_reserved_bit_stops_a_queue_of_256_bits(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        reserved_bits_are_refused(model, &types[t]);
    }
    model_destroy(model);
}

/* No type has a field in the upper half. */
static void
each_bit_of_the_upper_half_is_reserved(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        for (unsigned bit = 0; bit < 128; bit++) {
            unsigned inv_count = model->inv_count;
            uint64_t at = model->tail;

            model_queue_append(model, types[t].lo, types[t].hi);
            model_queue_set(model, at, 2 + bit / 64, UINT64_C(1) << bit % 64);
            model_queue_doorbell(model);
            queue_assert_error(model, QUEUE_RSVD);
            assert_int_equal(model->inv_count, inv_count);
            queue_mend(model);
        }
    }
    assert_int_equal(model->resp_count, 0);
    model_destroy(model);
}

static void
types_of_scalable_mode_need_256_bits(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, false);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        if (types[t].wide_only) {
            queue_refuses(model, types[t].lo, types[t].hi, QUEUE_TYPE);
            /* Reserved bits of an invalid type do not count. */
            queue_refuses(model, types[t].lo | UINT64_C(1) << 63, 0,
                          QUEUE_TYPE);
        }
    }
    model_destroy(model);
}

static void
unknown_types_are_invalid(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    for (uint64_t type = 0; type < 128; type++) {
        uint64_t lo = (type & 15) | (type >> 4) << 9 | 0x10;
        const uint64_t desc[4] = { lo, 0, 0, 0 };

        if (type == 0 || type > 9) {
            queue_refuses(model, lo, 0, QUEUE_TYPE);
            queue_refuses(model, lo, UINT64_MAX, QUEUE_TYPE);
            assert_string_equal(vtd_desc_name(desc), "unknown");
        }
    }
    model_destroy(model);
}

/* A unit that lacks something, and a descriptor that needs it. */
struct lack {
    struct vtd_config config;
    uint64_t lo;
    enum queue_error iqei;
};

static struct vtd_config
without_ir(void)
{
    struct vtd_config config = vtd_config_full;

    config.ir = config.eim = config.esirtps = config.pi = false;
    return config;
}

static struct vtd_config
without_dt(void)
{
    struct vtd_config config = vtd_config_full;

    config.dt = config.dit = config.prs = config.pds = config.nwfs = false;
    return config;
}

static struct vtd_config
without_prs(void)
{
    struct vtd_config config = vtd_config_full;

    config.prs = config.pds = false;
    return config;
}

static struct vtd_config
without_pds(void)
{
    struct vtd_config config = vtd_config_full;

    config.pds = false;
    return config;
}

static struct vtd_config
without_dit(void)
{
    struct vtd_config config = vtd_config_full;

    config.dit = false;
    return config;
}

static void
what_a_unit_lacks_is_refused(void **state)
{
    const struct lack lacks[] = {
        { without_ir(), 0x14, QUEUE_TYPE },
        { without_dt(), 0x3, QUEUE_TYPE },
        { without_dt(), 0x8, QUEUE_TYPE },
        { without_prs(), 0x9, QUEUE_TYPE },
        { without_pds(), 0x85, QUEUE_RSVD },
        { without_dit(), 0x1003, QUEUE_RSVD },
        { without_dit(), UINT64_C(0x8000000000000003), QUEUE_RSVD },
        { without_dit(), 0x8008, QUEUE_RSVD },
        { without_dit(), UINT64_C(0x0010000000000008), QUEUE_RSVD },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(lacks) / sizeof(lacks[0]); i++) {
        struct model *model = queue_unit(&lacks[i].config, true);

        queue_refuses(model, lacks[i].lo, 0, lacks[i].iqei);
        model_destroy(model);
        model = queue_unit(&vtd_config_full, true);
        queue_accepts(model, lacks[i].lo, 0);
        model_destroy(model);
    }
}

/* A unit that has no scalable mode has no queue of 256 bits either. */
static void
legacy_units_know_the_types_of_legacy_mode(void **state)
{
    struct model *model = queue_unit(&vtd_config_legacy, false);

    (void)state;
    for (unsigned t = 0; t < TYPES; t++) {
        if (types[t].wide_only || !strcmp(types[t].name, "device-tlb")) {
            queue_refuses(model, types[t].lo, types[t].hi, QUEUE_TYPE);
        } else {
            queue_accepts(model, types[t].lo, types[t].hi);
        }
    }
    model_destroy(model);
}

/* Without sinks nobody is told, and nothing waits. */
static void
units_without_sinks_complete_at_once(void **state)
{
    struct model *model = model_create(&vtd_config_full);

    (void)state;
    model_queue_enable_wide(model, 0);
    for (unsigned t = 0; t < TYPES; t++) {
        queue_accepts(model, types[t].lo, types[t].hi);
        queue_accepts(model, MODEL_WAIT_SW(t + 1), MODEL_STATUS);
        assert_int_equal(model_ram_d(model, MODEL_STATUS), t + 1);
    }
    assert_int_equal(model->inv_count + model->sync_calls, 0);
    model_destroy(model);
}

/* As many of them as fit run inside one write, whatever their type. */
static void
ordinary_descriptors_of_each_type_cost_one(void **state)
{
    struct model *model = queue_unit(&vtd_config_full, true);

    (void)state;
    model_w4(model, VTD_OFF_GCMD, 0);
    model_queue_enable_wide(model, 1);
    for (unsigned t = 0; t < TYPES; t++) {
        for (unsigned i = 0; i < 255; i++) {
            model_queue_append(model, types[t].lo, types[t].hi);
        }
        model->resp_count = 0;
        model_queue_doorbell(model);
        queue_assert_done(model);
    }
    model_destroy(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_types),
        cmocka_unit_test(each_legal_bit_is_accepted_in_128_bits),
        cmocka_unit_test(each_legal_bit_is_accepted_in_256_bits),
        cmocka_unit_test(each_reserved_bit_stops_a_queue_of_128_bits),
        cmocka_unit_test(each_reserved_bit_stops_a_queue_of_256_bits),
        cmocka_unit_test(each_bit_of_the_upper_half_is_reserved),
        cmocka_unit_test(types_of_scalable_mode_need_256_bits),
        cmocka_unit_test(unknown_types_are_invalid),
        cmocka_unit_test(what_a_unit_lacks_is_refused),
        cmocka_unit_test(legacy_units_know_the_types_of_legacy_mode),
        cmocka_unit_test(units_without_sinks_complete_at_once),
        cmocka_unit_test(ordinary_descriptors_of_each_type_cost_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
