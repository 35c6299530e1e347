/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/fuzz/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/vtd/spec-regs.h"

struct guest guest;

/* Units that are kept, one for each value of guest_start()'s bits 5:0. */
#define UNITS 64u

/* What was announced to the sinks, and how much of it they have finished. */
static uint64_t announced;
static uint64_t finished;
static bool wait_may_end;

static struct wait {
    uint64_t token;
    uint64_t covers; /* of what was announced */
} waits[WAITS];

void
guest_check(bool holds, const char *file, int line, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
        abort();
    }
}

/* --- memory -------------------------------------------------------------- */

bool
guest_has(uint64_t gpa, size_t len)
{
    return gpa < RAM_SIZE && len <= RAM_SIZE - gpa;
}

uint64_t
guest_quad(uint64_t gpa)
{
    uint64_t val = 0;

    if (guest_has(gpa, 8)) {
        memcpy(&val, &guest.ram[gpa], 8);
    }
    return val;
}

void
guest_quad_set(uint64_t gpa, uint64_t val)
{
    if (guest_has(gpa, 8)) {
        memcpy(&guest.ram[gpa], &val, 8);
    }
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    CHECK(ctx == &guest && len >= 1 && len <= 64);
    guest.reads++;
    if (!guest_has(gpa, len)) {
        return -EFAULT;
    }
    memcpy(buf, &guest.ram[gpa], len);
    return 0;
}

/*
 * The model writes the status of waits, and page requests.  A wait is not
 * over while a sink has something to do that was announced before it: when
 * sinks have acknowledged, one wait may be over that began before something
 * else was announced.
 */
static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    CHECK(ctx == &guest && (len == 4 || len == 32) && gpa % len == 0);
    CHECK(len != 4 || announced == finished || wait_may_end);
    wait_may_end = false;
    guest.writes++;
    if (!guest_has(gpa, len)) {
        return -EFAULT;
    }
    memcpy(&guest.ram[gpa], buf, len);
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    CHECK(ctx == &guest && gpa % 8 == 0);
    guest.exchanges++;
    if (!guest_has(gpa, 8)) {
        return -EFAULT;
    }
    if (guest.races > 0) {
        guest.races--;
        guest_quad_set(gpa, expected ^ UINT64_C(1) << guest.races % 64);
        return 1;
    }
    if (guest_quad(gpa) != expected) {
        return 1;
    }
    guest_quad_set(gpa, desired);
    return 0;
}

/* --- interrupts ---------------------------------------------------------- */

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    (void)data;
    CHECK(ctx == &guest && addr % 4 == 0);
    CHECK(guest.config.eim || addr >> 32 == 0);
    guest.msis++;
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    CHECK(ctx == &guest);
    CHECK(guest.config.ir || !state->enabled);
    guest.state = *state;
    guest.state_told = true;
}

bool
guest_route_stands(uint32_t index)
{
    return guest.routed[index / 64] >> index % 64 & 1;
}

static void
route_remove(uint32_t index)
{
    guest.routed[index / 64] &= ~(UINT64_C(1) << index % 64);
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    CHECK(ctx == &guest && n >= 1 && n <= VTD_ROUTE_BATCH);
    for (unsigned i = 0; i < n; i++) {
        uint32_t index = route[i].index;

        CHECK(index < VTD_IRT_MAX);
        CHECK(route[i].sid_check <= VTD_SID_BUS_RANGE);
        CHECK(route[i].delivery_mode < 8);
        if (route[i].present) {
            guest.routed[index / 64] |= UINT64_C(1) << index % 64;
        } else {
            CHECK(guest_route_stands(index));
            route_remove(index);
        }
        guest.route[index] = route[i];
    }
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    CHECK(ctx == &guest && n >= 1 && first < VTD_IRT_MAX &&
          n <= VTD_IRT_MAX - first);
    for (uint32_t index = first; index < first + n; index++) {
        if (guest.routed[index / 64] == 0) {
            index |= 63;
        } else {
            route_remove(index);
        }
    }
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    CHECK(ctx == &guest && miss->index < VTD_IRT_MAX);
    CHECK(guest_route_stands(miss->index));
    guest.retries++;
}

/* --- sinks of translations ----------------------------------------------- */

static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    CHECK(ctx == &guest);
    CHECK(inv->kind <= VTD_INV_ROOT && inv->scope <= VTD_INV_ONE);
    CHECK(!inv->pages || (inv->shift >= 12 && inv->shift <= 64));
    CHECK(!inv->pages || inv->shift == 64 ||
          (inv->addr & ((UINT64_C(1) << inv->shift) - 1)) == 0);
    CHECK(inv->function_mask < 8);
    CHECK(inv->pasid == VTD_NO_PASID || inv->pasid >> 20 == 0);
    guest.invalidations++;
    announced++;
}

static bool
sync(void *ctx, uint64_t token)
{
    CHECK(ctx == &guest);
    if (!guest.late) {
        finished = announced;
        return true;
    }
    waits[guest.waits++ % WAITS] = (struct wait){ token, announced };
    return false;
}

/*
 * A sink that fails or is too late is cut off, so that it is done with what
 * it was told, too.
 */
void
guest_acknowledge(unsigned which, enum vtd_sync_status status, uint16_t sid)
{
    struct wait wait = waits[(guest.waits - 1 - which) % WAITS];

    if (wait.covers > finished) {
        finished = wait.covers;
    }
    wait_may_end = true;
    vtd_sync_done(guest.vtd, wait.token, status, sid);
    wait_may_end = false;
}

static void
page_response(void *ctx, const struct vtd_page_resp *resp)
{
    CHECK(ctx == &guest && guest.config.prs);
    CHECK(resp->group < 512);
    CHECK(resp->pasid == VTD_NO_PASID || resp->pasid >> 20 == 0);
    guest.responses++;
}

static void
trace(void *ctx, enum vtd_event ev, const uint64_t arg[4])
{
    CHECK(ctx == &guest && ev < VTD_EV_COUNT && arg);
}

/* --- the unit ------------------------------------------------------------ */

static const struct vtd_ops quiet_ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    .msi = msi,
    .ir_state = ir_state,
    .ir_routes = ir_routes,
    .ir_clear = ir_clear,
    .ir_retry = ir_retry,
    .invalidate = invalidate,
    .sync = sync,
    .page_response = page_response,
};

/* Of a twin, whose interrupts and routes nobody is interested in. */
static void
no_msi(void *ctx, uint64_t addr, uint32_t data)
{
    (void)addr;
    (void)data;
    CHECK(ctx == &guest);
}

static void
no_ir_state(void *ctx, const struct vtd_ir_state *state)
{
    CHECK(ctx == &guest && state);
}

static void
no_ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    CHECK(ctx == &guest && route && n >= 1);
}

static void
no_ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    CHECK(ctx == &guest && first < VTD_IRT_MAX && n >= 1);
}

static void
no_ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    CHECK(ctx == &guest && miss);
}

static void
no_page_response(void *ctx, const struct vtd_page_resp *resp)
{
    CHECK(ctx == &guest && resp);
}

static const struct vtd_ops twin_ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    .msi = no_msi,
    .ir_state = no_ir_state,
    .ir_routes = no_ir_routes,
    .ir_clear = no_ir_clear,
    .ir_retry = no_ir_retry,
    .page_response = no_page_response,
};

/* Flips what makes another unit of a preset, if that makes sense. */
static void
vary(struct vtd_config *config, uint8_t bits)
{
    struct vtd_config other = *config;

    if (bits & 0x08) {
        other.eim = !other.eim;
        other.haw = 40;
    }
    if (bits & 0x10) {
        other.esirtps = !other.esirtps;
        other.esrtps = !other.esrtps;
        other.cm = !other.cm;
    }
    if (bits & 0x20) {
        other.fault_records = 1;
    }
    if (!vtd_config_check(&other)) {
        *config = other;
    }
}

/*
 * Units are kept from input to input, because creating one costs more than an
 * input does; a reset must leave nothing behind.
 */
static struct vtd *
reset_unit(struct vtd **vtd, const struct vtd_ops *ops)
{
    if (!*vtd) {
        *vtd = vtd_create(&guest.config, ops, &guest);
        CHECK(*vtd);
    }
    vtd_reset(*vtd);
    return *vtd;
}

void
guest_start(uint8_t bits)
{
    static struct vtd *units[UNITS];
    static struct vtd_ops traced_ops;
    static const struct vtd_config *const presets[] = {
        &vtd_config_ir,
        &vtd_config_legacy,
        &vtd_config_scalable,
        &vtd_config_full,
    };

    guest_operation_begin();
    memset(guest.ram, 0, sizeof(guest.ram));
    guest.config = *presets[bits & 3];
    traced_ops = quiet_ops;
    traced_ops.trace = trace;
    vary(&guest.config, bits);
    guest.races = 0;
    guest.late = false;
    guest.unit = bits % UNITS;
    guest.vtd =
        reset_unit(&units[guest.unit], bits & 4 ? &traced_ops : &quiet_ops);
    memset(guest.routed, 0, sizeof(guest.routed));
    memset(waits, 0, sizeof(waits));
    guest.waits = 0;
    guest.state_told = false;
    finished = announced;
}

struct vtd *
guest_twin(void)
{
    static struct vtd *twins[UNITS];

    return reset_unit(&twins[guest.unit], &twin_ops);
}

void
guest_operation_begin(void)
{
    guest.reads = 0;
    guest.writes = 0;
    guest.exchanges = 0;
    guest.msis = 0;
    guest.retries = 0;
    guest.invalidations = 0;
    guest.responses = 0;
}

/* An interrupt entry that is read costs less than a descriptor. */
#define READS_PER_DESC 18u
#define READS_OF_RANGE 4096u

void
guest_operation_check(unsigned budget)
{
    CHECK(guest.writes <= budget);
    CHECK(guest.invalidations <= budget + 1);
    CHECK(guest.responses <= budget);
    CHECK(guest.reads <= budget * READS_PER_DESC + READS_OF_RANGE);
}

uint32_t
guest_read4(uint32_t off)
{
    return (uint32_t)vtd_mmio_read(guest.vtd, off, 4);
}

uint64_t
guest_read8(uint32_t off)
{
    return vtd_mmio_read(guest.vtd, off, 8);
}

void
guest_write4(uint32_t off, uint64_t val)
{
    vtd_mmio_write(guest.vtd, off, 4, (uint32_t)val);
}

void
guest_write8(uint32_t off, uint64_t val)
{
    vtd_mmio_write(guest.vtd, off, 8, val);
}

/* IP is held only while masked, and only while there is a cause. */
static void
check_event(uint32_t off, bool cause)
{
    uint32_t control = guest_read4(off);

    CHECK(!(control & 0x40000000) || ((control & 0x80000000) && cause));
}

#define REGS_MAX 128u

/* A register that a unit has; asked once, because that takes long. */
struct reg {
    uint64_t fields;
    uint16_t off;
    uint8_t size;
};

static void
list_registers(struct reg regs[REGS_MAX])
{
    CHECK(vtd_reg_count(guest.vtd) < REGS_MAX);
    for (unsigned i = 0; i < vtd_reg_count(guest.vtd); i++) {
        struct vtd_reg_info info;

        vtd_reg_info(guest.vtd, i, &info);
        regs[i] = (struct reg){ .off = info.off, .size = info.size };
        for (unsigned k = 0; k < info.field_count; k++) {
            regs[i].fields |= info.field[k].mask;
        }
    }
}

/* No register shows a bit that is in none of its fields. */
static void
check_fields(void)
{
    static struct reg regs[UNITS][REGS_MAX];
    const struct reg *reg = regs[guest.unit];

    if (reg->size == 0) {
        list_registers(regs[guest.unit]);
    }
    for (; reg->size != 0; reg++) {
        CHECK((vtd_mmio_read(guest.vtd, reg->off, reg->size) & ~reg->fields) ==
              0);
    }
}

static void
check_ir_state(uint32_t gsts)
{
    struct vtd_ir_state state;

    vtd_ir_state_get(guest.vtd, &state);
    CHECK(state.enabled == ((gsts >> 25) & 1));
    CHECK(!state.enabled || state.entries != 0);
    if (guest.state_told) {
        CHECK(state.enabled == guest.state.enabled);
        CHECK(state.block_compat == guest.state.block_compat);
        CHECK(state.entries == guest.state.entries);
    }
}

void
guest_registers_check(void)
{
    uint32_t fsts = guest_read4(VTD_OFF_FSTS);
    uint32_t gsts = guest_read4(VTD_OFF_GSTS);
    bool pending = false;

    for (uint32_t i = 0; i < guest.config.fault_records; i++) {
        pending |= guest_read4(VTD_OFF_FRCD0_HI + 4 + i * 16) >> 31;
    }
    CHECK(!(fsts & 2) == !pending);
    CHECK((fsts >> 8 & 0xff) < guest.config.fault_records);
    check_fields();
    check_event(VTD_OFF_FECTL, fsts & 0xf3);
    check_event(VTD_OFF_IECTL, guest_read4(VTD_OFF_ICS) & 1);
    if (guest.config.prs) {
        check_event(VTD_OFF_PECTL, guest_read4(VTD_OFF_PRS) & 3);
    }
    CHECK((gsts & 0x04000000) || guest_read8(VTD_OFF_IQH) == 0);
    CHECK(guest.config.ir || !(gsts & 0x03800000));
    CHECK(guest.config.sagaw || guest.config.smts || !(gsts >> 31));
    check_ir_state(gsts);
}
