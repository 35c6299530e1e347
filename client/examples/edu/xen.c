/* SPDX-License-Identifier: MIT */
#define __XEN_TOOLS__ 1 /* for HVM_IOREQSRV_BUFIOREQ_OFF */

#include "client/examples/edu/xen.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xentoolcore.h>

#include "client/examples/edu/request.h"

#define PAGE_SIZE      4096u
#define SLOTS_PER_PAGE (PAGE_SIZE / sizeof(struct ioreq))
#define SERVERLESS     UINT64_MAX

static int
fail(const char *what)
{
    int rc = -errno;

    warn("cannot %s", what);
    return rc;
}

int
xen_open(struct xen *xen, uint16_t domid, uint16_t sid)
{
    *xen = (struct xen){ .domid = domid, .sid = sid };

    xen->dm = xendevicemodel_open(NULL, 0);
    if (!xen->dm) {
        return fail("open libxendevicemodel");
    }
    xen->fmem = xenforeignmemory_open(NULL, 0);
    if (!xen->fmem) {
        return fail("open libxenforeignmemory");
    }
    memory_init(&xen->memory, xen->fmem, domid);
    xen->evtchn = xenevtchn_open(NULL, 0);
    if (!xen->evtchn) {
        return fail("open libxenevtchn");
    }
    /* What made it readable may be gone when we read. */
    if (fcntl(xenevtchn_fd(xen->evtchn), F_SETFL, O_NONBLOCK) < 0) {
        return fail("set up libxenevtchn");
    }
    return 0;
}

int
xen_restrict(struct xen *xen)
{
    return xentoolcore_restrict_all(xen->domid) < 0
               ? fail("restrict the Xen libraries to the domain")
               : 0;
}

/* --- the server ----------------------------------------------------------- */

/* The resource is the buffered ring, which we do not ask for, and the slots. */
static int
slots_map(struct xen *xen)
{
    size_t size;
    unsigned long pages;
    void *addr = NULL;

    if (xendevicemodel_nr_vcpus(xen->dm, xen->domid, &xen->vcpus) < 0) {
        return fail("count the vCPUs");
    }
    /* Linux before 5.12 cannot tell; then it is one. */
    pages = xenforeignmemory_resource_size(xen->fmem, xen->domid,
                                           XENMEM_resource_ioreq_server,
                                           xen->id, &size) < 0 ||
                    size <= PAGE_SIZE
                ? 1
                : size / PAGE_SIZE - 1;
    if (xen->vcpus > pages * SLOTS_PER_PAGE) {
        errno = ENOSPC;
        return fail("serve as many vCPUs: Xen has no room for them");
    }

    xen->res = xenforeignmemory_map_resource(
        xen->fmem, xen->domid, XENMEM_resource_ioreq_server, xen->id,
        XENMEM_resource_ioreq_server_frame_ioreq(0), pages, &addr,
        PROT_READ | PROT_WRITE, 0);
    if (!xen->res) {
        return fail("map the ioreq page");
    }
    xen->slot = addr;
    xen->port = calloc(xen->vcpus, sizeof(*xen->port));
    return xen->port ? 0 : fail("allocate the ports");
}

int
xen_server_create(struct xen *xen, const struct xen_device_ops *ops, void *ctx)
{
    int rc;

    xen->ops = ops;
    xen->ctx = ctx;
    if (xendevicemodel_create_ioreq_server(
            xen->dm, xen->domid, HVM_IOREQSRV_BUFIOREQ_OFF, &xen->id) < 0) {
        return fail("create an ioreq server");
    }
    xen->created = true;

    rc = slots_map(xen);
    if (rc) {
        return rc;
    }
    return xendevicemodel_map_pcidev_to_ioreq_server(
               xen->dm, xen->domid, xen->id, 0, (uint8_t)(xen->sid >> 8),
               xen->sid >> 3 & 0x1f, xen->sid & 7) < 0
               ? fail("register the device")
               : 0;
}

/*
 * The guest puts a BAR where it likes.  Xen asks us only for addresses where
 * the guest has no memory; other device models' registers the guest can hide
 * that way, from nobody but itself.
 */
int
xen_range_set(struct xen *xen, enum xen_range_id id, uint64_t base,
              uint64_t size)
{
    struct xen_range *range = &xen->range[id];

    if (range->size) {
        (void)xendevicemodel_unmap_io_range_from_ioreq_server(
            xen->dm, xen->domid, xen->id, 1, range->base,
            range->base + range->size - 1);
    }
    *range = (struct xen_range){ 0 };
    if (!size) {
        return 0;
    }
    if (xendevicemodel_map_io_range_to_ioreq_server(
            xen->dm, xen->domid, xen->id, 1, base, base + size - 1) < 0) {
        return -errno;
    }
    *range = (struct xen_range){ .base = base, .size = size };
    return 0;
}

/* --- requests ------------------------------------------------------------- */

/* Which range an access is of, and where in it; XEN_RANGES: none. */
static enum xen_range_id
range_find(const struct xen *xen, enum request_space space, uint64_t addr,
           uint64_t *off)
{
    *off = addr;
    if (space == REQUEST_CONFIG) {
        return XEN_RANGE_ECAM;
    }
    for (unsigned id = 0; id < XEN_RANGES; id++) {
        *off = addr - xen->range[id].base;
        if (*off < xen->range[id].size) {
            return (enum xen_range_id)id;
        }
    }
    return XEN_RANGES;
}

static uint64_t
space_read(void *ctx, enum request_space space, uint64_t addr, unsigned size)
{
    const struct xen *xen = ctx;
    uint64_t off;

    switch (range_find(xen, space, addr, &off)) {
    case XEN_RANGE_BAR:
        return xen->ops->bar_read(xen->ctx, off, size);
    case XEN_RANGE_ECAM:
        return xen->ops->config_read(xen->ctx, off, size);
    default:
        return SERVERLESS;
    }
}

static void
space_write(void *ctx, enum request_space space, uint64_t addr, unsigned size,
            uint64_t val)
{
    const struct xen *xen = ctx;
    uint64_t off;

    switch (range_find(xen, space, addr, &off)) {
    case XEN_RANGE_BAR:
        xen->ops->bar_write(xen->ctx, off, size, val);
        break;
    case XEN_RANGE_ECAM:
        xen->ops->config_write(xen->ctx, off, size, val);
        break;
    default:
        break;
    }
}

static int
space_memory(void *ctx, uint64_t gpa, void *buf, size_t len, bool write)
{
    struct xen *xen = ctx;

    return write ? memory_write(&xen->memory, gpa, buf, len)
                 : memory_read(&xen->memory, gpa, buf, len);
}

static const struct request_ops request_ops = {
    .read = space_read,
    .write = space_write,
    .memory = space_memory,
};

/*
 * Answer a vCPU's request, if it has one.  There is no way past the answer: a
 * vCPU that gets none never runs again.
 */
static void
slot_serve(struct xen *xen, unsigned vcpu)
{
    volatile struct ioreq *slot = &xen->slot[vcpu];
    struct ioreq req;

    if (slot->state != STATE_IOREQ_READY) {
        return;
    }
    /* The state before what it promises; pairs with Xen's ioreq_send(). */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    memcpy(&req, &xen->slot[vcpu], sizeof(req));
    slot->state = STATE_IOREQ_INPROCESS;

    if (req.type == IOREQ_TYPE_INVALIDATE) {
        memory_forget(&xen->memory);
        xen->ops->memory_forget(xen->ctx);
    }
    slot->data = request_run(&req, &request_ops, xen);

    /* The data before the state; pairs with Xen's wait_for_io(). */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    slot->state = STATE_IORESP_READY;
    if (xenevtchn_notify(xen->evtchn, xen->port[vcpu]) < 0) {
        warn("cannot notify vCPU %u", vcpu);
    }
}

/* --- event channels ------------------------------------------------------- */

int
xen_server_enable(struct xen *xen)
{
    if (xendevicemodel_set_ioreq_server_state(xen->dm, xen->domid, xen->id, 1) <
        0) {
        return fail("enable the ioreq server");
    }
    /* Xen has filled in the event channels now. */
    for (unsigned i = 0; i < xen->vcpus; i++) {
        int port = xenevtchn_bind_interdomain(xen->evtchn, xen->domid,
                                              xen->slot[i].vp_eport);

        if (port < 0) {
            return fail("bind an event channel");
        }
        xen->port[i] = (uint32_t)port;
        /* What came before it was bound rang no bell. */
        slot_serve(xen, i);
    }
    return 0;
}

int
xen_fd(const struct xen *xen)
{
    return xenevtchn_fd(xen->evtchn);
}

void
xen_serve(struct xen *xen)
{
    xenevtchn_port_or_error_t port = xenevtchn_pending(xen->evtchn);

    if (port < 0) {
        return;
    }
    /* Unmasked first: a request that comes while we look rings again. */
    (void)xenevtchn_unmask(xen->evtchn, (evtchn_port_t)port);
    for (unsigned i = 0; i < xen->vcpus; i++) {
        if (xen->port[i] == (uint32_t)port) {
            slot_serve(xen, i);
        }
    }
}

/* --- interrupts, and the end ---------------------------------------------- */

int
xen_msi(const struct xen *xen, uint64_t addr, uint32_t data)
{
    return xendevicemodel_inject_msi(xen->dm, xen->domid, addr, data) < 0
               ? -errno
               : 0;
}

void
xen_intx(const struct xen *xen, bool level)
{
    if (xendevicemodel_set_pci_intx_level(xen->dm, xen->domid, 0,
                                          (uint8_t)(xen->sid >> 8),
                                          xen->sid >> 3 & 0x1f, 0, level) < 0) {
        warn("cannot set the interrupt pin");
    }
}

bool
xen_is_alive(const struct xen *xen)
{
    evtchn_port_t port;

    /* We do not care for the port; asking for a page would be refused. */
    return xendevicemodel_get_ioreq_server_info(xen->dm, xen->domid, xen->id,
                                                NULL, NULL, &port) == 0 ||
           (errno != ESRCH && errno != ENOENT);
}

void
xen_server_destroy(struct xen *xen)
{
    if (xen->res) {
        (void)xenforeignmemory_unmap_resource(xen->fmem, xen->res);
    }
    xen->res = NULL;
    xen->slot = NULL;
    if (xen->created &&
        xendevicemodel_destroy_ioreq_server(xen->dm, xen->domid, xen->id) < 0 &&
        errno != ESRCH && errno != ENOENT) {
        warn("cannot destroy the ioreq server");
    }
    xen->created = false;
    free(xen->port);
    xen->port = NULL;
}

void
xen_close(struct xen *xen)
{
    xen_server_destroy(xen);
    if (xen->evtchn) {
        (void)xenevtchn_close(xen->evtchn);
    }
    if (xen->fmem) {
        memory_destroy(&xen->memory);
        (void)xenforeignmemory_close(xen->fmem);
    }
    if (xen->dm) {
        (void)xendevicemodel_close(xen->dm);
    }
    *xen = (struct xen){ 0 };
}
