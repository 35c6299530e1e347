/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptor that a page request becomes: two quadwords, and two that are
 * zero.  [VT-d 4.1, "Page Request Descriptor"]; positions checked against
 * Linux's VT-d driver.
 */
#ifndef DAEMON_VTD_SPEC_PRQ_H
#define DAEMON_VTD_SPEC_PRQ_H

#include "daemon/vtd/bits.h"

#define VTD_PRQ_DESC_SIZE 32u

/* Bytes of the smallest queue: PQA.PQS = 0. */
#define VTD_PRQ_SIZE_MIN 4096u

#define VTD_PRQ_TYPE_REQUEST 1u

#define VTD_PRQ_LO_TYPE  VTD_MASK(7, 0)
#define VTD_PRQ_LO_PP    VTD_BIT(8)
#define VTD_PRQ_LO_RID   VTD_MASK(31, 16)
#define VTD_PRQ_LO_PASID VTD_MASK(51, 32)
#define VTD_PRQ_LO_EXR   VTD_BIT(52)
#define VTD_PRQ_LO_PMR   VTD_BIT(53)
#define VTD_PRQ_LO_RSVD  (VTD_MASK(15, 9) | VTD_MASK(63, 54))
VTD_LAYOUT("page request, low", UINT64_MAX, VTD_PRQ_LO_TYPE, VTD_PRQ_LO_PP,
           VTD_PRQ_LO_RID, VTD_PRQ_LO_PASID, VTD_PRQ_LO_EXR, VTD_PRQ_LO_PMR,
           VTD_PRQ_LO_RSVD);

#define VTD_PRQ_HI_RDR  VTD_BIT(0)
#define VTD_PRQ_HI_WRR  VTD_BIT(1)
#define VTD_PRQ_HI_LPIG VTD_BIT(2)
#define VTD_PRQ_HI_PRGI VTD_MASK(11, 3)
#define VTD_PRQ_HI_ADDR VTD_MASK(63, 12)
VTD_LAYOUT("page request, high", UINT64_MAX, VTD_PRQ_HI_RDR, VTD_PRQ_HI_WRR,
           VTD_PRQ_HI_LPIG, VTD_PRQ_HI_PRGI, VTD_PRQ_HI_ADDR);

#endif
