/* SPDX-License-Identifier: MIT */
/*
 * libviommu-client: a device emulator's way through the guest's vIOMMU.
 *
 * A connection is one guest's; it has devices, for which this process speaks,
 * and threads, which do their DMA.  A thread translates by itself, with caches
 * of its own: neither a system call nor a message, unless it meets guest memory
 * that is not mapped yet.
 *
 * Functions return 0, or -errno, or, where they say so, the positive reason
 * for which the vIOMMU refuses an access, as the VT-d specification numbers
 * it.  Faults are reported to the guest by the library.
 *
 * Threads: functions of a connection and of devices may be called by any
 * thread at any time; those of a struct viommu_thread by one at a time.
 * A callback runs in the thread that calls viommu_dispatch(), and may call
 * everything but viommu_dispatch(), viommu_close() and
 * viommu_device_attach()/detach().
 */
#ifndef VIOMMU_CLIENT_H
#define VIOMMU_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct viommu;
struct viommu_device;
struct viommu_thread;

/* --- a connection --------------------------------------------------------- */

/*
 * Where guest memory comes from.  Both may be called by any thread, one call
 * at a time.
 */
struct viommu_memory_ops {
    /*
     * Map @count (at most 512) pages of 4 KiB from guest frame @gfn on, for
     * reading and writing, in a row.  error[i] is 0, or -errno for a page that
     * the guest does not have, which is not accessible then.  NULL with errno
     * if nothing could be mapped at all.
     */
    void *(*map)(void *ctx, uint64_t gfn, size_t count, int *error);
    void (*unmap)(void *ctx, void *addr, size_t count);
};

struct viommu_options {
    size_t size;      /* sizeof(struct viommu_options): later versions grow */
    const char *path; /* of the socket; NULL: /run/viommud/<domid>/dma */
    /* An open handle to be used, by the library alone; NULL: its own. */
    struct xenforeignmemory_handle *fmem;
    /* Instead of Xen's foreign memory; NULL: that. */
    const struct viommu_memory_ops *memory;
    void *memory_ctx;
};

/*
 * Connect to the viommud of domain @domid.  @options may be NULL.  Blocks until
 * the daemon has answered, at most a second.  -ENOENT or -ECONNREFUSED: no
 * viommud serves the domain.  -EPROTO: it is of another version.  -EACCES: the
 * caller may speak for no device.
 */
int viommu_open(struct viommu **viommu, uint16_t domid,
                const struct viommu_options *options);

/* Devices and threads go with it; no thread may be in a call.  Accepts NULL. */
void viommu_close(struct viommu *viommu);

/* For the caller's event loop: call viommu_dispatch() when it is readable. */
int viommu_fd(const struct viommu *viommu);

/*
 * Handle all that has arrived, by callbacks.  Does not block.  -ESHUTDOWN once
 * the daemon has cut the connection: nothing is translated any more.
 */
int viommu_dispatch(struct viommu *viommu);

/* Why, in words; "" while it stands. */
const char *viommu_cut_off_reason(const struct viommu *viommu);

/*
 * The guest's memory map changed (IOREQ_TYPE_INVALIDATE): forget all mappings
 * of guest memory.  Blocks until no thread is in a batch.
 */
void viommu_memory_forget(struct viommu *viommu);

/* --- devices -------------------------------------------------------------- */

#define VIOMMU_NO_PASID UINT32_MAX

/* [@iova, @last] of a device, void. */
struct viommu_invalidation {
    uint64_t iova;
    uint64_t last;
    uint32_t pasid; /* or VIOMMU_NO_PASID: whatever the PASID */
};

struct viommu_page_response {
    uint32_t pasid;
    uint16_t group;
    uint8_t code; /* 0 success, 1 invalid, 15 failure */
};

/* Each may be NULL if nothing asks for it. */
struct viommu_device_ops {
    /*
     * Forget translations kept outside the library.  0: that is done, and no
     * access through them is in flight.  -EINPROGRESS: it will be, and then
     * viommu_invalidation_done() is called with @token; the guest waits.
     * Another -errno: it will not be, and the guest sees a time-out.
     */
    int (*invalidate)(void *ctx, const struct viommu_invalidation *inv,
                      uint32_t token);
    void (*page_response)(void *ctx, const struct viommu_page_response *resp);
    /* No access of the device will succeed any more. */
    void (*cut_off)(void *ctx);
};

#define VIOMMU_DEVICE_NOTIFY 2u /* invalidate() hears all invalidations */
#define VIOMMU_DEVICE_ATS    4u /* ... of the device TLB; translation requests */
#define VIOMMU_DEVICE_PRI    8u /* page requests */

/*
 * Speak for the device with source id @sid (bus << 8 | device << 3 | function).
 * Blocks until the daemon has answered, at most a second.  -ENODEV: no unit
 * translates it, so that its DMA is not remapped at all.  -EACCES: another
 * user's.  -EBUSY: another client has it.  -EOPNOTSUPP: the unit lacks what
 * @flags ask for.
 */
int viommu_device_attach(struct viommu *viommu, uint16_t sid, unsigned flags,
                         const struct viommu_device_ops *ops, void *ctx,
                         struct viommu_device **device);

/* No thread may use it.  Blocks like attaching.  Accepts NULL. */
void viommu_device_detach(struct viommu_device *device);

void viommu_invalidation_done(struct viommu_device *device, uint32_t token);

/*
 * Send an MSI as the device, remapped by the unit.  Does not block; -EAGAIN if
 * the daemon does not keep up.  What the unit refuses, it reports to the guest.
 */
int viommu_msi(struct viommu_device *device, uint64_t addr, uint32_t data);

struct viommu_page_request {
    uint64_t addr;  /* page-aligned */
    uint32_t pasid; /* or VIOMMU_NO_PASID */
    uint16_t group; /* 9 bits */
    uint8_t access; /* VIOMMU_READ | ... */
    bool privileged;
    bool last; /* of its group: page_response() follows */
    bool stop; /* a stop marker: neither address nor response */
};

/* Does not block; -EAGAIN as above. */
int viommu_page_request(struct viommu_device *device,
                        const struct viommu_page_request *request);

/* --- threads: DMA --------------------------------------------------------- */

/* At most 63 a connection: -ENOSPC.  Its memory is allocated here. */
int viommu_thread_create(struct viommu *viommu, struct viommu_thread **thread);
void viommu_thread_destroy(struct viommu_thread *thread); /* accepts NULL */

/*
 * A batch of accesses.  A translation may be used until the batch ends, and an
 * invalidation by the guest completes only then: do not block in between, and
 * end it soon.  A client that is in a batch for longer than the daemon's
 * drain_ms is cut off.  Batches nest; the outermost one counts.
 */
void viommu_begin(struct viommu_thread *thread);
void viommu_end(struct viommu_thread *thread);

#ifndef VIOMMU_READ
#define VIOMMU_READ  1u
#define VIOMMU_WRITE 2u
#define VIOMMU_EXEC  4u
#endif

/* How an access is attributed. */
struct viommu_access {
    uint64_t iova;
    uint32_t pasid;       /* or VIOMMU_NO_PASID */
    uint16_t library;     /* its own; whatever the caller left here */
    uint8_t access;       /* VIOMMU_READ | ...; 0: a zero-length read */
    uint8_t address_type; /* VIOMMU_AT_* */
    bool privileged;      /* with a PASID */
    bool atomic;          /* needs READ and WRITE */
    bool no_write;        /* translation requests: do not set D */
};

#define VIOMMU_AT_UNTRANSLATED 0u
#define VIOMMU_AT_TRANSLATION  1u /* ATS: ask, for a device TLB */
#define VIOMMU_AT_TRANSLATED   2u /* ATS: iova is the answer to such a request */

struct viommu_translation {
    uint64_t gpa;   /* of iova itself */
    uint8_t shift;  /* holds for the 2^shift bytes around: 12, 21 or 30 */
    uint8_t access; /* all that it permits */
    bool snoop;
    bool global;       /* for every PASID */
    bool untranslated; /* ATS: send it untranslated */
};

/*
 * Translate one access, which must not cross a 4 KiB boundary, within a batch.
 * 0, a positive fault reason, -ESHUTDOWN once the device is cut off.  Does not
 * block.
 */
int viommu_translate(struct viommu_thread *thread,
                     const struct viommu_device *device,
                     struct viommu_access *access,
                     struct viommu_translation *translation);

/*
 * The memory at @gpa, to be used within the batch.  NULL: the guest has none
 * there.  @gpa is of one 4 KiB page; other pages may be anywhere.  Blocks when
 * the page is not mapped yet, for as long as mapping takes.
 */
void *viommu_memory(struct viommu_thread *thread, uint64_t gpa);

/*
 * Copy @len bytes from or to the guest, split at page boundaries, in a batch
 * a page or in the caller's.  *@access says how, and from which iova on; of its
 * access member only VIOMMU_EXEC counts, in reads.  What is naturally aligned
 * and of 1, 2, 4 or 8 bytes is a single access.  0; or a fault reason or -errno
 * (-EFAULT: no memory), with *@done bytes copied; @done may be NULL.
 */
int viommu_read(struct viommu_thread *thread,
                const struct viommu_device *device,
                const struct viommu_access *access, void *buf, size_t len,
                size_t *done);
int viommu_write(struct viommu_thread *thread,
                 const struct viommu_device *device,
                 const struct viommu_access *access, const void *buf,
                 size_t len, size_t *done);

/* A fault reason, or -errno, in words. */
const char *viommu_strerror(int result);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
