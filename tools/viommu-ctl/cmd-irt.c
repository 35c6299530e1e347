/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/table.h"

/* Entries asked for at once; the answer stays far below CLIENT_REPLY_MAX. */
#define PAGE_ENTRIES 256

/* The largest table. [VT-d 4.1, "Interrupt Remapping Table Address Register"] */
#define TABLE_MAX 65536

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

/* Append the entries of @page to @list; *@next is where to go on, or -1. */
static int
take_page(struct json_object *list, struct json_object *page, int64_t *next,
          struct text_error *err)
{
    struct json_object *part = NULL;
    int64_t first = *next;

    if (!json_object_object_get_ex(page, "list", &part) ||
        !json_object_is_type(part, json_type_array) ||
        json_object_array_length(list) + json_object_array_length(part) >
            TABLE_MAX) {
        return text_fail(err, -EPROTO, "viommud's answer is no table");
    }
    for (size_t i = 0; i < json_object_array_length(part); i++) {
        json_object_array_add(
            list, json_object_get(json_object_array_get_idx(part, i)));
    }
    part = NULL;
    json_object_object_get_ex(page, "next", &part);
    *next = part ? json_object_get_int64(part) : -1;
    if (part && (*next <= first || *next >= TABLE_MAX)) {
        return text_fail(err, -EPROTO, "viommud's answer does not end");
    }
    return 0;
}

/* The whole table in one object, as if a single answer had held it. */
static int
fetch_table(struct client *client, const struct query_args *args,
            struct json_object **reply, struct text_error *err)
{
    struct json_object *list = json_object_new_array();
    struct json_object *page = NULL;
    int64_t next = 0;
    int rc = 0;

    while (!rc && next >= 0) {
        struct json_object *request = json_object_new_object();

        json_object_object_add(request, "unit",
                               json_object_new_int(args->unit));
        json_object_object_add(request, "all",
                               json_object_new_boolean(args->all));
        json_object_object_add(request, "first", json_object_new_int64(next));
        json_object_object_add(request, "count",
                               json_object_new_int(PAGE_ENTRIES));
        json_object_put(page);
        page = NULL;
        rc = client_call(client, "query-irt", request, &page, err);
        if (!rc) {
            rc = take_page(list, page, &next, err);
        }
    }
    if (rc) {
        json_object_put(list);
        json_object_put(page);
        return rc;
    }
    json_object_object_add(page, "list", list);
    *reply = page;
    return 0;
}

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
    .fetch = fetch_table,
    .print = print_table,
};

enum command_status
cmd_irt(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
