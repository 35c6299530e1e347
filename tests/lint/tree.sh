#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What every file must be: licensed, not too long, finished.
set -u
cd "$(dirname "$0")/../.." || exit 1
failed=0
complain() { echo "tree: $*" >&2; failed=1; }

while read -r f; do
    case $f in
    LICENSES/* | *.md | *.trace | .git* | .clang* | debian/* | xen-hooks/*.patch | *.service | tests/fuzz/corpus/*) continue ;;
    esac
    head -n 5 "$f" | grep -qE 'SPDX-License-Identifier: (GPL-2\.0-only|MIT|GPL-2\.0-only OR MIT)( \*/| -->)?$' ||
        case $f in
        Makefile | *.mk | .ci/run) ;;
        *) complain "$f has no SPDX line" ;;
        esac
done < <(git ls-files)

while read -r lines f; do
    [ "$f" = total ] || [ "$lines" -le 700 ] || complain "$f has $lines lines: more than one concern?"
done < <(git ls-files '*.c' '*.h' '*.S' | xargs wc -l)

open=$(git grep -nIwE 'TODO|FIXME|XXX|HACK' -- . ':!tests/lint/tree.sh' ':!xen-hooks/*.patch') &&
    complain "left open:"$'\n'"$open"
comments=$(git grep -nE '^[[:space:]]*//' -- '*.c' '*.h') &&
    complain "comments of the wrong kind:"$'\n'"$comments"
exit $failed
