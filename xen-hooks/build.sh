#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build Xen with a series of xen-hooks, from Debian's source package:
#
#   build.sh [--each] [--series 4.17] OUTDIR
#
# --each also builds after every patch.  Leaves OUTDIR/xen, the hypervisor with
# the whole series, and OUTDIR/xen-stock, the same without it; both are
# uncompressed ELF and have Xen's own debug checks on.  The patched tree is
# OUTDIR/src.  What is up to date is not made again.
#
# Needs Debian 12 with: gcc make flex bison bc python3 xz-utils zlib1g-dev
# dpkg-dev git ca-certificates.  The source comes from where the machine's own
# packages come from, whether or not their sources are enabled in apt.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
series=4.17
each=no

usage() {
    echo 'usage: build.sh [--each] [--series 4.17] OUTDIR' >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --each) each=yes ;;
    --series) [ $# -gt 1 ] || usage; series=$2; shift ;;
    -*) usage ;;
    *) break ;;
    esac
    shift
done
[ $# = 1 ] || usage

patches=("$here/$series"/*.patch)
if [ ! -f "${patches[0]}" ]; then
    echo "cannot build series $series: no patches in $here/$series" >&2
    exit 1
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
src=$out/src
mkdir -p "$out/log" "$out/package"

# One line for the user; the rest, and why it failed, in a log.  Never in a
# condition: `set -e` would be off inside the command.
step() { # title, command...
    local title=$1 start=$SECONDS log rc
    shift
    log=$out/log/$(tr -cs 'a-z0-9\n' - <<< "${title,,}").log
    printf '==> %-60s ' "xen: $title"
    set +e
    (set -e; "$@") > "$log" 2>&1
    rc=$?
    set -e
    if [ $rc = 0 ]; then
        printf '%4d s\n' $((SECONDS - start))
        return
    fi
    printf 'FAILED after %d s\n' $((SECONDS - start))
    tail -n 25 "$log" | cut -c 1-300 | sed 's/^/    /'
    echo "    (all of it: $log)"
    exit 1
}

# apt with a configuration of its own, where the machine's sources are deb-src.
apt_setup() {
    local f n=0 parts=$out/apt/sources.list.d

    rm -rf "$parts"
    mkdir -p "$parts" "$out/apt/lists/partial" "$out/apt/cache/archives/partial"
    for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -s "$f" ] || continue
        n=$((n + 1))
        sed -n 's/^deb\(-src\)\?[[:space:]]/deb-src /p' "$f" |
            sort -u > "$parts/$n.list"
    done
    for f in /etc/apt/sources.list.d/*.sources; do
        [ -s "$f" ] || continue
        n=$((n + 1))
        sed 's/^Types:.*/Types: deb-src/' "$f" > "$parts/$n.sources"
    done
}

apt_private() { # command, argument...
    local command=$1
    shift
    "$command" -o "Dir::Etc::SourceParts=$out/apt/sources.list.d" \
        -o Dir::Etc::SourceList=/dev/null -o "Dir::State::Lists=$out/apt/lists" \
        -o "Dir::Cache=$out/apt/cache" -o APT::Sandbox::User=root \
        "$@"
}

# The versions of the series that the index has, newest first.
package_versions() {
    apt_private apt-cache showsrc xen |
        sed -n 's/^Version: //p' | grep -F "$series." | sort -ruV
}

# The newest one in the index is not always to be had.
package_fetch() {
    local version

    apt_setup
    apt_private apt-get update
    for version in $(package_versions); do
        echo "trying $version"
        rm -f "$out"/package/*
        if (cd "$out/package" &&
            apt_private apt-get source --download-only "xen=$version"); then
            rm -rf "$src"
            echo "$version" > "$out/package/version"
            return
        fi
    done
    echo "no source package of Xen $series could be fetched"
    return 1
}

# Never the repository that OUTDIR may be inside of.
src_git() {
    git -C "$src" --git-dir="$src/.git" --work-tree="$src" \
        -c user.name=xen-hooks -c user.email=xen-hooks@invalid "$@"
}

# A git tree, so that another series can replace this one and make still
# rebuilds only what differs.
source_unpack() {
    rm -rf "$src"
    dpkg-source --no-copy -x "$out"/package/*.dsc "$src"
    cd "$src"
    git init -q -b series .
    src_git add -A -f .
    src_git commit -q -m "xen $(cat "$out/package/version")"
    src_git tag base
}

source_reset() {
    src_git am -q --abort 2> /dev/null || true
    src_git checkout -q -f -B series base
}

configure() {
    cd "$src"
    make -C xen defconfig XEN_TARGET_ARCH=x86_64
    # Xen's assertions are part of what the tests are for; the other two only
    # take time.
    sed -i -e '/CONFIG_\(DEBUG\|DEBUG_INFO\|LIVEPATCH\)[= ]/d' \
        -e '$a CONFIG_DEBUG=y' -e '$a # CONFIG_DEBUG_INFO is not set' \
        -e '$a # CONFIG_LIVEPATCH is not set' xen/.config
    make -C xen olddefconfig XEN_TARGET_ARCH=x86_64
    grep -qx CONFIG_DEBUG=y xen/.config
}

build() {
    make -C "$src/xen" -j"$(nproc)" XEN_TARGET_ARCH=x86_64
}

build_stock() {
    build
    install -m 644 "$src/xen/xen" "$out/xen-stock"
}

apply() { # patch
    src_git am -q --keep-non-patch "$1"
}

# New symbols must be there, and on, before the result is taken for patched.
build_patched() {
    build
    grep -qx CONFIG_HVM_VIOMMU=y "$src/xen/.config"
    install -m 644 "$src/xen/xen" "$out/xen"
}

stamp_text() { # file...
    { cat "$out/package/version" "$@"; declare -f configure build; } | sha256sum
}

up_to_date() { # file, stamp
    [ -f "$out/$1" ] && [ "$(cat "$out/$1.stamp" 2> /dev/null)" = "$2" ]
}

xen_up_to_date() {
    up_to_date xen "$xen_stamp each=yes" ||
        { [ $each = no ] && up_to_date xen "$xen_stamp each=no"; }
}

[ -f "$out/package/version" ] || step 'fetch the source package' package_fetch
version=$(cat "$out/package/version")
case $version in
"$series".*) ;;
*)
    echo "cannot build series $series: $out is for Xen $version; use another" \
        'directory' >&2
    exit 1
    ;;
esac

stock_stamp=$(stamp_text)
xen_stamp=$(stamp_text "${patches[@]}")
if up_to_date xen-stock "$stock_stamp" && xen_up_to_date; then
    exit 0
fi

if ! src_git rev-parse -q --verify base > /dev/null 2>&1; then
    step "unpack $version" source_unpack
fi
step 'undo earlier patches' source_reset

if ! up_to_date xen-stock "$stock_stamp"; then
    rm -f "$out/xen-stock.stamp"
    step 'configure' configure
    step 'build without patches' build_stock
    echo "$stock_stamp" > "$out/xen-stock.stamp"
fi

if ! xen_up_to_date; then
    rm -f "$out/xen.stamp"
    for p in "${patches[@]}"; do
        name=$(basename "$p" .patch)
        step "apply $name" apply "$p"
        [ $each = no ] || step "build $name" build
    done
    step 'build with the whole series' build_patched
    echo "$xen_stamp each=$each" > "$out/xen.stamp"
fi
