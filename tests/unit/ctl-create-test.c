/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu-ctl create, with this very program standing in for xl, viommud and
 * systemctl: what is run, in which order, and what is left when a step fails.
 */
#include <argp.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/ctl-store.h"
#include "tools/viommu-ctl/command.h"
#include "tools/viommu-ctl/launch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Long enough for a loaded machine. */
#define PATIENT_MS 20000
#define HASTY_MS   300

/* The domain that the fake xl creates. */
#define DOMID "9"

#define CANONICAL                                                     \
    "type=intel_vtd,intremap=1,eim=1,base=0xfed90000,ioapic_id=1,"    \
    "ioapic_sid=ff:00.0,faults=8,x2apic_opt_out=0,width=46,dma=none," \
    "levels=4,stages=both,caching=0,posted=0,ats=0,pasid=0,prs=0,"    \
    "drain_ms=1000,layout=one"

#define GUEST                                               \
    "name=\"guest\"\ntype=\"hvm\"\non_reboot=\"destroy\"\n" \
    "viommu=[\"type=intel_vtd\"]\n"

static struct store store;

/* --- the programs ---------------------------------------------------------*/

static bool
mode_is(const char *mode)
{
    const char *env = getenv("FAKE_MODE");

    return env && !strcmp(env, mode);
}

static void
log_line(char *const word[])
{
    char path[128];
    FILE *log;

    snprintf(path, sizeof(path), "%s/log", getenv("FAKE_DIR"));
    log = fopen(path, "ae");
    assert(log);
    for (int i = 0; word[i]; i++) {
        fprintf(log, "%s%s", i ? " " : "", word[i]);
    }
    fputc('\n', log);
    fclose(log);
}

static int
fake_xl(char *argv[])
{
    struct store where = { .fd = -1 };
    char path[512];

    snprintf(where.dir, sizeof(where.dir), "%s", getenv("FAKE_DIR"));
    if (!strcmp(argv[1], "create")) {
        if (mode_is("create fails")) {
            return 3;
        }
        store_put(&where, "/local/domain/" DOMID "/name", "value", "guest");
        if (mode_is("interrupted")) {
            kill(getppid(), SIGTERM);
        }
    } else if (!strcmp(argv[1], "destroy")) {
        store_file(&where, "/local/domain/" DOMID, "", path);
        store_remove(path);
    } else if (mode_is("unpause fails")) {
        return 1;
    }
    return 0;
}

static void
notify(const char *text)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s",
             getenv("NOTIFY_SOCKET"));
    assert(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&addr,
                  sizeof(addr)) == (ssize_t)strlen(text));
    close(fd);
}

static volatile sig_atomic_t stopped;

static void
on_term(int sig)
{
    (void)sig;
    stopped = 1;
}

static int
fake_viommud(void)
{
    char *const last[] = { (char[]){ "viommud" }, (char[]){ "stopped" }, NULL };
    struct timespec moment = { .tv_nsec = 10000000 };
    char path[128];
    FILE *file;

    if (mode_is("daemon fails")) {
        fprintf(stderr, "viommud: cannot open \033[31m/dev/xen\n");
        return 1;
    }
    signal(SIGTERM, on_term);
    snprintf(path, sizeof(path), "%s/pid", getenv("FAKE_DIR"));
    file = fopen(path, "we");
    assert(file);
    fprintf(file, "%d", (int)getpid());
    fclose(file);
    if (!mode_is("daemon is silent")) {
        notify("STATUS=READY=1 comes");
        notify("STATUS=serving\nREADY=1");
    }
    while (!stopped) {
        nanosleep(&moment, NULL);
    }
    log_line(last);
    return 0;
}

/* Returns an exit status, or -1 if ~argv is that of the test itself. */
static int
run_program(char *argv[])
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];

    if (!strcmp(name, "xl")) {
        log_line(argv);
        return fake_xl(argv);
    }
    if (!strcmp(name, "viommud")) {
        log_line(argv);
        return fake_viommud();
    }
    if (!strcmp(name, "systemctl")) {
        log_line(argv);
        return mode_is("unit fails") && !strcmp(argv[1], "start");
    }
    return -1;
}

/* --- the tests ------------------------------------------------------------*/

static void
path_of(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", store.dir, name);
}

static bool
exists(const char *name)
{
    char path[128];

    path_of(name, path);
    return access(path, F_OK) == 0;
}

static void
read_file(const char *name, char text[4096])
{
    char path[128];
    FILE *in;
    size_t n = 0;

    path_of(name, path);
    in = fopen(path, "re");
    if (in) {
        n = fread(text, 1, 4095, in);
        fclose(in);
    }
    text[n] = '\0';
}

static void
write_file(const char *name, const char *text)
{
    char path[128];
    FILE *out;

    path_of(name, path);
    out = fopen(path, "we");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int
start(void **state)
{
    static const char *const program[] = { "xl", "viommud", "systemctl" };
    char self[256];
    char path[128];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    (void)state;
    store_start(&store);
    if (n < 0) {
        return -1;
    }
    self[n] = '\0';
    for (size_t i = 0; i < COUNT(program); i++) {
        path_of(program[i], path);
        if (symlink(self, path)) {
            return -1;
        }
    }
    snprintf(path, sizeof(path), "%s:/usr/bin:/bin", store.dir);
    setenv("PATH", path, 1);
    setenv("FAKE_DIR", store.dir, 1);
    return 0;
}

static int
stop(void **state)
{
    (void)state;
    store_stop(&store);
    return 0;
}

/* Both output files and the exit status of `create guest.cfg ~extra`. */
static int
create(const char *cfg, const char *mode, int ready_ms, const char *extra)
{
    char path[128];
    char last[64];
    char *argv[] = { (char[]){ "create" }, path, extra ? last : NULL, NULL };
    struct ctl ctl = { .run_dir = store.dir,
                       .log_dir = "/nonexistent",
                       .ready_ms = ready_ms };
    int status = 0;
    pid_t pid;

    write_file("guest.cfg", cfg);
    write_file("log", "");
    setenv("FAKE_MODE", mode, 1);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        path_of("err", path);
        assert(dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), 2) == 2);
        path_of("out", path);
        ctl.out = fopen(path, "we");
        path_of("guest.cfg", path);
        snprintf(last, sizeof(last), "%s", extra ? extra : "");
        status = (int)cmd_create(&ctl, extra ? 3 : 2, argv);
        fclose(ctl.out);
        _exit(status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Of the fake daemon that was started last. */
static pid_t
daemon_pid(void)
{
    char text[4096];

    read_file("pid", text);
    return (pid_t)strtol(text, NULL, 10);
}

static void
forget_domain(void)
{
    static const char *const node[] = { "/local/domain/" DOMID,
                                        "/libxl/" DOMID };
    char path[512];

    for (size_t i = 0; i < COUNT(node); i++) {
        store_file(&store, node[i], "", path);
        store_remove(path);
    }
}

/* The programs that ran; ~ in ~want stands for the directory. */
static void
assert_ran(const char *want)
{
    char got[4096];
    char line[2048];
    size_t len = 0;

    for (const char *p = want; *p; p++) {
        if (*p == '~') {
            len += (size_t)snprintf(line + len, sizeof(line) - len, "%s",
                                    store.dir);
        } else {
            line[len++] = *p;
        }
    }
    line[len] = '\0';
    read_file("log", got);
    assert_string_equal(got, line);
}

static void
assert_nothing_left(void)
{
    char command[256];
    char value[4096];

    assert_false(exists("dmar-guest.aml"));
    assert_false(
        store_get(&store, "/local/domain/" DOMID "/name", "value", value));
    assert_false(
        store_get(&store, "/libxl/" DOMID "/viommu/0/config", "value", value));
    /* No directory of the notify socket either. */
    snprintf(command, sizeof(command), "! ls -d %s/notify-* 2>/dev/null",
             store.dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static void
assert_error(const char *want)
{
    char got[4096];

    read_file("err", got);
    assert_string_equal(got, want);
}

#define RAN_CREATE \
    "xl create -p -f ~/guest.cfg acpi_firmware=\"~/dmar-guest.aml\"\n"
#define RAN_DAEMON "viommud --domid " DOMID " --run-dir ~\n"

static void
does_every_step(void **state)
{
    char want[1024];
    char text[4096];
    char node[4096];
    pid_t pid;

    (void)state;
    assert_int_equal(create(GUEST, "", PATIENT_MS, "memory=64"), COMMAND_OK);
    assert_ran("xl create -p -f ~/guest.cfg "
               "acpi_firmware=\"~/dmar-guest.aml\" memory=64\n" RAN_DAEMON
               "xl unpause " DOMID "\n");
    pid = daemon_pid();
    snprintf(want, sizeof(want),
             "configuration  " CANONICAL "\n"
             "table          %s/dmar-guest.aml\n"
             "domain         9 (guest) created, paused\n"
             "xenstore       /libxl/9/viommu/0/config\n"
             "daemon         viommud is ready, pid %d, log %s/viommud-9.log\n"
             "domain         9 (guest) runs\n",
             store.dir, (int)pid, store.dir);
    read_file("out", text);
    assert_string_equal(text, want);
    assert_error("");
    assert_true(exists("dmar-guest.aml"));
    assert_true(
        store_get(&store, "/libxl/" DOMID "/viommu/0/config", "value", node));
    assert_string_equal(node, CANONICAL);

    /* A second one of that name touches nothing of the first. */
    assert_int_equal(create(GUEST, "", PATIENT_MS, NULL), COMMAND_FAILED);
    assert_error("viommu-ctl: domain 9 is named guest already\n");
    assert_ran("");
    assert_true(exists("dmar-guest.aml"));

    /* The daemon outlives its parent, and can be stopped. */
    assert_int_equal(kill(pid, SIGTERM), 0);
    for (int i = 0; i < 1000; i++) {
        struct timespec moment = { .tv_nsec = 10000000 };

        read_file("log", text);
        if (text[0]) {
            break;
        }
        nanosleep(&moment, NULL);
    }
    assert_ran("viommud stopped\n");
    forget_domain();
}

static void
leaves_it_paused_if_told_to(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(create(GUEST, "", PATIENT_MS, "--paused"), COMMAND_OK);
    assert_ran(RAN_CREATE RAN_DAEMON);
    read_file("out", text);
    assert_non_null(strstr(
        text, "domain         9 (guest) is left paused; `xl unpause 9`\n"));
    assert_int_equal(kill(daemon_pid(), SIGKILL), 0);
    forget_domain();
}

static void
undoes_what_failed(void **state)
{
    static const struct {
        const char *mode;
        int ready_ms;
        int status;
        const char *ran;
        const char *error;
    } table[] = {
        { "create fails", PATIENT_MS, COMMAND_FAILED, RAN_CREATE,
          "viommu-ctl: xl create failed with status 3\n" },
        { "interrupted", PATIENT_MS, COMMAND_FAILED,
          RAN_CREATE "xl destroy " DOMID "\n", "viommu-ctl: interrupted\n" },
        { "daemon fails", PATIENT_MS, COMMAND_FAILED,
          RAN_CREATE RAN_DAEMON "xl destroy " DOMID "\n",
          "  viommud: cannot open ?[31m/dev/xen\n"
          "viommu-ctl: viommud ended before it was ready\n" },
        { "daemon is silent", HASTY_MS, COMMAND_TIMEOUT,
          RAN_CREATE RAN_DAEMON "viommud stopped\nxl destroy " DOMID "\n",
          "viommu-ctl: viommud was not ready within 300 ms\n" },
        { "unpause fails", PATIENT_MS, COMMAND_FAILED,
          RAN_CREATE RAN_DAEMON "xl unpause " DOMID
                                "\nviommud stopped\nxl destroy " DOMID "\n",
          "viommu-ctl: xl unpause failed with status 1\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        assert_int_equal(create(GUEST, table[i].mode, table[i].ready_ms, NULL),
                         table[i].status);
        assert_ran(table[i].ran);
        assert_error(table[i].error);
        assert_nothing_left();
    }
}

static void
refuses_before_it_does_anything(void **state)
{
    static const struct {
        const char *cfg;
        const char *error;
    } table[] = {
        { "type=\"hvm\"\nviommu=\"type=intel_vtd\"\n",
          " has no name; add name=\"...\"\n" },
        { "name=\"guest\"\ntype=\"hvm\"\n", " has no unit; add viommu=" },
        { "name=\"guest\"\nviommu=\"type=intel_vtd\"\n",
          " is a PV guest, which can have no unit; accepted: type=\"hvm\" and "
          "type=\"pvh\"\n" },
        { GUEST "acpi_firmware=\"/x\"\n", " has acpi_firmware= already" },
        { "name=\"guest\"\ntype=\"hvm\"\nviommu=\"type=intel_vtd,eim=7\"\n",
          ": viommu: eim=7 is not a switch" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        char text[4096];

        assert_int_equal(create(table[i].cfg, "", PATIENT_MS, NULL),
                         COMMAND_FAILED);
        read_file("err", text);
        assert_non_null(strstr(text, table[i].error));
        assert_ran("");
        read_file("out", text);
        assert_string_equal(text, "");
        assert_nothing_left();
    }
}

static void
hides_odd_names_from_the_file_system(void **state)
{
    (void)state;
    assert_int_equal(
        create(GUEST "name=\"../a b\"\n", "create fails", PATIENT_MS, NULL),
        COMMAND_FAILED);
    assert_ran("xl create -p -f ~/guest.cfg "
               "acpi_firmware=\"~/dmar-..%2fa%20b.aml\"\n");
}

static void
gives_a_pvh_guest_no_table(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(create("name=\"guest\"\ntype=\"pvh\"\n"
                            "viommu=[\"type=intel_vtd\"]\n",
                            "unpause fails", PATIENT_MS, NULL),
                     COMMAND_FAILED);
    assert_ran("xl create -p -f ~/guest.cfg\n" RAN_DAEMON "xl unpause " DOMID
               "\nviommud stopped\nxl destroy " DOMID "\n");
    read_file("out", text);
    assert_non_null(strstr(text, "table          none: a PVH guest takes"));
    assert_nothing_left();
}

static void
tells_of_reboots(void **state)
{
    char text[4096];

    (void)state;
    assert_int_equal(
        create(GUEST "on_reboot=\"restart\"\n", "", PATIENT_MS, NULL),
        COMMAND_OK);
    read_file("out", text);
    assert_non_null(strstr(text, "note           when the guest reboots, xl "
                                 "starts it without its unit"));
    assert_int_equal(kill(daemon_pid(), SIGKILL), 0);
    forget_domain();
}

static void
starts_a_systemd_unit(void **state)
{
    struct launch launch = { .domid = 9,
                             .systemd = true,
                             .timeout_ms = PATIENT_MS };
    struct text_error err = { "" };

    (void)state;
    write_file("log", "");
    setenv("FAKE_MODE", "", 1);
    assert_int_equal(launch_start(&launch, &err), 0);
    launch_stop(&launch);
    assert_ran("systemctl start viommud@9.service\n"
               "systemctl stop viommud@9.service\n");

    write_file("log", "");
    setenv("FAKE_MODE", "unit fails", 1);
    assert_int_equal(launch_start(&launch, &err), -ECHILD);
    assert_string_equal(err.text,
                        "cannot start the daemon: systemctl start failed with "
                        "status 1; `journalctl -u viommud@9` says why");
    assert_ran("systemctl start viommud@9.service\n"
               "systemctl stop viommud@9.service\n");
}

int
main(int argc, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_every_step),
        cmocka_unit_test(leaves_it_paused_if_told_to),
        cmocka_unit_test(undoes_what_failed),
        cmocka_unit_test(refuses_before_it_does_anything),
        cmocka_unit_test(hides_odd_names_from_the_file_system),
        cmocka_unit_test(gives_a_pvh_guest_no_table),
        cmocka_unit_test(tells_of_reboots),
        cmocka_unit_test(starts_a_systemd_unit),
    };
    int status = run_program(argv);

    (void)argc;
    return status >= 0
               ? status
               : cmocka_run_group_tests_name("create", tests, start, stop);
}
