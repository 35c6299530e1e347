/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit and a guest around it that costs next to nothing: memory is one
 * array, and its structures are built once.
 */
#ifndef TESTS_BENCH_GUEST_H
#define TESTS_BENCH_GUEST_H

#include "daemon/vtd/vtd.h"

#define RAM_SIZE 0x200000u
#define STATUS   0x2000u
#define QUEUE    0x10000u
#define IRT      0x100000u

#define QUEUE_ENTRIES 256u

/* The device, and what its requests translate through. */
#define SID 0x0018u
#define DID 5u

enum mode {
    MODE_SECOND, /* legacy; 4 levels here and below */
    MODE_SM_SECOND,
    MODE_FIRST,
    MODE_NESTED,
};

/*
 * From the one address on every 4 KiB page is mapped, each through tables of
 * all levels; from the other on every 2 MiB page is.  Neither holds interrupt
 * addresses.
 */
#define IOVA_4K   (UINT64_C(1) << 45)
#define IOVA_2M   (UINT64_C(1) << 46)
#define IOVA_SIZE (UINT64_C(1) << 45)

struct guest {
    struct vtd *vtd;
    uint64_t tail;   /* of the queue, in entries */
    uint64_t iova;   /* the page that was used last */
    uint64_t sink;   /* what keeps results from being optimized away */
    uint64_t misses; /* that an operation meant to be one */
    uint64_t faults;
    uint8_t ram[RAM_SIZE];
};

/* With somebody who keeps translations elsewhere, or not; NULL without memory. */
struct guest *guest_create(enum mode mode, bool sink);
void guest_destroy(struct guest *guest);

void poke(struct guest *guest, uint64_t gpa, uint64_t val);

/* @n descriptors more are there to be run. */
void doorbell(struct guest *guest, unsigned n);

/* True if all worked and nothing went wrong: else a figure means nothing. */
bool guest_healthy(struct guest *guest);

/* Bytes that one unit takes. */
size_t guest_unit_size(void);

#define IEC_0X123 (UINT64_C(0x12300000014))

#endif
