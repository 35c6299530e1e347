/* SPDX-License-Identifier: GPL-2.0-only */
/* What clients say: what is passed on, and what they are cut off for. */
#include "tests/unit/service-rig.h"

#include <signal.h>

/* A good message of each type that a client may send; device RIG_SID. */
static struct viommu_msg
good(unsigned type)
{
    struct viommu_msg msg = { .header = { .type = (uint16_t)type } };

    switch (type) {
    case VIOMMU_MSG_HELLO:
        msg.hello.version = VIOMMU_PROTO_VERSION;
        break;
    case VIOMMU_MSG_IOTLB_MISS:
    case VIOMMU_MSG_FAULT:
        msg.access.iova = 0x5000;
        msg.access.pasid = VIOMMU_PROTO_NO_PASID;
        msg.access.sid = RIG_SID;
        break;
    case VIOMMU_MSG_PAGE_REQUEST:
        msg.page_request.pasid = VIOMMU_PROTO_NO_PASID;
        msg.page_request.sid = RIG_SID;
        break;
    case VIOMMU_MSG_MSI:
        msg.msi.sid = RIG_SID;
        break;
    default:
        msg.attach.sid = RIG_SID;
        break;
    }
    return msg;
}

/* Walks, hears and requests, for RIG_SID. */
static struct peer
peer_full(struct rig *rig)
{
    struct peer peer = peer_open(rig, true);

    assert_int_equal(peer_attach(rig, &peer, RIG_SID,
                                 VIOMMU_ATTACH_WALK | VIOMMU_ATTACH_NOTIFY |
                                     VIOMMU_ATTACH_ATS | VIOMMU_ATTACH_PRI),
                     0);
    return peer;
}

/* One message of @len bytes is the end of a client, not of any other. */
static void
assert_cut_off_by(struct rig *rig, const struct viommu_msg *msg, size_t len)
{
    uint64_t before = rig_stats(rig).cut_off;
    struct peer peer = peer_full(rig);

    assert_true(peer_send_len(&peer, msg, len));
    rig_run(rig);
    peer_expect_cut_off(&peer, -EPROTO);
    assert_int_equal(rig_stats(rig).cut_off, before + 1);
    peer_close(&peer);
    assert_int_equal(
        rig->accesses + rig->faults + rig->msis + rig->page_requests, 0);
}

#define FIELD_LEN(type) (sizeof(struct viommu_msg_header) + peer_body(type))

/* --- what is passed on ----------------------------------------------------- */

static void
miss_is_answered_with_a_page(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_open(rig, false);
    struct viommu_msg msg = good(VIOMMU_MSG_IOTLB_MISS);

    assert_int_equal(peer_attach(rig, &peer, RIG_SID, VIOMMU_ATTACH_NOTIFY), 0);
    msg.access.iova = 0x7654;
    msg.access.pasid = 0xfffff;
    msg.access.access = VIOMMU_WRITE;
    assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, 5, msg));
    rig_run(rig);
    peer_expect(&peer, VIOMMU_MSG_IOTLB_UPDATE);
    assert_int_equal(peer.in.header.seq, 5);
    assert_int_equal(peer.in.update.iova, 0x7000);
    assert_int_equal(peer.in.update.uaddr, 0x123000);
    assert_int_equal(peer.in.update.sid, RIG_SID);
    assert_int_equal(rig->access.pasid, 0xfffff);
    assert_int_equal(rig->access.access, VIOMMU_WRITE);

    rig->reason = 0x71;
    assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, 6, msg));
    rig_run(rig);
    peer_expect(&peer, VIOMMU_MSG_ACCESS_FAIL);
    assert_int_equal(peer.in.header.seq, 6);
    assert_int_equal(peer.in.fail.iova, 0x7654);
    assert_int_equal(peer.in.fail.pasid, 0xfffff);
    assert_int_equal(peer.in.fail.sid, RIG_SID);
    assert_int_equal(peer.in.fail.reason, 0x71);
    assert_int_equal(rig->accesses, 2);
    peer_close(&peer);
}

static void
faults_and_messages_have_no_answer(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_full(rig);
    struct viommu_msg msi = good(VIOMMU_MSG_MSI);

    msi.msi.addr = 0xfee00000;
    msi.msi.data = 0x4041;
    assert_true(peer_send(&peer, VIOMMU_MSG_FAULT, 1, good(VIOMMU_MSG_FAULT)));
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 1, msi));
    rig_run(rig);
    peer_expect_silence(&peer);
    assert_int_equal(rig->faults, 1);
    assert_int_equal(rig->access.iova, 0x5000);
    assert_int_equal(rig->msis, 1);
    assert_int_equal(rig->msi.data, 0x4041);
    assert_int_equal(rig->msi.sid, RIG_SID);
    peer_close(&peer);
}

static void
page_request_may_be_answered_at_once(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_full(rig);
    struct viommu_msg msg = good(VIOMMU_MSG_PAGE_REQUEST);
    const struct viommu_msg_page_response late = { .sid = RIG_SID,
                                                   .group = 9,
                                                   .pasid = 5 };

    msg.page_request.group = 511;
    msg.page_request.flags = VIOMMU_PAGE_LAST;
    assert_true(peer_send(&peer, VIOMMU_MSG_PAGE_REQUEST, 1, msg));
    rig_run(rig);
    peer_expect_silence(&peer);
    assert_int_equal(rig->page_requests, 1);
    service_page_response(rig->service, 0, &late);
    peer_expect(&peer, VIOMMU_MSG_PAGE_RESPONSE);
    assert_int_equal(peer.in.page_response.group, 9);
    assert_int_equal(peer.in.page_response.pasid, 5);

    rig->respond = true;
    assert_true(peer_send(&peer, VIOMMU_MSG_PAGE_REQUEST, 1, msg));
    rig_run(rig);
    peer_expect(&peer, VIOMMU_MSG_PAGE_RESPONSE);
    assert_int_equal(peer.in.page_response.group, 511);
    assert_int_equal(peer.in.page_response.code, 1);

    /* Nobody speaks for these any more, or never did. */
    service_page_response(rig->service, 1, &late);
    assert_int_equal(peer_detach(rig, &peer, RIG_SID), 0);
    service_page_response(rig->service, 0, &late);
    peer_expect_silence(&peer);
    peer_close(&peer);
}

/* --- what is not ----------------------------------------------------------- */

static void
what_is_no_message_of_a_client_is_its_end(void **state)
{
    struct rig *rig = *state;
    struct viommu_msg msg;

    for (unsigned type = 0; type < 2 * VIOMMU_MSG_TYPES; type++) {
        switch (type) {
        case VIOMMU_MSG_ATTACH:
        case VIOMMU_MSG_DETACH:
        case VIOMMU_MSG_IOTLB_MISS:
        case VIOMMU_MSG_FAULT:
        case VIOMMU_MSG_PAGE_REQUEST:
        case VIOMMU_MSG_MSI:
            continue;
        default:
            /* Also a second HELLO, and an ACK of nothing. */
            msg = good(type);
            assert_cut_off_by(rig, &msg,
                              type < VIOMMU_MSG_TYPES ? FIELD_LEN(type) : 16);
        }
    }
    msg = good(VIOMMU_MSG_MSI);
    msg.header.type |= 0x100;
    assert_cut_off_by(rig, &msg, FIELD_LEN(VIOMMU_MSG_MSI));
}

static void
message_of_another_size_is_its_end(void **state)
{
    static const uint8_t types[] = {
        VIOMMU_MSG_ATTACH, VIOMMU_MSG_DETACH, VIOMMU_MSG_IOTLB_MISS,
        VIOMMU_MSG_FAULT,  VIOMMU_MSG_ACK,    VIOMMU_MSG_PAGE_REQUEST,
        VIOMMU_MSG_MSI
    };
    struct rig *rig = *state;
    struct {
        struct viommu_msg msg;
        char more[4096];
    } big = { 0 };

    for (unsigned i = 0; i < sizeof(types); i++) {
        size_t right = FIELD_LEN(types[i]);
        const size_t wrong[] = { 1,         7,         8,          right - 1,
                                 right + 1, right + 8, sizeof(big) };

        big.msg = good(types[i]);
        for (unsigned j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++)
            assert_cut_off_by(rig, &big.msg, wrong[j]);
    }
}

/* Each byte that has to be zero, in each message that has some. */
static void
reserved_bytes_that_are_not_zero_are_its_end(void **state)
{
    static const struct {
        uint8_t type;
        uint8_t first, count;
    } reserved[] = {
        { VIOMMU_MSG_ATTACH, 2, 2 },        { VIOMMU_MSG_DETACH, 2, 6 },
        { VIOMMU_MSG_IOTLB_MISS, 17, 7 },   { VIOMMU_MSG_FAULT, 17, 7 },
        { VIOMMU_MSG_PAGE_REQUEST, 18, 6 }, { VIOMMU_MSG_MSI, 14, 2 },
        { VIOMMU_MSG_ACK, 4, 4 },
    };
    struct rig *rig = *state;
    struct viommu_msg msg;

    for (unsigned i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        for (unsigned j = 0; j < reserved[i].count; j++) {
            msg = good(reserved[i].type);
            ((uint8_t *)&msg)[sizeof(msg.header) + reserved[i].first + j] = 1;
            assert_cut_off_by(rig, &msg, FIELD_LEN(reserved[i].type));
        }
        msg = good(reserved[i].type);
        msg.header.zero = 0x8000;
        assert_cut_off_by(rig, &msg, FIELD_LEN(reserved[i].type));
    }
}

static void
access_that_makes_no_sense_is_its_end(void **state)
{
    static const uint8_t types[] = { VIOMMU_MSG_IOTLB_MISS, VIOMMU_MSG_FAULT };
    struct rig *rig = *state;

    for (unsigned i = 0; i < sizeof(types); i++) {
        struct viommu_msg bad[5];

        for (unsigned j = 0; j < 5; j++)
            bad[j] = good(types[i]);
        bad[0].access.pasid = 1u << 20;
        bad[1].access.pasid = UINT32_MAX - 1;
        bad[2].access.access = 8;
        bad[3].access.at = 3;
        bad[4].access.flags = 8;
        for (unsigned j = 0; j < 5; j++)
            assert_cut_off_by(rig, &bad[j], FIELD_LEN(types[i]));
    }
}

static void
page_request_that_makes_no_sense_is_its_end(void **state)
{
    struct rig *rig = *state;
    struct viommu_msg bad[6];

    for (unsigned j = 0; j < 6; j++)
        bad[j] = good(VIOMMU_MSG_PAGE_REQUEST);
    bad[0].page_request.pasid = 1u << 20;
    bad[1].page_request.addr = 1;
    bad[2].page_request.addr = 0x800;
    bad[3].page_request.group = 512;
    bad[4].page_request.access = 8;
    bad[5].page_request.flags = 8;
    for (unsigned j = 0; j < 6; j++)
        assert_cut_off_by(rig, &bad[j], FIELD_LEN(VIOMMU_MSG_PAGE_REQUEST));
}

static void
other_devices_are_not_for_it_to_speak_for(void **state)
{
    static const uint8_t types[] = { VIOMMU_MSG_IOTLB_MISS, VIOMMU_MSG_FAULT,
                                     VIOMMU_MSG_PAGE_REQUEST, VIOMMU_MSG_MSI };
    struct rig *rig = *state;
    struct peer other = peer_open(rig, true);

    assert_int_equal(peer_attach(rig, &other, RIG_SID2, 15), 0);
    for (unsigned i = 0; i < sizeof(types); i++) {
        struct viommu_msg msg = good(types[i]);

        switch (types[i]) {
        case VIOMMU_MSG_PAGE_REQUEST:
            msg.page_request.sid = RIG_SID2;
            break;
        case VIOMMU_MSG_MSI:
            msg.msi.sid = RIG_SID2;
            break;
        default:
            msg.access.sid = RIG_SID2;
            break;
        }
        assert_cut_off_by(rig, &msg, FIELD_LEN(types[i]));
    }
    peer_expect_silence(&other);
    peer_close(&other);
}

/* What a device was attached without it does not do. */
static void
device_does_what_it_is_attached_for(void **state)
{
    static const struct {
        uint8_t type, at;
        uint32_t without;
    } undone[] = {
        { VIOMMU_MSG_FAULT, 0, VIOMMU_ATTACH_WALK },
        { VIOMMU_MSG_FAULT, 2, VIOMMU_ATTACH_ATS },
        { VIOMMU_MSG_IOTLB_MISS, 0, VIOMMU_ATTACH_NOTIFY },
        { VIOMMU_MSG_IOTLB_MISS, 1, VIOMMU_ATTACH_ATS },
        { VIOMMU_MSG_IOTLB_MISS, 2, VIOMMU_ATTACH_ATS },
        { VIOMMU_MSG_PAGE_REQUEST, 0, VIOMMU_ATTACH_PRI },
    };
    struct rig *rig = *state;

    for (unsigned i = 0; i < sizeof(undone) / sizeof(undone[0]); i++) {
        struct peer peer = peer_open(rig, true);
        struct viommu_msg msg = good(undone[i].type);

        if (undone[i].type != VIOMMU_MSG_PAGE_REQUEST)
            msg.access.at = undone[i].at;
        assert_int_equal(
            peer_attach(rig, &peer, RIG_SID, 15u & ~undone[i].without), 0);
        assert_true(peer_send(&peer, undone[i].type, 0, msg));
        rig_run(rig);
        peer_expect_cut_off(&peer, -EPROTO);
        peer_close(&peer);
        assert_int_equal(rig->accesses + rig->faults + rig->page_requests, 0);
    }
}

static void
hello_comes_first(void **state)
{
    struct rig *rig = *state;
    struct viommu_msg flags = good(VIOMMU_MSG_HELLO);
    struct peer peer;

    for (unsigned type = 0; type < VIOMMU_MSG_TYPES; type++) {
        if (type == VIOMMU_MSG_HELLO)
            continue;
        peer_connect(rig, &peer);
        assert_true(peer_send(&peer, type, 0, good(type)));
        rig_run(rig);
        peer_expect_cut_off(&peer, -EPROTO);
        peer_close(&peer);
    }

    flags.hello.flags = 2;
    peer_connect(rig, &peer);
    assert_true(peer_send(&peer, VIOMMU_MSG_HELLO, 0, flags));
    rig_run(rig);
    peer_expect_cut_off(&peer, -EPROTO);
    peer_close(&peer);
}

/* Descriptors that a client sends along are closed, whatever they are. */
static void
descriptors_of_a_client_are_not_taken(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_full(rig);
    struct viommu_msg msg = good(VIOMMU_MSG_MSI);
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { &msg, FIELD_LEN(VIOMMU_MSG_MSI) };
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control,
                          .msg_controllen = sizeof(control) };
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&hdr);
    int pipe_fd[2];
    char byte;

    assert_int_equal(pipe(pipe_fd), 0);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cmsg), &pipe_fd[1], sizeof(int));
    assert_true(sendmsg(peer.fd, &hdr, 0) > 0);
    close(pipe_fd[1]);
    rig_run(rig);
    assert_int_equal(rig->msis, 1);
    /* Nobody has the other end any more. */
    assert_int_equal(read(pipe_fd[0], &byte, 1), 0);
    close(pipe_fd[0]);
    peer_close(&peer);
}

/* --- too much -------------------------------------------------------------- */

static void
fill(struct peer *peer, enum viommu_msg_type type)
{
    struct viommu_msg msg = good(type);

    msg.header.type = (uint16_t)type;
    while (send(peer->fd, &msg, FIELD_LEN(type), MSG_DONTWAIT | MSG_NOSIGNAL) >
           0)
        continue;
    assert_int_equal(errno, EAGAIN);
}

/* One turn is one share; the rest waits in the client's own socket. */
static void
flooder_gets_its_share_of_each_turn(void **state)
{
    struct rig *rig = *state;
    struct peer flooder = peer_full(rig);
    struct peer other = peer_open(rig, false);
    unsigned before;

    fill(&flooder, VIOMMU_MSG_MSI);
    before = rig->msis;
    rig_run(rig);
    assert_true(rig->msis - before >= 16);
    assert_true(rig->msis - before <= 8 * 16);
    /* Meanwhile others are served as ever. */
    assert_int_equal(peer_attach(rig, &other, RIG_OTHER, 0), 0);
    peer_expect_silence(&flooder);
    rig_run_ms(rig, 50);
    assert_true(rig->msis > 100);
    peer_close(&flooder);
    peer_close(&other);
}

/* Asks and does not read the answers. */
static void
client_that_does_not_read_is_cut_off(void **state)
{
    struct rig *rig = *state;
    struct peer deaf = peer_full(rig);
    struct peer other = peer_open(rig, false);
    const struct viommu_msg miss = good(VIOMMU_MSG_IOTLB_MISS);

    for (unsigned i = 0; i < 100000; i++) {
        if (!peer_send(&deaf, VIOMMU_MSG_IOTLB_MISS, i, miss))
            break;
        if (i % 16 == 15)
            rig_run(rig);
    }
    assert_int_equal(rig_stats(rig).cut_off, 1);
    assert_int_equal(rig_clients(rig), 1);
    assert_int_equal(rig->forgotten[0], 1);
    /* What was answered by then can still be read. */
    while (peer_take(&deaf, NULL))
        assert_true(deaf.in.header.type == VIOMMU_MSG_IOTLB_UPDATE ||
                    deaf.in.header.type == VIOMMU_MSG_CUT_OFF);
    assert_int_equal(peer_attach(rig, &other, RIG_SID, 0), 0);
    peer_close(&deaf);
    peer_close(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(miss_is_answered_with_a_page),
        RIG_TEST(faults_and_messages_have_no_answer),
        RIG_TEST(page_request_may_be_answered_at_once),
        RIG_TEST(what_is_no_message_of_a_client_is_its_end),
        RIG_TEST(message_of_another_size_is_its_end),
        RIG_TEST(reserved_bytes_that_are_not_zero_are_its_end),
        RIG_TEST(access_that_makes_no_sense_is_its_end),
        RIG_TEST(page_request_that_makes_no_sense_is_its_end),
        RIG_TEST(other_devices_are_not_for_it_to_speak_for),
        RIG_TEST(device_does_what_it_is_attached_for),
        RIG_TEST(hello_comes_first),
        RIG_TEST(descriptors_of_a_client_are_not_taken),
        RIG_TEST(flooder_gets_its_share_of_each_turn),
        RIG_TEST(client_that_does_not_read_is_cut_off),
    };

    return cmocka_run_group_tests_name("service: messages", tests, NULL, NULL);
}
