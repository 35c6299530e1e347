/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What viommu-ctl needs of an xl.cfg.  libxlutil parses it, as it does for
 * xl, which ignores the key viommu.
 */
#ifndef TOOLS_VIOMMU_CTL_XLCFG_H
#define TOOLS_VIOMMU_CTL_XLCFG_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/config.h"
#include "tools/viommu-ctl/text.h"

enum xlcfg_type {
    XLCFG_PV,
    XLCFG_HVM,
    XLCFG_PVH,
};

struct xlcfg {
    char name[256]; /* empty if there is none                   */
    enum xlcfg_type type;
    bool acpi_firmware; /* the file brings ACPI tables of its own   */
    bool restarts;      /* xl starts the guest again when it reboots */
    struct viommu_configs units;
};

/*
 * Read @path, followed by the @extra_count lines of @extra as `xl create` adds
 * its key=value arguments.  Returns 0 or -errno with @err set.
 */
int xlcfg_read(const char *path, char *const extra[], size_t extra_count,
               struct xlcfg *out, struct text_error *err);

#endif
