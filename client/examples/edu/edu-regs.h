/* SPDX-License-Identifier: MIT */
/*
 * The registers of the edu device, PCI 1234:11e8, in a BAR 0 of 1 MiB: as QEMU
 * documents them, and behind 0xa0 some of our own that only show up with
 * --extended.  Accesses below 0x80 are of 4 bytes, others of 4 or 8.
 */
#ifndef EDU_REGS_H
#define EDU_REGS_H

#define EDU_BAR_SIZE 0x100000u

#define EDU_ID         0x00 /* RO 0x010000ed */
#define EDU_LIVENESS   0x04 /* RW: reads as the inverse of what was written */
#define EDU_FACTORIAL  0x08 /* RW: reads as n! of n, once computed */
#define EDU_STATUS     0x20 /* RW */
#define EDU_IRQ_STATUS 0x24 /* RO: why an interrupt is raised */
#define EDU_IRQ_RAISE  0x60 /* WO: set bits, raise it */
#define EDU_IRQ_ACK    0x64 /* WO: clear bits */
#define EDU_DMA_SRC    0x80 /* RW, 8 bytes, as the following */
#define EDU_DMA_DST    0x88
#define EDU_DMA_COUNT  0x90
#define EDU_DMA_CMD    0x98

#define EDU_STATUS_COMPUTING 0x01u
#define EDU_STATUS_IRQ       0x80u /* raise one when the factorial is there */
#define EDU_IRQ_FACTORIAL    0x001u
#define EDU_IRQ_DMA          0x100u
#define EDU_DMA_RUN          0x1u /* reads as 1 until it is done */
#define EDU_DMA_TO_GUEST     0x2u /* else from guest memory to the buffer */
#define EDU_DMA_IRQ          0x4u

/* 4 KiB that DMA copies from and to; not accessible otherwise. */
#define EDU_BUFFER      0x40000u
#define EDU_BUFFER_SIZE 4096u

/* --- with --extended ------------------------------------------------------- */

/* How DMA is attributed: a PASID if VALID. */
#define EDU_PASID            0xa0 /* RW, 4 bytes */
#define EDU_PASID_VALUE      0x000fffffu
#define EDU_PASID_EXEC       0x20000000u /* reads are for execution, too */
#define EDU_PASID_PRIVILEGED 0x40000000u
#define EDU_PASID_VALID      0x80000000u

#define EDU_MODE     0xa4 /* RW, 4 bytes */
#define EDU_MODE_ATS 0x1u /* translate first, keep it in the device TLB */
#define EDU_MODE_PRI 0x2u /* what is not translated: request it, try again */
#define EDU_MODE_REPEAT \
    0x4u /* DMA runs again and again until RUN is cleared;  */
         /* TO_GUEST then writes 8 bytes each time, whatever */
         /* the count: what EDU_DMA_DONE is once it is done  */
#define EDU_MODE_NO_ACK 0x8u /* never acknowledge an invalidation */

/*
 * RO, 4 bytes: 0, the VT-d fault reason of the last DMA, or -errno.  -EINVAL:
 * beyond the buffer or the mask; -EPERM: not enabled in configuration space;
 * -EACCES: ATS did not permit it, or page requests did not help; -ETIMEDOUT:
 * no answer to one; -EFAULT: no memory; -ESHUTDOWN: the device is cut off.
 */
#define EDU_DMA_RESULT 0xa8

/* RO, 8 bytes: DMAs that ended without a fault, and that met one. */
#define EDU_DMA_DONE   0xb0
#define EDU_DMA_FAULTS 0xb8

/* RO, 8 bytes: entries of the device TLB; page requests sent; answered 0. */
#define EDU_TLB_ENTRIES   0xc0
#define EDU_PAGE_REQUESTS 0xc8
#define EDU_PAGE_SUCCESS  0xd0

#endif
