/* SPDX-License-Identifier: GPL-2.0-only */
/* How an address is translated: what query-walk and query-why answer. */
#ifndef TOOLS_VIOMMU_CTL_WALK_H
#define TOOLS_VIOMMU_CTL_WALK_H

#include <stdio.h>

#include <json-c/json.h>

/* Each entry that was read, and what became of it, for people. */
void walk_print(FILE *out, struct json_object *walk);

/* The text at @key as a paragraph. */
void walk_print_text(FILE *out, struct json_object *obj, const char *key);

#endif
