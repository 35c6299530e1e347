/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The saved state of a unit: little-endian quadwords, in this order.
 *
 *   VTD_STATE_MAGIC
 *   format  VTD_STATE_VERSION and, above it, the length of all in bytes
 *   unit    a hash of the configuration and of the list of registers: what a
 *           unit must have in common with the saved one
 *   each register of regs.def, whether the unit has it or not
 *   each latch of enum vtd_latch
 *   check   a hash of all before it
 *
 * Both hashes are FNV-1a of 64 bits, over bytes.  They find damage, not
 * malice: what is loaded is checked as if the guest had written it.
 */
#ifndef DAEMON_VTD_STATE_H
#define DAEMON_VTD_STATE_H

#include "daemon/vtd/regs.h"

#define VTD_STATE_MAGIC   UINT64_C(0x6574617473647476) /* "vtdstate" */
#define VTD_STATE_VERSION 1u

/* What a unit knows and no register tells. */
enum vtd_latch {
    VTD_LATCH_IRTA,       /* as SIRTP found it */
    VTD_LATCH_RTADDR,     /* as SRTP found it */
    VTD_LATCH_FAULT_NEXT, /* the record that the next fault uses */
    VTD_LATCH_SYNC,       /* who waits for sinks: vtd_sync_save() */
    VTD_LATCH_COUNT
};

/* In the first two, at bits that their registers reserve. */
#define VTD_LATCH_VALID   VTD_BIT(63) /* without it all of it is 0 */
#define VTD_LATCH_ENABLED VTD_BIT(62) /* RTADDR: software wants TE */

/* The blob, as an array of quadwords. */
enum vtd_state_quad {
    VTD_STATE_QUAD_MAGIC,
    VTD_STATE_QUAD_FORMAT,
    VTD_STATE_QUAD_UNIT,
    VTD_STATE_QUAD_REGS,
    VTD_STATE_QUAD_LATCHES = VTD_STATE_QUAD_REGS + VTD_REG_COUNT,
    VTD_STATE_QUAD_CHECK = VTD_STATE_QUAD_LATCHES + VTD_LATCH_COUNT,
    VTD_STATE_QUADS
};

#define VTD_STATE_SIZE (VTD_STATE_QUADS * sizeof(uint64_t))
_Static_assert(VTD_STATE_SIZE < 4096, "more than the keeper has room for");

uint64_t vtd_state_hash(uint64_t hash, const void *bytes, size_t len);
#define VTD_STATE_HASH_EMPTY UINT64_C(0xcbf29ce484222325)

#endif
