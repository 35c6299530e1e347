/* SPDX-License-Identifier: GPL-2.0-only */
/* What tests of the invalidation queue say about it. */
#ifndef TESTS_SUPPORT_QUEUE_H
#define TESTS_SUPPORT_QUEUE_H

#include "tests/support/model.h"

#define QUEUE_IQE 0x10u /* FSTS */
#define QUEUE_ICE 0x20u
#define QUEUE_ITE 0x40u

/* IQERCD.IQEI */
enum queue_error {
    QUEUE_TAIL = 1,
    QUEUE_FETCH = 2,
    QUEUE_TYPE = 3,
    QUEUE_RSVD = 4,
    QUEUE_WIDTH = 5,
    QUEUE_ALIGN = 6,
    QUEUE_TTM = 7,
};

/* A unit with sinks, and its smallest queue of this width. */
struct model *queue_unit(const struct vtd_config *config, bool wide);

/* The last descriptor was executed, and the queue is fine. */
void queue_assert_done(struct model *model);

/* The queue stands at its last descriptor, in error. */
void queue_assert_error(struct model *model, enum queue_error iqei);

/* Make the last descriptor, which is in error, a fence, and go on. */
void queue_mend(struct model *model);

/* Run one descriptor, which is legal, or is not and does nothing. */
void queue_accepts(struct model *model, uint64_t lo, uint64_t hi);
void queue_refuses(struct model *model, uint64_t lo, uint64_t hi,
                   enum queue_error iqei);

#endif
