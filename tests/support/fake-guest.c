/* SPDX-License-Identifier: GPL-2.0-only */
/* The daemon's part of the fake guest, and its memory. */
#include "tests/support/fake-guest.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/client/service.h"
#include "daemon/config.h"
#include "daemon/loop.h"
#include "tests/support/silent.h"

#define PAGE UINT64_C(4096)

/* Descriptors in one turn of the loop, as in viommud. */
#define RUN_BUDGET 256u

/* --- memory ------------------------------------------------------------------ */

static bool
is_missing(const struct fake_guest *guest, uint64_t gpa)
{
    return gpa >= FAKE_RAM ||
           (gpa >= FAKE_HOLE && gpa < FAKE_HOLE_END &&
            !__atomic_load_n(&guest->hole_filled, __ATOMIC_ACQUIRE));
}

static void *
memory_map(void *ctx, uint64_t gfn, size_t count, int *error)
{
    const struct fake_guest *guest = ctx;
    uint64_t gpa = gfn * PAGE;
    uint8_t *addr;

    if (gpa >= FAKE_RAM) {
        errno = ENOENT;
        return NULL;
    }
    addr = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
                guest->memfd, (off_t)gpa);
    assert_true(addr != MAP_FAILED);
    for (size_t i = 0; i < count; i++) {
        if (is_missing(guest, gpa + i * PAGE)) {
            error[i] = -ENOENT;
            assert_int_equal(mprotect(addr + i * PAGE, PAGE, PROT_NONE), 0);
        }
    }
    return addr;
}

static void
memory_unmap(void *ctx, void *addr, size_t count)
{
    (void)ctx;
    assert_int_equal(munmap(addr, count * PAGE), 0);
}

const struct viommu_memory_ops fake_guest_memory = {
    .map = memory_map,
    .unmap = memory_unmap,
};

void
fake_guest_fill_hole(struct fake_guest *guest)
{
    __atomic_store_n(&guest->hole_filled, true, __ATOMIC_RELEASE);
}

/* --- the unit's owner -------------------------------------------------------- */

static bool
is_outside(uint64_t gpa, size_t len)
{
    return gpa > FAKE_RAM || len > FAKE_RAM - gpa;
}

static int
unit_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct fake_guest *guest = ctx;
    uint64_t word;

    if (is_outside(gpa, len)) {
        return -EFAULT;
    }
    if (len == 8) {
        word = __atomic_load_n((uint64_t *)(void *)&guest->ram[gpa],
                               __ATOMIC_ACQUIRE);
        memcpy(buf, &word, 8);
    } else {
        memcpy(buf, &guest->ram[gpa], len);
    }
    return 0;
}

static int
unit_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    const struct fake_guest *guest = ctx;
    uint32_t word;

    if (is_outside(gpa, len)) {
        return -EFAULT;
    }
    if (len == 4) {
        memcpy(&word, buf, 4);
        __atomic_store_n((uint32_t *)(void *)&guest->ram[gpa], word,
                         __ATOMIC_RELEASE);
    } else {
        memcpy(&guest->ram[gpa], buf, len);
    }
    return 0;
}

static int
unit_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    const struct fake_guest *guest = ctx;

    if (is_outside(gpa, 8)) {
        return -EFAULT;
    }
    return !__atomic_compare_exchange_n((uint64_t *)(void *)&guest->ram[gpa],
                                        &expected, desired, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void
unit_invalidate(void *ctx, const struct vtd_inv *inv)
{
    struct fake_guest *guest = ctx;

    sinks_invalidate(&guest->sinks, 0, inv);
}

static bool
unit_sync(void *ctx, uint64_t token)
{
    struct fake_guest *guest = ctx;

    return sinks_sync(&guest->sinks, 0, token);
}

static void
unit_page_response(void *ctx, const struct vtd_page_resp *resp)
{
    struct fake_guest *guest = ctx;

    sinks_page_response(&guest->sinks, 0, resp);
}

static const struct vtd_ops unit_ops = {
    .mem_read = unit_read,
    .mem_write = unit_write,
    .mem_cmpxchg = unit_cmpxchg,
    .invalidate = unit_invalidate,
    .sync = unit_sync,
    .page_response = unit_page_response,
    SILENT_OPS,
};

static void
deliver(void *ctx, const struct vtd_route *route)
{
    struct fake_guest *guest = ctx;
    unsigned n = guest->delivered;

    guest->delivery[n % FAKE_DELIVERIES] = *route;
    __atomic_store_n(&guest->delivered, n + 1, __ATOMIC_RELEASE);
}

static bool
unit_work(void *ctx)
{
    struct fake_guest *guest = ctx;

    if (vtd_run_pending(guest->unit.vtd)) {
        vtd_run(guest->unit.vtd, RUN_BUDGET);
    }
    return vtd_run_pending(guest->unit.vtd);
}

/* --- the daemon -------------------------------------------------------------- */

struct call {
    fake_guest_fn *fn; /* NULL: end */
    uint64_t a, b;
};

static void
answer(void *ctx)
{
    struct fake_guest *guest = ctx;
    struct call call;
    uint64_t result = 0;

    if (recv(guest->serve, &call, sizeof(call), 0) != sizeof(call) ||
        !call.fn) {
        loop_stop(guest->loop);
        return;
    }
    result = call.fn(guest, call.a, call.b);
    (void)send(guest->serve, &result, sizeof(result), MSG_NOSIGNAL);
}

static void
serve(struct fake_guest *guest)
{
    struct loop_watch *watch =
        loop_watch_fd(guest->loop, guest->serve, LOOP_READ, answer, guest);

    loop_work_set(guest->loop, unit_work, guest);
    loop_run(guest->loop);
    loop_watch_destroy(watch);
}

static void *
serve_in_thread(void *ctx)
{
    serve(ctx);
    return NULL;
}

static void
configure(struct fake_guest *guest, const struct fake_guest_options *options)
{
    char text[200], err[200];
    unsigned drain_ms = options->drain_ms ? options->drain_ms : 200;

    (void)snprintf(text, sizeof(text),
                   "type=intel_vtd,dma=full,drain_ms=%u,"
                   "devices=00:05.0;00:06.0;00:08.0;00:09.0;00:0a.0;"
                   "00:0b.0;00:0c.0;00:0d.0;00:0e.0;00:0f.0",
                   drain_ms);
    if (config_parse(text, &guest->unit.config, err, sizeof(err))) {
        fail_msg("%s", err);
    }
}

/* In the process that serves. */
static void
daemon_open(struct fake_guest *guest)
{
    struct vtd_config config;

    guest->loop = loop_create();
    assert_non_null(guest->loop);
    guest->sinks = (struct sinks){
        .unit = &guest->unit,
        .unit_count = 1,
        .deliver = deliver,
        .deliver_ctx = guest,
    };
    assert_int_equal(sinks_open(&guest->sinks, guest->loop, guest->path, 1), 0);
    guest->unit.view = sinks_view(&guest->sinks, 0);
    unit_config(&guest->unit.config, &config);
    guest->unit.vtd =
        vtd_create_view(&config, &unit_ops, guest, guest->unit.view);
    assert_non_null(guest->unit.vtd);
}

static void
daemon_close(struct fake_guest *guest)
{
    vtd_destroy(guest->unit.vtd);
    sinks_close(&guest->sinks);
    loop_destroy(guest->loop);
}

static void
start(struct fake_guest *guest)
{
    pid_t pid;

    if (!guest->process) {
        daemon_open(guest);
        assert_int_equal(
            pthread_create(&guest->thread, NULL, serve_in_thread, guest), 0);
        return;
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(guest->call);
        daemon_open(guest);
        serve(guest);
        _exit(0);
    }
    guest->pid = pid; /* in memory that both have */
    (void)close(guest->serve);
}

static void
stop(struct fake_guest *guest)
{
    const struct call end = { 0 };

    (void)send(guest->call, &end, sizeof(end), MSG_NOSIGNAL);
    if (!guest->process) {
        assert_int_equal(pthread_join(guest->thread, NULL), 0);
        daemon_close(guest);
    } else if (guest->pid > 0) {
        assert_int_equal(waitpid(guest->pid, NULL, 0), guest->pid);
    }
}

void
fake_guest_kill(struct fake_guest *guest)
{
    assert_true(guest->process && guest->pid > 0);
    assert_int_equal(kill(guest->pid, SIGKILL), 0);
    assert_int_equal(waitpid(guest->pid, NULL, 0), guest->pid);
    guest->pid = 0;
}

void
fake_guest_call_begin(struct fake_guest *guest, fake_guest_fn *fn, uint64_t a,
                      uint64_t b)
{
    const struct call call = { fn, a, b };

    assert_int_equal(send(guest->call, &call, sizeof(call), MSG_NOSIGNAL),
                     sizeof(call));
}

uint64_t
fake_guest_call_end(struct fake_guest *guest)
{
    uint64_t result;

    assert_int_equal(recv(guest->call, &result, sizeof(result), 0),
                     sizeof(result));
    return result;
}

uint64_t
fake_guest_call(struct fake_guest *guest, fake_guest_fn *fn, uint64_t a,
                uint64_t b)
{
    fake_guest_call_begin(guest, fn, a, b);
    return fake_guest_call_end(guest);
}

/* --- life -------------------------------------------------------------------- */

void fake_driver_start(struct fake_guest *guest, bool off);

struct fake_guest *
fake_guest_create(const struct fake_guest_options *options)
{
    struct fake_guest *guest =
        mmap(NULL, sizeof(*guest), PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    assert_true(guest != MAP_FAILED);
    guest->kind = options->kind;
    guest->process = options->process;
    (void)snprintf(guest->dir, sizeof(guest->dir), "/tmp/fake-guest-XXXXXX");
    assert_non_null(mkdtemp(guest->dir));
    (void)snprintf(guest->path, sizeof(guest->path), "%s/dma", guest->dir);
    guest->memfd = memfd_create("fake-guest", MFD_CLOEXEC);
    assert_int_equal(ftruncate(guest->memfd, (off_t)FAKE_RAM), 0);
    guest->ram = mmap(NULL, FAKE_RAM, PROT_READ | PROT_WRITE, MAP_SHARED,
                      guest->memfd, 0);
    assert_true(guest->ram != MAP_FAILED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    guest->call = ends[0];
    guest->serve = ends[1];
    configure(guest, options);
    start(guest);
    fake_driver_start(guest, options->off);
    return guest;
}

void
fake_guest_destroy(struct fake_guest *guest)
{
    stop(guest);
    (void)close(guest->call);
    if (!guest->process) {
        (void)close(guest->serve);
    }
    (void)unlink(guest->path);
    (void)rmdir(guest->dir);
    (void)munmap(guest->ram, FAKE_RAM);
    (void)close(guest->memfd);
    (void)munmap(guest, sizeof(*guest));
}

/* --- what the test asks ------------------------------------------------------ */

static uint64_t
do_read(struct fake_guest *guest, uint64_t off, uint64_t unused)
{
    (void)unused;
    return vtd_mmio_read(guest->unit.vtd, (uint32_t)off, 4);
}

static uint64_t
do_write(struct fake_guest *guest, uint64_t off, uint64_t val)
{
    vtd_mmio_write(guest->unit.vtd, (uint32_t)off, val >> 32 ? 8 : 4, val);
    return 0;
}

static uint64_t
do_messages(struct fake_guest *guest, uint64_t a, uint64_t b)
{
    struct service_stats stats;

    (void)a;
    (void)b;
    service_stats(guest->sinks.service, &stats);
    return stats.messages;
}

uint64_t
fake_guest_read(struct fake_guest *guest, uint32_t off)
{
    return fake_guest_call(guest, do_read, off, 0);
}

void
fake_guest_write(struct fake_guest *guest, uint32_t off, uint64_t val)
{
    (void)fake_guest_call(guest, do_write, off, val);
}

uint64_t
fake_guest_messages(struct fake_guest *guest)
{
    return fake_guest_call(guest, do_messages, 0, 0);
}
