/* SPDX-License-Identifier: GPL-2.0-only */
/* The unit's own MSIs, against the layout that the specification gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/fanout.h"

static struct xen_dm_op_viommu_ir_inject
decode(uint64_t addr, uint32_t data)
{
    struct xen_dm_op_viommu_ir_inject inject;

    assert_true(fanout_msi_decode(addr, data, &inject));
    assert_int_equal(inject.flags, XEN_DMOP_VIOMMU_INJECT_BYPASS);
    assert_int_equal(inject.index, 0);
    assert_int_equal(inject.sid, 0);
    return inject;
}

static void
destinations_have_32_bits(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t dest = 1u << bit;
        uint64_t addr = 0xfee00000u | ((uint64_t)(dest & 0xff) << 12) |
                        ((uint64_t)(dest & 0xffffff00u) << 32);

        assert_int_equal(decode(addr, 0x40).dest, dest);
    }
}

/* Bits 39:32, below the upper destination, say nothing. */
static void
reserved_bits_of_the_upper_address_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(decode(UINT64_C(0xff) << 32 | 0xfee01000u, 0).dest, 1);
}

static void
every_vector_and_mode(void **state)
{
    (void)state;
    for (uint32_t data = 0; data < 0x800; data++) {
        struct xen_dm_op_viommu_ir_inject inject = decode(0xfee00000u, data);

        assert_int_equal(inject.vector, data & 0xff);
        assert_int_equal(inject.mode, data >> 8);
        assert_int_equal(inject.dest, 0);
    }
}

static void
logical_level_and_hint(void **state)
{
    (void)state;
    assert_int_equal(decode(0xfee00004u, 0x31).mode, 1u << 3);
    assert_int_equal(decode(0xfee00000u, 0x8031).mode, 1u << 4);

    /* Level assert means nothing without level trigger. */
    assert_int_equal(decode(0xfee00000u, 0x4031).mode, 0);

    /* A hint turns fixed into lowest priority, and nothing else. */
    assert_int_equal(decode(0xfee00008u, 0x31).mode, 1);
    assert_int_equal(decode(0xfee0000cu, 0x31).mode, 1 | 1u << 3);
    assert_int_equal(decode(0xfee00008u, 0x431).mode, 4);
}

/* Bit 4 means nothing: the unit's own messages are never remapped. */
static void
the_format_bit_is_ignored(void **state)
{
    (void)state;
    assert_int_equal(decode(0xfee02010u, 0x55).vector, 0x55);
    assert_int_equal(decode(0xfee02010u, 0x55).dest, 2);
}

static void
other_addresses_are_no_interrupts(void **state)
{
    static const uint64_t bad[] = { 0, 0xfed00000u, 0xfef00000u, 0x7ee00000u,
                                    UINT64_C(0xfee00000) << 32 };
    struct xen_dm_op_viommu_ir_inject inject;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_false(fanout_msi_decode(bad[i], 0x31, &inject));
}

/* Who remaps no DMA has nobody to tell, and need not wait. */
static void
a_unit_has_the_services_that_it_needs(void **state)
{
    struct unit unit[2] = {
        { .index = 0, .config = { .dma = CONFIG_DMA_LEGACY } },
        { .index = 1, .wired = true },
    };
    static struct fanout fanout;
    const struct vtd_ops *dma;
    const struct vtd_ops *rest;

    (void)state;
    fanout.unit = unit;
    fanout.unit_count = 2;
    dma = fanout_ops(&fanout, 0, true);
    rest = fanout_ops(&fanout, 1, false);
    assert_ptr_equal(fanout.member[1].fanout, &fanout);
    assert_int_equal(fanout.member[1].index, 1);

    assert_true(dma->invalidate && dma->sync && dma->page_response);
    assert_false(rest->invalidate || rest->sync || rest->page_response);
    assert_non_null(dma->trace);
    assert_null(rest->trace);

    /* Xen hears nothing of the first: there is no way to it here. */
    dma->ir_state(&fanout.member[0], &(struct vtd_ir_state){ .entries = 1 });
    dma->ir_routes(&fanout.member[0], &(struct vtd_route){ .index = 1 }, 1);
    dma->ir_clear(&fanout.member[0], 0, 1);
    dma->ir_retry(&fanout.member[0], &(struct vtd_ir_event){ .index = 1 });
    assert_true(dma->ir_state != rest->ir_state);
    assert_true(dma->msi == rest->msi);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destinations_have_32_bits),
        cmocka_unit_test(reserved_bits_of_the_upper_address_are_ignored),
        cmocka_unit_test(every_vector_and_mode),
        cmocka_unit_test(logical_level_and_hint),
        cmocka_unit_test(the_format_bit_is_ignored),
        cmocka_unit_test(other_addresses_are_no_interrupts),
        cmocka_unit_test(a_unit_has_the_services_that_it_needs),
    };

    return cmocka_run_group_tests_name("daemon-fanout", tests, NULL, NULL);
}
