/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Event channels: the doorbells between Xen and us.
 *
 * A port that evtchn_read() returned stays masked until evtchn_unmask(); an
 * event meanwhile is delivered then, so none is lost.
 */
#ifndef DAEMON_XEN_EVTCHN_H
#define DAEMON_XEN_EVTCHN_H

#include <stdint.h>

struct xentoollog_logger;
struct xenevtchn_handle;

/* Ports that one evtchn_read() returns at most. */
#define EVTCHN_BATCH 128u

struct evtchn {
    struct xenevtchn_handle *xce;
    int fd; /* to poll; owned by the library */
};

int evtchn_open(struct evtchn *evtchn, struct xentoollog_logger *logger);
void evtchn_close(struct evtchn *evtchn);

/* The local port, or -errno; -EINVAL if somebody else has bound @remote. */
int evtchn_bind(struct evtchn *evtchn, uint16_t domid, uint32_t remote);
void evtchn_unbind(struct evtchn *evtchn, uint32_t port);

/* The number of ports in @port, 0 if none is pending, or -errno. */
int evtchn_read(const struct evtchn *evtchn, uint32_t port[EVTCHN_BATCH]);
void evtchn_unmask(const struct evtchn *evtchn, const uint32_t *port,
                   unsigned n);
void evtchn_notify(const struct evtchn *evtchn, uint32_t port);

#endif
