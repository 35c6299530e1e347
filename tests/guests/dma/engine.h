/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device's DMA, and the memory that it copies. */
#ifndef TESTS_GUESTS_DMA_ENGINE_H
#define TESTS_GUESTS_DMA_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/dma/paging.h"
#include "tests/guests/lib/edu.h"

/* --- guest memory ----------------------------------------------------------- */

/* Pages in a row, of no other use. */
#define FRAMES 64u
uint64_t frame_gpa(unsigned frame);
volatile uint64_t *frame_quads(unsigned frame);

/* Bytes that depend on @seed and their place in the frame. */
void frame_fill(unsigned frame, uint8_t seed);

/* Whether [@off, @off + @len) of the frame is as frame_fill() made it. */
bool frame_has(unsigned frame, uint8_t seed, unsigned off, unsigned len);

/* --- the device -------------------------------------------------------------- */

/* It has the registers behind EDU_PASID. */
bool engine_is_extended(void);

/*
 * No DMA, no mode, no PASID.  Before each test; false: the device does not
 * stop.
 */
bool engine_reset(void);

/* EDU_MODE_*, and a value of EDU_PASID (0: no PASID) for what is started now. */
void engine_set_mode(uint32_t mode);
void engine_set_pasid(uint32_t pasid);

/* Guest to buffer, or buffer to guest.  False: it does not end. */
bool engine_read(uint64_t iova, uint32_t len);
bool engine_write(uint64_t iova, uint32_t len);

/* The same without waiting; @flags: EDU_DMA_IRQ. */
void engine_start_read(uint64_t iova, uint32_t len, uint32_t flags);
void engine_start_write(uint64_t iova, uint32_t len, uint32_t flags);
bool engine_wait(void);

/* --- capabilities ------------------------------------------------------------ */

/*
 * Configuration space at @ecam, as the first bus's window; find the device's
 * capabilities there, and turn them on.  False: it lacks one.
 */
bool engine_open_ecam(uint64_t ecam);

/* Offset in that window, 0: it has none. */
#define PCI_EXT_ATS   0x0fu
#define PCI_EXT_PRI   0x13u
#define PCI_EXT_PASID 0x1bu
uint32_t engine_capability(uint16_t id);
uint32_t engine_config_read(uint32_t off);

#endif
