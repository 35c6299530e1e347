/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest's driver tells the unit. */
#ifndef TESTS_PROPERTY_COMMAND_H
#define TESTS_PROPERTY_COMMAND_H

#include "tests/property/guest.h"

/* Set up the queue, the interrupt table and a root table; enable all. */
void command_start(void);

/* Latch another root table, in a mode that the unit has. */
void command_root(void);
void command_toggle_te(void);
/* The same table of interrupts, in the mode that it was not in. */
void command_toggle_eime(void);
/* Protected regions at or near @addr; or none. */
void command_protect(uint64_t addr);

/* Issue @inv by queue or register, and see it complete. */
void command_invalidate(const struct inv *inv);
/* Everything that there is to invalidate. */
void command_invalidate_all(void);

/*
 * An interrupt entry cache invalidation of [index, index + 2^im); false if
 * there cannot be one now.
 */
bool command_invalidate_entries(uint32_t index, unsigned im);

#endif
