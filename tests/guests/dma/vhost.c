/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver of a network device whose queue the kernel of dom0 serves
 * (tests/helpers/vhost-net.c): a split ring of virtio 1, whose addresses and
 * those of its buffers are IOVAs.  Frames have a number, and it is dom0 who
 * sees whether the right ones arrive.
 */
#include <stddef.h>

#include "tests/guests/dma/tests.h"
#include "tests/guests/dma/vhost.h"
#include "tests/guests/lib/cpu.h"
#include "tests/helpers/vhost-net.h"

#define FRAME_RING 0u
#define FRAME_A    1u
#define FRAME_B    2u

#define LEGACY_READ 0x06u

#define DID_VHOST 0x77u
#define ROUNDS    200u
#define SENT_US   20000000u
#define QUIET_US  2000000u

/* [virtio 1.2, "Split Virtqueues"] */
struct ring {
    struct {
        uint64_t addr;
        uint32_t len;
        uint16_t flags;
        uint16_t next;
    } desc[VHOST_RING_SIZE];
    struct {
        uint16_t flags;
        uint16_t idx;
        uint16_t ring[VHOST_RING_SIZE];
    } avail __attribute__((aligned(VHOST_RING_AVAIL)));
    struct {
        uint16_t flags;
        uint16_t idx;
    } used __attribute__((aligned(VHOST_RING_USED)));
};
_Static_assert(offsetof(struct ring, avail) == VHOST_RING_AVAIL &&
                   offsetof(struct ring, used) == VHOST_RING_USED,
               "the ring is where the device looks for it");

#define DESC_NEXT 1u

static volatile struct ring *
ring(void)
{
    return (volatile struct ring *)frame_quads(FRAME_RING);
}

/* What lies in a page, sent or not: a header of zeros, and a frame. */
static void
fill(unsigned frame, uint32_t number)
{
    volatile uint8_t *byte = (volatile uint8_t *)frame_quads(frame);
    volatile struct vhost_frame *at =
        (volatile struct vhost_frame *)(byte + VHOST_HEADER);

    for (unsigned i = 0; i < VHOST_HEADER + sizeof(*at); i++)
        byte[i] = 0;
    at->type[0] = VHOST_ETHERTYPE >> 8;
    at->type[1] = VHOST_ETHERTYPE & 0xff;
    at->number = number;
}

static void
map(uint64_t iova, unsigned frame, unsigned perm)
{
    space_map(&space, iova, frame_gpa(frame), SHIFT_4K, perm);
    expect(space_flush(&space, NO_PASID, iova, SHIFT_4K),
           "the invalidation completes");
}

/* Give the device what lies at VHOST_IOVA_BUFFER, in two pieces. */
static void
submit(void)
{
    volatile struct ring *r = ring();
    uint16_t idx = r->avail.idx;
    uint16_t head = idx * 2 % VHOST_RING_SIZE;

    r->desc[head].addr = VHOST_IOVA_BUFFER;
    r->desc[head].len = VHOST_HEADER;
    r->desc[head].flags = DESC_NEXT;
    r->desc[head].next = head + 1;
    r->desc[head + 1].addr = VHOST_IOVA_BUFFER + VHOST_HEADER;
    r->desc[head + 1].len = sizeof(struct vhost_frame);
    r->desc[head + 1].flags = 0;
    r->avail.ring[idx % VHOST_RING_SIZE] = head;
    __atomic_thread_fence(__ATOMIC_RELEASE);
    r->avail.idx = (uint16_t)(idx + 1);
}

/* Has the device sent all that it was given? */
static bool
is_sent(uint64_t us)
{
    uint64_t begin = time_us();

    while (ring()->used.idx != ring()->avail.idx) {
        if (time_us() - begin > us)
            return false;
        cpu_relax();
    }
    return true;
}

/* --- the tests -------------------------------------------------------------- */

static void
start(const struct mode *mode)
{
    (void)mode;
    for (unsigned i = 0; i < PAGE_SIZE / 8; i++)
        frame_quads(FRAME_RING)[i] = 0;
    context_reset(false);
    space_init(&space, STAGE_SECOND, 4, DID_VHOST);
    context_set(VHOST_SID, &space, false);
    if (!expect(context_enable(), "remapping starts"))
        return;
    map(VHOST_IOVA_RING, FRAME_RING, PERM_READ | PERM_WRITE);
    console_print("INFO vhost is awaited\n");
}

static void
mapped(const struct mode *mode)
{
    (void)mode;
    fill(FRAME_A, 1);
    map(VHOST_IOVA_BUFFER, FRAME_A, PERM_READ);
    submit();
    expect(is_sent(3 * SENT_US), "the frame is sent");
    expect_no_fault();
}

static void
unmapped(const struct mode *mode)
{
    struct fault fault[2] = { 0 };
    unsigned n;

    (void)mode;
    space_unmap(&space, VHOST_IOVA_BUFFER, SHIFT_4K);
    expect(space_flush(&space, NO_PASID, VHOST_IOVA_BUFFER, SHIFT_4K),
           "the invalidation completes");
    fill(FRAME_A, VHOST_FORBIDDEN);
    submit();
    if (!expect(fault_wait(), "a fault is recorded"))
        return;
    expect(!is_sent(QUIET_US), "nothing is sent");
    n = faults_take(fault, 2);
    expect(n >= 1, "a fault is taken");
    expect_eq("fault reason", LEGACY_READ, fault[0].reason);
    expect_eq("fault address", VHOST_IOVA_BUFFER, fault[0].addr);
    expect_eq("fault source id", VHOST_SID, fault[0].sid);
    expect(fault[0].read, "fault is of a read");
}

/* What waited is sent from the page that is there now. */
static void
mapped_elsewhere(const struct mode *mode)
{
    struct fault fault[8];

    (void)mode;
    fill(FRAME_B, 2);
    map(VHOST_IOVA_BUFFER, FRAME_B, PERM_READ);
    expect(is_sent(SENT_US), "the frame is sent");
    (void)faults_take(fault, 8);
}

/* A page that was just taken away is not looked at any more. */
static void
moving(const struct mode *mode)
{
    (void)mode;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned old = i % 2 ? FRAME_A : FRAME_B;
        unsigned new = i % 2 ? FRAME_B : FRAME_A;

        fill(new, 3 + i);
        map(VHOST_IOVA_BUFFER, new, PERM_READ);
        fill(old, VHOST_FORBIDDEN);
        submit();
        if (!expect(is_sent(SENT_US), "each frame is sent"))
            return;
    }
    expect_no_fault();
}

static const struct test vhost_tests[] = {
    { "vhost-start", start, 0 },
    { "vhost-mapped", mapped, 0 },
    { "vhost-unmapped", unmapped, 0 },
    { "vhost-mapped-elsewhere", mapped_elsewhere, 0 },
    { "vhost-moving", moving, 0 },
    { NULL, NULL, 0 },
};

static bool
platform_start(void)
{
    bool ok;

    test_begin("platform");
    ok = expect(unit_read64(VTD_ECAP) != ~0ull,
                "a unit answers at its address") &&
         expect(cpu_start(APIC_XAPIC), "the second processor starts") &&
         expect(unit_stop(), "the unit stops") &&
         expect(unit_start(), "the unit starts");
    test_end();
    return ok;
}

/* One goes on where the one before it has stopped. */
void
vhost_run(void)
{
    if (!platform_start())
        return;
    for (const struct test *test = vhost_tests; test->name; test++) {
        test_begin(test->name);
        test->run(NULL);
        test_end();
    }
}
