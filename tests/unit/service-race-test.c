/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of clients beside the service: nothing is used that was void when a
 * sync was done.  The pages are plain memory, so that ThreadSanitizer sees
 * each access that no epoch keeps apart.
 */
#include "tests/unit/service-rig.h"

#include <pthread.h>

#define CLIENTS  2u
#define THREADS  2u /* of each */
#define ROUND_MS 1500u

#define GOOD UINT64_C(0x600d600d600d600d)
#define BAD  UINT64_C(0xbadbadbadbadbad0)

/* The owner's: where the only translation leads, if it is valid. */
struct world {
    uint64_t page[2];
    uint64_t gen; /* odd: void; gen / 2 % 2 says which page */
    bool stop;
};

struct thread {
    pthread_t id;
    struct world *world;
    struct peer *peer;
    unsigned cell;
    uint64_t used, wrong;
};

/* As a client does it: the epoch, a full barrier, and then what it is for. */
static void
batch(struct thread *thread)
{
    struct world *world = thread->world;
    uint64_t *cell = &thread->peer->cells->cell[thread->cell].epoch;
    uint64_t gen;

    __atomic_store_n(
        cell, __atomic_load_n(&thread->peer->shm->epoch, __ATOMIC_ACQUIRE),
        __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    gen = __atomic_load_n(&world->gen, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < 20 && !(gen & 1); i++) {
        /* Each is an access of its own, some time after the first. */
        __asm__ volatile("" ::: "memory");
        __atomic_fetch_add(&thread->used, 1, __ATOMIC_RELAXED);
        thread->wrong += world->page[gen / 2 % 2] != GOOD;
    }

    __atomic_store_n(cell, 0, __ATOMIC_RELEASE);
}

static void *
thread_run(void *arg)
{
    struct thread *thread = arg;

    while (!__atomic_load_n(&thread->world->stop, __ATOMIC_RELAXED))
        batch(thread);
    return NULL;
}

/* The page is the owner's again, once the sync is done. */
static void
owner_move(struct rig *rig, struct world *world, uint64_t token)
{
    uint64_t gen = world->gen;
    unsigned before = rig->sync_count;

    __atomic_store_n(&world->gen, gen + 1, __ATOMIC_RELEASE);
    if (!service_sync(rig->service, 0, token))
        (void)rig_run_syncs(rig, before + 1);
    world->page[gen / 2 % 2] = BAD;

    world->page[(gen / 2 + 1) % 2] = GOOD;
    __atomic_store_n(&world->gen, gen + 2, __ATOMIC_RELEASE);
}

static uint64_t
used_by_all(const struct thread *thread)
{
    uint64_t used = 0;

    for (unsigned i = 0; i < CLIENTS * THREADS; i++)
        used += __atomic_load_n(&thread[i].used, __ATOMIC_RELAXED);
    return used;
}

static void
nothing_void_is_used_after_a_sync(void **state)
{
    struct rig *rig = *state;
    struct world world = { .page = { GOOD, BAD } };
    struct thread thread[CLIENTS * THREADS] = { 0 };
    struct peer peer[CLIENTS];
    uint64_t start = loop_now_ms();
    uint64_t token = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        peer[i] = peer_walker(rig, (uint16_t)(RIG_SID + i));
    for (unsigned i = 0; i < CLIENTS * THREADS; i++) {
        thread[i] = (struct thread){ .world = &world,
                                     .peer = &peer[i / THREADS],
                                     .cell = i % THREADS };
        assert_int_equal(
            pthread_create(&thread[i].id, NULL, thread_run, &thread[i]), 0);
    }

    /* Longer where the machine has other things to do. */
    while (loop_now_ms() - start < ROUND_MS || token <= 100 ||
           used_by_all(thread) <= 1000) {
        owner_move(rig, &world, ++token);
        assert_true(loop_now_ms() - start < 60000);
    }

    __atomic_store_n(&world.stop, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < CLIENTS * THREADS; i++) {
        pthread_join(thread[i].id, NULL);
        assert_int_equal(thread[i].wrong, 0);
    }
    assert_int_equal(rig_stats(rig).cut_off, 0);
    print_message("%llu invalidations, %llu accesses, %llu waited, at most "
                  "%llu us\n",
                  (unsigned long long)token,
                  (unsigned long long)used_by_all(thread),
                  (unsigned long long)rig_stats(rig).syncs_waited,
                  (unsigned long long)rig_stats(rig).drain_us_max);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_close(&peer[i]);
}

/* Not a test of time: nobody is to be cut off because the machine is busy. */
static int
setup(void **state)
{
    return rig_setup_drain(state, 5000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_void_is_used_after_a_sync,
                                        setup, rig_teardown),
    };

    return cmocka_run_group_tests_name("service: race", tests, NULL, NULL);
}
