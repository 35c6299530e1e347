/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/viommu-ctl/query.h"
#include "tools/viommu-ctl/walk.h"

/* Of a PASID: 20 bits. */
#define PASID_MAX 0xfffffu

/* The bits of the request's "access". */
#define ACCESS_LETTERS "rwx"

/* The hexadecimal number that *@text begins with, behind which it goes on. */
static bool
take_hex(const char **text, uint64_t max, uint64_t *val)
{
    char *end;

    /* strtoull() would take blanks, a sign and 0x. */
    if (!isxdigit((unsigned char)(*text)[0]) || (*text)[1] == 'x' ||
        (*text)[1] == 'X') {
        return false;
    }
    errno = 0;
    *val = strtoull(*text, &end, 16);
    *text = end;
    return !errno && *val <= max;
}

static bool
take_char(const char **text, char want)
{
    return *(*text)++ == want;
}

/* A whole number, decimal, or hexadecimal behind 0x. */
static bool
parse_number(const char *text, uint64_t max, uint64_t *val)
{
    char *end;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        return take_hex(&text, max, val) && !*text;
    }
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    *val = strtoull(text, &end, 10);
    return !errno && !*end && *val <= max;
}

/* A source id as "[0000:]bb:dd.f". */
static bool
take_source(const char **text, uint64_t *sid)
{
    const char *colon = strchr(*text, ':');
    uint64_t segment = 0;
    uint64_t bus;
    uint64_t dev;
    uint64_t fn;

    if (colon && strchr(colon + 1, ':') &&
        !(take_hex(text, 0, &segment) && take_char(text, ':'))) {
        return false;
    }
    if (!take_hex(text, 0xff, &bus) || !take_char(text, ':') ||
        !take_hex(text, 0x1f, &dev) || !take_char(text, '.') ||
        !take_hex(text, 7, &fn)) {
        return false;
    }
    *sid = bus << 8 | dev << 3 | fn;
    return true;
}

static int
add_source(struct json_object *request, const char *name,
           struct text_error *err)
{
    const char *text = name;
    uint64_t sid;
    uint64_t pasid;

    if (!take_source(&text, &sid) || (*text && *text != '/')) {
        return text_fail(err, -EINVAL,
                         "'%s' is no device; accepted: 0000:00:05.0, or "
                         "0000:00:05.0/PASID",
                         name);
    }
    json_object_object_add(request, "sid", json_object_new_uint64(sid));
    if (*text) {
        if (!parse_number(text + 1, PASID_MAX, &pasid)) {
            return text_fail(err, -EINVAL,
                             "'%s' is no PASID; accepted: 0 to %#x", text + 1,
                             PASID_MAX);
        }
        json_object_object_add(request, "pasid", json_object_new_uint64(pasid));
    }
    return 0;
}

static int
add_address(struct json_object *request, const char *name,
            struct text_error *err)
{
    uint64_t iova;

    if (!parse_number(name, UINT64_MAX, &iova)) {
        return text_fail(err, -EINVAL, "'%s' is no address", name);
    }
    json_object_object_add(request, "iova", json_object_new_uint64(iova));
    return 0;
}

static int
add_access(struct json_object *request, const struct query_args *args,
           struct text_error *err)
{
    unsigned access = 0;

    if (args->access) {
        for (const char *p = args->access; *p; p++) {
            const char *letter = strchr(ACCESS_LETTERS, *p);

            if (!letter) {
                return text_fail(err, -EINVAL,
                                 "'%s' is no access; accepted: some of "
                                 "'" ACCESS_LETTERS "'",
                                 args->access);
            }
            access |= 1u << (letter - ACCESS_LETTERS);
        }
        json_object_object_add(request, "access",
                               json_object_new_uint64(access));
    }
    if (args->privileged) {
        json_object_object_add(request, "privileged",
                               json_object_new_boolean(true));
    }
    return 0;
}

static int
fetch_walk(struct client *client, const struct query_args *args,
           struct json_object **reply, struct text_error *err)
{
    struct json_object *request = json_object_new_object();
    int rc = add_source(request, args->name[0], err);

    if (!rc) {
        rc = add_address(request, args->name[1], err);
    }
    if (!rc) {
        rc = add_access(request, args, err);
    }
    if (rc) {
        json_object_put(request);
        return rc;
    }
    query_add_unit(request, args);
    return client_call(client, args->query->execute, request, reply, err);
}

static int
print_walk(const struct query_args *args, struct json_object *reply,
           struct text_error *err)
{
    (void)err;
    walk_print(args->ctl->out, reply);
    return 0;
}

static const struct query query = {
    .execute = "query-walk",
    .doc = "Show how an address of a device is translated: each entry that is "
           "read for it, and the verdict. Nothing is changed by that.",
    .args_doc = "DOMAIN SBDF[/PASID] IOVA",
    .options = query_options_walk,
    .type = json_type_object,
    .names = 2,
    .fetch = fetch_walk,
    .print = print_walk,
};

enum command_status
cmd_walk(struct ctl *ctl, int argc, char **argv)
{
    return query_run(&query, ctl, argc, argv);
}
