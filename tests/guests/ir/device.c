/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/ir/device.h"

#include "tests/guests/ir/console.h"
#include "tests/guests/ir/cpu.h"

#define PCI_ADDRESS    0xcf8u
#define PCI_DATA       0xcfcu
#define PCI_ENABLE     0x80000000u
#define PCI_SLOTS      32u
#define PCI_ID         0x00u
#define PCI_COMMAND    0x04u
#define PCI_BAR0       0x10u
#define PCI_CAPS       0x34u
#define PCI_CMD_MEMORY 0x0002u
#define PCI_CMD_MASTER 0x0004u
#define PCI_CAP_MSI    0x05u

/* MSI capability with a 64-bit address. */
#define MSI_FLAGS_ENABLE (1u << 16) /* in the dword at offset 0             */
#define MSI_ADDR_LOW     0x04u
#define MSI_ADDR_HIGH    0x08u
#define MSI_DATA         0x0cu

#define EDU_ID        0x11e81234u
#define EDU_IRQ_RAISE 0x60u
#define EDU_IRQ_ACK   0x64u

#define IOAPIC_BASE   0xfec00000u
#define IOAPIC_SELECT (IOAPIC_BASE + 0x00u)
#define IOAPIC_WINDOW (IOAPIC_BASE + 0x10u)
#define IOAPIC_IDREG  0x00u
#define IOAPIC_VER    0x01u
#define IOAPIC_RTE    0x10u
#define PCI_PIN_FIRST 16u

#define PIT_CH0      0x40u
#define PIT_CMD      0x43u
#define PIT_HZ       1193182u
#define PIT_CH0_OFF  0x30u /* both bytes, mode 0: Xen stops the timer        */
#define PIT_CH0_ONCE 0x38u /* both bytes, mode 4: one pulse                  */

#define PIN_WAIT_US 100000u

static struct {
    uint32_t slot;
    uint32_t bar;
    uint32_t msi; /* offset of the capability                              */
    bool msi_enabled;
    uint64_t msi_addr;
    uint16_t msi_data;
    unsigned pin;
} edu;

static unsigned pins;

static uint32_t
pci_read(uint32_t slot, uint32_t off)
{
    io_write32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | off);
    return io_read32(PCI_DATA);
}

static void
pci_write(uint32_t slot, uint32_t off, uint32_t val)
{
    io_write32(PCI_ADDRESS, PCI_ENABLE | slot << 11 | off);
    io_write32(PCI_DATA, val);
}

/* --- the edu device ------------------------------------------------------- */

static bool
edu_find(void)
{
    uint32_t cap;

    for (edu.slot = 0; edu.slot < PCI_SLOTS; edu.slot++)
        if (pci_read(edu.slot, PCI_ID) == EDU_ID)
            break;
    if (edu.slot == PCI_SLOTS)
        return false;
    pci_write(edu.slot, PCI_COMMAND, PCI_CMD_MEMORY | PCI_CMD_MASTER);
    edu.bar = pci_read(edu.slot, PCI_BAR0) & ~0xfu;
    cap = pci_read(edu.slot, PCI_CAPS) & 0xfcu;
    while (cap) {
        uint32_t head = pci_read(edu.slot, cap);

        if ((head & 0xff) == PCI_CAP_MSI)
            edu.msi = cap;
        cap = head >> 8 & 0xfcu;
    }
    return edu.bar && edu.msi;
}

static void
edu_msi_enable(bool enable)
{
    if (edu.msi_enabled == enable)
        return;
    edu.msi_enabled = enable;
    pci_write(edu.slot, edu.msi, enable ? MSI_FLAGS_ENABLE : 0);
}

void
edu_msi(uint64_t addr, uint16_t data)
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
    edu_msi_enable(true);
    mmio_write32(edu.bar + EDU_IRQ_RAISE, 1);
    mmio_write32(edu.bar + EDU_IRQ_ACK, 1);
}

void
edu_raise(void)
{
    edu_msi_enable(false);
    mmio_write32(edu.bar + EDU_IRQ_RAISE, 1);
}

void
edu_lower(void)
{
    edu_msi_enable(false);
    mmio_write32(edu.bar + EDU_IRQ_ACK, ~0u);
}

unsigned
edu_pin(void)
{
    return edu.pin;
}

/* --- the IOAPIC ----------------------------------------------------------- */

static uint32_t
ioapic_reg_read(uint32_t reg)
{
    mmio_write32(IOAPIC_SELECT, reg);
    return mmio_read32(IOAPIC_WINDOW);
}

static void
ioapic_reg_write(uint32_t reg, uint32_t val)
{
    mmio_write32(IOAPIC_SELECT, reg);
    mmio_write32(IOAPIC_WINDOW, val);
}

/* [VT-d 4.1, "I/OxAPIC Programming"]: bit 48 is the format. */
uint64_t
rte_remappable(uint32_t index, uint8_t vector)
{
    return (uint64_t)(index & 0x7fff) << 49 | 1ull << 48 |
           (uint64_t)(index >> 15 & 1) << 11 | vector;
}

uint64_t
rte_compatible(uint32_t apic_id, uint8_t vector)
{
    return (uint64_t)apic_id << 56 | vector;
}

uint64_t
ioapic_read(unsigned pin)
{
    uint64_t hi = ioapic_reg_read(IOAPIC_RTE + 2 * pin + 1);

    return hi << 32 | ioapic_reg_read(IOAPIC_RTE + 2 * pin);
}

void
ioapic_write(unsigned pin, uint64_t rte)
{
    ioapic_reg_write(IOAPIC_RTE + 2 * pin, (uint32_t)(rte | RTE_MASKED));
    ioapic_reg_write(IOAPIC_RTE + 2 * pin + 1, (uint32_t)(rte >> 32));
    if (!(rte & RTE_MASKED))
        ioapic_reg_write(IOAPIC_RTE + 2 * pin, (uint32_t)rte);
}

void
ioapic_eoi(unsigned pin)
{
    uint32_t low = ioapic_reg_read(IOAPIC_RTE + 2 * pin);
    uint32_t edge = (low | (uint32_t)RTE_MASKED) & ~(uint32_t)RTE_LEVEL;

    ioapic_reg_write(IOAPIC_RTE + 2 * pin, edge);
    ioapic_reg_write(IOAPIC_RTE + 2 * pin, low);
}

uint32_t
ioapic_id(void)
{
    return ioapic_reg_read(IOAPIC_IDREG) >> 24 & 0xf;
}

void
ioapic_set_id(uint32_t id)
{
    ioapic_reg_write(IOAPIC_IDREG, id << 24);
}

void
ioapic_mask_all(void)
{
    for (unsigned pin = 0; pin < pins; pin++)
        ioapic_write(pin, RTE_MASKED);
}

/*
 * Interrupt remapping is still off: every pin that could be the device's gets
 * a vector of its own, and the one that arrives tells.
 */
static bool
edu_find_pin(void)
{
    uint8_t first = 0;
    bool found = false;

    for (unsigned pin = PCI_PIN_FIRST; pin < pins; pin++) {
        uint8_t vector = irq_vector();

        if (pin == PCI_PIN_FIRST)
            first = vector;
        ioapic_write(pin, rte_compatible(cpu_apic_id(0), vector));
    }
    edu_raise();
    time_sleep_us(PIN_WAIT_US);
    edu_lower();
    for (unsigned pin = PCI_PIN_FIRST; pin < pins; pin++) {
        if (!irq_count((uint8_t)(first + pin - PCI_PIN_FIRST)))
            continue;
        edu.pin = pin;
        found = true;
        break;
    }
    ioapic_mask_all();
    return found;
}

bool
device_init(void)
{
    pit_stop();
    pins = (ioapic_reg_read(IOAPIC_VER) >> 16 & 0xff) + 1;
    ioapic_mask_all();
    return expect(edu_find(), "an edu device with a BAR and MSI") &&
           expect(edu_find_pin(), "the edu device's pin reaches the IOAPIC");
}

/* --- the PIT -------------------------------------------------------------- */

static void
pit_load(uint8_t command, uint32_t ticks)
{
    io_write8(PIT_CMD, command);
    io_write8(PIT_CH0, (uint8_t)ticks);
    io_write8(PIT_CH0, (uint8_t)(ticks >> 8));
}

void
pit_once(unsigned us)
{
    pit_load(PIT_CH0_ONCE, (uint32_t)((uint64_t)PIT_HZ * us / 1000000));
}

void
pit_stop(void)
{
    pit_load(PIT_CH0_OFF, 0);
}
