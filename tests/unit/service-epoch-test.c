/* SPDX-License-Identifier: GPL-2.0-only */
/* When an invalidation is complete, and who is cut off for holding it up. */
#include "tests/unit/service-rig.h"

#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A machine that does other things as well takes this much longer. */
#define SLACK_MS 200u

static void
assert_synced(const struct rig *rig, unsigned i, unsigned unit, uint64_t token)
{
    assert_true(i < rig->sync_count);
    assert_int_equal(rig->sync[i].unit, unit);
    assert_int_equal(rig->sync[i].token, token);
    assert_int_equal(rig->sync[i].status, SERVICE_DONE);
}

/* --- nobody is in flight --------------------------------------------------- */

static void
sync_moves_the_epoch(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(peer.shm->epoch, 1 + i);
        assert_true(service_sync(rig->service, i & 1, i + 1));
    }
    assert_int_equal(rig_stats(rig).syncs, 5);
    assert_int_equal(rig_stats(rig).syncs_waited, 0);
    assert_int_equal(rig->sync_count, 0);
    peer_close(&peer);
}

/* In strict mode everything but read, write and exit kills. */
static int
sync_without_a_system_call(struct rig *rig)
{
    bool done = true;

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
        return 1;
    for (unsigned i = 0; i < 1000; i++)
        done = service_sync(rig->service, 0, i + 1) && done;
    return done ? 0 : 2;
}

static void
idle_clients_cost_no_system_call(void **state)
{
    struct rig *rig = *state;
    struct peer peer[8];
    int status;
    pid_t child;

    for (unsigned i = 0; i < 8; i++)
        peer[i] = peer_walker(rig, (uint16_t)(RIG_SID + i));
    child = fork();
    if (child == 0)
        syscall(SYS_exit, sync_without_a_system_call(rig));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    for (unsigned i = 0; i < 8; i++) {
        peer_expect_silence(&peer[i]);
        peer_close(&peer[i]);
    }
}

/* --- somebody is ----------------------------------------------------------- */

static void
batch_from_before_is_waited_for(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);
    struct service_client_info info;

    peer_begin(&peer, 3);
    assert_true(service_client_info(rig->service, 0, &info));
    assert_int_equal(info.threads, 4);
    assert_int_equal(info.active, 1);
    assert_false(service_sync(rig->service, 1, 17));
    rig_run_ms(rig, 10);
    assert_int_equal(rig->sync_count, 0);
    peer_end(&peer, 3);
    assert_true(rig_run_syncs(rig, 1) <= 5 + SLACK_MS);
    assert_synced(rig, 0, 1, 17);
    assert_int_equal(rig_stats(rig).syncs_waited, 1);
    assert_true(rig_stats(rig).drain_us_max >= 10000);
    peer_expect_silence(&peer);
    peer_close(&peer);
}

static void
batch_from_after_is_not_waited_for(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    assert_true(service_sync(rig->service, 0, 1));
    peer_begin(&peer, 0);
    peer_begin(&peer, 1);
    assert_false(service_sync(rig->service, 0, 2));
    peer_end(&peer, 0);
    /* The next one of the same thread, and another thread still at it. */
    peer_begin(&peer, 0);
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 0);
    peer_begin(&peer, 1);
    (void)rig_run_syncs(rig, 1);
    assert_synced(rig, 0, 0, 2);
    /* Both are in flight, in the epoch of now. */
    assert_false(service_sync(rig->service, 0, 3));
    peer_end(&peer, 0);
    peer_end(&peer, 1);
    (void)rig_run_syncs(rig, 2);
    peer_close(&peer);
}

/* Who has no device to walk for cannot hold anybody up. */
static void
cells_without_a_device_do_not_count(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, true);

    peer.cells->count = VIOMMU_CELLS_MAX + 1;
    peer_begin(&peer, 0);
    assert_true(service_sync(rig->service, 0, 1));
    assert_int_equal(peer_attach(rig, &peer, RIG_SID, VIOMMU_ATTACH_NOTIFY), 0);
    assert_true(service_sync(rig->service, 0, 2));
    peer_close(&peer);
}

static void
every_cell_counts(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    peer.cells->count = VIOMMU_CELLS_MAX;
    for (unsigned i = 0; i < VIOMMU_CELLS_MAX; i++) {
        peer_begin(&peer, i);
        assert_false(service_sync(rig->service, 0, i + 1));
        peer_end(&peer, i);
        (void)rig_run_syncs(rig, i + 1);
    }
    peer_close(&peer);
}

/* --- several --------------------------------------------------------------- */

static void
tokens_are_told_in_order(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    peer_begin(&peer, 0);
    assert_false(service_sync(rig->service, 0, 1));
    assert_false(service_sync(rig->service, 1, 1));
    peer_begin(&peer, 1);
    assert_false(service_sync(rig->service, 0, 2));
    peer_end(&peer, 0);
    (void)rig_run_syncs(rig, 2);
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 2);
    assert_synced(rig, 0, 0, 1);
    assert_synced(rig, 1, 1, 1);
    peer_end(&peer, 1);
    (void)rig_run_syncs(rig, 3);
    assert_synced(rig, 2, 0, 2);
    peer_close(&peer);
}

/* The guest may begin more than anybody remembers; the last one is told. */
static void
many_tokens_become_one(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);
    uint64_t last = 0;

    peer_begin(&peer, 0);
    for (unsigned i = 1; i <= 1000; i++)
        assert_false(service_sync(rig->service, 0, i));
    peer_end(&peer, 0);
    (void)rig_run_syncs(rig, 8);
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 8);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(rig->sync[i].token > last);
        last = rig->sync[i].token;
    }
    assert_int_equal(last, 1000);
    peer_close(&peer);
}

/* Done at once, it stands for those before, which are not told any more. */
static void
later_token_stands_for_those_before(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    peer_begin(&peer, 0);
    assert_false(service_sync(rig->service, 0, 1));
    peer_end(&peer, 0);
    assert_true(service_sync(rig->service, 0, 2));
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 0);
    peer_close(&peer);
}

static void
owner_may_begin_the_next_when_one_ends(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);

    peer_begin(&peer, 0);
    assert_false(service_sync(rig->service, 0, 1));
    peer_begin(&peer, 1);
    rig->next_token = 2;
    peer_end(&peer, 0);
    (void)rig_run_syncs(rig, 1);
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 1);
    peer_end(&peer, 1);
    (void)rig_run_syncs(rig, 2);
    assert_synced(rig, 0, 0, 1);
    assert_synced(rig, 1, 0, 2);
    peer_close(&peer);
}

/* --- who is cut off -------------------------------------------------------- */

static void
client_that_hangs_is_cut_off_in_time(void **state)
{
    struct rig *rig = *state;
    struct peer good = peer_walker(rig, RIG_SID2);
    struct peer bad = peer_walker(rig, RIG_SID);
    unsigned ms;

    peer_begin(&bad, 2);
    assert_false(service_sync(rig->service, 0, 1));
    assert_false(service_sync(rig->service, 1, 1));
    ms = rig_run_syncs(rig, 2);
    assert_in_range(ms, RIG_DRAIN_MS - 1, RIG_DRAIN_MS + SLACK_MS);
    assert_synced(rig, 0, 0, 1);
    assert_synced(rig, 1, 1, 1);
    peer_expect_cut_off(&bad, -ETIMEDOUT);
    assert_int_equal(rig->forgotten[0], 1);
    assert_int_equal(good.shm->device[1].blocked, 1);
    peer_expect_silence(&good);
    /* What it does now holds up nobody. */
    assert_true(service_sync(rig->service, 0, 2));
    assert_int_equal(peer_attach(rig, &good, RIG_SID, VIOMMU_ATTACH_WALK), 0);
    peer_close(&good);
    peer_close(&bad);
}

/* Killed in the middle of a batch: its end is as good as the batch's. */
static void
client_that_dies_holds_up_nobody(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);
    pid_t child = fork();
    int status;

    if (child == 0) {
        peer_begin(&peer, 0);
        for (;;)
            (void)pause();
    }
    while (__atomic_load_n(&peer.cells->cell[0].epoch, __ATOMIC_SEQ_CST) == 0)
        (void)poll(NULL, 0, 1);
    close(peer.fd);
    assert_false(service_sync(rig->service, 0, 1));
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 0);
    kill(child, SIGKILL);
    assert_true(rig_run_syncs(rig, 1) < RIG_DRAIN_MS);
    assert_synced(rig, 0, 0, 1);
    assert_int_equal(rig_stats(rig).cut_off, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
}

/* What no client writes that follows the protocol. */
static void
cells_that_lie_are_the_end_of_their_client(void **state)
{
    static const struct {
        uint32_t count;
        uint64_t ahead; /* of the epoch that the next sync is for */
    } lie[] = {
        { 4, 1 },
        { 4, UINT64_C(1) << 62 },
        { 4, UINT64_MAX - 100 },
        { VIOMMU_CELLS_MAX + 1, 0 },
        { UINT32_MAX, 0 },
    };
    struct rig *rig = *state;
    struct peer good = peer_walker(rig, RIG_SID2);

    for (unsigned i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
        struct peer liar = peer_walker(rig, RIG_SID);

        liar.cells->count = lie[i].count;
        peer_epoch_set(&liar, 0,
                       lie[i].ahead ? liar.shm->epoch + 1 + lie[i].ahead : 0);
        assert_false(service_sync(rig->service, 0, i + 1));
        assert_true(rig_run_syncs(rig, i + 1) < RIG_DRAIN_MS);
        assert_synced(rig, i, 0, i + 1);
        peer_expect_cut_off(&liar, -EPROTO);
        peer_close(&liar);
    }
    peer_expect_silence(&good);
    assert_int_equal(rig_clients(rig), 1);
    peer_close(&good);
}

struct flicker {
    struct peer *peer;
    bool stop;
};

static void *
flicker_run(void *arg)
{
    struct flicker *flicker = arg;

    for (uint64_t i = 0; !__atomic_load_n(&flicker->stop, __ATOMIC_RELAXED);
         i++) {
        peer_epoch_set(flicker->peer, 0, 1 + i % 3);
        __atomic_store_n(&flicker->peer->cells->count, 1 + (uint32_t)(i % 63),
                         __ATOMIC_SEQ_CST);
    }
    return NULL;
}

static void
cells_that_never_stand_still_are_cut_off_in_time(void **state)
{
    struct rig *rig = *state;
    struct peer good = peer_walker(rig, RIG_SID2);
    struct peer liar = peer_walker(rig, RIG_SID);
    struct flicker flicker = { .peer = &liar };
    pthread_t thread;

    for (unsigned i = 1; i <= 5; i++)
        assert_true(service_sync(rig->service, 0, i));
    peer_epoch_set(&liar, 0, 1);
    assert_int_equal(pthread_create(&thread, NULL, flicker_run, &flicker), 0);
    assert_false(service_sync(rig->service, 0, 6));
    assert_in_range(rig_run_syncs(rig, 1), RIG_DRAIN_MS - 1,
                    RIG_DRAIN_MS + SLACK_MS);
    assert_synced(rig, 0, 0, 6);
    peer_expect_cut_off(&liar, -ETIMEDOUT);
    __atomic_store_n(&flicker.stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    peer_expect_silence(&good);
    peer_close(&good);
    peer_close(&liar);
}

/* Each has its own time; the first that is over ends for all who hung. */
static void
later_wait_does_not_lengthen_an_earlier_one(void **state)
{
    struct rig *rig = *state;
    struct peer bad = peer_walker(rig, RIG_SID);
    uint64_t start = loop_now_ms();
    uint64_t token = 1;

    peer_begin(&bad, 0);
    while (rig->sync_count == 0) {
        assert_false(service_sync(rig->service, 0, token++));
        rig_run_ms(rig, 1);
        assert_true(loop_now_ms() - start < RIG_DRAIN_MS + SLACK_MS);
    }
    rig_run(rig);
    assert_int_equal(rig->sync[rig->sync_count - 1].token, token - 1);
    peer_expect_cut_off(&bad, -ETIMEDOUT);
    peer_close(&bad);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(sync_moves_the_epoch),
        RIG_TEST(idle_clients_cost_no_system_call),
        RIG_TEST(batch_from_before_is_waited_for),
        RIG_TEST(batch_from_after_is_not_waited_for),
        RIG_TEST(cells_without_a_device_do_not_count),
        RIG_TEST(every_cell_counts),
        RIG_TEST(tokens_are_told_in_order),
        RIG_TEST(many_tokens_become_one),
        RIG_TEST(later_token_stands_for_those_before),
        RIG_TEST(owner_may_begin_the_next_when_one_ends),
        RIG_TEST(client_that_hangs_is_cut_off_in_time),
        RIG_TEST(client_that_dies_holds_up_nobody),
        RIG_TEST(cells_that_lie_are_the_end_of_their_client),
        RIG_TEST(cells_that_never_stand_still_are_cut_off_in_time),
        RIG_TEST(later_wait_does_not_lengthen_an_earlier_one),
    };

    return cmocka_run_group_tests_name("service: epochs", tests, NULL, NULL);
}
