/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One invalidation, whoever asks for it: descriptors, registers, SRTP.  What
 * the model has cached is void when a function returns; sinks are told, and
 * waiting for them is sync.h's.
 */
#ifndef DAEMON_VTD_INV_H
#define DAEMON_VTD_INV_H

#include "daemon/vtd/vtd.h"

/* vtd_inv.shift of one page, and of every address. */
#define VTD_INV_SHIFT_PAGE 12u
#define VTD_INV_SHIFT_ALL  64u

void vtd_inv_announce(struct vtd *vtd, const struct vtd_inv *inv);

/* Every translation is void: VTD_INV_ROOT. */
void vtd_inv_announce_root(struct vtd *vtd);

/*
 * As a context-cache descriptor and CCMD have it: granularity @g, VTD_G_*.
 * False, and nothing done, if it is reserved.
 */
bool vtd_inv_context(struct vtd *vtd, unsigned g, uint16_t did, uint16_t sid,
                     unsigned fm);

/*
 * As an IOTLB descriptor and the IOTLB registers have it: granularity @g,
 * VTD_G_*, and address, hint and mask in @iva, laid out as in IVA.  False, and
 * nothing done, if it is reserved, or the mask beyond CAP.MAMV.
 */
bool vtd_inv_iotlb(struct vtd *vtd, unsigned g, uint16_t did, uint64_t iva);

/* The address of @iva, with the bits below 2^@shift cleared. */
static inline uint64_t
vtd_inv_base(uint64_t iva, unsigned shift)
{
    return shift < VTD_INV_SHIFT_ALL ? iva >> shift << shift : 0;
}

#endif
