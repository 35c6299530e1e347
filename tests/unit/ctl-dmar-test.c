/* SPDX-License-Identifier: GPL-2.0-only */
/* Every byte of the ACPI table. */
#include "tools/viommu-ctl/dmar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t
get_le(const uint8_t *p, unsigned bytes)
{
    uint64_t val = 0;

    for (unsigned i = bytes; i-- > 0;) {
        val = val << 8 | p[i];
    }
    return val;
}

/* Specification, then the fields that it decides. */
static const struct {
    const char *spec;
    uint64_t base;
    uint8_t width_minus_1;
    uint8_t flags;
    uint8_t ioapic_id;
    uint8_t bus, dev, fn;
} table[] = {
    { "type=intel_vtd", 0xfed90000, 45, 1, 1, 0xff, 0, 0 },
    { "type=intel_vtd,eim=0", 0xfed90000, 45, 1, 1, 0xff, 0, 0 },
    { "type=intel_vtd,x2apic_opt_out=1,width=39", 0xfed90000, 38, 3, 1, 0xff, 0,
      0 },
    { "type=intel_vtd,base=0xfe123000,ioapic_id=0,ioapic_sid=f0:1f.6,width=52",
      0xfe123000, 51, 1, 0, 0xf0, 0x1f, 6 },
    { "type=intel_vtd,ioapic_id=255,ioapic_sid=00:00.1,faults=1,width=32",
      0xfed90000, 31, 1, 255, 0, 0, 1 },
};

static void
parse(const char *spec, struct viommu_configs *configs)
{
    char err[256];

    assert_int_equal(configs_parse(spec, configs, err, sizeof(err)), 0);
}

static void
holds_every_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct viommu_configs configs;
        uint8_t t[DMAR_SIZE_MAX];
        uint8_t sum = 0;

        parse(table[i].spec, &configs);
        assert_int_equal(dmar_build(&configs, t), 72);
        /* Header. */
        assert_memory_equal(t, "DMAR", 4);
        assert_int_equal(get_le(t + 4, 4), 72);
        assert_int_equal(t[8], 1);
        assert_memory_equal(t + 10, "VIOMMUVIOMMUD ", 14);
        assert_int_equal(get_le(t + 24, 4), 1);
        assert_memory_equal(t + 28, "VIOM", 4);
        assert_int_equal(get_le(t + 32, 4), 1);
        assert_int_equal(t[36], table[i].width_minus_1);
        assert_int_equal(t[37], table[i].flags);
        assert_int_equal(get_le(t + 38, 8), 0);
        assert_int_equal(get_le(t + 46, 2), 0);
        /* Unit: every PCI device of segment 0, one page. */
        assert_int_equal(get_le(t + 48, 2), 0);
        assert_int_equal(get_le(t + 50, 2), 24);
        assert_int_equal(t[52], 1);
        assert_int_equal(t[53], 0);
        assert_int_equal(get_le(t + 54, 2), 0);
        assert_int_equal(get_le(t + 56, 8), table[i].base);
        /* Scope: an IOAPIC behind one hop. */
        assert_int_equal(t[64], 3);
        assert_int_equal(t[65], 8);
        assert_int_equal(get_le(t + 66, 2), 0);
        assert_int_equal(t[68], table[i].ioapic_id);
        assert_int_equal(t[69], table[i].bus);
        assert_int_equal(t[70], table[i].dev);
        assert_int_equal(t[71], table[i].fn);
        for (size_t n = 0; n < 72; n++) {
            sum = (uint8_t)(sum + t[n]);
        }
        assert_int_equal(sum, 0);
    }
}

/* The definitions from 48 on, a line each; sizes and addresses follow. */
#define UNIT(size, flags, page) \
    0, 0, size, 0, flags, 0, 0, 0, 0, page, 0xd9, 0xfe, 0, 0, 0, 0
#define DEVICE(bus, dev, fn) 1, 8, 0, 0, 0, bus, dev, fn
#define IOAPIC               3, 8, 0, 0, 1, 0xff, 0, 0
#define ROOT_PORTS           2, 0, 8, 0, 1, 0, 0, 0

static const struct {
    const char *spec;
    uint8_t flags; /* of the table */
    uint8_t size;  /* of what follows */
    uint8_t bytes[96];
} scopes[] = {
    { "type=intel_vtd,devices=00:04.0",
      1,
      32,
      { UNIT(32, 0, 0), DEVICE(0, 4, 0), IOAPIC } },
    { "type=intel_vtd,dma=legacy,intremap=0,devices=1f:1e.7;00:05.1",
      0,
      32,
      { UNIT(32, 0, 0), DEVICE(0x1f, 0x1e, 7), DEVICE(0, 5, 1) } },
    { "type=intel_vtd,dma=full,devices=00:04.0,layout=one",
      1,
      40,
      { UNIT(32, 0, 0), DEVICE(0, 4, 0), IOAPIC, ROOT_PORTS } },
    /* Split: the rest of PCI and the IOAPIC are in the last. */
    { "type=intel_vtd,dma=legacy,devices=00:04.0;00:05.0",
      1,
      56,
      { UNIT(32, 0, 0), DEVICE(0, 4, 0), DEVICE(0, 5, 0), UNIT(24, 1, 0x10),
        IOAPIC } },
    { "type=intel_vtd,dma=full,devices=00:04.0,x2apic_opt_out=1",
      3,
      56,
      { UNIT(24, 0, 0), DEVICE(0, 4, 0), UNIT(24, 1, 0x10), IOAPIC,
        ROOT_PORTS } },
    { "type=intel_vtd,dma=legacy,devices=00:04.0,base=0xfed92000|"
      "type=intel_vtd,dma=legacy,devices=00:05.0,ats=1|type=intel_vtd,base="
      "0xfed93000",
      1,
      80,
      { UNIT(24, 0, 0x20), DEVICE(0, 4, 0), UNIT(24, 0, 0), DEVICE(0, 5, 0),
        UNIT(24, 1, 0x30), IOAPIC, ROOT_PORTS } },
    /* The IOAPIC is in the first that remaps interrupts. */
    { "type=intel_vtd,dma=legacy,intremap=0,devices=00:04.0,base=0xfed92000|"
      "type=intel_vtd,dma=legacy,devices=00:05.0",
      1,
      56,
      { UNIT(24, 0, 0x20), DEVICE(0, 4, 0), UNIT(32, 0, 0), DEVICE(0, 5, 0),
        IOAPIC } },
};

static void
defines_each_unit_with_its_scope(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scopes); i++) {
        struct viommu_configs configs;
        uint8_t t[DMAR_SIZE_MAX];
        size_t size = 48u + scopes[i].size;
        uint8_t sum = 0;

        parse(scopes[i].spec, &configs);
        assert_int_equal(dmar_build(&configs, t), size);
        assert_int_equal(get_le(t + 4, 4), size);
        assert_int_equal(t[37], scopes[i].flags);
        assert_memory_equal(t + 48, scopes[i].bytes, scopes[i].size);
        for (size_t n = 0; n < size; n++) {
            sum = (uint8_t)(sum + t[n]);
        }
        assert_int_equal(sum, 0);
    }
}

/* Four units with sixteen devices each. */
static void
the_longest_table_fits(void **state)
{
    struct viommu_configs configs;
    uint8_t t[DMAR_SIZE_MAX];
    char spec[2048] = "";
    size_t len = 0;

    (void)state;
    for (unsigned unit = 0; unit < CONFIG_UNITS_MAX; unit++) {
        len += (size_t)snprintf(spec + len, sizeof(spec) - len,
                                "%stype=intel_vtd,dma=full,base=0xfeda%u000,"
                                "devices=",
                                unit ? "|" : "", unit);
        for (unsigned i = 0; i < CONFIG_DEVICES_MAX; i++) {
            len += (size_t)snprintf(spec + len, sizeof(spec) - len,
                                    "%s0%u:%02x.0", i ? ";" : "", unit, i);
        }
    }
    parse(spec, &configs);
    assert_int_equal(dmar_build(&configs, t), DMAR_SIZE_MAX);
}

static void
overwrites_what_was_there(void **state)
{
    struct viommu_configs configs;
    uint8_t a[DMAR_SIZE_MAX];
    uint8_t b[DMAR_SIZE_MAX];

    (void)state;
    parse("type=intel_vtd", &configs);
    memset(a, 0, sizeof(a));
    memset(b, 0xff, sizeof(b));
    dmar_build(&configs, a);
    dmar_build(&configs, b);
    assert_memory_equal(a, b, sizeof(a));
}

static void
writes_a_file(void **state)
{
    char path[] = "/tmp/dmar-test-XXXXXX";
    int fd = mkstemp(path);
    struct viommu_configs configs;
    struct text_error err;
    uint8_t want[DMAR_SIZE_MAX];
    uint8_t got[DMAR_SIZE_MAX + 1];
    size_t size;

    (void)state;
    assert_true(fd >= 0);
    /* The file is longer before. */
    assert_int_equal(ftruncate(fd, 4096), 0);
    parse("type=intel_vtd", &configs);
    assert_int_equal(dmar_write(&configs, path, &err), 0);
    size = dmar_build(&configs, want);
    assert_int_equal(pread(fd, got, sizeof(got), 0), size);
    assert_memory_equal(got, want, size);
    close(fd);
    unlink(path);
}

static void
says_why_it_cannot_write(void **state)
{
    struct viommu_configs configs;
    struct text_error err;

    (void)state;
    parse("type=intel_vtd", &configs);
    assert_int_equal(dmar_write(&configs, "/nonexistent/dmar", &err), -ENOENT);
    assert_string_equal(
        err.text, "cannot write /nonexistent/dmar: No such file or directory");
    assert_int_equal(dmar_write(&configs, "/dev/full", &err), -ENOSPC);
    assert_string_equal(err.text,
                        "cannot write /dev/full: No space left on device");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_every_field),
        cmocka_unit_test(defines_each_unit_with_its_scope),
        cmocka_unit_test(the_longest_table_fits),
        cmocka_unit_test(overwrites_what_was_there),
        cmocka_unit_test(writes_a_file),
        cmocka_unit_test(says_why_it_cannot_write),
    };

    return cmocka_run_group_tests_name("dmar", tests, NULL, NULL);
}
