/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The domain's directory, /run/viommud/<domid>/: the sockets, and a lock that
 * says that somebody serves the domain.  Everybody may pass, because users who
 * are named in the configuration speak for devices; each of the files says
 * itself who may use it.
 */
#ifndef DAEMON_RUNDIR_H
#define DAEMON_RUNDIR_H

#include <stddef.h>
#include <stdint.h>

#define RUNDIR_PATH_SIZE 96

struct rundir {
    char path[RUNDIR_PATH_SIZE];
    int lock_fd;
};

/*
 * Create what is missing and take the lock.  What went wrong is logged;
 * -EBUSY if another process has the lock.
 */
int rundir_open(struct rundir *rundir, const char *parent, uint16_t domid);

/* Remove the directory, unless something of somebody else's is in it. */
void rundir_close(struct rundir *rundir);

#endif
