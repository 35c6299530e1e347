/* SPDX-License-Identifier: GPL-2.0-only */
/* The fake guest's driver: structures, the queue, faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "daemon/vtd/spec-regs.h"
#include "tests/support/fake-guest.h"

#define STATUS  UINT64_C(0x2000)
#define QUEUE   UINT64_C(0x10000) /* 256 entries of 32 bytes at most */
#define ENTRIES 256u
#define PRQ     UINT64_C(0x20000)
#define IRT     UINT64_C(0x100000)
#define TABLES  UINT64_C(0x200000)

#define SECOND_RW (TABLES_SS_R | TABLES_SS_W)
#define FIRST_RW  (TABLES_FS_P | TABLES_FS_RW | TABLES_FS_US)

/* How long the driver waits, at most. */
#define WAIT_US UINT64_C(10000000)

void fake_driver_start(struct fake_guest *guest, bool off);

static bool
is_scalable(const struct fake_guest *guest)
{
    return guest->kind >= DMA_SECOND;
}

static bool
has_first(const struct fake_guest *guest)
{
    return guest->kind == DMA_FIRST || guest->kind == DMA_NESTED;
}

/* --- structures -------------------------------------------------------------- */

static void
set_q(struct fake_guest *guest, uint64_t gpa, uint64_t val)
{
    __atomic_store_n((uint64_t *)(void *)&guest->ram[gpa], val,
                     __ATOMIC_RELEASE);
}

static void
build_pasid(struct fake_guest *guest, uint32_t pasid)
{
    static const uint64_t pgtt[] = { [DMA_SECOND] = TABLES_PE_SECOND,
                                     [DMA_FIRST] = TABLES_PE_FIRST,
                                     [DMA_NESTED] = TABLES_PE_NESTED,
                                     [DMA_PASS] = TABLES_PE_PASS };
    uint64_t gpa = tables_pasid(&guest->tables, guest->dir_gpa, pasid);

    set_q(guest, gpa + 16, guest->first.root);
    set_q(guest, gpa + 8, TABLES_PE1_PWSNP | FAKE_DID);
    set_q(guest, gpa,
          guest->second.root | TABLES_PE_AW(TABLES_AW_48) | pgtt[guest->kind] |
              1);
}

static uint64_t
context_of(struct fake_guest *guest, uint16_t sid)
{
    return is_scalable(guest)
               ? tables_sm_context(&guest->tables, guest->root, sid)
               : tables_context(&guest->tables, guest->root, sid);
}

static void
build_context(struct fake_guest *guest, uint16_t sid)
{
    uint64_t gpa = context_of(guest, sid);

    if (is_scalable(guest)) {
        set_q(guest, gpa,
              guest->dir_gpa | TABLES_SM_DTE | TABLES_SM_PASIDE |
                  TABLES_SM_PRE | 1);
        return;
    }
    tables_context_set(&guest->tables, gpa,
                       guest->kind == DMA_LEGACY_PASS
                           ? TABLES_TT_PASS
                           : guest->second.root | TABLES_TT_SECOND_ATS,
                       TABLES_AW_48, FAKE_DID);
}

static void
build(struct fake_guest *guest)
{
    struct tables *tables = &guest->tables;

    tables_init(tables, guest->ram, TABLES, FAKE_DATA);
    guest->root = tables_pages(tables, 1);
    guest->dir_gpa = tables_pages(tables, 1);
    guest->first = (struct tables_map){ tables_pages(tables, 1), 4, FIRST_RW };
    guest->second =
        (struct tables_map){ tables_pages(tables, 1), 4, SECOND_RW };
    if (guest->kind == DMA_NESTED) {
        for (uint64_t gpa = 0; gpa < FAKE_RAM; gpa += 0x200000) {
            (void)tables_map(tables, &guest->second, gpa, gpa, 21, SECOND_RW);
        }
    }
    if (is_scalable(guest)) {
        build_pasid(guest, 0);
        build_pasid(guest, FAKE_PASID);
    }
    build_context(guest, FAKE_SID);
    build_context(guest, FAKE_SID_2);
    /* Interrupts: present, a vector, a destination; the source is checked. */
    set_q(guest, IRT + FAKE_IRTE * 16 + 8, UINT64_C(1) << 18 | FAKE_SID);
    set_q(guest, IRT + FAKE_IRTE * 16,
          UINT64_C(1) | (uint64_t)FAKE_VECTOR << 16 | UINT64_C(3) << 40);
}

/* --- registers --------------------------------------------------------------- */

static void
command(struct fake_guest *guest, uint64_t on, uint64_t once)
{
    fake_guest_write(guest, VTD_OFF_GCMD, on | once);
}

static void
start_page_requests(struct fake_guest *guest)
{
    fake_guest_write(guest, VTD_OFF_PQA, PRQ);
    fake_guest_write(guest, VTD_OFF_PECTL, 0);
}

void
fake_driver_start(struct fake_guest *guest, bool off)
{
    bool scalable = is_scalable(guest);
    uint64_t on = VTD_GCMD_QIE;

    build(guest);
    fake_guest_write(guest, VTD_OFF_RTADDR,
                     guest->root | (scalable ? UINT64_C(1) << 10 : 0));
    command(guest, 0, VTD_GCMD_SRTP);
    /* Wide descriptors are those of scalable mode: 0x800, and 256 of them. */
    fake_guest_write(guest, VTD_OFF_IQA,
                     QUEUE | (scalable ? UINT64_C(0x801) : 0));
    command(guest, on, 0);
    fake_guest_write(guest, VTD_OFF_IRTA, IRT | 7);
    command(guest, on, VTD_GCMD_SIRTP);
    on |= VTD_GCMD_IRE;
    command(guest, on, 0);
    if (scalable) {
        start_page_requests(guest);
    }
    if (!off) {
        on |= VTD_GCMD_TE;
        command(guest, on, 0);
        assert_true(fake_guest_read(guest, VTD_OFF_GSTS) & VTD_GSTS_TES);
    }
    fake_guest_invalidate_all(guest);
    assert_true(fake_guest_wait(guest) <= WAIT_US);
}

/* --- mapping ----------------------------------------------------------------- */

uint64_t
fake_guest_map(struct fake_guest *guest, uint64_t iova, uint64_t gpa,
               unsigned shift, unsigned access)
{
    uint64_t bits = 0;

    if (has_first(guest)) {
        bits = TABLES_FS_P | TABLES_FS_US |
               (access & VIOMMU_WRITE ? TABLES_FS_RW : 0);
        return tables_map(&guest->tables, &guest->first, iova, gpa, shift,
                          bits);
    }
    bits = (access & VIOMMU_READ ? TABLES_SS_R : 0) |
           (access & VIOMMU_WRITE ? TABLES_SS_W : 0);
    return tables_map(&guest->tables, &guest->second, iova, gpa, shift, bits);
}

void
fake_guest_unmap(struct fake_guest *guest, uint64_t entry)
{
    set_q(guest, entry, 0);
}

void
fake_guest_block(struct fake_guest *guest, uint16_t sid, bool block)
{
    if (block) {
        set_q(guest, context_of(guest, sid), 0);
    } else {
        build_context(guest, sid);
    }
}

/* --- the queue --------------------------------------------------------------- */

void
fake_guest_append(struct fake_guest *guest, uint64_t lo, uint64_t hi)
{
    uint64_t size = is_scalable(guest) ? 32 : 16;
    uint64_t gpa = QUEUE + guest->tail * size;

    set_q(guest, gpa, lo);
    set_q(guest, gpa + 8, hi);
    if (size == 32) {
        set_q(guest, gpa + 16, 0);
        set_q(guest, gpa + 24, 0);
    }
    guest->tail = (guest->tail + 1) % ENTRIES;
}

/* Followed by a wait, and the doorbell. */
void
fake_guest_descriptor(struct fake_guest *guest, uint64_t lo, uint64_t hi)
{
    fake_guest_append(guest, lo, hi);
    fake_guest_append(guest, UINT64_C(0x25) | (uint64_t)++guest->status << 32,
                      STATUS);
    fake_guest_write(guest, VTD_OFF_IQT,
                     guest->tail * (is_scalable(guest) ? 32 : 16));
}

void
fake_guest_invalidate_page(struct fake_guest *guest, uint64_t iova)
{
    uint64_t page = iova & ~UINT64_C(0xfff);

    if (has_first(guest)) {
        /* Page-selective within the PASID. */
        fake_guest_descriptor(
            guest, 0x36 | (uint64_t)FAKE_DID << 16 | (uint64_t)FAKE_PASID << 32,
            page);
    } else {
        fake_guest_descriptor(guest, 0x32 | (uint64_t)FAKE_DID << 16, page);
    }
}

void
fake_guest_invalidate_all(struct fake_guest *guest)
{
    fake_guest_append(guest, 0x11, 0); /* contexts */
    if (is_scalable(guest)) {
        fake_guest_append(guest, 0x37, 0); /* PASIDs: all */
    }
    fake_guest_descriptor(guest, 0x12, 0);
}

void
fake_guest_invalidate_device_tlb(struct fake_guest *guest, uint16_t sid,
                                 uint64_t iova)
{
    fake_guest_descriptor(guest, 0x3 | (uint64_t)sid << 32,
                          iova & ~UINT64_C(0xfff));
}

bool
fake_guest_is_done(const struct fake_guest *guest)
{
    return __atomic_load_n((const uint32_t *)(const void *)&guest->ram[STATUS],
                           __ATOMIC_ACQUIRE) == guest->status;
}

static uint64_t
now_us(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t
fake_guest_wait(const struct fake_guest *guest)
{
    uint64_t start = now_us();

    while (!fake_guest_is_done(guest)) {
        if (now_us() - start > WAIT_US) {
            return UINT64_MAX;
        }
    }
    return now_us() - start;
}

/* --- faults ------------------------------------------------------------------ */

static uint64_t
take_fault(struct fake_guest *guest, uint64_t a, uint64_t b)
{
    struct vtd *vtd = guest->unit.vtd;

    (void)a;
    (void)b;
    for (unsigned i = 0; i < guest->unit.config.faults; i++) {
        vtd_fault_info(vtd, i, &guest->fault);
        if (guest->fault.valid) {
            /* F of the record is at the top of its upper half. */
            vtd_mmio_write(vtd, VTD_OFF_FRCD0_HI + i * VTD_FRCD_SIZE + 4, 4,
                           UINT32_C(1) << 31);
            return true;
        }
    }
    return false;
}

bool
fake_guest_fault(struct fake_guest *guest, struct vtd_fault_info *fault)
{
    bool found = fake_guest_call(guest, take_fault, 0, 0);

    if (found) {
        *fault = guest->fault;
    }
    return found;
}

void
fake_guest_fault_wait(struct fake_guest *guest, struct vtd_fault_info *fault)
{
    uint64_t start = now_us();

    while (!fake_guest_fault(guest, fault)) {
        assert_true(now_us() - start < WAIT_US);
    }
}

void
fake_guest_delivery_wait(const struct fake_guest *guest, unsigned count)
{
    uint64_t start = now_us();

    while (__atomic_load_n(&guest->delivered, __ATOMIC_ACQUIRE) < count) {
        assert_true(now_us() - start < WAIT_US);
    }
}
