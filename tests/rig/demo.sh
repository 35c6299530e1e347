#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make demo`: from nothing to a Debian guest that takes its interrupts through
# viommud, on a Debian dom0 with systemd, on a patched Xen, under QEMU.
. "$(dirname "$0")/lib.sh"
begin=$SECONDS
"$top/tests/deps.sh"
"$rig_dir/prepare.sh"
share=$out/boot-demo
step 'build and install viommud' "$rig_dir/stage.sh" "$share"
echo "==> Xen and dom0 boot under QEMU (seconds since then follow)"
status=0
"$rig_dir/boot.py" --xen "$top/build/xen/xen" --base "$out" --share "$share" \
    --init /sbin/init --append 'rig.tests=20-systemd' --timeout 420 --quiet ||
    status=$?
cat "$share/out/run.log" 2> /dev/null || true
failed=$(grep -c '^FAIL' "$share/out/results" 2> /dev/null || true)
passed=$(grep -c '^PASS' "$share/out/results" 2> /dev/null || true)
if [ $status != 0 ] || [ "${failed:-0}" != 0 ] || [ "${passed:-0}" = 0 ]; then
    echo "make demo FAILED (status $status, ${failed:-0} checks failed)," \
        "see ${share#"$top"/}/out"
    exit 1
fi
echo "make demo: $passed checks passed in $((SECONDS - begin)) s"
