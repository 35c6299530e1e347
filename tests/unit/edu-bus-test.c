/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The edu device with libviommu-client and a daemon, against a guest without
 * Xen: what its driver has it do arrives in the guest's memory, or does not.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/pci_regs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/examples/edu/bus.h"
#include "client/examples/edu/edu-regs.h"
#include "client/examples/edu/pci.h"
#include "tests/support/fake-client.h"

#define PAGE      4096u
#define MSI_CAP   0x40u
#define PASID_CAP 0x100u
#define ATS_CAP   0x110u
#define PRI_CAP   0x120u

/* Not mapped at first. */
#define NEW_IOVA (FAKE_IOVA + PAGE)
#define NEW_GPA  (FAKE_GPA + PAGE)

#define WAIT_MS 10000

/* Nobody is slow here, but the machine that tests may have much to do. */
#define DRAIN_MS 8000

struct machine {
    struct fake_guest *guest;
    uint64_t entry; /* of FAKE_IOVA */
    struct xen xen;
    struct bus bus;
    struct edu *edu;
    pthread_t loop;
    atomic_bool stopping;
    atomic_bool cut_off;
};

/* --- Xen, of which there is none ------------------------------------------ */

static uint64_t direct_msi_addr;
static bool pin;

int
xen_msi(const struct xen *xen, uint64_t addr, uint32_t data)
{
    (void)xen;
    (void)data;
    direct_msi_addr = addr;
    return 0;
}

void
xen_intx(const struct xen *xen, bool level)
{
    (void)xen;
    pin = level;
}

/* Guest memory by its address, where the machine has its guest's. */
int
memory_read(struct memory *memory, uint64_t gpa, void *buf, size_t len)
{
    memcpy(buf, (const uint8_t *)memory->fmem + gpa, len);
    return 0;
}

int
memory_write(struct memory *memory, uint64_t gpa, const void *buf, size_t len)
{
    memcpy((uint8_t *)memory->fmem + gpa, buf, len);
    return 0;
}

/* --- the machine ---------------------------------------------------------- */

static void
nap(void)
{
    const struct timespec ms = { .tv_nsec = 1000000 };

    (void)nanosleep(&ms, NULL);
}

#define wait_for(cond)                                    \
    do {                                                  \
        for (int left = WAIT_MS; !(cond); left--) {       \
            if (!left) {                                  \
                fail_msg("never became true: %s", #cond); \
            }                                             \
            nap();                                        \
        }                                                 \
    } while (0)

/* As the emulator's own. */
static void *
loop_main(void *arg)
{
    struct machine *machine = arg;
    struct pollfd fd = { .fd = bus_fd(&machine->bus), .events = POLLIN };

    while (!atomic_load(&machine->stopping)) {
        (void)poll(&fd, 1, 5);
        if (fd.revents && !bus_dispatch(&machine->bus)) {
            atomic_store(&machine->cut_off, true);
            fd.fd = -1;
        }
        (void)edu_msi_retry(machine->edu);
    }
    return NULL;
}

static void
capabilities_enable(const struct machine *machine)
{
    edu_config_write(machine->edu, PASID_CAP + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE);
    edu_config_write(machine->edu, PRI_CAP + PCI_PRI_CTRL, 2,
                     PCI_PRI_CTRL_ENABLE);
    edu_config_write(machine->edu, ATS_CAP + PCI_ATS_CTRL, 2,
                     PCI_ATS_CTRL_ENABLE);
}

static struct machine *
machine_create(const struct fake_guest_options *options, uint16_t sid)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    struct viommu_options viommu = {
        .size = sizeof(viommu),
        .memory = &fake_guest_memory,
    };
    struct edu_options edu = { .dma_bits = 64, .extended = true };

    assert_non_null(machine);
    machine->guest = fake_guest_create(options);
    machine->entry = fake_guest_map(machine->guest, FAKE_IOVA, FAKE_GPA, 12,
                                    VIOMMU_READ | VIOMMU_WRITE);
    machine->xen.sid = sid;
    machine->xen.memory.fmem = (void *)machine->guest->ram;
    viommu.path = machine->guest->path;
    viommu.memory_ctx = machine->guest;
    assert_int_equal(bus_open(&machine->bus, &machine->xen, &viommu, true), 0);

    edu.with = PCI_WITH_INTX | bus_capabilities(&machine->bus);
    machine->edu = edu_create(&edu, bus_ops(&machine->bus), &machine->bus);
    assert_non_null(machine->edu);
    machine->bus.edu = machine->edu;
    edu_config_write(machine->edu, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    assert_int_equal(pthread_create(&machine->loop, NULL, loop_main, machine),
                     0);
    return machine;
}

static struct machine *
machine_create_kind(enum dma_kind kind)
{
    const struct fake_guest_options options = {
        .kind = kind,
        .drain_ms = DRAIN_MS,
    };
    struct machine *machine = machine_create(&options, FAKE_SID);

    capabilities_enable(machine);
    if (kind > DMA_LEGACY_PASS) {
        edu_write(machine->edu, EDU_PASID, 4, EDU_PASID_VALID | FAKE_PASID);
    }
    return machine;
}

static void
machine_destroy(struct machine *machine)
{
    atomic_store(&machine->stopping, true);
    assert_int_equal(pthread_join(machine->loop, NULL), 0);
    edu_destroy(machine->edu);
    bus_close(&machine->bus);
    fake_guest_destroy(machine->guest);
    free(machine);
}

/* --- the driver ----------------------------------------------------------- */

static void
dma_start(const struct machine *machine, uint64_t src, uint64_t dst,
          uint64_t cmd)
{
    edu_write(machine->edu, EDU_DMA_SRC, 8, src);
    edu_write(machine->edu, EDU_DMA_DST, 8, dst);
    edu_write(machine->edu, EDU_DMA_COUNT, 8, PAGE);
    edu_write(machine->edu, EDU_DMA_CMD, 8, cmd | EDU_DMA_RUN);
}

static int32_t
dma_end(const struct machine *machine)
{
    wait_for(!(edu_read(machine->edu, EDU_DMA_CMD, 8) & EDU_DMA_RUN));
    return (int32_t)edu_read(machine->edu, EDU_DMA_RESULT, 4);
}

static int32_t
from_guest(const struct machine *machine, uint64_t iova)
{
    dma_start(machine, iova, EDU_BUFFER, 0);
    return dma_end(machine);
}

static int32_t
to_guest(const struct machine *machine, uint64_t iova)
{
    dma_start(machine, EDU_BUFFER, iova, EDU_DMA_TO_GUEST);
    return dma_end(machine);
}

static void
mode_set(const struct machine *machine, uint32_t mode)
{
    edu_write(machine->edu, EDU_MODE, 4, mode);
}

static uint64_t
tlb_entries(const struct machine *machine)
{
    return edu_read(machine->edu, EDU_TLB_ENTRIES, 8);
}

static void
new_page_map(const struct machine *machine)
{
    (void)fake_guest_map(machine->guest, NEW_IOVA, NEW_GPA, 12,
                         VIOMMU_READ | VIOMMU_WRITE);
}

/* --- tests ---------------------------------------------------------------- */

static void
copy_there_and_back(struct machine *machine)
{
    uint8_t *ram = machine->guest->ram;

    new_page_map(machine);
    memset(ram + FAKE_GPA, 0x3c, PAGE);
    memset(ram + NEW_GPA, 0, PAGE);
    assert_int_equal(from_guest(machine, FAKE_IOVA), 0);
    assert_int_equal(to_guest(machine, NEW_IOVA), 0);
    assert_memory_equal(ram + NEW_GPA, ram + FAKE_GPA, PAGE);
    assert_true(to_guest(machine, NEW_IOVA + 1) > 0);
}

static void
dma_goes_through_the_guests_tables(void **state)
{
    static const enum dma_kind kind[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                          DMA_NESTED };

    (void)state;
    for (unsigned i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
        struct machine *machine = machine_create_kind(kind[i]);

        copy_there_and_back(machine);
        machine_destroy(machine);
    }
}

static void
dma_goes_through_the_device_tlb(void **state)
{
    static const enum dma_kind kind[] = { DMA_LEGACY, DMA_SECOND, DMA_FIRST,
                                          DMA_NESTED };

    (void)state;
    for (unsigned i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
        struct machine *machine = machine_create_kind(kind[i]);

        mode_set(machine, EDU_MODE_ATS);
        new_page_map(machine);
        memset(machine->guest->ram + FAKE_GPA, 0x5d, PAGE);
        assert_int_equal(from_guest(machine, FAKE_IOVA), 0);
        assert_int_equal(to_guest(machine, NEW_IOVA), 0);
        assert_memory_equal(machine->guest->ram + NEW_GPA,
                            machine->guest->ram + FAKE_GPA, PAGE);
        assert_int_equal(tlb_entries(machine), 2);
        assert_int_equal(to_guest(machine, NEW_IOVA + PAGE), -EACCES);
        machine_destroy(machine);
    }
}

static void
an_invalidation_empties_the_device_tlb(void **state)
{
    struct machine *machine = machine_create_kind(DMA_LEGACY);

    (void)state;
    mode_set(machine, EDU_MODE_ATS);
    assert_int_equal(to_guest(machine, FAKE_IOVA), 0);
    assert_int_equal(tlb_entries(machine), 1);
    fake_guest_unmap(machine->guest, machine->entry);
    fake_guest_invalidate_page(machine->guest, FAKE_IOVA);
    (void)fake_guest_wait(machine->guest);
    fake_guest_invalidate_device_tlb(machine->guest, FAKE_SID, FAKE_IOVA);
    assert_true(fake_guest_wait(machine->guest) != UINT64_MAX);
    assert_int_equal(tlb_entries(machine), 0);
    assert_int_equal(to_guest(machine, FAKE_IOVA), -EACCES);
    machine_destroy(machine);
}

/* The page is somebody else's as soon as the invalidation has completed. */
static void
no_write_comes_after_its_invalidation(void **state)
{
    static const uint32_t mode[] = { EDU_MODE_REPEAT,
                                     EDU_MODE_REPEAT | EDU_MODE_ATS };
    struct machine *machine = machine_create_kind(DMA_LEGACY);
    uint64_t *word = (uint64_t *)(void *)(machine->guest->ram + FAKE_GPA);
    uint64_t entry = machine->entry;

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        mode_set(machine, mode[i % 2]);
        dma_start(machine, 0, FAKE_IOVA, EDU_DMA_TO_GUEST);
        __atomic_store_n(word, 0, __ATOMIC_RELAXED);
        wait_for(__atomic_load_n(word, __ATOMIC_RELAXED));
        fake_guest_unmap(machine->guest, entry);
        fake_guest_invalidate_page(machine->guest, FAKE_IOVA);
        assert_true(fake_guest_wait(machine->guest) != UINT64_MAX);
        fake_guest_invalidate_device_tlb(machine->guest, FAKE_SID, FAKE_IOVA);
        assert_true(fake_guest_wait(machine->guest) != UINT64_MAX);
        __atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
        nap();
        assert_int_equal(__atomic_load_n(word, __ATOMIC_SEQ_CST), 0);
        edu_write(machine->edu, EDU_DMA_CMD, 8, 0);
        (void)dma_end(machine);
        entry = fake_guest_map(machine->guest, FAKE_IOVA, FAKE_GPA, 12,
                               VIOMMU_READ | VIOMMU_WRITE);
    }
    assert_false(atomic_load(&machine->cut_off));
    machine_destroy(machine);
}

/* The guest's answer to a page request, with success. */
static void
page_answer(const struct machine *machine, unsigned group)
{
    /* [VT-d 4.1, "Page Group Response Descriptor"] */
    fake_guest_descriptor(machine->guest,
                          UINT64_C(0x9) | UINT64_C(1) << 4 |
                              (uint64_t)FAKE_SID << 16 |
                              (uint64_t)FAKE_PASID << 32,
                          (uint64_t)group << 3 | UINT64_C(1) << 2);
}

static void
a_page_is_requested_and_used(void **state)
{
    struct machine *machine = machine_create_kind(DMA_FIRST);

    (void)state;
    mode_set(machine, EDU_MODE_ATS | EDU_MODE_PRI);
    dma_start(machine, EDU_BUFFER, NEW_IOVA, EDU_DMA_TO_GUEST);
    wait_for(fake_guest_read(machine->guest, VTD_OFF_PQT));
    memset(machine->guest->ram + NEW_GPA, 0xff, PAGE);
    new_page_map(machine);
    page_answer(machine, 0);
    assert_int_equal(dma_end(machine), 0);
    assert_int_equal(machine->guest->ram[NEW_GPA], 0);
    assert_int_equal(edu_read(machine->edu, EDU_PAGE_SUCCESS, 8), 1);
    machine_destroy(machine);
}

static void
an_msi_is_remapped(void **state)
{
    struct machine *machine = machine_create_kind(DMA_LEGACY);

    (void)state;
    direct_msi_addr = 0;
    /* [VT-d 4.1, "Interrupt Requests in Remappable Format"] */
    edu_config_write(machine->edu, MSI_CAP + PCI_MSI_ADDRESS_LO, 4,
                     0xfee00010u | FAKE_IRTE << 5);
    edu_config_write(machine->edu, MSI_CAP + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE);
    edu_write(machine->edu, EDU_IRQ_RAISE, 4, 1);
    fake_guest_delivery_wait(machine->guest, 1);
    dma_start(machine, EDU_BUFFER, FAKE_IOVA, EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    fake_guest_delivery_wait(machine->guest, 2);
    assert_int_equal(machine->guest->delivery[1].vector, FAKE_VECTOR);
    assert_int_equal(direct_msi_addr, 0);
    machine_destroy(machine);
}

static void
a_device_of_no_unit_reaches_memory_by_its_address(void **state)
{
    const struct fake_guest_options options = { .kind = DMA_LEGACY };
    struct machine *machine = machine_create(&options, FAKE_SID_FOREIGN);
    uint8_t *ram = machine->guest->ram;

    (void)state;
    assert_int_equal(bus_fd(&machine->bus), -1);
    assert_int_equal(bus_capabilities(&machine->bus), 0);
    memset(ram + FAKE_GPA, 0x77, PAGE);
    assert_int_equal(from_guest(machine, FAKE_GPA), 0);
    assert_int_equal(to_guest(machine, NEW_GPA), 0);
    assert_memory_equal(ram + NEW_GPA, ram + FAKE_GPA, PAGE);

    edu_write(machine->edu, EDU_IRQ_RAISE, 4, 1);
    assert_true(pin);
    edu_write(machine->edu, EDU_IRQ_ACK, 4, 1);
    assert_false(pin);
    edu_config_write(machine->edu, MSI_CAP + PCI_MSI_ADDRESS_LO, 4, 0xfee01000);
    edu_config_write(machine->edu, MSI_CAP + PCI_MSI_FLAGS, 2,
                     PCI_MSI_FLAGS_ENABLE);
    edu_write(machine->edu, EDU_IRQ_RAISE, 4, 1);
    assert_int_equal(direct_msi_addr, 0xfee01000);
    machine_destroy(machine);
}

static void
dma_fails_once_the_daemon_is_gone(void **state)
{
    const struct fake_guest_options options = {
        .kind = DMA_LEGACY,
        .process = true,
    };
    struct machine *machine = machine_create(&options, FAKE_SID);

    (void)state;
    capabilities_enable(machine);
    assert_int_equal(to_guest(machine, FAKE_IOVA), 0);
    fake_guest_kill(machine->guest);
    wait_for(atomic_load(&machine->cut_off));
    assert_int_equal(to_guest(machine, FAKE_IOVA), -ESHUTDOWN);
    mode_set(machine, EDU_MODE_ATS | EDU_MODE_PRI);
    assert_int_equal(to_guest(machine, FAKE_IOVA), -ESHUTDOWN);
    assert_int_equal(edu_read(machine->edu, EDU_ID, 4), 0x010000ed);
    machine_destroy(machine);
}

static void
without_a_daemon_it_does_not_start(void **state)
{
    const struct viommu_options options = {
        .size = sizeof(options),
        .path = "/nonexistent/dma",
        .memory = &fake_guest_memory,
    };
    struct xen xen = { .sid = FAKE_SID };
    struct bus bus;

    (void)state;
    assert_int_equal(bus_open(&bus, &xen, &options, false), -ENOENT);
    assert_null(bus.viommu);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dma_goes_through_the_guests_tables),
        cmocka_unit_test(dma_goes_through_the_device_tlb),
        cmocka_unit_test(an_invalidation_empties_the_device_tlb),
        cmocka_unit_test(no_write_comes_after_its_invalidation),
        cmocka_unit_test(a_page_is_requested_and_used),
        cmocka_unit_test(an_msi_is_remapped),
        cmocka_unit_test(a_device_of_no_unit_reaches_memory_by_its_address),
        cmocka_unit_test(dma_fails_once_the_daemon_is_gone),
        cmocka_unit_test(without_a_daemon_it_does_not_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
