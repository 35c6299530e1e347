/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/handles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>
#include <xentoolcore.h>
#include <xentoollog.h>

#include "daemon/log.h"

/*
 * The libraries would print on standard error what we print better: an error
 * is to be one line.  What they say is there when it is asked for.
 */
static void library_message(struct xentoollog_logger *logger,
                            xentoollog_level level, int errnoval,
                            const char *context, const char *format, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void
library_message(struct xentoollog_logger *logger, xentoollog_level level,
                int errnoval, const char *context, const char *format,
                va_list ap)
{
    char text[256];

    (void)logger;
    (void)level;
    (void)vsnprintf(text, sizeof(text), format, ap);
    log_debug("%s: %s: %s", context ? context : "xen", text,
              errnoval > 0 ? strerror(errnoval) : "-");
}

static void
library_destroy(struct xentoollog_logger *logger)
{
    (void)logger;
}

static struct xentoollog_logger library_logger = {
    .vmessage = library_message,
    .destroy = library_destroy,
};

static int
open_failed(const char *what, int rc)
{
    const char *hint = "run it as root";

    if (rc == -ENOENT || rc == -ENODEV || rc == -ENXIO)
        hint = "it must run in dom0, on Xen, with the modules xen-privcmd and "
               "xen-evtchn loaded";

    log_error("cannot open %s: %s; %s", what, strerror(-rc), hint);
    return rc;
}

int
handles_open(struct xen_handles *xen, uint16_t domid)
{
    int rc;

    *xen = (struct xen_handles){ .domid = domid, .dmop = { .fd = -1 } };

    rc = dmop_open(&xen->dmop, domid);
    if (rc)
        return open_failed("/dev/xen/privcmd", rc);

    rc = evtchn_open(&xen->evtchn, &library_logger);
    if (rc)
        return open_failed("/dev/xen/evtchn", rc);

    xen->dm = xendevicemodel_open(&library_logger, 0);
    if (!xen->dm)
        return open_failed("libxendevicemodel", -errno);

    xen->fmem = xenforeignmemory_open(&library_logger, 0);
    if (!xen->fmem)
        return open_failed("libxenforeignmemory", -errno);

    return 0;
}

void
handles_close(struct xen_handles *xen)
{
    if (xen->fmem)
        (void)xenforeignmemory_close(xen->fmem);
    xen->fmem = NULL;

    if (xen->dm)
        (void)xendevicemodel_close(xen->dm);
    xen->dm = NULL;

    evtchn_close(&xen->evtchn);
    dmop_close(&xen->dmop);
}

/*
 * Ask each handle for what it must not give any more.  The kernel refuses
 * before it looks whether that domain exists.
 */
static int
restrict_verify(struct xen_handles *xen)
{
    uint16_t other = xen->domid == 1 ? 2 : 1;
    const xen_pfn_t gfn = 0;
    unsigned vcpus;
    void *page;
    int rc;

    if (dmop_restrict_verify(&xen->dmop, other))
        return -EACCES;

    if (xendevicemodel_nr_vcpus(xen->dm, other, &vcpus) != -1 || errno != EPERM)
        return -EACCES;

    page = xenforeignmemory_map(xen->fmem, other, PROT_READ, 1, &gfn, NULL);
    if (page) {
        (void)xenforeignmemory_unmap(xen->fmem, page, 1);
        return -EACCES;
    }
    if (errno != EPERM)
        return -EACCES;

    /* Port 0 is never valid, so that nothing would be bound. */
    rc = evtchn_bind(&xen->evtchn, other, 0);
    if (rc != -EACCES && rc != -EPERM)
        return -EACCES;

    return 0;
}

int
handles_restrict(struct xen_handles *xen)
{
    int rc;

    if (xentoolcore_restrict_all(xen->domid) < 0) {
        rc = -errno;
        log_error("cannot restrict the Xen libraries to domain %u: %s; dom0's "
                  "kernel must be Linux 4.14 or newer",
                  xen->domid, strerror(-rc));
        return rc;
    }

    rc = dmop_restrict(&xen->dmop);
    if (rc) {
        log_error("cannot restrict /dev/xen/privcmd to domain %u: %s; dom0's "
                  "kernel must be Linux 4.14 or newer",
                  xen->domid, strerror(-rc));
        return rc;
    }

    rc = restrict_verify(xen);
    if (rc)
        log_error("cannot trust the restriction to domain %u: dom0's kernel "
                  "still allows what it must refuse; not starting",
                  xen->domid);
    return rc;
}

int
handles_vcpus(const struct xen_handles *xen)
{
    unsigned vcpus;

    if (xendevicemodel_nr_vcpus(xen->dm, xen->domid, &vcpus) < 0)
        return -errno;

    /* Event channel ports, of which there is one a vCPU, are 17 bits. */
    return vcpus < 1u << 17 ? (int)vcpus : -ERANGE;
}
