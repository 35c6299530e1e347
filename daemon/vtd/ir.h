/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupt remapping: table entries and requests. */
#ifndef DAEMON_VTD_IR_H
#define DAEMON_VTD_IR_H

#include "daemon/vtd/priv.h"
#include "daemon/vtd/spec-ir.h"

/* Set what follows from @irt->eime. */
void vtd_irt_set_mode(struct vtd_irt *irt);

/* Copy entry @index, which lies in the latched table.  0 or -EFAULT. */
static inline int
vtd_irte_read(const struct vtd *vtd, uint64_t index, uint64_t raw[2])
{
    return vtd->ops->mem_read(vtd->ctx, vtd->irt.base + index * VTD_IRTE_SIZE,
                              raw, VTD_IRTE_SIZE);
}

/*
 * Decode an entry of a table latched as @irt.  VTD_FR_OK, or
 * VTD_FR_IR_NOT_PRESENT or VTD_FR_IR_ENTRY_RSVD; *route is written in the
 * first case only, but for its index.
 */
enum vtd_fr vtd_irte_decode(const struct vtd_irt *irt, const uint64_t raw[2],
                            struct vtd_route *route);

#endif
