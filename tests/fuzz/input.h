/* SPDX-License-Identifier: GPL-2.0-only */
/* The input of a target: a list of operations, as bytes. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *data;
    size_t left;
};

/* The next @bytes, 8 at most; zeroes when there are no more. */
static inline uint64_t
take(struct input *input, unsigned bytes)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < bytes && input->left > 0; i++) {
        val |= (uint64_t)*input->data << 8 * i;
        input->data++;
        input->left--;
    }
    return val;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
