/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/viommu-ctl/command.h"
#include "tools/viommu-ctl/dmar.h"
#include "tools/viommu-ctl/xlcfg.h"

struct args {
    const char *output;
    const char *spec;
    const char *cfg;
};

static const struct argp_option options[] = {
    { "output", 'o', "FILE", 0, "Write to FILE instead of standard output", 0 },
    { "config", 'c', "SPEC", 0,
      "Take the units' configuration from SPEC, \"type=intel_vtd,...\"", 0 },
    { 0 },
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
    struct args *args = state->input;

    switch (key) {
    case 'o':
        args->output = arg;
        return 0;
    case 'c':
        args->spec = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (args->cfg) {
            argp_error(state, "'%s' is one argument too many", arg);
        }
        args->cfg = arg;
        return 0;
    case ARGP_KEY_END:
        if (!args->cfg == !args->spec) {
            argp_error(state, "name either an xl.cfg or --config=SPEC");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int
write_stdout(FILE *out, const struct viommu_configs *configs,
             struct text_error *err)
{
    uint8_t table[DMAR_SIZE_MAX];
    size_t size = dmar_build(configs, table);

    if (isatty(fileno(out))) {
        return text_fail(err, -ENOTTY,
                         "cannot write a binary table to a terminal; use -o "
                         "FILE");
    }
    if (fwrite(table, 1, size, out) != size || fflush(out)) {
        return text_fail(err, -EIO, "cannot write to standard output: %s",
                         strerror(errno));
    }
    return 0;
}

enum command_status
cmd_dmar(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse_option,
        "CFG\n--config=SPEC",
        "Write the ACPI DMAR table of a guest's units, for acpi_firmware= in "
        "its xl.cfg.",
        NULL,
        NULL,
        NULL,
    };
    struct args args = { NULL, NULL, NULL };
    struct text_error err;
    struct xlcfg xlcfg;
    int rc;

    command_parse(&argp, argc, argv, &args);
    if (args.spec) {
        rc = configs_parse(args.spec, &xlcfg.units, err.text, sizeof(err.text));
    } else {
        rc = xlcfg_read(args.cfg, NULL, 0, &xlcfg, &err);
    }
    if (!rc) {
        rc = args.output ? dmar_write(&xlcfg.units, args.output, &err)
                         : write_stdout(ctl->out, &xlcfg.units, &err);
    }
    return rc ? command_fail(rc, &err) : COMMAND_OK;
}
