/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int
listen_address(struct sockaddr_un *addr, const char *path)
{
    size_t len = strlen(path);

    if (len >= sizeof(addr->sun_path))
        return -ENAMETOOLONG;

    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(addr->sun_path, path, len + 1);
    return 0;
}

int
listen_open(const struct sockaddr_un *addr, int type, mode_t mode,
            unsigned backlog)
{
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask;
    int rc;

    if (fd < 0)
        return -errno;

    (void)unlink(addr->sun_path);

    mask = umask(0777 & ~mode);
    rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
    (void)umask(mask);

    if (rc < 0 || listen(fd, (int)backlog) < 0) {
        rc = -errno;
        (void)close(fd);
        return rc;
    }

    return fd;
}
