/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

/* One line a counter: "group.name  value", as scripts like it. */
static int
print_stats(const struct query_args *args, struct json_object *reply,
            struct text_error *err)
{
    (void)err;
    json_object_object_foreach(reply, group, counters)
    {
        if (!json_object_is_type(counters, json_type_object)) {
            continue;
        }
        json_object_object_foreach(counters, name, value)
        {
            const struct column column = { name, name, CELL_DEC, NULL, NULL };
            char title[64];
            char buf[CELL_MAX];

            (void)value;
            snprintf(title, sizeof(title), "%s.%s", group, name);
            fprintf(args->ctl->out, "%-26s  %s\n", title,
                    table_cell(counters, &column, buf));
        }
    }
    return 0;
}

static const struct query query = {
    .execute = "query-stats",
    .doc = "Show what the daemon and Xen have counted.",
    .args_doc = "DOMAIN",
    .options = query_options_unit,
    .type = json_type_object,
    .print = print_stats,
};

enum command_status
cmd_stats(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
