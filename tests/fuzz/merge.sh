#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The corpus that the repository keeps of one target: from what was learnt and
# what it had, few inputs that reach the most, best first.
#
#   merge.sh FUZZER LEARNT-DIRECTORY KEPT-DIRECTORY
set -eu
fuzzer=${1:?usage: merge.sh FUZZER LEARNT KEPT} learnt=${2:?} kept=${3:?}
most=60 # inputs
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

mkdir -p "$learnt" "$kept" "$new/all"
"$fuzzer" -set_cover_merge=1 -max_len=1024 -verbosity=0 "$new/all" \
    "$kept" "$learnt" > "$new/log" 2>&1 || { tail "$new/log"; exit 1; }
# The cover is greedy: what adds most is written first.
rm -f "$kept"/*
find "$new/all" -type f -printf '%T@ %p\n' | sort -n | head -n "$most" |
    cut -d ' ' -f 2- | xargs -r cp -t "$kept"
echo "$kept: $(find "$kept" -type f | wc -l) inputs of $(find "$new/all" -type f | wc -l)"
