/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the control socket that are about DMA: see ctl-query.h.
 * ctl-walk.c has the two that look at tables.
 */
#ifndef DAEMON_CTL_DMA_H
#define DAEMON_CTL_DMA_H

struct json_object;
struct qmp_error;

typedef struct json_object *ctl_dma_command(void *ctx, struct json_object *args,
                                            struct qmp_error *error);

ctl_dma_command ctl_dma_devices;
ctl_dma_command ctl_dma_walk;
ctl_dma_command ctl_dma_why;
ctl_dma_command ctl_dma_tlb;
ctl_dma_command ctl_dma_clients;

#endif
