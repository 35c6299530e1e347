/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/lib/unit.h"

#include <stddef.h>

#include "tests/guests/lib/cpu.h"

#define GCMD_LASTING (GCMD_TE | GCMD_QIE | GCMD_IRE | GCMD_CFI)
#define FSTS_ERRORS  0x71u /* PFO, IQE, ICE, ITE: write 1 to clear          */

#define COMMAND_US 1000000u

static uint64_t base = UNIT_BASE_DEFAULT;
static uint32_t command; /* lasting bits of GCMD, as last written           */

void
unit_set_base(uint64_t addr)
{
    base = addr;
}

uint64_t
unit_base(void)
{
    return base;
}

uint32_t
unit_read32(uint32_t off)
{
    return mmio_read32(base + off);
}

uint64_t
unit_read64(uint32_t off)
{
    return mmio_read64(base + off);
}

void
unit_write32(uint32_t off, uint32_t val)
{
    mmio_write32(base + off, val);
}

void
unit_write64(uint32_t off, uint64_t val)
{
    mmio_write64(base + off, val);
}

bool
unit_command(uint32_t bit, bool set)
{
    uint64_t start = time_us();

    command = set ? command | bit : command & ~bit;
    unit_write32(VTD_GCMD, command);
    command &= GCMD_LASTING;
    while (!(unit_read32(VTD_GSTS) & bit) == set)
        if (time_us() - start > COMMAND_US)
            return false;
    return true;
}

static void
faults_clear(void)
{
    uint64_t cap;

    if (!unit_read32(VTD_FSTS))
        return;
    cap = unit_read64(VTD_CAP);
    for (unsigned i = 0; i < CAP_NFR(cap); i++)
        unit_write32((uint32_t)CAP_FRO(cap) + i * 16 + 12, 1u << 31);
    unit_write32(VTD_FSTS, FSTS_ERRORS);
}

bool
unit_stop(void)
{
    static const uint32_t order[] = { GCMD_TE, GCMD_CFI, GCMD_IRE, GCMD_QIE };
    bool ok = true;

    command = unit_read32(VTD_GSTS) & GCMD_LASTING;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (command & order[i])
            ok = unit_command(order[i], false) && ok;
    return ok;
}

bool
unit_reset(void)
{
    bool ok = unit_stop();

    unit_write32(VTD_FECTL, EVENT_IM);
    unit_write32(VTD_IECTL, EVENT_IM);
    unit_write32(VTD_FEUADDR, 0);
    unit_write32(VTD_IEUADDR, 0);
    faults_clear();
    unit_write32(VTD_ICS, ICS_IWC);
    return ok;
}

bool
unit_start(void)
{
    bool ok = unit_reset();

    for (unsigned which = 0; which < TABLES; which++)
        table_clear(which, 7);
    return queue_start(0) && table_latch(0, 7) &&
           unit_command(GCMD_IRE, true) && ok;
}
