/* SPDX-License-Identifier: GPL-2.0-only */
/* Fault recording: the only owner of FSTS, IQERCD and the fault records. */
#ifndef DAEMON_VTD_FAULT_H
#define DAEMON_VTD_FAULT_H

#include "daemon/vtd/regs.h"

/* Record a fault of a DMA or page request. */
void vtd_fault_record_dma(struct vtd *vtd, const struct vtd_fault *fault);

/* Record a fault of an interrupt request. */
void vtd_fault_record(struct vtd *vtd, enum vtd_fr reason, uint16_t sid,
                      uint32_t index);

/* Faults were lost before they reached the unit: an overflow. */
void vtd_fault_lost(struct vtd *vtd);

/* The invalidation queue stops. */
void vtd_fault_queue_error(struct vtd *vtd, enum vtd_iqei iqei);

/* The device TLB of @sid did not answer, or answered what makes no sense. */
void vtd_fault_timeout(struct vtd *vtd, uint16_t sid);
void vtd_fault_completion(struct vtd *vtd, uint16_t sid);

vtd_reg_hook vtd_fsts_write;
vtd_reg_hook vtd_frcd_write;

#endif
