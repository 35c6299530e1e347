/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/sync.h"

#include "daemon/vtd/fault.h"
#include "daemon/vtd/gcmd.h"
#include "daemon/vtd/inv.h"
#include "daemon/vtd/pmr.h"
#include "daemon/vtd/priv.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/reginv.h"

/*
 * What a user does when its sync is granted, or, @done false, given up because
 * a device did not answer.  Commands by register complete either way: the
 * device is cut off, and software has no other way to go on.
 */
static void (*const synced[VTD_SYNC_USERS])(struct vtd *vtd, bool done) = {
    [VTD_SYNC_SRTP] = vtd_gcmd_synced,   [VTD_SYNC_CCMD] = vtd_ccmd_synced,
    [VTD_SYNC_IOTLB] = vtd_iotlb_synced, [VTD_SYNC_PMR] = vtd_pmr_synced,
    [VTD_SYNC_QUEUE] = vtd_qi_synced,
};

/* @token, and with it all before, came to an end. */
static void
release(struct vtd *vtd, uint64_t token, bool done)
{
    struct vtd_sync *sync = &vtd->sync;

    for (unsigned user = 0; user < VTD_SYNC_USERS; user++) {
        if (vtd_sync_is_waiting(sync, user) && sync->awaited[user] <= token) {
            sync->waiting &= (uint8_t) ~(1u << user);
            synced[user](vtd, done);
        }
    }
}

/*
 * Nothing new since the last token: whoever waits, waits for that one too,
 * because a user that gives up sets VTD_SYNC_DIRTY.
 */
bool
vtd_sync_request(struct vtd *vtd, enum vtd_sync_user user)
{
    struct vtd_sync *sync = &vtd->sync;

    if (vtd_sync_is_waiting(sync, VTD_SYNC_DIRTY)) {
        uint64_t token = ++sync->token;

        vtd_sync_set(sync, user, false);
        vtd_sync_set(sync, VTD_SYNC_DIRTY, false);
        if (vtd->ops->sync(vtd->ctx, token)) {
            if (sync->waiting != 0) {
                release(vtd, token, true);
            }
            return true;
        }
    } else if (sync->waiting == 0) {
        return true;
    }
    vtd->stat[VTD_STAT_SYNC_LATE]++;
    vtd_sync_set(sync, user, true);
    sync->awaited[user] = sync->token;
    return false;
}

void
vtd_sync_cancel(struct vtd *vtd, enum vtd_sync_user user)
{
    if (vtd_sync_is_waiting(&vtd->sync, user)) {
        vtd_sync_set(&vtd->sync, user, false);
        vtd_sync_set(&vtd->sync, VTD_SYNC_DIRTY, vtd->ops->sync != NULL);
    }
}

void
vtd_sync_reset(struct vtd *vtd)
{
    vtd->sync.waiting = 0;
    vtd_inv_announce_root(vtd);
}

/*
 * Somebody waits for @token, or for one before it.  After a restore nobody
 * awaits one.
 */
static bool
is_awaited(const struct vtd_sync *sync, uint64_t token)
{
    if (token > sync->token || vtd_sync_is_waiting(sync, VTD_SYNC_LOST)) {
        return false;
    }
    for (unsigned user = 0; user < VTD_SYNC_USERS; user++) {
        if (vtd_sync_is_waiting(sync, user) && sync->awaited[user] <= token) {
            return true;
        }
    }
    return false;
}

/*
 * A time-out aborts the wait descriptor at the head, though it may wait for a
 * later token, which then is not acknowledged yet.
 */
static void
abort_wait(struct vtd *vtd, uint64_t token)
{
    struct vtd_sync *sync = &vtd->sync;

    if (vtd_sync_is_waiting(sync, VTD_SYNC_QUEUE) &&
        sync->awaited[VTD_SYNC_QUEUE] > token) {
        sync->awaited[VTD_SYNC_QUEUE] = token;
        vtd_sync_set(sync, VTD_SYNC_DIRTY, true);
    }
}

/*
 * A completion that makes no sense is reported and does not count: the device
 * has still to answer, and either does or is found not to.
 * [VT-d 4.1, "Invalid Device-TLB Invalidation Completions" and "Device-TLB
 * Invalidation Timeouts"]
 */
void
vtd_sync_done(struct vtd *vtd, uint64_t token, enum vtd_sync_status status,
              uint16_t sid)
{
    if (!is_awaited(&vtd->sync, token)) {
        return;
    }
    VTD_TRACE(vtd, SYNC, token, status, sid, 0);
    switch (status) {
    case VTD_SYNC_OK:
        release(vtd, token, true);
        break;
    case VTD_SYNC_TIMEOUT:
        /* First, so that the queue does not go on. */
        vtd_fault_timeout(vtd, sid);
        abort_wait(vtd, token);
        release(vtd, token, false);
        break;
    case VTD_SYNC_ERROR:
        vtd_fault_completion(vtd, sid);
        break;
    }
}

uint8_t
vtd_sync_save(const struct vtd *vtd)
{
    return vtd->sync.waiting & VTD_SYNC_SAVED;
}

void
vtd_sync_restore(struct vtd *vtd, uint8_t waiting)
{
    vtd->sync.waiting =
        (uint8_t)((waiting & VTD_SYNC_SAVED) | 1u << VTD_SYNC_LOST);
    for (unsigned user = 0; user < VTD_SYNC_USERS; user++) {
        vtd->sync.awaited[user] = 0;
    }
}

void
vtd_sync_resume(struct vtd *vtd)
{
    uint8_t waiting = vtd_sync_save(vtd);

    vtd->sync.waiting = 0;
    vtd_inv_announce_root(vtd);
    for (unsigned user = 0; user < VTD_SYNC_QUEUE; user++) {
        if ((waiting & 1u << user) && vtd_sync_request(vtd, user)) {
            synced[user](vtd, true);
        }
    }
}
