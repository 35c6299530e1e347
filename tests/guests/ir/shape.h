/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ways to touch memory: one instruction each, for an emulator to make sense
 * of.  Widths are in bytes: 1, 2, 4 or 8.
 */
#ifndef TESTS_GUESTS_IR_SHAPE_H
#define TESTS_GUESTS_IR_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

uint64_t shape_load(uint64_t addr, unsigned width);
void shape_store(uint64_t addr, unsigned width, uint64_t val);

/* 16 bytes by one SSE instruction; what is stored was loaded before. */
void shape_load16(uint64_t addr);
void shape_store16(uint64_t addr);

/* Repeated string instructions; @down sets the direction flag. */
struct shape_string {
    uint64_t src;
    uint64_t dst;
    uint64_t count;
    unsigned width;
    bool down;
};

void shape_movs(const struct shape_string *s);
void shape_stos(const struct shape_string *s, uint64_t val);
void shape_lods(const struct shape_string *s);
void shape_scas(const struct shape_string *s, uint64_t val);

/* Read, modify, write; what the locked instructions store is @val. */
void shape_xchg(uint64_t addr, unsigned width, uint64_t val);
void shape_cmpxchg(uint64_t addr, unsigned width, uint64_t val);
void shape_cmpxchg16b(uint64_t addr);
void shape_xadd(uint64_t addr, unsigned width, uint64_t val);
void shape_or(uint64_t addr, unsigned width, uint64_t val);
void shape_bts(uint64_t addr, uint32_t bit);

/* Memory operands of instructions that use the stack as well. */
void shape_push_pop(uint64_t addr);

#endif
