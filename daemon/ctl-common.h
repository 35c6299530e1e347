/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands of the control socket have in common. */
#ifndef DAEMON_CTL_COMMON_H
#define DAEMON_CTL_COMMON_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct qmp_error;
struct unit;
struct viommud;
struct vtd;

/* Members of @obj. */
void ctl_add_uint(struct json_object *obj, const char *name, uint64_t val);
void ctl_add_bool(struct json_object *obj, const char *name, bool val);
void ctl_add_string(struct json_object *obj, const char *name, const char *val);
/* null: there is none */
void ctl_add_null(struct json_object *obj, const char *name);
/* @val, or null unless @known. */
void ctl_add_known(struct json_object *obj, const char *name, bool known,
                   uint64_t val);
/* "raw": quadwords as hexadecimal text: they are bit patterns, not numbers. */
void ctl_add_raw(struct json_object *obj, const uint64_t *raw, unsigned n);

/*
 * The unit that "unit" of @args names, 0 unless told; NULL and @error if there
 * is none of that number.
 */
const struct unit *ctl_arg_unit(const struct viommud *v,
                                struct json_object *args,
                                struct qmp_error *error);

/* The value of a field of a register, both by name; 0 if there is none. */
uint64_t ctl_reg_field(const struct vtd *vtd, const char *reg,
                       const char *field);

#endif
