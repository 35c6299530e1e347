#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run what was built with --coverage and print which lines and branches of the
# VT-d model it went through; fails below the aims.
#
#   coverage.sh OBJECT-DIRECTORY VTD-PROPERTY TEST...
#
# The other branch of an assertion is the model's own mistake: no test can take
# it, and lines with one do not count their branches.  Nothing else is left out.
set -u
lines=97
branches=92

cov=${1:?usage: coverage.sh OBJECT-DIRECTORY VTD-PROPERTY TEST...}
property=$2
shift 2
command -v gcovr > /dev/null || {
    echo "coverage.sh: no gcovr; install it" >&2
    exit 1
}
find "$cov" -name '*.gcda' -delete
for test in "$@"; do
    CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 120 "$test" > "$cov/log" 2>&1 || {
        grep -v '^ok' "$cov/log" | tail -n 20 >&2
        echo "coverage.sh: ${test##*/} fails" >&2
        exit 1
    }
done
SEED=1 OPERATIONS=70000 timeout -k 5 300 "$property" > "$cov/log" 2>&1 || {
    tail -n 30 "$cov/log" >&2
    echo "coverage.sh: ${property##*/} fails" >&2
    exit 1
}
# Once for the table of each: it fails by the first aim that is not met.
report() { gcovr -r . --object-directory "$cov" --filter daemon/vtd/ \
    --exclude-branches-by-pattern '.*\bassert\(.*' "$@" "$cov"; }
status=0
report --fail-under-line "$lines" || status=1
report --branches --fail-under-branch "$branches" || status=1
[ $status = 0 ] || echo "coverage.sh: below $lines % of lines or $branches % of branches" >&2
exit $status
