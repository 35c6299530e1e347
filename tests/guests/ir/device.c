/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/ir/device.h"

#include "tests/guests/lib/console.h"
#include "tests/guests/lib/cpu.h"

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

static unsigned pin_of_edu;
static unsigned pins;

unsigned
edu_pin(void)
{
    return pin_of_edu;
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
        pin_of_edu = pin;
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
    return expect(edu_find(0), "an edu device with a BAR and MSI") &&
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
