/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device's own: PASIDs, a device TLB, page requests, repeated DMA. */
#include "tests/unit/edu-life.h"

#define PASID_CAP 0x100u
#define ATS_CAP   0x110u
#define PRI_CAP   0x120u

static int
setup(void **state)
{
    static const struct edu_options options = {
        .dma_bits = 48,
        .extended = true,
        .with = PCI_EXTENDED,
    };
    const struct world *world;

    world_setup(state, &options);
    world = *state;
    edu_config_write(world->edu, PASID_CAP + PCI_PASID_CTRL, 2,
                     PCI_PASID_CTRL_ENABLE | PCI_PASID_CTRL_EXEC |
                         PCI_PASID_CTRL_PRIV);
    edu_config_write(world->edu, ATS_CAP + PCI_ATS_CTRL, 2,
                     PCI_ATS_CTRL_ENABLE);
    edu_config_write(world->edu, PRI_CAP + PCI_PRI_CTRL, 2,
                     PCI_PRI_CTRL_ENABLE);
    return 0;
}

static int32_t
result(const struct world *world)
{
    return (int32_t)r4(world, EDU_DMA_RESULT);
}

static void
invalidate(struct world *world, uint64_t iova, uint64_t last, uint32_t pasid)
{
    const struct viommu_invalidation inv = {
        .iova = iova,
        .last = last,
        .pasid = pasid,
    };
    unsigned done = seen(world, &world->done);

    assert_int_equal(edu_invalidate(world->edu, &inv, done + 100),
                     -EINPROGRESS);
    wait_for(seen(world, &world->done) == done + 1);
    assert_int_equal(world->token, done + 100);
}

static void
answer(struct world *world, unsigned request, uint8_t code)
{
    struct viommu_page_response response = { .code = code };

    wait_for(seen(world, &world->requests) == request);
    response.group = world->request.group;
    response.pasid = world->request.pasid;
    edu_page_response(world->edu, &response);
}

/* --- registers ------------------------------------------------------------ */

static void
its_registers_keep_what_they_have(void **state)
{
    const struct world *world = *state;

    w4(world, EDU_PASID, UINT32_MAX);
    assert_int_equal(r4(world, EDU_PASID), 0xe00fffff);
    w4(world, EDU_MODE, UINT32_MAX);
    assert_int_equal(r4(world, EDU_MODE), 0xf);
    for (unsigned off = EDU_DMA_RESULT; off <= EDU_PAGE_SUCCESS; off += 4) {
        w8(world, off, UINT64_MAX);
    }
    assert_int_equal(r4(world, EDU_DMA_RESULT), 0);
    assert_int_equal(r8(world, EDU_DMA_DONE), 0);
    assert_int_equal(r8(world, EDU_DMA_FAULTS), 0);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 0);
    assert_int_equal(r8(world, EDU_PAGE_REQUESTS), 0);
    assert_int_equal(r8(world, EDU_PAGE_SUCCESS), 0);
    assert_int_equal(edu_read(world->edu, EDU_DMA_RESULT + 4, 4), UINT64_MAX);
}

static void
it_tells_how_dma_ended(void **state)
{
    struct world *world = *state;

    world->page[1].perm = 0;
    to_guest(world, PAGE, 8);
    assert_int_equal(result(world), NOT_PRESENT);
    to_guest(world, 0, 8);
    assert_int_equal(result(world), 0);
    to_guest(world, UINT64_C(1) << 48, 8);
    assert_int_equal(result(world), -EINVAL);
    to_guest(world, PAGES * PAGE, 8);
    assert_int_equal(result(world), -EFAULT);
    edu_config_write(world->edu, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    to_guest(world, 0, 8);
    assert_int_equal(result(world), -EPERM);
    assert_int_equal(r8(world, EDU_DMA_DONE), 1);
    assert_int_equal(r8(world, EDU_DMA_FAULTS), 4);
}

/* --- PASIDs --------------------------------------------------------------- */

static void
dma_is_attributed_to_the_pasid(void **state)
{
    struct world *world = *state;

    w4(world, EDU_PASID, EDU_PASID_VALID | 0x12345);
    to_guest(world, 0, 8);
    assert_int_equal(world->last.pasid, 0x12345);
    assert_false(world->last.privileged);
    assert_int_equal(world->last.access, VIOMMU_WRITE);

    w4(world, EDU_PASID,
       EDU_PASID_VALID | EDU_PASID_PRIVILEGED | EDU_PASID_EXEC);
    to_guest(world, 0, 8);
    assert_int_equal(world->last.pasid, 0);
    assert_true(world->last.privileged);
    assert_int_equal(world->last.access, VIOMMU_WRITE);
    world->page[0].perm |= VIOMMU_EXEC;
    from_guest(world, 0, 8);
    assert_int_equal(world->last.access, VIOMMU_READ | VIOMMU_EXEC);

    w4(world, EDU_PASID, EDU_PASID_PRIVILEGED | EDU_PASID_EXEC | 7);
    from_guest(world, 0, 8);
    assert_int_equal(world->last.pasid, VIOMMU_NO_PASID);
    assert_int_equal(world->last.access, VIOMMU_READ);
    assert_false(world->last.privileged);
}

static void
what_configuration_space_does_not_enable_is_not_done(void **state)
{
    static const struct {
        uint32_t off;
        uint16_t control;
        uint32_t pasid;
        uint32_t mode;
    } known[] = {
        { PASID_CAP + PCI_PASID_CTRL, 0, EDU_PASID_VALID, 0 },
        { PASID_CAP + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE,
          EDU_PASID_VALID | EDU_PASID_EXEC, 0 },
        { PASID_CAP + PCI_PASID_CTRL, PCI_PASID_CTRL_ENABLE,
          EDU_PASID_VALID | EDU_PASID_PRIVILEGED, 0 },
        { ATS_CAP + PCI_ATS_CTRL, 0, 0, EDU_MODE_ATS },
        { ATS_CAP + PCI_ATS_CTRL, 0, 0, EDU_MODE_PRI },
        { PRI_CAP + PCI_PRI_CTRL, 0, 0, EDU_MODE_ATS | EDU_MODE_PRI },
    };
    struct world *world = *state;

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint64_t before = edu_config_read(world->edu, known[i].off, 2);

        w4(world, EDU_PASID, known[i].pasid);
        w4(world, EDU_MODE, known[i].mode);
        to_guest(world, 0, 8);
        assert_int_equal(result(world), 0);
        world->copies = 0;
        edu_config_write(world->edu, known[i].off, 2, known[i].control);
        to_guest(world, 0, 8);
        assert_int_equal(result(world), -EPERM);
        assert_int_equal(world->copies, 0);
        edu_config_write(world->edu, known[i].off, 2, before);
    }
}

/* --- the device TLB ------------------------------------------------------- */

static void
a_translation_is_asked_for_once(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    for (unsigned i = 0; i < 3; i++) {
        to_guest(world, 2 * PAGE + 8, 16);
        assert_int_equal(result(world), 0);
        assert_int_equal(world->last.address_type, VIOMMU_AT_TRANSLATED);
        assert_int_equal(world->last.iova, (PAGES - 1 - 2) * PAGE + 8);
    }
    assert_int_equal(world->translations, 1);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 1);

    /* The same page for somebody else is another translation. */
    w4(world, EDU_PASID, EDU_PASID_VALID | 1);
    to_guest(world, 2 * PAGE, 8);
    w4(world, EDU_PASID, EDU_PASID_VALID | EDU_PASID_PRIVILEGED | 1);
    to_guest(world, 2 * PAGE, 8);
    assert_int_equal(world->last.address_type, VIOMMU_AT_TRANSLATED);
    assert_int_equal(world->last.pasid, VIOMMU_NO_PASID);
    assert_false(world->last.privileged);
    assert_int_equal(world->translations, 3);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 3);
}

static void
a_copy_is_split_where_translations_end(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    memset(world->ram[PAGES - 1] + PAGE - 100, 0x11, 100);
    memset(world->ram[PAGES - 2], 0x22, 100);
    from_guest(world, PAGE - 100, 200);
    assert_int_equal(result(world), 0);
    assert_int_equal(world->translations, 2);
    to_guest(world, 5 * PAGE, 200);
    assert_memory_equal(world->ram[PAGES - 6],
                        world->ram[PAGES - 1] + PAGE - 100, 100);
    assert_memory_equal(world->ram[PAGES - 6] + 100, world->ram[PAGES - 2],
                        100);
    /* 4 KiB may touch two pages. */
    from_guest(world, 7 * PAGE + 1, PAGE);
    assert_int_equal(result(world), 0);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 5);
}

static void
a_translation_that_permits_less_is_asked_for_again(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    world->page[0].perm = VIOMMU_READ;
    from_guest(world, 0, 8);
    to_guest(world, 0, 8);
    assert_int_equal(result(world), -EACCES);
    assert_int_equal(world->copies, 1);
    world->page[0].perm = VIOMMU_READ | VIOMMU_WRITE;
    to_guest(world, 0, 8);
    assert_int_equal(result(world), 0);
    assert_int_equal(world->translations, 3);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 1);
}

static void
a_refused_translation_is_no_access(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    to_guest(world, PAGES * PAGE, 8);
    assert_int_equal(result(world), NOT_PRESENT);
    assert_int_equal(world->copies, 0);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 0);
}

static void
what_is_to_go_untranslated_is_not_kept(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    world->untranslated = 1;
    to_guest(world, PAGE, 8);
    assert_int_equal(result(world), 0);
    assert_int_equal(world->last.address_type, VIOMMU_AT_UNTRANSLATED);
    assert_int_equal(world->last.iova, PAGE);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 0);
}

static void
an_invalidation_forgets_what_it_names(void **state)
{
    static const struct {
        uint64_t iova, last;
        uint32_t pasid;
        unsigned left;
    } known[] = {
        { 4 * PAGE, 5 * PAGE - 1, VIOMMU_NO_PASID, 6 },
        { 4 * PAGE + 8, 4 * PAGE + 8, 1, 7 },
        { 4 * PAGE, 5 * PAGE - 1, 2, 8 },
        { 0, 4 * PAGE - 1, VIOMMU_NO_PASID, 8 },
        { 8 * PAGE, UINT64_MAX, VIOMMU_NO_PASID, 8 },
        { 3 * PAGE, 5 * PAGE, 1, 6 },
        { 0, UINT64_MAX, 1, 4 },
        { 0, UINT64_MAX, VIOMMU_NO_PASID, 0 },
    };
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        for (uint64_t page = 4; page < 8; page++) {
            w4(world, EDU_PASID, 0);
            to_guest(world, page * PAGE, 8);
            w4(world, EDU_PASID, EDU_PASID_VALID | 1);
            to_guest(world, page * PAGE, 8);
        }
        assert_int_equal(r8(world, EDU_TLB_ENTRIES), 8);
        invalidate(world, known[i].iova, known[i].last, known[i].pasid);
        assert_int_equal(r8(world, EDU_TLB_ENTRIES), known[i].left);
    }

    world->page[4].frame = 1;
    w4(world, EDU_PASID, 0);
    to_guest(world, 4 * PAGE, 8);
    assert_int_equal(world->last.iova, PAGE);
}

static void
the_tlb_is_full_at_some_point(void **state)
{
    const struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    for (unsigned pasid = 0; pasid < 6; pasid++) {
        for (uint64_t page = 0; page < PAGES; page++) {
            w4(world, EDU_PASID, EDU_PASID_VALID | pasid);
            to_guest(world, page * PAGE, 8);
            assert_int_equal(result(world), 0);
        }
    }
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 64);
    assert_int_equal(world->translations, 6 * PAGES);
}

static void
an_invalidation_is_acknowledged_when_no_copy_is_under_way(void **state)
{
    static const struct viommu_invalidation all = {
        .last = UINT64_MAX,
        .pasid = VIOMMU_NO_PASID,
    };
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS);
    to_guest(world, 0, 8);
    pthread_mutex_lock(&world->gate);
    dma_start(world, EDU_BUFFER, 0, 8, EDU_DMA_TO_GUEST);
    wait_for(atomic_load(&world->arrived) == 2);
    for (uint32_t i = 0; i < 32; i++) { /* as many as may be on the way */
        assert_int_equal(edu_invalidate(world->edu, &all, i), -EINPROGRESS);
    }
    nap();
    assert_int_equal(seen(world, &world->done), 0);
    pthread_mutex_unlock(&world->gate);
    wait_for(seen(world, &world->done) == 32);
    assert_int_equal(world->token, 31);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 0);
    dma_wait(world);
}

static void
it_does_not_acknowledge_if_it_shall_not(void **state)
{
    static const struct viommu_invalidation all = {
        .last = UINT64_MAX,
        .pasid = VIOMMU_NO_PASID,
    };
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_NO_ACK);
    to_guest(world, 0, 8);
    assert_int_equal(edu_invalidate(world->edu, &all, 1), -EINPROGRESS);
    wait_for(r8(world, EDU_TLB_ENTRIES) == 0);
    w4(world, EDU_MODE, EDU_MODE_ATS);
    invalidate(world, 0, UINT64_MAX, VIOMMU_NO_PASID);
    assert_int_equal(world->done, 1);
}

/* --- page requests -------------------------------------------------------- */

static void
a_page_that_is_not_there_is_requested(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    w4(world, EDU_PASID, EDU_PASID_VALID | EDU_PASID_PRIVILEGED | 9);
    world->page[3].perm = 0;
    dma_start(world, EDU_BUFFER, 3 * PAGE + 0x123, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 1);
    assert_int_equal(world->request.addr, 3 * PAGE);
    assert_int_equal(world->request.pasid, 9);
    assert_int_equal(world->request.access, VIOMMU_WRITE);
    assert_true(world->request.privileged);
    assert_true(world->request.last);
    assert_int_equal(r4(world, EDU_DMA_CMD) & EDU_DMA_RUN, EDU_DMA_RUN);

    world->page[3].perm = VIOMMU_WRITE;
    answer(world, 1, 0);
    dma_wait(world);
    assert_int_equal(result(world), 0);
    assert_int_equal(r8(world, EDU_PAGE_REQUESTS), 1);
    assert_int_equal(r8(world, EDU_PAGE_SUCCESS), 1);
}

static void
a_page_that_is_refused_is_given_up(void **state)
{
    static const uint8_t code[] = { 1, 15 };
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    world->page[3].perm = VIOMMU_READ;
    for (unsigned i = 0; i < 2; i++) {
        dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
        answer(world, i + 1, code[i]);
        dma_wait(world);
        assert_int_equal(result(world), -EACCES);
    }
    assert_int_equal(r8(world, EDU_PAGE_SUCCESS), 0);
}

static void
a_page_that_was_translated_is_not_requested(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    world->translated_rc = NOT_PRESENT;
    to_guest(world, 0, 8);
    assert_int_equal(result(world), NOT_PRESENT);
    assert_int_equal(world->requests, 0);
}

static void
a_page_that_does_not_come_is_requested_a_few_times(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    dma_start(world, EDU_BUFFER, PAGES * PAGE, 8, EDU_DMA_TO_GUEST);
    for (unsigned i = 1; i <= 4; i++) {
        answer(world, i, 0);
    }
    dma_wait(world);
    assert_int_equal(result(world), NOT_PRESENT);
    assert_int_equal(r8(world, EDU_PAGE_REQUESTS), 4);
}

static void
an_answer_to_another_request_is_not_taken(void **state)
{
    struct world *world = *state;
    struct viommu_page_response response = { .code = 0 };

    edu_page_response(world->edu, &response); /* nothing was asked */
    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    world->page[3].perm = 0;
    dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 1);
    response.group = (uint16_t)(world->request.group + 1);
    edu_page_response(world->edu, &response);
    nap();
    assert_int_equal(r8(world, EDU_PAGE_SUCCESS), 0);
    answer(world, 1, 15);
    dma_wait(world);
    assert_int_equal(result(world), -EACCES);
}

static void
invalidations_are_heard_while_a_page_is_awaited(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    to_guest(world, 0, 8);
    world->page[3].perm = 0;
    dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 1);
    invalidate(world, 0, UINT64_MAX, VIOMMU_NO_PASID);
    assert_int_equal(r8(world, EDU_TLB_ENTRIES), 0);
    answer(world, 1, 1);
    dma_wait(world);
}

static void
no_page_is_awaited_once_there_is_nobody_to_ask(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    world->page[3].perm = 0;
    dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 1);
    w8(world, EDU_DMA_CMD, 0);
    dma_wait(world);
    assert_int_equal(result(world), -ETIMEDOUT);

    dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 2);
    edu_cut_off(world->edu);
    dma_wait(world);
    assert_int_equal(result(world), -ETIMEDOUT);
}

/* --- again and again ------------------------------------------------------ */

static void
repeated_dma_runs_until_it_is_told_to_stop(void **state)
{
    struct world *world = *state;
    uint64_t number;

    w4(world, EDU_MODE, EDU_MODE_REPEAT);
    dma_start(world, 0, PAGE + 8, 0, EDU_DMA_TO_GUEST | EDU_DMA_IRQ);
    wait_for(r8(world, EDU_DMA_DONE) > 100);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), 0);
    w8(world, EDU_DMA_CMD, 0);
    dma_wait(world);
    assert_int_equal(r4(world, EDU_IRQ_STATUS), EDU_IRQ_DMA);
    memcpy(&number, world->ram[PAGES - 2] + 8, sizeof(number));
    assert_int_equal(number, r8(world, EDU_DMA_DONE));

    /* It can be started again. */
    w4(world, EDU_MODE, 0);
    to_guest(world, 0, 8);
    assert_int_equal(r8(world, EDU_DMA_DONE), number + 1);
}

static void
repeated_dma_ends_with_its_mode_too(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_REPEAT | EDU_MODE_ATS);
    dma_start(world, PAGE, EDU_BUFFER, PAGE, 0);
    wait_for(r8(world, EDU_DMA_DONE) > 10);
    invalidate(world, 0, UINT64_MAX, VIOMMU_NO_PASID);
    w4(world, EDU_MODE, 0);
    dma_wait(world);
    assert_int_equal(world->last.address_type, VIOMMU_AT_TRANSLATED);
}

static void
repeated_dma_goes_on_after_a_fault(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_REPEAT);
    world->page[1].perm = 0;
    dma_start(world, 0, PAGE, 0, EDU_DMA_TO_GUEST);
    wait_for(r8(world, EDU_DMA_FAULTS) > 2);
    assert_int_equal(r8(world, EDU_DMA_DONE), 0);
    pthread_mutex_lock(&world->lock);
    world->page[1].perm = VIOMMU_WRITE;
    pthread_mutex_unlock(&world->lock);
    wait_for(r8(world, EDU_DMA_DONE) > 2);
    w8(world, EDU_DMA_CMD, 0);
    dma_wait(world);
}

static void
it_ends_while_dma_runs_or_waits(void **state)
{
    struct world *world = *state;

    w4(world, EDU_MODE, EDU_MODE_ATS | EDU_MODE_PRI);
    world->page[3].perm = 0;
    dma_start(world, EDU_BUFFER, 3 * PAGE, 8, EDU_DMA_TO_GUEST);
    wait_for(seen(world, &world->requests) == 1);
    edu_destroy(world->edu);
    world->edu = NULL;
}

/* --- a guest without sense ------------------------------------------------ */

/* xorshift; the same on each run. */
static uint64_t
random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void
whatever_the_guest_does_is_answered(void **state)
{
    struct world *world = *state;
    uint64_t seed = 0x123456789abcdef;

    for (unsigned i = 0; i < 300000; i++) {
        uint64_t dice = random_next(&seed);
        uint64_t off = random_next(&seed) >> (dice & 1 ? 56 : 44);
        uint64_t val = random_next(&seed) >> (dice >> 8 & 63);
        unsigned size = dice >> 16 & 1 ? 4u << (dice >> 17 & 1)
                                       : (unsigned)(dice >> 20 & 15);

        switch (dice >> 24 & 7) {
        case 0:
            edu_config_write(world->edu, off & 0xfff, size, val);
            break;
        case 1:
            (void)edu_config_read(world->edu, off, size);
            break;
        case 2:
            (void)edu_read(world->edu, off, size);
            break;
        case 3:
            edu_write(world->edu, off & 0xf8, size, EDU_BUFFER + (val & PAGE));
            break;
        case 4:
            edu_page_response(world->edu, &(struct viommu_page_response){
                                              .group = val & 0x1ff });
            break;
        default:
            edu_write(world->edu, off, size, val);
            break;
        }
        (void)edu_bar(world->edu);
    }
    assert_int_equal(r4(world, EDU_ID), 0x010000ed);
    assert_true(r8(world, EDU_DMA_FAULTS) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_registers_keep_what_they_have),
        TEST(it_tells_how_dma_ended),
        TEST(dma_is_attributed_to_the_pasid),
        TEST(what_configuration_space_does_not_enable_is_not_done),
        TEST(a_translation_is_asked_for_once),
        TEST(a_copy_is_split_where_translations_end),
        TEST(a_translation_that_permits_less_is_asked_for_again),
        TEST(a_refused_translation_is_no_access),
        TEST(what_is_to_go_untranslated_is_not_kept),
        TEST(an_invalidation_forgets_what_it_names),
        TEST(the_tlb_is_full_at_some_point),
        TEST(an_invalidation_is_acknowledged_when_no_copy_is_under_way),
        TEST(it_does_not_acknowledge_if_it_shall_not),
        TEST(a_page_that_is_not_there_is_requested),
        TEST(a_page_that_is_refused_is_given_up),
        TEST(a_page_that_was_translated_is_not_requested),
        TEST(a_page_that_does_not_come_is_requested_a_few_times),
        TEST(an_answer_to_another_request_is_not_taken),
        TEST(invalidations_are_heard_while_a_page_is_awaited),
        TEST(no_page_is_awaited_once_there_is_nobody_to_ask),
        TEST(repeated_dma_runs_until_it_is_told_to_stop),
        TEST(repeated_dma_ends_with_its_mode_too),
        TEST(repeated_dma_goes_on_after_a_fault),
        TEST(it_ends_while_dma_runs_or_waits),
        TEST(whatever_the_guest_does_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
