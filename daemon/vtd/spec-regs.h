/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Register offsets and field masks, from regs.def and fields.def, and the
 * values that fields take.  [VT-d 4.1, "Register Descriptions"]
 */
#ifndef DAEMON_VTD_SPEC_REGS_H
#define DAEMON_VTD_SPEC_REGS_H

#include "daemon/vtd/bits.h"

/* VTD_GSTS_IRES and so on.  64-bit enumerators are a GNU extension. */
enum vtd_field_mask {
#define FIELD(layout, name, hi, lo) VTD_##layout##_##name = VTD_MASK(hi, lo),
#include "daemon/vtd/fields.def"
#undef FIELD
};

/* VTD_REG_GSTS, the row in regs.def, and VTD_OFF_GSTS. */
enum vtd_reg {
#define REG32(name, ...) VTD_REG_##name,
#define REG64(name, ...) VTD_REG_##name,
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
    VTD_REG_COUNT
};

enum vtd_reg_off {
#define REG32(name, off, ...) VTD_OFF_##name = (off),
#define REG64(name, off, ...) VTD_OFF_##name = (off),
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
};

/* One fault record: its low and its high quadword. */
#define VTD_FRCD_SIZE 16u

/* Status bits of FSTS that are cause of the fault event. */
#define VTD_FSTS_STATUS \
    (VTD_FSTS_ITE | VTD_FSTS_ICE | VTD_FSTS_IQE | VTD_FSTS_PPF | VTD_FSTS_PFO)

/*
 * IQERCD.IQEI, why FSTS.IQE was set.
 * [VT-d 4.1, "Invalidation Queue Error Record Register"]
 */
enum vtd_iqei {
    VTD_IQEI_NONE = 0,
    VTD_IQEI_TAIL = 1,  /* tail pointer outside the queue */
    VTD_IQEI_FETCH = 2, /* descriptor cannot be read */
    VTD_IQEI_TYPE = 3,  /* invalid descriptor type */
    VTD_IQEI_RSVD = 4,  /* reserved bit, reserved or out-of-range value */
    VTD_IQEI_WIDTH = 5, /* 128-bit descriptors in scalable mode */
    VTD_IQEI_ALIGN = 6, /* tail pointer not at a 256-bit descriptor */
    VTD_IQEI_TTM = 7,   /* reserved RTADDR.TTM */
};

#endif
