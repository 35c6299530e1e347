/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/store.h"
#include "tools/viommu-ctl/table.h"

static const struct column columns[] = {
    { "DOMID", "domid", CELL_DEC, NULL, NULL },
    { "NAME", "name", CELL_TEXT, NULL, NULL },
    { "PID", "pid", CELL_DEC, NULL, NULL },
    { "STATE", "state", CELL_TEXT, NULL, NULL },
    { "UNITS", "modes", CELL_LIST, NULL, NULL },
};

static error_t
parse_option(int key, char *arg, /* NOLINT: argp's type */
             struct argp_state *state)
{
    struct ctl *ctl = state->input;

    (void)arg;
    if (key != 'j') {
        return ARGP_ERR_UNKNOWN;
    }
    ctl->json = true;
    return 0;
}

/* The directory's entries are root's; anything but a number is not ours. */
static int
is_domid(const struct dirent *entry)
{
    return entry->d_name[strspn(entry->d_name, "0123456789")] == '\0' &&
           strlen(entry->d_name) <= strlen("32751");
}

static const char *
unit_mode(struct json_object *unit)
{
    struct json_object *intremap = NULL;
    struct json_object *x2apic = NULL;

    json_object_object_get_ex(unit, "intremap", &intremap);
    json_object_object_get_ex(unit, "x2apic", &x2apic);
    if (!json_object_get_boolean(intremap)) {
        return "off";
    }
    return json_object_get_boolean(x2apic) ? "x2apic" : "xapic";
}

/* Move what the status says of the daemon to @row. */
static void
fill_row(struct json_object *row, struct json_object *status)
{
    struct json_object *modes = json_object_new_array();
    struct json_object *value = NULL;

    if (json_object_object_get_ex(status, "pid", &value)) {
        json_object_object_add(row, "pid", json_object_get(value));
    }
    if (json_object_object_get_ex(status, "state", &value)) {
        json_object_object_add(row, "state", json_object_get(value));
    }
    if (json_object_object_get_ex(status, "units", &value) &&
        json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            struct json_object *unit = json_object_array_get_idx(value, i);

            json_object_array_add(modes,
                                  json_object_new_string(unit_mode(unit)));
        }
    }
    json_object_object_add(row, "modes", modes);
}

/* Ask one daemon; whatever goes wrong is its state. */
static struct json_object *
make_row(const struct ctl *ctl, unsigned domid)
{
    struct json_object *row = json_object_new_object();
    struct json_object *status = NULL;
    struct client *client = NULL;
    struct text_error err;
    char name[256];
    int rc = query_connect(ctl, domid, &client, &err);

    if (!rc) {
        rc = client_call(client, "query-status", NULL, &status, &err);
    }
    client_close(client);
    store_domain_name(domid, name, sizeof(name));
    json_object_object_add(row, "domid", json_object_new_int64(domid));
    json_object_object_add(row, "name", json_object_new_string(name));
    if (!rc) {
        fill_row(row, status);
    } else if (rc == -ESRCH) {
        json_object_object_add(row, "state",
                               json_object_new_string("not running"));
    } else if (rc == -ETIMEDOUT) {
        json_object_object_add(row, "state",
                               json_object_new_string("no answer"));
    } else {
        json_object_object_add(row, "state", json_object_new_string(err.text));
    }
    json_object_put(status);
    return row;
}

static struct json_object *
make_rows(const struct ctl *ctl, struct dirent **entry, int n)
{
    struct json_object *rows = json_object_new_array();

    for (int i = 0; i < n; i++) {
        unsigned domid = (unsigned)strtoul(entry[i]->d_name, NULL, 10);
        char *path = NULL;

        /* A daemon that is only starting or stopping has no socket. */
        if (asprintf(&path, "%s/%u/ctl", ctl->run_dir, domid) >= 0) {
            if (!access(path, F_OK)) {
                json_object_array_add(rows, make_row(ctl, domid));
            }
            free(path);
        }
        free(entry[i]);
    }
    return rows;
}

enum command_status
cmd_list(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "json", 'j', NULL, 0, "Print the answer as JSON", 0 },
        { 0 },
    };
    static const struct argp argp = {
        options, parse_option, NULL, "List the daemons that run.",
        NULL,    NULL,         NULL,
    };
    struct dirent **entry = NULL;
    struct json_object *rows;
    struct text_error err;
    int n;

    command_parse(&argp, argc, argv, ctl);
    n = scandir(ctl->run_dir, &entry, is_domid, versionsort);
    if (n < 0 && errno != ENOENT) {
        n = -errno;
        text_fail(&err, n, "cannot read %s: %s", ctl->run_dir, strerror(-n));
        return command_fail(n, &err);
    }
    rows = make_rows(ctl, entry, n);
    free(entry);
    if (ctl->json) {
        query_print_json(ctl->out, rows);
    } else {
        table_print(ctl->out, columns, sizeof(columns) / sizeof(columns[0]),
                    rows);
    }
    json_object_put(rows);
    return COMMAND_OK;
}
