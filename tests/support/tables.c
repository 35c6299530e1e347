/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/support/tables.h"

#include <assert.h>
#include <string.h>

#define PAGE     UINT64_C(4096)
#define ADDR     UINT64_C(0x000ffffffffff000)
#define PRESENT  UINT64_C(1)
#define ANY_PERM UINT64_C(3)

void
tables_init(struct tables *tables, uint8_t *ram, uint64_t first, uint64_t end)
{
    assert(first % PAGE == 0 && first <= end);
    *tables = (struct tables){ .ram = ram, .next = first, .end = end };
}

uint64_t
tables_pages(struct tables *tables, unsigned n)
{
    uint64_t gpa = tables->next;

    assert(tables->end - gpa >= n * PAGE);
    memset(&tables->ram[gpa], 0, n * PAGE);
    tables->next += n * PAGE;
    return gpa;
}

uint64_t
tables_q(const struct tables *tables, uint64_t gpa)
{
    uint64_t val;

    memcpy(&val, &tables->ram[gpa], sizeof(val));
    return val;
}

void
tables_q_set(struct tables *tables, uint64_t gpa, uint64_t val)
{
    /* As drivers do it: a unit may be looking. */
    __atomic_store_n((uint64_t *)(void *)&tables->ram[gpa], val,
                     __ATOMIC_RELEASE);
}

/* The table that the entry at @gpa names; made if none of @used bits is set. */
static uint64_t
descend(struct tables *tables, uint64_t gpa, uint64_t used, uint64_t bits)
{
    if (!(tables_q(tables, gpa) & used)) {
        tables_q_set(tables, gpa, tables_pages(tables, 1) | bits);
    }
    return tables_q(tables, gpa) & ADDR;
}

uint64_t
tables_context(struct tables *tables, uint64_t root, uint16_t sid)
{
    uint64_t bus = sid >> 8;

    return descend(tables, root + bus * 16, PRESENT, PRESENT) +
           (uint64_t)(sid & 0xff) * 16;
}

uint64_t
tables_sm_context(struct tables *tables, uint64_t root, uint16_t sid)
{
    uint64_t half = (uint64_t)(sid >> 7);

    return descend(tables, root + half * 8, PRESENT, PRESENT) +
           (uint64_t)(sid & 0x7f) * 32;
}

uint64_t
tables_pasid(struct tables *tables, uint64_t dir, uint32_t pasid)
{
    uint64_t index = pasid >> 6;

    return descend(tables, dir + index * 8, PRESENT, PRESENT) +
           (uint64_t)(pasid & 0x3f) * 64;
}

void
tables_context_set(struct tables *tables, uint64_t gpa, uint64_t lo,
                   uint64_t aw, uint16_t did)
{
    tables_q_set(tables, gpa + 8, aw | (uint64_t)did << 8);
    tables_q_set(tables, gpa, lo | PRESENT);
}

uint64_t
tables_entry(struct tables *tables, uint64_t root, unsigned levels,
             uint64_t iova, unsigned level, uint64_t path)
{
    uint64_t table = root;

    for (unsigned at = levels;; at--) {
        uint64_t index = iova >> (12 + 9 * (at - 1)) & 0x1ff;
        uint64_t gpa = table + index * 8;

        if (at == level) {
            return gpa;
        }
        table = descend(tables, gpa, ANY_PERM, path);
    }
}

uint64_t
tables_map(struct tables *tables, const struct tables_map *map, uint64_t iova,
           uint64_t gpa, unsigned shift, uint64_t bits)
{
    unsigned level = (shift - 12) / 9 + 1;
    uint64_t entry =
        tables_entry(tables, map->root, map->levels, iova, level, map->path);

    tables_q_set(tables, entry, gpa | bits | (level > 1 ? TABLES_PS : 0));
    return entry;
}
