/* SPDX-License-Identifier: GPL-2.0-only */
/* A unit, and what it advertises by its configuration. */
#ifndef DAEMON_UNIT_H
#define DAEMON_UNIT_H

#include "daemon/config.h"
#include "daemon/vtd/vtd.h"

struct record;
struct vtd_view;

struct unit {
    unsigned index; /* 0 and up, in the order of the DMAR table */
    struct viommu_config config;
    struct vtd *vtd;
    struct vtd_view *view; /* in shared memory; NULL: the unit's own */
    struct record *record; /* what is done to it; NULL: is not recorded */
    bool wired;            /* Xen looks up interrupts in its table: one unit */
};

/* What vtd_config_check() accepts, for whatever config_parse() accepts. */
void unit_config(const struct viommu_config *config, struct vtd_config *unit);

/*
 * The one of @count units in whose scope the device @sid is: that which names
 * it, with *@place in its list, or else that of all the others, with -1.  NULL
 * if there is none.  @place may be NULL.
 */
const struct unit *unit_find_device(const struct unit *unit, unsigned count,
                                    uint16_t sid, int *place);

#endif
