/* SPDX-License-Identifier: GPL-2.0-only */
/* Configuration space of bus 0 by ports 0xcf8 and 0xcfc. */
#ifndef TESTS_GUESTS_LIB_PCI_H
#define TESTS_GUESTS_LIB_PCI_H

#include <stdint.h>

#define PCI_COMMAND    0x04u
#define PCI_BAR0       0x10u
#define PCI_CMD_MEMORY 0x0002u
#define PCI_CMD_MASTER 0x0004u
#define PCI_CAP_MSI    0x05u

/* Function 0 of device number @slot; @off is a multiple of 4. */
uint32_t pci_read(unsigned slot, unsigned off);
void pci_write(unsigned slot, unsigned off, uint32_t val);

/* The first slot with device << 16 | vendor; PCI_SLOTS: none. */
#define PCI_SLOTS 32u
unsigned pci_find(uint32_t id);

/* Offset of the capability, 0: it has none. */
unsigned pci_capability(unsigned slot, uint8_t id);

/*
 * Address of the memory BAR @bar, of 32 bits; where nobody gave it one, @hole,
 * aligned to its size.  @size, which may be NULL, is how large it is.  Memory
 * decoding and bus mastering are on afterwards.
 */
uint32_t pci_bar_enable(unsigned slot, unsigned bar, uint32_t hole,
                        uint32_t *size);

#endif
