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
parse(const char *spec, struct viommu_config *config)
{
    char err[256];

    assert_int_equal(config_parse(spec, config, err, sizeof(err)), 0);
}

static void
holds_every_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct viommu_config config;
        uint8_t t[DMAR_SIZE_MAX];
        uint8_t sum = 0;

        parse(table[i].spec, &config);
        assert_int_equal(dmar_build(&config, t), 72);
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

/* After the unit's 16 bytes at 48, which the fields above cover. */
static const struct {
    const char *spec;
    uint8_t flags;      /* of the table */
    uint8_t unit_flags; /* of the unit */
    uint8_t size;       /* of what follows */
    uint8_t bytes[40];
} scopes[] = {
    { "type=intel_vtd,devices=00:04.0",
      1,
      0,
      16,
      { 1, 8, 0, 0, 0, 0, 4, 0, 3, 8, 0, 0, 1, 0xff, 0, 0 } },
    { "type=intel_vtd,dma=legacy,intremap=0,devices=1f:1e.7;00:05.1",
      0,
      0,
      16,
      { 1, 8, 0, 0, 0, 0x1f, 0x1e, 7, 1, 8, 0, 0, 0, 0, 5, 1 } },
    { "type=intel_vtd,dma=full,devices=00:04.0",
      1,
      0,
      24,
      { 1, 8, 0, 0, 0, 0, 4, 0, 3, 8, 0, 0, 1, 0xff, 0, 0,
        /* Every root port. */
        2, 0, 8, 0, 1, 0, 0, 0 } },
};

static void
names_devices_instead_of_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(scopes); i++) {
        struct viommu_config config;
        uint8_t t[DMAR_SIZE_MAX];
        size_t size = 64u + scopes[i].size;
        uint8_t sum = 0;

        parse(scopes[i].spec, &config);
        assert_int_equal(dmar_build(&config, t), size);
        assert_int_equal(get_le(t + 4, 4), size);
        assert_int_equal(t[37], scopes[i].flags);
        assert_int_equal(get_le(t + 50, 2), 32);
        assert_int_equal(t[52], scopes[i].unit_flags);
        assert_memory_equal(t + 64, scopes[i].bytes, scopes[i].size);
        for (size_t n = 0; n < size; n++) {
            sum = (uint8_t)(sum + t[n]);
        }
        assert_int_equal(sum, 0);
    }
}

static void
the_longest_table_fits(void **state)
{
    struct viommu_config config;
    uint8_t t[DMAR_SIZE_MAX];

    (void)state;
    parse("type=intel_vtd,dma=full,devices="
          "00:01.0;00:01.1;00:01.2;00:01.3;00:01.4;00:01.5;00:01.6;00:01.7;"
          "00:02.0;00:02.1;00:02.2;00:02.3;00:02.4;00:02.5;00:02.6;00:02.7",
          &config);
    assert_int_equal(dmar_build(&config, t), DMAR_SIZE_MAX);
    assert_int_equal(get_le(t + 50, 2), DMAR_SIZE_MAX - 48 - 8);
}

static void
overwrites_what_was_there(void **state)
{
    struct viommu_config config;
    uint8_t a[DMAR_SIZE_MAX];
    uint8_t b[DMAR_SIZE_MAX];

    (void)state;
    parse("type=intel_vtd", &config);
    memset(a, 0, sizeof(a));
    memset(b, 0xff, sizeof(b));
    dmar_build(&config, a);
    dmar_build(&config, b);
    assert_memory_equal(a, b, sizeof(a));
}

static void
writes_a_file(void **state)
{
    char path[] = "/tmp/dmar-test-XXXXXX";
    int fd = mkstemp(path);
    struct viommu_config config;
    struct text_error err;
    uint8_t want[DMAR_SIZE_MAX];
    uint8_t got[DMAR_SIZE_MAX + 1];
    size_t size;

    (void)state;
    assert_true(fd >= 0);
    /* The file is longer before. */
    assert_int_equal(ftruncate(fd, 4096), 0);
    parse("type=intel_vtd", &config);
    assert_int_equal(dmar_write(&config, path, &err), 0);
    size = dmar_build(&config, want);
    assert_int_equal(pread(fd, got, sizeof(got), 0), size);
    assert_memory_equal(got, want, size);
    close(fd);
    unlink(path);
}

static void
says_why_it_cannot_write(void **state)
{
    struct viommu_config config;
    struct text_error err;

    (void)state;
    parse("type=intel_vtd", &config);
    assert_int_equal(dmar_write(&config, "/nonexistent/dmar", &err), -ENOENT);
    assert_string_equal(
        err.text, "cannot write /nonexistent/dmar: No such file or directory");
    assert_int_equal(dmar_write(&config, "/dev/full", &err), -ENOSPC);
    assert_string_equal(err.text,
                        "cannot write /dev/full: No space left on device");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_every_field),
        cmocka_unit_test(names_devices_instead_of_all),
        cmocka_unit_test(the_longest_table_fits),
        cmocka_unit_test(overwrites_what_was_there),
        cmocka_unit_test(writes_a_file),
        cmocka_unit_test(says_why_it_cannot_write),
    };

    return cmocka_run_group_tests_name("dmar", tests, NULL, NULL);
}
