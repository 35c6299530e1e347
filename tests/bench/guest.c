/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/bench/guest.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/vtd/priv.h"

/* Structures of DMA remapping; TABLES and STAGE2 have five pages each. */
#define ROOT      0x20000u
#define CONTEXT   0x21000u
#define PASID_DIR 0x22000u
#define PASIDS    0x23000u
#define TABLES    0x24000u
#define STAGE2    0x30000u
#define PAGE      0x3000u

/* R and W of the second stage; P, RW, US, A and D of the first. */
#define SECOND_RW 0x3u
#define FIRST_RW  0x67u
#define PS        0x80u

/* Two or four descriptors, at once. */
static __attribute__((noinline)) int
mem_read_more(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct guest *guest = ctx;
    const uint8_t *from = &guest->ram[gpa];

    if (len == 32) {
        memcpy(buf, from, 32);
    } else if (len == 64) {
        memcpy(buf, from, 64);
    } else {
        memcpy(buf, from, len);
    }
    return 0;
}

/* As cheap as can be: the model reads entries and writes status words. */
static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const struct guest *guest = ctx;

    if (gpa > RAM_SIZE - 64) {
        return -1;
    }
    if (len == 8) {
        memcpy(buf, &guest->ram[gpa], 8);
    } else if (len == 16) {
        memcpy(buf, &guest->ram[gpa], 16);
    } else {
        return mem_read_more(ctx, gpa, buf, len);
    }
    return 0;
}

static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct guest *guest = ctx;

    if (len != 4 || gpa > RAM_SIZE - 4) {
        return -1;
    }
    memcpy(&guest->ram[gpa], buf, 4);
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    struct guest *guest = ctx;
    uint64_t now;

    if (gpa > RAM_SIZE - 8) {
        return -1;
    }
    memcpy(&now, &guest->ram[gpa], sizeof(now));
    if (now != expected) {
        return 1;
    }
    memcpy(&guest->ram[gpa], &desired, sizeof(desired));
    return 0;
}

static void
msi(void *ctx, uint64_t addr, uint32_t data)
{
    struct guest *guest = ctx;

    guest->sink += addr + data;
}

static void
ir_state(void *ctx, const struct vtd_ir_state *state)
{
    struct guest *guest = ctx;

    guest->sink += state->entries;
}

static void
ir_routes(void *ctx, const struct vtd_route *route, unsigned n)
{
    struct guest *guest = ctx;

    guest->sink += route->index + n;
}

static void
ir_clear(void *ctx, uint32_t first, uint32_t n)
{
    struct guest *guest = ctx;

    guest->sink += first + n;
}

static void
ir_retry(void *ctx, const struct vtd_ir_event *miss)
{
    struct guest *guest = ctx;

    guest->sink += miss->index;
}

/* A sink whose clients are idle. */
static void
invalidate(void *ctx, const struct vtd_inv *inv)
{
    struct guest *guest = ctx;

    guest->sink += inv->addr;
}

static bool
sync_sinks(void *ctx, uint64_t token)
{
    struct guest *guest = ctx;

    guest->sink += token;
    return true;
}

/* Without sinks, and with one. */
#define OPS                                                                   \
    .mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg, \
    .msi = msi, .ir_state = ir_state, .ir_routes = ir_routes,                 \
    .ir_clear = ir_clear, .ir_retry = ir_retry

static const struct vtd_ops ops[] = {
    { OPS },
    { OPS, .invalidate = invalidate, .sync = sync_sinks },
};

void
poke(struct guest *guest, uint64_t gpa, uint64_t val)
{
    memcpy(&guest->ram[gpa], &val, sizeof(val));
}

/* Entries [first, end) of the table at @gpa are all @val. */
static void
fill(struct guest *guest, uint64_t gpa, unsigned first, unsigned end,
     uint64_t val)
{
    for (unsigned i = first; i < end; i++) {
        poke(guest, gpa + i * 8, val);
    }
}

/*
 * Four levels from @gpa on, one table each: all entries of a table are the
 * same, so that they serve every address.  The upper half ends with 2 MiB
 * pages.
 */
static void
build_tables(struct guest *guest, uint64_t gpa, uint64_t bits)
{
    fill(guest, gpa, 0, 128, (gpa + 0x1000) | bits);
    fill(guest, gpa, 128, 256, (gpa + 0x4000) | bits);
    fill(guest, gpa + 0x1000, 0, 512, (gpa + 0x2000) | bits);
    fill(guest, gpa + 0x2000, 0, 512, (gpa + 0x3000) | bits);
    fill(guest, gpa + 0x3000, 0, 512, PAGE | bits);
    fill(guest, gpa + 0x4000, 0, 512, (gpa + 0x5000) | bits);
    fill(guest, gpa + 0x5000, 0, 512, PS | bits);
}

/* Each page of RAM is where it is: pages of 4 KiB, four levels. */
static void
build_identity(struct guest *guest)
{
    fill(guest, STAGE2, 0, 1, (STAGE2 + 0x1000) | SECOND_RW);
    fill(guest, STAGE2 + 0x1000, 0, 1, (STAGE2 + 0x2000) | SECOND_RW);
    fill(guest, STAGE2 + 0x2000, 0, 1, (STAGE2 + 0x3000) | SECOND_RW);
    for (unsigned i = 0; i < 512; i++) {
        poke(guest, STAGE2 + 0x3000 + i * 8, i << 12 | SECOND_RW);
    }
}

/* AW of 48 bits is 2 in both kinds of entries. */
static void
build_legacy(struct guest *guest)
{
    poke(guest, CONTEXT + (SID & 0xff) * 16, TABLES | 1);
    poke(guest, CONTEXT + (SID & 0xff) * 16 + 8, DID << 8 | 2);
}

static void
build_scalable(struct guest *guest, enum mode mode)
{
    static const uint64_t pgtt[] = {
        [MODE_SM_SECOND] = 0x80, [MODE_FIRST] = 0x40, [MODE_NESTED] = 0xc0
    };
    uint64_t second = mode == MODE_NESTED ? STAGE2 : TABLES;

    poke(guest, CONTEXT + (SID & 0xff) * 32, PASID_DIR | 1);
    poke(guest, PASID_DIR, PASIDS | 1);
    poke(guest, PASIDS, second | 2 << 2 | pgtt[mode] | 1);
    poke(guest, PASIDS + 8, DID);
    poke(guest, PASIDS + 16, mode == MODE_SM_SECOND ? 0 : TABLES);
}

static void
enable_dma(struct guest *guest, enum mode mode)
{
    bool has_first = mode == MODE_FIRST || mode == MODE_NESTED;

    build_tables(guest, TABLES, has_first ? FIRST_RW : SECOND_RW);
    poke(guest, ROOT, CONTEXT | 1);
    if (mode == MODE_SECOND) {
        build_legacy(guest);
    } else {
        build_identity(guest);
        build_scalable(guest, mode);
    }
    vtd_mmio_write(guest->vtd, VTD_OFF_RTADDR, 8,
                   ROOT | (mode == MODE_SECOND ? 0 : 0x400));
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x46000000);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x86000000);
}

void
doorbell(struct guest *guest, unsigned n)
{
    guest->tail = (guest->tail + n) % QUEUE_ENTRIES;
    vtd_mmio_write(guest->vtd, VTD_OFF_IQT, 8, guest->tail * 16);
}

static void
enable_ir(struct guest *guest)
{
    poke(guest, IRT + 0x123 * 16, UINT64_C(0x000000010041000d));
    poke(guest, IRT + 0x123 * 16 + 8, 0x40018);
    poke(guest, IRT + 0x124 * 16, UINT64_C(0x000000010042000d));
    poke(guest, IRT + 0x124 * 16 + 8, 0x40018);
    vtd_mmio_write(guest->vtd, VTD_OFF_IRTA, 8, IRT | 0x80f);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x01000000);
    vtd_mmio_write(guest->vtd, VTD_OFF_IQA, 8, QUEUE);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, 0x06000000);
    /* The entry is announced, so that its invalidation finds no change. */
    poke(guest, QUEUE, IEC_0X123);
    doorbell(guest, 1);
}

struct guest *
guest_create(enum mode mode, bool sink)
{
    struct guest *guest = calloc(1, sizeof(*guest));
    struct vtd_config config = vtd_config_scalable;

    if (!guest) {
        return NULL;
    }
    guest->vtd = vtd_create(&config, &ops[sink], guest);
    if (!guest->vtd) {
        free(guest);
        return NULL;
    }
    enable_ir(guest);
    enable_dma(guest, mode);
    return guest;
}

void
guest_destroy(struct guest *guest)
{
    vtd_destroy(guest->vtd);
    free(guest);
}

/*
 * Operations that mean to hit walk for the first use of each page alone, of
 * which no case has more than 1024.
 */
bool
guest_healthy(struct guest *guest)
{
    uint64_t walks = vtd_stat_value(guest->vtd, VTD_STAT_DMA_WALK);

    return vtd_mmio_read(guest->vtd, VTD_OFF_FSTS, 4) == 0 &&
           vtd_mmio_read(guest->vtd, VTD_OFF_IQH, 8) == guest->tail * 16 &&
           vtd_mmio_read(guest->vtd, VTD_OFF_GSTS, 4) == 0xc7000000 &&
           vtd_stat_value(guest->vtd, VTD_STAT_ROUTE_SET) == 1 &&
           guest->faults == 0 && walks >= guest->misses &&
           walks - guest->misses <= 1024;
}

size_t
guest_unit_size(void)
{
    return sizeof(struct vtd) + sizeof(struct vtd_view);
}
