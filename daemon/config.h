/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of a guest's units: the value of viommu= in xl.cfg, for
 * example "type=intel_vtd,intremap=1".  viommud and viommu-ctl share this
 * parser, so that both accept and refuse the same; man/viommu.cfg.5 describes
 * each key.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Units of a guest. */
#define CONFIG_UNITS_MAX 4u

/* Between the units of a list that is one text. */
#define CONFIG_SEPARATOR '|'

/* Devices that devices= names at most. */
#define CONFIG_DEVICES_MAX 16u

/* Room for the canonical form of any configuration, and of any list. */
#define CONFIG_UNIT_TEXT_SIZE 768u
#define CONFIG_TEXT_SIZE      (CONFIG_UNITS_MAX * CONFIG_UNIT_TEXT_SIZE)

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

/* What becomes of the one unit of a list. */
enum config_layout {
    CONFIG_LAYOUT_AUTO, /* SPLIT if it remaps both; none is left in a list */
    CONFIG_LAYOUT_ONE,
    CONFIG_LAYOUT_SPLIT,
};

struct viommu_config {
    bool intremap;       /* default 1                                    */
    bool eim;            /* default: intremap                            */
    uint64_t base;       /* register page, guest physical; 0xfed90000    */
    bool ioapic;         /* the IOAPIC is its; config_parse(): is named  */
    uint8_t ioapic_id;   /* the MADT's; default 1, hvmloader's           */
    uint16_t ioapic_sid; /* bus:dev.fn in the DMAR scope; ff:00.0        */
    uint8_t faults;      /* fault recording registers, 1 to 8; 8         */
    bool x2apic_opt_out; /* DMAR flag; default 0                         */
    uint8_t width;       /* host address width in bits, 32 to 52; 46     */
    uint8_t dma;         /* enum config_dma; none                        */
    uint8_t levels;      /* of second-stage tables: 3, or 3 and 4; 4     */
    uint8_t stages;      /* enum config_stages; both                     */
    bool caching;        /* caching mode; default 0                      */
    bool posted;         /* posted-format entries; default: dma=full     */
    bool ats;            /* device TLBs; default: dma=full               */
    uint8_t pasid;       /* bits, 0 to 20; default 20 in scalable mode   */
    bool prs;            /* page requests; default: dma=full             */
    uint16_t drain_ms;   /* a client may hold up the guest; 1000         */
    uint8_t layout;      /* enum config_layout; auto                     */
    uint8_t device_count;
    uint16_t device[CONFIG_DEVICES_MAX];     /* source ids; none: what no */
                                             /* other unit has            */
    uint32_t device_uid[CONFIG_DEVICES_MAX]; /* who may speak for it      */
};

/* Units in the order of the ACPI table. */
struct viommu_configs {
    unsigned count; /* 1 to CONFIG_UNITS_MAX */
    unsigned wired; /* the unit whose table Xen looks interrupts up in; the */
                    /* IOAPIC is its */
    struct viommu_config unit[CONFIG_UNITS_MAX];
};

/*
 * Parse one unit's @spec into @config.  Returns 0, or -EINVAL with one line in
 * @err that names the key and says what would be accepted.
 */
int config_parse(const char *spec, struct viommu_config *config, char *err,
                 size_t err_size);

/*
 * The same for a list of units.  Here it is decided what depends on the others:
 * who has the IOAPIC, and that a unit is split into two.
 */
int configs_parse(const char *spec, struct viommu_configs *configs, char *err,
                  size_t err_size);

/*
 * The canonical form of @configs, every key of each unit named but for a list
 * of no devices, and for the IOAPIC where it is another unit's.  Returns its
 * length.
 */
int configs_format(const struct viommu_configs *configs, char *buf,
                   size_t size);

/* As the configuration has it: "legacy". */
const char *config_dma_name(uint8_t dma);

#endif
