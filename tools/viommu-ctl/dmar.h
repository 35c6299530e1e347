/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI table that tells a guest of its units.
 * [VT-d 4.1, "DMA Remapping Reporting Structure"]
 */
#ifndef TOOLS_VIOMMU_CTL_DMAR_H
#define TOOLS_VIOMMU_CTL_DMAR_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "tools/viommu-ctl/text.h"

/*
 * Header, a definition for each unit with a scope for each device, one scope
 * for the IOAPIC, and what says that root ports translate for device TLBs.
 */
#define DMAR_SIZE_MAX \
    (48u + CONFIG_UNITS_MAX * (16u + 8u * CONFIG_DEVICES_MAX) + 8u + 8u)

/* Returns the table's length. */
size_t dmar_build(const struct viommu_configs *configs,
                  uint8_t table[DMAR_SIZE_MAX]);

/* Write the table to @path.  Returns 0 or -errno with @err set. */
int dmar_write(const struct viommu_configs *configs, const char *path,
               struct text_error *err);

#endif
