/* SPDX-License-Identifier: MIT */
#include "client/examples/edu/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096u

void
memory_init(struct memory *memory, struct xenforeignmemory_handle *fmem,
            uint16_t domid)
{
    *memory = (struct memory){ .fmem = fmem, .domid = domid };
    pthread_mutex_init(&memory->lock, NULL);
}

void
memory_destroy(struct memory *memory)
{
    memory_forget(memory);
    pthread_mutex_destroy(&memory->lock);
}

static void
page_unmap(struct memory *memory, unsigned i)
{
    if (memory->page[i].addr) {
        (void)xenforeignmemory_unmap(memory->fmem, memory->page[i].addr, 1);
    }
    memory->page[i].addr = NULL;
}

void
memory_forget(struct memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    for (unsigned i = 0; i < MEMORY_PAGES; i++) {
        page_unmap(memory, i);
    }
    pthread_mutex_unlock(&memory->lock);
}

static uint8_t *
page_find(struct memory *memory, uint64_t gfn)
{
    unsigned i = (unsigned)(gfn % MEMORY_PAGES);
    xen_pfn_t pfn = gfn;
    int error = 0;

    if (!memory->page[i].addr || memory->page[i].gfn != gfn) {
        page_unmap(memory, i);
        memory->page[i].gfn = gfn;
        memory->page[i].addr =
            xenforeignmemory_map(memory->fmem, memory->domid,
                                 PROT_READ | PROT_WRITE, 1, &pfn, &error);
        if (error) {
            page_unmap(memory, i);
        }
    }
    return memory->page[i].addr;
}

/* To @to or from @from: one of them is NULL. */
static int
copy(struct memory *memory, uint64_t gpa, uint8_t *to, const uint8_t *from,
     size_t len)
{
    size_t done = 0;
    int rc = 0;

    pthread_mutex_lock(&memory->lock);
    while (done < len && !rc) {
        size_t off = (gpa + done) % PAGE_SIZE;
        size_t left = PAGE_SIZE - off;
        size_t n = len - done < left ? len - done : left;
        uint8_t *page = page_find(memory, (gpa + done) >> PAGE_SHIFT);

        if (!page) {
            rc = -EFAULT;
        } else if (to) {
            memcpy(to + done, page + off, n);
        } else {
            memcpy(page + off, from + done, n);
        }
        done += n;
    }
    pthread_mutex_unlock(&memory->lock);
    return rc;
}

int
memory_read(struct memory *memory, uint64_t gpa, void *buf, size_t len)
{
    return copy(memory, gpa, buf, NULL, len);
}

int
memory_write(struct memory *memory, uint64_t gpa, const void *buf, size_t len)
{
    return copy(memory, gpa, NULL, buf, len);
}
