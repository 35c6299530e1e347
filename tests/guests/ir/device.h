/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources of interrupts: the edu device's INTx pin, besides its MSI; the
 * IOAPIC; the PIT.
 */
#ifndef TESTS_GUESTS_IR_DEVICE_H
#define TESTS_GUESTS_IR_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/edu.h"

/* Find the device and the IOAPIC.  False, with a failed expectation: no. */
bool device_init(void);

/* The IOAPIC pin of its INTx, found by device_init(). */
unsigned edu_pin(void);

/* --- the IOAPIC ----------------------------------------------------------- */

#define RTE_LOGICAL    (1ull << 11) /* compatibility format only            */
#define RTE_REMOTE_IRR (1ull << 14)
#define RTE_LEVEL      (1ull << 15)
#define RTE_MASKED     (1ull << 16)

/* Entry in the remappable format. */
uint64_t rte_remappable(uint32_t index, uint8_t vector);

/* Entry in the compatibility format: fixed, physical. */
uint64_t rte_compatible(uint32_t apic_id, uint8_t vector);

uint64_t ioapic_read(unsigned pin);

/* Takes effect as a whole: the entry is masked while it changes. */
void ioapic_write(unsigned pin, uint64_t rte);

/*
 * What software does instead of an EOI message to an IOAPIC of version 0x11:
 * masked and edge-triggered for a moment, which clears remote IRR.
 */
void ioapic_eoi(unsigned pin);

void ioapic_mask_all(void);

/* The id register, 4 bits. */
uint32_t ioapic_id(void);
void ioapic_set_id(uint32_t id);

/* --- the PIT -------------------------------------------------------------- */

#define PIT_PIN 2u /* of the IOAPIC, by the usual interrupt override */

/* One edge after @us, at most 50,000. */
void pit_once(unsigned us);
void pit_stop(void);

#endif
