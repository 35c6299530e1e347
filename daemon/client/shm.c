/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/client/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static size_t
page_up(size_t size)
{
    return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}

/*
 * All pages are there from the start and stay, so that no access to them can
 * fail: the size is sealed.
 */
static int
memfd_new(const char *name, size_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int rc;

    if (fd < 0)
        return -errno;

    if (fallocate(fd, 0, 0, (off_t)size) == 0)
        return fd;

    rc = -errno;
    (void)close(fd);
    return rc;
}

/*
 * Clients get a descriptor for reading.  The seal holds even for those who
 * could open it once more for writing; it is the mapping from before that
 * stays writable.  Without /proc the seal alone has to do.
 */
static int
reopen_for_reading(int fd)
{
    char path[32];
    int reading;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    reading = open(path, O_RDONLY | O_CLOEXEC);
    if (reading < 0)
        return fd;

    (void)close(fd);
    return reading;
}

static int
memory_create(struct shared *memory, size_t size)
{
    static const int seals =
        F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    int fd = memfd_new("viommud-dma", size);
    void *addr;

    if (fd < 0)
        return fd;

    addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                fd, 0);
    if (addr == MAP_FAILED || fcntl(fd, F_ADD_SEALS, seals) < 0) {
        int rc = -errno;

        if (addr != MAP_FAILED)
            (void)munmap(addr, size);
        (void)close(fd);
        return rc;
    }

    *memory = (struct shared){
        .addr = addr,
        .size = size,
        .fd = reopen_for_reading(fd),
    };
    return 0;
}

int
shm_create(struct service *service)
{
    size_t head = page_up(sizeof(struct viommu_shm));
    size_t view = page_up(service->view_size);
    int rc = memory_create(&service->shm_memory, head + view * service->units);
    struct viommu_shm *shm = service->shm_memory.addr;

    if (rc)
        return rc;

    shm->magic = VIOMMU_SHM_MAGIC;
    shm->version = VIOMMU_PROTO_VERSION;
    shm->units = service->units;
    shm->size = service->shm_memory.size;
    shm->view_size = service->view_size;
    for (unsigned i = 0; i < service->units; i++)
        shm->view_offset[i] = head + view * i;
    shm->epoch = 1;
    service->shm = shm;
    return 0;
}

void
shm_destroy(struct service *service)
{
    if (!service->shm)
        return;

    (void)munmap(service->shm_memory.addr, service->shm_memory.size);
    (void)close(service->shm_memory.fd);
    service->shm = NULL;
}

void *
service_view(struct service *service, unsigned unit)
{
    return (char *)service->shm_memory.addr + service->shm->view_offset[unit];
}

void
shm_device_set(struct service *service, unsigned index,
               const struct viommu_shm_device *device)
{
    void *place = &service->shm->device[index];
    uint64_t quad;

    _Static_assert(sizeof(*device) == sizeof(quad), "written at once");
    memcpy(&quad, device, sizeof(quad));
    __atomic_store_n((uint64_t *)place, quad, __ATOMIC_RELEASE);
}

int
cells_create(void **memory, int *fd)
{
    static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    void *addr;
    int rc;

    *fd = memfd_new("viommud-cells", CELLS_SIZE);
    if (*fd < 0)
        return *fd;

    addr = mmap(NULL, CELLS_SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, *fd, 0);
    if (addr != MAP_FAILED && fcntl(*fd, F_ADD_SEALS, seals) == 0) {
        *memory = addr;
        return 0;
    }

    rc = -errno;
    if (addr != MAP_FAILED)
        (void)munmap(addr, CELLS_SIZE);
    (void)close(*fd);
    return rc;
}

void
cells_destroy(void *memory)
{
    if (memory)
        (void)munmap(memory, CELLS_SIZE);
}
