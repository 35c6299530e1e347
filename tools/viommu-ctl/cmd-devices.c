/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

static const struct column columns[] = {
    { "DEVICE", "sid", CELL_SID, NULL, NULL },
    { "UNIT", "unit", CELL_DEC, NULL, NULL },
    { "TRANSLATION", "mode", CELL_TEXT, NULL, NULL },
    { "LEVELS", "levels", CELL_DEC, NULL, NULL },
    { "DOMAIN", "did", CELL_DEC, NULL, NULL },
    { "CLIENT", "client", CELL_DEC, NULL, NULL },
    { "PID", "pid", CELL_DEC, NULL, NULL },
    { "STATE", "blocked", CELL_FLAG, "blocked", "open" },
    { "VERDICT", "verdict", CELL_TEXT, NULL, NULL },
};

static int
print_devices(const struct query_args *args, struct json_object *reply,
              struct text_error *err)
{
    (void)err;
    table_print(args->ctl->out, columns, sizeof(columns) / sizeof(columns[0]),
                reply);
    return 0;
}

static const struct query query = {
    .execute = "query-devices",
    .doc = "Show the devices whose DMA units translate, what they translate "
           "through now, and which client does their DMA.",
    .args_doc = "DOMAIN",
    .options = query_options_plain,
    .type = json_type_array,
    .print = print_devices,
};

enum command_status
cmd_devices(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
