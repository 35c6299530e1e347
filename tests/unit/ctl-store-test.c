/* SPDX-License-Identifier: GPL-2.0-only */
/* Domain names, and the configuration in xenstore. */
#include "tools/viommu-ctl/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ctl-store.h"
#include "tools/viommu-ctl/command.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct store store;

static int
start(void **state)
{
    (void)state;
    store_start(&store);
    store_put(&store, "/local/domain/0/name", "value", "Domain-0");
    store_put(&store, "/local/domain/3/name", "value", "guest");
    store_put(&store, "/local/domain/12/name", "value", "7");
    store_put(&store, "/local/domain/14/name", "value", "\033[31mred");
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    store_stop(&store);
    return 0;
}

static void
finds_domains(void **state)
{
    static const struct {
        const char *domain;
        int rc;
        unsigned domid;
    } table[] = {
        { "guest", 0, 3 },     { "3", 0, 3 },
        { "7", 0, 7 },         { "32751", 0, 32751 },
        { "0", -EINVAL, 0 },   { "32752", -EINVAL, 0 },
        { "", -EINVAL, 0 },    { "99999999999999999999", -EINVAL, 0 },
        { "gues", -ENXIO, 0 }, { "-1", -ENXIO, 0 },
        { "3x", -ENXIO, 0 },   { "Domain-0", -ENXIO, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct text_error err;
        unsigned domid = 0;

        assert_int_equal(store_domain_find(table[i].domain, &domid, &err),
                         table[i].rc);
        if (!table[i].rc) {
            assert_int_equal(domid, table[i].domid);
        }
    }
}

static void
finds_a_name_that_is_a_number(void **state)
{
    struct text_error err;
    unsigned domid = 0;

    (void)state;
    assert_int_equal(store_domain_find_name("7", &domid, &err), 0);
    assert_int_equal(domid, 12);
}

static void
shows_names_printable(void **state)
{
    char name[32];
    char cut[4];

    (void)state;
    store_domain_name(3, name, sizeof(name));
    assert_string_equal(name, "guest");
    store_domain_name(14, name, sizeof(name));
    assert_string_equal(name, "?[31mred");
    store_domain_name(99, name, sizeof(name));
    assert_string_equal(name, "?");
    store_domain_name(3, cut, sizeof(cut));
    assert_string_equal(cut, "gue");
}

static void
assert_private(const char *node)
{
    char value[4096];

    assert_true(store_get(&store, node, "perms", value));
    assert_string_equal(value, "n0");
}

static void
writes_configuration_for_dom0_only(void **state)
{
    struct text_error err = { "" };
    char value[4096];

    (void)state;
    store.conflicts = 2;
    assert_int_equal(store_config_write(3, "type=intel_vtd", &err), 0);
    assert_int_equal(store.conflicts, 0);
    assert_true(store_get(&store, "/libxl/3/viommu/0/config", "value", value));
    assert_string_equal(value, "type=intel_vtd");
    assert_private("/libxl/3/viommu");
    assert_private("/libxl/3/viommu/0");
    assert_private("/libxl/3/viommu/0/config");
    assert_int_equal(store_config_remove(3, &err), 0);
    assert_false(store_get(&store, "/libxl/3/viommu/0/config", "value", value));
}

static void
gives_up_on_endless_conflicts(void **state)
{
    struct text_error err = { "" };

    (void)state;
    store.conflicts = 1000;
    assert_int_equal(store_config_write(3, "type=intel_vtd", &err), -EAGAIN);
    assert_string_equal(err.text, "cannot write /libxl/3/viommu: Resource "
                                  "temporarily unavailable");
    store.conflicts = 0;
}

static void
refuses_a_domain_that_is_not_there(void **state)
{
    struct text_error err;
    char value[4096];

    (void)state;
    assert_int_equal(store_config_write(5, "type=intel_vtd", &err), -ENXIO);
    assert_string_equal(err.text, "there is no domain 5; `xl list` names them");
    assert_false(store_get(&store, "/libxl/5/viommu/0/config", "value", value));
}

static void
refuses_while_the_daemon_runs(void **state)
{
    struct text_error err;

    (void)state;
    store_put(&store, "/local/domain/0/viommud/3/state", "value", "running");
    assert_int_equal(store_config_write(3, "type=intel_vtd", &err), -EBUSY);
    assert_string_equal(err.text,
                        "viommud runs for domain 3 already and reads its "
                        "configuration only when it starts; stop it first");
    store_put(&store, "/local/domain/0/viommud/3/state", "value", "stopped");
    assert_int_equal(store_config_write(3, "type=intel_vtd", &err), 0);
}

/* What an xl.cfg with this viommu= leaves in xenstore. */
static void
configure(const char *viommu, const char *want)
{
    char path[] = "/tmp/ctl-store-cfg-XXXXXX";
    char name[] = "configure";
    char domain[] = "guest";
    char *argv[] = { name, domain, path, NULL };
    char *out = NULL;
    size_t len = 0;
    struct ctl ctl = { .out = open_memstream(&out, &len) };
    FILE *cfg = fdopen(mkstemp(path), "w");
    char value[4096];

    assert_non_null(cfg);
    fprintf(cfg, "name=\"guest\"\nviommu=%s\n", viommu);
    fclose(cfg);
    assert_int_equal(cmd_configure(&ctl, 3, argv), COMMAND_OK);
    fclose(ctl.out);
    assert_true(store_get(&store, "/libxl/3/viommu/0/config", "value", value));
    assert_string_equal(value, want);
    assert_memory_equal(out, "domain 3: type=intel_vtd", 24);
    free(out);
    unlink(path);
}

#define REST                                                                \
    "ioapic_id=1,ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46,"    \
    "dma=none,levels=4,stages=both,caching=0,posted=0,ats=0,pasid=0,prs=0," \
    "drain_ms=1000,layout=one"

static void
configures_from_a_file(void **state)
{
    (void)state;
    configure("[\"type=intel_vtd,eim=off\"]",
              "type=intel_vtd,intremap=1,eim=0,base=0xfed90000," REST);
}

/* All in one node: the first as it is named, and what is split off. */
static void
configures_every_unit(void **state)
{
    static const char *const forms[] = {
        "[\"type=intel_vtd,dma=legacy,devices=00:05.0@7\"]",
        "[\"type=intel_vtd,dma=legacy,devices=00:05.0@7\","
        " \"type=intel_vtd,base=0xfed91000\"]",
    };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        configure(forms[i],
                  "type=intel_vtd,intremap=1,eim=1,base=0xfed90000,faults=8,"
                  "x2apic_opt_out=0,width=46,dma=legacy,levels=4,stages=both,"
                  "caching=0,posted=0,ats=0,pasid=0,prs=0,drain_ms=1000,"
                  "layout=one,devices=00:05.0@7|type=intel_vtd,intremap=1,eim="
                  "1,base=0xfed91000," REST);
    }
}

static void
says_when_there_is_no_xenstore(void **state)
{
    struct text_error err;
    unsigned domid;
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/socket", store.dir);
    setenv("XENSTORED_PATH", "/nonexistent", 1);
    assert_int_equal(store_domain_find("guest", &domid, &err), -ENOTCONN);
    assert_string_equal(err.text,
                        "cannot reach xenstore: No such file or directory; "
                        "is this dom0, and xenstored running?");
    assert_int_equal(store_config_write(3, "x", &err), -ENOTCONN);
    setenv("XENSTORED_PATH", path, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_domains),
        cmocka_unit_test(finds_a_name_that_is_a_number),
        cmocka_unit_test(shows_names_printable),
        cmocka_unit_test(writes_configuration_for_dom0_only),
        cmocka_unit_test(gives_up_on_endless_conflicts),
        cmocka_unit_test(refuses_a_domain_that_is_not_there),
        cmocka_unit_test(refuses_while_the_daemon_runs),
        cmocka_unit_test(configures_from_a_file),
        cmocka_unit_test(configures_every_unit),
        cmocka_unit_test(says_when_there_is_no_xenstore),
    };

    return cmocka_run_group_tests_name("store", tests, start, stop);
}
