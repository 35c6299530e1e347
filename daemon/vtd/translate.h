/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DMA remapping of a unit: what of dma.h and view.h is the unit's.  What makes
 * translations void moves view->gens.
 */
#ifndef DAEMON_VTD_TRANSLATE_H
#define DAEMON_VTD_TRANSLATE_H

#include "daemon/vtd/priv.h"

/* Once, when the view, the ops and their context are in place. */
void vtd_translate_init(struct vtd *vtd);

/*
 * Write the view's state: @root, and what the registers say of protected
 * memory.  The caller makes void what was learnt before.
 */
void vtd_state_publish(struct vtd *vtd, const struct vtd_root *root);

#endif
