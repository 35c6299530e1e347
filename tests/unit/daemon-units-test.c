/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole daemon over a fake Xen: a unit for a device that is translated,
 * another for the rest, and a client that speaks for the device.
 */
#include "tests/unit/daemon-client.h"

#include <json-c/json.h>

#define REST_SID 0x28u
#define SPEC     "type=intel_vtd,dma=legacy,devices=00:04.0"

#define SAGAW(cap) ((cap) >> 8 & 0x1f)
#define ECAP_IR    (1u << 3)

/* 256 entries in unit 0, 512 in unit 1; entry 5 has @vector. */
static void
remapping_enable(unsigned unit, uint8_t vector)
{
    ram_set(IRT(unit) + 5 * 16,
            1 | (uint64_t)vector << 16 | (uint64_t)(vector & 0xf) << 40);
    unit_write(unit, IRTA, 8, IRT(unit) | (7 + unit));
    unit_write(unit, GCMD, 4, 1u << 24);
    unit_write(unit, GCMD, 4, 1u << 25);
    assert_int_equal(unit_read(unit, GSTS, 4) >> 24, 3);
}

/* The message of entry @index, without a subhandle. */
static uint64_t
msi_addr(unsigned index)
{
    return 0xfee00010u | index << 5;
}

/* --- tests ---------------------------------------------------------------- */

static void
each_unit_has_registers_of_its_own(void **state)
{
    (void)state;
    start_units(SPEC);
    assert_int_equal(fake->ranges, 2);
    assert_int_equal(SAGAW(unit_read(0, CAP, 8)), 6);
    assert_int_equal(SAGAW(unit_read(1, CAP, 8)), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(unit_read(i, ECAP, 8) & ECAP_IR);
        unit_write(i, FEADDR, 4, 0xfee01000u + (i << 12));
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(unit_read(i, FEADDR, 4), 0xfee01000u + (i << 12));

    /* Behind the last one nobody answers. */
    assert_int_equal(unit_read(2, FEADDR, 4), UINT32_MAX);
    unit_write(2, FEADDR, 4, 0);
    stop_and_check();
}

static void
four_units_are_served(void **state)
{
    (void)state;
    start_units("type=intel_vtd,dma=legacy,devices=00:01.0|"
                "type=intel_vtd,dma=legacy,devices=00:02.0,base=0xfed91000|"
                "type=intel_vtd,dma=full,devices=00:03.0,base=0xfed92000|"
                "type=intel_vtd,base=0xfed93000");
    assert_int_equal(fake->ranges, 4);
    for (unsigned i = 0; i < 3; i++)
        assert_true(SAGAW(unit_read(i, CAP, 8)) != 0);
    stop_and_check();
}

/* Xen has one table, which is that of the unit for the rest. */
static void
one_unit_is_wired_to_xen(void **state)
{
    (void)state;
    start_units(SPEC);
    remapping_enable(0, 0x53);
    assert_int_equal(fake->control.flags,
                     XEN_DMOP_VIOMMU_IR_ADOPT | XEN_DMOP_VIOMMU_IR_FLUSH);
    remapping_enable(1, 0x66);
    assert_int_equal(fake->control.nr_entries, 512);
    assert_int_equal(fake->control.ioapic_sid, 0xff00);
    assert_true(fake->control.flags & XEN_DMOP_VIOMMU_IR_ENABLE);
    stop_and_check();
}

static void
a_message_is_remapped_by_the_unit_of_its_device(void **state)
{
    const struct xen_dm_op_viommu_ir_inject *inject = &fake->inject[0];

    (void)state;
    start_units(SPEC);
    remapping_enable(0, 0x53);
    remapping_enable(1, 0x66);
    assert_int_equal(client_attach(SID).status, 0);

    client_msi(msi_addr(5), 0);
    wait_for(&fake->injects, 1);
    assert_int_equal(inject->flags, XEN_DMOP_VIOMMU_INJECT_BYPASS);
    assert_int_equal(inject->id, SERVER);
    assert_int_equal(inject->vector, 0x53);
    assert_int_equal(inject->dest, 3);
    assert_int_equal(inject->mode, 0);
    /* What Xen looks up has not changed. */
    assert_int_equal(fake->routes, 0);

    /* An entry that is not there is a fault of that unit. */
    client_msi(msi_addr(6), 0);
    for (int ms = 0; ms < PATIENCE_MS && !(unit_read(0, FSTS, 4) & PPF); ms++)
        ;
    assert_true(unit_read(0, FSTS, 4) & PPF);
    assert_false(unit_read(1, FSTS, 4) & PPF);
    assert_int_equal(fake->injects, 1);
    close(client_fd);
    stop_and_check();
}

/* Compatibility format while nothing is remapped: mode and trigger, too. */
static void
a_message_is_delivered_as_it_says(void **state)
{
    const struct xen_dm_op_viommu_ir_inject *inject = &fake->inject[0];

    (void)state;
    start_units("type=intel_vtd,intremap=0,dma=legacy,devices=00:04.0");
    assert_int_equal(client_attach(SID).status, 0);
    client_msi(0xfee07004u, 0x8141);
    wait_for(&fake->injects, 1);
    assert_int_equal(inject->vector, 0x41);
    assert_int_equal(inject->dest, 7);
    assert_int_equal(inject->mode, 1 | 1u << 3 | 1u << 4);
    close(client_fd);
    stop_and_check();
}

static void
a_device_that_no_unit_translates_is_nobodys(void **state)
{
    (void)state;
    start_units(SPEC);
    assert_int_equal(client_attach(REST_SID).status, -ENODEV);
    close(client_fd);
    stop_and_check();
}

static void
without_dma_remapping_nobody_listens(void **state)
{
    char path[80];

    (void)state;
    start_ready();
    path_join(path, sizeof(path), domain_dir, "dma");
    assert_false(exists(path));
    stop_and_check();
}

/* The guest maps a page, and a device reads it; it unmaps it, and it cannot. */
static void
an_invalidation_completes_and_is_obeyed(void **state)
{
    uint64_t gpa = 0;
    const volatile unsigned *status = (void *)&fake->ram[STATUS];

    (void)state;
    start_units(SPEC);
    translation_enable();
    assert_int_equal(client_attach(SID).status, 0);
    assert_int_equal(client_translate(IOVA, &gpa), 0);
    assert_int_equal(gpa, TARGET);

    page_unmap();
    assert_int_equal(*status, 0); /* as long as the client may use it */
    client_acknowledge();
    wait_for(status, 7);
    assert_int_equal(client_translate(IOVA, &gpa), 6);
    assert_true(unit_read(0, FSTS, 4) & PPF);
    assert_false(unit_read(1, FSTS, 4) & PPF);
    close(client_fd);
    stop_and_check();
}

/* The answer of the control socket to one request; to be put. */
static struct json_object *
ctl_ask(const char *request_line)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char *line = NULL;
    size_t size = 0;
    struct json_object *obj;
    FILE *file;

    memcpy(addr.sun_path, ctl_path, strlen(ctl_path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)),
                     0);
    file = fdopen(fd, "r");
    assert_non_null(file);
    assert_true(getline(&line, &size, file) > 0);
    assert_true(dprintf(fd, "{\"execute\":\"qmp_capabilities\"}\n%s\n",
                        request_line) > 0);
    assert_true(getline(&line, &size, file) > 0);
    assert_true(getline(&line, &size, file) > 0);
    fclose(file);
    obj = json_tokener_parse(line);
    free(line);
    assert_non_null(obj);
    return obj;
}

static struct json_object *
member(struct json_object *obj, const char *name)
{
    struct json_object *val = NULL;

    if (!json_object_object_get_ex(obj, name, &val))
        fail_msg("no %s in %s", name, json_object_to_json_string(obj));
    return val;
}

static void
the_status_has_each_unit(void **state)
{
    struct json_object *reply;
    struct json_object *units;
    struct json_object *unit;

    (void)state;
    start_units("type=intel_vtd,dma=scalable,devices=00:04.0;1f:03.1");
    reply = ctl_ask("{\"execute\":\"query-status\"}");
    units = member(member(reply, "return"), "units");
    assert_int_equal(json_object_array_length(units), 2);

    unit = json_object_array_get_idx(units, 0);
    assert_int_equal(json_object_get_int(member(unit, "unit")), 0);
    assert_int_equal(json_object_get_int64(member(unit, "base")), BASE);
    assert_string_equal(json_object_get_string(member(unit, "dma")),
                        "scalable");
    assert_string_equal(json_object_to_json_string_ext(member(unit, "devices"),
                                                       JSON_C_TO_STRING_PLAIN),
                        "[\"00:04.0\",\"1f:03.1\"]");
    assert_false(json_object_get_boolean(member(unit, "wired")));
    assert_false(json_object_get_boolean(member(unit, "translating")));

    unit = json_object_array_get_idx(units, 1);
    assert_int_equal(json_object_get_int(member(unit, "unit")), 1);
    assert_int_equal(json_object_get_int64(member(unit, "base")), BASE + PAGE);
    assert_string_equal(json_object_get_string(member(unit, "dma")), "none");
    assert_int_equal(json_object_array_length(member(unit, "devices")), 0);
    assert_true(json_object_get_boolean(member(unit, "wired")));
    json_object_put(reply);
    stop_and_check();
}

/* Each command that takes a unit; what it says of them is of that one. */
static void
questions_are_of_one_unit(void **state)
{
    static const char *const commands[] = {
        "query-regs", "query-irt", "query-queue", "query-faults", "query-stats",
    };

    (void)state;
    start_units(SPEC);
    unit_write(0, IQA, 8, QUEUE);
    unit_write(0, GCMD, 4, 1u << 26);
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        for (unsigned unit = 0; unit < 3; unit++) {
            struct json_object *reply;
            char line[128];

            (void)snprintf(line, sizeof(line),
                           "{\"execute\":\"%s\",\"arguments\":{\"unit\":%u}}",
                           commands[i], unit);
            reply = ctl_ask(line);
            (void)member(reply, unit < 2 ? "return" : "error");
            if (strcmp(commands[i], "query-queue") == 0 && unit < 2)
                assert_int_equal(json_object_get_boolean(member(
                                     member(reply, "return"), "enabled")),
                                 unit == 0);
            json_object_put(reply);
        }
    }
    stop_and_check();
}

/* It waits for everybody who maps its pages, so they are told. */
static void
a_dying_domain_cuts_clients_off(void **state)
{
    struct viommu_msg msg;

    (void)state;
    start_units(SPEC);
    assert_int_equal(client_attach(SID).status, 0);
    fake->info_errno = ENOENT;
    wait_readable(client_fd);
    assert_true(recv(client_fd, &msg, sizeof(msg), 0) > 0);
    assert_int_equal(msg.header.type, VIOMMU_MSG_CUT_OFF);
    assert_int_equal(msg.cut_off.status, -ESHUTDOWN);
    assert_int_equal(recv(client_fd, &msg, sizeof(msg), 0), 0);
    close(client_fd);
    fake->vcpus_errno = ESRCH;
    assert_int_equal(finish(), EXIT_SUCCESS);
    nothing_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_unit_has_registers_of_its_own),
        TEST(four_units_are_served),
        TEST(one_unit_is_wired_to_xen),
        TEST(a_message_is_remapped_by_the_unit_of_its_device),
        TEST(a_message_is_delivered_as_it_says),
        TEST(a_device_that_no_unit_translates_is_nobodys),
        TEST(without_dma_remapping_nobody_listens),
        TEST(an_invalidation_completes_and_is_obeyed),
        TEST(the_status_has_each_unit),
        TEST(questions_are_of_one_unit),
        TEST(a_dying_domain_cuts_clients_off),
    };

    return cmocka_run_group_tests_name("daemon-units", tests, group_setup,
                                       group_teardown);
}
