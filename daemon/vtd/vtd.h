/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VT-d model: one remapping hardware unit, as software sees it.
 *
 * Pure: it knows no Xen, no event loop and no system call, allocates only in
 * vtd_create(), and reaches the world through struct vtd_ops alone.  It is
 * single-threaded: the owner makes one call at a time, and no callback may
 * call back into the model.
 *
 * The specification is "Intel Virtualization Technology for Directed I/O",
 * revision 4.1, cited as [VT-d 4.1, "section title"].
 */
#ifndef DAEMON_VTD_VTD_H
#define DAEMON_VTD_VTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vtd;

/* The register page. [VT-d 4.1, "Register Location"] */
#define VTD_MMIO_SIZE 4096u

/* Entries of the largest interrupt remapping table: IRTA.S = 15. */
#define VTD_IRT_MAX 65536u

/* Routes that one ops->ir_routes() call carries at most. */
#define VTD_ROUTE_BATCH 256u

/* Fault recording registers that a unit can be configured with. */
#define VTD_FAULT_RECORDS_MAX 8u

/* What a unit advertises; copied by vtd_create(). */
struct vtd_config {
    bool eim;              /* ECAP.EIM: 32-bit destinations */
    bool esirtps;          /* CAP.ESIRTPS: SIRTP invalidates by itself */
    uint8_t fault_records; /* 1 to VTD_FAULT_RECORDS_MAX */
};

/*
 * Fault reasons, as the specification encodes them.
 * [VT-d 4.1, "Interrupt-Remapping Fault Reason Encodings"]
 */
enum vtd_fr {
    VTD_FR_OK = 0x00,
    VTD_FR_IR_REQ_RSVD = 0x20,    /* reserved field set in the request */
    VTD_FR_IR_INDEX_RANGE = 0x21, /* index beyond the table */
    VTD_FR_IR_NOT_PRESENT = 0x22, /* entry's P is clear */
    VTD_FR_IR_ROOT_ACCESS = 0x23, /* table cannot be read */
    VTD_FR_IR_ENTRY_RSVD = 0x24,  /* reserved field set in the entry */
    VTD_FR_IR_COMPAT = 0x25,      /* compatibility format, blocked */
    VTD_FR_IR_SID = 0x26,         /* source id check failed */
};

/* How an entry checks the source id of a request (IRTE.SVT and IRTE.SQ). */
enum vtd_sid_check {
    VTD_SID_NONE,
    VTD_SID_EXACT,
    VTD_SID_IGNORE_2,   /* all bits but bit 2 */
    VTD_SID_IGNORE_2_1, /* all bits but bits 2:1 */
    VTD_SID_IGNORE_2_0, /* all bits but bits 2:0 */
    VTD_SID_BUS_RANGE,  /* high byte of sid <= bus <= low byte of sid */
};

/* One decoded interrupt route: everything that delivery needs to know. */
struct vtd_route {
    uint32_t index; /* 0 to VTD_IRT_MAX - 1 */
    uint32_t dest;  /* APIC id or logical destination, 32 bits */
    uint16_t sid;   /* to check against, see sid_check */
    uint8_t vector;
    uint8_t sid_check;     /* enum vtd_sid_check */
    uint8_t delivery_mode; /* as in MSI data: 0 fixed ... 7 ExtINT; a */
                           /* redirection hint is folded into 1 */
    bool present;          /* false: the route is gone, other fields 0 */
    bool logical;          /* destination mode */
    bool level;            /* trigger mode */
    bool fpd;              /* faults of this entry are not recorded */
};

/* What the unit does with interrupt requests as a whole. */
struct vtd_ir_state {
    bool enabled;      /* GSTS.IRES */
    bool block_compat; /* compatibility-format requests are blocked */
    uint32_t entries;  /* size of the latched table; 0 if none */
};

/*
 * An interrupt request that a consumer of routes could not finish: a miss
 * (reason VTD_FR_IR_NOT_PRESENT), or a fault it detected itself.
 */
struct vtd_ir_event {
    enum vtd_fr reason;
    uint32_t index; /* after subhandle addition; 0 for compat */
    uint16_t sid;   /* valid if sid_valid; 0 otherwise */
    bool sid_valid;
    bool lost;       /* events before this one were dropped */
    uint64_t cookie; /* the consumer's own; returned by ir_retry() */
};

/* Events of interest to a tracer; the arguments are listed in trace.def. */
enum vtd_event {
#define TRACE(name, args) VTD_EV_##name,
#include "daemon/vtd/trace.def"
#undef TRACE
    VTD_EV_COUNT
};

/* Services of the owner.  All are required unless marked optional. */
struct vtd_ops {
    /*
     * Copy @len bytes (at most 64) of guest memory.  A naturally aligned
     * access of up to 16 bytes is one single load or store, because software
     * updates a present 128-bit entry in place.  Return 0, or -EFAULT if the
     * guest has no memory there.
 */
    int (*mem_read)(void *ctx, uint64_t gpa, void *buf, size_t len);
    int (*mem_write)(void *ctx, uint64_t gpa, const void *buf, size_t len);

    /* Deliver one of the unit's own interrupts; it bypasses remapping. */
    void (*msi)(void *ctx, uint64_t addr, uint32_t data);

    /* The unit's treatment of interrupt requests changed. */
    void (*ir_state)(void *ctx, const struct vtd_ir_state *state);

    /*
     * @n (1 to VTD_ROUTE_BATCH) routes changed.  When this returns, no
     * interrupt is delivered through an older version of any of them.
 */
    void (*ir_routes)(void *ctx, const struct vtd_route *route, unsigned n);

    /* All routes of [first, first + n) are gone; same guarantee. */
    void (*ir_clear)(void *ctx, uint32_t first, uint32_t n);

    /* The route for a miss was announced: run that request again. */
    void (*ir_retry)(void *ctx, const struct vtd_ir_event *miss);

    /* Optional. */
    void (*trace)(void *ctx, enum vtd_event ev, const uint64_t arg[4]);
};

/*
 * Create a unit in its reset state.  @ops is kept, not copied; @ctx is passed
 * to every op.  Returns NULL with errno EINVAL for a configuration that makes
 * no sense, ENOMEM without memory.  vtd_destroy() accepts NULL.
 */
struct vtd *vtd_create(const struct vtd_config *config,
                       const struct vtd_ops *ops, void *ctx);
void vtd_destroy(struct vtd *vtd);

/* Hardware reset: every register, latch, queue and route. */
void vtd_reset(struct vtd *vtd);

/*
 * One access to the register page.  @off is less than VTD_MMIO_SIZE, @size is
 * 1 to 8; any alignment; bytes beyond the page read as zero.  Reads of any
 * size are answered byte by byte from the registers.  Writes act in whole
 * aligned dwords, the only ones besides qwords that the specification
 * defines; the rest of a write is dropped and counted.
 *
 * A write to IQT runs the queue up to a budget before it returns; if
 * vtd_run_pending() is true afterwards, the owner calls vtd_run() soon.
 */
uint64_t vtd_mmio_read(struct vtd *vtd, uint32_t off, unsigned size);
void vtd_mmio_write(struct vtd *vtd, uint32_t off, unsigned size, uint64_t val);

/* Run the invalidation queue for at most @budget descriptors. */
bool vtd_run_pending(const struct vtd *vtd);
void vtd_run(struct vtd *vtd, unsigned budget);

/*
 * Remap one interrupt request in full: @addr and @data are the MSI as the
 * device (or, for a redirection table entry, the IOAPIC) sends it.  Returns
 * VTD_FR_OK and fills @route; or the fault, which is recorded.  While
 * remapping is disabled, and for a compatibility-format request that is not
 * blocked, *route is what the message itself says, with index ~0.
 * @sid_valid false skips the source id check.  An entry that was announced is
 * taken as it was announced, so that this and the consumer agree.
 */
enum vtd_fr vtd_ir_remap(struct vtd *vtd, uint64_t addr, uint32_t data,
                         uint16_t sid, bool sid_valid, struct vtd_route *route);

/*
 * A consumer of routes reports a request it could not finish.  A miss is
 * answered by ir_routes() and ir_retry(), or recorded as the fault it is.
 */
void vtd_ir_event(struct vtd *vtd, const struct vtd_ir_event *event);

/*
 * Announce the state and every present route again, as after the consumer
 * lost them.  Routes follow as they are missed.
 */
void vtd_ir_resync(struct vtd *vtd);

/* --- inspection: reads only, no side effect on the unit ----------------- */

struct vtd_field {
    const char *name;
    uint64_t mask; /* contiguous */
};

struct vtd_reg_info {
    const char *name;              /* as the specification spells it, "GSTS" */
    uint16_t off;                  /* in the register page */
    uint8_t size;                  /* 4 or 8 bytes */
    const struct vtd_field *field; /* highest first; field_count may be 0 */
    unsigned field_count;
};

/* Registers 0 to vtd_reg_count() - 1, by ascending offset. */
unsigned vtd_reg_count(const struct vtd *vtd);
void vtd_reg_info(const struct vtd *vtd, unsigned i, struct vtd_reg_info *info);
uint64_t vtd_reg_value(const struct vtd *vtd, unsigned i);

void vtd_ir_state_get(const struct vtd *vtd, struct vtd_ir_state *state);

/*
 * Entry @index as guest memory has it now (@raw, low quadword first), how it
 * decodes (@verdict, @route), and whether a route was announced for it
 * (@announced, by value).  Returns 0, -ERANGE beyond the table, or -EFAULT.
 */
int vtd_irte_inspect(const struct vtd *vtd, uint32_t index, uint64_t raw[2],
                     enum vtd_fr *verdict, struct vtd_route *route,
                     struct vtd_route *announced);

struct vtd_queue_info {
    bool enabled;
    uint64_t base; /* guest physical */
    uint32_t entries;
    uint8_t entry_size;  /* 16 or 32 bytes */
    uint32_t head, tail; /* in entries */
    uint8_t error;       /* IQERCD.IQEI of the last error */
    bool stopped;        /* FSTS.IQE */
};

void vtd_queue_info(const struct vtd *vtd, struct vtd_queue_info *info);

/* Descriptor @i as guest memory has it now.  Returns 0, -ERANGE, -EFAULT. */
int vtd_queue_inspect(const struct vtd *vtd, uint32_t i, uint64_t desc[4]);

/* Name of a descriptor's type, "wait"; "unknown" for the rest. */
const char *vtd_desc_name(const uint64_t desc[4]);

struct vtd_fault_info {
    bool valid; /* F */
    uint16_t sid;
    uint8_t reason;
    uint64_t info; /* FI: interrupt index in bits 63:48 */
    uint64_t raw[2];
};

/* Record @i of vtd_config.fault_records. */
void vtd_fault_info(const struct vtd *vtd, unsigned i,
                    struct vtd_fault_info *info);

/* Text for a fault reason; "unknown fault reason" for the rest. */
const char *vtd_fault_name(uint8_t reason);

/* Counters since creation; they survive a reset of the unit. */
enum vtd_stat {
#define STAT(name, text) VTD_STAT_##name,
#include "daemon/vtd/stats.def"
#undef STAT
    VTD_STAT_COUNT
};

const char *vtd_stat_name(
    enum vtd_stat stat); /* lower case, '-' between words */
uint64_t vtd_stat_value(const struct vtd *vtd, enum vtd_stat stat);

#endif
