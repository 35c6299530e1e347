/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/gmem.h"

#include <assert.h>
#include <emmintrin.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

#define PAGE_SHIFT 12
#define PAGE_BYTES (1u << PAGE_SHIFT)

void
gmem_open(struct gmem *gmem, struct xenforeignmemory_handle *fmem,
          uint16_t domid)
{
    *gmem = (struct gmem){ .fmem = fmem, .domid = domid };
}

static void
slot_drop(struct gmem *gmem, struct gmem_slot *slot)
{
    /*
     * One page a mapping: the kernel can only take down a foreign mapping as
     * a whole, and gives up on the pages of one that is cut.
     */
    if (slot->page)
        (void)xenforeignmemory_unmap(gmem->fmem, slot->page, 1);
    slot->page = NULL;
}

void
gmem_drop(struct gmem *gmem)
{
    for (unsigned i = 0; i < GMEM_SETS; i++) {
        for (unsigned j = 0; j < GMEM_WAYS; j++)
            slot_drop(gmem, &gmem->set[i].way[j]);
    }
}

void
gmem_close(struct gmem *gmem)
{
    gmem_drop(gmem);
    gmem->closed = true;
}

static uint8_t *
page_map(struct gmem *gmem, uint64_t gfn)
{
    xen_pfn_t pfn = gfn;
    int err = 0;
    void *page = xenforeignmemory_map(gmem->fmem, gmem->domid,
                                      PROT_READ | PROT_WRITE, 1, &pfn, &err);

    /* With @err given, a page that failed leaves a hole in a good mapping. */
    if (page && err) {
        (void)xenforeignmemory_unmap(gmem->fmem, page, 1);
        return NULL;
    }

    return page;
}

/* The page's first byte, or NULL where the guest has no memory. */
static uint8_t *
page_find(struct gmem *gmem, uint64_t gfn)
{
    struct gmem_set *set = &gmem->set[gfn % GMEM_SETS];
    struct gmem_slot *slot = NULL;

    for (unsigned i = 0; i < GMEM_WAYS; i++) {
        if (!set->way[i].page)
            slot = &set->way[i];
        else if (set->way[i].gfn == gfn)
            return set->way[i].page;
    }

    if (gmem->closed)
        return NULL;

    if (!slot) {
        slot = &set->way[set->next];
        set->next = (set->next + 1) % GMEM_WAYS;
        slot_drop(gmem, slot);
    }

    slot->page = page_map(gmem, gfn);
    slot->gfn = gfn;
    return slot->page;
}

/* Whether an access of @len bytes at @gpa is to be a single load or store. */
static bool
single_access(uint64_t gpa, size_t len)
{
    return len && len <= 16 && !(len & (len - 1)) && !(gpa & (len - 1));
}

/* @src is aligned to @len, a power of two up to 16. */
static void
load_single(void *dst, const void *src, size_t len)
{
    __m128i val;

    switch (len) {
    case 1:
        memcpy(dst, &(uint8_t){ *(const volatile uint8_t *)src }, 1);
        break;
    case 2:
        memcpy(dst, &(uint16_t){ *(const volatile uint16_t *)src }, 2);
        break;
    case 4:
        memcpy(dst, &(uint32_t){ *(const volatile uint32_t *)src }, 4);
        break;
    case 8:
        memcpy(dst, &(uint64_t){ *(const volatile uint64_t *)src }, 8);
        break;
    default:
        /*
         * Processors that have AVX, which are those Xen and VT-d are found
         * on today, make an aligned 16-byte load or store a single access.
         */
        __asm__ volatile("movdqa %1, %0"
                         : "=x"(val)
                         : "m"(*(const volatile __m128i *)src));
        memcpy(dst, &val, 16);
        break;
    }
}

/* @dst is aligned to @len, a power of two up to 16. */
static void
store_single(void *dst, const void *src, size_t len)
{
    __m128i val;
    uint64_t word = 0;

    if (len <= 8)
        memcpy(&word, src, len);

    switch (len) {
    case 1:
        *(volatile uint8_t *)dst = (uint8_t)word;
        break;
    case 2:
        *(volatile uint16_t *)dst = (uint16_t)word;
        break;
    case 4:
        *(volatile uint32_t *)dst = (uint32_t)word;
        break;
    case 8:
        *(volatile uint64_t *)dst = word;
        break;
    default:
        memcpy(&val, src, 16);
        __asm__ volatile("movdqa %1, %0"
                         : "=m"(*(volatile __m128i *)dst)
                         : "x"(val));
        break;
    }
}

/* The part of [gpa, gpa + len) that lies in gpa's page. */
static size_t
part_in_page(uint64_t gpa, size_t len)
{
    size_t room = PAGE_BYTES - (gpa & (PAGE_BYTES - 1));

    return len < room ? len : room;
}

static bool
wraps(uint64_t gpa, size_t len)
{
    return len && gpa + (len - 1) < gpa;
}

int
gmem_read(struct gmem *gmem, uint64_t gpa, void *buf, size_t len)
{
    uint8_t *dst = buf;

    if (wraps(gpa, len))
        return -EFAULT;

    while (len) {
        size_t part = part_in_page(gpa, len);
        const uint8_t *page = page_find(gmem, gpa >> PAGE_SHIFT);
        const uint8_t *src;

        if (!page)
            return -EFAULT;

        src = page + (gpa & (PAGE_BYTES - 1));
        if (single_access(gpa, len))
            load_single(dst, src, len);
        else
            memcpy(dst, src, part);

        gpa += part;
        dst += part;
        len -= part;
    }

    return 0;
}

int
gmem_write(struct gmem *gmem, uint64_t gpa, const void *buf, size_t len)
{
    const uint8_t *src = buf;

    if (wraps(gpa, len))
        return -EFAULT;

    while (len) {
        size_t part = part_in_page(gpa, len);
        uint8_t *page = page_find(gmem, gpa >> PAGE_SHIFT);
        uint8_t *dst;

        if (!page)
            return -EFAULT;

        dst = page + (gpa & (PAGE_BYTES - 1));
        if (single_access(gpa, len))
            store_single(dst, src, len);
        else
            memcpy(dst, src, part);

        gpa += part;
        src += part;
        len -= part;
    }

    return 0;
}

/* A page that the guest may only read is not mapped: page_map() asks to write. */
int
gmem_cmpxchg(struct gmem *gmem, uint64_t gpa, uint64_t expected,
             uint64_t desired)
{
    uint8_t *page;
    uint64_t *quad;

    assert(gpa % sizeof(*quad) == 0);
    page = page_find(gmem, gpa >> PAGE_SHIFT);
    if (!page)
        return -EFAULT;

    quad = (void *)(page + (gpa & (PAGE_BYTES - 1)));
    return __atomic_compare_exchange_n(quad, &expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
               ? 0
               : 1;
}
