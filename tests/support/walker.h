/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walks without a unit: flat memory with structures in it, and a switch for
 * each thing that may go wrong.
 */
#ifndef TESTS_SUPPORT_WALKER_H
#define TESTS_SUPPORT_WALKER_H

#include "daemon/vtd/walk.h"
#include "tests/support/tables.h"

#define WALKER_RAM UINT64_C(0x400000)

struct walker {
    uint8_t ram[WALKER_RAM];
    struct tables tables;
    struct vtd_config config;
    struct vtd_ops ops;
    struct vtd_walk_env env;
    uint64_t bad_gpa; /* the quadword here cannot be accessed; 0: none */
    uint64_t ro_gpa;  /* the quadword here cannot be written; 0: none */
    /*
     * A guest that races: in the next @races exchanges, and in these only, the
     * quadword changes by @race_flip just before.
     */
    unsigned races;
    uint64_t race_flip;
    unsigned reads, exchanges;

    /* What the next access is, and what came of it. */
    struct vtd_dma_req req;
    struct vtd_dma_ctx ctx;
    struct vtd_walk_hint hint;
    struct vtd_page page;
    enum vtd_fr recorded; /* what a walk found whose steps were recorded */
};

/* Every capability that a walk looks at; 48 bits of host, 57 of guest. */
extern const struct vtd_config walker_config;

/* cmocka fixtures: *state is a struct walker of walker_config. */
int walker_setup(void **state);
int walker_teardown(void **state);
#define WALKER_TEST(f) \
    cmocka_unit_test_setup_teardown(f, walker_setup, walker_teardown)

/* Resolve w->req, and walk for w->ctx with what w->req needs and no hint. */
enum vtd_fr walker_resolve(struct walker *w);
enum vtd_fr walker_walk(struct walker *w, uint64_t iova, uint8_t need);

uint64_t walker_q(const struct walker *w, uint64_t gpa);
void walker_q_set(struct walker *w, uint64_t gpa, uint64_t val);
/* Flip @bits, and back. */
void walker_flip(struct walker *w, uint64_t gpa, uint64_t bits);

#endif
