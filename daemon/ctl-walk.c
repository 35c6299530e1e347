/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl-walk.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>

#include "daemon/ctl-common.h"
#include "daemon/ctl-dma.h"
#include "daemon/ctl-reason.h"
#include "daemon/qmp.h"
#include "daemon/viommud.h"

#define PAGE       UINT64_C(4096)
#define SID_MAX    UINT16_MAX
#define PASID_MAX  0xfffffu
#define ACCESS_ALL (VTD_DMA_READ | VTD_DMA_WRITE | VTD_DMA_EXEC)

/* Of an address in a record, what every unit records. */
#define RECORD_ADDR UINT64_C(0x7ffffff000)

void
ctl_walk_run(struct ctl_walk *walk, const struct unit *unit,
             const struct vtd_dma_req *req)
{
    *walk = (struct ctl_walk){ .unit = unit, .req = *req };
    walk->enabled = ctl_reg_field(unit->vtd, "GSTS", "TES") != 0;
    walk->fr =
        vtd_dma_inspect(unit->vtd, req, &walk->trail, &walk->ctx, &walk->page);
}

/* --- parts of an answer ---------------------------------------------------- */

void
ctl_permits(uint8_t access, char text[CTL_PERMITS_SIZE])
{
    static const char letter[] = "rwx";
    unsigned len = 0;

    for (unsigned i = 0; letter[i]; i++) {
        if (access & 1u << i)
            text[len++] = letter[i];
    }
    text[len] = '\0';
}

void
ctl_walk_add_request(struct json_object *obj, const struct vtd_dma_req *req)
{
    char access[CTL_PERMITS_SIZE];

    ctl_permits(req->access, access);
    ctl_add_uint(obj, "sid", req->sid);
    ctl_add_known(obj, "pasid", req->pasid != VTD_NO_PASID, req->pasid);
    ctl_add_uint(obj, "iova", req->iova);
    ctl_add_string(obj, "access", access);
    ctl_add_bool(obj, "privileged", req->privileged);
}

static const char *
mode_name(const struct ctl_walk *walk)
{
    static const char *const name[] = {
        [VTD_STAGE_NONE] = "none",           [VTD_STAGE_PASS] = "pass-through",
        [VTD_STAGE_SECOND] = "second-stage", [VTD_STAGE_FIRST] = "first-stage",
        [VTD_STAGE_NESTED] = "nested",
    };

    return walk->enabled ? name[walk->ctx.stage] : "disabled";
}

static bool
has_first(const struct ctl_walk *walk)
{
    return walk->ctx.stage == VTD_STAGE_FIRST ||
           walk->ctx.stage == VTD_STAGE_NESTED;
}

static bool
has_second(const struct ctl_walk *walk)
{
    return walk->ctx.stage == VTD_STAGE_SECOND ||
           walk->ctx.stage == VTD_STAGE_NESTED;
}

void
ctl_walk_add_mode(struct json_object *obj, const struct ctl_walk *walk)
{
    const struct vtd_dma_ctx *ctx = &walk->ctx;
    bool found = ctx->stage != VTD_STAGE_NONE;

    ctl_add_string(obj, "mode", mode_name(walk));
    ctl_add_bool(obj, "scalable", found && ctx->scalable);
    /* Of the first, or only, stage. */
    ctl_add_known(obj, "levels", has_first(walk) || has_second(walk),
                  has_first(walk) ? ctx->fs_levels : ctx->ss_levels);
    ctl_add_known(obj, "second-levels", ctx->stage == VTD_STAGE_NESTED,
                  ctx->ss_levels);
    ctl_add_known(obj, "did", found, ctx->did);
}

static struct json_object *
step_list(const struct vtd_trail *trail)
{
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < trail->count; i++) {
        const struct vtd_step *step = &trail->step[i];
        struct json_object *obj = json_object_new_object();

        ctl_add_string(obj, "what", step->what);
        ctl_add_known(obj, "level", step->level > 0, step->level);
        ctl_add_uint(obj, "gpa", step->gpa);
        ctl_add_raw(obj, step->raw, step->quads);
        json_object_array_add(list, obj);
    }
    return list;
}

/* --- the verdict ------------------------------------------------------------ */

/*
 * Of all kinds of access, those that would succeed.  One walk does not tell: it
 * says what may follow it without another one, as for a dirty flag to be set.
 */
static uint8_t
permitted(const struct ctl_walk *walk)
{
    static const uint8_t asks[] = {
        VTD_DMA_READ,
        VTD_DMA_WRITE,
        VTD_DMA_READ | VTD_DMA_EXEC,
    };
    unsigned n = walk->req.pasid == VTD_NO_PASID ? 2 : 3;
    uint8_t access = 0;

    for (unsigned i = 0; i < n; i++) {
        struct vtd_dma_req req = walk->req;
        struct ctl_walk other;

        req.access = asks[i];
        ctl_walk_run(&other, walk->unit, &req);
        if (other.fr == VTD_FR_OK)
            access |= asks[i];
    }
    return access;
}

static const char *
verdict_name(enum vtd_fr fr)
{
    return fr == VTD_FR_BLOCKED ? "blocked" : vtd_fault_name((uint8_t)fr);
}

/* A sentence about it; @buf is for one with numbers in it. */
static const char *
verdict_text(const struct ctl_walk *walk, uint64_t gpa, char *buf, size_t size)
{
    if (walk->fr == VTD_FR_BLOCKED)
        return "Refused without a fault: what is protected by the unit's "
               "registers, or a request of a kind that is not served now.";
    if (walk->fr != VTD_FR_OK)
        return ctl_reason_meaning((uint8_t)walk->fr);
    if (!walk->enabled)
        return "The guest has not enabled DMA remapping: the address is a "
               "guest physical one.";
    if (walk->ctx.stage == VTD_STAGE_PASS)
        return "The device passes through: the address is a guest physical "
               "one.";
    (void)snprintf(buf, size,
                   "Permitted: the address is guest physical 0x%" PRIx64 ".",
                   gpa);
    return buf;
}

static struct json_object *
walk_object(const struct ctl_walk *walk)
{
    struct json_object *obj = json_object_new_object();
    uint64_t gpa = walk->page.gpa + walk->req.iova % PAGE;
    bool ok = walk->fr == VTD_FR_OK;
    char permits[CTL_PERMITS_SIZE];
    char text[80];

    ctl_permits(permitted(walk), permits);
    ctl_add_uint(obj, "unit", walk->unit->index);
    ctl_walk_add_request(obj, &walk->req);
    ctl_walk_add_mode(obj, walk);
    json_object_object_add(obj, "steps", step_list(&walk->trail));
    ctl_add_uint(obj, "reason", walk->fr);
    ctl_add_string(obj, "verdict", verdict_name(walk->fr));
    ctl_add_known(obj, "gpa", ok, gpa);
    ctl_add_known(obj, "size", ok, UINT64_C(1) << walk->page.shift);
    ctl_add_string(obj, "permits", permits);
    ctl_add_string(obj, "text", verdict_text(walk, gpa, text, sizeof(text)));
    return obj;
}

/* --- query-walk ------------------------------------------------------------- */

/* The unit that is asked about, or, without one, the device's. */
static const struct unit *
walk_unit(const struct viommud *v, struct json_object *args, uint16_t sid,
          struct qmp_error *error)
{
    const struct unit *unit;

    if (json_object_object_get_ex(args, "unit", NULL)) {
        unit = ctl_arg_unit(v, args, error);
        if (!unit)
            return NULL;
    } else {
        unit = unit_find_device(v->unit, v->unit_count, sid, NULL);
    }

    if (unit && unit->config.dma != CONFIG_DMA_NONE)
        return unit;
    qmp_error_set(error, "no unit translates the DMA of this device");
    return NULL;
}

struct json_object *
ctl_dma_walk(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct viommud *v = ctx;
    uint64_t sid = UINT64_MAX;
    uint64_t pasid = VTD_NO_PASID;
    uint64_t iova = 0;
    uint64_t access = VTD_DMA_READ;
    bool privileged = false;
    const struct unit *unit;
    struct ctl_walk walk;

    if (!qmp_arg_uint(args, "sid", SID_MAX, &sid, error) ||
        !qmp_arg_uint(args, "pasid", PASID_MAX, &pasid, error) ||
        !qmp_arg_uint(args, "iova", UINT64_MAX, &iova, error) ||
        !qmp_arg_uint(args, "access", ACCESS_ALL, &access, error) ||
        !qmp_arg_bool(args, "privileged", &privileged, error))
        return NULL;
    if (sid > SID_MAX) {
        qmp_error_set(error, "argument 'sid' is missing");
        return NULL;
    }

    unit = walk_unit(v, args, (uint16_t)sid, error);
    if (!unit)
        return NULL;

    ctl_walk_run(&walk, unit,
                 &(struct vtd_dma_req){
                     .iova = iova,
                     .pasid = (uint32_t)pasid,
                     .sid = (uint16_t)sid,
                     .access = (uint8_t)access,
                     .privileged = privileged && pasid != VTD_NO_PASID,
                 });
    return walk_object(&walk);
}

/* --- query-why -------------------------------------------------------------- */

/* Is it still to be seen in one of the unit's records? */
static bool
is_recorded(const struct unit *unit, const struct vtd_fault *fault)
{
    for (unsigned i = 0; i < unit->config.faults; i++) {
        struct vtd_fault_info info;

        vtd_fault_info(unit->vtd, i, &info);
        if (info.valid && info.reason == fault->reason &&
            info.sid == fault->req.sid &&
            !((info.info ^ fault->req.iova) & RECORD_ADDR))
            return true;
    }
    return false;
}

static const char *
still_text(const struct vtd_fault *fault, const struct ctl_walk *now)
{
    if (fault->type == VTD_FAULT_PAGE)
        return "It was a request for a page; below is what the device would "
               "meet if it accessed the page now.";
    if (now->fr == VTD_FR_OK)
        return "The same access would succeed now: the guest has changed "
               "what is in charge of it.";
    if (now->fr == fault->reason)
        return "The same access would be refused again, for the same reason.";
    return "The same access would be refused now for another reason.";
}

static struct json_object *
why_object(const struct unit *unit, const struct vtd_fault *fault,
           uint64_t count)
{
    struct json_object *obj = json_object_new_object();
    struct ctl_walk now;

    ctl_walk_run(&now, unit, &fault->req);
    ctl_add_uint(obj, "unit", unit->index);
    ctl_add_uint(obj, "faults", count);
    ctl_walk_add_request(obj, &fault->req);
    ctl_add_bool(obj, "page-request", fault->type == VTD_FAULT_PAGE);
    ctl_add_uint(obj, "reason", fault->reason);
    ctl_add_string(obj, "text", vtd_fault_name(fault->reason));
    ctl_add_bool(obj, "recorded", is_recorded(unit, fault));
    ctl_add_string(obj, "meaning", ctl_reason_meaning(fault->reason));
    ctl_add_string(obj, "still", still_text(fault, &now));
    json_object_object_add(obj, "now", walk_object(&now));
    return obj;
}

struct json_object *
ctl_dma_why(void *ctx, struct json_object *args, struct qmp_error *error)
{
    const struct viommud *v = ctx;
    bool one = json_object_object_get_ex(args, "unit", NULL);
    const struct unit *only = ctl_arg_unit(v, args, error);
    struct json_object *list;

    if (!only)
        return NULL;

    list = json_object_new_array();
    for (unsigned i = 0; i < v->unit_count; i++) {
        const struct unit *unit = &v->unit[i];
        struct vtd_fault fault;
        uint64_t count = vtd_fault_last(unit->vtd, &fault);

        if (count > 0 && (!one || unit == only))
            json_object_array_add(list, why_object(unit, &fault, count));
    }
    return list;
}
