/* SPDX-License-Identifier: GPL-2.0-only */
/* The tests by subject, in the order they run, and what they share. */
#ifndef TESTS_GUESTS_DMA_TESTS_H
#define TESTS_GUESTS_DMA_TESTS_H

#include "tests/guests/dma/engine.h"
#include "tests/guests/dma/space.h"
#include "tests/guests/lib/console.h"

/* What the unit, or the device, must have: else the test is skipped. */
enum need {
    NEED_EXTENDED = 1u << 0, /* the device has registers of our own         */
    NEED_ECAM = 1u << 1,     /* and extended capabilities                   */
    NEED_IR = 1u << 2,
    NEED_PASS = 1u << 3,
    NEED_SCALABLE = 1u << 4,
    NEED_FIRST = 1u << 5,
    NEED_SECOND = 1u << 6, /* in scalable mode                              */
    NEED_NEST = 1u << 7,
    NEED_PASID = 1u << 8,
    NEED_DEVICE_TLB = 1u << 9,
    NEED_PRI = 1u << 10,
    NEED_1G = 1u << 11,
    NEED_3_LEVELS = 1u << 12,
    NEED_4_LEVELS = 1u << 13,
    NEED_REQUESTS = 1u << 14, /* for supervisors and for execution          */
};

/* How requests without PASID are translated. */
struct mode {
    const char *name;
    enum stage stage;
    bool scalable;
    unsigned levels;
    unsigned need;
    /* Reasons of faults. */
    uint8_t unmapped_read, unmapped_write, read_only;
};

/* An array ends with an empty one. */
struct test {
    const char *name;
    void (*run)(const struct mode *mode);
    unsigned need;
};

enum mode_index {
    MODE_LEGACY_3,
    MODE_LEGACY_4,
    MODE_SECOND_3,
    MODE_SECOND_4,
    MODE_FIRST,
    MODE_NESTED,
    MODES,
};

/* In each mode that translates, and in those that do not. */
extern const struct mode modes[];
extern const struct mode pass_modes[];
extern const struct test map_tests[];
extern const struct test large_tests[];
extern const struct test pass_tests[];

/* In a mode of their own; @mode is NULL. */
extern const struct test device_tests[];
extern const struct test nest_tests[];
extern const struct test pasid_tests[];
extern const struct test interrupt_tests[];
extern const struct test page_request_tests[];
extern const struct test device_tlb_tests[];

/* Invalidation racing DMA, in each mode that translates. */
extern const struct test race_tests[];
extern const struct test race_device_tlb_tests[];

/* The device dares the daemon: it may be cut off afterwards. */
extern const struct test no_ack_tests[];

/* How long a race lasts. */
extern uint64_t race_us;

/* --- mode.c ----------------------------------------------------------------- */

/* The space of requests without PASID. */
extern struct space space;

/*
 * Addresses that every mode can translate: of a page, and where one of 2 MiB
 * or 1 GiB begins, with nothing mapped below.
 */
#define IOVA    0x1234567000ull
#define IOVA_1G 0x2400000000ull

#define DID 0x123u

/* Remap by @mode; for scalable mode with all that the device can. */
bool mode_start(const struct mode *mode);

/* Map a page of @space for requests without PASID, or unmap it and wait. */
void map_page(uint64_t iova, unsigned frame, unsigned perm);
void unmap_page(uint64_t iova);

/* --- expectations ------------------------------------------------------------ */

/* The device's DMA met one fault, which is recorded so, and no other. */
struct want {
    uint8_t reason;
    uint64_t addr;
    bool read;
    uint32_t pasid;
};
void expect_dma_fault(const struct want *want);

/* DMA between guest and buffer that works, and leaves no fault. */
void expect_read(uint64_t iova, uint32_t len);
void expect_write(uint64_t iova, uint32_t len);

/* DMA that is refused. */
void expect_refused_read(uint64_t iova, uint32_t len, uint8_t reason);
void expect_refused_write(uint64_t iova, uint32_t len, uint8_t reason);

#endif
