/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/property/structures.h"

/* What a page of guest memory holds. */
enum role {
    ROLE_OTHER,
    ROLE_ROOT,
    ROLE_CONTEXT,
    ROLE_DIR,
    ROLE_PASID,
    ROLE_FIRST,
    ROLE_SECOND
};

/* Tables of one stage: pages by level. */
static const struct {
    uint8_t first, n;
} pool[6] = {
    { 0, 0 }, { 0, 5 }, { 5, 3 }, { 8, 2 }, { 10, 1 }, { 11, 1 },
};

/*
 * Whether this guest is as drivers make it.  A walk of two stages reads two
 * dozen entries: random ones never are ordinary all together.
 */
static bool orderly;

/* In one of @n cases, but hardly ever where there is order. */
static bool
odd_one_in(unsigned n)
{
    return random_one_in(orderly ? 64 * n : n);
}

static enum role
role_of(unsigned page)
{
    return page >= AT_SECOND    ? ROLE_SECOND
           : page >= AT_FIRST   ? ROLE_FIRST
           : page >= AT_PASID   ? ROLE_PASID
           : page >= AT_DIR     ? ROLE_DIR
           : page >= AT_CONTEXT ? ROLE_CONTEXT
           : page >= AT_ROOT    ? ROLE_ROOT
                                : ROLE_OTHER;
}

static unsigned
level_of(unsigned page)
{
    unsigned i = page - (page >= AT_SECOND ? AT_SECOND : AT_FIRST);
    unsigned level = 1;

    while (level < 5 && i >= pool[level + 1].first) {
        level++;
    }
    return level;
}

static uint64_t
table_of(unsigned begin, unsigned level)
{
    return (begin + pool[level].first + random_below(pool[level].n)) * PAGE;
}

/* With scalable mode each mode has tables of its own. */
static bool
is_split(void)
{
    return guest.config.smts;
}

static bool
is_scalable_page(unsigned page)
{
    return is_split() &&
           (page < AT_CONTEXT ? page == AT_ROOT + 1 : page >= AT_CONTEXT + 2);
}

uint64_t
structures_root(uint8_t mode)
{
    unsigned page = AT_ROOT + random_below(ROOTS);

    if (is_split()) {
        page = AT_ROOT + (mode == ORA_SCALABLE);
    }
    return page * PAGE;
}

/* --- addresses ----------------------------------------------------------- */

static unsigned
random_index(unsigned level)
{
    unsigned pick = random_below(64);

    if (pick == 0) {
        return 511;
    }
    if (level > 1) {
        return pick < 48 ? 0 : 1;
    }
    return pick < 40   ? pick % 4
           : pick < 42 ? 300
                       : AT_FIRST + pick % (AT_SECOND - AT_FIRST);
}

uint64_t
structures_iova(bool first)
{
    uint64_t iova = 0;
    unsigned levels = guest.config.mgaw > 48 || guest.config.fs5lp ? 5 : 4;

    for (unsigned level = 1; level <= levels; level++) {
        iova |= (uint64_t)random_index(level) << (3 + 9 * level);
    }
    if (odd_one_in(64)) {
        iova |= UINT64_C(1) << (30 + random_below(34));
    }
    if (first && levels == 4 && (iova >> 47 & 1)) {
        iova |= UINT64_C(0xffff) << 48;
    }
    return iova | random_below(4096);
}

static uint64_t
random_target(void)
{
    uint64_t gpa = random64() & ((UINT64_C(1) << guest.config.haw) - 1);

    if (random_one_in(24)) {
        return UINT64_C(0xfee00000) | (gpa & 0x1ff000);
    }
    return gpa & ~UINT64_C(0xfff);
}

/* --- entries of tables --------------------------------------------------- */

static bool
is_leaf(unsigned level)
{
    if (level == 1 || level > 3) {
        return level == 1;
    }
    return level == 2 ? random_one_in(orderly ? 2 : 4) : odd_one_in(6);
}

static uint64_t
aligned(uint64_t addr, unsigned level)
{
    return odd_one_in(40) ? addr : addr & ~((PAGE << 9 * (level - 1)) - 1);
}

/* Whether tables are behind entry @index of @level, if that is a leaf. */
static bool
holds_tables(unsigned level, unsigned index)
{
    return level > 1 ? index == 0 : index >= AT_FIRST && index < AT_END;
}

/*
 * A leaf of the second stage leads to where it stands itself more often than
 * not: so tables of a nested first stage are found.  In an orderly guest those
 * always are, and all of them may be read and written.
 */
static uint64_t
second_entry(unsigned level, unsigned index)
{
    bool vital = orderly && holds_tables(level, index);
    uint64_t e = (odd_one_in(8) ? 0 : 1) | (odd_one_in(6) ? 0 : 2);

    if (odd_one_in(8)) {
        e |= random64() & (0x78 | UINT64_C(0xbff) << 52);
    }
    if (orderly) {
        e |= 0x100;
    }
    if (!is_leaf(level)) {
        return e | table_of(AT_SECOND, level - 1);
    }
    if (orderly) {
        e |= random_one_in(8) ? 0 : 0x200;
        e &= ~(uint64_t)(vital || random_one_in(2) ? 0 : random_below(3));
    }
    if (random_one_in(6)) {
        e |= 0x800;
    }
    if (random_one_in(4)) {
        e |= random64() & 0x300;
    }
    if (level > 1) {
        e |= 0x80;
    }
    if (!vital && random_one_in(3)) {
        return e | aligned(random_target(), level);
    }
    return e | (uint64_t)index << (3 + 9 * level);
}

/* Where the second stage may have something. */
static uint64_t
near_target(void)
{
    return structures_iova(false) &
           (orderly ? UINT64_C(0x7ffff000) : UINT64_C(0xffffffffff000));
}

static uint64_t
first_entry(unsigned level)
{
    bool leaf = is_leaf(level);
    uint64_t e = 1 | 2 | 4;

    if (leaf || !orderly) {
        e ^= (random_one_in(4) ? 2 : 0) | (random_one_in(6) ? 4 : 0);
    }
    if (odd_one_in(8)) {
        e |= random64() & (0xe18 | UINT64_C(0x7ff) << 52);
    }
    if (leaf ? random_one_in(16) : odd_one_in(16)) {
        e |= UINT64_C(1) << 63;
    }
    if (orderly) {
        e |= 0x420;
    }
    if (!leaf) {
        return e | table_of(AT_FIRST, level - 1);
    }
    if (random_one_in(3)) {
        e |= random64() & 0x160;
    }
    if (level > 1) {
        e |= 0x80;
    }
    if (random_one_in(orderly ? 8 : 2)) {
        return e | aligned(random_target(), level);
    }
    return e | aligned(near_target(), level);
}

/* --- entries of the other structures ------------------------------------- */

static uint64_t
random_aw(void)
{
    static const uint8_t widths[] = { VTD_SAGAW_39, VTD_SAGAW_48,
                                      VTD_SAGAW_57 };
    unsigned aw = random_below(3);

    while (!(guest.config.sagaw & widths[aw]) && !odd_one_in(16)) {
        aw = random_below(3);
    }
    return aw + 1;
}

static void
write_root(uint64_t gpa)
{
    unsigned page = (unsigned)(gpa / PAGE);

    for (unsigned i = 0; i < 2; i++) {
        uint64_t table = AT_CONTEXT + random_below(CONTEXT_PAGES);

        if (is_split()) {
            table =
                AT_CONTEXT + (is_scalable_page(page) ? 2 : 0) + random_below(2);
        }
        guest_write(gpa + i * 8, table * PAGE | !odd_one_in(16));
        if (!is_scalable_page(page)) {
            guest_write(gpa + 8, 0);
            return;
        }
    }
}

static void
write_legacy_context(uint64_t gpa)
{
    unsigned type = random_below(12);
    uint64_t aw = random_aw();
    uint64_t did = 1000 + (gpa - AT_CONTEXT * PAGE) / 16;

    if (type > 2) {
        type = guest.config.dt ? 1 + (type & 1) * 3 % 4 : 0;
    }
    if (type == 4) {
        type = 0;
    }
    guest_write(gpa, table_of(AT_SECOND, (unsigned)aw + 2) | (type & 3) << 2 |
                         !odd_one_in(16) | (random_one_in(8) ? 2u : 0));
    guest_write(gpa + 8, aw | did << 8 | (random_one_in(6) ? 0x400000 : 0) |
                             (random_one_in(8) ? 0x78 : 0));
}

static void
write_scalable_context(uint64_t gpa)
{
    const struct vtd_config *config = &guest.config;
    uint64_t lo = (uint64_t)(AT_DIR + random_below(DIRS)) * PAGE;
    uint64_t hi = 0;

    lo |= (uint64_t)random_below(random_one_in(4) ? 8 : 2) << 9;
    lo |= (odd_one_in(16) ? 0 : 1u) | (random_one_in(12) ? 2u : 0);
    lo |= config->dt && !random_one_in(4) ? 4 : 0;
    lo |= config->pasid_bits && !random_one_in(8) ? 8 : 0;
    lo |= config->prs && random_one_in(2) ? 16 : 0;
    if (config->rps && random_one_in(3)) {
        hi |= odd_one_in(4) ? random64() & 0xfffff : random_below(3);
    }
    if (config->rprivs && random_one_in(4)) {
        hi |= UINT64_C(1) << 20;
    }
    guest_write(gpa, lo);
    guest_write(gpa + 8, hi);
    guest_write(gpa + 16, 0);
    guest_write(gpa + 24, 0);
}

static void
write_pasid(uint64_t gpa)
{
    const struct vtd_config *config = &guest.config;
    uint64_t aw = random_aw();
    unsigned type = odd_one_in(24) ? random_below(8) : 1 + random_below(4);
    uint64_t slot = (gpa - AT_PASID * PAGE) / 64;
    uint64_t did = 0x100 + slot * 2 + random_one_in(8);
    bool nested = orderly && config->nest && !random_one_in(4);
    unsigned paging = config->fs5lp && random_one_in(2);
    uint64_t q[3];

    if (nested) {
        type = 3;
    }
    if (type == 1 && random_one_in(2)) {
        did = 8 + slot / 64;
    }
    q[0] = table_of(AT_SECOND, (unsigned)aw + 2) | aw << 2 |
           (uint64_t)type << 6 | !odd_one_in(16) | (random_one_in(12) ? 2u : 0);
    q[0] |= config->ssads && random_one_in(2) ? 0x200 : 0;
    q[1] = did | (config->sc && random_one_in(4) ? 1u << 24 : 0) |
           (config->smpwcs && random_one_in(2) ? 1u << 23 : 0);
    q[2] = table_of(AT_FIRST, 4 + paging) | (uint64_t)paging << 2;
    q[2] |= random_one_in(4) ? 0x20 : 0;
    q[2] |= config->srs && !random_one_in(4) ? 1 : 0;
    q[2] |= config->ers && !random_one_in(4) ? 2 : 0;
    q[2] |= config->srs && random_one_in(2) ? 0x10 : 0;
    q[2] |= config->eafs && random_one_in(2) ? 0x80 : 0;
    /* What a stage has that the unit lacks is reserved. */
    if (!config->ssts) {
        q[0] &= 0xfff;
    }
    if (!config->fsts) {
        q[2] &= 0x63;
    }
    for (unsigned i = 0; i < 8; i++) {
        guest_write(gpa + i * 8, i < 3 ? q[i] : 0);
    }
}

/* --- changes ------------------------------------------------------------- */

static void
rewrite(uint64_t gpa)
{
    unsigned page = (unsigned)(gpa / PAGE);
    bool scalable = is_scalable_page(page);

    switch (role_of(page)) {
    case ROLE_ROOT:
        write_root(gpa & ~UINT64_C(15));
        break;
    case ROLE_CONTEXT:
        if (scalable) {
            write_scalable_context(gpa & ~UINT64_C(31));
        } else {
            write_legacy_context(gpa & ~UINT64_C(15));
        }
        break;
    case ROLE_DIR:
        guest_write(gpa & ~UINT64_C(7),
                    (AT_PASID + random_below(PASID_PAGES)) * PAGE |
                        !odd_one_in(24) | (odd_one_in(16) ? 2u : 0));
        break;
    case ROLE_PASID:
        write_pasid(gpa & ~UINT64_C(63));
        break;
    case ROLE_FIRST:
        guest_write(gpa & ~UINT64_C(7), first_entry(level_of(page)));
        break;
    case ROLE_SECOND:
        guest_write(gpa & ~UINT64_C(7),
                    second_entry(level_of(page), (unsigned)(gpa / 8 % 512)));
        break;
    default:
        break;
    }
}

/*
 * Flip one bit of the quadword at @gpa, but none of a domain id: two domains
 * of one id would be the guest's own mistake.
 */
static void
damage(uint64_t gpa, enum role role)
{
    unsigned bit = random_below(64);

    if ((role == ROLE_CONTEXT || role == ROLE_PASID) && gpa / 8 % 2 == 1) {
        bit = 24 + bit % 40;
    }
    guest_write(gpa, guest_read(gpa) ^ UINT64_C(1) << bit);
}

void
structures_change(uint64_t gpa)
{
    unsigned what = random_below(16);
    enum role role = role_of((unsigned)(gpa / PAGE));

    if (gpa >= RAM_SIZE || role == ROLE_OTHER) {
        return;
    }
    guest_change();
    gpa &= ~UINT64_C(7);
    if (orderly && !random_one_in(16)) {
        rewrite(gpa);
    } else if (what == 0) {
        damage(gpa, role);
    } else if (what == 1) {
        guest_write(gpa, guest_read(gpa) & ~UINT64_C(1));
    } else if (what < 5 && role >= ROLE_FIRST) {
        guest_write(gpa, guest_read(gpa) ^ UINT64_C(1) << random_below(3));
    } else if (what < 7 && role >= ROLE_FIRST) {
        guest_write(gpa, guest_read(gpa) & ~UINT64_C(0x760));
    } else {
        rewrite(gpa);
    }
}

/* Entries that requests come by, of @page. */
static uint64_t
pick_in(unsigned page)
{
    static const uint8_t devfns[] = { 0, 1, 0x80, 0x81 };
    unsigned devfn = devfns[random_below(4)];
    uint64_t gpa = page * PAGE;

    switch (role_of(page)) {
    case ROLE_ROOT:
        return gpa + random_below(2) * 16;
    case ROLE_CONTEXT:
        return gpa + (is_scalable_page(page) ? (devfn & 127) * 32 : devfn * 16);
    case ROLE_DIR:
        return gpa + random_below(3) * 8;
    case ROLE_PASID:
        return gpa + random_below(4) % 3 * 64;
    default:
        return gpa + random_index(level_of(page)) * 8;
    }
}

uint64_t
structures_pick(void)
{
    unsigned page = AT_ROOT + random_below(AT_END - AT_ROOT);

    return pick_in(page);
}

/* Every entry that pick_in() may return: choosing often enough meets it. */
void
structures_fill(void)
{
    orderly = random_one_in(2);
    for (unsigned page = AT_ROOT; page < AT_END; page++) {
        for (unsigned i = 0; i < 512; i++) {
            rewrite(pick_in(page));
        }
    }
}

void
structures_request(struct vtd_dma_req *req)
{
    const struct vtd_config *config = &guest.config;
    static const uint8_t devfns[] = { 0, 1, 0x80, 0x81 };
    static const uint32_t pasids[] = { 0, 1, 2, 64, 65, 128, 8192, 0xfffff };
    unsigned access = random_below(16);

    *req = (struct vtd_dma_req){ .pasid = VTD_NO_PASID };
    req->sid = (uint16_t)(random_below(2) << 8 | devfns[random_below(4)]);
    if (random_one_in(100)) {
        req->sid = (uint16_t)random64();
    }
    if (config->pasid_bits && random_one_in(2)) {
        req->pasid = pasids[random_below(random_one_in(8) ? 8 : 5)];
        req->privileged = config->srs && random_one_in(4);
    }
    req->iova = structures_iova(config->fsts);
    req->access = access < 7    ? VTD_DMA_READ
                  : access < 13 ? VTD_DMA_WRITE
                  : access < 14 ? VTD_DMA_READ | VTD_DMA_WRITE
                                : 0;
    req->atomic = access == 13 && random_one_in(2);
    if (access < 2 && config->ers && req->pasid != VTD_NO_PASID) {
        req->access |= VTD_DMA_EXEC;
    }
    if (random_one_in(config->dt ? 4 : 64)) {
        req->at = random_one_in(3) ? VTD_AT_TRANSLATED : VTD_AT_TRANSLATION;
        req->no_write = req->at == VTD_AT_TRANSLATION && random_one_in(3);
        req->atomic = false;
    }
}
