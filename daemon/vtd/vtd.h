/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
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
struct vtd_view;
struct vtd_trail;
struct vtd_dma_ctx;
struct vtd_page;

/* The register page. [VT-d 4.1, "Register Location"] */
#define VTD_MMIO_SIZE 4096u

/* Entries of the largest interrupt remapping table: IRTA.S = 15. */
#define VTD_IRT_MAX 65536u

/* Routes that one ops->ir_routes() call carries at most. */
#define VTD_ROUTE_BATCH 256u

/* Fault recording registers that a unit can be configured with. */
#define VTD_FAULT_RECORDS_MAX 8u

/* Address widths of CAP.SAGAW: 3, 4 and 5 levels of second-stage tables. */
#define VTD_SAGAW_39 0x2u
#define VTD_SAGAW_48 0x4u
#define VTD_SAGAW_57 0x8u

/*
 * What a unit advertises; copied by vtd_create().  A capability that depends
 * on another one is refused without it; vtd_config_check() says why.
 * [VT-d 4.1, "Capability Register", "Extended Capability Register"]
 */
struct vtd_config {
    uint8_t fault_records; /* 1 to VTD_FAULT_RECORDS_MAX */
    uint8_t haw;           /* host address width, 32 to 52 bits; above: */
                           /* reserved in registers and structures */

    bool ir;      /* ECAP.IR: interrupt remapping */
    bool eim;     /* ECAP.EIM: 32-bit destinations */
    bool esirtps; /* CAP.ESIRTPS: SIRTP invalidates by itself */
    bool pi;      /* CAP.PI: posted-format entries */

    uint8_t sagaw; /* VTD_SAGAW_*; 0: no second stage; without smts also: */
                   /* no DMA remapping at all */
    uint8_t mgaw;  /* 39, 48 or 57 bits; the widest guest address */
    uint8_t mamv;  /* largest mask of a page-selective invalidation */
    bool esrtps;   /* SRTP invalidates by itself */
    bool cm;       /* caching mode: maps are followed by invalidations */
    bool zlr;      /* zero-length reads of write-only pages */
    bool drain;    /* DWD and DRD */
    bool ss2m;     /* second-stage 2 MiB pages */
    bool ss1g;     /* and 1 GiB pages */
    bool plmr;     /* protected low and high memory */
    bool phmr;
    bool pt;  /* pass-through */
    bool sc;  /* snoop control */
    bool dt;  /* device TLBs: ATS */
    bool dit; /* device-TLB invalidation throttle: PFSID */

    bool smts;          /* scalable mode */
    bool ssts;          /* second-stage translation in scalable mode */
    bool fsts;          /* first-stage translation */
    bool nest;          /* first stage nested on second */
    bool fs1gp;         /* first-stage 1 GiB pages */
    bool fs5lp;         /* first-stage 5 levels */
    bool ssads;         /* second-stage accessed and dirty bits */
    bool eafs;          /* extended accessed flag */
    bool srs;           /* supervisor requests */
    bool ers;           /* execute requests */
    bool nwfs;          /* no-write flag of ATS requests */
    bool rps;           /* RID_PASID */
    bool rprivs;        /* RID_PRIV: requests without PASID as supervisor's */
    bool smpwcs;        /* coherent page walks in scalable mode */
    bool adms;          /* abort-DMA root table mode */
    bool prs;           /* page requests */
    bool pds;           /* page-request drain */
    uint8_t pasid_bits; /* 0: no requests with PASID; or 1 to 20 */
};

/* Presets; each is accepted by vtd_config_check(). */
extern const struct vtd_config vtd_config_ir;       /* interrupts only */
extern const struct vtd_config vtd_config_legacy;   /* + second stage */
extern const struct vtd_config vtd_config_scalable; /* + PASID, nested */
extern const struct vtd_config vtd_config_full;     /* + SVM, posted, PMR */

/* NULL, or why @config makes no sense, in words. */
const char *vtd_config_check(const struct vtd_config *config);

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
    VTD_FR_IR_PD_ACCESS = 0x27,   /* posted descriptor cannot be accessed */
    VTD_FR_IR_PD_RSVD = 0x28,     /* reserved field set in it */
    VTD_FR_IR_INVALID = 0x29,     /* access to the range, but no interrupt */

    /* [VT-d 4.1, "DMA Remapping Fault Reasons"]: legacy mode. */
    VTD_FR_ROOT_P = 0x01,      /* root entry not present */
    VTD_FR_CTX_P = 0x02,       /* context entry not present */
    VTD_FR_CTX_INV = 0x03,     /* invalid programming of a context entry */
    VTD_FR_ADDR_WIDTH = 0x04,  /* address too wide for table or host */
    VTD_FR_WRITE = 0x05,       /* no write permission */
    VTD_FR_READ = 0x06,        /* no read permission */
    VTD_FR_PT_ACCESS = 0x07,   /* paging entry cannot be accessed */
    VTD_FR_ROOT_ACCESS = 0x08, /* root table cannot be accessed */
    VTD_FR_CTX_ACCESS = 0x09,  /* context table cannot be accessed */
    VTD_FR_ROOT_RSVD = 0x0a,   /* reserved field in a root entry */
    VTD_FR_CTX_RSVD = 0x0b,    /* ... in a context entry */
    VTD_FR_PT_RSVD = 0x0c,     /* ... in a paging entry */
    VTD_FR_TT_BLOCK = 0x0d,    /* TT blocks translation and translated */
    VTD_FR_INT_RANGE = 0x0e,   /* output in the interrupt range */

    /* Scalable mode. */
    VTD_FR_RTA = 0x30,       /* RTADDR invalid: reserved TTM */
    VTD_FR_RTA_PASID = 0x31, /* request with PASID, TTM legacy */
    VTD_FR_RTA_PRQ = 0x32,   /* page request, TTM legacy */
    VTD_FR_RTA_ABORT = 0x33, /* any request in abort-DMA mode */
    VTD_FR_SM_ROOT_ACCESS = 0x38,
    VTD_FR_SM_ROOT_P = 0x39,
    VTD_FR_SM_ROOT_RSVD = 0x3a,
    VTD_FR_SM_CTX_ACCESS = 0x40,
    VTD_FR_SM_CTX_P = 0x41,
    VTD_FR_SM_CTX_RSVD = 0x42,
    VTD_FR_SM_CTX_INV = 0x43,
    VTD_FR_SM_DTE = 0x44,         /* DTE clear, ATS request */
    VTD_FR_SM_PASIDE = 0x45,      /* PASIDE clear, request with PASID */
    VTD_FR_SM_PASID_RANGE = 0x46, /* PASID beyond PDTS */
    VTD_FR_SM_PRE = 0x47,         /* PRE clear, page request */
    VTD_FR_SM_RID_PASID = 0x48,   /* PASID of a request is RID_PASID */
    VTD_FR_PASID_DIR_ACCESS = 0x50,
    VTD_FR_PASID_DIR_P = 0x51,
    VTD_FR_PASID_DIR_RSVD = 0x52,
    VTD_FR_PASID_ACCESS = 0x58,
    VTD_FR_PASID_P = 0x59,
    VTD_FR_PASID_RSVD = 0x5a,
    VTD_FR_PASID_INV = 0x5b,
    VTD_FR_PASID_ERE = 0x5c, /* execute request, ERE clear */
    VTD_FR_PASID_SRE = 0x5d, /* supervisor request, SRE clear */
    VTD_FR_FS_ACCESS = 0x70, /* first-stage entry cannot be accessed */
    VTD_FR_FS_P = 0x71,
    VTD_FR_FS_RSVD = 0x72,
    VTD_FR_FS_ROOT_ACCESS = 0x73, /* the top first-stage table */
    VTD_FR_NEST_WIDTH = 0x74,     /* address in first-stage entry too wide */
    VTD_FR_NEST_ROOT_READ = 0x75, /* top table not readable by 2nd stage */
    VTD_FR_NEST_READ = 0x76,      /* first-stage entry not readable */
    VTD_FR_NEST_WRITE = 0x77,     /* A or D not writable */
    VTD_FR_SS_ACCESS = 0x78,      /* second-stage entry cannot be accessed */
    VTD_FR_SS_PERM = 0x79,        /* second stage permits nothing */
    VTD_FR_SS_RSVD = 0x7a,
    VTD_FR_SS_ROOT = 0x7b,      /* second-stage root cannot be accessed */
    VTD_FR_SS_AD = 0x7c,        /* A/D update, but no-snoop walk */
    VTD_FR_SS_AD_FAILED = 0x7d, /* A/D could not be written */
    VTD_FR_FS_CANONICAL = 0x80,
    VTD_FR_FS_USER = 0x81,      /* user request, supervisor page */
    VTD_FR_FS_EXEC = 0x82,      /* execute request, XD page */
    VTD_FR_DMA_WIDTH = 0x83,    /* untranslated address beyond the host's */
    VTD_FR_SS_WIDTH = 0x84,     /* address beyond MGAW or AW */
    VTD_FR_SM_WRITE = 0x85,     /* no write permission */
    VTD_FR_SM_READ = 0x86,      /* no read permission */
    VTD_FR_SM_INT_RANGE = 0x87, /* output in the interrupt range */
    VTD_FR_FS_AD = 0x90,        /* A/D update, but no-snoop walk */
    VTD_FR_FS_AD_FAILED = 0x91, /* A/D could not be written */

    /*
     * No reason of the specification's: a request that it refuses without a
     * fault.  Never recorded.  See vtd_dma_translate().
     */
    VTD_FR_BLOCKED = 0xff,
};

/* --- DMA ----------------------------------------------------------------- */

/* vtd_dma_req.pasid of a request without PASID. */
#define VTD_NO_PASID UINT32_MAX

/* What a request asks for, and what a translation permits. */
#define VTD_DMA_READ  1u
#define VTD_DMA_WRITE 2u
#define VTD_DMA_EXEC  4u /* with READ: ER; counts with a PASID alone */

/* Address type of a request. [PCIe, "Address Translation Services"] */
enum vtd_at {
    VTD_AT_UNTRANSLATED = 0,
    VTD_AT_TRANSLATION = 1, /* an ATS translation request */
    VTD_AT_TRANSLATED = 2,  /* its address came from ATS */
};

struct vtd_dma_req {
    uint64_t iova;
    uint32_t pasid; /* or VTD_NO_PASID */
    uint16_t sid;
    uint8_t access;  /* VTD_DMA_*; 0 is a zero-length read */
    uint8_t at;      /* enum vtd_at */
    bool privileged; /* PR: supervisor; needs a PASID */
    bool atomic;     /* AtomicOp: needs both permissions */
    bool no_write;   /* NW of an ATS request: do not set D */
};

struct vtd_dma_resp {
    uint64_t gpa;      /* of iova itself */
    uint8_t shift;     /* the translation holds for the 2^shift bytes around: */
                       /* 12, 21 or 30; 12 for what is not translated at all */
    uint8_t access;    /* all that the translation permits */
    bool snoop;        /* the access must snoop */
    bool global;       /* valid for every PASID of the domain */
    bool untranslated; /* ATS: must be sent untranslated (U) */
};

/* One invalidation, for sinks that keep translations of their own. */
enum vtd_inv_kind {
    VTD_INV_CONTEXT,       /* context cache: global, domain or device */
    VTD_INV_PASID_CACHE,   /* global, domain or one PASID of a domain */
    VTD_INV_IOTLB,         /* global, domain or pages of a domain */
    VTD_INV_PASID_IOTLB,   /* one PASID of a domain, all or pages of it */
    VTD_INV_DEV_TLB,       /* a device's own, by address */
    VTD_INV_PASID_DEV_TLB, /* the same of one PASID, or of all: global */
    VTD_INV_ROOT,          /* SRTP: every translation is void */
};

enum vtd_inv_scope {
    VTD_INV_GLOBAL,
    VTD_INV_DOMAIN,
    VTD_INV_ONE
};

struct vtd_inv {
    enum vtd_inv_kind kind;
    enum vtd_inv_scope scope; /* ONE: device, PASID or pages; see kind */
    bool pages;               /* [addr, addr + 2^shift) only */
    bool leaf_only;           /* IH: no non-leaf entry changed */
    uint8_t function_mask;    /* FM: bits 2:0 of sid that do not count */
    uint16_t did;
    uint16_t sid;   /* context, device TLBs */
    uint32_t pasid; /* or VTD_NO_PASID */
    uint64_t addr;
    uint8_t shift; /* 12 to 64 */
};

/* How sinks acknowledged what was announced before a sync. */
enum vtd_sync_status {
    VTD_SYNC_OK,
    VTD_SYNC_TIMEOUT, /* a device TLB did not answer: FSTS.ITE */
    VTD_SYNC_ERROR,   /* a device's completion made no sense: FSTS.ICE; */
                      /* another status for the token is still to come */
};

/* --- page requests ------------------------------------------------------- */

struct vtd_page_req {
    uint64_t addr;  /* page-aligned */
    uint32_t pasid; /* or VTD_NO_PASID */
    uint16_t sid;
    uint16_t group; /* PRGI, 9 bits */
    uint8_t access; /* VTD_DMA_* */
    bool privileged;
    bool last;        /* LPIG: a response is wanted */
    bool stop_marker; /* neither an address nor a response */
};

/* [PCIe, "PRG Response Message"] */
enum vtd_page_resp_code {
    VTD_PAGE_SUCCESS = 0,
    VTD_PAGE_INVALID = 1,
    VTD_PAGE_FAILURE = 15,
};

struct vtd_page_resp {
    uint32_t pasid; /* or VTD_NO_PASID */
    uint16_t sid;
    uint16_t group;
    uint8_t code; /* enum vtd_page_resp_code, or what the guest wrote */
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

    /*
     * Atomically replace the aligned quadword at @gpa by @desired if it is
     * @expected.  Returns 0 if it was, 1 if it was not, or -EFAULT.
     */
    int (*mem_cmpxchg)(void *ctx, uint64_t gpa, uint64_t expected,
                       uint64_t desired);

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

    /*
     * Optional, together: an owner with sinks that keep translations.
     * invalidate() announces one; sync() asks whether all that were announced
     * are acknowledged.  If it returns false the owner calls vtd_sync_done()
     * with the same @token later, never from within sync().
     */
    void (*invalidate)(void *ctx, const struct vtd_inv *inv);
    bool (*sync)(void *ctx, uint64_t token);

    /* Optional: answer a group of page requests.  Needed with config.prs. */
    void (*page_response)(void *ctx, const struct vtd_page_resp *resp);

    /* Optional. */
    void (*trace)(void *ctx, enum vtd_event ev, const uint64_t arg[4]);
};

/*
 * Create a unit in its reset state.  @ops is kept, not copied; @ctx is passed
 * to every op.  Returns NULL with errno EINVAL for a configuration that makes
 * no sense or needs an op that is missing, ENOMEM without memory.  vtd_destroy() accepts NULL.
 */
struct vtd *vtd_create(const struct vtd_config *config,
                       const struct vtd_ops *ops, void *ctx);
void vtd_destroy(struct vtd *vtd);

/*
 * The same with @view, zero and aligned as its type is, which outlives the
 * unit: memory that others read, to translate through the unit by themselves.
 * See view.h and dma.h.
 */
struct vtd *vtd_create_view(const struct vtd_config *config,
                            const struct vtd_ops *ops, void *ctx,
                            struct vtd_view *view);

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
 * Translate one access, which must not cross a 4 KiB boundary.  VTD_FR_OK and
 * *resp; or the fault, which is recorded unless FPD of the entry in charge
 * says otherwise.  While DMA remapping is disabled every untranslated request
 * passes as it is.
 *
 * For VTD_AT_TRANSLATION most of what tables lack is no fault: resp->access
 * says what there is, possibly nothing.  Such a request asks for reading, for
 * writing unless it is no_write, and executing if VTD_DMA_EXEC is in @access,
 * of which the rest does not count.
 *
 * An untranslated write of a dword without PASID to the interrupt range is no
 * DMA: the caller gives it to vtd_ir_remap() instead.  Any other access there
 * is a fault, but for a zero-length read, which succeeds with no permission.
 * [VT-d 4.1, "Handling Requests to Interrupt Address Range"]
 *
 * VTD_FR_BLOCKED, without a record: what protected memory regions keep out; a
 * translated request with PASID; and all that is not untranslated while DMA
 * remapping is disabled.
 * [VT-d 4.1, "Handling of ATS Protocol Errors"]
 */
enum vtd_fr vtd_dma_translate(struct vtd *vtd, const struct vtd_dma_req *req,
                              struct vtd_dma_resp *resp);

/*
 * Void everything that is kept of contexts and translations, here and by
 * those who read the view.  Sinks are not told.
 */
void vtd_forget(struct vtd *vtd);

/*
 * A page request of a device.  Software answers it, by ops->page_response();
 * but the unit does at once, before this returns, if the request was the last
 * of its group and did not enter the queue.  It is VTD_PAGE_SUCCESS where the
 * queue had no room, after which the device tries its access again, and
 * VTD_PAGE_INVALID where the tables are to blame, which is recorded as a
 * fault.  A unit without config.prs hears no page requests.
 * [VT-d 4.1, "Handling of Page Requests"]
 */
void vtd_page_request(struct vtd *vtd, const struct vtd_page_req *req);

/*
 * All sinks acknowledged what was announced before sync() was called with
 * @token, or @sid's device TLB did not.  Tokens ascend, and each stands for
 * those before, so that the owner need not tell them all; one is ignored if
 * nobody waits.  The queue goes on; see vtd_run_pending().
 */
void vtd_sync_done(struct vtd *vtd, uint64_t token, enum vtd_sync_status status,
                   uint16_t sid);

/*
 * The whole state of a unit but for its caches, in a fixed number of bytes
 * below 4096.  vtd_save() writes exactly vtd_save_size() bytes.  vtd_load()
 * replaces the state of @vtd, whose configuration must be the one of the unit
 * that was saved; it returns 0, or -EINVAL for a blob that is damaged, of
 * another version or configuration, and then changes nothing.
 *
 * vtd_load() itself tells nobody.  The owner calls vtd_ir_resync() next, which
 * announces the state of interrupts, and then vtd_run(), for which
 * vtd_run_pending() asks.  That announces VTD_INV_ROOT, before anything else:
 * it stands for all invalidations that were announced and not acknowledged.
 * Commands and waits that stood for a sync ask for one again, with new tokens;
 * those of before are ignored.
 */
size_t vtd_save_size(const struct vtd *vtd);
void vtd_save(const struct vtd *vtd, void *buf);
int vtd_load(struct vtd *vtd, const void *buf, size_t len);

/*
 * Remap one interrupt request in full: @addr and @data are the MSI as the
 * device (or, for a redirection table entry, the IOAPIC) sends it.  Returns
 * VTD_FR_OK and fills @route; or the fault, which is recorded.  While
 * remapping is disabled, and for a compatibility-format request that is not
 * blocked, *route is what the message itself says, with index ~0.
 * @sid_valid false skips the source id check.  An entry that was announced is
 * taken as it was announced, so that this and the consumer agree.
 *
 * With config.pi a request may be posted instead: the function does that, and
 * returns VTD_FR_OK with route->present false.  Nothing is left to deliver.
 */
enum vtd_fr vtd_ir_remap(struct vtd *vtd, uint64_t addr, uint32_t data,
                         uint16_t sid, bool sid_valid, struct vtd_route *route);

/*
 * A consumer of routes reports a request it could not finish.  A miss is
 * answered by ir_routes() and ir_retry(), or posted without either, or
 * recorded as the fault it is.
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
 * (@announced, by value).  For a good entry of the posted format the verdict is
 * VTD_FR_OK, but route->present is false: it has a vector and a source id, and
 * the rest is 0.  Returns 0, -ERANGE beyond the table, or -EFAULT.
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
    bool stopped;        /* FSTS.IQE or ITE */
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

/* T1 and T2 of a record. [VT-d 4.1, "Fault Recording Registers"] */
enum vtd_fault_type {
    VTD_FAULT_WRITE = 0,
    VTD_FAULT_PAGE = 1, /* a page request */
    VTD_FAULT_READ = 2,
    VTD_FAULT_ATOMIC = 3,
};

/* A DMA or page request that was refused, in full: a record has less of it. */
struct vtd_fault {
    struct vtd_dma_req req;
    uint8_t reason; /* enum vtd_fr */
    uint8_t type;   /* enum vtd_fault_type */
};

/*
 * The last one that was recorded, or lost for lack of room, whatever software
 * has cleared since; and how many there were since creation.  If that is 0,
 * *fault is left alone.
 */
uint64_t vtd_fault_last(const struct vtd *vtd, struct vtd_fault *fault);

/*
 * What would become of @req if nothing were cached, and what was read for it;
 * see walk.h.  Nothing changes, nor is anything recorded.  A translation
 * request asks for what @req->access says, and its faults are returned as they
 * are.  *ctx has stage NONE where none was found or looked for; *page is
 * @req's own address, with no permission, where none was found.
 */
enum vtd_fr vtd_dma_inspect(const struct vtd *vtd,
                            const struct vtd_dma_req *req,
                            struct vtd_trail *trail, struct vtd_dma_ctx *ctx,
                            struct vtd_page *page);

/* One translation that is cached, of a page of 4 KiB or a part of a larger. */
struct vtd_tlb_info {
    uint64_t iova;
    uint64_t gpa;
    uint32_t pasid; /* or VTD_NO_PASID */
    uint16_t sid;
    uint8_t shift;  /* of the whole page */
    uint8_t access; /* VTD_DMA_*, of requests that are not privileged */
};

/* Slots 0 to vtd_tlb_size() - 1; false for one that has no valid entry. */
unsigned vtd_tlb_size(const struct vtd *vtd);
bool vtd_tlb_info(const struct vtd *vtd, unsigned i, struct vtd_tlb_info *info);

/* How often everything of a kind, and anything at all, was made void. */
struct vtd_gen_info {
    uint64_t translations;
    uint64_t contexts;
    uint64_t invalidations;
};

void vtd_gen_info(const struct vtd *vtd, struct vtd_gen_info *info);

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
