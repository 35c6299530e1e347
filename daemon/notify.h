/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tell the service manager how we are: sd_notify(3)'s protocol, without
 * libsystemd.  Without a service manager every call does nothing.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd;               /* connected datagram socket, or -1 */
    uint64_t watchdog_ms; /* how often WATCHDOG=1 is due; 0: never */
};

/* The socket is opened here and kept, because later no path may be opened. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* @state is lines of NAME=value, "READY=1\nSTATUS=serving domain 7". */
void notify_send(const struct notify *notify, const char *state);

#endif
