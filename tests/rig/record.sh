#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Record the traces of tests/replay/recorded/ again, each mode of each kernel;
# after a change of what the unit advertises or reads.  Words, as
# "linux-6.1/legacy", select some.
. "$(dirname "$0")/lib.sh"
share=$out/boot-record
to=$top/tests/replay/recorded

"$rig_dir/prepare.sh"
step 'build and install viommud' "$rig_dir/stage.sh" "$share"
wanted=$(tr ' ' ',' <<< "${*:-all}")
"$rig_dir/boot.py" --xen "$top/build/xen/xen" --base "$out" --share "$share" \
    --append "rig.tests=15-traces rig.traces=$wanted"
mkdir -p "$to"
cp "$share"/out/traces/*.trace "$to/"
make -s -C "$top" build/rel/tests/unit/daemon-replay-test
for trace in "$share"/out/traces/*.trace; do
    echo "playing ${trace##*/}"
    (cd "$top" && REPLAY=$trace build/rel/tests/unit/daemon-replay-test > "$out/log/replay.log" 2>&1) ||
        { cat "$out/log/replay.log"; exit 1; }
done
