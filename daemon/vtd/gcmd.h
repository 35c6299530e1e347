/* SPDX-License-Identifier: GPL-2.0-only */
/* Global command and status: enabling and latching. */
#ifndef DAEMON_VTD_GCMD_H
#define DAEMON_VTD_GCMD_H

#include "daemon/vtd/regs.h"

vtd_reg_hook vtd_gcmd_write;

/*
 * Every sink knows of the last SRTP and TE, or (@done false) is cut off: the
 * status follows.
 */
void vtd_gcmd_synced(struct vtd *vtd, bool done);

/* Tell the owner the unit's treatment of interrupts if it changed. */
void vtd_gcmd_ir_announce(struct vtd *vtd);

#endif
