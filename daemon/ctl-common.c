/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/ctl-common.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "daemon/qmp.h"
#include "daemon/viommud.h"

void
ctl_add_uint(struct json_object *obj, const char *name, uint64_t val)
{
    json_object_object_add(obj, name, json_object_new_uint64(val));
}

void
ctl_add_bool(struct json_object *obj, const char *name, bool val)
{
    json_object_object_add(obj, name, json_object_new_boolean(val));
}

void
ctl_add_string(struct json_object *obj, const char *name, const char *val)
{
    json_object_object_add(obj, name, json_object_new_string(val));
}

void
ctl_add_null(struct json_object *obj, const char *name)
{
    json_object_object_add(obj, name, NULL);
}

void
ctl_add_known(struct json_object *obj, const char *name, bool known,
              uint64_t val)
{
    if (known)
        ctl_add_uint(obj, name, val);
    else
        ctl_add_null(obj, name);
}

void
ctl_add_raw(struct json_object *obj, const uint64_t *raw, unsigned n)
{
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < n; i++) {
        char text[24];

        (void)snprintf(text, sizeof(text), "0x%016" PRIx64, raw[i]);
        json_object_array_add(list, json_object_new_string(text));
    }
    json_object_object_add(obj, "raw", list);
}

const struct unit *
ctl_arg_unit(const struct viommud *v, struct json_object *args,
             struct qmp_error *error)
{
    uint64_t unit = 0;

    if (!qmp_arg_uint(args, "unit", v->unit_count - 1, &unit, error))
        return NULL;
    return &v->unit[unit];
}

uint64_t
ctl_reg_field(const struct vtd *vtd, const char *reg, const char *field)
{
    for (unsigned i = 0; i < vtd_reg_count(vtd); i++) {
        struct vtd_reg_info info;

        vtd_reg_info(vtd, i, &info);
        if (strcmp(info.name, reg) != 0)
            continue;

        for (unsigned j = 0; j < info.field_count; j++) {
            if (!strcmp(info.field[j].name, field))
                return vtd_reg_value(vtd, i) & info.field[j].mask;
        }
    }

    return 0;
}
