/* SPDX-License-Identifier: MIT */
/* Guest memory by Xen's foreign mappings. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#include "client/internal.h"

struct xen {
    xenforeignmemory_handle *fmem;
    bool own; /* to be closed */
    uint16_t domid;
    xen_pfn_t gfn[MEMORY_CHUNK_PAGES];
};

static void *
map(void *ctx, uint64_t gfn, size_t count, int *error)
{
    struct xen *xen = ctx;

    for (size_t i = 0; i < count; i++) {
        xen->gfn[i] = gfn + i;
    }
    return xenforeignmemory_map(xen->fmem, xen->domid, PROT_READ | PROT_WRITE,
                                count, xen->gfn, error);
}

static void
unmap(void *ctx, void *addr, size_t count)
{
    struct xen *xen = ctx;

    (void)xenforeignmemory_unmap(xen->fmem, addr, count);
}

static const struct viommu_memory_ops xen_ops = { .map = map, .unmap = unmap };

int
viommu_memory_xen_open(struct xenforeignmemory_handle *fmem, uint16_t domid,
                       const struct viommu_memory_ops **ops, void **ctx)
{
    struct xen *xen = calloc(1, sizeof(*xen));

    if (!xen) {
        return -ENOMEM;
    }
    xen->domid = domid;
    xen->own = fmem == NULL;
    xen->fmem = fmem ? fmem : xenforeignmemory_open(NULL, 0);
    if (!xen->fmem) {
        int rc = errno ? -errno : -ENODEV;

        free(xen);
        return rc;
    }
    *ops = &xen_ops;
    *ctx = xen;
    return 0;
}

void
viommu_memory_xen_close(void *ctx)
{
    struct xen *xen = ctx;

    if (xen && xen->own) {
        (void)xenforeignmemory_close(xen->fmem);
    }
    free(xen);
}
