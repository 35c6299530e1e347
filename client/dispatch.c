/* SPDX-License-Identifier: MIT */
/*
 * What the daemon sends.  Whoever reads the socket may find what somebody else
 * waits for: a reply goes to viommu_call(), and everything else into a queue
 * for viommu_dispatch(), whose only source that is.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "client/internal.h"

/* Milliseconds that a reply may take. */
#define REPLY_MS 1000

/* Messages that one call of viommu_dispatch() handles. */
#define BUDGET 1024u

/* --- the end ---------------------------------------------------------------- */

void
viommu_cut_off_note(struct viommu *viommu, int status, const char *reason)
{
    struct viommu_msg_cut_off *cut_off = &viommu->cut_off;

    if (cut_off->status == 0) {
        (void)snprintf(cut_off->reason, sizeof(cut_off->reason), "%s", reason);
        cut_off->status = status;
    }
}

void
viommu_go_down(struct viommu *viommu)
{
    (void)pthread_mutex_lock(&viommu->lists);
    if (!viommu_is_down(viommu)) {
        __atomic_store_n(&viommu->down, true, __ATOMIC_SEQ_CST);
        for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++) {
            if (viommu->device[i]) {
                __atomic_store_n(&viommu->device[i]->ours, UINT64_MAX,
                                 __ATOMIC_RELAXED);
            }
        }
        viommu_threads_alert(viommu);
        (void)eventfd_write(viommu->wake, 1);
    }
    (void)pthread_mutex_unlock(&viommu->lists);
}

const char *
viommu_cut_off_reason(const struct viommu *viommu)
{
    return viommu_is_down(viommu) ? viommu->cut_off.reason : "";
}

/* --- the caller's event loop: with the lock --------------------------------- */

void
viommu_events_update(struct viommu *viommu)
{
    struct epoll_event event = {
        .events = (viommu->stalled ? 0 : (uint32_t)EPOLLIN) |
                  (viommu->want_write ? (uint32_t)EPOLLOUT : 0),
    };

    if (event.events != viommu->events) {
        viommu->events = event.events;
        (void)epoll_ctl(viommu->epoll, EPOLL_CTL_MOD, viommu->fd, &event);
    }
}

void
viommu_events_resume(struct viommu *viommu)
{
    if (viommu->stalled) {
        viommu->stalled = false;
        viommu_events_update(viommu);
        (void)eventfd_write(viommu->wake, 1);
    }
}

/* --- receiving: with the lock ----------------------------------------------- */

static bool
is_reply(const struct viommu_msg *msg)
{
    return msg->header.type == VIOMMU_MSG_ATTACHED ||
           msg->header.type == VIOMMU_MSG_DETACHED;
}

/* A reply that nobody waits for is too late, and dropped. */
static void
take_reply(struct viommu *viommu, const struct viommu_msg *msg)
{
    if (viommu->waiting && msg->header.seq == viommu->seq) {
        viommu->answer = *msg;
        viommu->waiting = false;
        viommu->answered = true;
        (void)eventfd_write(viommu->reply, 1);
    }
}

/*
 * One message from the socket to where it belongs.  0, -EAGAIN, -ENOBUFS with
 * the queue full, or -ESHUTDOWN, and why is noted.
 */
static int
receive(struct viommu *viommu)
{
    struct viommu_msg *msg =
        &viommu->queue[(viommu->first + viommu->count) % QUEUE_MAX];
    int rc;

    if (viommu->count == QUEUE_MAX) {
        return -ENOBUFS;
    }
    rc = viommu_msg_receive(viommu->fd, msg);
    if (rc == -EAGAIN) {
        return rc;
    }
    if (rc == 0 && is_reply(msg)) {
        take_reply(viommu, msg);
        return 0;
    }
    if (rc == 0 && msg->header.type != VIOMMU_MSG_CUT_OFF) {
        viommu->count++;
        return 0;
    }
    if (rc == 0) {
        msg->cut_off.reason[sizeof(msg->cut_off.reason) - 1] = '\0';
        viommu_cut_off_note(
            viommu, msg->cut_off.status ? msg->cut_off.status : -ESHUTDOWN,
            msg->cut_off.reason);
    } else if (rc == -EPROTO) {
        viommu_cut_off_note(viommu, rc, "a message that makes no sense");
    } else {
        viommu_cut_off_note(viommu, rc, "the daemon closed the connection");
    }
    return -ESHUTDOWN;
}

/* --- requests --------------------------------------------------------------- */

static int
ms_until(const struct timespec *deadline)
{
    struct timespec now;
    int64_t ms;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    ms = (deadline->tv_sec - now.tv_sec) * 1000 +
         (deadline->tv_nsec - now.tv_nsec) / 1000000;
    return ms > 0 ? (int)ms : 0;
}

static int
send_request(struct viommu *viommu, struct viommu_msg *msg)
{
    eventfd_t late;
    int rc;

    (void)pthread_mutex_lock(&viommu->lock);
    (void)eventfd_read(viommu->reply, &late); /* of a reply before */
    if (viommu_is_down(viommu)) {
        rc = -ESHUTDOWN;
    } else {
        msg->header.seq = ++viommu->seq;
        viommu->answered = false;
        viommu->waiting = true;
        rc = viommu_msg_send(viommu->fd, msg);
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    return rc;
}

/* 0, -EAGAIN or -ENOBUFS: not yet, -ESHUTDOWN. */
static int
look_for_reply(struct viommu *viommu, struct viommu_msg *msg)
{
    int rc = 0;

    (void)pthread_mutex_lock(&viommu->lock);
    while (rc == 0 && !viommu->answered) {
        rc = receive(viommu);
    }
    if (viommu->answered) {
        *msg = viommu->answer;
    }
    if (viommu->count > 0) {
        /* The socket no longer tells of it. */
        (void)eventfd_write(viommu->wake, 1);
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    return rc;
}

/* As send_request() or look_for_reply() left it: wait for what may help. */
static int
wait_for_reply(struct viommu *viommu, int rc, bool sent, int ms)
{
    struct pollfd fds[] = {
        { .fd = viommu->reply, .events = POLLIN },
        { .fd = viommu->fd, .events = sent ? POLLIN : POLLOUT },
    };

    if (ms == 0) {
        return -ETIMEDOUT;
    }
    if (rc == -ENOBUFS) {
        /* viommu_dispatch() has to make room, and does not say so. */
        return poll(fds, 1, 1) < 0 && errno != EINTR ? -errno : 0;
    }
    return poll(fds, 2, ms) < 0 && errno != EINTR ? -errno : 0;
}

int
viommu_call(struct viommu *viommu, struct viommu_msg *msg)
{
    struct timespec deadline;
    unsigned want = msg->header.type + 1u; /* its reply follows it */
    bool sent = false;
    int rc;

    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += REPLY_MS / 1000;
    (void)pthread_mutex_lock(&viommu->call);
    for (;;) {
        if (!sent) {
            rc = send_request(viommu, msg);
            sent = rc == 0;
        }
        if (sent) {
            rc = look_for_reply(viommu, msg);
        }
        if (rc == 0 || rc == -ESHUTDOWN) {
            break;
        }
        rc = wait_for_reply(viommu, rc, sent, ms_until(&deadline));
        if (rc) {
            break;
        }
    }
    (void)pthread_mutex_lock(&viommu->lock);
    viommu->waiting = false;
    if (rc == 0 && msg->header.type != want) {
        viommu_cut_off_note(viommu, -EPROTO, "a reply to something else");
        rc = -ESHUTDOWN;
    } else if (rc == -ESHUTDOWN) {
        viommu_cut_off_note(viommu, rc, "the daemon closed the connection");
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    (void)pthread_mutex_unlock(&viommu->call);
    if (rc == -ESHUTDOWN) {
        viommu_go_down(viommu);
    }
    return rc;
}
_Static_assert(VIOMMU_MSG_ATTACHED == VIOMMU_MSG_ATTACH + 1 &&
                   VIOMMU_MSG_DETACHED == VIOMMU_MSG_DETACH + 1,
               "a reply that does not follow its request");

/* --- dispatching ------------------------------------------------------------ */

static void
page_response(struct viommu *viommu, const struct viommu_msg *msg)
{
    const struct viommu_msg_page_response *got = &msg->page_response;
    struct viommu_device *device = viommu_device_find(viommu, got->sid);
    struct viommu_page_response response = {
        .pasid = got->pasid,
        .group = got->group,
        .code = got->code,
    };

    if (device && device->ops.page_response) {
        device->ops.page_response(device->ctx, &response);
    }
}

static int
handle(struct viommu *viommu, const struct viommu_msg *msg)
{
    switch (msg->header.type) {
    case VIOMMU_MSG_IOTLB_INVALIDATE:
    case VIOMMU_MSG_DEV_TLB_INVALIDATE:
    case VIOMMU_MSG_BATCH_BEGIN:
    case VIOMMU_MSG_BATCH_END:
        return viommu_invalidation_handle(viommu, msg);
    case VIOMMU_MSG_PAGE_RESPONSE:
        page_response(viommu, msg);
        return 0;
    default:
        return -EPROTO; /* an answer to what we never ask */
    }
}

/* Copy the oldest message; it stays in the queue. */
static int
next(struct viommu *viommu, struct viommu_msg *msg)
{
    int rc = 0;

    (void)pthread_mutex_lock(&viommu->lock);
    viommu_acks_flush(viommu);
    while (rc == 0 && viommu->count == 0) {
        rc = receive(viommu);
    }
    if (rc == 0) {
        *msg = viommu->queue[viommu->first];
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    return rc;
}

/* What became of it: it is gone, or waits for callbacks to be done. */
static int
finish(struct viommu *viommu, int rc)
{
    (void)pthread_mutex_lock(&viommu->lock);
    if (rc == -EAGAIN) {
        viommu->stalled = true;
        viommu_events_update(viommu);
    } else {
        viommu->first = (viommu->first + 1) % QUEUE_MAX;
        viommu->count--;
    }
    if (rc == -EPROTO) {
        viommu_cut_off_note(viommu, rc, "a message that makes no sense");
        rc = -ESHUTDOWN;
    }
    (void)pthread_mutex_unlock(&viommu->lock);
    return rc;
}

static void
clear_wake(struct viommu *viommu)
{
    eventfd_t value;

    (void)eventfd_read(viommu->wake, &value);
    (void)pthread_mutex_lock(&viommu->lock);
    viommu->stalled = false;
    viommu_events_update(viommu);
    (void)pthread_mutex_unlock(&viommu->lock);
}

int
viommu_dispatch(struct viommu *viommu)
{
    struct viommu_msg msg;
    int rc = viommu_is_down(viommu) ? -ESHUTDOWN : 0;

    (void)pthread_mutex_lock(&viommu->dispatch);
    clear_wake(viommu);
    for (unsigned i = 0; rc == 0 && i < BUDGET; i++) {
        rc = next(viommu, &msg);
        if (rc == 0) {
            rc = finish(viommu, handle(viommu, &msg));
        }
    }
    if (rc == 0) {
        /* The budget is spent; what is in the queue no socket tells of. */
        (void)eventfd_write(viommu->wake, 1);
    }
    if (rc == -ESHUTDOWN) {
        viommu_go_down(viommu);
        viommu_devices_cut_off(viommu);
    }
    (void)pthread_mutex_unlock(&viommu->dispatch);
    return rc == -ESHUTDOWN ? rc : 0;
}
