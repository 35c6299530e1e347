/* SPDX-License-Identifier: GPL-2.0-only */
/* The event loop: what may starve what, and watches that end themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "daemon/loop.h"

struct world {
    struct loop *loop;
    struct loop_watch *watch;
    struct loop_watch *timer;
    int fd[2];
    unsigned events, works, ticks;
    unsigned work_left;
};

static int
setup(void **state)
{
    static struct world world;

    world = (struct world){ .loop = loop_create() };
    *state = &world;
    return !world.loop || pipe(world.fd) < 0;
}

static int
teardown(void **state)
{
    struct world *world = *state;

    loop_watch_destroy(world->watch);
    loop_watch_destroy(world->timer);
    loop_destroy(world->loop);
    close(world->fd[0]);
    close(world->fd[1]);
    return 0;
}

static void
stop(void *ctx)
{
    struct world *world = ctx;

    world->ticks++;
    loop_stop(world->loop);
}

static void
count_event(void *ctx)
{
    struct world *world = ctx;

    if (++world->events == 1000)
        loop_stop(world->loop);
}

static bool
some_work(void *ctx)
{
    struct world *world = ctx;

    world->works++;
    if (world->work_left)
        world->work_left--;
    return world->work_left > 0;
}

/* A descriptor that is always ready does not keep left-over work waiting. */
static void
events_do_not_starve_work(void **state)
{
    struct world *world = *state;

    assert_int_equal(write(world->fd[1], "x", 1), 1);
    world->watch =
        loop_watch_fd(world->loop, world->fd[0], LOOP_READ, count_event, world);
    loop_work_set(world->loop, some_work, world);
    loop_run(world->loop);
    assert_int_equal(world->events, 1000);
    assert_in_range(world->works, 999, 1001);
}

static bool
endless_work(void *ctx)
{
    struct world *world = ctx;

    world->works++;
    return true;
}

/* Nor the other way round: work without end, and the timer still fires. */
static void
work_does_not_starve_events(void **state)
{
    struct world *world = *state;

    loop_work_set(world->loop, endless_work, world);
    world->timer = loop_watch_timer(world->loop, 20, stop, world);
    loop_run(world->loop);
    assert_int_equal(world->ticks, 1);
    assert_true(world->works > 1);
}

/* Without work the loop sleeps: it turns for its timer only. */
static void
the_loop_sleeps_when_work_is_done(void **state)
{
    struct world *world = *state;

    world->work_left = 5;
    loop_work_set(world->loop, some_work, world);
    world->timer = loop_watch_timer(world->loop, 50, stop, world);
    loop_run(world->loop);
    assert_int_equal(world->work_left, 0);
    assert_in_range(world->works, 5, 8);
}

static void
end_myself(void *ctx)
{
    struct world *world = ctx;

    world->events++;
    loop_watch_destroy(world->watch);
    world->watch = NULL;
}

static void
a_watch_may_end_itself(void **state)
{
    struct world *world = *state;

    assert_int_equal(write(world->fd[1], "x", 1), 1);
    world->watch =
        loop_watch_fd(world->loop, world->fd[0], LOOP_READ, end_myself, world);
    world->timer = loop_watch_timer(world->loop, 20, stop, world);
    loop_run(world->loop);
    assert_int_equal(world->events, 1);
}

static void
a_signal_that_came_before_is_not_lost(void **state)
{
    struct world *world = *state;

    world->watch = loop_watch_signal(world->loop, SIGUSR1, stop, world);
    assert_int_equal(raise(SIGUSR1), 0);
    loop_run(world->loop);
    assert_int_equal(world->ticks, 1);
}

static void
no_events_wanted_means_none(void **state)
{
    struct world *world = *state;

    assert_int_equal(write(world->fd[1], "x", 1), 1);
    world->watch =
        loop_watch_fd(world->loop, world->fd[0], LOOP_READ, count_event, world);
    loop_watch_events(world->watch, LOOP_NONE);
    world->timer = loop_watch_timer(world->loop, 20, stop, world);
    loop_run(world->loop);
    assert_int_equal(world->events, 0);

    loop_watch_events(world->watch, LOOP_READ);
    loop_run(world->loop);
    assert_true(world->events > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_do_not_starve_work),
        TEST(work_does_not_starve_events),
        TEST(the_loop_sleeps_when_work_is_done),
        TEST(a_watch_may_end_itself),
        TEST(a_signal_that_came_before_is_not_lost),
        TEST(no_events_wanted_means_none),
    };

    return cmocka_run_group_tests_name("daemon-loop", tests, NULL, NULL);
}
