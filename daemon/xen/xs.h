/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xenstore: the units' configuration at start, and who serves the domain.
 * Nothing here is the guest's to write.  No connection stays open.
 */
#ifndef DAEMON_XEN_XS_H
#define DAEMON_XEN_XS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Read the configuration of domain @domid's units, all of them in one node,
 * /libxl/<domid>/viommu/0/config.  What went wrong is logged; so is a second
 * node, which is refused.
 */
int xenstore_config_read(uint16_t domid, char *buf, size_t size);

struct xenstore_state {
    uint16_t domid;
    uint16_t ioservid;
    int pid;
    const char *state;
    const char *version;
};

/* Write /local/domain/0/viommud/<domid>/{pid,ioservid,state,version}. */
int xenstore_state_write(const struct xenstore_state *state);

/* Remove them.  A xenstore that cannot be reached is not an error here. */
void xenstore_state_remove(uint16_t domid);

#endif
