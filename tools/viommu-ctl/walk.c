/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/walk.h"

#include <string.h>

#include "tools/viommu-ctl/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define LINE_WIDTH 79

static const struct column request_columns[] = {
    { "device", "sid", CELL_SID, NULL, NULL },
    { "PASID", "pasid", CELL_DEC, NULL, NULL },
    { "address", "iova", CELL_HEX, NULL, NULL },
    { "access", "access", CELL_TEXT, NULL, NULL },
    { "unit", "unit", CELL_DEC, NULL, NULL },
    { "translation", "mode", CELL_TEXT, NULL, NULL },
    { "  levels", "levels", CELL_DEC, NULL, NULL },
    { "  domain", "did", CELL_DEC, NULL, NULL },
};

static const struct column step_columns[] = {
    { "ENTRY", "what", CELL_TEXT, NULL, NULL },
    { "LEVEL", "level", CELL_DEC, NULL, NULL },
    { "AT", "gpa", CELL_HEX, NULL, NULL },
    { "RAW", "raw", CELL_LIST, NULL, NULL },
};

static const struct column result_columns[] = {
    { "verdict", "verdict", CELL_TEXT, NULL, NULL },
    { "guest physical", "gpa", CELL_HEX, NULL, NULL },
    { "page size", "size", CELL_HEX, NULL, NULL },
    { "permitted", "permits", CELL_TEXT, NULL, NULL },
};

void
walk_print_text(FILE *out, struct json_object *obj, const char *key)
{
    struct json_object *value = NULL;
    const char *text = "?";
    size_t column = 0;

    if (json_object_object_get_ex(obj, key, &value) &&
        json_object_is_type(value, json_type_string)) {
        text = json_object_get_string(value);
    }
    while (*text) {
        size_t len = strcspn(text, " ");

        if (column > 0 && column + 1 + len > LINE_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        column += (size_t)fprintf(out, "%s%.*s", column > 0 ? " " : "",
                                  (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void
walk_print(FILE *out, struct json_object *walk)
{
    struct json_object *steps = NULL;

    table_print_object(out, request_columns, COUNT(request_columns), walk);
    if (json_object_object_get_ex(walk, "steps", &steps) &&
        json_object_is_type(steps, json_type_array) &&
        json_object_array_length(steps) > 0) {
        table_print(out, step_columns, COUNT(step_columns), steps);
    }
    table_print_object(out, result_columns, COUNT(result_columns), walk);
    walk_print_text(out, walk, "text");
}
