/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA remapping of a unit: vtd_dma_translate() and its caches.  What makes
 * them void is told to vtd_gens_invalidate() of dma.gens.
 */
#ifndef DAEMON_VTD_DMA_H
#define DAEMON_VTD_DMA_H

#include "daemon/vtd/cache-priv.h"

struct vtd_dma {
    struct vtd_gens gens;
    struct vtd_cache cache;
};

#endif
