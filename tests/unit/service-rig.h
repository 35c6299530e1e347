/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A translation service with an owner that notes what it is asked, and peers
 * that speak to it through real sockets.  All in one thread: after a peer has
 * spoken, rig_run() gives the service its turns.
 */
#ifndef TESTS_UNIT_SERVICE_RIG_H
#define TESTS_UNIT_SERVICE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/client/service.h"
#include "daemon/log.h"
#include "daemon/loop.h"

#define RIG_VIEW_SIZE 8192u
#define RIG_UNITS     2u
#define RIG_DRAIN_MS  60u
#define RIG_DOMID     7u
#define RIG_NOTES     256u

/* Devices 0x01xx are of unit 0, 0x02xx of unit 1; others nobody translates. */
#define RIG_SID   0x0108u
#define RIG_SID2  0x0110u
#define RIG_OTHER 0x0208u /* of unit 1 */

/* Speaks for RIG_SID2 and no other. */
#define RIG_UID 4242u

struct rig_sync {
    unsigned unit;
    uint64_t token;
    enum service_status status;
    uint16_t sid;
};

struct rig {
    struct loop *loop;
    struct service *service;
    char path[64];
    size_t view_size;

    unsigned turns; /* that are left of rig_run() */
    unsigned forgotten[RIG_UNITS];
    unsigned sync_count;
    struct rig_sync sync[RIG_NOTES];
    uint64_t next_token; /* not 0: synced() asks for this one */
    unsigned accesses, faults;
    struct viommu_msg_access access; /* the last one */
    uint8_t reason;                  /* that translate() returns */
    unsigned page_requests;
    struct viommu_msg_page_request page_request;
    bool respond; /* at once */
    unsigned msis;
    struct viommu_msg_msi msi;
};

struct peer {
    int fd;
    uint32_t id;
    struct viommu_msg in; /* the last one received */
    const struct viommu_shm *shm;
    struct viommu_cells *cells;
};

/* --- the owner ------------------------------------------------------------- */

static inline int
rig_attach(void *ctx, uint16_t sid, uid_t uid, uint32_t flags, unsigned *unit)
{
    (void)ctx;
    if (sid >> 8 != 1 && sid >> 8 != 2)
        return -ENODEV;
    if (uid == RIG_UID && sid != RIG_SID2)
        return -EACCES;

    *unit = (sid >> 8) - 1u;
    /* Unit 1 is a plain one. */
    return *unit == 1 && (flags & (VIOMMU_ATTACH_ATS | VIOMMU_ATTACH_PRI))
               ? -EOPNOTSUPP
               : 0;
}

static inline bool
rig_welcome(void *ctx, uid_t uid)
{
    (void)ctx;
    return uid == 0 || uid == geteuid() || uid == RIG_UID;
}

static inline uint8_t
rig_translate(void *ctx, unsigned unit, const struct viommu_msg_access *access,
              struct viommu_msg_update *update)
{
    struct rig *rig = ctx;

    rig->accesses++;
    rig->access = *access;
    *update = (struct viommu_msg_update){
        .iova = access->iova & ~UINT64_C(0xfff),
        .size = 0x1000,
        .uaddr = UINT64_C(0x123000) + unit,
        .pasid = access->pasid,
        .sid = access->sid,
        .perm = VIOMMU_READ,
    };
    return rig->reason;
}

static inline void
rig_fault(void *ctx, unsigned unit, const struct viommu_msg_access *access)
{
    struct rig *rig = ctx;

    (void)unit;
    rig->faults++;
    rig->access = *access;
}

static inline void
rig_page_request(void *ctx, unsigned unit,
                 const struct viommu_msg_page_request *request)
{
    struct rig *rig = ctx;
    const struct viommu_msg_page_response response = {
        .pasid = request->pasid,
        .sid = request->sid,
        .group = request->group,
        .code = 1,
    };

    rig->page_requests++;
    rig->page_request = *request;
    if (rig->respond)
        service_page_response(rig->service, unit, &response);
}

static inline void
rig_msi(void *ctx, unsigned unit, const struct viommu_msg_msi *msi)
{
    struct rig *rig = ctx;

    (void)unit;
    rig->msis++;
    rig->msi = *msi;
}

static inline void
rig_forget(void *ctx, unsigned unit)
{
    struct rig *rig = ctx;

    rig->forgotten[unit]++;
}

static inline void
rig_synced(void *ctx, unsigned unit, uint64_t token, enum service_status status,
           uint16_t sid)
{
    struct rig *rig = ctx;

    if (rig->sync_count < RIG_NOTES)
        rig->sync[rig->sync_count] =
            (struct rig_sync){ unit, token, status, sid };
    rig->sync_count++;
    if (rig->next_token) {
        token = rig->next_token;
        rig->next_token = 0;
        (void)service_sync(rig->service, unit, token);
    }
}

/* --- turns of the loop ----------------------------------------------------- */

static inline bool
rig_turn(void *ctx)
{
    struct rig *rig = ctx;

    if (rig->turns-- == 0)
        loop_stop(rig->loop);
    return true;
}

/* A few turns, which do not sleep. */
static inline void
rig_run(struct rig *rig)
{
    rig->turns = 6;
    loop_work_set(rig->loop, rig_turn, rig);
    loop_run(rig->loop);
    loop_work_set(rig->loop, NULL, NULL);
}

static inline void
rig_stop(void *ctx)
{
    struct rig *rig = ctx;

    loop_stop(rig->loop);
}

/* As it goes, for so long. */
static inline void
rig_run_ms(struct rig *rig, unsigned ms)
{
    struct loop_watch *end = loop_watch_timer(rig->loop, ms, rig_stop, rig);

    loop_run(rig->loop);
    loop_watch_destroy(end);
}

/* Until so many syncs have ended.  Returns the milliseconds that took. */
static inline unsigned
rig_run_syncs(struct rig *rig, unsigned count)
{
    uint64_t start = loop_now_ms();

    while (rig->sync_count < count) {
        rig_run_ms(rig, 1);
        assert_true(loop_now_ms() - start < 10000);
    }
    return (unsigned)(loop_now_ms() - start);
}

/* --- the service ----------------------------------------------------------- */

static inline int
rig_setup_drain(void **state, unsigned drain_ms)
{
    static const struct service_ops ops = {
        .attach = rig_attach,
        .welcome = rig_welcome,
        .translate = rig_translate,
        .fault = rig_fault,
        .page_request = rig_page_request,
        .msi = rig_msi,
        .forget = rig_forget,
        .synced = rig_synced,
    };
    struct rig *rig = calloc(1, sizeof(*rig));
    struct service_config config = {
        .mode = 0666,
        .domid = RIG_DOMID,
        .units = RIG_UNITS,
        .view_size = RIG_VIEW_SIZE,
        .drain_ms = drain_ms,
    };

    if (!rig)
        return -1;

    log_open(LOG_LEVEL_ERROR, 0);
    (void)snprintf(rig->path, sizeof(rig->path), "/tmp/viommud-dma-%d",
                   (int)getpid());
    config.path = rig->path;
    rig->view_size = RIG_VIEW_SIZE;
    rig->loop = loop_create();
    rig->service = service_create(rig->loop, &config, &ops, rig);
    *state = rig;
    return rig->service ? 0 : -1;
}

static inline int
rig_setup(void **state)
{
    return rig_setup_drain(state, RIG_DRAIN_MS);
}

static inline int
rig_teardown(void **state)
{
    struct rig *rig = *state;

    service_destroy(rig->service);
    loop_destroy(rig->loop);
    if (access(rig->path, F_OK) == 0)
        return -1;
    free(rig);
    return 0;
}

#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

static inline struct service_stats
rig_stats(const struct rig *rig)
{
    struct service_stats stats;

    service_stats(rig->service, &stats);
    return stats;
}

static inline unsigned
rig_clients(const struct rig *rig)
{
    struct service_client_info info;
    unsigned n = 0;

    while (service_client_info(rig->service, n, &info))
        n++;
    return n;
}

/* --- peers ----------------------------------------------------------------- */

static inline void
peer_connect(struct rig *rig, struct peer *peer)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    *peer = (struct peer){ 0 };
    memcpy(addr.sun_path, rig->path, strlen(rig->path) + 1);
    peer->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(peer->fd >= 0);
    assert_int_equal(
        connect(peer->fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
}

/* Bytes of a body, as the protocol has them; written out here once more. */
static inline size_t
peer_body(unsigned type)
{
    static const uint8_t body[VIOMMU_MSG_TYPES] = {
        [VIOMMU_MSG_HELLO] = 16,
        [VIOMMU_MSG_WELCOME] = 32,
        [VIOMMU_MSG_ATTACH] = 8,
        [VIOMMU_MSG_ATTACHED] = 8,
        [VIOMMU_MSG_DETACH] = 8,
        [VIOMMU_MSG_DETACHED] = 8,
        [VIOMMU_MSG_IOTLB_MISS] = 24,
        [VIOMMU_MSG_IOTLB_UPDATE] = 32,
        [VIOMMU_MSG_ACCESS_FAIL] = 16,
        [VIOMMU_MSG_FAULT] = 24,
        [VIOMMU_MSG_IOTLB_INVALIDATE] = 24,
        [VIOMMU_MSG_DEV_TLB_INVALIDATE] = 24,
        [VIOMMU_MSG_BATCH_BEGIN] = 8,
        [VIOMMU_MSG_BATCH_END] = 8,
        [VIOMMU_MSG_ACK] = 8,
        [VIOMMU_MSG_PAGE_REQUEST] = 24,
        [VIOMMU_MSG_PAGE_RESPONSE] = 16,
        [VIOMMU_MSG_MSI] = 16,
        [VIOMMU_MSG_CUT_OFF] = 64,
    };

    return body[type];
}

/* False if the service has closed the connection. */
static inline bool
peer_send_len(const struct peer *peer, const struct viommu_msg *msg, size_t len)
{
    return send(peer->fd, msg, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline bool
peer_send(const struct peer *peer, enum viommu_msg_type type, uint32_t seq,
          struct viommu_msg msg)
{
    msg.header =
        (struct viommu_msg_header){ .type = (uint16_t)type, .seq = seq };
    return peer_send_len(peer, &msg, sizeof(msg.header) + peer_body(type));
}

/* A message that has arrived; false without one, or at the end. */
static inline bool
peer_take(struct peer *peer, int fd[2])
{
    union {
        char buf[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = { &peer->in, sizeof(peer->in) };
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    ssize_t n;

    memset(&peer->in, 0, sizeof(peer->in));
    n = recvmsg(peer->fd, &hdr, MSG_DONTWAIT | MSG_TRUNC);
    if (n <= 0)
        return false;

    assert_int_equal(n,
                     sizeof(peer->in.header) + peer_body(peer->in.header.type));
    assert_int_equal(peer->in.header.zero, 0);
    if (hdr.msg_controllen) {
        assert_non_null(fd);
        assert_int_equal(CMSG_FIRSTHDR(&hdr)->cmsg_len,
                         CMSG_LEN(2 * sizeof(int)));
        memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), 2 * sizeof(int));
    }
    return true;
}

static inline void
peer_expect(struct peer *peer, enum viommu_msg_type type)
{
    assert_true(peer_take(peer, NULL));
    assert_int_equal(peer->in.header.type, type);
}

/* Nothing has arrived, and the connection stands. */
static inline void
peer_expect_silence(struct peer *peer)
{
    char byte;

    assert_int_equal(recv(peer->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
    assert_int_equal(errno, EAGAIN);
}

/* The end, after what arrived before it. */
static inline void
peer_expect_end(struct peer *peer)
{
    char byte;

    assert_true(recv(peer->fd, &byte, 1, MSG_DONTWAIT) <= 0);
    assert_true(errno != EAGAIN || recv(peer->fd, &byte, 1, MSG_DONTWAIT) == 0);
}

static inline void
peer_expect_cut_off(struct peer *peer, int status)
{
    peer_expect(peer, VIOMMU_MSG_CUT_OFF);
    assert_int_equal(peer->in.cut_off.status, status);
    assert_true(strlen(peer->in.cut_off.reason) > 5);
    assert_null(memchr("\n\r", peer->in.cut_off.reason[0], 2));
    peer_expect_end(peer);
}

static inline void
peer_map(struct peer *peer, const int fd[2])
{
    peer->shm =
        mmap(NULL, peer->in.welcome.shm_size, PROT_READ, MAP_SHARED, fd[0], 0);
    peer->cells = mmap(NULL, peer->in.welcome.cells_size,
                       PROT_READ | PROT_WRITE, MAP_SHARED, fd[1], 0);
    assert_true(peer->shm != MAP_FAILED && peer->cells != MAP_FAILED);
    close(fd[0]);
    close(fd[1]);
}

static inline void
peer_hello(struct rig *rig, struct peer *peer, bool walks)
{
    const struct viommu_msg msg = {
        .hello = { .version = VIOMMU_PROTO_VERSION,
                   .flags = walks ? VIOMMU_HELLO_WALK : 0,
                   .view_size = walks ? rig->view_size : 0 },
    };
    int fd[2] = { -1, -1 };

    assert_true(peer_send(peer, VIOMMU_MSG_HELLO, 77, msg));
    rig_run(rig);
    assert_true(peer_take(peer, fd));
    assert_int_equal(peer->in.header.type, VIOMMU_MSG_WELCOME);
    assert_int_equal(peer->in.header.seq, 77);
    assert_int_equal(peer->in.welcome.status, 0);
    peer->id = peer->in.welcome.client;
    assert_int_equal(fd[0] >= 0, walks);
    if (walks)
        peer_map(peer, fd);
}

/* Connected and greeted. */
static inline struct peer
peer_open(struct rig *rig, bool walks)
{
    struct peer peer;

    peer_connect(rig, &peer);
    peer_hello(rig, &peer, walks);
    return peer;
}

/* Hangs up.  What it has mapped stays, as with somebody who kept it. */
static inline void
peer_close(struct peer *peer)
{
    (void)close(peer->fd);
    if (peer->shm)
        (void)munmap((void *)(uintptr_t)peer->shm, peer->shm->size);
    if (peer->cells)
        (void)munmap(peer->cells, sizeof(*peer->cells));
    *peer = (struct peer){ .fd = -1 };
}

static inline int
peer_attach(struct rig *rig, struct peer *peer, uint16_t sid, uint32_t flags)
{
    const struct viommu_msg msg = { .attach = { .sid = sid, .flags = flags } };

    assert_true(peer_send(peer, VIOMMU_MSG_ATTACH, sid, msg));
    rig_run(rig);
    peer_expect(peer, VIOMMU_MSG_ATTACHED);
    assert_int_equal(peer->in.header.seq, sid);
    return peer->in.attached.status;
}

static inline int
peer_detach(struct rig *rig, struct peer *peer, uint16_t sid)
{
    const struct viommu_msg msg = { .detach = { .sid = sid } };

    assert_true(peer_send(peer, VIOMMU_MSG_DETACH, sid, msg));
    rig_run(rig);
    peer_expect(peer, VIOMMU_MSG_DETACHED);
    assert_int_equal(peer->in.header.seq, sid);
    return peer->in.detached.status;
}

static inline bool
peer_ack(struct peer *peer, uint32_t seq, int status)
{
    const struct viommu_msg msg = { .ack = { .status = status } };

    return peer_send(peer, VIOMMU_MSG_ACK, seq, msg);
}

/* One who walks, with a device. */
static inline struct peer
peer_walker(struct rig *rig, uint16_t sid)
{
    struct peer peer = peer_open(rig, true);

    assert_int_equal(peer_attach(rig, &peer, sid, VIOMMU_ATTACH_WALK), 0);
    __atomic_store_n(&peer.cells->count, 4, __ATOMIC_SEQ_CST);
    return peer;
}

static inline void
peer_epoch_set(struct peer *peer, unsigned cell, uint64_t epoch)
{
    __atomic_store_n(&peer->cells->cell[cell].epoch, epoch, __ATOMIC_SEQ_CST);
}

static inline void
peer_begin(struct peer *peer, unsigned cell)
{
    peer_epoch_set(peer, cell,
                   __atomic_load_n(&peer->shm->epoch, __ATOMIC_ACQUIRE));
}

static inline void
peer_end(struct peer *peer, unsigned cell)
{
    peer_epoch_set(peer, cell, 0);
}

#endif
