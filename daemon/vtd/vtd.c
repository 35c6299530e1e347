/* SPDX-License-Identifier: GPL-2.0-only */
/* Life of a unit: create, reset, resynchronise, destroy. */
#include "daemon/vtd/vtd.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/vtd/caps.h"
#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/regs.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/translate.h"

static void
set_reset_state(struct vtd *vtd)
{
    const struct vtd_root root = { .ttm = VTD_TTM_LEGACY };

    vtd_regs_reset(vtd);
    vtd_caps_apply(vtd);
    vtd->irt = (struct vtd_irt){ .entries = 0 };
    vtd_state_publish(vtd, &root);
    vtd->fault_next = 0;
    vtd_gens_invalidate_all(&vtd->view->gens);
}

/* A unit, and its view if that is not elsewhere. */
struct whole {
    struct vtd vtd;
    struct vtd_view view;
};

/* calloc() alone aligns to 16 bytes. */
static struct vtd *
allocate(struct vtd_view *view)
{
    const size_t align = _Alignof(struct whole);
    const size_t size = view ? sizeof(struct vtd) : sizeof(struct whole);
    uint8_t *block = calloc(1, size + align);
    struct whole *whole;

    if (!block) {
        return NULL;
    }
    whole = (void *)(block + (align - (uintptr_t)block % align));
    whole->vtd.block = block;
    whole->vtd.view = view ? view : &whole->view;
    return &whole->vtd;
}

struct vtd *
vtd_create_view(const struct vtd_config *config, const struct vtd_ops *ops,
                void *ctx, struct vtd_view *view)
{
    struct vtd *vtd;

    if (vtd_config_check(config) || (config->prs && !ops->page_response)) {
        errno = EINVAL;
        return NULL;
    }
    vtd = allocate(view);
    if (!vtd) {
        return NULL;
    }
    vtd->config = *config;
    vtd->ops = ops;
    vtd->ctx = ctx;
    vtd->trace = ops->trace;
    vtd->view->config = *config;
    vtd_translate_init(vtd);
    vtd_qi_init(vtd);
    set_reset_state(vtd);
    return vtd;
}

struct vtd *
vtd_create(const struct vtd_config *config, const struct vtd_ops *ops,
           void *ctx)
{
    return vtd_create_view(config, ops, ctx, NULL);
}

void
vtd_destroy(struct vtd *vtd)
{
    if (vtd) {
        free(vtd->block);
    }
}

void
vtd_reset(struct vtd *vtd)
{
    set_reset_state(vtd);
    vtd_sync_reset(vtd);
    vtd_gcmd_ir_announce(vtd);
    vtd_route_clear(vtd);
}

void
vtd_ir_resync(struct vtd *vtd)
{
    vtd->ops->ir_state(vtd->ctx, &vtd->ir_told);
    vtd_route_replay(vtd);
}
