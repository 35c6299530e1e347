/* SPDX-License-Identifier: MIT */
/*
 * A kernel vhost device behind a vIOMMU.
 *
 * The kernel cannot walk the guest's tables.  It asks on the vhost descriptor
 * for translations that it lacks (VHOST_IOTLB_MISS), and keeps what it is told
 * until that is taken back.  This adapter answers with the library's own
 * translations and takes back what the guest invalidates.  What the vIOMMU
 * refuses is reported to the guest and not answered: the kernel does not touch
 * guest memory then.
 *
 * The kernel does not ask for more of a page than it was told, but gives up its
 * queue.  So a page that a device first reads and then writes must be told for
 * both, and is, unless its entry has a dirty flag to be set: mappings for
 * devices have it set from the start, those of processes need not.
 *
 * The caller sets up the vhost device as usual, with VIRTIO_F_ACCESS_PLATFORM
 * among its features, a memory table (VHOST_SET_MEM_TABLE) that may be empty,
 * and rings at addresses that the guest's driver gave, which are IOVAs; it
 * attaches the device with VIOMMU_DEVICE_NOTIFY, passes the device's
 * invalidate() on, and polls the vhost descriptor:
 *
 *     static int
 *     invalidate(void *ctx, const struct viommu_invalidation *inv,
 *                uint32_t token)
 *     {
 *         struct my_device *my = ctx;
 *
 *         return viommu_vhost_invalidate(my->vhost, inv);
 *     }
 *
 * Functions may be called by any thread, and return 0 or -errno unless they say
 * more.
 */
#ifndef VIOMMU_VHOST_H
#define VIOMMU_VHOST_H

#include <stddef.h>
#include <stdint.h>

#include "viommu-client.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct viommu_vhost;

/*
 * Guest memory that is mapped in this process for as long as the adapter
 * exists; all multiples of 4096.  Where a device must not go, as to another
 * one's registers, there is no region.
 */
struct viommu_vhost_region {
    uint64_t gpa;
    uint64_t size;
    void *addr;
};

/*
 * Serve @vhost_fd, which stays the caller's and becomes non-blocking, for
 * @device.  @region is copied.  The connection needs one thread more
 * (viommu_thread_create()).  -EINVAL for regions that overlap or are not
 * aligned.
 */
int viommu_vhost_create(struct viommu_device *device, int vhost_fd,
                        const struct viommu_vhost_region *region,
                        size_t regions, struct viommu_vhost **vhost);

/*
 * Before viommu_device_detach().  Takes back all that the kernel was told.
 * Accepts NULL.
 */
void viommu_vhost_destroy(struct viommu_vhost *vhost);

/*
 * Answer what the kernel asks, up to 64 times; for when @vhost_fd is readable.
 * Does not block but for the kernel's own locks.  -EPROTO: the kernel has sent
 * what is no message; -ENODEV: the descriptor has come to its end; -ESHUTDOWN:
 * the device is cut off.
 */
int viommu_vhost_dispatch(struct viommu_vhost *vhost);

/*
 * Answer before the kernel asks: VHOST_NET_SET_BACKEND and the like access the
 * used ring and fail if its translation is not known yet.  @access is
 * VIOMMU_READ | VIOMMU_WRITE or one of them.  0; a fault reason, as
 * viommu_translate(); -EFAULT if no region is there.
 */
int viommu_vhost_tell(struct viommu_vhost *vhost, uint64_t iova,
                      unsigned access);

/*
 * For the device's invalidate(): when this returns 0, the kernel has forgotten
 * the translations, and no access through them is in flight.  Also for its
 * cut_off(), with everything: iova 0 to last UINT64_MAX.  NULL is a device that
 * has no adapter yet.
 */
int viommu_vhost_invalidate(struct viommu_vhost *vhost,
                            const struct viommu_invalidation *inv);

struct viommu_vhost_stats {
    uint64_t misses;        /* asked for by the kernel */
    uint64_t updates;       /* told */
    uint64_t refused;       /* by the vIOMMU, or because no region was there */
    uint64_t invalidations; /* messages to the kernel */
};
void viommu_vhost_stats(struct viommu_vhost *vhost,
                        struct viommu_vhost_stats *stats);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
