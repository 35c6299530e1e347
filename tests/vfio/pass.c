/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device without a driver and without VFIO: with iommu=pt its addresses are
 * those of memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/vfio/checks.h"

static bool
enable(struct test *t)
{
    uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    char path[128];
    bool ok;
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", t->address);
    fd = open(path, O_RDWR | O_CLOEXEC);
    ok = fd >= 0 &&
         pwrite(fd, &command, sizeof(command), PCI_COMMAND) == sizeof(command);
    if (fd >= 0) {
        close(fd);
    }
    return ok || because(t, "cannot write %s: %s", path, strerror(errno));
}

static bool
open_bar(struct test *t)
{
    char path[128];
    int fd;

    if (!enable(t)) {
        return false;
    }
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
             t->address);
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return because(t, "cannot open %s: %s", path, strerror(errno));
    }
    t->bar =
        mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (t->bar == MAP_FAILED) {
        return because(t, "cannot map %s: %s", path, strerror(errno));
    }
    return edu_read4(t->bar, EDU_ID) == 0x010000edu ||
           because(t, "its identification is 0x%x", edu_read4(t->bar, EDU_ID));
}

/* Where a page that is locked in memory lies; 0 if it cannot be told. */
static uint64_t
physical(const void *addr)
{
    uint64_t entry = 0;
    off_t at = (off_t)((uintptr_t)addr / PAGE * sizeof(entry));
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return 0;
    }
    if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry) ||
        !(entry >> 63)) {
        entry = 0;
    }
    close(fd);
    return (entry & ((1ull << 55) - 1)) * PAGE;
}

static bool
by_physical_address(struct test *t)
{
    uint8_t *from = test_page(t, 3), *to = test_page(t, 12);
    uint64_t source = physical(from), target = physical(to);

    if (source == 0 || target == 0 || source > t->high || target > t->high) {
        return because(t, "pages are at 0x%llx and 0x%llx",
                       (unsigned long long)source, (unsigned long long)target);
    }
    test_fill(from, PAGE, 99);
    memset(to, 0, PAGE);
    kmsg_skip(&t->kmsg);
    if (!test_dma(t, EDU_FROM_GUEST, source, 0, t->most) ||
        !test_dma(t, EDU_INTO_GUEST, target, 0, t->most)) {
        return false;
    }
    if (memcmp(from, to, t->most) != 0) {
        return because(t, "the copy is not what was copied");
    }
    usleep(200000);
    return kmsg_faults(&t->kmsg) == 0 ||
           because(t, "the kernel reports a fault");
}

const struct check checks_pass[] = {
    { "the device without a driver", open_bar },
    { "DMA by physical addresses", by_physical_address },
    { NULL, NULL },
};
