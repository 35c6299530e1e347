/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/vfio/kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
kmsg_open(struct kmsg *kmsg, const char *address)
{
    const char *colon = strchr(address, ':');

    if (!colon) {
        return -EINVAL;
    }
    snprintf(kmsg->device, sizeof(kmsg->device), "%.15s", colon + 1);
    kmsg->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (kmsg->fd < 0) {
        return -errno;
    }
    kmsg_skip(kmsg);
    return 0;
}

void
kmsg_skip(const struct kmsg *kmsg)
{
    lseek(kmsg->fd, 0, SEEK_END);
}

/* One record a read; false when there is none. */
static bool
next_line(const struct kmsg *kmsg, char *line, size_t size)
{
    ssize_t n;

    do {
        n = read(kmsg->fd, line, size - 1);
    } while (n < 0 && errno == EPIPE); /* the oldest ones were overwritten */
    if (n <= 0) {
        return false;
    }
    line[n] = '\0';
    return true;
}

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
kmsg_expect(struct kmsg *kmsg)
{
    size_t count = sizeof(kmsg->expected_ms) / sizeof(kmsg->expected_ms[0]);
    int64_t *oldest = &kmsg->expected_ms[kmsg->expected % count];

    while (kmsg->expected >= count && now_ms() < *oldest + 5200) {
        usleep(50000);
    }
    *oldest = now_ms();
    kmsg->expected++;
}

bool
kmsg_fault(const struct kmsg *kmsg, bool write, uint64_t iova, int ms)
{
    const char *kind = write ? "[DMA Write" : "[DMA Read";
    struct pollfd poll_kmsg = { .fd = kmsg->fd, .events = POLLIN };
    int64_t end = now_ms() + ms;
    char wanted[80], line[1024];

    snprintf(wanted, sizeof(wanted), "Request device [%s] fault addr 0x%llx ",
             kmsg->device, (unsigned long long)(iova & ~0xfffull));
    while (now_ms() < end) {
        while (next_line(kmsg, line, sizeof(line))) {
            if (strstr(line, "DMAR") && strstr(line, kind) &&
                strstr(line, wanted)) {
                return true;
            }
        }
        poll(&poll_kmsg, 1, 50);
    }
    return false;
}

unsigned
kmsg_faults(const struct kmsg *kmsg)
{
    unsigned faults = 0;
    char line[1024];

    while (next_line(kmsg, line, sizeof(line))) {
        if (strstr(line, "DMAR") && strstr(line, "fault addr")) {
            faults++;
        }
    }
    return faults;
}
