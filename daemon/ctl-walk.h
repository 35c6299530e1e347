/* SPDX-License-Identifier: GPL-2.0-only */
/* A request and what a unit does with it, as the control socket tells it. */
#ifndef DAEMON_CTL_WALK_H
#define DAEMON_CTL_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/unit.h"
#include "daemon/vtd/walk.h"

struct json_object;

struct ctl_walk {
    const struct unit *unit;
    struct vtd_dma_req req;
    enum vtd_fr fr;
    bool enabled; /* DMA is remapped at all */
    struct vtd_trail trail;
    struct vtd_dma_ctx ctx;
    struct vtd_page page;
};

/* Ask @unit, which is not changed by that. */
void ctl_walk_run(struct ctl_walk *walk, const struct unit *unit,
                  const struct vtd_dma_req *req);

/* What it is translated through: "mode", "levels" and so on. */
void ctl_walk_add_mode(struct json_object *obj, const struct ctl_walk *walk);

/* Who asks for what: "sid", "pasid", "iova", "access". */
void ctl_walk_add_request(struct json_object *obj,
                          const struct vtd_dma_req *req);

/* "rwx", as far as VTD_DMA_* are set. */
#define CTL_PERMITS_SIZE 4u
void ctl_permits(uint8_t access, char text[CTL_PERMITS_SIZE]);

#endif
