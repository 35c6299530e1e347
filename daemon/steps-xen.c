/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of the start in which Xen is asked for something. */
#include "daemon/steps.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/viommud.h"
#include "daemon/xen/xs.h"

/* The version of the DMOPs, and what of them is needed. */
#define DMOP_VERSION 1u

_Static_assert(CONFIG_UNITS_MAX <= IOREQ_RANGES_MAX, "a range for each unit");

int
steps_xen_up(struct viommud *v)
{
    return handles_open(&v->xen, v->options->domid);
}

void
steps_xen_down(struct viommud *v)
{
    handles_close(&v->xen);
}

int
steps_domain_up(struct viommud *v)
{
    unsigned domid = v->options->domid;
    int vcpus = handles_vcpus(&v->xen);

    if (vcpus >= 0)
        return 0;

    if (vcpus == -ESRCH)
        log_error("cannot serve domain %u: there is none; see `xl list`",
                  domid);
    else if (vcpus == -EINVAL)
        log_error("cannot serve domain %u: it is a PV domain; a vIOMMU needs "
                  "type=\"hvm\" or \"pvh\"",
                  domid);
    else
        log_error("cannot serve domain %u: %s", domid, strerror(-vcpus));
    return vcpus;
}

static int
config_use(struct viommud *v, const char *spec)
{
    char err[512];
    int rc = configs_parse(spec, &v->configs, err, sizeof(err));

    if (rc) {
        log_error("cannot use the configuration '%s': %s", spec, err);
        return rc;
    }

    v->unit_count = v->configs.count;
    for (unsigned i = 0; i < v->unit_count; i++) {
        v->unit[i] = (struct unit){
            .index = i,
            .config = v->configs.unit[i],
            .wired = i == v->configs.wired,
        };
    }
    return 0;
}

/* What can be refused without Xen is refused before Xen is needed. */
int
steps_option_config_up(struct viommud *v)
{
    return v->options->config ? config_use(v, v->options->config) : 0;
}

int
steps_xenstore_config_up(struct viommud *v)
{
    char text[CONFIG_TEXT_SIZE];
    int rc;

    if (v->options->config)
        return 0;

    rc = xenstore_config_read(v->options->domid, text, sizeof(text));
    return rc ? rc : config_use(v, text);
}

static int
query(struct viommud *v, struct xen_dm_op_viommu_query *query)
{
    int rc = dmop_query(&v->xen.dmop, query);

    if (rc == -EOPNOTSUPP || rc == -ENOSYS || rc == -EINVAL)
        log_error("cannot give domain %u a vIOMMU: this Xen does not know "
                  "how (%s); boot one that is built with xen-hooks",
                  v->xen.domid, strerror(-rc));
    else if (rc)
        log_error("cannot ask Xen for the vIOMMU of domain %u: %s",
                  v->xen.domid, strerror(-rc));
    return rc;
}

int
steps_support_up(struct viommud *v)
{
    struct xen_dm_op_viommu_query q;
    int rc = query(v, &q);

    if (rc)
        return rc;

    if (q.version != DMOP_VERSION) {
        log_error("cannot give domain %u a vIOMMU: Xen speaks version %u of "
                  "the operations, not %u; install the viommud that belongs "
                  "to it",
                  v->xen.domid, q.version, DMOP_VERSION);
        return -EPROTO;
    }

    if (!(q.features & XEN_DMOP_VIOMMU_F_IR) ||
        q.ir_max_entries < VTD_IRT_MAX) {
        log_error("cannot give domain %u a vIOMMU: Xen offers it no interrupt "
                  "remapping (features 0x%x, %u entries)",
                  v->xen.domid, q.features, q.ir_max_entries);
        return -EOPNOTSUPP;
    }

    return 0;
}

/*
 * The lock is ours, so a server that owns the vIOMMU is what a viommud left
 * behind that crashed.  Xen has room for few servers, and a vCPU may hang in
 * that one.
 */
int
steps_orphan_up(struct viommud *v)
{
    struct xen_dm_op_viommu_query q;
    int rc = query(v, &q);

    if (rc || q.owner == XEN_DMOP_VIOMMU_OWNER_NONE)
        return rc;

    rc = ioreq_orphan_destroy(&v->xen, q.owner);
    if (rc == -EBUSY)
        log_error("cannot serve domain %u: another process already serves its "
                  "vIOMMU through ioreq server %u; end that first",
                  v->xen.domid, q.owner);
    else if (rc)
        log_error("cannot destroy ioreq server %u, left by an earlier "
                  "viommud: %s",
                  q.owner, strerror(-rc));
    else
        log_warn("an earlier viommud ended without a word; the unit comes up "
                 "reset, and a guest that was using it must be rebooted");
    return rc;
}

int
steps_server_up(struct viommud *v)
{
    struct ioreq_range range[CONFIG_UNITS_MAX];
    int rc;

    for (unsigned i = 0; i < v->unit_count; i++) {
        range[i] = (struct ioreq_range){
            .base = v->unit[i].config.base,
            .size = VTD_MMIO_SIZE,
        };
    }

    rc = ioreq_create(&v->ioreq, &v->xen, range, v->unit_count);
    v->xen.dmop.server = v->ioreq.id;
    return rc;
}

void
steps_server_down(struct viommud *v)
{
    ioreq_destroy(&v->ioreq);
}

/* The last use of xenstore before the end; the connection closes with it. */
int
steps_xenstore_up(struct viommud *v)
{
    const struct xenstore_state state = {
        .domid = v->xen.domid,
        .ioservid = v->ioreq.id,
        .pid = (int)getpid(),
        .state = "running",
        .version = VIOMMUD_VERSION,
    };

    v->xenstore_written = true;
    return xenstore_state_write(&state);
}

/* Through a new connection: restricting cut those that were open. */
void
steps_xenstore_down(struct viommud *v)
{
    if (v->xenstore_written)
        xenstore_state_remove(v->xen.domid);
}

/*
 * From here on the process can harm no domain but its own.  Nothing that comes
 * from the guest has been looked at yet.
 */
int
steps_restrict_up(struct viommud *v)
{
    return handles_restrict(&v->xen);
}

int
steps_claim_up(struct viommud *v)
{
    int rc = fanout_claim(&v->fanout);

    if (rc == -EBUSY)
        log_error("cannot serve domain %u: another ioreq server owns its "
                  "vIOMMU",
                  v->xen.domid);
    else if (rc)
        log_error("cannot take domain %u's vIOMMU over: %s", v->xen.domid,
                  strerror(-rc));
    return rc;
}

int
steps_enable_up(struct viommud *v)
{
    return ioreq_enable(&v->ioreq);
}
