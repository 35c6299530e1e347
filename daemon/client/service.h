/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The translation service: a socket for those who do the DMA of the guest's
 * devices, the memory that they share with us, and their epochs.  The other
 * side is client/; docs/protocol.md explains both.
 *
 * It knows neither VT-d nor Xen: what a message means is the owner's, by
 * struct service_ops.  Clients are not trusted: one that sends what it must
 * not, floods, does not read, or holds up the guest for longer than drain_ms
 * is cut off; its devices are blocked until another client attaches to them.
 */
#ifndef DAEMON_CLIENT_SERVICE_H
#define DAEMON_CLIENT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client/viommu-proto.h"

struct loop;
struct service;

/* Clients at once. */
#define SERVICE_CLIENTS_MAX 16u

enum service_status {
    SERVICE_DONE,
    SERVICE_TIMEOUT, /* a device TLB did not acknowledge: of @sid */
};

/* None may call back into the service but where it says so. */
struct service_ops {
    /*
     * May a peer of @uid speak for @sid?  0 and the unit's number, or -ENODEV,
     * -EACCES, -EOPNOTSUPP for viommu_msg_attached.  @flags: VIOMMU_ATTACH_*.
     */
    int (*attach)(void *ctx, uint16_t sid, uid_t uid, uint32_t flags,
                  unsigned *unit);
    /* May such a peer speak for any device at all? */
    bool (*welcome)(void *ctx, uid_t uid);

    /* 0 and *update, or a fault reason, which has been recorded. */
    uint8_t (*translate)(void *ctx, unsigned unit,
                         const struct viommu_msg_access *access,
                         struct viommu_msg_update *update);
    /* The same for a client that found the fault itself. */
    void (*fault)(void *ctx, unsigned unit,
                  const struct viommu_msg_access *access);
    /* May be answered by service_page_response() at once. */
    void (*page_request)(void *ctx, unsigned unit,
                         const struct viommu_msg_page_request *request);
    void (*msi)(void *ctx, unsigned unit, const struct viommu_msg_msi *msi);

    /*
     * What clients keep of @unit must be void: a device was blocked or
     * changed hands.  The owner moves the generations of all translations.
     */
    void (*forget)(void *ctx, unsigned unit);

    /* The end of a service_sync() that returned false. */
    void (*synced)(void *ctx, unsigned unit, uint64_t token,
                   enum service_status status, uint16_t sid);
};

struct service_config {
    const char *path; /* of the socket */
    unsigned mode;    /* of the socket: 0600, or 0666 if others may come */
    uint16_t domid;
    unsigned units;    /* 1 to VIOMMU_SHM_UNITS_MAX */
    size_t view_size;  /* bytes of a unit's view; a multiple of 64 */
    unsigned drain_ms; /* how long a client may hold up the guest */
};

/*
 * Create the shared memory and listen.  NULL with errno.  All memory is
 * allocated here, for SERVICE_CLIENTS_MAX clients.
 */
struct service *service_create(struct loop *loop,
                               const struct service_config *config,
                               const struct service_ops *ops, void *ctx);
void service_destroy(struct service *service); /* accepts NULL */

/*
 * The guest is gone, or going: cut everybody off and take nobody any more.
 * The owner is not called again, and calls only service_destroy() and what is
 * for inspection; his views stay until then.
 */
void service_end(struct service *service);

/* The memory of a unit's view, zeroed: the owner's to write. */
void *service_view(struct service *service, unsigned unit);

/*
 * Everything before this call is void, by generations and by
 * service_invalidate().  True if no access from before is in flight and all
 * that was sent is acknowledged; else ops->synced() follows, at most drain_ms
 * later.  Waits a few microseconds itself, but never blocks.  Clients that are
 * idle cost a load each.
 */
bool service_sync(struct service *service, unsigned unit, uint64_t token);

/* Tell those who are not served by generations: device TLBs, and NOTIFY. */
struct service_inv {
    bool device_tlb; /* of @sid alone; else all devices that want to know */
    uint16_t sid;
    uint32_t pasid; /* or VIOMMU_PROTO_NO_PASID: whatever the PASID */
    uint64_t iova;
    uint64_t last;
};
void service_invalidate(struct service *service, unsigned unit,
                        const struct service_inv *inv);

void service_page_response(struct service *service, unsigned unit,
                           const struct viommu_msg_page_response *response);

/* --- inspection ------------------------------------------------------------ */

struct service_client_info {
    uint32_t id;
    pid_t pid;
    uid_t uid;
    bool walks;
    unsigned threads, active; /* in a batch now */
    uint64_t messages, misses, faults;
    uint64_t pending; /* invalidations not acknowledged */
};

struct service_device_info {
    uint16_t sid;
    unsigned unit;
    uint32_t client; /* 0: nobody */
    uint32_t flags;  /* VIOMMU_ATTACH_* */
    bool blocked;
};

/* The @i-th; false beyond the last. */
bool service_client_info(const struct service *service, unsigned i,
                         struct service_client_info *info);
bool service_device_info(const struct service *service, unsigned i,
                         struct service_device_info *info);

struct service_stats {
    uint64_t messages;
    uint64_t cut_off;
    uint64_t syncs, syncs_waited; /* of the first: how many had to wait */
    uint64_t drain_us_max;        /* the longest that one waited */
};
void service_stats(const struct service *service, struct service_stats *stats);

#endif
