/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line. */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include "daemon/log.h"

#include <stddef.h>
#include <stdint.h>

/* Domain ids from here on are Xen's own (DOMID_FIRST_RESERVED). */
#define OPTIONS_DOMID_END 0x7ff0u

struct options {
    uint16_t domid;
    enum log_level log_level;
    const char *config;  /* points into argv; NULL: read it from xenstore */
    const char *run_dir; /* holds a directory for each domain */
    const char *trace;   /* a file to record the guest in, or NULL */
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_HELP, /* print options_usage and leave */
    OPTIONS_VERSION,
    OPTIONS_ERROR, /* @err says what is wrong */
};

extern const char options_usage[];

enum options_result options_parse(int argc, char *argv[],
                                  struct options *options, char *err,
                                  size_t err_size);

#endif
