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
mapfile -t service < <(git ls-files 'daemon/client/*.[ch]')
mapfile -t client < <(git ls-files 'client/*.[ch]')
mapfile -t outside < <(git ls-files 'daemon/*.[ch]' 'tools/*.[ch]' | grep -v ^daemon/vtd/)

# The model's faces are vtd.h, and those of what translates through a view;
# everything else of it is private.
faces='(vtd|view|dma|cache|walk)\.h'
private=$(grep -nE '^#include "daemon/vtd/[^"]*\.h"' "${outside[@]}" "${client[@]}" |
    grep -vE "\"daemon/vtd/$faces\"")
[ -z "$private" ] || complain "only the model sees its insides:"$'\n'"$private"
lines=$(grep -nE '^#include "daemon/' "${client[@]}" | grep -v '"daemon/vtd/')
[ -z "$lines" ] || complain "client/ knows nothing of the daemon but the walker:"$'\n'"$lines"

lines=$(git grep -nE '^#include "' -- 'client/examples/*.[ch]' |
    grep -vE '"client/(examples/|viommu-client\.h)')
[ -z "$lines" ] || complain "an example includes more than others can:"$'\n'"$lines"

lines=$(grep -nE '^#include' "${vtd[@]}" | grep -vE \
    '"daemon/vtd/|<(assert|errno|inttypes|stdbool|stddef|stdint|stdlib|string)\.h>')
[ -z "$lines" ] || complain "the model includes more than itself and the plain C library:"$'\n'"$lines"
refuse 'daemon/xen knows neither VT-d nor clients' 'daemon/(vtd|client)/' "${xen[@]}"
refuse 'daemon/client knows neither VT-d nor Xen' 'daemon/(vtd|xen)/' "${service[@]}"
refuse 'only daemon/loop.c includes ev.h' 'ev\.h' "${xen[@]}"
for f in "${other[@]}"; do
    [ "$f" = daemon/loop.c ] || refuse "only daemon/loop.c includes ev.h" 'ev\.h' "$f"
    refuse "Xen's headers are for daemon/xen" 'xen' "$f"
done
for f in "${client[@]}"; do
    case $f in
    client/memory-xen.c | client/examples/*) ;;
    *) refuse "Xen's headers are for client/memory-xen.c" 'xen' "$f" ;;
    esac
done

# needs LIBRARY: it needs nothing but itself and memory.
needs() {
    local undefined defined extra
    undefined=$(nm -u "$build/$1" | awk '$1 == "U" { print $2 }' | sort -u)
    defined=$(nm "$build/$1" | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u)
    extra=$(comm -23 <(echo "$undefined") <(echo "$defined") | grep -vE \
        '^(calloc|free|mem(cpy|set|cmp|move)|__errno_location|__mem(cpy|set|move)_chk|__stack_chk_fail|__assert_fail|_GLOBAL_OFFSET_TABLE_)$')
    [ -z "$extra" ] || complain "$1 needs more than memory:"$'\n'"$extra"
}
needs libvtd.a
needs libvtd-walk.a

# What clients link, its headers too, can be had under the MIT licence.
while read -r f; do
    head -n 1 "$f" | grep -q 'GPL-2.0-only OR MIT' ||
        complain "clients link $f, whose licence is another"
done < <(cat "$build"/pic/daemon/vtd/*.d | grep -oE 'daemon/vtd/[a-z-]+\.(c|h|def)' | sort -u)

libs=$(readelf -d "$build/viommud" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE \
    '^(libc|libev|libseccomp|libjson-c|libxen(devicemodel|foreignmemory|evtchn|store|toolcore))\.so')
[ -z "$libs" ] || complain "viommud links more than it may:"$'\n'"$libs"
exit $failed
