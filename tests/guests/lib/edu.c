/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/edu.h"

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/pci.h"

#define EDU_PCI_ID 0x11e81234u

/* MSI capability with a 64-bit address. */
#define MSI_FLAGS_ENABLE (1u << 16) /* in the dword at offset 0             */
#define MSI_ADDR_LOW     0x04u
#define MSI_ADDR_HIGH    0x08u
#define MSI_DATA         0x0cu

static struct {
    unsigned slot;
    uint32_t bar;
    unsigned msi; /* offset of the capability                              */
    bool msi_enabled;
    uint64_t msi_addr;
    uint16_t msi_data;
} edu;

bool
edu_find(uint32_t hole)
{
    uint32_t size;

    edu.slot = pci_find(EDU_PCI_ID);
    if (edu.slot == PCI_SLOTS)
        return false;
    edu.bar = pci_bar_enable(edu.slot, PCI_BAR0, hole, &size);
    edu.msi = pci_capability(edu.slot, PCI_CAP_MSI);
    return edu.bar && size == EDU_BAR_SIZE && edu.msi;
}

uint16_t
edu_sid(void)
{
    return (uint16_t)(edu.slot << 3);
}

unsigned
edu_slot(void)
{
    return edu.slot;
}

uint32_t
edu_read32(uint32_t off)
{
    return mmio_read32(edu.bar + off);
}

uint64_t
edu_read64(uint32_t off)
{
    return mmio_read64(edu.bar + off);
}

void
edu_write32(uint32_t off, uint32_t val)
{
    mmio_write32(edu.bar + off, val);
}

void
edu_write64(uint32_t off, uint64_t val)
{
    mmio_write64(edu.bar + off, val);
}

static void
msi_enable(bool enable)
{
    if (edu.msi_enabled == enable)
        return;
    edu.msi_enabled = enable;
    pci_write(edu.slot, edu.msi, enable ? MSI_FLAGS_ENABLE : 0);
}

void
edu_set_msi(uint64_t addr, uint16_t data)
{
    if (edu.msi_addr != addr) {
        edu.msi_addr = addr;
        pci_write(edu.slot, edu.msi + MSI_ADDR_LOW, (uint32_t)addr);
        pci_write(edu.slot, edu.msi + MSI_ADDR_HIGH, (uint32_t)(addr >> 32));
    }
    if (edu.msi_data != data) {
        edu.msi_data = data;
        pci_write(edu.slot, edu.msi + MSI_DATA, data);
    }
    msi_enable(true);
}

void
edu_msi(uint64_t addr, uint16_t data)
{
    edu_set_msi(addr, data);
    edu_write32(EDU_IRQ_RAISE, 1);
    edu_write32(EDU_IRQ_ACK, 1);
}

void
edu_raise(void)
{
    msi_enable(false);
    edu_write32(EDU_IRQ_RAISE, 1);
}

void
edu_lower(void)
{
    msi_enable(false);
    edu_write32(EDU_IRQ_ACK, ~0u);
}
