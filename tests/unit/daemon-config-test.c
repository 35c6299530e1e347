/* SPDX-License-Identifier: GPL-2.0-only */
/* The parser of viommu=: every key, every refusal and its message. */
#include "daemon/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The end of the canonical form without DMA remapping. */
#define NONE ",dma=none,stages=both,caching=0,posted=0,ats=0,pasid=0"

#define PLAIN                                                      \
    "type=intel_vtd,intremap=1,eim=1,base=0xfed90000,ioapic_id=1," \
    "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46"
#define DEFAULTS PLAIN NONE

#define SIXTEEN                                                        \
    "00:01.0;00:01.1;00:01.2;00:01.3;00:01.4;00:01.5;00:01.6;00:01.7;" \
    "00:02.0;00:02.1;00:02.2;00:02.3;00:02.4;00:02.5;00:02.6;00:02.7"

/* What is accepted, and its canonical form. */
static const struct {
    const char *spec;
    const char *canonical;
} accepted[] = {
    { "type=intel_vtd", DEFAULTS },
    { DEFAULTS, DEFAULTS },
    { "type=intel_vtd,intremap=1", DEFAULTS },
    { "intremap=on,type=intel_vtd", DEFAULTS },
    { " type = intel_vtd ,\teim\t=\ton ", DEFAULTS },
    { "width=52,x2apic_opt_out=on,faults=1,ioapic_sid=f0:1F.7,ioapic_id=0xfe,"
      "base=0xfeda0000,eim=off,intremap=1,type=intel_vtd",
      "type=intel_vtd,intremap=1,eim=0,base=0xfeda0000,ioapic_id=254,"
      "ioapic_sid=f0:1f.7,faults=1,x2apic_opt_out=1,width=52" NONE },
    /* The flag is advice to the guest: it may go with x2APIC mode. */
    { "type=intel_vtd,eim=1,x2apic_opt_out=1,width=32,ioapic_sid=00:00.1,"
      "ioapic_id=0,base=4275638272",
      "type=intel_vtd,intremap=1,eim=1,base=0xfed91000,ioapic_id=0,"
      "ioapic_sid=00:00.1,faults=8,x2apic_opt_out=1,width=32" NONE },
    /* Defaults that depend on other keys. */
    { "dma=legacy,devices=00:04.0,type=intel_vtd",
      PLAIN ",dma=legacy,stages=both,caching=0,posted=0,ats=0,pasid=0,devices="
            "00:04.0" },
    { "type=intel_vtd,devices=00:04.0;1F:1f.7,dma=scalable",
      PLAIN ",dma=scalable,stages=both,caching=0,posted=0,ats=0,pasid=20,"
            "devices=00:04.0;1f:1f.7" },
    { "type=intel_vtd,dma=full,devices=00:04.0",
      PLAIN ",dma=full,stages=both,caching=0,posted=1,ats=1,pasid=20,devices="
            "00:04.0" },
    { "type=intel_vtd,dma=full,devices=00:04.0,caching=1,posted=off,ats=off,"
      "pasid=8",
      PLAIN ",dma=full,stages=both,caching=1,posted=0,ats=0,pasid=8,devices=00:"
            "04.0" },
    { "type=intel_vtd,intremap=0,dma=full,devices=00:00.0",
      "type=intel_vtd,intremap=0,eim=0,base=0xfed90000,ioapic_id=1,"
      "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46,dma=full,"
      "stages=both,caching=0,posted=0,ats=1,pasid=20,devices=00:00.0" },
    { "type=intel_vtd,stages=first,dma=scalable,devices=00:04.0",
      PLAIN ",dma=scalable,stages=first,caching=0,posted=0,ats=0,pasid=20,"
            "devices=00:04.0" },
    { "type=intel_vtd,stages=second,dma=full,devices=00:04.0",
      PLAIN ",dma=full,stages=second,caching=0,posted=1,ats=1,pasid=20,"
            "devices=00:04.0" },
    /* A scope for interrupt remapping alone. */
    { "type=intel_vtd,posted=1,devices= 00:05.0",
      PLAIN ",dma=none,stages=both,caching=0,posted=1,ats=0,pasid=0,devices=00:"
            "05.0" },
    { "type=intel_vtd,dma=legacy,devices=" SIXTEEN,
      PLAIN ",dma=legacy,stages=both,caching=0,posted=0,ats=0,pasid=0,"
            "devices=" SIXTEEN },
    /* The neighbours of what is taken. */
    { "type=intel_vtd,base=0xfe000000",
      "type=intel_vtd,intremap=1,eim=1,base=0xfe000000,ioapic_id=1,"
      "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46" NONE },
    { "type=intel_vtd,base=0xfeff7000",
      "type=intel_vtd,intremap=1,eim=1,base=0xfeff7000,ioapic_id=1,"
      "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46" NONE },
    { "type=intel_vtd,base=0xfed01000",
      "type=intel_vtd,intremap=1,eim=1,base=0xfed01000,ioapic_id=1,"
      "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46" NONE },
};

#define ALL_KEYS                                                 \
    "type, intremap, eim, base, ioapic_id, ioapic_sid, faults, " \
    "x2apic_opt_out, width, dma, stages, caching, posted, ats, pasid, devices"
#define BASE                                                          \
    "; accepted: a free page from 0xfe000000 to 0xfeff7000, such as " \
    "0xfed90000"
#define SID                                                                \
    "; accepted: 00:00.1 to ff:1f.7, one that no PCI device has, such as " \
    "ff:00.0"
#define SWITCH "; accepted: 0, 1, on or off"
#define A16    "aaaaaaaaaaaaaaaa"
#define A64    A16 A16 A16 A16
#define LONG   A64 A64 A16 A16
#define DEVICES \
    "; accepted: 1 to 16 devices such as 00:04.0, separated by semicolons"
#define LEGACY "type=intel_vtd,dma=legacy,devices=00:04.0"

/* What is refused; the message follows "viommu: ". */
static const struct {
    const char *spec;
    const char *message;
} refused[] = {
    { "", "no key is named ''; accepted: " ALL_KEYS },
    { "type=intel_vtd,", "no key is named ''; accepted: " ALL_KEYS },
    { "type=intel_vtd,,eim=1", "no key is named ''; accepted: " ALL_KEYS },
    { "eim=1", "type is missing; accepted: type=intel_vtd" },
    { "type=intel_vtd,cache=1",
      "no key is named 'cache'; accepted: " ALL_KEYS },
    { "type=intel_vtd,Eim=1", "no key is named 'Eim'; accepted: " ALL_KEYS },
    { "type=intel_vtd,e\033[31m=1",
      "no key is named 'e?[31m'; accepted: " ALL_KEYS },
    { "type", "type has no value; accepted: type=VALUE with intel_vtd" },
    { "type=intel_vtd,type=intel_vtd",
      "type is given twice; accepted: each key once" },
    { "type=intel_vtd,eim=1,eim=0",
      "eim is given twice; accepted: each key once" },
    { "type=", "type= is not offered; accepted: intel_vtd" },
    { "type=amd_vi", "type=amd_vi is not offered; accepted: intel_vtd" },
    { "intremap=2", "intremap=2 is not a switch" SWITCH },
    { "dma=all",
      "dma=all is not a mode; accepted: none, legacy, scalable or full" },
    { "stages=third",
      "stages=third is not a mode; accepted: both, first or second" },
    { "caching=", "caching= is not a switch" SWITCH },
    { "posted=2", "posted=2 is not a switch" SWITCH },
    { "ats=yes", "ats=yes is not a switch" SWITCH },
    { "pasid=21", "pasid=21 is too large; accepted: 0 to 20" },
    { "devices=", "devices= has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0;",
      "devices=00:04.0; has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0 ;00:05.0", "devices=00:04.0 ;00:05.0 has what is not a "
                                  "bus:device.function" DEVICES },
    { "devices=00:20.0",
      "devices=00:20.0 has what is not a bus:device.function" DEVICES },
    { "devices=0000:00:04.0",
      "devices=0000:00:04.0 has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0;00:04.0",
      "devices=00:04.0;00:04.0 names a device twice" DEVICES },
    { "devices=" SIXTEEN ";00:03.0",
      "devices=" SIXTEEN ";00:03.0 names too many devices" DEVICES },
    /* Keys that make no sense together, whatever their order. */
    { "type=intel_vtd,intremap=0",
      "intremap=0 leaves a unit with dma=none nothing to do; set intremap=1, "
      "or dma to legacy, scalable or full" },
    { "eim=1,intremap=0," LEGACY,
      "eim=1 is a mode of interrupt remapping; set intremap=1, or leave eim "
      "out" },
    { LEGACY ",posted=1,intremap=0",
      "posted=1 is a mode of interrupt remapping; set intremap=1, or leave "
      "posted out" },
    { LEGACY ",x2apic_opt_out=1,intremap=0",
      "x2apic_opt_out=1 has no meaning without interrupt remapping; set "
      "intremap=1, or leave x2apic_opt_out out" },
    { "caching=1,type=intel_vtd",
      "caching=1 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave caching out" },
    { "ats=1,type=intel_vtd",
      "ats=1 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave ats out" },
    { "pasid=1," LEGACY,
      "pasid needs scalable mode; set dma to scalable or full, or leave pasid "
      "out" },
    { "stages=first," LEGACY,
      "stages needs scalable mode; set dma to scalable or full, or leave "
      "stages out" },
    { "type=intel_vtd,dma=scalable",
      "devices is missing; with DMA remapping, name the devices whose "
      "emulators "
      "ask the unit: any other would do DMA to addresses that nobody "
      "translates" },
    { "type=intel_vtd,ioapic_sid=00:04.0,devices=00:03.0;00:04.0",
      "devices has the source id of the IOAPIC; set ioapic_sid to an address "
      "that no device has" },
    { "eim=yes", "eim=yes is not a switch" SWITCH },
    { "x2apic_opt_out=", "x2apic_opt_out= is not a switch" SWITCH },
    { "base=", "base= is not a number" BASE },
    { "base=0x", "base=0x is not a number" BASE },
    { "base=0x0x1000", "base=0x0x1000 is not a number" BASE },
    { "base=-1", "base=-1 is not a number" BASE },
    { "base=+4096", "base=+4096 is not a number" BASE },
    { "base=fed90000", "base=fed90000 is not a number" BASE },
    { "base=0xfed90000 x", "base=0xfed90000 x is not a number" BASE },
    { "base=0xfed90001", "base=0xfed90001 is not aligned to 4 KiB" BASE },
    { "base=0xfed90800", "base=0xfed90800 is not aligned to 4 KiB" BASE },
    { "base=0x100000000", "base=0x100000000 is too large" BASE },
    { "base=99999999999999999999",
      "base=99999999999999999999 is too large" BASE },
    { "base=0", "base=0 may be RAM (the hole starts at 0xf0000000)" BASE },
    { "base=0xeffff000",
      "base=0xeffff000 may be RAM (the hole starts at 0xf0000000)" BASE },
    { "base=0xf0000000", "base=0xf0000000 may be a PCI device's memory" BASE },
    { "base=0xfbfff000", "base=0xfbfff000 may be a PCI device's memory" BASE },
    { "base=0xfc000000", "base=0xfc000000 is memory of hvmloader's" BASE },
    { "base=0xfdfff000", "base=0xfdfff000 is memory of hvmloader's" BASE },
    { "base=0xfe7ff000",
      "base=0xfe7ff000 is reserved for the guest's own use" BASE },
    { "base=0xfec00000", "base=0xfec00000 is the IOAPIC" BASE },
    { "base=0xfed00000", "base=0xfed00000 is the HPET" BASE },
    { "base=0xfed40000", "base=0xfed40000 is the TPM" BASE },
    { "base=0xfed44000", "base=0xfed44000 is the TPM" BASE },
    { "base=0xfee00000",
      "base=0xfee00000 is the local APIC and where MSIs go" BASE },
    { "base=0xfeeff000",
      "base=0xfeeff000 is the local APIC and where MSIs go" BASE },
    { "base=0xfeff8000", "base=0xfeff8000 is memory shared with Xen" BASE },
    { "base=0xfffff000", "base=0xfffff000 is the firmware" BASE },
    { "ioapic_id=256",
      "ioapic_id=256 is too large; accepted: 0 to 255; hvmloader's is 1" },
    { "ioapic_id=x",
      "ioapic_id=x is not a number; accepted: 0 to 255; hvmloader's is 1" },
    { "ioapic_sid=00:00.0",
      "ioapic_sid=00:00.0 is the host bridge, and no source id to Linux" SID },
    { "ioapic_sid=ff:20.0",
      "ioapic_sid=ff:20.0 is not a bus:device.function" SID },
    { "ioapic_sid=ff:00.8",
      "ioapic_sid=ff:00.8 is not a bus:device.function" SID },
    { "ioapic_sid=ff.00:0",
      "ioapic_sid=ff.00:0 is not a bus:device.function" SID },
    { "ioapic_sid=f:00.0",
      "ioapic_sid=f:00.0 is not a bus:device.function" SID },
    { "ioapic_sid=0xff00",
      "ioapic_sid=0xff00 is not a bus:device.function" SID },
    { "ioapic_sid=0000:ff:00.0",
      "ioapic_sid=0000:ff:00.0 is not a bus:device.function" SID },
    { "faults=0", "faults=0 is too small; accepted: 1 to 8" },
    { "faults=9", "faults=9 is too large; accepted: 1 to 8" },
    { "width=31", "width=31 is too small; accepted: 32 to 52" },
    { "width=53", "width=53 is too large; accepted: 32 to 52" },
    { "width=300", "width=300 is too large; accepted: 32 to 52" },
    { "type=intel_vtd," LONG "=1",
      "'aaaaaaaaaaaaaaaa...' is too long; accepted: key=value of at most 159 "
      "characters each" },
    { "type=intel_vtd,eim=" LONG,
      "'eim=aaaaaaaaaaaa...' is too long; accepted: key=value of at most 159 "
      "characters each" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
accepts_and_prints_canonically(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct viommu_config config;
        char err[256] = "";
        char text[CONFIG_TEXT_SIZE];
        int n;

        if (config_parse(accepted[i].spec, &config, err, sizeof(err))) {
            fail_msg("'%s' refused: %s", accepted[i].spec, err);
        }
        n = config_format(&config, text, sizeof(text));
        assert_string_equal(text, accepted[i].canonical);
        assert_int_equal(n, strlen(text));
    }
}

static void
canonical_form_is_a_fixed_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct viommu_config config;
        char err[256];
        char text[CONFIG_TEXT_SIZE];

        assert_int_equal(
            config_parse(accepted[i].canonical, &config, err, sizeof(err)), 0);
        config_format(&config, text, sizeof(text));
        assert_string_equal(text, accepted[i].canonical);
    }
}

static void
refuses_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct viommu_config before = { .base = 0x1234, .faults = 3 };
        struct viommu_config config = before;
        char want[1024];
        char err[1024] = "";

        snprintf(want, sizeof(want), "viommu: %s", refused[i].message);
        if (!config_parse(refused[i].spec, &config, err, sizeof(err))) {
            fail_msg("'%s' accepted", refused[i].spec);
        }
        assert_string_equal(err, want);
        assert_int_equal(
            config_parse(refused[i].spec, &config, err, sizeof(err)), -EINVAL);
        assert_int_equal(config.base, before.base);
        assert_int_equal(config.faults, before.faults);
    }
}

static void
message_is_cut_to_its_buffer(void **state)
{
    struct viommu_config config;
    char err[8] = "xxxxxxx";

    (void)state;
    assert_int_equal(config_parse("eim=1", &config, err, 4), -EINVAL);
    assert_string_equal(err, "vio");
    assert_string_equal(err + 4, "xxx");
    assert_int_equal(config_parse("eim=1", &config, err, 0), -EINVAL);
    assert_string_equal(err, "vio");
}

static void
form_is_cut_to_its_buffer(void **state)
{
    struct viommu_config config;
    char err[256];
    char text[9] = "xxxxxxxx";

    (void)state;
    assert_int_equal(config_parse("type=intel_vtd", &config, err, sizeof(err)),
                     0);
    assert_int_equal(config_format(&config, text, 5), strlen(DEFAULTS));
    assert_string_equal(text, "type");
    assert_string_equal(text + 5, "xxx");
}

/* CONFIG_TEXT_SIZE is room for the longest of each. */
static void
the_longest_form_fits(void **state)
{
    struct viommu_config config;
    char err[256];

    (void)state;
    assert_int_equal(config_parse("type=intel_vtd,dma=scalable,ioapic_id=255,"
                                  "devices=" SIXTEEN,
                                  &config, err, sizeof(err)),
                     0);
    assert_in_range(config_format(&config, NULL, 0), 256, CONFIG_TEXT_SIZE - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_and_prints_canonically),
        cmocka_unit_test(canonical_form_is_a_fixed_point),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(message_is_cut_to_its_buffer),
        cmocka_unit_test(form_is_cut_to_its_buffer),
        cmocka_unit_test(the_longest_form_fits),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
