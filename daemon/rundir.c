/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"

#define LOCK_NAME "/lock"

static int
directory_make(const char *path, mode_t mode)
{
    int rc;

    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return 0;

    rc = -errno;
    log_error("cannot create %s: %s", path, strerror(-rc));
    return rc;
}

/*
 * Take the lock without waiting.  The file may have been removed by a process
 * that was on its way out, between our opening and locking it; a lock on a
 * file that has no name any more keeps nobody out, so -EAGAIN.
 */
static int
lock_try(const char *path, int *lock_fd)
{
    struct stat ours;
    struct stat theirs;
    int rc = 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;

    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
    else if (fstat(fd, &ours) < 0)
        rc = -errno;
    else if (stat(path, &theirs) < 0 || ours.st_ino != theirs.st_ino ||
             ours.st_dev != theirs.st_dev)
        rc = -EAGAIN;

    if (rc) {
        (void)close(fd);
        return rc;
    }

    *lock_fd = fd;
    return 0;
}

static int
lock_take(struct rundir *rundir, uint16_t domid)
{
    char path[RUNDIR_PATH_SIZE + sizeof(LOCK_NAME)];
    int rc = -EAGAIN;

    (void)snprintf(path, sizeof(path), "%s" LOCK_NAME, rundir->path);

    /* Somebody leaves at most once in a try; ten would be an attack. */
    for (int i = 0; i < 10 && rc == -EAGAIN; i++)
        rc = lock_try(path, &rundir->lock_fd);

    if (rc == -EBUSY)
        log_error("cannot serve domain %u: another viommud does already; see "
                  "`viommu-ctl status %u`",
                  domid, domid);
    else if (rc)
        log_error("cannot lock %s: %s", path, strerror(-rc));

    return rc;
}

int
rundir_open(struct rundir *rundir, const char *parent, uint16_t domid)
{
    int len;
    int rc;

    rundir->lock_fd = -1;
    len = snprintf(rundir->path, sizeof(rundir->path), "%s/%u", parent, domid);
    if (len < 0 || (size_t)len >= sizeof(rundir->path)) {
        log_error("cannot use %s: the name is too long", parent);
        return -ENAMETOOLONG;
    }

    rc = directory_make(parent, 0755);
    if (!rc)
        rc = directory_make(rundir->path, 0711);
    if (rc)
        return rc;

    rc = lock_take(rundir, domid);
    if (rc)
        (void)rmdir(rundir->path); /* refused while it is somebody's */
    return rc;
}

void
rundir_close(struct rundir *rundir)
{
    char path[RUNDIR_PATH_SIZE + sizeof(LOCK_NAME)];

    if (rundir->lock_fd < 0)
        return;

    (void)snprintf(path, sizeof(path), "%s" LOCK_NAME, rundir->path);
    (void)unlink(path);
    (void)rmdir(rundir->path);
    (void)close(rundir->lock_fd);
    rundir->lock_fd = -1;
}
