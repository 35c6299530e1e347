/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the configuration have in common. */
#ifndef DAEMON_CONFIG_PRIV_H
#define DAEMON_CONFIG_PRIV_H

#include "daemon/config.h"

/* A unit's registers. */
#define CONFIG_PAGE 4096u

/* By the enumeration of each. */
extern const char *const config_dma_names[];
extern const char *const config_stages_names[];
extern const char *const config_layout_names[];

#define CONFIG_SID_FORMAT "%02x:%02x.%x"
#define CONFIG_SID_ARGS(sid) \
    (unsigned)(sid) >> 8, (unsigned)(sid) >> 3 & 0x1fu, (unsigned)(sid)&7u

/* One line, whatever the file that it quotes holds.  Returns -EINVAL. */
int config_refuse(char *err, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* NULL, or why no unit can have its registers at @base. */
const char *config_base_taken(uint64_t base);

bool config_has_device(const struct viommu_config *config, uint16_t sid);

/* NULL, or why the keys make no sense together, and what to do. */
const char *config_conflict(const struct viommu_config *config);

/* The same for units that are one guest's: 0, or -EINVAL and @err. */
int configs_check(const struct viommu_configs *configs, char *err,
                  size_t err_size);

#endif
