/* SPDX-License-Identifier: MIT */
/*
 * The configuration space of a PCI function with one memory BAR, INTA and an
 * MSI capability; with PCI_EXTENDED also a PCI Express capability and, from
 * 0x100 on, ATS, page requests and PASIDs.  Pure: who calls serialises.
 */
#ifndef CLIENT_EXAMPLES_EDU_PCI_H
#define CLIENT_EXAMPLES_EDU_PCI_H

#include <stdbool.h>
#include <stdint.h>

#define PCI_CONFIG_SIZE 4096u

#define PCI_WITH_INTX  1u /* an INTA pin */
#define PCI_WITH_PASID 2u
#define PCI_WITH_ATS   4u
#define PCI_WITH_PRI   8u
#define PCI_EXTENDED   (PCI_WITH_PASID | PCI_WITH_ATS | PCI_WITH_PRI)

struct pci_identity {
    uint16_t vendor;
    uint16_t device;
    uint16_t class; /* base class in the high byte */
    uint8_t revision;
    uint32_t bar_size; /* a power of two, at least 16 */
};

struct pci_function {
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* the bits that a write changes */
    uint32_t size;                     /* 256, or all with PCI_EXTENDED */
    uint32_t bar_size;
    uint16_t pasid; /* where these capabilities are; 0: there is none */
    uint16_t ats;
    uint16_t pri;
};

void pci_init(struct pci_function *pci, const struct pci_identity *identity,
              unsigned with);

/* Any offset and any size up to 8; nothing is there beyond the space. */
uint64_t pci_read(const struct pci_function *pci, uint32_t off, unsigned size);
void pci_write(struct pci_function *pci, uint32_t off, unsigned size,
               uint64_t val);

/* Where BAR 0 decodes; 0: nowhere. */
uint64_t pci_bar(const struct pci_function *pci);

bool pci_is_master(const struct pci_function *pci);

/* Whether MSIs are on, and what to send. */
bool pci_msi(const struct pci_function *pci, uint64_t *addr, uint32_t *data);

/* The level of the pin, from whether the device wants an interrupt. */
bool pci_intx(struct pci_function *pci, bool wanted);

/* PCI_WITH_*: of the extended capabilities, those that the guest turned on. */
unsigned pci_enabled(const struct pci_function *pci);

/* What requests with a PASID may ask for: PCI_PASID_CTRL_*. */
uint16_t pci_pasid_control(const struct pci_function *pci);

#endif
