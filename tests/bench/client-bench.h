/* SPDX-License-Identifier: GPL-2.0-only */
/* A client, and mappings that cost its tables next to no memory. */
#ifndef TESTS_BENCH_CLIENT_BENCH_H
#define TESTS_BENCH_CLIENT_BENCH_H

#include "tests/support/fake-client.h"

/*
 * From the one address on every 4 KiB page is mapped, each through tables of
 * all levels, and all to one; from the other on every 2 MiB page is.
 */
#define BENCH_4K   (UINT64_C(1) << 45)
#define BENCH_2M   (UINT64_C(1) << 46)
#define BENCH_SIZE (UINT64_C(1) << 45)

/* As many pages as a large buffer has, each with an entry of its own. */
#define BENCH_SET   (UINT64_C(1) << 40)
#define BENCH_PAGES 65536u

struct bench_client {
    struct fake_client *client;
    struct viommu_access access; /* the next one */
    uint64_t at;                 /* in what is gone through */
    uint64_t sink, faults;
};

struct bench_client *bench_client_create(enum dma_kind kind);
void bench_client_destroy(struct bench_client *bench);

/* Read 8 bytes at @iova, as far as translating it, in the caller's batch. */
void bench_client_translate(struct bench_client *bench, uint64_t iova);

uint64_t bench_now_ns(void);

/* client-measure.c: print the figures that are no instructions. */
int bench_measure(void);

#endif
