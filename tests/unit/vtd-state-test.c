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

/* How many other bits could be flipped by themselves. */
static unsigned
flip_each_bit(struct model *model)
{
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
    return loaded;
}

static void
a_bit_that_nothing_sets_is_refused(void **state)
{
    struct model *full = model_create(&vtd_config_full);

    /* Among them is all that software writes. */
    assert_true(flip_each_bit(*state) > 500);
    assert_true(flip_each_bit(full) > 800);
    model_destroy(full);
}

/* A few quadwords of a reset unit's blob that are changed. */
struct change {
    const char *what;
    bool possible;
    struct {
        unsigned quad; /* 0: no more */
        uint64_t val;
    } set[3];
};

#define REG(name)   (VTD_STATE_QUAD_REGS + VTD_REG_##name)
#define LATCH(name) (VTD_STATE_QUAD_LATCHES + VTD_LATCH_##name)
#define TOP         (UINT64_C(1) << 63)
#define ENABLED     (UINT64_C(1) << 62)
#define HAW         (UINT64_C(1) << 52)

#define CAN(what, ...)  \
    {                   \
        what, true,     \
        {               \
            __VA_ARGS__ \
        }               \
    }
#define CANNOT(what, ...) \
    {                     \
        what, false,      \
        {                 \
            __VA_ARGS__   \
        }                 \
    }
#define Q(name, val)   \
    {                  \
        REG(name), val \
    }
#define L(name, val)     \
    {                    \
        LATCH(name), val \
    }

static const struct change interrupt_changes[] = {
    CANNOT("PPF without a record", Q(FSTS, 2)),
    CANNOT("a record without PPF", Q(FRCD0_HI, TOP)),
    CAN("a record and PPF", Q(FSTS, 2), Q(FRCD0_HI, TOP)),
    CAN("the last record", Q(FSTS, 0x702), Q(FRCD7_HI, TOP)),
    CANNOT("FRI beyond the records", Q(FSTS, 0x802), Q(FRCD7_HI, TOP)),
    CANNOT("next record beyond the records", L(FAULT_NEXT, 8)),
    CANNOT("next record far beyond", L(FAULT_NEXT, UINT64_C(1) << 32)),
    CAN("next record the last", L(FAULT_NEXT, 7)),
    CANNOT("a fault pending without cause", Q(FECTL, 0xc0000000)),
    CANNOT("a fault pending, unmasked", Q(FECTL, 0x40000000), Q(FSTS, 0x10)),
    CAN("a fault pending", Q(FECTL, 0xc0000000), Q(FSTS, 0x10)),
    CANNOT("a completion pending without cause", Q(IECTL, 0xc0000000)),
    CANNOT("a completion pending, unmasked", Q(IECTL, 0x40000000), Q(ICS, 1)),
    CAN("a completion pending", Q(IECTL, 0xc0000000), Q(ICS, 1)),
    CANNOT("a head with the queue disabled", Q(IQH, 0x10)),
    CAN("a head in the queue", Q(IQH, 0x10), Q(GSTS, 0x04000000)),
    CANNOT("remapping without a table", Q(GSTS, 0x02000000)),
    CANNOT("a table without IRTPS", L(IRTA, TOP)),
    CANNOT("IRTPS without a table", Q(GSTS, 0x01000000)),
    CAN("a table", L(IRTA, TOP | 0x580f), Q(GSTS, 0x03000000)),
    CAN("a table of the other mode", L(IRTA, TOP | 0x500f),
        Q(GSTS, 0x03000000)),
    CANNOT("a table that is none", L(IRTA, 0x5000), Q(GSTS, 0x01000000)),
    CANNOT("reserved bits of a table", L(IRTA, TOP | 0x5010),
           Q(GSTS, 0x01000000)),
    CANNOT("a table beyond all addresses", L(IRTA, TOP | HAW),
           Q(GSTS, 0x01000000)),
    CANNOT("a command that is pending for nobody", Q(CCMD, TOP)),
    CANNOT("another one", Q(IOTLB, TOP)),
    CANNOT("somebody who waits without a command", L(SYNC, 2)),
    CANNOT("another one who does", L(SYNC, 4)),
    CAN("a command that is pending", Q(CCMD, TOP), L(SYNC, 2)),
    CAN("another one that is", Q(IOTLB, TOP), L(SYNC, 4)),
    CANNOT("a user that does not exist", L(SYNC, 16)),
};

static const struct change interrupts_only_changes[] = {
    CANNOT("a root table", L(RTADDR, TOP | 0x5000), Q(GSTS, 0x40000000)),
    CAN("SRTP of a unit that has no use for it", Q(GSTS, 0x40000000)),
    CANNOT("DMA remapping", Q(GSTS, 0x80000000)),
    CANNOT("protected memory", Q(PMEN, 0x80000001)),
    CANNOT("a page request queue", Q(PQA, 0x5000)),
};

static const struct change legacy_changes[] = {
    CAN("a root table", L(RTADDR, TOP | 0x5000), Q(GSTS, 0x40000000)),
    CANNOT("a root table without RTPS", L(RTADDR, TOP | 0x5000)),
    CANNOT("RTPS without a root table", Q(GSTS, 0x40000000)),
    CANNOT("a root table that is none", L(RTADDR, 0x5000), Q(GSTS, 0x40000000)),
    CANNOT("a table beyond all addresses", L(RTADDR, TOP | HAW),
           Q(GSTS, 0x40000000)),
    CANNOT("scalable mode", L(RTADDR, TOP | 0x5400), Q(GSTS, 0x40000000)),
    CANNOT("TES that nobody wants", L(RTADDR, TOP), Q(GSTS, 0xc0000000)),
    CANNOT("TE that is not set", L(RTADDR, TOP | ENABLED), Q(GSTS, 0x40000000)),
    CAN("translation", L(RTADDR, TOP | ENABLED), Q(GSTS, 0xc0000000)),
    CANNOT("TES without a root table", Q(GSTS, 0x80000000)),
    CAN("SRTP that waits", L(RTADDR, TOP | 0x5000), L(SYNC, 1)),
    CAN("TE that waits", L(RTADDR, TOP | ENABLED), Q(GSTS, 0x40000000),
        L(SYNC, 1)),
    CANNOT("TES that waits, without a root table", Q(GSTS, 0x80000000),
           L(SYNC, 1)),
    CANNOT("RTPS that waits, without a root table", Q(GSTS, 0x40000000),
           L(SYNC, 1)),
    CANNOT("a wide queue", Q(IQA, 0x800)),
};

static const struct change scalable_changes[] = {
    CAN("scalable mode", L(RTADDR, TOP | 0x400), Q(GSTS, 0x40000000)),
    CAN("a reserved mode", L(RTADDR, TOP | 0x800), Q(GSTS, 0x40000000)),
    CANNOT("abort mode", L(RTADDR, TOP | 0xc00), Q(GSTS, 0x40000000)),
    CAN("a wide queue", Q(IQA, 0x800)),
};

static const struct change full_changes[] = {
    CAN("abort mode", L(RTADDR, TOP | 0xc00), Q(GSTS, 0x40000000)),
    CAN("protected memory", Q(PMEN, 0x80000001)),
    CANNOT("memory that is protected and is not", Q(PMEN, 0x80000000)),
    CANNOT("memory that is not and is protected", Q(PMEN, 1)),
    CAN("memory that is not protected yet", Q(PMEN, 0x80000000), L(SYNC, 8)),
    CAN("memory that still is", Q(PMEN, 1), L(SYNC, 8)),
    CANNOT("a page request pending without cause", Q(PECTL, 0xc0000000)),
    CANNOT("a page request pending, unmasked", Q(PECTL, 0x40000000), Q(PRS, 1)),
    CAN("a page request pending", Q(PECTL, 0xc0000000), Q(PRS, 1)),
};

/* DMA remapping alone; filled in where it is used. */
static struct vtd_config dma_only;

static const struct change dma_only_changes[] = {
    CANNOT("remapping of interrupts", L(IRTA, TOP), Q(GSTS, 0x03000000)),
    CANNOT("the status of it", Q(GSTS, 0x01000000)),
    CANNOT("compatibility format", Q(GSTS, 0x00800000)),
};

static void
check_change(struct model *model, const struct change *change)
{
    struct blob blob = saved(model);
    struct blob other = blob;
    struct blob again;

    for (unsigned i = 0; i < 3 && change->set[i].quad != 0; i++) {
        other.quad[change->set[i].quad] = change->set[i].val;
    }
    reseal(&other);
    if ((load(model, &other) == 0) != change->possible) {
        fail_msg("%s: %s", change->possible ? "refused" : "not refused",
                 change->what);
    }
    again = saved(model);
    assert_same_blob(&again, change->possible ? &other : &blob);
    assert_int_equal(load(model, &blob), 0);
}

static void
what_contradicts_itself_is_refused(void **state)
{
#define CHANGES(config, changes)                                \
    {                                                           \
        config, changes, sizeof(changes) / sizeof((changes)[0]) \
    }
    static const struct {
        const struct vtd_config *config;
        const struct change *change;
        size_t count;
    } tables[] = {
        CHANGES(&model_config, interrupt_changes),
        CHANGES(&model_config, interrupts_only_changes),
        CHANGES(&vtd_config_full, interrupt_changes),
        CHANGES(&vtd_config_legacy, legacy_changes),
        CHANGES(&vtd_config_scalable, scalable_changes),
        CHANGES(&vtd_config_full, full_changes),
        CHANGES(&dma_only, dma_only_changes),
    };

    (void)state;
    dma_only = vtd_config_legacy;
    dma_only.ir = false;
    dma_only.eim = false;
    dma_only.esirtps = false;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct model *model = model_create(tables[i].config);

        for (size_t k = 0; k < tables[i].count; k++) {
            check_change(model, &tables[i].change[k]);
        }
        model_destroy(model);
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
        cmocka_unit_test(what_contradicts_itself_is_refused),
        MODEL_TEST(routes_are_forgotten),
        MODEL_TEST(the_state_of_interrupts_is_the_loaded_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
