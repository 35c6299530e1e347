/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Root, context and PASID tables.
 * [VT-d 4.1, "Translation Structure Formats"]
 */
#include <stddef.h>

#include "tests/guests/dma/space.h"
#include "tests/guests/lib/cpu.h"

#define PRESENT 1ull

#define RTADDR_SCALABLE (1ull << 10)

#define CONTEXT_TT_ATS  (1ull << 2)
#define CONTEXT_TT_PASS (2ull << 2)
#define CONTEXT_DID(d)  ((uint64_t)(d) << 8) /* quadword 1                  */

#define UPPER_DEVFN 0x80u /* scalable mode: in the second context table     */

#define PASID_AW_SHIFT   2u
#define PASID_PGTT_SHIFT 6u
#define PGTT_FIRST       1ull
#define PGTT_SECOND      2ull
#define PGTT_NESTED      3ull
#define PGTT_PASS        4ull
#define PASID_PWSNP      (1ull << 23) /* quadword 1: walks snoop              */
#define PASID_QUADS      8u
#define PASIDS_PER_TABLE 64u

/* Address width of a second stage, by its levels; 4 of a pass-through. */
#define AW(levels) ((uint64_t)(levels)-2)
#define AW_PASS    2ull

#define DESC_CONTEXT      0x1ull
#define DESC_IOTLB        0x2ull
#define DESC_PASID_IOTLB  0x6ull
#define DESC_PASID_CACHE  0x7ull
#define G_GLOBAL          (1ull << 4) /* context cache, IOTLB               */
#define G_PASID_CACHE_ALL (3ull << 4)
#define G_PASID_CACHE_ONE (1ull << 4)
#define G_PASID_IOTLB_ALL (2ull << 4) /* of the PASID                       */

static bool is_scalable;
static uint64_t *root;
static uint64_t *directory;

void
context_reset(bool scalable)
{
    is_scalable = scalable;
    root = pages_take();
    directory = scalable ? pages_take() : NULL;
}

/* The table that @entry names; made if it names none. */
static uint64_t *
table_of(uint64_t *entry)
{
    uint64_t *table;

    if (!*entry)
        *entry = gpa_of(pages_take()) | PRESENT;
    __asm__("" : "=r"(table) : "0"(*entry & ~0xfffull));
    return table;
}

static uint64_t *
root_entry(uint16_t sid)
{
    return &root[(sid >> 8) * 2];
}

void
context_set(uint16_t sid, const struct space *space, bool ats)
{
    uint64_t *entry = table_of(root_entry(sid)) + (sid & 0xff) * 2;
    bool pass = space->stage == STAGE_PASS;

    entry[1] =
        CONTEXT_DID(space->did) | (pass ? AW_PASS : AW(space->second.levels));
    entry[0] = (pass ? CONTEXT_TT_PASS : gpa_of(space->second.root)) |
               (ats ? CONTEXT_TT_ATS : 0) | PRESENT;
}

void
context_set_scalable(uint16_t sid, uint64_t flags)
{
    unsigned devfn = sid & 0xff;
    uint64_t *half = root_entry(sid) + (devfn >= UPPER_DEVFN);
    uint64_t *entry = table_of(half) + devfn % UPPER_DEVFN * 4;

    /* PDTS 0: a directory of 128 entries. */
    entry[0] = gpa_of(directory) | flags | PRESENT;
}

static uint64_t *
pasid_entry(uint32_t pasid)
{
    return table_of(&directory[pasid / PASIDS_PER_TABLE]) +
           pasid % PASIDS_PER_TABLE * PASID_QUADS;
}

void
pasid_set(uint32_t pasid, const struct space *space, uint64_t flags)
{
    static const uint64_t pgtt[] = {
        [STAGE_PASS] = PGTT_PASS,
        [STAGE_SECOND] = PGTT_SECOND,
        [STAGE_FIRST] = PGTT_FIRST,
        [STAGE_NESTED] = PGTT_NESTED,
    };
    uint64_t *entry = pasid_entry(pasid);
    bool first = space->stage == STAGE_FIRST || space->stage == STAGE_NESTED;
    bool second = space->stage == STAGE_SECOND || space->stage == STAGE_NESTED;
    uint64_t aw = second ? AW(space->second.levels) : AW_PASS;

    entry[2] =
        (first ? gpa_of(space->first.root) + space->first.offset : 0) | flags;
    entry[1] = space->did | (first ? PASID_PWSNP : 0);
    entry[0] = (second ? gpa_of(space->second.root) : 0) |
               pgtt[space->stage] << PASID_PGTT_SHIFT | aw << PASID_AW_SHIFT |
               PRESENT;
}

void
pasid_clear(uint32_t pasid)
{
    pasid_entry(pasid)[0] = 0;
}

bool
pasid_flush(const struct space *space, uint32_t pasid)
{
    uint64_t of = (uint64_t)space->did << 16 | (uint64_t)pasid << 32;

    queue_put((struct desc){ .lo = DESC_PASID_CACHE | G_PASID_CACHE_ONE | of });
    queue_put((struct desc){ .lo = DESC_PASID_IOTLB | G_PASID_IOTLB_ALL | of });
    return queue_sync();
}

bool
context_latch(void)
{
    unit_write64(VTD_RTADDR,
                 gpa_of(root) | (is_scalable ? RTADDR_SCALABLE : 0));
    return unit_command(GCMD_SRTP, true);
}

bool
context_enable(void)
{
    if (!context_latch())
        return false;
    queue_put((struct desc){ .lo = DESC_CONTEXT | G_GLOBAL });
    if (is_scalable)
        queue_put((struct desc){ .lo = DESC_PASID_CACHE | G_PASID_CACHE_ALL });
    queue_put((struct desc){ .lo = DESC_IOTLB | G_GLOBAL });
    return queue_sync() && unit_command(GCMD_TE, true);
}
