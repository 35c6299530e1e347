/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every register, from a table written by hand from the specification, so
 * that a mistake in regs.def differs from it: value after reset, read-write,
 * write-one-to-clear and reserved bits, in 4- and 8-byte accesses.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

struct expect {
    const char *name;
    uint32_t off;
    unsigned size;
    uint64_t reset;
    uint64_t rw;
    uint64_t w1c;
    uint64_t action; /* writing one does more than storing it */
};

#define CAP_RESET  UINT64_C(0x00000700222f0006)
#define ECAP_RESET UINT64_C(0x0000000000f00f1b)
#define GPA_PAGE   UINT64_C(0x000ffffffffff000)
#define F_BIT      UINT64_C(0x8000000000000000)

static const struct expect table[] = {
    { "VER", 0x00, 4, 0x10, 0, 0, 0 },
    { "CAP", 0x08, 8, CAP_RESET, 0, 0, 0 },
    { "ECAP", 0x10, 8, ECAP_RESET, 0, 0, 0 },
    { "GCMD", 0x18, 4, 0, 0, 0, 0xff800000 },
    { "GSTS", 0x1c, 4, 0, 0, 0, 0 },
    { "RTADDR", 0x20, 8, 0, GPA_PAGE, 0, 0 },
    { "CCMD", 0x28, 8, 0, UINT64_C(0x600000000000ffff), 0, F_BIT },
    { "FSTS", 0x34, 4, 0, 0, 0x71, 0 },
    { "FECTL", 0x38, 4, 0x80000000, 0x80000000, 0, 0 },
    { "FEDATA", 0x3c, 4, 0, 0xffffffff, 0, 0 },
    { "FEADDR", 0x40, 4, 0, 0xfffffffc, 0, 0 },
    { "FEUADDR", 0x44, 4, 0, 0xffffffff, 0, 0 },
    { "IQH", 0x80, 8, 0, 0, 0, 0 },
    { "IQT", 0x88, 8, 0, 0x7fff0, 0, 0 },
    { "IQA", 0x90, 8, 0, GPA_PAGE | 7, 0, 0 },
    { "ICS", 0x9c, 4, 0, 0, 1, 0 },
    { "IECTL", 0xa0, 4, 0x80000000, 0x80000000, 0, 0 },
    { "IEDATA", 0xa4, 4, 0, 0xffffffff, 0, 0 },
    { "IEADDR", 0xa8, 4, 0, 0xfffffffc, 0, 0 },
    { "IEUADDR", 0xac, 4, 0, 0xffffffff, 0, 0 },
    { "IQERCD", 0xb0, 8, 0, 0, 0, 0 },
    { "IRTA", 0xb8, 8, 0, GPA_PAGE | 0x80f, 0, 0 },
    { "IVA", 0xf0, 8, 0, 0, 0, 0 },
    { "IOTLB", 0xf8, 8, 0, UINT64_C(0x3003ffff00000000), 0, F_BIT },
    { "FRCD0_LO", 0x220, 8, 0, 0, 0, 0 },
    { "FRCD0_HI", 0x228, 8, 0, 0, F_BIT, 0 },
    { "FRCD1_LO", 0x230, 8, 0, 0, 0, 0 },
    { "FRCD1_HI", 0x238, 8, 0, 0, F_BIT, 0 },
    { "FRCD2_LO", 0x240, 8, 0, 0, 0, 0 },
    { "FRCD2_HI", 0x248, 8, 0, 0, F_BIT, 0 },
    { "FRCD3_LO", 0x250, 8, 0, 0, 0, 0 },
    { "FRCD3_HI", 0x258, 8, 0, 0, F_BIT, 0 },
    { "FRCD4_LO", 0x260, 8, 0, 0, 0, 0 },
    { "FRCD4_HI", 0x268, 8, 0, 0, F_BIT, 0 },
    { "FRCD5_LO", 0x270, 8, 0, 0, 0, 0 },
    { "FRCD5_HI", 0x278, 8, 0, 0, F_BIT, 0 },
    { "FRCD6_LO", 0x280, 8, 0, 0, 0, 0 },
    { "FRCD6_HI", 0x288, 8, 0, 0, F_BIT, 0 },
    { "FRCD7_LO", 0x290, 8, 0, 0, 0, 0 },
    { "FRCD7_HI", 0x298, 8, 0, 0, F_BIT, 0 },
};

#define COUNT (sizeof(table) / sizeof(table[0]))

/* The table above must name every row of regs.def, which drives the model. */
struct row {
    const char *name;
    uint32_t off;
    unsigned size;
    uint64_t rw;
    uint64_t w1c;
};

static const struct row rows[] = {
#define REG32(name, off, reset, rw, w1c, ...) { #name, off, 4, rw, w1c },
#define REG64(name, off, reset, rw, w1c, ...) { #name, off, 8, rw, w1c },
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
};

static uint64_t
all_ones(unsigned size)
{
    return UINT64_MAX >> (64 - size * 8);
}

static uint64_t
read_reg(struct model *model, const struct expect *reg)
{
    return vtd_mmio_read(model->vtd, reg->off, reg->size);
}

/* Every register but @skip and, for GCMD, its status is as after reset. */
static void
assert_others_at_reset(struct model *model, const struct expect *skip)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (&table[i] == skip || (skip && strcmp(skip->name, "GCMD") == 0 &&
                                  strcmp(table[i].name, "GSTS") == 0)) {
            continue;
        }
        if (read_reg(model, &table[i]) != table[i].reset) {
            fail_msg("%s changed", table[i].name);
        }
    }
}

static void
table_matches_the_register_definitions(void **state)
{
    (void)state;
    assert_int_equal(COUNT, sizeof(rows) / sizeof(rows[0]));
    for (unsigned i = 0; i < COUNT; i++) {
        assert_string_equal(table[i].name, rows[i].name);
        assert_int_equal(table[i].off, rows[i].off);
        assert_int_equal(table[i].size, rows[i].size);
        assert_int_equal(table[i].rw, rows[i].rw);
        assert_int_equal(table[i].w1c, rows[i].w1c);
    }
}

static void
registers_have_their_reset_values(void **state)
{
    assert_others_at_reset(*state, NULL);
}

/* Write @val, all of it at once or by halves, and check the register. */
static void
check_write(const struct expect *reg, uint64_t val, bool halves)
{
    struct model *model = model_create(&model_config);
    uint64_t want = (reg->reset & ~reg->rw) | (val & reg->rw);

    if (reg->size == 8 && !halves) {
        model_w8(model, reg->off, val);
    } else {
        model_w4(model, reg->off, (uint32_t)val);
        if (reg->size == 8) {
            model_w4(model, reg->off + 4, (uint32_t)(val >> 32));
        }
    }
    if (read_reg(model, reg) != want) {
        fail_msg("%s: wrote %#llx, read %#llx, want %#llx", reg->name,
                 (unsigned long long)val,
                 (unsigned long long)read_reg(model, reg),
                 (unsigned long long)want);
    }
    if (reg->size == 8) {
        assert_int_equal(model_r4(model, reg->off), (uint32_t)want);
        assert_int_equal(model_r4(model, reg->off + 4), want >> 32);
    }
    assert_others_at_reset(model, reg);
    model_destroy(model);
}

static void
writes_change_the_writable_bits_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        const struct expect *reg = &table[i];
        uint64_t ones = all_ones(reg->size) & ~reg->action;

        for (unsigned halves = 0; halves < 2; halves++) {
            check_write(reg, ones, halves);
            check_write(reg, 0, halves);
            check_write(reg, ones & UINT64_C(0x5555555555555555), halves);
            check_write(reg, ones & UINT64_C(0xaaaaaaaaaaaaaaaa), halves);
        }
    }
}

static void
half_of_a_register_keeps_the_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        const struct expect *reg = &table[i];
        struct model *model;

        if (reg->size != 8 || reg->rw == 0) {
            continue;
        }
        model = model_create(&model_config);
        model_w8(model, reg->off, ~reg->action);
        model_w4(model, reg->off, 0);
        assert_int_equal(model_r8(model, reg->off), reg->rw >> 32 << 32);
        model_w8(model, reg->off, ~reg->action);
        model_w4(model, reg->off + 4, 0);
        assert_int_equal(model_r8(model, reg->off), (uint32_t)reg->rw);
        model_destroy(model);
    }
}

/* An 8-byte access over two registers reaches both: GUEST lore, FEADDR. */
static void
qword_covers_two_dword_registers(void **state)
{
    struct model *model = *state;

    model_w8(model, 0x40, UINT64_C(0x1234567800fee00c));
    assert_int_equal(model_r4(model, 0x40), 0x00fee00c);
    assert_int_equal(model_r4(model, 0x44), 0x12345678);
    assert_int_equal(model_r8(model, 0x40), UINT64_C(0x1234567800fee00c));
    model_w8(model, 0x38, UINT64_C(0x000000ee00000000));
    assert_int_equal(model_r4(model, 0x38), 0);
    assert_int_equal(model_r4(model, 0x3c), 0xee);
    /* A misaligned qword is two dwords, too. */
    model_w8(model, 0x3c, UINT64_C(0xfee01000000000dd));
    assert_int_equal(model_r4(model, 0x3c), 0xdd);
    assert_int_equal(model_r4(model, 0x40), 0xfee01000);
}

static bool
is_hole(uint32_t off)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (off >= table[i].off && off < table[i].off + table[i].size) {
            return false;
        }
    }
    return true;
}

static void
holes_read_as_zero_and_ignore_writes(void **state)
{
    struct model *model = *state;
    unsigned holes = 0;

    for (uint32_t off = 0; off < VTD_MMIO_SIZE; off += 4) {
        if (!is_hole(off)) {
            continue;
        }
        holes++;
        assert_int_equal(model_r4(model, off), 0);
        model_w4(model, off, UINT32_MAX);
        assert_int_equal(model_r4(model, off), 0);
    }
    assert_true(holes > 900);
    assert_others_at_reset(model, NULL);
}

/* Reads of any size and alignment are bytes of the aligned registers. */
static void
reads_of_any_shape_agree(void **state)
{
    struct model *model = *state;
    uint8_t page[VTD_MMIO_SIZE + 8] = { 0 };

    model_w8(model, 0x20, UINT64_C(0x000123456789a000));
    model_w8(model, 0x3c, UINT64_C(0xfee0300400005566));
    model_w8(model, 0xa4, UINT64_C(0xfee0100c0000aabb));
    for (uint32_t off = 0; off < VTD_MMIO_SIZE; off++) {
        page[off] = (uint8_t)vtd_mmio_read(model->vtd, off, 1);
    }
    assert_int_equal(page[0x22], 0x89);
    for (uint32_t off = 0; off < VTD_MMIO_SIZE; off++) {
        for (unsigned size = 1; size <= 8; size++) {
            uint64_t want = 0;

            memcpy(&want, &page[off], size);
            assert_int_equal(vtd_mmio_read(model->vtd, off, size), want);
        }
    }
}

/*
 * Of a write only whole aligned dwords act.  FEDATA stands in for all: what
 * decides is the shape.
 */
static void
writes_of_odd_shapes_act_in_whole_dwords(void **state)
{
    struct model *model = *state;

    for (unsigned size = 1; size <= 8; size++) {
        for (uint32_t off = 0x30; off < 0x40; off++) {
            bool covered = off <= 0x3c && off + size >= 0x40;
            bool odd = off % 4 != 0 || size % 4 != 0;
            uint64_t bad = vtd_stat_value(model->vtd, VTD_STAT_MMIO_BAD);

            model_w4(model, 0x3c, 0);
            vtd_mmio_write(model->vtd, off, size, UINT64_MAX);
            assert_int_equal(model_r4(model, 0x3c), covered ? UINT32_MAX : 0);
            assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_MMIO_BAD),
                             bad + odd);
        }
    }
}

/* The same at the two dwords of one register. */
static void
writes_of_odd_shapes_act_in_halves_of_a_register(void **state)
{
    struct model *model = *state;

    for (unsigned size = 1; size <= 8; size++) {
        for (uint32_t off = 0x18; off < 0x28; off++) {
            uint64_t want = 0;

            want |= off <= 0x20 && off + size >= 0x24 ? UINT32_MAX : 0;
            want |= off <= 0x24 && off + size >= 0x28 ? UINT64_MAX << 32 : 0;
            vtd_reset(model->vtd);
            vtd_mmio_write(model->vtd, off, size, UINT64_MAX);
            assert_int_equal(model_r8(model, 0x20), want & GPA_PAGE);
        }
    }
}

static void
accesses_across_the_end_stay_inside(void **state)
{
    struct model *model = *state;

    for (uint32_t off = VTD_MMIO_SIZE - 8; off < VTD_MMIO_SIZE; off++) {
        for (unsigned size = 1; size <= 8; size++) {
            vtd_mmio_write(model->vtd, off, size, UINT64_MAX);
            assert_int_equal(vtd_mmio_read(model->vtd, off, size), 0);
        }
    }
    assert_others_at_reset(model, NULL);
}

static void
upper_addresses_are_reserved_without_eim(void **state)
{
    static const struct vtd_config config = { .fault_records = 1 };
    struct model *model = model_create(&config);

    (void)state;
    model_w4(model, 0x44, UINT32_MAX);
    model_w4(model, 0xac, UINT32_MAX);
    model_w8(model, 0xb8, UINT64_MAX);
    assert_int_equal(model_r4(model, 0x44), 0);
    assert_int_equal(model_r4(model, 0xac), 0);
    assert_int_equal(model_r8(model, 0xb8), GPA_PAGE | 0xf);
    assert_int_equal(model_r8(model, 0x10), 0xf00f0b);
    model_destroy(model);
}

static void
capabilities_follow_the_configuration(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 8; n++) {
        struct vtd_config config = { .fault_records = (uint8_t)n,
                                     .esirtps = n % 2 };
        struct model *model = model_create(&config);
        uint64_t cap = model_r8(model, 8);

        assert_int_equal(cap >> 40 & 0xff, n - 1);
        assert_int_equal(cap >> 62 & 1, n % 2);
        assert_int_equal(cap >> 8 & 0x1f, 0);
        assert_int_equal(vtd_reg_count(model->vtd), 24 + 2 * n);
        model_destroy(model);
    }
}

static void
senseless_configurations_are_refused(void **state)
{
    static const struct vtd_ops none;
    struct vtd_config config = { .fault_records = 0 };

    (void)state;
    errno = 0;
    assert_null(vtd_create(&config, &none, NULL));
    assert_int_equal(errno, EINVAL);
    config.fault_records = 9;
    errno = 0;
    assert_null(vtd_create(&config, &none, NULL));
    assert_int_equal(errno, EINVAL);
    vtd_destroy(NULL);
}

/* Each half of an access that clears must clear its own bits alone. */
static void
write_one_clears_written_bits_alone(void **state)
{
    struct model *model = *state;
    uint64_t record;

    model_irt_enable(model, 7, true);
    assert_int_equal(model_remap_sid(model, MODEL_MSI(5), 0x1234),
                     VTD_FR_IR_NOT_PRESENT);
    record = model_r8(model, 0x228);
    assert_true(record & F_BIT);
    model_w4(model, 0x228, UINT32_MAX);
    model_w4(model, 0x22c, 0x7fffffff);
    model_w4(model, 0x34, 0);
    assert_int_equal(model_r8(model, 0x228), record);
    model_w8(model, 0x228, F_BIT);
    assert_int_equal(model_r8(model, 0x228), record & ~F_BIT);
}

static void
reset_restores_every_register(void **state)
{
    struct model *model = *state;

    for (unsigned i = 0; i < COUNT; i++) {
        if (table[i].size == 8) {
            model_w8(model, table[i].off, UINT64_MAX);
        } else {
            model_w4(model, table[i].off, UINT32_MAX);
        }
    }
    vtd_reset(model->vtd);
    assert_others_at_reset(model, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(table_matches_the_register_definitions),
        MODEL_TEST(registers_have_their_reset_values),
        MODEL_TEST(writes_change_the_writable_bits_alone),
        MODEL_TEST(half_of_a_register_keeps_the_other),
        MODEL_TEST(qword_covers_two_dword_registers),
        MODEL_TEST(holes_read_as_zero_and_ignore_writes),
        MODEL_TEST(reads_of_any_shape_agree),
        MODEL_TEST(writes_of_odd_shapes_act_in_whole_dwords),
        MODEL_TEST(writes_of_odd_shapes_act_in_halves_of_a_register),
        MODEL_TEST(accesses_across_the_end_stay_inside),
        MODEL_TEST(upper_addresses_are_reserved_without_eim),
        MODEL_TEST(capabilities_follow_the_configuration),
        MODEL_TEST(senseless_configurations_are_refused),
        MODEL_TEST(write_one_clears_written_bits_alone),
        MODEL_TEST(reset_restores_every_register),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
