/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdint.h>

#include "tools/viommu-ctl/query.h"

/* Entries asked for at once; the answer stays far below CLIENT_REPLY_MAX. */
#define PAGE_ENTRIES 256

/*
 * The longest list, an interrupt remapping table.
 * [VT-d 4.1, "Interrupt Remapping Table Address Register"]
 */
#define LIST_MAX 65536

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
            LIST_MAX) {
        return text_fail(err, -EPROTO, "viommud's answer is no list");
    }
    for (size_t i = 0; i < json_object_array_length(part); i++) {
        json_object_array_add(
            list, json_object_get(json_object_array_get_idx(part, i)));
    }
    part = NULL;
    json_object_object_get_ex(page, "next", &part);
    *next = part ? json_object_get_int64(part) : -1;
    if (part && (*next <= first || *next >= LIST_MAX)) {
        return text_fail(err, -EPROTO, "viommud's answer does not end");
    }
    return 0;
}

int
query_fetch_list(struct client *client, const struct query_args *args,
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
        if (args->query->options == query_options_all) {
            json_object_object_add(request, "all",
                                   json_object_new_boolean(args->all));
        }
        json_object_object_add(request, "first", json_object_new_int64(next));
        json_object_object_add(request, "count",
                               json_object_new_int(PAGE_ENTRIES));
        json_object_put(page);
        page = NULL;
        rc = client_call(client, args->query->execute, request, &page, err);
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
