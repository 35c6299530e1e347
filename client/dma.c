/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "client/internal.h"

/* A request and an answer are the model's, but for their names. */
#define SAME(type, member, of, its)                               \
    (offsetof(struct type, member) == offsetof(struct of, its) && \
     sizeof(((struct type *)0)->member) == sizeof(((struct of *)0)->its))
#define REQ(member, its)  SAME(viommu_access, member, vtd_dma_req, its)
#define RESP(member, its) SAME(viommu_translation, member, vtd_dma_resp, its)
_Static_assert(REQ(iova, iova) && REQ(pasid, pasid) && REQ(library, sid) &&
                   REQ(access, access) && REQ(address_type, at) &&
                   REQ(privileged, privileged) && REQ(atomic, atomic) &&
                   REQ(no_write, no_write) &&
                   sizeof(struct viommu_access) == sizeof(struct vtd_dma_req),
               "an access is not a request");
_Static_assert(RESP(gpa, gpa) && RESP(shift, shift) && RESP(access, access) &&
                   RESP(snoop, snoop) && RESP(global, global) &&
                   RESP(untranslated, untranslated) &&
                   sizeof(struct viommu_translation) ==
                       sizeof(struct vtd_dma_resp),
               "a translation is not an answer");
_Static_assert(VIOMMU_NO_PASID == VTD_NO_PASID &&
                   VIOMMU_PROTO_NO_PASID == VTD_NO_PASID &&
                   VIOMMU_READ == VTD_DMA_READ &&
                   VIOMMU_WRITE == VTD_DMA_WRITE &&
                   VIOMMU_EXEC == VTD_DMA_EXEC &&
                   VIOMMU_AT_UNTRANSLATED == VTD_AT_UNTRANSLATED &&
                   VIOMMU_AT_TRANSLATION == VTD_AT_TRANSLATION &&
                   VIOMMU_AT_TRANSLATED == VTD_AT_TRANSLATED,
               "numbers that the model does not have");

/* --- translation ------------------------------------------------------------ */

static inline bool
is_ours(const struct viommu_device *device)
{
    uint64_t entry = __atomic_load_n(device->entry, __ATOMIC_ACQUIRE);

    return entry == __atomic_load_n(&device->ours, __ATOMIC_RELAXED);
}

/*
 * Tell the daemon, whose unit has to record it.  Faults may be lost when there
 * are too many, as they are by hardware.
 */
static void
faulted(void *owner, const struct vtd_dma_req *req, enum vtd_fr fr)
{
    struct viommu_thread *thread = owner;
    unsigned flags = (req->privileged ? VIOMMU_ACCESS_PRIVILEGED : 0) |
                     (req->atomic ? VIOMMU_ACCESS_ATOMIC : 0) |
                     (req->no_write ? VIOMMU_ACCESS_NO_WRITE : 0);
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_FAULT },
        .access = {
            .iova = req->iova,
            .pasid = req->pasid,
            .sid = req->sid,
            .access = req->access,
            .at = req->at,
            .flags = (uint8_t)flags,
        },
    };

    (void)fr; /* the daemon finds it by itself, and trusts no other */
    thread->cell->faults++;
    (void)viommu_msg_send(thread->viommu->fd, &msg);
}

void
viommu_dma_init(struct viommu_thread *thread, unsigned unit)
{
    struct viommu *viommu = thread->viommu;
    struct vtd_dma *dma = &thread->dma[unit];

    vtd_dma_init(dma, viommu->view[unit], &viommu_memory_walk, &viommu->memory);
    dma->faulted = faulted;
    dma->owner = thread;
}

/*
 * Not cached.  When a device is blocked or changes hands, the daemon says so
 * first, and then makes void what is cached.  So it is enough to look here, and
 * after the translation was kept, which might outlast that otherwise.
 */
static __attribute__((noinline)) int
translate_miss(struct viommu_thread *thread, const struct viommu_device *device,
               const struct vtd_dma_req *req, struct vtd_dma_resp *resp,
               struct vtd_tlb_entry *entry)
{
    struct vtd_dma *dma = (void *)((char *)thread + device->dma);
    enum vtd_fr fr;

    assert(thread->depth >= 0);
    thread->cell->misses++;
    fr = vtd_dma_miss(dma, req, resp, entry);
    if (__builtin_expect(!is_ours(device), 0)) {
        entry->sum = 0; /* never valid */
        return -ESHUTDOWN;
    }
    return (int)fr;
}

int
viommu_translate(struct viommu_thread *thread,
                 const struct viommu_device *device,
                 struct viommu_access *access,
                 struct viommu_translation *translation)
{
    struct vtd_dma *dma = (void *)((char *)thread + device->dma);
    const struct vtd_dma_req *req = (const void *)access;
    struct vtd_dma_resp *resp = (void *)translation;
    struct vtd_tlb_entry *entry;

    /* Rarely a store: one that is loaded again as a part of more is slow. */
    if (access->library != device->sid) {
        access->library = device->sid;
    }
    /* The same memory has another type from here on. */
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    entry = vtd_tlb_slot_of(&dma->cache, req, device->slot);
    if (__builtin_expect(vtd_tlb_hit_at(entry, dma->cache.gens, req, resp),
                         1)) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        return 0;
    }
    return translate_miss(thread, device, req, resp, entry);
}

/* --- copies ----------------------------------------------------------------- */

/*
 * What is naturally aligned in the guest and has 1, 2, 4 or 8 bytes is a single
 * access there: drivers poll flags and indices that devices write.
 */
#define LOAD(type, buf, guest)                                               \
    do {                                                                     \
        type val = __atomic_load_n((const type *)(guest), __ATOMIC_RELAXED); \
                                                                             \
        memcpy((buf), &val, sizeof(val));                                    \
    } while (0)
#define STORE(type, guest, buf)                                   \
    do {                                                          \
        type val;                                                 \
                                                                  \
        memcpy(&val, (buf), sizeof(val));                         \
        __atomic_store_n((type *)(guest), val, __ATOMIC_RELAXED); \
    } while (0)

/* @len if that is to be a single access, else 0. */
static inline size_t
single(const void *guest, size_t len)
{
    bool power = len <= 8 && (len & (len - 1)) == 0;

    return power && ((uintptr_t)guest & (len - 1)) == 0 ? len : 0;
}

static void
load(void *buf, const void *guest, size_t len)
{
    switch (single(guest, len)) {
    case 1:
        LOAD(uint8_t, buf, guest);
        break;
    case 2:
        LOAD(uint16_t, buf, guest);
        break;
    case 4:
        LOAD(uint32_t, buf, guest);
        break;
    case 8:
        LOAD(uint64_t, buf, guest);
        break;
    default:
        memcpy(buf, guest, len);
        break;
    }
}

static void
store(void *guest, const void *buf, size_t len)
{
    switch (single(guest, len)) {
    case 1:
        STORE(uint8_t, guest, buf);
        break;
    case 2:
        STORE(uint16_t, guest, buf);
        break;
    case 4:
        STORE(uint32_t, guest, buf);
        break;
    case 8:
        STORE(uint64_t, guest, buf);
        break;
    default:
        memcpy(guest, buf, len);
        break;
    }
}

/* One of them is the caller's. */
struct buffer {
    char *to;
    const char *from;
};

/* A part of a page, in a batch. */
static int
copy_page(struct viommu_thread *thread, const struct viommu_device *device,
          struct viommu_access *access, const struct buffer *buffer, size_t len)
{
    struct viommu_translation translation;
    int rc = viommu_translate(thread, device, access, &translation);
    void *guest;

    if (rc) {
        return rc;
    }
    guest = viommu_memory(thread, translation.gpa);
    if (!guest) {
        return -EFAULT;
    }
    if (buffer->to) {
        load(buffer->to, guest, len);
    } else {
        store(guest, buffer->from, len);
    }
    return 0;
}

static int
copy(struct viommu_thread *thread, const struct viommu_device *device,
     struct viommu_access *access, struct buffer buffer, size_t len,
     size_t *done)
{
    size_t copied = 0;
    int rc = 0;

    while (rc == 0 && copied < len) {
        size_t room = MEMORY_PAGE - (access->iova & (MEMORY_PAGE - 1));
        size_t part = len - copied < room ? len - copied : room;

        viommu_begin(thread);
        rc = copy_page(thread, device, access, &buffer, part);
        viommu_end(thread);
        if (rc == 0) {
            copied += part;
            access->iova += part;
            if (buffer.to) {
                buffer.to += part;
            } else {
                buffer.from += part;
            }
        }
    }
    if (done) {
        *done = copied;
    }
    return rc;
}

int
viommu_read(struct viommu_thread *thread, const struct viommu_device *device,
            const struct viommu_access *access, void *buf, size_t len,
            size_t *done)
{
    struct viommu_access page = *access;

    page.access = VIOMMU_READ | (access->access & VIOMMU_EXEC);
    return copy(thread, device, &page, (struct buffer){ .to = buf }, len, done);
}

int
viommu_write(struct viommu_thread *thread, const struct viommu_device *device,
             const struct viommu_access *access, const void *buf, size_t len,
             size_t *done)
{
    struct viommu_access page = *access;

    page.access = VIOMMU_WRITE;
    return copy(thread, device, &page, (struct buffer){ .from = buf }, len,
                done);
}
