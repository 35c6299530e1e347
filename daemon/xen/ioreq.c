/* SPDX-License-Identifier: GPL-2.0-only */
#define __XEN_TOOLS__ 1 /* for HVM_IOREQSRV_BUFIOREQ_ATOMIC */

#include "daemon/xen/ioreq.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>

#include "daemon/log.h"
#include "daemon/xen/bufioreq.h"
#include "daemon/xen/dmop-abi.h"
#include "daemon/xen/gmem.h"
#include "daemon/xen/ioreq-decode.h"

#define PAGE_BYTES     4096u
#define SLOTS_PER_PAGE (PAGE_BYTES / sizeof(struct ioreq))

/* Values of port_vcpu[] that are no vCPU. */
#define PORT_NONE UINT32_MAX
#define PORT_RING (UINT32_MAX - 1)

/* The ring holds 511 records; a guest that keeps filling it must wait. */
#define RING_BUDGET 512u

static int
fail(const char *what, const struct ioreq_server *server, int rc)
{
    log_error("cannot %s of domain %u: %s", what, server->xen->domid,
              strerror(-rc));
    return rc;
}

static int
server_create(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;
    ioservid_t id;

    if (xendevicemodel_create_ioreq_server(
            xen->dm, xen->domid, HVM_IOREQSRV_BUFIOREQ_ATOMIC, &id) < 0) {
        int rc = -errno;

        if (rc == -ENOSPC)
            log_error("cannot create an ioreq server of domain %u: it has as "
                      "many as Xen allows (8); end one of its device models",
                      xen->domid);
        else
            (void)fail("create an ioreq server", server, rc);
        return rc;
    }

    server->id = id;
    server->created = true;
    return 0;
}

/*
 * The resource is the ring and then as many pages of slots as Xen wants.
 * Kernels before 5.12 cannot tell; then it is one page, as it was for every
 * Xen that such a kernel ran on.
 */
static unsigned long
slot_pages(const struct ioreq_server *server)
{
    size_t size;

    if (xenforeignmemory_resource_size(server->xen->fmem, server->xen->domid,
                                       XENMEM_resource_ioreq_server, server->id,
                                       &size) < 0 ||
        size <= PAGE_BYTES)
        return 1;

    return size / PAGE_BYTES - 1;
}

static int
pages_map(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;
    unsigned long pages = slot_pages(server);
    int vcpus = handles_vcpus(xen);
    void *addr = NULL;

    if (vcpus < 0)
        return fail("count the vCPUs", server, vcpus);

    if ((unsigned long)vcpus > pages * SLOTS_PER_PAGE) {
        log_error("cannot serve domain %u: %d vCPUs, but this Xen's ioreq "
                  "servers have room for %lu",
                  xen->domid, vcpus, pages * SLOTS_PER_PAGE);
        return -ENOSPC;
    }

    server->res = xenforeignmemory_map_resource(
        xen->fmem, xen->domid, XENMEM_resource_ioreq_server, server->id,
        XENMEM_resource_ioreq_server_frame_bufioreq, 1 + pages, &addr,
        PROT_READ | PROT_WRITE, 0);
    if (!server->res)
        return fail("map the ioreq pages", server, -errno);

    server->vcpus = (unsigned)vcpus;
    server->ring = addr;
    server->slot = (void *)((char *)addr + PAGE_BYTES);
    return 0;
}

static int
ranges_claim(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;

    for (unsigned i = 0; i < server->ranges; i++) {
        const struct ioreq_range *range = &server->range[i];

        if (xendevicemodel_map_io_range_to_ioreq_server(
                xen->dm, xen->domid, server->id, 1, range->base,
                range->base + range->size - 1) < 0)
            return fail("claim a register page", server, -errno);
    }

    return 0;
}

int
ioreq_create(struct ioreq_server *server, struct xen_handles *xen,
             const struct ioreq_range *range, unsigned n)
{
    int rc;

    assert(n >= 1 && n <= IOREQ_RANGES_MAX);
    *server = (struct ioreq_server){ .xen = xen, .ranges = n };
    memcpy(server->range, range, n * sizeof(*range));

    rc = server_create(server);
    if (rc)
        return rc;

    rc = pages_map(server);
    if (rc)
        return rc;

    server->port = calloc(server->vcpus, sizeof(*server->port));
    if (!server->port)
        return fail("allocate the ports", server, -ENOMEM);

    return ranges_claim(server);
}

void
ioreq_attach(struct ioreq_server *server, const struct ioreq_ops *ops,
             void *ctx, struct gmem *gmem)
{
    server->ops = ops;
    server->ctx = ctx;
    server->gmem = gmem;
}

/* --- one request ---------------------------------------------------------- */

static uint64_t
bus_read(void *ctx, uint32_t off, unsigned size)
{
    const struct ioreq_server *server = ctx;

    return server->ops->read(server->ctx, server->current, off, size);
}

static void
bus_write(void *ctx, uint32_t off, unsigned size, uint64_t val)
{
    const struct ioreq_server *server = ctx;

    server->ops->write(server->ctx, server->current, off, size, val);
}

static int
bus_mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct ioreq_server *server = ctx;

    return gmem_read(server->gmem, gpa, buf, len);
}

static int
bus_mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    const struct ioreq_server *server = ctx;

    return gmem_write(server->gmem, gpa, buf, len);
}

/*
 * The range that a request begins in, which Xen never lets end in another: it
 * clips repeated instructions to a page.  One that begins in none finds nothing
 * in whatever range.
 */
static unsigned
range_find(const struct ioreq_server *server, uint64_t addr)
{
    unsigned i = 0;

    while (i < server->ranges - 1 &&
           addr - server->range[i].base >= server->range[i].size)
        i++;
    return i;
}

static uint64_t
request_run(struct ioreq_server *server, const struct ioreq *req)
{
    const unsigned range = range_find(server, req->addr);
    const struct ioreq_bus bus = {
        .size = server->range[range].size,
        .read = bus_read,
        .write = bus_write,
        .mem_read = bus_mem_read,
        .mem_write = bus_mem_write,
    };
    struct ioreq_plan plan;

    server->current = range;
    ioreq_decode(req, server->range[range].base, &plan);

    server->stats.requests++;
    switch (plan.kind) {
    case IOREQ_INVALIDATE:
        server->stats.invalidate++;
        gmem_drop(server->gmem);
        break;
    case IOREQ_OTHER:
        server->stats.other++;
        break;
    case IOREQ_ACCESS:
        if (plan.count != 1)
            server->stats.rep++;
        if (plan.indirect)
            server->stats.data_is_ptr++;
        break;
    }

    return ioreq_plan_run(&plan, &bus, server);
}

/*
 * Answer vCPU @vcpu's request, if it has one.  Between INPROCESS and the
 * answer there is no way out: a request that is not answered is a vCPU that
 * never runs again.
 */
static void
slot_serve(struct ioreq_server *server, unsigned vcpu)
{
    volatile struct ioreq *slot = &server->slot[vcpu];
    struct ioreq req;

    if (slot->state != STATE_IOREQ_READY)
        return;

    /* The state is read before what it promises; pairs with ioreq_send(). */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    memcpy(&req, &server->slot[vcpu], sizeof(req));
    slot->state = STATE_IOREQ_INPROCESS;

    slot->data = request_run(server, &req);

    /*
     * The data is there before the state says so.  Pairs with the barrier
     * behind Xen's look at the state in wait_for_io().
     */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    slot->state = STATE_IORESP_READY;
    evtchn_notify(&server->xen->evtchn, server->port[vcpu]);
}

/* --- the ring ------------------------------------------------------------- */

bool
ioreq_work(struct ioreq_server *server)
{
    struct bufioreq_record record;

    for (unsigned i = 0; i < RING_BUDGET; i++) {
        if (!bufioreq_take(server->ring, &record))
            return false;

        if (record.type == IOREQ_TYPE_VIOMMU)
            server->ops->event(server->ctx, record.addr, record.data);
        else
            server->stats.other++;
    }

    return true;
}

/* --- event channels ------------------------------------------------------- */

static int
port_bind(struct ioreq_server *server, uint32_t remote)
{
    int rc = evtchn_bind(&server->xen->evtchn, server->xen->domid, remote);

    return rc < 0 ? fail("bind an event channel", server, rc) : rc;
}

/* A table by local port: ports are few and close together. */
static int
port_table_build(struct ioreq_server *server)
{
    uint32_t last = server->ring_port;

    for (unsigned i = 0; i < server->vcpus; i++) {
        if (server->port[i] > last)
            last = server->port[i];
    }

    server->port_vcpu = calloc((size_t)last + 1, sizeof(*server->port_vcpu));
    if (!server->port_vcpu)
        return fail("allocate the port table", server, -ENOMEM);

    server->port_count = last + 1;
    for (uint32_t port = 0; port <= last; port++)
        server->port_vcpu[port] = PORT_NONE;
    for (unsigned i = 0; i < server->vcpus; i++)
        server->port_vcpu[server->port[i]] = i;
    server->port_vcpu[server->ring_port] = PORT_RING;
    return 0;
}

static int
ports_bind(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;
    evtchn_port_t remote;
    int port;

    for (unsigned i = 0; i < server->vcpus; i++) {
        /* Xen fills it in when the server is enabled, not before. */
        remote = server->slot[i].vp_eport;
        port = port_bind(server, remote);
        if (port < 0)
            return port;
        server->port[i] = (uint32_t)port;
    }

    /* No gfn is asked for: that would be another way to map the pages. */
    if (xendevicemodel_get_ioreq_server_info(xen->dm, xen->domid, server->id,
                                             NULL, NULL, &remote) < 0)
        return fail("find the buffered ring's event channel", server, -errno);

    port = port_bind(server, remote);
    if (port < 0)
        return port;
    server->ring_port = (uint32_t)port;

    return port_table_build(server);
}

int
ioreq_enable(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;
    int rc;

    if (xendevicemodel_set_ioreq_server_state(xen->dm, xen->domid, server->id,
                                              1) < 0)
        return fail("enable the ioreq server", server, -errno);

    rc = ports_bind(server);
    if (rc)
        return rc;

    /* A request that came before its event channel was bound rang no bell. */
    for (unsigned i = 0; i < server->vcpus; i++)
        slot_serve(server, i);

    return 0;
}

int
ioreq_fd(const struct ioreq_server *server)
{
    return server->xen->evtchn.fd;
}

static void
port_serve(struct ioreq_server *server, uint32_t port)
{
    uint32_t vcpu =
        port < server->port_count ? server->port_vcpu[port] : PORT_NONE;

    /* The ring is looked at in each turn of the loop anyway. */
    if (vcpu < server->vcpus)
        slot_serve(server, vcpu);
}

void
ioreq_dispatch(struct ioreq_server *server)
{
    uint32_t port[EVTCHN_BATCH];
    int n = evtchn_read(&server->xen->evtchn, port);

    if (n < 0) {
        log_limited(LOG_LEVEL_ERROR, "ioreq: cannot read events: %s",
                    strerror(-n));
        return;
    }

    for (int i = 0; i < n; i++)
        port_serve(server, port[i]);

    evtchn_unmask(&server->xen->evtchn, port, (unsigned)n);
}

/* --- the end -------------------------------------------------------------- */

int
ioreq_check(const struct ioreq_server *server)
{
    evtchn_port_t port;

    if (xendevicemodel_get_ioreq_server_info(server->xen->dm,
                                             server->xen->domid, server->id,
                                             NULL, NULL, &port) < 0)
        return -errno;

    return 0;
}

void
ioreq_unmap(struct ioreq_server *server)
{
    if (server->res)
        (void)xenforeignmemory_unmap_resource(server->xen->fmem, server->res);
    server->res = NULL;
    server->ring = NULL;
    server->slot = NULL;
}

void
ioreq_destroy(struct ioreq_server *server)
{
    struct xen_handles *xen = server->xen;

    ioreq_unmap(server);
    if (server->created &&
        xendevicemodel_destroy_ioreq_server(xen->dm, xen->domid, server->id) <
            0 &&
        errno != ESRCH && errno != ENOENT)
        log_warn("ioreq: cannot destroy the server: %s", strerror(errno));
    server->created = false;

    free(server->port);
    free(server->port_vcpu);
    server->port = NULL;
    server->port_vcpu = NULL;
    server->port_count = 0;
}

/*
 * Whether a process listens to server @id.  Its event channels are bound as
 * long as that process lives, and a bound one cannot be bound again.
 */
static int
server_is_served(struct xen_handles *xen, uint16_t id)
{
    struct xenforeignmemory_resource_handle *res;
    void *addr = NULL;
    uint32_t remote;
    int port;

    res = xenforeignmemory_map_resource(
        xen->fmem, xen->domid, XENMEM_resource_ioreq_server, id,
        XENMEM_resource_ioreq_server_frame_ioreq(0), 1, &addr, PROT_READ, 0);
    if (!res)
        return -errno;

    remote = ((const struct ioreq *)addr)->vp_eport;
    (void)xenforeignmemory_unmap_resource(xen->fmem, res);
    if (!remote)
        return 0; /* never enabled */

    port = evtchn_bind(&xen->evtchn, xen->domid, remote);
    if (port < 0)
        return port == -EINVAL ? -EBUSY : port;

    evtchn_unbind(&xen->evtchn, (uint32_t)port);
    return 0;
}

int
ioreq_orphan_destroy(struct xen_handles *xen, uint16_t id)
{
    int rc = server_is_served(xen, id);

    if (rc)
        return rc;

    if (xendevicemodel_destroy_ioreq_server(xen->dm, xen->domid, id) < 0)
        return -errno;

    return 0;
}
