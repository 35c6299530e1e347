/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What DMA remapping reads in guest memory: root, context and PASID entries,
 * paging entries of both stages.
 * [VT-d 4.1, "Translation Structure Formats"]; positions checked against the
 * headers of Linux's VT-d driver (iommu.h, pasid.h) and of QEMU's model.
 *
 * _RSVD are the bits that no capability gives a meaning; those that one does,
 * and address bits at and above the host address width, which are reserved
 * too, are added where entries are checked.
 */
#ifndef DAEMON_VTD_SPEC_DMA_H
#define DAEMON_VTD_SPEC_DMA_H

#include "daemon/vtd/bits.h"

/* The field that names a table or a page; the host address width bounds it. */
#define VTD_DMA_ADDR VTD_MASK(51, 12)

/* Address of an entry: tables are pages, of 256 or 512 entries. */
#define VTD_TABLE_SHIFT 12u
#define VTD_LEVEL_BITS  9u

/* "Root Entry": 128 bits, one a bus. */
#define VTD_RE_SIZE 16u
#define VTD_RE_P    VTD_BIT(0)
#define VTD_RE_CTP  VTD_MASK(63, 12)
#define VTD_RE_RSVD VTD_MASK(11, 1)
VTD_LAYOUT("root entry, low", UINT64_MAX, VTD_RE_P, VTD_RE_CTP, VTD_RE_RSVD);

/*
 * "Scalable-mode Root Entry": two quadwords of that very format, the low one
 * for device numbers 0 to 15 and the high one for 16 to 31.
 */
#define VTD_SM_DEVFN_UPPER 0x80u

/* "Context Entry": 128 bits, one a function. */
#define VTD_CE_SIZE       16u
#define VTD_CE_LO_P       VTD_BIT(0)
#define VTD_CE_LO_FPD     VTD_BIT(1)
#define VTD_CE_LO_TT      VTD_MASK(3, 2)
#define VTD_CE_LO_RSVD    VTD_MASK(11, 4)
#define VTD_CE_LO_SSPTPTR VTD_MASK(63, 12)
#define VTD_CE_HI_AW      VTD_MASK(2, 0)
#define VTD_CE_HI_IGN     VTD_MASK(6, 3)
#define VTD_CE_HI_DID     VTD_MASK(23, 8)
#define VTD_CE_HI_RSVD    (VTD_BIT(7) | VTD_MASK(63, 24))
VTD_LAYOUT("context entry, low", UINT64_MAX, VTD_CE_LO_P, VTD_CE_LO_FPD,
           VTD_CE_LO_TT, VTD_CE_LO_RSVD, VTD_CE_LO_SSPTPTR);
VTD_LAYOUT("context entry, high", UINT64_MAX, VTD_CE_HI_AW, VTD_CE_HI_IGN,
           VTD_CE_HI_DID, VTD_CE_HI_RSVD);

enum vtd_tt {
    VTD_TT_SECOND = 0,
    VTD_TT_SECOND_ATS = 1,
    VTD_TT_PASS = 2,
};

/* AW: 1 is 39 bits and 3 levels, 2 is 48 and 4, 3 is 57 and 5. */
#define VTD_AW_LEVELS(aw) ((aw) + 2u)

/* "Scalable-Mode Context Entry": 256 bits; the upper two are reserved. */
#define VTD_SM_CE_SIZE         32u
#define VTD_SM_CE0_P           VTD_BIT(0)
#define VTD_SM_CE0_FPD         VTD_BIT(1)
#define VTD_SM_CE0_DTE         VTD_BIT(2)
#define VTD_SM_CE0_PASIDE      VTD_BIT(3)
#define VTD_SM_CE0_PRE         VTD_BIT(4)
#define VTD_SM_CE0_RSVD        VTD_MASK(8, 5)
#define VTD_SM_CE0_PDTS        VTD_MASK(11, 9)
#define VTD_SM_CE0_PASIDDIRPTR VTD_MASK(63, 12)
#define VTD_SM_CE1_RID_PASID   VTD_MASK(19, 0)
#define VTD_SM_CE1_RID_PRIV    VTD_BIT(20)
#define VTD_SM_CE1_RSVD        VTD_MASK(63, 21)
VTD_LAYOUT("scalable-mode context entry, 0", UINT64_MAX, VTD_SM_CE0_P,
           VTD_SM_CE0_FPD, VTD_SM_CE0_DTE, VTD_SM_CE0_PASIDE, VTD_SM_CE0_PRE,
           VTD_SM_CE0_RSVD, VTD_SM_CE0_PDTS, VTD_SM_CE0_PASIDDIRPTR);
VTD_LAYOUT("scalable-mode context entry, 1", UINT64_MAX, VTD_SM_CE1_RID_PASID,
           VTD_SM_CE1_RID_PRIV, VTD_SM_CE1_RSVD);

/* A directory has 2^(PDTS + 7) entries, and each entry 64 PASIDs. */
#define VTD_PDTS_PASID_BITS(pdts) ((pdts) + 13u)

/* "PASID Directory Entry": 64 bits, one for 64 PASIDs. */
#define VTD_PDE_SIZE        8u
#define VTD_PDE_PASID_SHIFT 6u
#define VTD_PDE_P           VTD_BIT(0)
#define VTD_PDE_FPD         VTD_BIT(1)
#define VTD_PDE_RSVD        VTD_MASK(11, 2)
#define VTD_PDE_SMPTBLPTR   VTD_MASK(63, 12)
VTD_LAYOUT("PASID directory entry", UINT64_MAX, VTD_PDE_P, VTD_PDE_FPD,
           VTD_PDE_RSVD, VTD_PDE_SMPTBLPTR);

/* "PASID Table Entry": 512 bits; quadwords 3 to 7 are reserved. */
#define VTD_PE_SIZE     64u
#define VTD_PE0_P       VTD_BIT(0)
#define VTD_PE0_FPD     VTD_BIT(1)
#define VTD_PE0_AW      VTD_MASK(4, 2)
#define VTD_PE0_PGTT    VTD_MASK(8, 6)
#define VTD_PE0_SSADE   VTD_BIT(9)
#define VTD_PE0_RSVD    (VTD_BIT(5) | VTD_MASK(11, 10))
#define VTD_PE0_SSPTPTR VTD_MASK(63, 12)
#define VTD_PE1_DID     VTD_MASK(15, 0)
#define VTD_PE1_PWSNP   VTD_BIT(23)
#define VTD_PE1_PGSNP   VTD_BIT(24)
#define VTD_PE1_RSVD    (VTD_MASK(22, 16) | VTD_MASK(63, 25))
#define VTD_PE2_SRE     VTD_BIT(0)
#define VTD_PE2_ERE     VTD_BIT(1)
#define VTD_PE2_FSPM    VTD_MASK(3, 2)
#define VTD_PE2_WPE     VTD_BIT(4)
#define VTD_PE2_EAFE    VTD_BIT(7)
/* NXE and SMEP of older revisions. */
#define VTD_PE2_IGN     VTD_MASK(6, 5)
#define VTD_PE2_RSVD    VTD_MASK(11, 8)
#define VTD_PE2_FSPTPTR VTD_MASK(63, 12)
/* What is reserved without a first stage. */
#define VTD_PE2_FIRST (VTD_PE2_FSPM | VTD_PE2_WPE | VTD_PE2_FSPTPTR)
VTD_LAYOUT("PASID entry, 0", UINT64_MAX, VTD_PE0_P, VTD_PE0_FPD, VTD_PE0_AW,
           VTD_PE0_PGTT, VTD_PE0_SSADE, VTD_PE0_RSVD, VTD_PE0_SSPTPTR);
VTD_LAYOUT("PASID entry, 1", UINT64_MAX, VTD_PE1_DID, VTD_PE1_PWSNP,
           VTD_PE1_PGSNP, VTD_PE1_RSVD);
VTD_LAYOUT("PASID entry, 2", UINT64_MAX, VTD_PE2_SRE, VTD_PE2_ERE, VTD_PE2_FSPM,
           VTD_PE2_WPE, VTD_PE2_IGN, VTD_PE2_EAFE, VTD_PE2_RSVD,
           VTD_PE2_FSPTPTR);

enum vtd_pgtt {
    VTD_PGTT_FIRST = 1,
    VTD_PGTT_SECOND = 2,
    VTD_PGTT_NESTED = 3,
    VTD_PGTT_PASS = 4,
};

/* FSPM: 0 is 4 levels, 1 is 5; the rest is reserved. */
#define VTD_FSPM_MAX          1u
#define VTD_FSPM_LEVELS(fspm) ((fspm) + 4u)

/* "Second-Stage Paging Entries"; A and D mean something with SSADE only. */
#define VTD_SS_R    VTD_BIT(0)
#define VTD_SS_W    VTD_BIT(1)
#define VTD_SS_PS   VTD_BIT(7) /* levels 2 and above; ignored in level 1 */
#define VTD_SS_A    VTD_BIT(8)
#define VTD_SS_D    VTD_BIT(9)
#define VTD_SS_SNP  VTD_BIT(11) /* of a page; reserved elsewhere */
#define VTD_SS_TM   VTD_BIT(62) /* once transient mapping; reserved */
#define VTD_SS_ADDR VTD_DMA_ADDR
/* X, EMT, IPAT, and bits that are software's. */
#define VTD_SS_IGN \
    (VTD_MASK(6, 2) | VTD_BIT(10) | VTD_MASK(61, 52) | VTD_BIT(63))
VTD_LAYOUT("second-stage entry", UINT64_MAX, VTD_SS_R | VTD_SS_W, VTD_SS_PS,
           VTD_SS_A, VTD_SS_D, VTD_SS_SNP, VTD_SS_TM, VTD_SS_ADDR, VTD_SS_IGN);

/*
 * "First-Stage Paging Entries".  XD is never reserved: Linux 6.1 sets it
 * whether the unit takes execute requests or not.
 */
#define VTD_FS_P    VTD_BIT(0)
#define VTD_FS_RW   VTD_BIT(1)
#define VTD_FS_US   VTD_BIT(2)
#define VTD_FS_A    VTD_BIT(5)
#define VTD_FS_D    VTD_BIT(6)
#define VTD_FS_PS   VTD_BIT(7) /* levels 2 and above; PAT in level 1 */
#define VTD_FS_G    VTD_BIT(8)
#define VTD_FS_EA   VTD_BIT(10)
#define VTD_FS_ADDR VTD_DMA_ADDR
#define VTD_FS_PAT  VTD_BIT(12) /* of a large page: not part of its address */
#define VTD_FS_XD   VTD_BIT(63)
/* PWT, PCD, and bits that are software's. */
#define VTD_FS_IGN \
    (VTD_MASK(4, 3) | VTD_BIT(9) | VTD_BIT(11) | VTD_MASK(62, 52))
VTD_LAYOUT("first-stage entry", UINT64_MAX, VTD_FS_P | VTD_FS_RW | VTD_FS_US,
           VTD_FS_A | VTD_FS_D, VTD_FS_PS, VTD_FS_G, VTD_FS_EA, VTD_FS_ADDR,
           VTD_FS_XD, VTD_FS_IGN);

/*
 * Accesses to these addresses are interrupts, and no translation may end
 * there. [VT-d 4.1, "Handling Requests to Interrupt Address Range"]
 */
#define VTD_INT_BASE UINT64_C(0xfee00000)
#define VTD_INT_SIZE UINT64_C(0x100000)

#endif
