/* SPDX-License-Identifier: GPL-2.0-only */
/* The unit's own translations: those that are recorded and counted. */
#include "daemon/vtd/translate.h"

#include "daemon/vtd/fault.h"
#include "daemon/vtd/pmr.h"

/*
 * A request of this interface may read and write; it is told as the half that
 * failed.
 */
static enum vtd_fault_type
fault_type(enum vtd_fr fr, const struct vtd_dma_req *req)
{
    if (req->atomic) {
        return VTD_FAULT_ATOMIC;
    }
    if ((req->access & VTD_DMA_WRITE) && fr != VTD_FR_READ &&
        fr != VTD_FR_SM_READ) {
        return VTD_FAULT_WRITE;
    }
    return VTD_FAULT_READ;
}

static void
record(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    const struct vtd_fault fault = {
        .req = *req,
        .reason = (uint8_t)fr,
        .type = (uint8_t)fault_type(fr, req),
    };

    vtd_fault_record_dma(owner, &fault);
}

static void
trace_walk(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    const struct vtd *vtd = owner;

    VTD_TRACE(vtd, WALK, req->sid, req->pasid, req->iova, fr);
}

void
vtd_translate_init(struct vtd *vtd)
{
    vtd_dma_init(&vtd->dma, vtd->view, vtd->ops, vtd->ctx);
    vtd->dma.owner = vtd;
    vtd->dma.faulted = record;
    vtd->dma.walked = vtd->trace ? trace_walk : NULL;
}

void
vtd_state_publish(struct vtd *vtd, const struct vtd_root *root)
{
    struct vtd_view_state state = { .root = *root };

    vtd_pmr_get(vtd, &state.pmr);
    vtd_view_write(vtd->view, &state);
}

enum vtd_fr
vtd_dma_translate(struct vtd *vtd, const struct vtd_dma_req *req,
                  struct vtd_dma_resp *resp)
{
    return vtd_dma_access(&vtd->dma, req, resp);
}

enum vtd_fr
vtd_dma_inspect(const struct vtd *vtd, const struct vtd_dma_req *req,
                struct vtd_trail *trail, struct vtd_dma_ctx *ctx,
                struct vtd_page *page)
{
    return vtd_dma_explain(&vtd->dma, req, trail, ctx, page);
}

void
vtd_gen_info(const struct vtd *vtd, struct vtd_gen_info *info)
{
    const struct vtd_gens *gens = &vtd->view->gens;

    *info = (struct vtd_gen_info){
        .invalidations = gens->seq,
        .translations = gens->gen[VTD_GEN_ALL],
        .contexts = gens->gen[VTD_GEN_CTX_ALL],
    };
}

unsigned
vtd_tlb_size(const struct vtd *vtd)
{
    (void)vtd;
    return VTD_TLB_ENTRIES;
}

bool
vtd_tlb_info(const struct vtd *vtd, unsigned i, struct vtd_tlb_info *info)
{
    const struct vtd_tlb_entry *entry = &vtd->dma.cache.tlb[i];

    if (entry->sum != vtd_gens_sum(&vtd->view->gens, entry->dep)) {
        return false;
    }
    *info = (struct vtd_tlb_info){
        .iova = entry->iova,
        .gpa = entry->resp.gpa,
        .pasid = (uint32_t)VTD_GET(VTD_WORD_PASID, entry->who),
        .sid = (uint16_t)VTD_GET(VTD_WORD_SID, entry->who),
        .shift = entry->resp.shift,
        .access = entry->resp.access,
    };
    return true;
}

void
vtd_forget(struct vtd *vtd)
{
    vtd_gens_invalidate_all(&vtd->view->gens);
}
