/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the control socket that are about DMA: what they tell of a
 * real model over a small guest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "daemon/ctl-query.h"
#include "daemon/ctl-reason.h"
#include "daemon/viommud.h"
#include "tests/support/dma.h"

#define READY "{\"execute\": \"qmp_capabilities\"}"

/* Of the device, as its unit lists it; a second device is never set up. */
#define OTHER_SID 0x0130u

static struct dma *dma;
static struct viommud daemon_; /* daemon() is the C library's */

static void
start(enum dma_kind kind)
{
    dma = dma_create(kind);
    memset(&daemon_, 0, sizeof(daemon_));
    daemon_.unit_count = 2;
    daemon_.unit[0] = (struct unit){
        .config = { .dma = CONFIG_DMA_FULL,
                    .faults = 8,
                    .device_count = 2,
                    .device = { DMA_SID, OTHER_SID } },
        .vtd = dma->model->vtd,
    };
    daemon_.unit[1] = (struct unit){
        .index = 1,
        .config = { .dma = CONFIG_DMA_NONE, .faults = 8 },
        .vtd = vtd_create(&vtd_config_ir, &dma->model->ops, dma->model),
    };
    assert_non_null(daemon_.unit[1].vtd);
}

static void
stop(void)
{
    vtd_destroy(daemon_.unit[1].vtd);
    dma_destroy(dma);
}

/* The whole reply to one request; the caller's to put. */
static struct json_object *
request(const char *text)
{
    struct qmp_session session = {
        .command = ctl_query_commands,
        .command_count = ctl_query_command_count,
        .ctx = &daemon_,
        .negotiated = true,
    };
    bool fatal = true;
    struct json_object *reply =
        qmp_request(&session, text, strlen(text), &fatal);

    assert_false(fatal);
    return reply;
}

/* What a command returns; without one, @args is "". */
static struct json_object *
ask(const char *command, const char *args)
{
    struct json_object *ret = NULL;
    struct json_object *reply;
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"execute\": \"%s\", \"arguments\": {%s}}", command, args);
    reply = request(text);
    if (!json_object_object_get_ex(reply, "return", &ret))
        fail_msg("%s: %s", text, json_object_to_json_string(reply));
    ret = json_object_get(ret);
    json_object_put(reply);
    return ret;
}

static void
assert_refused(const char *command, const char *args, const char *why)
{
    struct json_object *reply;
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "{\"execute\": \"%s\", \"arguments\": {%s}}", command, args);
    reply = request(text);
    if (!strstr(json_object_to_json_string(reply), why))
        fail_msg("%s: %s", text, json_object_to_json_string(reply));
    json_object_put(reply);
}

/* A member, as JSON; "(none)" if it is missing. */
static const char *
get(struct json_object *obj, const char *name)
{
    struct json_object *val = NULL;

    if (!json_object_object_get_ex(obj, name, &val))
        return "(none)";
    return val ? json_object_to_json_string_ext(val, JSON_C_TO_STRING_PLAIN)
               : "null";
}

static struct json_object *
at(struct json_object *list, size_t i)
{
    assert_true(i < json_object_array_length(list));
    return json_object_array_get_idx(list, i);
}

static void
assert_has(struct json_object *obj, const char *name, const char *val)
{
    if (strcmp(get(obj, name), val) != 0)
        fail_msg("%s is %s instead of %s: %s", name, get(obj, name), val,
                 json_object_to_json_string(obj));
}

static void
assert_has_number(struct json_object *obj, const char *name, uint64_t val)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)val);
    assert_has(obj, name, text);
}

static void
assert_text(struct json_object *obj, const char *name, const char *part)
{
    if (!strstr(get(obj, name), part))
        fail_msg("%s has no '%s': %s", name, part, get(obj, name));
}

/* The device's own request, as arguments of query-walk. */
static const char *
walk_args(uint64_t iova, const char *more)
{
    static char text[160];
    char pasid[32] = "";

    if (dma->req.pasid != VTD_NO_PASID)
        (void)snprintf(pasid, sizeof(pasid), ", \"pasid\": %u", dma->req.pasid);
    (void)snprintf(text, sizeof(text), "\"sid\": %u, \"iova\": %llu%s%s",
                   DMA_SID, (unsigned long long)iova, pasid, more);
    return text;
}

/* --- query-walk ------------------------------------------------------------- */

static const struct {
    enum dma_kind kind;
    const char *mode, *levels, *second;
    unsigned steps;
    const char *first, *last;
} walks[] = {
    { DMA_LEGACY, "\"second-stage\"", "4", "null", 6, "\"root\"",
      "\"second-stage\"" },
    { DMA_LEGACY_PASS, "\"pass-through\"", "null", "null", 2, "\"root\"",
      "\"context\"" },
    { DMA_SECOND, "\"second-stage\"", "4", "null", 8, "\"root\"",
      "\"second-stage\"" },
    { DMA_FIRST, "\"first-stage\"", "4", "null", 8, "\"root\"",
      "\"first-stage\"" },
    /* Each of 4 first-stage entries lies behind 4 second-stage ones. */
    { DMA_NESTED, "\"nested\"", "4", "4", 4 + 4 + 5 * 4, "\"root\"",
      "\"second-stage\"" },
    { DMA_PASS, "\"pass-through\"", "null", "null", 4, "\"root\"",
      "\"pasid\"" },
};

static void
a_walk_tells_each_entry_and_what_comes_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(walks) / sizeof(walks[0]); i++) {
        bool pass = strstr(walks[i].mode, "pass") != NULL;
        uint64_t iova = pass ? 0x5000 : DMA_IOVA;
        struct json_object *steps;
        struct json_object *walk;

        start(walks[i].kind);
        walk = ask("query-walk", walk_args(iova + 0x123, ""));
        assert_has(walk, "unit", "0");
        assert_has_number(walk, "sid", DMA_SID);
        assert_has_number(walk, "iova", iova + 0x123);
        assert_has(walk, "access", "\"r\"");
        assert_has(walk, "mode", walks[i].mode);
        assert_has(walk, "levels", walks[i].levels);
        assert_has(walk, "second-levels", walks[i].second);
        assert_has_number(walk, "did", DMA_DID);
        assert_has(walk, "reason", "0");
        assert_has(walk, "verdict", "\"no fault\"");
        assert_has_number(walk, "gpa", (pass ? iova : DMA_GPA) + 0x123);
        assert_has(walk, "size", "4096");
        assert_text(walk, "permits", "rw");
        assert_text(walk, "text", "guest physical");
        json_object_object_get_ex(walk, "steps", &steps);
        assert_int_equal(json_object_array_length(steps), walks[i].steps);
        assert_has(at(steps, 0), "what", walks[i].first);
        assert_has(at(steps, 0), "level", "null");
        assert_has(at(steps, walks[i].steps - 1), "what", walks[i].last);
        json_object_put(walk);
        stop();
    }
}

static void
a_walk_shows_entries_as_they_are(void **state)
{
    struct json_object *steps;
    struct json_object *walk;
    char raw[64];

    (void)state;
    start(DMA_LEGACY);
    walk = ask("query-walk", walk_args(DMA_IOVA, ""));
    json_object_object_get_ex(walk, "steps", &steps);
    assert_has_number(at(steps, 1), "gpa", dma->context);
    (void)snprintf(raw, sizeof(raw), "[\"0x%016llx\",\"0x%016llx\"]",
                   (unsigned long long)dma_q(dma, dma->context),
                   (unsigned long long)dma_q(dma, dma->context + 8));
    assert_has(at(steps, 1), "raw", raw);
    assert_has(at(steps, 2), "level", "4");
    assert_has(at(steps, 5), "level", "1");
    assert_has_number(at(steps, 5), "gpa", dma->leaf);
    json_object_put(walk);
    stop();
}

static void
a_walk_changes_nothing(void **state)
{
    struct json_object *walk;

    (void)state;
    start(DMA_FIRST);
    dma_flip(dma, dma->leaf, TABLES_FS_P);
    walk = ask("query-walk", walk_args(DMA_IOVA, ", \"access\": 2"));
    assert_has_number(walk, "reason", VTD_FR_FS_P);
    assert_has(walk, "verdict", "\"first-stage entry not present\"");
    assert_has(walk, "gpa", "null");
    assert_has(walk, "size", "null");
    assert_has(walk, "permits", "\"\"");
    assert_text(walk, "text", "has not mapped this page");
    json_object_put(walk);
    assert_int_equal(model_r4(dma->model, 0x34), 0); /* FSTS */
    assert_int_equal(dma->model->exchanges, 0);
    assert_int_equal(dma_walks(dma), 0);
    stop();
}

static void
a_walk_is_for_the_access_that_it_is_told(void **state)
{
    struct json_object *walk;

    (void)state;
    start(DMA_FIRST);
    dma_flip(dma, dma->leaf, TABLES_FS_RW | TABLES_FS_US);
    walk = ask("query-walk", walk_args(DMA_IOVA, ""));
    assert_has_number(walk, "reason", VTD_FR_FS_USER);
    json_object_put(walk);
    dma_flip(dma, dma_pasid(dma, DMA_PASID, DMA_DID) + 16, TABLES_PE2_SRE);
    walk = ask("query-walk", walk_args(DMA_IOVA, ", \"privileged\": true"));
    assert_has(walk, "reason", "0");
    assert_has(walk, "privileged", "true");
    assert_text(walk, "permits", "r");
    json_object_put(walk);
    walk = ask("query-walk",
               walk_args(DMA_IOVA, ", \"access\": 7, \"privileged\": true"));
    assert_has(walk, "access", "\"rwx\"");
    assert_has_number(walk, "reason", VTD_FR_PASID_ERE);
    json_object_put(walk);
    stop();
}

static void
a_walk_without_remapping_leads_to_the_address_itself(void **state)
{
    struct json_object *walk;

    (void)state;
    start(DMA_LEGACY);
    model_w4(dma->model, VTD_OFF_GCMD, 0);
    walk = ask("query-walk", walk_args(0x5123, ""));
    assert_has(walk, "mode", "\"disabled\"");
    assert_has(walk, "steps", "[]");
    assert_has_number(walk, "gpa", 0x5123);
    assert_has(walk, "permits", "\"rw\"");
    assert_text(walk, "text", "has not enabled DMA remapping");
    json_object_put(walk);
    stop();
}

static void
a_walk_needs_a_device_of_a_unit(void **state)
{
    struct json_object *walk;

    (void)state;
    start(DMA_LEGACY);
    assert_refused("query-walk", "\"iova\": 0", "'sid' is missing");
    assert_refused("query-walk", "\"sid\": 65536", "sid");
    assert_refused("query-walk", "\"sid\": 1, \"pasid\": 1048576", "pasid");
    assert_refused("query-walk", "\"sid\": 1, \"iova\": -1", "iova");
    assert_refused("query-walk", "\"sid\": 1, \"access\": 8", "access");
    assert_refused("query-walk", "\"sid\": 1, \"unit\": 2", "unit");
    assert_refused("query-walk", "\"sid\": 1, \"units\": 2", "units");
    assert_refused("query-walk", "\"sid\": 1", "no unit translates");
    assert_refused("query-walk", "\"sid\": 403, \"unit\": 1",
                   "no unit translates");
    /* It may be asked what a unit would do with another's device. */
    walk = ask("query-walk", "\"sid\": 1, \"unit\": 0");
    assert_has(walk, "unit", "0");
    assert_has_number(walk, "reason", VTD_FR_ROOT_P);
    json_object_put(walk);
    stop();
}

/* --- query-why -------------------------------------------------------------- */

static void
there_is_no_reason_without_a_fault(void **state)
{
    struct json_object *list;

    (void)state;
    start(DMA_LEGACY);
    list = ask("query-why", "");
    assert_int_equal(json_object_array_length(list), 0);
    json_object_put(list);
    assert_refused("query-why", "\"unit\": 2", "unit");
    stop();
}

static void
a_fault_is_explained_when_its_record_is_gone(void **state)
{
    struct json_object *list;
    struct json_object *why;
    struct json_object *now;

    (void)state;
    start(DMA_LEGACY);
    dma_flip(dma, dma->leaf, TABLES_SS_W);
    assert_int_equal(dma_access(dma, DMA_IOVA + 0x678, VTD_DMA_WRITE),
                     VTD_FR_WRITE);
    list = ask("query-why", "\"unit\": 0");
    why = at(list, 0);
    assert_has(why, "unit", "0");
    assert_has(why, "faults", "1");
    assert_has_number(why, "sid", DMA_SID);
    assert_has(why, "pasid", "null");
    assert_has_number(why, "iova", DMA_IOVA + 0x678);
    assert_has(why, "access", "\"w\"");
    assert_has(why, "page-request", "false");
    assert_has_number(why, "reason", VTD_FR_WRITE);
    assert_has(why, "text", "\"no write permission\"");
    assert_has(why, "recorded", "true");
    assert_text(why, "meaning", "has not mapped this page");
    assert_text(why, "still", "again, for the same reason");
    json_object_object_get_ex(why, "now", &now);
    assert_has_number(now, "reason", VTD_FR_WRITE);
    json_object_put(list);

    /* The guest clears its record, and maps the page after all. */
    model_w4(dma->model, 0x22c, 0x80000000);
    dma_flip(dma, dma->leaf, TABLES_SS_W);
    list = ask("query-why", "");
    why = at(list, 0);
    assert_has(why, "recorded", "false");
    assert_text(why, "still", "would succeed now");
    json_object_put(list);

    /* And takes the whole device away. */
    dma_flip(dma, dma->context, 1);
    list = ask("query-why", "");
    assert_text(at(list, 0), "still", "for another reason");
    json_object_put(list);

    list = ask("query-why", "\"unit\": 1");
    assert_int_equal(json_object_array_length(list), 0);
    json_object_put(list);
    stop();
}

static void
a_refused_page_request_is_told_apart(void **state)
{
    const struct vtd_page_req req = { .addr = DMA_IOVA,
                                      .pasid = DMA_PASID,
                                      .sid = DMA_SID,
                                      .access = VTD_DMA_READ,
                                      .last = true };
    struct json_object *list;

    (void)state;
    start(DMA_FIRST); /* which may not ask for pages */
    vtd_page_request(dma->model->vtd, &req);
    list = ask("query-why", "");
    assert_has(at(list, 0), "page-request", "true");
    assert_has_number(at(list, 0), "reason", VTD_FR_SM_PRE);
    assert_text(at(list, 0), "still", "request for a page");
    json_object_put(list);
    stop();
}

/* Every reason that DMA can meet has an explanation of its own. */
static void
every_reason_of_dma_is_explained(void **state)
{
    static const char none[] = "That is no fault of DMA.";

    (void)state;
    assert_string_equal(ctl_reason_meaning(VTD_FR_OK), none);
    assert_string_equal(ctl_reason_meaning(0xff), none);
    for (unsigned fr = 1; fr < 0xff; fr++) {
        bool named =
            strcmp(vtd_fault_name((uint8_t)fr), "unknown fault reason") != 0;
        bool dma_has = named && (fr < 0x20 || fr >= VTD_FR_IR_INVALID);

        assert_int_equal(strcmp(ctl_reason_meaning((uint8_t)fr), none) != 0,
                         dma_has);
    }
}

/* --- query-tlb -------------------------------------------------------------- */

static void
cached_translations_are_listed(void **state)
{
    struct json_object *list;
    struct json_object *tlb;
    char args[64];

    (void)state;
    start(DMA_SECOND);
    tlb = ask("query-tlb", "");
    assert_has(tlb, "list", "[]");
    assert_has(tlb, "clients", "[]");
    assert_has(tlb, "next", "null");
    json_object_put(tlb);

    assert_int_equal(dma_translate(dma), VTD_FR_OK);
    tlb = ask("query-tlb", "\"unit\": 0");
    assert_has(tlb, "walks", "1");
    json_object_object_get_ex(tlb, "list", &list);
    assert_int_equal(json_object_array_length(list), 1);
    assert_has_number(at(list, 0), "sid", DMA_SID);
    assert_has_number(at(list, 0), "pasid", DMA_PASID);
    assert_has_number(at(list, 0), "iova", DMA_IOVA);
    assert_has_number(at(list, 0), "gpa", DMA_GPA);
    assert_has(at(list, 0), "size", "4096");
    assert_has(at(list, 0), "permits", "\"rwx\"");
    json_object_put(tlb);

    /* In pieces: as many as were asked for, then where to go on. */
    tlb = ask("query-tlb", "\"count\": 1");
    json_object_object_get_ex(tlb, "next", &list);
    (void)snprintf(args, sizeof(args), "\"first\": %d",
                   json_object_get_int(list));
    json_object_put(tlb);
    tlb = ask("query-tlb", args);
    assert_has(tlb, "list", "[]");
    assert_has(tlb, "next", "null");
    json_object_put(tlb);

    vtd_forget(dma->model->vtd);
    tlb = ask("query-tlb", "");
    assert_has(tlb, "list", "[]");
    json_object_put(tlb);
    assert_refused("query-tlb", "\"count\": 257", "count");
    stop();
}

/* --- query-devices, query-clients ------------------------------------------- */

static void
devices_are_those_whose_dma_is_translated(void **state)
{
    struct json_object *list;

    (void)state;
    start(DMA_LEGACY);
    list = ask("query-devices", "");
    assert_int_equal(json_object_array_length(list), 2);
    assert_has_number(at(list, 0), "sid", DMA_SID);
    assert_has(at(list, 0), "unit", "0");
    assert_has(at(list, 0), "mode", "\"second-stage\"");
    assert_has(at(list, 0), "levels", "4");
    assert_has_number(at(list, 0), "did", DMA_DID);
    /* Nothing is mapped at 0, which says nothing of the device. */
    assert_has(at(list, 0), "verdict", "\"no fault\"");
    assert_has(at(list, 0), "client", "null");
    assert_has(at(list, 0), "pid", "null");
    assert_has(at(list, 0), "blocked", "false");
    assert_has_number(at(list, 1), "sid", OTHER_SID);
    assert_has(at(list, 1), "mode", "\"none\"");
    assert_has(at(list, 1), "did", "null");
    assert_has(at(list, 1), "verdict", "\"context entry not present\"");
    json_object_put(list);
    assert_int_equal(model_r4(dma->model, 0x34), 0); /* FSTS */
    stop();
}

static void
without_a_service_there_are_no_clients(void **state)
{
    struct json_object *clients;
    struct json_object *stats;

    (void)state;
    start(DMA_LEGACY);
    clients = ask("query-clients", "");
    assert_has(clients, "list", "[]");
    json_object_object_get_ex(clients, "stats", &stats);
    assert_has(stats, "syncs", "0");
    assert_has(stats, "drain-us-max", "0");
    json_object_put(clients);
    stop();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_tells_each_entry_and_what_comes_of_it),
        cmocka_unit_test(a_walk_shows_entries_as_they_are),
        cmocka_unit_test(a_walk_changes_nothing),
        cmocka_unit_test(a_walk_is_for_the_access_that_it_is_told),
        cmocka_unit_test(a_walk_without_remapping_leads_to_the_address_itself),
        cmocka_unit_test(a_walk_needs_a_device_of_a_unit),
        cmocka_unit_test(there_is_no_reason_without_a_fault),
        cmocka_unit_test(a_fault_is_explained_when_its_record_is_gone),
        cmocka_unit_test(a_refused_page_request_is_told_apart),
        cmocka_unit_test(every_reason_of_dma_is_explained),
        cmocka_unit_test(cached_translations_are_listed),
        cmocka_unit_test(devices_are_those_whose_dma_is_translated),
        cmocka_unit_test(without_a_service_there_are_no_clients),
    };

    return cmocka_run_group_tests_name("ctl-dma", tests, NULL, NULL);
}
