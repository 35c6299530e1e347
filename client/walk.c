/* SPDX-License-Identifier: MIT */
/*
 * The model's translation once more, for memory that is read in place and not by
 * a function for any memory: a miss reads four entries, and is spared four
 * calls.  It has other names, so that a program may link both.
 */
#include "client/internal.h"

/* What nearly all reads of a walk are. */
static inline __attribute__((always_inline)) bool
read_quad(struct viommu_memory *memory, uint64_t gpa, uint64_t *val)
{
    const uint64_t *at = viommu_memory_quad(memory, gpa);

    if (__builtin_expect(!at, 0)) {
        return viommu_memory_read(memory, gpa, val, sizeof(*val)) == 0;
    }
    *val = __atomic_load_n(at, __ATOMIC_RELAXED);
    return true;
}

#define VTD_READ_QUAD(cache, gpa, raw) read_quad((cache)->mem_ctx, gpa, raw)

#include "daemon/vtd/dma.c" /* NOLINT(bugprone-suspicious-include) */
