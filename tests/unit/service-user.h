/* SPDX-License-Identifier: GPL-2.0-only */
/* Peers of the service that are other users, in processes of their own. */
#ifndef TESTS_UNIT_SERVICE_USER_H
#define TESTS_UNIT_SERVICE_USER_H

#include "tests/unit/service-rig.h"

#include <grp.h>
#include <sys/time.h>
#include <sys/wait.h>

/* Run @body as @uid, in a process of its own; its status. */
static inline int
rig_as_user(struct rig *rig, uid_t uid, int (*body)(struct rig *rig))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (setgroups(0, NULL) || setgid(uid) || setuid(uid))
            _exit(99);
        _exit(body(rig));
    }
    for (unsigned i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
        assert_true(i < 10000);
        rig_run_ms(rig, 1);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a child, where nothing may be asserted and somebody else runs the loop. */
static inline int
child_dial(const struct rig *rig)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timeval most = { .tv_sec = 5 };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

    memcpy(addr.sun_path, rig->path, strlen(rig->path) + 1);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    return connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) ? -1 : fd;
}

static inline int
child_ask(int fd, enum viommu_msg_type type, struct viommu_msg *msg)
{
    msg->header = (struct viommu_msg_header){ .type = (uint16_t)type };
    if (send(fd, msg, sizeof(msg->header) + peer_body(type), MSG_NOSIGNAL) < 0)
        return -1;
    return recv(fd, msg, sizeof(*msg), 0) <= 0 ? -1 : 0;
}

static inline int
child_hello(int fd)
{
    struct viommu_msg msg = { .hello = { VIOMMU_PROTO_VERSION, 0, 0 } };

    if (child_ask(fd, VIOMMU_MSG_HELLO, &msg))
        return 1;
    return -msg.welcome.status;
}

static inline int
child_attach(int fd, uint16_t sid)
{
    struct viommu_msg msg = { .attach = { .sid = sid } };

    if (child_ask(fd, VIOMMU_MSG_ATTACH, &msg))
        return 1;
    return -msg.attached.status;
}

#endif
