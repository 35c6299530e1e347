/* SPDX-License-Identifier: GPL-2.0-only */
/* Device TLBs and page requests, the unit's side. */
#include "tests/guests/dma/space.h"
#include "tests/guests/lib/cpu.h"

/* [VT-d 4.1, "Device-TLB Invalidate Descriptor" and those that follow] */
#define DESC_DEVICE_TLB       0x3ull
#define DESC_PASID_DEVICE_TLB 0x8ull
#define DESC_PAGE_RESPONSE    0x9ull
#define EVERY_ADDRESS         0x7ffffffffffff000ull
#define DEVICE_TLB_S          (1ull << 0) /* hi                             */
#define PASID_DEVICE_TLB_G    (1ull << 0)
#define PASID_DEVICE_TLB_S    (1ull << 11)
#define RESPONSE_PASID        (1ull << 4)
#define RESPONSE_LAST         (1ull << 2) /* hi                             */

/* [VT-d 4.1, "Page Request Descriptor"] */
#define REQUEST_SIZE  32u
#define REQUEST_PASID (1ull << 8)
#define REQUEST_READ  (1ull << 0) /* hi, as the rest                        */
#define REQUEST_WRITE (1ull << 1)
#define REQUEST_LAST  (1ull << 2)

#define PRS_ALL 3u /* PPR and PRO                                           */

#define REQUEST_US 2000000u
#define POLL_US    500u

static struct {
    uint64_t quad[4];
} requests[PAGE_SIZE / REQUEST_SIZE] __attribute__((aligned(PAGE_SIZE)));

void
device_tlb_put_flush(uint16_t sid, uint32_t pasid, uint64_t iova)
{
    uint64_t lo = DESC_DEVICE_TLB | (uint64_t)sid << 32;

    if (pasid != NO_PASID)
        lo =
            DESC_PASID_DEVICE_TLB | (uint64_t)sid << 16 | (uint64_t)pasid << 32;
    queue_put((struct desc){ .lo = lo, .hi = iova & ~0xfffull });
}

/* S with the highest address but one bit: every address; G: every PASID. */
bool
device_tlb_empty(uint16_t sid, bool scalable)
{
    queue_put((struct desc){
        .lo = DESC_DEVICE_TLB | (uint64_t)sid << 32,
        .hi = EVERY_ADDRESS | DEVICE_TLB_S,
    });
    if (scalable)
        queue_put((struct desc){
            .lo = DESC_PASID_DEVICE_TLB | (uint64_t)sid << 16,
            .hi = EVERY_ADDRESS | PASID_DEVICE_TLB_S | PASID_DEVICE_TLB_G,
        });
    return queue_sync();
}

void
page_requests_start(void)
{
    unit_write64(VTD_PQH, 0);
    unit_write64(VTD_PQT, 0);
    unit_write64(VTD_PQA, gpa_of(requests));
    unit_write32(VTD_PRS, PRS_ALL);
}

bool
page_request_take(struct page_request *request)
{
    uint64_t start = time_us();
    uint64_t head = unit_read64(VTD_PQH);
    const volatile uint64_t *quad = requests[head / REQUEST_SIZE].quad;

    while (unit_read64(VTD_PQT) == head) {
        if (time_us() - start > REQUEST_US)
            return false;
        time_sleep_us(POLL_US);
    }
    request->sid = (uint16_t)(quad[0] >> 16);
    request->pasid = quad[0] & REQUEST_PASID
                         ? (uint32_t)(quad[0] >> 32) & 0xfffff
                         : NO_PASID;
    request->addr = quad[1] & ~0xfffull;
    request->group = quad[1] >> 3 & 0x1ff;
    request->read = quad[1] & REQUEST_READ;
    request->write = quad[1] & REQUEST_WRITE;
    request->last = quad[1] & REQUEST_LAST;
    unit_write64(VTD_PQH, (head + REQUEST_SIZE) % sizeof(requests));
    unit_write32(VTD_PRS, PRS_ALL);
    return true;
}

bool
page_request_answer(const struct page_request *request, unsigned code)
{
    bool pasid = request->pasid != NO_PASID;

    queue_put((struct desc){
        .lo = DESC_PAGE_RESPONSE | (pasid ? RESPONSE_PASID : 0) |
              (uint64_t)code << 12 | (uint64_t)request->sid << 16 |
              (pasid ? (uint64_t)request->pasid << 32 : 0),
        .hi = RESPONSE_LAST | (uint64_t)request->group << 3,
    });
    return queue_sync();
}
