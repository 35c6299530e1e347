/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-edu: a driver in user space for the edu device, which shows that its DMA
 * and its interrupts pass the guest's IOMMU.  A line "PASS name" or
 * "FAIL name: why" for each check; the exit status is 0 if all passed.
 *
 *   vfio-edu ADDRESS vfio|msi|pass|serve [BITS [ROUNDS [MOST]]]
 *
 * vfio: DMA and MSIs; msi: MSIs, and that they follow their affinity; pass: DMA
 * without VFIO and untranslated; serve: serve.c says.
 *
 * BITS is how wide addresses the device has (28), ROUNDS how often pages are
 * mapped and unmapped (1000), MOST how many bytes the device copies at once
 * (4096; QEMU 7.2 has one that cannot copy the last byte of its buffer).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/vfio/checks.h"

bool
because(struct test *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->why, sizeof(t->why), format, args);
    va_end(args);
    return false;
}

uint8_t *
test_page(struct test *t, unsigned page)
{
    return t->pages + (size_t)page * PAGE;
}

void
test_fill(uint8_t *at, size_t len, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 1;
    size_t i;

    for (i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        at[i] = (uint8_t)(x >> 11);
    }
}

bool
test_map(struct test *t, unsigned page, unsigned count, uint64_t iova,
         unsigned perm)
{
    int rc = vfio_map(&t->vfio, test_page(t, page), (size_t)count * PAGE, iova,
                      perm);

    return rc == 0 || because(t, "cannot map at 0x%llx: %s",
                              (unsigned long long)iova, strerror(-rc));
}

bool
test_unmap(struct test *t, uint64_t iova, size_t size)
{
    int rc = vfio_unmap(&t->vfio, iova, size);

    return rc == 0 || because(t, "cannot unmap 0x%llx: %s",
                              (unsigned long long)iova, strerror(-rc));
}

bool
test_dma(struct test *t, enum edu_way way, uint64_t iova, unsigned off,
         unsigned len)
{
    return edu_dma(t->bar, way, iova, off, len) ||
           because(t, "the device does not end its DMA at 0x%llx",
                   (unsigned long long)iova);
}

/* How many failed. */
static unsigned
run(struct test *t, const struct check *check)
{
    unsigned failed = 0;

    for (; check->name; check++) {
        t->why[0] = '\0';
        if (check->run(t)) {
            printf("PASS %s\n", check->name);
        } else {
            printf("FAIL %s: %s\n", check->name, t->why);
            failed++;
            /* So that the next one does not fail for that reason. */
            vfio_unmap_all(&t->vfio);
        }
        fflush(stdout);
    }
    return failed;
}

/* The program's own memory, and the kernel's log. */
static int
prepare(struct test *t)
{
    t->pages = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    if (t->pages == MAP_FAILED) {
        return -errno;
    }
    memset(t->pages, 0, PAGES * PAGE);
    return kmsg_open(&t->kmsg, t->address);
}

static int
prepare_vfio(struct test *t)
{
    int rc = vfio_open(&t->vfio, t->address, EDU_BAR_SIZE);

    if (rc == 0) {
        rc = vfio_msi_enable(&t->vfio);
    }
    t->bar = t->vfio.bar;
    return rc;
}

static unsigned
run_part(struct test *t, const char *part)
{
    if (strcmp(part, "pass") == 0) {
        return run(t, checks_pass);
    }
    if (strcmp(part, "serve") == 0) {
        return serve(t) == 0 ? 0 : 1;
    }
    if (strcmp(part, "msi") == 0) {
        return run(t, checks_msi) + run(t, checks_affinity);
    }
    /* In this order, kmsg_expect() has little to wait for. */
    return run(t, checks_copy) + run(t, checks_block) + run(t, checks_rounds) +
           run(t, checks_msi) + run(t, checks_block_more);
}

static unsigned
number(int argc, char **argv, int at, unsigned otherwise)
{
    return argc > at ? (unsigned)strtoul(argv[at], NULL, 0) : otherwise;
}

int
main(int argc, char **argv)
{
    struct test t = { .rounds = 1000 };
    int rc;

    if (argc < 3) {
        fprintf(stderr, "usage: vfio-edu ADDRESS vfio|msi|pass|serve "
                        "[BITS [ROUNDS [MOST]]]\n");
        return 2;
    }
    t.address = argv[1];
    t.high = (1ull << number(argc, argv, 3, 28)) - PAGE;
    t.rounds = number(argc, argv, 4, 1000);
    t.most = number(argc, argv, 5, EDU_BUFFER_SIZE);
    rc = prepare(&t);
    if (rc == 0 && strcmp(argv[2], "pass") != 0) {
        rc = prepare_vfio(&t);
    }
    if (rc != 0) {
        printf("FAIL the device is there: %s\n", strerror(-rc));
        return 1;
    }
    return run_part(&t, argv[2]) ? 1 : 0;
}
