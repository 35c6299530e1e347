/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/gcmd.h"

#include "daemon/vtd/caps.h"
#include "daemon/vtd/inv.h"
#include "daemon/vtd/ir.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/route.h"
#include "daemon/vtd/sync.h"
#include "daemon/vtd/translate.h"

static void
status_change(struct vtd *vtd, uint64_t clear, uint64_t set)
{
    uint32_t gsts = vtd_reg32(vtd, VTD_OFF_GSTS);

    vtd_reg32_set(vtd, VTD_OFF_GSTS, (gsts & ~clear) | set);
}

void
vtd_ir_state_get(const struct vtd *vtd, struct vtd_ir_state *state)
{
    uint32_t gsts = vtd_reg32(vtd, VTD_OFF_GSTS);

    /*
     * Extended interrupt mode blocks the compatibility format whatever CFI
     * says.  [VT-d 4.1, "Interrupt-Remapping Hardware Operation"]
     */
    state->enabled = (gsts & VTD_GSTS_IRES) != 0;
    state->block_compat =
        state->enabled && (vtd->irt.eime || !(gsts & VTD_GSTS_CFIS));
    state->entries = vtd->irt.entries;
}

void
vtd_gcmd_ir_announce(struct vtd *vtd)
{
    struct vtd_ir_state *told = &vtd->ir_told;
    struct vtd_ir_state state;

    vtd_ir_state_get(vtd, &state);
    if (state.enabled != told->enabled ||
        state.block_compat != told->block_compat ||
        state.entries != told->entries) {
        *told = state;
        vtd->ops->ir_state(vtd->ctx, told);
    }
}

/*
 * Latch IRTA.  Later writes to the register have no effect before the next
 * SIRTP.  Guests that write GSTS back with one bit more set SIRTP each time:
 * nothing happens then unless IRTA differs, or SIRTP is an invalidation.
 * Where the table changed its routes go in any case; software that does not
 * know ESIRTPS invalidates all of them next, and until then either is right.
 * [VT-d 4.1, "Global Command Register", on SIRTP]
 */
static void
latch_irta(struct vtd *vtd)
{
    uint64_t irta = vtd_reg64(vtd, VTD_OFF_IRTA);
    struct vtd_irt irt = {
        .base = irta & VTD_IRTA_IRTA,
        .entries = 2u << VTD_GET(VTD_IRTA_S, irta),
        .eime = (irta & VTD_IRTA_EIME) != 0,
    };

    vtd_irt_set_mode(&irt);

    if (irt.base != vtd->irt.base || irt.entries != vtd->irt.entries ||
        irt.eime != vtd->irt.eime) {
        vtd->irt = irt;
        vtd_route_clear(vtd);
    } else if (vtd->config.esirtps) {
        vtd_route_invalidate(vtd, 0, irt.entries);
        vtd_route_flush(vtd);
    }
    status_change(vtd, 0, VTD_GSTS_IRTPS);
}

/*
 * The record that faults use next starts over when all remapping is disabled.
 * [VT-d 4.1, "Primary Fault Logging"]
 */
static void
restart_records(struct vtd *vtd)
{
    if (!(vtd_reg32(vtd, VTD_OFF_GSTS) & (VTD_GSTS_TES | VTD_GSTS_IRES))) {
        vtd->fault_next = 0;
    }
}

/*
 * IRE without a latched table is refused: it would remap through nothing.  With
 * ESIRTPS a unit forgets its entries when it is disabled.
 * [VT-d 4.1, "Global Command Register", on IRE]
 */
static void
set_ire(struct vtd *vtd, bool enable)
{
    if (!enable) {
        status_change(vtd, VTD_GSTS_IRES, 0);
        restart_records(vtd);
        if (vtd->config.esirtps) {
            vtd_route_clear(vtd);
        }
    } else if (vtd->irt.entries != 0) {
        status_change(vtd, 0, VTD_GSTS_IRES);
    }
}

void
vtd_gcmd_synced(struct vtd *vtd, bool done)
{
    const struct vtd_root *root = &vtd->view->state.root;

    (void)done;
    status_change(vtd, VTD_GSTS_TES,
                  (root->latched ? VTD_GSTS_RTPS : 0) |
                      (root->enabled ? VTD_GSTS_TES : 0));
    restart_records(vtd);
}

/*
 * Other roots, or none: every translation that a sink keeps is void, and so is
 * what it knows of the root.  Software may free the old tables, or rely on the
 * protection of the new ones, once the status says so.
 * [VT-d 4.1, "Global Status Register", on RTPS and TES]
 */
static void
root_change(struct vtd *vtd, const struct vtd_root *root)
{
    vtd_state_publish(vtd, root);
    vtd_inv_announce_root(vtd);
    if (vtd_sync_request(vtd, VTD_SYNC_SRTP)) {
        vtd_gcmd_synced(vtd, true);
    }
}

/* A mode that the unit lacks is reserved; requests find that out. */
static enum vtd_ttm
root_mode(const struct vtd *vtd, uint64_t rtaddr)
{
    enum vtd_ttm ttm = (enum vtd_ttm)VTD_GET(VTD_RTADDR_TTM, rtaddr);

    if ((ttm == VTD_TTM_SCALABLE && !vtd->config.smts) ||
        (ttm == VTD_TTM_ABORT && !vtd->config.adms)) {
        return VTD_TTM_RSVD;
    }
    return ttm;
}

/*
 * Latch RTADDR; as with IRTA, a repeat is nothing unless SRTP is an
 * invalidation.  A change is one in any case, also where software does not
 * rely on it: hardware may forget what it has cached at any time.
 * [VT-d 4.1, "Global Command Register", on SRTP]
 */
static void
latch_rtaddr(struct vtd *vtd)
{
    const struct vtd_root *old = &vtd->view->state.root;
    uint64_t rtaddr = vtd_reg64(vtd, VTD_OFF_RTADDR);
    struct vtd_root root = {
        .base = rtaddr & VTD_RTADDR_RTA,
        .ttm = (uint8_t)root_mode(vtd, rtaddr),
        .latched = true,
        .enabled = old->enabled,
    };
    bool is_repeat =
        old->latched && root.base == old->base && root.ttm == old->ttm;

    if (!is_repeat || vtd->config.esrtps) {
        status_change(vtd, VTD_GSTS_RTPS, 0);
        root_change(vtd, &root);
    }
}

/*
 * TE without a latched root is refused: TES would promise a protection that
 * nothing describes.
 */
static void
set_te(struct vtd *vtd, bool enable)
{
    struct vtd_root root = vtd->view->state.root;

    if (!enable || root.latched) {
        root.enabled = enable;
        root_change(vtd, &root);
    }
}

static void
set_qie(struct vtd *vtd, bool enable)
{
    if (!enable) {
        status_change(vtd, VTD_GSTS_QIES, 0);
        vtd_qi_disable(vtd);
    } else {
        status_change(vtd, 0, VTD_GSTS_QIES);
        /* GUEST: Windows writes IQT before QIE; such a tail counts. */
        vtd_qi_kick(vtd);
    }
}

/* Commands that the unit knows; SFL, EAFL and WBF are reserved in all. */
static uint32_t
known_commands(const struct vtd *vtd)
{
    uint64_t known = VTD_GCMD_SRTP | VTD_GCMD_QIE;

    if (vtd_caps_have(&vtd->config, VTD_NEED_DMA)) {
        known |= VTD_GCMD_TE;
    }
    if (vtd->config.ir) {
        known |= VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_CFI;
    }
    return (uint32_t)known;
}

/*
 * Software changes one bit a write, others keep their status.  Several at
 * once are taken in an order in which each finds what it needs.
 *
 * A unit without DMA remapping completes SRTP, which has no effect.  What was
 * asked of TE is in the root: its status may come later.
 */
void
vtd_gcmd_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint32_t cmd = (uint32_t)written & known_commands(vtd);
    uint32_t change = cmd ^ vtd_reg32(vtd, VTD_OFF_GSTS);
    bool te = (cmd & VTD_GCMD_TE) != 0;

    (void)cleared;
    if (cmd & VTD_GCMD_SRTP) {
        if (vtd_caps_have(&vtd->config, VTD_NEED_DMA)) {
            latch_rtaddr(vtd);
        } else {
            status_change(vtd, 0, VTD_GSTS_RTPS);
        }
    }
    if (cmd & VTD_GCMD_SIRTP) {
        latch_irta(vtd);
    }
    if (change & VTD_GCMD_CFI) {
        status_change(vtd, VTD_GSTS_CFIS, cmd & VTD_GCMD_CFI);
    }
    if (change & VTD_GCMD_IRE) {
        set_ire(vtd, (cmd & VTD_GCMD_IRE) != 0);
    }
    vtd_gcmd_ir_announce(vtd);
    if (te != vtd->view->state.root.enabled) {
        set_te(vtd, te);
    }
    if (change & VTD_GCMD_QIE) {
        set_qie(vtd, (cmd & VTD_GCMD_QIE) != 0);
    }
    VTD_TRACE(vtd, GCMD, (uint32_t)written, vtd_reg32(vtd, VTD_OFF_GSTS), 0, 0);
}
