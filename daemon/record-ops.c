/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recorded unit does: its services, each written down. */
#include "daemon/record-priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* ops->mem_read() and mem_write() move no more at once. */
#define MEM_MAX 64u

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
    record_add(record, " %s %" PRIx64 " %s\n", what, gpa, hex);
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct record *record = ctx;
    int rc = record->inner->mem_read(record->inner_ctx, gpa, buf, len);

    if (rc)
        record_add(record, " <! %" PRIx64 " %zx\n", gpa, len);
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

    record_add(record, " > cmpxchg %" PRIx64 " %" PRIx64 " %" PRIx64 " %s\n",
               gpa, expected, desired,
               rc < 0 ? "fault"
               : rc   ? "lost"
                      : "done");
    return rc;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct record *record = ctx;

    record_add(record, " > msi %" PRIx64 " %" PRIx32 "\n", addr, data);
    record->inner->msi(record->inner_ctx, addr, data);
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    struct record *record = ctx;

    record_add(record, " > state %d %d %" PRIx32 "\n", state->enabled,
               state->block_compat, state->entries);
    record->inner->ir_state(record->inner_ctx, state);
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct record *record = ctx;

    for (unsigned i = 0; i < n; i++) {
        const struct vtd_route *r = &route[i];

        record_add(record,
                   " > route %" PRIx32 " %d %x %" PRIx32 " %x %x %x%s%s%s\n",
                   r->index, r->present, r->vector, r->dest, r->sid,
                   r->sid_check, r->delivery_mode, r->logical ? " logical" : "",
                   r->level ? " level" : "", r->fpd ? " fpd" : "");
    }
    record->inner->ir_routes(record->inner_ctx, route, n);
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    struct record *record = ctx;

    record_add(record, " > clear %" PRIx32 " %" PRIx32 "\n", first, n);
    record->inner->ir_clear(record->inner_ctx, first, n);
}

void
record_add_request(struct record *record, const struct vtd_ir_event *event)
{
    record_add(record, " %" PRIx32, event->index);
    if (event->sid_valid)
        record_add(record, " %x", event->sid);
    else
        record_add(record, " -");
    record_add(record, " %" PRIx64 "%s\n", event->cookie,
               event->lost ? " lost" : "");
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    struct record *record = ctx;

    record_add(record, " > retry");
    record_add_request(record, miss);
    record->inner->ir_retry(record->inner_ctx, miss);
}

const char *
record_pasid(char buf[RECORD_PASID_SIZE], uint32_t pasid)
{
    if (pasid == VTD_NO_PASID)
        return "-";
    (void)snprintf(buf, RECORD_PASID_SIZE, "%" PRIx32, pasid);
    return buf;
}

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    struct record *record = ctx;
    char pasid[RECORD_PASID_SIZE];

    record_add(record,
               " > invalidate %x %x %x %x %s %" PRIx64 " %x%s%s fm=%x\n",
               (unsigned)inv->kind, (unsigned)inv->scope, inv->did, inv->sid,
               record_pasid(pasid, inv->pasid), inv->addr, inv->shift,
               inv->pages ? " pages" : "", inv->leaf_only ? " leaf" : "",
               inv->function_mask);
    record->inner->invalidate(record->inner_ctx, inv);
}

static bool
sync_sinks(void *ctx, uint64_t token)
{
    struct record *record = ctx;
    bool done = record->inner->sync(record->inner_ctx, token);

    record_add(record, " > sync %" PRIx64 " %s\n", token,
               done ? "now" : "later");
    return done;
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    struct record *record = ctx;
    char pasid[RECORD_PASID_SIZE];

    record_add(record, " > response %x %s %x %x\n", resp->sid,
               record_pasid(pasid, resp->pasid), resp->group, resp->code);
    record->inner->page_response(record->inner_ctx, resp);
}

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    const struct record *record = ctx;

    record->inner->trace(record->inner_ctx, ev, arg);
}

void
record_ops_init(struct record *record)
{
    const struct vtd_ops *inner = record->inner;

    record->ops = (struct vtd_ops){
        .mem_read = mem_read,
        .mem_write = mem_write,
        .mem_cmpxchg = mem_cmpxchg,
        .msi = msi,
        .ir_state = ir_state,
        .ir_routes = ir_routes,
        .ir_clear = ir_clear,
        .ir_retry = ir_retry,
        .invalidate = inner->invalidate ? invalidate : NULL,
        .sync = inner->sync ? sync_sinks : NULL,
        .page_response = inner->page_response ? page_response : NULL,
        .trace = inner->trace ? trace : NULL,
    };
}
