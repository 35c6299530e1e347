/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's units: the list of them, what they become together, its text. */
#include "daemon/config-priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const config_dma_names[] = {
    [CONFIG_DMA_NONE] = "none",
    [CONFIG_DMA_LEGACY] = "legacy",
    [CONFIG_DMA_SCALABLE] = "scalable",
    [CONFIG_DMA_FULL] = "full",
};

const char *const config_stages_names[] = {
    [CONFIG_STAGES_BOTH] = "both",
    [CONFIG_STAGES_FIRST] = "first",
    [CONFIG_STAGES_SECOND] = "second",
};

const char *const config_layout_names[] = {
    [CONFIG_LAYOUT_ONE] = "one",
    [CONFIG_LAYOUT_SPLIT] = "split",
};

const char *
config_dma_name(uint8_t dma)
{
    return config_dma_names[dma];
}

/* --- parsing -------------------------------------------------------------- */

/* One unit's text, unit @i of several or the only one. */
static int
parse_unit(const char *text, size_t len, unsigned i, struct viommu_config *unit,
           char *err, size_t err_size)
{
    /* Longer than any that could be accepted, with blanks to spare. */
    char spec[2 * CONFIG_UNIT_TEXT_SIZE];
    char why[512] = "";
    int rc;

    if (len >= sizeof(spec)) {
        return config_refuse(err, err_size,
                             "viommu[%u] is too long; accepted: at most %zu "
                             "characters",
                             i, sizeof(spec) - 1);
    }
    memcpy(spec, text, len);
    spec[len] = '\0';
    if (i == 0 && text[len] == '\0') {
        return config_parse(spec, unit, err, err_size);
    }
    rc = config_parse(spec, unit, why, sizeof(why));
    return rc ? config_refuse(err, err_size, "viommu[%u]%s", i,
                              why + strlen("viommu"))
              : 0;
}

/*
 * A driver translates the DMA of every device in the scope of a unit that can,
 * and Linux gives no MSIs to a device in no unit's scope.  So there is a unit
 * for the devices that are translated, and another, which remaps interrupts
 * alone, for all others.
 */
static int
split(struct viommu_configs *configs, char *err, size_t err_size)
{
    struct viommu_config *first = &configs->unit[0];
    struct viommu_config *rest = &configs->unit[1];
    const char *reason = config_base_taken(first->base + CONFIG_PAGE);

    if (reason) {
        return config_refuse(err, err_size,
                             "viommu: base=0x%" PRIx64 " leaves no page for "
                             "the second unit of layout=split: 0x%" PRIx64
                             " %s; accepted: another base, or layout=one",
                             first->base, first->base + CONFIG_PAGE, reason);
    }
    *rest = (struct viommu_config){
        .intremap = true,
        .eim = first->eim,
        .base = first->base + CONFIG_PAGE,
        .ioapic = first->ioapic,
        .ioapic_id = first->ioapic_id,
        .ioapic_sid = first->ioapic_sid,
        .faults = first->faults,
        .x2apic_opt_out = first->x2apic_opt_out,
        .width = first->width,
        .levels = 4,
        .posted = first->posted,
        .drain_ms = first->drain_ms,
        .layout = CONFIG_LAYOUT_ONE,
    };
    first->ioapic = false;
    first->layout = CONFIG_LAYOUT_ONE;
    configs->count = 2;
    return 0;
}

static bool
is_split(const struct viommu_config *config)
{
    return config->layout == CONFIG_LAYOUT_SPLIT ||
           (config->layout == CONFIG_LAYOUT_AUTO && config->intremap &&
            config->dma != CONFIG_DMA_NONE);
}

/* The unit that has all the devices that no other has, or the first. */
static unsigned
find_wired(const struct viommu_configs *configs)
{
    unsigned last = configs->count - 1;

    if (!configs->unit[last].device_count) {
        return last;
    }
    for (unsigned i = 0; i < last; i++) {
        if (configs->unit[i].intremap) {
            return i;
        }
    }
    return configs->unit[last].intremap ? last : 0;
}

/* Decide what depends on the other units, and check. */
static int
complete(struct viommu_configs *configs, char *err, size_t err_size)
{
    struct viommu_config *wired;
    int rc = 0;

    if (configs->count == 1 && is_split(&configs->unit[0])) {
        rc = split(configs, err, err_size);
    }
    if (rc) {
        return rc;
    }
    configs->wired = find_wired(configs);
    rc = configs_check(configs, err, err_size);
    if (rc) {
        return rc;
    }
    wired = &configs->unit[configs->wired];
    wired->ioapic = wired->intremap;
    for (unsigned i = 0; i < configs->count; i++) {
        configs->unit[i].layout = CONFIG_LAYOUT_ONE;
    }
    return 0;
}

int
configs_parse(const char *spec, struct viommu_configs *configs, char *err,
              size_t err_size)
{
    const char separator[] = { CONFIG_SEPARATOR, '\0' };
    struct viommu_configs parsed = { .count = 0 };
    const char *text = spec;
    int rc;

    do {
        size_t len = strcspn(text, separator);

        if (parsed.count == CONFIG_UNITS_MAX) {
            return config_refuse(err, err_size,
                                 "viommu[%u] is one unit too many; accepted: "
                                 "%u",
                                 parsed.count, CONFIG_UNITS_MAX);
        }
        rc = parse_unit(text, len, parsed.count, &parsed.unit[parsed.count],
                        err, err_size);
        if (rc) {
            return rc;
        }
        parsed.count++;
        text += len + 1;
    } while (text[-1]);

    rc = complete(&parsed, err, err_size);
    if (!rc) {
        *configs = parsed;
    }
    return rc;
}

/* --- the canonical form --------------------------------------------------- */

/* A text that grows; @len is what all of it would have. */
struct text {
    char *buf;
    size_t size;
    int len;
};

/* As snprintf() would. */
static void __attribute__((format(printf, 2, 3)))
append(struct text *text, const char *fmt, ...)
{
    bool fits = (size_t)text->len < text->size;
    va_list args;

    va_start(args, fmt);
    text->len +=
        vsnprintf(fits ? text->buf + text->len : NULL,
                  fits ? text->size - (size_t)text->len : 0, fmt, args);
    va_end(args);
}

static void
append_devices(struct text *text, const struct viommu_config *config)
{
    for (uint8_t i = 0; i < config->device_count; i++) {
        append(text, "%s" CONFIG_SID_FORMAT,
               i ? ";" : ",devices=", CONFIG_SID_ARGS(config->device[i]));
        if (config->device_uid[i]) {
            append(text, "@%" PRIu32, config->device_uid[i]);
        }
    }
}

static void
append_unit(struct text *text, const struct viommu_config *config)
{
    append(text, "type=intel_vtd,intremap=%d,eim=%d,base=0x%" PRIx64,
           config->intremap, config->eim, config->base);
    if (config->ioapic) {
        append(text, ",ioapic_id=%u,ioapic_sid=" CONFIG_SID_FORMAT,
               (unsigned)config->ioapic_id,
               CONFIG_SID_ARGS(config->ioapic_sid));
    }
    append(text, ",faults=%u,x2apic_opt_out=%d,width=%u",
           (unsigned)config->faults, config->x2apic_opt_out,
           (unsigned)config->width);
    append(text,
           ",dma=%s,levels=%u,stages=%s,caching=%d,posted=%d,ats=%d,pasid=%u",
           config_dma_names[config->dma], (unsigned)config->levels,
           config_stages_names[config->stages], config->caching, config->posted,
           config->ats, (unsigned)config->pasid);
    append(text, ",prs=%d,drain_ms=%u,layout=%s", config->prs,
           (unsigned)config->drain_ms, config_layout_names[config->layout]);
    append_devices(text, config);
}

int
configs_format(const struct viommu_configs *configs, char *buf, size_t size)
{
    struct text text = { .size = size };

    text.buf = buf;
    for (unsigned i = 0; i < configs->count; i++) {
        if (i) {
            append(&text, "%c", CONFIG_SEPARATOR);
        }
        append_unit(&text, &configs->unit[i]);
    }
    return text.len;
}
