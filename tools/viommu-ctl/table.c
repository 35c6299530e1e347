/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/table.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Columns of the widest table. */
#define COLUMNS_MAX 16u

/* Where the values of table_print_object() start. */
#define TITLE_WIDTH 18

static void
format_number(struct json_object *value, enum cell cell, char buf[CELL_MAX])
{
    uint64_t n = json_object_get_uint64(value);

    if (!json_object_is_type(value, json_type_int)) {
        snprintf(buf, CELL_MAX, "?");
    } else if (cell == CELL_HEX) {
        snprintf(buf, CELL_MAX, "0x%" PRIx64, n);
    } else if (cell == CELL_SID) {
        snprintf(buf, CELL_MAX, "%02x:%02x.%x", (unsigned)(n >> 8 & 0xff),
                 (unsigned)(n >> 3 & 0x1f), (unsigned)(n & 7));
    } else if (json_object_get_int64(value) < 0) {
        snprintf(buf, CELL_MAX, "%" PRId64, json_object_get_int64(value));
    } else {
        snprintf(buf, CELL_MAX, "%" PRIu64, n);
    }
}

static void
format_list(struct json_object *value, char buf[CELL_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        const char *text = item ? json_object_get_string(item) : "?";

        if (len + 1 < CELL_MAX) {
            snprintf(buf + len, CELL_MAX - len, "%s%s", i ? " " : "", text);
            len += strlen(buf + len);
        }
    }
}

const char *
table_cell(struct json_object *obj, const struct column *column,
           char buf[CELL_MAX])
{
    struct json_object *value = NULL;

    snprintf(buf, CELL_MAX, "?");
    if (!json_object_object_get_ex(obj, column->key, &value)) {
        return buf;
    }
    if (!value) {
        snprintf(buf, CELL_MAX, "-");
        return buf;
    }
    switch (column->cell) {
    case CELL_TEXT:
        if (json_object_is_type(value, json_type_string) ||
            json_object_is_type(value, json_type_int)) {
            snprintf(buf, CELL_MAX, "%s", json_object_get_string(value));
        }
        break;
    case CELL_DEC:
    case CELL_HEX:
    case CELL_SID:
        format_number(value, column->cell, buf);
        break;
    case CELL_LIST:
        if (json_object_is_type(value, json_type_array)) {
            buf[0] = '\0';
            format_list(value, buf);
        }
        break;
    case CELL_FLAG:
        if (json_object_is_type(value, json_type_boolean)) {
            snprintf(buf, CELL_MAX, "%s",
                     json_object_get_boolean(value) ? column->yes : column->no);
        }
        break;
    }
    return buf;
}

/* The last column is not padded, so that no line ends in blanks. */
static void
print_cell(FILE *out, const char *text, int width, size_t columns_left)
{
    if (columns_left == 1) {
        fprintf(out, "%s\n", text);
    } else {
        fprintf(out, "%-*s  ", width, text);
    }
}

void
table_print(FILE *out, const struct column *column, size_t columns,
            struct json_object *rows)
{
    size_t n = json_object_is_type(rows, json_type_array)
                   ? json_object_array_length(rows)
                   : 0;
    int width[COLUMNS_MAX] = { 0 };
    char buf[CELL_MAX];

    assert(columns <= COLUMNS_MAX);
    for (size_t i = 0; i < columns; i++) {
        width[i] = (int)strlen(column[i].title);
        for (size_t r = 0; r < n; r++) {
            struct json_object *row = json_object_array_get_idx(rows, r);
            int len = (int)strlen(table_cell(row, &column[i], buf));

            width[i] = len > width[i] ? len : width[i];
        }
    }
    for (size_t i = 0; i < columns; i++) {
        print_cell(out, column[i].title, width[i], columns - i);
    }
    for (size_t r = 0; r < n; r++) {
        struct json_object *row = json_object_array_get_idx(rows, r);

        for (size_t i = 0; i < columns; i++) {
            print_cell(out, table_cell(row, &column[i], buf), width[i],
                       columns - i);
        }
    }
}

void
table_print_object(FILE *out, const struct column *column, size_t columns,
                   struct json_object *obj)
{
    char buf[CELL_MAX];

    for (size_t i = 0; i < columns; i++) {
        fprintf(out, "%-*s  %s\n", TITLE_WIDTH, column[i].title,
                table_cell(obj, &column[i], buf));
    }
}
