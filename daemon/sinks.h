/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the model meets those who do DMA: what the model announces goes to
 * the clients of the translation service, what they ask goes to the model.
 * The model speaks VT-d, the service its protocol; only this file knows both.
 */
#ifndef DAEMON_SINKS_H
#define DAEMON_SINKS_H

#include "daemon/unit.h"
#include "daemon/vtd/vtd.h"

struct loop;
struct service;

struct sinks {
    struct service *service;
    struct unit *unit; /* @unit_count of them */
    unsigned unit_count;
    /* Deliver an interrupt that a unit has remapped, or that was none of its. */
    void (*deliver)(void *ctx, const struct vtd_route *route);
    void *deliver_ctx;
};

/*
 * Create the service for units that remap DMA; their views are to be had from
 * sinks_view() before the units themselves are created.  0 or -errno.
 */
int sinks_open(struct sinks *sinks, struct loop *loop, const char *path,
               uint16_t domid);
void sinks_close(struct sinks *sinks);

/* The guest is going: nobody does DMA any more.  The views stay. */
void sinks_end(struct sinks *sinks);

struct vtd_view *sinks_view(const struct sinks *sinks, unsigned unit);

/* The model's ops of these names, for unit @unit. */
void sinks_invalidate(struct sinks *sinks, unsigned unit,
                      const struct vtd_inv *inv);
bool sinks_sync(struct sinks *sinks, unsigned unit, uint64_t token);
void sinks_page_response(struct sinks *sinks, unsigned unit,
                         const struct vtd_page_resp *resp);

#endif
