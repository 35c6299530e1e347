/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/pci.h"

#include "tests/guests/lib/cpu.h"

#define PCI_ADDRESS  0xcf8u
#define PCI_DATA     0xcfcu
#define PCI_ENABLE   0x80000000u
#define PCI_ID       0x00u
#define PCI_CAPS     0x34u
#define PCI_BAR_MASK (~0xfu)

/* Of a list in configuration space: it may be circular. */
#define CAPS_MAX 48u

uint32_t
pci_read(unsigned slot, unsigned off)
{
    io_write32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | off);
    return io_read32(PCI_DATA);
}

void
pci_write(unsigned slot, unsigned off, uint32_t val)
{
    io_write32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | off);
    io_write32(PCI_DATA, val);
}

unsigned
pci_find(uint32_t id)
{
    unsigned slot = 0;

    while (slot < PCI_SLOTS && pci_read(slot, PCI_ID) != id)
        slot++;
    return slot;
}

unsigned
pci_capability(unsigned slot, uint8_t id)
{
    unsigned cap = pci_read(slot, PCI_CAPS) & 0xfcu;

    for (unsigned i = 0; cap && i < CAPS_MAX; i++) {
        uint32_t head = pci_read(slot, cap);

        if ((head & 0xff) == id)
            return cap;
        cap = head >> 8 & 0xfcu;
    }
    return 0;
}

uint32_t
pci_bar_enable(unsigned slot, unsigned bar, uint32_t hole, uint32_t *size)
{
    uint32_t addr = pci_read(slot, bar) & PCI_BAR_MASK;
    uint32_t mask;

    pci_write(slot, PCI_COMMAND, 0);
    pci_write(slot, bar, ~0u);
    mask = pci_read(slot, bar) & PCI_BAR_MASK;
    if (!addr)
        addr = hole & mask;
    pci_write(slot, bar, addr);
    pci_write(slot, PCI_COMMAND, PCI_CMD_MEMORY | PCI_CMD_MASTER);
    if (size)
        *size = ~mask + 1;
    return addr;
}
