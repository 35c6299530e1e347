/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdint.h>

#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/store.h"
#include "tools/viommu-ctl/table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct column daemon_columns[] = {
    { "state", "state", CELL_TEXT, NULL, NULL },
    { "pid", "pid", CELL_DEC, NULL, NULL },
    { "version", "version", CELL_TEXT, NULL, NULL },
    { "configuration", "config", CELL_TEXT, NULL, NULL },
};

static const struct column ioreq_columns[] = {
    { "ioreq server", "server", CELL_DEC, NULL, NULL },
    { "vCPUs", "vcpus", CELL_DEC, NULL, NULL },
};

static const struct column unit_columns[] = {
    { "unit", "unit", CELL_DEC, NULL, NULL },
    { "  register page", "base", CELL_HEX, NULL, NULL },
    { "  devices named", "devices", CELL_LIST, NULL, NULL },
    { "  DMA remapping", "dma", CELL_TEXT, NULL, NULL },
    { "  translation", "translating", CELL_FLAG, "enabled", "disabled" },
    { "  wired to Xen", "wired", CELL_FLAG, "yes", "no" },
    { "  remapping", "intremap", CELL_FLAG, "enabled", "disabled" },
    { "  mode", "x2apic", CELL_FLAG, "x2APIC, 32-bit destinations",
      "xAPIC, 8-bit destinations" },
    { "  compatibility", "compat-blocked", CELL_FLAG, "blocked", "passed" },
    { "  table entries", "table-entries", CELL_DEC, NULL, NULL },
    { "  queue", "queue", CELL_FLAG, "enabled", "disabled" },
    { "  faults pending", "faults-pending", CELL_DEC, NULL, NULL },
};

static const struct column xen_columns[] = {
    { "Xen's interface", "version", CELL_DEC, NULL, NULL },
    { "  features", "features", CELL_HEX, NULL, NULL },
    { "  owner", "owner", CELL_DEC, NULL, NULL },
    { "  remapped", "remapped", CELL_DEC, NULL, NULL },
    { "  events", "events", CELL_DEC, NULL, NULL },
    { "  events lost", "lost", CELL_DEC, NULL, NULL },
    { "  requests", "requests", CELL_DEC, NULL, NULL },
};

static void
print_uptime(FILE *out, struct json_object *reply)
{
    struct json_object *value = NULL;
    uint64_t s;

    if (json_object_object_get_ex(reply, "uptime-ms", &value) &&
        json_object_is_type(value, json_type_int)) {
        s = json_object_get_uint64(value) / 1000;
        fprintf(out, "%-18s  %" PRIu64 ":%02u:%02u\n", "up for", s / 3600,
                (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    }
}

static int
print_status(const struct query_args *args, struct json_object *reply,
             struct text_error *err)
{
    FILE *out = args->ctl->out;
    struct json_object *part = NULL;
    char name[256];

    (void)err;
    store_domain_name(args->domid, name, sizeof(name));
    fprintf(out, "%-18s  %u (%s)\n", "domain", args->domid, name);
    table_print_object(out, daemon_columns, COUNT(daemon_columns), reply);
    print_uptime(out, reply);
    json_object_object_get_ex(reply, "ioreq", &part);
    table_print_object(out, ioreq_columns, COUNT(ioreq_columns), part);
    if (json_object_object_get_ex(reply, "units", &part) &&
        json_object_is_type(part, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(part); i++) {
            table_print_object(out, unit_columns, COUNT(unit_columns),
                               json_object_array_get_idx(part, i));
        }
    }
    part = NULL;
    json_object_object_get_ex(reply, "xen", &part);
    table_print_object(out, xen_columns, COUNT(xen_columns), part);
    if (json_object_object_get_ex(reply, "notes", &part) &&
        json_object_is_type(part, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(part); i++) {
            struct json_object *note = json_object_array_get_idx(part, i);

            fprintf(out, "note: %s\n",
                    note ? json_object_get_string(note) : "?");
        }
    }
    return 0;
}

static const struct query query = {
    .execute = "query-status",
    .doc = "Show how the daemon of a domain and its units are.",
    .args_doc = "DOMAIN",
    .options = query_options_plain,
    .type = json_type_object,
    .print = print_status,
};

enum command_status
cmd_status(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
