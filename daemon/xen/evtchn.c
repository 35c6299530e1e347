/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/evtchn.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <xenevtchn.h>

#include "daemon/log.h"

int
evtchn_open(struct evtchn *evtchn, struct xentoollog_logger *logger)
{
    int flags;
    int rc;

    evtchn->fd = -1;
    evtchn->xce = xenevtchn_open(logger, 0);
    if (!evtchn->xce)
        return -errno;

    /*
     * The loop reads when the descriptor is ready, but what made it ready may
     * have gone with a port that was closed since.
     */
    evtchn->fd = xenevtchn_fd(evtchn->xce);
    flags = fcntl(evtchn->fd, F_GETFL);
    if (flags < 0 || fcntl(evtchn->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        rc = -errno;
        evtchn_close(evtchn);
        return rc;
    }

    return 0;
}

void
evtchn_close(struct evtchn *evtchn)
{
    if (evtchn->xce)
        (void)xenevtchn_close(evtchn->xce);
    evtchn->xce = NULL;
    evtchn->fd = -1;
}

int
evtchn_bind(struct evtchn *evtchn, uint16_t domid, uint32_t remote)
{
    int port = xenevtchn_bind_interdomain(evtchn->xce, domid, remote);

    return port < 0 ? -errno : port;
}

void
evtchn_unbind(struct evtchn *evtchn, uint32_t port)
{
    (void)xenevtchn_unbind(evtchn->xce, port);
}

/*
 * xenevtchn_pending() and xenevtchn_unmask() move one port a system call; the
 * device moves as many as fit.  A port is a 32-bit number in both directions.
 */
int
evtchn_read(const struct evtchn *evtchn, uint32_t port[EVTCHN_BATCH])
{
    ssize_t n = read(evtchn->fd, port, EVTCHN_BATCH * sizeof(*port));

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;

    return (int)((size_t)n / sizeof(*port));
}

void
evtchn_unmask(const struct evtchn *evtchn, const uint32_t *port, unsigned n)
{
    ssize_t rc;

    if (!n)
        return;

    do {
        rc = write(evtchn->fd, port, n * sizeof(*port));
    } while (rc < 0 && errno == EINTR);

    if (rc < 0)
        log_limited(LOG_LEVEL_ERROR, "evtchn: cannot unmask: %s",
                    strerror(errno));
}

void
evtchn_notify(const struct evtchn *evtchn, uint32_t port)
{
    if (xenevtchn_notify(evtchn->xce, port) < 0)
        log_limited(LOG_LEVEL_ERROR, "evtchn: cannot notify: port=%u: %s", port,
                    strerror(errno));
}
