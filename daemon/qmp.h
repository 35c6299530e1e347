/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol of the control socket, docs/control.md: one request in, one
 * reply out.  Pure; it knows neither sockets nor the commands.
 */
#ifndef DAEMON_QMP_H
#define DAEMON_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A request is at most this long, the newline not counted. */
#define QMP_REQUEST_MAX 4096u

/* Where a command says why it failed, in one line. */
struct qmp_error {
    char text[160];
};

void qmp_error_set(struct qmp_error *error, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct qmp_command {
    const char *name;
    const char *const *args; /* the names it takes, NULL at the end */

    /*
     * What to return, owned by the caller; or NULL and @error.  @args is NULL
     * if the request has none.
     */
    struct json_object *(*run)(void *ctx, struct json_object *args,
                               struct qmp_error *error);
};

struct qmp_session {
    const struct qmp_command *command;
    unsigned command_count;
    void *ctx;
    bool negotiated;
};

/* The objects that these return are the caller's to put. */
struct json_object *qmp_greeting(void);

/*
 * Answer the request in @line, without its newline.  *@fatal is set if the
 * connection cannot go on after the reply.
 */
struct json_object *qmp_request(struct qmp_session *session, const char *line,
                                size_t len, bool *fatal);

/* The reply to a request that is longer than QMP_REQUEST_MAX; fatal. */
struct json_object *qmp_request_too_long(void);

/*
 * An argument that is a number up to @max, or a truth value.  Without it,
 * *@val is left alone.  False and @error if it is something else.
 */
bool qmp_arg_uint(struct json_object *args, const char *name, uint64_t max,
                  uint64_t *val, struct qmp_error *error);
bool qmp_arg_bool(struct json_object *args, const char *name, bool *val,
                  struct qmp_error *error);

#endif
