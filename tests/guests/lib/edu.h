/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The "edu" device (PCI 1234:11e8), QEMU's or one like it, which sends an MSI
 * or asserts its INTx pin when told to.
 */
#ifndef TESTS_GUESTS_LIB_EDU_H
#define TESTS_GUESTS_LIB_EDU_H

#include <stdbool.h>
#include <stdint.h>

#include "client/examples/edu/edu-regs.h"

/*
 * The device on bus 0, its BAR where firmware put it or else at @hole (0: it
 * must have an address).  False: no such device, BAR or MSI.
 */
bool edu_find(uint32_t hole);

uint16_t edu_sid(void);
unsigned edu_slot(void);

/* Registers, by their offsets in edu-regs.h. */
uint32_t edu_read32(uint32_t off);
uint64_t edu_read64(uint32_t off);
void edu_write32(uint32_t off, uint32_t val);
void edu_write64(uint32_t off, uint64_t val);

/* The MSI that it sends from now on. */
void edu_set_msi(uint64_t addr, uint16_t data);

/* Make it send the MSI @addr, @data once. */
void edu_msi(uint64_t addr, uint16_t data);

/* MSI off and its INTx pin asserted, until edu_lower(). */
void edu_raise(void);
void edu_lower(void);

#endif
