/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory, through a cache of page mappings whose size is fixed.
 *
 * The guest's bytes change while we look: every function copies, and nothing
 * here hands out a pointer.  A mapping keeps the guest's page allocated after
 * the guest gave it back, hence gmem_drop() on IOREQ_TYPE_INVALIDATE.
 */
#ifndef DAEMON_XEN_GMEM_H
#define DAEMON_XEN_GMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xenforeignmemory_handle;

/*
 * 512 KiB.  A guest's queue, its wait status and the entries it uses of its
 * interrupt remapping table are a handful of pages; one that goes through a
 * whole table (256 pages) pays for mapping it.
 */
#define GMEM_SETS 32u
#define GMEM_WAYS 4u

struct gmem_slot {
    uint64_t gfn;
    uint8_t *page; /* NULL: the slot is empty */
};

struct gmem_set {
    struct gmem_slot way[GMEM_WAYS];
    unsigned next; /* way to give up when all are taken */
};

struct gmem {
    struct xenforeignmemory_handle *fmem;
    uint16_t domid;
    bool closed;
    struct gmem_set set[GMEM_SETS];
};

void gmem_open(struct gmem *gmem, struct xenforeignmemory_handle *fmem,
               uint16_t domid);

/* Nothing is mapped after either; gmem_drop()'s cache fills again on use. */
void gmem_drop(struct gmem *gmem);
void gmem_close(struct gmem *gmem);

/*
 * Copy @len bytes, across pages if need be.  A naturally aligned access of up
 * to 16 bytes is one single load or store.  0, or -EFAULT where the guest has
 * no memory; then some of the bytes may have been copied.
 */
int gmem_read(struct gmem *gmem, uint64_t gpa, void *buf, size_t len);
int gmem_write(struct gmem *gmem, uint64_t gpa, const void *buf, size_t len);

/*
 * Atomically replace the aligned quadword at @gpa by @desired if it is
 * @expected.  0 if it was, 1 if it was not, or -EFAULT where the guest has no
 * memory that can be written.
 */
int gmem_cmpxchg(struct gmem *gmem, uint64_t gpa, uint64_t expected,
                 uint64_t desired);

#endif
