/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

static const struct column columns[] = {
    { "INDEX", "index", CELL_DEC, NULL, NULL },
    { "VERDICT", "verdict", CELL_TEXT, NULL, NULL },
    { "VEC", "vector", CELL_HEX, NULL, NULL },
    { "DEST", "dest", CELL_HEX, NULL, NULL },
    { "DM", "logical", CELL_FLAG, "log", "phys" },
    { "MODE", "mode", CELL_TEXT, NULL, NULL },
    { "TRIGGER", "level", CELL_FLAG, "level", "edge" },
    { "SOURCE", "sid", CELL_SID, NULL, NULL },
    { "CHECK", "sid-check", CELL_TEXT, NULL, NULL },
    { "XEN", "announced", CELL_FLAG, "told", "-" },
    { "STALE", "stale", CELL_FLAG, "stale", "-" },
    { "RAW", "raw", CELL_LIST, NULL, NULL },
};

static int
print_table(const struct query_args *args, struct json_object *reply,
            struct text_error *err)
{
    static const struct column head[] = {
        { "table at", "base", CELL_HEX, NULL, NULL },
        { "entries", "entries", CELL_DEC, NULL, NULL },
    };
    FILE *out = args->ctl->out;
    struct json_object *list = NULL;

    (void)err;
    table_print_object(out, head, sizeof(head) / sizeof(head[0]), reply);
    json_object_object_get_ex(reply, "list", &list);
    fprintf(out, "%-18s  %zu\n", "shown", json_object_array_length(list));
    if (json_object_array_length(list)) {
        table_print(out, columns, sizeof(columns) / sizeof(columns[0]), list);
    }
    return 0;
}

static const struct query query = {
    .execute = "query-irt",
    .doc = "Show the present entries of the interrupt remapping table as they "
           "are in guest memory, and what Xen was told of them.",
    .args_doc = "DOMAIN",
    .options = query_options_all,
    .type = json_type_object,
    .fetch = query_fetch_list,
    .print = print_table,
};

enum command_status
cmd_irt(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
