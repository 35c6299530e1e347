/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/record.h"

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

/* ops->mem_read() and mem_write() move no more at once. */
#define MEM_MAX 64u

struct record {
    record_put *put;
    void *put_ctx;
    int fd; /* record_open()'s file, or -1 */
    const struct vtd_ops *inner;
    void *inner_ctx;
    struct vtd_ops ops;

    size_t room;   /* bytes that the trace may still grow by */
    bool stopped;  /* it grows no more */
    bool stepping; /* an input is under way */
    bool overrun;  /* its step does not fit */
    size_t len;    /* of the step so far */
    char text[RECORD_STEP];
};

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

static void __attribute__((format(printf, 2, 3)))
add(struct record *record, const char *fmt, ...)
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

/* " < 12345000 0102..." */
static void
add_bytes(struct record *record, const char *what, uint64_t gpa,
          const void *buf, size_t len)
{
    char hex[2 * MEM_MAX + 1];
    const uint8_t *byte = buf;

    if (!record->stepping)
        return;

    assert(len <= MEM_MAX);
    for (size_t i = 0; i < len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", byte[i]);
    add(record, " %s %" PRIx64 " %s\n", what, gpa, hex);
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

/* --- what the model does -------------------------------------------------- */

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct record *record = ctx;
    int rc = record->inner->mem_read(record->inner_ctx, gpa, buf, len);

    if (rc)
        add(record, " <! %" PRIx64 " %zx\n", gpa, len);
    else
        add_bytes(record, "<", gpa, buf, len);
    return rc;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct record *record = ctx;
    int rc = record->inner->mem_write(record->inner_ctx, gpa, buf, len);

    add_bytes(record, rc ? ">!" : ">", gpa, buf, len);
    return rc;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct record *record = ctx;
    int rc =
        record->inner->mem_cmpxchg(record->inner_ctx, gpa, expected, desired);

    add(record, " > cmpxchg %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n", gpa,
        expected, desired,
        rc < 0 ? "fault"
        : rc   ? "lost"
               : "done");
    return rc;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct record *record = ctx;

    add(record, " > msi %" PRIx64 " %" PRIx32 "\n", addr, data);
    record->inner->msi(record->inner_ctx, addr, data);
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    struct record *record = ctx;

    add(record, " > state %d %d %" PRIx32 "\n", state->enabled,
        state->block_compat, state->entries);
    record->inner->ir_state(record->inner_ctx, state);
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct record *record = ctx;

    for (unsigned i = 0; i < n; i++) {
        const struct vtd_route *r = &route[i];

        add(record, " > route %" PRIx32 " %d %x %" PRIx32 " %x %x %x%s%s%s\n",
            r->index, r->present, r->vector, r->dest, r->sid, r->sid_check,
            r->delivery_mode, r->logical ? " logical" : "",
            r->level ? " level" : "", r->fpd ? " fpd" : "");
    }
    record->inner->ir_routes(record->inner_ctx, route, n);
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    struct record *record = ctx;

    add(record, " > clear %" PRIx32 " %" PRIx32 "\n", first, n);
    record->inner->ir_clear(record->inner_ctx, first, n);
}

/* " INDEX SID|- COOKIE": what is common to an event and a retry. */
static void
add_request(struct record *record, const struct vtd_ir_event *event)
{
    add(record, " %" PRIx32, event->index);
    if (event->sid_valid)
        add(record, " %x", event->sid);
    else
        add(record, " -");
    add(record, " %" PRIx64 "%s\n", event->cookie, event->lost ? " lost" : "");
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    struct record *record = ctx;

    add(record, " > retry");
    add_request(record, miss);
    record->inner->ir_retry(record->inner_ctx, miss);
}

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    const struct record *record = ctx;

    record->inner->trace(record->inner_ctx, ev, arg);
}

static void
config_add(struct record *record, const struct vtd_config *config)
{
    add(record, "config");
    for (size_t i = 0; i < FIELDS; i++) {
        uint8_t val = ((const uint8_t *)config)[fields[i].off];

        if (val)
            add(record, " %s=%x", fields[i].name, val);
    }
    add(record, "\n");
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
    assert(!inner->invalidate && !inner->sync && !inner->page_response);

    record->inner = inner;
    record->inner_ctx = inner_ctx;
    record->ops = (struct vtd_ops){
        .mem_read = mem_read,
        .mem_write = mem_write,
        .mem_cmpxchg = mem_cmpxchg,
        .msi = msi,
        .ir_state = ir_state,
        .ir_routes = ir_routes,
        .ir_clear = ir_clear,
        .ir_retry = ir_retry,
        .trace = inner->trace ? trace : NULL,
    };

    step_begin(record);
    config_add(record, config);
    step_end(record);

    return &record->ops;
}

/* --- what is done to the model -------------------------------------------- */

uint64_t
record_mmio_read(struct record *record, struct vtd *vtd, uint32_t off,
                 unsigned size)
{
    uint64_t val;

    step_begin(record);
    val = vtd_mmio_read(vtd, off, size);
    add(record, "r%u %" PRIx32 " %" PRIx64 "\n", size, off, val);
    step_end(record);
    return val;
}

void
record_mmio_write(struct record *record, struct vtd *vtd, uint32_t off,
                  unsigned size, uint64_t val)
{
    step_begin(record);
    add(record, "w%u %" PRIx32 " %" PRIx64 "\n", size, off, val);
    vtd_mmio_write(vtd, off, size, val);
    step_end(record);
}

void
record_run(struct record *record, struct vtd *vtd, unsigned budget)
{
    step_begin(record);
    add(record, "run %x\n", budget);
    vtd_run(vtd, budget);
    step_end(record);
}

void
record_ir_event(struct record *record, struct vtd *vtd,
                const struct vtd_ir_event *event)
{
    step_begin(record);
    add(record, "event %x", (unsigned)event->reason);
    add_request(record, event);
    vtd_ir_event(vtd, event);
    step_end(record);
}
