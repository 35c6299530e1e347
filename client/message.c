/* SPDX-License-Identifier: MIT */
/* One packet, one message. */
#include <errno.h>
#include <sys/socket.h>

#include "client/internal.h"

#define SIZE(member)                                \
    (uint8_t)(offsetof(struct viommu_msg, member) + \
              sizeof(((struct viommu_msg *)0)->member))

static const struct {
    uint8_t size;
    bool ours; /* the daemon does not send it */
} messages[VIOMMU_MSG_TYPES] = {
    [VIOMMU_MSG_HELLO] = { SIZE(hello), true },
    [VIOMMU_MSG_WELCOME] = { SIZE(welcome), false },
    [VIOMMU_MSG_ATTACH] = { SIZE(attach), true },
    [VIOMMU_MSG_ATTACHED] = { SIZE(attached), false },
    [VIOMMU_MSG_DETACH] = { SIZE(detach), true },
    [VIOMMU_MSG_DETACHED] = { SIZE(detached), false },
    [VIOMMU_MSG_IOTLB_MISS] = { SIZE(access), true },
    [VIOMMU_MSG_IOTLB_UPDATE] = { SIZE(update), false },
    [VIOMMU_MSG_ACCESS_FAIL] = { SIZE(fail), false },
    [VIOMMU_MSG_FAULT] = { SIZE(access), true },
    [VIOMMU_MSG_IOTLB_INVALIDATE] = { SIZE(invalidate), false },
    [VIOMMU_MSG_DEV_TLB_INVALIDATE] = { SIZE(invalidate), false },
    [VIOMMU_MSG_BATCH_BEGIN] = { SIZE(batch), false },
    [VIOMMU_MSG_BATCH_END] = { SIZE(batch), false },
    [VIOMMU_MSG_ACK] = { SIZE(ack), true },
    [VIOMMU_MSG_PAGE_REQUEST] = { SIZE(page_request), true },
    [VIOMMU_MSG_PAGE_RESPONSE] = { SIZE(page_response), false },
    [VIOMMU_MSG_MSI] = { SIZE(msi), true },
    [VIOMMU_MSG_CUT_OFF] = { SIZE(cut_off), false },
};

size_t
viommu_msg_size(unsigned type)
{
    return type < VIOMMU_MSG_TYPES ? messages[type].size : 0;
}

int
viommu_msg_send(int fd, struct viommu_msg *msg)
{
    size_t size = viommu_msg_size(msg->header.type);

    msg->header.zero = 0;
    for (;;) {
        if (send(fd, msg, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            return -EAGAIN;
        }
        if (errno != EINTR) {
            return -ESHUTDOWN;
        }
    }
}

int
viommu_msg_check(const struct viommu_msg *msg, ssize_t size)
{
    if (size < 0) {
        return errno == EAGAIN ? -EAGAIN : -ESHUTDOWN;
    }
    if (size == 0) {
        return -ESHUTDOWN;
    }
    if ((size_t)size < sizeof(msg->header) ||
        (size_t)size != viommu_msg_size(msg->header.type) ||
        messages[msg->header.type].ours) {
        return -EPROTO;
    }
    return 0;
}

int
viommu_msg_receive(int fd, struct viommu_msg *msg)
{
    ssize_t size;

    do {
        size = recv(fd, msg, sizeof(*msg), MSG_DONTWAIT | MSG_TRUNC);
    } while (size < 0 && errno == EINTR);
    return viommu_msg_check(msg, size);
}
