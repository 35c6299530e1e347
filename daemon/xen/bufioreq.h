/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The consumer of a buffered ioreq ring: one page, Xen produces, we consume.
 */
#ifndef DAEMON_XEN_BUFIOREQ_H
#define DAEMON_XEN_BUFIOREQ_H

#include <stdbool.h>
#include <stdint.h>

struct buffered_iopage;

/* One record, copied from the ring. */
struct bufioreq_record {
    uint8_t type;
    uint32_t addr; /* 20 bits */
    uint32_t data;
};

/*
 * Take the oldest record off the ring.  False if there is none.  The ring was
 * made with HVM_IOREQSRV_BUFIOREQ_ATOMIC.
 */
bool bufioreq_take(struct buffered_iopage *page,
                   struct bufioreq_record *record);

#endif
