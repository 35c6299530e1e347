/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page requests: the queue that they enter, and the responses to them.  The
 * only owner of PRS; PQT is moved here and by software.
 *
 * A request has entered the queue, or was refused, when vtd_page_request()
 * returns.  So none is ever on its way, and a wait descriptor that drains
 * them (PD) has nothing to wait for.
 * [VT-d 4.1, "Page Request Ordering and Draining"]
 */
#ifndef DAEMON_VTD_PRQ_H
#define DAEMON_VTD_PRQ_H

#include "daemon/vtd/regs.h"

/* Software answered a group of requests: a page group response descriptor. */
void vtd_prq_respond(struct vtd *vtd, const struct vtd_page_resp *resp);

vtd_reg_hook vtd_prs_write;

#endif
