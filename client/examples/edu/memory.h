/* SPDX-License-Identifier: MIT */
/*
 * Guest memory by guest physical address: for instructions that move between
 * memory and the device, and for the DMA of a device that nothing translates.
 */
#ifndef CLIENT_EXAMPLES_EDU_MEMORY_H
#define CLIENT_EXAMPLES_EDU_MEMORY_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct xenforeignmemory_handle;

/* Pages that stay mapped, each in the place that its number says. */
#define MEMORY_PAGES 64u

struct memory {
    struct xenforeignmemory_handle *fmem;
    uint16_t domid;
    pthread_mutex_t lock;
    struct {
        uint64_t gfn;
        uint8_t *addr; /* NULL: nothing */
    } page[MEMORY_PAGES];
};

void memory_init(struct memory *memory, struct xenforeignmemory_handle *fmem,
                 uint16_t domid);
void memory_destroy(struct memory *memory);

/* 0, or -EFAULT: the guest has no memory there.  May block while mapping. */
int memory_read(struct memory *memory, uint64_t gpa, void *buf, size_t len);
int memory_write(struct memory *memory, uint64_t gpa, const void *buf,
                 size_t len);

/* Unmap all: the guest's pages may be others now. */
void memory_forget(struct memory *memory);

#endif
