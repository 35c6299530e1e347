/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory of which only the bytes are known that somebody once read or
 * wrote.
 */
#ifndef TESTS_SUPPORT_TAPE_H
#define TESTS_SUPPORT_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tape_page;

/* Pages that can be known; a power of two. */
#define TAPE_PAGES 8192u

struct tape {
    struct tape_page *page[TAPE_PAGES];
    unsigned pages;
};

void tape_forget(struct tape *tape);

/* False if that is more than TAPE_PAGES pages. */
bool tape_write(struct tape *tape, uint64_t gpa, const void *buf, size_t len);

/* False if one of the bytes is unknown. */
bool tape_read(const struct tape *tape, uint64_t gpa, void *buf, size_t len);

#endif
