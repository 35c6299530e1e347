/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fuzzes the translation service: three peers that send what they like through
 * real sockets and write what they like to their cells, a guest that
 * invalidates, and the model behind all that.
 *
 *   - what the service sends is a message of its own, of the right size, and
 *     nothing follows the one that cuts off;
 *   - a device in the shared memory is its owner's, who is connected, or
 *     nobody's;
 *   - whatever peers do, the guest's queue comes to its end in time.
 */
#include <assert.h>
#include <errno.h>
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
#include "daemon/sinks.h"
#include "daemon/vtd/view.h"
#include "tests/fuzz/guest.h"
#include "tests/fuzz/input.h"
#include "tests/support/silent.h"

#define PEERS 3u
#define SPEC \
    "type=intel_vtd,dma=full,intremap=0,devices=00:01.0;00:02.0;00:03.0"

#define QUEUE 0x2000u /* of 256 entries, 4 KiB */
#define ROOT  0x4000u
#define IQT   0x88u
#define IQA   0x90u
#define GCMD  0x18u

struct peer {
    int fd; /* -1: not connected */
    uint32_t seq;
    bool cut_off;
    struct viommu_cells *cells;
    const struct viommu_shm *shm;
};

static struct {
    struct loop *loop;
    struct sinks sinks;
    struct unit unit;
    uint8_t ram[RAM_SIZE];
    char path[64];
    unsigned turns;
    struct peer peer[PEERS];
    uint32_t tail;
} world;

/* --- the guest's memory, and sinks ------------------------- */

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    (void)ctx;
    if (gpa > RAM_SIZE - len) {
        return -EFAULT;
    }
    memcpy(buf, &world.ram[gpa], len);
    return 0;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    (void)ctx;
    if (gpa > RAM_SIZE - len) {
        return -EFAULT;
    }
    memcpy(&world.ram[gpa], buf, len);
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    uint64_t old;

    if (mem_read(ctx, gpa, &old, sizeof(old))) {
        return -EFAULT;
    }
    return old == expected ? mem_write(ctx, gpa, &desired, sizeof(desired)) : 1;
}

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    (void)ctx;
    sinks_invalidate(&world.sinks, 0, inv);
}

static bool
sync_sinks(void *ctx, uint64_t token)
{
    (void)ctx;
    return sinks_sync(&world.sinks, 0, token);
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    (void)ctx;
    sinks_page_response(&world.sinks, 0, resp);
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    SILENT_OPS,
    .invalidate = invalidate,
    .sync = sync_sinks,
    .page_response = page_response,
};

static void
deliver(void *ctx, const struct vtd_route *route)
{
    (void)ctx;
    CHECK(route->present);
}

/* --- the world ------------------------------------------------------------ */

static void
world_close(void)
{
    vtd_destroy(world.unit.vtd);
    sinks_close(&world.sinks);
    loop_destroy(world.loop);
}

static void
world_open(void)
{
    struct vtd_config config;
    char err[256];

    log_open(LOG_LEVEL_ERROR, 0);
    CHECK(config_parse(SPEC, &world.unit.config, err, sizeof(err)) == 0);
    (void)snprintf(world.path, sizeof(world.path), "/tmp/viommud-fuzz-%d",
                   (int)getpid());
    world.loop = loop_create();
    /* So that no input takes long. */
    world.unit.config.drain_ms = 1;
    world.sinks = (struct sinks){ .unit = &world.unit,
                                  .unit_count = 1,
                                  .deliver = deliver };
    CHECK(sinks_open(&world.sinks, world.loop, world.path, 1) == 0);
    unit_config(&world.unit.config, &config);
    world.unit.view = sinks_view(&world.sinks, 0);
    world.unit.vtd = vtd_create_view(&config, &ops, NULL, world.unit.view);
    CHECK(world.unit.vtd != NULL);
    for (unsigned i = 0; i < PEERS; i++) {
        world.peer[i].fd = -1;
    }
    (void)atexit(world_close);
}

static bool
turn(void *ctx)
{
    (void)ctx;
    if (vtd_run_pending(world.unit.vtd)) {
        vtd_run(world.unit.vtd, 64);
    }
    if (world.turns-- == 0) {
        loop_stop(world.loop);
    }
    return true;
}

static void
run(unsigned turns)
{
    world.turns = turns;
    loop_work_set(world.loop, turn, NULL);
    loop_run(world.loop);
}

/* --- what the service says ------------------------------------------------ */

static size_t
size_of(unsigned type)
{
    static const uint8_t body[VIOMMU_MSG_TYPES] = {
        [VIOMMU_MSG_WELCOME] = 32,
        [VIOMMU_MSG_ATTACHED] = 8,
        [VIOMMU_MSG_DETACHED] = 8,
        [VIOMMU_MSG_IOTLB_UPDATE] = 32,
        [VIOMMU_MSG_ACCESS_FAIL] = 16,
        [VIOMMU_MSG_IOTLB_INVALIDATE] = 24,
        [VIOMMU_MSG_DEV_TLB_INVALIDATE] = 24,
        [VIOMMU_MSG_BATCH_BEGIN] = 8,
        [VIOMMU_MSG_BATCH_END] = 8,
        [VIOMMU_MSG_PAGE_RESPONSE] = 16,
        [VIOMMU_MSG_CUT_OFF] = 64,
    };

    return type < VIOMMU_MSG_TYPES && body[type] ? 8u + body[type] : 0;
}

static void
map(struct peer *peer, const struct viommu_msg *msg, const int fd[2])
{
    peer->shm =
        mmap(NULL, msg->welcome.shm_size, PROT_READ, MAP_SHARED, fd[0], 0);
    peer->cells = mmap(NULL, sizeof(*peer->cells), PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd[1], 0);
    CHECK(peer->shm != MAP_FAILED && peer->cells != MAP_FAILED);
    CHECK(peer->shm->magic == VIOMMU_SHM_MAGIC);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

/* One message; false without. */
static bool
receive(struct peer *peer)
{
    union {
        char buf[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct viommu_msg msg;
    struct iovec iov = { &msg, sizeof(msg) };
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    ssize_t n = recvmsg(peer->fd, &hdr, MSG_DONTWAIT | MSG_TRUNC);
    int fd[2];

    if (n <= 0) {
        return false;
    }
    CHECK(!peer->cut_off);
    CHECK(n >= 8 && (size_t)n == size_of(msg.header.type));
    CHECK(msg.header.zero == 0);
    peer->seq = msg.header.seq;
    peer->cut_off = msg.header.type == VIOMMU_MSG_CUT_OFF;
    if (hdr.msg_controllen) {
        CHECK(msg.header.type == VIOMMU_MSG_WELCOME && !msg.welcome.status);
        memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&hdr)), sizeof(fd));
        map(peer, &msg, fd);
    }
    return true;
}

static void
hang_up(struct peer *peer)
{
    if (peer->fd >= 0) {
        (void)close(peer->fd);
    }
    if (peer->cells) {
        (void)munmap((void *)(uintptr_t)peer->shm, peer->shm->size);
        (void)munmap(peer->cells, sizeof(*peer->cells));
    }
    *peer = (struct peer){ .fd = -1 };
}

/* --- operations ----------------------------------------------------------- */

static void
op_connect(struct peer *peer, struct input *input)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    const struct {
        struct viommu_msg_header header;
        struct viommu_msg_hello hello;
    } hello = { { VIOMMU_MSG_HELLO, 0, 1 },
                { VIOMMU_PROTO_VERSION, VIOMMU_HELLO_WALK,
                  sizeof(struct vtd_view) } };

    hang_up(peer);
    /* Whoever came before is accepted, so that there is room to wait. */
    run(1);
    memcpy(addr.sun_path, world.path, sizeof(world.path));
    peer->fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    CHECK(peer->fd >= 0 &&
          connect(peer->fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0);
    if (take(input, 1) & 7) {
        (void)send(peer->fd, &hello, sizeof(hello), MSG_NOSIGNAL);
        run(2);
        (void)receive(peer);
    }
}

/* Any bytes. */
static void
op_raw(struct peer *peer, struct input *input)
{
    uint8_t bytes[96];
    size_t len = take(input, 1) % sizeof(bytes) + 1;

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)take(input, 1);
    }
    (void)send(peer->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A message of a type that clients send, with few bytes that differ. */
static void
op_message(struct peer *peer, struct input *input)
{
    static const struct {
        uint8_t type, body, sid;
    } types[] = {
        { VIOMMU_MSG_ATTACH, 8, 0 },       { VIOMMU_MSG_DETACH, 8, 0 },
        { VIOMMU_MSG_IOTLB_MISS, 24, 12 }, { VIOMMU_MSG_FAULT, 24, 12 },
        { VIOMMU_MSG_ACK, 8, 6 },          { VIOMMU_MSG_PAGE_REQUEST, 24, 12 },
        { VIOMMU_MSG_MSI, 16, 12 },        { VIOMMU_MSG_ATTACH, 8, 0 },
    };
    uint8_t which = (uint8_t)take(input, 1);
    unsigned t = which & 7;
    uint8_t bytes[32] = { types[t].type, 0, 0, 0 };
    uint16_t sid = (uint16_t)(8 * (1 + (which >> 3 & 3)));

    memcpy(&bytes[4], &peer->seq, 4);
    if (types[t].type != VIOMMU_MSG_ACK) {
        memcpy(&bytes[8 + types[t].sid], &sid, 2);
    }
    for (unsigned changes = which >> 5; changes > 0; changes--) {
        unsigned at = (unsigned)take(input, 1) % types[t].body;

        bytes[8 + at] = (uint8_t)take(input, 1);
    }
    (void)send(peer->fd, bytes, 8u + types[t].body,
               MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
op_cells(struct peer *peer, struct input *input)
{
    uint8_t bits = (uint8_t)take(input, 1);
    uint64_t epoch;

    if (!peer->cells) {
        return;
    }
    epoch = peer->shm->epoch + (bits >> 4 & 3) - 2;
    peer->cells->count = bits & 0x80 ? (uint32_t)take(input, 4) : 8;
    peer->cells->cell[bits & 7].epoch = bits & 8 ? 0 : epoch;
}

static void
op_receive(struct peer *peer, struct input *input)
{
    unsigned most = (unsigned)take(input, 1) & 0x1f;

    while (peer->fd >= 0 && most-- > 0 && receive(peer)) {
    }
}

static void
op_close(struct peer *peer, struct input *input)
{
    (void)input;
    hang_up(peer);
}

static void
op_run(struct peer *peer, struct input *input)
{
    (void)peer;
    run((unsigned)take(input, 1) & 3);
}

/* The guest: a few descriptors, and a wait behind them. */
static void
op_guest(struct peer *peer, struct input *input)
{
    static const uint64_t descs[] = { 0x12, 0x11, 0x32, 3, 8, 0x37, 0x36, 9 };
    uint8_t bits = (uint8_t)take(input, 1);

    (void)peer;
    for (unsigned i = 0; i <= (bits >> 3 & 7); i++) {
        uint64_t lo = descs[bits & 7] | (uint64_t)(8 * (1 + (bits >> 6))) << 32;
        uint64_t hi = take(input, 1) << 12;

        memcpy(&world.ram[QUEUE + world.tail * 16], &lo, 8);
        memcpy(&world.ram[QUEUE + world.tail * 16 + 8], &hi, 8);
        world.tail = (world.tail + 1) % 256;
    }
    memcpy(&world.ram[QUEUE + world.tail * 16],
           (const uint64_t[]){ UINT64_C(1) << 32 | 0x25, 0x1000 }, 16);
    world.tail = (world.tail + 1) % 256;
    vtd_mmio_write(world.unit.vtd, IQT, 4, world.tail << 4);
}

/* --- what must hold ------------------------------------------------------- */

static bool
is_connected(uint32_t client)
{
    struct service_client_info info;

    for (unsigned i = 0; service_client_info(world.sinks.service, i, &info);
         i++) {
        if (info.id == client) {
            return true;
        }
    }
    return false;
}

static void
check_devices(void)
{
    struct service_device_info info;

    for (unsigned i = 0; service_device_info(world.sinks.service, i, &info);
         i++) {
        CHECK(info.client == 0 || is_connected(info.client));
        CHECK(!info.blocked || info.client == 0);
    }
}

/* Running, and not at its end. */
static bool
is_held_up(void)
{
    struct vtd_queue_info info;

    vtd_queue_info(world.unit.vtd, &info);
    return info.enabled && !info.stopped && info.head != info.tail;
}

static void
check_queue(void)
{
    uint64_t start = loop_now_ms();

    while (is_held_up()) {
        run(20);
        CHECK(loop_now_ms() - start < 1000);
    }
}

static void
start(void)
{
    memset(world.ram, 0, sizeof(world.ram));
    vtd_reset(world.unit.vtd);
    world.tail = 0;
    vtd_mmio_write(world.unit.vtd, IQA, 8, QUEUE);
    vtd_mmio_write(world.unit.vtd, GCMD, 4, 1u << 26);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const operation[])(struct peer *, struct input *) = {
        op_connect, op_raw,   op_message, op_cells,
        op_receive, op_close, op_run,     op_guest,
    };
    struct input input = { data, size };

    if (!world.loop) {
        world_open();
    }
    start();
    while (input.left > 0) {
        uint8_t what = (uint8_t)take(&input, 1);

        operation[what & 7](&world.peer[(what >> 3) % PEERS], &input);
        if (what & 0x80) {
            run(1);
        }
    }
    run(4);
    check_devices();
    check_queue();
    for (unsigned i = 0; i < PEERS; i++) {
        while (world.peer[i].fd >= 0 && receive(&world.peer[i])) {
        }
        hang_up(&world.peer[i]);
    }
    run(4);
    CHECK(!is_connected(0));
    return 0;
}
