/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * [Xen, public/arch-x86/cpuid.h, public/hvm/hvm_op.h, public/hvm/params.h,
 * public/event_channel.h, public/io/console.h]
 */
#include "tests/guests/lib/xen.h"

#include "tests/guests/lib/cpu.h"

#define LEAF_FIRST 0x40000000u
#define LEAF_STEP  0x100u
#define LEAF_LAST  0x40010000u
#define LEAF_CALLS 2u /* behind the first: EBX is the hypercall page's MSR  */
#define LEAF_TIME  3u /* sub-leaf 0: ECX is the TSC's kilohertz             */
#define XEN_EBX    0x566e6558u /* "XenVMMXenVMM"                             */
#define XEN_ECX    0x65584d4du
#define XEN_EDX    0x4d4d566eu

#define CALL_SIZE          32u
#define CALL_EVENT_CHANNEL 32u
#define CALL_HVM           34u
#define EVTCHNOP_SEND      4u
#define HVMOP_GET_PARAM    1u
#define PARAM_CONSOLE_PFN  17u
#define PARAM_CONSOLE_PORT 18u
#define DOMID_SELF         0x7ff0u

/* A console that nobody reads must not stop the tests. */
#define CONSOLE_US 100000u

struct hvm_param {
    uint16_t domid;
    uint16_t pad;
    uint32_t index;
    uint64_t value;
};

struct console_ring {
    char in[1024];
    char out[2048];
    uint32_t in_cons, in_prod;
    uint32_t out_cons, out_prod;
};

static uint8_t call_page[4096] __attribute__((aligned(4096)));
static volatile struct console_ring *ring;
static uint32_t ring_port;

static uint32_t
xen_leaf(void)
{
    for (uint32_t leaf = LEAF_FIRST; leaf < LEAF_LAST; leaf += LEAF_STEP) {
        struct cpuid id = cpu_id(leaf, 0);

        if (id.ebx == XEN_EBX && id.ecx == XEN_ECX && id.edx == XEN_EDX)
            return leaf;
    }
    return 0;
}

uint32_t
xen_tsc_khz(void)
{
    uint32_t leaf = xen_leaf();

    return leaf ? cpu_id(leaf + LEAF_TIME, 0).ecx : 0;
}

static int64_t
hypercall(unsigned nr, uint64_t arg0, const void *arg1)
{
    uint64_t arg1_gpa = gpa_of(arg1);
    int64_t rc;

    __asm__ volatile("call *%3"
                     : "=a"(rc), "+D"(arg0), "+S"(arg1_gpa)
                     : "r"(call_page + nr * CALL_SIZE)
                     : "memory", "cc", "rcx", "rdx", "r8", "r9", "r10", "r11");
    return rc;
}

static uint64_t
param_get(uint32_t index)
{
    struct hvm_param param = { .domid = DOMID_SELF, .index = index };

    return hypercall(CALL_HVM, HVMOP_GET_PARAM, &param) ? 0 : param.value;
}

bool
xen_console_init(void)
{
    uint32_t leaf = xen_leaf();
    uint64_t page;

    if (!leaf)
        return false;
    msr_write(cpu_id(leaf + LEAF_CALLS, 0).ebx, gpa_of(call_page));
    page = param_get(PARAM_CONSOLE_PFN) << 12;
    ring_port = (uint32_t)param_get(PARAM_CONSOLE_PORT);
    __asm__("" : "=r"(ring) : "0"(page));
    return page && ring_port;
}

void
xen_console_write(const char *s, size_t len)
{
    uint32_t prod = ring->out_prod;
    uint64_t start = time_us();

    while (len) {
        if (prod - ring->out_cons >= sizeof(ring->out)) {
            if (time_us() - start > CONSOLE_US)
                break;
            cpu_relax();
            continue;
        }
        ring->out[prod++ % sizeof(ring->out)] = *s++;
        len--;
        ring->out_prod = prod;
    }
    hypercall(CALL_EVENT_CHANNEL, EVTCHNOP_SEND, &ring_port);
}
