/* SPDX-License-Identifier: GPL-2.0-only */
/* From a guest's configuration to what its unit advertises. */
#ifndef DAEMON_UNIT_H
#define DAEMON_UNIT_H

#include "daemon/config.h"
#include "daemon/vtd/vtd.h"

/* What vtd_config_check() accepts, for whatever config_parse() accepts. */
void unit_config(const struct viommu_config *config, struct vtd_config *unit);

#endif
