/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the recorder have in common. */
#ifndef DAEMON_RECORD_PRIV_H
#define DAEMON_RECORD_PRIV_H

#include "daemon/record.h"

struct record {
    record_put *put;
    void *put_ctx;
    int fd; /* record_open()'s file, or -1 */
    const struct vtd_ops *inner;
    void *inner_ctx;
    struct vtd_ops ops;

    size_t room;   /* bytes that the trace may still grow by */
    bool stopped;  /* it grows no more */
    bool stepping; /* an input is under way */
    bool overrun;  /* its step does not fit */
    size_t len;    /* of the step so far */
    char text[RECORD_STEP];
};

/* Write to the step that is under way, if one is. */
void record_add(struct record *record, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* " INDEX SID|- COOKIE": what is common to an event and a retry. */
void record_add_request(struct record *record,
                        const struct vtd_ir_event *event);

/* A PASID, or "-" for none, written to @buf. */
#define RECORD_PASID_SIZE 9u
const char *record_pasid(char buf[RECORD_PASID_SIZE], uint32_t pasid);

/* Services that record what the model does, around record->inner. */
void record_ops_init(struct record *record);

#endif
