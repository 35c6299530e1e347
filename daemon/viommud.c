/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/viommud.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/steps.h"

/* How often Xen is asked whether the domain still lives. */
#define PULSE_MS 1000u

/*
 * How long a domain whose ioreq servers Xen has destroyed may take to go.
 * Whoever maps one of its pages keeps it; after that it was not dying.
 */
#define GONE_MS 30000u

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
 * pages any more; let go of them, and have those do so who do DMA.
 */
static void
pages_release(struct viommud *v)
{
    loop_work_set(v->loop, NULL, NULL);
    loop_watch_destroy(v->events);
    v->events = NULL;
    ioreq_unmap(&v->ioreq);
    gmem_close(&v->gmem);
    if (v->fanout.sinks)
        sinks_end(&v->sinks);
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
    { "--config", steps_option_config_up, NULL },
    { "xen", steps_xen_up, steps_xen_down },
    { "domain", steps_domain_up, NULL },
    { "configuration", steps_xenstore_config_up, NULL },
    { "support", steps_support_up, NULL },
    { "rundir", steps_rundir_up, steps_rundir_down },
    { "orphan", steps_orphan_up, NULL },
    { "server", steps_server_up, steps_server_down },
    { "trace", steps_trace_up, steps_trace_down },
    { "sinks", steps_sinks_up, steps_sinks_down },
    { "model", steps_model_up, steps_model_down },
    { "ctl", steps_ctl_up, steps_ctl_down },
    { "xenstore", steps_xenstore_up, steps_xenstore_down },
    { "restrict", steps_restrict_up, NULL },
    { "claim", steps_claim_up, NULL },
    { "watch", watch_up, watch_down },
    { "enable", steps_enable_up, NULL },
};

#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))

static void
serve(struct viommud *v)
{
    char status[96];

    (void)snprintf(status, sizeof(status), "READY=1\nSTATUS=Serving domain %u",
                   v->xen.domid);
    notify_send(&v->notify, status);
    log_info("serving domain %u: ioreq server %u, %u vCPUs", v->xen.domid,
             v->ioreq.id, v->ioreq.vcpus);
    for (unsigned i = 0; i < v->unit_count; i++) {
        const struct viommu_config *config = &v->unit[i].config;

        log_info("unit %u: registers at 0x%" PRIx64
                 ", intremap=%d, dma=%s, devices named: %u",
                 i, config->base, config->intremap,
                 config_dma_name(config->dma), config->device_count);
    }

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
