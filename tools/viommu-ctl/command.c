/* SPDX-License-Identifier: GPL-2.0-only */
#include "tools/viommu-ctl/command.h"

#include <errno.h>
#include <stdlib.h>

void
command_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    char *plain = argv[0];
    char *full = NULL;
    error_t rc;

    if (asprintf(&full, "viommu-ctl %s", plain) >= 0) {
        argv[0] = full;
    }
    argp_err_exit_status = COMMAND_USAGE;
    rc = argp_parse(argp, argc, argv, 0, NULL, input);
    argv[0] = plain;
    free(full);
    if (rc) {
        exit(COMMAND_FAILED);
    }
}

enum command_status
command_fail(int rc, const struct text_error *err)
{
    text_error_print(err);
    switch (rc) {
    case -ESRCH:
        return COMMAND_NOT_RUNNING;
    case -ETIMEDOUT:
        return COMMAND_TIMEOUT;
    default:
        return COMMAND_FAILED;
    }
}
