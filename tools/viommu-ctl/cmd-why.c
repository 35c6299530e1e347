/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"
#include "tools/viommu-ctl/walk.h"

static const struct column columns[] = {
    { "unit", "unit", CELL_DEC, NULL, NULL },
    { "faults so far", "faults", CELL_DEC, NULL, NULL },
    { "the last: device", "sid", CELL_SID, NULL, NULL },
    { "  PASID", "pasid", CELL_DEC, NULL, NULL },
    { "  address", "iova", CELL_HEX, NULL, NULL },
    { "  access", "access", CELL_TEXT, NULL, NULL },
    { "  reason", "reason", CELL_HEX, NULL, NULL },
    { "  that is", "text", CELL_TEXT, NULL, NULL },
    { "  record", "recorded", CELL_FLAG, "still pending",
      "taken by the guest, or lost" },
};

static int
fetch_why(struct client *client, const struct query_args *args,
          struct json_object **reply, struct text_error *err)
{
    struct json_object *request = json_object_new_object();

    query_add_unit(request, args);
    return client_call(client, args->query->execute, request, reply, err);
}

static int
print_why(const struct query_args *args, struct json_object *reply,
          struct text_error *err)
{
    FILE *out = args->ctl->out;

    (void)err;
    if (json_object_array_length(reply) == 0) {
        fprintf(out, "no DMA was refused since the daemon started\n");
    }
    for (size_t i = 0; i < json_object_array_length(reply); i++) {
        struct json_object *fault = json_object_array_get_idx(reply, i);
        struct json_object *now = NULL;

        table_print_object(out, columns, sizeof(columns) / sizeof(columns[0]),
                           fault);
        walk_print_text(out, fault, "meaning");
        walk_print_text(out, fault, "still");
        if (json_object_object_get_ex(fault, "now", &now) && now) {
            fprintf(out, "\nthe same access now:\n");
            walk_print(out, now);
        }
    }
    return 0;
}

static const struct query query = {
    .execute = "query-why",
    .doc = "Explain the last DMA that a unit refused: what the reason means, "
           "and whether it would still be refused. Of all units, unless told.",
    .args_doc = "DOMAIN",
    .options = query_options_unit,
    .type = json_type_array,
    .fetch = fetch_why,
    .print = print_why,
};

enum command_status
cmd_why(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
