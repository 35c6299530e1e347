#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh BENCH [memory]: one line a figure, with the median time of one operation
# in ns, its instructions, the aim in instructions, and "ok" or "over".
# Instructions are counted by callgrind inside the function that is measured
# and what it calls, as the difference between two lengths of run: start-up
# does not count, and the number is the same each time.  With "memory" the last
# line is that of a unit.  A figure over its aim is no failure: aims are what is worked
# towards, and what cannot be measured is one.
set -eu

bench=$1
short=12800
long=64000
memory=2097152

# collect FUNCTION CASE N: instructions inside FUNCTION.
collect() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect="$1" "$bench" run "$2" "$3" 2>&1 |
        sed -n 's/^==[0-9]*== Collected : *\([0-9]*\)$/\1/p'
}

command -v valgrind >/dev/null || {
    echo "bench.sh: cannot count instructions: no valgrind; install it" >&2
    exit 1
}

printf '%-20s %10s %14s %6s\n' operation 'median ns' instructions aim
cases=$("$bench" list)
while read -r name aim function; do
    few=$(collect "$function" "$name" "$short")
    many=$(collect "$function" "$name" "$long")
    # Nothing counted would pass any aim.
    if [ -z "$few" ] || [ "${many:-0}" -le "$few" ]; then
        echo "bench.sh: cannot count the instructions of $name" >&2
        exit 1
    fi
    instructions=$(((many - few + (long - short) / 2) / (long - short)))
    verdict=ok
    if [ "$instructions" -gt "$aim" ]; then
        verdict=over
    fi
    printf '%-20s %10s %14s %6s  %s\n' "$name" "$("$bench" time "$name")" \
        "$instructions" "$aim" "$verdict"
done <<END
$cases
END
[ "${2:-}" = memory ] || exit 0
size=$("$bench" memory)
printf '%-20s %10s %14s %6s\n' '' '' bytes aim
verdict=ok
if [ "$size" -ge "$memory" ]; then
    verdict=over
fi
printf '%-20s %10s %14s %6s  %s\n' memory-of-a-unit '' "$size" "$memory" \
    "$verdict"
