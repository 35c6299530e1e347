/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on DMA remapping, written from the specification and
 * deliberately simple: it reads the bytes of guest memory, keeps nothing, and
 * uses no mask, no table and no function of the model's, so that a mistake in
 * one of them shows.
 *
 * What it reads may be of different ages, as it is for a unit with caches:
 * the structures that name the tables, the upper tables, and the lowest one
 * that a walk reaches each come from a memory of their own.
 */
#ifndef TESTS_PROPERTY_ORACLE_H
#define TESTS_PROPERTY_ORACLE_H

#include "daemon/vtd/vtd.h"

/* Root table mode, as RTADDR encodes it. */
enum ora_mode {
    ORA_LEGACY = 0,
    ORA_SCALABLE = 1,
    ORA_RSVD = 2,
    ORA_ABORT = 3
};

/*
 * What counts from one access to the next, without an invalidation: TE, and
 * the protected regions, by the registers of the low and of the high one.
 */
struct ora_switches {
    bool enabled;
    bool protects;
    uint64_t base[2], limit[2];
};

/* Guest memory at one moment, and the root table that was latched then. */
struct ora_world {
    const struct vtd_config *config;
    const struct ora_switches *switches; /* as they are now */
    const uint8_t *ram;
    uint64_t ram_size;
    uint64_t root;
    uint8_t mode;
};

enum ora_kind {
    ORA_PASS,
    ORA_SECOND,
    ORA_FIRST,
    ORA_NESTED
};

/* What a request translates through, or the fault on the way there. */
struct ora_context {
    enum vtd_fr fr;
    bool silent; /* the record is suppressed, or there is none of it */
    bool fpd;    /* of the entries that were reached */
    bool scalable;
    enum ora_kind kind;
    uint64_t first, second; /* top tables */
    unsigned first_levels, second_levels;
    uint32_t pasid;
    uint16_t did;
    bool super; /* the request is a supervisor's */
    bool ere, wpe, eafe, ssade, walk_snoop, page_snoop, ats;
};

/* An A or D bit that the walk sets. */
struct ora_mark {
    uint64_t gpa;
    uint64_t bits;
};

/*
 * Five tries for a device, each of five levels and a page, and each of these
 * through five levels of the second stage, once to read and once to set flags.
 */
#define ORA_MARKS 300u

struct ora_answer {
    enum vtd_fr fr;
    bool silent;
    struct vtd_dma_resp resp;
    unsigned lowest; /* level of the lowest table that was read */
    /*
     * Entries whose D bit must be set before anybody writes: a read need not
     * set it, but then must not grant the write either.
     */
    unsigned dirties;
    struct ora_mark dirty[2];
    unsigned marks;
    struct ora_mark mark[ORA_MARKS];
};

/* Where the last ora_context() and ora_walk() read, in order. */
#define ORA_READS 128u
struct ora_trace {
    unsigned n;
    uint64_t gpa[ORA_READS];
};
extern struct ora_trace ora_trace;

void ora_context(const struct ora_world *world, const struct vtd_dma_req *req,
                 struct ora_context *ctx);

/*
 * Where tables are read: those above level @cut in @upper, but that of level 2
 * in @middle if there is one, and the others in @lower.  A @cut of 0 takes all
 * from @upper.
 */
struct ora_ages {
    const struct ora_world *upper, *middle, *lower;
    unsigned cut;
};

void ora_walk(const struct ora_ages *ages, const struct ora_context *ctx,
              const struct vtd_dma_req *req, struct ora_answer *answer);

/* The same where all is of one age. */
void ora_walk_now(const struct ora_world *world, const struct ora_context *ctx,
                  const struct vtd_dma_req *req, struct ora_answer *answer);

#endif
