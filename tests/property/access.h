/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses, and whether the model's answer may be true. */
#ifndef TESTS_PROPERTY_ACCESS_H
#define TESTS_PROPERTY_ACCESS_H

#include "tests/property/guest.h"

struct access_counts {
    unsigned long all;
    unsigned long exact;   /* there was one permitted answer */
    unsigned long fresh;   /* more than one, and it was the newest */
    unsigned long stale;   /* it was an older one */
    unsigned long good;    /* no fault */
    unsigned long outside; /* answered without the unit */
    unsigned long reason[256];
};

extern struct access_counts access_counts;

/* Ask the model; stop if no moment explains what it says. */
void access_check(const struct vtd_dma_req *req);

#endif
