/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel takes from Xen where there is no PC: console and time. */
#ifndef TESTS_GUESTS_LIB_XEN_H
#define TESTS_GUESTS_LIB_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Started by Xen's PVH entry: no PIC, PIT, IOAPIC or serial port. */
extern uint32_t boot_is_pvh;

/* Kilohertz of the time stamp counter; 0: Xen is not there. */
uint32_t xen_tsc_khz(void);

/* The PV console.  False: there is none. */
bool xen_console_init(void);

/* Waits, for a while, for a reader that is slow. */
void xen_console_write(const char *s, size_t len);

#endif
