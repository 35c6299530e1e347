/* SPDX-License-Identifier: GPL-2.0-only */
/* Invalidations by message: to peers that keep answers, and to device TLBs. */
#include "tests/unit/service-rig.h"

#define SLACK_MS 200u

/* The batch that is sent at once at most, with what is around it. */
#define BATCH_MAX 18u

static struct peer
peer_hearing(struct rig *rig, uint16_t sid, uint32_t flags)
{
    struct peer peer = peer_open(rig, false);

    assert_int_equal(peer_attach(rig, &peer, sid, flags), 0);
    return peer;
}

static void
invalidate(struct rig *rig, unsigned unit, uint64_t iova, uint64_t last)
{
    const struct service_inv inv = { .pasid = VIOMMU_PROTO_NO_PASID,
                                     .iova = iova,
                                     .last = last };

    service_invalidate(rig->service, unit, &inv);
}

static void
invalidate_tlb(struct rig *rig, uint16_t sid, uint64_t iova)
{
    const struct service_inv inv = { .device_tlb = true,
                                     .sid = sid,
                                     .pasid = 3,
                                     .iova = iova,
                                     .last = iova + 0xfff };

    service_invalidate(rig->service, 0, &inv);
}

static void
expect_inv(struct peer *peer, enum viommu_msg_type type, uint16_t sid,
           uint64_t iova)
{
    peer_expect(peer, type);
    assert_int_equal(peer->in.invalidate.sid, sid);
    assert_int_equal(peer->in.invalidate.iova, iova);
    assert_int_equal(peer->in.invalidate.zero, 0);
}

static void
assert_ended(const struct rig *rig, unsigned i, uint64_t token,
             enum service_status status, uint16_t sid)
{
    assert_true(i < rig->sync_count);
    assert_int_equal(rig->sync[i].token, token);
    assert_int_equal(rig->sync[i].status, status);
    assert_int_equal(rig->sync[i].sid, sid);
}

/* --- peers ----------------------------------------------------------------- */

static void
sync_waits_for_the_acknowledgement(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    struct service_client_info info;

    invalidate(rig, 0, 0x4000, 0x5fff);
    assert_false(service_sync(rig->service, 0, 1));
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0x4000);
    assert_int_equal(peer.in.invalidate.last, 0x5fff);
    assert_int_equal(peer.in.invalidate.pasid, VIOMMU_PROTO_NO_PASID);
    peer_expect_silence(&peer);
    assert_true(service_client_info(rig->service, 0, &info));
    assert_int_equal(info.pending, 1);
    rig_run_ms(rig, 5);
    assert_int_equal(rig->sync_count, 0);

    /* An acknowledgement of something else is none. */
    assert_true(peer_ack(&peer, peer.in.header.seq + 1, 0));
    rig_run(rig);
    peer_expect_cut_off(&peer, -EPROTO);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    peer_close(&peer);
}

static void
acknowledgement_ends_the_wait(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0, UINT64_MAX);
    assert_false(service_sync(rig->service, 0, 1));
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0);
    assert_int_equal(peer.in.invalidate.last, UINT64_MAX);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_int_equal(rig->sync_count, 1);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    /* Nothing was announced since. */
    assert_true(service_sync(rig->service, 0, 2));
    peer_expect_silence(&peer);
    /* Once more for the same is once too often. */
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    peer_expect_cut_off(&peer, -EPROTO);
    peer_close(&peer);
}

static void
only_those_who_want_to_know_are_told(void **state)
{
    struct rig *rig = *state;
    struct peer walker = peer_walker(rig, RIG_SID);
    struct peer tlb = peer_hearing(rig, 0x0120, VIOMMU_ATTACH_ATS);
    struct peer peer = peer_hearing(rig, RIG_SID2, VIOMMU_ATTACH_NOTIFY);
    struct peer other = peer_hearing(rig, RIG_OTHER, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0x1000, 0x1fff);
    invalidate_tlb(rig, RIG_SID2, 0x2000);
    invalidate_tlb(rig, 0x0121, 0x2000);
    assert_false(service_sync(rig->service, 0, 1));
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID2, 0x1000);
    peer_expect_silence(&peer);
    peer_expect_silence(&walker);
    peer_expect_silence(&tlb);
    peer_expect_silence(&other);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_int_equal(rig->sync_count, 1);

    invalidate_tlb(rig, 0x0120, 0x3000);
    assert_false(service_sync(rig->service, 0, 2));
    expect_inv(&tlb, VIOMMU_MSG_DEV_TLB_INVALIDATE, 0x0120, 0x3000);
    assert_int_equal(tlb.in.invalidate.pasid, 3);
    assert_true(peer_ack(&tlb, tlb.in.header.seq, 0));
    rig_run(rig);
    assert_ended(rig, 1, 2, SERVICE_DONE, 0);
    peer_expect_silence(&peer);
    peer_close(&walker);
    peer_close(&tlb);
    peer_close(&peer);
    peer_close(&other);
}

static void
several_are_one_batch_with_one_acknowledgement(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    uint32_t seq;

    for (unsigned i = 0; i < 5; i++)
        invalidate(rig, 0, i * 0x2000, i * 0x2000 + 0xfff);
    /* One that is known already, and part of one. */
    invalidate(rig, 0, 0x2000, 0x2fff);
    invalidate(rig, 0, 0x2100, 0x21ff);
    assert_false(service_sync(rig->service, 0, 1));
    peer_expect(&peer, VIOMMU_MSG_BATCH_BEGIN);
    seq = peer.in.header.seq;
    for (unsigned i = 0; i < 5; i++)
        expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, i * 0x2000);
    peer_expect(&peer, VIOMMU_MSG_BATCH_END);
    assert_int_equal(peer.in.batch.count, 5);
    assert_int_equal(peer.in.header.seq, seq);
    peer_expect_silence(&peer);
    assert_true(peer_ack(&peer, seq, 0));
    rig_run(rig);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    peer_close(&peer);
}

/*
 * What comes while a batch is out waits for its acknowledgement; and each wait
 * ends with the batch that has what came before it.
 */
static void
next_batch_follows_the_acknowledgement(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0x1000, 0x1fff);
    assert_false(service_sync(rig->service, 0, 1));
    invalidate(rig, 0, 0x2000, 0x2fff);
    assert_false(service_sync(rig->service, 0, 2));
    invalidate(rig, 0, 0x3000, 0x3fff);
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0x1000);
    peer_expect_silence(&peer);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_int_equal(rig->sync_count, 1);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    peer_expect(&peer, VIOMMU_MSG_BATCH_BEGIN);
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0x2000);
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0x3000);
    peer_expect(&peer, VIOMMU_MSG_BATCH_END);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_ended(rig, 1, 2, SERVICE_DONE, 0);
    peer_close(&peer);
}

/* Though no sync follows, a peer hears of it before long. */
static void
invalidation_without_a_sync_is_sent(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0x1000, 0x1fff);
    peer_expect_silence(&peer);
    rig_run_ms(rig, 20);
    expect_inv(&peer, VIOMMU_MSG_IOTLB_INVALIDATE, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 1));
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    peer_close(&peer);
}

/* Whatever has arrived: how many, the last one's seq, and was it everything? */
static unsigned
take_all(struct peer *peer, uint32_t *seq, bool *everything)
{
    unsigned n = 0;

    while (peer_take(peer, NULL)) {
        n++;
        *seq = peer->in.header.seq;
        if (peer->in.header.type == VIOMMU_MSG_IOTLB_INVALIDATE &&
            peer->in.invalidate.iova == 0 &&
            peer->in.invalidate.last == UINT64_MAX)
            *everything = true;
    }
    return n;
}

/*
 * However much the guest invalidates, a peer that does not hurry has not to go
 * for it: what is too much becomes one of everything.
 */
static void
too_many_become_one_of_everything(void **state)
{
    struct rig *rig = *state;
    struct peer peer =
        peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY | VIOMMU_ATTACH_ATS);
    bool everything = false;
    uint64_t token = 0;
    uint32_t seq = 0;

    for (unsigned i = 0; i < 20; i++) {
        for (uint64_t j = 0; j < 1000; j++) {
            invalidate(rig, 0, j << 13, (j << 13) + 1);
            if (i % 3 == 0)
                invalidate_tlb(rig, RIG_SID, j << 13);
        }
        (void)service_sync(rig->service, 0, ++token);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_in_range(take_all(&peer, &seq, &everything), 1, BATCH_MAX);
        assert_true(everything);
        /* The first batch is what the first sync is for. */
        assert_int_equal(rig->sync_count, i);
        assert_true(peer_ack(&peer, seq, 0));
        rig_run(rig);
        everything = false;
    }
    assert_int_equal(rig->sync[rig->sync_count - 1].token, token);
    assert_int_equal(rig_stats(rig).cut_off, 0);
    peer_close(&peer);
}

static void
everything_is_told_of_both_kinds(void **state)
{
    struct rig *rig = *state;
    struct peer peer =
        peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY | VIOMMU_ATTACH_ATS);
    unsigned tlb = 0, iotlb = 0;

    for (uint64_t i = 0; i < 40; i++)
        invalidate_tlb(rig, RIG_SID, i << 13);
    for (uint64_t i = 0; i < 40; i++)
        invalidate(rig, 0, i << 13, i << 13);
    assert_false(service_sync(rig->service, 0, 1));
    while (peer_take(&peer, NULL)) {
        bool all = peer.in.invalidate.iova == 0 &&
                   peer.in.invalidate.last == UINT64_MAX &&
                   peer.in.invalidate.pasid == VIOMMU_PROTO_NO_PASID;

        tlb += peer.in.header.type == VIOMMU_MSG_DEV_TLB_INVALIDATE && all;
        iotlb += peer.in.header.type == VIOMMU_MSG_IOTLB_INVALIDATE && all;
    }
    assert_int_equal(tlb, 1);
    assert_int_equal(iotlb, 1);
    peer_close(&peer);
}

static void
peer_that_does_not_acknowledge_is_cut_off(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    struct peer good = peer_hearing(rig, RIG_SID2, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0x1000, 0x1fff);
    assert_false(service_sync(rig->service, 0, 1));
    peer_expect(&good, VIOMMU_MSG_IOTLB_INVALIDATE);
    assert_true(peer_ack(&good, good.in.header.seq, 0));
    assert_in_range(rig_run_syncs(rig, 1), RIG_DRAIN_MS - 1,
                    RIG_DRAIN_MS + SLACK_MS);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    peer_expect(&peer, VIOMMU_MSG_IOTLB_INVALIDATE);
    peer_expect_cut_off(&peer, -ETIMEDOUT);
    peer_expect_silence(&good);
    assert_int_equal(rig->forgotten[0], 1);
    peer_close(&peer);
    peer_close(&good);
}

static void
peer_that_leaves_holds_up_nobody(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);

    invalidate(rig, 0, 0x1000, 0x1fff);
    assert_false(service_sync(rig->service, 0, 1));
    peer_close(&peer);
    rig_run(rig);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);

    peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    invalidate(rig, 0, 0x1000, 0x1fff);
    assert_false(service_sync(rig->service, 0, 2));
    peer_expect(&peer, VIOMMU_MSG_IOTLB_INVALIDATE);
    assert_int_equal(peer_detach(rig, &peer, RIG_SID), 0);
    assert_ended(rig, 1, 2, SERVICE_DONE, 0);
    /* What it was told before is not told to whoever comes next. */
    assert_int_equal(peer_attach(rig, &peer, RIG_SID, VIOMMU_ATTACH_NOTIFY), 0);
    assert_true(service_sync(rig->service, 0, 3));
    peer_close(&peer);
}

static void
peer_that_refuses_is_cut_off(void **state)
{
    static const int status[] = { -ETIMEDOUT, -EIO, 1 };
    struct rig *rig = *state;

    for (unsigned i = 0; i < 3; i++) {
        struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);

        invalidate(rig, 0, 0x1000, 0x1fff);
        assert_false(service_sync(rig->service, 0, i + 1));
        peer_expect(&peer, VIOMMU_MSG_IOTLB_INVALIDATE);
        assert_true(peer_ack(&peer, peer.in.header.seq, status[i]));
        rig_run(rig);
        peer_expect_cut_off(&peer, -EPROTO);
        assert_ended(rig, i, i + 1, SERVICE_DONE, 0);
        peer_close(&peer);
    }
}

/* Full when the owner invalidates, who is in the middle of something. */
static void
peer_without_room_is_cut_off_later(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    struct viommu_msg miss = { .access = { .sid = RIG_SID } };
    unsigned i = 0;

    /* One answer less than what is too much. */
    while (rig_clients(rig) == 1 && i++ < 10000) {
        assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, i, miss));
        rig_run(rig);
    }
    peer_close(&peer);
    peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_NOTIFY);
    for (unsigned j = 1; j < i; j++) {
        assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, j, miss));
        rig_run(rig);
    }
    assert_int_equal(rig_clients(rig), 1);

    rig->forgotten[0] = 0;
    invalidate(rig, 0, 0x1000, 0x1fff);
    assert_false(service_sync(rig->service, 0, 1));
    /* The owner was not called from within. */
    assert_int_equal(rig->forgotten[0], 0);
    assert_int_equal(rig->sync_count, 0);
    assert_true(rig_run_syncs(rig, 1) < RIG_DRAIN_MS);
    assert_ended(rig, 0, 1, SERVICE_DONE, 0);
    assert_int_equal(rig->forgotten[0], 1);
    assert_int_equal(rig_clients(rig), 0);
    peer_close(&peer);
}

/* --- device TLBs ----------------------------------------------------------- */

static void
device_tlb_that_does_not_answer_is_told(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_ATS);
    uint32_t late;

    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 1));
    assert_in_range(rig_run_syncs(rig, 1), RIG_DRAIN_MS - 1,
                    RIG_DRAIN_MS + SLACK_MS);
    assert_ended(rig, 0, 1, SERVICE_TIMEOUT, RIG_SID);
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    late = peer.in.header.seq;
    peer_expect_silence(&peer);

    /* It was told once, and the next one is another. */
    assert_true(service_sync(rig->service, 0, 2));
    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 3));
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    /* What comes too late is no offence. */
    assert_true(peer_ack(&peer, late, 0));
    rig_run(rig);
    assert_int_equal(rig->sync_count, 1);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_ended(rig, 1, 3, SERVICE_DONE, 0);
    peer_expect_silence(&peer);
    peer_close(&peer);
}

static void
device_tlb_that_never_answers_is_cut_off(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_ATS);

    for (unsigned i = 0; i < 3; i++) {
        invalidate_tlb(rig, RIG_SID, 0x1000);
        assert_false(service_sync(rig->service, 0, i + 1));
        (void)rig_run_syncs(rig, i + 1);
        peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    }
    assert_ended(rig, 0, 1, SERVICE_TIMEOUT, RIG_SID);
    assert_ended(rig, 1, 2, SERVICE_TIMEOUT, RIG_SID);
    /* Without a device there is nothing that could be late. */
    assert_ended(rig, 2, 3, SERVICE_DONE, 0);
    peer_expect_cut_off(&peer, -ETIMEDOUT);
    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_true(service_sync(rig->service, 0, 4));
    peer_close(&peer);
}

/* The client says so itself, before its time is over. */
static void
client_may_say_that_its_device_does_not_answer(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_ATS);

    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 1));
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    assert_true(peer_ack(&peer, peer.in.header.seq, -ETIMEDOUT));
    rig_run(rig);
    assert_ended(rig, 0, 1, SERVICE_TIMEOUT, RIG_SID);

    /* While nobody waits: the next one hears of it, at once, but not within. */
    invalidate_tlb(rig, RIG_SID, 0x1000);
    rig_run_ms(rig, 20);
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    assert_true(peer_ack(&peer, peer.in.header.seq, -ETIMEDOUT));
    rig_run(rig);
    assert_false(service_sync(rig->service, 1, 9) &&
                 service_sync(rig->service, 0, 2));
    assert_true(rig_run_syncs(rig, 2) < RIG_DRAIN_MS);
    assert_ended(rig, 1, 2, SERVICE_TIMEOUT, RIG_SID);
    assert_true(service_sync(rig->service, 0, 3));
    peer_expect_silence(&peer);
    peer_close(&peer);
}

/*
 * Two waits, and two batches, of which the first is never acknowledged: both
 * hear of it, because the second batch could not even be sent.
 */
static void
failure_is_told_to_all_who_wait(void **state)
{
    struct rig *rig = *state;
    struct peer peer = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_ATS);

    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 1));
    invalidate_tlb(rig, RIG_SID, 0x3000);
    assert_false(service_sync(rig->service, 0, 2));
    (void)rig_run_syncs(rig, 2);
    assert_ended(rig, 0, 1, SERVICE_TIMEOUT, RIG_SID);
    assert_ended(rig, 1, 2, SERVICE_TIMEOUT, RIG_SID);
    expect_inv(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE, RIG_SID, 0x1000);
    /* It is told of the second one all the same. */
    assert_false(service_sync(rig->service, 0, 3));
    expect_inv(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE, RIG_SID, 0x3000);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_ended(rig, 2, 3, SERVICE_DONE, 0);
    peer_close(&peer);
}

/* Both keep the guest waiting; each pays for what it did. */
static void
slow_device_tlb_and_hung_client_end_together(void **state)
{
    struct rig *rig = *state;
    struct peer tlb = peer_hearing(rig, RIG_SID, VIOMMU_ATTACH_ATS);
    struct peer hung = peer_walker(rig, RIG_SID2);

    peer_begin(&hung, 0);
    invalidate_tlb(rig, RIG_SID, 0x1000);
    assert_false(service_sync(rig->service, 0, 1));
    assert_in_range(rig_run_syncs(rig, 1), RIG_DRAIN_MS - 1,
                    RIG_DRAIN_MS + SLACK_MS);
    assert_ended(rig, 0, 1, SERVICE_TIMEOUT, RIG_SID);
    peer_expect_cut_off(&hung, -ETIMEDOUT);
    peer_expect(&tlb, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    peer_expect_silence(&tlb);
    peer_close(&tlb);
    peer_close(&hung);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(sync_waits_for_the_acknowledgement),
        RIG_TEST(acknowledgement_ends_the_wait),
        RIG_TEST(only_those_who_want_to_know_are_told),
        RIG_TEST(several_are_one_batch_with_one_acknowledgement),
        RIG_TEST(next_batch_follows_the_acknowledgement),
        RIG_TEST(invalidation_without_a_sync_is_sent),
        RIG_TEST(too_many_become_one_of_everything),
        RIG_TEST(everything_is_told_of_both_kinds),
        RIG_TEST(peer_that_does_not_acknowledge_is_cut_off),
        RIG_TEST(peer_that_leaves_holds_up_nobody),
        RIG_TEST(peer_that_refuses_is_cut_off),
        RIG_TEST(peer_without_room_is_cut_off_later),
        RIG_TEST(device_tlb_that_does_not_answer_is_told),
        RIG_TEST(device_tlb_that_never_answers_is_cut_off),
        RIG_TEST(client_may_say_that_its_device_does_not_answer),
        RIG_TEST(failure_is_told_to_all_who_wait),
        RIG_TEST(slow_device_tlb_and_hung_client_end_together),
    };

    return cmocka_run_group_tests_name("service: invalidations", tests, NULL,
                                       NULL);
}
