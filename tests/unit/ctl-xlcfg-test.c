/* SPDX-License-Identifier: GPL-2.0-only */
/* What viommu-ctl reads from an xl.cfg. */
#include "tools/viommu-ctl/xlcfg.h"

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

#define HVM  "name=\"g\"\ntype=\"hvm\"\n"
#define UNIT "viommu=[\"type=intel_vtd\"]\n"

/* The file under test; every message names it. */
static char path[64];

static int
make_file(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "/tmp/xlcfg-test-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    return 0;
}

static int
remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int
read_as(const char *text, size_t len, struct xlcfg *out, struct text_error *err)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return xlcfg_read(path, NULL, 0, out, err);
}

static void
reads_unit_in_each_form(void **state)
{
    static const char *const forms[] = {
        HVM "viommu=[\"type=intel_vtd,eim=0\"]\n",
        HVM "viommu=[ 'type=intel_vtd,eim=0', ]",
        HVM "viommu=\"type=intel_vtd,eim=0\"\n",
        HVM "viommu = [\n  \"type=intel_vtd,eim=0\"\n]\n# comment",
        HVM "viommu=\"type=intel_vtd\"; viommu=[\"type=intel_vtd,eim=0\"]\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct text_error err = { "" };
        struct xlcfg cfg;

        if (read_as(forms[i], strlen(forms[i]), &cfg, &err)) {
            fail_msg("%s\nrefused: %s", forms[i], err.text);
        }
        assert_string_equal(cfg.name, "g");
        assert_int_equal(cfg.type, XLCFG_HVM);
        assert_false(cfg.acpi_firmware);
        assert_true(cfg.restarts);
        assert_int_equal(cfg.units.count, 1);
        assert_false(cfg.units.unit[0].eim);
        assert_true(cfg.units.unit[0].intremap);
        assert_int_equal(cfg.units.unit[0].base, 0xfed90000);
    }
}

static void
reads_every_unit(void **state)
{
    static const char *const forms[] = {
        HVM "viommu=[\"type=intel_vtd,dma=legacy,devices=00:04.0@5\"]\n",
        HVM "viommu=[\"type=intel_vtd,dma=legacy,devices=00:04.0@5\",\n"
            "\"type=intel_vtd,base=0xfed91000\"]\n",
        HVM "viommu=\"type=intel_vtd,dma=legacy,devices=00:04.0@5|"
            "type=intel_vtd,base=0xfed91000\"\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct text_error err = { "" };
        struct xlcfg cfg;

        if (read_as(forms[i], strlen(forms[i]), &cfg, &err)) {
            fail_msg("%s\nrefused: %s", forms[i], err.text);
        }
        assert_int_equal(cfg.units.count, 2);
        assert_int_equal(cfg.units.wired, 1);
        assert_int_equal(cfg.units.unit[0].dma, CONFIG_DMA_LEGACY);
        assert_int_equal(cfg.units.unit[0].device_uid[0], 5);
        assert_int_equal(cfg.units.unit[1].dma, CONFIG_DMA_NONE);
        assert_int_equal(cfg.units.unit[1].base, 0xfed91000);
    }
}

static void
tells_guest_types_apart(void **state)
{
    static const struct {
        const char *text;
        enum xlcfg_type type;
    } table[] = {
        { UNIT, XLCFG_PV },
        { UNIT "type=\"pv\"", XLCFG_PV },
        { UNIT "builder=\"generic\"", XLCFG_PV },
        { UNIT "type=\"hvm\"", XLCFG_HVM },
        { UNIT "builder='hvm'", XLCFG_HVM },
        { UNIT "type=\"pvh\"", XLCFG_PVH },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct text_error err;
        struct xlcfg cfg;

        assert_int_equal(
            read_as(table[i].text, strlen(table[i].text), &cfg, &err), 0);
        assert_int_equal(cfg.type, table[i].type);
        assert_string_equal(cfg.name, "");
    }
}

static void
sees_what_stands_in_the_way(void **state)
{
    static const struct {
        const char *text;
        bool acpi_firmware;
        bool restarts;
    } table[] = {
        { UNIT "acpi_firmware=\"/x\"", true, true },
        { UNIT "on_reboot=\"destroy\"", false, false },
        { UNIT "on_reboot=\"preserve\"", false, false },
        { UNIT "on_reboot=\"restart\"", false, true },
        { UNIT "on_reboot=\"rename-restart\"", false, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct text_error err;
        struct xlcfg cfg;

        assert_int_equal(
            read_as(table[i].text, strlen(table[i].text), &cfg, &err), 0);
        assert_int_equal(cfg.acpi_firmware, table[i].acpi_firmware);
        assert_int_equal(cfg.restarts, table[i].restarts);
    }
}

/* %s is the file's name. */
static const struct {
    const char *text;
    const char *before;
    const char *after;
} refused[] = {
    { HVM, "", " has no unit; add viommu=[\"type=intel_vtd\"]" },
    { HVM "viommu=[]", "", " has no unit; add viommu=[\"type=intel_vtd\"]" },
    { HVM "viommu=[\"type=intel_vtd\",\"type=intel_vtd,eim=0\"]", "",
      ": viommu[0] and viommu[1] have the same base; accepted: another page "
      "for each" },
    { HVM "viommu=[\"type=intel_vtd\",\"type=intel_vtd,eim=7\"]", "",
      ": viommu[1]: eim=7 is not a switch; accepted: 0, 1, on or off" },
    { HVM "viommu=[\"type=intel_vtd\",[\"type=intel_vtd\"]]", "",
      ": viommu is neither a string nor a list of strings; accepted: "
      "viommu=[\"type=intel_vtd\"]" },
    { HVM "viommu=[[\"type=intel_vtd\"]]", "",
      ": viommu is neither a string nor a list of strings; accepted: "
      "viommu=[\"type=intel_vtd\"]" },
    { HVM "viommu=[\"type=intel_vtd,eim=7\"]", "",
      ": viommu: eim=7 is not a switch; accepted: 0, 1, on or off" },
    { HVM "viommu=\"intremap=1\"", "",
      ": viommu: type is missing; accepted: type=intel_vtd" },
    { "name=\"g\nviommu=[", "cannot parse ", NULL },
    { HVM UNIT "\033[31m", "cannot parse ", NULL },
};

static void
refuses_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct text_error err = { "" };
        struct xlcfg cfg;
        char want[256];

        assert_int_equal(
            read_as(refused[i].text, strlen(refused[i].text), &cfg, &err),
            -EINVAL);
        snprintf(want, sizeof(want), "%s%s%s", refused[i].before, path,
                 refused[i].after ? refused[i].after : ": ");
        if (refused[i].after) {
            assert_string_equal(err.text, want);
        } else {
            assert_memory_equal(err.text, want, strlen(want));
            assert_true(strlen(err.text) > strlen(want));
        }
        assert_null(strchr(err.text, '\n'));
        assert_null(strchr(err.text, '\033'));
    }
}

static void
arguments_come_after_the_file(void **state)
{
    char name[] = "name=\"other\"";
    char unit[] = "viommu=[\"type=intel_vtd,faults=2\"]";
    char *extra[] = { name, unit };
    /* No newline at the end: the arguments must not run into the line. */
    static const char text[] = HVM UNIT "memory=512";
    struct text_error err;
    struct xlcfg cfg;

    (void)state;
    assert_int_equal(read_as(text, strlen(text), &cfg, &err), 0);
    assert_int_equal(xlcfg_read(path, extra, COUNT(extra), &cfg, &err), 0);
    assert_string_equal(cfg.name, "other");
    assert_int_equal(cfg.units.unit[0].faults, 2);
}

static void
refuses_what_is_no_text_file(void **state)
{
    struct text_error err;
    struct xlcfg cfg;
    char *big = malloc(2u << 20);
    char want[128];

    (void)state;
    assert_non_null(big);
    memset(big, '#', 2u << 20);
    assert_int_equal(read_as(big, 2u << 20, &cfg, &err), -EFBIG);
    snprintf(want, sizeof(want), "cannot read %s: File too large", path);
    assert_string_equal(err.text, want);
    free(big);
    assert_int_equal(xlcfg_read("/", NULL, 0, &cfg, &err), -EISDIR);
    assert_string_equal(err.text, "cannot read /: Is a directory");
    assert_int_equal(xlcfg_read("/nonexistent", NULL, 0, &cfg, &err), -ENOENT);
    assert_string_equal(err.text,
                        "cannot read /nonexistent: No such file or directory");
}

static void
refuses_a_name_beyond_its_buffer(void **state)
{
    struct text_error err;
    struct xlcfg cfg;
    char text[512];
    int n = snprintf(text, sizeof(text), UNIT "name=\"%0300d\"", 0);

    (void)state;
    assert_int_equal(read_as(text, (size_t)n, &cfg, &err), -EINVAL);
    assert_non_null(strstr(err.text, "name is too long; accepted: 255"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_unit_in_each_form),
        cmocka_unit_test(reads_every_unit),
        cmocka_unit_test(tells_guest_types_apart),
        cmocka_unit_test(sees_what_stands_in_the_way),
        cmocka_unit_test(refuses_by_name),
        cmocka_unit_test(arguments_come_after_the_file),
        cmocka_unit_test(refuses_what_is_no_text_file),
        cmocka_unit_test(refuses_a_name_beyond_its_buffer),
    };

    return cmocka_run_group_tests_name("xlcfg", tests, make_file, remove_file);
}
