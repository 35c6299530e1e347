#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# clang-tidy over all C that runs on a host, on every core.
set -u
cd "$(dirname "$0")/../.." || exit 1
git ls-files 'daemon/*.c' 'client/*.c' 'tools/*.c' 'tests/helpers/*.c' \
    'tests/vfio/*.c' |
    xargs -P "$(nproc)" -n 1 sh -c 'clang-tidy --quiet "$@" -- -std=gnu11 -I. \
        -D_GNU_SOURCE -DVIOMMUD_VERSION="\"0\"" 2> /dev/null' tidy
