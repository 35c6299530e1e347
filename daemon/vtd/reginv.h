/* SPDX-License-Identifier: GPL-2.0-only */
/* Register-based invalidation: CCMD, IVA and IOTLB. */
#ifndef DAEMON_VTD_REGINV_H
#define DAEMON_VTD_REGINV_H

#include "daemon/vtd/regs.h"

vtd_reg_hook vtd_ccmd_write;
vtd_reg_hook vtd_iotlb_write;

/* The sync that a command waited for came to an end; see sync.h. */
void vtd_ccmd_synced(struct vtd *vtd, bool done);
void vtd_iotlb_synced(struct vtd *vtd, bool done);

#endif
