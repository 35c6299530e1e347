#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Lay out what dom0 sees as /host: stage/ is copied over its root, guests/ has
# the guests' kernels, out/ takes the results.  Usage: stage.sh SHARE
. "$(dirname "$0")/lib.sh"
share=$1

rm -rf "$share/stage" "$share/guests" "$share/out"
mkdir -p "$share/stage" "$share/guests" "$share/out"
make -C "$top" -j"$(nproc)" all helpers guests
make -s -C "$top" install DESTDIR="$share/stage"
install -d "$share/stage/usr/lib/viommud-rig"
cp -a "$rig_dir/dom0/." "$share/stage/usr/lib/viommud-rig/"
for f in "$top"/build/rel/tests/helpers/*; do
    [ ! -x "$f" ] || [ -d "$f" ] || install -m 755 "$f" "$share/stage/usr/lib/viommud-rig/"
done
install -D -m 644 "$rig_dir/dom0/systemd/viommud-rig.service" \
    "$share/stage/etc/systemd/system/viommud-rig.service"
install -d "$share/stage/etc/systemd/system/multi-user.target.wants"
ln -s ../viommud-rig.service \
    "$share/stage/etc/systemd/system/multi-user.target.wants/viommud-rig.service"
cp -al "$out"/guests/. "$share/guests/"
if [ -d "$top/build/guests" ]; then
    cp "$top"/build/guests/*.img "$top"/build/guests/*.elf "$share/guests/"
fi
