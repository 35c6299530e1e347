/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/guest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct guest guest;
uint64_t random_seed;

/* xorshift64*, which is enough to choose with. */
uint64_t
random64(void)
{
    random_seed ^= random_seed >> 12;
    random_seed ^= random_seed << 25;
    random_seed ^= random_seed >> 27;
    return random_seed * UINT64_C(0x2545f4914f6cdd1d);
}

unsigned
random_below(unsigned n)
{
    return (unsigned)((random64() >> 32) * n >> 32);
}

bool
random_one_in(unsigned n)
{
    return random_below(n) == 0;
}

void
fail(const char *format, ...)
{
    va_list args;

    (void)fflush(stdout);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

/* --- what the unit reaches the world through ----------------------------- */

/* Where @len bytes at @gpa are; NULL if the guest has no memory there. */
static uint8_t *
find(uint64_t gpa, size_t len)
{
    if (gpa < RAM_SIZE && len <= RAM_SIZE - gpa) {
        return guest.ram + gpa;
    }
    if (gpa - AT_STATUS < IO_SIZE && len <= IO_SIZE - (gpa - AT_STATUS)) {
        return guest.io + (gpa - AT_STATUS);
    }
    return NULL;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const uint8_t *from;

    (void)ctx;
    if (len < 1 || len > 64) {
        fail("a read of %zu bytes", len);
    }
    from = find(gpa, len);
    if (!from) {
        return -EFAULT;
    }
    memcpy(buf, from, len);
    return 0;
}

/* Nothing but a status is ever stored. */
static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    (void)ctx;
    if (gpa - AT_STATUS >= PAGE || len != 4) {
        fail("%zu bytes were written at %#lx", len, (unsigned long)gpa);
    }
    memcpy(find(gpa, len), buf, len);
    return 0;
}

/*
 * A wrong pointer makes a table of any page: then a bit that says "accessed"
 * to one structure is a change of another, and a moment begins with it.
 */
static bool
is_change(uint64_t gpa, uint64_t bits)
{
    return gpa < (bits & 0x300 ? AT_SECOND : AT_FIRST) * PAGE;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    uint8_t *at = find(gpa, 8);
    uint64_t old;

    (void)ctx;
    if (gpa % 8 != 0) {
        fail("compare-exchange at %#lx", (unsigned long)gpa);
    }
    if (!at) {
        return -EFAULT;
    }
    memcpy(&old, at, 8);
    if (old != expected) {
        return 1;
    }
    if ((old & desired) != old) {
        fail("compare-exchange at %#lx clears bits: %#lx to %#lx",
             (unsigned long)gpa, (unsigned long)old, (unsigned long)desired);
    }
    if (is_change(gpa, old ^ desired) && !guest.odd) {
        guest.odd = true;
        guest_change();
    }
    memcpy(at, &desired, 8);
    if (guest.marks < sizeof(guest.mark) / sizeof(guest.mark[0])) {
        guest.mark[guest.marks++] = (struct ora_mark){ gpa, old ^ desired };
    }
    return 0;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    (void)ctx;
    (void)addr;
    (void)data;
    guest.msis++;
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    (void)ctx;
    (void)state;
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    (void)ctx;
    for (unsigned i = 0; i < n; i++) {
        if (route[i].index >= 256) {
            fail("a route for entry %u of 256", route[i].index);
        }
        guest.route[route[i].index] = route[i];
        guest.routed[route[i].index] = route[i].present;
    }
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    (void)ctx;
    for (uint32_t i = first; i < first + n && i < 256; i++) {
        guest.routed[i] = false;
    }
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    (void)ctx;
    if (!guest.routed[miss->index & 255]) {
        fail("an interrupt is to be tried again, but has no route");
    }
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    (void)ctx;
    (void)resp;
}

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    (void)ctx;
    (void)inv;
    guest.told++;
    guest.unasked = true;
}

/* At once or later; until then nobody may say that it is done. */
static bool
sync_sinks(void *ctx, uint64_t token)
{
    (void)ctx;
    if (guest.owed) {
        fail("a sync begins before another one's end");
    }
    guest.unasked = false;
    if (random_one_in(2)) {
        return true;
    }
    guest.owed = token;
    return false;
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
    .page_response = page_response,
};

/* The same with sinks. */
static struct vtd_ops
ops_with_sinks(void)
{
    struct vtd_ops all = ops;

    all.invalidate = invalidate;
    all.sync = sync_sinks;
    return all;
}

/* --- the history --------------------------------------------------------- */

static struct moment *
last(void)
{
    return &guest.moment[guest.moments - 1];
}

const struct ora_world *
guest_now(void)
{
    return &last()->world;
}

bool
guest_is_full(void)
{
    return guest.moments >= MOMENTS - 1;
}

void
guest_forget(void)
{
    struct ora_world world = last()->world;

    guest.moments = 1;
    guest.moment[0] = (struct moment){ .world = world };
}

static void
begin_moment(const struct inv *inv)
{
    struct moment *past = last();
    uint8_t *copy = guest.past + (guest.moments - 1) * RAM_SIZE;

    if (guest.moments == MOMENTS) {
        fail("the history is too short");
    }
    past[1] = (struct moment){ .inv = *inv, .world = past->world };
    memcpy(copy, guest.ram, RAM_SIZE);
    past->world.ram = copy;
    guest.moments++;
}

void
guest_change(void)
{
    static const struct inv none;

    begin_moment(&none);
}

void
guest_invalidated(const struct inv *inv)
{
    begin_moment(inv);
}

uint64_t
guest_read(uint64_t gpa)
{
    const uint8_t *from = find(gpa, 8);
    uint64_t val = 0;

    if (from) {
        memcpy(&val, from, 8);
    }
    return val;
}

void
guest_write(uint64_t gpa, uint64_t val)
{
    uint8_t *at = find(gpa, 8);

    if (at) {
        memcpy(at, &val, 8);
    }
}

static void
report(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    (void)owner;
    (void)req;
    if (guest.reported != VTD_FR_OK || fr == VTD_FR_OK) {
        fail("reason %#x is reported after %#x", fr, guest.reported);
    }
    guest.reported = fr;
}

/* Zero, and aligned as types are that begin a cache line, or several. */
static void *
allocate(size_t align, size_t size)
{
    void *block = aligned_alloc(align, size);

    if (!block) {
        fail("no memory");
    }
    return memset(block, 0, size);
}

void
guest_begin(const struct vtd_config *config, bool sinks)
{
    static struct vtd_ops used;
    const char *why = vtd_config_check(config);

    if (why) {
        fail("the configuration is refused: %s", why);
    }
    guest = (struct guest){ .config = *config, .sinks = sinks };
    used = sinks ? ops_with_sinks() : ops;
    guest.ram = allocate(PAGE, RAM_SIZE);
    guest.past = allocate(PAGE, MOMENTS * RAM_SIZE);
    guest.view = allocate(_Alignof(struct vtd_view), sizeof(struct vtd_view));
    guest.client = allocate(_Alignof(struct vtd_dma), sizeof(struct vtd_dma));
    guest.vtd = vtd_create_view(&guest.config, &used, &guest, guest.view);
    if (!guest.vtd) {
        fail("no unit");
    }
    vtd_dma_init(guest.client, guest.view, &used, &guest);
    guest.client->faulted = report;
    guest.moments = 1;
    guest.moment[0].world = (struct ora_world){
        .config = &guest.config,
        .switches = &guest.switches,
        .ram = guest.ram,
        .ram_size = RAM_SIZE,
    };
}

void
guest_end(void)
{
    vtd_destroy(guest.vtd);
    free(guest.client);
    free(guest.view);
    free(guest.ram);
    free(guest.past);
}
