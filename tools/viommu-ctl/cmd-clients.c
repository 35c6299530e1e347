/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column columns[] = {
    { "CLIENT", "client", CELL_DEC, NULL, NULL },
    { "PID", "pid", CELL_DEC, NULL, NULL },
    { "UID", "uid", CELL_DEC, NULL, NULL },
    { "TABLES", "walks", CELL_FLAG, "walks", "asks" },
    { "THREADS", "threads", CELL_DEC, NULL, NULL },
    { "ACTIVE", "active", CELL_DEC, NULL, NULL },
    { "MESSAGES", "messages", CELL_DEC, NULL, NULL },
    { "MISSES", "misses", CELL_DEC, NULL, NULL },
    { "FAULTS", "faults", CELL_DEC, NULL, NULL },
    { "PENDING", "pending", CELL_DEC, NULL, NULL },
};

static const struct column stats_columns[] = {
    { "messages", "messages", CELL_DEC, NULL, NULL },
    { "cut off", "cut-off", CELL_DEC, NULL, NULL },
    { "syncs", "syncs", CELL_DEC, NULL, NULL },
    { "  that waited", "syncs-waited", CELL_DEC, NULL, NULL },
    { "  at most, in us", "drain-us-max", CELL_DEC, NULL, NULL },
};

static int
print_clients(const struct query_args *args, struct json_object *reply,
              struct text_error *err)
{
    FILE *out = args->ctl->out;
    struct json_object *part = NULL;

    (void)err;
    json_object_object_get_ex(reply, "stats", &part);
    table_print_object(out, stats_columns, COUNT(stats_columns), part);
    part = NULL;
    json_object_object_get_ex(reply, "list", &part);
    table_print(out, columns, COUNT(columns), part);
    return 0;
}

static const struct query query = {
    .execute = "query-clients",
    .doc = "Show the clients of the translation service, which do the DMA of "
           "the guest's devices.",
    .args_doc = "DOMAIN",
    .options = query_options_plain,
    .type = json_type_object,
    .print = print_clients,
};

enum command_status
cmd_clients(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
