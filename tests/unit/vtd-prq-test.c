/* SPDX-License-Identifier: GPL-2.0-only */
/* Page requests: the queue, its event, overflow, and responses. */
#include <errno.h>

#include "tests/unit/vtd-prq.h"

static void
assert_desc(const struct model *model, uint64_t gpa, uint64_t lo, uint64_t hi)
{
    assert_int_equal(model_ram_q(model, gpa), lo);
    assert_int_equal(model_ram_q(model, gpa + 8), hi);
    assert_int_equal(model_ram_q(model, gpa + 16), 0);
    assert_int_equal(model_ram_q(model, gpa + 24), 0);
}

/* Type, PP, RID and PASID; R, LPIG, PRGI and the address. */
#define PLAIN_LO (UINT64_C(0x1234500000101) | (uint64_t)SID << 16)
#define PLAIN_HI (ADDR | GROUP << 3 | 5)

static void
request_becomes_a_descriptor(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    memset(&model->ram[PRQ], 0xee, 64);
    vtd_page_request(model->vtd, &plain);
    assert_desc(model, PRQ, PLAIN_LO, PLAIN_HI);
    assert_int_equal(model_ram_q(model, PRQ + DESC),
                     UINT64_C(0xeeeeeeeeeeeeeeee));
    assert_int_equal(tail(model), DESC);
    assert_int_equal(model_r8(model, VTD_OFF_PQH), 0);
    assert_int_equal(prs(model), PPR);
    assert_events(model, 1);
    assert_no_response(model);
    assert_int_equal(model_fsts(model), 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_REQUEST), 1);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_REFUSED), 0);
}

static void
fields_mean_what_the_request_can_mean(void **state)
{
    static const struct {
        uint8_t access;
        bool privileged, pasid, last;
        uint64_t lo, hi; /* EXR and PMR; RDR, WRR and LPIG */
    } cases[] = {
        { VTD_DMA_READ, false, true, false, 0, 1 },
        { VTD_DMA_WRITE, false, true, false, 0, 2 },
        { VTD_DMA_READ | VTD_DMA_WRITE, false, true, true, 0, 7 },
        { VTD_DMA_READ | VTD_DMA_EXEC, false, true, false, 1, 1 },
        { VTD_DMA_WRITE | VTD_DMA_EXEC, false, true, false, 0, 2 },
        { VTD_DMA_READ | VTD_DMA_EXEC, false, false, false, 0, 1 },
        { VTD_DMA_READ, true, true, false, 2, 1 },
        { VTD_DMA_READ | VTD_DMA_EXEC, true, true, true, 3, 5 },
        { VTD_DMA_WRITE, true, false, true, 0, 6 },
        { 0, false, true, false, 0, 0 },
    };
    struct model *model = ((struct world *)*state)->model;

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct vtd_page_req req = plain;

        req.access = cases[i].access;
        req.privileged = cases[i].privileged;
        req.pasid = cases[i].pasid ? PASID : VTD_NO_PASID;
        req.last = cases[i].last;
        vtd_page_request(model->vtd, &req);
        assert_desc(model, PRQ + i * DESC,
                    (cases[i].pasid ? PLAIN_LO : 1 | SID << 16) | cases[i].lo
                                                                      << 52,
                    ADDR | GROUP << 3 | cases[i].hi);
    }
    assert_no_response(model);
}

static void
values_fit_into_their_fields(void **state)
{
    struct model *model = ((struct world *)*state)->model;
    struct vtd_page_req req = plain;

    req.addr = UINT64_MAX;
    req.group = 0xffff;
    req.access = VTD_DMA_WRITE;
    vtd_page_request(model->vtd, &req);
    assert_desc(model, PRQ, PLAIN_LO, UINT64_MAX << 12 | 0x1ff << 3 | 6);
}

/* It closes a PASID: no address, no access, and no response in any case. */
static void
stop_marker_has_neither_address_nor_response(void **state)
{
    struct model *model = ((struct world *)*state)->model;
    struct vtd_page_req marked = plain;
    struct vtd_page_req empty = plain;

    marked.stop_marker = true;
    marked.last = false;
    marked.privileged = true;
    empty.access = 0;
    vtd_page_request(model->vtd, &marked);
    vtd_page_request(model->vtd, &empty);
    assert_desc(model, PRQ, PLAIN_LO, GROUP << 3 | 4);
    assert_desc(model, PRQ + DESC, PLAIN_LO, GROUP << 3 | 4);
    assert_int_equal(inv_count, 0);
    /* The queue is full now. */
    model_w8(model, VTD_OFF_PQH, 3 * DESC);
    vtd_page_request(model->vtd, &marked);
    marked.last = true;
    vtd_page_request(model->vtd, &marked);
    vtd_page_request(model->vtd, &empty);
    assert_int_equal(prs(model), PPR | PRO);
    assert_no_response(model);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_REFUSED), 3);
}

static void
queue_of_each_size_wraps_around(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    for (unsigned pqs = 0; pqs < 8; pqs++) {
        uint64_t size = UINT64_C(4096) << pqs;
        struct vtd_page_req req = plain;

        queue_init(model, pqs);
        model_w4(model, VTD_OFF_PRS, PPR | PRO);
        model_ram_q_set(model, PRQ + size, 0x5eed);
        /* Begin at the last entry but one. */
        model_w8(model, VTD_OFF_PQH, size - 2 * DESC);
        model_w8(model, VTD_OFF_PQT, size - 2 * DESC);
        for (uint64_t i = 0; i < size / DESC - 1; i++) {
            uint64_t at = (size - 2 * DESC + i * DESC) % size;

            assert_int_equal(tail(model), at);
            req.addr = i << 12;
            vtd_page_request(model->vtd, &req);
            assert_desc(model, PRQ + at, PLAIN_LO, i << 12 | GROUP << 3 | 5);
        }
        assert_int_equal(tail(model), size - 3 * DESC);
        assert_int_equal(prs(model), PPR);
        assert_no_response(model);
        vtd_page_request(model->vtd, &plain);
        assert_response(model, &plain, VTD_PAGE_SUCCESS);
        assert_int_equal(prs(model), PPR | PRO);
        assert_int_equal(tail(model), size - 3 * DESC);
        assert_int_equal(model_ram_q(model, PRQ + size), 0x5eed);
        model->msi_count = 0;
    }
}

/*
 * Full is told once, by PRO; all that follow are answered as if software had
 * served them, so that the device tries again.
 */
static void
requests_that_find_no_room_are_answered(void **state)
{
    struct model *model = ((struct world *)*state)->model;
    struct vtd_page_req first = plain;

    first.last = false;
    model_w8(model, VTD_OFF_PQH, DESC);
    model_ram_q_set(model, PRQ, 0x5eed);
    vtd_page_request(model->vtd, &first);
    assert_int_equal(prs(model), PRO);
    assert_events(model, 1);
    assert_no_response(model);
    vtd_page_request(model->vtd, &plain);
    assert_response(model, &plain, VTD_PAGE_SUCCESS);
    /* Room alone is not enough while PRO is set. */
    model_w8(model, VTD_OFF_PQH, 0);
    vtd_page_request(model->vtd, &first);
    assert_no_response(model);
    vtd_page_request(model->vtd, &plain);
    assert_response(model, &plain, VTD_PAGE_SUCCESS);
    assert_int_equal(prs(model), PRO);
    assert_int_equal(tail(model), 0);
    assert_int_equal(model_ram_q(model, PRQ), 0x5eed);
    assert_int_equal(inv_count, 0);
    assert_events(model, 0);
    assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_PAGE_REFUSED), 4);
    assert_int_equal(model_fsts(model), 0);
}

/* What Linux's thread does with an event. */
static unsigned
serve_as_linux(struct model *model)
{
    uint64_t mask = 4096 - DESC;
    uint64_t head;
    uint64_t end;
    unsigned served = 0;

    model_w4(model, VTD_OFF_PRS, PPR);
    end = model_r8(model, VTD_OFF_PQT) & mask;
    head = model_r8(model, VTD_OFF_PQH) & mask;
    for (; head != end; head = (head + DESC) & mask) {
        assert_int_equal(model_ram_q(model, PRQ + head) & 0xff, 1);
        served++;
    }
    model_w8(model, VTD_OFF_PQH, end);
    if (model_r4(model, VTD_OFF_PRS) & PRO) {
        head = model_r8(model, VTD_OFF_PQH) & mask;
        end = model_r8(model, VTD_OFF_PQT) & mask;
        if (head == end) {
            model_w4(model, VTD_OFF_PRS, PRO);
        }
    }
    return served;
}

static void
overflow_ends_as_linux_ends_it(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 127; i++) {
            vtd_page_request(model->vtd, &plain);
        }
        assert_int_equal(prs(model), PPR);
        assert_events(model, 1);
        vtd_page_request(model->vtd, &plain);
        assert_response(model, &plain, VTD_PAGE_SUCCESS);
        assert_int_equal(prs(model), PPR | PRO);
        assert_events(model, 0);
        assert_int_equal(serve_as_linux(model), 127);
        assert_int_equal(prs(model), 0);
        /* It goes on as if nothing had been. */
        vtd_page_request(model->vtd, &plain);
        assert_no_response(model);
        assert_events(model, 1);
        assert_int_equal(serve_as_linux(model), 1);
        assert_int_equal(serve_as_linux(model), 0);
    }
}

/* The event is sent when the first of the two bits is set, whichever it is. */
static void
event_is_sent_once_until_served(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    vtd_page_request(model->vtd, &plain);
    assert_events(model, 1);
    vtd_page_request(model->vtd, &plain);
    assert_events(model, 0);
    model_w4(model, VTD_OFF_PRS, PPR);
    vtd_page_request(model->vtd, &plain);
    assert_events(model, 1);
    model_w4(model, VTD_OFF_PRS, PRO);
    vtd_page_request(model->vtd, &plain);
    assert_events(model, 0);
    /* Full. */
    model_w8(model, VTD_OFF_PQH, 5 * DESC);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(prs(model), PPR | PRO);
    model_w4(model, VTD_OFF_PRS, PPR);
    assert_int_equal(prs(model), PRO);
    vtd_page_request(model->vtd, &plain);
    assert_events(model, 0);
    model_w4(model, VTD_OFF_PRS, PRO);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(prs(model), PRO);
    assert_events(model, 1);
}

static void
masked_event_waits(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    model_w4(model, VTD_OFF_PECTL, IM);
    vtd_page_request(model->vtd, &plain);
    assert_events(model, 0);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), IM | IP);
    model_w4(model, VTD_OFF_PECTL, 0);
    assert_events(model, 1);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), 0);
}

static void
masked_event_that_was_served_is_forgotten(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    model_w4(model, VTD_OFF_PECTL, IM);
    vtd_page_request(model->vtd, &plain);
    model_w8(model, VTD_OFF_PQH, 2 * DESC);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(prs(model), PPR | PRO);
    /* One of two conditions is left. */
    model_w4(model, VTD_OFF_PRS, PPR);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), IM | IP);
    model_w4(model, VTD_OFF_PRS, PPR);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), IM | IP);
    model_w4(model, VTD_OFF_PRS, PRO);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), IM);
    model_w4(model, VTD_OFF_PECTL, 0);
    assert_events(model, 0);
}

static void
registers_can_be_written_by_halves(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    model_w4(model, VTD_OFF_PQA, (uint32_t)PRQ | 0x1000 | 2);
    model_w4(model, VTD_OFF_PQA + 4, 0);
    model_w4(model, VTD_OFF_PQT, 511 * DESC);
    model_w4(model, VTD_OFF_PQT + 4, UINT32_MAX);
    model_w4(model, VTD_OFF_PQH, 511 * DESC);
    vtd_page_request(model->vtd, &plain);
    assert_desc(model, PRQ + 0x1000 + 511 * DESC, PLAIN_LO, PLAIN_HI);
    assert_int_equal(tail(model), 0);
    assert_int_equal(model_r4(model, VTD_OFF_PQT), 0);
}

/* There is no fault for it: every value is a place in the queue. */
static void
head_and_tail_beyond_the_queue_are_taken_modulo_its_size(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    model_ram_q_set(model, PRQ + 4096, 0x5eed);
    model_w8(model, VTD_OFF_PQH, 2 * 4096 + 5 * DESC);
    model_w8(model, VTD_OFF_PQT, UINT64_MAX);
    assert_int_equal(tail(model), 0x7ffe0);
    vtd_page_request(model->vtd, &plain);
    assert_desc(model, PRQ + 127 * DESC, PLAIN_LO, PLAIN_HI);
    assert_int_equal(tail(model), 0);
    model_w8(model, VTD_OFF_PQH, 4096 + DESC);
    vtd_page_request(model->vtd, &plain);
    assert_int_equal(prs(model), PPR | PRO);
    assert_response(model, &plain, VTD_PAGE_SUCCESS);
    assert_int_equal(model_ram_q(model, PRQ + 4096), 0x5eed);
}

static void
queue_that_cannot_be_written_is_an_invalid_request(void **state)
{
    struct model *model = ((struct world *)*state)->model;
    struct vtd_page_req first = plain;

    first.last = false;
    model_w8(model, VTD_OFF_PQA, 0xfee00000);
    vtd_page_request(model->vtd, &first);
    assert_no_response(model);
    vtd_page_request(model->vtd, &plain);
    assert_response(model, &plain, VTD_PAGE_INVALID);
    model_w8(model, VTD_OFF_PQA, PRQ);
    model->bad_write = PRQ + 24;
    vtd_page_request(model->vtd, &plain);
    assert_response(model, &plain, VTD_PAGE_INVALID);
    assert_int_equal(tail(model), 0);
    assert_int_equal(prs(model), 0);
    assert_events(model, 0);
    assert_int_equal(model_fsts(model), 0);
}

static void
unit_without_page_requests_hears_none(void **state)
{
    struct vtd_config config = vtd_config_full;
    struct world *world;

    (void)state;
    config.prs = false;
    config.pds = false;
    world = world_create(&config);
    world->model->ops.page_response = NULL;
    vtd_page_request(world->model->vtd, &plain);
    assert_int_equal(model_ram_q(world->model, PRQ), 0);
    assert_int_equal(model_r8(world->model, VTD_OFF_PQA), 0);
    assert_int_equal(prs(world->model), 0);
    assert_int_equal(inv_count, 0);
    assert_int_equal(vtd_stat_value(world->model->vtd, VTD_STAT_PAGE_REQUEST),
                     0);
    teardown((void **)&world);
}

static void
unit_with_page_requests_needs_a_way_to_answer(void **state)
{
    struct model *model = ((struct world *)*state)->model;
    struct vtd_ops ops = model->ops;

    ops.page_response = NULL;
    errno = 0;
    assert_null(vtd_create(&vtd_config_full, &ops, model));
    assert_int_equal(errno, EINVAL);
}

static void
reset_empties_the_queue(void **state)
{
    struct model *model = ((struct world *)*state)->model;

    vtd_page_request(model->vtd, &plain);
    vtd_reset(model->vtd);
    assert_int_equal(tail(model), 0);
    assert_int_equal(model_r8(model, VTD_OFF_PQA), 0);
    assert_int_equal(prs(model), 0);
    assert_int_equal(model_r4(model, VTD_OFF_PECTL), IM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_becomes_a_descriptor),
        TEST(fields_mean_what_the_request_can_mean),
        TEST(values_fit_into_their_fields),
        TEST(stop_marker_has_neither_address_nor_response),
        TEST(queue_of_each_size_wraps_around),
        TEST(requests_that_find_no_room_are_answered),
        TEST(overflow_ends_as_linux_ends_it),
        TEST(event_is_sent_once_until_served),
        TEST(masked_event_waits),
        TEST(masked_event_that_was_served_is_forgotten),
        TEST(registers_can_be_written_by_halves),
        TEST(head_and_tail_beyond_the_queue_are_taken_modulo_its_size),
        TEST(queue_that_cannot_be_written_is_an_invalid_request),
        cmocka_unit_test(unit_without_page_requests_hears_none),
        TEST(unit_with_page_requests_needs_a_way_to_answer),
        TEST(reset_empties_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
