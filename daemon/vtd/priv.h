/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of a unit.  Private to this directory; each member names the one
 * file that changes it.
 */
#ifndef DAEMON_VTD_PRIV_H
#define DAEMON_VTD_PRIV_H

#include "daemon/vtd/dma.h"
#include "daemon/vtd/qi-desc.h"
#include "daemon/vtd/spec-regs.h"
#include "daemon/vtd/sync.h"
#include "daemon/vtd/walk.h"

/*
 * Registers and structures in guest memory are little-endian, and are read
 * without conversion.
 */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the model runs on the guest's architecture");

/* Descriptors run inside one register write; see vtd_mmio_write(). */
#define VTD_WRITE_BUDGET 256u

#define VTD_PAGE_DWORDS (VTD_MMIO_SIZE / 4 + 2)

/* What SIRTP latched; gcmd.c.  IRTA itself is never consulted for it. */
struct vtd_irt {
    uint64_t base;
    uint64_t lo_rsvd;   /* reserved bits of an entry's low quadword */
    uint8_t dest_shift; /* where its destination begins */
    uint32_t entries;   /* 0: none latched since reset */
    bool eime;
};

/*
 * The routes that the owner was told; route.c.  An entry is kept as guest
 * memory had it, for comparison; one that is not announced, its bit in @map
 * being clear, is zero in the first quadword.
 */
struct vtd_routes {
    uint64_t entry[VTD_IRT_MAX][2];
    uint64_t map[VTD_IRT_MAX / 64];
    unsigned count;       /* bits set in @map */
    unsigned batch_count; /* changes not yet passed to the owner */
    struct vtd_route batch[VTD_ROUTE_BATCH];
};

struct vtd {
    struct vtd_dma dma; /* caches; dma.c.  First: cache lines are aligned */

    /* Constant after vtd_create(). */
    void *block; /* what was allocated */
    const struct vtd_ops *ops;
    void *ctx;
    void (*trace)(void *ctx, enum vtd_event ev, const uint64_t arg[4]);
    struct vtd_config config;
    /*
     * Its state is written by vtd_state_publish(): the root that SRTP latched,
     * gcmd.c, and protected memory, pmr.c.  Its counters, by inv.c.
     */
    struct vtd_view *view;
    struct vtd_desc_types desc_types[2]; /* second: 256-bit descriptors */

    struct vtd_irt irt;
    struct vtd_ir_state ir_told; /* what the owner was told last; gcmd.c */
    unsigned fault_next;         /* record that the next fault uses; fault.c */
    struct vtd_fault fault_last; /* of DMA, for an inspector; fault.c */
    uint64_t fault_count;        /* such faults; fault.c */
    uint32_t status;             /* of a wait descriptor; qi-desc.c */
    /*
     * The one copy of what was read last from guest memory, or is written to
     * it.  Not on the stack: the protection that an array there gets costs a
     * tenth of the operations that these are for.
     */
    uint64_t irte[2];     /* an entry; ir.c and route.c */
    uint64_t desc[8];     /* descriptors; qi.c */
    uint64_t wait[2];     /* the one that waits for sinks; qi-desc.c */
    struct vtd_inv inv;   /* an invalidation; inv.c */
    struct vtd_sync sync; /* who waits for sinks; sync.c */
    uint64_t stat[VTD_STAT_COUNT];
    /*
     * The register page as software sees it, and the bits of it that software
     * sets and clears (regs.def's rw as this unit has it; caps.c).  regs.h has
     * the accessors.  Two dwords more, so that 8 bytes can be read at any
     * offset.
     */
    uint32_t page[VTD_PAGE_DWORDS];
    uint32_t rw[VTD_PAGE_DWORDS];
    struct vtd_routes routes;
};

/* Pass one event to the tracer.  Out of line: tracing is off as a rule. */
void vtd_trace_emit(const struct vtd *vtd, enum vtd_event ev, uint64_t a,
                    uint64_t b, uint64_t c, uint64_t d);

#define VTD_TRACE(vtd, ev, a, b, c, d)                    \
    do {                                                  \
        if (__builtin_expect((vtd)->trace != NULL, 0))    \
            vtd_trace_emit(vtd, VTD_EV_##ev, a, b, c, d); \
    } while (0)

#endif
