/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit with a small guest around it, one who translates through it from
 * outside, and the history of the guest's memory: what it was at each moment
 * since everything was invalidated last, and which invalidations came in
 * between.
 */
#ifndef TESTS_PROPERTY_GUEST_H
#define TESTS_PROPERTY_GUEST_H

#include "daemon/vtd/dma.h"
#include "tests/property/oracle.h"

#define PAGE UINT64_C(4096)

/*
 * The queue, the status that it writes and the interrupt table change without
 * a moment's beginning.  They lie where no structure leads, not even one with
 * a flipped bit.
 */
#define AT_STATUS UINT64_C(0x35a5a000)
#define AT_QUEUE  (AT_STATUS + PAGE)
#define AT_IRT    (AT_STATUS + 2 * PAGE)
#define IO_SIZE   (3 * PAGE)

/* Where structures are, in pages. */
enum {
    AT_ROOT = 3,    /* two root tables */
    AT_CONTEXT = 5, /* four context tables */
    AT_DIR = 9,     /* two PASID directories */
    AT_PASID = 11,  /* four PASID tables */
    AT_FIRST = 16,  /* first-stage tables, by level */
    AT_SECOND = 28, /* second-stage tables, by level */
    AT_END = 40,
};

#define ROOTS         2u
#define CONTEXT_PAGES 4u
#define DIRS          2u
#define PASID_PAGES   4u
#define RAM_SIZE      (AT_END * PAGE)

/* An invalidation, as far as it matters what it covers. */
enum inv_kind {
    INV_NONE, /* a moment that begins with a change of memory */
    INV_CONTEXT_GLOBAL,
    INV_CONTEXT_DOMAIN,
    INV_CONTEXT_DEVICE,
    INV_PASID_GLOBAL,
    INV_PASID_DOMAIN,
    INV_PASID_ONE,
    INV_TLB_GLOBAL,
    INV_TLB_DOMAIN,
    INV_TLB_PAGES,
    INV_TLB_PASID,
    INV_TLB_PASID_PAGES,
    INV_ROOT, /* SRTP of a unit with ESRTPS: everything */
    INV_KINDS
};

struct inv {
    enum inv_kind kind;
    uint16_t did;
    uint16_t sid;
    uint8_t function_mask;
    uint32_t pasid;
    uint64_t addr;
    uint8_t am;
    bool leaf_only;
};

/*
 * A moment begins with a change or with the completion of an invalidation and
 * lasts to the next.  The memory of the last one is the guest's own.
 */
#define MOMENTS 12u

struct moment {
    struct inv inv;
    struct ora_world world;
};

struct guest {
    struct vtd *vtd;
    struct vtd_view *view;
    struct vtd_dma *client; /* who translates through the view by himself */
    enum vtd_fr reported;   /* what he was told to have recorded */
    struct vtd_config config;
    uint8_t *ram; /* RAM_SIZE */
    uint8_t io[IO_SIZE];
    uint8_t *past; /* MOMENTS times as much */

    unsigned moments;
    struct moment moment[MOMENTS];

    /* What the driver did. */
    struct ora_switches switches;
    bool eime;
    bool wide_queue;
    uint32_t tail;
    uint32_t token;

    /* What the model changed in memory, since the last access began. */
    unsigned marks;
    struct ora_mark mark[ORA_MARKS];
    bool odd; /* a moment began with it */

    /* The consumer of routes. */
    struct vtd_route route[256];
    bool routed[256];

    /* Sinks that acknowledge late: the token that they owe, or 0. */
    bool sinks;
    uint64_t owed;
    unsigned long told; /* invalidations */
    bool unasked;       /* of some of these */

    unsigned long msis;
};

extern struct guest guest;

/*
 * Begin with a unit of @config, with sinks or without; it is ready to be told
 * a root table.
 */
void guest_begin(const struct vtd_config *config, bool sinks);
void guest_end(void);

/* What is true now. */
const struct ora_world *guest_now(void);

/* A moment begins: memory is about to change. */
void guest_change(void);
/* A moment begins: @inv is complete. */
void guest_invalidated(const struct inv *inv);
/* Everything was invalidated: the past does not count any more. */
void guest_forget(void);
bool guest_is_full(void);

uint64_t guest_read(uint64_t gpa);
/* Write a quadword; the caller called guest_change(). */
void guest_write(uint64_t gpa, uint64_t val);

/* Stop here, saying why. */
_Noreturn void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* --- random numbers ------------------------------------------------------ */

extern uint64_t random_seed;

uint64_t random64(void);
/* 0 to @n - 1. */
unsigned random_below(unsigned n);
/* In one of @n cases. */
bool random_one_in(unsigned n);

#endif
