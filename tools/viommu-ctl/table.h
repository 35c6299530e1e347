/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Values of a reply as text for people.  A missing value prints as "?", null,
 * which says that there is none, as "-".
 */
#ifndef TOOLS_VIOMMU_CTL_TABLE_H
#define TOOLS_VIOMMU_CTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include <json-c/json.h>

enum cell {
    CELL_TEXT,
    CELL_DEC,
    CELL_HEX,
    CELL_SID,  /* a number, printed as bus:device.function */
    CELL_LIST, /* an array of strings, printed with blanks between them */
    CELL_FLAG, /* a truth value, printed as one of two words */
};

struct column {
    const char *title;
    const char *key;
    enum cell cell;
    const char *yes; /* of CELL_FLAG                              */
    const char *no;
};

/* Longer text is cut; the eight quadwords of a PASID table entry fit. */
#define CELL_MAX 160u

/* The value of @key in @obj as @cell says; returns @buf. */
const char *table_cell(struct json_object *obj, const struct column *column,
                       char buf[CELL_MAX]);

/* Every object of the array @rows as a line, under a line of titles. */
void table_print(FILE *out, const struct column *column, size_t columns,
                 struct json_object *rows);

/* Every column of one object as a line "title   value". */
void table_print_object(FILE *out, const struct column *column, size_t columns,
                        struct json_object *obj);

#endif
