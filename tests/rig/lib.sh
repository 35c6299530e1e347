# SPDX-License-Identifier: GPL-2.0-only
# Shared by the rig's scripts on the outer machine; sourced, not run.
# shellcheck shell=bash

set -euo pipefail
rig_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$rig_dir/../.." && pwd)
out=$top/build/rig
mkdir -p "$out"

# All of a step's noise goes to its log; the user sees one line and the time.
# Never call it in a condition: `set -e` would be off inside the command.
step() { # title, command...
    local title=$1 start=$SECONDS log rc
    shift
    log=$out/log/$(tr -cs 'a-z0-9\n' - <<< "${title,,}").log
    mkdir -p "$out/log"
    printf '==> %-52s ' "$title"
    set +e
    (set -e; "$@") > "$log" 2>&1
    rc=$?
    set -e
    if [ $rc = 0 ]; then
        printf '%4d s\n' $((SECONDS - start))
        return
    fi
    printf 'FAILED after %d s\n' $((SECONDS - start))
    tail -n 25 "$log" | sed 's/^/    /'
    echo "    (all of it: ${log#"$top"/})"
    exit 1
}

# fresh STAMP INPUT... : whether STAMP was made from just these inputs.  The
# inputs are files; "=text" adds a text.
digest() {
    local i
    for i; do
        case $i in
        =*) printf '%s\n' "${i#=}" ;;
        *) sha256sum < "$i" ;;
        esac
    done | sha256sum | cut -d' ' -f1
}
fresh() {
    local stamp=$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(digest "$@")" ]
}
stamp() {
    local stamp=$1
    shift
    digest "$@" > "$stamp"
}

# The machine's own package sources, for mmdebstrap and apt.
apt_sources() {
    local f
    for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
        [ -s "$f" ] && echo "$f" && return
    done
    echo "cannot find the machine's package sources" >&2
    return 1
}

# pack_initramfs DIR FILE: an uncompressed newc archive.
pack_initramfs() {
    (cd "$1" && find . -print0 | cpio --null -o -H newc --quiet) > "$2.new"
    mv "$2.new" "$2"
}

# add_modules TREE VERSION INITRAMFS MODULE...: modules and what they need.
add_modules() {
    local tree=$1 version=$2 dir=$3 m f
    shift 3
    for m; do
        modprobe -d "$tree" -S "$version" --show-depends "$m" |
            awk '$1 == "insmod" { print $2 }' |
            while read -r f; do
                install -D -m 644 "$f" "$dir${f#"$tree"}"
            done
    done
    # Newer kernels' modules are compressed, which busybox cannot read.
    find "$dir/lib/modules" -name '*.ko.xz' -exec xz -d {} +
    cp "$tree/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} \
        "$dir/lib/modules/$version/"
    depmod -b "$dir" "$version"
}

busybox_tree() { # DIR
    local dir=$1 applet
    mkdir -p "$dir"/{bin,dev,proc,sys,run,tmp,etc,mnt}
    cp "$(command -v busybox)" "$dir/bin/busybox"
    for applet in $("$dir/bin/busybox" --list); do
        [ -e "$dir/bin/$applet" ] || ln -s busybox "$dir/bin/$applet"
    done
}
