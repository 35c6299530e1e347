/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/command.h"

#include <string.h>

#include "tests/property/structures.h"

/* Register offsets, from the specification. */
enum {
    GCMD = 0x18,
    GSTS = 0x1c,
    RTADDR = 0x20,
    CCMD = 0x28,
    FSTS = 0x34,
    PMEN = 0x64,
    PLMBASE = 0x68,
    PLMLIMIT = 0x6c,
    PHMBASE = 0x70,
    PHMLIMIT = 0x78,
    IQH = 0x80,
    IQT = 0x88,
    IQA = 0x90,
    IQERCD = 0xb0,
    IRTA = 0xb8,
    IVA = 0xf0,
    IOTLB = 0xf8,
};

static void
write4(uint32_t off, uint32_t val)
{
    vtd_mmio_write(guest.vtd, off, 4, val);
}

static void
write8(uint32_t off, uint64_t val)
{
    vtd_mmio_write(guest.vtd, off, 8, val);
}

/* --- sinks --------------------------------------------------------------- */

/* They do what they were asked to. */
static void
acknowledge(void)
{
    uint64_t token = guest.owed;

    if (guest.unasked) {
        fail("sinks were told of an invalidation, but are not waited for");
    }
    guest.owed = 0;
    if (token) {
        vtd_sync_done(guest.vtd, token, VTD_SYNC_OK, 0);
    }
}

/* --- the queue ----------------------------------------------------------- */

static unsigned
desc_size(void)
{
    return guest.wide_queue ? 32 : 16;
}

static void
append(uint64_t lo, uint64_t hi)
{
    uint64_t gpa = AT_QUEUE + guest.tail;

    guest_write(gpa, lo);
    guest_write(gpa + 8, hi);
    if (guest.wide_queue) {
        guest_write(gpa + 16, 0);
        guest_write(gpa + 24, 0);
    }
    guest.tail = (guest.tail + desc_size()) % PAGE;
}

static bool
has_completed(void)
{
    return (uint32_t)guest_read(AT_STATUS + 8) == guest.token;
}

/*
 * Ring, and see that all is done: the status is there, not before sinks have
 * acknowledged, and no error.
 */
static void
ring(void)
{
    guest.token++;
    append((uint64_t)guest.token << 32 | 0x25, AT_STATUS + 8);
    write8(IQT, guest.tail);
    while (guest.owed || vtd_run_pending(guest.vtd)) {
        if (guest.owed && has_completed()) {
            fail("a wait descriptor has not waited for sinks");
        }
        acknowledge();
        vtd_run(guest.vtd, 1 + random_below(8));
    }
    acknowledge();
    if (!has_completed()) {
        fail("a wait descriptor has not completed: FSTS %#lx IQERCD %#lx "
             "IQH %#lx IQT %#x",
             (unsigned long)vtd_mmio_read(guest.vtd, FSTS, 4),
             (unsigned long)vtd_mmio_read(guest.vtd, IQERCD, 8),
             (unsigned long)vtd_mmio_read(guest.vtd, IQH, 8), guest.tail);
    }
    if (vtd_mmio_read(guest.vtd, IQH, 8) != guest.tail) {
        fail("the queue's head is not at its tail");
    }
}

/* --- set-up -------------------------------------------------------------- */

static void
global_command(uint32_t set, uint32_t clear, uint32_t expect)
{
    uint32_t on = (uint32_t)vtd_mmio_read(guest.vtd, GSTS, 4) & 0x96800000;
    uint32_t now;

    write4(GCMD, (on | set) & ~clear);
    now = (uint32_t)vtd_mmio_read(guest.vtd, GSTS, 4);
    if (guest.owed && expect && (now & expect) == expect) {
        fail("GCMD %#x has not waited for sinks", set);
    }
    acknowledge();
    now = (uint32_t)vtd_mmio_read(guest.vtd, GSTS, 4);
    if ((now & expect) != expect || (now & clear)) {
        fail("GCMD %#x is answered by GSTS %#x", set, now);
    }
}

static void
set_root(uint8_t mode)
{
    struct inv inv = { .kind = INV_ROOT };
    struct ora_world *world;
    uint64_t root = structures_root(mode);

    guest_change();
    world = &guest.moment[guest.moments - 1].world;
    world->root = root;
    world->mode = mode;
    write8(RTADDR, root | (uint64_t)mode << 10);
    global_command(0x40000000, 0, 0x40000000);
    if (guest.config.esrtps) {
        guest_invalidated(&inv);
    }
}

static uint8_t
random_mode(void)
{
    if (guest.config.adms && random_one_in(16)) {
        return ORA_ABORT;
    }
    if (guest.config.smts && random_one_in(32)) {
        return ORA_RSVD;
    }
    return guest.config.smts && !random_one_in(8) ? ORA_SCALABLE : ORA_LEGACY;
}

/*
 * Domain ids mean other things in another mode: nothing may be left over from
 * the one before.
 */
void
command_root(void)
{
    set_root(random_mode());
    command_invalidate_all();
}

void
command_toggle_te(void)
{
    if (guest.switches.enabled) {
        global_command(0, 0x80000000, 0);
    } else {
        global_command(0x80000000, 0, 0x80000000);
    }
    guest.switches.enabled = !guest.switches.enabled;
}

static void
latch_entries(void)
{
    write8(IRTA, AT_IRT | (guest.eime ? 0x800 : 0) | 7);
    global_command(0x01000000, 0, 0x01000000);
}

void
command_toggle_eime(void)
{
    if (guest.config.eim) {
        guest.eime = !guest.eime;
        latch_entries();
    }
}

/* One region, of one to four times 2 MiB, or one that ends before it begins. */
static void
choose_region(unsigned i, uint64_t addr, uint64_t mask)
{
    uint64_t base = (addr + ((uint64_t)random_below(3) << 21)) & mask;
    uint64_t limit = base + ((uint64_t)random_below(4) << 21);

    if (random_one_in(8)) {
        limit = base - (UINT64_C(1) << 21);
    }
    guest.switches.base[i] = base;
    guest.switches.limit[i] = limit & mask;
}

void
command_protect(uint64_t addr)
{
    struct ora_switches *switches = &guest.switches;
    uint64_t mask = (UINT64_C(1) << guest.config.haw) - 1;

    switches->protects =
        (guest.config.plmr || guest.config.phmr) && !random_one_in(4);
    choose_region(0, addr, mask & 0xffe00000);
    choose_region(1, addr, mask & ~UINT64_C(0x1fffff));
    write4(PMEN, 0);
    write4(PLMBASE, (uint32_t)switches->base[0]);
    write4(PLMLIMIT, (uint32_t)switches->limit[0]);
    write8(PHMBASE, switches->base[1]);
    write8(PHMLIMIT, switches->limit[1]);
    write4(PMEN, switches->protects ? 0x80000000 : 0);
    if ((vtd_mmio_read(guest.vtd, PMEN, 4) & 1) != switches->protects) {
        fail("protection is not what was asked for");
    }
}

void
command_start(void)
{
    guest.wide_queue = guest.config.smts;
    write8(IQT, 0);
    write8(IQA, AT_QUEUE | (guest.wide_queue ? 0x800 : 0));
    global_command(0x04000000, 0, 0x04000000);
    if (guest.config.ir) {
        latch_entries();
        global_command(0x02000000, 0, 0x02000000);
        command_invalidate_entries(0, 8);
    }
    set_root(guest.config.smts ? ORA_SCALABLE : ORA_LEGACY);
    command_invalidate_all();
    command_toggle_te();
}

/* --- invalidation -------------------------------------------------------- */

/* The descriptor's type and granularity of each kind. */
static const struct {
    uint8_t type, granularity;
} shapes[INV_KINDS] = {
    [INV_CONTEXT_GLOBAL] = { 1, 1 }, [INV_CONTEXT_DOMAIN] = { 1, 2 },
    [INV_CONTEXT_DEVICE] = { 1, 3 }, [INV_TLB_GLOBAL] = { 2, 1 },
    [INV_TLB_DOMAIN] = { 2, 2 },     [INV_TLB_PAGES] = { 2, 3 },
    [INV_TLB_PASID] = { 6, 2 },      [INV_TLB_PASID_PAGES] = { 6, 3 },
    [INV_PASID_GLOBAL] = { 7, 3 },   [INV_PASID_DOMAIN] = { 7, 0 },
    [INV_PASID_ONE] = { 7, 1 },
};

static void
queue(const struct inv *inv)
{
    uint64_t lo = shapes[inv->kind].type |
                  (uint64_t)shapes[inv->kind].granularity << 4 |
                  (uint64_t)inv->did << 16;
    uint64_t hi = 0;

    if (shapes[inv->kind].type == 1) {
        lo |= (uint64_t)inv->sid << 32 | (uint64_t)inv->function_mask << 48;
    } else if (shapes[inv->kind].type > 5) {
        lo |= (uint64_t)inv->pasid << 32;
    } else if (random_one_in(2) && guest.config.drain) {
        lo |= 0xc0;
    }
    if (shapes[inv->kind].granularity == 3 && shapes[inv->kind].type % 4 == 2) {
        hi = (inv->addr & ~(PAGE - 1)) | (inv->leaf_only ? 0x40 : 0) | inv->am;
    }
    append(lo, hi);
}

/* By registers, which know the context cache and the IOTLB alone. */
static void
by_register(const struct inv *inv)
{
    uint64_t granularity = shapes[inv->kind].granularity;
    uint32_t reg = shapes[inv->kind].type == 1 ? CCMD : IOTLB;

    if (reg == CCMD) {
        write8(CCMD, UINT64_C(1) << 63 | granularity << 61 |
                         (uint64_t)inv->function_mask << 32 |
                         (uint64_t)inv->sid << 16 | inv->did);
    } else {
        write8(IVA, (inv->addr & ~(PAGE - 1)) | (inv->leaf_only ? 0x40 : 0) |
                        inv->am);
        write8(IOTLB, UINT64_C(1) << 63 | granularity << 60 |
                          (uint64_t)inv->did << 32);
    }
    if (guest.owed && !(vtd_mmio_read(guest.vtd, reg, 8) >> 63)) {
        fail("an invalidation by register has not waited for sinks");
    }
    acknowledge();
    if (vtd_mmio_read(guest.vtd, reg, 8) >> 63) {
        fail("an invalidation by register does not end");
    }
}

/* A queue does not run while the root table's mode is a reserved one. */
static bool
queue_runs(void)
{
    return guest_now()->mode != ORA_RSVD;
}

/* Registers serve legacy mode alone, and other modes have types of their own. */
void
command_invalidate(const struct inv *inv)
{
    bool legacy = guest_now()->mode == ORA_LEGACY;
    unsigned type = shapes[inv->kind].type;
    unsigned long told = guest.told;

    if (!queue_runs() || (legacy && type > 5)) {
        return;
    }
    if (legacy && type <= 2 && random_one_in(4)) {
        by_register(inv);
    } else {
        queue(inv);
        ring();
    }
    if (guest.sinks && guest.told == told) {
        fail("sinks were not told of an invalidation");
    }
    guest_invalidated(inv);
}

void
command_invalidate_all(void)
{
    if (!queue_runs()) {
        guest_forget(); /* whatever is asked is refused */
        return;
    }
    queue(&(struct inv){ .kind = INV_CONTEXT_GLOBAL });
    if (guest.wide_queue && guest_now()->mode != ORA_LEGACY) {
        queue(&(struct inv){ .kind = INV_PASID_GLOBAL });
    }
    queue(&(struct inv){ .kind = INV_TLB_GLOBAL });
    ring();
    guest_forget();
}

bool
command_invalidate_entries(uint32_t index, unsigned im)
{
    if (!queue_runs()) {
        return false;
    }
    append(im > 7 ? 4 : 0x14 | (uint64_t)index << 32 | (uint64_t)im << 27, 0);
    ring();
    return true;
}
