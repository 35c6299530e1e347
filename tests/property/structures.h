/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random remapping structures: mostly right, so that walks go far, and wrong
 * now and then in every way that a flipped bit can make them.
 *
 * Domain ids are used as the specification demands it of software: what one
 * domain (or one PASID of it) translates through is the same wherever it
 * stands, because units may share what they cached of it.
 */
#ifndef TESTS_PROPERTY_STRUCTURES_H
#define TESTS_PROPERTY_STRUCTURES_H

#include "tests/property/guest.h"

/* Fill everything, before the unit looks. */
void structures_fill(void);

/* Rewrite, damage or retouch the entry at @gpa, in a new moment. */
void structures_change(uint64_t gpa);

/* Where some entry is that requests come by. */
uint64_t structures_pick(void);

/* A root table for @mode. */
uint64_t structures_root(uint8_t mode);

/* A request for what the structures may have. */
void structures_request(struct vtd_dma_req *req);

/* An address of the input of a stage. */
uint64_t structures_iova(bool first);

#endif
