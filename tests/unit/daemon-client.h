/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A daemon over the fake Xen, whose unit 0 translates for a device, and a
 * client that speaks for it.  Included by the tests that do so, once each.
 */
#ifndef TESTS_UNIT_DAEMON_CLIENT_H
#define TESTS_UNIT_DAEMON_CLIENT_H

#include "tests/unit/daemon-life.h"

#include "client/viommu-proto.h"

#define SID 0x20u /* 00:04.0 */

/* Registers. [VT-d 4.1, "Register Descriptions"] */
#define CAP    0x08u
#define ECAP   0x10u
#define GCMD   0x18u
#define GSTS   0x1cu
#define RTADDR 0x20u
#define FSTS   0x34u
#define FEADDR 0x40u
#define IQT    0x88u
#define IQA    0x90u
#define IRTA   0xb8u

#define PPF 2u

/* Guest memory: a table of each unit, a queue, and tables of 4 levels. */
#define IRT(unit) (0x1000u + (unit)*0x2000u)
#define QUEUE     0x8000u
#define STATUS    0x9000u
#define ROOT      0x10000u
#define CTX       0x11000u
#define TABLE     0x12000u
#define TARGET    0x20000u
#define IOVA      0x5000u

static inline void
start_units(const char *spec)
{
    strcpy(fake->config, spec);
    start_ready();
}

static inline void
ram_set(uint64_t gpa, uint64_t val)
{
    memcpy(&fake->ram[gpa], &val, sizeof(val));
}

/* IOVA of the device is mapped in unit 0, and it translates. */
static inline void
translation_enable(void)
{
    ram_set(ROOT, CTX | 1);
    ram_set(CTX + SID * 16, TABLE | 1);
    ram_set(CTX + SID * 16 + 8, 5u << 8 | 2);
    for (unsigned i = 0; i < 3; i++)
        ram_set(TABLE + i * 0x1000, (TABLE + (i + 1) * 0x1000) | 3);
    ram_set(TABLE + 0x3000 + IOVA / 0x1000 * 8, TARGET | 3);

    unit_write(0, RTADDR, 8, ROOT);
    unit_write(0, GCMD, 4, 1u << 30);
    unit_write(0, GCMD, 4, 1u << 31);
    unit_write(0, IQA, 8, QUEUE);
    unit_write(0, GCMD, 4, 1u << 31 | 1u << 26);
}

/* It is mapped no more; STATUS becomes 7 when nobody uses it any more. */
static inline void
page_unmap(void)
{
    ram_set(TABLE + 0x3000 + IOVA / 0x1000 * 8, 0);
    ram_set(QUEUE, 0x12 | 5u << 16); /* IOTLB of the domain */
    ram_set(QUEUE + 16, 0x25 | UINT64_C(7) << 32);
    ram_set(QUEUE + 24, STATUS);
    unit_write(0, IQT, 4, 0x20);
}

/* --- a client ------------------------------------------------------------- */

static int client_fd;
static uint32_t client_seq;

static inline void
client_send(uint16_t type, struct viommu_msg *msg, size_t body)
{
    msg->header =
        (struct viommu_msg_header){ .type = type, .seq = ++client_seq };
    assert_int_equal(send(client_fd, msg, sizeof(msg->header) + body, 0),
                     sizeof(msg->header) + body);
}

static inline void
client_receive(uint16_t type, struct viommu_msg *msg)
{
    memset(msg, 0, sizeof(*msg));
    wait_readable(client_fd);
    assert_true(recv(client_fd, msg, sizeof(*msg), 0) > 0);
    assert_int_equal(msg->header.type, type);
    assert_int_equal(msg->header.seq, client_seq);
}

/* Connect as one that does not walk; what ATTACH of @sid is answered. */
static inline struct viommu_msg_attached
client_attach(uint16_t sid)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct viommu_msg msg = { .hello = { .version = VIOMMU_PROTO_VERSION } };
    int len =
        snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dma", domain_dir);

    assert_true(len > 0 && (size_t)len < sizeof(addr.sun_path));
    client_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(
        connect(client_fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
    client_send(VIOMMU_MSG_HELLO, &msg, sizeof(msg.hello));
    client_receive(VIOMMU_MSG_WELCOME, &msg);
    assert_int_equal(msg.welcome.status, 0);
    assert_int_equal(msg.welcome.domid, DOMID);

    memset(&msg, 0, sizeof(msg));
    msg.attach.sid = sid;
    msg.attach.flags = VIOMMU_ATTACH_NOTIFY;
    client_send(VIOMMU_MSG_ATTACH, &msg, sizeof(msg.attach));
    client_receive(VIOMMU_MSG_ATTACHED, &msg);
    return msg.attached;
}

static inline void
client_msi(uint64_t addr, uint32_t data)
{
    struct viommu_msg msg = {
        .msi = { .addr = addr, .data = data, .sid = SID },
    };

    client_send(VIOMMU_MSG_MSI, &msg, sizeof(msg.msi));
}

/* A read of the device; 0 and *@gpa, or the fault. */
static inline uint8_t
client_translate(uint64_t iova, uint64_t *gpa)
{
    struct viommu_msg msg = {
        .access = { .iova = iova,
                    .pasid = VIOMMU_PROTO_NO_PASID,
                    .sid = SID,
                    .access = VIOMMU_READ },
    };

    client_send(VIOMMU_MSG_IOTLB_MISS, &msg, sizeof(msg.access));
    wait_readable(client_fd);
    assert_true(recv(client_fd, &msg, sizeof(msg), 0) > 0);
    if (msg.header.type == VIOMMU_MSG_ACCESS_FAIL)
        return msg.fail.reason;
    assert_int_equal(msg.header.type, VIOMMU_MSG_IOTLB_UPDATE);
    *gpa = msg.update.uaddr;
    return 0;
}

/* Take one invalidation of everything, and acknowledge it. */
static inline void
client_acknowledge(void)
{
    struct viommu_msg msg;
    bool batch = false;

    do {
        wait_readable(client_fd);
        assert_true(recv(client_fd, &msg, sizeof(msg), 0) > 0);
        batch |= msg.header.type == VIOMMU_MSG_BATCH_BEGIN;
        if (msg.header.type == VIOMMU_MSG_IOTLB_INVALIDATE) {
            assert_int_equal(msg.invalidate.iova, 0);
            assert_true(msg.invalidate.last == UINT64_MAX);
        }
    } while (batch && msg.header.type != VIOMMU_MSG_BATCH_END);

    msg.header.type = VIOMMU_MSG_ACK;
    msg.ack = (struct viommu_msg_ack){ .status = 0 };
    assert_int_equal(
        send(client_fd, &msg, sizeof(msg.header) + sizeof(msg.ack), 0),
        sizeof(msg.header) + sizeof(msg.ack));
}

static inline void
wait_for(const volatile unsigned *count, unsigned want)
{
    for (int ms = 0; ms < PATIENCE_MS && *count < want; ms++)
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    assert_int_equal(*count, want);
}

#endif
