/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our ioreq server: Xen hands it the guest's accesses to a few ranges of guest
 * physical memory, one slot a vCPU in a shared page, and records on a buffered
 * ring.
 *
 * The server is Xen's: it outlives us until ioreq_destroy(), and a vCPU that
 * has a request in its slot waits for the answer.
 */
#ifndef DAEMON_XEN_IOREQ_H
#define DAEMON_XEN_IOREQ_H

#include "daemon/xen/handles.h"

#include <stdbool.h>
#include <stdint.h>

struct gmem;
struct ioreq;
struct xenforeignmemory_resource_handle;

#define IOREQ_RANGES_MAX 4u

/* Where we stand. */
struct ioreq_range {
    uint64_t base;
    uint32_t size;
};

/* The owner of the ranges. */
struct ioreq_ops {
    /*
     * @range counts from 0, as they were given; @off is inside it; @size is 1
     * to 8; see vtd.h.
     */
    uint64_t (*read)(void *ctx, unsigned range, uint32_t off, unsigned size);
    void (*write)(void *ctx, unsigned range, uint32_t off, unsigned size,
                  uint64_t val);

    /* A record of IOREQ_TYPE_VIOMMU, as in dmop-abi.h. */
    void (*event)(void *ctx, uint32_t addr, uint32_t data);
};

struct ioreq_stats {
    uint64_t requests;
    uint64_t rep; /* with a count other than 1 */
    uint64_t data_is_ptr;
    uint64_t invalidate;
    uint64_t other; /* types and sizes that mean nothing to us */
};

struct ioreq_server {
    struct xen_handles *xen;
    struct gmem *gmem;
    const struct ioreq_ops *ops;
    void *ctx;

    struct ioreq_range range[IOREQ_RANGES_MAX];
    unsigned ranges;
    unsigned current; /* the range of the request that is run */
    uint16_t id;
    bool created;

    struct xenforeignmemory_resource_handle *res;
    struct buffered_iopage *ring;
    struct ioreq *slot; /* one a vCPU */
    unsigned vcpus;
    uint32_t *port; /* local port of each vCPU */
    uint32_t ring_port;

    uint32_t *port_vcpu; /* vCPU of a local port, or one of the */
    uint32_t port_count; /* values below; for ports below port_count */

    struct ioreq_stats stats;
};

/*
 * Create the server with @n ranges and map its pages.  The guest does not see
 * it yet.  What went wrong is logged.  ioreq_destroy() may follow a failure.
 */
int ioreq_create(struct ioreq_server *server, struct xen_handles *xen,
                 const struct ioreq_range *range, unsigned n);

/* Who answers from now on.  Before ioreq_enable(). */
void ioreq_attach(struct ioreq_server *server, const struct ioreq_ops *ops,
                  void *ctx, struct gmem *gmem);

/* From here on the guest's accesses reach us; answer those that wait. */
int ioreq_enable(struct ioreq_server *server);

/* To poll for reading; then call ioreq_dispatch(). */
int ioreq_fd(const struct ioreq_server *server);
void ioreq_dispatch(struct ioreq_server *server);

/* Records of the ring that ioreq_dispatch() left; true if there are more. */
bool ioreq_work(struct ioreq_server *server);

/* 0, or -ENOENT once Xen has destroyed the server, as for a dying domain. */
int ioreq_check(const struct ioreq_server *server);

/* Give the pages back: while we map them, the domain cannot go away. */
void ioreq_unmap(struct ioreq_server *server);

void ioreq_destroy(struct ioreq_server *server);

/*
 * Destroy a server that an earlier process of this domain's left behind, so
 * that its vCPUs wake.  -EBUSY if somebody is listening to it.
 */
int ioreq_orphan_destroy(struct xen_handles *xen, uint16_t id);

#endif
