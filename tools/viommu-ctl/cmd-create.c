/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Create a guest with its unit.  The guest is created paused and runs only
 * once its daemon is ready: a guest that looks for its unit too early finds a
 * page of ones and gives it up.  With --paused it is left to the caller to let
 * it run, once emulators of its devices are there.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/viommu-ctl/command.h"
#include "tools/viommu-ctl/dmar.h"
#include "tools/viommu-ctl/launch.h"
#include "tools/viommu-ctl/process.h"
#include "tools/viommu-ctl/store.h"
#include "tools/viommu-ctl/xlcfg.h"

#define UNPAUSE_MS 30000
#define DESTROY_MS 60000

struct create {
    struct ctl *ctl;
    char *cfg;
    char **extra; /* KEY=VALUE... for xl                       */
    size_t extra_count;
    bool paused; /* leave it so                              */
    struct xlcfg xlcfg;
    char spec[CONFIG_TEXT_SIZE];
    char dmar_path[512]; /* empty: no table                          */
    unsigned domid;
    struct launch launch;
};

static void __attribute__((format(printf, 3, 4)))
report(const struct create *create, const char *step, const char *fmt, ...)
{
    va_list args;

    fprintf(create->ctl->out, "%-14s ", step);
    va_start(args, fmt);
    vfprintf(create->ctl->out, fmt, args);
    va_end(args);
    fputc('\n', create->ctl->out);
    fflush(create->ctl->out);
}

static int
check_type(const struct create *create, struct text_error *err)
{
    return create->xlcfg.type != XLCFG_PV
               ? 0
               : text_fail(err, -EINVAL,
                           "%.100s is a PV guest, which can have no unit; "
                           "accepted: type=\"hvm\" and type=\"pvh\"",
                           create->cfg);
}

static int
read_config(struct create *create, struct text_error *err)
{
    unsigned domid;
    int rc = xlcfg_read(create->cfg, create->extra, create->extra_count,
                        &create->xlcfg, err);

    if (!rc) {
        rc = check_type(create, err);
    }
    if (rc) {
        return rc;
    }
    if (!create->xlcfg.name[0]) {
        return text_fail(err, -EINVAL, "%s has no name; add name=\"...\"",
                         create->cfg);
    }
    if (create->xlcfg.acpi_firmware) {
        return text_fail(err, -EINVAL,
                         "%.100s has acpi_firmware= already, and xl takes one "
                         "file: see TABLES OF YOUR OWN in viommu-ctl(8)",
                         create->cfg);
    }
    rc = store_domain_find_name(create->xlcfg.name, &domid, err);
    if (!rc) {
        return text_fail(err, -EEXIST, "domain %u is named %s already", domid,
                         create->xlcfg.name);
    }
    if (rc != -ENXIO) {
        return rc;
    }
    configs_format(&create->xlcfg.units, create->spec, sizeof(create->spec));
    report(create, "configuration", "%s", create->spec);
    return 0;
}

/* The name is free text: what is none in a file's name becomes %xx. */
static int
set_dmar_path(struct create *create, struct text_error *err)
{
    const size_t size = sizeof(create->dmar_path);
    char *path = create->dmar_path;
    size_t len = (size_t)snprintf(path, size, "%s/dmar-", create->ctl->run_dir);

    for (const char *p = create->xlcfg.name; *p && len < size; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = isalnum(c) || strchr("._+-", c);

        len += (size_t)(plain ? snprintf(path + len, size - len, "%c", c)
                              : snprintf(path + len, size - len, "%%%02x", c));
    }
    if (len < size) {
        len += (size_t)snprintf(path + len, size - len, ".aml");
    }
    if (len >= size) {
        return text_fail(err, -ENAMETOOLONG, "the name %.100s... is too long",
                         create->xlcfg.name);
    }
    return 0;
}

static int
write_dmar(struct create *create, struct text_error *err)
{
    const char *run_dir = create->ctl->run_dir;
    int rc;

    if (mkdir(run_dir, 0755) && errno != EEXIST) {
        rc = -errno;
        return text_fail(err, rc, "cannot make %s: %s; are you root?", run_dir,
                         strerror(-rc));
    }
    if (create->xlcfg.type == XLCFG_PVH) {
        report(create, "table",
               "none: a PVH guest takes none from xl, see viommu-ctl(8)");
        return 0;
    }
    rc = set_dmar_path(create, err);
    if (!rc) {
        rc = dmar_write(&create->xlcfg.units, create->dmar_path, err);
    }
    if (!rc) {
        report(create, "table", "%s", create->dmar_path);
    }
    return rc;
}

static void
remove_dmar(struct create *create)
{
    if (create->dmar_path[0]) {
        unlink(create->dmar_path);
    }
}

/*
 * Not bounded in time: a large guest takes minutes.  If xl fails, it removes
 * what it created.
 */
static int
create_domain(struct create *create, struct text_error *err)
{
    char firmware[sizeof(create->dmar_path) + 32];
    const char *head[] = { "xl", "create", "-p", "-f", create->cfg, firmware };
    const bool has_table = create->dmar_path[0] != '\0';
    const size_t n = sizeof(head) / sizeof(head[0]) - !has_table;
    const char **argv = calloc(n + create->extra_count + 1, sizeof(*argv));
    int rc;

    if (!argv) {
        return text_fail(err, -ENOMEM, "cannot run xl: %s", strerror(ENOMEM));
    }
    snprintf(firmware, sizeof(firmware), "acpi_firmware=\"%s\"",
             create->dmar_path);
    memcpy(argv, head, n * sizeof(*head));
    for (size_t i = 0; i < create->extra_count; i++) {
        argv[n + i] = create->extra[i];
    }
    rc = process_run(argv, -1, err);
    free(argv);
    if (!rc) {
        rc = store_domain_find_name(create->xlcfg.name, &create->domid, err);
    }
    if (!rc) {
        report(create, "domain", "%u (%s) created, paused", create->domid,
               create->xlcfg.name);
    }
    return rc;
}

static int
run_xl(const char *verb, unsigned domid, int timeout_ms, struct text_error *err)
{
    char text[16];
    const char *const argv[] = { "xl", verb, text, NULL };

    snprintf(text, sizeof(text), "%u", domid);
    return process_run(argv, timeout_ms, err);
}

static void
destroy_domain(struct create *create)
{
    struct text_error err;

    if (run_xl("destroy", create->domid, DESTROY_MS, &err)) {
        text_error_print(&err);
    }
}

static int
write_store(struct create *create, struct text_error *err)
{
    int rc = store_config_write(create->domid, create->spec, err);

    if (!rc) {
        report(create, "xenstore", "/libxl/%u/viommu/0/config", create->domid);
    }
    return rc;
}

static void
clear_store(struct create *create)
{
    struct text_error err;

    if (store_config_remove(create->domid, &err)) {
        text_error_print(&err);
    }
}

static int
start_daemon(struct create *create, struct text_error *err)
{
    struct launch *launch = &create->launch;
    int rc;

    launch->domid = create->domid;
    rc = launch_start(launch, err);
    if (!rc && launch->systemd) {
        report(create, "daemon", "viommud@%u.service is ready", create->domid);
    } else if (!rc) {
        report(create, "daemon", "viommud is ready, pid %d, log %s",
               (int)launch->pid, launch->log);
    }
    return rc;
}

static void
stop_daemon(struct create *create)
{
    launch_stop(&create->launch);
}

static int
unpause_domain(struct create *create, struct text_error *err)
{
    int rc;

    if (create->paused) {
        report(create, "domain", "%u (%s) is left paused; `xl unpause %u`",
               create->domid, create->xlcfg.name, create->domid);
        return 0;
    }
    rc = run_xl("unpause", create->domid, UNPAUSE_MS, err);
    if (!rc) {
        report(create, "domain", "%u (%s) runs", create->domid,
               create->xlcfg.name);
    }
    return rc;
}

/* A step that fails has undone what it did itself. */
static const struct step {
    int (*run)(struct create *create, struct text_error *err);
    void (*undo)(struct create *create);
} steps[] = {
    { read_config, NULL },
    { write_dmar, remove_dmar },
    { create_domain, destroy_domain },
    { write_store, clear_store },
    { start_daemon, stop_daemon },
    { unpause_domain, NULL },
};

#define STEPS (sizeof(steps) / sizeof(steps[0]))

static int
run_steps(struct create *create, struct text_error *err)
{
    size_t done = 0;
    int rc = 0;

    while (!rc && done < STEPS) {
        rc = process_interrupted(create->launch.guard)
                 ? text_fail(err, -EINTR, "interrupted")
                 : steps[done].run(create, err);
        done += !rc;
    }
    if (rc && done > 0) {
        report(create, "failed", "undoing");
        while (done-- > 0) {
            if (steps[done].undo) {
                steps[done].undo(create);
            }
        }
    }
    return rc;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
    struct create *create = state->input;

    switch (key) {
    case 'p':
        create->paused = true;
        return 0;
    case ARGP_KEY_ARG:
        if (create->cfg) {
            return ARGP_ERR_UNKNOWN;
        }
        create->cfg = arg;
        return 0;
    case ARGP_KEY_ARGS:
        create->extra = state->argv + state->next;
        create->extra_count = (size_t)(state->argc - state->next);
        for (size_t i = 0; i < create->extra_count; i++) {
            if (!strchr(create->extra[i], '=')) {
                argp_error(state, "'%s' is no KEY=VALUE for xl",
                           create->extra[i]);
            }
        }
        return 0;
    case ARGP_KEY_END:
        if (!create->cfg) {
            argp_error(state, "name the guest's xl.cfg");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum command_status
cmd_create(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "paused", 'p', NULL, 0,
          "Do not let it run: emulators of its devices can be started first",
          0 },
        { 0 },
    };
    static const struct argp argp = {
        options,
        parse_option,
        "CFG [KEY=VALUE...]",
        "Create the guest of an xl.cfg together with its unit: write its ACPI "
        "table, create it paused, start its daemon, and let it run. "
        "KEY=VALUE adds to the file, as for xl.",
        NULL,
        NULL,
        NULL,
    };
    struct create create = {
        .ctl = ctl,
        .launch = {
            .run_dir = ctl->run_dir,
            .log_dir = ctl->log_dir,
            .systemd = launch_has_systemd() &&
                       !strcmp(ctl->run_dir, COMMAND_RUN_DIR),
            .timeout_ms = ctl->ready_ms,
        },
    };
    struct text_error err;
    int rc;

    command_parse(&argp, argc, argv, &create);
    rc = process_guard(&err);
    if (rc >= 0) {
        create.launch.guard = rc;
        rc = run_steps(&create, &err);
        close(create.launch.guard);
    }
    if (rc) {
        return command_fail(rc, &err);
    }
    if (create.xlcfg.restarts) {
        report(&create, "note",
               "when the guest reboots, xl starts it without its unit; see "
               "on_reboot in viommu-ctl(8)");
    }
    return COMMAND_OK;
}
