/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/command.h"
#include "tools/viommu-ctl/store.h"
#include "tools/viommu-ctl/xlcfg.h"

struct args {
    const char *domain;
    const char *cfg;
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
    struct args *args = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        if (!args->domain) {
            args->domain = arg;
        } else if (!args->cfg) {
            args->cfg = arg;
        } else {
            argp_error(state, "'%s' is one argument too many", arg);
        }
        return 0;
    case ARGP_KEY_END:
        if (!args->cfg) {
            argp_error(state, "name a domain and its xl.cfg");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum command_status
cmd_configure(struct ctl *ctl, int argc, char **argv)
{
    static const struct argp argp = {
        NULL,
        parse_option,
        "DOMAIN CFG",
        "Hand the units' configuration in CFG to the daemon that will be "
        "started for DOMAIN.",
        NULL,
        NULL,
        NULL,
    };
    struct args args = { NULL, NULL };
    struct text_error err;
    struct xlcfg xlcfg;
    char spec[CONFIG_TEXT_SIZE];
    unsigned domid = 0;
    int rc;

    command_parse(&argp, argc, argv, &args);
    rc = xlcfg_read(args.cfg, NULL, 0, &xlcfg, &err);
    if (!rc) {
        rc = store_domain_find(args.domain, &domid, &err);
    }
    if (!rc) {
        configs_format(&xlcfg.units, spec, sizeof(spec));
        rc = store_config_write(domid, spec, &err);
    }
    if (rc) {
        return command_fail(rc, &err);
    }
    fprintf(ctl->out, "domain %u: %s\n", domid, spec);
    return COMMAND_OK;
}
