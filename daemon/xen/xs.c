/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/xs.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "daemon/log.h"

#define PATH_SIZE 96

static struct xs_handle *
store_open(void)
{
    struct xs_handle *xs = xs_open(0);

    if (!xs)
        log_error("cannot open xenstore: %s; is xenstored running?",
                  strerror(errno));
    return xs;
}

/* Whether the node @path exists; -errno if that cannot be said. */
static int
node_exists(struct xs_handle *xs, const char *path)
{
    unsigned len;
    void *val = xs_read(xs, XBT_NULL, path, &len);

    if (val) {
        free(val);
        return 1;
    }
    return errno == ENOENT ? 0 : -errno;
}

static int
config_copy(struct xs_handle *xs, uint16_t domid, char *buf, size_t size)
{
    char path[PATH_SIZE];
    unsigned len;
    char *val;
    int rc = 0;

    (void)snprintf(path, sizeof(path), "/libxl/%u/viommu/0/config", domid);
    val = xs_read(xs, XBT_NULL, path, &len);
    if (!val) {
        rc = -errno;
        if (rc == -ENOENT)
            log_error("cannot read %s: no vIOMMU is configured for domain %u; "
                      "create the guest with viommu-ctl create, or give "
                      "--config",
                      path, domid);
        else
            log_error("cannot read %s: %s", path, strerror(-rc));
        return rc;
    }

    /* A text with a NUL in it would be parsed up to there only. */
    if (len >= size || strlen(val) != len) {
        log_error("cannot use %s: it is not a text of less than %zu bytes",
                  path, size);
        rc = -EINVAL;
    } else {
        memcpy(buf, val, len + 1);
    }

    free(val);
    return rc;
}

int
xenstore_config_read(uint16_t domid, char *buf, size_t size)
{
    struct xs_handle *xs = store_open();
    char path[PATH_SIZE];
    int rc;

    if (!xs)
        return -EIO;

    (void)snprintf(path, sizeof(path), "/libxl/%u/viommu/1", domid);
    rc = node_exists(xs, path);
    if (rc > 0) {
        log_error("cannot serve %s: all units of a guest are in the node of "
                  "unit 0; use viommu-ctl configure",
                  path);
        rc = -EINVAL;
    } else if (rc < 0) {
        log_error("cannot read %s: %s", path, strerror(-rc));
    } else {
        rc = config_copy(xs, domid, buf, size);
    }

    xs_close(xs);
    return rc;
}

static bool
node_write(struct xs_handle *xs, uint16_t domid, const char *name,
           const char *val)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/local/domain/0/viommud/%u/%s", domid,
                   name);
    if (xs_write(xs, XBT_NULL, path, val, (unsigned)strlen(val)))
        return true;

    log_error("cannot write %s: %s", path, strerror(errno));
    return false;
}

int
xenstore_state_write(const struct xenstore_state *state)
{
    struct xs_handle *xs = store_open();
    char pid[16];
    char id[16];
    bool ok;

    if (!xs)
        return -EIO;

    (void)snprintf(pid, sizeof(pid), "%d", state->pid);
    (void)snprintf(id, sizeof(id), "%u", state->ioservid);
    ok = node_write(xs, state->domid, "pid", pid) &&
         node_write(xs, state->domid, "ioservid", id) &&
         node_write(xs, state->domid, "version", state->version) &&
         node_write(xs, state->domid, "state", state->state);

    xs_close(xs);
    return ok ? 0 : -EIO;
}

void
xenstore_state_remove(uint16_t domid)
{
    struct xs_handle *xs = xs_open(0);
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "/local/domain/0/viommud/%u", domid);
    if (!xs || (!xs_rm(xs, XBT_NULL, path) && errno != ENOENT))
        log_warn("xenstore: cannot remove %s: %s", path, strerror(errno));

    xs_close(xs);
}
