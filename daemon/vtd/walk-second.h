/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The second stage: guest's or device's addresses to guest physical ones. */
#ifndef DAEMON_VTD_WALK_SECOND_H
#define DAEMON_VTD_WALK_SECOND_H

#include "daemon/vtd/walk.h"

/*
 * vtd_walk() for a @ctx of stage SECOND; and of stage NESTED for what the first
 * stage refers to, where interrupt addresses are addresses like others.
 */
enum vtd_fr vtd_second_walk(const struct vtd_walk_env *env,
                            const struct vtd_dma_ctx *ctx, uint64_t iova,
                            uint8_t need, struct vtd_walk_hint *hint,
                            struct vtd_page *page);

/* R and W of an entry as bits of vtd_page.perm. */
uint8_t vtd_second_perm(uint64_t rw);

#endif
