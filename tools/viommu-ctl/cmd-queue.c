/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

static const struct column head[] = {
    { "queue", "enabled", CELL_FLAG, "enabled", "disabled" },
    { "state", "stopped", CELL_FLAG, "stopped by an error", "in order" },
    { "at", "base", CELL_HEX, NULL, NULL },
    { "entries", "entries", CELL_DEC, NULL, NULL },
    { "bytes an entry", "entry-size", CELL_DEC, NULL, NULL },
    { "head", "head", CELL_DEC, NULL, NULL },
    { "tail", "tail", CELL_DEC, NULL, NULL },
    { "last error", "error", CELL_DEC, NULL, NULL },
};

static const struct column columns[] = {
    { "INDEX", "index", CELL_DEC, NULL, NULL },
    { "TYPE", "type", CELL_TEXT, NULL, NULL },
    { "STATE", "pending", CELL_FLAG, "pending", "done" },
    { "RAW", "raw", CELL_LIST, NULL, NULL },
};

static int
print_queue(const struct query_args *args, struct json_object *reply,
            struct text_error *err)
{
    struct json_object *list = NULL;

    (void)err;
    table_print_object(args->ctl->out, head, sizeof(head) / sizeof(head[0]),
                       reply);
    json_object_object_get_ex(reply, "list", &list);
    table_print(args->ctl->out, columns, sizeof(columns) / sizeof(columns[0]),
                list);
    return 0;
}

static const struct query query = {
    .execute = "query-queue",
    .doc = "Show a unit's invalidation queue and its latest descriptors.",
    .args_doc = "DOMAIN",
    .options = query_options_unit,
    .type = json_type_object,
    .print = print_queue,
};

enum command_status
cmd_queue(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
