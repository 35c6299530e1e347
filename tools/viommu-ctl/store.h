/* SPDX-License-Identifier: GPL-2.0-only */
/* What viommu-ctl reads and writes in xenstore. */
#ifndef TOOLS_VIOMMU_CTL_STORE_H
#define TOOLS_VIOMMU_CTL_STORE_H

#include <stddef.h>

#include "tools/viommu-ctl/text.h"

/* Domain ids of guests: from 1 to the last one that is not reserved. */
#define STORE_DOMID_MAX 0x7fefu

/*
 * The id of the domain whose name or id is @domain.  Returns 0, or -errno
 * with @err set.  An id is not looked up: that needs no xenstore.
 */
int store_domain_find(const char *domain, unsigned *domid,
                      struct text_error *err);

/* The same for a name only, even if it is a number. */
int store_domain_find_name(const char *name, unsigned *domid,
                           struct text_error *err);

/* The domain's name, printable; "?" if xenstore does not tell. */
void store_domain_name(unsigned domid, char *buf, size_t size);

/*
 * Write unit 0's configuration for the daemon of @domid, where the guest can
 * neither read nor write.  -EBUSY if a daemon already runs for @domid, -ENXIO
 * if there is no such domain.
 */
int store_config_write(unsigned domid, const char *spec,
                       struct text_error *err);
int store_config_remove(unsigned domid, struct text_error *err);

#endif
