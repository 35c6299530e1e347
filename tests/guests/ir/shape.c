/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/ir/shape.h"

/*
 * One instruction per width: in each of these, SUFFIX and the operand's
 * register modifier are all that differs.
 */
#define BY_WIDTH(width, op1, op2, op4, op8) \
    do {                                    \
        switch (width) {                    \
        case 1:                             \
            op1;                            \
            break;                          \
        case 2:                             \
            op2;                            \
            break;                          \
        case 4:                             \
            op4;                            \
            break;                          \
        default:                            \
            op8;                            \
        }                                   \
    } while (0)

#define LOAD(insn)  __asm__ volatile(insn : "=&r"(val) : "r"(addr) : "memory")
#define STORE(insn) __asm__ volatile(insn : : "r"(addr), "r"(val) : "memory")
#define MODIFY(insn) \
    __asm__ volatile(insn : "+r"(val), "+a"(old) : "r"(addr) : "memory", "cc")

uint64_t
shape_load(uint64_t addr, unsigned width)
{
    uint64_t val;

    BY_WIDTH(width, LOAD("movzbl (%1), %k0"), LOAD("movzwl (%1), %k0"),
             LOAD("movl (%1), %k0"), LOAD("movq (%1), %0"));
    return val;
}

void
shape_store(uint64_t addr, unsigned width, uint64_t val)
{
    BY_WIDTH(width, STORE("movb %b1, (%0)"), STORE("movw %w1, (%0)"),
             STORE("movl %k1, (%0)"), STORE("movq %1, (%0)"));
}

/* The compiler uses no vector register, so none needs to be named. */
void
shape_load16(uint64_t addr)
{
    __asm__ volatile("movdqu (%0), %%xmm0" : : "r"(addr) : "memory");
}

void
shape_store16(uint64_t addr)
{
    __asm__ volatile("movdqu %%xmm0, (%0)" : : "r"(addr) : "memory");
}

#define STRING(insn)                                                \
    __asm__ volatile(insn "\n\tcld"                                 \
                     : "+S"(src), "+D"(dst), "+c"(count), "+a"(val) \
                     :                                              \
                     : "memory", "cc")

static void
direction_set(bool down)
{
    if (down)
        __asm__ volatile("std" : : : "memory", "cc");
}

void
shape_movs(const struct shape_string *s)
{
    uint64_t src = s->src;
    uint64_t dst = s->dst;
    uint64_t count = s->count;
    uint64_t val = 0;

    direction_set(s->down);
    BY_WIDTH(s->width, STRING("rep movsb"), STRING("rep movsw"),
             STRING("rep movsl"), STRING("rep movsq"));
}

void
shape_stos(const struct shape_string *s, uint64_t val)
{
    uint64_t src = s->src;
    uint64_t dst = s->dst;
    uint64_t count = s->count;

    direction_set(s->down);
    BY_WIDTH(s->width, STRING("rep stosb"), STRING("rep stosw"),
             STRING("rep stosl"), STRING("rep stosq"));
}

void
shape_lods(const struct shape_string *s)
{
    uint64_t src = s->src;
    uint64_t dst = s->dst;
    uint64_t count = s->count;
    uint64_t val = 0;

    direction_set(s->down);
    BY_WIDTH(s->width, STRING("rep lodsb"), STRING("rep lodsw"),
             STRING("rep lodsl"), STRING("rep lodsq"));
}

void
shape_scas(const struct shape_string *s, uint64_t val)
{
    uint64_t src = s->src;
    uint64_t dst = s->dst;
    uint64_t count = s->count;

    direction_set(s->down);
    BY_WIDTH(s->width, STRING("repne scasb"), STRING("repne scasw"),
             STRING("repne scasl"), STRING("repne scasq"));
}

void
shape_xchg(uint64_t addr, unsigned width, uint64_t val)
{
    uint64_t old = 0;

    BY_WIDTH(width, MODIFY("xchgb %b0, (%2)"), MODIFY("xchgw %w0, (%2)"),
             MODIFY("xchgl %k0, (%2)"), MODIFY("xchgq %0, (%2)"));
}

void
shape_cmpxchg(uint64_t addr, unsigned width, uint64_t val)
{
    uint64_t old = shape_load(addr, width);

    BY_WIDTH(width, MODIFY("lock cmpxchgb %b0, (%2)"),
             MODIFY("lock cmpxchgw %w0, (%2)"),
             MODIFY("lock cmpxchgl %k0, (%2)"),
             MODIFY("lock cmpxchgq %0, (%2)"));
}

void
shape_cmpxchg16b(uint64_t addr)
{
    uint64_t lo = 0;
    uint64_t hi = 0;

    __asm__ volatile("lock cmpxchg16b (%2)"
                     : "+a"(lo), "+d"(hi)
                     : "r"(addr), "b"(0ull), "c"(0ull)
                     : "memory", "cc");
}

void
shape_xadd(uint64_t addr, unsigned width, uint64_t val)
{
    uint64_t old = 0;

    BY_WIDTH(width, MODIFY("lock xaddb %b0, (%2)"),
             MODIFY("lock xaddw %w0, (%2)"), MODIFY("lock xaddl %k0, (%2)"),
             MODIFY("lock xaddq %0, (%2)"));
}

void
shape_or(uint64_t addr, unsigned width, uint64_t val)
{
    uint64_t old = 0;

    BY_WIDTH(width, MODIFY("lock orb %b0, (%2)"), MODIFY("lock orw %w0, (%2)"),
             MODIFY("lock orl %k0, (%2)"), MODIFY("lock orq %0, (%2)"));
}

void
shape_bts(uint64_t addr, uint32_t bit)
{
    __asm__ volatile("lock btsl %1, (%0)"
                     :
                     : "r"(addr), "r"(bit)
                     : "memory", "cc");
}

void
shape_push_pop(uint64_t addr)
{
    __asm__ volatile("pushq (%0)\n\tpopq (%0)" : : "r"(addr) : "memory");
}
