/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unit with a small guest around it: flat memory, a recorder of everything
 * the model does to the world, and a consumer that keeps the routes it was
 * told, as Xen does.
 */
#ifndef TESTS_SUPPORT_MODEL_H
#define TESTS_SUPPORT_MODEL_H

#include "daemon/vtd/spec-regs.h"
#include "daemon/vtd/vtd.h"

#define MODEL_RAM_SIZE 0x500000u

/* Where tests put things. */
#define MODEL_STATUS 0x2000u
#define MODEL_IRT    0x100000u /* 1 MiB */
#define MODEL_IRT2   0x200000u /* another one */
#define MODEL_QUEUE  0x400000u /* 512 KiB */

#define MODEL_MSI_MAX   64u
#define MODEL_RETRY_MAX 64u
#define MODEL_RESP_MAX  256u
#define MODEL_INV_MAX   64u

struct model_msi {
    uint64_t addr;
    uint32_t data;
};

struct model {
    struct vtd *vtd;
    struct vtd_ops ops;
    uint8_t ram[MODEL_RAM_SIZE];
    uint64_t bad_gpa;   /* reads and writes here fail; 0: nowhere */
    uint64_t bad_write; /* writes alone fail here; 0: nowhere */

    unsigned reads, writes; /* of guest memory */
    unsigned exchanges;     /* compare-exchanges, done or not */
    /* What another processor does just before each of them; or NULL. */
    void (*before_exchange)(struct model *model, uint64_t gpa);
    unsigned msi_count;
    struct model_msi msi[MODEL_MSI_MAX];

    /* The consumer. */
    unsigned state_calls, route_calls, clear_calls, retry_calls;
    unsigned routes_told; /* in all calls */
    struct vtd_ir_state state;
    struct vtd_route route[VTD_IRT_MAX];
    struct vtd_ir_event retry[MODEL_RETRY_MAX];

    /* The devices. */
    unsigned resp_count;
    struct vtd_page_resp resp[MODEL_RESP_MAX];

    /* Sinks: what they were told; the last ones, round and round. */
    unsigned inv_count;
    struct vtd_inv inv[MODEL_INV_MAX];
    bool sync_late; /* they acknowledge later */
    unsigned sync_calls;
    uint64_t sync_token; /* of the last call */

    /* Order of what matters: a status write must see the routes before it. */
    unsigned routes_at_write;

    uint64_t tail; /* of the queue, in entries */
    unsigned desc_size;
    uint64_t queue_entries;
};

/* A unit with extended interrupt mode and eight records. */
extern const struct vtd_config model_config;

/* Never fail: a test without a unit is an error. */
struct model *model_create(const struct vtd_config *config);
void model_destroy(struct model *model);

/* Start over with a traced unit: @trace is called with @model as context. */
void model_trace(struct model *model,
                 void (*trace)(void *ctx, enum vtd_event ev,
                               const uint64_t arg[4]));

/* cmocka fixtures: *state is a struct model of model_config. */
int model_setup(void **state);
int model_teardown(void **state);
#define MODEL_TEST(f) \
    cmocka_unit_test_setup_teardown(f, model_setup, model_teardown)

uint32_t model_r4(struct model *model, uint32_t off);
uint64_t model_r8(struct model *model, uint32_t off);
void model_w4(struct model *model, uint32_t off, uint32_t val);
void model_w8(struct model *model, uint32_t off, uint64_t val);

uint64_t model_ram_q(const struct model *model, uint64_t gpa);
uint32_t model_ram_d(const struct model *model, uint64_t gpa);
void model_ram_q_set(struct model *model, uint64_t gpa, uint64_t val);

/* Enable the queue at MODEL_QUEUE with 256 << @qs entries. */
void model_queue_enable(struct model *model, unsigned qs);
/* The same with 128 << @qs entries of 256 bits. */
void model_queue_enable_wide(struct model *model, unsigned qs);
/* Append one descriptor, without and with telling the unit. */
void model_queue_append(struct model *model, uint64_t lo, uint64_t hi);
void model_queue_run(struct model *model, uint64_t lo, uint64_t hi);
void model_queue_doorbell(struct model *model);
/* Entry @i, quadword @quad. */
void model_queue_set(struct model *model, uint64_t i, unsigned quad,
                     uint64_t val);
uint32_t model_queue_head(struct model *model);

/* From now on the unit has sinks. */
void model_sinks_attach(struct model *model);
/* What they were told last; it must be something. */
const struct vtd_inv *model_inv_last(const struct model *model);

/* Latch a table at MODEL_IRT of 2 << @s entries, and enable remapping. */
void model_irt_latch(struct model *model, unsigned s, bool eime);
void model_irt_enable(struct model *model, unsigned s, bool eime);
void model_irte_set(struct model *model, uint32_t index, uint64_t lo,
                    uint64_t hi);

/* Descriptors that tests use most. */
#define MODEL_IEC_GLOBAL UINT64_C(0x4)
#define MODEL_IEC(index, im) \
    (UINT64_C(0x14) | (uint64_t)(index) << 32 | (uint64_t)(im) << 27)
#define MODEL_WAIT_SW(data) (UINT64_C(0x25) | (uint64_t)(data) << 32)
#define MODEL_WAIT_IF       UINT64_C(0x15)
#define MODEL_WAIT_FN       UINT64_C(0x45)

/* An entry: present, fixed, physical, edge; EIM destination. */
#define MODEL_IRTE(vector, dest) \
    (UINT64_C(1) | (uint64_t)(vector) << 16 | (uint64_t)(dest) << 32)

/* A remappable MSI address, without and with subhandle valid. */
#define MODEL_MSI(index)                                      \
    (UINT64_C(0xfee00010) | ((uint64_t)(index)&0x7fff) << 5 | \
     ((uint64_t)(index)&0x8000) >> 13)
#define MODEL_MSI_SHV(index) (MODEL_MSI(index) | 8)

/* Remap @addr without data from source 0; the fault or VTD_FR_OK. */
enum vtd_fr model_remap(struct model *model, uint64_t addr,
                        struct vtd_route *route);
enum vtd_fr model_remap_sid(struct model *model, uint64_t addr, uint16_t sid);

uint32_t model_fsts(struct model *model);
/* Clear record @i the way Linux does: one dword. */
void model_record_clear(struct model *model, unsigned i);
/* Clear all records and all status bits. */
void model_faults_clear(struct model *model);

#endif
