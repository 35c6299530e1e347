/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The insides of the translation service.
 *
 * It is entered in two ways.  From the loop: its own descriptors and its timer;
 * then it may call struct service_ops, and does all that ends in one by
 * service_turn().  And from the owner, in the middle of whatever he does:
 * service_sync(), service_invalidate() and service_page_response(); then it
 * calls nobody.  A client that has to go is only marked by client_doom() and
 * counts as in flight until a turn of the loop has taken its devices away.
 */
#ifndef DAEMON_CLIENT_PRIV_H
#define DAEMON_CLIENT_PRIV_H

#include <sys/un.h>

#include "daemon/client/service.h"

/* Messages of one client in one turn of the loop. */
#define SERVICE_BUDGET 16u

/* Devices at once, whoever speaks for them. */
#define SERVICE_DEVICES_MAX VIOMMU_SHM_DEVICES_MAX

/* Invalidations that wait for one device to acknowledge those before. */
#define SERVICE_QUEUE_MAX 16u

/* Outstanding tokens of one unit; more are taken for the last one. */
#define SERVICE_WAITS_MAX 8u

/* Acknowledgements in a row that a device TLB may fail to give in time. */
#define SERVICE_STRIKES 3u

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S  UINT64_C(1000000000)

/* No epoch: nobody is in flight. */
#define EPOCH_NONE UINT64_MAX

struct client {
    struct service *service;
    struct loop_watch *watch; /* NULL: the place is free */
    int fd;
    uint32_t id; /* of this connection alone; never 0 */
    pid_t pid;
    uid_t uid;
    bool welcome; /* its uid may speak for some device */
    bool greeted; /* it said HELLO, and was answered with 0 */
    uint64_t accepted_ns;
    const struct viommu_cells *cells; /* NULL: it does not walk */
    void *cells_memory;               /* where they are mapped */
    unsigned walking;                 /* devices that it walks for */
    unsigned late; /* acknowledgements that are not waited for any more */
    uint64_t messages;
    uint64_t busy_ns; /* since when each turn left some unread; 0: not so */

    bool doomed;
    int status; /* of a doomed one: -errno, or 0 if it left by itself */
    const char *reason;
};

/* An invalidation that is to be sent. */
struct inval {
    uint64_t iova, last;
    uint32_t pasid;
    uint16_t type; /* VIOMMU_MSG_IOTLB_INVALIDATE or ..._DEV_TLB_... */
};

struct device {
    bool used;
    bool blocked; /* its client was cut off */
    uint16_t sid;
    uint8_t unit;
    uint32_t flags;        /* VIOMMU_ATTACH_* */
    struct client *client; /* NULL: nobody */

    /* The epochs in which the oldest of both was announced; EPOCH_NONE. */
    uint64_t queue_epoch;
    uint64_t flight_epoch;
    unsigned queued;
    unsigned flight; /* sent in one batch, and not acknowledged */
    uint32_t flight_seq;
    bool flight_iotlb; /* not of its device TLB alone */
    unsigned strikes;
    bool failed; /* its device TLB did not acknowledge; not told yet */
    uint64_t failed_epoch; /* of what it did not acknowledge */
    uint64_t failed_last;  /* the wait for this epoch is told last; 0: next */
    struct inval queue[SERVICE_QUEUE_MAX];
};

/* A service_sync() that is not done. */
struct wait {
    uint64_t token;
    uint64_t epoch; /* done when nothing older is in flight */
    uint64_t start_ns;
};

struct waits {
    unsigned count;
    struct wait wait[SERVICE_WAITS_MAX]; /* the oldest first */
};

/* Memory of ours that a client gets. */
struct shared {
    void *addr;
    size_t size;
    int fd; /* what is sent */
};

struct service {
    struct loop *loop;
    struct service_ops ops;
    void *ctx;
    uint16_t domid;
    unsigned units;
    size_t view_size;
    uint64_t drain_ns;

    int fd;
    struct sockaddr_un addr;
    struct loop_watch *watch;
    uint64_t deaf_ns; /* no descriptor was left; accept again then; 0: do */

    int timer_fd;
    struct loop_watch *timer;
    uint64_t due_ns; /* when it is due; 0: it is not */
    bool fired;      /* it was, and has not been set since */

    struct shared shm_memory;
    struct viommu_shm *shm;

    uint32_t last_id;
    uint32_t last_seq;
    bool ended;       /* the owner is not called any more */
    unsigned doomed;  /* clients that are */
    unsigned hearing; /* devices with NOTIFY or ATS that have a client */
    bool unsent;      /* some device has a queue, and nothing in flight */
    bool cells_hold;  /* when it was looked last: cells are in flight */
    struct client client[SERVICE_CLIENTS_MAX];
    struct device device[SERVICE_DEVICES_MAX];
    struct waits waits[VIOMMU_SHM_UNITS_MAX];
    struct service_stats stats;
};

/* --- service.c ------------------------------------------------------------- */

uint64_t service_now_ns(void);

/* The end of each entry from the loop. */
void service_turn(struct service *service);

/* The next turn is due in time for all that waits. */
void service_schedule(struct service *service);

/* --- client.c -------------------------------------------------------------- */

/* Take a new connection.  @fd is the client's from here on. */
void client_accept(struct service *service, int fd);

/*
 * The client is to go: @status -errno, and its devices are blocked; or 0, and
 * they are free.  @reason lives for ever.  The first call counts.
 */
void client_doom(struct client *client, int status, const char *reason);

/* Drop all that are doomed.  From the loop alone. */
void clients_reap(struct service *service);

/* Drop all, because the service ends. */
void clients_end(struct service *service);

/* Whoever has not said HELLO in time is doomed; when is the next one? 0: none */
void clients_greet(struct service *service, uint64_t now_ns);
uint64_t clients_greet_due(const struct service *service);

/*
 * Send the message of this type.  One whose socket is full does not read:
 * it is doomed.  Sends to one that is doomed go nowhere.
 */
void client_send(struct client *client, enum viommu_msg_type type, uint32_t seq,
                 const struct viommu_msg *msg);
/* The same with @count descriptors, at most 2. */
void client_send_fds(struct client *client, struct viommu_msg *msg,
                     const int *fd, unsigned count);

/* --- message.c ------------------------------------------------------------- */

/* Bytes of a message with its header; 0: no such type. */
size_t message_size(unsigned type);

/* Handle one message of @len bytes, as received. */
void message_handle(struct client *client, const struct viommu_msg *msg,
                    size_t len);

/* --- device.c -------------------------------------------------------------- */

/* Of @client; NULL if @sid is not its own. */
struct device *device_find(struct client *client, uint16_t sid);

/* 0 and the device, or -errno for viommu_msg_attached. */
int device_attach(struct client *client, const struct viommu_msg_attach *attach,
                  struct device **device);
void device_detach(struct device *device);

/* All of @client, which is gone; @blocked: it was cut off. */
void devices_release(struct client *client, bool blocked);

unsigned device_index(const struct device *device);

/* Whoever speaks for @sid of @unit with one of @flags; NULL. */
struct device *device_hearing(struct service *service, unsigned unit,
                              uint16_t sid, uint32_t flags);

/* --- invalidate.c ---------------------------------------------------------- */

/* A device without a client forgets what it was to be told. */
void invalidate_reset(struct device *device);

/* Send what is queued to all devices that have acknowledged what was sent. */
void invalidate_flush(struct service *service);

/* The client acknowledges batch @seq. */
void invalidate_ack(struct client *client, uint32_t seq, int32_t status);

/* The epoch of the oldest invalidation that is not acknowledged. */
uint64_t invalidate_oldest(const struct service *service);

/*
 * A wait for @epoch has lasted too long: NOTIFY peers that hold it up are
 * doomed, device TLBs have failed.
 */
void invalidate_expire(struct service *service, uint64_t epoch);

/* Has a device TLB of @unit, that of *@sid, failed before @epoch? */
bool invalidate_failed(struct service *service, unsigned unit, uint64_t epoch,
                       uint16_t *sid);
/* The owner was told, by his wait for @epoch. */
void invalidate_told(struct service *service, unsigned unit, uint64_t epoch);

/* --- epoch.c --------------------------------------------------------------- */

/* Complete what can be, cut off who took too long.  From the loop alone. */
void epoch_poll(struct service *service);

bool epoch_is_awaited(const struct service *service);

/* When to look again; 0: nobody waits. */
uint64_t epoch_due(const struct service *service, uint64_t now_ns);

/* --- shm.c ----------------------------------------------------------------- */

/* 0 or -errno. */
int shm_create(struct service *service);
void shm_destroy(struct service *service);

/*
 * The cells of one client, new each time, so that nobody has a mapping left
 * from earlier.  *fd is to be sent and closed.
 */
int cells_create(void **memory, int *fd);
void cells_destroy(void *memory); /* accepts NULL */
#define CELLS_SIZE sizeof(struct viommu_cells)

void shm_device_set(struct service *service, unsigned index,
                    const struct viommu_shm_device *device);

#endif
