/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/unit.h"

#define STATUS_US    5000000u
#define PAGE_ALIGNED __attribute__((aligned(4096)))

static struct desc queue[256u << QUEUE_ORDER_MAX] PAGE_ALIGNED;
static uint32_t queue_order;
static uint32_t queue_tail;
static uint32_t queue_wide; /* 1: descriptors of 32 bytes                   */
static volatile uint32_t wait_status;
static uint32_t wait_value;

void
queue_set_wide(bool wide)
{
    queue_wide = wide;
}

bool
queue_start(unsigned order)
{
    queue_order = order;
    queue_tail = 0;
    unit_write64(VTD_IQT, 0);
    unit_write64(VTD_IQA, gpa_of(queue) | (queue_wide ? IQA_DW : 0) | order);
    return unit_command(GCMD_QIE, true);
}

uint32_t
queue_size(void)
{
    return 256u >> queue_wide << queue_order;
}

struct desc *
queue_slot(uint32_t slot)
{
    return &queue[slot << queue_wide];
}

uint32_t
queue_put(struct desc desc)
{
    uint32_t slot = queue_tail;

    queue[slot << queue_wide] = desc;
    if (queue_wide)
        queue[slot << queue_wide | 1] = (struct desc){ 0 };
    queue_tail = (slot + 1) % queue_size();
    return slot;
}

void
queue_set_tail(uint32_t slot)
{
    queue_tail = slot;
}

void
queue_doorbell(void)
{
    unit_write64(VTD_IQT, (uint64_t)queue_tail << (4 + queue_wide));
}

void
queue_put_wait(void)
{
    wait_value++;
    queue_put((struct desc){
        .lo = DESC_WAIT | WAIT_SW | (uint64_t)wait_value << 32,
        .hi = gpa_of(&wait_status),
    });
}

bool
queue_wait_done(void)
{
    return time_wait(&wait_status, wait_value, STATUS_US);
}

bool
queue_sync(void)
{
    queue_put_wait();
    queue_doorbell();
    return queue_wait_done();
}
