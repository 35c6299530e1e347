/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/dmar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Offsets in the table. */
#define OFF_CHECKSUM 9u
#define OFF_DRHD     48u
#define OFF_SCOPE    64u

#define DMAR_REVISION          1u
#define DMAR_F_INTR_REMAP      0x01u
#define DMAR_F_X2APIC_OPT_OUT  0x02u
#define DRHD_TYPE              0u
#define DRHD_F_INCLUDE_PCI_ALL 0x01u
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
put_header(const struct viommu_config *config, uint8_t *p)
{
    put_text(p, "DMAR");
    put_le(p + 4, 4, DMAR_SIZE);
    p[8] = DMAR_REVISION;
    put_text(p + 10, "VIOMMU");
    put_text(p + 16, "VIOMMUD ");
    put_le(p + 24, 4, 1);
    put_text(p + 28, "VIOM");
    put_le(p + 32, 4, 1);
    p[36] = (uint8_t)(config->width - 1);
    p[37] = (uint8_t)((config->intremap ? DMAR_F_INTR_REMAP : 0) |
                      (config->x2apic_opt_out ? DMAR_F_X2APIC_OPT_OUT : 0));
}

/*
 * [VT-d 4.1, "DMA Remapping Hardware Unit Definition Structure"].  The size
 * byte stays 0: one register page.
 */
static void
put_unit(const struct viommu_config *config, uint8_t *p)
{
    put_le(p, 2, DRHD_TYPE);
    put_le(p + 2, 2, DMAR_SIZE - OFF_DRHD);
    p[4] = DRHD_F_INCLUDE_PCI_ALL;
    put_le(p + 6, 2, 0);
    put_le(p + 8, 8, config->base);
}

/*
 * [VT-d 4.1, "Device Scope Structure"].  A path of exactly one hop: for a
 * longer one the guest would read the bridges' bus numbers.
 */
static void
put_ioapic_scope(const struct viommu_config *config, uint8_t *p)
{
    p[0] = SCOPE_TYPE_IOAPIC;
    p[1] = DMAR_SIZE - OFF_SCOPE;
    p[4] = config->ioapic_id;
    p[5] = (uint8_t)(config->ioapic_sid >> 8);
    p[6] = (uint8_t)(config->ioapic_sid >> 3 & 0x1f);
    p[7] = (uint8_t)(config->ioapic_sid & 7);
}

void
dmar_build(const struct viommu_config *config, uint8_t table[DMAR_SIZE])
{
    uint8_t sum = 0;

    memset(table, 0, DMAR_SIZE);
    put_header(config, table);
    put_unit(config, table + OFF_DRHD);
    put_ioapic_scope(config, table + OFF_SCOPE);
    for (unsigned i = 0; i < DMAR_SIZE; i++) {
        sum = (uint8_t)(sum + table[i]);
    }
    table[OFF_CHECKSUM] = (uint8_t)-sum;
}

int
dmar_write(const struct viommu_config *config, const char *path,
           struct text_error *err)
{
    uint8_t table[DMAR_SIZE];
    FILE *file = fopen(path, "we");
    size_t n;
    int rc = 0;

    if (!file) {
        rc = -errno;
        return text_fail(err, rc, "cannot write %s: %s", path, strerror(-rc));
    }
    dmar_build(config, table);
    n = fwrite(table, 1, sizeof(table), file);
    if (fclose(file) || n != sizeof(table)) {
        rc = errno ? -errno : -EIO;
        text_fail(err, rc, "cannot write %s: %s", path, strerror(-rc));
    }
    return rc;
}
