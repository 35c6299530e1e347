/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/unit.h"

static const struct vtd_config *const presets[] = {
    [CONFIG_DMA_NONE] = &vtd_config_ir,
    [CONFIG_DMA_LEGACY] = &vtd_config_legacy,
    [CONFIG_DMA_SCALABLE] = &vtd_config_scalable,
    [CONFIG_DMA_FULL] = &vtd_config_full,
};

/*
 * Xen's HVM and PVH guests have no 5-level paging.  Linux shares no address
 * space through a unit that differs from the processor in this, and takes the
 * widest second stage there is, a level more for each walk.
 */
static void
take_5_levels(struct vtd_config *unit)
{
    if (unit->sagaw) {
        unit->sagaw &= (uint8_t)~VTD_SAGAW_57;
        unit->mgaw = 48;
    }
    unit->fs5lp = false;
}

/* Second-stage tables of 3 levels are left. */
static void
take_4_levels(struct vtd_config *unit)
{
    unit->sagaw = VTD_SAGAW_39;
    unit->mgaw = 39;
}

static void
take_interrupts(struct vtd_config *unit)
{
    unit->ir = false;
    unit->esirtps = false;
}

static void
take_ats(struct vtd_config *unit)
{
    unit->dt = false;
    unit->dit = false;
    unit->nwfs = false;
}

static void
set_page_requests(struct vtd_config *unit, bool on)
{
    unit->prs = on;
    unit->pds = on;
}

/* What is said of a stage is nothing without it. */
static void
take_first_stage(struct vtd_config *unit)
{
    unit->fsts = false;
    unit->nest = false;
    unit->fs1gp = false;
    unit->eafs = false;
}

/* Legacy mode keeps its second stage. */
static void
take_second_stage(struct vtd_config *unit)
{
    unit->ssts = false;
    unit->nest = false;
    unit->ssads = false;
}

static void
take_pasid(struct vtd_config *unit)
{
    unit->srs = false;
    unit->ers = false;
    unit->rprivs = false;
}

void
unit_config(const struct viommu_config *config, struct vtd_config *unit)
{
    *unit = *presets[config->dma];
    unit->fault_records = config->faults;
    unit->haw = config->width;
    unit->eim = config->eim;
    unit->pi = config->posted;
    unit->cm = config->caching;
    unit->pasid_bits = config->pasid;
    take_5_levels(unit);
    if (config->levels == 3) {
        take_4_levels(unit);
    }
    if (config->stages == CONFIG_STAGES_SECOND) {
        take_first_stage(unit);
    } else if (config->stages == CONFIG_STAGES_FIRST) {
        take_second_stage(unit);
    }
    set_page_requests(unit, config->prs);
    if (!config->intremap) {
        take_interrupts(unit);
    }
    if (config->ats) {
        unit->dt = true;
    } else {
        take_ats(unit);
    }
    if (!config->pasid) {
        take_pasid(unit);
    }
    /* Above 4 GiB there is nothing to protect then. */
    if (config->width == 32) {
        unit->phmr = false;
    }
}

/* Where @sid is in the unit's list, or -1. */
static int
listed(const struct viommu_config *config, uint16_t sid)
{
    for (int i = 0; i < config->device_count; i++) {
        if (config->device[i] == sid) {
            return i;
        }
    }
    return -1;
}

const struct unit *
unit_find_device(const struct unit *unit, unsigned count, uint16_t sid,
                 int *place)
{
    const struct unit *rest = NULL;

    for (unsigned i = 0; i < count; i++) {
        int at = listed(&unit[i].config, sid);

        if (place) {
            *place = at;
        }
        if (at >= 0) {
            return &unit[i];
        }
        if (unit[i].config.device_count == 0) {
            rest = &unit[i];
        }
    }
    return rest;
}
