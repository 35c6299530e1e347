/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/inspect.h"

#include <errno.h>

#include "daemon/vtd/regs.h"
#include "daemon/vtd/spec-qi.h"

static const struct vtd_field fields[] = {
#define FIELD(layout, name, hi, lo) { #name, VTD_##layout##_##name },
#include "daemon/vtd/fields.def"
#undef FIELD
};

/* The layout that each of fields[] belongs to. */
static const uint8_t field_layout[] = {
#define FIELD(layout, ...) VTD_LAYOUT_##layout,
#include "daemon/vtd/fields.def"
#undef FIELD
};

#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

/* The row of the register table that is @vtd's register @i. */
static unsigned
row_of(const struct vtd *vtd, unsigned i)
{
    unsigned row = 0;

    while (!vtd_reg_is_present(&vtd->config, row) || i-- > 0) {
        row++;
    }
    return row;
}

unsigned
vtd_reg_count(const struct vtd *vtd)
{
    unsigned count = 0;

    for (unsigned row = 0; row < VTD_REG_COUNT; row++) {
        count += vtd_reg_is_present(&vtd->config, row);
    }
    return count;
}

void
vtd_reg_info(const struct vtd *vtd, unsigned i, struct vtd_reg_info *info)
{
    const struct vtd_reg_desc *desc = &vtd_reg_table[row_of(vtd, i)];
    unsigned first = 0;
    unsigned end;

    while (first < FIELD_COUNT && field_layout[first] != desc->layout) {
        first++;
    }
    end = first;
    while (end < FIELD_COUNT && field_layout[end] == desc->layout) {
        end++;
    }
    *info = (struct vtd_reg_info){
        .name = desc->name,
        .off = desc->off,
        .size = desc->size,
        .field = &fields[first],
        .field_count = end - first,
    };
}

uint64_t
vtd_reg_value(const struct vtd *vtd, unsigned i)
{
    return vtd_reg_row_value(vtd, row_of(vtd, i));
}

int
vtd_queue_inspect(const struct vtd *vtd, uint32_t i, uint64_t desc[4])
{
    struct vtd_queue_info info;

    vtd_queue_info(vtd, &info);
    if (i >= info.entries) {
        return -ERANGE;
    }
    desc[2] = 0;
    desc[3] = 0;
    return vtd->ops->mem_read(vtd->ctx,
                              info.base + (uint64_t)i * info.entry_size, desc,
                              info.entry_size);
}

void
vtd_fault_info(const struct vtd *vtd, unsigned i, struct vtd_fault_info *info)
{
    uint64_t lo = vtd_reg64(vtd, VTD_OFF_FRCD0_LO + i * VTD_FRCD_SIZE);
    uint64_t hi = vtd_reg64(vtd, VTD_OFF_FRCD0_HI + i * VTD_FRCD_SIZE);

    *info = (struct vtd_fault_info){
        .valid = (hi & VTD_FRCDHI_F) != 0,
        .sid = (uint16_t)VTD_GET(VTD_FRCDHI_SID, hi),
        .reason = (uint8_t)VTD_GET(VTD_FRCDHI_FR, hi),
        .info = lo & VTD_FRCDLO_FI,
        .raw = { lo, hi },
    };
}

const char *
vtd_stat_name(enum vtd_stat stat)
{
    static const char *const name[VTD_STAT_COUNT] = {
#define STAT(id, text) [VTD_STAT_##id] = (text),
#include "daemon/vtd/stats.def"
#undef STAT
    };

    return name[stat];
}

uint64_t
vtd_stat_value(const struct vtd *vtd, enum vtd_stat stat)
{
    return stat == VTD_STAT_DMA_WALK ? vtd->dma.walks : vtd->stat[stat];
}

void
vtd_trace_emit(const struct vtd *vtd, enum vtd_event ev, uint64_t a, uint64_t b,
               uint64_t c, uint64_t d)
{
    const uint64_t arg[4] = { a, b, c, d };

    vtd->trace(vtd->ctx, ev, arg);
}
