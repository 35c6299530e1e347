/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <time.h>

#include "tests/bench/client-bench.h"

/* R and W of the second stage; P, RW, US, A and D of the first. */
#define SECOND_RW UINT64_C(0x3)
#define FIRST_RW  UINT64_C(0x67)
#define PS        UINT64_C(0x80)

#define RW (VIOMMU_READ | VIOMMU_WRITE)

uint64_t
bench_now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A table all of whose entries are @entry. */
static uint64_t
table_of(struct tables *tables, uint64_t entry)
{
    uint64_t gpa = tables_pages(tables, 1);

    for (unsigned i = 0; i < 512; i++) {
        tables_q_set(tables, gpa + i * 8, entry);
    }
    return gpa;
}

/* 64 entries of the top table, those of BENCH_SIZE at @iova. */
static void
hang(struct tables *tables, uint64_t top, uint64_t iova, uint64_t entry)
{
    for (unsigned i = 0; i < BENCH_SIZE >> 39; i++) {
        tables_q_set(tables, top + ((iova >> 39) + i) * 8, entry);
    }
}

static void
map_everything(struct fake_guest *guest)
{
    struct tables *tables = &guest->tables;
    bool first = guest->kind == DMA_FIRST || guest->kind == DMA_NESTED;
    uint64_t bits = first ? FIRST_RW : SECOND_RW;
    uint64_t top = first ? guest->first.root : guest->second.root;
    uint64_t table = table_of(tables, FAKE_GPA | bits);

    table = table_of(tables, table | bits);
    table = table_of(tables, table | bits);
    hang(tables, top, BENCH_4K, table | bits);
    table = table_of(tables, FAKE_DATA | PS | bits);
    table = table_of(tables, table | bits);
    hang(tables, top, BENCH_2M, table | bits);
}

/* A page that was used before: what the first use sets in its entry is set. */
static void
map_used(struct fake_guest *guest, uint64_t iova, uint64_t gpa)
{
    uint64_t entry = fake_guest_map(guest, iova, gpa, 12, RW);

    if (guest->kind == DMA_FIRST || guest->kind == DMA_NESTED) {
        tables_q_set(&guest->tables, entry, gpa | FIRST_RW);
    }
}

struct bench_client *
bench_client_create(enum dma_kind kind)
{
    struct bench_client *bench = calloc(1, sizeof(*bench));

    if (!bench) {
        abort();
    }
    /* Of a machine that is busy, which is no reason to be cut off. */
    bench->client = fake_client_create(
        &(struct fake_guest_options){ .kind = kind, .drain_ms = 10000 });
    bench->access.pasid = bench->client->pasid;
    bench->access.access = VIOMMU_READ;
    map_everything(bench->client->guest);
    for (uint64_t i = 0; i < BENCH_PAGES; i++) {
        map_used(bench->client->guest, BENCH_SET + i * 0x1000,
                 FAKE_DATA + i % 8192 * 0x1000);
    }
    return bench;
}

void
bench_client_destroy(struct bench_client *bench)
{
    fake_client_destroy(bench->client);
    free(bench);
}

void
bench_client_translate(struct bench_client *bench, uint64_t iova)
{
    struct viommu_translation translation;

    bench->access.iova = iova;
    if (viommu_translate(bench->client->thread, bench->client->device,
                         &bench->access, &translation)) {
        bench->faults++;
        return;
    }
    bench->sink += translation.gpa;
}
