/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The loaded unit is the saved one: a unit lives for a while, is saved at any
 * moment, and from then on the one that it was loaded into does the same as
 * it does itself, register for register, byte for byte.
 */
#include "tests/unit/vtd-life.h"

/* --- operations ---------------------------------------------------------- */

static uint32_t seed;

static uint32_t
random_below(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)seed * n >> 32);
}

static uint64_t
random64(void)
{
    return (uint64_t)random_below(UINT32_MAX) << 32 | random_below(UINT32_MAX);
}

/* One operation, the same for every unit that it is given to. */
struct operation {
    enum {
        OP_WRITE,
        OP_SUBMIT,
        OP_RUN,
        OP_REMAP,
        OP_MISS,
        OP_TRANSLATE,
        OP_PAGE_REQUEST,
        OP_LATE,
        OP_ACKNOWLEDGE,
        OP_COUNT
    } kind;
    uint32_t off;
    unsigned size;
    uint64_t val;
    unsigned count;
    uint64_t desc[2];
};

/* Registers with values that do something. */
static void
random_write(struct operation *op)
{
    static const struct {
        uint16_t off;
        uint8_t size;
        uint64_t mask, fixed;
    } writes[] = {
        { VTD_OFF_GCMD, 4, 0xc7800000, 0x80000000 },
        { VTD_OFF_GCMD, 4, 0xc7800000, 0x84000000 },
        { VTD_OFF_GCMD, 4, 0xc7800000, 0x84000000 },
        { VTD_OFF_RTADDR, 8, 0xc00, ROOT },
        { VTD_OFF_CCMD, 8, UINT64_MAX, 0 },
        { VTD_OFF_FSTS, 4, 0xf3, 0 },
        { VTD_OFF_FSTS, 4, 0, 0x70 },
        { VTD_OFF_FECTL, 4, 0x80000000, 0 },
        { VTD_OFF_FEDATA, 4, 0xffff, 0 },
        { VTD_OFF_FEADDR, 4, 0xff000, 0xfee00000 },
        { VTD_OFF_FEUADDR, 4, 0xff, 0 },
        { VTD_OFF_PMEN, 4, 0x80000000, 0 },
        { VTD_OFF_PLMLIMIT, 4, 0x600000, 0 },
        { VTD_OFF_PHMBASE, 8, UINT64_MAX, 0 },
        { VTD_OFF_IQT, 8, 0xfe0, 0 },
        { VTD_OFF_IQA, 8, 0x801, MODEL_QUEUE },
        { VTD_OFF_ICS, 4, 1, 0 },
        { VTD_OFF_IECTL, 4, 0x80000000, 0 },
        { VTD_OFF_IEDATA, 4, 0xffff, 0 },
        { VTD_OFF_IRTA, 8, 0x200803, MODEL_IRT },
        { VTD_OFF_PQH, 8, 0xe0, 0 },
        { VTD_OFF_PQA, 8, 1, PAGE_QUEUE },
        { VTD_OFF_PRS, 4, 3, 0 },
        { VTD_OFF_PECTL, 4, 0x80000000, 0 },
        { VTD_OFF_IVA, 8, UINT64_MAX, 0 },
        { VTD_OFF_IOTLB, 8, UINT64_MAX, 0 },
        { VTD_OFF_FRCD0_HI + 4, 4, 0x80000000, 0 },
        { VTD_OFF_FRCD1_HI + 4, 4, 0x80000000, 0 },
        { VTD_OFF_FRCD2_HI + 4, 4, 0x80000000, 0 },
    };
    uint32_t pick = random_below(COUNT(writes));

    op->off = writes[pick].off;
    op->size = writes[pick].size;
    op->val = (random64() & writes[pick].mask) | writes[pick].fixed;
}

static struct operation
random_operation(void)
{
    static const uint64_t descs[][2] = {
        { MODEL_IEC_GLOBAL, 0 },
        { MODEL_IEC(0, 15), 0 },
        { MODEL_IEC(3, 0), 0 },
        { MODEL_WAIT_SW(0x12345678), MODEL_STATUS },
        { MODEL_WAIT_SW(0x55aa55aa), MODEL_STATUS + 8 },
        { MODEL_WAIT_IF, 0 },
        { MODEL_WAIT_FN, 0 },
        { 0x11, 0 },        /* context cache */
        { 0x12, 0 },        /* IOTLB */
        { 0x100032, 0 },    /* a page of it */
        { 0x06, 0 },        /* PASID caches */
        { 0x37, 0 },        /* all of them */
        { 0x0f, 0 },        /* no such type */
        { 0x14, 1 },        /* reserved bit */
        { 0x100000003, 0 }, /* a device TLB */
        { 0x509, 0x28 }     /* a page group response */
    };
    struct operation op = { .kind = random_below(OP_COUNT) };
    uint32_t pick = random_below(COUNT(descs));

    memcpy(op.desc, descs[pick], sizeof(op.desc));
    op.count = random_below(8) == 0 ? 250 : random_below(4) + 1;
    op.val = random_below(256);
    if (op.kind == OP_WRITE) {
        random_write(&op);
    }
    return op;
}

static uint64_t
translate(struct model *model, const struct operation *op)
{
    struct vtd_dma_req req = {
        .sid = (uint16_t)(op->val & 3),
        .pasid = op->val & 4 ? (uint32_t)(op->val >> 3 & 3) : VTD_NO_PASID,
        .access = op->val & 0x20 ? VTD_DMA_WRITE : VTD_DMA_READ,
        .iova = (op->val >> 6 & 3) << 12,
    };
    struct vtd_dma_resp resp;
    enum vtd_fr fr = vtd_dma_translate(model->vtd, &req, &resp);

    return fr != VTD_FR_OK ? (uint64_t)fr << 32
                           : resp.gpa | resp.access | resp.shift;
}

static uint64_t
page_request(struct model *model, const struct operation *op)
{
    struct vtd_page_req req = {
        .addr = (op->val >> 6) << 12,
        .sid = (uint16_t)(op->val & 3),
        .pasid = op->val & 4 ? (uint32_t)(op->val >> 3 & 3) : VTD_NO_PASID,
        .access = VTD_DMA_READ,
        .group = 5,
        .last = true,
    };

    model->resp_count = 0;
    vtd_page_request(model->vtd, &req);
    return model->resp_count == 0 ? 0 : 1u + model->resp[0].code;
}

/* What there is to see of an operation. */
static uint64_t
perform(struct life *life, const struct operation *op)
{
    struct model *model = life->model;
    struct vtd_ir_event miss = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = (uint32_t)op->val % 24,
        .sid_valid = true,
        .lost = op->count == 4,
    };
    struct vtd_route route = { .index = 0 };
    enum vtd_fr fr;

    model->msi_count = 0;
    model->retry_calls = 0;
    switch (op->kind) {
    case OP_WRITE:
        vtd_mmio_write(model->vtd, op->off, op->size, op->val);
        break;
    case OP_SUBMIT:
        life_submit(life, op->desc, op->count);
        break;
    case OP_RUN:
        vtd_run(model->vtd, op->count);
        break;
    case OP_REMAP:
        fr = model_remap(model, MODEL_MSI(op->val % 24), &route);
        return (uint64_t)fr << 32 | route.vector;
    case OP_MISS:
        vtd_ir_event(model->vtd, &miss);
        return model->retry_calls;
    case OP_TRANSLATE:
        return translate(model, op);
    case OP_PAGE_REQUEST:
        return page_request(model, op);
    case OP_LATE:
        life->late = op->val & 1;
        break;
    default:
        vtd_sync_done(model->vtd, life->token,
                      (enum vtd_sync_status)(op->val % 3), (uint16_t)op->val);
        break;
    }
    return 0;
}

/* --- lives --------------------------------------------------------------- */

static void
assert_same(uint32_t number)
{
    const struct model *a = lives[0].model;
    const struct model *b = lives[1].model;
    uint8_t blob[2][BLOB_MAX];
    size_t size = life_save(&lives[0], blob[0]);

    assert_int_equal(life_save(&lives[1], blob[1]), size);
    if (memcmp(blob[0], blob[1], size) != 0) {
        fail_msg("life %u: the units differ", number);
    }
    assert_int_equal(vtd_run_pending(a->vtd), vtd_run_pending(b->vtd));
    assert_int_equal(a->msi_count, b->msi_count);
    assert_memory_equal(a->msi, b->msi, a->msi_count * sizeof(a->msi[0]));
    assert_memory_equal(&a->ram[MODEL_STATUS], &b->ram[MODEL_STATUS], 64);
    assert_int_equal(a->state.enabled, b->state.enabled);
    assert_int_equal(a->state.block_compat, b->state.block_compat);
    assert_int_equal(a->state.entries, b->state.entries);
}

/*
 * Let the queue go on, and sinks answer, until nothing more happens.  Caches
 * are void afterwards, and nothing that was announced is open.
 */
static void
settle(struct life *life)
{
    struct vtd *vtd = life->model->vtd;

    life->late = false;
    vtd_run(vtd, 0);
    vtd_sync_done(vtd, life->token, VTD_SYNC_OK, 0);
    while (vtd_run_pending(vtd)) {
        vtd_run(vtd, 256);
    }
    vtd_mmio_write(vtd, VTD_OFF_CCMD, 8, UINT64_C(0xa000000000000000));
    vtd_mmio_write(vtd, VTD_OFF_IOTLB, 8, UINT64_C(0x9000000000000000));
    life->model->msi_count = 0;
}

static const struct vtd_config *const configs[] = {
    &model_config,
    &vtd_config_legacy,
    &vtd_config_scalable,
    &vtd_config_full,
};

static void
live_twice(uint32_t number)
{
    const struct vtd_config *config = configs[number % COUNT(configs)];
    uint8_t blob[BLOB_MAX];
    size_t size;

    seed = number;
    life_begin(&lives[0], config);
    life_begin(&lives[1], config);
    life_build(&lives[0], config->smts);
    for (unsigned i = random_below(80); i > 0; i--) {
        struct operation op = random_operation();

        perform(&lives[0], &op);
    }
    size = life_save(&lives[0], blob);
    /* The second one has a past of its own, or none. */
    if (number & 4) {
        life_build(&lives[1], config->smts);
    }
    memcpy(lives[1].model->ram, lives[0].model->ram, MODEL_RAM_SIZE);
    lives[1].token = lives[0].token;
    life_load(&lives[1], blob, size);
    for (unsigned i = 0; i < 2; i++) {
        vtd_ir_resync(lives[i].model->vtd);
        settle(&lives[i]);
    }
    assert_same(number);
    for (unsigned i = 0; i < 80; i++) {
        struct operation op = random_operation();

        if (perform(&lives[0], &op) != perform(&lives[1], &op)) {
            fail_msg("life %u, operation %u of kind %d", number, i, op.kind);
        }
        assert_same(number);
    }
    assert_memory_equal(lives[0].model->ram, lives[1].model->ram,
                        MODEL_RAM_SIZE);
    model_destroy(lives[0].model);
    model_destroy(lives[1].model);
}

static void
the_loaded_unit_goes_on_as_the_saved_one(void **state)
{
    (void)state;
    for (uint32_t number = 0; number < 240; number++) {
        live_twice(number);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loaded_unit_goes_on_as_the_saved_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
