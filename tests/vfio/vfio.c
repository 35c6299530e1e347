/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/vfio/vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int
open_group(const char *address)
{
    char link[256], target[256], path[64];
    ssize_t n;
    int fd;

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group",
             address);
    n = readlink(link, target, sizeof(target) - 1);
    if (n < 0) {
        return -errno;
    }
    target[n] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio/%.32s", strrchr(target, '/') + 1);
    fd = open(path, O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int
open_device(struct vfio *vfio, const char *address)
{
    struct vfio_group_status status = { .argsz = sizeof(status) };
    int group = open_group(address);

    if (group < 0) {
        return group;
    }
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0) {
        return -errno;
    }
    if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
        return -EBUSY;
    }
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &vfio->container) < 0 ||
        ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0) {
        return -errno;
    }
    vfio->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, address);
    return vfio->device < 0 ? -errno : 0;
}

/* VFIO leaves bus mastering off. */
static int
enable_bus_master(int device)
{
    struct vfio_region_info config = {
        .argsz = sizeof(config),
        .index = VFIO_PCI_CONFIG_REGION_INDEX,
    };
    uint16_t command;
    off_t at;

    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) < 0) {
        return -errno;
    }
    at = (off_t)config.offset + PCI_COMMAND;
    if (pread(device, &command, sizeof(command), at) != sizeof(command)) {
        return -EIO;
    }
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    if (pwrite(device, &command, sizeof(command), at) != sizeof(command)) {
        return -EIO;
    }
    return 0;
}

static int
map_bar(struct vfio *vfio, size_t size)
{
    struct vfio_region_info bar = {
        .argsz = sizeof(bar),
        .index = VFIO_PCI_BAR0_REGION_INDEX,
    };

    if (ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, &bar) < 0) {
        return -errno;
    }
    if (bar.size != size || !(bar.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
        return -ENXIO;
    }
    vfio->bar = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
                     vfio->device, (off_t)bar.offset);
    return vfio->bar == MAP_FAILED ? -errno : 0;
}

int
vfio_open(struct vfio *vfio, const char *address, size_t bar_size)
{
    int rc;

    vfio->event = -1;
    vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
    if (vfio->container < 0) {
        return -errno;
    }
    rc = open_device(vfio, address);
    if (rc == 0) {
        rc = map_bar(vfio, bar_size);
    }
    if (rc == 0) {
        rc = enable_bus_master(vfio->device);
    }
    return rc;
}

int
vfio_map(const struct vfio *vfio, void *addr, size_t size, uint64_t iova,
         unsigned perm)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .vaddr = (uintptr_t)addr,
        .iova = iova,
        .size = size,
    };

    if (perm & VFIO_EDU_READ) {
        map.flags |= VFIO_DMA_MAP_FLAG_READ;
    }
    if (perm & VFIO_EDU_WRITE) {
        map.flags |= VFIO_DMA_MAP_FLAG_WRITE;
    }
    return ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map) < 0 ? -errno : 0;
}

int
vfio_unmap(const struct vfio *vfio, uint64_t iova, size_t size)
{
    struct vfio_iommu_type1_dma_unmap unmap = {
        .argsz = sizeof(unmap),
        .iova = iova,
        .size = size,
    };

    if (ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0) {
        return -errno;
    }
    return unmap.size == size ? 0 : -ENOENT;
}

void
vfio_unmap_all(const struct vfio *vfio)
{
    struct vfio_iommu_type1_dma_unmap unmap = {
        .argsz = sizeof(unmap),
        .flags = VFIO_DMA_UNMAP_FLAG_ALL,
    };

    ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

int
vfio_msi_enable(struct vfio *vfio)
{
    union {
        struct vfio_irq_set set;
        uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int)];
    } irq = {
        .set = {
            .argsz = sizeof(irq),
            .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
            .index = VFIO_PCI_MSI_IRQ_INDEX,
            .count = 1,
        },
    };

    vfio->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (vfio->event < 0) {
        return -errno;
    }
    memcpy(irq.set.data, &vfio->event, sizeof(int));
    return ioctl(vfio->device, VFIO_DEVICE_SET_IRQS, &irq) < 0 ? -errno : 0;
}

uint64_t
vfio_msi_wait(const struct vfio *vfio, int ms)
{
    struct pollfd poll_event = { .fd = vfio->event, .events = POLLIN };
    uint64_t count;

    if (poll(&poll_event, 1, ms) != 1 ||
        read(vfio->event, &count, sizeof(count)) != sizeof(count)) {
        return 0;
    }
    return count;
}
