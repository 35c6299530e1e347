#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make dom0: a Debian file system image, its kernel, and a small initramfs that
# mounts it.  Kept under build/rig until the package list changes.
. "$(dirname "$0")/lib.sh"

packages=systemd,systemd-sysv,udev,kmod,dbus,procps,strace,jq,mtools
packages+=,xen-utils-4.17,xenstore-utils,qemu-system-xen
packages+=,linux-image-amd64,libev4,libjson-c5,libseccomp2
root=$out/root
inputs=("=$packages" "$0" "$rig_dir/lib.sh" "$rig_dir/dom0/initramfs-init")

make_root() {
    # Ownership inside needs root, which the rig has.
    rm -rf "$root"
    mmdebstrap --variant=minbase --include="$packages" \
        --aptopt='APT::Sandbox::User "root"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$root" "$(apt_sources)"
    echo dom0 > "$root/etc/hostname"
    : > "$root/etc/fstab"
    chroot "$root" passwd -d root
    # The rig starts Xen's daemons itself where systemd does not run.
    install -d "$root/host"
}

make_initramfs() {
    local version dir
    version=$(ls "$root/lib/modules")
    dir=$(mktemp -d)
    busybox_tree "$dir"
    add_modules "$root" "$version" "$dir" virtio_pci virtio_blk crc32c_generic ext4 \
        9pnet_virtio 9p
    install -m 755 "$rig_dir/dom0/initramfs-init" "$dir/init"
    pack_initramfs "$dir" "$out/dom0-initramfs"
    rm -rf "$dir"
    cp "$root/boot/vmlinuz-$version" "$out/dom0-vmlinuz"
}

make_image() {
    rm -f "$out/dom0.ext4"
    mke2fs -q -t ext4 -O ^has_journal -d "$root" "$out/dom0.ext4" 1600M
}

if fresh "$out/base.stamp" "${inputs[@]}"; then exit 0; fi
rm -f "$out/base.stamp"
step 'dom0: install Debian' make_root
step 'dom0: initramfs' make_initramfs
step 'dom0: disk image' make_image
stamp "$out/base.stamp" "${inputs[@]}"
