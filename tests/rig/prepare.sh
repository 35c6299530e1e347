#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything that a boot of the rig needs and that changes rarely: patched and
# stock Xen, dom0, the guests' kernels.
. "$(dirname "$0")/lib.sh"
"$top/xen-hooks/build.sh" "$@" "$top/build/xen"
"$rig_dir/base.sh"
"$rig_dir/guests.sh"
