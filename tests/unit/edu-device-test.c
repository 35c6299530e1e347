/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device as QEMU documents it: registers, factorial, DMA, interrupts. */
#include "tests/unit/edu-life.h"

static int
setup(void **state)
{
    static const struct edu_options options = {
        .dma_bits = 28,
        .with = PCI_WITH_INTX,
    };

    return world_setup(state, &options);
}

/* --- registers ------------------------------------------------------------ */

static void
registers_read_as_documented(void **state)
{
    struct world *world = *state;

    assert_int_equal(r4(world, EDU_ID), 0x010000ed);
    w4(world, EDU_LIVENESS, 0x12345678);
    assert_int_equal(r4(world, EDU_LIVENESS), 0xedcba987);
    w4(world, EDU_STATUS, UINT32_MAX);
    assert_int_equal(r4(world, EDU_STATUS), EDU_STATUS_IRQ);
    w4(world, EDU_STATUS, 0);
    assert_int_equal(r4(world, EDU_STATUS), 0);
    w8(world, EDU_DMA_SRC, 0x123456789abcdef0);
    w8(world, EDU_DMA_DST, 0x0fedcba987654321);
    w4(world, EDU_DMA_COUNT, 0x11223344);
    assert_int_equal(r8(world, EDU_DMA_SRC), 0x123456789abcdef0);
    assert_int_equal(r8(world, EDU_DMA_DST), 0x0fedcba987654321);
    assert_int_equal(r4(world, EDU_DMA_DST), 0x87654321);
    assert_int_equal(r8(world, EDU_DMA_COUNT), 0x11223344);
    assert_int_equal(r8(world, EDU_DMA_CMD), 0);
}

static void
nothing_else_answers(void **state)
{
    static const uint64_t off[] = { 0x0c,  0x1c,         0x28,
                                    0x60,  0x64,         0x84,
                                    0xa0,  0xa4,         0xa8,
                                    0xb0,  0xc0,         0xd8,
                                    0x3ff, EDU_BUFFER,   EDU_BAR_SIZE - 4,
                                    0x81,  EDU_BAR_SIZE, UINT64_MAX };
    struct world *world = *state;

    for (unsigned i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
        w4(world, off[i], 0);
        assert_int_equal(edu_read(world->edu, off[i], 4), UINT64_MAX);
    }
    for (unsigned size = 0; size < 16; size++) {
        if (size != 4 && size != 8) {
            edu_write(world->edu, EDU_DMA_SRC, size, 1);
            edu_write(world->edu, EDU_LIVENESS, size, 1);
            assert_int_equal(edu_read(world->edu, EDU_DMA_SRC, size),
                             UINT64_MAX);
        }
    }
    assert_int_equal(edu_read(world->edu, EDU_ID, 8), UINT64_MAX);
    edu_write(world->edu, EDU_LIVENESS, 8, 1);
    assert_int_equal(r4(world, EDU_LIVENESS), 0);
    assert_int_equal(r8(world, EDU_DMA_SRC), 0);
}

/* --- the factorial -------------------------------------------------------- */

static void
a_factorial_is_computed(void **state)
{
    static const struct {
        uint32_t n;
        uint32_t product; /* modulo 2^32 */
    } known[] = {
        { 0, 1 },           { 1, 1 },  { 5, 120 },        { 12, 479001600 },
        { 13, 1932053504 }, { 34, 0 }, { UINT32_MAX, 0 },
    };
    struct world *world = *state;

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        w4(world, EDU_FACTORIAL, known[i].n);
        wait_for(!(r4(world, EDU_STATUS) & EDU_STATUS_COMPUTING));
        assert_int_equal(r4(world, EDU_FACTORIAL), known[i].product);
    }
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0);
}

static void
a_factorial_interrupts_if_it_shall(void **state)
{
    struct world *world = *state;

    w4(world, EDU_STATUS, EDU_STATUS_IRQ);
    w4(world, EDU_FACTORIAL, 4);
    wait_for(r4(world, EDU_IRQ_STATUS));
    assert_int_equal(r4(world, EDU_IRQ_STATUS), EDU_IRQ_FACTORIAL);
    assert_int_equal(r4(world, EDU_STATUS), EDU_STATUS_IRQ);
    assert_true(world->intx);
}

/* --- interrupts ----------------------------------------------------------- */

static void
an_interrupt_stays_until_all_of_it_is_acknowledged(void **state)
{
    struct world *world = *state;

    w4(world, EDU_IRQ_RAISE, 0);
    assert_false(world->intx);
    w4(world, EDU_IRQ_RAISE, 0x11);
    w4(world, EDU_IRQ_RAISE, 0x20);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0x31);
    assert_true(world->intx);
    w4(world, EDU_IRQ_ACK, 0x21);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0x10);
    assert_true(world->intx);
    w4(world, EDU_IRQ_ACK, UINT32_MAX);
    assert_false(world->intx);
    assert_int_equal(world->edges, 2);
    assert_int_equal(world->msis, 0);
}

static void
an_msi_is_sent_instead_of_the_pin(void **state)
{
    struct world *world = *state;

    w4(world, EDU_IRQ_RAISE, 1);
    assert_true(world->intx);
    msi_enable(world);
    assert_false(world->intx);
    w4(world, EDU_IRQ_RAISE, 2);
    assert_int_equal(world->msis, 1);
    assert_int_equal(world->msi_addr, 0x1fee01000);
    assert_int_equal(world->msi_data, 0x4123);
    assert_false(world->intx);
    w4(world, EDU_IRQ_RAISE, 2);
    assert_int_equal(world->msis, 2);
}

static void
no_msi_is_sent_without_bus_mastering(void **state)
{
    struct world *world = *state;

    msi_enable(world);
    edu_config_write(world->edu, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    w4(world, EDU_IRQ_RAISE, 1);
    assert_int_equal(world->msis, 0);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 1);
    assert_false(edu_msi_retry(world->edu));
}

static void
an_msi_that_could_not_be_sent_is_sent_later_and_once(void **state)
{
    struct world *world = *state;

    msi_enable(world);
    world->msi_rc = -EAGAIN;
    w4(world, EDU_IRQ_RAISE, 1);
    w4(world, EDU_IRQ_RAISE, 2);
    assert_true(edu_msi_retry(world->edu));
    world->msi_rc = 0;
    assert_false(edu_msi_retry(world->edu));
    assert_false(edu_msi_retry(world->edu));
    assert_int_equal(world->msis, 1);

    world->msi_rc = -ESHUTDOWN;
    w4(world, EDU_IRQ_RAISE, 1);
    assert_false(edu_msi_retry(world->edu));
}

/* --- DMA ------------------------------------------------------------------ */

static void
dma_copies_there_and_back(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < PAGE; i++) {
        world->ram[PAGES - 1 - 3][i] = (uint8_t)(i * 7 + 1);
    }
    from_guest(world, 3 * PAGE, PAGE);
    to_guest(world, 9 * PAGE, PAGE);
    assert_memory_equal(world->ram[PAGES - 1 - 9], world->ram[PAGES - 1 - 3],
                        PAGE);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0);
}

static void
dma_uses_the_part_of_the_buffer_that_it_is_told(void **state)
{
    struct world *world = *state;

    memset(world->ram[PAGES - 1], 0x5a, PAGE);
    dma(world, 0x10, EDU_BUFFER + PAGE - 3, 3, 0);
    dma(world, EDU_BUFFER + PAGE - 6, PAGE + 0x20, 6, EDU_DMA_TO_GUEST);
    assert_memory_equal(world->ram[PAGES - 2] + 0x20, "\0\0\0\x5a\x5a\x5a", 6);
    assert_int_equal(world->ram[PAGES - 2][0x26], 0);
    assert_int_equal(world->ram[PAGES - 2][0x1f], 0);
}

static void
dma_interrupts_if_it_shall(void **state)
{
    struct world *world = *state;

    dma(world, EDU_BUFFER, 0, 8, EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), EDU_IRQ_DMA);
    assert_int_equal(r8(world, EDU_DMA_CMD), EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    assert_true(world->intx);
}

static void
dma_that_faults_ends_as_well(void **state)
{
    struct world *world = *state;

    world->page[4].perm = VIOMMU_READ;
    dma(world, EDU_BUFFER, 4 * PAGE, 8, EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), EDU_IRQ_DMA);
    from_guest(world, 4 * PAGE, 8);
    assert_int_equal(world->copies, 2);
}

static void
dma_beyond_the_buffer_or_the_mask_does_not_happen(void **state)
{
    static const struct {
        uint64_t device, iova, count;
    } bad[] = {
        { EDU_BUFFER - 1, 0, 1 },      { EDU_BUFFER - 1, 0, 2 },
        { EDU_BUFFER, 0, PAGE + 1 },   { EDU_BUFFER + 1, 0, PAGE },
        { EDU_BUFFER + PAGE, 0, 1 },   { EDU_BUFFER + PAGE + 1, 0, 0 },
        { EDU_BUFFER, 0, UINT64_MAX }, { EDU_BUFFER + 8, 0, UINT64_MAX - 7 },
        { 0, 0, UINT64_MAX },          { UINT64_MAX, 0, 8 },
        { EDU_BUFFER, 1 << 28, 1 },    { EDU_BUFFER, (1 << 28) - 1, 2 },
        { EDU_BUFFER, UINT64_MAX, 8 },
    };
    struct world *world = *state;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        dma(world, bad[i].iova, bad[i].device, bad[i].count, 0);
        dma(world, bad[i].device, bad[i].iova, bad[i].count, EDU_DMA_TO_GUEST);
    }
    assert_int_equal(world->copies, 0);

    /* The last that is not. */
    dma(world, EDU_BUFFER + PAGE, 0, 0, EDU_DMA_TO_GUEST);
    dma(world, EDU_BUFFER + PAGE - 1, (1 << 28) - 1, 1, EDU_DMA_TO_GUEST);
    assert_int_equal(world->copies, 2);
}

static void
dma_needs_bus_mastering(void **state)
{
    struct world *world = *state;

    edu_config_write(world->edu, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    to_guest(world, 0, 8);
    assert_int_equal(world->copies, 0);
    edu_config_write(world->edu, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    to_guest(world, 0, 8);
    assert_int_equal(world->copies, 1);
}

static void
registers_answer_while_dma_runs_and_do_not_disturb_it(void **state)
{
    struct world *world = *state;

    pthread_mutex_lock(&world->gate);
    dma_start(world, EDU_BUFFER, PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(atomic_load(&world->arrived));
    assert_int_equal(r4(world, EDU_DMA_CMD), EDU_DMA_TO_GUEST | EDU_DMA_RUN);
    w8(world, EDU_DMA_DST, 2 * PAGE);
    w8(world, EDU_DMA_COUNT, 16);
    w8(world, EDU_DMA_CMD, EDU_DMA_RUN | EDU_DMA_IRQ);
    w8(world, EDU_DMA_CMD, 0);
    assert_int_equal(r8(world, EDU_DMA_DST), PAGE);
    assert_int_equal(r8(world, EDU_DMA_COUNT), 8);
    assert_int_equal(r4(world, EDU_DMA_CMD), EDU_DMA_TO_GUEST | EDU_DMA_RUN);
    assert_int_equal(r4(world, EDU_ID), 0x010000ed);
    pthread_mutex_unlock(&world->gate);

    dma_wait(world);
    assert_int_equal(world->last.iova, PAGE);
    assert_int_equal(world->last.pasid, VIOMMU_NO_PASID);
    assert_int_equal(world->last.address_type, VIOMMU_AT_UNTRANSLATED);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0);
}

static void
a_command_without_run_does_nothing(void **state)
{
    struct world *world = *state;

    w8(world, EDU_DMA_CMD, EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    assert_int_equal(r8(world, EDU_DMA_CMD), 0);
    from_guest(world, 0, 8);
    assert_int_equal(world->copies, 1);
}

/* --- configuration space -------------------------------------------------- */

static void
the_bar_is_where_configuration_space_says(void **state)
{
    struct world *world = *state;

    assert_int_equal(edu_bar(world->edu), 0);
    edu_config_write(world->edu, PCI_BASE_ADDRESS_0, 4, 0xf3000000);
    assert_int_equal(edu_bar(world->edu), 0xf3000000);
    assert_int_equal(edu_config_read(world->edu, PCI_BASE_ADDRESS_0, 4),
                     0xf3000000);
    assert_int_equal(edu_config_read(world->edu, 256, 4), UINT64_MAX);
    assert_int_equal(
        edu_config_read(world->edu, UINT64_C(1) << 32 | PCI_BASE_ADDRESS_0, 4),
        UINT64_MAX);
    edu_config_write(world->edu, UINT64_C(1) << 32 | PCI_BASE_ADDRESS_0, 4, 0);
    assert_int_equal(edu_bar(world->edu), 0xf3000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(registers_read_as_documented),
        TEST(nothing_else_answers),
        TEST(a_factorial_is_computed),
        TEST(a_factorial_interrupts_if_it_shall),
        TEST(an_interrupt_stays_until_all_of_it_is_acknowledged),
        TEST(an_msi_is_sent_instead_of_the_pin),
        TEST(no_msi_is_sent_without_bus_mastering),
        TEST(an_msi_that_could_not_be_sent_is_sent_later_and_once),
        TEST(dma_copies_there_and_back),
        TEST(dma_uses_the_part_of_the_buffer_that_it_is_told),
        TEST(dma_interrupts_if_it_shall),
        TEST(dma_that_faults_ends_as_well),
        TEST(dma_beyond_the_buffer_or_the_mask_does_not_happen),
        TEST(dma_needs_bus_mastering),
        TEST(registers_answer_while_dma_runs_and_do_not_disturb_it),
        TEST(a_command_without_run_does_nothing),
        TEST(the_bar_is_where_configuration_space_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
