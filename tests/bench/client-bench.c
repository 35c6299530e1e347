/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the client library costs, with the daemon beside it.
 *
 *   client-bench list          the cases: name, aim in instructions, function
 *   client-bench time CASE     median time of one operation in ns
 *   client-bench run CASE N    do it N times, for a tool that counts
 *   client-bench measure       what is not counted in instructions
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/client-bench.h"

#define REPETITIONS 41
#define CALLS       20000u

/* Operations in a batch where the batch itself is not measured. */
#define BATCH 32u

static void
op_hit(struct bench_client *bench)
{
    bench_client_translate(bench, FAKE_IOVA);
}

/* Another page of another 1 GiB each time: no table is known. */
static void
op_miss(struct bench_client *bench)
{
    bench->at = (bench->at + 0x40201000) % BENCH_SIZE;
    bench_client_translate(bench, BENCH_4K + bench->at);
}

static void
op_miss_2m(struct bench_client *bench)
{
    bench->at = (bench->at + 0x40201000) % BENCH_SIZE;
    bench_client_translate(bench, BENCH_2M + bench->at);
}

/* Pages of a large buffer, in no order, each as often as the others. */
static void
op_set(struct bench_client *bench)
{
    bench->at = (bench->at + 4099) % BENCH_PAGES;
    bench_client_translate(bench, BENCH_SET + bench->at * 0x1000);
}

static void
op_nothing(struct bench_client *bench)
{
    bench->sink++;
}

struct bench_case {
    const char *name;
    unsigned aim; /* instructions */
    enum dma_kind kind;
    void (*run)(struct bench_client *bench);
    bool alone; /* each in a batch of its own, which is measured, too */
};

/* A nested miss is to cost at most four of the others. */
static const struct bench_case cases[] = {
    { "client-hit", 40, DMA_LEGACY, op_hit, false },
    { "client-hit-first", 40, DMA_FIRST, op_hit, false },
    { "client-hit-nested", 40, DMA_NESTED, op_hit, false },
    { "client-batch-hit", 50, DMA_LEGACY, op_hit, true },
    { "client-batch-hit-first", 50, DMA_FIRST, op_hit, true },
    { "client-miss", 330, DMA_LEGACY, op_miss, false },
    { "client-miss-2m", 330, DMA_LEGACY, op_miss_2m, false },
    { "client-miss-pasid", 330, DMA_SECOND, op_miss, false },
    { "client-miss-first", 330, DMA_FIRST, op_miss, false },
    { "client-miss-first-2m", 330, DMA_FIRST, op_miss_2m, false },
    { "client-miss-nested", 1320, DMA_NESTED, op_miss, false },
    { "client-65536-pages", 330, DMA_LEGACY, op_set, false },
    { "client-65536-first", 330, DMA_FIRST, op_set, false },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void
run(struct bench_client *bench, const struct bench_case *what, unsigned long n)
{
    struct viommu_thread *thread = bench->client->thread;

    for (unsigned long done = 0; done < n;) {
        viommu_begin(thread);
        for (unsigned i = 0; i < (what->alone ? 1 : BATCH); i++, done++) {
            what->run(bench);
        }
        viommu_end(thread);
    }
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double
median_ns(struct bench_client *bench, const struct bench_case *what)
{
    double ns[REPETITIONS];

    run(bench, what, CALLS);
    for (unsigned i = 0; i < REPETITIONS; i++) {
        uint64_t start = bench_now_ns();

        run(bench, what, CALLS);
        ns[i] = (double)(bench_now_ns() - start) / CALLS;
    }
    qsort(ns, REPETITIONS, sizeof(ns[0]), compare);
    return ns[REPETITIONS / 2];
}

static int
measure(const struct bench_case *what, const char *n)
{
    /* What the loop costs is subtracted; batches of one are measured. */
    const struct bench_case loop = { "loop", 0, what->kind, op_nothing, false };
    struct bench_client *bench = bench_client_create(what->kind);
    uint64_t faults;

    if (n) {
        run(bench, what, strtoul(n, NULL, 10));
    } else {
        double empty = median_ns(bench, &loop);

        (void)printf("%.1f\n", median_ns(bench, what) - empty);
    }
    faults = bench->faults;
    bench_client_destroy(bench);
    if (faults > 0) {
        (void)fprintf(stderr, "client-bench: %s did not do its work\n",
                      what->name);
    }
    return faults > 0;
}

static void
list(void)
{
    for (unsigned i = 0; i < CASES; i++) {
        (void)printf("%s %u %s\n", cases[i].name, cases[i].aim,
                     cases[i].alone ? "viommu_*" : "viommu_translate");
    }
}

int
main(int argc, char **argv)
{
    const struct bench_case *what = NULL;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "measure") == 0) {
        return bench_measure();
    }
    for (unsigned i = 0; argc >= 3 && i < CASES; i++) {
        if (strcmp(cases[i].name, argv[2]) == 0) {
            what = &cases[i];
        }
    }
    if (!what || !((argc == 3 && strcmp(argv[1], "time") == 0) ||
                   (argc == 4 && strcmp(argv[1], "run") == 0))) {
        (void)fprintf(stderr, "usage: client-bench list | time CASE | "
                              "run CASE N | measure\n");
        return 2;
    }
    return measure(what, argc == 4 ? argv[3] : NULL);
}
