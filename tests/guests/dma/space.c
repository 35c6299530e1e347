/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/dma/space.h"

#include <stddef.h>

#include "tests/guests/lib/cpu.h"

#define NEST_PAGES 512u /* of 2 MiB: a GiB                                  */

/* [VT-d 4.1, "IOTLB Invalidate Descriptor" and those that follow] */
#define DESC_IOTLB       0x2ull
#define DESC_PASID_IOTLB 0x6ull
#define FLUSH_PAGES      (3ull << 4)

void
space_init(struct space *space, enum stage stage, unsigned levels, uint16_t did)
{
    space->stage = stage;
    space->did = did;
    if (stage == STAGE_SECOND || stage == STAGE_NESTED)
        tables_init(&space->second, false, levels, 0);
    if (stage == STAGE_FIRST || stage == STAGE_NESTED)
        tables_init(&space->first, true, 4,
                    stage == STAGE_NESTED ? NEST_BASE : 0);
    for (uint64_t i = 0; stage == STAGE_NESTED && i < NEST_PAGES; i++)
        tables_map(&space->second, NEST_BASE + (i << SHIFT_2M), i << SHIFT_2M,
                   SHIFT_2M, PERM_RW);
}

void
space_map(struct space *space, uint64_t iova, uint64_t gpa, unsigned shift,
          unsigned perm)
{
    if (space->stage == STAGE_SECOND)
        tables_map(&space->second, iova, gpa, shift, perm);
    else
        tables_map(&space->first, iova, gpa + space->first.offset, shift, perm);
}

void
space_unmap(struct space *space, uint64_t iova, unsigned shift)
{
    tables_unmap(space->stage == STAGE_SECOND ? &space->second : &space->first,
                 iova, shift);
}

void
space_put_flush(const struct space *space, uint32_t pasid, uint64_t iova,
                unsigned shift)
{
    bool first = space->stage != STAGE_SECOND;
    uint64_t id = pasid == NO_PASID ? 0 : pasid;

    queue_put((struct desc){
        .lo = (first ? DESC_PASID_IOTLB | id << 32 : DESC_IOTLB) | FLUSH_PAGES |
              (uint64_t)space->did << 16,
        .hi = iova >> shift << shift | (shift - SHIFT_4K),
    });
}

bool
space_flush(const struct space *space, uint32_t pasid, uint64_t iova,
            unsigned shift)
{
    space_put_flush(space, pasid, iova, shift);
    return queue_sync();
}
