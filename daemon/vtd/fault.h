/* SPDX-License-Identifier: GPL-2.0-only */
/* Fault recording: the only owner of FSTS, IQERCD and the fault records. */
#ifndef DAEMON_VTD_FAULT_H
#define DAEMON_VTD_FAULT_H

#include "daemon/vtd/regs.h"

/* T1 and T2 of a record. [VT-d 4.1, "Fault Recording Registers"] */
enum vtd_fault_type {
    VTD_FAULT_WRITE = 0,
    VTD_FAULT_PAGE = 1, /* a page request */
    VTD_FAULT_READ = 2,
    VTD_FAULT_ATOMIC = 3,
};

/* A fault of a DMA or page request. */
struct vtd_fault {
    uint64_t addr;  /* its page is recorded */
    uint32_t pasid; /* or VTD_NO_PASID */
    uint16_t sid;
    uint8_t reason; /* enum vtd_fr */
    uint8_t type;   /* enum vtd_fault_type */
    uint8_t at;     /* enum vtd_at */
    bool exec;      /* these two count with a PASID only */
    bool privileged;
};

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
