/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

static const struct column columns[] = {
    { "RECORD", "record", CELL_DEC, NULL, NULL },
    { "STATE", "valid", CELL_FLAG, "fault", "empty" },
    { "SOURCE", "sid", CELL_SID, NULL, NULL },
    { "INDEX", "index", CELL_DEC, NULL, NULL },
    { "REASON", "reason", CELL_HEX, NULL, NULL },
    { "TEXT", "text", CELL_TEXT, NULL, NULL },
    { "RAW", "raw", CELL_LIST, NULL, NULL },
};

static int
print_faults(const struct query_args *args, struct json_object *reply,
             struct text_error *err)
{
    (void)err;
    table_print(args->ctl->out, columns, sizeof(columns) / sizeof(columns[0]),
                reply);
    return 0;
}

static const struct query query = {
    .execute = "query-faults",
    .doc = "Show a unit's fault recording registers.",
    .args_doc = "DOMAIN",
    .options = query_options_unit,
    .type = json_type_array,
    .print = print_faults,
};

enum command_status
cmd_faults(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
