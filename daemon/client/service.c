/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/client/priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "daemon/listen.h"
#include "daemon/log.h"
#include "daemon/loop.h"

/* What was announced, and no sync followed, is sent this late. */
#define UNSENT_NS NS_PER_MS

/* Without a descriptor for a connection, accept again after this. */
#define DEAF_NS (NS_PER_S / 10)

uint64_t
service_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* --- time ------------------------------------------------------------------ */

static void
timer_set(struct service *service, uint64_t due_ns)
{
    const struct itimerspec spec = {
        .it_value = {
            .tv_sec = (time_t)(due_ns / NS_PER_S),
            .tv_nsec = (long)(due_ns % NS_PER_S),
        },
    };

    /* Forgets that it was due, so that nobody has to read it. */
    (void)timerfd_settime(service->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
    service->due_ns = due_ns;
    service->fired = false;
}

static void
sooner(uint64_t *due, uint64_t other)
{
    if (other && (!*due || other < *due))
        *due = other;
}

void
service_schedule(struct service *service)
{
    uint64_t now = service_now_ns();
    uint64_t due = epoch_due(service, now);

    if (service->doomed)
        sooner(&due, now);
    if (service->unsent)
        sooner(&due, now + UNSENT_NS);
    sooner(&due, service->deaf_ns);
    sooner(&due, clients_greet_due(service));

    if (due && (!service->due_ns || due < service->due_ns))
        timer_set(service, due);
    else if (service->fired)
        timer_set(service, 0);
}

/* Nobody waits for anything, as most often: no need to look at the clock. */
static bool
is_quiet(const struct service *service)
{
    return !service->doomed && !service->unsent && !service->deaf_ns &&
           !service->due_ns && !service->fired && !epoch_is_awaited(service) &&
           !clients_greet_due(service);
}

/*
 * Cutting somebody off may end what others wait for, and whoever is told of
 * that may find the next one: at most once each.
 */
void
service_turn(struct service *service)
{
    if (is_quiet(service))
        return;

    clients_greet(service, service_now_ns());
    invalidate_flush(service);
    do {
        clients_reap(service);
        epoch_poll(service);
    } while (service->doomed);
    service_schedule(service);
}

static void
timer_due(void *ctx)
{
    struct service *service = ctx;

    service->fired = true;
    service->due_ns = 0;
    if (service->deaf_ns && service->deaf_ns <= service_now_ns()) {
        service->deaf_ns = 0;
        loop_watch_events(service->watch, LOOP_READ);
    }
    service_turn(service);
}

/* --- listening ------------------------------------------------------------- */

static void
listen_ready(void *ctx)
{
    struct service *service = ctx;
    int fd = accept4(service->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd >= 0) {
        client_accept(service, fd);
    } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        log_limited(LOG_LEVEL_ERROR, "client: cannot accept: %s",
                    strerror(errno));
        loop_watch_events(service->watch, LOOP_NONE);
        service->deaf_ns = service_now_ns() + DEAF_NS;
    }
    service_turn(service);
}

/* --- life ------------------------------------------------------------------ */

static int
timer_open(struct service *service)
{
    service->timer_fd =
        timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (service->timer_fd < 0)
        return -errno;

    service->timer = loop_watch_fd(service->loop, service->timer_fd, LOOP_READ,
                                   timer_due, service);
    return service->timer ? 0 : -ENOMEM;
}

static int
listen_up(struct service *service, const struct service_config *config)
{
    service->fd = listen_open(&service->addr, SOCK_SEQPACKET,
                              (mode_t)config->mode, SERVICE_CLIENTS_MAX);
    if (service->fd < 0)
        return service->fd;

    service->watch = loop_watch_fd(service->loop, service->fd, LOOP_READ,
                                   listen_ready, service);
    return service->watch ? 0 : -ENOMEM;
}

static int
service_open(struct service *service, const struct service_config *config)
{
    int rc = listen_address(&service->addr, config->path);

    if (!rc)
        rc = shm_create(service);
    if (!rc)
        rc = timer_open(service);
    return rc ? rc : listen_up(service, config);
}

struct service *
service_create(struct loop *loop, const struct service_config *config,
               const struct service_ops *ops, void *ctx)
{
    struct service *service;
    int rc;

    assert(config->units >= 1 && config->units <= VIOMMU_SHM_UNITS_MAX);
    assert(config->view_size % 64 == 0);

    service = calloc(1, sizeof(*service));
    if (!service) {
        errno = ENOMEM;
        return NULL;
    }

    service->loop = loop;
    service->ops = *ops;
    service->ctx = ctx;
    service->domid = config->domid;
    service->units = config->units;
    service->view_size = config->view_size;
    service->drain_ns = config->drain_ms * NS_PER_MS;
    service->fd = -1;
    service->timer_fd = -1;
    for (unsigned i = 0; i < SERVICE_DEVICES_MAX; i++)
        invalidate_reset(&service->device[i]);

    rc = service_open(service, config);
    if (rc) {
        service_destroy(service);
        errno = -rc;
        return NULL;
    }
    return service;
}

void
service_end(struct service *service)
{
    service->ended = true;
    clients_end(service);
    loop_watch_destroy(service->timer);
    service->timer = NULL;
    if (service->timer_fd >= 0)
        (void)close(service->timer_fd);
    service->timer_fd = -1;
    loop_watch_destroy(service->watch);
    service->watch = NULL;
    if (service->fd >= 0) {
        (void)close(service->fd);
        (void)unlink(service->addr.sun_path);
    }
    service->fd = -1;
}

void
service_destroy(struct service *service)
{
    if (!service)
        return;

    service_end(service);
    shm_destroy(service);
    free(service);
}
