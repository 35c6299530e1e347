/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a viommud, docs/control.md.  A guest may have taken
 * over the daemon, so that a reply is bounded in size, depth and time, and
 * every string in it is made printable before anyone sees it.
 */
#ifndef TOOLS_VIOMMU_CTL_CLIENT_H
#define TOOLS_VIOMMU_CTL_CLIENT_H

#include <json-c/json.h>

#include "tools/viommu-ctl/text.h"

/* The longest reply that is read, its newline included. */
#define CLIENT_REPLY_MAX (1u << 20)

struct client;

/*
 * Connect to @path and negotiate.  @timeout_ms is the time for this and for
 * each call; all calls together have twelve times as much. Returns 0, or with @err set -ESRCH if nobody listens there,
 * -ETIMEDOUT, -EPROTO for an answer that breaks the protocol, or -errno.
 */
int client_open(const char *path, int timeout_ms, struct client **out,
                struct text_error *err);

/*
 * Execute @command with @args, which is consumed and may be NULL.  Returns 0
 * and sets *@reply, which the caller puts; or as client_open(), or -EREMOTEIO
 * if the daemon answered with an error.
 */
int client_call(struct client *client, const char *command,
                struct json_object *args, struct json_object **reply,
                struct text_error *err);

/* Accepts NULL. */
void client_close(struct client *client);

#endif
