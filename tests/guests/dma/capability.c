/* SPDX-License-Identifier: GPL-2.0-only */
/* Extended capabilities, which ports 0xcf8 and 0xcfc do not reach. */
#include "tests/guests/dma/engine.h"
#include "tests/guests/lib/cpu.h"

#define CAPABILITY_FIRST 0x100u
#define CAPABILITIES_MAX 48u

/* [PCIe, "ATS", "Page Request" and "PASID Extended Capability"] */
#define CONTROL       0x04u
#define PRI_CAPACITY  0x08u
#define PRI_ALLOCATED 0x0cu
#define ATS_ENABLE    (1u << 31)
#define PASID_ENABLE  (7u << 16) /* and execute, and privileged              */
#define PRI_ENABLE    (1u << 0)

static uint64_t window;

uint32_t
engine_config_read(uint32_t off)
{
    return mmio_read32(window + off);
}

uint32_t
engine_capability(uint16_t id)
{
    uint32_t off = CAPABILITY_FIRST;

    for (unsigned i = 0; off >= CAPABILITY_FIRST && i < CAPABILITIES_MAX; i++) {
        uint32_t head = engine_config_read(off);

        if ((head & 0xffff) == id)
            return off;
        off = head >> 20 & 0xffc;
    }
    return 0;
}

bool
engine_open_ecam(uint64_t ecam)
{
    uint32_t ats;
    uint32_t pri;
    uint32_t pasid;

    window = ecam + ((uint64_t)edu_sid() << 12);
    ats = engine_capability(PCI_EXT_ATS);
    pri = engine_capability(PCI_EXT_PRI);
    pasid = engine_capability(PCI_EXT_PASID);
    if (!ats || !pri || !pasid)
        return false;
    /* A PASID must be on before ATS is. */
    mmio_write32(window + pasid + CONTROL, PASID_ENABLE);
    mmio_write32(window + pri + PRI_ALLOCATED,
                 engine_config_read(pri + PRI_CAPACITY));
    mmio_write32(window + pri + CONTROL, PRI_ENABLE);
    mmio_write32(window + ats + CONTROL, ATS_ENABLE);
    return true;
}
