/* SPDX-License-Identifier: MIT */
/*
 * One PCI device of one domain, as Xen sees it: an ioreq server that answers
 * for its configuration space and its memory, and its interrupts.
 *
 * Beside QEMU in an HVM guest, each has what it registered, and Xen routes.
 * In a guest without QEMU it is the only one.
 */
#ifndef CLIENT_EXAMPLES_EDU_XEN_H
#define CLIENT_EXAMPLES_EDU_XEN_H

#include <stdbool.h>
#include <stdint.h>
#include <xendevicemodel.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>

#include "client/examples/edu/memory.h"

struct ioreq;

/* Ranges of guest physical memory that the device answers for. */
enum xen_range_id {
    XEN_RANGE_BAR,
    XEN_RANGE_ECAM, /* configuration space */
    XEN_RANGES,
};

struct xen_range {
    uint64_t base;
    uint64_t size; /* 0: the range is not there */
};

/* The device.  Any offset, sizes of 1 to 8. */
struct xen_device_ops {
    uint64_t (*bar_read)(void *ctx, uint64_t off, unsigned size);
    void (*bar_write)(void *ctx, uint64_t off, unsigned size, uint64_t val);
    uint64_t (*config_read)(void *ctx, uint64_t off, unsigned size);
    void (*config_write)(void *ctx, uint64_t off, unsigned size, uint64_t val);
    /* Guest memory is another: unmap what is mapped of it. */
    void (*memory_forget)(void *ctx);
};

struct xen {
    uint16_t domid;
    uint16_t sid;
    struct xendevicemodel_handle *dm;
    struct xenforeignmemory_handle *fmem;
    xenevtchn_handle *evtchn;
    struct memory memory;

    const struct xen_device_ops *ops;
    void *ctx;
    ioservid_t id;
    bool created;
    xenforeignmemory_resource_handle *res;
    struct ioreq *slot; /* one a vCPU, in pages shared with Xen */
    unsigned vcpus;
    uint32_t *port; /* local event channel of each vCPU */
    struct xen_range range[XEN_RANGES];
};

/* Functions return 0 or -errno.  After any failure xen_close() is next. */

/* Open the libraries, for the device @sid of domain @domid. */
int xen_open(struct xen *xen, uint16_t domid, uint16_t sid);

/*
 * From here on nothing that this process has open reaches another domain.
 * Includes what libviommu-client opened.
 */
int xen_restrict(struct xen *xen);

/* Make the ioreq server, with the device's configuration space. */
int xen_server_create(struct xen *xen, const struct xen_device_ops *ops,
                      void *ctx);

/* The guest's accesses reach us from here on. */
int xen_server_enable(struct xen *xen);

/* Move a range; @size 0 takes it away. */
int xen_range_set(struct xen *xen, enum xen_range_id id, uint64_t base,
                  uint64_t size);

/* When xen_fd() is readable: answer what waits. */
int xen_fd(const struct xen *xen);
void xen_serve(struct xen *xen);

/* Whether the domain still has our server. */
bool xen_is_alive(const struct xen *xen);

/* Interrupts, past any vIOMMU.  By any thread. */
int xen_msi(const struct xen *xen, uint64_t addr, uint32_t data);
void xen_intx(const struct xen *xen, bool level);

/* The device is gone from the guest, and no vCPU waits for it. */
void xen_server_destroy(struct xen *xen);

void xen_close(struct xen *xen);

#endif
