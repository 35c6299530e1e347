/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/dma.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Structures are where the second interrupt table would be. */
#define FIRST_PAGE MODEL_IRT2
#define END        MODEL_QUEUE

#define SECOND_RW (TABLES_SS_R | TABLES_SS_W)
#define FIRST_RW  (TABLES_FS_P | TABLES_FS_RW | TABLES_FS_US)

static bool
is_scalable(enum dma_kind kind)
{
    return kind >= DMA_SECOND;
}

static bool
has_first(enum dma_kind kind)
{
    return kind == DMA_FIRST || kind == DMA_NESTED;
}

static void
build_legacy(struct dma *dma)
{
    bool pass = dma->kind == DMA_LEGACY_PASS;

    dma->context = tables_context(&dma->tables, dma->root, DMA_SID);
    dma->root_entry = dma->root + (DMA_SID >> 8) * 16;
    tables_context_set(&dma->tables, dma->context,
                       pass ? TABLES_TT_PASS
                            : dma->second.root | TABLES_TT_SECOND,
                       TABLES_AW_48, DMA_DID);
}

uint64_t
dma_pasid(struct dma *dma, uint32_t pasid, uint16_t did)
{
    static const uint64_t pgtt[] = { [DMA_SECOND] = TABLES_PE_SECOND,
                                     [DMA_FIRST] = TABLES_PE_FIRST,
                                     [DMA_NESTED] = TABLES_PE_NESTED,
                                     [DMA_PASS] = TABLES_PE_PASS };
    uint64_t gpa = tables_pasid(&dma->tables, dma->dir, pasid);

    if (!(dma_q(dma, gpa) & 1)) {
        tables_q_set(&dma->tables, gpa + 16, dma->first.root);
        tables_q_set(&dma->tables, gpa + 8, TABLES_PE1_PWSNP | did);
        tables_q_set(&dma->tables, gpa,
                     dma->second.root | TABLES_PE_AW(TABLES_AW_48) |
                         pgtt[dma->kind] | 1);
    }
    return gpa;
}

static void
build_scalable(struct dma *dma)
{
    dma->context = tables_sm_context(&dma->tables, dma->root, DMA_SID);
    dma->root_entry = dma->root + (DMA_SID >> 7) * 8;
    dma->dir = tables_pages(&dma->tables, 1);
    dma->dir_entry = dma->dir + (DMA_PASID >> 6) * 8;
    tables_q_set(&dma->tables, dma->context,
                 dma->dir | TABLES_SM_DTE | TABLES_SM_PASIDE | 1);
    dma_pasid(dma, 0, DMA_DID);
    dma_pasid(dma, DMA_PASID, DMA_DID);
}

void
dma_latch(struct dma *dma, uint64_t ttm)
{
    uint32_t on = model_r4(dma->model, VTD_OFF_GSTS) & (uint32_t)VTD_GSTS_QIES;

    model_w8(dma->model, VTD_OFF_RTADDR, dma->root | ttm << 10);
    model_w4(dma->model, VTD_OFF_GCMD, on | (uint32_t)VTD_GCMD_SRTP);
    model_w4(dma->model, VTD_OFF_GCMD, on | (uint32_t)VTD_GCMD_TE);
    assert_true(model_r4(dma->model, VTD_OFF_GSTS) & VTD_GSTS_TES);
}

struct dma *
dma_create_config(const struct vtd_config *config, enum dma_kind kind)
{
    struct dma *dma = calloc(1, sizeof(*dma));

    assert_non_null(dma);
    dma->model = model_create(config);
    dma->kind = kind;
    tables_init(&dma->tables, dma->model->ram, FIRST_PAGE, END);
    dma->root = tables_pages(&dma->tables, 1);
    dma->first =
        (struct tables_map){ tables_pages(&dma->tables, 1), 4, FIRST_RW };
    dma->second =
        (struct tables_map){ tables_pages(&dma->tables, 1), 4, SECOND_RW };
    if (kind == DMA_NESTED) {
        for (uint64_t gpa = FIRST_PAGE; gpa < END; gpa += 0x1000) {
            tables_map(&dma->tables, &dma->second, gpa, gpa, 12, SECOND_RW);
        }
    }
    if (is_scalable(kind)) {
        build_scalable(dma);
    } else {
        build_legacy(dma);
    }
    dma->leaf = dma_map(dma, DMA_IOVA, DMA_GPA, 12);
    dma->req = (struct vtd_dma_req){
        .iova = DMA_IOVA,
        .pasid = is_scalable(kind) ? DMA_PASID : VTD_NO_PASID,
        .sid = DMA_SID,
        .access = VTD_DMA_READ,
    };
    dma_latch(dma, is_scalable(kind) ? 1 : 0);
    return dma;
}

struct dma *
dma_create(enum dma_kind kind)
{
    return dma_create_config(&vtd_config_full, kind);
}

void
dma_destroy(struct dma *dma)
{
    model_destroy(dma->model);
    free(dma);
}

uint64_t
dma_q(const struct dma *dma, uint64_t gpa)
{
    return model_ram_q(dma->model, gpa);
}

void
dma_flip(struct dma *dma, uint64_t gpa, uint64_t bits)
{
    model_ram_q_set(dma->model, gpa, dma_q(dma, gpa) ^ bits);
}

uint64_t
dma_map(struct dma *dma, uint64_t iova, uint64_t gpa, unsigned shift)
{
    if (!has_first(dma->kind)) {
        return tables_map(&dma->tables, &dma->second, iova, gpa, shift,
                          SECOND_RW);
    }
    if (dma->kind == DMA_NESTED) {
        tables_map(&dma->tables, &dma->second, gpa, gpa, shift, SECOND_RW);
    }
    return tables_map(&dma->tables, &dma->first, iova, gpa, shift, FIRST_RW);
}

uint64_t
dma_behind(struct dma *dma, uint64_t gpa)
{
    return tables_entry(&dma->tables, dma->second.root, 4, gpa, 1, SECOND_RW);
}

enum vtd_fr
dma_translate(struct dma *dma)
{
    return vtd_dma_translate(dma->model->vtd, &dma->req, &dma->resp);
}

enum vtd_fr
dma_access(struct dma *dma, uint64_t iova, uint8_t access)
{
    dma->req.iova = iova;
    dma->req.access = access;
    return dma_translate(dma);
}

uint64_t
dma_walks(const struct dma *dma)
{
    return vtd_stat_value(dma->model->vtd, VTD_STAT_DMA_WALK);
}
