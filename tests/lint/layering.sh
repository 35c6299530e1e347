#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The boundaries of docs/architecture.md, checked: who may include what, what
# the model's archive may need, what the daemon may link.
#
#   layering.sh BUILD-DIRECTORY
set -u
build=${1:?usage: layering.sh BUILD-DIRECTORY}
cd "$(dirname "$0")/../.." || exit 1
failed=0
complain() { echo "layering: $*" >&2; failed=1; }

# refuse WHAT PATTERN FILE...: no #include of these files matches PATTERN.
refuse() {
    local what=$1 pattern=$2 lines
    shift 2
    lines=$(grep -nE "^#include [<\"]($pattern)" "$@" /dev/null) &&
        complain "$what:"$'\n'"$lines"
}

mapfile -t vtd < <(git ls-files 'daemon/vtd/*.[ch]')
mapfile -t xen < <(git ls-files 'daemon/xen/*.[ch]')
mapfile -t other < <(git ls-files 'daemon/*.[ch]' | grep -v -e ^daemon/vtd/ -e ^daemon/xen/)
mapfile -t outside < <(git ls-files 'daemon/*.[ch]' 'tools/*.[ch]' | grep -v ^daemon/vtd/)

# The model's face is vtd.h; everything else of it is private.
private=$(grep -nE '^#include "daemon/vtd/[^"]*\.h"' "${outside[@]}" |
    grep -v '"daemon/vtd/vtd\.h"')
[ -z "$private" ] || complain "only the model sees its insides:"$'\n'"$private"

lines=$(grep -nE '^#include' "${vtd[@]}" | grep -vE \
    '"daemon/vtd/|<(assert|errno|inttypes|stdbool|stddef|stdint|stdlib|string)\.h>')
[ -z "$lines" ] || complain "the model includes more than itself and the plain C library:"$'\n'"$lines"
refuse 'daemon/xen knows no VT-d' 'daemon/vtd/' "${xen[@]}"
refuse 'only daemon/loop.c includes ev.h' 'ev\.h' "${xen[@]}"
for f in "${other[@]}"; do
    [ "$f" = daemon/loop.c ] || refuse "only daemon/loop.c includes ev.h" 'ev\.h' "$f"
    refuse "Xen's headers are for daemon/xen" 'xen' "$f"
done

undefined=$(nm -u "$build/libvtd.a" | awk '$1 == "U" { print $2 }' | sort -u)
defined=$(nm "$build/libvtd.a" | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u)
extra=$(comm -23 <(echo "$undefined") <(echo "$defined") | grep -vE \
    '^(calloc|free|mem(cpy|set|cmp|move)|__errno_location|__mem(cpy|set|move)_chk|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_)$')
[ -z "$extra" ] || complain "the model needs more than memory:"$'\n'"$extra"

libs=$(readelf -d "$build/viommud" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE \
    '^(libc|libev|libseccomp|libjson-c|libxen(devicemodel|foreignmemory|evtchn|store|toolcore))\.so')
[ -z "$libs" ] || complain "viommud links more than it may:"$'\n'"$libs"
exit $failed
