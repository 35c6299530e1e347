/* SPDX-License-Identifier: GPL-2.0-only */
/* The service joined with the model: who may attach, and what becomes of it. */
#include "tests/unit/service-user.h"
#include "tests/unit/service-world.h"

/* --- who may attach --------------------------------------------------------- */

static void
devices_are_those_of_units_that_remap(void **state)
{
    struct world *world = world_create("legacy");
    struct rig *rig = &world->rig;
    struct peer peer = peer_open(rig, true);

    (void)state;
    /* The second unit is for interrupts alone, and has all other devices. */
    assert_int_equal(world->configs.count, 2);
    assert_int_equal(peer.shm->units, 2);
    assert_int_equal(peer_attach(rig, &peer, SID, VIOMMU_ATTACH_WALK), 0);
    assert_int_equal(peer.in.attached.unit, 0);
    assert_int_equal(peer_attach(rig, &peer, SID_UID, VIOMMU_ATTACH_NOTIFY), 0);
    assert_int_equal(peer_attach(rig, &peer, REST, 0), -ENODEV);
    assert_int_equal(peer_detach(rig, &peer, SID), 0);
    assert_int_equal(peer_attach(rig, &peer, SID, VIOMMU_ATTACH_ATS),
                     -EOPNOTSUPP);
    assert_int_equal(peer_attach(rig, &peer, SID, VIOMMU_ATTACH_PRI),
                     -EOPNOTSUPP);
    peer_close(&peer);
    world_destroy(world);
}

static void
full_unit_has_device_tlbs_and_page_requests(void **state)
{
    struct world *world = world_create("full");
    struct peer peer = attached(world, VIOMMU_ATTACH_ATS | VIOMMU_ATTACH_PRI);

    (void)state;
    peer_close(&peer);
    world_destroy(world);
}

static int
named_user(struct rig *rig)
{
    int fd = child_dial(rig);

    if (fd < 0 || child_hello(fd))
        return 1;
    if (child_attach(fd, SID) != EACCES || child_attach(fd, REST) != ENODEV)
        return 2;
    return child_attach(fd, SID_UID) ? 3 : 0;
}

static int
another_user(struct rig *rig)
{
    int fd = child_dial(rig);

    return fd >= 0 && child_hello(fd) == EACCES ? 0 : 1;
}

static void
user_speaks_for_what_the_configuration_gives_him(void **state)
{
    struct world *world = world_create("legacy");

    (void)state;
    if (geteuid() == 0) {
        assert_int_equal(rig_as_user(&world->rig, 4242, named_user), 0);
        assert_int_equal(rig_as_user(&world->rig, 4243, another_user), 0);
    }
    world_destroy(world);
    if (geteuid() != 0)
        skip();
}

/* --- requests --------------------------------------------------------------- */

static struct viommu_msg
access_of(uint64_t iova, uint8_t access)
{
    return (struct viommu_msg){ .access = { .iova = iova,
                                            .pasid = VIOMMU_PROTO_NO_PASID,
                                            .sid = SID,
                                            .access = access } };
}

static void
miss_is_translated_by_the_model(void **state)
{
    struct world *world = world_create("legacy");
    struct rig *rig = &world->rig;
    struct peer peer = attached(world, VIOMMU_ATTACH_NOTIFY);
    struct vtd_fault_info info;

    (void)state;
    assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, 1,
                          access_of(0x12345678, VIOMMU_WRITE)));
    rig_run(rig);
    peer_expect(&peer, VIOMMU_MSG_IOTLB_UPDATE);
    assert_int_equal(peer.in.update.iova, 0x12345000);
    assert_int_equal(peer.in.update.uaddr, 0x12345000);
    assert_int_equal(peer.in.update.size, 0x1000);
    assert_int_equal(peer.in.update.perm & 3, VIOMMU_READ | VIOMMU_WRITE);
    assert_int_equal(peer.in.update.sid, SID);

    /* A root table of zeroes permits nothing, which is recorded. */
    w8(world, RTADDR, 0x1000);
    w4(world, GCMD, 1u << 30);
    w4(world, GCMD, 1u << 31);
    assert_true(peer_send(&peer, VIOMMU_MSG_IOTLB_MISS, 2,
                          access_of(0x12345678, VIOMMU_WRITE)));
    rig_run(rig);
    while (peer_take(&peer, NULL) &&
           peer.in.header.type != VIOMMU_MSG_ACCESS_FAIL)
        assert_true(peer.in.header.type == VIOMMU_MSG_IOTLB_INVALIDATE);
    assert_int_equal(peer.in.header.type, VIOMMU_MSG_ACCESS_FAIL);
    assert_int_equal(peer.in.fail.reason, VTD_FR_ROOT_P);
    vtd_fault_info(world->unit[0].vtd, 0, &info);
    assert_true(info.valid);
    assert_int_equal(info.sid, SID);
    assert_int_equal(info.reason, VTD_FR_ROOT_P);
    peer_close(&peer);
    world_destroy(world);
}

static void
fault_of_a_client_is_recorded(void **state)
{
    struct world *world = world_create("legacy");
    struct rig *rig = &world->rig;
    struct peer peer = peer_open(rig, true);
    struct vtd_fault_info info;

    (void)state;
    assert_int_equal(peer_attach(rig, &peer, SID, VIOMMU_ATTACH_WALK), 0);
    w8(world, RTADDR, 0x1000);
    w4(world, GCMD, 1u << 30);
    /* What is not one, as the model sees it, is none. */
    assert_true(
        peer_send(&peer, VIOMMU_MSG_FAULT, 0, access_of(0x5000, VIOMMU_READ)));
    rig_run(rig);
    vtd_fault_info(world->unit[0].vtd, 0, &info);
    assert_false(info.valid);
    w4(world, GCMD, 1u << 31);
    assert_true(
        peer_send(&peer, VIOMMU_MSG_FAULT, 0, access_of(0x5000, VIOMMU_READ)));
    rig_run(rig);
    vtd_fault_info(world->unit[0].vtd, 0, &info);
    assert_true(info.valid);
    assert_int_equal(info.info, 0x5000);
    peer_expect_silence(&peer);
    peer_close(&peer);
    world_destroy(world);
}

static void
message_is_delivered_as_the_unit_says(void **state)
{
    struct world *world = world_create("legacy");
    struct rig *rig = &world->rig;
    struct peer peer = attached(world, 0);
    struct viommu_msg msg = {
        .msi = { .addr = 0xfee05000, .data = 0x41, .sid = SID }
    };

    (void)state;
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 0, msg));
    rig_run(rig);
    assert_int_equal(world->delivered, 1);
    assert_int_equal(world->route.vector, 0x41);
    assert_int_equal(world->route.dest, 5);

    /* Elsewhere it is a write to memory, and not ours to do. */
    msg.msi.addr = 0xfed05000;
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 0, msg));
    msg.msi.addr = UINT64_C(0x1fee05000);
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 0, msg));
    rig_run(rig);
    assert_int_equal(world->delivered, 1);

    /* A table of zeroes, and no messages past it. */
    w8(world, 0xb8, 0x4000 | 7);
    w4(world, GCMD, 1u << 24);
    w4(world, GCMD, 1u << 25);
    msg.msi.addr = 0xfee00010;
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 0, msg));
    rig_run(rig);
    assert_int_equal(world->delivered, 1);
    /* Entry 3: vector 0x52, for this source alone, to 2. */
    memcpy(
        &world->ram[0x4000 + 3 * 16],
        (const uint64_t[]){ UINT64_C(0x200) << 32 | 0x520001, 0x40000 | SID },
        16);
    msg.msi.addr = 0xfee00010 | 3 << 5;
    msg.msi.data = 0;
    assert_true(peer_send(&peer, VIOMMU_MSG_MSI, 0, msg));
    rig_run(rig);
    assert_int_equal(world->delivered, 2);
    assert_int_equal(world->route.vector, 0x52);
    assert_int_equal(world->route.dest, 2);
    peer_expect_silence(&peer);
    peer_close(&peer);
    world_destroy(world);
}

static void
page_request_nobody_hears_is_answered(void **state)
{
    struct world *world = world_create("full");
    struct rig *rig = &world->rig;
    struct peer peer = attached(world, VIOMMU_ATTACH_ATS | VIOMMU_ATTACH_PRI);
    const struct viommu_msg msg = { .page_request = { .addr = 0x7000,
                                                      .pasid = 5,
                                                      .sid = SID,
                                                      .group = 33,
                                                      .access = VIOMMU_READ,
                                                      .flags =
                                                          VIOMMU_PAGE_LAST } };

    (void)state;
    assert_true(peer_send(&peer, VIOMMU_MSG_PAGE_REQUEST, 0, msg));
    rig_run(rig);
    peer_expect(&peer, VIOMMU_MSG_PAGE_RESPONSE);
    assert_int_equal(peer.in.page_response.group, 33);
    assert_int_equal(peer.in.page_response.pasid, 5);
    assert_int_equal(peer.in.page_response.sid, SID);
    peer_close(&peer);
    world_destroy(world);
}

/* --- invalidations ---------------------------------------------------------- */

struct told {
    const char *dma;
    struct vtd_inv inv;
    uint64_t iova, last;
    uint32_t pasid;
    bool tlb;
};

#define ALL UINT64_MAX
#define ANY VIOMMU_PROTO_NO_PASID

static void
peers_are_told_what_they_may_have_kept(void **state)
{
    static const struct told told[] = {
        { "legacy", { .kind = VTD_INV_ROOT }, 0, ALL, ANY, false },
        { "legacy", { .kind = VTD_INV_CONTEXT }, 0, ALL, ANY, false },
        { "legacy",
          { .kind = VTD_INV_IOTLB, .shift = 64 },
          0,
          ALL,
          ANY,
          false },
        { "legacy",
          { .kind = VTD_INV_IOTLB,
            .scope = VTD_INV_ONE,
            .pages = true,
            .addr = 0x7000,
            .shift = 13 },
          0x6000,
          0x7fff,
          ANY,
          false },
        /* Nested, these are no IOVAs. */
        { "full",
          { .kind = VTD_INV_IOTLB,
            .scope = VTD_INV_ONE,
            .pages = true,
            .addr = 0x7000,
            .shift = 12 },
          0,
          ALL,
          ANY,
          false },
        /* The PASID may be the one of requests without. */
        { "full",
          { .kind = VTD_INV_PASID_IOTLB,
            .scope = VTD_INV_ONE,
            .pages = true,
            .pasid = 9,
            .addr = 0x7000,
            .shift = 12 },
          0x7000,
          0x7fff,
          ANY,
          false },
        { "full", { .kind = VTD_INV_PASID_CACHE }, 0, ALL, ANY, false },
        { "full",
          { .kind = VTD_INV_PASID_DEV_TLB,
            .scope = VTD_INV_ONE,
            .pages = true,
            .pasid = 9,
            .sid = SID,
            .addr = 0x200000,
            .shift = 21 },
          0x200000,
          0x3fffff,
          9,
          true },
        { "full",
          { .kind = VTD_INV_PASID_DEV_TLB,
            .scope = VTD_INV_GLOBAL,
            .pasid = 9,
            .sid = SID },
          0,
          ALL,
          ANY,
          true },
        /* Function 5 is this one; the mask leaves open which one it is. */
        { "full",
          { .kind = VTD_INV_DEV_TLB,
            .sid = SID | 5,
            .function_mask = 7,
            .pages = true,
            .addr = ~UINT64_C(0xfff),
            .shift = 64 },
          0,
          ALL,
          ANY,
          true },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        struct world *world = world_create(told[i].dma);
        struct peer peer = attached(world, told[i].tlb ? VIOMMU_ATTACH_ATS
                                                       : VIOMMU_ATTACH_NOTIFY);

        sinks_invalidate(&world->sinks, 0, &told[i].inv);
        assert_false(sinks_sync(&world->sinks, 0, 1));
        peer_expect(&peer, told[i].tlb ? VIOMMU_MSG_DEV_TLB_INVALIDATE
                                       : VIOMMU_MSG_IOTLB_INVALIDATE);
        assert_int_equal(peer.in.invalidate.sid, SID);
        assert_int_equal(peer.in.invalidate.iova, told[i].iova);
        assert_int_equal(peer.in.invalidate.last, told[i].last);
        assert_int_equal(peer.in.invalidate.pasid, told[i].pasid);
        peer_expect_silence(&peer);
        peer_close(&peer);
        world_destroy(world);
    }
}

static void
other_functions_are_not_told(void **state)
{
    struct world *world = world_create("full");
    struct peer peer = attached(world, VIOMMU_ATTACH_ATS);
    const struct vtd_inv inv[] = {
        { .kind = VTD_INV_DEV_TLB, .sid = SID | 1 },
        { .kind = VTD_INV_DEV_TLB, .sid = SID | 5, .function_mask = 3 },
        { .kind = VTD_INV_DEV_TLB, .sid = SID + 8, .function_mask = 7 },
    };

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        sinks_invalidate(&world->sinks, 0, &inv[i]);
    assert_true(sinks_sync(&world->sinks, 0, 1));
    peer_expect_silence(&peer);
    peer_close(&peer);
    world_destroy(world);
}

static void
wait_descriptor_completes_with_the_acknowledgement(void **state)
{
    struct world *world = world_create("legacy");
    struct rig *rig = &world->rig;
    struct peer peer = attached(world, VIOMMU_ATTACH_NOTIFY);

    (void)state;
    queue_enable(world);
    invalidate_and_wait(world, 0x12, 0, 7);
    peer_expect(&peer, VIOMMU_MSG_IOTLB_INVALIDATE);
    assert_int_equal(done(world), 0);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_int_equal(done(world), 7);
    /* Cut off, it keeps the guest from nothing. */
    invalidate_and_wait(world, 0x12, 0, 8);
    assert_int_equal(done(world), 7);
    for (unsigned i = 0; i < 1000 && done(world) != 8; i++)
        rig_run_ms(rig, 1);
    assert_int_equal(done(world), 8);
    peer_expect(&peer, VIOMMU_MSG_IOTLB_INVALIDATE);
    peer_expect_cut_off(&peer, -ETIMEDOUT);
    peer_close(&peer);
    world_destroy(world);
}

static void
device_tlb_that_is_late_sets_ite(void **state)
{
    struct world *world = world_create("full");
    struct rig *rig = &world->rig;
    struct peer peer = attached(world, VIOMMU_ATTACH_ATS);

    (void)state;
    queue_enable(world);
    invalidate_and_wait(world, 3 | (uint64_t)SID << 32, 0x1000, 7);
    for (unsigned i = 0;
         i < 1000 && !(vtd_mmio_read(world->unit[0].vtd, FSTS, 4) & ITE); i++)
        rig_run_ms(rig, 1);
    assert_true(vtd_mmio_read(world->unit[0].vtd, FSTS, 4) & ITE);
    assert_int_equal(vtd_mmio_read(world->unit[0].vtd, 0xb0, 8) >> 32, SID);
    assert_int_equal(done(world), 0);
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    peer_expect_silence(&peer);
    /* The guest goes on, and so does the device. */
    w4(world, FSTS, ITE);
    invalidate_and_wait(world, 3 | (uint64_t)SID << 32, 0x1000, 8);
    peer_expect(&peer, VIOMMU_MSG_DEV_TLB_INVALIDATE);
    assert_true(peer_ack(&peer, peer.in.header.seq, 0));
    rig_run(rig);
    assert_int_equal(done(world), 8);
    peer_close(&peer);
    world_destroy(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_are_those_of_units_that_remap),
        cmocka_unit_test(full_unit_has_device_tlbs_and_page_requests),
        cmocka_unit_test(user_speaks_for_what_the_configuration_gives_him),
        cmocka_unit_test(miss_is_translated_by_the_model),
        cmocka_unit_test(fault_of_a_client_is_recorded),
        cmocka_unit_test(message_is_delivered_as_the_unit_says),
        cmocka_unit_test(page_request_nobody_hears_is_answered),
        cmocka_unit_test(peers_are_told_what_they_may_have_kept),
        cmocka_unit_test(other_functions_are_not_told),
        cmocka_unit_test(wait_descriptor_completes_with_the_acknowledgement),
        cmocka_unit_test(device_tlb_that_is_late_sets_ite),
    };

    return cmocka_run_group_tests_name("service: sinks", tests, NULL, NULL);
}
