/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of viommu-ctl.  Each parses its own arguments, writes its
 * answer to ctl->out and its reason for failing to standard error.
 */
#ifndef TOOLS_VIOMMU_CTL_COMMAND_H
#define TOOLS_VIOMMU_CTL_COMMAND_H

#include <argp.h>
#include <stdbool.h>
#include <stdio.h>

#include "tools/viommu-ctl/text.h"

/* Exit statuses, as man/viommu-ctl.8 lists them. */
enum command_status {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
    COMMAND_NOT_RUNNING = 3,
    COMMAND_TIMEOUT = 5,
};

/* Where daemons keep their sockets unless told otherwise. */
#define COMMAND_RUN_DIR "/run/viommud"

/* Xen's own. */
#define COMMAND_LOG_DIR "/var/log/xen"

struct ctl {
    bool json;
    const char *run_dir; /* holds <domid>/ctl of every daemon         */
    const char *log_dir; /* of daemons that create starts itself      */
    int timeout_ms;      /* for a daemon's answer                     */
    int ready_ms;        /* for a daemon to start                     */
    FILE *out;
};

struct command {
    const char *name;
    const char *summary;
    bool answers; /* has something to print as JSON            */
    enum command_status (*run)(struct ctl *ctl, int argc, char **argv);
};

enum command_status cmd_list(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_status(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_regs(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_irt(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_queue(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_faults(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_stats(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_devices(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_walk(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_why(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_tlb(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_clients(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_dmar(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_configure(struct ctl *ctl, int argc, char **argv);
enum command_status cmd_create(struct ctl *ctl, int argc, char **argv);

/*
 * Parse the arguments of argv[0], the command's name.  A mistake prints the
 * usage and exits with COMMAND_USAGE, as argp does; --help exits with 0.
 */
void command_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Print @err and return the exit status that -errno @rc stands for. */
enum command_status command_fail(int rc, const struct text_error *err);

#endif
