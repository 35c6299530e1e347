/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Invalidation descriptors: low quadword LO, high quadword HI.  256-bit ones
 * have two more above them, in which no type has a field.
 * [VT-d 4.1, "Queued Invalidation Interface"]; positions checked against the
 * headers of Linux's and Xen's VT-d drivers and of QEMU's model.
 */
#ifndef DAEMON_VTD_SPEC_QI_H
#define DAEMON_VTD_SPEC_QI_H

#include "daemon/vtd/bits.h"

#define VTD_QI_DESC_SIZE      16u
#define VTD_QI_DESC_SIZE_WIDE 32u /* IQA.DW */

/* The type is split: bits 6:4 of it stand above bits 3:0. */
#define VTD_QI_TYPE_LOW  VTD_MASK(3, 0)
#define VTD_QI_TYPE_HIGH VTD_MASK(11, 9)

enum vtd_qi_type {
    VTD_QI_CONTEXT = 1,
    VTD_QI_IOTLB = 2,
    VTD_QI_DEV_TLB = 3,
    VTD_QI_IEC = 4,
    VTD_QI_WAIT = 5,
    VTD_QI_PASID_IOTLB = 6,
    VTD_QI_PASID_CACHE = 7,
    VTD_QI_PASID_DEV_TLB = 8,
    VTD_QI_PAGE_RESPONSE = 9,
};

/* "Context-Cache Invalidate Descriptor" */
#define VTD_CC_LO_G    VTD_MASK(5, 4)
#define VTD_CC_LO_DID  VTD_MASK(31, 16)
#define VTD_CC_LO_SID  VTD_MASK(47, 32)
#define VTD_CC_LO_FM   VTD_MASK(49, 48)
#define VTD_CC_LO_RSVD (VTD_MASK(8, 6) | VTD_MASK(15, 12) | VTD_MASK(63, 50))
VTD_LAYOUT("context-cache descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_CC_LO_G, VTD_CC_LO_DID, VTD_CC_LO_SID,
           VTD_CC_LO_FM, VTD_CC_LO_RSVD);

/* "IOTLB Invalidate Descriptor" */
#define VTD_TLB_LO_G    VTD_MASK(5, 4)
#define VTD_TLB_LO_DW   VTD_BIT(6)
#define VTD_TLB_LO_DR   VTD_BIT(7)
#define VTD_TLB_LO_DID  VTD_MASK(31, 16)
#define VTD_TLB_LO_RSVD (VTD_BIT(8) | VTD_MASK(15, 12) | VTD_MASK(63, 32))
#define VTD_TLB_HI_AM   VTD_MASK(5, 0)
#define VTD_TLB_HI_IH   VTD_BIT(6)
#define VTD_TLB_HI_RSVD VTD_MASK(11, 7)
#define VTD_TLB_HI_ADDR VTD_MASK(63, 12)
VTD_LAYOUT("IOTLB descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_TLB_LO_G, VTD_TLB_LO_DW, VTD_TLB_LO_DR,
           VTD_TLB_LO_DID, VTD_TLB_LO_RSVD);
VTD_LAYOUT("IOTLB descriptor, high", UINT64_MAX, VTD_TLB_HI_AM, VTD_TLB_HI_IH,
           VTD_TLB_HI_RSVD, VTD_TLB_HI_ADDR);

/* Granularities of both; CCMD and IOTLB_REG have the same. */
#define VTD_G_RSVD   0u
#define VTD_G_GLOBAL 1u
#define VTD_G_DOMAIN 2u
#define VTD_G_ONE    3u /* IOTLB: page; context cache: device */

/* "Device-TLB Invalidate Descriptor" */
#define VTD_DTLB_LO_PFSID_LO VTD_MASK(15, 12) /* reserved unless ECAP.DIT */
#define VTD_DTLB_LO_MIP      VTD_MASK(20, 16)
#define VTD_DTLB_LO_SID      VTD_MASK(47, 32)
#define VTD_DTLB_LO_PFSID_HI VTD_MASK(63, 52)
#define VTD_DTLB_LO_RSVD     (VTD_MASK(8, 4) | VTD_MASK(31, 21) | VTD_MASK(51, 48))
#define VTD_DTLB_HI_S        VTD_BIT(0)
#define VTD_DTLB_HI_RSVD     VTD_MASK(11, 1)
#define VTD_DTLB_HI_ADDR     VTD_MASK(63, 12)
VTD_LAYOUT("device-TLB descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_DTLB_LO_PFSID_LO, VTD_DTLB_LO_MIP,
           VTD_DTLB_LO_SID, VTD_DTLB_LO_PFSID_HI, VTD_DTLB_LO_RSVD);
VTD_LAYOUT("device-TLB descriptor, high", UINT64_MAX, VTD_DTLB_HI_S,
           VTD_DTLB_HI_RSVD, VTD_DTLB_HI_ADDR);

/* "Interrupt Entry Cache Invalidate Descriptor" */
#define VTD_IEC_LO_G    VTD_BIT(4) /* index-selective; clear: global */
#define VTD_IEC_LO_IM   VTD_MASK(31, 27)
#define VTD_IEC_LO_IIDX VTD_MASK(47, 32)
#define VTD_IEC_LO_RSVD (VTD_MASK(8, 5) | VTD_MASK(26, 12) | VTD_MASK(63, 48))
VTD_LAYOUT("IEC descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW, VTD_QI_TYPE_HIGH,
           VTD_IEC_LO_G, VTD_IEC_LO_IM, VTD_IEC_LO_IIDX, VTD_IEC_LO_RSVD);

/* "Invalidation Wait Descriptor" */
#define VTD_WAIT_LO_IF     VTD_BIT(4)
#define VTD_WAIT_LO_SW     VTD_BIT(5)
#define VTD_WAIT_LO_FN     VTD_BIT(6)
#define VTD_WAIT_LO_PD     VTD_BIT(7) /* reserved unless ECAP.PDS */
#define VTD_WAIT_LO_STDATA VTD_MASK(63, 32)
#define VTD_WAIT_LO_RSVD   (VTD_BIT(8) | VTD_MASK(31, 12))
#define VTD_WAIT_HI_RSVD   VTD_MASK(1, 0)
#define VTD_WAIT_HI_STADDR VTD_MASK(63, 2)
VTD_LAYOUT("wait descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_WAIT_LO_IF, VTD_WAIT_LO_SW, VTD_WAIT_LO_FN,
           VTD_WAIT_LO_PD, VTD_WAIT_LO_STDATA, VTD_WAIT_LO_RSVD);
VTD_LAYOUT("wait descriptor, high", UINT64_MAX, VTD_WAIT_HI_RSVD,
           VTD_WAIT_HI_STADDR);

/* "PASID-based-IOTLB Invalidate Descriptor" */
#define VTD_PTLB_LO_G     VTD_MASK(5, 4)
#define VTD_PTLB_LO_DID   VTD_MASK(31, 16)
#define VTD_PTLB_LO_PASID VTD_MASK(51, 32)
#define VTD_PTLB_LO_RSVD  (VTD_MASK(8, 6) | VTD_MASK(15, 12) | VTD_MASK(63, 52))
#define VTD_PTLB_HI_AM    VTD_MASK(5, 0)
#define VTD_PTLB_HI_IH    VTD_BIT(6)
#define VTD_PTLB_HI_RSVD  VTD_MASK(11, 7)
#define VTD_PTLB_HI_ADDR  VTD_MASK(63, 12)
VTD_LAYOUT("PASID-based-IOTLB descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_PTLB_LO_G, VTD_PTLB_LO_DID, VTD_PTLB_LO_PASID,
           VTD_PTLB_LO_RSVD);
VTD_LAYOUT("PASID-based-IOTLB descriptor, high", UINT64_MAX, VTD_PTLB_HI_AM,
           VTD_PTLB_HI_IH, VTD_PTLB_HI_RSVD, VTD_PTLB_HI_ADDR);

/* 0 and 1 are reserved. */
#define VTD_PTLB_G_PASID 2u
#define VTD_PTLB_G_PAGE  3u

/* "PASID-cache Invalidate Descriptor" */
#define VTD_PC_LO_G     VTD_MASK(5, 4)
#define VTD_PC_LO_DID   VTD_MASK(31, 16)
#define VTD_PC_LO_PASID VTD_MASK(51, 32)
#define VTD_PC_LO_RSVD  (VTD_MASK(8, 6) | VTD_MASK(15, 12) | VTD_MASK(63, 52))
VTD_LAYOUT("PASID-cache descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_QI_TYPE_HIGH, VTD_PC_LO_G, VTD_PC_LO_DID, VTD_PC_LO_PASID,
           VTD_PC_LO_RSVD);

/* 2 is reserved. */
#define VTD_PC_G_DOMAIN 0u
#define VTD_PC_G_PASID  1u
#define VTD_PC_G_GLOBAL 3u

/* "PASID-based-Device-TLB Invalidate Descriptor" */
#define VTD_PDTLB_LO_MIP      VTD_MASK(8, 4)
#define VTD_PDTLB_LO_PFSID_LO VTD_MASK(15, 12) /* reserved unless ECAP.DIT */
#define VTD_PDTLB_LO_SID      VTD_MASK(31, 16)
#define VTD_PDTLB_LO_PASID    VTD_MASK(51, 32)
#define VTD_PDTLB_LO_PFSID_HI VTD_MASK(63, 52)
#define VTD_PDTLB_HI_G        VTD_BIT(0) /* of every PASID */
#define VTD_PDTLB_HI_RSVD     VTD_MASK(10, 1)
#define VTD_PDTLB_HI_S        VTD_BIT(11)
#define VTD_PDTLB_HI_ADDR     VTD_MASK(63, 12)
VTD_LAYOUT("PASID-based-device-TLB descriptor, low", UINT64_MAX,
           VTD_QI_TYPE_LOW, VTD_PDTLB_LO_MIP, VTD_QI_TYPE_HIGH,
           VTD_PDTLB_LO_PFSID_LO, VTD_PDTLB_LO_SID, VTD_PDTLB_LO_PASID,
           VTD_PDTLB_LO_PFSID_HI);
VTD_LAYOUT("PASID-based-device-TLB descriptor, high", UINT64_MAX,
           VTD_PDTLB_HI_G, VTD_PDTLB_HI_RSVD, VTD_PDTLB_HI_S,
           VTD_PDTLB_HI_ADDR);

/* PFSID stands at the same place in both. */
#define VTD_PFSID (VTD_DTLB_LO_PFSID_LO | VTD_DTLB_LO_PFSID_HI)
_Static_assert((VTD_PDTLB_LO_PFSID_LO | VTD_PDTLB_LO_PFSID_HI) == VTD_PFSID,
               "PFSID of the two device-TLB descriptors differs");

/* "Page Group Response Descriptor" */
#define VTD_PGR_LO_PP    VTD_BIT(4) /* PASID present */
#define VTD_PGR_LO_RC    VTD_MASK(15, 12)
#define VTD_PGR_LO_RID   VTD_MASK(31, 16)
#define VTD_PGR_LO_PASID VTD_MASK(51, 32)
#define VTD_PGR_LO_RSVD  (VTD_MASK(8, 5) | VTD_MASK(63, 52))
#define VTD_PGR_HI_LPIG  VTD_BIT(2)
#define VTD_PGR_HI_PRGI  VTD_MASK(11, 3)
#define VTD_PGR_HI_RSVD  (VTD_MASK(1, 0) | VTD_MASK(63, 12))
VTD_LAYOUT("page group response descriptor, low", UINT64_MAX, VTD_QI_TYPE_LOW,
           VTD_PGR_LO_PP, VTD_QI_TYPE_HIGH, VTD_PGR_LO_RC, VTD_PGR_LO_RID,
           VTD_PGR_LO_PASID, VTD_PGR_LO_RSVD);
VTD_LAYOUT("page group response descriptor, high", UINT64_MAX, VTD_PGR_HI_LPIG,
           VTD_PGR_HI_PRGI, VTD_PGR_HI_RSVD);

#endif
