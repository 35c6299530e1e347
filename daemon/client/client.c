/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections: from accepting one to its end. */
#include "daemon/client/priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/loop.h"

/* A peer says HELLO this soon, or makes room for others. */
#define GREET_NS NS_PER_S

/*
 * Of one user that is neither root nor our own: nobody else's devices are to be
 * left without a place.
 */
#define CLIENTS_OF_UID_MAX (SERVICE_CLIENTS_MAX / 2)

/* A client that has sent more than it may for so long is mentioned. */
#define BUSY_NS NS_PER_S

void
client_doom(struct client *client, int status, const char *reason)
{
    if (client->doomed)
        return;

    client->doomed = true;
    client->status = status;
    client->reason = reason;
    client->service->doomed++;
}

/* --- sending --------------------------------------------------------------- */

static void
send_failed(struct client *client)
{
    if (errno == EAGAIN || errno == ENOBUFS)
        client_doom(client, -ENOBUFS, "it does not read");
    else
        client_doom(client, 0, "it is gone");
}

void
client_send_fds(struct client *client, struct viommu_msg *msg, const int *fd,
                unsigned count)
{
    union {
        char buf[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = { .buf = { 0 } };
    struct iovec iov = {
        .iov_base = msg,
        .iov_len = message_size(msg->header.type),
    };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (client->doomed)
        return;

    if (count) {
        struct cmsghdr *cmsg;

        hdr.msg_control = control.buf;
        hdr.msg_controllen = CMSG_SPACE(count * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&hdr);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fd, count * sizeof(int));
    }

    if (sendmsg(client->fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        send_failed(client);
}

void
client_send(struct client *client, enum viommu_msg_type type, uint32_t seq,
            const struct viommu_msg *msg)
{
    struct viommu_msg out = *msg;

    if (client->doomed)
        return;

    out.header =
        (struct viommu_msg_header){ .type = (uint16_t)type, .seq = seq };
    if (send(client->fd, &out, message_size(type),
             MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        send_failed(client);
}

/* --- receiving ------------------------------------------------------------- */

/*
 * Several at once, because each call costs as much as a message does.
 * Descriptors that come along are closed: there is no place for them.
 */
static unsigned
client_receive(struct client *client)
{
    struct viommu_msg msg[SERVICE_BUDGET];
    struct iovec iov[SERVICE_BUDGET];
    struct mmsghdr hdr[SERVICE_BUDGET];
    unsigned n;
    int got;

    for (n = 0; n < SERVICE_BUDGET; n++) {
        iov[n] = (struct iovec){ &msg[n], sizeof(msg[n]) };
        hdr[n] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[n],
                                                .msg_iovlen = 1 } };
    }

    got = recvmmsg(client->fd, hdr, SERVICE_BUDGET, MSG_DONTWAIT | MSG_TRUNC,
                   NULL);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        client_doom(client, 0, "it is gone");

    for (n = 0; (int)n < got && !client->doomed; n++) {
        if (hdr[n].msg_len == 0) {
            client_doom(client, 0, "it left");
            break;
        }
        client->messages++;
        client->service->stats.messages++;
        message_handle(client, &msg[n], hdr[n].msg_len);
    }
    return n;
}

/*
 * Whoever sends more than his share waits in his own socket, while the guest
 * and others have their turn.
 */
static void
client_busy(struct client *client, bool busy)
{
    uint64_t now;

    if (!busy) {
        client->busy_ns = 0;
        return;
    }

    now = service_now_ns();
    if (!client->busy_ns)
        client->busy_ns = now;
    if (now - client->busy_ns < BUSY_NS)
        return;

    client->busy_ns = now;
    log_limited(LOG_LEVEL_WARN,
                "client: pid=%d uid=%u sends more than is handled; it gets %u "
                "messages a turn",
                (int)client->pid, client->uid, SERVICE_BUDGET);
}

static void
client_ready(void *ctx)
{
    struct client *client = ctx;
    struct service *service = client->service;

    client_busy(client, client_receive(client) == SERVICE_BUDGET);
    service_turn(service);
}

/* --- the beginning --------------------------------------------------------- */

static struct client *
place_find(struct service *service)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        if (!service->client[i].watch)
            return &service->client[i];
    }

    return NULL;
}

/* Of those who are just there to be refused, one leaves at once. */
static void
place_make(struct service *service)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        struct client *client = &service->client[i];

        if (!client->welcome) {
            client_doom(client, -EACCES, "others need its place");
            clients_reap(service);
            return;
        }
    }
}

static bool
has_too_many(const struct service *service, uid_t uid)
{
    unsigned count = 0;

    if (uid == 0 || uid == geteuid())
        return false;

    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        if (service->client[i].watch && service->client[i].uid == uid)
            count++;
    }

    return count >= CLIENTS_OF_UID_MAX;
}

static void
cut_off_message(int fd, int status, const char *reason)
{
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_CUT_OFF },
        .cut_off = { .status = status },
    };

    (void)snprintf(msg.cut_off.reason, sizeof(msg.cut_off.reason), "%s",
                   reason);
    (void)send(fd, &msg, message_size(VIOMMU_MSG_CUT_OFF),
               MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
refuse(int fd, const struct ucred *peer, const char *reason)
{
    log_limited(LOG_LEVEL_WARN, "client: pid=%d uid=%u refused: %s",
                (int)peer->pid, peer->uid, reason);
    cut_off_message(fd, -ENOBUFS, reason);
    (void)close(fd);
}

void
client_accept(struct service *service, int fd)
{
    struct ucred peer = { 0 };
    socklen_t len = sizeof(peer);
    struct client *client;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        (void)close(fd);
        return;
    }

    if (has_too_many(service, peer.uid)) {
        refuse(fd, &peer, "its user has too many connections");
        return;
    }

    client = place_find(service);
    if (!client) {
        place_make(service);
        client = place_find(service);
    }
    if (!client) {
        refuse(fd, &peer, "there are too many clients");
        return;
    }

    *client = (struct client){
        .service = service,
        .fd = fd,
        .pid = peer.pid,
        .uid = peer.uid,
        .welcome = service->ops.welcome(service->ctx, peer.uid),
        .accepted_ns = service_now_ns(),
    };
    if (++service->last_id == 0)
        service->last_id = 1;
    client->id = service->last_id;
    client->watch =
        loop_watch_fd(service->loop, fd, LOOP_READ, client_ready, client);
    if (!client->watch)
        refuse(fd, &peer, "there is no memory for it");
}

static uint64_t
greet_due(const struct client *client)
{
    if (!client->watch || client->greeted || client->doomed)
        return 0;
    return client->accepted_ns + GREET_NS;
}

uint64_t
clients_greet_due(const struct service *service)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        uint64_t due = greet_due(&service->client[i]);

        if (due && (!first || due < first))
            first = due;
    }

    return first;
}

void
clients_greet(struct service *service, uint64_t now_ns)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        uint64_t due = greet_due(&service->client[i]);

        if (due && due <= now_ns)
            client_doom(&service->client[i], -ETIMEDOUT,
                        "it did not say hello");
    }
}

/* --- the end --------------------------------------------------------------- */

static void
client_drop(struct client *client)
{
    struct service *service = client->service;

    if (client->status) {
        service->stats.cut_off++;
        log_limited(LOG_LEVEL_WARN, "client: pid=%d uid=%u cut off: %s",
                    (int)client->pid, client->uid, client->reason);
        cut_off_message(client->fd, client->status, client->reason);
    } else {
        log_debug("client: pid=%d uid=%u: %s", (int)client->pid, client->uid,
                  client->reason);
    }

    loop_watch_destroy(client->watch);
    client->watch = NULL;
    (void)close(client->fd);
    client->fd = -1;
    cells_destroy(client->cells_memory);
    client->cells = NULL;
    client->doomed = false;
    service->doomed--;
    devices_release(client, client->status != 0);
}

void
clients_reap(struct service *service)
{
    for (unsigned i = 0; service->doomed && i < SERVICE_CLIENTS_MAX; i++) {
        if (service->client[i].doomed)
            client_drop(&service->client[i]);
    }
}

void
clients_end(struct service *service)
{
    for (unsigned i = 0; i < SERVICE_CLIENTS_MAX; i++) {
        if (service->client[i].watch)
            client_doom(&service->client[i], -ESHUTDOWN, "the daemon ends");
    }
    clients_reap(service);
}
