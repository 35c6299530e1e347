/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt remapping table entries of the posted format, and the descriptor
 * that they name.  Fields that both formats have are in spec-ir.h.
 * [VT-d 4.1, "Interrupt Remapping Table Entry (IRTE) for Posted Interrupts"
 * and "Posted Interrupt Descriptor (PID)"]; positions checked against the
 * headers of Linux's and Xen's VT-d drivers.
 */
#ifndef DAEMON_VTD_SPEC_PI_H
#define DAEMON_VTD_SPEC_PI_H

#include "daemon/vtd/spec-ir.h"

#define VTD_PIRTE_LO_URG  VTD_BIT(14)
#define VTD_PIRTE_LO_VV   VTD_MASK(23, 16)
#define VTD_PIRTE_LO_RSVD (VTD_MASK(7, 2) | VTD_MASK(13, 12) | VTD_MASK(37, 24))
#define VTD_PIRTE_LO_PDAL VTD_MASK(63, 38) /* bits 31:6 of the address */
VTD_LAYOUT("posted entry, low", UINT64_MAX, VTD_IRTE_LO_P | VTD_IRTE_LO_FPD,
           VTD_IRTE_LO_AVAIL, VTD_PIRTE_LO_URG, VTD_IRTE_LO_IM, VTD_PIRTE_LO_VV,
           VTD_PIRTE_LO_RSVD, VTD_PIRTE_LO_PDAL);

#define VTD_PIRTE_HI_RSVD VTD_MASK(31, 20)
#define VTD_PIRTE_HI_PDAH VTD_MASK(63, 32) /* bits 63:32 of the address */
VTD_LAYOUT("posted entry, high", UINT64_MAX, VTD_IRTE_HI_SID, VTD_IRTE_HI_SQ,
           VTD_IRTE_HI_SVT, VTD_PIRTE_HI_RSVD, VTD_PIRTE_HI_PDAH);

/* The descriptor: four quadwords of requests, one of control, three reserved. */
#define VTD_PID_SIZE    64u
#define VTD_PID_CONTROL 32u /* offset of the control quadword */

#define VTD_PID_ON   VTD_BIT(0)
#define VTD_PID_SN   VTD_BIT(1)
#define VTD_PID_NV   VTD_MASK(23, 16)
#define VTD_PID_NDST VTD_MASK(63, 32)
#define VTD_PID_RSVD (VTD_MASK(15, 2) | VTD_MASK(31, 24))
VTD_LAYOUT("posted descriptor, control", UINT64_MAX, VTD_PID_ON, VTD_PID_SN,
           VTD_PID_NV, VTD_PID_NDST, VTD_PID_RSVD);
/* With IRTA.EIME clear the destination is 8 bits and the rest reserved. */
#define VTD_PID_NDST_XAPIC VTD_MASK(47, 40)
#define VTD_PID_RSVD_XAPIC (VTD_PID_NDST & ~VTD_PID_NDST_XAPIC)

#endif
