/* SPDX-License-Identifier: GPL-2.0-only */
/* Words of the kernel's command line. */
#ifndef TESTS_GUESTS_LIB_CMDLINE_H
#define TESTS_GUESTS_LIB_CMDLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Before anything else is written to memory that the kernel does not own. */
void cmdline_init(void);

/* What follows @word, which is all of it or ends with "="; NULL: not there. */
const char *cmdline_find(const char *word);

/* The number, decimal or with 0x, behind @word ("name="); else @fallback. */
uint64_t cmdline_number(const char *word, uint64_t fallback);

/* Whether only=NAME is not there, or @name begins with NAME. */
bool cmdline_selects(const char *name);

#endif
