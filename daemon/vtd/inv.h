/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One invalidation, whoever asks for it: descriptors, registers, SRTP.  What
 * the model has cached is void when a function returns; sinks are told, and
 * waiting for them is sync.h's.
 */
#ifndef DAEMON_VTD_INV_H
#define DAEMON_VTD_INV_H

#include "daemon/vtd/vtd.h"

void vtd_inv_announce(struct vtd *vtd, const struct vtd_inv *inv);

/* Every translation is void: VTD_INV_ROOT. */
void vtd_inv_announce_root(struct vtd *vtd);

/*
 * Execute a descriptor without reserved bits set, or a register that says the
 * same.  They return as vtd_desc_run does: negative, and nothing
 * was done, for a reserved granularity or a mask out of bounds.
 */
int vtd_inv_context(struct vtd *vtd, uint64_t lo, uint64_t hi);
int vtd_inv_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi);
int vtd_inv_pasid_cache(struct vtd *vtd, uint64_t lo, uint64_t hi);
int vtd_inv_pasid_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi);
int vtd_inv_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi);
int vtd_inv_pasid_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi);

#endif
