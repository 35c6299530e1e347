/* SPDX-License-Identifier: MIT */
/*
 * The DMOPs that xen-hooks adds to Xen, for callers that are built against
 * stock Xen headers.  Must match xen/include/public/hvm/dm_op.h and ioreq.h of
 * the patched Xen; tests/lint/abi.sh compares the two.  docs/xen-abi.md is the
 * prose.
 *
 * All ops are restricted to HVM domains, take effect on the target domain
 * alone and require the privilege of any other DMOP (XSM_DM_PRIV).
 *
 * Errors: -EPERM the ioreq server belongs to another domain; -ENOENT no such
 * server; -EBUSY another live server owns the vIOMMU; -EINVAL pads, reserved
 * flags or ranges; -EOPNOTSUPP the Xen has no vIOMMU support, or none for this
 * domain; -ESRCH the domain is gone; -ENOMEM.
 */
#ifndef DAEMON_XEN_DMOP_ABI_H
#define DAEMON_XEN_DMOP_ABI_H

#include <stdint.h>

#define XEN_DMOP_viommu_query      64
#define XEN_DMOP_viommu_ir_control 65
#define XEN_DMOP_viommu_ir_update  66
#define XEN_DMOP_viommu_ir_inject  67

/* viommu_query: no side effect; needs no ioreq server. */
struct xen_dm_op_viommu_query {
    uint32_t version;  /* OUT - 1 */
    uint32_t features; /* OUT */
#define XEN_DMOP_VIOMMU_F_IR (1u << 0)
    uint32_t ir_max_entries; /* OUT - 65536 */
    uint32_t max_apic_id;    /* OUT */
    uint16_t owner;          /* OUT - ioservid, or _OWNER_NONE */
#define XEN_DMOP_VIOMMU_OWNER_NONE 0xffff
    uint16_t ir_flags;   /* OUT - as last set by ir_control */
    uint32_t ir_entries; /* OUT - as last set by ir_control */
    uint64_t remapped;   /* OUT - interrupts delivered by a route */
    uint64_t events;     /* OUT - ring records sent to the owner */
    uint64_t lost;       /* OUT - ring records dropped */
    uint64_t requests;   /* OUT - synchronous ioreqs to the owner */
};

/*
 * viommu_ir_control: the first call makes @id the owner.  After the owner's
 * server was destroyed the state stays in force (fail closed), with no owner,
 * until a server takes it over with _ADOPT.
 */
struct xen_dm_op_viommu_ir_control {
    uint16_t id;    /* IN - ioreq server */
    uint16_t flags; /* IN */
#define XEN_DMOP_VIOMMU_IR_ENABLE       (1u << 0)
#define XEN_DMOP_VIOMMU_IR_BLOCK_COMPAT (1u << 1)
#define XEN_DMOP_VIOMMU_IR_FLUSH        (1u << 2) /* drop all routes first */
#define XEN_DMOP_VIOMMU_IR_ADOPT        (1u << 3) /* take over orphaned state */
#define XEN_DMOP_VIOMMU_IR_STRICT_SID   (1u << 4) /* no source id: check fails */
    uint32_t nr_entries; /* IN - index >= this faults; 0 to 65536 */
    uint16_t ioapic_sid; /* IN - the vIOAPIC's source id */
    uint16_t pad0;
    uint32_t pad1;
};

/* One route: element of buf[1] of viommu_ir_update. */
struct xen_dm_op_viommu_irte {
    uint32_t index;
    uint32_t dest; /* 32-bit APIC destination */
    uint16_t sid;
    uint8_t vector;
    uint8_t sid_check;
#define XEN_DMOP_VIOMMU_SID_NONE       0
#define XEN_DMOP_VIOMMU_SID_EXACT      1
#define XEN_DMOP_VIOMMU_SID_IGNORE_2   2 /* all bits but bit 2 */
#define XEN_DMOP_VIOMMU_SID_IGNORE_2_1 3 /* all bits but bits 2:1 */
#define XEN_DMOP_VIOMMU_SID_IGNORE_2_0 4 /* all bits but bits 2:0 */
#define XEN_DMOP_VIOMMU_SID_BUS_RANGE  5 /* sid[15:8] <= bus <= sid[7:0] */
    uint16_t flags;
#define XEN_DMOP_VIOMMU_IRTE_PRESENT   (1u << 0) /* clear: remove */
#define XEN_DMOP_VIOMMU_IRTE_LOGICAL   (1u << 1)
#define XEN_DMOP_VIOMMU_IRTE_LEVEL     (1u << 2)
#define XEN_DMOP_VIOMMU_IRTE_FPD       (1u << 3) /* failed sid check: no event */
#define XEN_DMOP_VIOMMU_IRTE_DLM_SHIFT 8         /* 10:8, as in MSI data */
    uint16_t pad;
};

/*
 * viommu_ir_update: when it returns, no interrupt is being delivered through
 * an older version of any element.  An element that is refused ends the call
 * with 0, @done < @nr and @status; those before it are in force.
 */
struct xen_dm_op_viommu_ir_update {
    uint16_t id;                               /* IN - ioreq server */
    uint16_t flags;                            /* IN */
#define XEN_DMOP_VIOMMU_UPDATE_CLEAR (1u << 0) /* remove [first, first + nr) */
    uint32_t nr;    /* IN - elements, or length of the range */
    uint32_t first; /* IN - range start; 0 without _CLEAR */
    uint32_t done;  /* IN 0, OUT - elements processed */
    int32_t status; /* IN 0, OUT - -errno of element [done] */
    uint32_t pad;
};

/*
 * viommu_ir_inject: with _BYPASS one of the unit's own interrupts, as given.
 * Without it, run a missed request again: the vIOAPIC pin @pin if _IOAPIC, or
 * an MSI with @index and the source id of the miss.  A second miss of the same
 * request is reported again.
 */
struct xen_dm_op_viommu_ir_inject {
    uint16_t id;    /* IN - ioreq server */
    uint16_t flags; /* IN */
#define XEN_DMOP_VIOMMU_INJECT_BYPASS    (1u << 0)
#define XEN_DMOP_VIOMMU_INJECT_SID_VALID (1u << 1)
#define XEN_DMOP_VIOMMU_INJECT_IOAPIC    (1u << 2)
    uint32_t index; /* IN - 0 with _BYPASS */
    uint32_t dest;  /* IN - 0 without _BYPASS */
    uint16_t sid;   /* IN - 0 without _SID_VALID */
    uint8_t vector; /* IN - vector with _BYPASS, pin with _IOAPIC */
    uint8_t mode;   /* IN - 2:0 delivery mode, 3 logical, 4 level */
};

/*
 * inject_msi: the former padding of struct xen_dm_op_inject_msi names the
 * source id of the device that sends the MSI.
 */
#define XEN_DMOP_MSI_SID_VALID (1u << 16) /* sid in bits 15:0 */

/*
 * Records on the owner's buffered ioreq ring: a buf_ioreq of this type, with
 * dir 0 and size 0 (1 byte).
 */
#define IOREQ_TYPE_VIOMMU 9
/* buf_ioreq.addr, 20 bits */
#define VIOMMU_EVENT_INDEX(addr)  ((addr)&0xffffu)
#define VIOMMU_EVENT_REASON(addr) (((addr) >> 16) & 0xfu)
#define VIOMMU_REASON_MISS        1u /* no route for this index */
#define VIOMMU_REASON_RANGE       2u /* index beyond nr_entries */
#define VIOMMU_REASON_SID         3u /* source id check failed */
#define VIOMMU_REASON_COMPAT      4u /* compatibility format blocked */
#define VIOMMU_REASON_RESERVED    5u /* reserved bits in the request */
#define VIOMMU_REASON_MODE        6u /* the route cannot be delivered */
/* buf_ioreq.data, 32 bits */
#define VIOMMU_EVENT_SID(data)       ((data)&0xffffu)
#define VIOMMU_EVENT_SID_VALID(data) (((data) >> 16) & 1u)
#define VIOMMU_EVENT_IOAPIC(data)    (((data) >> 17) & 1u)
#define VIOMMU_EVENT_LOST(data)      (((data) >> 18) & 1u) /* records dropped */
#define VIOMMU_EVENT_PIN(data)       (((data) >> 20) & 0xffu)

#endif
