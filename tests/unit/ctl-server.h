/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon to be, for the tests of viommu-ctl: a thread that accepts one
 * client on <dir>/7/ctl, and answers what its script says, whatever is asked.
 */
#ifndef TESTS_UNIT_CTL_SERVER_H
#define TESTS_UNIT_CTL_SERVER_H

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVER_STEPS 8

#define SERVER_GREETING                                                   \
    "{\"QMP\": {\"version\": {\"viommud\": {\"major\": 0, \"minor\": 1, " \
    "\"micro\": 0}}, \"capabilities\": []}}\n"
#define SERVER_READY "{\"return\": {}, \"id\": 1}\n"

struct server {
    /* The first is sent at once, the others after a line each; NULL ends. */
    const char *script[SERVER_STEPS];
    /* After the script: wait for the client to go instead of closing. */
    bool hang;
    /* What the client sent before step i. */
    char request[SERVER_STEPS][512];
    char dir[64];
    char path[96];
    int fd;
    pthread_t thread;
};

static inline void
server_read_line(int fd, char *line, size_t size)
{
    size_t len = 0;

    while (len + 1 < size && read(fd, line + len, 1) == 1 &&
           line[len] != '\n') {
        len++;
    }
    line[len] = '\0';
}

static inline void
server_send(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

        if (n <= 0) {
            return;
        }
        text += n;
        left -= (size_t)n;
    }
}

static inline void *
server_run(void *arg)
{
    struct server *server = arg;
    int fd = accept(server->fd, NULL, NULL);
    char rest[64];

    if (fd < 0) {
        return NULL;
    }
    for (int i = 0; i < SERVER_STEPS && server->script[i]; i++) {
        if (i > 0) {
            server_read_line(fd, server->request[i],
                             sizeof(server->request[i]));
        }
        server_send(fd, server->script[i]);
    }
    while (server->hang && read(fd, rest, sizeof(rest)) > 0) {
    }
    close(fd);
    return NULL;
}

/* A directory as /run/viommud is, with a socket that nobody serves yet. */
static inline void
server_listen(struct server *server)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    char sub[80];

    snprintf(server->dir, sizeof(server->dir), "/tmp/ctl-test-XXXXXX");
    assert(mkdtemp(server->dir));
    snprintf(sub, sizeof(sub), "%s/7", server->dir);
    assert(!mkdir(sub, 0700));
    snprintf(server->path, sizeof(server->path), "%s/ctl", sub);
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", server->path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(server->fd >= 0);
    assert(!bind(server->fd, (struct sockaddr *)&addr, sizeof(addr)));
    assert(!listen(server->fd, 0));
}

static inline void
server_start(struct server *server)
{
    server_listen(server);
    assert(!pthread_create(&server->thread, NULL, server_run, server));
}

static inline void
server_remove(struct server *server)
{
    char sub[80];

    close(server->fd);
    unlink(server->path);
    snprintf(sub, sizeof(sub), "%s/7", server->dir);
    rmdir(sub);
    assert(!rmdir(server->dir));
}

/* The client must be gone, or accept() be woken. */
static inline void
server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    assert(!pthread_join(server->thread, NULL));
    server_remove(server);
}

#endif
