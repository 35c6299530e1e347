/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is not counted in instructions: ratios of two times of the same run, and
 * what must not happen at all.  A line each: what, measured, aim, verdict.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/viommu-proto.h"
#include "tests/bench/client-bench.h"

#define ROUNDS 21

static void
say(const char *what, double measured, double aim)
{
    (void)printf("%-36s %10.2f %10.2f  %s\n", what, measured, aim,
                 measured <= aim ? "ok" : "over");
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double
percentile(double *val, unsigned n, unsigned percent)
{
    qsort(val, n, sizeof(val[0]), compare);
    return val[(n - 1) * percent / 100];
}

/* --- silence ---------------------------------------------------------------- */

/* From here on any system call but the end kills. */
static void
forbid(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog prog = { 4, filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog)) {
        _exit(2);
    }
}

/* Hits and misses, in batches. */
static void
translate_many(struct bench_client *bench, unsigned n)
{
    struct viommu_thread *thread = bench->client->thread;

    for (unsigned i = 0; i < n; i += 32) {
        viommu_begin(thread);
        for (unsigned j = 0; j < 32; j++) {
            bench->at = (bench->at + 4099) % BENCH_PAGES;
            bench_client_translate(bench,
                                   BENCH_SET + (bench->at + j / 2) * 0x1000 %
                                                   (BENCH_PAGES * 0x1000ull));
        }
        viommu_end(thread);
    }
}

/* A copy of this process does them, and ends if it was never killed. */
static void
measure_silence(struct bench_client *bench)
{
    uint64_t messages;
    int status = 0;
    pid_t pid;

    translate_many(bench, BENCH_PAGES); /* maps the memory of the tables */
    messages = fake_guest_messages(bench->client->guest);
    pid = fork();
    if (pid == 0) {
        forbid();
        translate_many(bench, 1000000);
        _exit(bench->faults != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    say("system calls in 10^6 translations", status == 0 ? 0 : 1, 0);
    say("messages in 10^6 translations",
        (double)(fake_guest_messages(bench->client->guest) - messages), 0);
}

/* --- two threads ------------------------------------------------------------ */

struct worker {
    struct bench_client bench; /* with a thread of its own */
    struct fake_client client;
    pthread_t thread;
    pthread_barrier_t *start;
    double ns;
};

static void *
work(void *ctx)
{
    struct worker *worker = ctx;
    double ns[ROUNDS];

    (void)pthread_barrier_wait(worker->start);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = bench_now_ns();

        translate_many(&worker->bench, 100000);
        ns[i] = (double)(bench_now_ns() - start) / 100000;
    }
    worker->ns = percentile(ns, ROUNDS, 50);
    return NULL;
}

/* The slowest of @n threads at once: nanoseconds a translation. */
static double
time_workers(struct bench_client *bench, unsigned n)
{
    static struct worker worker[2];
    pthread_barrier_t start;
    double most = 0;

    (void)pthread_barrier_init(&start, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        worker[i].client = *bench->client;
        worker[i].bench = *bench;
        worker[i].bench.client = &worker[i].client;
        worker[i].start = &start;
        assert_int_equal(viommu_thread_create(bench->client->viommu,
                                              &worker[i].client.thread),
                         0);
        assert_int_equal(
            pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
    }
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(pthread_join(worker[i].thread, NULL), 0);
        viommu_thread_destroy(worker[i].client.thread);
        most = worker[i].ns > most ? worker[i].ns : most;
    }
    (void)pthread_barrier_destroy(&start);
    return most;
}

/* --- copies ----------------------------------------------------------------- */

#define COPY_PAGES 16u

static void
copy_plainly(char *to, void *const page[COPY_PAGES])
{
    for (unsigned i = 0; i < COPY_PAGES; i++) {
        memcpy(to + i * 4096, page[i], 4096);
    }
}

static double
copy_ratio(struct bench_client *bench)
{
    static char to[COPY_PAGES * 4096];
    double plain[ROUNDS], through[ROUNDS];
    struct viommu_thread *thread = bench->client->thread;
    void *page[COPY_PAGES];

    viommu_begin(thread);
    for (unsigned i = 0; i < COPY_PAGES; i++) {
        page[i] = viommu_memory(thread, FAKE_DATA + i * 0x1000);
    }
    viommu_end(thread);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = bench_now_ns();

        for (unsigned j = 0; j < 500; j++) {
            copy_plainly(to, page);
        }
        plain[i] = (double)(bench_now_ns() - start);
        start = bench_now_ns();
        for (unsigned j = 0; j < 500; j++) {
            assert_int_equal(
                fake_client_read(bench->client, BENCH_SET, to, sizeof(to)), 0);
        }
        through[i] = (double)(bench_now_ns() - start);
    }
    return percentile(through, ROUNDS, 50) / percentile(plain, ROUNDS, 50);
}

/* --- invalidations ---------------------------------------------------------- */

#define INVALIDATIONS 2000u

/* In the daemon: nanoseconds of an invalidation of a page, and its wait. */
static uint64_t
invalidate_many(struct fake_guest *guest, uint64_t n, uint64_t unused)
{
    uint64_t start = bench_now_ns();

    (void)unused;
    for (uint64_t i = 0; i < n; i++) {
        fake_guest_append(guest, 0x32 | (uint64_t)FAKE_DID << 16, FAKE_IOVA);
        fake_guest_append(guest, 0x25, 0x3000);
        vtd_mmio_write(guest->unit.vtd, VTD_OFF_IQT, 8, guest->tail * 16);
    }
    return (bench_now_ns() - start) / n;
}

/* A client of its own, whose thread may be active. */
struct other {
    struct viommu *viommu;
    struct viommu_device *device;
    struct viommu_thread *thread;
    pthread_t pthread;
    bool stop;
    uint64_t longest_ns;
};

static void
others_open(struct fake_guest *guest, struct other *other, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        other[i] = (struct other){ .viommu = fake_client_connect(guest) };
        assert_int_equal(viommu_device_attach(other[i].viommu, FAKE_SID_MORE(i),
                                              0, NULL, NULL, &other[i].device),
                         0);
        assert_int_equal(
            viommu_thread_create(other[i].viommu, &other[i].thread), 0);
        viommu_begin(other[i].thread);
        viommu_end(other[i].thread);
    }
}

static void
others_close(struct other *other, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        viommu_close(other[i].viommu);
    }
}

static void
measure_idle(struct fake_guest *guest)
{
    struct other other[FAKE_SIDS];
    double alone =
        (double)fake_guest_call(guest, invalidate_many, INVALIDATIONS, 0);
    double with;
    unsigned woken = 0;

    others_open(guest, other, FAKE_SIDS);
    with = (double)fake_guest_call(guest, invalidate_many, INVALIDATIONS, 0);
    for (unsigned i = 0; i < FAKE_SIDS; i++) {
        struct pollfd fd = { .fd = viommu_fd(other[i].viommu),
                             .events = POLLIN };

        woken += (unsigned)poll(&fd, 1, 0);
    }
    (void)printf("%-36s %10.0f ns, without clients %.0f ns\n",
                 "invalidation with 8 idle clients", with, alone);
    say("of these clients woken", woken, 0);
    others_close(other, FAKE_SIDS);
}

/* Batches of 16 translations, one after the other. */
static void *
be_active(void *ctx)
{
    struct other *other = ctx;
    struct viommu_translation translation;

    while (!__atomic_load_n(&other->stop, __ATOMIC_ACQUIRE)) {
        uint64_t start = bench_now_ns(), ns;

        viommu_begin(other->thread);
        for (unsigned i = 0; i < 16; i++) {
            struct viommu_access access = { .iova = BENCH_SET + i * 0x1000,
                                            .pasid = VIOMMU_NO_PASID,
                                            .access = VIOMMU_READ };

            assert_int_equal(viommu_translate(other->thread, other->device,
                                              &access, &translation),
                             0);
        }
        viommu_end(other->thread);
        ns = bench_now_ns() - start;
        other->longest_ns = ns > other->longest_ns ? ns : other->longest_ns;
    }
    return NULL;
}

/* In the daemon: nanoseconds of an invalidation; the last one may go on. */
static uint64_t
invalidate_once(struct fake_guest *guest, uint64_t iova, uint64_t unused)
{
    uint64_t start;

    (void)unused;
    fake_guest_append(guest, 0x32 | (uint64_t)FAKE_DID << 16, iova);
    fake_guest_append(guest, 0x25 | (uint64_t)++guest->status << 32, 0x2000);
    start = bench_now_ns();
    vtd_mmio_write(guest->unit.vtd, VTD_OFF_IQT, 8, guest->tail * 16);
    return bench_now_ns() - start;
}

static void
measure_active(struct fake_guest *guest)
{
    static double us[INVALIDATIONS];
    struct other other[4];
    uint64_t longest = 0;

    for (unsigned i = 0; i < 4; i++) {
        fake_guest_block(guest, FAKE_SID_MORE(i), false);
    }
    others_open(guest, other, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(
            pthread_create(&other[i].pthread, NULL, be_active, &other[i]), 0);
    }
    for (unsigned i = 0; i < INVALIDATIONS; i++) {
        us[i] = (double)fake_guest_call(guest, invalidate_once, BENCH_SET, 0) /
                1000;
        us[i] += (double)fake_guest_wait(guest);
    }
    for (unsigned i = 0; i < 4; i++) {
        __atomic_store_n(&other[i].stop, true, __ATOMIC_RELEASE);
        assert_int_equal(pthread_join(other[i].pthread, NULL), 0);
        longest = other[i].longest_ns > longest ? other[i].longest_ns : longest;
    }
    others_close(other, 4);
    say("us to drain 4 active, median", percentile(us, INVALIDATIONS, 50), 50);
    say("us to drain 4 active, 99 %, and a batch",
        percentile(us, INVALIDATIONS, 99), 50 + (double)longest / 1000);
}

/* --- messages --------------------------------------------------------------- */

static void
exchange(int fd, void *out, size_t out_len, size_t in_len)
{
    char in[sizeof(struct viommu_msg)];

    assert_int_equal(send(fd, out, out_len, 0), out_len);
    assert_int_equal(recv(fd, in, sizeof(in), 0), in_len);
    memcpy(out, in, in_len < out_len ? 8 : 0); /* its header */
}

#define SIZE(member)                       \
    (offsetof(struct viommu_msg, member) + \
     sizeof(((struct viommu_msg *)0)->member))

static int
connect_plainly(const struct fake_guest *guest, uint16_t sid)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct viommu_msg msg = { .header = { .type = VIOMMU_MSG_HELLO },
                              .hello = { .version = VIOMMU_PROTO_VERSION } };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    memcpy(addr.sun_path, guest->path, sizeof(guest->path));
    assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)),
                     0);
    exchange(fd, &msg, SIZE(hello), SIZE(welcome));
    msg = (struct viommu_msg){ .header = { .type = VIOMMU_MSG_ATTACH },
                               .attach = { .sid = sid,
                                           .flags = VIOMMU_ATTACH_NOTIFY } };
    exchange(fd, &msg, SIZE(attach), SIZE(attached));
    return fd;
}

static void *
echo(void *ctx)
{
    int fd = *(const int *)ctx;
    char msg[SIZE(update)] = { 0 };

    while (recv(fd, msg, sizeof(msg), 0) > 0 &&
           send(fd, msg, sizeof(msg), MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

/* Nanoseconds of a request and its answer. */
static double
time_exchange(int fd)
{
    double ns[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t start = bench_now_ns();

        for (unsigned j = 0; j < 1000; j++) {
            struct viommu_msg msg = {
                .header = { .type = VIOMMU_MSG_IOTLB_MISS, .seq = j },
                .access = { .iova = BENCH_SET,
                            .pasid = VIOMMU_PROTO_NO_PASID,
                            .sid = FAKE_SID_2,
                            .access = VIOMMU_READ },
            };

            exchange(fd, &msg, SIZE(access), SIZE(update));
        }
        ns[i] = (double)(bench_now_ns() - start) / 1000;
    }
    return percentile(ns, ROUNDS, 50);
}

static void
measure_messages(const struct fake_guest *guest)
{
    int fd = connect_plainly(guest, FAKE_SID_2);
    int pair[2];
    pthread_t thread;
    double bare;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(pthread_create(&thread, NULL, echo, &pair[1]), 0);
    bare = time_exchange(pair[0]);
    say("miss by message, in ping-pongs", time_exchange(fd) / bare, 1.5);
    (void)shutdown(pair[0], SHUT_RDWR);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
    (void)close(fd);
}

int
bench_measure(void)
{
    struct bench_client *bench = bench_client_create(DMA_LEGACY);
    double one;

    (void)printf("%-36s %10s %10s\n", "client", "measured", "aim");
    measure_silence(bench);
    one = time_workers(bench, 1);
    say("two threads, in times of one alone", time_workers(bench, 2) / one,
        1.2);
    say("64 KiB by 16 pages, in memcpys", copy_ratio(bench), 1.2);
    measure_idle(bench->client->guest);
    measure_active(bench->client->guest);
    measure_messages(bench->client->guest);
    bench_client_destroy(bench);
    return 0;
}
