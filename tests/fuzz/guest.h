/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world around a fuzzed unit: guest memory, a consumer of routes and sinks
 * of translations.  All of them check every call that the model makes.
 */
#ifndef TESTS_FUZZ_GUEST_H
#define TESTS_FUZZ_GUEST_H

#include "daemon/vtd/vtd.h"

/* Guest memory is a few pages, where structures of the fuzzer's land. */
#define PAGE_SIZE UINT64_C(4096)
#define PAGES     16
#define RAM_SIZE  (PAGES * PAGE_SIZE)

/* Waits for sinks that are remembered. */
#define WAITS 1024

struct guest {
    struct vtd *vtd;
    struct vtd_config config;
    unsigned unit; /* which, of those that are kept */
    uint8_t ram[RAM_SIZE] __attribute__((aligned(64)));
    unsigned races; /* compare-exchanges to come that somebody wins */

    /* The consumer: routes and the state as told. */
    struct vtd_route route[VTD_IRT_MAX];
    uint64_t routed[VTD_IRT_MAX / 64];
    struct vtd_ir_state state;
    bool state_told;

    /* The sinks: whether they are late, and how often that was told. */
    bool late;
    unsigned waits;

    /* Since the last operation. */
    unsigned reads;
    unsigned writes;
    unsigned exchanges;
    unsigned msis;
    unsigned retries;
    unsigned invalidations;
    unsigned responses;
};

extern struct guest guest;

/*
 * Begin an input: a unit in its reset state and memory of zeroes.  @bits say
 * which unit: a preset, its records and whether it is traced.
 */
void guest_start(uint8_t bits);

/*
 * Another unit like guest.vtd, with the same memory and no other world, in its
 * reset state.
 */
struct vtd *guest_twin(void);

/* Forget what was counted. */
void guest_operation_begin(void);

/* What one register write, or one vtd_run() of as much, costs at most. */
void guest_operation_check(unsigned budget);

/* Rules of the registers that always hold. */
void guest_registers_check(void);

/* The sinks are done with the last wait but @which, in one way or another. */
void guest_acknowledge(unsigned which, enum vtd_sync_status status,
                       uint16_t sid);

bool guest_has(uint64_t gpa, size_t len);
uint64_t guest_quad(uint64_t gpa);
void guest_quad_set(uint64_t gpa, uint64_t val);
uint32_t guest_read4(uint32_t off);
uint64_t guest_read8(uint32_t off);
void guest_write4(uint32_t off, uint64_t val);
void guest_write8(uint32_t off, uint64_t val);

/* A route for @index stands at the consumer. */
bool guest_route_stands(uint32_t index);

/* Stop here if a rule is broken. */
void guest_check(bool holds, const char *file, int line, const char *what);
#define CHECK(condition) guest_check(condition, __FILE__, __LINE__, #condition)

#endif
