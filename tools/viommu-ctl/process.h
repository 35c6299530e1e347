/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that viommu-ctl runs.  While it does, process_guard() keeps signals
 * from ending it half-way: the caller looks for them between two steps.
 */
#ifndef TOOLS_VIOMMU_CTL_PROCESS_H
#define TOOLS_VIOMMU_CTL_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/viommu-ctl/text.h"

/*
 * Block the signals that ask a program to end.  Returns a descriptor that is
 * readable once one came, or -errno with @err set.
 */
int process_guard(struct text_error *err);

/* Has a signal come? */
bool process_interrupted(int guard);

/*
 * Start argv[0] from PATH with the signal mask of a fresh program, no standard
 * input, in a session of its own so that the terminal's ^C reaches only us.  @output (or -1: ours) becomes its standard output and error.  Returns
 * its id, or -errno with @err set.
 */
pid_t process_start(const char *const argv[], int output,
                    struct text_error *err);

/*
 * Run argv to its end, or kill it after @timeout_ms (-1: none).  Returns 0 if
 * it succeeded, -ECHILD if it failed, -ETIMEDOUT, or -errno; with @err set.
 */
int process_run(const char *const argv[], int timeout_ms,
                struct text_error *err);

/* Ask @pid, our child, to end; kill it if it does not within @timeout_ms. */
void process_stop(pid_t pid, int timeout_ms);

#endif
