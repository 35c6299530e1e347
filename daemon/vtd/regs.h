/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The register file: storage and masks.  What a write does besides is in the
 * hooks that regs.def names.
 */
#ifndef DAEMON_VTD_REGS_H
#define DAEMON_VTD_REGS_H

#include <string.h>

#include "daemon/vtd/priv.h"

/*
 * Called after a write.  @written is what software wrote, with the bits that
 * the access did not cover cleared; @cleared are those that it cleared by
 * writing one.
 */
typedef void vtd_reg_hook(struct vtd *vtd, uint64_t written, uint64_t cleared);

struct vtd_reg_desc {
    const char *name;
    uint16_t off;
    uint8_t size;   /* 4 or 8 */
    uint8_t layout; /* enum vtd_layout */
    uint8_t need;   /* enum vtd_need */
    uint64_t reset;
    uint64_t rw;
    uint64_t w1c;
};

extern const struct vtd_reg_desc vtd_reg_table[VTD_REG_COUNT];

static inline uint32_t
vtd_reg32(const struct vtd *vtd, enum vtd_reg_off off)
{
    return vtd->page[off / 4];
}

static inline void
vtd_reg32_set(struct vtd *vtd, enum vtd_reg_off off, uint64_t val)
{
    vtd->page[off / 4] = (uint32_t)val;
}

static inline uint64_t
vtd_reg64(const struct vtd *vtd, enum vtd_reg_off off)
{
    uint64_t val;

    memcpy(&val, &vtd->page[off / 4], sizeof(val));
    return val;
}

static inline void
vtd_reg64_set(struct vtd *vtd, enum vtd_reg_off off, uint64_t val)
{
    memcpy(&vtd->page[off / 4], &val, sizeof(val));
}

/* Set every register that the unit has to its value after reset. */
void vtd_regs_reset(struct vtd *vtd);

/* Whether a unit has the register of vtd_reg_table[@row], and its value. */
bool vtd_reg_is_present(const struct vtd_config *config, unsigned row);

static inline uint64_t
vtd_reg_row_value(const struct vtd *vtd, unsigned row)
{
    const struct vtd_reg_desc *desc = &vtd_reg_table[row];

    return desc->size == 8 ? vtd_reg64(vtd, desc->off)
                           : vtd_reg32(vtd, desc->off);
}

#endif
