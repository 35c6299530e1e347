/* SPDX-License-Identifier: GPL-2.0-only */
/* The checks of vfio-edu: a table of functions for each part. */
#ifndef TESTS_VFIO_CHECKS_H
#define TESTS_VFIO_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/vfio/edu.h"
#include "tests/vfio/kmsg.h"
#include "tests/vfio/vfio.h"

#define PAGE      4096u
#define PAGES     ((size_t)16)
#define HUGE_SIZE ((size_t)0x200000)

struct test {
    struct vfio vfio;
    struct kmsg kmsg;
    void *bar;
    const char *address; /* 0000:00:05.0 */
    uint8_t *pages;      /* PAGES of them */
    uint64_t high;       /* the last page that the device can address */
    unsigned rounds;
    unsigned most; /* bytes that the device copies at once */
    char why[160]; /* what a check that failed has seen */
};

/* A check returns whether it passed; else because() has said why. */
struct check {
    const char *name;
    bool (*run)(struct test *t);
};

/* Tables that end with a name of NULL. */
extern const struct check checks_copy[];
extern const struct check checks_block[];
extern const struct check checks_block_more[];
extern const struct check checks_rounds[];
extern const struct check checks_msi[];
extern const struct check checks_affinity[]; /* needs two CPUs */
extern const struct check checks_pass[];

/* Always false. */
bool because(struct test *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

uint8_t *test_page(struct test *t, unsigned page);

/* Bytes that only @seed tells. */
void test_fill(uint8_t *at, size_t len, uint32_t seed);

/* Map @count pages from @page on; false, with because(), if that failed. */
bool test_map(struct test *t, unsigned page, unsigned count, uint64_t iova,
              unsigned perm);
bool test_unmap(struct test *t, uint64_t iova, size_t size);

/* Between guest and device; false, with because(), if it does not end. */
bool test_dma(struct test *t, enum edu_way way, uint64_t iova, unsigned off,
              unsigned len);

/* Commands from standard input: serve.c says which.  The exit status. */
int serve(struct test *t);

#endif
