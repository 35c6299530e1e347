/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages to the administrator, one line each, on standard error; journald's
 * level prefixes are added when standard error is the journal.  A message
 * starts with the module, "ctl: ", has no newline, and names values as
 * key=value.
 *
 * What a guest or a client can cause goes through log_limited(), so that
 * nobody fills the journal, and never at error level: a guest's mistake is
 * not our error.
 *
 * Single-threaded.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* Set the level, and the domain to name in each line; 0 names none. */
void log_open(enum log_level level, unsigned domid);

/* "error", "warn", "info", "debug". */
bool log_level_parse(const char *name, enum log_level *level);

bool log_enabled(enum log_level level);

void log_at(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_at_va(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)

/*
 * A token bucket: LOG_BURST messages at once, then one each LOG_PERIOD_MS.
 * All zero is a full bucket.
 */
#define LOG_BURST     5u
#define LOG_PERIOD_MS 10000u

struct log_bucket {
    uint64_t start_ms;   /* when the tokens were last counted */
    unsigned used;       /* tokens that are out, at most LOG_BURST */
    unsigned suppressed; /* messages refused since the last one passed */
};

/*
 * Take a token at @now_ms, a monotonic time.  When true, *@suppressed is the
 * number of messages that were refused since the last true.
 */
bool log_bucket_take(struct log_bucket *bucket, uint64_t now_ms,
                     unsigned *suppressed);

void log_limited_at(struct log_bucket *bucket, enum log_level level,
                    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* One bucket for each place in the source that logs. */
#define log_limited(level, ...)                        \
    do {                                               \
        static struct log_bucket log_site;             \
        log_limited_at(&log_site, level, __VA_ARGS__); \
    } while (0)

#endif
