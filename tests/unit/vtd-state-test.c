/* SPDX-License-Identifier: GPL-2.0-only */
/* Save and load: what a blob is, and which ones are refused. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/vtd/regs.h"
#include "daemon/vtd/state.h"
#include "tests/support/model.h"

/* --- blobs --------------------------------------------------------------- */

struct blob {
    uint64_t quad[VTD_STATE_QUADS];
};

static struct blob
saved(const struct model *model)
{
    struct blob blob;

    assert_int_equal(vtd_save_size(model->vtd), sizeof(blob));
    vtd_save(model->vtd, &blob);
    return blob;
}

static int
load(struct model *model, const struct blob *blob)
{
    return vtd_load(model->vtd, blob, sizeof(*blob));
}

/* A blob that was changed on purpose, not damaged. */
static void
reseal(struct blob *blob)
{
    blob->quad[VTD_STATE_QUAD_CHECK] = vtd_state_hash(
        VTD_STATE_HASH_EMPTY, blob, VTD_STATE_QUAD_CHECK * sizeof(uint64_t));
}

static uint64_t *
reg_in(struct blob *blob, enum vtd_reg reg)
{
    return &blob->quad[VTD_STATE_QUAD_REGS + reg];
}

static void
assert_same_blob(const struct blob *a, const struct blob *b)
{
    for (unsigned i = 0; i < VTD_STATE_QUADS; i++) {
        if (a->quad[i] != b->quad[i]) {
            fail_msg("quadword %u: %llx, not %llx", i,
                     (unsigned long long)a->quad[i],
                     (unsigned long long)b->quad[i]);
        }
    }
}

static void
assert_refused(struct model *model, const struct blob *blob)
{
    struct blob before = saved(model);
    struct blob after;

    assert_int_equal(load(model, blob), -EINVAL);
    after = saved(model);
    assert_same_blob(&after, &before);
}

/* --- what is refused ----------------------------------------------------- */

static void
the_hash_is_fnv_1a(void **state)
{
    (void)state;
    assert_true(vtd_state_hash(VTD_STATE_HASH_EMPTY, "", 0) ==
                UINT64_C(0xcbf29ce484222325));
    assert_true(vtd_state_hash(VTD_STATE_HASH_EMPTY, "a", 1) ==
                UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(vtd_state_hash(VTD_STATE_HASH_EMPTY, "foobar", 6) ==
                UINT64_C(0x85944171f73967e8));
}

static void
a_blob_has_fixed_size(void **state)
{
    struct model *model = *state;
    uint8_t bytes[VTD_STATE_SIZE + 2];

    memset(bytes, 0xa5, sizeof(bytes));
    assert_true(vtd_save_size(model->vtd) < 4096);
    vtd_save(model->vtd, bytes + 1);
    assert_int_equal(bytes[0], 0xa5);
    assert_int_equal(bytes[sizeof(bytes) - 1], 0xa5);
    assert_int_equal(vtd_load(model->vtd, bytes + 1, VTD_STATE_SIZE), 0);
    assert_int_equal(vtd_load(model->vtd, bytes + 1, 0), -EINVAL);
    assert_int_equal(vtd_load(model->vtd, bytes + 1, VTD_STATE_SIZE - 1),
                     -EINVAL);
    assert_int_equal(vtd_load(model->vtd, bytes + 1, VTD_STATE_SIZE + 1),
                     -EINVAL);
}

static void
any_flipped_bit_is_noticed(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);

    for (unsigned bit = 0; bit < VTD_STATE_SIZE * 8; bit++) {
        struct blob bad = blob;

        bad.quad[bit / 64] ^= UINT64_C(1) << bit % 64;
        assert_refused(model, &bad);
    }
    assert_int_equal(load(model, &blob), 0);
}

static void
the_head_must_be_right_in_a_sealed_blob_too(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);

    for (unsigned bit = 0; bit < VTD_STATE_QUAD_REGS * 64; bit++) {
        struct blob bad = blob;

        bad.quad[bit / 64] ^= UINT64_C(1) << bit % 64;
        reseal(&bad);
        assert_refused(model, &bad);
    }
}

/* Configurations that differ in one byte of struct vtd_config each. */
static void
another_configuration_is_refused(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);
    unsigned tried = 0;

    for (size_t i = 0; i < sizeof(struct vtd_config); i++) {
        struct vtd_config config = model_config;
        struct vtd *other;
        uint8_t byte;

        memcpy(&byte, (char *)&config + i, 1);
        byte = byte > 1 ? byte - 1 : !byte;
        memcpy((char *)&config + i, &byte, 1);
        other = vtd_create(&config, &model->ops, model);
        if (other) {
            assert_int_equal(vtd_load(other, &blob, sizeof(blob)), -EINVAL);
            vtd_destroy(other);
            tried++;
        }
    }
    assert_true(tried >= 5);
}

static uint64_t
fields_of(const struct model *model, unsigned reg)
{
    struct vtd_reg_info info = { .off = UINT16_MAX };
    uint64_t mask = 0;

    for (unsigned i = 0; i < vtd_reg_count(model->vtd); i++) {
        vtd_reg_info(model->vtd, i, &info);
        if (info.off == vtd_reg_table[reg].off) {
            break;
        }
    }
    /* None, of a register that the unit lacks. */
    if (info.off != vtd_reg_table[reg].off) {
        return 0;
    }
    for (unsigned i = 0; i < info.field_count; i++) {
        mask |= info.field[i].mask;
    }
    return mask;
}

static bool
is_constant(enum vtd_reg reg)
{
    return reg == VTD_REG_VER || reg == VTD_REG_CAP || reg == VTD_REG_ECAP ||
           reg == VTD_REG_GCMD;
}

static void
a_bit_that_nothing_sets_is_refused(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);
    unsigned loaded = 0;

    for (unsigned reg = 0; reg < VTD_REG_COUNT; reg++) {
        uint64_t possible =
            is_constant((enum vtd_reg)reg) ? 0 : fields_of(model, reg);

        for (unsigned bit = 0; bit < 64; bit++) {
            struct blob other = blob;

            *reg_in(&other, (enum vtd_reg)reg) ^= UINT64_C(1) << bit;
            reseal(&other);
            if (!(possible >> bit & 1)) {
                assert_refused(model, &other);
            } else if (load(model, &other) == 0) {
                struct blob again = saved(model);

                assert_same_blob(&again, &other);
                assert_int_equal(load(model, &blob), 0);
                loaded++;
            }
        }
    }
    /* Among them all that software writes. */
    assert_true(loaded > 500);
}

struct change {
    const char *what;
    unsigned quad[2];
    uint64_t val[2];
    bool possible;
};

#define REG(name)   (VTD_STATE_QUAD_REGS + VTD_REG_##name)
#define LATCH(name) (VTD_STATE_QUAD_LATCHES + VTD_LATCH_##name)
#define LATCHED     (UINT64_C(1) << 63)

static const struct change changes[] = {
    { "PPF without a record", { REG(FSTS) }, { 2 }, false },
    { "a record without PPF", { REG(FRCD0_HI) }, { LATCHED }, false },
    { "a record and PPF", { REG(FSTS), REG(FRCD0_HI) }, { 2, LATCHED }, true },
    { "the last record",
      { REG(FSTS), REG(FRCD7_HI) },
      { 0x702, LATCHED },
      true },
    { "FRI beyond the records",
      { REG(FSTS), REG(FRCD7_HI) },
      { 0x802, LATCHED },
      false },
    { "next record beyond the records", { LATCH(FAULT_NEXT) }, { 8 }, false },
    { "next record the last", { LATCH(FAULT_NEXT) }, { 7 }, true },
    { "next record far beyond",
      { LATCH(FAULT_NEXT) },
      { UINT64_C(1) << 32 },
      false },
    { "a fault pending without cause", { REG(FECTL) }, { 0xc0000000 }, false },
    { "a fault pending, unmasked",
      { REG(FECTL), REG(FSTS) },
      { 0x40000000, 0x10 },
      false },
    { "a fault pending",
      { REG(FECTL), REG(FSTS) },
      { 0xc0000000, 0x10 },
      true },
    { "a completion pending without cause",
      { REG(IECTL) },
      { 0xc0000000 },
      false },
    { "a completion pending, unmasked",
      { REG(IECTL), REG(ICS) },
      { 0x40000000, 1 },
      false },
    { "a completion pending",
      { REG(IECTL), REG(ICS) },
      { 0xc0000000, 1 },
      true },
    { "a head with the queue disabled", { REG(IQH) }, { 0x10 }, false },
    { "a head in the queue",
      { REG(IQH), REG(GSTS) },
      { 0x10, 0x04000000 },
      true },
    { "remapping without a table", { REG(GSTS) }, { 0x02000000 }, false },
    { "a table without IRTPS", { LATCH(IRTA) }, { LATCHED }, false },
    { "IRTPS without a table", { REG(GSTS) }, { 0x01000000 }, false },
    { "a table",
      { LATCH(IRTA), REG(GSTS) },
      { LATCHED | 0x5000 | 0x80f, 0x03000000 },
      true },
    { "a table that is not latched",
      { LATCH(IRTA), REG(GSTS) },
      { 0x5000, 0x01000000 },
      false },
    { "reserved bits of a table",
      { LATCH(IRTA), REG(GSTS) },
      { LATCHED | 0x5010, 0x01000000 },
      false },
    { "a table beyond all addresses",
      { LATCH(IRTA), REG(GSTS) },
      { LATCHED | UINT64_C(1) << 52, 0x01000000 },
      false },
};

static void
what_contradicts_itself_is_refused(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *change = &changes[i];
        struct blob other = blob;
        struct blob again;

        other.quad[change->quad[0]] = change->val[0];
        if (change->quad[1] != 0) {
            other.quad[change->quad[1]] = change->val[1];
        }
        reseal(&other);
        if (!change->possible) {
            assert_refused(model, &other);
        } else if (load(model, &other) != 0) {
            fail_msg("refused: %s", change->what);
        }
        again = saved(model);
        assert_same_blob(&again, change->possible ? &other : &blob);
        assert_int_equal(load(model, &blob), 0);
    }
}

/* --- what a load leaves and tells ---------------------------------------- */

static void
routes_are_forgotten(void **state)
{
    struct model *model = *state;
    struct blob blob;

    model_irt_enable(model, 7, true);
    model_queue_enable(model, 0);
    blob = saved(model);
    model_irte_set(model, 5, MODEL_IRTE(0x31, 1), 0);
    model_queue_run(model, MODEL_IEC(5, 0), 0);
    assert_true(model->route[5].present);
    model->route_calls = 0;
    model->state_calls = 0;

    assert_int_equal(load(model, &blob), 0);
    assert_int_equal(model->state_calls + model->clear_calls, 0);
    assert_true(model->route[5].present);
    vtd_ir_resync(model->vtd);
    assert_int_equal(model->state_calls, 1);
    assert_int_equal(model->route_calls, 0);
    assert_false(model->route[5].present);
}

static void
the_state_of_interrupts_is_the_loaded_one(void **state)
{
    struct model *model = *state;
    struct blob blob = saved(model);
    struct vtd_ir_state ir;

    model_irt_enable(model, 7, true);
    assert_int_equal(load(model, &blob), 0);
    vtd_ir_state_get(model->vtd, &ir);
    assert_false(ir.enabled);
    assert_int_equal(ir.entries, 0);
    assert_true(model->state.enabled);
    vtd_ir_resync(model->vtd);
    assert_false(model->state.enabled);
    assert_int_equal(model->state.entries, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_fnv_1a),
        MODEL_TEST(a_blob_has_fixed_size),
        MODEL_TEST(any_flipped_bit_is_noticed),
        MODEL_TEST(the_head_must_be_right_in_a_sealed_blob_too),
        MODEL_TEST(another_configuration_is_refused),
        MODEL_TEST(a_bit_that_nothing_sets_is_refused),
        MODEL_TEST(what_contradicts_itself_is_refused),
        MODEL_TEST(routes_are_forgotten),
        MODEL_TEST(the_state_of_interrupts_is_the_loaded_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
