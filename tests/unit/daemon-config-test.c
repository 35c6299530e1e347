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

#define IOAPIC "ioapic_id=1,ioapic_sid=ff:00.0,"
#define HEAD(base, ioapic)                                              \
    "type=intel_vtd,intremap=1,eim=1,base=" base "," ioapic "faults=8," \
    "x2apic_opt_out=0,width=46"
#define TAIL ",drain_ms=1000,layout=one"

/* The end of the canonical form without DMA remapping. */
#define NO_DMA(posted)                                                  \
    ",dma=none,levels=4,stages=both,caching=0,posted=" posted ",ats=0," \
    "pasid=0,prs=0" TAIL
#define NONE NO_DMA("0")

#define PLAIN    HEAD("0xfed90000", IOAPIC)
#define DEFAULTS PLAIN NONE

/* The first unit of two, and what is split off. */
#define FIRST        HEAD("0xfed90000", "")
#define REST(posted) "|" HEAD("0xfed91000", IOAPIC) NO_DMA(posted)

#define LEGACY_KEYS                                                          \
    ",dma=legacy,levels=4,stages=both,caching=0,posted=0,ats=0,pasid=0,prs=" \
    "0" TAIL

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
    { "dma=legacy,devices=00:04.0,type=intel_vtd,layout=one",
      PLAIN LEGACY_KEYS ",devices=00:04.0" },
    { "dma=legacy,devices=00:04.0@1000;00:05.0@0,type=intel_vtd",
      FIRST LEGACY_KEYS ",devices=00:04.0@1000;00:05.0" REST("0") },
    { "type=intel_vtd,devices=00:04.0;1F:1f.7@4294967294,dma=scalable,layout="
      "one",
      PLAIN ",dma=scalable,levels=4,stages=both,caching=0,posted=0,ats=0,pasid="
            "20,prs=0" TAIL ",devices=00:04.0;1f:1f.7@4294967294" },
    { "type=intel_vtd,dma=full,devices=00:04.0",
      FIRST ",dma=full,levels=4,stages=both,caching=0,posted=1,ats=1,pasid=20,"
            "prs=1" TAIL ",devices=00:04.0" REST("1") },
    { "type=intel_vtd,dma=full,devices=00:04.0,caching=1,posted=off,ats=off,"
      "pasid=8,layout=split",
      FIRST ",dma=full,levels=4,stages=both,caching=1,posted=0,ats=0,pasid=8,"
            "prs=0" TAIL ",devices=00:04.0" REST("0") },
    { "type=intel_vtd,dma=full,devices=00:04.0,pasid=0,layout=one",
      PLAIN ",dma=full,levels=4,stages=both,caching=0,posted=1,ats=1,pasid=0,"
            "prs=0" TAIL ",devices=00:04.0" },
    { "type=intel_vtd,dma=scalable,ats=1,prs=1,devices=00:04.0,layout=one",
      PLAIN ",dma=scalable,levels=4,stages=both,caching=0,posted=0,ats=1,"
            "pasid=20,prs=1" TAIL ",devices=00:04.0" },
    { "type=intel_vtd,intremap=0,dma=full,devices=00:00.0",
      "type=intel_vtd,intremap=0,eim=0,base=0xfed90000,faults=8,x2apic_opt_out="
      "0,width=46,dma=full,levels=4,stages=both,caching=0,posted=0,ats=1,pasid="
      "20,prs=1" TAIL ",devices=00:00.0" },
    { "type=intel_vtd,stages=first,dma=scalable,devices=00:04.0,layout=one",
      PLAIN ",dma=scalable,levels=4,stages=first,caching=0,posted=0,ats=0,"
            "pasid=20,prs=0" TAIL ",devices=00:04.0" },
    { "type=intel_vtd,levels=3,dma=legacy,devices=00:04.0,layout=one,drain_ms="
      "10",
      PLAIN ",dma=legacy,levels=3,stages=both,caching=0,posted=0,ats=0,pasid=0,"
            "prs=0,drain_ms=10,layout=one,devices=00:04.0" },
    /* What is split off has the rest of the keys. */
    { "type=intel_vtd,dma=legacy,devices=00:04.0,eim=0,base=0xfe000000,"
      "ioapic_id=2,ioapic_sid=f0:00.0,faults=3,x2apic_opt_out=1,width=39,"
      "drain_ms=60000",
      "type=intel_vtd,intremap=1,eim=0,base=0xfe000000,faults=3,x2apic_opt_out="
      "1,width=39,dma=legacy,levels=4,stages=both,caching=0,posted=0,ats=0,"
      "pasid=0,prs=0,drain_ms=60000,layout=one,devices=00:04.0|type=intel_vtd,"
      "intremap=1,eim=0,base=0xfe001000,ioapic_id=2,ioapic_sid=f0:00.0,faults="
      "3,x2apic_opt_out=1,width=39,dma=none,levels=4,stages=both,caching=0,"
      "posted=0,ats=0,pasid=0,prs=0,drain_ms=60000,layout=one" },
    /* A scope for interrupt remapping alone. */
    { "type=intel_vtd,posted=1,devices= 00:05.0",
      PLAIN NO_DMA("1") ",devices=00:05.0" },
    { "type=intel_vtd,dma=legacy,devices=" SIXTEEN,
      FIRST LEGACY_KEYS ",devices=" SIXTEEN REST("0") },
    /* Units that are named one by one. */
    { "type=intel_vtd,dma=legacy,devices=00:04.0 | type=intel_vtd,base="
      "0xfed91000,ioapic_id=1",
      FIRST LEGACY_KEYS ",devices=00:04.0" REST("0") },
    { "type=intel_vtd,intremap=0,dma=legacy,devices=00:04.0|type=intel_vtd,"
      "intremap=0,dma=legacy,devices=00:05.0,base=0xfeda0000",
      "type=intel_vtd,intremap=0,eim=0,base=0xfed90000,faults=8,x2apic_opt_out="
      "0,width=46" LEGACY_KEYS ",devices=00:04.0|type=intel_vtd,intremap=0,eim="
      "0,base=0xfeda0000,faults=8,x2apic_opt_out=0,width=46" LEGACY_KEYS
      ",devices=00:05.0" },
    /* Without a unit for all others, the first with interrupts has the
     * IOAPIC. */
    { "type=intel_vtd,intremap=0,dma=legacy,devices=00:04.0,base=0xfeda0000|"
      "type=intel_vtd,dma=legacy,devices=00:05.0,layout=one",
      "type=intel_vtd,intremap=0,eim=0,base=0xfeda0000,faults=8,x2apic_opt_out="
      "0,width=46" LEGACY_KEYS ",devices=00:04.0|" PLAIN LEGACY_KEYS
      ",devices=00:05.0" },
    /* The neighbours of what is taken. */
    { "type=intel_vtd,base=0xfe000000", HEAD("0xfe000000", IOAPIC) NONE },
    { "type=intel_vtd,base=0xfeff7000", HEAD("0xfeff7000", IOAPIC) NONE },
    { "type=intel_vtd,base=0xfed01000", HEAD("0xfed01000", IOAPIC) NONE },
};

#define ALL_KEYS                                                         \
    "type, intremap, eim, base, ioapic_id, ioapic_sid, faults, "         \
    "x2apic_opt_out, width, dma, levels, stages, caching, posted, ats, " \
    "pasid, "                                                            \
    "prs, drain_ms, layout, devices"
#define BASE                                                          \
    "; accepted: a free page from 0xfe000000 to 0xfeff7000, such as " \
    "0xfed90000"
#define SID                                                                \
    "; accepted: 00:00.1 to ff:1f.7, one that no PCI device has, such as " \
    "ff:00.0"
#define SWITCH "; accepted: 0, 1, on or off"
#define A16    "aaaaaaaaaaaaaaaa"
#define A64    A16 A16 A16 A16
#define LONG   A64 A64 A64 A64 A64
#define DEVICES                                                               \
    "; accepted: 1 to 16 devices such as 00:04.0 or 00:04.0@1000, separated " \
    "by semicolons"
#define LEGACY "type=intel_vtd,dma=legacy,devices=00:04.0"
#define SECOND "type=intel_vtd,base=0xfed91000"
#define OTHER  "type=intel_vtd,dma=legacy,devices=00:05.0,base=0xfeda0000"

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
    { "devices=00:04.0@",
      "devices=00:04.0@ has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0@root",
      "devices=00:04.0@root has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0@4294967295", "devices=00:04.0@4294967295 has what is "
                                    "not a bus:device.function" DEVICES },
    { "devices=00:04.0@00000000001", "devices=00:04.0@00000000001 has what is "
                                     "not a bus:device.function" DEVICES },
    { "devices=00:04.0 @1",
      "devices=00:04.0 @1 has what is not a bus:device.function" DEVICES },
    { "devices=00:04.0@1;00:04.0@2",
      "devices=00:04.0@1;00:04.0@2 names a device twice" DEVICES },
    { "levels=2", "levels=2 is too small; accepted: 3, or 4, which is both" },
    { "levels=5", "levels=5 is too large; accepted: 3, or 4, which is both" },
    { "drain_ms=9", "drain_ms=9 is too small; accepted: 10 to 60000" },
    { "drain_ms=60001", "drain_ms=60001 is too large; accepted: 10 to 60000" },
    { "drain_ms=1s", "drain_ms=1s is not a number; accepted: 10 to 60000" },
    { "layout=auto", "layout=auto is not a mode; accepted: one or split" },
    { "prs=2", "prs=2 is not a switch" SWITCH },
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
    { "levels=3,type=intel_vtd",
      "levels=3 needs DMA remapping; set dma to legacy, scalable or full, or "
      "leave levels out" },
    { "prs=1," LEGACY,
      "prs=1 needs scalable mode; set dma to scalable or full, or leave prs "
      "out" },
    { "type=intel_vtd,dma=full,ats=0,prs=1,devices=00:04.0",
      "prs=1 needs device TLBs; set ats=1, or leave prs out" },
    { "type=intel_vtd,dma=full,pasid=0,prs=1,devices=00:04.0",
      "prs=1 needs PASIDs; set pasid to 1 or more, or leave prs out" },
    { LEGACY ",intremap=0,ioapic_id=1",
      "ioapic_id and ioapic_sid have no meaning without interrupt remapping; "
      "set intremap=1, or leave them out" },
    { LEGACY ",intremap=0,layout=split",
      "layout=split needs interrupt remapping; set intremap=1, or leave layout "
      "out" },
    { "type=intel_vtd,layout=split",
      "layout=split needs DMA remapping; set dma to legacy, scalable or full, "
      "or leave layout out" },
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
      "'aaaaaaaaaaaaaaaa...' is too long; accepted: key=value of at most 319 "
      "characters each" },
    { "type=intel_vtd,eim=" LONG,
      "'eim=aaaaaaaaaaaa...' is too long; accepted: key=value of at most 319 "
      "characters each" },
};

/* What is refused of a list, and its message as a whole. */
static const struct {
    const char *spec;
    const char *message;
} refused_lists[] = {
    { LEGACY "|type=intel_vtd,eim=2",
      "viommu[1]: eim=2 is not a switch" SWITCH },
    { "type=amd_vi|" SECOND,
      "viommu[0]: type=amd_vi is not offered; accepted: intel_vtd" },
    { LEGACY "|", "viommu[1]: no key is named ''; accepted: " ALL_KEYS },
    { LEGACY "|" OTHER "|" SECOND "|" SECOND "|" SECOND,
      "viommu[4] is one unit too many; accepted: 4" },
    { LEGACY "|type=intel_vtd",
      "viommu[0] and viommu[1] have the same base; accepted: another page for "
      "each" },
    { SECOND "|" LEGACY,
      "viommu[0] names no devices, and so has all that no unit names; "
      "accepted: this in the last unit" },
    { SECOND "|type=intel_vtd",
      "viommu[0] names no devices, and so has all that no unit names; "
      "accepted: this in the last unit" },
    { LEGACY "|type=intel_vtd,dma=legacy,devices=00:03.0;00:04.0,base="
             "0xfeda0000",
      "viommu[0] and viommu[1] have both the device 00:04.0; accepted: each "
      "device in one unit" },
    { LEGACY "|" OTHER "|" SECOND ",width=40",
      "viommu[0] and viommu[2] differ in width; accepted: the same in all "
      "units" },
    { LEGACY "|" SECOND ",eim=0",
      "viommu[0] and viommu[1] differ in eim; accepted: the same in all "
      "units" },
    { LEGACY ",drain_ms=500|" OTHER,
      "viommu[0] and viommu[1] differ in drain_ms; accepted: the same in all "
      "units" },
    { LEGACY ",layout=split|" SECOND,
      "viommu[0]: layout=split makes two units of one; accepted: layout=split "
      "in the only unit" },
    { LEGACY ",ioapic_id=1|" SECOND,
      "viommu[0]: ioapic_id and ioapic_sid are of the unit that has the "
      "IOAPIC; accepted: these keys in viommu[1]" },
    { LEGACY "|" OTHER ",ioapic_sid=f0:00.0",
      "viommu[1]: ioapic_id and ioapic_sid are of the unit that has the "
      "IOAPIC; accepted: these keys in viommu[0]" },
    { LEGACY "|" SECOND ",ioapic_sid=00:04.0",
      "viommu: devices has the source id of the IOAPIC; set ioapic_sid to an "
      "address that no device has" },
    { LEGACY ",base=0xfeff7000",
      "viommu: base=0xfeff7000 leaves no page for the second unit of "
      "layout=split: 0xfeff8000 is memory shared with Xen; accepted: another "
      "base, or layout=one" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
accepts_and_prints_canonically(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct viommu_configs config;
        char err[256] = "";
        char text[CONFIG_TEXT_SIZE];
        int n;

        if (configs_parse(accepted[i].spec, &config, err, sizeof(err))) {
            fail_msg("'%s' refused: %s", accepted[i].spec, err);
        }
        n = configs_format(&config, text, sizeof(text));
        assert_string_equal(text, accepted[i].canonical);
        assert_int_equal(n, strlen(text));
    }
}

static void
canonical_form_is_a_fixed_point(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(accepted); i++) {
        struct viommu_configs config;
        char err[256];
        char text[CONFIG_TEXT_SIZE];

        assert_int_equal(
            configs_parse(accepted[i].canonical, &config, err, sizeof(err)), 0);
        configs_format(&config, text, sizeof(text));
        assert_string_equal(text, accepted[i].canonical);
    }
}

static void
refuses_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct viommu_configs before = { .count = 3, .wired = 2 };
        struct viommu_configs config = before;
        char want[1024];
        char err[1024] = "";

        snprintf(want, sizeof(want), "viommu: %s", refused[i].message);
        if (!configs_parse(refused[i].spec, &config, err, sizeof(err))) {
            fail_msg("'%s' accepted", refused[i].spec);
        }
        assert_string_equal(err, want);
        assert_int_equal(
            configs_parse(refused[i].spec, &config, err, sizeof(err)), -EINVAL);
        assert_memory_equal(&config, &before, sizeof(before));
    }
}

static void
refuses_units_that_do_not_go_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_lists); i++) {
        struct viommu_configs config = { .count = 3 };
        char err[1024] = "";

        if (!configs_parse(refused_lists[i].spec, &config, err, sizeof(err))) {
            fail_msg("'%s' accepted", refused_lists[i].spec);
        }
        assert_string_equal(err, refused_lists[i].message);
        assert_int_equal(config.count, 3);
    }
}

/* Whoever parses one unit sees what was asked for, and no more. */
static void
one_unit_is_not_split(void **state)
{
    struct viommu_config config;
    char err[256];

    (void)state;
    assert_int_equal(config_parse(LEGACY, &config, err, sizeof(err)), 0);
    assert_int_equal(config.layout, CONFIG_LAYOUT_AUTO);
    assert_false(config.ioapic);
    assert_int_equal(config.drain_ms, 1000);
    assert_int_equal(config.device_uid[0], 0);
    assert_int_equal(
        config_parse("type=intel_vtd,ioapic_id=3", &config, err, sizeof(err)),
        0);
    assert_true(config.ioapic);
    assert_int_equal(config_parse(LEGACY "|" LEGACY, &config, err, sizeof(err)),
                     -EINVAL);
}

static void
the_wired_unit_has_what_no_other_has(void **state)
{
    static const struct {
        const char *spec;
        unsigned count, wired;
    } table[] = {
        { "type=intel_vtd", 1, 0 },
        { LEGACY ",intremap=0", 1, 0 },
        { LEGACY, 2, 1 },
        { LEGACY "|" OTHER, 2, 0 },
        { LEGACY ",intremap=0|" OTHER, 2, 1 },
        { LEGACY "|" OTHER "|" SECOND, 3, 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct viommu_configs configs;
        char err[256] = "";

        if (configs_parse(table[i].spec, &configs, err, sizeof(err))) {
            fail_msg("'%s' refused: %s", table[i].spec, err);
        }
        assert_int_equal(configs.count, table[i].count);
        assert_int_equal(configs.wired, table[i].wired);
        for (unsigned j = 0; j < configs.count; j++) {
            assert_int_equal(configs.unit[j].ioapic,
                             j == configs.wired && configs.unit[j].intremap);
        }
    }
}

static void
message_is_cut_to_its_buffer(void **state)
{
    struct viommu_configs config;
    char err[8] = "xxxxxxx";

    (void)state;
    assert_int_equal(configs_parse("eim=1", &config, err, 4), -EINVAL);
    assert_string_equal(err, "vio");
    assert_string_equal(err + 4, "xxx");
    assert_int_equal(configs_parse("eim=1", &config, err, 0), -EINVAL);
    assert_string_equal(err, "vio");
}

static void
form_is_cut_to_its_buffer(void **state)
{
    struct viommu_configs config;
    char err[256];
    char text[9] = "xxxxxxxx";

    (void)state;
    assert_int_equal(configs_parse("type=intel_vtd", &config, err, sizeof(err)),
                     0);
    assert_int_equal(configs_format(&config, text, 5), strlen(DEFAULTS));
    assert_string_equal(text, "type");
    assert_string_equal(text + 5, "xxx");
}

/* CONFIG_TEXT_SIZE is room for the longest of each, and for four of it. */
static void
the_longest_form_fits(void **state)
{
    struct viommu_configs configs;
    char err[512] = "";
    char spec[1024] = "";
    size_t len = 0;

    (void)state;
    for (unsigned i = 0; i < CONFIG_DEVICES_MAX; i++) {
        len += (size_t)snprintf(spec + len, sizeof(spec) - len,
                                "%s1f:%02x.%x@4294967294", i ? ";" : "", i / 8,
                                i % 8);
    }
    snprintf(spec + len, sizeof(spec) - len,
             ",type=intel_vtd,dma=scalable,stages=second,ioapic_id=255,"
             "drain_ms=60000,layout=one");
    memmove(spec + strlen("devices="), spec, strlen(spec) + 1);
    memcpy(spec, "devices=", strlen("devices="));
    if (configs_parse(spec, &configs, err, sizeof(err))) {
        fail_msg("'%s' refused: %s", spec, err);
    }
    assert_in_range(configs_format(&configs, NULL, 0), 512,
                    CONFIG_UNIT_TEXT_SIZE - 1);
    assert_int_equal(CONFIG_TEXT_SIZE,
                     CONFIG_UNITS_MAX * CONFIG_UNIT_TEXT_SIZE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_and_prints_canonically),
        cmocka_unit_test(canonical_form_is_a_fixed_point),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(refuses_units_that_do_not_go_together),
        cmocka_unit_test(one_unit_is_not_split),
        cmocka_unit_test(the_wired_unit_has_what_no_other_has),
        cmocka_unit_test(message_is_cut_to_its_buffer),
        cmocka_unit_test(form_is_cut_to_its_buffer),
        cmocka_unit_test(the_longest_form_fits),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
