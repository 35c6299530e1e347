/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA remapping of a unit: vtd_dma_translate() and its caches.  What makes
 * them void is told to vtd_gens_invalidate() of dma.gens.
 */
#ifndef DAEMON_VTD_DMA_H
#define DAEMON_VTD_DMA_H

#include "daemon/vtd/cache-priv.h"

struct vtd_dma {
    /* Constant, but for the root, which is copied when it is looked at. */
    struct vtd_walk_env env;
    struct vtd_gens gens;
    struct vtd_cache cache;
};

/* Once, when the configuration, the ops and their context are in place. */
void vtd_dma_init(struct vtd *vtd);

#endif
