/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt remapping: table entries and requests. */
#ifndef DAEMON_VTD_IR_H
#define DAEMON_VTD_IR_H

#include "daemon/vtd/priv.h"

/*
 * Copy entry @index of the latched table.  VTD_FR_OK, VTD_FR_IR_INDEX_RANGE,
 * VTD_FR_IR_ROOT_ACCESS.
 */
enum vtd_fr vtd_irte_fetch(const struct vtd *vtd, uint32_t index,
                           uint64_t raw[2]);

/*
 * Decode an entry under @eime.  VTD_FR_OK, VTD_FR_IR_NOT_PRESENT or
 * VTD_FR_IR_ENTRY_RSVD; *route is written in the first case only.
 */
enum vtd_fr vtd_irte_decode(const uint64_t raw[2], bool eime, uint32_t index,
                            struct vtd_route *route);

#endif
