/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event loop.  The only place that knows libev.
 *
 * Watches are created at start, or for a client of the control socket; none
 * is created on the way of a guest's request.
 */
#ifndef DAEMON_LOOP_H
#define DAEMON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;

typedef void loop_fn(void *ctx);

enum loop_events {
    LOOP_NONE = 0,
    LOOP_READ = 1,
    LOOP_WRITE = 2,
};

/* NULL with errno set.  Destroy the watches before the loop. */
struct loop *loop_create(void);
void loop_destroy(struct loop *loop);

/* Until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Milliseconds of a monotonic clock, as of now. */
uint64_t loop_now_ms(void);

/*
 * Call @fn(@ctx) for as long as @fd is ready; every @period_ms; on a signal.
 * NULL without memory.  loop_watch_destroy() accepts NULL, and may be called
 * by the watch's own function.
 */
struct loop_watch *loop_watch_fd(struct loop *loop, int fd,
                                 enum loop_events events, loop_fn *fn,
                                 void *ctx);
struct loop_watch *loop_watch_timer(struct loop *loop, uint64_t period_ms,
                                    loop_fn *fn, void *ctx);
struct loop_watch *loop_watch_signal(struct loop *loop, int signo, loop_fn *fn,
                                     void *ctx);
void loop_watch_destroy(struct loop_watch *watch);

/* For a watch of loop_watch_fd(). */
void loop_watch_events(struct loop_watch *watch, enum loop_events events);

/*
 * Work that is left over from handling events: once in each turn of the loop,
 * @fn is called, after the events of that turn; while it returns true the loop
 * does not sleep.  So neither events nor left-over work starve each other.
 */
typedef bool loop_work_fn(void *ctx);
void loop_work_set(struct loop *loop, loop_work_fn *fn, void *ctx);

#endif
