#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make install DESTDIR=` installs what it should, and nothing else.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
make -s install DESTDIR="$dir"
diff - <(cd "$dir" && find . -type f -printf '%m %p\n' | sort -k 2) <<'LIST'
644 ./usr/lib/systemd/system/viommud@.service
755 ./usr/libexec/viommud/viommu-edu
755 ./usr/sbin/viommu-ctl
755 ./usr/sbin/viommud
644 ./usr/share/man/man1/viommu-edu.1
644 ./usr/share/man/man5/viommu.cfg.5
644 ./usr/share/man/man8/viommu-ctl.8
644 ./usr/share/man/man8/viommud.8
LIST
