/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: connections, and nothing else.  qmp.c knows the
 * protocol, ctl-query.c the commands.
 *
 * A client never holds up the guest: nothing blocks, one request is answered
 * in a turn of the loop, and a client that does not take its reply is cut off.
 */
#ifndef DAEMON_CTL_H
#define DAEMON_CTL_H

struct ctl;
struct loop;
struct qmp_command;

/* What clients can ask for. */
struct ctl_commands {
    const struct qmp_command *command;
    unsigned count;
    void *ctx;
};

/*
 * Listen on @path, mode 0600.  A socket that is left there from earlier is
 * replaced, so the caller knows that nobody else uses it.  NULL with errno.
 */
struct ctl *ctl_create(struct loop *loop, const char *path,
                       const struct ctl_commands *commands);
void ctl_destroy(struct ctl *ctl);

#endif
