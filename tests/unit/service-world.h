/* SPDX-License-Identifier: GPL-2.0-only */
/* A service with models behind it, and no Xen: sinks, units and their memory. */
#ifndef TESTS_UNIT_SERVICE_WORLD_H
#define TESTS_UNIT_SERVICE_WORLD_H

#include "tests/unit/service-rig.h"

#include "daemon/sinks.h"
#include "daemon/vtd/view.h"
#include "tests/support/silent.h"

#define SID     0x0028u /* 00:05.0 */
#define SID_UID 0x0030u /* 00:06.0, a user's */
#define REST    0x0038u
#define SPEC    "type=intel_vtd,dma=%s,drain_ms=60,devices=00:05.0;00:06.0@4242"

#define RAM   0x10000u
#define QUEUE 0x2000u
#define DONE  0x3000u

#define GCMD   0x18u
#define FSTS   0x34u
#define IQT    0x88u
#define IQA    0x90u
#define RTADDR 0x20u
#define ITE    0x40u

/* What is deliver()ed last; how often in all. */
struct world {
    struct rig rig; /* first: peers want one */
    struct sinks sinks;
    struct viommu_configs configs;
    struct unit unit[CONFIG_UNITS_MAX];
    uint8_t ram[RAM];
    unsigned delivered;
    struct vtd_route route;
    uint64_t tail;
};

/* --- guest memory, and nobody who wants to know of interrupts --------------- */

static inline int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct world *world = ctx;

    if (gpa > RAM - len)
        return -EFAULT;
    memcpy(buf, &world->ram[gpa], len);
    return 0;
}

static inline int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    struct world *world = ctx;

    if (gpa > RAM - len)
        return -EFAULT;
    memcpy(&world->ram[gpa], buf, len);
    return 0;
}

static inline int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    (void)ctx;
    (void)gpa;
    (void)expected;
    (void)desired;
    return -EFAULT;
}

static inline void
op_invalidate(void *ctx, const struct vtd_inv *inv)
{
    struct world *world = ctx;

    sinks_invalidate(&world->sinks, 0, inv);
}

static inline bool
op_sync(void *ctx, uint64_t token)
{
    struct world *world = ctx;

    return sinks_sync(&world->sinks, 0, token);
}

static inline void
op_page_response(void *ctx, const struct vtd_page_resp *resp)
{
    struct world *world = ctx;

    sinks_page_response(&world->sinks, 0, resp);
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    SILENT_OPS,
    .invalidate = op_invalidate,
    .sync = op_sync,
    .page_response = op_page_response,
};

static inline void
deliver(void *ctx, const struct vtd_route *route)
{
    struct world *world = ctx;

    world->delivered++;
    world->route = *route;
}

/* --- a daemon without Xen --------------------------------------------------- */

static inline void
units_create(struct world *world)
{
    for (unsigned i = 0; i < world->configs.count; i++) {
        struct unit *unit = &world->unit[i];
        struct vtd_config config;

        unit_config(&unit->config, &config);
        unit->view = sinks_view(&world->sinks, i);
        unit->vtd = vtd_create_view(&config, &ops, world, unit->view);
        assert_non_null(unit->vtd);
    }
}

static inline struct world *
world_create(const char *dma)
{
    struct world *world = calloc(1, sizeof(*world));
    struct rig *rig = &world->rig;
    char spec[128];
    char err[256];

    log_open(LOG_LEVEL_ERROR, 0);
    (void)snprintf(spec, sizeof(spec), SPEC, dma);
    if (configs_parse(spec, &world->configs, err, sizeof(err)))
        fail_msg("%s", err);
    for (unsigned i = 0; i < world->configs.count; i++)
        world->unit[i] =
            (struct unit){ .index = i, .config = world->configs.unit[i] };

    (void)snprintf(rig->path, sizeof(rig->path), "/tmp/viommud-sinks-%d",
                   (int)getpid());
    rig->view_size = sizeof(struct vtd_view);
    rig->loop = loop_create();
    world->sinks = (struct sinks){ .unit = world->unit,
                                   .unit_count = world->configs.count,
                                   .deliver = deliver,
                                   .deliver_ctx = world };
    assert_int_equal(sinks_open(&world->sinks, rig->loop, rig->path, RIG_DOMID),
                     0);
    rig->service = world->sinks.service;
    units_create(world);
    return world;
}

static inline void
world_destroy(struct world *world)
{
    for (unsigned i = 0; i < world->configs.count; i++)
        vtd_destroy(world->unit[i].vtd);
    sinks_close(&world->sinks);
    loop_destroy(world->rig.loop);
    free(world);
}

static inline struct peer
attached(struct world *world, uint32_t flags)
{
    struct peer peer = peer_open(&world->rig, false);

    assert_int_equal(peer_attach(&world->rig, &peer, SID, flags), 0);
    return peer;
}

static inline void
w4(struct world *world, uint32_t off, uint64_t val)
{
    vtd_mmio_write(world->unit[0].vtd, off, 4, val);
}

static inline void
w8(struct world *world, uint32_t off, uint64_t val)
{
    vtd_mmio_write(world->unit[0].vtd, off, 8, val);
}

static inline uint32_t
done(const struct world *world)
{
    uint32_t val;

    memcpy(&val, &world->ram[DONE], sizeof(val));
    return val;
}

static inline void
submit(struct world *world, uint64_t lo, uint64_t hi)
{
    memcpy(&world->ram[QUEUE + world->tail * 16], &lo, 8);
    memcpy(&world->ram[QUEUE + world->tail * 16 + 8], &hi, 8);
    world->tail++;
}

/* An invalidation, and a wait that writes @status when it is complete. */
static inline void
invalidate_and_wait(struct world *world, uint64_t lo, uint64_t hi,
                    uint32_t status)
{
    submit(world, lo, hi);
    submit(world, (uint64_t)status << 32 | 0x25, DONE);
    w8(world, IQT, world->tail << 4);
}

static inline void
queue_enable(struct world *world)
{
    w8(world, IQA, QUEUE);
    w4(world, GCMD, 1u << 26);
}

#endif
