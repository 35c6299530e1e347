/* SPDX-License-Identifier: GPL-2.0-only */
/* The invalidation queue: its bounds, errors and budget. */
#ifndef DAEMON_VTD_QI_H
#define DAEMON_VTD_QI_H

#include "daemon/vtd/regs.h"

/* The unit was created: which descriptors it knows. */
void vtd_qi_init(struct vtd *vtd);

/* Run what is pending, as far as one register write may. */
void vtd_qi_kick(struct vtd *vtd);

/* QIE was cleared. */
void vtd_qi_disable(struct vtd *vtd);

/*
 * Sinks acknowledged what the wait descriptor at the head waited for (@done),
 * or a device did not: the descriptor is given up, and what it should have
 * signalled is not.
 */
void vtd_qi_synced(struct vtd *vtd, bool done);

vtd_reg_hook vtd_iqt_write;
vtd_reg_hook vtd_iqa_write;
vtd_reg_hook vtd_ics_write;

#endif
