/* SPDX-License-Identifier: GPL-2.0-only */
/* Two units for tests of save and load: each has a guest, and sinks. */
#ifndef TESTS_UNIT_VTD_LIFE_H
#define TESTS_UNIT_VTD_LIFE_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"
#include "tests/support/tables.h"

#define BLOB_MAX 4096

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where tables of DMA remapping are. */
#define ROOT       0x10000u
#define TABLES     0x11000u
#define TABLES_END 0x80000u
#define PAGE_QUEUE 0x90000u

/* A unit, its guest, and sinks that answer late if @late says so. */
struct life {
    struct model *model;
    bool late;
    uint64_t token; /* the last that sync() had */
    unsigned waits;
    unsigned roots; /* VTD_INV_ROOT */
};

static struct life lives[2];

static inline struct life *
life_of(const void *ctx)
{
    return ctx == lives[0].model ? &lives[0] : &lives[1];
}

static inline void
life_invalidate(void *ctx, const struct vtd_inv *inv)
{
    life_of(ctx)->roots += inv->kind == VTD_INV_ROOT;
}

static inline bool
life_sync(void *ctx, uint64_t token)
{
    struct life *life = life_of(ctx);

    if (life->late) {
        life->token = token;
        life->waits++;
    }
    return !life->late;
}

static inline void
life_begin(struct life *life, const struct vtd_config *config)
{
    *life = (struct life){ .model = model_create(config) };
    life->model->ops.invalidate = life_invalidate;
    life->model->ops.sync = life_sync;
}

/* --- blobs --------------------------------------------------------------- */

static inline size_t
life_save(const struct life *life, uint8_t blob[BLOB_MAX])
{
    size_t size = vtd_save_size(life->model->vtd);

    assert_true(size < BLOB_MAX);
    vtd_save(life->model->vtd, blob);
    return size;
}

/* What was loaded is saved again byte for byte, at once. */
static inline void
life_load(const struct life *life, const uint8_t *blob, size_t size)
{
    uint8_t again[BLOB_MAX];

    assert_int_equal(vtd_load(life->model->vtd, blob, size), 0);
    assert_int_equal(life_save(life, again), size);
    assert_memory_equal(again, blob, size);
}

/* Append @count times the same descriptor, and ring. */
static inline void
life_submit(struct life *life, const uint64_t desc[2], unsigned count)
{
    struct model *model = life->model;
    struct vtd_queue_info info;

    vtd_queue_info(model->vtd, &info);
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = (info.tail + i) % info.entries * info.entry_size;

        model_ram_q_set(model, MODEL_QUEUE + at, desc[0]);
        model_ram_q_set(model, MODEL_QUEUE + at + 8, desc[1]);
        if (info.entry_size == 32) {
            model_ram_q_set(model, MODEL_QUEUE + at + 16, 0);
            model_ram_q_set(model, MODEL_QUEUE + at + 24, 0);
        }
    }
    vtd_mmio_write(model->vtd, VTD_OFF_IQT, 8,
                   (info.tail + count) % info.entries *
                       (uint64_t)info.entry_size);
}

/* --- the guest ----------------------------------------------------------- */

/* Requests of functions 0 to 3, and of PASIDs 0 to 3, in either mode. */
static inline void
life_build_tables(struct model *model, bool scalable)
{
    struct tables tables;
    struct tables_map second = { .levels = 4, .path = 3 };
    struct tables_map first = { .levels = 4, .path = 7 };
    uint64_t dir;

    tables_init(&tables, model->ram, TABLES, TABLES_END);
    second.root = tables_pages(&tables, 1);
    first.root = tables_pages(&tables, 1);
    dir = tables_pages(&tables, 1);
    for (uint64_t gpa = 0; gpa < TABLES_END; gpa += 4096) {
        tables_map(&tables, &second, gpa, gpa, 12, 3);
    }
    tables_map(&tables, &first, 0, 0x2000, 12, 7);
    tables_map(&tables, &first, 0x1000, 0x3000, 12, 5);
    for (uint16_t sid = 0; !scalable && sid < 3; sid++) {
        tables_context_set(&tables, tables_context(&tables, ROOT, sid),
                           second.root, TABLES_AW_48, sid);
    }
    for (uint16_t sid = 0; scalable && sid < 3; sid++) {
        uint64_t gpa = tables_sm_context(&tables, ROOT, sid);

        tables_q_set(&tables, gpa,
                     dir | TABLES_SM_PASIDE | TABLES_SM_DTE | TABLES_SM_PRE |
                         1);
        tables_q_set(&tables, gpa + 8, sid);
    }
    for (uint32_t pasid = 0; scalable && pasid < 4; pasid++) {
        uint64_t gpa = tables_pasid(&tables, dir, pasid);

        tables_q_set(&tables, gpa,
                     second.root | pasid << 6 | TABLES_PE_AW(TABLES_AW_48) | 1);
        tables_q_set(&tables, gpa + 8, pasid);
        tables_q_set(&tables, gpa + 16, first.root);
    }
}

/* Tables stay as they are: the saved unit has caches, the loaded one none. */
static inline void
life_build(struct life *life, bool scalable)
{
    struct model *model = life->model;

    for (uint32_t index = 0; index < 16; index++) {
        model_irte_set(model, index, MODEL_IRTE(0x30 + index, index), 0);
    }
    model_irte_set(model, 7, 0, 0);
    model_irte_set(model, 9, MODEL_IRTE(0x39, 9) | 0x10000000, 0);
    model_irte_set(model, 11, 2, 0);
    life_build_tables(model, scalable);
    model_w8(model, VTD_OFF_RTADDR, ROOT | (scalable ? 0x400 : 0));
    model_w8(model, VTD_OFF_IRTA, MODEL_IRT | 0x803);
    model_w8(model, VTD_OFF_PQA, PAGE_QUEUE);
    model_w8(model, VTD_OFF_IQA, MODEL_QUEUE | (scalable ? 0x800 : 0));
    model_w4(model, VTD_OFF_GCMD, 0x41000000);
    model_w4(model, VTD_OFF_GCMD, 0x86000000);
}

#endif
