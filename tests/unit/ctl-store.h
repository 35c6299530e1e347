/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A xenstore for the tests of viommu-ctl: it speaks the wire protocol on a
 * socket and keeps the node /a/b as the files value and perms in the directory
 * <dir>/store/a/b, where a test and the programs it starts can look and write.
 * One client at a time; transactions take effect at once.
 */
#ifndef TESTS_UNIT_CTL_STORE_H
#define TESTS_UNIT_CTL_STORE_H

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

struct store {
    char dir[64];
    int fd;
    int conflicts; /* transactions that are still to fail       */
    pthread_t thread;
};

static inline void
store_file(const struct store *store, const char *node, const char *file,
           char path[512])
{
    int n = snprintf(path, 512, "%s/store%s/%s", store->dir, node, file);

    assert(n > 0 && n < 512);
}

/* Every directory on the way to <dir>/store@node. */
static inline void
store_mkdir(const struct store *store, const char *node)
{
    char path[512];

    store_file(store, node, "", path);
    for (char *p = path + strlen(store->dir) + 1; *p; p++) {
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0700);
            *p = '/';
        }
    }
}

static inline void
store_put(const struct store *store, const char *node, const char *file,
          const char *value)
{
    char path[512];
    FILE *out;

    store_mkdir(store, node);
    store_file(store, node, file, path);
    out = fopen(path, "we");
    assert(out);
    fputs(value, out);
    fclose(out);
}

/* Returns false, and an empty text, if there is no such node. */
static inline bool
store_get(const struct store *store, const char *node, const char *file,
          char value[4096])
{
    char path[512];
    FILE *in;
    size_t n = 0;

    store_file(store, node, file, path);
    in = fopen(path, "re");
    if (in) {
        n = fread(value, 1, 4095, in);
        fclose(in);
    }
    value[n] = '\0';
    return in;
}

static inline void
store_remove(const char *path)
{
    char command[600];

    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert(!system(command)); /* NOLINT(cert-env33-c) */
}

static inline void
store_reply(int fd, const struct xsd_sockmsg *request, uint32_t type,
            const char *text, size_t len)
{
    struct xsd_sockmsg head = *request;

    head.type = type;
    head.len = (uint32_t)len;
    (void)send(fd, &head, sizeof(head), MSG_NOSIGNAL);
    (void)send(fd, text, len, MSG_NOSIGNAL);
}

static inline void
store_reply_error(int fd, const struct xsd_sockmsg *request, const char *name)
{
    store_reply(fd, request, XS_ERROR, name, strlen(name) + 1);
}

static inline void
store_list(const struct store *store, int fd, const struct xsd_sockmsg *request,
           const char *node)
{
    char path[512];
    char list[4096];
    size_t len = 0;
    struct dirent *entry;
    DIR *dir;

    store_file(store, node, "", path);
    dir = opendir(path);
    if (!dir) {
        store_reply_error(fd, request, "ENOENT");
        return;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.') {
            len += (size_t)snprintf(list + len, sizeof(list) - len, "%s",
                                    entry->d_name) +
                   1;
        }
    }
    closedir(dir);
    store_reply(fd, request, request->type, list, len);
}

static inline void
store_handle(struct store *store, int fd, const struct xsd_sockmsg *request,
             char *body)
{
    const char *arg = body + strlen(body) + 1;
    char value[4096];
    char path[512];

    switch (request->type) {
    case XS_DIRECTORY:
        store_list(store, fd, request, body);
        return;
    case XS_READ:
        if (store_get(store, body, "value", value)) {
            store_reply(fd, request, XS_READ, value, strlen(value));
        } else {
            store_reply_error(fd, request, "ENOENT");
        }
        return;
    case XS_TRANSACTION_START:
        store_reply(fd, request, request->type, "1", 2);
        return;
    case XS_TRANSACTION_END:
        if (body[0] == 'T' && store->conflicts > 0) {
            store->conflicts--;
            store_reply_error(fd, request, "EAGAIN");
            return;
        }
        break;
    case XS_WRITE:
        store_put(store, body, "value", arg);
        break;
    case XS_MKDIR:
        store_mkdir(store, body);
        break;
    case XS_SET_PERMS:
        store_put(store, body, "perms", arg);
        break;
    case XS_RM:
        store_file(store, body, "", path);
        store_remove(path);
        break;
    default:
        store_reply_error(fd, request, "ENOSYS");
        return;
    }
    store_reply(fd, request, request->type, "OK", 3);
}

static inline void
store_serve(struct store *store, int fd)
{
    struct xsd_sockmsg request;
    /* What a message lacks at its end is read as empty strings. */
    char body[XENSTORE_PAYLOAD_MAX + 2];

    while (recv(fd, &request, sizeof(request), MSG_WAITALL) ==
               (ssize_t)sizeof(request) &&
           request.len <= XENSTORE_PAYLOAD_MAX) {
        memset(body, 0, sizeof(body));
        if (request.len &&
            recv(fd, body, request.len, MSG_WAITALL) != (ssize_t)request.len) {
            return;
        }
        store_handle(store, fd, &request, body);
    }
}

static inline void *
store_run(void *arg)
{
    struct store *store = arg;
    int fd;

    while ((fd = accept(store->fd, NULL, NULL)) >= 0) {
        store_serve(store, fd);
        close(fd);
    }
    return NULL;
}

/* From here on, libxenstore of this process and its children uses it. */
static inline void
store_start(struct store *store)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    snprintf(store->dir, sizeof(store->dir), "/tmp/ctl-store-XXXXXX");
    assert(mkdtemp(store->dir));
    store->conflicts = 0;
    store_mkdir(store, "/local/domain/");
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", store->dir);
    store->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(store->fd >= 0);
    assert(!bind(store->fd, (struct sockaddr *)&addr, sizeof(addr)));
    assert(!listen(store->fd, 8));
    setenv("XENSTORED_PATH", addr.sun_path, 1);
    assert(!pthread_create(&store->thread, NULL, store_run, store));
}

static inline void
store_stop(struct store *store)
{
    shutdown(store->fd, SHUT_RDWR);
    assert(!pthread_join(store->thread, NULL));
    close(store->fd);
    store_remove(store->dir);
    unsetenv("XENSTORED_PATH");
}

#endif
