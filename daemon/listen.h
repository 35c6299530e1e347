/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets in the run directory. */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include <sys/types.h>
#include <sys/un.h>

/* 0, or -ENAMETOOLONG. */
int listen_address(struct sockaddr_un *addr, const char *path);

/*
 * Listen on a socket of @type (SOCK_STREAM, ...) that has @mode from the first
 * moment on.  One that is left there from earlier is replaced, so the caller
 * knows that nobody else uses it.  The descriptor, which does not block, or
 * -errno.
 */
int listen_open(const struct sockaddr_un *addr, int type, mode_t mode,
                unsigned backlog);

#endif
