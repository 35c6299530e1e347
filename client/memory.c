/* SPDX-License-Identifier: MIT */
/*
 * Guest memory, mapped when it is first used: 512 pages at once, in chunks of
 * 2 MiB.  A chunk is found without a lock by its number.  What is mapped stays
 * so until viommu_memory_forget(): first no new access finds it, then all that
 * did have come to an end, then it goes.
 */
#include <assert.h>
#include <emmintrin.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "client/internal.h"

int
viommu_memory_open(struct viommu_memory *memory, unsigned bits)
{
    size_t size;
    void *table;

    memory->chunks = UINT64_C(1) << (bits - MEMORY_CHUNK_SHIFT);
    size = memory->chunks * sizeof(*memory->chunk);
    /* Only what is written takes memory: a page for each GiB of the guest. */
    table = mmap(NULL, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table == MAP_FAILED) {
        return -errno;
    }
    memory->chunk = table;
    (void)pthread_mutex_init(&memory->lock, NULL);
    return 0;
}

/* With the lock. */
static void
unmap(struct viommu_memory *memory, struct viommu_mapping *mapping,
      struct viommu_chunk *part)
{
    while (mapping) {
        struct viommu_mapping *next = mapping->next;

        memory->ops->unmap(memory->ctx, mapping->addr, mapping->pages);
        free(mapping);
        mapping = next;
    }
    while (part) {
        struct viommu_chunk *next = part->next;

        free(part);
        part = next;
    }
}

void
viommu_memory_close(struct viommu_memory *memory)
{
    if (!memory->chunk) {
        return;
    }
    unmap(memory, memory->mappings, memory->parts);
    (void)munmap(memory->chunk, memory->chunks * sizeof(*memory->chunk));
    (void)pthread_mutex_destroy(&memory->lock);
}

/* --- mapping: with the lock ------------------------------------------------- */

/*
 * Map @count pages, and note that in the list.  error[i] says which are there;
 * NULL if none is.
 */
static void *
map(struct viommu_memory *memory, uint64_t gfn, size_t count, int *error)
{
    struct viommu_mapping *mapping = malloc(sizeof(*mapping));
    bool any = false;
    void *addr;

    if (!mapping) {
        return NULL;
    }
    memset(error, 0, count * sizeof(*error));
    addr = memory->ops->map(memory->ctx, gfn, count, error);
    if (!addr) {
        free(mapping);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        any = any || error[i] == 0;
    }
    if (!any) {
        memory->ops->unmap(memory->ctx, addr, count);
        free(mapping);
        return NULL;
    }
    *mapping = (struct viommu_mapping){ memory->mappings, addr, gfn, count };
    memory->mappings = mapping;
    return addr;
}

/* A chunk of which some pages are missing.  NULL without memory. */
static struct viommu_chunk *
part_create(struct viommu_memory *memory, char *addr, const int *error)
{
    struct viommu_chunk *part = calloc(1, sizeof(*part));

    if (!part) {
        return NULL;
    }
    for (unsigned i = 0; i < MEMORY_CHUNK_PAGES; i++) {
        part->page[i] = error[i] ? NULL : addr + i * MEMORY_PAGE;
    }
    part->next = memory->parts;
    memory->parts = part;
    return part;
}

static char *
chunk_map(struct viommu_memory *memory, uint64_t number)
{
    uint64_t gfn = number * MEMORY_CHUNK_PAGES;
    int error[MEMORY_CHUNK_PAGES];
    char *addr = map(memory, gfn, MEMORY_CHUNK_PAGES, error);
    char *chunk = addr ? addr + 1 : NULL;

    for (unsigned i = 0; chunk && i < MEMORY_CHUNK_PAGES; i++) {
        if (error[i]) {
            chunk = (char *)part_create(memory, addr, error);
            break;
        }
    }
    __atomic_store_n(&memory->chunk[number], chunk, __ATOMIC_RELEASE);
    return chunk;
}

/* The page was not there; a guest may have got memory since. */
static void
page_map(struct viommu_memory *memory, void **page, uint64_t gfn)
{
    int error;

    __atomic_store_n(page, map(memory, gfn, 1, &error), __ATOMIC_RELEASE);
}

/* --- finding ---------------------------------------------------------------- */

/* Where the byte at @gpa is in @chunk, as far as known. */
static void *
find_in(char *chunk, uint64_t gpa)
{
    unsigned i = gpa >> MEMORY_PAGE_SHIFT & (MEMORY_CHUNK_PAGES - 1);
    char *page;

    if (viommu_memory_is_whole(chunk)) {
        return chunk + viommu_memory_off(gpa);
    }
    if (!chunk) {
        return NULL;
    }
    page = __atomic_load_n(&((struct viommu_chunk *)(void *)chunk)->page[i],
                           __ATOMIC_ACQUIRE);
    return page ? page + (gpa & (MEMORY_PAGE - 1)) : NULL;
}

/* The chunk, or its page, is to be mapped. */
static void *
find_or_map(struct viommu_memory *memory, uint64_t gpa)
{
    uint64_t number = gpa >> MEMORY_CHUNK_SHIFT;
    unsigned i = gpa >> MEMORY_PAGE_SHIFT & (MEMORY_CHUNK_PAGES - 1);
    void *at;
    char *chunk;

    (void)pthread_mutex_lock(&memory->lock);
    chunk = viommu_memory_chunk(memory, gpa);
    if (!chunk) {
        chunk = chunk_map(memory, number);
    }
    at = find_in(chunk, gpa);
    if (chunk && !at) {
        page_map(memory, &((struct viommu_chunk *)(void *)chunk)->page[i],
                 gpa >> MEMORY_PAGE_SHIFT);
        at = find_in(chunk, gpa);
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return at;
}

static __attribute__((noinline)) void *
find_slowly(struct viommu_memory *memory, uint64_t gpa)
{
    void *at;

    if (gpa >> MEMORY_CHUNK_SHIFT >= memory->chunks) {
        return NULL;
    }
    at = find_in(viommu_memory_chunk(memory, gpa), gpa);
    return at ? at : find_or_map(memory, gpa);
}

static inline void *
find(struct viommu_memory *memory, uint64_t gpa)
{
    char *chunk = viommu_memory_chunk(memory, gpa);

    if (__builtin_expect(viommu_memory_is_whole(chunk), 1)) {
        return chunk + viommu_memory_off(gpa);
    }
    return find_slowly(memory, gpa);
}

void *
viommu_memory_find(struct viommu_memory *memory, uint64_t gpa)
{
    return find(memory, gpa);
}

void *
viommu_memory(struct viommu_thread *thread, uint64_t gpa)
{
    return find(&thread->viommu->memory, gpa);
}

/* --- what walks need -------------------------------------------------------- */

/*
 * Two quadwords at once: processors that have AVX, which are those that VT-d is
 * found on today, make of an aligned 16-byte load a single access.
 */
static void
load_two(void *buf, const void *from)
{
    __m128i val;

    __asm__("movdqa %1, %0" : "=x"(val) : "m"(*(const __m128i *)from));
    memcpy(buf, &val, sizeof(val));
}

/* Up to 64 bytes, of one or two pages. */
int
viommu_memory_read(struct viommu_memory *memory, uint64_t gpa, void *buf,
                   size_t len)
{
    char *to = buf;

    while (len > 0) {
        size_t room = MEMORY_PAGE - (gpa & (MEMORY_PAGE - 1));
        size_t part = len < room ? len : room;
        const char *from = find(memory, gpa);

        if (!from) {
            return -EFAULT;
        }
        if (part == 8 && gpa % 8 == 0) {
            uint64_t val = __atomic_load_n((const uint64_t *)(const void *)from,
                                           __ATOMIC_RELAXED);

            memcpy(to, &val, sizeof(val));
        } else if (part == 16 && gpa % 16 == 0) {
            load_two(to, from);
        } else {
            memcpy(to, from, part);
        }
        to += part;
        gpa += part;
        len -= part;
    }
    return 0;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    const uint64_t *at = viommu_memory_quad(ctx, gpa);
    uint64_t val;

    if (__builtin_expect(!at || len != 8 || gpa % 8 != 0, 0)) {
        return viommu_memory_read(ctx, gpa, buf, len);
    }
    val = __atomic_load_n(at, __ATOMIC_RELAXED);
    memcpy(buf, &val, sizeof(val));
    return 0;
}

static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    uint64_t *at = gpa % 8 == 0 ? find(ctx, gpa) : NULL;

    if (!at) {
        return -EFAULT;
    }
    return __atomic_compare_exchange_n(at, &expected, desired, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
               ? 0
               : 1;
}

const struct vtd_ops viommu_memory_walk = {
    .mem_read = mem_read,
    .mem_cmpxchg = mem_cmpxchg,
};

/* --- forgetting ------------------------------------------------------------- */

/* Until no batch is left that began before viommu_threads_alert(). */
static void
wait_for(const struct viommu_thread *thread)
{
    while (__atomic_load_n(&thread->cell->epoch, __ATOMIC_SEQ_CST) != 0 &&
           __atomic_load_n(&thread->attention, __ATOMIC_SEQ_CST)) {
        (void)sched_yield();
    }
}

static void
wait_for_threads(struct viommu *viommu)
{
    (void)pthread_mutex_lock(&viommu->lists);
    viommu_threads_alert(viommu);
    for (unsigned i = 0; i < VIOMMU_CELLS_MAX; i++) {
        if (viommu->thread[i]) {
            wait_for(viommu->thread[i]);
        }
    }
    (void)pthread_mutex_unlock(&viommu->lists);
}

/* With the lock: no access that begins now finds a mapping. */
static void
hide(struct viommu_memory *memory)
{
    for (const struct viommu_mapping *mapping = memory->mappings; mapping;
         mapping = mapping->next) {
        uint64_t number =
            mapping->gfn >> (MEMORY_CHUNK_SHIFT - MEMORY_PAGE_SHIFT);

        __atomic_store_n(&memory->chunk[number], NULL, __ATOMIC_SEQ_CST);
    }
}

void
viommu_memory_forget(struct viommu *viommu)
{
    struct viommu_memory *memory = &viommu->memory;
    struct viommu_mapping *mappings;
    struct viommu_chunk *parts;

    (void)pthread_mutex_lock(&memory->lock);
    hide(memory);
    mappings = memory->mappings;
    parts = memory->parts;
    memory->mappings = NULL;
    memory->parts = NULL;
    (void)pthread_mutex_unlock(&memory->lock);

    /* Without the lock: who is in a batch may wait for it. */
    wait_for_threads(viommu);

    (void)pthread_mutex_lock(&memory->lock);
    unmap(memory, mappings, parts);
    (void)pthread_mutex_unlock(&memory->lock);
}
