/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What somebody outside needs to know of a unit to translate through it by
 * himself: all but the guest's memory.  The model alone writes it; it may lie in
 * memory that other processes read.  What they need besides is dma.h and what
 * that includes: libvtd-walk.a.  Those files can be had under the MIT licence,
 * too, because a client links them into a program whose licence is its own.
 *
 * The state changes together with seq, which is odd meanwhile; gens are moved
 * after that, so that what was learnt from an older state is not valid.  Who
 * keeps what he learnt reads gens.seq first, then the state: see
 * vtd_dma_miss().
 */
#ifndef DAEMON_VTD_VIEW_H
#define DAEMON_VTD_VIEW_H

#include "daemon/vtd/cache.h"

/*
 * Protected memory as it is in force; a region whose base is above its last
 * byte is none.
 */
struct vtd_pmr {
    uint64_t low, low_last;
    uint64_t high, high_last;
};

/* What can be read of it at one moment. */
struct vtd_view_state {
    struct vtd_root root;
    struct vtd_pmr pmr;
};

struct vtd_view {
    struct vtd_gens gens;
    uint32_t seq;
    struct vtd_view_state state;
    struct vtd_config config; /* constant */
} __attribute__((aligned(64)));

/* False if the writer never came to an end: translate nothing. */
bool vtd_view_read(const struct vtd_view *view, struct vtd_view_state *state);

/* By the owner alone, before it moves @view->gens. */
void vtd_view_write(struct vtd_view *view, const struct vtd_view_state *state);

/* Whether a byte of [@gpa, @gpa + @size) is protected; @size is not 0. */
bool vtd_pmr_blocks(const struct vtd_pmr *pmr, uint64_t gpa, uint64_t size);

#endif
