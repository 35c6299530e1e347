/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of the daemon's start and end, in the order of viommud.c's table.
 * Each returns 0, or -errno after it has logged why; its down may follow
 * either.
 */
#ifndef DAEMON_STEPS_H
#define DAEMON_STEPS_H

struct viommud;

int steps_option_config_up(struct viommud *v);
int steps_xen_up(struct viommud *v);
void steps_xen_down(struct viommud *v);
int steps_domain_up(struct viommud *v);
int steps_xenstore_config_up(struct viommud *v);
int steps_support_up(struct viommud *v);
int steps_rundir_up(struct viommud *v);
void steps_rundir_down(struct viommud *v);
int steps_orphan_up(struct viommud *v);
int steps_server_up(struct viommud *v);
void steps_server_down(struct viommud *v);
int steps_trace_up(struct viommud *v);
void steps_trace_down(struct viommud *v);
int steps_sinks_up(struct viommud *v);
void steps_sinks_down(struct viommud *v);
int steps_model_up(struct viommud *v);
void steps_model_down(struct viommud *v);
int steps_ctl_up(struct viommud *v);
void steps_ctl_down(struct viommud *v);
int steps_xenstore_up(struct viommud *v);
void steps_xenstore_down(struct viommud *v);
int steps_restrict_up(struct viommud *v);
int steps_claim_up(struct viommud *v);
int steps_enable_up(struct viommud *v);

#endif
