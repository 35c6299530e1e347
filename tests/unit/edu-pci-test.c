/* SPDX-License-Identifier: GPL-2.0-only */
/* The edu device's configuration space. */
#include "tests/unit/edu-life.h"

static const struct pci_identity identity = {
    .vendor = 0x1234,
    .device = 0x11e8,
    .class = 0x00ff,
    .revision = 0x10,
    .bar_size = EDU_BAR_SIZE,
};

static struct pci_function
function(unsigned with)
{
    struct pci_function pci;

    pci_init(&pci, &identity, with);
    return pci;
}

static void
it_is_the_device_that_qemu_has(void **state)
{
    const struct pci_function pci = function(PCI_WITH_INTX);

    (void)state;
    assert_int_equal(pci_read(&pci, 0x00, 4), 0x11e81234);
    assert_int_equal(pci_read(&pci, 0x04, 4), 0x00100000);
    assert_int_equal(pci_read(&pci, 0x08, 4), 0x00ff0010);
    assert_int_equal(pci_read(&pci, 0x0c, 4), 0);
    assert_int_equal(pci_read(&pci, 0x10, 8), 0);
    assert_int_equal(pci_read(&pci, 0x2c, 4), 0x11001af4);
    assert_int_equal(pci_read(&pci, 0x34, 4), 0x40);
    assert_int_equal(pci_read(&pci, 0x3c, 4), 0x100);
    assert_int_equal(pci_read(&pci, 0x40, 4), 0x00800005);
}

static void
only_what_the_specification_lets_be_written_changes(void **state)
{
    struct pci_function pci = function(PCI_WITH_INTX | PCI_EXTENDED);
    static const struct {
        uint32_t off;
        uint32_t ones;   /* after all ones */
        uint32_t zeroes; /* after zeroes */
    } space[] = {
        { 0x000, 0x11e81234, 0x11e81234 },
        { 0x004, 0x00100546, 0x00100000 },
        { 0x008, 0x00ff0010, 0x00ff0010 },
        { 0x00c, 0x000000ff, 0 },
        { 0x010, 0xfff00000, 0 },
        { 0x014, 0, 0 },
        { 0x024, 0, 0 },
        { 0x030, 0, 0 },
        { 0x02c, 0x11001af4, 0x11001af4 },
        { 0x034, 0x40, 0x40 },
        { 0x03c, 0x1ff, 0x100 },
        { 0x040, 0x00816005, 0x00806005 },
        { 0x044, 0xfffffffc, 0 },
        { 0x048, 0xffffffff, 0 },
        { 0x04c, 0x0000ffff, 0 },
        { 0x050, 0, 0 },
        { 0x060, 0x00920010, 0x00920010 },
        { 0x064, 0x8000, 0x8000 },
        { 0x068, 0x0000700f, 0 },
        { 0x084, 0x00200000, 0x00200000 },
        { 0x100, 0x1101001b, 0x1101001b },
        { 0x104, 0x00071406, 0x00001406 },
        { 0x110, 0x1201000f, 0x1201000f },
        { 0x114, 0x801f0020, 0x00000020 },
        { 0x120, 0x00010013, 0x00010013 },
        { 0x124, 0x80000001, 0x81000000 },
        { 0x128, 1, 1 },
        { 0x12c, 0xffffffff, 0 },
        { 0x130, 0, 0 },
        { 0xffc, 0, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(space) / sizeof(space[0]); i++) {
        pci_write(&pci, space[i].off, 4, UINT32_MAX);
        assert_int_equal(pci_read(&pci, space[i].off, 4), space[i].ones);
        pci_write(&pci, space[i].off, 4, 0);
        assert_int_equal(pci_read(&pci, space[i].off, 4), space[i].zeroes);
    }
}

static void
a_bar_tells_its_size_and_is_not_there_then(void **state)
{
    struct pci_function pci = function(0);

    (void)state;
    pci_write(&pci, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(pci_bar(&pci), 0);
    pci_write(&pci, PCI_BASE_ADDRESS_0, 4, UINT32_MAX);
    assert_int_equal(pci_read(&pci, PCI_BASE_ADDRESS_0, 4),
                     UINT32_MAX - EDU_BAR_SIZE + 1);
    assert_int_equal(pci_bar(&pci), 0);

    pci_write(&pci, PCI_BASE_ADDRESS_0, 4, 0xf0123456);
    assert_int_equal(pci_bar(&pci), 0xf0100000);
    pci_write(&pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    assert_int_equal(pci_bar(&pci), 0);
}

static void
it_is_written_a_byte_at_a_time_as_well(void **state)
{
    struct pci_function pci = function(0);

    (void)state;
    pci_write(&pci, PCI_BASE_ADDRESS_0 + 3, 1, 0xe1);
    pci_write(&pci, PCI_BASE_ADDRESS_0 + 2, 1, 0xff);
    assert_int_equal(pci_read(&pci, PCI_BASE_ADDRESS_0, 4), 0xe1f00000);
    pci_write(&pci, PCI_COMMAND, 1, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(pci_bar(&pci), 0xe1f00000);
    assert_true(pci_is_master(&pci));
    /* Across the end of one register and into the next. */
    pci_write(&pci, MSI_CAP + PCI_MSI_ADDRESS_LO + 2, 4, 0x22221111);
    assert_int_equal(pci_read(&pci, MSI_CAP + PCI_MSI_ADDRESS_LO, 8),
                     0x222211110000);
}

static void
nothing_is_beyond_the_end(void **state)
{
    static const unsigned with[] = { 0, PCI_EXTENDED };
    static const uint32_t end[] = { 256, 4096 };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct pci_function pci = function(with[i]);
        const struct pci_function before = pci;

        for (unsigned size = 1; size <= 8; size++) {
            uint32_t off = end[i] - size;

            assert_int_equal(pci_read(&pci, off, size), 0);
            assert_int_equal(pci_read(&pci, off + 1, size), UINT64_MAX);
            assert_int_equal(pci_read(&pci, UINT32_MAX - 1, size), UINT64_MAX);
            pci_write(&pci, off + 1, size, UINT64_MAX);
            pci_write(&pci, UINT32_MAX, size, UINT64_MAX);
        }
        assert_int_equal(pci_read(&pci, 0, 0), UINT64_MAX);
        assert_int_equal(pci_read(&pci, 0, 9), UINT64_MAX);
        pci_write(&pci, 0x10, 9, UINT64_MAX);
        assert_memory_equal(&pci, &before, sizeof(pci));
    }
}

static void
an_msi_is_what_was_written(void **state)
{
    struct pci_function pci = function(0);
    uint64_t addr;
    uint32_t data;

    (void)state;
    assert_false(pci_msi(&pci, &addr, &data));
    pci_write(&pci, MSI_CAP + PCI_MSI_ADDRESS_LO, 4, 0xfee0f00f);
    pci_write(&pci, MSI_CAP + PCI_MSI_ADDRESS_HI, 4, 0x12345678);
    pci_write(&pci, MSI_CAP + PCI_MSI_DATA_64, 4, 0xffff8765);
    assert_false(pci_msi(&pci, &addr, &data));
    pci_write(&pci, MSI_CAP + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
    assert_true(pci_msi(&pci, &addr, &data));
    assert_int_equal(addr, 0x12345678fee0f00c);
    assert_int_equal(data, 0x8765);
}

static void
the_pin_follows_the_wish_unless_something_is_against_it(void **state)
{
    struct pci_function pci = function(PCI_WITH_INTX);
    struct pci_function pinless = function(0);

    (void)state;
    assert_false(pci_intx(&pci, false));
    assert_true(pci_intx(&pci, true));
    assert_int_equal(pci_read(&pci, PCI_STATUS, 2), 0x18);
    assert_false(pci_intx(&pinless, true));
    assert_int_equal(pci_read(&pinless, PCI_STATUS, 2), 0x10);

    pci_write(&pci, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    assert_false(pci_intx(&pci, true));
    assert_int_equal(pci_read(&pci, PCI_STATUS, 2), 0x18);
    pci_write(&pci, PCI_COMMAND, 2, 0);
    assert_true(pci_intx(&pci, true));

    pci_write(&pci, MSI_CAP + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
    assert_false(pci_intx(&pci, true));
    assert_int_equal(pci_read(&pci, PCI_STATUS, 2), 0x10);
}

/* The offset of an extended capability; 0: there is none. */
static uint32_t
capability(const struct pci_function *pci, uint16_t id)
{
    uint32_t off = 0x100;

    for (unsigned i = 0; i < 8 && off; i++) {
        uint32_t header = (uint32_t)pci_read(pci, off, 4);

        if (PCI_EXT_CAP_ID(header) == id) {
            assert_int_equal(PCI_EXT_CAP_VER(header), 1);
            return off;
        }
        off = PCI_EXT_CAP_NEXT(header);
    }
    return 0;
}

static void
what_the_unit_lacks_is_not_shown(void **state)
{
    static const struct {
        unsigned with;
        uint16_t id;
        uint16_t control; /* its offset */
        uint16_t enable;
    } known[] = {
        { PCI_WITH_PASID, PCI_EXT_CAP_ID_PASID, PCI_PASID_CTRL,
          PCI_PASID_CTRL_ENABLE },
        { PCI_WITH_ATS, PCI_EXT_CAP_ID_ATS, PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE },
        { PCI_WITH_PRI, PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE },
    };

    (void)state;
    for (unsigned with = 0; with <= PCI_EXTENDED; with += 2) {
        struct pci_function pci = function(with);
        unsigned on = 0;

        for (unsigned i = 0; i < 3; i++) {
            uint32_t off = capability(&pci, known[i].id);

            assert_int_equal(off != 0, (with & known[i].with) != 0);
            if (off) {
                pci_write(&pci, off + known[i].control, 2, known[i].enable);
                on |= known[i].with;
            }
            assert_int_equal(pci_enabled(&pci), on);
        }
    }
}

static void
page_requests_are_stopped_while_they_are_off(void **state)
{
    struct pci_function pci = function(PCI_EXTENDED);
    uint32_t off = capability(&pci, PCI_EXT_CAP_ID_PRI);

    (void)state;
    assert_int_equal(pci_read(&pci, off + PCI_PRI_STATUS, 2), 0x8100);
    pci_write(&pci, off + PCI_PRI_CTRL, 2, PCI_PRI_CTRL_ENABLE);
    assert_int_equal(pci_read(&pci, off + PCI_PRI_STATUS, 2), 0x8000);
    pci_write(&pci, off + PCI_PRI_CTRL, 2, 0);
    assert_int_equal(pci_read(&pci, off + PCI_PRI_STATUS, 2), 0x8100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_device_that_qemu_has),
        cmocka_unit_test(only_what_the_specification_lets_be_written_changes),
        cmocka_unit_test(a_bar_tells_its_size_and_is_not_there_then),
        cmocka_unit_test(it_is_written_a_byte_at_a_time_as_well),
        cmocka_unit_test(nothing_is_beyond_the_end),
        cmocka_unit_test(an_msi_is_what_was_written),
        cmocka_unit_test(
            the_pin_follows_the_wish_unless_something_is_against_it),
        cmocka_unit_test(what_the_unit_lacks_is_not_shown),
        cmocka_unit_test(page_requests_are_stopped_while_they_are_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
