/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/listen.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/qmp.h"

#define CLIENTS_MAX 8u

/* A reply must be taken, bit by bit, without a pause longer than this. */
#define STALL_MS 5000u
#define TICK_MS  1000u

struct client {
    struct ctl *ctl;
    struct loop_watch *watch; /* NULL: the place is free */
    int fd;
    struct qmp_session session;

    char in[QMP_REQUEST_MAX + 1]; /* with the newline */
    size_t in_len;

    struct json_object *out; /* being sent, or NULL */
    const char *out_text;    /* of @out; a newline is sent after it */
    size_t out_len;
    size_t out_pos;
    uint64_t progress_ms;
    bool closing; /* after @out */
};

struct ctl {
    struct loop *loop;
    struct ctl_commands commands;
    struct loop_watch *watch;
    struct loop_watch *tick; /* while there are clients */
    int fd;
    struct sockaddr_un addr;
    struct client client[CLIENTS_MAX];
};

static void
client_drop(struct client *client)
{
    loop_watch_destroy(client->watch);
    client->watch = NULL;
    (void)close(client->fd);
    client->fd = -1;
    json_object_put(client->out);
    client->out = NULL;
}

static void
client_reply(struct client *client, struct json_object *reply)
{
    client->out = reply;
    client->out_text = json_object_to_json_string_length(
        reply, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
        &client->out_len);
    client->out_pos = 0;
    client->progress_ms = loop_now_ms();
}

/* One part of the reply: the text, then the newline. */
static ssize_t
out_send(const struct client *client)
{
    const char *part = "\n";
    size_t len = 1;

    if (client->out_pos < client->out_len) {
        part = client->out_text + client->out_pos;
        len = client->out_len - client->out_pos;
    }

    return send(client->fd, part, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False once the client is gone. */
static bool
client_send(struct client *client)
{
    while (client->out_pos <= client->out_len) {
        ssize_t n = out_send(client);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n < 0) {
            client_drop(client);
            return false;
        }

        client->out_pos += (size_t)n;
        client->progress_ms = loop_now_ms();
    }

    json_object_put(client->out);
    client->out = NULL;
    if (client->closing) {
        client_drop(client);
        return false;
    }
    return true;
}

/* False once the client is gone. */
static bool
client_receive(struct client *client)
{
    ssize_t n = recv(client->fd, client->in + client->in_len,
                     sizeof(client->in) - client->in_len, MSG_DONTWAIT);

    if (n > 0) {
        client->in_len += (size_t)n;
        return true;
    }

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;

    client_drop(client);
    return false;
}

static const char *
line_end(const struct client *client)
{
    return memchr(client->in, '\n', client->in_len);
}

/* Answer the first line, if there is one. */
static void
client_request(struct client *client)
{
    const char *end = line_end(client);
    size_t len;
    bool fatal;

    if (!end) {
        if (client->in_len == sizeof(client->in)) {
            client->closing = true;
            client_reply(client, qmp_request_too_long());
        }
        return;
    }

    len = (size_t)(end - client->in);
    client_reply(client,
                 qmp_request(&client->session, client->in, len, &fatal));
    client->closing = fatal;
    client->in_len -= len + 1;
    memmove(client->in, end + 1, client->in_len);
}

/* Whether it is the client's turn to take something, not to say something. */
static bool
client_busy(const struct client *client)
{
    return client->out || line_end(client);
}

/*
 * A line that waits in the buffer makes no descriptor ready, so wait for room
 * to send: that is there at once if the client takes its replies, and the
 * guest has its turn in between.
 */
static void
client_events(struct client *client)
{
    loop_watch_events(client->watch,
                      client_busy(client) ? LOOP_WRITE : LOOP_READ);
}

static void
client_ready(void *ctx)
{
    struct client *client = ctx;

    if (client->out) {
        if (!client_send(client))
            return;
    } else {
        if (!line_end(client) && !client_receive(client))
            return;
        client_request(client);
        if (client->out && !client_send(client))
            return;
    }

    client_events(client);
}

/* Cut off who stalls.  There is no tick without a client: nobody wakes up. */
static void
tick(void *ctx)
{
    struct ctl *ctl = ctx;
    uint64_t now = loop_now_ms();
    bool idle = true;

    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &ctl->client[i];

        if (client->watch && client_busy(client) &&
            now - client->progress_ms > STALL_MS) {
            log_limited(LOG_LEVEL_WARN,
                        "ctl: a client does not take its replies; cut off");
            client_drop(client);
        }
        idle = idle && !client->watch;
    }

    if (idle) {
        loop_watch_destroy(ctl->tick);
        ctl->tick = NULL;
    }
}

static struct client *
client_free(struct ctl *ctl)
{
    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (!ctl->client[i].watch)
            return &ctl->client[i];
    }

    return NULL;
}

static void
listen_ready(void *ctx)
{
    struct ctl *ctl = ctx;
    struct client *client = client_free(ctl);
    int fd = accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;

    if (!client) {
        log_limited(LOG_LEVEL_WARN, "ctl: more than %u clients at a time",
                    CLIENTS_MAX);
        (void)close(fd);
        return;
    }

    memset(client, 0, sizeof(*client));
    client->ctl = ctl;
    client->fd = fd;
    client->session = (struct qmp_session){
        .command = ctl->commands.command,
        .command_count = ctl->commands.count,
        .ctx = ctl->commands.ctx,
    };
    client_reply(client, qmp_greeting());
    client->watch =
        loop_watch_fd(ctl->loop, fd, LOOP_WRITE, client_ready, client);
    if (!ctl->tick)
        ctl->tick = loop_watch_timer(ctl->loop, TICK_MS, tick, ctl);
    if (!client->watch || !ctl->tick)
        client_drop(client);
}

struct ctl *
ctl_create(struct loop *loop, const char *path,
           const struct ctl_commands *commands)
{
    struct ctl *ctl = calloc(1, sizeof(*ctl));

    if (!ctl)
        return NULL;

    ctl->loop = loop;
    ctl->commands = *commands;
    ctl->fd = listen_address(&ctl->addr, path);
    if (!ctl->fd)
        ctl->fd = listen_open(&ctl->addr, SOCK_STREAM, 0600, CLIENTS_MAX);
    if (ctl->fd < 0) {
        errno = -ctl->fd;
        free(ctl);
        return NULL;
    }

    ctl->watch = loop_watch_fd(loop, ctl->fd, LOOP_READ, listen_ready, ctl);
    if (!ctl->watch) {
        ctl_destroy(ctl);
        errno = ENOMEM;
        return NULL;
    }

    return ctl;
}

void
ctl_destroy(struct ctl *ctl)
{
    if (!ctl)
        return;

    for (unsigned i = 0; i < CLIENTS_MAX; i++) {
        if (ctl->client[i].watch)
            client_drop(&ctl->client[i]);
    }
    loop_watch_destroy(ctl->tick);
    loop_watch_destroy(ctl->watch);
    (void)close(ctl->fd);
    (void)unlink(ctl->addr.sun_path);
    free(ctl);
}
