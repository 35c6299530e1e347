/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Fields of registers and of structures in guest memory: one mask a field,
 * and nothing else, so that a field's two ends cannot disagree.
 */
#ifndef DAEMON_VTD_BITS_H
#define DAEMON_VTD_BITS_H

#include <stdint.h>

#define VTD_BIT(n)       (UINT64_C(1) << (n))
#define VTD_MASK(hi, lo) ((UINT64_MAX >> (63 - (hi))) & (UINT64_MAX << (lo)))

/* Extract or insert a field.  @mask is a contiguous, non-zero constant. */
#define VTD_GET(mask, val) (((val) & (mask)) >> __builtin_ctzll(mask))
#define VTD_PREP(mask, fld) \
    (((uint64_t)(fld) << __builtin_ctzll(mask)) & (mask))

/*
 * Assert that up to eight masks cover the bits of @all, each exactly once.
 * Their union being @all and their sizes adding up to its size says both.
 */
#define VTD_LAYOUT(what, all, ...)                                           \
    _Static_assert(VTD_LAYOUT_OR(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0) == (all), \
                   what ": fields do not cover the word");                   \
    _Static_assert(VTD_LAYOUT_SUM(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0) ==       \
                       __builtin_popcountll(all),                            \
                   what ": fields overlap")
#define VTD_LAYOUT_OR(a, b, c, d, e, f, g, h, ...) \
    ((a) | (b) | (c) | (d) | (e) | (f) | (g) | (h))
#define VTD_LAYOUT_SUM(a, b, c, d, e, f, g, h, ...)      \
    (__builtin_popcountll(a) + __builtin_popcountll(b) + \
     __builtin_popcountll(c) + __builtin_popcountll(d) + \
     __builtin_popcountll(e) + __builtin_popcountll(f) + \
     __builtin_popcountll(g) + __builtin_popcountll(h))

#endif
