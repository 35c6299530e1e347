/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world around a fuzzed unit: guest memory and a consumer of routes, which
 * checks every call that the model makes.
 */
#ifndef TESTS_FUZZ_GUEST_H
#define TESTS_FUZZ_GUEST_H

#include "daemon/vtd/vtd.h"

/* Guest memory is a few pages, where structures of the fuzzer's land. */
#define PAGE_SIZE UINT64_C(4096)
#define PAGES     16
#define RAM_SIZE  (PAGES * PAGE_SIZE)

struct guest {
    struct vtd *vtd;
    struct vtd_config config;
    uint8_t ram[RAM_SIZE];

    /* The consumer: routes and the state as told. */
    struct vtd_route route[VTD_IRT_MAX];
    uint64_t routed[VTD_IRT_MAX / 64];
    struct vtd_ir_state state;
    bool state_told;

    /* Since the last operation. */
    unsigned reads;
    unsigned writes;
    unsigned msis;
    unsigned retries;
};

extern struct guest guest;

/* The ops for it; its context is &guest.  One pair with a tracer. */
extern const struct vtd_ops guest_quiet_ops;
extern const struct vtd_ops guest_traced_ops;

bool guest_has(uint64_t gpa, size_t len);

/* A route for @index stands at the consumer. */
bool guest_route_stands(uint32_t index);

/* Stop here if a rule is broken. */
void guest_check(bool holds, const char *file, int line, const char *what);
#define CHECK(condition) guest_check(condition, __FILE__, __LINE__, #condition)

#endif
