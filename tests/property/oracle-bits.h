/* SPDX-License-Identifier: GPL-2.0-only */
/* What both halves of the oracle read and compare with. */
#ifndef TESTS_PROPERTY_ORACLE_BITS_H
#define TESTS_PROPERTY_ORACLE_BITS_H

#include "tests/property/oracle.h"

/* Copy @n quadwords at @gpa; false if there is no memory. */
bool ora_fetch(const struct ora_world *world, uint64_t gpa, uint64_t *quad,
               unsigned n);

/* Whether FPD keeps a fault out of the records. */
bool ora_fpd_counts(enum vtd_fr fr);

/* Whether @addr lies where nothing gets that is translated by nothing. */
bool ora_is_protected(const struct ora_world *world, uint64_t addr);

/* What becomes of @req while remapping is disabled. */
void ora_disabled(const struct ora_world *world, const struct vtd_dma_req *req,
                  struct ora_answer *answer);

/*
 * What becomes of a device's question: many faults are no faults to it, but an
 * answer.  Of some the rest of what it asks for may be had.
 */
enum ora_lot {
    ORA_REFUSED,
    ORA_NOTHING,
    ORA_LESS,
    ORA_RECORDED
};
enum ora_lot ora_lot(enum vtd_fr fr);

/* Bits of the addresses that the second stage takes. */
unsigned ora_second_width(const struct ora_world *world,
                          const struct ora_context *ctx);

static inline uint64_t
bits(uint64_t val, unsigned high, unsigned low)
{
    return val << (63 - high) >> (63 - high + low);
}

static inline bool
bit(uint64_t val, unsigned n)
{
    return val >> n & 1;
}

/* Address bits that no memory of the unit has. */
static inline bool
too_wide(const struct ora_world *world, uint64_t val)
{
    return bits(val, 51, 12) >> (world->config->haw - 12);
}

#endif
