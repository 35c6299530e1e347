/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver of the remapping unit that can do everything right, and everything
 * wrong.  Registers and structures: "Intel Virtualization Technology for
 * Directed I/O", revision 4.1.
 */
#ifndef TESTS_GUESTS_LIB_UNIT_H
#define TESTS_GUESTS_LIB_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#define UNIT_BASE_DEFAULT 0xfed90000ull
#define UNIT_SIZE         0x1000u

/* [VT-d 4.1, "Register Descriptions"] */
#define VTD_VER     0x000u
#define VTD_CAP     0x008u
#define VTD_ECAP    0x010u
#define VTD_GCMD    0x018u
#define VTD_GSTS    0x01cu
#define VTD_RTADDR  0x020u
#define VTD_FSTS    0x034u
#define VTD_FECTL   0x038u
#define VTD_FEDATA  0x03cu
#define VTD_FEADDR  0x040u
#define VTD_FEUADDR 0x044u
#define VTD_IQH     0x080u
#define VTD_IQT     0x088u
#define VTD_IQA     0x090u
#define VTD_ICS     0x09cu
#define VTD_IECTL   0x0a0u
#define VTD_IEDATA  0x0a4u
#define VTD_IEADDR  0x0a8u
#define VTD_IEUADDR 0x0acu
#define VTD_IQERCD  0x0b0u
#define VTD_IRTA    0x0b8u
#define VTD_PQH     0x0c0u
#define VTD_PQT     0x0c8u
#define VTD_PQA     0x0d0u
#define VTD_PRS     0x0dcu
#define VTD_PECTL   0x0e0u

#define CAP_SAGAW(cap)  ((cap) >> 8 & 0x1f)
#define CAP_FRO(cap)    (((cap) >> 24 & 0x3ff) * 16)
#define CAP_NFR(cap)    (((cap) >> 40 & 0xff) + 1)
#define CAP_SSLPS_1G    (1ull << 35)
#define CAP_FS1GP       (1ull << 56)
#define ECAP_QI         (1ull << 1)
#define ECAP_DT         (1ull << 2)
#define ECAP_IR         (1ull << 3)
#define ECAP_EIM        (1ull << 4)
#define ECAP_PT         (1ull << 6)
#define ECAP_NEST       (1ull << 26)
#define ECAP_PRS        (1ull << 29)
#define ECAP_ERS        (1ull << 30)
#define ECAP_SRS        (1ull << 31)
#define ECAP_PASID      (1ull << 40)
#define ECAP_SMTS       (1ull << 43)
#define ECAP_SSTS       (1ull << 46)
#define ECAP_FSTS       (1ull << 47)
#define ECAP_MHMV(ecap) ((ecap) >> 20 & 0xf)

/* The same bits in GCMD and GSTS. */
#define GCMD_TE    (1u << 31)
#define GCMD_SRTP  (1u << 30)
#define GCMD_QIE   (1u << 26)
#define GCMD_IRE   (1u << 25)
#define GCMD_SIRTP (1u << 24)
#define GCMD_CFI   (1u << 23)

#define FSTS_PFO      (1u << 0)
#define FSTS_PPF      (1u << 1)
#define FSTS_IQE      (1u << 4)
#define FSTS_ITE      (1u << 6)
#define FSTS_FRI(sts) ((sts) >> 8 & 0xff)

#define EVENT_IM (1u << 31) /* FECTL, IECTL                                */
#define EVENT_IP (1u << 30)
#define ICS_IWC  (1u << 0)

#define IQA_DW    (1u << 11)
#define IRTA_EIME (1u << 11)

/* [VT-d 4.1, "Invalidation Queue Error Record Register"] */
#define IQEI(iqercd)    ((iqercd)&0xf)
#define IQEI_TAIL_RANGE 1u
#define IQEI_FETCH      2u
#define IQEI_TYPE       3u
#define IQEI_RESERVED   4u

/* [VT-d 4.1, "Interrupt-Remapping Fault Reason Encodings"] */
#define FAULT_REQ_RESERVED   0x20u
#define FAULT_INDEX_RANGE    0x21u
#define FAULT_NOT_PRESENT    0x22u
#define FAULT_TABLE_ACCESS   0x23u
#define FAULT_ENTRY_RESERVED 0x24u
#define FAULT_COMPAT         0x25u
#define FAULT_SID            0x26u

/* --- registers ------------------------------------------------------------ */

/* Where the register page is, unless it is the default. */
void unit_set_base(uint64_t addr);
uint64_t unit_base(void);

uint32_t unit_read32(uint32_t off);
uint64_t unit_read64(uint32_t off);
void unit_write32(uint32_t off, uint32_t val);
void unit_write64(uint32_t off, uint64_t val);

/* Change one bit of GCMD and wait for GSTS.  False: the unit did not follow. */
bool unit_command(uint32_t bit, bool set);

/* --- the unit as a whole -------------------------------------------------- */

/* Tables are used in the 32-bit destination format; chosen once. */
void unit_set_eime(bool on);
bool unit_eime(void);

/* Remapping and the queue off. */
bool unit_stop(void);

/* And no error, events masked. */
bool unit_reset(void);

/*
 * And an empty queue of the smallest size, an empty table of UNIT_ENTRIES
 * entries, interrupt remapping on.
 */
#define UNIT_ENTRIES 256u
bool unit_start(void);

/* --- the invalidation queue ----------------------------------------------- */

/* [VT-d 4.1, "Queued Invalidation Interface"] */
struct desc {
    uint64_t lo;
    uint64_t hi;
};

#define DESC_IEC_GLOBAL 0x4ull
#define DESC_WAIT       0x5ull
#define WAIT_IF         (1ull << 4)
#define WAIT_SW         (1ull << 5)
#define WAIT_FN         (1ull << 6)

/* Largest queue: 2^(8 + order) descriptors, or half as many wide ones. */
#define QUEUE_ORDER_MAX 7u

/*
 * From the next start of the queue on its descriptors have 32 bytes, as
 * scalable mode wants them; the upper half is zero.
 */
void queue_set_wide(bool wide);

bool queue_start(unsigned order);
uint32_t queue_size(void);

/* Put a descriptor at the tail without telling the unit; returns its slot. */
uint32_t queue_put(struct desc desc);
struct desc *queue_slot(uint32_t slot);

/* Tell the unit. */
void queue_doorbell(void);

/* Take the tail back to @slot: what was put from there on is not submitted. */
void queue_set_tail(uint32_t slot);

/*
 * A wait descriptor that writes a value of its own, put at the tail; then
 * whether it completed.
 */
void queue_put_wait(void);
bool queue_wait_done(void);

/* The three together: everything before is done.  False: it never completes. */
bool queue_sync(void);

/* Invalidate one entry (@mask 0) or 2^@mask, or all; and wait. */
bool unit_flush(uint32_t index, unsigned mask);
bool unit_flush_all(void);

/* --- the interrupt remapping table ---------------------------------------- */

/* [VT-d 4.1, "Interrupt Remapping Table Entry"] */
struct irte {
    uint64_t lo;
    uint64_t hi;
};

#define IRTE_P        (1ull << 0)
#define IRTE_FPD      (1ull << 1)
#define IRTE_LOGICAL  (1ull << 2)
#define IRTE_RH       (1ull << 3)
#define IRTE_LEVEL    (1ull << 4)
#define IRTE_DLM(dlm) ((uint64_t)(dlm) << 5)
#define IRTE_IM       (1ull << 15)
#define IRTE_SQ(sq)   ((uint64_t)(sq) << 16) /* in hi, as the rest         */
#define IRTE_SVT(svt) ((uint64_t)(svt) << 18)
#define SVT_NONE      0u
#define SVT_SID       1u
#define SVT_BUS       2u

/* Present, fixed, physical, edge, any source. */
struct irte irte_to(uint32_t dest, uint8_t vector);

/* To processor @cpu's physical id. */
struct irte irte_to_cpu(unsigned cpu, uint8_t vector);

/* Write an entry of the table in use, in one access; no invalidation. */
void irte_write(uint32_t index, struct irte irte);

/* Use table @which (0 or 1) of 2^(order + 1) entries; both start empty. */
#define TABLES 2u
bool table_latch(unsigned which, unsigned order);
void table_clear(unsigned which, unsigned order);

/* Address of the MSI for @index in remappable format. */
uint64_t msi_remappable(uint32_t index);
#define MSI_SHV (1ull << 3)

/* Address of the MSI to @apic_id in compatibility format; data is a vector. */
uint64_t msi_compatible(uint32_t apic_id);

/* --- faults --------------------------------------------------------------- */

struct fault {
    uint8_t reason;
    uint16_t sid;
    uint16_t index; /* of an interrupt                                      */
    uint64_t addr;  /* of DMA, page-aligned                                 */
    uint32_t pasid; /* or NO_PASID                                          */
    bool read;      /* and no write                                         */
};
#define NO_PASID UINT32_MAX

unsigned faults_max(void);

/* A primary fault is pending.  False: none within two seconds. */
bool fault_wait(void);

/*
 * Take up to @max records, oldest first, and clear them, PFO too.  Returns
 * their number.
 */
unsigned faults_take(struct fault *fault, unsigned max);

/* One fault, and no other: expectations of the current test. */
bool expect_one_fault(struct fault *fault);
void expect_fault(uint8_t reason, uint16_t index, uint16_t sid);
void expect_no_fault(void);

/* Send fault events, or completion events, as @vector to processor 0. */
void fault_event(uint8_t vector);
void completion_event(uint8_t vector);

#endif
