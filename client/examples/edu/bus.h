/* SPDX-License-Identifier: MIT */
/*
 * Where the device's DMA and interrupts go: through the vIOMMU by way of
 * libviommu-client, or straight to the guest when no unit translates the
 * device.
 */
#ifndef CLIENT_EXAMPLES_EDU_BUS_H
#define CLIENT_EXAMPLES_EDU_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/examples/edu/edu.h"
#include "client/examples/edu/xen.h"

struct bus {
    struct xen *xen;
    struct edu *edu; /* who hears of invalidations; set once it is there */
    bool extended;
    unsigned flags; /* VIOMMU_DEVICE_*, as attached */

    /* NULL: none, so that DMA goes straight. */
    struct viommu *viommu;
    struct viommu_device *device;
    struct viommu_thread *thread; /* the device's DMA thread */
};

/*
 * Connect to the viommud of @xen's domain, and attach the device.  @extended:
 * with a device TLB and page requests, as far as the unit has them.  0, also if
 * no unit translates the device; else -errno, said on standard error.
 */
int bus_open(struct bus *bus, struct xen *xen,
             const struct viommu_options *options, bool extended);

/* No viommud at all. */
void bus_open_direct(struct bus *bus, struct xen *xen);

void bus_close(struct bus *bus);

/* PCI_WITH_*: the extended capabilities that the device can have here. */
unsigned bus_capabilities(const struct bus *bus);

const struct edu_ops *bus_ops(const struct bus *bus);

/* For the caller's poll(); -1: nothing to wait for. */
int bus_fd(const struct bus *bus);

/* When that is readable.  False, and said, once the connection is cut. */
bool bus_dispatch(struct bus *bus);

/* The guest's memory map changed. */
void bus_memory_forget(struct bus *bus);

#endif
