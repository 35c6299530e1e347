/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/prq.h"

#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/inv.h"
#include "daemon/vtd/spec-prq.h"
#include "daemon/vtd/walk.h"

#define PAGE_OFFSET VTD_MASK(11, 0)

/* A message without an address that asks for nothing; it has no response. */
static bool
is_stop_marker(const struct vtd_page_req *req)
{
    return req->stop_marker ||
           (req->last && !(req->access & (VTD_DMA_READ | VTD_DMA_WRITE)));
}

static void
send_response(struct vtd *vtd, const struct vtd_page_resp *resp)
{
    VTD_TRACE(vtd, PAGE_RESPONSE, resp->sid, resp->pasid, resp->group,
              resp->code);
    vtd->ops->page_response(vtd->ctx, resp);
}

/*
 * @req does not enter the queue.  The last one of its group is answered here,
 * because software will not; the others and stop markers vanish.
 */
static void
refuse(struct vtd *vtd, const struct vtd_page_req *req,
       enum vtd_page_resp_code code)
{
    const struct vtd_page_resp resp = {
        .pasid = req->pasid,
        .sid = req->sid,
        .group = req->group,
        .code = (uint8_t)code,
    };

    vtd->stat[VTD_STAT_PAGE_REFUSED]++;
    if (req->last && !is_stop_marker(req)) {
        send_response(vtd, &resp);
    }
}

/*
 * Set a bit of PRS.  It is a new interrupt condition only if none was set.
 * [VT-d 4.1, "Recoverable Fault Event"]
 */
static void
status_set(struct vtd *vtd, uint32_t bit)
{
    uint32_t prs = vtd_reg32(vtd, VTD_OFF_PRS);

    vtd_reg32_set(vtd, VTD_OFF_PRS, prs | bit);
    if (prs == 0) {
        vtd_event_raise(vtd, VTD_EVENT_PAGE_REQUEST);
    }
}

void
vtd_prs_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    (void)written;
    (void)cleared;
    if (vtd_reg32(vtd, VTD_OFF_PRS) == 0) {
        vtd_event_drop(vtd, VTD_EVENT_PAGE_REQUEST);
    }
}

static void
record(struct vtd *vtd, enum vtd_fr fr, const struct vtd_page_req *req)
{
    const struct vtd_fault fault = {
        .req = {
            .iova = req->addr,
            .pasid = req->pasid,
            .sid = req->sid,
            /* The record of a page request has no EXE. */
            .access = req->access & (VTD_DMA_READ | VTD_DMA_WRITE),
            .privileged = req->privileged,
        },
        .reason = (uint8_t)fr,
        .type = VTD_FAULT_PAGE,
    };

    vtd_fault_record_dma(vtd, &fault);
}

/*
 * Find what the function's requests translate through; false, and whatever
 * is to be recorded is, if they may not ask for pages.  While DMA remapping is
 * disabled nobody may, and that is no fault.
 * [VT-d 4.1, "Fault Conditions and Remapping Hardware Behavior for Various
 * Requests"]
 */
static bool
resolve(struct vtd *vtd, const struct vtd_page_req *req,
        struct vtd_dma_ctx *ctx)
{
    const struct vtd_walk_env env = {
        .config = &vtd->config,
        .ops = vtd->ops,
        .ctx = vtd->ctx,
        .root = vtd->view->state.root,
    };
    enum vtd_fr fr;

    if (!env.root.enabled) {
        return false;
    }
    fr = vtd_page_req_resolve(&env, req, ctx);
    if (fr != VTD_FR_OK && !(ctx->fpd && vtd_fault_is_qualified(fr))) {
        record(vtd, fr, req);
    }
    return fr == VTD_FR_OK;
}

/*
 * A request is a sign that what is cached of its page is of no use.  Software
 * need not invalidate what it only adds permissions to, so the request does.
 * Second-stage translations are not told apart by PASID, and nested ones not
 * by address.  [VT-d 4.1, "Implicit Invalidation on Page Requests"]
 */
static void
invalidate(struct vtd *vtd, const struct vtd_page_req *req,
           const struct vtd_dma_ctx *ctx)
{
    struct vtd_inv inv = {
        .kind = VTD_INV_IOTLB,
        .scope = VTD_INV_ONE,
        .pages = true,
        .did = ctx->did,
        .pasid = VTD_NO_PASID,
        .addr = req->addr & ~PAGE_OFFSET,
        .shift = 12,
    };

    if (ctx->stage == VTD_STAGE_FIRST) {
        inv.kind = VTD_INV_PASID_IOTLB;
        inv.pasid = ctx->pasid;
    } else if (ctx->stage == VTD_STAGE_NESTED) {
        inv.scope = VTD_INV_DOMAIN;
        inv.pages = false;
        inv.addr = 0;
        inv.shift = 64;
    }
    vtd_inv_announce(vtd, &inv);
}

/* Execute and privilege mean something with a PASID only. */
static void
encode(const struct vtd_page_req *req, uint64_t desc[4])
{
    bool stop = is_stop_marker(req);
    bool read = !stop && (req->access & VTD_DMA_READ);
    bool write = !stop && (req->access & VTD_DMA_WRITE);
    bool pasid = req->pasid != VTD_NO_PASID;

    desc[0] = VTD_PREP(VTD_PRQ_LO_TYPE, VTD_PRQ_TYPE_REQUEST) |
              VTD_PREP(VTD_PRQ_LO_RID, req->sid);
    if (pasid) {
        bool exec = read && (req->access & VTD_DMA_EXEC);

        desc[0] |= VTD_PRQ_LO_PP | VTD_PREP(VTD_PRQ_LO_PASID, req->pasid) |
                   VTD_PREP(VTD_PRQ_LO_EXR, exec) |
                   VTD_PREP(VTD_PRQ_LO_PMR, !stop && req->privileged);
    }
    desc[1] = VTD_PREP(VTD_PRQ_HI_RDR, read) | VTD_PREP(VTD_PRQ_HI_WRR, write) |
              VTD_PREP(VTD_PRQ_HI_LPIG, stop || req->last) |
              VTD_PREP(VTD_PRQ_HI_PRGI, req->group) |
              (stop ? 0 : req->addr & VTD_PRQ_HI_ADDR);
    desc[2] = 0;
    desc[3] = 0;
}

/* The queue, as its registers have it. */
struct queue {
    uint64_t base;
    uint64_t head, tail; /* in bytes, less than its size */
    uint64_t next;       /* of tail */
};

/*
 * Head and tail count modulo the size of the queue: software that writes
 * them, or makes the queue smaller, finds each value to be a place in it.
 */
static struct queue
queue_get(const struct vtd *vtd)
{
    uint64_t pqa = vtd_reg64(vtd, VTD_OFF_PQA);
    uint64_t size = (uint64_t)VTD_PRQ_SIZE_MIN << VTD_GET(VTD_PQA_PQS, pqa);
    uint64_t tail = vtd_reg64(vtd, VTD_OFF_PQT) % size;

    return (struct queue){
        .base = pqa & VTD_PQA_PQA,
        .head = vtd_reg64(vtd, VTD_OFF_PQH) % size,
        .tail = tail,
        .next = (tail + VTD_PRQ_DESC_SIZE) % size,
    };
}

/*
 * Append @req.  A queue that cannot be written is no condition that the
 * specification knows.  As where the queue is not reached, the device is told
 * that its request was invalid, and not to give up page requests altogether.
 */
static void
enqueue(struct vtd *vtd, const struct vtd_page_req *req,
        const struct queue *queue)
{
    uint64_t desc[VTD_PRQ_DESC_SIZE / 8];

    encode(req, desc);
    if (vtd->ops->mem_write(vtd->ctx, queue->base + queue->tail, desc,
                            sizeof(desc))) {
        refuse(vtd, req, VTD_PAGE_INVALID);
        return;
    }
    vtd_reg64_set(vtd, VTD_OFF_PQT, queue->next);
    status_set(vtd, VTD_PRS_PPR);
}

/*
 * A request that finds no room is answered with success: the device tries
 * again, and asks again.  So it is for all that follow until software, which
 * may have lost a part of a group, has cleared PRO.
 * [VT-d 4.1, "Handling of Page Requests"]
 */
static void
accept(struct vtd *vtd, const struct vtd_page_req *req,
       const struct vtd_dma_ctx *ctx)
{
    struct queue queue = queue_get(vtd);

    if (vtd_reg32(vtd, VTD_OFF_PRS) & VTD_PRS_PRO) {
        refuse(vtd, req, VTD_PAGE_SUCCESS);
    } else if (queue.next == queue.head) {
        status_set(vtd, VTD_PRS_PRO);
        refuse(vtd, req, VTD_PAGE_SUCCESS);
    } else {
        if (!is_stop_marker(req)) {
            invalidate(vtd, req, ctx);
        }
        enqueue(vtd, req, &queue);
    }
}

void
vtd_page_request(struct vtd *vtd, const struct vtd_page_req *req)
{
    struct vtd_dma_ctx ctx;

    if (!vtd->config.prs) {
        return;
    }
    vtd->stat[VTD_STAT_PAGE_REQUEST]++;
    VTD_TRACE(vtd, PAGE_REQUEST, req->sid, req->pasid, req->addr, req->access);
    if (resolve(vtd, req, &ctx)) {
        accept(vtd, req, &ctx);
    } else {
        refuse(vtd, req, VTD_PAGE_INVALID);
    }
}

void
vtd_prq_respond(struct vtd *vtd, const struct vtd_page_resp *resp)
{
    vtd->stat[VTD_STAT_PAGE_RESPONSE]++;
    send_response(vtd, resp);
}
