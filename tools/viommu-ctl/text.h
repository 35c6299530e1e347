/* SPDX-License-Identifier: GPL-2.0-only */
/* Error texts, and strings of others made harmless for a terminal. */
#ifndef TOOLS_VIOMMU_CTL_TEXT_H
#define TOOLS_VIOMMU_CTL_TEXT_H

#include <stddef.h>

/* Why something failed: one line without a newline. */
struct text_error {
    char text[512];
};

/* Set the text, printable whatever the arguments hold; returns @rc. */
int text_fail(struct text_error *err, int rc, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Replace every byte that is not printable ASCII by '?': a terminal acts on
 * control characters, in ASCII, in Latin-1 and in UTF-8.
 */
void text_make_printable(char *text, size_t len);

/* "viommu-ctl: text" on standard error. */
void text_error_print(const struct text_error *err);

#endif
