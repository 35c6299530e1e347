/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/inv.h"

#include "daemon/vtd/priv.h"
#include "daemon/vtd/spec-qi.h"

/* vtd_inv.shift of one page, and of every address. */
#define PAGE_SHIFT 12u
#define ALL_SHIFT  64u

/* Up to this address mask pages share so few counters that they cost none. */
#define AM_CHEAP 4u

static void
tell(struct vtd *vtd, const struct vtd_inv *inv)
{
    if (vtd->ops->invalidate) {
        vtd->ops->invalidate(vtd->ctx, inv);
        vtd_sync_set(&vtd->sync, VTD_SYNC_DIRTY, vtd->ops->sync != NULL);
    }
}

void
vtd_inv_announce(struct vtd *vtd, const struct vtd_inv *inv)
{
    vtd->stat[VTD_STAT_INVALIDATE]++;
    vtd_gens_invalidate(&vtd->view->gens, inv);
    tell(vtd, inv);
}

void
vtd_inv_announce_root(struct vtd *vtd)
{
    const struct vtd_inv inv = {
        .kind = VTD_INV_ROOT,
        .scope = VTD_INV_GLOBAL,
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };

    vtd_inv_announce(vtd, &inv);
}

/* The 2^@shift bytes around @addr; everything, from ALL_SHIFT on. */
static void
set_range(struct vtd_inv *inv, uint64_t addr, unsigned shift)
{
    inv->pages = true;
    if (shift < ALL_SHIFT) {
        inv->addr = addr >> shift << shift;
        inv->shift = (uint8_t)shift;
    }
}

/* FM, as the bits of a function number that do not count. */
static uint8_t
function_mask(uint64_t fm)
{
    return (uint8_t)(0x7u & ~(0x7u >> fm));
}

/*
 * Descriptions are built in the unit, not on the stack: the protection that a
 * structure there gets costs a tenth of what is done here.
 *
 * Context entries of scalable mode belong to no domain: there the request for
 * one is that for all, and the domain of a device does not count.
 * [VT-d 4.1, "Context-cache Invalidate Descriptor"]
 */
int
vtd_inv_context(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;

    (void)hi;
    *inv = (struct vtd_inv){
        .kind = VTD_INV_CONTEXT,
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };
    switch (VTD_GET(VTD_CC_LO_G, lo)) {
    case VTD_G_GLOBAL:
        inv->scope = VTD_INV_GLOBAL;
        break;
    case VTD_G_DOMAIN:
        if (vtd->view->state.root.ttm == VTD_TTM_SCALABLE) {
            inv->scope = VTD_INV_GLOBAL;
            break;
        }
        inv->scope = VTD_INV_DOMAIN;
        inv->did = (uint16_t)VTD_GET(VTD_CC_LO_DID, lo);
        break;
    case VTD_G_ONE:
        inv->scope = VTD_INV_ONE;
        inv->did = (uint16_t)VTD_GET(VTD_CC_LO_DID, lo);
        inv->sid = (uint16_t)VTD_GET(VTD_CC_LO_SID, lo);
        inv->function_mask = function_mask(VTD_GET(VTD_CC_LO_FM, lo));
        break;
    default:
        return -VTD_IQEI_RSVD;
    }
    vtd_inv_announce(vtd, inv);
    return 1;
}

/* The address of a second-stage page: bits beyond MGAW are ignored. */
static uint64_t
second_addr(const struct vtd *vtd, uint64_t addr)
{
    return addr & (VTD_BIT(vtd->config.mgaw) - 1);
}

/* Void what the model has cached. */
static inline __attribute__((always_inline)) int
forget_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_gens *gens = &vtd->view->gens;
    uint16_t did = (uint16_t)VTD_GET(VTD_TLB_LO_DID, lo);
    unsigned am = (unsigned)VTD_GET(VTD_TLB_HI_AM, hi);
    uint64_t g = lo & VTD_TLB_LO_G;

    /* Pages first: they are what drivers invalidate all the time. */
    if (__builtin_expect(g == VTD_PREP(VTD_TLB_LO_G, VTD_G_ONE), 1)) {
        if (am > vtd->config.mamv) {
            return -VTD_IQEI_RSVD;
        }
        vtd->stat[VTD_STAT_INVALIDATE]++;
        return vtd_gens_invalidate_pages(gens, did, second_addr(vtd, hi),
                                         PAGE_SHIFT + am,
                                         (hi & VTD_TLB_HI_IH) != 0);
    }
    if (g == VTD_PREP(VTD_TLB_LO_G, VTD_G_RSVD)) {
        return -VTD_IQEI_RSVD;
    }
    vtd->stat[VTD_STAT_INVALIDATE]++;
    return g == VTD_PREP(VTD_TLB_LO_G, VTD_G_GLOBAL)
               ? vtd_gens_invalidate_global(gens)
               : vtd_gens_invalidate_domain(gens, did);
}

static __attribute__((noinline)) int
forget_and_tell_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;
    int cost = forget_iotlb(vtd, lo, hi);
    unsigned g = (unsigned)VTD_GET(VTD_TLB_LO_G, lo);

    if (cost <= 0) {
        return cost;
    }
    *inv = (struct vtd_inv){
        .kind = VTD_INV_IOTLB,
        .scope = (enum vtd_inv_scope)(g - VTD_G_GLOBAL),
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };
    if (g != VTD_G_GLOBAL) {
        inv->did = (uint16_t)VTD_GET(VTD_TLB_LO_DID, lo);
    }
    if (g == VTD_G_ONE) {
        inv->leaf_only = (hi & VTD_TLB_HI_IH) != 0;
        set_range(inv, second_addr(vtd, hi),
                  PAGE_SHIFT + (unsigned)VTD_GET(VTD_TLB_HI_AM, hi));
    }
    tell(vtd, inv);
    return cost;
}
_Static_assert(VTD_INV_DOMAIN - VTD_INV_GLOBAL == VTD_G_DOMAIN - VTD_G_GLOBAL &&
                   VTD_INV_ONE - VTD_INV_GLOBAL == VTD_G_ONE - VTD_G_GLOBAL &&
                   VTD_INV_GLOBAL == 0,
               "a granularity and a scope differ");

/*
 * Accesses are translated one by one and complete, as far as the model is
 * concerned, at once; sinks that have some in flight acknowledge when these
 * are done.  So every wait descriptor drains, whatever DR and DW say.
 * [VT-d 4.1, "Draining of Requests to Memory"]
 */
int
vtd_inv_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    if (vtd->ops->invalidate) {
        return forget_and_tell_iotlb(vtd, lo, hi);
    }
    return forget_iotlb(vtd, lo, hi);
}

/*
 * CAP.MAMV does not bound the mask: Linux flushes up to 2^52 pages by
 * one descriptor.  What goes beyond the address space is all of it.
 */
int
vtd_inv_pasid_iotlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;
    unsigned am = (unsigned)VTD_GET(VTD_PTLB_HI_AM, hi);

    *inv = (struct vtd_inv){
        .kind = VTD_INV_PASID_IOTLB,
        .scope = VTD_INV_ONE,
        .did = (uint16_t)VTD_GET(VTD_PTLB_LO_DID, lo),
        .pasid = (uint32_t)VTD_GET(VTD_PTLB_LO_PASID, lo),
        .shift = ALL_SHIFT,
    };
    switch (VTD_GET(VTD_PTLB_LO_G, lo)) {
    case VTD_PTLB_G_PASID:
        break;
    case VTD_PTLB_G_PAGE:
        inv->leaf_only = (hi & VTD_PTLB_HI_IH) != 0;
        set_range(inv, hi, PAGE_SHIFT + am);
        break;
    default:
        return -VTD_IQEI_RSVD;
    }
    vtd_inv_announce(vtd, inv);
    return am > AM_CHEAP ? 2 : 1;
}

int
vtd_inv_pasid_cache(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;

    (void)hi;
    *inv = (struct vtd_inv){
        .kind = VTD_INV_PASID_CACHE,
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };
    switch (VTD_GET(VTD_PC_LO_G, lo)) {
    case VTD_PC_G_GLOBAL:
        inv->scope = VTD_INV_GLOBAL;
        break;
    case VTD_PC_G_DOMAIN:
        inv->scope = VTD_INV_DOMAIN;
        inv->did = (uint16_t)VTD_GET(VTD_PC_LO_DID, lo);
        break;
    case VTD_PC_G_PASID:
        inv->scope = VTD_INV_ONE;
        inv->did = (uint16_t)VTD_GET(VTD_PC_LO_DID, lo);
        inv->pasid = (uint32_t)VTD_GET(VTD_PC_LO_PASID, lo);
        break;
    default:
        return -VTD_IQEI_RSVD;
    }
    vtd_inv_announce(vtd, inv);
    return 1;
}

/*
 * With @s the lowest clear bit of the address tells the size: the range is
 * twice as large as the bit.  Without a clear bit it is everything.
 * [PCIe, "Invalidate Request Message Body"]
 */
static unsigned
device_shift(uint64_t addr, bool s)
{
    uint64_t clear = ~(addr | VTD_MASK(PAGE_SHIFT - 1, 0));

    if (!s) {
        return PAGE_SHIFT;
    }
    return clear == 0 ? ALL_SHIFT : (unsigned)__builtin_ctzll(clear) + 1;
}

/*
 * The model has no device TLB; sinks have.  MIP and PFSID pace hardware that
 * sends such invalidations over a link; nothing here needs it.
 */
int
vtd_inv_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;

    *inv = (struct vtd_inv){
        .kind = VTD_INV_DEV_TLB,
        .scope = VTD_INV_ONE,
        .sid = (uint16_t)VTD_GET(VTD_DTLB_LO_SID, lo),
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };
    set_range(inv, hi, device_shift(hi, (hi & VTD_DTLB_HI_S) != 0));
    vtd_inv_announce(vtd, inv);
    return 1;
}

int
vtd_inv_pasid_dev_tlb(struct vtd *vtd, uint64_t lo, uint64_t hi)
{
    struct vtd_inv *inv = &vtd->inv;

    *inv = (struct vtd_inv){
        .kind = VTD_INV_PASID_DEV_TLB,
        .scope = VTD_INV_GLOBAL,
        .sid = (uint16_t)VTD_GET(VTD_PDTLB_LO_SID, lo),
        .pasid = VTD_NO_PASID,
        .shift = ALL_SHIFT,
    };
    if (!(hi & VTD_PDTLB_HI_G)) {
        inv->scope = VTD_INV_ONE;
        inv->pasid = (uint32_t)VTD_GET(VTD_PDTLB_LO_PASID, lo);
    }
    set_range(inv, hi, device_shift(hi, (hi & VTD_PDTLB_HI_S) != 0));
    vtd_inv_announce(vtd, inv);
    return 1;
}
