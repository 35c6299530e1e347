/* SPDX-License-Identifier: GPL-2.0-only */
/* What a unit advertises. */
#ifndef DAEMON_VTD_CAPS_H
#define DAEMON_VTD_CAPS_H

#include "daemon/vtd/priv.h"

/* Index mask of an IEC descriptor at most, ECAP.MHMV; 2^15 entries. */
#define VTD_MHMV 15u

/* Address mask of an IOTLB descriptor at most, CAP.MAMV: CAP.PSI is clear. */
#define VTD_MAMV 0u

/* True if vtd_create() accepts @config. */
bool vtd_caps_check(const struct vtd_config *config);

/* Capability registers, and which register bits they make writable. */
void vtd_caps_apply(struct vtd *vtd);

#endif
