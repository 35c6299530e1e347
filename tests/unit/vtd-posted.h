/* SPDX-License-Identifier: GPL-2.0-only */
/* A unit that posts, with one posted entry, for the tests of that. */
#ifndef TESTS_UNIT_VTD_POSTED_H
#define TESTS_UNIT_VTD_POSTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/model.h"

#define PID UINT64_C(0x3040) /* where most tests have the descriptor */
#define SID 0x0102
#define FPD UINT64_C(2)
#define URG (UINT64_C(1) << 14)
#define IM  (UINT64_C(1) << 15)
#define ON  UINT64_C(1)
#define SN  UINT64_C(2)

/* A descriptor's control quadword: notify APIC id @dest with @vector. */
#define CONTROL(vector, dest) \
    ((uint64_t)(vector) << 16 | (uint64_t)(dest) << 32)
#define CONTROL_GPA (PID + 32)

/* An entry that posts @vector to the descriptor at @gpa, from any source. */
#define POSTED_LO(gpa, vector) \
    (1 | IM | (uint64_t)(vector) << 16 | ((gpa)&0xffffffc0) << 32)
#define POSTED_HI(gpa) ((gpa)&UINT64_C(0xffffffff00000000))

static const struct vtd_config posted_config = {
    .fault_records = 8,
    .haw = 46,
    .ir = true,
    .eim = true,
    .pi = true,
};

static inline int
setup_mode(void **state, bool eime)
{
    struct model *model = model_create(&posted_config);

    *state = model;
    model_irt_enable(model, 15, eime);
    model_irte_set(model, 9, POSTED_LO(PID, 0x51), POSTED_HI(PID));
    model_ram_q_set(model, CONTROL_GPA,
                    eime ? CONTROL(0xf2, 0x12345678) : CONTROL(0xf2, 0x9a00));
    return 0;
}

static inline int
setup(void **state)
{
    return setup_mode(state, true);
}

static inline int
setup_xapic(void **state)
{
    return setup_mode(state, false);
}

/* A request for @index as a device makes it; what became of it. */
static inline enum vtd_fr
request(struct model *model, uint32_t index)
{
    struct vtd_route route;
    enum vtd_fr fr =
        vtd_ir_remap(model->vtd, MODEL_MSI(index), 0, SID, true, &route);

    if (fr == VTD_FR_OK) {
        assert_int_equal(route.index, index);
        assert_false(route.present);
    }
    return fr;
}

static inline void
miss(struct model *model, uint32_t index)
{
    const struct vtd_ir_event event = {
        .reason = VTD_FR_IR_NOT_PRESENT,
        .index = index,
        .sid = SID,
        .sid_valid = true,
    };

    vtd_ir_event(model->vtd, &event);
}

/* Vector @vector is the only one in the descriptor; take it out. */
static inline void
assert_requested(struct model *model, unsigned vector)
{
    for (unsigned word = 0; word < 4; word++) {
        assert_int_equal(model_ram_q(model, PID + word * 8),
                         word == vector / 64 ? UINT64_C(1) << vector % 64 : 0);
        model_ram_q_set(model, PID + word * 8, 0);
    }
}

/* One notification was sent since the last time, or none. */
static inline void
assert_notified(struct model *model, bool notified)
{
    assert_int_equal(model->msi_count, notified);
    if (notified) {
        assert_int_equal(model->msi[0].addr, UINT64_C(0x12345600fee78000));
        assert_int_equal(model->msi[0].data, 0xf2);
    }
    model->msi_count = 0;
}

/* There is one record, or none if FPD hides it; clear it. */
static inline void
assert_fault(struct model *model, uint8_t reason, uint32_t index, bool recorded)
{
    assert_int_equal(model_fsts(model) & 0xff, recorded ? 2 : 0);
    if (recorded) {
        unsigned at = model_fsts(model) >> 8 & 0xff;

        assert_int_equal(model_r8(model, 0x220 + at * 16),
                         (uint64_t)index << 48);
        assert_int_equal(model_r8(model, 0x228 + at * 16),
                         UINT64_C(1) << 63 | (uint64_t)reason << 32 | SID);
    }
    model_faults_clear(model);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, model_teardown)

#endif
