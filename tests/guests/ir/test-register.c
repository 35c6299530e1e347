/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/ir/tests.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

static void
identity(void)
{
    uint64_t cap = unit_read64(VTD_CAP);
    uint64_t ecap = unit_read64(VTD_ECAP);

    expect(unit_read32(VTD_VER) >> 4 & 0xf, "a major version");
    expect_eq("CAP.SAGAW", 0, CAP_SAGAW(cap));
    expect_eq("ECAP.QI and IR", ECAP_QI | ECAP_IR, ecap & (ECAP_QI | ECAP_IR));
    expect_eq("ECAP.MHMV", 15, ECAP_MHMV(ecap));
    expect(CAP_FRO(cap) + CAP_NFR(cap) * 16 <= UNIT_SIZE,
           "fault records are in the page");
}

/* The registers that the specification makes read-only. */
static void
read_only(void)
{
    static const uint16_t reg[] = { VTD_VER,  VTD_CAP,      VTD_CAP + 4,
                                    VTD_ECAP, VTD_ECAP + 4, VTD_GSTS,
                                    VTD_IQH,  VTD_IQH + 4,  VTD_IQERCD };

    for (size_t i = 0; i < sizeof(reg) / sizeof(reg[0]); i++) {
        uint32_t before = unit_read32(reg[i]);

        unit_write32(reg[i], ~0u);
        expect_eq("after all ones", before, unit_read32(reg[i]));
        unit_write32(reg[i], 0);
        expect_eq("after zero", before, unit_read32(reg[i]));
    }
}

static void
reserved_bits(void)
{
    uint64_t eime = unit_read64(VTD_ECAP) & ECAP_EIM ? IRTA_EIME : 0;

    expect(unit_stop(), "the unit stops");
    unit_write64(VTD_IRTA, ~0ull);
    expect_eq("IRTA[11:0]", 0xf | eime, unit_read64(VTD_IRTA) & 0xfff);
    unit_write64(VTD_IQA, ~0ull);
    expect_eq("IQA[11:0]", 0x7, unit_read64(VTD_IQA) & 0xfff);
    unit_write32(VTD_FEADDR, ~0u);
    expect_eq("FEADDR", ~3u, unit_read32(VTD_FEADDR));
    unit_write32(VTD_IEADDR, ~0u);
    expect_eq("IEADDR", ~3u, unit_read32(VTD_IEADDR));
    unit_write32(VTD_FECTL, ~0u);
    expect_eq("FECTL", EVENT_IM, unit_read32(VTD_FECTL));
    unit_write32(VTD_IECTL, ~0u);
    expect_eq("IECTL", EVENT_IM, unit_read32(VTD_IECTL));
}

/* Every piece of CAP, read alone, is that piece of CAP. */
static void
pieces(void)
{
    uint64_t addr = unit_base() + VTD_CAP;
    uint64_t cap = unit_read64(VTD_CAP);
    uint8_t byte;
    uint16_t word;

    for (unsigned i = 0; i < 8; i++) {
        __asm__ volatile("movb (%1), %0"
                         : "=q"(byte)
                         : "r"(addr + i)
                         : "memory");
        expect_eq("byte", cap >> 8 * i & 0xff, byte);
    }
    for (unsigned i = 0; i < 7; i++) {
        __asm__ volatile("movw (%1), %0"
                         : "=r"(word)
                         : "r"(addr + i)
                         : "memory");
        expect_eq("word", cap >> 8 * i & 0xffff, word);
    }
    for (unsigned i = 0; i < 5; i++)
        expect_eq("dword", cap >> 8 * i & 0xffffffff, mmio_read32(addr + i));
}

/* A register written is the register read, in halves and as a whole. */
static void
halves(void)
{
    const uint64_t val = 0x123456789000ull;

    expect(unit_stop(), "the unit stops");
    unit_write64(VTD_IQA, val);
    expect_eq("low half", (uint32_t)val, unit_read32(VTD_IQA));
    expect_eq("high half", val >> 32, unit_read32(VTD_IQA + 4));
    unit_write32(VTD_IQA, 0x55555000);
    expect_eq("low half written", 0x123455555000ull, unit_read64(VTD_IQA));
    unit_write32(VTD_IQA + 4, 0x2aaa);
    expect_eq("high half written", 0x2aaa55555000ull, unit_read64(VTD_IQA));
}

/* GSTS with its one-shot bits comes back as the command: harmless. */
static void
one_shot_again(void)
{
    uint32_t status = unit_read32(VTD_GSTS);

    expect_eq("GSTS.QIES, IRES, IRTPS", GCMD_QIE | GCMD_IRE | GCMD_SIRTP,
              status & (GCMD_QIE | GCMD_IRE | GCMD_SIRTP));
    unit_write32(VTD_GCMD, status);
    expect_eq("GSTS afterwards", status, unit_read32(VTD_GSTS));
    expect(unit_flush_all(), "the queue works");
    expect_route_works(9, 0);
}

const struct test register_tests[] = {
    { "register-identity", identity, false },
    { "register-read-only", read_only, false },
    { "register-reserved-bits", reserved_bits, false },
    { "register-pieces", pieces, false },
    { "register-halves", halves, false },
    { "register-one-shot-again", one_shot_again, false },
    { NULL, NULL, false },
};
