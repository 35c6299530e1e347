/* SPDX-License-Identifier: GPL-2.0-only */
/* The invalidation queue: its descriptors, bounds, errors and budget. */
#ifndef DAEMON_VTD_QI_H
#define DAEMON_VTD_QI_H

#include "daemon/vtd/regs.h"

/* Run what is pending, as far as one register write may. */
void vtd_qi_kick(struct vtd *vtd);

/* QIE was cleared. */
void vtd_qi_disable(struct vtd *vtd);

vtd_reg_hook vtd_iqt_write;
vtd_reg_hook vtd_iqa_write;
vtd_reg_hook vtd_ics_write;

#endif
