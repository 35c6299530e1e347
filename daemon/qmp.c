/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/qmp.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What our requests need is 3. */
#define JSON_DEPTH_MAX 8

static const char *const class_generic = "GenericError";
static const char *const class_not_found = "CommandNotFound";
static const char *const class_not_expected = "CommandNotExpected";

void
qmp_error_set(struct qmp_error *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(error->text, sizeof(error->text), fmt, ap);
    va_end(ap);
}

static void
version_part_add(struct json_object *version, const char *name,
                 const char **text)
{
    char *end;
    long part = strtol(*text, &end, 10);

    json_object_object_add(version, name, json_object_new_int64(part));
    *text = *end == '.' ? end + 1 : end;
}

struct json_object *
qmp_greeting(void)
{
    struct json_object *greeting = json_object_new_object();
    struct json_object *qmp = json_object_new_object();
    struct json_object *version = json_object_new_object();
    struct json_object *number = json_object_new_object();
    const char *text = VIOMMUD_VERSION;

    version_part_add(number, "major", &text);
    version_part_add(number, "minor", &text);
    version_part_add(number, "micro", &text);
    json_object_object_add(version, "viommud", number);
    json_object_object_add(qmp, "version", version);
    json_object_object_add(qmp, "capabilities", json_object_new_array());
    json_object_object_add(greeting, "QMP", qmp);
    return greeting;
}

static struct json_object *
reply_error(const char *class, const char *desc, struct json_object *id)
{
    struct json_object *reply = json_object_new_object();
    struct json_object *error = json_object_new_object();

    json_object_object_add(error, "class", json_object_new_string(class));
    json_object_object_add(error, "desc", json_object_new_string(desc));
    json_object_object_add(reply, "error", error);
    if (id)
        json_object_object_add(reply, "id", json_object_get(id));
    return reply;
}

static struct json_object *
reply_return(struct json_object *value, struct json_object *id)
{
    struct json_object *reply = json_object_new_object();

    json_object_object_add(reply, "return", value);
    if (id)
        json_object_object_add(reply, "id", json_object_get(id));
    return reply;
}

struct json_object *
qmp_request_too_long(void)
{
    struct qmp_error error;

    qmp_error_set(&error, "the request is longer than %u bytes",
                  QMP_REQUEST_MAX);
    return reply_error(class_generic, error.text, NULL);
}

/*
 * The JSON value that @line is, or NULL.  What a JSON null is to json-c is
 * NULL too, and no request either.
 */
static struct json_object *
parse(const char *line, size_t len)
{
    struct json_tokener *tok;
    struct json_object *val;

    /* A NUL would end the text for json-c, and hide what follows. */
    if (len > QMP_REQUEST_MAX || memchr(line, '\0', len))
        return NULL;

    tok = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tok)
        return NULL;

    json_tokener_set_flags(tok,
                           JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    val = json_tokener_parse_ex(tok, line, (int)len);

    /* A number could go on: the tokener waits for what ends it. */
    if (json_tokener_get_error(tok) == json_tokener_continue)
        val = json_tokener_parse_ex(tok, "", 1);

    if (json_tokener_get_error(tok) != json_tokener_success) {
        json_object_put(val);
        val = NULL;
    }

    json_tokener_free(tok);
    return val;
}

static const struct qmp_command *
command_find(const struct qmp_session *session, const char *name)
{
    for (unsigned i = 0; i < session->command_count; i++) {
        if (!strcmp(session->command[i].name, name))
            return &session->command[i];
    }

    return NULL;
}

static bool
arg_known(const struct qmp_command *command, const char *name)
{
    for (const char *const *arg = command->args; *arg; arg++) {
        if (!strcmp(*arg, name))
            return true;
    }

    return false;
}

static bool
args_check(const struct qmp_command *command, struct json_object *args,
           struct qmp_error *error)
{
    if (!args)
        return true;

    if (!json_object_is_type(args, json_type_object)) {
        qmp_error_set(error, "'arguments' is not an object");
        return false;
    }

    json_object_object_foreach(args, key, val)
    {
        (void)val;
        if (!arg_known(command, key)) {
            qmp_error_set(error, "'%s' takes no argument '%.40s'",
                          command->name, key);
            return false;
        }
    }

    return true;
}

static struct json_object *
command_run(struct qmp_session *session, const struct qmp_command *command,
            struct json_object *req, struct json_object *id)
{
    struct json_object *args = NULL;
    struct json_object *value;
    struct qmp_error error = { "" };

    (void)json_object_object_get_ex(req, "arguments", &args);
    if (!args_check(command, args, &error))
        return reply_error(class_generic, error.text, id);

    value = command->run(session->ctx, args, &error);
    if (!value)
        return reply_error(class_generic, error.text, id);

    return reply_return(value, id);
}

static struct json_object *
execute(struct qmp_session *session, struct json_object *req)
{
    const struct qmp_command *command;
    struct json_object *id = NULL;
    struct json_object *execute = NULL;
    struct qmp_error error;
    const char *name;

    (void)json_object_object_get_ex(req, "id", &id);
    (void)json_object_object_get_ex(req, "execute", &execute);
    if (!json_object_is_type(execute, json_type_string))
        return reply_error(class_generic,
                           "the request has no 'execute' that is a string", id);

    name = json_object_get_string(execute);
    if (!strcmp(name, "qmp_capabilities")) {
        if (session->negotiated)
            return reply_error(class_not_found,
                               "capabilities are negotiated already", id);
        session->negotiated = true;
        return reply_return(json_object_new_object(), id);
    }

    if (!session->negotiated)
        return reply_error(class_not_expected,
                           "'qmp_capabilities' must come first", id);

    command = command_find(session, name);
    if (!command) {
        qmp_error_set(&error, "no command named '%.40s'", name);
        return reply_error(class_not_found, error.text, id);
    }

    return command_run(session, command, req, id);
}

struct json_object *
qmp_request(struct qmp_session *session, const char *line, size_t len,
            bool *fatal)
{
    struct json_object *req = parse(line, len);
    struct json_object *reply;

    *fatal = false;
    if (!req) {
        *fatal = true;
        return reply_error(class_generic, "the request is not JSON", NULL);
    }

    if (json_object_is_type(req, json_type_object))
        reply = execute(session, req);
    else
        reply =
            reply_error(class_generic, "the request is not an object", NULL);

    json_object_put(req);
    return reply;
}

bool
qmp_arg_uint(struct json_object *args, const char *name, uint64_t max,
             uint64_t *val, struct qmp_error *error)
{
    struct json_object *arg;

    if (!args || !json_object_object_get_ex(args, name, &arg))
        return true;

    /* A negative number would be taken for 0. */
    if (json_object_is_type(arg, json_type_int) &&
        json_object_get_int64(arg) >= 0 && json_object_get_uint64(arg) <= max) {
        *val = json_object_get_uint64(arg);
        return true;
    }

    qmp_error_set(error, "'%s' is not a number from 0 to %llu", name,
                  (unsigned long long)max);
    return false;
}

bool
qmp_arg_bool(struct json_object *args, const char *name, bool *val,
             struct qmp_error *error)
{
    struct json_object *arg;

    if (!args || !json_object_object_get_ex(args, name, &arg))
        return true;

    if (json_object_is_type(arg, json_type_boolean)) {
        *val = json_object_get_boolean(arg);
        return true;
    }

    qmp_error_set(error, "'%s' is neither true nor false", name);
    return false;
}
