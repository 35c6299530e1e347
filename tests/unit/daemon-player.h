/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays a recorded trace: each input goes to a unit that is recorded again,
 * and both records must be the same.  Included once by each test that does so.
 */
#ifndef TESTS_UNIT_DAEMON_PLAYER_H
#define TESTS_UNIT_DAEMON_PLAYER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/record.h"
#include "tests/support/silent.h"
#include "tests/support/tape.h"

#define FEEDS_MAX 4096u
#define READ_MAX  64u
#define STEP_MAX  (2 * RECORD_STEP)

/* A read of guest memory that the trace has for an input. */
struct feed {
    uint64_t gpa;
    uint8_t len;
    bool fault;
    bool used;
    uint8_t byte[READ_MAX];
};

struct player {
    struct tape memory;
    struct vtd *vtd;
    struct record *record;
    unsigned line, inputs;
    unsigned translated; /* translations asked for that had no fault */

    struct feed feed[FEEDS_MAX];
    unsigned feeds;
    char want[STEP_MAX]; /* the input and what the model did, without reads */
    char got[STEP_MAX];
    char why[512]; /* why it is not as recorded; empty: it is */
};

/* The first reason is the one that matters. */
static inline void __attribute__((format(printf, 2, 3)))
differ(struct player *player, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (player->why[0])
        return;

    n = snprintf(player->why, sizeof(player->why), "line %u: ", player->line);
    va_start(ap, fmt);
    (void)vsnprintf(player->why + n, sizeof(player->why) - (size_t)n, fmt, ap);
    va_end(ap);
}

/* --- the unit's owner ----------------------------------------------------- */

/*
 * Memory is as the trace first has it in this step, for a model that reads in
 * other pieces than the one that was recorded.
 */
static inline void
learn_step(struct player *player)
{
    for (unsigned i = player->feeds; i-- > 0;) {
        const struct feed *feed = &player->feed[i];

        if (!feed->fault)
            assert_true(
                tape_write(&player->memory, feed->gpa, feed->byte, feed->len));
    }
}

/* A read that was recorded sees what that one saw; the next one the next. */
static inline int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct player *player = ctx;

    for (unsigned i = 0; i < player->feeds; i++) {
        struct feed *feed = &player->feed[i];

        if (feed->used || feed->gpa != gpa || feed->len != len)
            continue;
        if (feed->fault)
            return -EFAULT;
        feed->used = true;
        assert_true(tape_write(&player->memory, gpa, feed->byte, len));
        break;
    }

    if (tape_read(&player->memory, gpa, buf, len))
        return 0;

    differ(player, "reads %zu bytes at %" PRIx64 ", which nobody recorded", len,
           gpa);
    return -EFAULT;
}

/* Whether the model is recorded to have done this; for what failed then. */
static inline bool __attribute__((format(printf, 2, 3)))
recorded(const struct player *player, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return strstr(player->want, text);
}

static inline int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct player *player = ctx;

    if (recorded(player, "\n >! %" PRIx64 " ", gpa))
        return -EFAULT;
    assert_true(tape_write(&player->memory, gpa, buf, len));
    return 0;
}

static inline int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct player *player = ctx;
    uint64_t seen;

#define EXCHANGE(how)                                                         \
    recorded(player, "\n > cmpxchg %" PRIx64 " %" PRIx64 " %" PRIx64 " " how, \
             gpa, expected, desired)

    if (EXCHANGE("fault"))
        return -EFAULT;
    if (EXCHANGE("lost"))
        return 1;
    if (!tape_read(&player->memory, gpa, &seen, sizeof(seen)) ||
        seen != expected)
        differ(player, "exchanges what is not at %" PRIx64, gpa);
    assert_true(tape_write(&player->memory, gpa, &desired, sizeof(desired)));
    return 0;
}

static inline void
player_invalidate(void *ctx, const struct vtd_inv *inv)
{
    (void)ctx;
    (void)inv;
}

/* Sinks are as quick as they were. */
static inline bool
player_sync(void *ctx, uint64_t token)
{
    return !recorded(ctx, "\n > sync %" PRIx64 " later\n", token);
}

static inline void
player_page_response(void *ctx, const struct vtd_page_resp *resp)
{
    (void)ctx;
    (void)resp;
}

/* The record has what those are told that do nothing. */
#define PLAYER_OPS                                                            \
    .mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg, \
    SILENT_OPS

static const struct vtd_ops player_ops = { PLAYER_OPS };

/* Of an owner with sinks. */
static const struct vtd_ops player_sink_ops = {
    PLAYER_OPS,
    .invalidate = player_invalidate,
    .sync = player_sync,
    .page_response = player_page_response,
};

/* --- one step ------------------------------------------------------------- */

/* A step is compared without what it read: lines that begin with " <". */
static inline void
step_add(char *step, const char *text, size_t len)
{
    size_t used = strlen(step);

    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) + 1 : len;

        if (n < 2 || memcmp(text, " <", 2) != 0) {
            assert_true(used + n < STEP_MAX);
            memcpy(step + used, text, n);
            used += n;
        }
        text += n;
        len -= n;
    }
    step[used] = '\0';
}

static inline int
put(void *ctx, const char *text, size_t len)
{
    struct player *player = ctx;

    step_add(player->got, text, len);
    return 0;
}

static inline void
play_config(struct player *player, const char *line)
{
    const struct vtd_ops *ops =
        recorded(player, "\n > sinks\n") ? &player_sink_ops : &player_ops;
    struct vtd_config config;
    const char *why = "not one";

    if (record_config_parse(line, &config))
        why = player->vtd ? "a second" : vtd_config_check(&config);
    if (why) {
        differ(player, "unusable configuration: %s", why);
        return;
    }

    player->record = record_create(put, player, SIZE_MAX);
    assert_non_null(player->record);
    player->vtd =
        vtd_create(&config, record_ops(player->record, &config, ops, player),
                   player->record);
    if (!player->vtd)
        differ(player, "unusable configuration: without sinks");
}

/* "-", or a PASID. */
static inline uint32_t
pasid_parse(const char *text)
{
    return strcmp(text, "-") != 0 ? (uint32_t)strtoul(text, NULL, 16)
                                  : VTD_NO_PASID;
}

static inline bool
dma_parse(const char *text, struct vtd_dma_req *req, char pasid[16])
{
    unsigned access;

    *req = (struct vtd_dma_req){ .iova = 0 };
    if (sscanf(text, "%" SCNx16 " %15s %" SCNx64 " %x", &req->sid, pasid,
               &req->iova, &access) != 4)
        return false;

    req->pasid = pasid_parse(pasid);
    req->access = access & (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);
    req->at = access >> RECORD_DMA_AT_SHIFT & 3;
    req->privileged = access & RECORD_DMA_PRIVILEGED;
    req->atomic = access & RECORD_DMA_ATOMIC;
    req->no_write = access & RECORD_DMA_NO_WRITE;
    return true;
}

/* The translation is asked for behind the recorder's back. */
static inline bool
play_dma(struct player *player, const char *text)
{
    struct vtd_dma_req req;
    struct vtd_dma_resp resp = { .gpa = 0 };
    char pasid[16];
    char answer[160];
    enum vtd_fr fr;

    if (!dma_parse(text, &req, pasid))
        return false;

    fr = vtd_dma_translate(player->vtd, &req, &resp);
    if (fr == VTD_FR_OK)
        player->translated++;
    else
        resp = (struct vtd_dma_resp){ .gpa = 0 };
    (void)snprintf(answer, sizeof(answer),
                   "dma %x %s %" PRIx64 " %x %x %" PRIx64 " %x %x\n", req.sid,
                   pasid, req.iova, req.access, (unsigned)fr, resp.gpa,
                   resp.shift, resp.access);
    step_add(player->got, answer, strlen(answer));
    return true;
}

static inline bool
play_translate(struct player *player, const char *text)
{
    struct vtd_dma_req req;
    struct vtd_dma_resp resp;
    char pasid[16];

    if (!dma_parse(text, &req, pasid))
        return false;
    if (record_dma_translate(player->record, player->vtd, &req, &resp) ==
        VTD_FR_OK)
        player->translated++;
    return true;
}

static inline bool
play_page(struct player *player, const char *text)
{
    struct vtd_page_req req = { .addr = 0 };
    char pasid[16];
    unsigned access;

    if (sscanf(text, "%" SCNx16 " %15s %" SCNx64 " %" SCNx16 " %x", &req.sid,
               pasid, &req.addr, &req.group, &access) != 5)
        return false;

    req.pasid = pasid_parse(pasid);
    req.access = access & (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC);
    req.privileged = access & RECORD_PAGE_PRIVILEGED;
    req.last = access & RECORD_PAGE_LAST;
    req.stop_marker = access & RECORD_PAGE_STOP;
    record_page_request(player->record, player->vtd, &req);
    return true;
}

static inline bool
play_remap(struct player *player, const char *text)
{
    struct record_msi message;
    struct vtd_route route;

    if (sscanf(text, "%" SCNx16 " %" SCNx64 " %" SCNx32, &message.sid,
               &message.addr, &message.data) != 3)
        return false;
    (void)record_ir_remap(player->record, player->vtd, &message, &route);
    return true;
}

static inline bool
play_synced(struct player *player, const char *text)
{
    uint64_t token;
    unsigned status;
    uint16_t sid;

    if (sscanf(text, "%" SCNx64 " %x %" SCNx16, &token, &status, &sid) != 3)
        return false;
    record_sync_done(player->record, player->vtd, token,
                     (enum vtd_sync_status)status, sid);
    return true;
}

static inline bool
play_forget(struct player *player, const char *text)
{
    record_forget(player->record, player->vtd);
    return *text == '\0';
}

static inline bool
play_run(struct player *player, const char *text)
{
    record_run(player->record, player->vtd, (unsigned)strtoul(text, NULL, 16));
    return true;
}

static inline bool
play_event(struct player *player, const char *text)
{
    struct vtd_ir_event event = { .index = 0 };
    unsigned reason;
    char sid[8];

    if (sscanf(text, "%x %" SCNx32 " %7s %" SCNx64, &reason, &event.index, sid,
               &event.cookie) != 4)
        return false;

    event.reason = (enum vtd_fr)reason;
    event.sid_valid = strcmp(sid, "-") != 0;
    if (event.sid_valid)
        event.sid = (uint16_t)strtoul(sid, NULL, 16);
    event.lost = strstr(text, " lost");
    record_ir_event(player->record, player->vtd, &event);
    return true;
}

static inline bool
play_access(struct player *player, const char *line)
{
    unsigned size;
    uint32_t off;
    uint64_t val;

    if (sscanf(line + 1, "%u %" SCNx32 " %" SCNx64, &size, &off, &val) != 3 ||
        size < 1 || size > 8 || off >= VTD_MMIO_SIZE)
        return false;

    if (line[0] == 'r')
        (void)record_mmio_read(player->record, player->vtd, off, size);
    else
        record_mmio_write(player->record, player->vtd, off, size, val);
    return true;
}

static const struct {
    const char *word;
    bool (*play)(struct player *player, const char *text);
} player_inputs[] = {
    { "run ", play_run },       { "dma ", play_dma },
    { "event ", play_event },   { "translate ", play_translate },
    { "page ", play_page },     { "remap ", play_remap },
    { "synced ", play_synced }, { "forget", play_forget },
};

static inline bool
play_input(struct player *player, const char *line)
{
    if (strncmp(line, "config ", 7) == 0) {
        play_config(player, line);
        return true;
    }
    if (!player->vtd)
        return false;
    for (size_t i = 0; i < sizeof(player_inputs) / sizeof(player_inputs[0]);
         i++) {
        size_t len = strlen(player_inputs[i].word);

        if (strncmp(line, player_inputs[i].word, len) == 0)
            return player_inputs[i].play(player, line + len);
    }
    return (line[0] == 'r' || line[0] == 'w') && play_access(player, line);
}

/* --- a trace -------------------------------------------------------------- */

static inline bool
feed_bytes(struct feed *feed, const char *hex)
{
    size_t digits = strspn(hex, "0123456789abcdef");

    if (hex[digits] != '\0' || digits % 2 || digits == 0 ||
        digits > (size_t)2 * READ_MAX)
        return false;

    feed->len = (uint8_t)(digits / 2);
    for (size_t i = 0; i < feed->len; i++) {
        unsigned byte = 0;

        if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        feed->byte[i] = (uint8_t)byte;
    }
    return true;
}

/* " < GPA BYTES" or " <! GPA LENGTH" */
static inline bool
feed_add(struct player *player, const char *line)
{
    struct feed *feed = &player->feed[player->feeds];
    char *rest;

    if (player->feeds == FEEDS_MAX)
        return false;

    *feed = (struct feed){ .fault = line[2] == '!' };
    line += feed->fault ? 3 : 2;
    feed->gpa = strtoull(line, &rest, 16);
    if (rest == line || *rest != ' ')
        return false;

    player->feeds++;
    if (!feed->fault)
        return feed_bytes(feed, rest + 1);
    feed->len = (uint8_t)strtoul(rest, NULL, 16);
    return true;
}

/* Read one input's lines; @text is what follows it then. */
static inline const char *
step_read(struct player *player, const char *text, char *input, size_t size)
{
    unsigned lines = 0;

    player->feeds = 0;
    player->want[0] = '\0';
    player->got[0] = '\0';
    player->line++;
    do {
        size_t len = strcspn(text, "\n");
        char line[READ_MAX * 2 + 256];

        if (len >= sizeof(line) || text[len] != '\n') {
            differ(player, "line %u of it is cut or too long", lines);
            return NULL;
        }
        memcpy(line, text, len);
        line[len] = '\0';
        if (!lines++)
            (void)snprintf(input, size, "%s", line);
        if (strncmp(line, " <", 2) == 0 && !feed_add(player, line))
            differ(player, "cannot understand '%s'", line);
        step_add(player->want, text, len + 1);
        text += len + 1;
    } while (*text == ' ');

    player->line += lines - 1;
    return text;
}

/* Play @text until it differs; then why[] says how. */
static inline void
play(struct player *player, const char *text)
{
    char input[512];

    while (text && *text && !player->why[0]) {
        if (*text == '#' || *text == '\n') {
            player->line++;
            text += strcspn(text, "\n");
            text += *text == '\n';
            continue;
        }

        text = step_read(player, text, input, sizeof(input));
        if (!text || player->why[0])
            break;
        learn_step(player);
        if (!play_input(player, input))
            differ(player, "cannot play '%s'", input);
        else if (strcmp(player->want, player->got) != 0)
            differ(player, "recorded:\n%.200splayed:\n%.200s", player->want,
                   player->got);
        player->inputs++;
    }
}

static inline struct player *
player_new(void)
{
    struct player *player = calloc(1, sizeof(*player));

    assert_non_null(player);
    return player;
}

static inline void
player_free(struct player *player)
{
    vtd_destroy(player->vtd);
    record_close(player->record);
    tape_forget(&player->memory);
    free(player);
}

#endif
