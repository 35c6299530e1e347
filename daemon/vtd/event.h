/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unit's own interrupts: control (IM, IP), data, address and upper address
 * registers of the fault event, of the invalidation completion event and of the
 * page request event.
 */
#ifndef DAEMON_VTD_EVENT_H
#define DAEMON_VTD_EVENT_H

#include "daemon/vtd/regs.h"

enum vtd_event_kind {
    VTD_EVENT_FAULT,
    VTD_EVENT_COMPLETION,
    VTD_EVENT_PAGE_REQUEST,
};

/* A new interrupt condition: send the message, or hold it while masked. */
void vtd_event_raise(struct vtd *vtd, enum vtd_event_kind kind);

/* Software has serviced the condition: forget a held message. */
void vtd_event_drop(struct vtd *vtd, enum vtd_event_kind kind);

vtd_reg_hook vtd_fectl_write;
vtd_reg_hook vtd_iectl_write;
vtd_reg_hook vtd_pectl_write;

#endif
