/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of the start that make the units and what is around them. */
#include "daemon/steps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/ctl-query.h"
#include "daemon/ctl.h"
#include "daemon/log.h"
#include "daemon/record.h"
#include "daemon/viommud.h"

int
steps_rundir_up(struct viommud *v)
{
    return rundir_open(&v->rundir, v->options->run_dir, v->options->domid);
}

void
steps_rundir_down(struct viommud *v)
{
    rundir_close(&v->rundir);
}

/* While the process may still open files. */
int
steps_trace_up(struct viommud *v)
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

void
steps_trace_down(struct viommud *v)
{
    record_close(v->record);
}

/*
 * The unit that is recorded: the first that remaps DMA, if one does.  A trace
 * is of one unit.
 */
static unsigned
recorded_unit(const struct viommud *v)
{
    for (unsigned i = 0; i < v->unit_count; i++) {
        if (v->unit[i].config.dma != CONFIG_DMA_NONE)
            return i;
    }

    return 0;
}

static bool
is_translating(const struct viommud *v)
{
    return v->unit[recorded_unit(v)].config.dma != CONFIG_DMA_NONE;
}

int
steps_sinks_up(struct viommud *v)
{
    char path[RUNDIR_PATH_SIZE + 8];
    int rc;

    if (!is_translating(v))
        return 0;

    (void)snprintf(path, sizeof(path), "%s/dma", v->rundir.path);
    v->sinks = (struct sinks){
        .unit = v->unit,
        .unit_count = v->unit_count,
        .deliver = fanout_deliver,
        .deliver_ctx = &v->fanout,
    };
    rc = sinks_open(&v->sinks, v->loop, path, v->xen.domid);
    if (rc)
        log_error("cannot listen on %s: %s", path, strerror(-rc));
    else
        v->fanout.sinks = &v->sinks;
    return rc;
}

void
steps_sinks_down(struct viommud *v)
{
    if (v->fanout.sinks)
        sinks_close(&v->sinks);
}

static int
unit_up(struct viommud *v, struct unit *unit)
{
    const struct vtd_ops *ops =
        fanout_ops(&v->fanout, unit->index, log_enabled(LOG_LEVEL_DEBUG));
    void *ctx = &v->fanout.member[unit->index];
    struct vtd_config config;

    unit_config(&unit->config, &config);
    if (v->record && unit->index == recorded_unit(v)) {
        unit->record = v->record;
        ops = record_ops(v->record, &config, ops, ctx);
        ctx = v->record;
    }

    if (v->fanout.sinks)
        unit->view = sinks_view(&v->sinks, unit->index);
    unit->vtd = unit->view ? vtd_create_view(&config, ops, ctx, unit->view)
                           : vtd_create(&config, ops, ctx);
    if (!unit->vtd) {
        int rc = -errno;

        log_error("cannot create unit %u: %s", unit->index, strerror(-rc));
        return rc;
    }

    return 0;
}

int
steps_model_up(struct viommud *v)
{
    int rc = 0;

    gmem_open(&v->gmem, v->xen.fmem, v->xen.domid);
    v->fanout.unit = v->unit;
    v->fanout.unit_count = v->unit_count;
    v->fanout.dmop = &v->xen.dmop;
    v->fanout.gmem = &v->gmem;

    for (unsigned i = 0; i < v->unit_count && !rc; i++)
        rc = unit_up(v, &v->unit[i]);

    ioreq_attach(&v->ioreq, &fanout_ioreq_ops, &v->fanout, &v->gmem);
    return rc;
}

void
steps_model_down(struct viommud *v)
{
    gmem_close(&v->gmem);
    for (unsigned i = 0; i < v->unit_count; i++) {
        vtd_destroy(v->unit[i].vtd);
        v->unit[i].vtd = NULL;
    }
}

int
steps_ctl_up(struct viommud *v)
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

void
steps_ctl_down(struct viommud *v)
{
    ctl_destroy(v->ctl);
}
