/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt requests and interrupt remapping table entries.
 * [VT-d 4.1, "Interrupt Requests Format on Intel 64 Platforms" and "Interrupt
 * Remapping Table Entry (IRTE) for Remapped Interrupts"]; positions checked
 * against the headers of Linux's and Xen's VT-d drivers.
 */
#ifndef DAEMON_VTD_SPEC_IR_H
#define DAEMON_VTD_SPEC_IR_H

#include "daemon/vtd/bits.h"

/* The address of either format. */
#define VTD_MSI_ADDR_BASE   VTD_MASK(63, 20)
#define VTD_MSI_ADDR_FIXED  UINT64_C(0xfee00000)
#define VTD_MSI_ADDR_FORMAT VTD_BIT(4) /* set: remappable */

/* Remappable format. */
#define VTD_RMSI_ADDR_HANDLE    VTD_MASK(19, 5) /* bits 14:0 of it */
#define VTD_RMSI_ADDR_SHV       VTD_BIT(3)
#define VTD_RMSI_ADDR_HANDLE_15 VTD_BIT(2)
#define VTD_RMSI_DATA_SUBHANDLE VTD_MASK(15, 0)
#define VTD_RMSI_DATA_RSVD      VTD_MASK(31, 16)

/* Compatibility format. */
#define VTD_CMSI_ADDR_DEST VTD_MASK(19, 12)
#define VTD_CMSI_ADDR_RH   VTD_BIT(3)
#define VTD_CMSI_ADDR_DM   VTD_BIT(2)
#define VTD_CMSI_DATA_V    VTD_MASK(7, 0)
#define VTD_CMSI_DATA_DLM  VTD_MASK(10, 8)
#define VTD_CMSI_DATA_TM   VTD_BIT(15)

#define VTD_IRTE_SIZE 16u

#define VTD_IRTE_LO_P     VTD_BIT(0)
#define VTD_IRTE_LO_FPD   VTD_BIT(1)
#define VTD_IRTE_LO_DM    VTD_BIT(2)
#define VTD_IRTE_LO_RH    VTD_BIT(3)
#define VTD_IRTE_LO_TM    VTD_BIT(4)
#define VTD_IRTE_LO_DLM   VTD_MASK(7, 5)
#define VTD_IRTE_LO_AVAIL VTD_MASK(11, 8)
#define VTD_IRTE_LO_IM    VTD_BIT(15) /* reserved unless CAP.PI */
#define VTD_IRTE_LO_V     VTD_MASK(23, 16)
#define VTD_IRTE_LO_DST   VTD_MASK(63, 32)
/* With IRTA.EIME clear the destination is 8 bits and the rest reserved. */
#define VTD_IRTE_LO_DST_XAPIC  VTD_MASK(47, 40)
#define VTD_IRTE_LO_RSVD_XAPIC (VTD_IRTE_LO_DST & ~VTD_IRTE_LO_DST_XAPIC)
#define VTD_IRTE_LO_RSVD       (VTD_MASK(14, 12) | VTD_MASK(31, 24))
#define VTD_IRTE_LO_FLAGS                                                \
    (VTD_IRTE_LO_P | VTD_IRTE_LO_FPD | VTD_IRTE_LO_DM | VTD_IRTE_LO_RH | \
     VTD_IRTE_LO_TM)
VTD_LAYOUT("remapping entry, low", UINT64_MAX, VTD_IRTE_LO_FLAGS,
           VTD_IRTE_LO_DLM, VTD_IRTE_LO_AVAIL, VTD_IRTE_LO_IM, VTD_IRTE_LO_V,
           VTD_IRTE_LO_RSVD, VTD_IRTE_LO_DST);

#define VTD_IRTE_HI_SID  VTD_MASK(15, 0)
#define VTD_IRTE_HI_SQ   VTD_MASK(17, 16)
#define VTD_IRTE_HI_SVT  VTD_MASK(19, 18)
#define VTD_IRTE_HI_RSVD VTD_MASK(63, 20)
VTD_LAYOUT("remapping entry, high", UINT64_MAX, VTD_IRTE_HI_SID, VTD_IRTE_HI_SQ,
           VTD_IRTE_HI_SVT, VTD_IRTE_HI_RSVD);

enum vtd_irte_svt {
    VTD_SVT_NONE = 0,
    VTD_SVT_SID = 1,
    VTD_SVT_BUS_RANGE = 2,
    VTD_SVT_RSVD = 3,
};

/* Delivery modes; 3 and 6 are reserved. */
#define VTD_DLM_FIXED  0u
#define VTD_DLM_LOWEST 1u
#define VTD_DLM_RSVD   ((1u << 3) | (1u << 6))

#endif
