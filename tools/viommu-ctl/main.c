/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "tools/viommu-ctl/command.h"

#define TIMEOUT_MS 5000
#define READY_MS   30000

static const struct command commands[] = {
    { "list", "the daemons that run", true, cmd_list },
    { "status", "how a daemon and its units are", true, cmd_status },
    { "regs", "registers, by name and field", true, cmd_regs },
    { "irt", "the interrupt remapping table", true, cmd_irt },
    { "queue", "the invalidation queue", true, cmd_queue },
    { "faults", "the fault recording registers", true, cmd_faults },
    { "stats", "counters", true, cmd_stats },
    { "devices", "the devices of the units, and who does their DMA", true,
      cmd_devices },
    { "walk", "how an address of a device is translated", true, cmd_walk },
    { "why", "the last DMA that was refused, explained", true, cmd_why },
    { "tlb", "cached translations", true, cmd_tlb },
    { "clients", "who does devices' DMA", true, cmd_clients },
    { "dmar", "write a unit's ACPI table", false, cmd_dmar },
    { "configure", "hand a configuration to a daemon to be", false,
      cmd_configure },
    { "create", "create a guest together with its unit", false, cmd_create },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *argp_program_version = "viommu-ctl " VIOMMUD_VERSION;

struct args {
    struct ctl *ctl;
    const struct command *command;
    int first; /* index in argv of the command              */
};

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!strcmp(name, commands[i].name)) {
            return &commands[i];
        }
    }
    return NULL;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
    struct args *args = state->input;

    switch (key) {
    case 'j':
        args->ctl->json = true;
        return 0;
    case 'r':
        args->ctl->run_dir = arg;
        return 0;
    case ARGP_KEY_ARG:
        args->command = find_command(arg);
        if (!args->command) {
            argp_error(state, "no command is named '%s'", arg);
        }
        /* The rest belongs to the command. */
        args->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which command?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* argp frees what this returns. */
static char *
help_filter(int key, const char *text, void *input)
{
    char *list = NULL;
    size_t len = 0;
    FILE *out;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC || !(out = open_memstream(&list, &len))) {
        return text ? strdup(text) : NULL;
    }
    fprintf(out, "Commands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\n`viommu-ctl COMMAND --help' tells more of one.");
    fclose(out);
    return list;
}

int
main(int argc, char **argv)
{
    static const struct argp_option options[] = {
        { "json", 'j', NULL, 0, "Print answers as JSON", 0 },
        { "run-dir", 'r', "DIR", 0,
          "Where the daemons keep their sockets; " COMMAND_RUN_DIR, 0 },
        { 0 },
    };
    static const struct argp argp = {
        options,
        parse_option,
        "COMMAND [DOMAIN] [ARGUMENT...]",
        "Inspect and set up virtual IOMMUs of Xen guests.\vcommands",
        NULL,
        help_filter,
        NULL,
    };
    struct ctl ctl = {
        .run_dir = COMMAND_RUN_DIR,
        .log_dir = COMMAND_LOG_DIR,
        .timeout_ms = TIMEOUT_MS,
        .ready_ms = READY_MS,
        .out = stdout,
    };
    struct args args = { .ctl = &ctl };
    enum command_status status;

    argp_err_exit_status = COMMAND_USAGE;
    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args)) {
        return COMMAND_FAILED;
    }
    if (ctl.json && !args.command->answers) {
        fprintf(stderr, "viommu-ctl: %s prints no JSON\n", args.command->name);
        return COMMAND_USAGE;
    }
    status = args.command->run(&ctl, argc - args.first, argv + args.first);
    if (fflush(stdout) && status == COMMAND_OK) {
        perror("viommu-ctl: cannot write to standard output");
        return COMMAND_FAILED;
    }
    return status;
}
