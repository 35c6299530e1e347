/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected memory regions: two ranges of memory that DMA does not reach while
 * no table says where it goes.
 *
 * They apply to every request while DMA remapping is disabled, and to
 * pass-through and translated requests while it is enabled.  For requests that
 * are translated the specification leaves it open, and tells software to rely
 * on its tables; here they are not looked at.  A blocked request is no fault.
 * [VT-d 4.1, "Protected Memory Enable Register"]
 */
#ifndef DAEMON_VTD_PMR_H
#define DAEMON_VTD_PMR_H

#include "daemon/vtd/regs.h"

/* The regions as the registers have them. */
void vtd_pmr_get(const struct vtd *vtd, struct vtd_pmr *pmr);

/* Of PMEN, and of the registers that say where the regions are. */
vtd_reg_hook vtd_pmr_write;

/* The sync of VTD_SYNC_PMR was granted. */
void vtd_pmr_synced(struct vtd *vtd, bool done);

#endif
