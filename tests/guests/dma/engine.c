/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/guests/dma/engine.h"

#include "tests/guests/lib/cpu.h"

#define DMA_US  5000000u
#define POLL_US 50u

#define NO_REGISTER UINT64_MAX

static uint8_t frames[FRAMES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

uint64_t
frame_gpa(unsigned frame)
{
    return gpa_of(frames[frame]);
}

volatile uint64_t *
frame_quads(unsigned frame)
{
    return (volatile uint64_t *)frames[frame];
}

static uint8_t
byte_of(uint8_t seed, unsigned off)
{
    return (uint8_t)(seed + off * 7 + off / 256 * 13);
}

void
frame_fill(unsigned frame, uint8_t seed)
{
    volatile uint8_t *byte = frames[frame];

    for (unsigned off = 0; off < PAGE_SIZE; off++)
        byte[off] = byte_of(seed, off);
}

bool
frame_has(unsigned frame, uint8_t seed, unsigned off, unsigned len)
{
    const volatile uint8_t *byte = frames[frame];

    for (; len; off++, len--)
        if (byte[off] != byte_of(seed, off))
            return false;
    return true;
}

/* --- the device ------------------------------------------------------------ */

bool
engine_is_extended(void)
{
    return edu_read64(EDU_DMA_DONE) != NO_REGISTER;
}

bool
engine_reset(void)
{
    edu_write64(EDU_DMA_CMD, 0);
    if (!engine_wait())
        return false;
    edu_lower();
    if (engine_is_extended()) {
        engine_set_mode(0);
        engine_set_pasid(0);
    }
    return true;
}

void
engine_set_mode(uint32_t mode)
{
    edu_write32(EDU_MODE, mode);
}

void
engine_set_pasid(uint32_t pasid)
{
    edu_write32(EDU_PASID, pasid);
}

static void
start(uint64_t src, uint64_t dst, uint32_t len, uint32_t cmd)
{
    edu_write64(EDU_DMA_SRC, src);
    edu_write64(EDU_DMA_DST, dst);
    edu_write64(EDU_DMA_COUNT, len);
    edu_write64(EDU_DMA_CMD, EDU_DMA_RUN | cmd);
}

void
engine_start_read(uint64_t iova, uint32_t len, uint32_t flags)
{
    start(iova, EDU_BUFFER, len, flags);
}

void
engine_start_write(uint64_t iova, uint32_t len, uint32_t flags)
{
    start(EDU_BUFFER, iova, len, EDU_DMA_TO_GUEST | flags);
}

/* Each look is an exit to the emulator, who has better things to do. */
bool
engine_wait(void)
{
    uint64_t begin = time_us();

    while (edu_read64(EDU_DMA_CMD) & EDU_DMA_RUN) {
        if (time_us() - begin > DMA_US)
            return false;
        time_sleep_us(POLL_US);
    }
    return true;
}

bool
engine_read(uint64_t iova, uint32_t len)
{
    engine_start_read(iova, len, 0);
    return engine_wait();
}

bool
engine_write(uint64_t iova, uint32_t len)
{
    engine_start_write(iova, len, 0);
    return engine_wait();
}
