/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device's registers, by whoever has mapped them. */
#ifndef TESTS_VFIO_EDU_H
#define TESTS_VFIO_EDU_H

#include <stdbool.h>
#include <stdint.h>

#include "client/examples/edu/edu-regs.h"

uint32_t edu_read4(const void *bar, unsigned reg);
void edu_write4(void *bar, unsigned reg, uint32_t value);
uint64_t edu_read8(const void *bar, unsigned reg);
void edu_write8(void *bar, unsigned reg, uint64_t value);

enum edu_way {
    EDU_FROM_GUEST,
    EDU_INTO_GUEST
};

/*
 * Copy @len bytes between @iova and the device's buffer from @off on; @more is
 * 0 or EDU_DMA_IRQ.  Waits until it is over: false after some seconds.
 */
bool edu_dma_more(void *bar, enum edu_way way, uint64_t iova, unsigned off,
                  unsigned len, unsigned more);
bool edu_dma(void *bar, enum edu_way way, uint64_t iova, unsigned off,
             unsigned len);

#endif
