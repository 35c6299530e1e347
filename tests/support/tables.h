/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that builds the structures of DMA remapping in flat memory, as its
 * driver would.  Positions are written out here and not taken from the model's
 * headers, so that a wrong one there is found.
 */
#ifndef TESTS_SUPPORT_TABLES_H
#define TESTS_SUPPORT_TABLES_H

#include <stdint.h>

/* Pages of [next, end) are given out in order. */
struct tables {
    uint8_t *ram; /* guest physical 0 */
    uint64_t next, end;
};

void tables_init(struct tables *tables, uint8_t *ram, uint64_t first,
                 uint64_t end);

/* @n new pages full of zeroes, one behind the other; never fails. */
uint64_t tables_pages(struct tables *tables, unsigned n);

uint64_t tables_q(const struct tables *tables, uint64_t gpa);
void tables_q_set(struct tables *tables, uint64_t gpa, uint64_t val);

/*
 * Where the context entry of @sid is, in legacy and in scalable mode; its
 * table is made and named in the root table @root if there is none.
 */
uint64_t tables_context(struct tables *tables, uint64_t root, uint16_t sid);
uint64_t tables_sm_context(struct tables *tables, uint64_t root, uint16_t sid);

/*
 * Where the PASID table entry of @pasid is, likewise, in directory @dir, which
 * has to be large enough.
 */
uint64_t tables_pasid(struct tables *tables, uint64_t dir, uint32_t pasid);

/* What such entries hold; the rest of them is zero. */
#define TABLES_TT_SECOND     UINT64_C(0)
#define TABLES_TT_SECOND_ATS UINT64_C(4)
#define TABLES_TT_PASS       UINT64_C(8)
#define TABLES_AW_39         UINT64_C(1)
#define TABLES_AW_48         UINT64_C(2)
#define TABLES_AW_57         UINT64_C(3)

/* A legacy context entry at @gpa: low bits @lo with P, @aw and @did. */
void tables_context_set(struct tables *tables, uint64_t gpa, uint64_t lo,
                        uint64_t aw, uint16_t did);

#define TABLES_SM_FPD      UINT64_C(2)
#define TABLES_SM_DTE      UINT64_C(4)
#define TABLES_SM_PASIDE   UINT64_C(8)
#define TABLES_SM_PRE      UINT64_C(0x10)
#define TABLES_SM_PDTS(n)  ((uint64_t)(n) << 9)
#define TABLES_SM_RID_PRIV UINT64_C(0x100000)

#define TABLES_PE_FPD    UINT64_C(2)
#define TABLES_PE_AW(aw) ((uint64_t)(aw) << 2)
#define TABLES_PE_FIRST  UINT64_C(0x40)
#define TABLES_PE_SECOND UINT64_C(0x80)
#define TABLES_PE_NESTED UINT64_C(0xc0)
#define TABLES_PE_PASS   UINT64_C(0x100)
#define TABLES_PE_SSADE  UINT64_C(0x200)
#define TABLES_PE1_PWSNP UINT64_C(0x800000)
#define TABLES_PE1_PGSNP UINT64_C(0x1000000)
#define TABLES_PE2_SRE   UINT64_C(1)
#define TABLES_PE2_ERE   UINT64_C(2)
#define TABLES_PE2_FS5LP UINT64_C(4)
#define TABLES_PE2_WPE   UINT64_C(0x10)
#define TABLES_PE2_EAFE  UINT64_C(0x80)

/* Bits of paging entries. */
#define TABLES_SS_R   UINT64_C(1)
#define TABLES_SS_W   UINT64_C(2)
#define TABLES_SS_A   UINT64_C(0x100)
#define TABLES_SS_D   UINT64_C(0x200)
#define TABLES_SS_SNP UINT64_C(0x800)
#define TABLES_FS_P   UINT64_C(1)
#define TABLES_FS_RW  UINT64_C(2)
#define TABLES_FS_US  UINT64_C(4)
#define TABLES_FS_A   UINT64_C(0x20)
#define TABLES_FS_D   UINT64_C(0x40)
#define TABLES_FS_G   UINT64_C(0x100)
#define TABLES_FS_EA  UINT64_C(0x400)
#define TABLES_FS_XD  (UINT64_C(1) << 63)
/* Of both stages, in levels above 1: the entry is a page. */
#define TABLES_PS UINT64_C(0x80)

/*
 * Where the entry of @level for @iova is in tables of @levels levels at @root.
 * Tables on the way are made, by entries with the bits @path.
 */
uint64_t tables_entry(struct tables *tables, uint64_t root, unsigned levels,
                      uint64_t iova, unsigned level, uint64_t path);

struct tables_map {
    uint64_t root;
    unsigned levels;
    uint64_t path; /* bits of entries that name tables */
};

/*
 * Map the page of 2^@shift bytes at @iova to @gpa: @bits are its permissions
 * and the like; PS is added.  Returns where the entry is.
 */
uint64_t tables_map(struct tables *tables, const struct tables_map *map,
                    uint64_t iova, uint64_t gpa, unsigned shift, uint64_t bits);

#endif
