/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/viommud.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl-query.h"
#include "daemon/ctl.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/unit.h"
#include "daemon/xen/xs.h"

/* How often Xen is asked whether the domain still lives. */
#define PULSE_MS 1000u

/*
 * How long a domain whose ioreq servers Xen has destroyed may take to go.
 * Whoever maps one of its pages keeps it; after that it was not dying.
 */
#define GONE_MS 30000u

/* The version of the DMOPs, and what of them is needed. */
#define DMOP_VERSION 1u

/* --- while it runs -------------------------------------------------------- */

static void
stop(struct viommud *v, int status)
{
    v->exit_status = status;
    loop_stop(v->loop);
}

static void
signal_received(void *ctx)
{
    struct viommud *v = ctx;

    log_info("stopping on a signal; interrupts keep the routes they have");
    stop(v, EXIT_SUCCESS);
}

static void
events_ready(void *ctx)
{
    struct viommud *v = ctx;

    ioreq_dispatch(&v->ioreq);
}

/* What handling events left over; true if there is still some. */
static bool
work(void *ctx)
{
    struct viommud *v = ctx;
    bool more = ioreq_work(&v->ioreq);

    return fanout_work(&v->fanout) || more;
}

static void
watchdog_due(void *ctx)
{
    const struct viommud *v = ctx;

    notify_send(&v->notify, "WATCHDOG=1");
}

/*
 * A dying domain loses its ioreq servers, but stays until nobody maps its
 * pages any more; let go of them.
 */
static void
pages_release(struct viommud *v)
{
    loop_work_set(v->loop, NULL, NULL);
    loop_watch_destroy(v->events);
    v->events = NULL;
    ioreq_unmap(&v->ioreq);
    gmem_close(&v->gmem);
    v->gone_ms = loop_now_ms();
}

static void
domain_gone(struct viommud *v)
{
    log_info("the domain is gone");
    stop(v, EXIT_SUCCESS);
}

/*
 * A process that is restricted to a domain is told nothing when it dies, so
 * it asks.
 */
static void
pulse(void *ctx)
{
    struct viommud *v = ctx;
    int rc;

    if (!v->gone_ms) {
        rc = ioreq_check(&v->ioreq);
        if (rc == -ESRCH)
            domain_gone(v);
        else if (rc == -ENOENT)
            pages_release(v);
        else if (rc)
            log_limited(LOG_LEVEL_ERROR, "cannot ask for the domain: %s",
                        strerror(-rc));
        return;
    }

    if (handles_vcpus(&v->xen) == -ESRCH) {
        domain_gone(v);
    } else if (loop_now_ms() - v->gone_ms > GONE_MS) {
        log_error("cannot go on: somebody destroyed the ioreq server");
        stop(v, EXIT_FAILURE);
    }
}

/* --- the steps of start and end, in the order of steps[] ------------------ */

static int
no_memory(const char *what)
{
    log_error("cannot %s: %s", what, strerror(ENOMEM));
    return -ENOMEM;
}

/* First, so that a signal during the start ends it in the orderly way. */
static int
loop_up(struct viommud *v)
{
    v->loop = loop_create();
    if (!v->loop) {
        int rc = -errno;

        log_error("cannot create the event loop: %s", strerror(-rc));
        return rc;
    }

    v->sigterm = loop_watch_signal(v->loop, SIGTERM, signal_received, v);
    v->sigint = loop_watch_signal(v->loop, SIGINT, signal_received, v);
    return v->sigterm && v->sigint ? 0 : no_memory("watch for signals");
}

static void
loop_down(struct viommud *v)
{
    loop_watch_destroy(v->sigterm);
    loop_watch_destroy(v->sigint);
    loop_destroy(v->loop);
}

static int
notify_up(struct viommud *v)
{
    notify_open(&v->notify);
    return 0;
}

static void
notify_down(struct viommud *v)
{
    notify_close(&v->notify);
}

static int
xen_up(struct viommud *v)
{
    return handles_open(&v->xen, v->options->domid);
}

static void
xen_down(struct viommud *v)
{
    handles_close(&v->xen);
}

static int
domain_up(struct viommud *v)
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
    int rc = config_parse(spec, &v->config, err, sizeof(err));

    if (rc)
        log_error("cannot use the configuration '%s': %s", spec, err);
    return rc;
}

/* What can be refused without Xen is refused before Xen is needed. */
static int
option_config_up(struct viommud *v)
{
    return v->options->config ? config_use(v, v->options->config) : 0;
}

static int
xenstore_config_up(struct viommud *v)
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

static int
support_up(struct viommud *v)
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

static int
rundir_up(struct viommud *v)
{
    return rundir_open(&v->rundir, v->options->run_dir, v->options->domid);
}

static void
rundir_down(struct viommud *v)
{
    rundir_close(&v->rundir);
}

/*
 * The lock is ours, so a server that owns the vIOMMU is what a viommud left
 * behind that crashed.  Xen has room for few servers, and a vCPU may hang in
 * that one.
 */
static int
orphan_up(struct viommud *v)
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

static int
server_up(struct viommud *v)
{
    const struct ioreq_range range = {
        .base = v->config.base,
        .size = VTD_MMIO_SIZE,
    };
    int rc = ioreq_create(&v->ioreq, &v->xen, &range);

    v->xen.dmop.server = v->ioreq.id;
    return rc;
}

static void
server_down(struct viommud *v)
{
    ioreq_destroy(&v->ioreq);
}

/* While the process may still open files. */
static int
trace_up(struct viommud *v)
{
    const char *path = v->options->trace;
    int rc;

    if (!path)
        return 0;

    v->record = record_open(path, RECORD_LIMIT);
    if (v->record) {
        log_info("recording what the guest does to its unit in %s", path);
        return 0;
    }

    rc = -errno;
    log_error("cannot write the trace %s: %s", path, strerror(-rc));
    return rc;
}

static void
trace_down(struct viommud *v)
{
    record_close(v->record);
}

static int
model_up(struct viommud *v)
{
    struct vtd_config config;
    const struct vtd_ops *ops =
        log_enabled(LOG_LEVEL_DEBUG) ? &fanout_vtd_ops_trace : &fanout_vtd_ops;
    void *ctx = &v->fanout;

    unit_config(&v->config, &config);
    gmem_open(&v->gmem, v->xen.fmem, v->xen.domid);
    v->fanout.dmop = &v->xen.dmop;
    v->fanout.gmem = &v->gmem;
    v->fanout.ioapic_sid = v->config.ioapic_sid;

    if (v->record) {
        v->fanout.record = v->record;
        ops = record_ops(v->record, &config, ops, &v->fanout);
        ctx = v->record;
    }

    v->vtd = vtd_create(&config, ops, ctx);
    if (!v->vtd) {
        int rc = -errno;

        log_error("cannot create the unit: %s", strerror(-rc));
        return rc;
    }

    v->fanout.vtd = v->vtd;
    ioreq_attach(&v->ioreq, &fanout_ioreq_ops, &v->fanout, &v->gmem);
    return 0;
}

static void
model_down(struct viommud *v)
{
    gmem_close(&v->gmem);
    vtd_destroy(v->vtd);
}

static int
ctl_up(struct viommud *v)
{
    const struct ctl_commands commands = {
        .command = ctl_query_commands,
        .count = ctl_query_command_count,
        .ctx = v,
    };
    char path[RUNDIR_PATH_SIZE + 8];
    int rc;

    (void)snprintf(path, sizeof(path), "%s/ctl", v->rundir.path);
    v->ctl = ctl_create(v->loop, path, &commands);
    if (v->ctl)
        return 0;

    rc = -errno;
    log_error("cannot listen on %s: %s", path, strerror(-rc));
    return rc;
}

static void
ctl_down(struct viommud *v)
{
    ctl_destroy(v->ctl);
}

/* The last use of xenstore before the end; the connection closes with it. */
static int
xenstore_up(struct viommud *v)
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
static void
xenstore_down(struct viommud *v)
{
    if (v->xenstore_written)
        xenstore_state_remove(v->xen.domid);
}

/*
 * From here on the process can harm no domain but its own.  Nothing that comes
 * from the guest has been looked at yet.
 */
static int
restrict_up(struct viommud *v)
{
    return handles_restrict(&v->xen);
}

static int
claim_up(struct viommud *v)
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

static int
watch_up(struct viommud *v)
{
    loop_work_set(v->loop, work, v);
    v->events =
        loop_watch_fd(v->loop, ioreq_fd(&v->ioreq), LOOP_READ, events_ready, v);
    v->pulse = loop_watch_timer(v->loop, PULSE_MS, pulse, v);
    if (!v->events || !v->pulse)
        return no_memory("watch for events");

    if (!v->notify.watchdog_ms)
        return 0;

    v->watchdog =
        loop_watch_timer(v->loop, v->notify.watchdog_ms, watchdog_due, v);
    return v->watchdog ? 0 : no_memory("watch the time");
}

static void
watch_down(struct viommud *v)
{
    loop_work_set(v->loop, NULL, NULL);
    loop_watch_destroy(v->events);
    loop_watch_destroy(v->pulse);
    loop_watch_destroy(v->watchdog);
}

static int
enable_up(struct viommud *v)
{
    return ioreq_enable(&v->ioreq);
}

/*
 * Up in this order, down in the reverse.  A step that fails has its own down
 * called as well: each takes what is half done.
 */
static const struct step {
    const char *name;
    int (*up)(struct viommud *v);
    void (*down)(struct viommud *v);
} steps[] = {
    { "loop", loop_up, loop_down },
    { "notify", notify_up, notify_down },
    { "--config", option_config_up, NULL },
    { "xen", xen_up, xen_down },
    { "domain", domain_up, NULL },
    { "configuration", xenstore_config_up, NULL },
    { "support", support_up, NULL },
    { "rundir", rundir_up, rundir_down },
    { "orphan", orphan_up, NULL },
    { "server", server_up, server_down },
    { "trace", trace_up, trace_down },
    { "model", model_up, model_down },
    { "ctl", ctl_up, ctl_down },
    { "xenstore", xenstore_up, xenstore_down },
    { "restrict", restrict_up, NULL },
    { "claim", claim_up, NULL },
    { "watch", watch_up, watch_down },
    { "enable", enable_up, NULL },
};

#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

static void
serve(struct viommud *v)
{
    char status[96];

    (void)snprintf(status, sizeof(status), "READY=1\nSTATUS=Serving domain %u",
                   v->xen.domid);
    notify_send(&v->notify, status);
    log_info("serving domain %u: ioreq server %u, %u vCPUs, registers at "
             "0x%llx",
             v->xen.domid, v->ioreq.id, v->ioreq.vcpus,
             (unsigned long long)v->config.base);

    loop_run(v->loop);
    notify_send(&v->notify, "STOPPING=1");
}

int
viommud_run(const struct options *options)
{
    /* Static: the tables in it are no burden for a stack. */
    static struct viommud v;
    unsigned i;
    int rc = 0;

    v = (struct viommud){
        .options = options,
        .start_ms = loop_now_ms(),
        .exit_status = EXIT_FAILURE,
    };

    for (i = 0; i < STEP_COUNT && !rc; i++) {
        log_debug("start: %s", steps[i].name);
        rc = steps[i].up(&v);
    }

    if (!rc)
        serve(&v);

    while (i-- > 0) {
        if (steps[i].down)
            steps[i].down(&v);
    }

    return v.exit_status;
}
