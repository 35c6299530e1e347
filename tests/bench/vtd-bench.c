/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model costs, alone: no Xen, no system call, guest memory one array.
 *
 *   vtd-bench list            the cases: name, aim in instructions, function
 *   vtd-bench time CASE       median time of one operation in ns
 *   vtd-bench run CASE N      do it N times, for a tool that counts
 *
 * An operation includes the calls of the ops that it makes, here as cheap as
 * they can be: the model reads 16 bytes and writes 4.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/vtd/spec-regs.h"
#include "daemon/vtd/vtd.h"

#define RAM_SIZE 0x200000u
#define QUEUE    0x10000u
#define STATUS   0x2000u
#define IRT      0x100000u

#define QUEUE_ENTRIES 256u
/* Descriptors in one doorbell where one descriptor is measured. */
#define BATCH 128u

#define REPETITIONS 41

struct guest {
    struct vtd *vtd;
    uint64_t tail; /* in entries */
    uint64_t sink;
    uint8_t ram[RAM_SIZE];
};

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct guest *guest = ctx;

    if (len != 16 || gpa > RAM_SIZE - 16) {
        return -1;
    }
    memcpy(buf, &guest->ram[gpa], 16);
    return 0;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct guest *guest = ctx;

    if (len != 4 || gpa > RAM_SIZE - 4) {
        return -1;
    }
    memcpy(&guest->ram[gpa], buf, 4);
    return 0;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct guest *guest = ctx;

    guest->sink += addr + data;
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    struct guest *guest = ctx;

    guest->sink += state->entries;
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct guest *guest = ctx;

    guest->sink += route->index + n;
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    struct guest *guest = ctx;

    guest->sink += first + n;
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    struct guest *guest = ctx;

    guest->sink += miss->index;
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
};

static void
poke(struct guest *guest, uint64_t gpa, uint64_t val)
{
    memcpy(&guest->ram[gpa], &val, sizeof(val));
}

/* The queue holds @lo[0], @lo[1], @lo[0] and so on. */
static void
fill_queue(struct guest *guest, const uint64_t lo[2], const uint64_t hi[2])
{
    for (uint64_t i = 0; i < QUEUE_ENTRIES; i++) {
        poke(guest, QUEUE + i * 16, lo[i % 2]);
        poke(guest, QUEUE + i * 16 + 8, hi[i % 2]);
    }
}

static void
doorbell(struct guest *guest, unsigned n)
{
    guest->tail = (guest->tail + n) % QUEUE_ENTRIES;
    vtd_mmio_write(guest->vtd, VTD_OFF_IQT, 8, guest->tail * 16);
}

static void
setup_none(struct guest *guest)
{
    (void)guest;
}

static void
setup_waits(struct guest *guest)
{
    const uint64_t lo[2] = { 0x200000025, 0x200000025 };
    const uint64_t hi[2] = { STATUS, STATUS };

    fill_queue(guest, lo, hi);
}

#define IEC_0X123 (UINT64_C(0x12300000014))

static void
setup_iecs(struct guest *guest)
{
    const uint64_t lo[2] = { IEC_0X123, IEC_0X123 };
    const uint64_t hi[2] = { 0, 0 };

    fill_queue(guest, lo, hi);
}

static void
setup_pairs(struct guest *guest)
{
    const uint64_t lo[2] = { IEC_0X123, 0x200000025 };
    const uint64_t hi[2] = { 0, STATUS };

    fill_queue(guest, lo, hi);
}

/* --- one operation each ------------------------------------------------- */

static void
op_nothing(struct guest *guest)
{
    guest->sink++;
}

static void
op_read(struct guest *guest)
{
    guest->sink += vtd_mmio_read(guest->vtd, VTD_OFF_FSTS, 4);
}

static void
op_write(struct guest *guest)
{
    vtd_mmio_write(guest->vtd, VTD_OFF_FEDATA, 4, 0x4021);
}

/* An announced entry, 0x123, with exact source id and EIM: a device's MSI. */
static void
op_remap(struct guest *guest)
{
    struct vtd_route route;

    vtd_ir_remap(guest->vtd, 0xfee02470, 0, 0x0018, true, &route);
    guest->sink += route.vector;
}

/* Entry 0x124 is the same, but not announced: it is read. */
static void
op_remap_read(struct guest *guest)
{
    struct vtd_route route;

    vtd_ir_remap(guest->vtd, 0xfee02490, 0, 0x0018, true, &route);
    guest->sink += route.vector;
}

static void
op_batch(struct guest *guest)
{
    doorbell(guest, BATCH);
}

static void
op_pair(struct guest *guest)
{
    doorbell(guest, 2);
}

struct bench_case {
    const char *name;
    const char *function; /* counted, with what it calls */
    unsigned aim;         /* instructions */
    unsigned per_call;    /* operations that one call of run() does */
    void (*setup)(struct guest *guest);
    void (*run)(struct guest *guest);
};

static const struct bench_case cases[] = {
    { "register-read", "vtd_mmio_read", 20, 1, setup_none, op_read },
    { "register-write", "vtd_mmio_write", 40, 1, setup_none, op_write },
    { "interrupt-remap", "vtd_ir_remap", 80, 1, setup_none, op_remap },
    { "remap-unannounced", "vtd_ir_remap", 150, 1, setup_none, op_remap_read },
    { "wait-descriptor", "vtd_mmio_write", 100, BATCH, setup_waits, op_batch },
    { "iec-descriptor", "vtd_mmio_write", 100, BATCH, setup_iecs, op_batch },
    { "doorbell-iec-wait", "vtd_mmio_write", 300, 1, setup_pairs, op_pair },
};

/* What the loop costs is subtracted from each time. */
static const struct bench_case empty_loop = {
    "loop", "op_nothing", 0, 1, setup_none, op_nothing,
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static struct guest *
guest_create(void)
{
    static const struct vtd_config config = {
        .ir = true,
        .haw = 52,
        .eim = true,
        .fault_records = 8,
    };
    struct guest *guest = calloc(1, sizeof(*guest));

    if (!guest) {
        return NULL;
    }
    guest->vtd = vtd_create(&config, &ops, guest);
    if (!guest->vtd) {
        free(guest);
        return NULL;
    }
    poke(guest, IRT + 0x123 * 16, UINT64_C(0x000000010041000d));
    poke(guest, IRT + 0x123 * 16 + 8, 0x40018);
    poke(guest, IRT + 0x124 * 16, UINT64_C(0x000000010042000d));
    poke(guest, IRT + 0x124 * 16 + 8, 0x40018);
    vtd_mmio_write(guest->vtd, VTD_OFF_IRTA, 8, IRT | 0x80f);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x01000000);
    vtd_mmio_write(guest->vtd, VTD_OFF_IQA, 8, QUEUE);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x06000000);
    /* The entry is announced, so that its invalidation finds no change. */
    poke(guest, QUEUE, IEC_0X123);
    doorbell(guest, 1);
    return guest;
}

/* True if the queue ran and nothing went wrong: else a figure means nothing. */
static bool
guest_healthy(struct guest *guest)
{
    return vtd_mmio_read(guest->vtd, VTD_OFF_FSTS, 4) == 0 &&
           vtd_mmio_read(guest->vtd, VTD_OFF_IQH, 8) == guest->tail * 16 &&
           vtd_stat_value(guest->vtd, VTD_STAT_ROUTE_SET) == 1;
}

static uint64_t
now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double
median_ns(struct guest *guest, const struct bench_case *bench)
{
    unsigned calls = 100000 / bench->per_call;
    double ns[REPETITIONS];

    bench->setup(guest);
    for (unsigned i = 0; i < REPETITIONS; i++) {
        uint64_t start = now_ns();

        for (unsigned call = 0; call < calls; call++) {
            bench->run(guest);
        }
        ns[i] = (double)(now_ns() - start) / (calls * bench->per_call);
    }
    qsort(ns, REPETITIONS, sizeof(ns[0]), compare);
    return ns[REPETITIONS / 2];
}

static int
usage(void)
{
    (void)fprintf(stderr, "usage: vtd-bench list | time CASE | run CASE N\n");
    return 2;
}

static int
measure(struct guest *guest, const struct bench_case *bench, const char *n)
{
    if (!n) {
        double loop = median_ns(guest, &empty_loop) / bench->per_call;

        (void)printf("%.1f\n", median_ns(guest, bench) - loop);
    } else {
        unsigned long calls = strtoul(n, NULL, 10) / bench->per_call;

        bench->setup(guest);
        for (unsigned long call = 0; call < calls; call++) {
            bench->run(guest);
        }
    }
    if (!guest_healthy(guest)) {
        (void)fprintf(stderr, "vtd-bench: %s did not do its work\n",
                      bench->name);
        return 1;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    const struct bench_case *bench = NULL;
    struct guest *guest;
    int rc;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (unsigned i = 0; i < CASES; i++) {
            (void)printf("%s %u %s\n", cases[i].name, cases[i].aim,
                         cases[i].function);
        }
        return 0;
    }
    for (unsigned i = 0; argc >= 3 && i < CASES; i++) {
        if (strcmp(cases[i].name, argv[2]) == 0) {
            bench = &cases[i];
        }
    }
    if (!bench || !((argc == 3 && strcmp(argv[1], "time") == 0) ||
                    (argc == 4 && strcmp(argv[1], "run") == 0))) {
        return usage();
    }
    guest = guest_create();
    if (!guest) {
        (void)fprintf(stderr, "vtd-bench: cannot create a unit\n");
        return 1;
    }
    rc = measure(guest, bench, argc == 4 ? argv[3] : NULL);
    vtd_destroy(guest->vtd);
    free(guest);
    return rc;
}
