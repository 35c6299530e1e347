/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit's configuration: the value of viommu= in xl.cfg, for example
 * "type=intel_vtd,intremap=1".  viommud and viommu-ctl share this parser, so
 * that both accept and refuse the same; man/viommu.cfg.5 describes each key.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Devices that devices= names at most. */
#define CONFIG_DEVICES_MAX 16u

/* Room for the canonical form of any configuration. */
#define CONFIG_TEXT_SIZE 512u

/* What DMA remapping the unit offers; each is the one before, and more. */
enum config_dma {
    CONFIG_DMA_NONE,
    CONFIG_DMA_LEGACY,   /* second-stage tables                          */
    CONFIG_DMA_SCALABLE, /* first-stage tables, nested ones, PASIDs      */
    CONFIG_DMA_FULL,     /* device TLBs, supervisor requests and more    */
};

/* Which stages of scalable mode. */
enum config_stages {
    CONFIG_STAGES_BOTH, /* and the one nested on the other               */
    CONFIG_STAGES_FIRST,
    CONFIG_STAGES_SECOND,
};

struct viommu_config {
    bool intremap;       /* default 1                                    */
    bool eim;            /* default: intremap                            */
    uint64_t base;       /* register page, guest physical; 0xfed90000    */
    uint8_t ioapic_id;   /* the MADT's; default 1, hvmloader's           */
    uint16_t ioapic_sid; /* bus:dev.fn in the DMAR scope; ff:00.0        */
    uint8_t faults;      /* fault recording registers, 1 to 8; 8         */
    bool x2apic_opt_out; /* DMAR flag; default 0                         */
    uint8_t width;       /* host address width in bits, 32 to 52; 46     */
    uint8_t dma;         /* enum config_dma; none                        */
    uint8_t stages;      /* enum config_stages; both                     */
    bool caching;        /* caching mode; default 0                      */
    bool posted;         /* posted-format entries; default: dma=full     */
    bool ats;            /* device TLBs; default: dma=full               */
    uint8_t pasid;       /* bits, 0 to 20; default 20 in scalable mode   */
    uint8_t device_count;
    uint16_t device[CONFIG_DEVICES_MAX]; /* source ids; none: all of PCI */
};

/*
 * Parse @spec into @config.  Returns 0, or -EINVAL with one line in @err that
 * names the key and says what would be accepted.
 */
int config_parse(const char *spec, struct viommu_config *config, char *err,
                 size_t err_size);

/*
 * The canonical form of @config, every key named but for a list of no
 * devices.  Returns its length.
 */
int config_format(const struct viommu_config *config, char *buf, size_t size);

#endif
