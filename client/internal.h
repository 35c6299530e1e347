/* SPDX-License-Identifier: MIT */
/*
 * What the files of the library know of each other.
 *
 * Locks of struct viommu, in the order in which they are taken:
 *
 *   call       one request and its reply at a time
 *   dispatch   callbacks: held while one runs
 *   lists      devices, threads
 *   memory     mapping; struct viommu_memory has it
 *   lock       what has arrived, and what is to be acknowledged
 *
 * What may be called in a batch takes memory's, for as long as mapping takes,
 * and none of those before: viommu_memory_forget() waits for batches.
 */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "client/viommu-client.h"
#include "client/viommu-proto.h"

/* The library has a dma.c of its own: see walk.c. */
#define vtd_dma_init    viommu_walk_init
#define vtd_dma_miss    viommu_walk_miss
#define vtd_dma_explain viommu_walk_explain
#include "daemon/vtd/dma.h"

/* --- guest memory: memory.c ------------------------------------------------- */

#define MEMORY_PAGE_SHIFT  12
#define MEMORY_PAGE        (UINT64_C(1) << MEMORY_PAGE_SHIFT)
#define MEMORY_CHUNK_SHIFT 21
#define MEMORY_CHUNK       (UINT64_C(1) << MEMORY_CHUNK_SHIFT)
#define MEMORY_CHUNK_PAGES 512u

/* A mapping of a chunk, of a page of one, or what is left of it. */
struct viommu_mapping {
    struct viommu_mapping *next;
    void *addr;
    uint64_t gfn; /* of the first page */
    size_t pages;
};

/*
 * A chunk that lacks pages.  One that it has got since stands in a mapping of
 * its own.
 */
struct viommu_chunk {
    struct viommu_chunk *next;
    void *page[MEMORY_CHUNK_PAGES]; /* atomic; NULL: none, as far as known */
};

struct viommu_memory {
    /*
     * By number, as many as the widest unit has addresses for; atomic.  NULL:
     * not mapped; odd: one behind its first byte; else a struct viommu_chunk.
     */
    char **chunk;
    uint64_t chunks;
    /* Of what follows, and of the ops. */
    pthread_mutex_t lock;
    const struct viommu_memory_ops *ops;
    void *ctx;
    struct viommu_mapping *mappings;
    struct viommu_chunk *parts;
};

/* @bits: of guest physical addresses, 32 to 52.  0 or -errno. */
int viommu_memory_open(struct viommu_memory *memory, unsigned bits);
void viommu_memory_close(struct viommu_memory *memory);

/*
 * The byte at @gpa, and those of the same 4 KiB page; NULL: the guest has no
 * memory there.
 */
void *viommu_memory_find(struct viommu_memory *memory, uint64_t gpa);

/* What is known of the chunk that @gpa lies in; NULL beyond all addresses. */
static inline char *
viommu_memory_chunk(const struct viommu_memory *memory, uint64_t gpa)
{
    uint64_t number = gpa >> MEMORY_CHUNK_SHIFT;

    if (__builtin_expect(number >= memory->chunks, 0)) {
        return NULL;
    }
    return __atomic_load_n(&memory->chunk[number], __ATOMIC_ACQUIRE);
}

/* A chunk all of which is there: the byte at @gpa is at @chunk plus this. */
static inline bool
viommu_memory_is_whole(const char *chunk)
{
    return ((uintptr_t)chunk & 1) != 0;
}

static inline size_t
viommu_memory_off(uint64_t gpa)
{
    return (size_t)(gpa & (MEMORY_CHUNK - 1)) - 1;
}

/* What is not one aligned quadword of such a chunk.  0 or -EFAULT. */
int viommu_memory_read(struct viommu_memory *memory, uint64_t gpa, void *buf,
                       size_t len);

/* The aligned quadword at @gpa; NULL if it is not of such a chunk. */
static inline const uint64_t *
viommu_memory_quad(const struct viommu_memory *memory, uint64_t gpa)
{
    const char *chunk = viommu_memory_chunk(memory, gpa);

    if (__builtin_expect(!viommu_memory_is_whole(chunk), 0)) {
        return NULL;
    }
    return (const void *)(chunk + viommu_memory_off(gpa));
}

/* Its ctx is the struct viommu_memory. */
extern const struct vtd_ops viommu_memory_walk;

/* memory-xen.c: @ops and @ctx for Xen's foreign memory.  0 or -errno. */
int viommu_memory_xen_open(struct xenforeignmemory_handle *fmem, uint16_t domid,
                           const struct viommu_memory_ops **ops, void **ctx);
void viommu_memory_xen_close(void *ctx); /* accepts NULL */

/* --- threads: thread.c ------------------------------------------------------ */

struct viommu_thread {
    int depth;      /* batches in each other, less one */
    bool attention; /* atomic: something to be seen to in the next batch */
    struct viommu_cell *cell;
    const struct viommu_shm *shm;
    struct viommu *viommu;
    unsigned index;                                     /* of its cell */
    struct vtd_dma dma[] __attribute__((aligned(256))); /* one a unit */
};

/* dma.c: make the thread's cache for @unit, which is zero, ready. */
void viommu_dma_init(struct viommu_thread *thread, unsigned unit);

/* Forget all translations that @thread knows; by the thread itself. */
void viommu_thread_void(struct viommu_thread *thread);

/*
 * Every thread will see, when its next batch begins, that the connection is
 * down or memory gone.  With lists.
 */
void viommu_threads_alert(struct viommu *viommu);

/* --- devices: device.c ------------------------------------------------------ */

struct viommu_device {
    uint16_t sid;
    uint32_t slot; /* what follows from @sid for where translations are kept */
    size_t dma;    /* of its unit, as an offset in struct viommu_thread */
    /*
     * Its entry of the shared memory, and what that is for as long as the
     * device is ours and not blocked; atomic, all ones when we are down.
     */
    const uint64_t *entry;
    uint64_t ours;
    struct viommu *viommu;
    struct viommu_device_ops ops;
    void *ctx;
    bool told; /* that it is cut off */
};

/* The device that we speak for, or NULL.  With dispatch, or lists. */
struct viommu_device *viommu_device_find(struct viommu *viommu, uint16_t sid);

/* The connection is down: tell the devices, once each.  With dispatch. */
void viommu_devices_cut_off(struct viommu *viommu);

/* --- messages: message.c ---------------------------------------------------- */

/* Bytes of a message of @type, with its header; 0: there is none such. */
size_t viommu_msg_size(unsigned type);

/*
 * Send @msg, whose type and seq and body are filled in.  Does not block: 0,
 * -EAGAIN, -ESHUTDOWN.
 */
int viommu_msg_send(int fd, struct viommu_msg *msg);

/*
 * A whole message of the daemon's: 0, -EAGAIN, -ESHUTDOWN, -EPROTO.  @size is
 * what recv() returned.
 */
int viommu_msg_receive(int fd, struct viommu_msg *msg);
int viommu_msg_check(const struct viommu_msg *msg, ssize_t size);

/* --- invalidations: invalidation.c ------------------------------------------ */

#define ACKS_MAX   64u
#define TOKENS_MAX 256u

/* An acknowledgement that is owed, of an invalidation or of a batch of them. */
struct viommu_ack {
    bool used;
    bool open; /* a batch that has not ended */
    int32_t status;
    uint32_t seq;
    unsigned owed; /* invalidations that are not done */
};

/* An invalidation that a callback has, or had when it said -EINPROGRESS. */
struct viommu_token {
    const struct viommu_device *device; /* NULL: free */
    struct viommu_ack *ack;
    uint32_t value; /* of the one that is, or comes next: index, age */
};

struct viommu_acks {
    struct viommu_ack ack[ACKS_MAX];
    struct viommu_token token[TOKENS_MAX];
    struct viommu_ack *batch; /* the open one */
};

void viommu_acks_init(struct viommu_acks *acks);
/* With the lock: send what could not be sent. */
void viommu_acks_flush(struct viommu *viommu);
/* The device goes: what it has not done is not waited for. */
void viommu_acks_drop(struct viommu *viommu,
                      const struct viommu_device *device);

/*
 * An invalidation, or where a batch of them begins or ends.  With dispatch.
 * -EAGAIN: too much is under way, try again later.  -EPROTO.
 */
int viommu_invalidation_handle(struct viommu *viommu,
                               const struct viommu_msg *msg);

/* --- a connection: connection.c, dispatch.c --------------------------------- */

/* Messages that came while a reply was waited for; a power of two. */
#define QUEUE_MAX 512u

struct viommu {
    int fd;    /* the socket */
    int epoll; /* the caller's: the socket, and @wake */
    int wake;  /* readable: there is work that the socket does not tell of */
    int reply; /* readable: another thread has received @answer */
    uint16_t domid;
    uint32_t id; /* viommu_shm_device.owner */
    bool down;   /* atomic; why is in @cut_off */

    const struct viommu_shm *shm;
    void *shm_memory; /* the same, to be unmapped */
    size_t shm_size;
    struct viommu_cells *cells;
    size_t cells_size;
    unsigned units;
    const struct vtd_view *view[VIOMMU_SHM_UNITS_MAX];

    pthread_mutex_t call, dispatch, lists;
    struct viommu_device *device[VIOMMU_SHM_DEVICES_MAX]; /* dispatch, lists */
    struct viommu_thread *thread[VIOMMU_CELLS_MAX];       /* lists */
    struct viommu_memory memory;
    void *xen; /* of viommu_memory_xen_open(); or NULL */

    pthread_mutex_t lock;              /* of all that follows */
    struct viommu_msg_cut_off cut_off; /* constant once it has a status */
    uint32_t seq;                      /* of the last request */
    bool waiting, answered;            /* for its reply; by @answer */
    bool stalled;          /* the next message has to wait for callbacks */
    bool want_write;       /* an acknowledgement has not fit into the socket */
    uint32_t events;       /* of the socket, in @epoll */
    unsigned first, count; /* of @queue */
    struct viommu_msg answer;
    struct viommu_msg queue[QUEUE_MAX];
    struct viommu_acks acks;
};

/* Send a request and wait for its reply, which *@msg becomes.  0 or -errno. */
int viommu_call(struct viommu *viommu, struct viommu_msg *msg);

/* Nothing works any more.  With the lock: the first that says so says why. */
void viommu_cut_off_note(struct viommu *viommu, int status, const char *reason);
/* Then, without the locks from lists on. */
void viommu_go_down(struct viommu *viommu);

/* With the lock, after a change of stalled or want_write. */
void viommu_events_update(struct viommu *viommu);
/* With the lock: callbacks are done, so that a stalled message may go on. */
void viommu_events_resume(struct viommu *viommu);

static inline bool
viommu_is_down(const struct viommu *viommu)
{
    return __atomic_load_n(&viommu->down, __ATOMIC_ACQUIRE);
}

#endif
