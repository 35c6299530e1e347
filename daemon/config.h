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

struct viommu_config {
    bool intremap;       /* must be 1: nothing else is offered yet       */
    bool eim;            /* default 1                                    */
    uint64_t base;       /* register page, guest physical; 0xfed90000    */
    uint8_t ioapic_id;   /* the MADT's; default 1, hvmloader's           */
    uint16_t ioapic_sid; /* bus:dev.fn in the DMAR scope; ff:00.0        */
    uint8_t faults;      /* fault recording registers, 1 to 8; 8         */
    bool x2apic_opt_out; /* DMAR flag; default 0                         */
    uint8_t width;       /* host address width in bits, 32 to 52; 46     */
};

/*
 * Parse @spec into @config.  Returns 0, or -EINVAL with one line in @err that
 * names the key and says what would be accepted.
 */
int config_parse(const char *spec, struct viommu_config *config, char *err,
                 size_t err_size);

/* The canonical form of @config, every key named.  Returns its length. */
int config_format(const struct viommu_config *config, char *buf, size_t size);

#endif
