/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses of other shapes than one register: sizes, alignments, two at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define GPA_PAGE UINT64_C(0x000ffffffffff000)

/* An 8-byte access over two registers reaches both: GUEST lore, FEADDR. */
static void
qword_covers_two_dword_registers(void **state)
{
    struct model *model = *state;

    model_w8(model, 0x40, UINT64_C(0x1234567800fee00c));
    assert_int_equal(model_r4(model, 0x40), 0x00fee00c);
    assert_int_equal(model_r4(model, 0x44), 0x12345678);
    assert_int_equal(model_r8(model, 0x40), UINT64_C(0x1234567800fee00c));
    model_w8(model, 0x38, UINT64_C(0x000000ee00000000));
    assert_int_equal(model_r4(model, 0x38), 0);
    assert_int_equal(model_r4(model, 0x3c), 0xee);
    /* A misaligned qword is two dwords, too. */
    model_w8(model, 0x3c, UINT64_C(0xfee01000000000dd));
    assert_int_equal(model_r4(model, 0x3c), 0xdd);
    assert_int_equal(model_r4(model, 0x40), 0xfee01000);
}

/* Reads of any size and alignment are bytes of the aligned registers. */
static void
reads_of_any_shape_agree(void **state)
{
    struct model *model = *state;
    uint8_t page[VTD_MMIO_SIZE + 8] = { 0 };

    model_w8(model, 0x20, UINT64_C(0x000123456789a000));
    model_w8(model, 0x3c, UINT64_C(0xfee0300400005566));
    model_w8(model, 0xa4, UINT64_C(0xfee0100c0000aabb));
    for (uint32_t off = 0; off < VTD_MMIO_SIZE; off++) {
        page[off] = (uint8_t)vtd_mmio_read(model->vtd, off, 1);
    }
    assert_int_equal(page[0x22], 0x89);
    for (uint32_t off = 0; off < VTD_MMIO_SIZE; off++) {
        for (unsigned size = 1; size <= 8; size++) {
            uint64_t want = 0;

            memcpy(&want, &page[off], size);
            assert_int_equal(vtd_mmio_read(model->vtd, off, size), want);
        }
    }
}

/*
 * Of a write only whole aligned dwords act.  FEDATA stands in for all: what
 * decides is the shape.
 */
static void
writes_of_odd_shapes_act_in_whole_dwords(void **state)
{
    struct model *model = *state;

    for (unsigned size = 1; size <= 8; size++) {
        for (uint32_t off = 0x30; off < 0x40; off++) {
            bool covered = off <= 0x3c && off + size >= 0x40;
            bool odd = off % 4 != 0 || size % 4 != 0;
            uint64_t bad = vtd_stat_value(model->vtd, VTD_STAT_MMIO_BAD);

            model_w4(model, 0x3c, 0);
            vtd_mmio_write(model->vtd, off, size, UINT64_MAX);
            assert_int_equal(model_r4(model, 0x3c), covered ? 0xffff : 0);
            assert_int_equal(vtd_stat_value(model->vtd, VTD_STAT_MMIO_BAD),
                             bad + odd);
        }
    }
}

/* What is dropped on the way does not shift what is stored. */
static void
the_dword_inside_an_odd_write_is_the_one_at_its_place(void **state)
{
    struct model *model = *state;

    vtd_mmio_write(model->vtd, 0x3b, 5, UINT64_C(0x1122334455));
    assert_int_equal(model_r4(model, 0x3c), 0x3344);
    vtd_mmio_write(model->vtd, 0x3a, 6, UINT64_C(0x5566778899aa));
    assert_int_equal(model_r4(model, 0x3c), 0x7788);
    vtd_mmio_write(model->vtd, 0x39, 8, UINT64_C(0x8899aabbccddeeff));
    assert_int_equal(model_r4(model, 0x3c), 0xbbcc);
    vtd_mmio_write(model->vtd, 0x3c, 7, UINT64_C(0x99aabbcc01020304));
    assert_int_equal(model_r4(model, 0x3c), 0x0304);
    assert_int_equal(model_r4(model, 0x40), 0);
}

/* The same at the two dwords of one register. */
static void
writes_of_odd_shapes_act_in_halves_of_a_register(void **state)
{
    struct model *model = *state;

    for (unsigned size = 1; size <= 8; size++) {
        for (uint32_t off = 0x18; off < 0x28; off++) {
            uint64_t want = 0;

            want |= off <= 0x20 && off + size >= 0x24 ? UINT32_MAX : 0;
            want |= off <= 0x24 && off + size >= 0x28 ? UINT64_MAX << 32 : 0;
            vtd_reset(model->vtd);
            vtd_mmio_write(model->vtd, off, size, UINT64_MAX);
            assert_int_equal(model_r8(model, 0x20), want & GPA_PAGE);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(qword_covers_two_dword_registers),
        MODEL_TEST(reads_of_any_shape_agree),
        MODEL_TEST(writes_of_odd_shapes_act_in_whole_dwords),
        MODEL_TEST(the_dword_inside_an_odd_write_is_the_one_at_its_place),
        MODEL_TEST(writes_of_odd_shapes_act_in_halves_of_a_register),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
