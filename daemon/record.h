/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace of what a guest's driver does to its unit, as text that a test can
 * play again: each access to a register, what the model read of guest memory
 * for it, and what it did.  tests/replay/README.md has the format.
 *
 * It stands between the owner and the model, on both sides, and changes
 * nothing of what passes.  What the model does without being asked by one of
 * the functions below, as for an inspection, is not written.
 */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include "daemon/vtd/vtd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct record;

/* Bytes that a trace may have, and one step of it. */
#define RECORD_LIMIT ((size_t)4 << 20)
#define RECORD_STEP  ((size_t)256 << 10)

/* Takes whole lines of a trace.  0, or -errno: then no more are offered. */
typedef int record_put(void *ctx, const char *text, size_t len);

/*
 * Begin a trace of at most @limit bytes.  When the next step does not fit, the
 * trace ends with a comment that says so, and the log does.  NULL with errno.
 * The first takes a new or emptied file, readable by its owner alone because
 * it has the guest's memory in it; a link in its place is refused.
 */
struct record *record_open(const char *path, size_t limit);
struct record *record_create(record_put *put, void *ctx, size_t limit);
void record_close(struct record *record); /* accepts NULL */

/*
 * The services for a unit of @config, to be given to it with @record for
 * context; they are @inner's.
 */
const struct vtd_ops *record_ops(struct record *record,
                                 const struct vtd_config *config,
                                 const struct vtd_ops *inner, void *inner_ctx);

/* The model's functions of these names, and what they do; @record may be NULL. */
uint64_t record_mmio_read(struct record *record, struct vtd *vtd, uint32_t off,
                          unsigned size);
void record_mmio_write(struct record *record, struct vtd *vtd, uint32_t off,
                       unsigned size, uint64_t val);
void record_run(struct record *record, struct vtd *vtd, unsigned budget);
void record_ir_event(struct record *record, struct vtd *vtd,
                     const struct vtd_ir_event *event);

/* The same, for those who do the DMA of devices. */
enum vtd_fr record_dma_translate(struct record *record, struct vtd *vtd,
                                 const struct vtd_dma_req *req,
                                 struct vtd_dma_resp *resp);
void record_page_request(struct record *record, struct vtd *vtd,
                         const struct vtd_page_req *req);
void record_forget(struct record *record, struct vtd *vtd);
void record_sync_done(struct record *record, struct vtd *vtd, uint64_t token,
                      enum vtd_sync_status status, uint16_t sid);

/* A message whose source is known. */
struct record_msi {
    uint64_t addr;
    uint32_t data;
    uint16_t sid;
};
enum vtd_fr record_ir_remap(struct record *record, struct vtd *vtd,
                            const struct record_msi *message,
                            struct vtd_route *route);

/* A trace has VTD_DMA_* in one number with what else there is of a request. */
#define RECORD_DMA_AT_SHIFT    4u
#define RECORD_DMA_PRIVILEGED  0x100u
#define RECORD_DMA_ATOMIC      0x200u
#define RECORD_DMA_NO_WRITE    0x400u
#define RECORD_PAGE_PRIVILEGED 0x100u
#define RECORD_PAGE_LAST       0x200u
#define RECORD_PAGE_STOP       0x400u

/*
 * Read the first line of a trace back; @line ends with a newline or NUL.
 * False if it is none, or has a name that nothing in a configuration has.
 */
bool record_config_parse(const char *line, struct vtd_config *config);

#endif
