/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One thing at a time, for a script: a command a line on standard input, an
 * answer "SERVED command what-was-seen" on standard output.
 *
 *   repeat  DMA into page 0 again and again (an edu device with --extended)
 *   watch   does page 0 still change?
 *   unmap   unmap page 0, and how long that took
 *   dma     one DMA into page 1, which stays mapped, and none any more into
 *           page 0: did it arrive?
 *   raise   an interrupt: did it arrive?
 *   quiet   does the kernel's log have no fault since the last command?
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/vfio/checks.h"

#define REPEATED 0x100000u
#define SINGLE   0x200000u

static int64_t
now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
answer(const char *command, const char *seen)
{
    printf("SERVED %s %s\n", command, seen);
    fflush(stdout);
}

/* Whatever the emulator has written last. */
static uint64_t
counter(struct test *t)
{
    return *(const volatile uint64_t *)(const void *)test_page(t, 0);
}

static void
watch(struct test *t, const char *command)
{
    uint64_t before = counter(t);
    int i;

    for (i = 0; i < 20 && counter(t) == before; i++) {
        usleep(20000);
    }
    answer(command, counter(t) == before ? "still" : "moving");
}

static void
repeat(struct test *t, const char *command)
{
    edu_write4(t->bar, EDU_MODE, EDU_MODE_REPEAT);
    edu_write8(t->bar, EDU_DMA_SRC, EDU_BUFFER);
    edu_write8(t->bar, EDU_DMA_DST, REPEATED);
    edu_write8(t->bar, EDU_DMA_COUNT, 8);
    edu_write8(t->bar, EDU_DMA_CMD, EDU_DMA_RUN | EDU_DMA_TO_GUEST);
    watch(t, command);
}

static void
unmap(struct test *t, const char *command)
{
    int64_t begin = now_ms();
    int rc = vfio_unmap(&t->vfio, REPEATED, PAGE);
    char seen[64];

    snprintf(seen, sizeof(seen), "%d after %lld ms", rc,
             (long long)(now_ms() - begin));
    answer(command, seen);
}

/* An end to what repeat() began. */
static void
end_repeat(struct test *t)
{
    int i;

    edu_write8(t->bar, EDU_DMA_CMD, 0);
    for (i = 0; i < 1000 && edu_read8(t->bar, EDU_DMA_CMD) & EDU_DMA_RUN; i++) {
        usleep(1000);
    }
    edu_write4(t->bar, EDU_MODE, 0);
}

static void
dma(struct test *t, const char *command)
{
    static unsigned char value;
    uint8_t *page = test_page(t, 1);
    bool over;

    end_repeat(t);
    value++;
    memset(page, 0, PAGE);
    memset(test_page(t, 2), value, PAGE);
    over = edu_dma(t->bar, EDU_FROM_GUEST, SINGLE + PAGE, 0, 16) &&
           edu_dma(t->bar, EDU_INTO_GUEST, SINGLE, 0, 16);
    answer(command, !over               ? "endless"
                    : page[15] == value ? "arrived"
                                        : "blocked");
}

static void
raise_msi(struct test *t, const char *command)
{
    vfio_msi_wait(&t->vfio, 0);
    edu_write4(t->bar, EDU_IRQ_RAISE, 1);
    answer(command, vfio_msi_wait(&t->vfio, 2000) ? "arrived" : "lost");
    edu_write4(t->bar, EDU_IRQ_ACK, 1);
}

static void
quiet(struct test *t, const char *command)
{
    answer(command, kmsg_faults(&t->kmsg) ? "no" : "yes");
}

int
serve(struct test *t)
{
    static const struct {
        const char *command;
        void (*run)(struct test *t, const char *command);
    } commands[] = {
        { "repeat", repeat }, { "watch", watch },     { "unmap", unmap },
        { "dma", dma },       { "raise", raise_msi }, { "quiet", quiet },
    };
    char line[64];
    size_t i;

    if (!test_map(t, 0, 1, REPEATED, VFIO_EDU_READ | VFIO_EDU_WRITE) ||
        !test_map(t, 1, 2, SINGLE, VFIO_EDU_READ | VFIO_EDU_WRITE)) {
        answer("map", t->why);
        return -1;
    }
    answer("map", "done");
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
            if (strcmp(line, commands[i].command) == 0) {
                commands[i].run(t, line);
            }
        }
    }
    return 0;
}
