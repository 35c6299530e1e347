/* SPDX-License-Identifier: GPL-2.0-only */
/* Protected memory regions: two ranges of memory that no DMA reaches. */
#ifndef DAEMON_VTD_PMR_H
#define DAEMON_VTD_PMR_H

#include "daemon/vtd/regs.h"

/* Whether a byte of [@gpa, @gpa + @size) is protected; @size is not 0. */
bool vtd_pmr_blocks(const struct vtd *vtd, uint64_t gpa, uint64_t size);

vtd_reg_hook vtd_pmen_write;

#endif
