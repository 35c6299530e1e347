/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that the device asks for. */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/lib/cpu.h"

#define REQUESTS                                                           \
    (NEED_EXTENDED | NEED_ECAM | NEED_PRI | NEED_DEVICE_TLB | NEED_PASID | \
     NEED_FIRST | NEED_SECOND | NEED_4_LEVELS)

#define PASID  9u
#define SOURCE 0u
#define TARGET 1u

#define EACCES    13u
#define ON_DEMAND (EDU_MODE_ATS | EDU_MODE_PRI)

#define PRE_CLEAR 0x47u

static struct space process;

/* With an empty space of PASID, and pages on demand. */
static void
start(void)
{
    expect(mode_start(&modes[MODE_SECOND_4]), "remapping starts");
    space_init(&process, STAGE_FIRST, 4, DID + 1);
    pasid_set(PASID, &process, 0);
    page_requests_start();
    engine_set_pasid(EDU_PASID_VALID | PASID);
    engine_set_mode(ON_DEMAND);
}

static bool
expect_request(struct page_request *request, uint64_t addr, bool write)
{
    if (!expect(page_request_take(request), "a page is requested"))
        return false;
    expect_eq("address", addr, request->addr);
    expect_eq("PASID", PASID, request->pasid);
    expect_eq("source id", edu_sid(), request->sid);
    expect_eq("read", !write, request->read);
    expect_eq("write", write, request->write);
    expect(request->last, "it is the last of its group");
    return true;
}

/* Take the request for @addr, map @frame there, say so. */
static void
serve(uint64_t addr, unsigned frame, bool write)
{
    struct page_request request;

    if (!expect_request(&request, addr, write))
        return;
    space_map(&process, addr, frame_gpa(frame), SHIFT_4K, PERM_RW);
    expect(page_request_answer(&request, PAGE_RESPONSE_SUCCESS),
           "the answer is taken");
}

static void
expect_end(uint32_t result)
{
    expect(engine_wait(), "the DMA ends");
    expect_eq("the device's result", result, edu_read32(EDU_DMA_RESULT));
}

static void
served(const struct mode *mode)
{
    uint64_t requests = edu_read64(EDU_PAGE_REQUESTS);
    uint64_t success = edu_read64(EDU_PAGE_SUCCESS);

    (void)mode;
    start();
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    engine_start_read(IOVA, PAGE_SIZE, 0);
    serve(IOVA, SOURCE, false);
    expect_end(0);
    engine_start_write(IOVA + PAGE_SIZE, PAGE_SIZE, 0);
    serve(IOVA + PAGE_SIZE, TARGET, true);
    expect_end(0);
    expect(frame_has(TARGET, 1, 0, PAGE_SIZE), "the page is copied");
    expect_eq("requests", requests + 2, edu_read64(EDU_PAGE_REQUESTS));
    expect_eq("of them answered with success", success + 2,
              edu_read64(EDU_PAGE_SUCCESS));
    expect_read(IOVA, 64);
    expect_eq("requests for a page that is there", requests + 2,
              edu_read64(EDU_PAGE_REQUESTS));
    expect_no_fault();
}

/* Two pages of one access, in turn. */
static void
served_across(const struct mode *mode)
{
    (void)mode;
    start();
    frame_fill(SOURCE, 1);
    frame_fill(TARGET, 2);
    engine_start_read(IOVA + 0x800, PAGE_SIZE, 0);
    serve(IOVA, SOURCE, false);
    serve(IOVA + PAGE_SIZE, TARGET, false);
    expect_end(0);
    expect_no_fault();
}

/* The answer says that the page is there, but it is not: it asks again. */
static void
retried(const struct mode *mode)
{
    struct page_request request;

    (void)mode;
    start();
    frame_fill(TARGET, 2);
    engine_start_write(IOVA, 64, 0);
    for (unsigned i = 0; i < 2; i++)
        if (expect_request(&request, IOVA, true))
            expect(page_request_answer(&request, PAGE_RESPONSE_SUCCESS),
                   "the answer is taken");
    serve(IOVA, TARGET, true);
    expect_end(0);
    expect(!frame_has(TARGET, 2, 0, 64), "the page is written");
}

static void
refused(const struct mode *mode)
{
    uint64_t success = edu_read64(EDU_PAGE_SUCCESS);
    struct page_request request;

    (void)mode;
    start();
    frame_fill(TARGET, 2);
    space_map(&process, IOVA, frame_gpa(TARGET), SHIFT_4K,
              PERM_READ | PERM_USER);
    engine_start_write(IOVA, 64, 0);
    if (expect_request(&request, IOVA, true))
        expect(page_request_answer(&request, PAGE_RESPONSE_INVALID),
               "the answer is taken");
    expect_end(-EACCES);
    expect(frame_has(TARGET, 2, 0, PAGE_SIZE), "memory is as it was");
    expect_eq("answers with success", success, edu_read64(EDU_PAGE_SUCCESS));
}

/* The context entry does not permit them: the unit answers itself. */
static void
not_enabled(const struct mode *mode)
{
    struct fault fault = { 0 };

    (void)mode;
    start();
    context_set_scalable(edu_sid(), CONTEXT_ATS | CONTEXT_PASID);
    expect(context_enable(), "the context entry is taken");
    engine_start_write(IOVA, 64, 0);
    expect_end(-EACCES);
    expect_one_fault(&fault);
    expect_eq("fault reason", PRE_CLEAR, fault.reason);
    expect_eq("pages requested", 0, unit_read64(VTD_PQT));
}

const struct test page_request_tests[] = {
    { "page-request-served", served, REQUESTS },
    { "page-request-across", served_across, REQUESTS },
    { "page-request-retried", retried, REQUESTS },
    { "page-request-refused", refused, REQUESTS },
    { "page-request-not-enabled", not_enabled, REQUESTS },
    { NULL, NULL, 0 },
};
