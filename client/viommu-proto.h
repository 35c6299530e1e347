/* SPDX-License-Identifier: MIT */
/*
 * The translation service between viommud and whoever does a device's DMA:
 * messages over a SOCK_SEQPACKET socket, /run/viommud/<domid>/dma, and memory
 * that both sides map.  docs/protocol.md explains it.
 *
 * One message is one packet: a header and the body of its type, of exactly the
 * size below.  All numbers are those of the machine.  Either side ends the
 * connection on a message that it does not know, or that has another size.
 */
#ifndef CLIENT_VIOMMU_PROTO_H
#define CLIENT_VIOMMU_PROTO_H

#include <stdint.h>

#define VIOMMU_PROTO_VERSION 1u

/* pasid of a request without one; in an invalidation: whatever the PASID. */
#define VIOMMU_PROTO_NO_PASID UINT32_MAX

/* C: sent by the client.  D: by the daemon.  "= TYPE": is answered by it. */
enum viommu_msg_type {
    VIOMMU_MSG_HELLO = 1,          /* C, first of all;  = WELCOME             */
    VIOMMU_MSG_WELCOME,            /* D, with descriptors: see below          */
    VIOMMU_MSG_ATTACH,             /* C  = ATTACHED                           */
    VIOMMU_MSG_ATTACHED,           /* D                                       */
    VIOMMU_MSG_DETACH,             /* C  = DETACHED                           */
    VIOMMU_MSG_DETACHED,           /* D                                       */
    VIOMMU_MSG_IOTLB_MISS,         /* C  = IOTLB_UPDATE or ACCESS_FAIL        */
    VIOMMU_MSG_IOTLB_UPDATE,       /* D                                       */
    VIOMMU_MSG_ACCESS_FAIL,        /* D                                       */
    VIOMMU_MSG_FAULT,              /* C, an access that its own walk refused  */
    VIOMMU_MSG_IOTLB_INVALIDATE,   /* D  = ACK                                */
    VIOMMU_MSG_DEV_TLB_INVALIDATE, /* D  = ACK                             */
    VIOMMU_MSG_BATCH_BEGIN,        /* D, invalidations up to BATCH_END are    */
    VIOMMU_MSG_BATCH_END,          /* D  = ACK, the only one of the batch     */
    VIOMMU_MSG_ACK,                /* C                                       */
    VIOMMU_MSG_PAGE_REQUEST,       /* C                                       */
    VIOMMU_MSG_PAGE_RESPONSE,      /* D                                       */
    VIOMMU_MSG_MSI,                /* C                                       */
    VIOMMU_MSG_CUT_OFF,            /* D, the last one                         */
    VIOMMU_MSG_TYPES,
};

struct viommu_msg_header {
    uint16_t type; /* enum viommu_msg_type */
    uint16_t zero;
    uint32_t seq; /* the sender's choice; its answer has the same */
};

struct viommu_msg_hello {
    uint32_t version;   /* VIOMMU_PROTO_VERSION */
    uint32_t flags;     /* VIOMMU_HELLO_* */
    uint64_t view_size; /* sizeof(struct vtd_view) with HELLO_WALK, else 0 */
};
/* The client walks tables itself and wants the shared memory. */
#define VIOMMU_HELLO_WALK 1u

/*
 * Descriptors, with HELLO_WALK: the shared memory, to be mapped for reading,
 * and the client's cells, for both.  Neither can be shrunk or grown.
 */
struct viommu_msg_welcome {
    uint32_t version;
    int32_t status; /* 0; -EPROTO: another version, or layout of the view; */
                    /* -EACCES: this peer may speak for no device */
    uint16_t domid;
    uint16_t units;
    uint32_t client; /* viommu_shm_device.owner of this client's devices */
    uint64_t shm_size;
    uint64_t cells_size;
};

struct viommu_msg_attach {
    uint16_t sid;
    uint16_t zero;
    uint32_t flags; /* VIOMMU_ATTACH_* */
};
#define VIOMMU_ATTACH_WALK   1u /* walks itself, keeps epochs */
#define VIOMMU_ATTACH_NOTIFY 2u /* wants IOTLB_INVALIDATE */
#define VIOMMU_ATTACH_ATS    4u /* has a device TLB: DEV_TLB_INVALIDATE */
#define VIOMMU_ATTACH_PRI    8u /* sends page requests */

struct viommu_msg_attached {
    int32_t status; /* 0 or -errno: -ENODEV no unit translates it, -EACCES */
                    /* another user's, -EBUSY another client has it, -ENOSPC, */
                    /* -EINVAL flags, -EOPNOTSUPP what the unit lacks */
    uint16_t unit;
    uint16_t index; /* of viommu_shm_device */
};

struct viommu_msg_detach {
    uint16_t sid;
    uint16_t zero[3];
};

struct viommu_msg_detached {
    int32_t status; /* 0 or -ENODEV */
    uint32_t zero;
};

#define VIOMMU_READ  1u
#define VIOMMU_WRITE 2u
#define VIOMMU_EXEC  4u

/* IOTLB_MISS, FAULT: an access. */
struct viommu_msg_access {
    uint64_t iova;
    uint32_t pasid;
    uint16_t sid;
    uint8_t access; /* VIOMMU_READ | ...; 0: a zero-length read */
    uint8_t at;     /* 0 untranslated, 1 translation request, 2 translated */
    uint8_t flags;  /* VIOMMU_ACCESS_* */
    uint8_t zero[7];
};
#define VIOMMU_ACCESS_PRIVILEGED 1u
#define VIOMMU_ACCESS_ATOMIC     2u
#define VIOMMU_ACCESS_NO_WRITE   4u

struct viommu_msg_update {
    uint64_t iova;  /* of the page that was asked for */
    uint64_t size;  /* bytes; iova and uaddr are multiples of it */
    uint64_t uaddr; /* guest physical */
    uint32_t pasid;
    uint16_t sid;
    uint8_t perm; /* VIOMMU_READ | ... */
    uint8_t zero;
};

struct viommu_msg_fail {
    uint64_t iova;
    uint32_t pasid;
    uint16_t sid;
    uint8_t reason; /* the specification's fault reason; 0xff: none of it */
    uint8_t zero;
};

struct viommu_msg_invalidate {
    uint64_t iova;
    uint64_t last; /* the last byte; everything: 0 to UINT64_MAX */
    uint32_t pasid;
    uint16_t sid;
    uint16_t zero;
};

struct viommu_msg_batch {
    uint32_t count; /* BATCH_END: of messages in between */
    uint32_t zero;
};

/* Its header has the seq of what it acknowledges. */
struct viommu_msg_ack {
    int32_t status; /* 0; -ETIMEDOUT: the device did not answer */
    uint32_t zero;
};

struct viommu_msg_page_request {
    uint64_t addr; /* page-aligned */
    uint32_t pasid;
    uint16_t sid;
    uint16_t group; /* 9 bits */
    uint8_t access;
    uint8_t flags; /* VIOMMU_PAGE_* */
    uint8_t zero[6];
};
#define VIOMMU_PAGE_PRIVILEGED 1u
#define VIOMMU_PAGE_LAST       2u
#define VIOMMU_PAGE_STOP       4u

struct viommu_msg_page_response {
    uint32_t pasid;
    uint16_t sid;
    uint16_t group;
    uint8_t code; /* 0 success, 1 invalid, 15 failure */
    uint8_t zero[7];
};

struct viommu_msg_msi {
    uint64_t addr;
    uint32_t data;
    uint16_t sid;
    uint16_t zero;
};

struct viommu_msg_cut_off {
    int32_t status;  /* -errno: -ETIMEDOUT, -EPROTO, -ENOBUFS, -ESHUTDOWN */
    char reason[60]; /* in words, ends with NUL */
};

struct viommu_msg {
    struct viommu_msg_header header;
    union {
        struct viommu_msg_hello hello;
        struct viommu_msg_welcome welcome;
        struct viommu_msg_attach attach;
        struct viommu_msg_attached attached;
        struct viommu_msg_detach detach;
        struct viommu_msg_detached detached;
        struct viommu_msg_access access;
        struct viommu_msg_update update;
        struct viommu_msg_fail fail;
        struct viommu_msg_invalidate invalidate;
        struct viommu_msg_batch batch;
        struct viommu_msg_ack ack;
        struct viommu_msg_page_request page_request;
        struct viommu_msg_page_response page_response;
        struct viommu_msg_msi msi;
        struct viommu_msg_cut_off cut_off;
    };
};
_Static_assert(sizeof(struct viommu_msg) == 72, "a message's size");

/* --- shared memory -------------------------------------------------------- */

#define VIOMMU_SHM_MAGIC       0x6d6d6f6976u /* "viomm" */
#define VIOMMU_SHM_UNITS_MAX   4u
#define VIOMMU_SHM_DEVICES_MAX 64u

/* Who speaks for a device.  One aligned quadword, written at once. */
struct viommu_shm_device {
    uint16_t sid;
    uint8_t unit;
    uint8_t blocked; /* its client was cut off: nothing is translated */
    uint32_t owner;  /* viommu_msg_welcome.client; 0: nobody */
};

/* Read-only to clients. */
struct viommu_shm {
    uint64_t magic;
    uint32_t version; /* VIOMMU_PROTO_VERSION */
    uint32_t units;
    uint64_t size;
    uint64_t view_size;                         /* sizeof(struct vtd_view) */
    uint64_t view_offset[VIOMMU_SHM_UNITS_MAX]; /* of each unit's view */
    /*
     * Starts at 1.  The daemon adds one after it has moved the generation
     * counters of a view, and before it looks at cells.
     */
    uint64_t epoch __attribute__((aligned(64)));
    struct viommu_shm_device device[VIOMMU_SHM_DEVICES_MAX]
        __attribute__((aligned(64)));
};

/*
 * One thread of a client.  While it uses translations, epoch is what
 * viommu_shm.epoch was when it began, stored before anything else is read of
 * the shared memory (a full barrier lies between); else 0.
 */
struct viommu_cell {
    uint64_t epoch;
    uint64_t misses; /* translations that were not cached; for inspection */
    uint64_t faults;
} __attribute__((aligned(64)));

#define VIOMMU_CELLS_MAX 63u

/* Written by one client, read by the daemon, which trusts none of it. */
struct viommu_cells {
    uint32_t count; /* cells from the first on that are in use or were */
    struct viommu_cell cell[VIOMMU_CELLS_MAX];
};

#endif
