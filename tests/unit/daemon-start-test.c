/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole daemon over a fake Xen: its start, its end, and what it refuses. */
#include "tests/unit/daemon-life.h"

#include <sys/file.h>

/* --- what is refused ----------------------------------------------- */

static void
a_machine_without_xen(void **state)
{
    (void)state;
    fake->privcmd_errno = ENOENT;
    start(NULL);
    refused("it must run in dom0, on Xen");
}

static void
a_domain_that_does_not_exist(void **state)
{
    (void)state;
    fake->vcpus_errno = ESRCH;
    start(NULL);
    refused("xl list");
}

static void
a_pv_domain(void **state)
{
    (void)state;
    fake->vcpus_errno = EINVAL;
    start(NULL);
    refused("PV domain");
}

static void
a_xen_without_the_patches(void **state)
{
    (void)state;
    fake->query_errno = EOPNOTSUPP;
    start(NULL);
    refused("xen-hooks");
}

static void
a_trace_that_cannot_be_written(void **state)
{
    (void)state;
    trace_path = "/nowhere/trace";
    start(NULL);
    refused("/nowhere/trace: No such file or directory");
}

static void
no_configuration(void **state)
{
    (void)state;
    fake->config[0] = '\0';
    start(NULL);
    refused("/libxl/7/viommu/0/config");
}

static void
a_wrong_configuration(void **state)
{
    (void)state;
    strcpy(fake->config, "type=intel_vtd,colour=1");
    start(NULL);
    refused("colour");
}

/* Before Xen is asked for anything. */
static void
a_wrong_configuration_on_the_command_line(void **state)
{
    (void)state;
    fake->privcmd_errno = ENOENT;
    start("type=colour");
    refused("colour");
}

static void
a_second_unit(void **state)
{
    (void)state;
    fake->second_unit = true;
    start(NULL);
    refused("/libxl/7/viommu/1");
}

static void
a_second_daemon(void **state)
{
    int fd;
    char lock[80];

    (void)state;
    path_join(lock, sizeof(lock), domain_dir, "lock");
    assert_int_equal(mkdir(domain_dir, 0700), 0);
    fd = open(lock, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);

    start(NULL);
    assert_int_equal(finish(), EXIT_FAILURE);
    assert_non_null(strstr(printed, "another viommud does already"));
    assert_true(exists(lock)); /* the first one's */
    assert_false(fake->created);

    close(fd);
    unlink(lock);
    rmdir(domain_dir);
}

static void
a_server_that_is_served(void **state)
{
    (void)state;
    fake->owner = 2;
    fake->owner_served = true;
    start(NULL);
    refused("ioreq server 2");
    assert_false(fake->created);
    assert_int_equal(fake->destroyed, 0);
}

static void
a_claim_that_xen_refuses(void **state)
{
    (void)state;
    fake->claim_errno = EBUSY;
    start(NULL);
    refused("owns its vIOMMU");
}

static void
a_kernel_that_does_not_restrict(void **state)
{
    (void)state;
    fake->restrict_broken = true;
    start(NULL);
    refused("cannot trust the restriction");
    assert_false(fake->enabled);
    assert_null(strchr(fake->log, 'c')); /* not even claimed */
}

static void
failures_late_in_the_start(void **state)
{
    (void)state;
    fake->map_errno = ENOMEM;
    start(NULL);
    refused("map the ioreq pages");

    fake->map_errno = 0;
    fake->enable_errno = EPERM;
    start(NULL);
    refused("enable the ioreq server");

    fake->enable_errno = 0;
    fake->bind_errno = EINVAL;
    start(NULL);
    refused("bind an event channel");
}

/* --- what is done --------------------------------------------- */

static void
the_order_is_kept(void **state)
{
    (void)state;
    start_ready();
    /* server, xenstore, restrict both, claim, enable */
    assert_string_equal(fake->log, "sxrpce");
    assert_int_equal(fake->control.flags,
                     XEN_DMOP_VIOMMU_IR_ADOPT | XEN_DMOP_VIOMMU_IR_FLUSH);
    assert_int_equal(fake->control.id, SERVER);
    assert_int_equal(fake->control.ioapic_sid, 0xff00);
    assert_int_equal(fake->nodes, 15);
    stop_and_check();
}

static void
what_an_earlier_daemon_left_is_removed(void **state)
{
    (void)state;
    fake->owner = 2;
    start_ready();
    assert_int_equal(fake->destroyed, 1u << 2);
    stop_and_check();
    assert_non_null(strstr(printed, "must be rebooted"));
}

static void
the_watchdog_is_fed(void **state)
{
    char text[64];
    ssize_t n;

    (void)state;
    setenv("WATCHDOG_USEC", "100000", 1);
    start_ready();
    unsetenv("WATCHDOG_USEC");
    for (int i = 0; i < 3; i++) {
        wait_readable(notify_fd);
        n = recv(notify_fd, text, sizeof(text) - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
        assert_string_equal(text, "WATCHDOG=1");
    }
    stop_and_check();
}

/* --- the end ------------------------------------------------------- */

static void
a_domain_that_is_gone_ends_the_daemon(void **state)
{
    (void)state;
    start_ready();
    fake->vcpus_errno = ESRCH;
    fake->info_errno = ESRCH;
    assert_int_equal(finish(), EXIT_SUCCESS);
    nothing_left();
}

/* A dying domain waits for us to let go of its pages. */
static void
a_dying_domain_is_let_go_of(void **state)
{
    (void)state;
    start_ready();
    (void)request(0, &(struct ioreq){ .type = IOREQ_TYPE_COPY,
                                      .addr = BASE,
                                      .size = 8,
                                      .count = 1,
                                      .data = 0x5000,
                                      .dir = IOREQ_READ,
                                      .data_is_ptr = 1 });
    fake->info_errno = ENOENT;
    for (int i = 0; i < PATIENCE_MS && fake->pages_mapped; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_false(fake->pages_mapped);
    fake->vcpus_errno = ESRCH;
    assert_int_equal(finish(), EXIT_SUCCESS);
    nothing_left();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_machine_without_xen),
        TEST(a_domain_that_does_not_exist),
        TEST(a_pv_domain),
        TEST(a_xen_without_the_patches),
        TEST(a_trace_that_cannot_be_written),
        TEST(no_configuration),
        TEST(a_wrong_configuration),
        TEST(a_wrong_configuration_on_the_command_line),
        TEST(a_second_unit),
        TEST(a_second_daemon),
        TEST(a_server_that_is_served),
        TEST(a_claim_that_xen_refuses),
        TEST(a_kernel_that_does_not_restrict),
        TEST(failures_late_in_the_start),
        TEST(the_order_is_kept),
        TEST(what_an_earlier_daemon_left_is_removed),
        TEST(the_watchdog_is_fed),
        TEST(a_domain_that_is_gone_ends_the_daemon),
        TEST(a_dying_domain_is_let_go_of),
    };

    return cmocka_run_group_tests_name("daemon-start", tests, group_setup,
                                       group_teardown);
}
