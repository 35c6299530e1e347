/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "daemon/vtd/view.h"

/*
 * Times that a reader looks: some milliseconds.  The writer needs nanoseconds,
 * unless it is not running; one that died in between leaves all blocked.
 */
#define TRIES (1u << 21)

/* The state is copied by quadwords, each at once. */
typedef uint64_t __attribute__((may_alias)) word;

#define WORDS (sizeof(struct vtd_view_state) / sizeof(word))
_Static_assert(sizeof(struct vtd_view_state) % sizeof(word) == 0 &&
                   _Alignof(struct vtd_view_state) == _Alignof(word),
               "the state is not so many quadwords");

/*
 * Each load is an acquisition, each store a release, and so in order with
 * those of seq around them: for x86 these are plain loads and stores.
 */
bool
vtd_view_read(const struct vtd_view *view, struct vtd_view_state *state)
{
    const word *from = (const word *)&view->state;
    word *to = (word *)state;

    for (unsigned i = 0; i < TRIES; i++) {
        uint32_t seq = __atomic_load_n(&view->seq, __ATOMIC_ACQUIRE);

        if (seq & 1) {
            continue;
        }
        for (unsigned k = 0; k < WORDS; k++) {
            to[k] = __atomic_load_n(&from[k], __ATOMIC_ACQUIRE);
        }
        if (__atomic_load_n(&view->seq, __ATOMIC_RELAXED) == seq) {
            return true;
        }
    }
    return false;
}

void
vtd_view_write(struct vtd_view *view, const struct vtd_view_state *state)
{
    const word *from = (const word *)state;
    word *to = (word *)&view->state;
    uint32_t seq = view->seq;

    __atomic_store_n(&view->seq, seq + 1, __ATOMIC_RELAXED);
    for (unsigned k = 0; k < WORDS; k++) {
        __atomic_store_n(&to[k], from[k], __ATOMIC_RELEASE);
    }
    __atomic_store_n(&view->seq, seq + 2, __ATOMIC_RELEASE);
}

static bool
touches(uint64_t base, uint64_t end, uint64_t first, uint64_t last)
{
    return base <= end && first <= end && last >= base;
}

bool
vtd_pmr_blocks(const struct vtd_pmr *pmr, uint64_t gpa, uint64_t size)
{
    uint64_t last = gpa + (size - 1);

    if (last < gpa) {
        last = UINT64_MAX;
    }
    return touches(pmr->low, pmr->low_last, gpa, last) ||
           touches(pmr->high, pmr->high_last, gpa, last);
}
