/* SPDX-License-Identifier: GPL-2.0-only */
/* The tests by subject, in the order they run, and what they share. */
#ifndef TESTS_GUESTS_IR_TESTS_H
#define TESTS_GUESTS_IR_TESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/console.h"

/* A name and what it does; an array ends with an empty one. */
struct test {
    const char *name;
    void (*run)(void);
    bool extended; /* of the mode of 32-bit destinations, only there       */
};

extern const struct test register_tests[];
extern const struct test queue_tests[];
extern const struct test queue_error_tests[];
extern const struct test msi_tests[];
extern const struct test table_tests[];
extern const struct test fault_tests[];
extern const struct test event_tests[];
extern const struct test pin_tests[];
extern const struct test source_tests[];
extern const struct test shape_tests[];

/* The IOAPIC's source id: the default of the unit's configuration. */
#define IOAPIC_SID 0xff00u

/* QEMU names no source id for the MSIs of its devices. */
#define MSI_SID 0u

/* How long an interrupt that must come may take. */
#define IRQ_US 3000000u

/* How long one that must not come is waited for, where nothing tells. */
#define QUIET_US 50000u

/* The edu device sends an MSI in remappable format, without a subhandle. */
void send_index(uint32_t index);

/* One interrupt of @vector, on @cpu, and none elsewhere. */
void expect_irq(uint8_t vector, unsigned cpu);

/* Make @index lead to @cpu, send, and expect it: the unit works. */
void expect_route_works(uint32_t index, unsigned cpu);

/*
 * Someone in dom0 answers WANT-MSI lines (see main.c); from the command line.
 */
void source_set_answered(bool yes);

#endif
