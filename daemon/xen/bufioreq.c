/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/xen/bufioreq.h"

#include <stddef.h>
#include <string.h>
#include <xen/xen.h>

/* After <xen/xen.h>, whose types it uses. */
#include <xen/hvm/ioreq.h>

#include "daemon/log.h"

_Static_assert(offsetof(struct buffered_iopage, read_pointer) == 0 &&
                   offsetof(struct buffered_iopage, write_pointer) == 4,
               "the pointers are one quadword");

bool
bufioreq_take(struct buffered_iopage *page, struct bufioreq_record *record)
{
    struct buf_ioreq slot;
    uint64_t both;
    uint32_t rd;
    uint32_t wr;

    /*
     * Xen takes the ring's size off both pointers with one compare-exchange
     * when they have grown, so only a single load sees a pair that belongs
     * together.  Pairs with the barrier between data and write pointer in
     * Xen's ioreq_send_buffered().
     */
    both =
        __atomic_load_n((const uint64_t *)(const void *)page, __ATOMIC_ACQUIRE);
    rd = (uint32_t)both;
    wr = (uint32_t)(both >> 32);
    if (rd == wr)
        return false;

    if (wr - rd > IOREQ_BUFFER_SLOT_NUM) {
        log_limited(LOG_LEVEL_ERROR,
                    "bufioreq: pointers make no sense: "
                    "read=%u write=%u",
                    rd, wr);
        __atomic_fetch_add(&page->read_pointer, wr - rd, __ATOMIC_RELEASE);
        return false;
    }

    memcpy(&slot, &page->buf_ioreq[rd % IOREQ_BUFFER_SLOT_NUM], sizeof(slot));

    /*
     * Added, not stored: Xen may have lowered the pointer since.  Release: the
     * slot is read before Xen may use it again.
     */
    __atomic_fetch_add(&page->read_pointer, 1, __ATOMIC_RELEASE);

    record->type = slot.type;
    record->addr = slot.addr;
    record->data = slot.data;
    return true;
}
