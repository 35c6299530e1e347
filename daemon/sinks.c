/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/sinks.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "daemon/client/service.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/vtd/view.h"

/* Where writes are interrupts. [VT-d 4.1, "Interrupt Address Range"] */
#define MSI_MASK (~UINT64_C(0xfffff))
#define MSI_BASE UINT64_C(0xfee00000)

/* Both sides count alike, so that values are passed on as they are. */
_Static_assert(VIOMMU_READ == VTD_DMA_READ && VIOMMU_WRITE == VTD_DMA_WRITE &&
                   VIOMMU_EXEC == VTD_DMA_EXEC,
               "permissions");
_Static_assert(VIOMMU_PROTO_NO_PASID == VTD_NO_PASID, "no PASID");
_Static_assert(CONFIG_UNITS_MAX <= VIOMMU_SHM_UNITS_MAX, "units");

static bool
remaps_dma(const struct unit *unit)
{
    return unit->config.dma != CONFIG_DMA_NONE;
}

static bool
may_all(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* --- who may speak for what ------------------------------------------------ */

static int
attach(void *ctx, uint16_t sid, uid_t uid, uint32_t flags, unsigned *index)
{
    const struct sinks *sinks = ctx;
    struct vtd_config offers;
    int place;
    const struct unit *unit =
        unit_find_device(sinks->unit, sinks->unit_count, sid, &place);

    if (!unit || !remaps_dma(unit))
        return -ENODEV;
    if (!may_all(uid) && (place < 0 || unit->config.device_uid[place] != uid))
        return -EACCES;

    unit_config(&unit->config, &offers);
    if (((flags & VIOMMU_ATTACH_ATS) && !offers.dt) ||
        ((flags & VIOMMU_ATTACH_PRI) && !offers.prs))
        return -EOPNOTSUPP;

    *index = unit->index;
    return 0;
}

static bool
welcome(void *ctx, uid_t uid)
{
    const struct sinks *sinks = ctx;

    if (may_all(uid))
        return true;

    for (unsigned i = 0; i < sinks->unit_count; i++) {
        const struct viommu_config *config = &sinks->unit[i].config;

        for (unsigned j = 0; j < config->device_count; j++) {
            if (remaps_dma(&sinks->unit[i]) && config->device_uid[j] == uid)
                return true;
        }
    }

    return false;
}

/* --- what clients ask the model -------------------------------------------- */

static enum vtd_fr
translate_access(const struct unit *unit,
                 const struct viommu_msg_access *access,
                 struct vtd_dma_resp *resp)
{
    const struct vtd_dma_req req = {
        .iova = access->iova,
        .pasid = access->pasid,
        .sid = access->sid,
        .access = access->access,
        .at = access->at,
        .privileged = access->flags & VIOMMU_ACCESS_PRIVILEGED,
        .atomic = access->flags & VIOMMU_ACCESS_ATOMIC,
        .no_write = access->flags & VIOMMU_ACCESS_NO_WRITE,
    };

    return record_dma_translate(unit->record, unit->vtd, &req, resp);
}

/*
 * The answer is of a whole page.  One that a device may not keep permits
 * nothing: it has to send its requests untranslated.
 */
static uint8_t
translate(void *ctx, unsigned index, const struct viommu_msg_access *access,
          struct viommu_msg_update *update)
{
    const struct sinks *sinks = ctx;
    struct vtd_dma_resp resp = { 0 };
    enum vtd_fr fr = translate_access(&sinks->unit[index], access, &resp);
    uint64_t size;

    if (fr != VTD_FR_OK)
        return (uint8_t)fr;

    size = UINT64_C(1) << resp.shift;
    *update = (struct viommu_msg_update){
        .iova = access->iova & ~(size - 1),
        .size = size,
        .uaddr = resp.gpa & ~(size - 1),
        .pasid = access->pasid,
        .sid = access->sid,
        .perm = resp.untranslated ? 0 : resp.access,
    };
    return 0;
}

/* The guest may have mapped it since: then nothing is wrong any more. */
static void
fault(void *ctx, unsigned index, const struct viommu_msg_access *access)
{
    const struct sinks *sinks = ctx;
    struct vtd_dma_resp resp;

    (void)translate_access(&sinks->unit[index], access, &resp);
}

static void
page_request(void *ctx, unsigned index,
             const struct viommu_msg_page_request *request)
{
    const struct sinks *sinks = ctx;
    const struct unit *unit = &sinks->unit[index];
    const struct vtd_page_req req = {
        .addr = request->addr,
        .pasid = request->pasid,
        .sid = request->sid,
        .group = request->group,
        .access = request->access,
        .privileged = request->flags & VIOMMU_PAGE_PRIVILEGED,
        .last = request->flags & VIOMMU_PAGE_LAST,
        .stop_marker = request->flags & VIOMMU_PAGE_STOP,
    };

    record_page_request(unit->record, unit->vtd, &req);
}

/*
 * The guest chooses where its device's messages go.  Outside of the range they
 * are DMA, which is not for us to do.
 */
static void
msi(void *ctx, unsigned index, const struct viommu_msg_msi *msg)
{
    const struct sinks *sinks = ctx;
    const struct unit *unit = &sinks->unit[index];
    const struct record_msi message = {
        .addr = msg->addr,
        .data = msg->data,
        .sid = msg->sid,
    };
    struct vtd_route route;

    if ((msg->addr & MSI_MASK) != MSI_BASE) {
        log_limited(LOG_LEVEL_WARN,
                    "sinks: an MSI of sid=0x%04x is no interrupt: "
                    "addr=0x%" PRIx64,
                    msg->sid, msg->addr);
        return;
    }

    if (record_ir_remap(unit->record, unit->vtd, &message, &route) ==
            VTD_FR_OK &&
        route.present)
        sinks->deliver(sinks->deliver_ctx, &route);
}

static void
forget(void *ctx, unsigned index)
{
    const struct sinks *sinks = ctx;

    record_forget(sinks->unit[index].record, sinks->unit[index].vtd);
}

static void
synced(void *ctx, unsigned index, uint64_t token, enum service_status status,
       uint16_t sid)
{
    const struct sinks *sinks = ctx;
    const struct unit *unit = &sinks->unit[index];

    record_sync_done(unit->record, unit->vtd, token,
                     status == SERVICE_TIMEOUT ? VTD_SYNC_TIMEOUT : VTD_SYNC_OK,
                     sid);
}

static const struct service_ops service_ops = {
    .attach = attach,
    .welcome = welcome,
    .translate = translate,
    .fault = fault,
    .page_request = page_request,
    .msi = msi,
    .forget = forget,
    .synced = synced,
};

/* --- what the model announces ---------------------------------------------- */

/*
 * With nested translation the pages of a domain are addresses between the two
 * stages: nobody knows which IOVAs lead there.
 */
static bool
pages_are_iovas(const struct sinks *sinks, unsigned index,
                const struct vtd_inv *inv)
{
    return inv->pages && (inv->kind != VTD_INV_IOTLB ||
                          !sinks_view(sinks, index)->config.nest);
}

/* One for each function that the mask leaves open. */
static void
invalidate_device_tlb(const struct sinks *sinks, unsigned index,
                      const struct vtd_inv *inv, struct service_inv *out)
{
    out->device_tlb = true;
    if (inv->kind == VTD_INV_PASID_DEV_TLB && inv->scope != VTD_INV_GLOBAL)
        out->pasid = inv->pasid;

    for (unsigned function = 0; function < 8; function++) {
        if ((function ^ inv->sid) & 7 & ~(unsigned)inv->function_mask)
            continue;
        out->sid = (uint16_t)((inv->sid & ~7u) | function);
        service_invalidate(sinks->service, index, out);
    }
}

/*
 * What a peer keeps for requests without PASID is, in the tables, of the PASID
 * that the device's context entry names.  So no PASID is told but to device
 * TLBs, where the guest itself says what is meant.
 */
void
sinks_invalidate(struct sinks *sinks, unsigned unit, const struct vtd_inv *inv)
{
    struct service_inv out = {
        .pasid = VIOMMU_PROTO_NO_PASID,
        .last = UINT64_MAX,
    };

    if (pages_are_iovas(sinks, unit, inv)) {
        uint64_t below =
            inv->shift < 64 ? (UINT64_C(1) << inv->shift) - 1 : UINT64_MAX;

        out.iova = inv->addr & ~below;
        out.last = inv->addr | below;
    }

    if (inv->kind == VTD_INV_DEV_TLB || inv->kind == VTD_INV_PASID_DEV_TLB)
        invalidate_device_tlb(sinks, unit, inv, &out);
    else
        service_invalidate(sinks->service, unit, &out);
}

bool
sinks_sync(struct sinks *sinks, unsigned unit, uint64_t token)
{
    return service_sync(sinks->service, unit, token);
}

void
sinks_page_response(struct sinks *sinks, unsigned unit,
                    const struct vtd_page_resp *resp)
{
    const struct viommu_msg_page_response response = {
        .pasid = resp->pasid,
        .sid = resp->sid,
        .group = resp->group,
        .code = resp->code,
    };

    service_page_response(sinks->service, unit, &response);
}

/* --- life ------------------------------------------------------------------ */

/* Others than root come where the configuration names them. */
static unsigned
socket_mode(const struct sinks *sinks)
{
    for (unsigned i = 0; i < sinks->unit_count; i++) {
        const struct viommu_config *config = &sinks->unit[i].config;

        for (unsigned j = 0; j < config->device_count; j++) {
            if (!may_all(config->device_uid[j]))
                return 0666;
        }
    }

    return 0600;
}

/* A client holds up all units alike: the most impatient one decides. */
static unsigned
drain_ms(const struct sinks *sinks)
{
    unsigned least = UINT16_MAX;

    for (unsigned i = 0; i < sinks->unit_count; i++) {
        const struct unit *unit = &sinks->unit[i];

        if (remaps_dma(unit) && unit->config.drain_ms < least)
            least = unit->config.drain_ms;
    }

    return least;
}

int
sinks_open(struct sinks *sinks, struct loop *loop, const char *path,
           uint16_t domid)
{
    const struct service_config config = {
        .path = path,
        .mode = socket_mode(sinks),
        .domid = domid,
        .units = sinks->unit_count,
        .view_size = sizeof(struct vtd_view),
        .drain_ms = drain_ms(sinks),
    };

    assert(sinks->unit_count >= 1 && sinks->unit_count <= CONFIG_UNITS_MAX);
    sinks->service = service_create(loop, &config, &service_ops, sinks);
    return sinks->service ? 0 : -errno;
}

void
sinks_end(struct sinks *sinks)
{
    service_end(sinks->service);
}

void
sinks_close(struct sinks *sinks)
{
    service_destroy(sinks->service);
    sinks->service = NULL;
}

struct vtd_view *
sinks_view(const struct sinks *sinks, unsigned unit)
{
    return service_view(sinks->service, unit);
}
