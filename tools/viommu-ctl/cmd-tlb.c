/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column head[] = {
    { "unit", "unit", CELL_DEC, NULL, NULL },
    { "entries", "entries", CELL_DEC, NULL, NULL },
    { "walks", "walks", CELL_DEC, NULL, NULL },
    { "invalidations", "invalidations", CELL_DEC, NULL, NULL },
    { "  of everything", "global", CELL_DEC, NULL, NULL },
};

static const struct column columns[] = {
    { "DEVICE", "sid", CELL_SID, NULL, NULL },
    { "PASID", "pasid", CELL_DEC, NULL, NULL },
    { "IOVA", "iova", CELL_HEX, NULL, NULL },
    { "GUEST PHYSICAL", "gpa", CELL_HEX, NULL, NULL },
    { "SIZE", "size", CELL_HEX, NULL, NULL },
    { "PERMITTED", "permits", CELL_TEXT, NULL, NULL },
};

static const struct column client_columns[] = {
    { "CLIENT", "client", CELL_DEC, NULL, NULL },
    { "MISSES", "misses", CELL_DEC, NULL, NULL },
};

static int
print_tlb(const struct query_args *args, struct json_object *reply,
          struct text_error *err)
{
    FILE *out = args->ctl->out;
    struct json_object *part = NULL;

    (void)err;
    table_print_object(out, head, COUNT(head), reply);
    json_object_object_get_ex(reply, "list", &part);
    fprintf(out, "%-18s  %zu\n", "valid", json_object_array_length(part));
    if (json_object_array_length(part) > 0) {
        table_print(out, columns, COUNT(columns), part);
    }
    part = NULL;
    json_object_object_get_ex(reply, "clients", &part);
    if (json_object_is_type(part, json_type_array) &&
        json_object_array_length(part) > 0) {
        table_print(out, client_columns, COUNT(client_columns), part);
    }
    return 0;
}

static const struct query query = {
    .execute = "query-tlb",
    .doc = "Show the translations that a unit has cached itself. Clients have "
           "caches of their own, of which only the misses are known.",
    .args_doc = "DOMAIN",
    .options = query_options_unit,
    .type = json_type_object,
    .fetch = query_fetch_list,
    .print = print_tlb,
};

enum command_status
cmd_tlb(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
