/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/route.h"

#include <string.h>

#include "daemon/vtd/ir.h"

/*
 * Entries that one invalidation reads at most.  Of a wider range only those
 * that were announced are read again; if these are more, the range is
 * withdrawn, and misses bring back the routes that are used.
 */
#define READ_MAX VTD_ROUTE_BATCH

/* Entries looked up in the map that cost as much as one read. */
#define MAP_PER_READ 512u

static bool
is_announced(const struct vtd_routes *routes, uint32_t index)
{
    return routes->map[index / 64] >> index % 64 & 1;
}

void
vtd_route_flush_batch(struct vtd *vtd)
{
    struct vtd_routes *routes = &vtd->routes;
    unsigned n = routes->batch_count;

    routes->batch_count = 0;
    vtd->ops->ir_routes(vtd->ctx, routes->batch, n);
}

static void
push(struct vtd *vtd, const struct vtd_route *route)
{
    struct vtd_routes *routes = &vtd->routes;

    if (routes->batch_count == VTD_ROUTE_BATCH) {
        vtd_route_flush(vtd);
    }
    routes->batch[routes->batch_count++] = *route;
    VTD_TRACE(vtd, ROUTE, route->index, route->dest, route->vector,
              route->present);
}

static void
add(struct vtd *vtd, const uint64_t raw[2], const struct vtd_route *route)
{
    struct vtd_routes *routes = &vtd->routes;
    uint32_t index = route->index;

    if (!is_announced(routes, index)) {
        routes->map[index / 64] |= VTD_BIT(index % 64);
        routes->count++;
    }
    routes->entry[index][0] = vtd_irte_significant(raw[0]);
    routes->entry[index][1] = raw[1];
    vtd->stat[VTD_STAT_ROUTE_SET]++;
    push(vtd, route);
}

static void
forget(struct vtd_routes *routes, uint32_t index)
{
    routes->map[index / 64] &= ~VTD_BIT(index % 64);
    routes->entry[index][0] = 0;
    routes->count--;
}

static void
drop(struct vtd *vtd, uint32_t index)
{
    const struct vtd_route gone = { .index = index };

    if (is_announced(&vtd->routes, index)) {
        forget(&vtd->routes, index);
        vtd->stat[VTD_STAT_ROUTE_CLEAR]++;
        push(vtd, &gone);
    }
}

void
vtd_route_update(struct vtd *vtd, uint64_t index)
{
    struct vtd_route route = { .index = (uint32_t)index };

    if (vtd_irte_decode(&vtd->irt, vtd->irte, &route) == VTD_FR_OK) {
        add(vtd, vtd->irte, &route);
    } else {
        drop(vtd, route.index);
    }
}

/*
 * The ranges below are whole words of the map: a table and a range of it that
 * is wider than READ_MAX are powers of two, and aligned to themselves.
 */
_Static_assert(READ_MAX % 64 == 0, "a wider range is not whole words");

static unsigned
count_announced(const struct vtd_routes *routes, uint32_t first, uint32_t end)
{
    unsigned count = 0;

    for (uint32_t word = first / 64; word * 64 < end; word++) {
        uint64_t bits = routes->map[word];

        for (; bits != 0; bits &= bits - 1) {
            count++;
        }
    }
    return count;
}

/* At most READ_MAX are announced in [first, end). */
static void
sync_announced(struct vtd *vtd, uint32_t first, uint32_t end)
{
    for (uint32_t word = first / 64; word * 64 < end; word++) {
        uint64_t bits = vtd->routes.map[word];

        while (bits != 0) {
            vtd_route_sync(vtd, word * 64 + (uint32_t)__builtin_ctzll(bits));
            bits &= bits - 1;
        }
    }
}

/* Changes go first: one of them might bring back what is withdrawn. */
static void
withdraw_range(struct vtd *vtd, uint32_t first, uint32_t end, unsigned count)
{
    struct vtd_routes *routes = &vtd->routes;

    for (uint32_t word = first / 64; word * 64 < end; word++) {
        uint64_t bits = routes->map[word];

        for (; bits != 0; bits &= bits - 1) {
            forget(routes, word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
    vtd->stat[VTD_STAT_ROUTE_CLEAR] += count;
    vtd_route_flush(vtd);
    vtd->ops->ir_clear(vtd->ctx, first, end - first);
}

unsigned
vtd_route_invalidate(struct vtd *vtd, uint32_t first, uint32_t n)
{
    uint32_t end = first + n;
    unsigned count;

    if (end > vtd->irt.entries) {
        end = vtd->irt.entries;
    }
    if (first >= end) {
        return 0;
    }
    if (end - first <= READ_MAX) {
        for (uint32_t index = first; index < end; index++) {
            vtd_route_sync(vtd, index);
        }
        return end - first;
    }
    if (vtd->routes.count == 0) {
        return 0;
    }
    count = count_announced(&vtd->routes, first, end);
    if (count > READ_MAX) {
        withdraw_range(vtd, first, end, count);
    } else if (count > 0) {
        sync_announced(vtd, first, end);
    }
    return count + (end - first) / MAP_PER_READ;
}

void
vtd_route_announce(struct vtd *vtd, const uint64_t raw[2],
                   const struct vtd_route *route)
{
    add(vtd, raw, route);
    vtd_route_flush(vtd);
}

void
vtd_route_withdraw(struct vtd *vtd, uint32_t index)
{
    if (index < VTD_IRT_MAX) {
        drop(vtd, index);
        vtd_route_flush(vtd);
    }
}

void
vtd_route_clear(struct vtd *vtd)
{
    if (vtd->routes.count != 0) {
        withdraw_range(vtd, 0, VTD_IRT_MAX, vtd->routes.count);
    }
}

void
vtd_route_forget(struct vtd *vtd)
{
    memset(&vtd->routes, 0, sizeof(vtd->routes));
}

void
vtd_route_replay(struct vtd *vtd)
{
    struct vtd_routes *routes = &vtd->routes;
    uint64_t had[VTD_IRT_MAX / 64];

    memcpy(had, routes->map, sizeof(had));
    withdraw_range(vtd, 0, VTD_IRT_MAX, routes->count);
    for (uint32_t word = 0; word < VTD_IRT_MAX / 64; word++) {
        for (uint64_t bits = had[word]; bits != 0; bits &= bits - 1) {
            vtd_route_sync(vtd, word * 64 + (uint32_t)__builtin_ctzll(bits));
        }
    }
    vtd_route_flush(vtd);
}

bool
vtd_route_lookup(const struct vtd *vtd, uint32_t index, struct vtd_route *route)
{
    return index < VTD_IRT_MAX && is_announced(&vtd->routes, index) &&
           vtd_irte_decode(&vtd->irt, vtd->routes.entry[index], route) ==
               VTD_FR_OK;
}
