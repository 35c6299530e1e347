/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the model costs, alone: no Xen, no system call, guest memory one array.
 *
 *   vtd-bench list            the cases: name, aim in instructions, function
 *   vtd-bench time CASE       median time of one operation in ns
 *   vtd-bench run CASE N      do it N times, for a tool that counts
 *   vtd-bench memory          bytes that a unit takes
 *
 * An operation includes the calls of the ops that it makes, here as cheap as
 * they can be: the model reads entries and writes status words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/vtd/spec-regs.h"
#include "tests/bench/guest.h"

/* Descriptors in one doorbell where one descriptor is measured. */
#define BATCH 128u

#define REPETITIONS 41

/* The page that is hit, and whose buffer lives and dies. */
#define HOT       UINT64_C(0x123456000)
#define HOT_PAGES 512u

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

/* One read of a device. */
static void
translate(struct guest *guest, uint64_t iova)
{
    struct vtd_dma_req req = {
        .iova = iova,
        .pasid = VTD_NO_PASID,
        .sid = SID,
        .access = VTD_DMA_READ,
    };
    struct vtd_dma_resp resp;

    if (vtd_dma_translate(guest->vtd, &req, &resp) != VTD_FR_OK) {
        guest->faults++;
        return;
    }
    guest->sink += resp.gpa;
}

static void
op_hit(struct guest *guest)
{
    translate(guest, HOT);
}

static void
op_hit_many(struct guest *guest)
{
    guest->iova = (guest->iova + 1) % HOT_PAGES;
    translate(guest, HOT + (guest->iova << 12));
}

/* Another page of another 1 GiB each time: no table is known. */
static void
op_miss(struct guest *guest)
{
    guest->iova = (guest->iova + 0x40201000) % IOVA_SIZE;
    guest->misses++;
    translate(guest, IOVA_4K + guest->iova);
}

static void
op_miss_2m(struct guest *guest)
{
    guest->iova = (guest->iova + 0x40201000) % IOVA_SIZE;
    guest->misses++;
    translate(guest, IOVA_2M + guest->iova);
}

/* The next page: its last table is known. */
static void
op_miss_next(struct guest *guest)
{
    guest->iova = (guest->iova + 0x1000) % IOVA_SIZE;
    guest->misses++;
    translate(guest, IOVA_4K + guest->iova);
}

/* A buffer is mapped, used twice, unmapped, and the driver waits. */
static void
op_life(struct guest *guest)
{
    guest->misses++;
    translate(guest, HOT);
    translate(guest, HOT + 64);
    doorbell(guest, 2);
}

struct bench_case {
    const char *name;
    const char *function; /* counted, with what it calls */
    unsigned aim;         /* instructions */
    enum mode mode;
    void (*run)(struct guest *guest);
    unsigned per_call; /* operations that one call of run() does; 0: one */
    /* The queue holds the first descriptor and the second in turn. */
    uint64_t desc[2][2];
    unsigned cached; /* translations that were used before */
    bool sink;       /* somebody is told of invalidations, and idle */
};

#define WAIT                \
    {                       \
        0x200000025, STATUS \
    }
#define IEC          \
    {                \
        IEC_0X123, 0 \
    }
#define TLB_GLOBAL \
    {              \
        0x12, 0    \
    }
#define TLB_DOMAIN          \
    {                       \
        0x22 | DID << 16, 0 \
    }
#define TLB_PAGE              \
    {                         \
        0x32 | DID << 16, HOT \
    }

#define QUEUE_CASE(what, most, d, n)                                        \
    {                                                                       \
        .name = (what), .function = "vtd_mmio_write", .aim = (most),        \
        .run = op_batch, .per_call = BATCH, .desc = { d, d }, .cached = (n) \
    }
#define DMA_CASE(what, most, how, op)                                   \
    {                                                                   \
        .name = (what), .function = "vtd_dma_translate", .aim = (most), \
        .mode = (how), .run = (op)                                      \
    }

static const struct bench_case cases[] = {
    { "register-read", "vtd_mmio_read", 20, .run = op_read },
    { "register-write", "vtd_mmio_write", 40, .run = op_write },
    { "interrupt-remap", "vtd_ir_remap", 80, .run = op_remap },
    { "remap-unannounced", "vtd_ir_remap", 150, .run = op_remap_read },
    QUEUE_CASE("wait-descriptor", 100, WAIT, 0),
    QUEUE_CASE("iec-descriptor", 80, IEC, 0),
    { "doorbell-iec-wait", "vtd_mmio_write", 300, .run = op_pair,
      .desc = { IEC, WAIT } },
    QUEUE_CASE("iotlb-global", 110, TLB_GLOBAL, 0),
    QUEUE_CASE("iotlb-global-1000", 110, TLB_GLOBAL, 1000),
    QUEUE_CASE("iotlb-domain", 110, TLB_DOMAIN, 0),
    QUEUE_CASE("iotlb-domain-1000", 110, TLB_DOMAIN, 1000),
    QUEUE_CASE("iotlb-page", 110, TLB_PAGE, 0),
    QUEUE_CASE("iotlb-page-1000", 110, TLB_PAGE, 1000),
    { "iotlb-page-sink", "vtd_mmio_write", 200, .run = op_batch,
      .per_call = BATCH, .desc = { TLB_PAGE, TLB_PAGE }, .sink = true },
    { "page-wait-sink", "vtd_mmio_write", 460, .run = op_pair,
      .desc = { TLB_PAGE, WAIT }, .sink = true },
    DMA_CASE("hit", 40, MODE_SECOND, op_hit),
    DMA_CASE("hit-512-pages", 90, MODE_SECOND, op_hit_many),
    DMA_CASE("miss", 300, MODE_SECOND, op_miss),
    DMA_CASE("miss-2m", 260, MODE_SECOND, op_miss_2m),
    DMA_CASE("miss-next", 300, MODE_SECOND, op_miss_next),
    DMA_CASE("scalable-hit", 40, MODE_SM_SECOND, op_hit),
    DMA_CASE("scalable-miss", 300, MODE_SM_SECOND, op_miss),
    DMA_CASE("first-hit", 40, MODE_FIRST, op_hit),
    DMA_CASE("first-hit-512-pages", 90, MODE_FIRST, op_hit_many),
    DMA_CASE("first-miss", 300, MODE_FIRST, op_miss),
    DMA_CASE("first-miss-2m", 260, MODE_FIRST, op_miss_2m),
    DMA_CASE("nested-hit", 40, MODE_NESTED, op_hit),
    DMA_CASE("nested-miss", 1500, MODE_NESTED, op_miss),
    { "buffer-life", "op_life", 650, .run = op_life,
      .desc = { TLB_PAGE, WAIT } },
};

/* What the loop costs is subtracted from each time. */
static const struct bench_case empty_loop = { "loop", "op_nothing",
                                              .run = op_nothing };

#define CASES (sizeof(cases) / sizeof(cases[0]))

static unsigned
per_call(const struct bench_case *bench)
{
    return bench->per_call ? bench->per_call : 1;
}

static void
set_up(struct guest *guest, const struct bench_case *bench)
{
    for (uint64_t i = 0; i < QUEUE_ENTRIES; i++) {
        poke(guest, QUEUE + i * 16, bench->desc[i % 2][0]);
        poke(guest, QUEUE + i * 16 + 8, bench->desc[i % 2][1]);
    }
    for (uint64_t i = 0; i < bench->cached; i++) {
        translate(guest, HOT + (i << 12));
    }
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
    unsigned calls = 100000 / per_call(bench);
    double ns[REPETITIONS];

    set_up(guest, bench);
    for (unsigned i = 0; i < REPETITIONS; i++) {
        uint64_t start = now_ns();

        for (unsigned call = 0; call < calls; call++) {
            bench->run(guest);
        }
        ns[i] = (double)(now_ns() - start) / (calls * per_call(bench));
    }
    qsort(ns, REPETITIONS, sizeof(ns[0]), compare);
    return ns[REPETITIONS / 2];
}

static int
usage(void)
{
    (void)fprintf(stderr,
                  "usage: vtd-bench list | time CASE | run CASE N | memory\n");
    return 2;
}

static int
measure(struct guest *guest, const struct bench_case *bench, const char *n)
{
    if (!n) {
        double loop = median_ns(guest, &empty_loop) / per_call(bench);

        (void)printf("%.1f\n", median_ns(guest, bench) - loop);
    } else {
        unsigned long calls = strtoul(n, NULL, 10) / per_call(bench);

        set_up(guest, bench);
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
    if (argc == 2 && strcmp(argv[1], "memory") == 0) {
        (void)printf("%zu\n", guest_unit_size());
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
    guest = guest_create(bench->mode, bench->sink);
    if (!guest) {
        (void)fprintf(stderr, "vtd-bench: cannot create a unit\n");
        return 1;
    }
    rc = measure(guest, bench, argc == 4 ? argv[3] : NULL);
    guest_destroy(guest);
    return rc;
}
