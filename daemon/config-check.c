/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys that make no sense together, in a unit and among units. */
#include "daemon/config-priv.h"

bool
config_has_device(const struct viommu_config *config, uint16_t sid)
{
    for (uint8_t i = 0; i < config->device_count; i++) {
        if (config->device[i] == sid) {
            return true;
        }
    }
    return false;
}

/* --- one unit ------------------------------------------------------------- */

/* What can be said of a unit, a bit each. */
enum fact {
    FACT_ALWAYS,
    FACT_BUSY, /* it remaps something */
    FACT_INTREMAP,
    FACT_DMA,
    FACT_SCALABLE,
    FACT_DEVICES,
    FACT_ATS,
    FACT_PASID,
    FACT_EIM,
    FACT_POSTED,
    FACT_OPT_OUT,
    FACT_IOAPIC,
    FACT_CACHING,
    FACT_LEVELS,
    FACT_STAGES,
    FACT_PRS,
    FACT_SPLIT,
};

static unsigned
facts_of(const struct viommu_config *config)
{
    const bool fact[] = {
        [FACT_ALWAYS] = true,
        [FACT_BUSY] = config->intremap || config->dma != CONFIG_DMA_NONE,
        [FACT_INTREMAP] = config->intremap,
        [FACT_DMA] = config->dma != CONFIG_DMA_NONE,
        [FACT_SCALABLE] = config->dma >= CONFIG_DMA_SCALABLE,
        [FACT_DEVICES] = config->device_count != 0,
        [FACT_ATS] = config->ats,
        [FACT_PASID] = config->pasid != 0,
        [FACT_EIM] = config->eim,
        [FACT_POSTED] = config->posted,
        [FACT_OPT_OUT] = config->x2apic_opt_out,
        [FACT_IOAPIC] = config->ioapic,
        [FACT_CACHING] = config->caching,
        [FACT_LEVELS] = config->levels != 4,
        [FACT_STAGES] = config->stages != CONFIG_STAGES_BOTH,
        [FACT_PRS] = config->prs,
        [FACT_SPLIT] = config->layout == CONFIG_LAYOUT_SPLIT,
    };
    unsigned facts = 0;

    for (unsigned i = 0; i < sizeof(fact) / sizeof(fact[0]); i++) {
        facts |= (unsigned)fact[i] << i;
    }
    return facts;
}

/* The first that is broken is told. */
static const struct {
    enum fact fact;
    enum fact need;
    const char *text;
} rules[] = {
    { FACT_ALWAYS, FACT_BUSY,
      "intremap=0 leaves a unit with dma=none nothing to do; set intremap=1, "
      "or dma to legacy, scalable or full" },
    { FACT_EIM, FACT_INTREMAP,
      "eim=1 is a mode of interrupt remapping; set intremap=1, or leave eim "
      "out" },
    { FACT_POSTED, FACT_INTREMAP,
      "posted=1 is a mode of interrupt remapping; set intremap=1, or leave "
      "posted out" },
    { FACT_OPT_OUT, FACT_INTREMAP,
      "x2apic_opt_out=1 has no meaning without interrupt remapping; set "
      "intremap=1, or leave x2apic_opt_out out" },
    { FACT_IOAPIC, FACT_INTREMAP,
      "ioapic_id and ioapic_sid have no meaning without interrupt remapping; "
      "set intremap=1, or leave them out" },
    { FACT_CACHING, FACT_DMA,
      "caching=1 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave caching out" },
    { FACT_LEVELS, FACT_DMA,
      "levels=3 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave levels out" },
    { FACT_ATS, FACT_DMA,
      "ats=1 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave ats out" },
    { FACT_PASID, FACT_SCALABLE,
      "pasid needs scalable mode; set dma to scalable or full, or leave pasid "
      "out" },
    { FACT_STAGES, FACT_SCALABLE,
      "stages needs scalable mode; set dma to scalable or full, or leave "
      "stages out" },
    { FACT_PRS, FACT_SCALABLE,
      "prs=1 needs scalable mode; set dma to scalable or full, or leave prs "
      "out" },
    { FACT_PRS, FACT_ATS,
      "prs=1 needs device TLBs; set ats=1, or leave prs out" },
    { FACT_PRS, FACT_PASID,
      "prs=1 needs PASIDs; set pasid to 1 or more, or leave prs out" },
    { FACT_SPLIT, FACT_INTREMAP,
      "layout=split needs interrupt remapping; set intremap=1, or leave layout "
      "out" },
    { FACT_SPLIT, FACT_DMA,
      "layout=split needs DMA remapping; set dma to legacy, scalable or full, "
      "or leave layout out" },
    { FACT_DMA, FACT_DEVICES,
      "devices is missing; with DMA remapping, name the devices whose "
      "emulators ask the unit: any other would do DMA to addresses that "
      "nobody translates" },
};

const char *
config_conflict(const struct viommu_config *config)
{
    unsigned facts = facts_of(config);

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (facts & 1u << rules[i].fact && !(facts & 1u << rules[i].need)) {
            return rules[i].text;
        }
    }
    return NULL;
}

/* --- several -------------------------------------------------------------- */

/* Is there a device that both name?  Then it is *@sid. */
static bool
find_shared(const struct viommu_config *a, const struct viommu_config *b,
            uint16_t *sid)
{
    for (uint8_t i = 0; i < a->device_count; i++) {
        if (config_has_device(b, a->device[i])) {
            *sid = a->device[i];
            return true;
        }
    }
    return false;
}

/* NULL, or what must be the same in @a and @b, but is not. */
static const char *
find_difference(const struct viommu_config *a, const struct viommu_config *b)
{
    if (a->width != b->width) {
        return "width";
    }
    if (a->intremap && b->intremap && a->eim != b->eim) {
        return "eim";
    }
    if (a->dma != CONFIG_DMA_NONE && b->dma != CONFIG_DMA_NONE &&
        a->drain_ms != b->drain_ms) {
        return "drain_ms";
    }
    return NULL;
}

/* Units @i and @j, of which the first comes before the other. */
static int
check_pair(const struct viommu_configs *configs, unsigned i, unsigned j,
           char *err, size_t err_size)
{
    const struct viommu_config *a = &configs->unit[i];
    const struct viommu_config *b = &configs->unit[j];
    const char *name = find_difference(a, b);
    uint16_t sid = 0;

    if (a->base == b->base) {
        return config_refuse(err, err_size,
                             "viommu[%u] and viommu[%u] have the same base; "
                             "accepted: another page for each",
                             i, j);
    }
    if (!a->device_count) {
        return config_refuse(err, err_size,
                             "viommu[%u] names no devices, and so has all that "
                             "no unit names; accepted: this in the last unit",
                             i);
    }
    if (find_shared(a, b, &sid)) {
        return config_refuse(err, err_size,
                             "viommu[%u] and viommu[%u] have both the "
                             "device " CONFIG_SID_FORMAT
                             "; accepted: each device in one unit",
                             i, j, CONFIG_SID_ARGS(sid));
    }
    if (name) {
        return config_refuse(err, err_size,
                             "viommu[%u] and viommu[%u] differ in %s; "
                             "accepted: the same in all units",
                             i, j, name);
    }
    return 0;
}

/* What unit @i of a list must be besides. */
static int
check_member(const struct viommu_configs *configs, unsigned i, char *err,
             size_t err_size)
{
    const struct viommu_config *config = &configs->unit[i];
    const struct viommu_config *wired = &configs->unit[configs->wired];

    if (config->layout == CONFIG_LAYOUT_SPLIT) {
        return config_refuse(err, err_size,
                             "viommu[%u]: layout=split makes two units of one; "
                             "accepted: layout=split in the only unit",
                             i);
    }
    if (config->ioapic && config != wired) {
        return config_refuse(err, err_size,
                             "viommu[%u]: ioapic_id and ioapic_sid are of the "
                             "unit that has the IOAPIC; accepted: these keys "
                             "in viommu[%u]",
                             i, configs->wired);
    }
    if (config_has_device(config, wired->ioapic_sid)) {
        return config_refuse(err, err_size,
                             "viommu: devices has the source id of the IOAPIC; "
                             "set ioapic_sid to an address that no device has");
    }
    return 0;
}

int
configs_check(const struct viommu_configs *configs, char *err, size_t err_size)
{
    int rc = 0;

    for (unsigned j = 0; j < configs->count && !rc; j++) {
        for (unsigned i = 0; i < j && !rc; i++) {
            rc = check_pair(configs, i, j, err, err_size);
        }
        if (!rc) {
            rc = check_member(configs, j, err, err_size);
        }
    }
    return rc;
}
