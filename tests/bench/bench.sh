#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh VTD-BENCH: one line a figure, with the median time of one operation
# in ns, its instructions, the aim in instructions, and "ok" or "over".
# Instructions are the difference between two lengths of run under callgrind,
# less that of an empty loop: neither start-up nor the loop counts, and the
# number is the same each time.  Fails if a figure is over its aim.
set -eu

bench=$1
short=12800
long=64000

# Instructions of @long - @short operations.
count() {
    for n in "$short" "$long"; do
        valgrind --tool=callgrind --callgrind-out-file=/dev/null \
            "$bench" run "$1" "$n" 2>&1 |
            sed -n 's/^==[0-9]*== Collected : *\([0-9]*\)$/\1/p'
    done | {
        read -r a && read -r b && echo $((b - a))
    }
}

command -v valgrind >/dev/null || {
    echo "bench.sh: cannot count instructions: no valgrind; install it" >&2
    exit 1
}

status=0
loop=
printf '%-20s %10s %14s %6s\n' operation 'median ns' instructions aim
cases=$("$bench" list)
while read -r name aim; do
    total=$(count "$name")
    if [ -z "$loop" ]; then
        loop=$total
        continue
    fi
    # A batch has no loop of its own for each descriptor.
    case $name in
    *-descriptor) ;;
    *) total=$((total - loop)) ;;
    esac
    instructions=$(((total + (long - short) / 2) / (long - short)))
    verdict=ok
    if [ "$instructions" -gt "$aim" ]; then
        verdict=over
        status=1
    fi
    printf '%-20s %10s %14s %6s  %s\n' "$name" "$("$bench" time "$name")" \
        "$instructions" "$aim" "$verdict"
done <<END
$cases
END
exit $status
