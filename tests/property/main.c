/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vtd-property: random operations on a unit, each answer compared with a
 * second opinion.
 *
 *   SEED=n         where to begin; by default the time
 *   OPERATIONS=n   how many, over all units; by default a million
 *
 * After an invalidation that covers an access, what the model says must be
 * what the oracle says, exactly: translation or reason, page, permissions, the
 * fault record, accessed and dirty bits.  Until then it must be what the
 * oracle would have said if each structure was as at some moment since it was
 * invalidated last.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/property/access.h"
#include "tests/property/command.h"
#include "tests/property/interrupt.h"
#include "tests/property/structures.h"

/* Requests that come again and again, so that caches have something to say. */
#define HOT 12u

static struct vtd_dma_req hot[HOT];

static const struct variant {
    const char *name;
    const struct vtd_config *base;
    void (*adjust)(struct vtd_config *config);
    bool sinks;
} variants[];

static void
narrow(struct vtd_config *config)
{
    config->sagaw = VTD_SAGAW_39;
    config->mgaw = 39;
    config->haw = 39;
    config->ss1g = false;
    config->sc = false;
    config->pt = false;
    config->esrtps = false;
    config->zlr = false;
    config->plmr = true;
    config->phmr = true;
    config->fault_records = 1;
}

static void
caching_mode(struct vtd_config *config)
{
    config->cm = true;
    config->dt = true;
    config->haw = 46;
}

static void
first_only(struct vtd_config *config)
{
    config->ssts = false;
    config->nest = false;
    config->ssads = false;
    config->fs1gp = false;
    config->esrtps = false;
}

static void
second_only(struct vtd_config *config)
{
    config->fsts = false;
    config->nest = false;
    config->fs1gp = false;
    config->sc = false;
    config->ss2m = true;
    config->pasid_bits = 0;
    config->haw = 42;
}

static const struct variant variants[] = {
    { "legacy", &vtd_config_legacy, NULL, false },
    { "legacy, narrow", &vtd_config_legacy, narrow, false },
    { "legacy, caching mode", &vtd_config_legacy, caching_mode, true },
    { "scalable", &vtd_config_scalable, NULL, true },
    { "scalable, first stage alone", &vtd_config_scalable, first_only, false },
    { "scalable, second stage alone", &vtd_config_scalable, second_only, true },
    { "full", &vtd_config_full, NULL, false },
};

#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* --- operations ---------------------------------------------------------- */

static struct vtd_dma_req *
pick_hot(void)
{
    struct vtd_dma_req *req = &hot[random_below(HOT)];

    if (random_one_in(32)) {
        structures_request(req);
    }
    return req;
}

/* One of those, in this way or another. */
static void
operation_access(void)
{
    struct vtd_dma_req req = *pick_hot();

    if (random_one_in(2)) {
        struct vtd_dma_req other;

        structures_request(&other);
        if (other.pasid == req.pasid || !(other.access & VTD_DMA_EXEC)) {
            req.access = other.access;
            req.atomic = other.atomic;
            req.at = other.at;
            req.no_write = other.no_write;
        }
    }
    if (req.pasid == VTD_NO_PASID) {
        req.access &= VTD_DMA_READ | VTD_DMA_WRITE;
    }
    req.iova = (req.iova & ~(PAGE - 1)) | random_below(4096);
    access_check(&req);
}

/* An entry that one of them comes by, as a rule. */
static void
operation_change(void)
{
    struct ora_context ctx;
    struct ora_answer answer;
    unsigned n = 1 + random_below(2);

    while (n-- > 0 && !guest_is_full()) {
        uint64_t gpa = structures_pick();

        if (!random_one_in(4)) {
            const struct vtd_dma_req *req = pick_hot();

            ora_context(guest_now(), req, &ctx);
            ora_walk_now(guest_now(), &ctx, req, &answer);
            if (ora_trace.n > 0) {
                /* The later ones oftener. */
                unsigned i = random_below(ora_trace.n);
                unsigned j = random_below(ora_trace.n);

                gpa = ora_trace.gpa[i > j ? i : j];
            }
        }
        structures_change(gpa);
    }
}

/* What covers @req alone. */
static struct inv
cover(const struct vtd_dma_req *req, enum inv_kind kind)
{
    struct ora_context ctx;

    ora_context(guest_now(), req, &ctx);
    if (!guest.config.smts &&
        (kind == INV_PASID_GLOBAL || kind == INV_PASID_DOMAIN ||
         kind == INV_PASID_ONE || kind == INV_TLB_PASID ||
         kind == INV_TLB_PASID_PAGES)) {
        kind = INV_TLB_PAGES;
    }
    return (struct inv){ .kind = kind,
                         .did = ctx.did,
                         .sid = req->sid,
                         .pasid = ctx.pasid,
                         .addr = req->iova,
                         .leaf_only = random_one_in(2) };
}

/* One that covers a hot request, or what is near it. */
static void
operation_invalidate(void)
{
    struct inv inv = cover(pick_hot(), 1 + random_below(INV_ROOT - 1));

    inv.function_mask = (uint8_t)random_below(4);
    inv.am = (uint8_t)random_below(guest.config.mamv + 1u);
    if (random_one_in(8)) {
        inv.did ^= 1;
        inv.addr ^= PAGE << random_below(20);
    }
    if (random_one_in(2)) {
        inv.am = (uint8_t)random_below(3);
    }
    command_invalidate(&inv);
}

/* An access may begin a moment, as may anything before it. */
static void
use(const struct vtd_dma_req *req)
{
    if (!guest_is_full()) {
        access_check(req);
    }
}

/*
 * A driver moves a page: it is used, and so is one near by, before and after
 * an entry of the last tables changes and pages are invalidated.  That may be
 * any part of a page of 2 MiB.
 */
static void
operation_move(void)
{
    struct vtd_dma_req req = *pick_hot();
    struct vtd_dma_req near = req;
    struct ora_context ctx;
    struct ora_answer answer;
    struct inv inv;

    near.iova ^= PAGE << random_below(9);
    use(&near);
    use(&req);
    ora_context(guest_now(), &req, &ctx);
    ora_walk_now(guest_now(), &ctx, &req, &answer);
    if (ora_trace.n > 0 && !guest_is_full()) {
        unsigned back = 1 + random_below(ora_trace.n) % 8;

        structures_change(ora_trace.gpa[ora_trace.n - back]);
    }
    if (!guest_is_full()) {
        inv =
            cover(&req, random_one_in(2) ? INV_TLB_PAGES : INV_TLB_PASID_PAGES);
        inv.addr ^= PAGE * random_below(512);
        inv.am = (uint8_t)random_below(3);
        command_invalidate(&inv);
    }
    use(&req);
    use(&near);
}

static void
operate(void)
{
    unsigned what = random_below(100);

    if (guest_is_full() || what < 3) {
        command_invalidate_all();
    } else if (what < 12) {
        operation_change();
    } else if (what < 22) {
        operation_invalidate();
    } else if (what < 26) {
        operation_move();
    } else if (what < 33) {
        if (guest.config.ir) {
            interrupt_operation();
        }
    } else if (what == 33) {
        if (random_one_in(guest.switches.enabled ? 16 : 2)) {
            command_toggle_te();
        } else if (random_one_in(4)) {
            command_protect(pick_hot()->iova);
        }
    } else if (what == 34 &&
               random_one_in(guest_now()->mode >= ORA_RSVD ? 1 : 32)) {
        command_root();
    } else {
        operation_access();
    }
}

static void
run(const struct variant *variant, unsigned long operations)
{
    struct vtd_config config = *variant->base;
    struct access_counts *counts = &access_counts;
    unsigned reasons = 0;

    if (variant->adjust) {
        variant->adjust(&config);
    }
    *counts = (struct access_counts){ 0 };
    interrupt_checks = 0;
    guest_begin(&config, variant->sinks);
    structures_fill();
    command_start();
    for (unsigned i = 0; i < HOT; i++) {
        structures_request(&hot[i]);
    }
    for (unsigned long i = 0; i < operations; i++) {
        operate();
        /* Now and then another guest's structures altogether. */
        if (random_one_in(3000)) {
            structures_fill();
            command_invalidate_all();
        }
    }
    for (unsigned i = 1; i < 256; i++) {
        reasons += counts->reason[i] != 0;
    }
    printf("%-29s %7lu accesses: %6lu exact, %6lu newest, %6lu older; "
           "%6lu translated, %2u reasons, %6lu outside; %6lu interrupts\n",
           variant->name, counts->all, counts->exact, counts->fresh,
           counts->stale, counts->good, reasons, counts->outside,
           interrupt_checks);
    if (getenv("REASONS")) {
        for (unsigned i = 1; i < 256; i++) {
            if (counts->reason[i]) {
                printf("  %#x: %lu\n", i, counts->reason[i]);
            }
        }
    }
    guest_end();
}

static uint64_t
number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

int
main(void)
{
    uint64_t operations = number("OPERATIONS", 1000000);
    uint64_t seed = number("SEED", (uint64_t)time(NULL));

    printf("vtd-property: SEED=%#lx OPERATIONS=%lu\n", (unsigned long)seed,
           (unsigned long)operations);
    for (unsigned i = 0; i < VARIANTS; i++) {
        random_seed = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i + 1;
        run(&variants[i], operations / VARIANTS + 1);
    }
    return 0;
}
