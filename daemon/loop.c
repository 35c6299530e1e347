/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/loop.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <time.h>

struct loop {
    struct ev_loop *ev;
    ev_prepare prepare; /* runs the left-over work, before sleeping */
    ev_idle idle;       /* while active, the loop does not sleep */
    loop_work_fn *work;
    void *work_ctx;
};

enum watch_kind {
    WATCH_FD,
    WATCH_TIMER,
    WATCH_SIGNAL,
};

struct loop_watch {
    struct loop *loop;
    loop_fn *fn;
    void *ctx;
    enum watch_kind kind;
    union {
        ev_io io;
        ev_timer timer;
        ev_signal signal;
    } u;
};

static void
idle_cb(struct ev_loop *ev, ev_idle *idle, int revents)
{
    (void)ev;
    (void)idle;
    (void)revents;
}

static void
prepare_cb(struct ev_loop *ev, ev_prepare *prepare, int revents)
{
    struct loop *loop = prepare->data;

    (void)revents;
    if (loop->work && loop->work(loop->work_ctx))
        ev_idle_start(ev, &loop->idle);
    else
        ev_idle_stop(ev, &loop->idle);
}

struct loop *
loop_create(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (!loop) {
        errno = ENOMEM;
        return NULL;
    }

    /* Not what LIBEV_FLAGS in the environment asks for. */
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (!loop->ev) {
        free(loop);
        errno = ENOSYS;
        return NULL;
    }

    ev_idle_init(&loop->idle, idle_cb);
    ev_prepare_init(&loop->prepare, prepare_cb);
    loop->prepare.data = loop;
    ev_prepare_start(loop->ev, &loop->prepare);
    return loop;
}

void
loop_destroy(struct loop *loop)
{
    if (!loop)
        return;

    ev_idle_stop(loop->ev, &loop->idle);
    ev_prepare_stop(loop->ev, &loop->prepare);
    ev_loop_destroy(loop->ev);
    free(loop);
}

void
loop_run(struct loop *loop)
{
    ev_run(loop->ev, 0);
}

void
loop_stop(struct loop *loop)
{
    ev_break(loop->ev, EVBREAK_ALL);
}

uint64_t
loop_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
loop_work_set(struct loop *loop, loop_work_fn *fn, void *ctx)
{
    loop->work = fn;
    loop->work_ctx = ctx;
}

static void
io_cb(struct ev_loop *ev, ev_io *io, int revents)
{
    struct loop_watch *watch = io->data;

    (void)ev;
    (void)revents;
    watch->fn(watch->ctx);
}

static void
timer_cb(struct ev_loop *ev, ev_timer *timer, int revents)
{
    struct loop_watch *watch = timer->data;

    (void)ev;
    (void)revents;
    watch->fn(watch->ctx);
}

static void
signal_cb(struct ev_loop *ev, ev_signal *signal, int revents)
{
    struct loop_watch *watch = signal->data;

    (void)ev;
    (void)revents;
    watch->fn(watch->ctx);
}

static struct loop_watch *
watch_create(struct loop *loop, enum watch_kind kind, loop_fn *fn, void *ctx)
{
    struct loop_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return NULL;

    watch->loop = loop;
    watch->fn = fn;
    watch->ctx = ctx;
    watch->kind = kind;
    return watch;
}

static int
ev_events(enum loop_events events)
{
    return ((events & LOOP_READ) ? EV_READ : 0) |
           ((events & LOOP_WRITE) ? EV_WRITE : 0);
}

struct loop_watch *
loop_watch_fd(struct loop *loop, int fd, enum loop_events events, loop_fn *fn,
              void *ctx)
{
    struct loop_watch *watch = watch_create(loop, WATCH_FD, fn, ctx);

    if (!watch)
        return NULL;

    ev_io_init(&watch->u.io, io_cb, fd, ev_events(events));
    watch->u.io.data = watch;
    if (events != LOOP_NONE)
        ev_io_start(loop->ev, &watch->u.io);
    return watch;
}

void
loop_watch_events(struct loop_watch *watch, enum loop_events events)
{
    struct ev_loop *ev = watch->loop->ev;
    ev_io *io = &watch->u.io;

    assert(watch->kind == WATCH_FD);
    if (ev_is_active(io) &&
        (io->events & (EV_READ | EV_WRITE)) == ev_events(events))
        return;

    ev_io_stop(ev, io);
    ev_io_set(io, io->fd, ev_events(events));
    if (events != LOOP_NONE)
        ev_io_start(ev, io);
}

struct loop_watch *
loop_watch_timer(struct loop *loop, uint64_t period_ms, loop_fn *fn, void *ctx)
{
    struct loop_watch *watch = watch_create(loop, WATCH_TIMER, fn, ctx);
    double period = (double)period_ms / 1000.0;

    if (!watch)
        return NULL;

    ev_timer_init(&watch->u.timer, timer_cb, period, period);
    watch->u.timer.data = watch;
    ev_timer_start(loop->ev, &watch->u.timer);
    return watch;
}

struct loop_watch *
loop_watch_signal(struct loop *loop, int signo, loop_fn *fn, void *ctx)
{
    struct loop_watch *watch = watch_create(loop, WATCH_SIGNAL, fn, ctx);

    if (!watch)
        return NULL;

    ev_signal_init(&watch->u.signal, signal_cb, signo);
    watch->u.signal.data = watch;
    ev_signal_start(loop->ev, &watch->u.signal);
    return watch;
}

void
loop_watch_destroy(struct loop_watch *watch)
{
    if (!watch)
        return;

    switch (watch->kind) {
    case WATCH_FD:
        ev_io_stop(watch->loop->ev, &watch->u.io);
        break;
    case WATCH_TIMER:
        ev_timer_stop(watch->loop->ev, &watch->u.timer);
        break;
    case WATCH_SIGNAL:
        ev_signal_stop(watch->loop->ev, &watch->u.signal);
        break;
    }
    free(watch);
}
