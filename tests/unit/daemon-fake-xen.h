/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fake Xen for the test that runs the whole daemon, and its only includer:
 * the libraries' functions, and the ioctl that the new DMOPs go through, are
 * defined here.  The daemon runs in a child process; the test is the guest,
 * the administrator and Xen, and shares struct fake with the child: the ioreq
 * pages, the guest's memory, and what Xen knows.
 */
#ifndef TESTS_UNIT_DAEMON_FAKE_XEN_H
#define TESTS_UNIT_DAEMON_FAKE_XEN_H

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1 /* for HVM_IOREQSRV_BUFIOREQ_ATOMIC */
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xen/sys/privcmd.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xenstore.h>
#include <xentoolcore.h>

#include "daemon/xen/dmop-abi.h"

/* A failure in the child must end it: cmocka's checks would go on as a test. */
#define must(cond) must_at(cond, #cond, __LINE__)

static void
must_at(bool cond, const char *text, int line)
{
    if (cond)
        return;

    (void)fprintf(stderr, "fake Xen: line %d: not %s\n", line, text);
    abort();
}

#define DOMID     7u
#define VCPUS     3u
#define SERVER    4u
#define BASE      UINT64_C(0xfed90000)
#define RAM_PAGES 64u
#define PAGE      4096u

/* Ports: what Xen numbers from, and what the kernel gives for them. */
#define REMOTE_PORT 20u
#define LOCAL_PORT  100u

#define UPDATES_MAX 64u

struct fake {
    /* What goes wrong, as errno values. */
    int privcmd_errno, vcpus_errno, query_errno, claim_errno, map_errno;
    int bind_errno, enable_errno, info_errno, listen_errno;
    bool restrict_broken;

    uint16_t owner; /* of the vIOMMU, at start */
    bool owner_served;
    char config[512]; /* in xenstore; empty: none */
    bool second_unit;

    /* What has happened. */
    char log[256]; /* steps in order, each a letter */
    bool restricted, created, enabled;
    unsigned ranges;    /* of the server, one behind the other from BASE on */
    unsigned destroyed; /* bit mask of servers */
    unsigned nodes;     /* in xenstore, under viommud/ */
    unsigned live_maps; /* of guest memory */
    bool pages_mapped;
    struct xen_dm_op_viommu_ir_control control;
    struct xen_dm_op_viommu_irte route[UPDATES_MAX];
    unsigned routes;
    struct xen_dm_op_viommu_ir_inject inject[UPDATES_MAX];
    unsigned injects;

    _Alignas(4096) uint8_t pages[2 * PAGE];
    uint8_t ram[RAM_PAGES * PAGE];
};

static struct fake *fake;

/* [0] is the daemon's evtchn device, [1] the rest of the machine. */
static int evtchn_pair[2];

static void
happened(char step)
{
    size_t len = strlen(fake->log);

    if (len + 1 < sizeof(fake->log))
        fake->log[len] = step;
}

/* errno and -1, or 0. */
static int
result(int err)
{
    errno = err;
    return err ? -1 : 0;
}

/* What a restricted handle is asked about another domain. */
static int
other_domain(uint32_t domid, int err)
{
    return domid != DOMID && fake->restricted && !fake->restrict_broken ? err
                                                                        : 0;
}

/* --- the fake: privcmd ---------------------------------------------------- */

/* The names of the parameters are the C library's. */
int
open(const char *__file, int __oflag, ...)
{
    const char *path = __file;
    va_list ap;
    mode_t mode = 0;

    if (__oflag & O_CREAT) {
        va_start(ap, __oflag);
        mode = va_arg(ap, mode_t);
        va_end(ap);
    }

    if (strcmp(path, "/dev/xen/privcmd") == 0) {
        if (result(fake->privcmd_errno))
            return -1;
        path = "/dev/null";
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, __oflag, mode);
}

static int
fake_update(const struct privcmd_dm_op_buf *buf)
{
    struct xen_dm_op_viommu_ir_update *update =
        (void *)((uint8_t *)buf[0].uptr + 8);
    const struct xen_dm_op_viommu_irte *irte = buf[1].uptr;

    must(update->id == SERVER);
    if (update->flags & XEN_DMOP_VIOMMU_UPDATE_CLEAR)
        return 0;

    for (; update->done < update->nr; update->done++)
        fake->route[fake->routes++ % UPDATES_MAX] = irte[update->done];
    return 0;
}

static int
fake_dm_op(const struct privcmd_dm_op *call)
{
    uint8_t *op = call->ubufs[0].uptr;
    struct xen_dm_op_viommu_query query = {
        .version = 1,
        .features = XEN_DMOP_VIOMMU_F_IR,
        .ir_max_entries = 65536,
        .owner = fake->owner,
        .remapped = 12345,
    };
    uint32_t number;

    if (other_domain(call->dom, EPERM))
        return result(EPERM);

    memcpy(&number, op, 4);
    switch (number) {
    case XEN_DMOP_viommu_query:
        if (!fake->query_errno)
            memcpy(op + 8, &query, sizeof(query));
        return result(fake->query_errno);
    case XEN_DMOP_viommu_ir_control:
        happened('c');
        memcpy(&fake->control, op + 8, sizeof(fake->control));
        return result(fake->claim_errno);
    case XEN_DMOP_viommu_ir_update:
        return fake_update(call->ubufs);
    case XEN_DMOP_viommu_ir_inject:
        memcpy(&fake->inject[fake->injects++ % UPDATES_MAX], op + 8,
               sizeof(fake->inject[0]));
        return 0;
    default:
        return result(EOPNOTSUPP);
    }
}

int
ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);

    switch (request) {
    case IOCTL_PRIVCMD_DM_OP:
        return fake_dm_op(arg);
    case IOCTL_PRIVCMD_RESTRICT:
        happened('p');
        return 0;
    case IOCTL_PRIVCMD_HYPERCALL:
        return result(fake->restrict_broken ? EINVAL : EPERM);
    default:
        return (int)syscall(SYS_ioctl, fd, request, arg);
    }
}

/* --- the fake: the libraries ---------------------------------------------- */

xendevicemodel_handle *
xendevicemodel_open(struct xentoollog_logger *logger, unsigned int open_flags)
{
    must(logger != NULL);
    must(open_flags == 0);
    return (void *)fake;
}

int
xendevicemodel_close(xendevicemodel_handle *dmod)
{
    must(dmod != NULL);
    return 0;
}

int
xendevicemodel_nr_vcpus(xendevicemodel_handle *dmod, domid_t domid,
                        unsigned int *vcpus)
{
    (void)dmod;
    *vcpus = VCPUS;
    return result(domid == DOMID ? fake->vcpus_errno
                                 : other_domain(domid, EPERM));
}

int
xendevicemodel_create_ioreq_server(xendevicemodel_handle *dmod, domid_t domid,
                                   int handle_bufioreq, ioservid_t *id)
{
    (void)dmod;
    must(domid == DOMID);
    must(handle_bufioreq == HVM_IOREQSRV_BUFIOREQ_ATOMIC);
    happened('s');
    fake->created = true;
    fake->ranges = 0;
    *id = SERVER;
    return 0;
}

int
xendevicemodel_destroy_ioreq_server(xendevicemodel_handle *dmod, domid_t domid,
                                    ioservid_t id)
{
    (void)dmod;
    must(domid == DOMID);
    happened('d');
    fake->destroyed |= 1u << id;
    return 0;
}

int
xendevicemodel_map_io_range_to_ioreq_server(xendevicemodel_handle *dmod,
                                            domid_t domid, ioservid_t id,
                                            int is_mmio, uint64_t start,
                                            uint64_t end)
{
    (void)dmod;
    (void)domid;
    must(id == SERVER);
    must(is_mmio == 1);
    must(start == BASE + fake->ranges * PAGE);
    must(end == start + PAGE - 1);
    fake->ranges++;
    return 0;
}

static struct ioreq *
slot(unsigned vcpu)
{
    return (struct ioreq *)(void *)(fake->pages + PAGE) + vcpu;
}

int
xendevicemodel_set_ioreq_server_state(xendevicemodel_handle *dmod,
                                      domid_t domid, ioservid_t id, int enabled)
{
    (void)dmod;
    (void)domid;
    must(id == SERVER);
    must(enabled == 1);
    happened('e');
    if (fake->enable_errno)
        return result(fake->enable_errno);
    for (unsigned i = 0; i < VCPUS; i++)
        slot(i)->vp_eport = REMOTE_PORT + i;
    fake->enabled = true;
    return 0;
}

int
xendevicemodel_get_ioreq_server_info(xendevicemodel_handle *dmod, domid_t domid,
                                     ioservid_t id, xen_pfn_t *ioreq_gfn,
                                     xen_pfn_t *bufioreq_gfn,
                                     evtchn_port_t *bufioreq_port)
{
    (void)dmod;
    (void)domid;
    must(id == SERVER);
    must(!ioreq_gfn);
    must(!bufioreq_gfn);
    *bufioreq_port = REMOTE_PORT + VCPUS;
    return result(fake->info_errno);
}

xenforeignmemory_handle *
xenforeignmemory_open(struct xentoollog_logger *logger, unsigned open_flags)
{
    (void)logger;
    (void)open_flags;
    return (void *)fake;
}

int
xenforeignmemory_close(xenforeignmemory_handle *fmem)
{
    (void)fmem;
    return 0;
}

void *
xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot,
                     size_t pages, const xen_pfn_t arr[], int err[])
{
    (void)fmem;
    (void)prot;
    must(pages == 1);
    if (other_domain(dom, EPERM) || arr[0] >= RAM_PAGES) {
        errno = other_domain(dom, EPERM) ? EPERM : EINVAL;
        return NULL;
    }
    if (err)
        err[0] = 0;
    fake->live_maps++;
    return fake->ram + arr[0] * PAGE;
}

int
xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
    (void)fmem;
    (void)addr;
    must(pages == 1);
    fake->live_maps--;
    return 0;
}

int
xenforeignmemory_resource_size(xenforeignmemory_handle *fmem, domid_t domid,
                               unsigned int type, unsigned int id, size_t *size)
{
    (void)fmem;
    (void)domid;
    (void)id;
    must(type == XENMEM_resource_ioreq_server);
    *size = sizeof(fake->pages);
    return 0;
}

/* NOLINTBEGIN(readability-function-size): the parameters are the library's. */
xenforeignmemory_resource_handle *
xenforeignmemory_map_resource(xenforeignmemory_handle *fmem, domid_t domid,
                              unsigned int type, unsigned int id,
                              unsigned long frame, unsigned long nr_frames,
                              void **paddr, int prot, int flags)
{
    (void)fmem;
    (void)domid;
    (void)type;
    (void)prot;
    (void)flags;
    if (result(fake->map_errno))
        return NULL;

    /* A predecessor's server: only its first page of slots is looked at. */
    if (id != SERVER) {
        must(frame == 1);
        slot(0)->vp_eport = REMOTE_PORT;
    } else {
        must(frame == 0);
        must(nr_frames == 2);
        fake->pages_mapped = true;
    }
    *paddr = fake->pages + frame * PAGE;
    return (void *)fake;
}

/* NOLINTEND(readability-function-size) */

int
xenforeignmemory_unmap_resource(xenforeignmemory_handle *fmem,
                                xenforeignmemory_resource_handle *fres)
{
    (void)fmem;
    must(fres != NULL);
    fake->pages_mapped = false;
    return 0;
}

xenevtchn_handle *
xenevtchn_open(struct xentoollog_logger *logger, unsigned int flags)
{
    (void)logger;
    (void)flags;
    return (void *)fake;
}

int
xenevtchn_close(xenevtchn_handle *xce)
{
    (void)xce;
    return 0;
}

int
xenevtchn_fd(xenevtchn_handle *xce)
{
    (void)xce;
    return evtchn_pair[0];
}

xenevtchn_port_or_error_t
xenevtchn_bind_interdomain(xenevtchn_handle *xce, uint32_t domid,
                           evtchn_port_t remote_port)
{
    (void)xce;
    if (domid != DOMID)
        return result(other_domain(domid, EACCES) ? EACCES : EINVAL);
    if (fake->bind_errno || (fake->owner_served && !fake->created))
        return result(EINVAL);
    return (int)(LOCAL_PORT + remote_port);
}

int
xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
    (void)xce;
    (void)port;
    return 0;
}

/* The daemon's doorbell to us: ports above any local one. */
int
xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
    uint32_t message = port | 0x80000000u;

    (void)xce;
    return write(evtchn_pair[0], &message, 4) == 4 ? 0 : -1;
}

int
xentoolcore_restrict_all(domid_t domid)
{
    must(domid == DOMID);
    happened('r');
    fake->restricted = true;
    return 0;
}

struct xs_handle *
xs_open(unsigned long flags)
{
    must(flags == 0);
    return (void *)fake;
}

void
xs_close(struct xs_handle *xsh)
{
    (void)xsh;
}

void *
xs_read(struct xs_handle *h, xs_transaction_t t, const char *path,
        unsigned int *len)
{
    const char *val = NULL;

    (void)h;
    (void)t;
    if (strcmp(path, "/libxl/7/viommu/0/config") == 0 && fake->config[0])
        val = fake->config;
    else if (strcmp(path, "/libxl/7/viommu/1") == 0 && fake->second_unit)
        val = "";

    errno = ENOENT;
    if (!val)
        return NULL;
    *len = (unsigned)strlen(val);
    return strdup(val);
}

bool
xs_write(struct xs_handle *h, xs_transaction_t t, const char *path,
         const void *data, unsigned int len)
{
    static const char *const names[] = { "pid", "ioservid", "state",
                                         "version" };

    (void)h;
    (void)t;
    (void)data;
    must(len > 0);
    must(strncmp(path, "/local/domain/0/viommud/7/", 26) == 0);
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(path + 26, names[i]) == 0)
            fake->nodes |= 1u << i;
    }
    if (fake->nodes == 15)
        happened('x');
    return true;
}

bool
xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
    (void)h;
    (void)t;
    must(strcmp(path, "/local/domain/0/viommud/7") == 0);
    fake->nodes = 0;
    return true;
}

#endif
