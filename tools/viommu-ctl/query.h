/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands that ask one daemon one thing and show the answer. */
#ifndef TOOLS_VIOMMU_CTL_QUERY_H
#define TOOLS_VIOMMU_CTL_QUERY_H

#include <json-c/json.h>

#include "tools/viommu-ctl/client.h"
#include "tools/viommu-ctl/command.h"

struct query;

struct query_args {
    struct ctl *ctl;
    const struct query *query;
    unsigned domid;
    int unit;
    bool unit_told;     /* --unit was given; otherwise unit is 0     */
    bool all;           /* --all                                     */
    const char *access; /* --access, or NULL                         */
    bool privileged;    /* --privileged                              */
    char *const *name;  /* the arguments after the domain            */
    size_t name_count;
};

/* query.names: none, one, or many. */
#define QUERY_NAMES_ANY (-1)

struct query {
    const char *execute;
    const char *doc;      /* for --help                                */
    const char *args_doc; /* "DOMAIN"                                  */
    const struct argp_option *options; /* one of those below                 */
    enum json_type type; /* of the answer; anything else is refused   */
    int names;           /* arguments that follow the domain          */
    /* NULL: one call with the unit as its argument. */
    int (*fetch)(struct client *client, const struct query_args *args,
                 struct json_object **reply, struct text_error *err);
    /* @reply as text for people; 0 or -errno with @err set. */
    int (*print)(const struct query_args *args, struct json_object *reply,
                 struct text_error *err);
};

extern const struct argp_option query_options_plain[];
extern const struct argp_option query_options_unit[];
extern const struct argp_option query_options_all[];
extern const struct argp_option query_options_walk[];

enum command_status query_run(const struct query *query, struct ctl *ctl,
                              int argc, char **argv);

/*
 * A query.fetch for an answer that is a list in pieces: all of it in one
 * object, as if a single answer had held it.
 */
int query_fetch_list(struct client *client, const struct query_args *args,
                     struct json_object **reply, struct text_error *err);

/* Name the unit in @request if --unit did. */
void query_add_unit(struct json_object *request, const struct query_args *args);

/* Connect to the daemon of @domid. */
int query_connect(const struct ctl *ctl, unsigned domid, struct client **out,
                  struct text_error *err);

/* @value as one line of JSON. */
void query_print_json(FILE *out, struct json_object *value);

#endif
