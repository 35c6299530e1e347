/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients say: a table of types, and a small function for each. */
#include "daemon/client/priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"

#define PASIDS     (UINT32_C(1) << 20)
#define GROUPS     512u
#define PAGE_MASK  UINT64_C(0xfff)
#define PERMS      (VIOMMU_READ | VIOMMU_WRITE | VIOMMU_EXEC)
#define AT_MAX     2u
#define AT_REQUEST 1u

#define ACCESS_FLAGS \
    (VIOMMU_ACCESS_PRIVILEGED | VIOMMU_ACCESS_ATOMIC | VIOMMU_ACCESS_NO_WRITE)
#define PAGE_FLAGS \
    (VIOMMU_PAGE_PRIVILEGED | VIOMMU_PAGE_LAST | VIOMMU_PAGE_STOP)

typedef void handle_fn(struct client *client, uint32_t seq,
                       const struct viommu_msg *msg);

static void
refuse(struct client *client, const char *reason)
{
    client_doom(client, -EPROTO, reason);
}

/* Reserved bytes are zero, so that they can have a meaning one day. */
static bool
is_zero(const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= byte[i];
    return any == 0;
}
#define IS_ZERO(field) is_zero(&(field), sizeof(field))

/* --- the connection -------------------------------------------------------- */

static int
hello_status(const struct client *client, const struct viommu_msg_hello *hello)
{
    const struct service *service = client->service;
    bool walks = hello->flags & VIOMMU_HELLO_WALK;

    if (!client->welcome)
        return -EACCES;
    if (hello->version != VIOMMU_PROTO_VERSION ||
        hello->view_size != (walks ? service->view_size : 0))
        return -EPROTO;
    return 0;
}

static void
welcome_send(struct client *client, uint32_t seq, int status, int cells_fd)
{
    const struct service *service = client->service;
    const int fd[2] = { service->shm_memory.fd, cells_fd };
    struct viommu_msg msg = {
        .header = { .type = VIOMMU_MSG_WELCOME, .seq = seq },
        .welcome = { .version = VIOMMU_PROTO_VERSION, .status = status },
    };

    if (!status) {
        msg.welcome.domid = service->domid;
        msg.welcome.units = (uint16_t)service->units;
        msg.welcome.client = client->id;
    }
    if (client->cells) {
        msg.welcome.shm_size = service->shm_memory.size;
        msg.welcome.cells_size = CELLS_SIZE;
    }
    client_send_fds(client, &msg, fd, client->cells ? 2 : 0);
}

static void
hello(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    int status = hello_status(client, &msg->hello);
    int cells_fd = -1;

    if (msg->hello.flags & ~VIOMMU_HELLO_WALK) {
        refuse(client, "its hello has unknown flags");
        return;
    }

    if (!status && (msg->hello.flags & VIOMMU_HELLO_WALK)) {
        status = cells_create(&client->cells_memory, &cells_fd);
        client->cells = client->cells_memory;
    }

    welcome_send(client, seq, status, cells_fd);
    if (cells_fd >= 0)
        (void)close(cells_fd);
    client->greeted = status == 0;
    if (status)
        client_doom(client, 0, "it was not welcome");
}

/* --- devices --------------------------------------------------------------- */

static void
attach(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct viommu_msg answer = { .attached = { 0 } };
    struct device *device;

    if (!IS_ZERO(msg->attach.zero)) {
        refuse(client, "reserved bytes are not zero");
        return;
    }

    answer.attached.status = device_attach(client, &msg->attach, &device);
    if (!answer.attached.status) {
        answer.attached.unit = device->unit;
        answer.attached.index = (uint16_t)device_index(device);
        log_debug("client: pid=%d speaks for sid=0x%04x", (int)client->pid,
                  device->sid);
    }
    client_send(client, VIOMMU_MSG_ATTACHED, seq, &answer);
}

static void
detach(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct viommu_msg answer = { .detached = { .status = -ENODEV } };
    struct device *device = device_find(client, msg->detach.sid);

    if (!IS_ZERO(msg->detach.zero)) {
        refuse(client, "reserved bytes are not zero");
        return;
    }

    if (device) {
        device_detach(device);
        answer.detached.status = 0;
    }
    client_send(client, VIOMMU_MSG_DETACHED, seq, &answer);
}

/* The device that a message is of, if it has one of @flags; 0: any. */
static struct device *
device_of(struct client *client, uint16_t sid, uint32_t flags)
{
    struct device *device = device_find(client, sid);

    if (!device) {
        refuse(client, "it speaks for a device that is not its own");
    } else if (flags && !(device->flags & flags)) {
        refuse(client, "it did not attach for what it asks for");
        device = NULL;
    }
    return device;
}

/* --- DMA ------------------------------------------------------------------- */

static bool
is_pasid(uint32_t pasid)
{
    return pasid < PASIDS || pasid == VIOMMU_PROTO_NO_PASID;
}

static bool
is_access(const struct viommu_msg_access *access)
{
    return is_pasid(access->pasid) && !(access->access & ~PERMS) &&
           access->at <= AT_MAX && !(access->flags & ~ACCESS_FLAGS) &&
           IS_ZERO(access->zero);
}

/* The device of an access that it may report; NULL: refused. */
static struct device *
access_device(struct client *client, const struct viommu_msg_access *access,
              uint32_t flags)
{
    if (!is_access(access)) {
        refuse(client, "its access makes no sense");
        return NULL;
    }

    /* Address types are for those who have a device TLB. */
    if (access->at != 0 && !device_of(client, access->sid, VIOMMU_ATTACH_ATS))
        return NULL;
    return device_of(client, access->sid, flags);
}

/*
 * Whoever asks keeps the answer, and has to hear when it is void: by NOTIFY, or
 * in a device TLB.
 */
static void
miss(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct service *service = client->service;
    const struct viommu_msg_access *access = &msg->access;
    bool request = access->at == AT_REQUEST;
    const struct device *device = access_device(
        client, access, request ? VIOMMU_ATTACH_ATS : VIOMMU_ATTACH_NOTIFY);
    struct viommu_msg answer = { .update = { 0 } };
    uint8_t reason;

    if (!device)
        return;

    reason = service->ops.translate(service->ctx, device->unit, access,
                                    &answer.update);
    if (!reason) {
        client_send(client, VIOMMU_MSG_IOTLB_UPDATE, seq, &answer);
        return;
    }

    answer = (struct viommu_msg){ .fail = { .iova = access->iova,
                                            .pasid = access->pasid,
                                            .sid = access->sid,
                                            .reason = reason } };
    client_send(client, VIOMMU_MSG_ACCESS_FAIL, seq, &answer);
}

static void
fault(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct service *service = client->service;
    const struct device *device =
        access_device(client, &msg->access, VIOMMU_ATTACH_WALK);

    (void)seq;
    if (device)
        service->ops.fault(service->ctx, device->unit, &msg->access);
}

static void
ack(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    if (IS_ZERO(msg->ack.zero))
        invalidate_ack(client, seq, msg->ack.status);
    else
        refuse(client, "reserved bytes are not zero");
}

/* --- page requests, interrupts --------------------------------------------- */

static bool
is_page_request(const struct viommu_msg_page_request *request)
{
    return !(request->addr & PAGE_MASK) && is_pasid(request->pasid) &&
           request->group < GROUPS && !(request->access & ~PERMS) &&
           !(request->flags & ~PAGE_FLAGS) && IS_ZERO(request->zero);
}

static void
page_request(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct service *service = client->service;
    const struct device *device;

    (void)seq;
    if (!is_page_request(&msg->page_request)) {
        refuse(client, "its page request makes no sense");
        return;
    }

    device = device_of(client, msg->page_request.sid, VIOMMU_ATTACH_PRI);
    if (device)
        service->ops.page_request(service->ctx, device->unit,
                                  &msg->page_request);
}

void
service_page_response(struct service *service, unsigned unit,
                      const struct viommu_msg_page_response *response)
{
    const struct device *device =
        device_hearing(service, unit, response->sid, VIOMMU_ATTACH_PRI);
    const struct viommu_msg msg = { .page_response = *response };

    if (!device)
        return;

    client_send(device->client, VIOMMU_MSG_PAGE_RESPONSE, 0, &msg);
    if (service->doomed)
        service_schedule(service);
}

static void
msi(struct client *client, uint32_t seq, const struct viommu_msg *msg)
{
    struct service *service = client->service;
    const struct device *device;

    (void)seq;
    if (!IS_ZERO(msg->msi.zero)) {
        refuse(client, "reserved bytes are not zero");
        return;
    }

    device = device_of(client, msg->msi.sid, 0);
    if (device)
        service->ops.msi(service->ctx, device->unit, &msg->msi);
}

/* --- all of them ----------------------------------------------------------- */

#define BODY(member) sizeof(((struct viommu_msg *)NULL)->member)

/* Without a function: what only we send. */
static const struct {
    size_t body;
    handle_fn *handle;
} types[VIOMMU_MSG_TYPES] = {
    [VIOMMU_MSG_HELLO] = { BODY(hello), hello },
    [VIOMMU_MSG_WELCOME] = { BODY(welcome), NULL },
    [VIOMMU_MSG_ATTACH] = { BODY(attach), attach },
    [VIOMMU_MSG_ATTACHED] = { BODY(attached), NULL },
    [VIOMMU_MSG_DETACH] = { BODY(detach), detach },
    [VIOMMU_MSG_DETACHED] = { BODY(detached), NULL },
    [VIOMMU_MSG_IOTLB_MISS] = { BODY(access), miss },
    [VIOMMU_MSG_IOTLB_UPDATE] = { BODY(update), NULL },
    [VIOMMU_MSG_ACCESS_FAIL] = { BODY(fail), NULL },
    [VIOMMU_MSG_FAULT] = { BODY(access), fault },
    [VIOMMU_MSG_IOTLB_INVALIDATE] = { BODY(invalidate), NULL },
    [VIOMMU_MSG_DEV_TLB_INVALIDATE] = { BODY(invalidate), NULL },
    [VIOMMU_MSG_BATCH_BEGIN] = { BODY(batch), NULL },
    [VIOMMU_MSG_BATCH_END] = { BODY(batch), NULL },
    [VIOMMU_MSG_ACK] = { BODY(ack), ack },
    [VIOMMU_MSG_PAGE_REQUEST] = { BODY(page_request), page_request },
    [VIOMMU_MSG_PAGE_RESPONSE] = { BODY(page_response), NULL },
    [VIOMMU_MSG_MSI] = { BODY(msi), msi },
    [VIOMMU_MSG_CUT_OFF] = { BODY(cut_off), NULL },
};

size_t
message_size(unsigned type)
{
    if (type >= VIOMMU_MSG_TYPES || !types[type].body)
        return 0;
    return sizeof(struct viommu_msg_header) + types[type].body;
}

void
message_handle(struct client *client, const struct viommu_msg *msg, size_t len)
{
    const struct viommu_msg_header *header = &msg->header;

    if (len < sizeof(*header)) {
        refuse(client, "its message is too short");
    } else if (header->zero || header->type >= VIOMMU_MSG_TYPES ||
               !types[header->type].handle) {
        refuse(client, "its message is of no type that it may send");
    } else if (len != message_size(header->type)) {
        refuse(client, "its message has the wrong size");
    } else if (client->greeted == (header->type == VIOMMU_MSG_HELLO)) {
        refuse(client, client->greeted ? "it says hello again"
                                       : "it does not say hello first");
    } else {
        types[header->type].handle(client, header->seq, msg);
    }
}
