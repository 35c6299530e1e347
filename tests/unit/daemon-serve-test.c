/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole daemon over a fake Xen: a guest is served. */
#include "tests/unit/daemon-life.h"

#include <json-c/json.h>

static void
ring_push(uint32_t addr, uint32_t data)
{
    struct buffered_iopage *ring = (void *)fake->pages;
    uint32_t at = ring->write_pointer % IOREQ_BUFFER_SLOT_NUM;

    ring->buf_ioreq[at] = (struct buf_ioreq){
        .type = IOREQ_TYPE_VIOMMU,
        .addr = addr & 0xfffffu,
        .data = data,
    };
    __atomic_fetch_add(&ring->write_pointer, 1, __ATOMIC_RELEASE);
    ring_bell(REMOTE_PORT + VCPUS);
}

/* Nothing that the daemon sends is lost only while we make room for it. */
static void
take_bells(void)
{
    uint32_t got[EVTCHN_BATCH];

    while (read(evtchn_pair[1], got, sizeof(got)) > 0)
        ;
}

static void
wait_for(const volatile unsigned *count, unsigned want)
{
    for (int ms = 0; ms < PATIENCE_MS && *count < want; ms++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_int_equal(*count, want);
    take_bells();
}

/* VER is 1.0 or later; each vCPU has its own slot. */
static void
registers_are_read_and_written(void **state)
{
    (void)state;
    start_ready();
    for (unsigned i = 0; i < VCPUS; i++)
        assert_true(reg_read(i, 0, 4) >= 0x10);
    reg_write(2, 0x40, 4, 0xfee01000u); /* FEADDR */
    assert_int_equal(reg_read(0, 0x40, 4), 0xfee01000u);
    stop_and_check();
}

static void
a_request_from_before_the_start_is_answered(void **state)
{
    volatile struct ioreq *at = slot(1);

    (void)state;
    *at = (struct ioreq){ .type = IOREQ_TYPE_COPY,
                          .addr = BASE,
                          .size = 4,
                          .count = 1,
                          .dir = IOREQ_READ,
                          .state = STATE_IOREQ_READY };
    start_ready();
    wait_bell(1);
    assert_int_equal(at->state, STATE_IORESP_READY);
    assert_true(at->data >= 0x10);
    stop_and_check();
}

static void
hostile_shapes_are_answered(void **state)
{
    (void)state;
    start_ready();
    for (unsigned bits = 0; bits < 8; bits++) {
        for (uint32_t size = 0; size < 20; size++) {
            (void)request(0, &(struct ioreq){ .type = IOREQ_TYPE_COPY,
                                              .addr = BASE + 0xff0 + bits,
                                              .size = size,
                                              .count = size * 1000 + 1,
                                              .data = 0x3ffc,
                                              .dir = bits & 1,
                                              .df = (bits >> 1) & 1,
                                              .data_is_ptr = (bits >> 2) & 1 });
        }
    }
    assert_int_equal(request(1, &(struct ioreq){ .type = 77,
                                                 .size = 4,
                                                 .count = 1,
                                                 .dir = IOREQ_READ }),
                     UINT64_MAX);
    stop_and_check();
}

static void
invalidate_drops_the_mappings(void **state)
{
    (void)state;
    start_ready();
    (void)request(0, &(struct ioreq){ .type = IOREQ_TYPE_COPY,
                                      .addr = BASE,
                                      .size = 8,
                                      .count = 4,
                                      .data = 0x5000,
                                      .dir = IOREQ_READ,
                                      .data_is_ptr = 1 });
    assert_int_equal(fake->live_maps, 1);
    assert_true(fake->ram[0x5000] >= 0x10);
    (void)request(0, &(struct ioreq){ .type = IOREQ_TYPE_INVALIDATE,
                                      .size = 4,
                                      .dir = IOREQ_READ,
                                      .data = UINT64_MAX });
    assert_int_equal(fake->live_maps, 0);
    stop_and_check();
}

/*
 * Remapping on with a table of 256 entries at 0x10000, entry 5 made present
 * without invalidation; Xen misses it for pin 17.
 */
static void
miss_pin_17(void)
{
    const uint64_t irte[2] = { 1 | (UINT64_C(0x55) << 16) | (UINT64_C(3) << 40),
                               0 };

    reg_write(0, 0xb8, 8, 0x10000 | 7);
    reg_write(0, 0x18, 4, 1u << 24);
    reg_write(0, 0x18, 4, 1u << 25);
    assert_int_equal(reg_read(0, 0x1c, 4) >> 24, 3);
    assert_int_equal(fake->control.nr_entries, 256);
    assert_int_equal(fake->control.flags, XEN_DMOP_VIOMMU_IR_ENABLE |
                                              XEN_DMOP_VIOMMU_IR_BLOCK_COMPAT);

    memcpy(&fake->ram[0x10050], irte, sizeof(irte));
    ring_push(VIOMMU_REASON_MISS << 16 | 5,
              1u << 17 | 17u << 20 | 1u << 16 | 0xff00);
    wait_for(&fake->injects, 1);
}

static void
a_miss_is_answered_with_a_route_and_a_retry(void **state)
{
    const struct xen_dm_op_viommu_ir_inject *retry;
    const struct xen_dm_op_viommu_irte *route;

    (void)state;
    start_ready();
    miss_pin_17();
    assert_int_equal(fake->routes, 1);
    route = &fake->route[0];
    assert_int_equal(route->index, 5);
    assert_int_equal(route->vector, 0x55);
    assert_int_equal(route->dest, 3);
    assert_int_equal(route->flags, XEN_DMOP_VIOMMU_IRTE_PRESENT);

    retry = &fake->inject[0];
    assert_int_equal(retry->flags, XEN_DMOP_VIOMMU_INJECT_IOAPIC |
                                       XEN_DMOP_VIOMMU_INJECT_SID_VALID);
    assert_int_equal(retry->vector, 17);
    assert_int_equal(retry->index, 5);
    assert_int_equal(retry->sid, 0xff00);
    stop_and_check();
}

/* What a whole daemon does, in the file that it was told to write. */
static void
a_trace_has_what_the_guest_and_xen_did(void **state)
{
    static const char *const wanted[] = {
        "config ",
        "\nr4 0 10\n",
        "\nw8 b8 10007\n",
        "\nw4 18 2000000\n > state 1 1 100\n",
        "\nevent 22 5 ff00 111\n < 10050 0",
        "\n > route 5 1 55 3 ",
        "\n > retry 5 ff00 111\n",
    };
    char path[80];
    char text[4096] = "";
    FILE *file;

    (void)state;
    path_join(path, sizeof(path), run_dir, "trace");
    trace_path = path;
    start_ready();
    assert_int_equal(reg_read(0, 0, 4), 0x10);
    miss_pin_17();
    stop_and_check();

    file = fopen(path, "re");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    (void)fclose(file);
    assert_int_equal(unlink(path), 0);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (!strstr(text, wanted[i]))
            fail_msg("no '%s' in: %s", wanted[i], text);
    }
}

/* More events than the ring has slots: its pointers go around. */
static void
the_ring_goes_around(void **state)
{
    (void)state;
    start_ready();
    reg_write(0, 0xb8, 8, 0x10000 | 7);
    reg_write(0, 0x18, 4, 1u << 24);
    reg_write(0, 0x18, 4, 1u << 25);
    for (unsigned i = 0; i < 1500; i++) {
        const struct buffered_iopage *ring = (void *)fake->pages;

        ring_push(VIOMMU_REASON_MISS << 16 | 9, 1u << 16 | i);
        wait_for(&ring->read_pointer, i + 1);
    }
    assert_true(reg_read(0, 0x34, 4) & 1); /* FSTS.PFO: eight, then lost */
    stop_and_check();
}

static void
the_control_socket_answers(void **state)
{
    static const char ask[] = "{\"execute\":\"qmp_capabilities\"}\n"
                              "{\"execute\":\"query-status\",\"id\":1}\n";
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct json_object *obj;
    struct json_object *val;
    struct stat st;
    FILE *file;
    char line[4096];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    start_ready();
    assert_int_equal(stat(ctl_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(domain_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0711);

    memcpy(addr.sun_path, ctl_path, strlen(ctl_path) + 1);
    assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)),
                     0);
    assert_int_equal(write(fd, ask, sizeof(ask) - 1), sizeof(ask) - 1);
    file = fdopen(fd, "r");
    assert_non_null(fgets(line, sizeof(line), file));
    assert_non_null(strstr(line, "\"QMP\""));
    assert_non_null(fgets(line, sizeof(line), file));
    assert_string_equal(line, "{\"return\":{}}\n");
    assert_non_null(fgets(line, sizeof(line), file));
    fclose(file);

    obj = json_tokener_parse(line);
    assert_true(json_object_object_get_ex(obj, "return", &val));
    assert_true(json_object_object_get_ex(val, "xen", &val));
    assert_true(json_object_object_get_ex(val, "remapped", &val));
    assert_int_equal(json_object_get_int(val), 12345);
    json_object_put(obj);
    stop_and_check();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_are_read_and_written),
        TEST(a_request_from_before_the_start_is_answered),
        TEST(hostile_shapes_are_answered),
        TEST(invalidate_drops_the_mappings),
        TEST(a_miss_is_answered_with_a_route_and_a_retry),
        TEST(a_trace_has_what_the_guest_and_xen_did),
        TEST(the_ring_goes_around),
        TEST(the_control_socket_answers),
    };

    return cmocka_run_group_tests_name("daemon-serve", tests, group_setup,
                                       group_teardown);
}
