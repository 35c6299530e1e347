/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/bench/client-bench.h"

int
bench_measure(void)
{
    return 0;
}
