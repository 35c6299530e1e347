/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections to the translation service, and the devices of clients. */
#include "tests/unit/service-user.h"

#define ALL_FLAGS                                                    \
    (VIOMMU_ATTACH_WALK | VIOMMU_ATTACH_NOTIFY | VIOMMU_ATTACH_ATS | \
     VIOMMU_ATTACH_PRI)

static struct service_device_info
device_info(const struct rig *rig, unsigned i)
{
    struct service_device_info info = { 0 };

    assert_true(service_device_info(rig->service, i, &info));
    return info;
}

/* --- the connection -------------------------------------------------------- */

static void
client_that_walks_gets_the_shared_memory(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, true);

    assert_int_equal(peer.in.welcome.domid, RIG_DOMID);
    assert_int_equal(peer.in.welcome.units, RIG_UNITS);
    assert_true(peer.id != 0);
    assert_int_equal(peer.in.welcome.cells_size, sizeof(struct viommu_cells));
    assert_true(peer.shm->magic == VIOMMU_SHM_MAGIC);
    assert_int_equal(peer.shm->version, VIOMMU_PROTO_VERSION);
    assert_int_equal(peer.shm->units, RIG_UNITS);
    assert_int_equal(peer.shm->size, peer.in.welcome.shm_size);
    assert_int_equal(peer.shm->view_size, RIG_VIEW_SIZE);
    assert_int_equal(peer.shm->epoch, 1);
    for (unsigned i = 0; i < RIG_UNITS; i++) {
        const char *view = (const char *)peer.shm + peer.shm->view_offset[i];

        assert_int_equal((uintptr_t)view % 64, 0);
        assert_true(peer.shm->view_offset[i] + RIG_VIEW_SIZE <= peer.shm->size);
        assert_int_equal(view[RIG_VIEW_SIZE - 1], 0);
        /* What the owner writes is what the client reads. */
        memset(service_view(rig->service, i), (int)(0x51 + i), RIG_VIEW_SIZE);
        assert_int_equal(view[0], 0x51 + i);
        assert_int_equal(view[RIG_VIEW_SIZE - 1], 0x51 + i);
    }
    peer_close(&peer);
}

static void
client_that_asks_gets_no_memory(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, false);

    assert_int_equal(peer.in.welcome.shm_size, 0);
    assert_int_equal(peer.in.welcome.cells_size, 0);
    assert_int_equal(rig_clients(rig), 1);
    peer_close(&peer);
    rig_run(rig);
    assert_int_equal(rig_clients(rig), 0);
    assert_int_equal(rig_stats(rig).cut_off, 0);
}

/* The descriptors, as they come. */
static void
take_fds(struct rig *rig, struct peer *peer, int fd[2])
{
    const struct viommu_msg msg = {
        .hello = { VIOMMU_PROTO_VERSION, VIOMMU_HELLO_WALK, RIG_VIEW_SIZE }
    };

    peer_connect(rig, peer);
    assert_true(peer_send(peer, VIOMMU_MSG_HELLO, 0, msg));
    rig_run(rig);
    assert_true(peer_take(peer, fd));
}

static void
shared_memory_cannot_be_written_shrunk_or_grown(void **state)
{
    struct rig *rig = *state;
    struct peer peer;
    char path[32];
    int fd[2];
    int again;
    void *view;

    take_fds(rig, &peer, fd);
    assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd[0],
                     0) == MAP_FAILED);
    assert_int_equal(write(fd[0], "x", 1), -1);
    assert_int_equal(ftruncate(fd[0], 0), -1);
    /* Nor can what is mapped for reading be changed to be written. */
    view = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd[0], 0);
    assert_true(view != MAP_FAILED);
    assert_int_equal(mprotect(view, 4096, PROT_READ | PROT_WRITE), -1);
    munmap(view, 4096);
    /* Nor by root, who may open what he likes. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd[0]);
    again = open(path, O_RDWR);
    if (again >= 0) {
        assert_int_equal(write(again, "x", 1), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(again, 0), -1);
        assert_true(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again,
                         0) == MAP_FAILED);
        close(again);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ftruncate(fd[i], 0), -1);
        assert_int_equal(ftruncate(fd[i], 1 << 20), -1);
        assert_int_equal(fcntl(fd[i], F_ADD_SEALS, F_SEAL_WRITE), -1);
        close(fd[i]);
    }
    peer_close(&peer);
}

static void
cells_of_one_client_are_not_those_of_the_next(void **state)
{
    struct rig *rig = *state;
    struct peer old = peer_walker(rig, RIG_SID);
    struct peer next;
    struct viommu_cells *kept = old.cells;

    old.cells = NULL;
    peer_close(&old);
    rig_run(rig);
    next = peer_walker(rig, RIG_SID);
    /* Whoever kept a mapping cannot speak for somebody else by it. */
    kept->count = 1;
    kept->cell[0].epoch = UINT64_MAX;
    assert_true(service_sync(rig->service, 0, 1));
    assert_int_equal(rig_clients(rig), 1);
    munmap(kept, sizeof(*kept));
    peer_close(&next);
}

static void
another_version_or_layout_is_not_welcome(void **state)
{
    static const struct viommu_msg_hello hello[] = {
        { VIOMMU_PROTO_VERSION + 1, VIOMMU_HELLO_WALK, RIG_VIEW_SIZE },
        { VIOMMU_PROTO_VERSION - 1, 0, 0 },
        { VIOMMU_PROTO_VERSION, VIOMMU_HELLO_WALK, RIG_VIEW_SIZE - 64 },
        { VIOMMU_PROTO_VERSION, VIOMMU_HELLO_WALK, 0 },
        { VIOMMU_PROTO_VERSION, 0, RIG_VIEW_SIZE },
    };
    struct rig *rig = *state;

    for (unsigned i = 0; i < sizeof(hello) / sizeof(hello[0]); i++) {
        const struct viommu_msg msg = { .hello = hello[i] };
        struct peer peer;

        peer_connect(rig, &peer);
        assert_true(peer_send(&peer, VIOMMU_MSG_HELLO, i, msg));
        rig_run(rig);
        peer_expect(&peer, VIOMMU_MSG_WELCOME);
        assert_int_equal(peer.in.welcome.status, -EPROTO);
        assert_int_equal(peer.in.welcome.version, VIOMMU_PROTO_VERSION);
        assert_int_equal(peer.in.welcome.client, 0);
        peer_expect_end(&peer);
        peer_close(&peer);
    }
    assert_int_equal(rig_stats(rig).cut_off, 0);
}

static void
peer_that_says_nothing_has_to_go(void **state)
{
    struct rig *rig = *state;
    struct peer silent;
    struct peer other = peer_open(rig, false);

    peer_connect(rig, &silent);
    rig_run_ms(rig, 800);
    peer_expect_silence(&silent);
    rig_run_ms(rig, 400);
    peer_expect_cut_off(&silent, -ETIMEDOUT);
    peer_expect_silence(&other);
    peer_close(&silent);
    peer_close(&other);
}

static void
sixteen_clients_are_served_and_no_more(void **state)
{
    struct rig *rig = *state;
    struct peer peer[SERVICE_CLIENTS_MAX];
    struct peer one_more;

    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        peer[i] = peer_walker(rig, (uint16_t)(0x0100 + i));
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(peer[i].id, peer[j].id);
    }
    assert_int_equal(rig_clients(rig), SERVICE_CLIENTS_MAX);

    peer_connect(rig, &one_more);
    rig_run(rig);
    peer_expect_cut_off(&one_more, -ENOBUFS);
    peer_close(&one_more);

    peer_close(&peer[3]);
    rig_run(rig);
    peer[3] = peer_walker(rig, 0x0103);
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        peer_expect_silence(&peer[i]);
        peer_close(&peer[i]);
    }
}

static void
end_of_the_service_is_told(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_walker(rig, RIG_SID);
    struct viommu_shm_device device;

    service_destroy(rig->service);
    rig->service = NULL;
    peer_expect_cut_off(&peer, -ESHUTDOWN);
    /* Those who did not read it see that their devices are not theirs. */
    device = peer.shm->device[0];
    assert_int_equal(device.owner, 0);
    assert_int_equal(device.blocked, 1);
    /* The owner is gone by then, and not called. */
    assert_int_equal(rig->forgotten[0], 0);
    peer_close(&peer);
}

/* --- users ----------------------------------------------------------------- */

static int
stranger(struct rig *rig)
{
    int fd = child_dial(rig);

    if (fd < 0)
        return 1;
    return child_hello(fd) == EACCES ? 0 : 2;
}

static int
named_user(struct rig *rig)
{
    int fd = child_dial(rig);

    if (fd < 0 || child_hello(fd))
        return 1;
    if (child_attach(fd, RIG_SID) != EACCES)
        return 2;
    return child_attach(fd, RIG_SID2) ? 3 : 0;
}

/* Nine of the sixteen: the last one is refused. */
static int
greedy_user(struct rig *rig)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX / 2; i++) {
        int fd = child_dial(rig);

        if (fd < 0 || child_hello(fd))
            return 1;
    }
    return child_hello(child_dial(rig)) ? 0 : 2;
}

static void
other_user_speaks_for_his_devices_alone(void **state)
{
    struct rig *rig = *state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(rig_as_user(rig, RIG_UID + 1, stranger), 0);
    assert_int_equal(rig_as_user(rig, RIG_UID, named_user), 0);
    assert_int_equal(rig_as_user(rig, RIG_UID, greedy_user), 0);
    rig_run(rig);
    assert_int_equal(rig_clients(rig), 0);
}

/* Until he is told so he takes up a place, but not for long. */
static int
many_strangers(struct rig *rig)
{
    for (unsigned i = 0; i < 40; i++)
        (void)child_dial(rig);
    return 0;
}

static void
strangers_keep_nobody_out(void **state)
{
    struct rig *rig = *state;
    struct peer peer[SERVICE_CLIENTS_MAX];

    if (geteuid() != 0)
        skip();
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX - 4; i++)
        peer[i] = peer_open(rig, false);
    assert_int_equal(rig_as_user(rig, RIG_UID + 1, many_strangers), 0);
    /* One is let in a turn; those who are gone by then, too. */
    for (unsigned i = 0; i < 10; i++)
        rig_run(rig);
    for (unsigned i = SERVICE_CLIENTS_MAX - 4; i < SERVICE_CLIENTS_MAX; i++)
        peer[i] = peer_open(rig, false);
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++)
        peer_close(&peer[i]);
}

/* --- devices --------------------------------------------------------------- */

static void
device_is_spoken_for_by_one_client(void **state)
{
    struct rig *rig = *state;
    struct peer one = peer_open(rig, true);
    struct peer two = peer_open(rig, true);
    struct service_device_info info;
    struct viommu_shm_device seen;

    assert_int_equal(peer_attach(rig, &one, RIG_SID, ALL_FLAGS), 0);
    assert_int_equal(one.in.attached.unit, 0);
    seen = one.shm->device[one.in.attached.index];
    assert_int_equal(seen.sid, RIG_SID);
    assert_int_equal(seen.unit, 0);
    assert_int_equal(seen.blocked, 0);
    assert_int_equal(seen.owner, one.id);

    assert_int_equal(peer_attach(rig, &two, RIG_SID, 0), -EBUSY);
    assert_int_equal(peer_attach(rig, &one, RIG_SID, 0), -EBUSY);
    assert_int_equal(peer_attach(rig, &two, RIG_OTHER, VIOMMU_ATTACH_WALK), 0);
    assert_int_equal(two.in.attached.unit, 1);
    info = device_info(rig, 0);
    assert_int_equal(info.sid, RIG_SID);
    assert_int_equal(info.unit, 0);
    assert_int_equal(info.client, one.id);
    assert_int_equal(info.flags, ALL_FLAGS);
    assert_false(info.blocked);
    assert_int_equal(device_info(rig, 1).client, two.id);

    assert_int_equal(peer_detach(rig, &two, RIG_SID), -ENODEV);
    assert_int_equal(peer_detach(rig, &one, RIG_SID), 0);
    assert_int_equal(rig->forgotten[0], 1);
    assert_int_equal(rig->forgotten[1], 0);
    assert_int_equal(one.shm->device[0].owner, 0);
    assert_int_equal(peer_attach(rig, &two, RIG_SID, 0), 0);
    assert_int_equal(one.shm->device[two.in.attached.index].owner, two.id);
    assert_int_equal(peer_detach(rig, &one, RIG_SID), -ENODEV);
    peer_close(&one);
    peer_close(&two);
}

static void
what_cannot_be_is_refused_and_the_client_stays(void **state)
{
    struct rig *rig = *state;
    struct peer walks = peer_open(rig, true);
    struct peer asks = peer_open(rig, false);

    assert_int_equal(peer_attach(rig, &walks, 0x0300, 0), -ENODEV);
    assert_int_equal(peer_attach(rig, &walks, RIG_SID, 16), -EINVAL);
    assert_int_equal(peer_attach(rig, &walks, RIG_SID, ~0u), -EINVAL);
    assert_int_equal(peer_attach(rig, &asks, RIG_SID, VIOMMU_ATTACH_WALK),
                     -EINVAL);
    assert_int_equal(peer_attach(rig, &walks, RIG_OTHER, VIOMMU_ATTACH_ATS),
                     -EOPNOTSUPP);
    assert_int_equal(peer_attach(rig, &walks, RIG_OTHER, VIOMMU_ATTACH_PRI),
                     -EOPNOTSUPP);
    assert_int_equal(peer_attach(rig, &walks, RIG_SID, 0), 0);
    peer_close(&walks);
    peer_close(&asks);
}

static void
devices_are_limited(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, false);
    struct service_device_info info;

    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++)
        assert_int_equal(peer_attach(rig, &peer, (uint16_t)(RIG_SID + i), 0),
                         0);
    assert_int_equal(peer_attach(rig, &peer, RIG_OTHER, 0), -ENOSPC);
    assert_true(service_device_info(rig->service, 63, &info));
    assert_false(service_device_info(rig->service, 64, &info));
    peer_close(&peer);
    rig_run(rig);
    assert_false(service_device_info(rig->service, 0, &info));
}

/* He hung up in order: nothing is wrong with his devices. */
static void
devices_of_one_who_left_are_free(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, true);
    struct service_device_info info;

    assert_int_equal(peer_attach(rig, &peer, RIG_SID, 0), 0);
    assert_int_equal(peer_attach(rig, &peer, RIG_SID2, 0), 0);
    assert_int_equal(peer_attach(rig, &peer, RIG_OTHER, 0), 0);
    peer_close(&peer);
    rig_run(rig);
    assert_false(service_device_info(rig->service, 0, &info));
    assert_int_equal(rig->forgotten[0], 1);
    assert_int_equal(rig->forgotten[1], 1);
}

/* Cut off, the devices stay blocked until somebody else speaks for them. */
static void
devices_of_one_who_was_cut_off_are_blocked(void **state)
{
    struct rig *rig = *state;
    struct peer bad = peer_open(rig, true);
    struct peer good = peer_open(rig, true);
    struct viommu_msg garbage = { .header = { .type = 99 } };
    unsigned index;

    assert_int_equal(peer_attach(rig, &bad, RIG_SID, VIOMMU_ATTACH_WALK), 0);
    index = bad.in.attached.index;
    assert_true(peer_send_len(&bad, &garbage, 72));
    rig_run(rig);
    peer_expect_cut_off(&bad, -EPROTO);
    assert_int_equal(rig->forgotten[0], 1);
    assert_int_equal(good.shm->device[index].blocked, 1);
    assert_int_equal(good.shm->device[index].owner, 0);
    assert_true(device_info(rig, 0).blocked);
    assert_int_equal(device_info(rig, 0).client, 0);

    assert_int_equal(peer_attach(rig, &good, RIG_SID, VIOMMU_ATTACH_WALK), 0);
    assert_int_equal(good.in.attached.index, index);
    assert_int_equal(good.shm->device[index].blocked, 0);
    assert_int_equal(good.shm->device[index].owner, good.id);
    assert_false(device_info(rig, 0).blocked);
    peer_close(&bad);
    peer_close(&good);
}

/* Blocked ones are kept to be shown, not at the cost of others. */
static void
blocked_devices_leave_room_for_others(void **state)
{
    struct rig *rig = *state;
    struct peer bad = peer_open(rig, false);
    struct peer good;
    struct viommu_msg garbage = { .header = { .type = 99 } };

    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++)
        assert_int_equal(peer_attach(rig, &bad, (uint16_t)(RIG_SID + i), 0), 0);
    assert_true(peer_send_len(&bad, &garbage, 72));
    rig_run(rig);
    good = peer_open(rig, false);
    assert_int_equal(peer_attach(rig, &good, RIG_OTHER, 0), 0);
    peer_close(&bad);
    peer_close(&good);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(client_that_walks_gets_the_shared_memory),
        RIG_TEST(client_that_asks_gets_no_memory),
        RIG_TEST(shared_memory_cannot_be_written_shrunk_or_grown),
        RIG_TEST(cells_of_one_client_are_not_those_of_the_next),
        RIG_TEST(another_version_or_layout_is_not_welcome),
        RIG_TEST(peer_that_says_nothing_has_to_go),
        RIG_TEST(sixteen_clients_are_served_and_no_more),
        RIG_TEST(end_of_the_service_is_told),
        RIG_TEST(other_user_speaks_for_his_devices_alone),
        RIG_TEST(strangers_keep_nobody_out),
        RIG_TEST(device_is_spoken_for_by_one_client),
        RIG_TEST(what_cannot_be_is_refused_and_the_client_stays),
        RIG_TEST(devices_are_limited),
        RIG_TEST(devices_of_one_who_left_are_free),
        RIG_TEST(devices_of_one_who_was_cut_off_are_blocked),
        RIG_TEST(blocked_devices_leave_room_for_others),
    };

    return cmocka_run_group_tests_name("service: life", tests, NULL, NULL);
}
