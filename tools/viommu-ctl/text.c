/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
text_make_printable(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~') {
            text[i] = '?';
        }
    }
}

int
text_fail(struct text_error *err, int rc, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    text_make_printable(err->text, strlen(err->text));
    return rc;
}

void
text_error_print(const struct text_error *err)
{
    fprintf(stderr, "viommu-ctl: %s\n", err->text);
}
