/* SPDX-License-Identifier: MIT */
/*
 * One DMOP, by itself: what the programs of this directory share.  They run as
 * root in dom0 for as long as one call takes, so nothing is kept or restricted.
 */
#ifndef TESTS_HELPERS_DMOP_CALL_H
#define TESTS_HELPERS_DMOP_CALL_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/sys/privcmd.h>

/* Domain ids from here on have special meanings. */
#define DOMID_LIMIT 0x7ff0u

/* What every DMOP begins with; the op's own structure follows. */
struct dmop_head {
    uint32_t op;
    uint32_t pad;
};

/*
 * Call the DMOP in @op, @size bytes that begin with a struct dmop_head, on
 * @domid.  Returns 0 or -errno; results are in @op.
 */
static inline int
dmop_call(unsigned domid, void *op, size_t size)
{
    privcmd_dm_op_buf_t buf = { .uptr = op, .size = size };
    privcmd_dm_op_t call = { .dom = (domid_t)domid, .num = 1, .ubufs = &buf };
    int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
    int rc;

    if (fd < 0)
        return -errno;
    rc = ioctl(fd, IOCTL_PRIVCMD_DM_OP, &call) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

/* A number up to @max in C notation; ends the program if it is none. */
static inline uint64_t
arg_number(const char *name, const char *text, uint64_t max)
{
    char *end;
    unsigned long long val;

    errno = 0;
    val = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || val > max) {
        fprintf(stderr, "cannot use %s '%s': not a number up to 0x%llx\n", name,
                text, (unsigned long long)max);
        exit(2);
    }
    return val;
}

#endif
