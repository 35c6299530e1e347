/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting until sinks acknowledge what inv.h announced.
 *
 * Whoever promises software that an invalidation is complete is a user here:
 * it announces, then requests a sync, and keeps its promise back until the
 * request is granted.  Each call of ops->sync() has a token of its own; tokens
 * ascend, and the acknowledgement of one stands for all before it.
 * [VT-d 4.1, "Invalidation Wait Descriptor"]
 */
#ifndef DAEMON_VTD_SYNC_H
#define DAEMON_VTD_SYNC_H

#include "daemon/vtd/vtd.h"

enum vtd_sync_user {
    VTD_SYNC_SRTP,  /* GSTS.RTPS and TES */
    VTD_SYNC_CCMD,  /* CCMD.ICC */
    VTD_SYNC_IOTLB, /* IOTLB.IVT */
    VTD_SYNC_PMR,   /* PMEN.PRS */
    VTD_SYNC_QUEUE, /* the wait descriptor at IQH; last: it runs the queue */
    VTD_SYNC_USERS,
    /* Bits besides those of users. */
    VTD_SYNC_LOST = VTD_SYNC_USERS, /* see vtd_sync_restore() */
    VTD_SYNC_DIRTY, /* announced, and not asked for since, or in vain */
};

/* Owned by sync.c. */
struct vtd_sync {
    uint64_t token; /* of the last ops->sync(); never 0 then */
    uint64_t awaited[VTD_SYNC_USERS]; /* token, of those who wait */
    uint8_t waiting; /* a bit each; 0: all that was announced is acknowledged */
};

/* Everything that was announced is acknowledged. */
static inline bool
vtd_sync_is_clean(const struct vtd_sync *sync)
{
    return sync->waiting == 0;
}

static inline bool
vtd_sync_is_waiting(const struct vtd_sync *sync, enum vtd_sync_user user)
{
    return (sync->waiting & 1u << user) != 0;
}

static inline void
vtd_sync_set(struct vtd_sync *sync, enum vtd_sync_user user, bool waiting)
{
    unsigned others = sync->waiting & ~(1u << user);

    sync->waiting = (uint8_t)(others | (unsigned)waiting << user);
}

/*
 * True: all sinks have acknowledged what was announced.  False: @user waits,
 * and its function is called later: vtd_gcmd_synced(), vtd_ccmd_synced(),
 * vtd_iotlb_synced(), vtd_pmr_synced() or vtd_qi_synced().  A user that waits already waits for
 * what was announced since, too.
 */
bool vtd_sync_request(struct vtd *vtd, enum vtd_sync_user user);

/* @user does not wait any more; its function is not called. */
void vtd_sync_cancel(struct vtd *vtd, enum vtd_sync_user user);

/* Hardware reset: nobody waits, every translation is void. */
void vtd_sync_reset(struct vtd *vtd);

/*
 * Save and load: the users that wait, but for the queue, whose wait descriptor
 * is fetched again.  Restoring does nothing yet.  The next vtd_run(), for
 * which vtd_run_pending() then asks, announces that everything is void and
 * requests anew for @waiting.  Tokens of before are not awaited any more.
 */
uint8_t vtd_sync_save(const struct vtd *vtd);
void vtd_sync_restore(struct vtd *vtd, uint8_t waiting);
void vtd_sync_resume(struct vtd *vtd);

/* Bits that vtd_sync_save() returns at most. */
#define VTD_SYNC_SAVED ((1u << VTD_SYNC_QUEUE) - 1)

#endif
