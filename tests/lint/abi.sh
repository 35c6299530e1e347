#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The daemon's copy of the DMOP ABI is the patched Xen's: every structure's
# size and fields, every number.
#
#   abi.sh PATCHED-XEN-SOURCE
set -eu
xen=$(realpath "${1:?usage: abi.sh PATCHED-XEN-SOURCE}")
top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
abi=$top/daemon/xen/dmop-abi.h

# facts HEADER: a program that prints the layout as that header has it.
facts() {
    echo '#include <stdio.h>'
    echo '#include <stddef.h>'
    echo "$1"
    echo 'int main(void) {'
    awk '
        /^struct xen_dm_op_viommu/ { s = $2; printf "printf(\"%s %%zu\\n\", sizeof(struct %s));\n", s, s }
        /^};/ { s = "" }
        s && /^    u?int[0-9]+_t [a-z0-9_]+;/ {
            f = $2; sub(";", "", f)
            printf "printf(\"%s.%s %%zu %%zu\\n\", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));\n", s, f, s, f, s, f
        }
        /^#define XEN_DMOP_[A-Za-z0-9_]+ +[(0-9]/ || /^#define VIOMMU_REASON_/ || /^#define IOREQ_TYPE_VIOMMU/ {
            printf "printf(\"%s %%llu\\n\", (unsigned long long)(%s));\n", $2, $2
        }' "$abi"
    echo 'return 0; }'
}

facts "#include \"$abi\"" > "$dir/ours.c"
facts '#include <stdint.h>
#define __XEN_TOOLS__ 1
#include <xen/xen.h>
#include <xen/hvm/ioreq.h>
#include <xen/hvm/dm_op.h>' > "$dir/theirs.c"
mkdir "$dir/include"
ln -s "$xen/xen/include/public" "$dir/include/xen"
gcc -o "$dir/ours" "$dir/ours.c"
gcc -I"$dir/include" -o "$dir/theirs" "$dir/theirs.c"
"$dir/ours" > "$dir/ours.txt"
"$dir/theirs" > "$dir/theirs.txt"
[ "$(wc -l < "$dir/ours.txt")" -ge 60 ] || { echo "abi: compares too little" >&2; exit 1; }
diff -u "$dir/ours.txt" "$dir/theirs.txt" >&2 || { echo "abi: dmop-abi.h is not Xen's" >&2; exit 1; }
