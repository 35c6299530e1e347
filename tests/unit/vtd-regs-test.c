/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every register, from a table written by hand from the specification, so
 * that a mistake in regs.def differs from it: value after reset, read-write,
 * write-one-to-clear and reserved bits, in 4- and 8-byte accesses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

/* What a register, or bits of it, is there for. */
enum need {
    ANY,
    IR,
    EIM,
    SMTS,
    TTM,
    PMR,
    PLMR,
    PHMR,
    PRS,
    PRS_EIM,
    RECORD
};

struct expect {
    const char *name;
    uint32_t off;
    unsigned size;
    uint64_t reset;
    uint64_t rw;
    uint64_t w1c;
    uint64_t action;    /* writing one does more than storing it */
    enum need need;     /* else the register is not there */
    enum need optional; /* else these bits of it are reserved */
    uint64_t optional_bits;
    bool address; /* bits from HAW up are reserved */
};

#define GPA_PAGE UINT64_C(0x000ffffffffff000)
#define GPA_2M   UINT64_C(0x000fffffffe00000)
#define F_BIT    UINT64_C(0x8000000000000000)

#define RO_32(name, off, reset)          \
    {                                    \
        name, off, 4, reset, .need = ANY \
    }
#define RO_64(name, off)             \
    {                                \
        name, off, 8, 0, .need = ANY \
    }
#define RW_32(name, off, rw, need)                 \
    {                                              \
        name, off, 4, 0, rw, 0, 0, need, ANY, 0, 0 \
    }
#define RW_64(name, off, rw, need)                 \
    {                                              \
        name, off, 8, 0, rw, 0, 0, need, ANY, 0, 0 \
    }
#define MASKABLE(name, off, need)                                   \
    {                                                               \
        name, off, 4, 0x80000000, 0x80000000, 0, 0, need, ANY, 0, 0 \
    }
#define UPPER(name, off, need, eim)                                 \
    {                                                               \
        name, off, 4, 0, 0xffffffff, 0, 0, need, eim, 0xffffffff, 0 \
    }
#define RECORDS(n, off)                                                  \
    { "FRCD" #n "_LO", off, 8, 0, 0, 0, 0, RECORD, ANY, 0, 0 },          \
    {                                                                    \
        "FRCD" #n "_HI", (off) + 8, 8, 0, 0, F_BIT, 0, RECORD, ANY, 0, 0 \
    }

static const struct expect table[] = {
    RO_32("VER", 0x00, 0x10),
    RO_64("CAP", 0x08),
    RO_64("ECAP", 0x10),
    { "GCMD", 0x18, 4, .action = 0xff800000 },
    RO_32("GSTS", 0x1c, 0),
    { "RTADDR", 0x20, 8, 0, GPA_PAGE | 0xc00, 0, 0, ANY, TTM, 0xc00, true },
    { "CCMD", 0x28, 8, 0, UINT64_C(0x60000003ffffffff), 0, F_BIT, ANY, ANY, 0,
      0 },
    { "FSTS", 0x34, 4, 0, 0, 0x71, 0, ANY, ANY, 0, 0 },
    MASKABLE("FECTL", 0x38, ANY),
    RW_32("FEDATA", 0x3c, 0xffff, ANY),
    RW_32("FEADDR", 0x40, 0xfffffffc, ANY),
    UPPER("FEUADDR", 0x44, ANY, EIM),
    { "PMEN", 0x64, 4, 0, 0x80000000, 0, 0x80000000, PMR, ANY, 0, 0 },
    RW_32("PLMBASE", 0x68, 0xffe00000, PLMR),
    RW_32("PLMLIMIT", 0x6c, 0xffe00000, PLMR),
    { "PHMBASE", 0x70, 8, 0, GPA_2M, 0, 0, PHMR, ANY, 0, true },
    { "PHMLIMIT", 0x78, 8, 0, GPA_2M, 0, 0, PHMR, ANY, 0, true },
    RO_64("IQH", 0x80),
    RW_64("IQT", 0x88, 0x7fff0, ANY),
    { "IQA", 0x90, 8, 0, GPA_PAGE | 0x807, 0, 0, ANY, SMTS, 0x800, true },
    { "ICS", 0x9c, 4, 0, 0, 1, 0, ANY, ANY, 0, 0 },
    MASKABLE("IECTL", 0xa0, ANY),
    RW_32("IEDATA", 0xa4, 0xffff, ANY),
    RW_32("IEADDR", 0xa8, 0xfffffffc, ANY),
    UPPER("IEUADDR", 0xac, ANY, EIM),
    RO_64("IQERCD", 0xb0),
    { "IRTA", 0xb8, 8, 0, GPA_PAGE | 0x80f, 0, 0, IR, EIM, 0x800, true },
    RW_64("PQH", 0xc0, 0x7ffe0, PRS),
    RW_64("PQT", 0xc8, 0x7ffe0, PRS),
    { "PQA", 0xd0, 8, 0, GPA_PAGE | 7, 0, 0, PRS, ANY, 0, true },
    { "PRS", 0xdc, 4, 0, 0, 3, 0, PRS, ANY, 0, 0 },
    MASKABLE("PECTL", 0xe0, PRS),
    RW_32("PEDATA", 0xe4, 0xffff, PRS),
    RW_32("PEADDR", 0xe8, 0xfffffffc, PRS),
    UPPER("PEUADDR", 0xec, PRS, PRS_EIM),
    RW_64("IVA", 0xf0, UINT64_C(0xfffffffffffff07f), ANY),
    { "IOTLB", 0xf8, 8, 0, UINT64_C(0x3003ffff00000000), 0, F_BIT, ANY, ANY, 0,
      0 },
    RECORDS(0, 0x220),
    RECORDS(1, 0x230),
    RECORDS(2, 0x240),
    RECORDS(3, 0x250),
    RECORDS(4, 0x260),
    RECORDS(5, 0x270),
    RECORDS(6, 0x280),
    RECORDS(7, 0x290),
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

/* Units to try: the capability registers are written out. */
struct unit {
    const struct vtd_config *config;
    uint64_t cap;
    uint64_t ecap;
};

static const struct vtd_config poor_config = {
    .haw = 39,
    .ir = true,
    .fault_records = 1,
};

static const struct vtd_config dma_config = {
    .haw = 46,
    .sagaw = VTD_SAGAW_39,
    .mgaw = 39,
    .fault_records = 3,
    .adms = true,
    .phmr = true,
};

static const struct unit units[] = {
    { &model_config, UINT64_C(0x00000700222f0006), UINT64_C(0xf00f1b) },
    { &poor_config, UINT64_C(0x00000000222f0006), UINT64_C(0xf00f0b) },
    { &dma_config, UINT64_C(0x0000028022260246), UINT64_C(0x10000000f00f03) },
    { &vtd_config_ir, UINT64_C(0x40000700222f0006), UINT64_C(0xf00f1b) },
    { &vtd_config_legacy, UINT64_C(0xc0d2078c226f0606), UINT64_C(0xf00fdb) },
    { &vtd_config_scalable, UINT64_C(0xc1d2078c226f0606),
      UINT64_C(0x1e99804f00fdb) },
    { &vtd_config_full, UINT64_C(0xd9d2078c22780e66),
      UINT64_C(0x33ef9ee4f00fdf) },
};

#define UNITS (sizeof(units) / sizeof(units[0]))

static bool
has(const struct vtd_config *config, enum need need, unsigned record)
{
    switch (need) {
    case IR:
        return config->ir;
    case EIM:
        return config->eim;
    case SMTS:
        return config->smts;
    case TTM:
        return config->smts || config->adms;
    case PMR:
        return config->plmr || config->phmr;
    case PLMR:
        return config->plmr;
    case PHMR:
        return config->phmr;
    case PRS:
        return config->prs;
    case PRS_EIM:
        return config->prs && config->eim;
    case RECORD:
        return record < config->fault_records;
    default:
        return true;
    }
}

static bool
is_there(const struct unit *unit, const struct expect *reg)
{
    return has(unit->config, reg->need, (reg->off - 0x220) / 16);
}

static uint64_t
reset_of(const struct unit *unit, const struct expect *reg)
{
    if (strcmp(reg->name, "CAP") == 0) {
        return unit->cap;
    }
    if (strcmp(reg->name, "ECAP") == 0) {
        return unit->ecap;
    }
    return is_there(unit, reg) ? reg->reset : 0;
}

static uint64_t
rw_of(const struct unit *unit, const struct expect *reg)
{
    uint64_t rw = reg->rw;

    if (!is_there(unit, reg)) {
        return 0;
    }
    if (!has(unit->config, reg->optional, 0)) {
        rw &= ~reg->optional_bits;
    }
    return reg->address ? rw & ((UINT64_C(1) << unit->config->haw) - 1) : rw;
}

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
assert_others_at_reset(struct model *model, const struct unit *unit,
                       const struct expect *skip)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (&table[i] == skip || (skip && strcmp(skip->name, "GCMD") == 0 &&
                                  strcmp(table[i].name, "GSTS") == 0)) {
            continue;
        }
        if (read_reg(model, &table[i]) != reset_of(unit, &table[i])) {
            fail_msg("%s of unit %td is %#llx", table[i].name, unit - units,
                     (unsigned long long)read_reg(model, &table[i]));
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
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        struct model *model = model_create(units[u].config);

        assert_others_at_reset(model, &units[u], NULL);
        model_destroy(model);
    }
}

/* Only registers that a unit has are shown, in the order of the page. */
static void
registers_that_a_unit_lacks_are_not_shown(void **state)
{
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        struct model *model = model_create(units[u].config);
        unsigned shown = 0;

        for (unsigned i = 0; i < COUNT; i++) {
            struct vtd_reg_info info;

            if (!is_there(&units[u], &table[i])) {
                continue;
            }
            assert_true(shown < vtd_reg_count(model->vtd));
            vtd_reg_info(model->vtd, shown, &info);
            assert_string_equal(info.name, table[i].name);
            assert_int_equal(info.off, table[i].off);
            assert_int_equal(vtd_reg_value(model->vtd, shown),
                             reset_of(&units[u], &table[i]));
            shown++;
        }
        assert_int_equal(vtd_reg_count(model->vtd), shown);
        model_destroy(model);
    }
}

/* Write @val, all of it at once or by halves, and check the register. */
static void
check_write(struct model *model, const struct unit *unit,
            const struct expect *reg, uint64_t val, bool halves)
{
    uint64_t rw = rw_of(unit, reg);
    uint64_t want = (reset_of(unit, reg) & ~rw) | (val & rw);

    if (reg->size == 8 && !halves) {
        model_w8(model, reg->off, val);
    } else {
        model_w4(model, reg->off, (uint32_t)val);
        if (reg->size == 8) {
            model_w4(model, reg->off + 4, (uint32_t)(val >> 32));
        }
    }
    if (read_reg(model, reg) != want) {
        fail_msg("%s of unit %td: wrote %#llx, read %#llx, want %#llx",
                 reg->name, unit - units, (unsigned long long)val,
                 (unsigned long long)read_reg(model, reg),
                 (unsigned long long)want);
    }
    if (reg->size == 8) {
        assert_int_equal(model_r4(model, reg->off), (uint32_t)want);
        assert_int_equal(model_r4(model, reg->off + 4), want >> 32);
    }
}

static void
check_patterns(const struct unit *unit, const struct expect *reg, bool halves)
{
    static const uint64_t patterns[] = { UINT64_MAX, 0,
                                         UINT64_C(0x5555555555555555),
                                         UINT64_C(0xaaaaaaaaaaaaaaaa) };
    uint64_t ones = all_ones(reg->size) & ~reg->action;

    for (unsigned i = 0; i < 4; i++) {
        struct model *model = model_create(unit->config);

        check_write(model, unit, reg, ones & patterns[i], halves);
        assert_others_at_reset(model, unit, reg);
        model_destroy(model);
    }
}

static void
writes_change_the_writable_bits_alone(void **state)
{
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        for (unsigned i = 0; i < COUNT; i++) {
            check_patterns(&units[u], &table[i], false);
            check_patterns(&units[u], &table[i], true);
        }
    }
}

/* Each bit set alone, and each clear alone. */
static void
check_bits(struct model *model, const struct unit *unit,
           const struct expect *reg, bool halves)
{
    uint64_t all = all_ones(reg->size) & ~reg->action;

    for (unsigned bit = 0; bit < reg->size * 8; bit++) {
        uint64_t one = UINT64_C(1) << bit;

        if (one & all) {
            check_write(model, unit, reg, one, halves);
            check_write(model, unit, reg, all & ~one, halves);
        }
    }
}

static void
every_bit_is_writable_or_reserved_as_the_unit_says(void **state)
{
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        struct model *model = model_create(units[u].config);

        for (unsigned i = 0; i < COUNT; i++) {
            check_bits(model, &units[u], &table[i], false);
            check_bits(model, &units[u], &table[i], true);
        }
        model_destroy(model);
    }
}

static void
half_of_a_register_keeps_the_other(void **state)
{
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        struct model *model = model_create(units[u].config);

        for (unsigned i = 0; i < COUNT; i++) {
            const struct expect *reg = &table[i];
            uint64_t rw = rw_of(&units[u], reg);

            if (reg->size != 8 || rw == 0) {
                continue;
            }
            model_w8(model, reg->off, ~reg->action);
            model_w4(model, reg->off, 0);
            assert_int_equal(model_r8(model, reg->off), rw >> 32 << 32);
            model_w8(model, reg->off, ~reg->action);
            model_w4(model, reg->off + 4, 0);
            assert_int_equal(model_r8(model, reg->off), (uint32_t)rw);
        }
        model_destroy(model);
    }
}

static bool
is_hole(uint32_t off)
{
    for (unsigned i = 0; i < COUNT; i++) {
        if (is_there(&units[0], &table[i]) && off >= table[i].off &&
            off < table[i].off + table[i].size) {
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
    assert_others_at_reset(model, &units[0], NULL);
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
    assert_others_at_reset(model, &units[0], NULL);
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
    (void)state;
    for (unsigned u = 0; u < UNITS; u++) {
        struct model *model = model_create(units[u].config);

        for (unsigned i = 0; i < COUNT; i++) {
            vtd_mmio_write(model->vtd, table[i].off, table[i].size, UINT64_MAX);
        }
        vtd_reset(model->vtd);
        assert_others_at_reset(model, &units[u], NULL);
        model_destroy(model);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(table_matches_the_register_definitions),
        MODEL_TEST(registers_have_their_reset_values),
        MODEL_TEST(registers_that_a_unit_lacks_are_not_shown),
        MODEL_TEST(writes_change_the_writable_bits_alone),
        MODEL_TEST(every_bit_is_writable_or_reserved_as_the_unit_says),
        MODEL_TEST(half_of_a_register_keeps_the_other),
        MODEL_TEST(holes_read_as_zero_and_ignore_writes),
        MODEL_TEST(accesses_across_the_end_stay_inside),
        MODEL_TEST(write_one_clears_written_bits_alone),
        MODEL_TEST(reset_restores_every_register),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
