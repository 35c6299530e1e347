/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on interrupt remapping, written from the specification and
 * deliberately simple: it looks at the bytes of an entry and uses no mask and
 * no table of the model's, so that a mistake in one of them shows.
 */
#ifndef TESTS_FUZZ_ORACLE_H
#define TESTS_FUZZ_ORACLE_H

#include "daemon/vtd/vtd.h"

/* Guest memory, and what SIRTP latched last. */
struct oracle {
    const uint8_t *ram;
    uint64_t ram_size;
    uint64_t base;
    uint32_t entries;
    bool eime;
};

/*
 * Entry @index as it is now.  *fpd is false unless the entry could be read;
 * *route is the decoding, or zero if there is a fault.
 */
enum vtd_fr oracle_decode(const struct oracle *oracle, uint32_t index,
                          struct vtd_route *route, bool *fpd);

bool oracle_same_route(const struct vtd_route *a, const struct vtd_route *b);

bool oracle_sid_passes(const struct vtd_route *route, uint16_t sid);

#endif
