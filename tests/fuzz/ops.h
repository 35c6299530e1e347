/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations that more than one target makes of its input. */
#ifndef TESTS_FUZZ_OPS_H
#define TESTS_FUZZ_OPS_H

#include "tests/fuzz/guest.h"
#include "tests/fuzz/input.h"

typedef void op(struct input *input);

/* Any access to the register page; values that make sense, or any. */
op op_write;
op op_read;

/* A quadword of guest memory. */
op op_poke;

/* Descriptors where the queue's tail is, and the tail behind them. */
op op_submit;

/* Run the queue from the event loop. */
op op_run;

/* Requests of devices: for memory, for pages, for interrupts. */
op op_translate;
op op_page_request;
op op_remap;
op op_event;

/* The sinks: how they answer from now on, and answers that were open. */
op op_sinks;
op op_acknowledge;

/* Compare-exchanges to come are lost. */
op op_race;

/* What tools look at. */
op op_inspect;

/* Operations until there is no more input; each is checked. */
void ops_run(struct input *input, op *const ops[], unsigned count);
#define OPS_RUN(input, ops) ops_run(input, ops, sizeof(ops) / sizeof((ops)[0]))

/* One request for memory. */
struct vtd_dma_req ops_request(struct input *input);

/* Half way already: queue and tables in place, all that there is enabled. */
void ops_enable(bool wide);

#endif
