/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The first stage: a process's addresses, in tables of the CPU's format. */
#ifndef DAEMON_VTD_WALK_FIRST_H
#define DAEMON_VTD_WALK_FIRST_H

#include "daemon/vtd/walk.h"

/* vtd_walk() for a @ctx of stage FIRST. */
enum vtd_fr vtd_first_walk(const struct vtd_walk_env *env,
                           const struct vtd_dma_ctx *ctx, uint64_t iova,
                           uint8_t need, struct vtd_walk_hint *hint,
                           struct vtd_page *page);

/* vtd_walk() for a @ctx of stage NESTED. */
enum vtd_fr vtd_nested_walk(const struct vtd_walk_env *env,
                            const struct vtd_dma_ctx *ctx, uint64_t iova,
                            uint8_t need, struct vtd_walk_hint *hint,
                            struct vtd_page *page);

/*
 * Bits of vtd_page.perm where @entry names the page and all above it permit
 * everything.
 */
uint8_t vtd_first_perm(const struct vtd_dma_ctx *ctx, uint64_t entry);

#endif
