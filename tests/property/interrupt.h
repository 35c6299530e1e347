/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt requests, their entries and their invalidation. */
#ifndef TESTS_PROPERTY_INTERRUPT_H
#define TESTS_PROPERTY_INTERRUPT_H

#include "tests/property/guest.h"

extern unsigned long interrupt_checks;

/* Change an entry, invalidate some, and ask for some. */
void interrupt_operation(void);

#endif
