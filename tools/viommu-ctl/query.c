/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/viommu-ctl/store.h"

/* Units that a guest can have. */
#define UNIT_MAX 255

/* Options without a letter. */
enum {
    KEY_ACCESS = 256,
    KEY_PRIVILEGED,
};

static const char doc_json[] = "Print the answer as JSON";
static const char doc_unit[] = "Ask for unit N; 0 unless told";

const struct argp_option query_options_plain[] = {
    { "json", 'j', NULL, 0, doc_json, 0 },
    { 0 },
};
const struct argp_option query_options_unit[] = {
    { "json", 'j', NULL, 0, doc_json, 0 },
    { "unit", 'u', "N", 0, doc_unit, 0 },
    { 0 },
};
const struct argp_option query_options_all[] = {
    { "json", 'j', NULL, 0, doc_json, 0 },
    { "unit", 'u', "N", 0, doc_unit, 0 },
    { "all", 'a', NULL, 0, "Show entries that are not present, too", 0 },
    { 0 },
};
const struct argp_option query_options_walk[] = {
    { "json", 'j', NULL, 0, doc_json, 0 },
    { "unit", 'u', "N", 0, "Ask unit N, whether or not the device is its", 0 },
    { "access", KEY_ACCESS, "rwx", 0,
      "What the device does there: read (unless told), write, execute", 0 },
    { "privileged", KEY_PRIVILEGED, NULL, 0,
      "It does so as a supervisor; needs a PASID", 0 },
    { 0 },
};

struct parse {
    const struct query *query;
    struct query_args *args;
    const char *domain;
};

static void
parse_unit(struct argp_state *state, const char *arg, int *unit)
{
    char *end;
    long val;

    errno = 0;
    val = strtol(arg, &end, 10);
    if (errno || end == arg || *end || val < 0 || val > UNIT_MAX) {
        argp_error(state, "'%s' is not a unit; accepted: 0 to %d", arg,
                   UNIT_MAX);
    }
    *unit = (int)val;
}

static void
parse_names(struct argp_state *state, const struct parse *parse)
{
    int count = state->argc - state->next;
    int names = parse->query->names;

    if (names != QUERY_NAMES_ANY && count > names) {
        argp_error(state, "'%s' is one argument too many",
                   state->argv[state->next + names]);
    }
    parse->args->name = state->argv + state->next;
    parse->args->name_count = (size_t)count;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
    struct parse *parse = state->input;

    switch (key) {
    case 'j':
        parse->args->ctl->json = true;
        return 0;
    case 'u':
        parse_unit(state, arg, &parse->args->unit);
        parse->args->unit_told = true;
        return 0;
    case 'a':
        parse->args->all = true;
        return 0;
    case KEY_ACCESS:
        parse->args->access = arg;
        return 0;
    case KEY_PRIVILEGED:
        parse->args->privileged = true;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) {
            return ARGP_ERR_UNKNOWN;
        }
        parse->domain = arg;
        return 0;
    case ARGP_KEY_ARGS:
        parse_names(state, parse);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which domain?");
        return 0;
    case ARGP_KEY_END:
        if (parse->query->names > (int)parse->args->name_count) {
            argp_error(state, "expected: %s", parse->query->args_doc);
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int
query_connect(const struct ctl *ctl, unsigned domid, struct client **out,
              struct text_error *err)
{
    char *path = NULL;
    int rc;

    if (asprintf(&path, "%s/%u/ctl", ctl->run_dir, domid) < 0) {
        return text_fail(err, -ENOMEM, "cannot connect: %s", strerror(ENOMEM));
    }
    rc = client_open(path, ctl->timeout_ms, out, err);
    if (rc == -ESRCH) {
        text_fail(err, rc,
                  "no viommud runs for domain %u; `viommu-ctl list` shows "
                  "those that do",
                  domid);
    }
    free(path);
    return rc;
}

void
query_print_json(FILE *out, struct json_object *value)
{
    fprintf(out, "%s\n",
            json_object_to_json_string_ext(value,
                                           JSON_C_TO_STRING_PLAIN |
                                               JSON_C_TO_STRING_NOSLASHESCAPE));
}

void
query_add_unit(struct json_object *request, const struct query_args *args)
{
    if (args->unit_told) {
        json_object_object_add(request, "unit",
                               json_object_new_int(args->unit));
    }
}

static int
fetch_unit(struct client *client, const struct query *query, int unit,
           struct json_object **reply, struct text_error *err)
{
    struct json_object *args = NULL;

    if (query->options != query_options_plain) {
        args = json_object_new_object();
        json_object_object_add(args, "unit", json_object_new_int(unit));
    }
    return client_call(client, query->execute, args, reply, err);
}

enum command_status
query_run(const struct query *query, struct ctl *ctl, int argc, char **argv)
{
    struct query_args args = { .ctl = ctl, .query = query };
    struct parse parse = { .query = query, .args = &args };
    const struct argp argp = {
        query->options, parse_option, query->args_doc, query->doc, NULL,
        NULL,           NULL
    };
    struct client *client = NULL;
    struct json_object *reply = NULL;
    struct text_error err;
    int rc;

    command_parse(&argp, argc, argv, &parse);
    rc = store_domain_find(parse.domain, &args.domid, &err);
    if (!rc) {
        rc = query_connect(ctl, args.domid, &client, &err);
    }
    if (!rc) {
        rc = query->fetch ? query->fetch(client, &args, &reply, &err)
                          : fetch_unit(client, query, args.unit, &reply, &err);
    }
    if (!rc && !json_object_is_type(reply, query->type)) {
        rc = text_fail(&err, -EPROTO, "viommud's answer is no %s",
                       json_type_to_name(query->type));
    }
    if (!rc && ctl->json) {
        query_print_json(ctl->out, reply);
    } else if (!rc) {
        rc = query->print(&args, reply, &err);
    }
    json_object_put(reply);
    client_close(client);
    return rc ? command_fail(rc, &err) : COMMAND_OK;
}
