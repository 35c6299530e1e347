#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make the Linux guests: Debian's kernels 6.1 and 6.12, untouched, each with an
# initramfs of busybox, drivers of the kernel's own, vfio-edu and
# tests/rig/guest/, on a disk that boots it: the firmware reads a disk in a few seconds, but kernel=
# in xl.cfg passes each byte of the kernel through the emulator.
. "$(dirname "$0")/lib.sh"

modules=(nvme e1000e vfio-pci vfio_iommu_type1)
guest_files=("$rig_dir"/guest/*)
program=$top/build/rel/tests/vfio/vfio-edu
step 'guests: vfio-edu' make -C "$top" "build/rel/tests/vfio/vfio-edu"
inputs=("=${modules[*]}" "$0" "$rig_dir/lib.sh" "$out/base.stamp"
    "${guest_files[@]}" "$program")

# The newest package whose name matches and that can be downloaded.
download_kernel() { # PATTERN DIR
    local name
    mkdir -p "$2"
    for name in $(apt-cache search --names-only "$1" | cut -d' ' -f1 |
        sort -Vr | head -n 5); do
        if (cd "$2" && apt-get download -o APT::Sandbox::User=root "$name"); then
            dpkg-deb -x "$2"/*.deb "$2"
            rm "$2"/*.deb
            depmod -b "$2" "$(ls "$2/lib/modules")"
            return
        fi
    done
    echo "cannot download a package that matches $1" >&2
    return 1
}

make_guest() { # NAME TREE
    local dir version
    version=$(ls "$2/lib/modules")
    dir=$(mktemp -d)
    busybox_tree "$dir"
    add_modules "$2" "$version" "$dir" "${modules[@]}"
    install -d "$dir/tests"
    install -m 755 "${guest_files[@]}" "$dir/tests/"
    mv "$dir/tests/init" "$dir/init"
    install -s -m 755 "$program" "$dir/bin/"
    pack_initramfs "$dir" "$out/$1.initramfs"
    gzip -1 -f "$out/$1.initramfs"
    rm -rf "$dir"
    make_disk "$2/boot/vmlinuz-$version" "$out/$1.initramfs.gz" \
        "$out/guests/$1.disk"
}

# The test in dom0 adds syslinux.cfg with the kernel's command line.
make_disk() { # KERNEL INITRAMFS DISK
    rm -f "$3"
    mkdir -p "$(dirname "$3")"
    truncate -s 32M "$3"
    mkfs.vfat -F 16 "$3"
    mcopy -i "$3" "$1" ::vmlinuz
    mcopy -i "$3" "$2" ::initrd.gz
    syslinux --install "$3"
}

if fresh "$out/guests.stamp" "${inputs[@]}"; then exit 0; fi
rm -f "$out/guests.stamp"
if [ ! -d "$out/linux-6.12/boot" ]; then
    rm -rf "$out/linux-6.12"
    apt-cache search --names-only '^linux-image-6\.12\.' | grep -q . ||
        step 'guests: package lists' apt-get update
    step 'guests: download Linux 6.12' download_kernel \
        '^linux-image-6\.12\.[0-9]+\+deb12-amd64$' "$out/linux-6.12"
fi
step 'guests: Linux 6.1' make_guest linux-6.1 "$out/root"
step 'guests: Linux 6.12' make_guest linux-6.12 "$out/linux-6.12"
stamp "$out/guests.stamp" "${inputs[@]}"
