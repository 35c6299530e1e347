/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "tools/viommu-ctl/query.h"

/* Fields are printed in lines of this width, behind an indent. */
#define LINE_WIDTH 79
#define INDENT     8

static uint64_t
get_uint(struct json_object *obj, const char *key)
{
    struct json_object *value = NULL;

    json_object_object_get_ex(obj, key, &value);
    return json_object_get_uint64(value);
}

static const char *
get_name(struct json_object *obj)
{
    struct json_object *value = NULL;

    return json_object_object_get_ex(obj, "name", &value) &&
                   json_object_is_type(value, json_type_string)
               ? json_object_get_string(value)
               : "?";
}

static void
print_fields(FILE *out, struct json_object *fields)
{
    int column = LINE_WIDTH;

    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        struct json_object *field = json_object_array_get_idx(fields, i);
        char text[128];
        int len = snprintf(text, sizeof(text), "%s=%" PRIx64, get_name(field),
                           get_uint(field, "value"));

        if (column + 1 + len > LINE_WIDTH) {
            fprintf(out, "%s%*s", i ? "\n" : "", INDENT - 1, "");
            column = INDENT - 1;
        }
        column += fprintf(out, " %s", text);
    }
    if (json_object_array_length(fields)) {
        fputc('\n', out);
    }
}

static bool
is_wanted(const struct query_args *args, const char *name)
{
    for (size_t i = 0; i < args->name_count; i++) {
        if (!strcasecmp(args->name[i], name)) {
            return true;
        }
    }
    return args->name_count == 0;
}

/* A register that was asked for by a name that no register has. */
static int
check_names(const struct query_args *args, struct json_object *regs,
            struct text_error *err)
{
    for (size_t i = 0; i < args->name_count; i++) {
        bool found = false;

        for (size_t r = 0; r < json_object_array_length(regs); r++) {
            found = found ||
                    !strcasecmp(args->name[i],
                                get_name(json_object_array_get_idx(regs, r)));
        }
        if (!found) {
            return text_fail(err, -ENOENT,
                             "no register is named %s; `viommu-ctl regs %u` "
                             "names them",
                             args->name[i], args->domid);
        }
    }
    return 0;
}

static int
print_regs(const struct query_args *args, struct json_object *reply,
           struct text_error *err)
{
    FILE *out = args->ctl->out;
    int rc = check_names(args, reply, err);

    for (size_t i = 0; !rc && i < json_object_array_length(reply); i++) {
        struct json_object *reg = json_object_array_get_idx(reply, i);
        struct json_object *fields = NULL;
        int digits = get_uint(reg, "size") == 8 ? 16 : 8;

        if (is_wanted(args, get_name(reg))) {
            fprintf(out, "0x%03" PRIx64 "  %-12s  0x%0*" PRIx64 "\n",
                    get_uint(reg, "offset"), get_name(reg), digits,
                    get_uint(reg, "value"));
            json_object_object_get_ex(reg, "fields", &fields);
            if (json_object_is_type(fields, json_type_array)) {
                print_fields(out, fields);
            }
        }
    }
    return rc;
}

static const struct query query = {
    .execute = "query-regs",
    .doc = "Show the registers of a unit, or those named, with their fields. "
           "Numbers are hexadecimal.",
    .args_doc = "DOMAIN [REGISTER...]",
    .options = query_options_unit,
    .type = json_type_array,
    .names = QUERY_NAMES_ANY,
    .print = print_regs,
};

enum command_status
cmd_regs(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
