/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest without Xen: memory, a unit with everything, and the daemon's part
 * that clients talk to, in a thread or a process of its own.  The test is the
 * guest's driver, and the client.
 */
#ifndef TESTS_SUPPORT_FAKE_GUEST_H
#define TESTS_SUPPORT_FAKE_GUEST_H

#include <pthread.h>

#include "client/viommu-client.h"
#include "daemon/sinks.h"
#include "tests/support/dma.h"
#include "tests/support/tables.h"

#define FAKE_RAM UINT64_C(0x8000000)

/* Structures are below; from here on memory is the test's. */
#define FAKE_DATA UINT64_C(0x2000000)

/* Pages that a client cannot map until fake_guest_fill_hole(). */
#define FAKE_HOLE     UINT64_C(0x7000000)
#define FAKE_HOLE_END UINT64_C(0x7004000)

/* Devices that clients may speak for; the guest has contexts for two. */
#define FAKE_SID         0x0028u /* 00:05.0 */
#define FAKE_SID_2       0x0030u /* 00:06.0 */
#define FAKE_SID_FOREIGN 0x0038u
#define FAKE_SIDS        8u /* more: FAKE_SID_MORE(0) and up */
#define FAKE_SID_MORE(i) ((uint16_t)(0x0040 + (i)*8))

#define FAKE_DID   0x0107u
#define FAKE_PASID 0x25u

/* What is remapped to which vector: the entry's index, and its source. */
#define FAKE_IRTE   5u
#define FAKE_VECTOR 0x41u

struct fake_guest_options {
    enum dma_kind kind;
    bool process;      /* the daemon is one, which can be killed */
    unsigned drain_ms; /* 0: 200 */
    bool off;          /* DMA remapping is not enabled */
};

#define FAKE_DELIVERIES 64u

/* Shared between the test and the daemon. */
struct fake_guest {
    char dir[64], path[96]; /* of the socket */
    enum dma_kind kind;
    uint8_t *ram; /* guest physical 0 */
    int memfd;
    bool hole_filled;
    struct tables tables;
    uint64_t root, dir_gpa;
    struct tables_map first, second;
    uint64_t tail;   /* of the queue, in entries */
    uint32_t status; /* of the last wait descriptor */

    bool process;
    pid_t pid;
    pthread_t thread;
    int call, serve; /* both ends of what the test asks the daemon by */
    struct loop *loop;
    struct unit unit;
    struct sinks sinks;
    struct vtd_ops ops;

    unsigned delivered;
    struct vtd_route delivery[FAKE_DELIVERIES];
    struct vtd_fault_info fault;
    bool busy; /* a call of the test's has begun */
};

/* Never fail: a test without a guest is an error. */
struct fake_guest *fake_guest_create(const struct fake_guest_options *options);
void fake_guest_destroy(struct fake_guest *guest);

/* Kill the daemon's process. */
void fake_guest_kill(struct fake_guest *guest);

/* Run @fn in the daemon, between its other work. */
typedef uint64_t fake_guest_fn(struct fake_guest *guest, uint64_t a,
                               uint64_t b);
uint64_t fake_guest_call(struct fake_guest *guest, fake_guest_fn *fn,
                         uint64_t a, uint64_t b);
/* The same in two steps. */
void fake_guest_call_begin(struct fake_guest *guest, fake_guest_fn *fn,
                           uint64_t a, uint64_t b);
uint64_t fake_guest_call_end(struct fake_guest *guest);

/* The guest's accesses to the registers. */
uint64_t fake_guest_read(struct fake_guest *guest, uint32_t off);
void fake_guest_write(struct fake_guest *guest, uint32_t off, uint64_t val);

/* Messages that clients have sent. */
uint64_t fake_guest_messages(struct fake_guest *guest);

/* Guest memory for a client, which goes away when it is unmapped. */
extern const struct viommu_memory_ops fake_guest_memory; /* ctx: the guest */
void fake_guest_fill_hole(struct fake_guest *guest);

/* --- the driver ------------------------------------------------------------ */

/* Map 2^@shift bytes; @access are VIOMMU_*.  Returns where the entry is. */
uint64_t fake_guest_map(struct fake_guest *guest, uint64_t iova, uint64_t gpa,
                        unsigned shift, unsigned access);
/* Clear the entry; an invalidation has to follow. */
void fake_guest_unmap(struct fake_guest *guest, uint64_t entry);

/* Take the device, whose entries are @sid's, from its domain, or give it. */
void fake_guest_block(struct fake_guest *guest, uint16_t sid, bool block);

/* Invalidations, each with a wait descriptor. */
void fake_guest_invalidate_page(struct fake_guest *guest, uint64_t iova);
void fake_guest_invalidate_all(struct fake_guest *guest);
void fake_guest_invalidate_device_tlb(struct fake_guest *guest, uint16_t sid,
                                      uint64_t iova);
/* One descriptor that waits for the next doorbell; one with it and a wait. */
void fake_guest_append(struct fake_guest *guest, uint64_t lo, uint64_t hi);
void fake_guest_descriptor(struct fake_guest *guest, uint64_t lo, uint64_t hi);
/* Has the last one completed? */
bool fake_guest_is_done(const struct fake_guest *guest);
/* Until it has; microseconds, or UINT64_MAX after ten seconds. */
uint64_t fake_guest_wait(const struct fake_guest *guest);

/* The first fault record that is there, which is cleared; false: none is. */
bool fake_guest_fault(struct fake_guest *guest, struct vtd_fault_info *fault);
/* The same, waiting until there is one; fails without. */
void fake_guest_fault_wait(struct fake_guest *guest,
                           struct vtd_fault_info *fault);

/* Until @count interrupts have been delivered; fails without. */
void fake_guest_delivery_wait(const struct fake_guest *guest, unsigned count);

#endif
