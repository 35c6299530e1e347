/* SPDX-License-Identifier: GPL-2.0-only */
/* A device in the hands of a program: VFIO's container, group and device. */
#ifndef TESTS_VFIO_VFIO_H
#define TESTS_VFIO_VFIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfio {
    int container;
    int device;
    void *bar; /* region 0 */
    int event; /* eventfd of vector 0, once there is one */
};

/* @address is as 0000:00:05.0; the device is vfio-pci's.  0 or -errno. */
int vfio_open(struct vfio *vfio, const char *address, size_t bar_size);

#define VFIO_EDU_READ  1u /* the device may read */
#define VFIO_EDU_WRITE 2u

/* The device reaches [@addr, @addr + @size) at @iova.  0 or -errno. */
int vfio_map(const struct vfio *vfio, void *addr, size_t size, uint64_t iova,
             unsigned perm);
int vfio_unmap(const struct vfio *vfio, uint64_t iova, size_t size);

/* Whatever is still mapped. */
void vfio_unmap_all(const struct vfio *vfio);

/* Vector 0 as an MSI.  0 or -errno. */
int vfio_msi_enable(struct vfio *vfio);

/* Interrupts since the last call; waits at most @ms for the first one. */
uint64_t vfio_msi_wait(const struct vfio *vfio, int ms);

#endif
