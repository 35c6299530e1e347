/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/vtd/gcmd.h"

#include "daemon/vtd/ir.h"
#include "daemon/vtd/qi.h"
#include "daemon/vtd/route.h"

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
 * IRE without a latched table is refused: it would remap through nothing.
 * The record that faults use next starts over when remapping is disabled.
 * [VT-d 4.1, "Primary Fault Logging"]
 */
static void
set_ire(struct vtd *vtd, bool enable)
{
    if (!enable) {
        status_change(vtd, VTD_GSTS_IRES, 0);
        vtd->fault_next = 0;
    } else if (vtd->irt.entries != 0) {
        status_change(vtd, 0, VTD_GSTS_IRES);
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

/*
 * Software changes one bit a write, others keep their status.  Several at
 * once are taken in an order in which each finds what it needs.
 *
 * A unit without DMA remapping completes SRTP, which has no effect, but
 * refuses TE: TES promises a protection that it could not give.  SFL, EAFL
 * and WBF are reserved where CAP.AFL and CAP.RWBF are clear.
 */
void
vtd_gcmd_write(struct vtd *vtd, uint64_t written, uint64_t cleared)
{
    uint32_t cmd = (uint32_t)written;
    uint32_t change = cmd ^ vtd_reg32(vtd, VTD_OFF_GSTS);

    (void)cleared;
    if (cmd & VTD_GCMD_SRTP) {
        status_change(vtd, 0, VTD_GSTS_RTPS);
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
    if (change & VTD_GCMD_QIE) {
        set_qie(vtd, (cmd & VTD_GCMD_QIE) != 0);
    }
    VTD_TRACE(vtd, GCMD, cmd, vtd_reg32(vtd, VTD_OFF_GSTS), 0, 0);
}
