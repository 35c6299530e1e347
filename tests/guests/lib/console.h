/* SPDX-License-Identifier: GPL-2.0-only */
/* COM1 or Xen's PV console, and the results of tests written to it. */
#ifndef TESTS_GUESTS_LIB_CONSOLE_H
#define TESTS_GUESTS_LIB_CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

void console_init(void);

/* %s, %u (unsigned), %x (unsigned), %lx (uint64_t), %% */
void console_print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * One test at a time.  It passes if every expectation held, at least one was
 * made and it was not skipped; only the first that failed is printed.
 */
void test_begin(const char *name);
void test_end(void);

/* Each returns whether it held. */
bool expect(bool ok, const char *what);
bool expect_eq(const char *what, uint64_t want, uint64_t got);

/* The current test cannot run here: it counts as skipped, not as passed. */
void test_skip(const char *why);

/* The final line; a kernel that crashed says it too, with a failure more. */
void test_done(void);

#endif
