/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A longer message is cut; none of ours comes near. */
#define LINE_MAX_SIZE 1024

static struct {
    enum log_level level;
    unsigned domid;
    bool journal;
} logger = { .level = LOG_LEVEL_INFO };

static const char *const level_name[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

/* As in sd-daemon(3). */
static const char *const journal_prefix[] = {
    [LOG_LEVEL_ERROR] = "<3>",
    [LOG_LEVEL_WARN] = "<4>",
    [LOG_LEVEL_INFO] = "<6>",
    [LOG_LEVEL_DEBUG] = "<7>",
};

#define LEVEL_COUNT (sizeof(level_name) / sizeof(level_name[0]))

/*
 * Whether standard error is the journal's own stream: the variable may have
 * been inherited by a process whose standard error is something else.
 */
static bool
stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long dev;
    unsigned long long ino;
    char *end;
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;

    dev = strtoull(stream, &end, 10);
    if (*end != ':')
        return false;

    ino = strtoull(end + 1, &end, 10);
    return *end == '\0' && dev == st.st_dev && ino == st.st_ino;
}

void
log_open(enum log_level level, unsigned domid)
{
    logger.level = level;
    logger.domid = domid;
    logger.journal = stderr_is_journal();
}

bool
log_level_parse(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < LEVEL_COUNT; i++) {
        if (!strcmp(name, level_name[i])) {
            *level = (enum log_level)i;
            return true;
        }
    }

    return false;
}

bool
log_enabled(enum log_level level)
{
    return level <= logger.level;
}

/*
 * A message may quote xenstore or a client.  One message stays one line, and
 * nothing in it reaches a terminal as a control sequence.
 */
static void
replace_controls(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

void
log_at_va(enum log_level level, const char *fmt, va_list ap)
{
    char text[LINE_MAX_SIZE];
    char who[16] = "";

    assert(level < LEVEL_COUNT);
    if (!log_enabled(level))
        return;

    (void)vsnprintf(text, sizeof(text), fmt, ap);
    replace_controls(text);
    if (logger.domid)
        (void)snprintf(who, sizeof(who), "[d%u]", logger.domid);

    (void)fprintf(stderr, "%sviommud%s: %s\n",
                  logger.journal ? journal_prefix[level] : "", who, text);
}

void
log_at(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    log_at_va(level, fmt, ap);
    va_end(ap);
}

bool
log_bucket_take(struct log_bucket *bucket, uint64_t now_ms,
                unsigned *suppressed)
{
    uint64_t back = (now_ms - bucket->start_ms) / LOG_PERIOD_MS;

    if (!bucket->used || back >= bucket->used) {
        bucket->used = 0;
        bucket->start_ms = now_ms;
    } else {
        bucket->used -= (unsigned)back;
        bucket->start_ms += back * LOG_PERIOD_MS;
    }

    if (bucket->used == LOG_BURST) {
        bucket->suppressed++;
        return false;
    }

    bucket->used++;
    *suppressed = bucket->suppressed;
    bucket->suppressed = 0;
    return true;
}

void
log_limited_at(struct log_bucket *bucket, enum log_level level, const char *fmt,
               ...)
{
    char text[LINE_MAX_SIZE];
    struct timespec now;
    uint64_t now_ms;
    unsigned suppressed;
    va_list ap;

    if (!log_enabled(level))
        return;

    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    if (!log_bucket_take(bucket, now_ms, &suppressed))
        return;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    if (suppressed)
        log_at(level, "%s (and %u more like it)", text, suppressed);
    else
        log_at(level, "%s", text);
}
