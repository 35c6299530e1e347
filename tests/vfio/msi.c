/* SPDX-License-Identifier: GPL-2.0-only */
/* The device's interrupt arrives, wherever it is directed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/vfio/checks.h"

#define WAIT_MS 3000

static bool
raised(struct test *t)
{
    vfio_msi_wait(&t->vfio, 0);
    edu_write4(t->bar, EDU_IRQ_RAISE, 0x40);
    if (vfio_msi_wait(&t->vfio, WAIT_MS) == 0) {
        return because(t, "no interrupt");
    }
    if (edu_read4(t->bar, EDU_IRQ_STATUS) != 0x40) {
        return because(t, "the interrupt's status is 0x%x",
                       edu_read4(t->bar, EDU_IRQ_STATUS));
    }
    edu_write4(t->bar, EDU_IRQ_ACK, 0x40);
    return edu_read4(t->bar, EDU_IRQ_STATUS) == 0 ||
           because(t, "the interrupt cannot be acknowledged");
}

static bool
hundred(struct test *t)
{
    unsigned i;

    for (i = 0; i < 100; i++) {
        if (!raised(t)) {
            return false;
        }
    }
    return true;
}

static bool
at_the_end_of_dma(struct test *t)
{
    bool ok;

    if (!test_map(t, 0, 1, 0x100000, VFIO_EDU_READ)) {
        return false;
    }
    vfio_msi_wait(&t->vfio, 0);
    ok = edu_dma_more(t->bar, EDU_FROM_GUEST, 0x100000, 0, 64, EDU_DMA_IRQ) &&
         vfio_msi_wait(&t->vfio, WAIT_MS) > 0 &&
         edu_read4(t->bar, EDU_IRQ_STATUS) == EDU_IRQ_DMA;
    edu_write4(t->bar, EDU_IRQ_ACK, EDU_IRQ_DMA);
    return test_unmap(t, 0x100000, PAGE) &&
           (ok || because(t, "no interrupt at the end of a DMA"));
}

/*
 * The line of /proc/interrupts of VFIO's vector: its number and, for each CPU,
 * how often it came.
 */
static bool
find_irq(unsigned *irq, char *line, size_t size)
{
    FILE *f = fopen("/proc/interrupts", "r");
    bool found = false;

    if (!f) {
        return false;
    }
    while (!found && fgets(line, (int)size, f)) {
        found = strstr(line, "vfio-msi");
    }
    *irq = found ? (unsigned)strtoul(line, NULL, 10) : 0;
    fclose(f);
    return found;
}

static bool
remapped(struct test *t)
{
    char line[512];
    unsigned irq;

    if (!find_irq(&irq, line, sizeof(line))) {
        return because(t, "no such line in /proc/interrupts");
    }
    line[strcspn(line, "\n")] = '\0';
    return strstr(line, "IR-PCI-MSI") || because(t, "%.120s", line);
}

static long
count_on(const char *line, unsigned cpu)
{
    char *at = strchr(line, ':');
    long n = 0;
    unsigned i;

    for (i = 0; at && i <= cpu; i++) {
        n = strtol(at + (i == 0), &at, 10);
    }
    return n;
}

static bool
direct_to(struct test *t, unsigned irq, unsigned cpu)
{
    char path[64];
    FILE *f;
    int rc;

    snprintf(path, sizeof(path), "/proc/irq/%u/smp_affinity_list", irq);
    f = fopen(path, "w");
    if (!f) {
        return because(t, "cannot open %s", path);
    }
    rc = fprintf(f, "%u\n", cpu);
    return (fclose(f) == 0 && rc > 0) || because(t, "cannot write %s", path);
}

/* Whether one interrupt more comes to @cpu; -1 if none comes at all. */
static int
comes_to(struct test *t, unsigned cpu)
{
    char line[512];
    unsigned irq;
    long before;

    if (!find_irq(&irq, line, sizeof(line))) {
        because(t, "no such line in /proc/interrupts");
        return -1;
    }
    before = count_on(line, cpu);
    if (!raised(t) || !find_irq(&irq, line, sizeof(line))) {
        return -1;
    }
    if (count_on(line, cpu) > before) {
        return 1;
    }
    line[strcspn(line, "\n")] = '\0';
    because(t, "not on CPU %u: %.100s", cpu, line);
    return 0;
}

/*
 * A move takes effect at once, unless the CPU of the move before has not let go
 * of its vector: then after an interrupt that comes when it has.
 */
static bool
moved_to(struct test *t, unsigned cpu)
{
    int came = 0;
    int i;

    for (i = 0; i < 100 && came == 0; i++) {
        usleep(i ? 20000 : 0);
        came = comes_to(t, cpu);
    }
    /* From then on all of them. */
    for (i = 0; i < 5 && came == 1; i++) {
        came = comes_to(t, cpu);
    }
    return came == 1;
}

static bool
follows_affinity(struct test *t)
{
    unsigned cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    char line[512];
    unsigned irq, i;

    if (cpus < 2) {
        return because(t, "there is one CPU only");
    }
    if (!find_irq(&irq, line, sizeof(line))) {
        return because(t, "no such line in /proc/interrupts");
    }
    for (i = 0; i < 10; i++) {
        if (!direct_to(t, irq, i % cpus) || !moved_to(t, i % cpus)) {
            return false;
        }
    }
    return true;
}

const struct check checks_msi[] = {
    { "an MSI arrives", raised },
    { "a hundred MSIs arrive", hundred },
    { "an MSI at the end of a DMA", at_the_end_of_dma },
    { "the interrupt is remapped", remapped },
    { NULL, NULL },
};

const struct check checks_affinity[] = {
    { "the interrupt follows its affinity", follows_affinity },
    { NULL, NULL },
};
