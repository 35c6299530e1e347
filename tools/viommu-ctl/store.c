/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

#define PATH_SIZE 64u

/* Transactions fail when someone else writes at the same time. */
#define ATTEMPTS 16

static struct xs_handle *
open_store(struct text_error *err)
{
    struct xs_handle *xs = xs_open(0);

    if (!xs) {
        text_fail(err, -errno,
                  "cannot reach xenstore: %s; is this dom0, and xenstored "
                  "running?",
                  strerror(errno));
    }
    return xs;
}

/* The value of a node as a string that the caller frees, or NULL. */
static char *
read_node(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
    unsigned len;

    /* libxenstore terminates what it returns. */
    return xs_read(xs, t, path, &len);
}

/* A decimal number without sign, up to STORE_DOMID_MAX. */
static bool
parse_domid(const char *text, unsigned *domid)
{
    char *end;
    unsigned long val;

    if (text[strspn(text, "0123456789")] || !*text) {
        return false;
    }
    errno = 0;
    val = strtoul(text, &end, 10);
    if (errno || val > STORE_DOMID_MAX) {
        return false;
    }
    *domid = (unsigned)val;
    return true;
}

static bool
has_name(struct xs_handle *xs, const char *domid, const char *name)
{
    char path[PATH_SIZE];
    char *found;
    bool same;

    snprintf(path, sizeof(path), "/local/domain/%.16s/name", domid);
    found = read_node(xs, XBT_NULL, path);
    same = found && !strcmp(found, name);
    free(found);
    return same;
}

int
store_domain_find_name(const char *name, unsigned *domid,
                       struct text_error *err)
{
    struct xs_handle *xs = open_store(err);
    unsigned n = 0;
    char **list;
    bool found = false;

    if (!xs) {
        return -ENOTCONN;
    }
    list = xs_directory(xs, XBT_NULL, "/local/domain", &n);
    for (unsigned i = 0; list && i < n && !found; i++) {
        found = parse_domid(list[i], domid) && *domid > 0 &&
                has_name(xs, list[i], name);
    }
    free(list);
    xs_close(xs);
    if (!found) {
        return text_fail(err, -ENXIO,
                         "no domain is named %s; `xl list` names them", name);
    }
    return 0;
}

int
store_domain_find(const char *domain, unsigned *domid, struct text_error *err)
{
    if (domain[strspn(domain, "0123456789")]) {
        return store_domain_find_name(domain, domid, err);
    }
    if (!parse_domid(domain, domid) || *domid == 0) {
        return text_fail(err, -EINVAL,
                         "'%s' is not a guest's domain id; accepted: 1 to %u",
                         domain, STORE_DOMID_MAX);
    }
    return 0;
}

void
store_domain_name(unsigned domid, char *buf, size_t size)
{
    struct xs_handle *xs = xs_open(XS_OPEN_READONLY);
    char path[PATH_SIZE];
    char *name = NULL;

    if (xs) {
        snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
        name = read_node(xs, XBT_NULL, path);
        xs_close(xs);
    }
    snprintf(buf, size, "%s", name ? name : "?");
    text_make_printable(buf, strlen(buf));
    free(name);
}

/* Create or set @path and take it away from every domain but dom0. */
static bool
write_private(struct xs_handle *xs, xs_transaction_t t, const char *path,
              const char *value)
{
    struct xs_permissions perms = { .id = 0, .perms = XS_PERM_NONE };

    if (value ? !xs_write(xs, t, path, value, (unsigned)strlen(value))
              : !xs_mkdir(xs, t, path)) {
        return false;
    }
    return xs_set_permissions(xs, t, path, &perms, 1);
}

static bool
write_config(struct xs_handle *xs, xs_transaction_t t, unsigned domid,
             const char *spec)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "/libxl/%u/viommu", domid);
    if (!write_private(xs, t, path, NULL)) {
        return false;
    }
    snprintf(path, sizeof(path), "/libxl/%u/viommu/0", domid);
    if (!write_private(xs, t, path, NULL)) {
        return false;
    }
    snprintf(path, sizeof(path), "/libxl/%u/viommu/0/config", domid);
    return write_private(xs, t, path, spec);
}

static int
check_domain(struct xs_handle *xs, unsigned domid, struct text_error *err)
{
    char path[PATH_SIZE];
    char *value;
    bool running;

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    value = read_node(xs, XBT_NULL, path);
    if (!value) {
        return text_fail(err, -ENXIO,
                         "there is no domain %u; `xl list` names them", domid);
    }
    free(value);
    snprintf(path, sizeof(path), "/local/domain/0/viommud/%u/state", domid);
    value = read_node(xs, XBT_NULL, path);
    running = value && !strcmp(value, "running");
    free(value);
    if (running) {
        return text_fail(err, -EBUSY,
                         "viommud runs for domain %u already and reads its "
                         "configuration only when it starts; stop it first",
                         domid);
    }
    return 0;
}

int
store_config_write(unsigned domid, const char *spec, struct text_error *err)
{
    struct xs_handle *xs = open_store(err);
    int rc;

    if (!xs) {
        return -ENOTCONN;
    }
    rc = check_domain(xs, domid, err);
    for (int i = 0; !rc && i < ATTEMPTS; i++) {
        xs_transaction_t t = xs_transaction_start(xs);
        bool abort = !t || !write_config(xs, t, domid, spec);
        int saved = errno;

        if (t && xs_transaction_end(xs, t, abort) && !abort) {
            break;
        }
        saved = abort ? saved : errno;
        if (saved != EAGAIN || i + 1 == ATTEMPTS) {
            rc = text_fail(err, -saved, "cannot write /libxl/%u/viommu: %s",
                           domid, strerror(saved));
        }
    }
    xs_close(xs);
    return rc;
}

int
store_config_remove(unsigned domid, struct text_error *err)
{
    struct xs_handle *xs = open_store(err);
    char path[PATH_SIZE];
    int rc = 0;

    if (!xs) {
        return -ENOTCONN;
    }
    snprintf(path, sizeof(path), "/libxl/%u/viommu", domid);
    if (!xs_rm(xs, XBT_NULL, path) && errno != ENOENT) {
        rc = text_fail(err, -errno, "cannot remove %s: %s", path,
                       strerror(errno));
    }
    xs_close(xs);
    return rc;
}
