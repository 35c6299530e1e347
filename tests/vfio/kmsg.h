/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says about faults of a device. */
#ifndef TESTS_VFIO_KMSG_H
#define TESTS_VFIO_KMSG_H

#include <stdbool.h>
#include <stdint.h>

struct kmsg {
    int fd;
    char device[16];        /* as the kernel prints it: 00:05.0 */
    int64_t expected_ms[3]; /* when the last faults were to come */
    unsigned expected;
};

/* @address is as 0000:00:05.0.  0 or -errno. */
int kmsg_open(struct kmsg *kmsg, const char *address);

/* Forget what was said up to now. */
void kmsg_skip(const struct kmsg *kmsg);

/*
 * A fault is about to happen: wait until the kernel is going to tell of it.  It
 * prints at most ten lines in five seconds, and counts three for a fault.
 */
void kmsg_expect(struct kmsg *kmsg);

/*
 * Does the kernel report, within @ms, that the device's @write or read of the
 * page of @iova was blocked?
 */
bool kmsg_fault(const struct kmsg *kmsg, bool write, uint64_t iova, int ms);

/* How many faults of any device it has reported since the last look. */
unsigned kmsg_faults(const struct kmsg *kmsg);

#endif
