/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* All calls of a client together may take this many times its timeout. */
#define TOTAL_FACTOR 12

/* The deepest reply of docs/control.md nests six levels. */
#define DEPTH_MAX 16

struct client {
    int fd;
    int timeout_ms;
    int64_t end_ms; /* of the last call, whatever happens */
    int64_t id;     /* of the latest request                     */
    size_t len;     /* bytes in buf                              */
    char buf[CLIENT_REPLY_MAX];
};

static int64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* When the call that begins now must be over. */
static int64_t
call_deadline(const struct client *client)
{
    int64_t deadline = now_ms() + client->timeout_ms;

    return deadline < client->end_ms ? deadline : client->end_ms;
}

static int
fail_timeout(const struct client *client, struct text_error *err)
{
    return text_fail(err, -ETIMEDOUT, "viommud did not answer within %d ms",
                     client->timeout_ms);
}

static int
fail_protocol(const char *what, struct text_error *err)
{
    return text_fail(err, -EPROTO, "viommud's answer %s", what);
}

/* Wait for @events until @deadline. */
static int
wait_fd(const struct client *client, short events, int64_t deadline,
        struct text_error *err)
{
    struct pollfd pfd = { .fd = client->fd, .events = events };
    int64_t left;
    int n;

    do {
        left = deadline - now_ms();
        if (left <= 0) {
            return fail_timeout(client, err);
        }
        n = poll(&pfd, 1, (int)left);
    } while (n == 0 || (n < 0 && errno == EINTR));
    if (n < 0) {
        return text_fail(err, -errno, "cannot wait for viommud: %s",
                         strerror(errno));
    }
    return 0;
}

static int
send_line(const struct client *client, const char *line, int64_t deadline,
          struct text_error *err)
{
    size_t left = strlen(line);

    while (left) {
        ssize_t n = send(client->fd, line, left, MSG_NOSIGNAL | MSG_DONTWAIT);
        int rc;

        if (n > 0) {
            line += n;
            left -= (size_t)n;
        } else if (errno == EAGAIN || errno == EINTR) {
            rc = wait_fd(client, POLLOUT, deadline, err);
            if (rc) {
                return rc;
            }
        } else {
            rc = -errno;
            return text_fail(err, rc, "cannot send to viommud: %s",
                             strerror(-rc));
        }
    }
    return 0;
}

/*
 * Read until buf begins with a line, and terminate that.  Returns its length
 * with the terminator, or -errno.
 */
static ssize_t
read_line(struct client *client, int64_t deadline, struct text_error *err)
{
    char *newline = memchr(client->buf, '\n', client->len);

    while (!newline) {
        char *end = client->buf + client->len;
        ssize_t n;
        int rc;

        if (client->len == sizeof(client->buf)) {
            return fail_protocol("is too long", err);
        }
        rc = wait_fd(client, POLLIN, deadline, err);
        if (rc) {
            return rc;
        }
        n = recv(client->fd, end, sizeof(client->buf) - client->len,
                 MSG_DONTWAIT);
        if (n == 0) {
            return fail_protocol("ended early: it closed the connection", err);
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            rc = -errno;
            return text_fail(err, rc, "cannot read from viommud: %s",
                             strerror(-rc));
        }
        if (n > 0) {
            client->len += (size_t)n;
            newline = memchr(end, '\n', (size_t)n);
        }
    }
    *newline = '\0';
    return newline + 1 - client->buf;
}

static bool
is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

static bool
make_string_printable(struct json_object *value)
{
    size_t len = (size_t)json_object_get_string_len(value);
    char *copy = malloc(len + 1);
    bool ok = copy;

    if (ok) {
        memcpy(copy, json_object_get_string(value), len);
        text_make_printable(copy, len);
        ok = json_object_set_string_len(value, copy, (int)len);
    }
    free(copy);
    return ok;
}

/*
 * Make every string below @value printable.  Keys are the protocol's, so that
 * one with other characters is refused.  DEPTH_MAX bounds the recursion.
 */
static bool
make_printable(struct json_object *value) /* NOLINT(misc-no-recursion) */
{
    bool ok = true;

    switch (json_object_get_type(value)) {
    case json_type_string:
        return make_string_printable(value);
    case json_type_array:
        for (size_t i = 0; ok && i < json_object_array_length(value); i++) {
            ok = make_printable(json_object_array_get_idx(value, i));
        }
        return ok;
    case json_type_object: {
        struct json_object_iter it;

        json_object_object_foreachC(value, it)
        {
            ok = ok && is_printable(it.key) && make_printable(it.val);
        }
        return ok;
    }
    default:
        return true;
    }
}

/* One object, and nothing behind it; NULL otherwise. */
static struct json_object *
parse_line(const char *line)
{
    struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
    struct json_object *obj = NULL;

    if (!tok) {
        return NULL;
    }
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    /* The terminating NUL ends a number that stands alone. */
    obj = json_tokener_parse_ex(tok, line, (int)strlen(line) + 1);
    if (json_tokener_get_error(tok) != json_tokener_success ||
        !json_object_is_type(obj, json_type_object) || !make_printable(obj)) {
        json_object_put(obj);
        obj = NULL;
    }
    json_tokener_free(tok);
    return obj;
}

static int
read_object(struct client *client, struct json_object **out, int64_t deadline,
            struct text_error *err)
{
    ssize_t len = read_line(client, deadline, err);

    if (len < 0) {
        return (int)len;
    }
    *out = parse_line(client->buf);
    client->len -= (size_t)len;
    memmove(client->buf, client->buf + len, client->len);
    return *out ? 0 : fail_protocol("is not the JSON it should be", err);
}

/* Connect without following a symbolic link that the daemon may have left. */
static int
connect_socket(const char *path, int timeout_ms)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000L };
    struct stat st;
    int node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int fd = -1;
    int rc = 0;

    if (node < 0 || fstat(node, &st)) {
        rc = -errno;
    } else if (!S_ISSOCK(st.st_mode)) {
        rc = -ENOTSOCK;
    } else {
        snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d",
                 node);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        /* SO_SNDTIMEO bounds a connect() to a full backlog. */
        if (fd < 0 ||
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) ||
            connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
            rc = -errno;
        }
    }
    if (node >= 0) {
        close(node);
    }
    if (rc && fd >= 0) {
        close(fd);
    }
    return rc ? rc : fd;
}

static int
negotiate(struct client *client, struct text_error *err)
{
    struct json_object *obj = NULL;
    int rc = read_object(client, &obj, call_deadline(client), err);

    if (!rc && !json_object_object_get_ex(obj, "QMP", NULL)) {
        rc = fail_protocol("has no greeting", err);
    }
    json_object_put(obj);
    obj = NULL;
    if (!rc) {
        rc = client_call(client, "qmp_capabilities", NULL, &obj, err);
    }
    json_object_put(obj);
    return rc;
}

int
client_open(const char *path, int timeout_ms, struct client **out,
            struct text_error *err)
{
    struct client *client = calloc(1, sizeof(*client));
    int rc;

    if (!client) {
        return text_fail(err, -ENOMEM, "cannot connect: %s", strerror(ENOMEM));
    }
    client->timeout_ms = timeout_ms;
    client->end_ms = now_ms() + (int64_t)timeout_ms * TOTAL_FACTOR;
    client->fd = connect_socket(path, timeout_ms);
    if (client->fd == -ENOENT || client->fd == -ECONNREFUSED) {
        rc = text_fail(err, -ESRCH, "no viommud listens on %s", path);
    } else if (client->fd == -EAGAIN) {
        rc = fail_timeout(client, err);
    } else if (client->fd < 0) {
        rc = client->fd;
        text_fail(err, rc, "cannot connect to %s: %s", path, strerror(-rc));
    } else {
        rc = negotiate(client, err);
    }
    if (rc) {
        client_close(client);
        return rc;
    }
    *out = client;
    return 0;
}

void
client_close(struct client *client)
{
    if (client && client->fd >= 0) {
        close(client->fd);
    }
    free(client);
}

/* {"execute": @command, "arguments": @args, "id": n}, and a newline. */
static int
send_request(struct client *client, const char *command,
             struct json_object *args, int64_t deadline, struct text_error *err)
{
    struct json_object *request = json_object_new_object();
    char *line = NULL;
    int rc;

    client->id++;
    json_object_object_add(request, "execute", json_object_new_string(command));
    if (args) {
        json_object_object_add(request, "arguments", args);
    }
    json_object_object_add(request, "id", json_object_new_int64(client->id));
    if (asprintf(&line, "%s\n",
                 json_object_to_json_string_ext(request,
                                                JSON_C_TO_STRING_PLAIN)) < 0) {
        line = NULL;
        rc = text_fail(err, -ENOMEM, "cannot send: %s", strerror(ENOMEM));
    } else {
        rc = send_line(client, line, deadline, err);
    }
    free(line);
    json_object_put(request);
    return rc;
}

int
client_call(struct client *client, const char *command,
            struct json_object *args, struct json_object **reply,
            struct text_error *err)
{
    int64_t deadline = call_deadline(client);
    struct json_object *obj = NULL;
    struct json_object *part = NULL;
    int rc = send_request(client, command, args, deadline, err);

    if (!rc) {
        rc = read_object(client, &obj, deadline, err);
    }
    if (rc) {
        return rc;
    }
    if (json_object_object_get_ex(obj, "error", &part)) {
        struct json_object *desc = NULL;

        json_object_object_get_ex(part, "desc", &desc);
        rc = text_fail(err, -EREMOTEIO, "viommud refused %s: %s", command,
                       desc ? json_object_get_string(desc) : "no reason given");
    } else if (!json_object_object_get_ex(obj, "return", &part)) {
        rc = fail_protocol("is neither a result nor an error", err);
    } else if (!json_object_object_get_ex(obj, "id", &part) ||
               json_object_get_int64(part) != client->id) {
        rc = fail_protocol("is for another request", err);
    } else {
        json_object_object_get_ex(obj, "return", reply);
        json_object_get(*reply);
    }
    json_object_put(obj);
    return rc;
}
