/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/dmop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xen/version.h>
#include <xen/xen.h>

/* After <xen/xen.h>, whose types it uses. */
#include <xen/sys/privcmd.h>

#define PRIVCMD_PATH "/dev/xen/privcmd"

/* As struct xen_dm_op of <xen/hvm/dm_op.h>; Xen copies what the op needs. */
struct dm_op {
    uint32_t op;
    uint32_t pad;
    union {
        struct xen_dm_op_viommu_query query;
        struct xen_dm_op_viommu_ir_control control;
        struct xen_dm_op_viommu_ir_update update;
        struct xen_dm_op_viommu_ir_inject inject;
        uint64_t align;
    } u;
};

_Static_assert(offsetof(struct dm_op, u) == 8, "the union is at offset 8");
_Static_assert(sizeof(struct xen_dm_op_viommu_query) == 56, "query");
_Static_assert(sizeof(struct xen_dm_op_viommu_ir_control) == 16, "control");
_Static_assert(sizeof(struct xen_dm_op_viommu_irte) == 16, "route");
_Static_assert(sizeof(struct xen_dm_op_viommu_ir_update) == 24, "update");
_Static_assert(sizeof(struct xen_dm_op_viommu_ir_inject) == 16, "inject");
_Static_assert(DMOP_ROUTES_MAX * sizeof(struct xen_dm_op_viommu_irte) <= 4096,
               "privcmd.dm_op_buf_max_size");

int
dmop_open(struct dmop *dmop, uint16_t domid)
{
    *dmop = (struct dmop){ .domid = domid };
    dmop->fd = open(PRIVCMD_PATH, O_RDWR | O_CLOEXEC);
    return dmop->fd < 0 ? -errno : 0;
}

void
dmop_close(struct dmop *dmop)
{
    if (dmop->fd >= 0)
        (void)close(dmop->fd);
    dmop->fd = -1;
}

int
dmop_restrict(const struct dmop *dmop)
{
    domid_t domid = dmop->domid;

    return ioctl(dmop->fd, IOCTL_PRIVCMD_RESTRICT, &domid) < 0 ? -errno : 0;
}

/* @domid is not always our own: the verification asks for another's. */
static int
op_issue(int fd, uint16_t domid, struct dm_op *op,
         struct xen_dm_op_viommu_irte *route, unsigned n)
{
    struct privcmd_dm_op_buf buf[2] = {
        { .uptr = op, .size = sizeof(*op) },
        { .uptr = route, .size = n * sizeof(*route) },
    };
    struct privcmd_dm_op call = {
        .dom = domid,
        .num = n ? 2 : 1,
        .ubufs = buf,
    };
    int rc;

    do {
        rc = ioctl(fd, IOCTL_PRIVCMD_DM_OP, &call);
    } while (rc < 0 && errno == EINTR);

    return rc < 0 ? -errno : 0;
}

static int
op_call(struct dmop *dmop, struct dm_op *op)
{
    int rc = op_issue(dmop->fd, dmop->domid, op, NULL, 0);

    dmop->stats.calls++;
    if (rc)
        dmop->stats.errors++;
    return rc;
}

int
dmop_restrict_verify(const struct dmop *dmop, uint16_t other_domid)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_query };
    /* Any hypercall will do; this one changes nothing. */
    privcmd_hypercall_t call = {
        .op = __HYPERVISOR_xen_version,
        .arg = { XENVER_version },
    };

    if (op_issue(dmop->fd, other_domid, &op, NULL, 0) != -EPERM)
        return -EACCES;

    if (ioctl(dmop->fd, IOCTL_PRIVCMD_HYPERCALL, &call) != -1 || errno != EPERM)
        return -EACCES;

    return 0;
}

int
dmop_query(struct dmop *dmop, struct xen_dm_op_viommu_query *query)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_query };
    int rc = op_call(dmop, &op);

    *query = op.u.query;
    return rc;
}

int
dmop_ir_control(struct dmop *dmop,
                const struct xen_dm_op_viommu_ir_control *control)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_ir_control };

    op.u.control = *control;
    op.u.control.id = dmop->server;
    return op_call(dmop, &op);
}

/*
 * One call.  Returns the number of routes that are in force afterwards, from
 * the first on, and in *@status why the next one is not.
 */
static unsigned
update_call(struct dmop *dmop, struct xen_dm_op_viommu_irte *route, unsigned n,
            int *status)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_ir_update };
    int rc;

    op.u.update.id = dmop->server;
    op.u.update.nr = n;
    rc = op_issue(dmop->fd, dmop->domid, &op, route, n);
    dmop->stats.calls++;
    if (rc) {
        *status = rc;
        return 0;
    }

    if (op.u.update.done >= n) {
        *status = 0;
        return n;
    }

    *status = op.u.update.status < 0 ? op.u.update.status : -EIO;
    return op.u.update.done;
}

int
dmop_ir_update(struct dmop *dmop, struct xen_dm_op_viommu_irte *route,
               unsigned n)
{
    int first_error = 0;

    assert(n >= 1 && n <= DMOP_ROUTES_MAX);

    /* Each turn disposes of one route at least. */
    for (unsigned i = 0; i < n;) {
        int status;
        unsigned done = update_call(dmop, route + i, n - i, &status);

        dmop->stats.routes += done;
        i += done;
        if (!status)
            break;

        dmop->stats.errors++;
        if (!first_error)
            first_error = status;

        /* Out of date is worse than absent: absent is a miss. */
        if (dmop_ir_clear(dmop, route[i].index, 1))
            return first_error;
        i++;
    }

    return first_error;
}

int
dmop_ir_clear(struct dmop *dmop, uint32_t first, uint32_t n)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_ir_update };

    op.u.update.id = dmop->server;
    op.u.update.flags = XEN_DMOP_VIOMMU_UPDATE_CLEAR;
    op.u.update.first = first;
    op.u.update.nr = n;
    return op_call(dmop, &op);
}

int
dmop_ir_inject(struct dmop *dmop,
               const struct xen_dm_op_viommu_ir_inject *inject)
{
    struct dm_op op = { .op = XEN_DMOP_viommu_ir_inject };

    op.u.inject = *inject;
    op.u.inject.id = dmop->server;
    return op_call(dmop, &op);
}
