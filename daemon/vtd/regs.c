/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/regs.h"

#include <assert.h>
#include <string.h>

#include "daemon/vtd/caps.h"
#include "daemon/vtd/event.h"
#include "daemon/vtd/fault.h"
#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/inspect.h"
#include "daemon/vtd/pmr.h"
#include "daemon/vtd/prq.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/reginv.h"

const struct vtd_reg_desc vtd_reg_table[VTD_REG_COUNT] = {
#define REG(id, offset, bytes, init, rw_mask, w1c_mask, fields, cap) \
    [VTD_REG_##id] = { .name = #id,                                  \
                       .off = (offset),                              \
                       .size = (bytes),                              \
                       .layout = VTD_LAYOUT_##fields,                \
                       .need = VTD_NEED_##cap,                       \
                       .reset = (init),                              \
                       .rw = (rw_mask),                              \
                       .w1c = (w1c_mask) },
#define REG32(name, off, reset, rw, w1c, on_write, layout, need) \
    REG(name, off, 4, reset, rw, w1c, layout, need)
#define REG64(name, off, reset, rw, w1c, on_write, layout, need) \
    REG(name, off, 8, reset, rw, w1c, layout, need)
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
#undef REG
};

/* Dwords of the page that are the lower one of a register of two. */
static const bool is_qword[VTD_PAGE_DWORDS] = {
#define REG32(name, ...)
#define REG64(name, off, ...) [(off) / 4] = true,
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
};

/* What a write to a dword of the page does besides. */
static vtd_reg_hook *const hook_at[VTD_PAGE_DWORDS] = {
#define REG32(name, off, reset, rw, w1c, on_write, ...) \
    [(off) / 4] = (on_write),
#define REG64(name, off, reset, rw, w1c, on_write, ...) \
    [(off) / 4] = (on_write), [(off) / 4 + 1] = (on_write),
#include "daemon/vtd/regs.def"
#undef REG32
#undef REG64
};

/* The page again: bits that are cleared by writing one. */
static const uint32_t w1c_at[VTD_PAGE_DWORDS] = {
#define REG32(name, off, reset, rw, w1c, ...) [(off) / 4] = (w1c),
#define REG64(name, off, reset, rw, w1c, ...) \
    [(off) / 4] = (uint32_t)(w1c),            \
             [(off) / 4 + 1] = (uint32_t)((uint64_t)(w1c) >> 32),
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

bool
vtd_reg_is_present(const struct vtd_config *config, unsigned row)
{
    if (vtd_reg_table[row].need == VTD_NEED_RECORD) {
        return (row - VTD_REG_FRCD0_LO) / 2 < config->fault_records;
    }
    return vtd_caps_have(config, vtd_reg_table[row].need);
}

void
vtd_regs_reset(struct vtd *vtd)
{
    for (unsigned i = 0; i < VTD_REG_COUNT; i++) {
        const struct vtd_reg_desc *desc = &vtd_reg_table[i];
        uint64_t val = vtd_reg_is_present(&vtd->config, i) ? desc->reset : 0;

        vtd_reg32_set(vtd, desc->off, val);
        if (desc->size == 8) {
            vtd_reg32_set(vtd, desc->off + 4, val >> 32);
        }
    }
}

static uint64_t
load64(const void *from)
{
    uint64_t val;

    memcpy(&val, from, sizeof(val));
    return val;
}

/* Out of line, so that a read which is not traced needs no stack. */
static __attribute__((noinline)) uint64_t
read_traced(const struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    vtd_trace_emit(vtd, VTD_EV_MMIO_READ, off, size, val, 0);
    return val;
}

uint64_t
vtd_mmio_read(struct vtd *vtd, uint32_t off, unsigned size)
{
    uint64_t val;

    assert(off < VTD_MMIO_SIZE && size - 1 < 8);
    vtd->stat[VTD_STAT_MMIO_READ]++;
    val = load64((const uint8_t *)vtd->page + off);
    val &= UINT64_MAX >> (64 - 8 * size);
    if (__builtin_expect(vtd->trace != NULL, 0)) {
        return read_traced(vtd, off, size, val);
    }
    return val;
}

/* Call the hook of dword @at; the second one is the register's upper half. */
static __attribute__((noinline)) void
call_dword_hook(vtd_reg_hook *hook, struct vtd *vtd, unsigned at,
                uint64_t written, uint64_t cleared)
{
    unsigned up = at != 0 && is_qword[at - 1] ? 32 : 0;

    hook(vtd, written << up, cleared << up);
}

static inline void
write_dword(struct vtd *vtd, unsigned at, uint32_t val)
{
    uint32_t rw = vtd->rw[at];
    uint32_t w1c = w1c_at[at] & val;
    uint32_t old = vtd->page[at];
    vtd_reg_hook *hook = hook_at[at];

    vtd->page[at] = ((old & ~rw) | (val & rw)) & ~w1c;
    if (hook) {
        call_dword_hook(hook, vtd, at, val, old & w1c);
    }
}

/* Both dwords of one register: its hook sees the whole value, once. */
static inline void
write_qword(struct vtd *vtd, unsigned at, uint64_t val)
{
    uint64_t rw = load64(&vtd->rw[at]);
    uint64_t w1c = load64(&w1c_at[at]) & val;
    uint64_t old = load64(&vtd->page[at]);
    uint64_t now = ((old & ~rw) | (val & rw)) & ~w1c;

    memcpy(&vtd->page[at], &now, sizeof(now));
    if (hook_at[at]) {
        hook_at[at](vtd, val, old & w1c);
    }
}

/*
 * An access of another shape than one aligned dword or one whole register.
 * If it covers dwords of two registers the higher one is first: then data are
 * in place when a control register below them is unmasked by the same write.
 */
static __attribute__((noinline)) void
write_split(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    /* The dwords that the access covers wholly, at most two. */
    unsigned first = (off + 3) / 4;
    unsigned end = (off + size) / 4;

    if ((off | size) % 4) {
        vtd->stat[VTD_STAT_MMIO_BAD]++;
    }
    if (end > VTD_MMIO_SIZE / 4) {
        end = VTD_MMIO_SIZE / 4;
    }
    val >>= (first * 4 - off) * 8;
    if (end - first == 2) {
        write_dword(vtd, first + 1, (uint32_t)(val >> 32));
    }
    if (end > first) {
        write_dword(vtd, first, (uint32_t)val);
    }
}

static inline __attribute__((always_inline)) void
write_any(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    if (size == 4 && off % 4 == 0) {
        write_dword(vtd, off / 4, (uint32_t)val);
    } else if (size == 8 && off % 8 == 0 && is_qword[off / 4]) {
        write_qword(vtd, off / 4, val);
    } else {
        write_split(vtd, off, size, val);
    }
}

/* Out of line, so that a write which is not traced needs no stack. */
static __attribute__((noinline)) void
write_traced(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    vtd_trace_emit(vtd, VTD_EV_MMIO_WRITE, off, size, val, 0);
    write_any(vtd, off, size, val);
}

void
vtd_mmio_write(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val)
{
    assert(off < VTD_MMIO_SIZE && size - 1 < 8);
    vtd->stat[VTD_STAT_MMIO_WRITE]++;
    if (__builtin_expect(vtd->trace != NULL, 0)) {
        write_traced(vtd, off, size, val);
    } else {
        write_any(vtd, off, size, val);
    }
}
