/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl-reason.h"

#include <stddef.h>

#include "daemon/vtd/vtd.h"

#define NO_DEVICE                                                       \
    "The guest has given this device no translation: no driver of the " \
    "guest uses it, or the guest's IOMMU driver does not know of it."
#define NO_PASID                                                           \
    "The guest has given this PASID of the device no translation: nobody " \
    "uses it, or it was freed while the device still does."
#define NOT_MAPPED                                                          \
    "The driver has not mapped this page for such an access, or has taken " \
    "it back while the device was still using it."
#define NO_MEMORY                                                           \
    "A table of the guest's lies where the guest has no memory: its IOMMU " \
    "driver is broken, or the entry that leads there was overwritten."
#define RESERVED                                                        \
    "The guest has set bits that this unit reserves: its IOMMU driver " \
    "expects another unit, or the entry was overwritten."
#define INVALID                                                             \
    "The guest asks for something that this unit does not offer: its "      \
    "IOMMU driver has not looked at the unit's capabilities, or the entry " \
    "was overwritten."
#define TOO_WIDE                                                        \
    "The address has more bits than the tables translate, or than the " \
    "unit has: the device was given an address that is none."
#define TO_INTERRUPTS                                              \
    "The tables lead to where interrupts are sent, 0xfee00000 to " \
    "0xfeefffff; there is no memory."
#define NOT_ENABLED                                                       \
    "The device asks in a way that the guest has not enabled for it, as " \
    "with a PASID, as a supervisor, or through a device TLB."
#define NESTED                                                              \
    "The second stage does not let the unit use the first stage's tables, " \
    "which whoever is in charge of the second has not mapped (writable)."
#define FLAGS                                                             \
    "The accessed and dirty flags of an entry could not be set, so that " \
    "the access must not happen: the table lies in memory that is not "   \
    "writable, or the entry changed all the time."

static const char *const meaning[] = {
    [VTD_FR_ROOT_P] = NO_DEVICE,
    [VTD_FR_CTX_P] = NO_DEVICE,
    [VTD_FR_SM_ROOT_P] = NO_DEVICE,
    [VTD_FR_SM_CTX_P] = NO_DEVICE,

    [VTD_FR_PASID_DIR_P] = NO_PASID,
    [VTD_FR_PASID_P] = NO_PASID,
    [VTD_FR_SM_PASID_RANGE] = NO_PASID,

    [VTD_FR_READ] = NOT_MAPPED,
    [VTD_FR_WRITE] = NOT_MAPPED,
    [VTD_FR_SM_READ] = NOT_MAPPED,
    [VTD_FR_SM_WRITE] = NOT_MAPPED,
    [VTD_FR_FS_P] = NOT_MAPPED,
    [VTD_FR_FS_EXEC] = NOT_MAPPED,
    [VTD_FR_SS_PERM] = NOT_MAPPED,
    [VTD_FR_FS_USER] =
        "The page is the guest's kernel's, but the device asks as a user: "
        "the address is wrong, or the request should be privileged.",

    [VTD_FR_ROOT_ACCESS] = NO_MEMORY,
    [VTD_FR_CTX_ACCESS] = NO_MEMORY,
    [VTD_FR_PT_ACCESS] = NO_MEMORY,
    [VTD_FR_SM_ROOT_ACCESS] = NO_MEMORY,
    [VTD_FR_SM_CTX_ACCESS] = NO_MEMORY,
    [VTD_FR_PASID_DIR_ACCESS] = NO_MEMORY,
    [VTD_FR_PASID_ACCESS] = NO_MEMORY,
    [VTD_FR_FS_ACCESS] = NO_MEMORY,
    [VTD_FR_FS_ROOT_ACCESS] = NO_MEMORY,
    [VTD_FR_SS_ACCESS] = NO_MEMORY,
    [VTD_FR_SS_ROOT] = NO_MEMORY,

    [VTD_FR_ROOT_RSVD] = RESERVED,
    [VTD_FR_CTX_RSVD] = RESERVED,
    [VTD_FR_PT_RSVD] = RESERVED,
    [VTD_FR_SM_ROOT_RSVD] = RESERVED,
    [VTD_FR_SM_CTX_RSVD] = RESERVED,
    [VTD_FR_PASID_DIR_RSVD] = RESERVED,
    [VTD_FR_PASID_RSVD] = RESERVED,
    [VTD_FR_FS_RSVD] = RESERVED,
    [VTD_FR_SS_RSVD] = RESERVED,

    [VTD_FR_CTX_INV] = INVALID,
    [VTD_FR_SM_CTX_INV] = INVALID,
    [VTD_FR_PASID_INV] = INVALID,
    [VTD_FR_RTA] = INVALID,

    [VTD_FR_ADDR_WIDTH] = TOO_WIDE,
    [VTD_FR_DMA_WIDTH] = TOO_WIDE,
    [VTD_FR_SS_WIDTH] = TOO_WIDE,
    [VTD_FR_FS_CANONICAL] = TOO_WIDE,

    [VTD_FR_INT_RANGE] = TO_INTERRUPTS,
    [VTD_FR_SM_INT_RANGE] = TO_INTERRUPTS,
    [VTD_FR_IR_INVALID] =
        "The device accessed where interrupts are sent, 0xfee00000 to "
        "0xfeefffff, in a way that is no interrupt.",

    [VTD_FR_TT_BLOCK] = NOT_ENABLED,
    [VTD_FR_SM_DTE] = NOT_ENABLED,
    [VTD_FR_SM_PASIDE] = NOT_ENABLED,
    [VTD_FR_SM_PRE] = NOT_ENABLED,
    [VTD_FR_SM_RID_PASID] = NOT_ENABLED,
    [VTD_FR_PASID_ERE] = NOT_ENABLED,
    [VTD_FR_PASID_SRE] = NOT_ENABLED,
    [VTD_FR_RTA_PASID] = NOT_ENABLED,
    [VTD_FR_RTA_PRQ] = NOT_ENABLED,
    [VTD_FR_RTA_ABORT] = "The guest has told the unit to refuse all DMA.",

    [VTD_FR_NEST_WIDTH] = NESTED,
    [VTD_FR_NEST_ROOT_READ] = NESTED,
    [VTD_FR_NEST_READ] = NESTED,
    [VTD_FR_NEST_WRITE] = NESTED,

    [VTD_FR_SS_AD] = FLAGS,
    [VTD_FR_SS_AD_FAILED] = FLAGS,
    [VTD_FR_FS_AD] = FLAGS,
    [VTD_FR_FS_AD_FAILED] = FLAGS,
};

const char *
ctl_reason_meaning(uint8_t reason)
{
    const char *text =
        reason < sizeof(meaning) / sizeof(meaning[0]) ? meaning[reason] : NULL;

    return text ? text : "That is no fault of DMA.";
}
