/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/viommud.h"

/* Wrong usage, as opposed to EXIT_FAILURE. */
#define EXIT_USAGE 2

int
main(int argc, char *argv[])
{
    struct options options;
    char err[256];

    /*
     * Whoever reads our messages may go away before we do, and so may the
     * terminal that we were started from; the guest stays.
     */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);

    log_open(LOG_LEVEL_INFO, 0);
    switch (options_parse(argc, argv, &options, err, sizeof(err))) {
    case OPTIONS_HELP:
        return fputs(options_usage, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    case OPTIONS_VERSION:
        return puts("viommud " VIOMMUD_VERSION) < 0 ? EXIT_FAILURE
                                                    : EXIT_SUCCESS;
    case OPTIONS_ERROR:
        log_error("%s", err);
        return EXIT_USAGE;
    case OPTIONS_RUN:
        break;
    }

    log_open(options.log_level, options.domid);
    return viommud_run(&options);
}
