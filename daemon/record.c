/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/record-priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

#define FIELD(name)                              \
    {                                            \
#name, offsetof(struct vtd_config, name) \
    }

/* Its members, one byte each, as a trace names them. */
static const struct {
    const char *name;
    size_t off;
} fields[] = {
    FIELD(fault_records), FIELD(haw),        FIELD(ir),     FIELD(eim),
    FIELD(esirtps),       FIELD(pi),         FIELD(sagaw),  FIELD(mgaw),
    FIELD(mamv),          FIELD(esrtps),     FIELD(cm),     FIELD(zlr),
    FIELD(drain),         FIELD(ss2m),       FIELD(ss1g),   FIELD(plmr),
    FIELD(phmr),          FIELD(pt),         FIELD(sc),     FIELD(dt),
    FIELD(dit),           FIELD(smts),       FIELD(ssts),   FIELD(fsts),
    FIELD(nest),          FIELD(fs1gp),      FIELD(fs5lp),  FIELD(ssads),
    FIELD(eafs),          FIELD(srs),        FIELD(ers),    FIELD(nwfs),
    FIELD(rps),           FIELD(smpwcs),     FIELD(adms),   FIELD(prs),
    FIELD(pds),           FIELD(pasid_bits), FIELD(rprivs),
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

_Static_assert(FIELDS == sizeof(struct vtd_config),
               "each member of a configuration is recorded");

/* --- the file ------------------------------------------------------------- */

static int
file_put(void *ctx, const char *text, size_t len)
{
    const struct record *record = ctx;

    while (len) {
        ssize_t n = write(record->fd, text, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }

    return 0;
}

struct record *
record_create(record_put *put, void *ctx, size_t limit)
{
    struct record *record = calloc(1, sizeof(*record));

    if (!record)
        return NULL;

    record->fd = -1;
    record->put = put;
    record->put_ctx = ctx;
    record->room = limit;
    return record;
}

struct record *
record_open(const char *path, size_t limit)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct record *record;

    if (fd < 0)
        return NULL;

    record = record_create(file_put, NULL, limit);
    if (!record) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }

    record->fd = fd;
    record->put_ctx = record;
    return record;
}

void
record_close(struct record *record)
{
    if (!record)
        return;

    if (record->fd >= 0)
        close(record->fd);
    free(record);
}

/* --- one step ------------------------------------------------------------- */

void
record_add(struct record *record, const char *fmt, ...)
{
    size_t room = sizeof(record->text) - record->len;
    va_list ap;
    int n;

    if (!record->stepping || record->overrun)
        return;

    va_start(ap, fmt);
    n = vsnprintf(record->text + record->len, room, fmt, ap);
    va_end(ap);

    if (n < 0 || (size_t)n >= room)
        record->overrun = true;
    else
        record->len += (size_t)n;
}

/* A line that comes before those of its step, when it is known at last. */
static void __attribute__((format(printf, 2, 3)))
title(struct record *record, const char *fmt, ...)
{
    char line[160];
    va_list ap;
    int n;

    if (!record->stepping || record->overrun)
        return;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);

    assert(n > 0 && (size_t)n < sizeof(line));
    if ((size_t)n >= sizeof(record->text) - record->len) {
        record->overrun = true;
        return;
    }
    memmove(record->text + n, record->text, record->len);
    memcpy(record->text, line, (size_t)n);
    record->len += (size_t)n;
}

static void
step_begin(struct record *record)
{
    record->stepping = !record->stopped;
    record->overrun = false;
    record->len = 0;
}

static void
step_end(struct record *record)
{
    static const char end[] = "# The trace is full: more was done.\n";
    int rc;

    if (!record->stepping)
        return;

    record->stepping = false;
    if (record->overrun || record->len > record->room) {
        record->stopped = true;
        log_warn("trace: the next step does not fit; recording ends here");
        rc = record->put(record->put_ctx, end, sizeof(end) - 1);
    } else {
        record->room -= record->len;
        rc = record->put(record->put_ctx, record->text, record->len);
    }

    if (rc) {
        record->stopped = true;
        log_error("trace: cannot write: %s; recording ends here",
                  strerror(-rc));
    }
}

/* --- what the unit is ------------------------------------------------------ */

static void
config_add(struct record *record, const struct vtd_config *config)
{
    record_add(record, "config");
    for (size_t i = 0; i < FIELDS; i++) {
        uint8_t val = ((const uint8_t *)config)[fields[i].off];

        if (val)
            record_add(record, " %s=%x", fields[i].name, val);
    }
    record_add(record, "\n");
}

/* One "name=value" at @text; what follows it, or NULL. */
static const char *
config_item_parse(const char *text, struct vtd_config *config)
{
    size_t len = strcspn(text, "=\n");
    char *end;
    unsigned long val;

    for (size_t i = 0; i < FIELDS; i++) {
        if (strlen(fields[i].name) != len ||
            memcmp(fields[i].name, text, len) != 0 || text[len] != '=')
            continue;
        val = strtoul(text + len + 1, &end, 16);
        if (end == text + len + 1 || val > UINT8_MAX)
            return NULL;
        ((uint8_t *)config)[fields[i].off] = (uint8_t)val;
        return end;
    }

    return NULL;
}

bool
record_config_parse(const char *line, struct vtd_config *config)
{
    static const char word[] = "config";
    const char *text = line;

    *config = (struct vtd_config){ .fault_records = 0 };
    if (strncmp(text, word, sizeof(word) - 1) != 0)
        return false;

    text += sizeof(word) - 1;
    while (text && *text == ' ')
        text = config_item_parse(text + 1, config);
    return text && (*text == '\n' || *text == '\0');
}

const struct vtd_ops *
record_ops(struct record *record, const struct vtd_config *config,
           const struct vtd_ops *inner, void *inner_ctx)
{
    record->inner = inner;
    record->inner_ctx = inner_ctx;
    record_ops_init(record);

    step_begin(record);
    config_add(record, config);
    if (inner->sync)
        record_add(record, " > sinks\n");
    step_end(record);

    return &record->ops;
}

/* --- what is done to the model -------------------------------------------- */

uint64_t
record_mmio_read(struct record *record, struct vtd *vtd, uint32_t off,
                 unsigned size)
{
    uint64_t val;

    if (!record)
        return vtd_mmio_read(vtd, off, size);

    step_begin(record);
    val = vtd_mmio_read(vtd, off, size);
    record_add(record, "r%u %" PRIx32 " %" PRIx64 "\n", size, off, val);
    step_end(record);
    return val;
}

void
record_mmio_write(struct record *record, struct vtd *vtd, uint32_t off,
                  unsigned size, uint64_t val)
{
    if (!record) {
        vtd_mmio_write(vtd, off, size, val);
        return;
    }

    step_begin(record);
    record_add(record, "w%u %" PRIx32 " %" PRIx64 "\n", size, off, val);
    vtd_mmio_write(vtd, off, size, val);
    step_end(record);
}

void
record_run(struct record *record, struct vtd *vtd, unsigned budget)
{
    if (!record) {
        vtd_run(vtd, budget);
        return;
    }

    step_begin(record);
    record_add(record, "run %x\n", budget);
    vtd_run(vtd, budget);
    step_end(record);
}

void
record_ir_event(struct record *record, struct vtd *vtd,
                const struct vtd_ir_event *event)
{
    if (!record) {
        vtd_ir_event(vtd, event);
        return;
    }

    step_begin(record);
    record_add(record, "event %x", (unsigned)event->reason);
    record_add_request(record, event);
    vtd_ir_event(vtd, event);
    step_end(record);
}

/* --- what is done by those who do DMA ------------------------------------- */

enum vtd_fr
record_dma_translate(struct record *record, struct vtd *vtd,
                     const struct vtd_dma_req *req, struct vtd_dma_resp *resp)
{
    struct vtd_dma_resp answer = { .gpa = 0 };
    char pasid[RECORD_PASID_SIZE];
    enum vtd_fr fr;

    if (!record)
        return vtd_dma_translate(vtd, req, resp);

    step_begin(record);
    fr = vtd_dma_translate(vtd, req, resp);
    if (fr == VTD_FR_OK)
        answer = *resp;
    title(record, "translate %x %s %" PRIx64 " %x %x %" PRIx64 " %x %x\n",
          req->sid, record_pasid(pasid, req->pasid), req->iova,
          req->access | (unsigned)req->at << RECORD_DMA_AT_SHIFT |
              (req->privileged ? RECORD_DMA_PRIVILEGED : 0) |
              (req->atomic ? RECORD_DMA_ATOMIC : 0) |
              (req->no_write ? RECORD_DMA_NO_WRITE : 0),
          (unsigned)fr, answer.gpa, answer.shift, answer.access);
    step_end(record);
    return fr;
}

void
record_page_request(struct record *record, struct vtd *vtd,
                    const struct vtd_page_req *req)
{
    char pasid[RECORD_PASID_SIZE];

    if (!record) {
        vtd_page_request(vtd, req);
        return;
    }

    step_begin(record);
    record_add(record, "page %x %s %" PRIx64 " %x %x\n", req->sid,
               record_pasid(pasid, req->pasid), req->addr, req->group,
               req->access | (req->privileged ? RECORD_PAGE_PRIVILEGED : 0) |
                   (req->last ? RECORD_PAGE_LAST : 0) |
                   (req->stop_marker ? RECORD_PAGE_STOP : 0));
    vtd_page_request(vtd, req);
    step_end(record);
}

enum vtd_fr
record_ir_remap(struct record *record, struct vtd *vtd,
                const struct record_msi *message, struct vtd_route *route)
{
    struct vtd_route answer = { .present = false };
    enum vtd_fr fr;

    if (!record)
        return vtd_ir_remap(vtd, message->addr, message->data, message->sid,
                            true, route);

    step_begin(record);
    fr = vtd_ir_remap(vtd, message->addr, message->data, message->sid, true,
                      route);
    if (fr == VTD_FR_OK)
        answer = *route;
    title(record, "remap %x %" PRIx64 " %" PRIx32 " %x %d %x %" PRIx32 "\n",
          message->sid, message->addr, message->data, (unsigned)fr,
          answer.present, answer.vector, answer.dest);
    step_end(record);
    return fr;
}

void
record_forget(struct record *record, struct vtd *vtd)
{
    if (!record) {
        vtd_forget(vtd);
        return;
    }

    step_begin(record);
    record_add(record, "forget\n");
    vtd_forget(vtd);
    step_end(record);
}

void
record_sync_done(struct record *record, struct vtd *vtd, uint64_t token,
                 enum vtd_sync_status status, uint16_t sid)
{
    if (!record) {
        vtd_sync_done(vtd, token, status, sid);
        return;
    }

    step_begin(record);
    record_add(record, "synced %" PRIx64 " %x %x\n", token, (unsigned)status,
               sid);
    vtd_sync_done(vtd, token, status, sid);
    step_end(record);
}
