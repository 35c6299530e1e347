/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/regs.h"

#include <assert.h>

#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/inspect.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/reginv.h"

const struct vtd_reg_desc vtd_reg_table[VTD_REG_COUNT] = {
#define REG(id, offset, bytes, init, rw_mask, w1c_mask, hook, fields) \
    [VTD_REG_##id] = { .name = #id,                                   \
                       .off = (offset),                               \
                       .size = (bytes),                               \
                       .layout = VTD_LAYOUT_##fields,                 \
                       .reset = (init),                               \
                       .rw = (rw_mask),                               \
                       .w1c = (w1c_mask),                             \
                       .on_write = (hook) },
#define REG32(name, off, reset, rw, w1c, on_write, layout) \
    REG(name, off, 4, reset, rw, w1c, on_write, layout)
#define REG64(name, off, reset, rw, w1c, on_write, layout) \
    REG(name, off, 8, reset, rw, w1c, on_write, layout)
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
#undef REG
};

/* The register at a dword of the page, plus one; 0 in a hole. */
static const uint8_t reg_at[VTD_MMIO_SIZE / 4] = {
#define REG32(name, off, ...) [(off) / 4] = VTD_REG_##name + 1,
#define REG64(name, off, ...) \
    [(off) / 4] = VTD_REG_##name + 1, [(off) / 4 + 1] = VTD_REG_##name + 1,
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
};

/* What the table must hold for the code here and in inspect.c. */
#define DISJOINT(name, rw, w1c) \
    _Static_assert(((rw) & (w1c)) == 0, #name ": a bit is both rw and w1c");
#define REG32(name, off, reset, rw, w1c, ...)                            \
    DISJOINT(name, rw, w1c)                                              \
    _Static_assert((off) % 4 == 0, #name ": misaligned");                \
    _Static_assert((UINT64_C(0) | (reset) | (rw) | (w1c)) <= UINT32_MAX, \
                   #name ": wide");
#define REG64(name, off, reset, rw, w1c, ...) \
    DISJOINT(name, rw, w1c)                   \
    _Static_assert((off) % 8 == 0, #name ": misaligned");
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
_Static_assert(VTD_REG_COUNT < UINT8_MAX, "reg_at cannot name every register");

void
vtd_regs_reset(struct vtd *vtd)
{
    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        const struct vtd_reg_desc *desc = &vtd_reg_table[i];

        if (desc->size == 8) {
            vtd_reg64_set(vtd, desc->off, desc->reset);
        } else {
            vtd_reg32_set(vtd, desc->off, desc->reset);
        }
    }
}

uint64_t
vtd_mmio_read(struct vtd *vtd, uint32_t off, unsigned size)
{
    unsigned shift = off % 8 * 8;
    uint64_t val;

    assert(off < VTD_MMIO_SIZE && size - 1 < 8);
    val = vtd->page[off / 8] >> shift;
    if (off % 8 + size > 8) {
        val |= vtd->page[off / 8 + 1] << (64 - shift);
    }
    val &= UINT64_MAX >> (64 - 8 * size);
    vtd->stat[VTD_STAT_MMIO_READ]++;
    VTD_TRACE(vtd, MMIO_READ, off, size, val, 0);
    return val;
}

/* Write the bits of @mask, which are whole dwords, to register @id. */
static void
reg_write(struct vtd *vtd, unsigned id, uint64_t val, uint64_t mask)
{
    const struct vtd_reg_desc *desc = &vtd_reg_table[id];
    unsigned shift = desc->off % 8 * 8;
    uint64_t *qword = &vtd->page[desc->off / 8];
    uint64_t rw = vtd->rw[id] & mask;
    uint64_t w1c = desc->w1c & mask & val;
    uint64_t old = *qword;

    *qword = ((old & ~(rw << shift)) | (val & rw) << shift) & ~(w1c << shift);
    if (desc->on_write) {
        old >>= shift;
        desc->on_write(vtd, desc->size == 8 ? old : (uint32_t)old, val & mask);
    }
}

/*
 * A write that covers two registers takes the higher one first: then data are
 * in place when a control register below them is unmasked by the same write.
 */
void
vtd_mmio_write(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    /* The dwords that the access covers wholly, at most two. */
    unsigned first = (off + 3) / 4;
    unsigned dword = (off + size) / 4;

    assert(off < VTD_MMIO_SIZE && size - 1 < 8);
    vtd->stat[VTD_STAT_MMIO_WRITE]++;
    VTD_TRACE(vtd, MMIO_WRITE, off, size, val, 0);
    if ((off | size) % 4) {
        vtd->stat[VTD_STAT_MMIO_BAD]++;
    }
    if (dword > VTD_MMIO_SIZE / 4) {
        dword = VTD_MMIO_SIZE / 4;
    }
    while (dword > first) {
        unsigned id = reg_at[--dword];
        uint64_t mask = UINT32_MAX;
        unsigned up = 0;

        if (id == 0) {
            continue;
        }
        if (dword % 2 != 0 && vtd_reg_table[id - 1].size == 8) {
            if (dword > first) {
                dword--;
                mask = UINT64_MAX;
            } else {
                up = 32;
                mask <<= up;
            }
        }
        reg_write(vtd, id - 1, val >> (dword * 4 - off) * 8 << up, mask);
    }
}
