/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/dmar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Offsets in the table. */
#define OFF_LENGTH   4u
#define OFF_CHECKSUM 9u
#define OFF_DRHD     48u

#define DMAR_REVISION          1u
#define DMAR_F_INTR_REMAP      0x01u
#define DMAR_F_X2APIC_OPT_OUT  0x02u
#define DRHD_TYPE              0u
#define DRHD_SIZE              16u
#define DRHD_F_INCLUDE_PCI_ALL 0x01u
#define ATSR_TYPE              2u
#define ATSR_SIZE              8u
#define ATSR_F_ALL_PORTS       0x01u
#define SCOPE_SIZE             8u
#define SCOPE_TYPE_ENDPOINT    1u
#define SCOPE_TYPE_IOAPIC      3u

static void
put_le(uint8_t *p, unsigned bytes, uint64_t val)
{
    for (unsigned i = 0; i < bytes; i++) {
        p[i] = (uint8_t)(val >> 8 * i);
    }
}

static void
put_text(uint8_t *p, const char *text)
{
    while (*text) {
        *p++ = (uint8_t)*text++;
    }
}

/* [ACPI 6.4, "System Description Table Header"], then the DMAR's own part. */
static void
put_header(const struct viommu_configs *configs, uint8_t *p)
{
    uint8_t flags = 0;

    for (unsigned i = 0; i < configs->count; i++) {
        flags |= configs->unit[i].intremap ? DMAR_F_INTR_REMAP : 0;
        flags |= configs->unit[i].x2apic_opt_out ? DMAR_F_X2APIC_OPT_OUT : 0;
    }

    put_text(p, "DMAR");
    p[8] = DMAR_REVISION;
    put_text(p + 10, "VIOMMU");
    put_text(p + 16, "VIOMMUD ");
    put_le(p + 24, 4, 1);
    put_text(p + 28, "VIOM");
    put_le(p + 32, 4, 1);
    /* The same in all units. */
    p[36] = (uint8_t)(configs->unit[0].width - 1);
    p[37] = flags;
}

/*
 * [VT-d 4.1, "Device Scope Structure"].  A path of exactly one hop: for a
 * longer one the guest would read the bridges' bus numbers.
 */
static uint8_t *
put_scope(uint8_t *p, uint8_t type, uint8_t id, uint16_t sid)
{
    p[0] = type;
    p[1] = SCOPE_SIZE;
    p[4] = id;
    p[5] = (uint8_t)(sid >> 8);
    p[6] = (uint8_t)(sid >> 3 & 0x1f);
    p[7] = (uint8_t)(sid & 7);
    return p + SCOPE_SIZE;
}

/*
 * [VT-d 4.1, "DMA Remapping Hardware Unit Definition Structure"].  The size
 * byte stays 0: one register page.  The devices that it names, or every one
 * that no unit names: then it is the last.
 */
static uint8_t *
put_unit(const struct viommu_config *config, uint8_t *p)
{
    uint8_t *end = p + DRHD_SIZE;

    put_le(p, 2, DRHD_TYPE);
    if (!config->device_count) {
        p[4] = DRHD_F_INCLUDE_PCI_ALL;
    }
    put_le(p + 6, 2, 0);
    put_le(p + 8, 8, config->base);
    for (uint8_t i = 0; i < config->device_count; i++) {
        end = put_scope(end, SCOPE_TYPE_ENDPOINT, 0, config->device[i]);
    }
    if (config->ioapic) {
        end = put_scope(end, SCOPE_TYPE_IOAPIC, config->ioapic_id,
                        config->ioapic_sid);
    }
    put_le(p + 2, 2, (uint64_t)(end - p));
    return end;
}

/*
 * [VT-d 4.1, "Root Port ATS Capability Reporting Structure"].  Without it
 * Linux enables device TLBs on the root bus alone.
 */
static uint8_t *
put_ats_ports(uint8_t *p)
{
    put_le(p, 2, ATSR_TYPE);
    put_le(p + 2, 2, ATSR_SIZE);
    p[4] = ATSR_F_ALL_PORTS;
    return p + ATSR_SIZE;
}

size_t
dmar_build(const struct viommu_configs *configs, uint8_t table[DMAR_SIZE_MAX])
{
    uint8_t sum = 0;
    uint8_t *end = table + OFF_DRHD;
    bool ats = false;
    size_t size;

    memset(table, 0, DMAR_SIZE_MAX);
    put_header(configs, table);
    for (unsigned i = 0; i < configs->count; i++) {
        end = put_unit(&configs->unit[i], end);
        ats |= configs->unit[i].ats;
    }
    if (ats) {
        end = put_ats_ports(end);
    }
    size = (size_t)(end - table);
    put_le(table + OFF_LENGTH, 4, size);
    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + table[i]);
    }
    table[OFF_CHECKSUM] = (uint8_t)-sum;
    return size;
}

int
dmar_write(const struct viommu_configs *configs, const char *path,
           struct text_error *err)
{
    uint8_t table[DMAR_SIZE_MAX];
    size_t size = dmar_build(configs, table);
    FILE *file = fopen(path, "we");
    size_t n;
    int rc = 0;

    if (!file) {
        rc = -errno;
        return text_fail(err, rc, "cannot write %s: %s", path, strerror(-rc));
    }
    n = fwrite(table, 1, size, file);
    if (fclose(file) || n != size) {
        rc = errno ? -errno : -EIO;
        text_fail(err, rc, "cannot write %s: %s", path, strerror(-rc));
    }
    return rc;
}
