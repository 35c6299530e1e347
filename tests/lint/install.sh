#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make install DESTDIR=` installs what it should, and nothing else.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
make -s install DESTDIR="$dir"
diff - <(cd "$dir" && find . -type f -printf '%m %p\n' | sort -k 2) <<'LIST'
644 ./usr/include/viommu/viommu-client.h
644 ./usr/include/viommu/viommu-proto.h
644 ./usr/include/viommu/viommu-vhost.h
644 ./usr/lib/libviommu-client.a
644 ./usr/lib/libviommu-client.so.0
644 ./usr/lib/pkgconfig/viommu-client.pc
644 ./usr/lib/systemd/system/viommud@.service
755 ./usr/libexec/viommud/viommu-edu
755 ./usr/sbin/viommu-ctl
755 ./usr/sbin/viommud
644 ./usr/share/man/man1/viommu-edu.1
644 ./usr/share/man/man3/libviommu-client.3
644 ./usr/share/man/man5/viommu.cfg.5
644 ./usr/share/man/man8/viommu-ctl.8
644 ./usr/share/man/man8/viommud.8
LIST

# What is installed is what a program needs: in C and C++, shared and static.
cat > "$dir/program.c" <<'PROGRAM'
#include <viommu-client.h>
int
main(void)
{
    struct viommu *viommu = NULL;
    struct viommu_options options = { sizeof(options), "/nonexistent" };

    return viommu_open(&viommu, 1, &options) >= 0 ||
           viommu_strerror(0)[0] == '\0';
}
PROGRAM
flags() {
    PKG_CONFIG_PATH=$dir/usr/lib/pkgconfig PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 \
        pkg-config "$@" viommu-client |
        sed "s#/usr/\(include/viommu\|lib\b\)#$dir/usr/\1#g"
}
try() { # COMPILER ARGUMENT...
    # shellcheck disable=SC2046 # they are words
    "$@" -o "$dir/program" "$dir/program.c" $(flags --cflags --libs)
    LD_LIBRARY_PATH=$dir/usr/lib "$dir/program"
}
try gcc -Wall -Werror
try g++ -x c++ -Wall -Werror
readelf -d "$dir/program" | grep -q 'NEEDED.*libviommu-client\.so\.0'
rm "$dir/usr/lib"/libviommu-client.so*
# shellcheck disable=SC2046
gcc -o "$dir/program" "$dir/program.c" $(flags --cflags --libs --static)
"$dir/program"
