/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/vfio/edu.h"

#include <unistd.h>

static const volatile void *
at(const void *bar, unsigned reg)
{
    return (const volatile char *)bar + reg;
}

static volatile void *
at_rw(void *bar, unsigned reg)
{
    return (volatile char *)bar + reg;
}

uint32_t
edu_read4(const void *bar, unsigned reg)
{
    return *(const volatile uint32_t *)at(bar, reg);
}

void
edu_write4(void *bar, unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)at_rw(bar, reg) = value;
}

uint64_t
edu_read8(const void *bar, unsigned reg)
{
    return *(const volatile uint64_t *)at(bar, reg);
}

void
edu_write8(void *bar, unsigned reg, uint64_t value)
{
    *(volatile uint64_t *)at_rw(bar, reg) = value;
}

bool
edu_dma_more(void *bar, enum edu_way way, uint64_t iova, unsigned off,
             unsigned len, unsigned more)
{
    uint64_t inside = EDU_BUFFER + off;
    bool into = way == EDU_INTO_GUEST;
    int i;

    edu_write8(bar, EDU_DMA_SRC, into ? inside : iova);
    edu_write8(bar, EDU_DMA_DST, into ? iova : inside);
    edu_write8(bar, EDU_DMA_COUNT, len);
    edu_write8(bar, EDU_DMA_CMD,
               EDU_DMA_RUN | (into ? EDU_DMA_TO_GUEST : 0) | more);
    for (i = 0; i < 5000; i++) {
        if (!(edu_read8(bar, EDU_DMA_CMD) & EDU_DMA_RUN)) {
            return true;
        }
        usleep(i < 4 ? 0 : 1000);
    }
    return false;
}

bool
edu_dma(void *bar, enum edu_way way, uint64_t iova, unsigned off, unsigned len)
{
    return edu_dma_more(bar, way, iova, off, len, 0);
}
