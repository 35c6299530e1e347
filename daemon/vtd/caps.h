/* SPDX-License-Identifier: GPL-2.0-only */
/* What a unit advertises. */
#ifndef DAEMON_VTD_CAPS_H
#define DAEMON_VTD_CAPS_H

#include "daemon/vtd/priv.h"

/* Index mask of an IEC descriptor at most, ECAP.MHMV; 2^15 entries. */
#define VTD_MHMV 15u

/* What a register, a bit of one, or another capability depends on. */
enum vtd_need {
    VTD_NEED_ANY, /* nothing: every unit has it */
    VTD_NEED_DMA, /* DMA remapping of any kind */
    VTD_NEED_IR,
    VTD_NEED_EIM,
    VTD_NEED_SMTS,
    VTD_NEED_TTM, /* a root table mode besides legacy */
    VTD_NEED_PMR, /* a protected region, of either kind */
    VTD_NEED_PLMR,
    VTD_NEED_PHMR,
    VTD_NEED_DT,
    VTD_NEED_PRS,
    VTD_NEED_PASID,
    VTD_NEED_SAGAW,
    VTD_NEED_SS2M,
    VTD_NEED_STAGE, /* a stage of scalable mode, of either kind */
    VTD_NEED_SSTS,
    VTD_NEED_FSTS,
    VTD_NEED_SRS,
    VTD_NEED_RECORD, /* registers only: as many as fault_records says */
};

/* Whether @config has it; not for VTD_NEED_RECORD. */
bool vtd_caps_have(const struct vtd_config *config, enum vtd_need need);

/* Capability registers, and which register bits they make writable. */
void vtd_caps_apply(struct vtd *vtd);

#endif
