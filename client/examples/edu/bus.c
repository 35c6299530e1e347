/* SPDX-License-Identifier: MIT */
#include "client/examples/edu/bus.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/examples/edu/pci.h"

/* --- through the vIOMMU --------------------------------------------------- */

static int
bus_read(void *ctx, const struct viommu_access *access, void *buf, size_t len)
{
    struct bus *bus = ctx;

    return viommu_read(bus->thread, bus->device, access, buf, len, NULL);
}

static int
bus_write(void *ctx, const struct viommu_access *access, const void *buf,
          size_t len)
{
    struct bus *bus = ctx;

    return viommu_write(bus->thread, bus->device, access, buf, len, NULL);
}

static int
bus_translate(void *ctx, struct viommu_access *access,
              struct viommu_translation *translation)
{
    struct bus *bus = ctx;
    int rc;

    viommu_begin(bus->thread);
    rc = viommu_translate(bus->thread, bus->device, access, translation);
    viommu_end(bus->thread);
    return rc;
}

static int
bus_page_request(void *ctx, const struct viommu_page_request *request)
{
    struct bus *bus = ctx;

    return viommu_page_request(bus->device, request);
}

static void
bus_invalidation_done(void *ctx, uint32_t token)
{
    struct bus *bus = ctx;

    viommu_invalidation_done(bus->device, token);
}

static int
bus_msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct bus *bus = ctx;

    return viommu_msi(bus->device, addr, data);
}

/* A pin is the IOAPIC's, whose unit remaps it. */
static void
bus_intx(void *ctx, bool level)
{
    const struct bus *bus = ctx;

    xen_intx(bus->xen, level);
}

static const struct edu_ops translated_ops = {
    .read = bus_read,
    .write = bus_write,
    .translate = bus_translate,
    .page_request = bus_page_request,
    .invalidation_done = bus_invalidation_done,
    .msi = bus_msi,
    .intx = bus_intx,
};

/* --- straight ------------------------------------------------------------- */

static int
direct_read(void *ctx, const struct viommu_access *access, void *buf,
            size_t len)
{
    struct bus *bus = ctx;

    return memory_read(&bus->xen->memory, access->iova, buf, len);
}

static int
direct_write(void *ctx, const struct viommu_access *access, const void *buf,
             size_t len)
{
    struct bus *bus = ctx;

    return memory_write(&bus->xen->memory, access->iova, buf, len);
}

static int
direct_msi(void *ctx, uint64_t addr, uint32_t data)
{
    const struct bus *bus = ctx;

    return xen_msi(bus->xen, addr, data);
}

static const struct edu_ops direct_ops = {
    .read = direct_read,
    .write = direct_write,
    .msi = direct_msi,
    .intx = bus_intx,
};

/* --- events --------------------------------------------------------------- */

static int
on_invalidate(void *ctx, const struct viommu_invalidation *inv, uint32_t token)
{
    const struct bus *bus = ctx;

    return edu_invalidate(bus->edu, inv, token);
}

static void
on_page_response(void *ctx, const struct viommu_page_response *response)
{
    const struct bus *bus = ctx;

    edu_page_response(bus->edu, response);
}

static void
on_cut_off(void *ctx)
{
    const struct bus *bus = ctx;

    edu_cut_off(bus->edu);
}

static const struct viommu_device_ops device_ops = {
    .invalidate = on_invalidate,
    .page_response = on_page_response,
    .cut_off = on_cut_off,
};

int
bus_fd(const struct bus *bus)
{
    return bus->viommu ? viommu_fd(bus->viommu) : -1;
}

bool
bus_dispatch(struct bus *bus)
{
    if (viommu_dispatch(bus->viommu) != -ESHUTDOWN) {
        return true;
    }
    warnx("viommud cut the connection: %s; DMA fails from here on",
          viommu_cut_off_reason(bus->viommu));
    return false;
}

void
bus_memory_forget(struct bus *bus)
{
    if (bus->viommu) {
        viommu_memory_forget(bus->viommu);
    }
}

/* --- life ----------------------------------------------------------------- */

/* The most that the unit has.  None of it is in the way of plain DMA. */
static int
attach(struct bus *bus)
{
    static const unsigned wish[] = {
        VIOMMU_DEVICE_ATS | VIOMMU_DEVICE_PRI,
        VIOMMU_DEVICE_ATS,
        0,
    };
    int rc = -EOPNOTSUPP;

    for (unsigned i = bus->extended ? 0 : 2; i < 3 && rc == -EOPNOTSUPP; i++) {
        bus->flags = wish[i];
        rc = viommu_device_attach(bus->viommu, bus->xen->sid, bus->flags,
                                  &device_ops, bus, &bus->device);
    }
    return rc;
}

int
bus_open(struct bus *bus, struct xen *xen, const struct viommu_options *options,
         bool extended)
{
    int rc;

    *bus = (struct bus){ .xen = xen, .extended = extended };
    rc = viommu_open(&bus->viommu, xen->domid, options);
    if (rc) {
        warnx("cannot connect to viommud: %s", viommu_strerror(rc));
        return rc;
    }
    rc = attach(bus);
    if (rc == -ENODEV) {
        warnx("no unit translates the device: its DMA goes straight");
        bus_close(bus);
        return 0;
    }
    if (!rc) {
        rc = viommu_thread_create(bus->viommu, &bus->thread);
    }
    if (rc) {
        warnx("cannot attach the device: %s", viommu_strerror(rc));
        bus_close(bus);
    }
    return rc;
}

void
bus_open_direct(struct bus *bus, struct xen *xen)
{
    *bus = (struct bus){ .xen = xen };
}

void
bus_close(struct bus *bus)
{
    viommu_thread_destroy(bus->thread);
    viommu_device_detach(bus->device);
    viommu_close(bus->viommu);
    bus->thread = NULL;
    bus->device = NULL;
    bus->viommu = NULL;
}

unsigned
bus_capabilities(const struct bus *bus)
{
    if (!bus->device || !bus->extended) {
        return 0;
    }
    return PCI_WITH_PASID |
           (bus->flags & VIOMMU_DEVICE_ATS ? PCI_WITH_ATS : 0) |
           (bus->flags & VIOMMU_DEVICE_PRI ? PCI_WITH_PRI : 0);
}

const struct edu_ops *
bus_ops(const struct bus *bus)
{
    return bus->device ? &translated_ops : &direct_ops;
}
