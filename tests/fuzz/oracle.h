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
    bool posts;   /* CAP.PI */
    uint64_t top; /* addresses from here on are reserved: 2^HAW */
};

/*
 * Entry @index as it is now.  *fpd is false unless the entry could be read;
 * *route is the decoding, or zero if there is a fault.
 */
enum vtd_fr oracle_decode(const struct oracle *oracle, uint32_t index,
                          struct vtd_route *route, bool *fpd);

/* An entry that posts its requests, and the descriptor it names. */
struct oracle_post {
    uint64_t pid;
    uint8_t vector;
    bool urgent;
    struct vtd_route source; /* nothing but the check of the source id */
};

/*
 * Whether entry @index, which can be read, is such an entry, right or wrong;
 * *fr says which.
 */
bool oracle_is_posted(const struct oracle *oracle, uint32_t index,
                      struct oracle_post *post, enum vtd_fr *fr);

/*
 * What becomes of one request that @post takes: a fault, or VTD_FR_OK and
 * whether a notification is sent.
 */
enum vtd_fr oracle_post(const struct oracle *oracle,
                        const struct oracle_post *post, bool *notify);

bool oracle_same_route(const struct vtd_route *a, const struct vtd_route *b);

bool oracle_sid_passes(const struct vtd_route *route, uint16_t sid);

#endif
