/* SPDX-License-Identifier: GPL-2.0-only */
/* Invalidation descriptors: validation and effect of each type. */
#ifndef DAEMON_VTD_QI_DESC_H
#define DAEMON_VTD_QI_DESC_H

#include "daemon/vtd/priv.h"

/*
 * Check and execute one descriptor.  VTD_IQEI_NONE, or why it is in error; it
 * had no effect then.  *@cost is increased by the work beyond an ordinary
 * descriptor's, in descriptors.
 */
enum vtd_iqei vtd_qi_desc_run(struct vtd *vtd, const uint64_t desc[2],
                              unsigned *cost);

#endif
