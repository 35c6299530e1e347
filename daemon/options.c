/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

const char options_usage[] =
    "usage: viommud --domid N [--config SPEC] [--log-level LEVEL]\n"
    "               [--run-dir DIR] [--trace FILE]\n"
    "\n"
    "Serve a virtual Intel VT-d unit to one Xen guest.\n"
    "\n"
    "  -d, --domid N          the guest's domain id\n"
    "  -c, --config SPEC      the unit, as viommu= in xl.cfg has it; without\n"
    "                         it, /libxl/N/viommu/0/config of xenstore\n"
    "  -l, --log-level LEVEL  error, warn, info (the default) or debug\n"
    "  -r, --run-dir DIR      where N/ctl and N/lock are put; /run/viommud\n"
    "  -t, --trace FILE       record what the guest does to the unit\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "See viommud(8) and viommu.cfg(5).\n";

static const struct option long_options[] = {
    { "domid", required_argument, NULL, 'd' },
    { "config", required_argument, NULL, 'c' },
    { "log-level", required_argument, NULL, 'l' },
    { "run-dir", required_argument, NULL, 'r' },
    { "trace", required_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static bool
parse_domid(const char *text, uint16_t *domid)
{
    unsigned long val;
    char *end;

    /* strtoul() would take spaces and signs. */
    if (!isdigit((unsigned char)text[0]))
        return false;

    errno = 0;
    val = strtoul(text, &end, 10);
    if (errno || *end || val == 0 || val >= OPTIONS_DOMID_END)
        return false;

    *domid = (uint16_t)val;
    return true;
}

static bool
parse_one(int opt, struct options *options, char *err, size_t err_size)
{
    switch (opt) {
    case 'd':
        if (parse_domid(optarg, &options->domid))
            return true;
        (void)snprintf(err, err_size,
                       "cannot use domain id '%s': give a number from 1 to %u,"
                       " as in `xl list`",
                       optarg, OPTIONS_DOMID_END - 1);
        return false;
    case 'c':
        options->config = optarg;
        return true;
    case 'l':
        if (log_level_parse(optarg, &options->log_level))
            return true;
        (void)snprintf(err, err_size,
                       "cannot use log level '%s': give error, warn, info or "
                       "debug",
                       optarg);
        return false;
    case 't':
        options->trace = optarg;
        return true;
    default:
        options->run_dir = optarg;
        return true;
    }
}

enum options_result
options_parse(int argc, char *argv[], struct options *options, char *err,
              size_t err_size)
{
    int opt;

    *options = (struct options){
        .log_level = LOG_LEVEL_INFO,
        .run_dir = "/run/viommud",
    };

    optind = 0; /* start over, whoever parsed before */
    opterr = 0; /* the message is ours */
    while ((opt = getopt_long(argc, argv, ":d:c:l:r:t:hV", long_options,
                              NULL)) != -1) {
        switch (opt) {
        case 'h':
            return OPTIONS_HELP;
        case 'V':
            return OPTIONS_VERSION;
        case ':':
            (void)snprintf(err, err_size,
                           "cannot use option '%s': it needs a value; see "
                           "--help",
                           argv[optind - 1]);
            return OPTIONS_ERROR;
        case '?':
            (void)snprintf(err, err_size, "cannot use option '%s': see --help",
                           argv[optind - 1]);
            return OPTIONS_ERROR;
        default:
            if (!parse_one(opt, options, err, err_size))
                return OPTIONS_ERROR;
        }
    }

    if (optind < argc) {
        (void)snprintf(err, err_size, "cannot use argument '%s': see --help",
                       argv[optind]);
        return OPTIONS_ERROR;
    }

    if (!options->domid) {
        (void)snprintf(err, err_size,
                       "cannot start: no domain given; use --domid N");
        return OPTIONS_ERROR;
    }

    return OPTIONS_RUN;
}
