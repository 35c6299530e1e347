#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install what building, the rig and the tests need on Debian 12; does nothing
# where all of it is there.  Must run as root.
set -eu

packages=(
    # the project itself
    gcc make pkg-config git ca-certificates
    libxen-dev libev-dev libjson-c-dev libseccomp-dev libcmocka-dev
    # Xen
    dpkg-dev flex bison bc python3 xz-utils zlib1g-dev uuid-dev
    # the rig
    qemu-system-x86 mmdebstrap e2fsprogs cpio busybox-static kmod
    syslinux syslinux-common mtools dosfstools
    # checks
    clang clang-format clang-tidy libclang-rt-14-dev valgrind gcovr acpica-tools
    mandoc shellcheck codespell
)

missing=()
for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
        missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "cannot install packages: not root; install: ${missing[*]}" >&2
    exit 1
fi
echo "installing ${#missing[@]} packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update &&
       apt-get install -y --no-install-recommends "${missing[@]}"; } \
        > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "cannot install packages; the last lines of apt-get are above" >&2
    exit 1
fi
rm -f "$log"
