/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the control socket, docs/control.md.  They read and change
 * nothing.
 */
#ifndef DAEMON_CTL_QUERY_H
#define DAEMON_CTL_QUERY_H

#include "daemon/qmp.h"

/* Their ctx is a struct viommud. */
extern const struct qmp_command ctl_query_commands[];
extern const unsigned ctl_query_command_count;

#endif
