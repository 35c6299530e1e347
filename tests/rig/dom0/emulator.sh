# SPDX-License-Identifier: GPL-2.0-only
# A guest with a device that viommu-edu emulates; sourced by the tests that
# have one, behind lib.sh.
# shellcheck shell=bash
device=00:05.0
emulator=/usr/libexec/viommud/viommu-edu
declare -A edu_pid

emulator_said() { # GUEST WORDS
    local line
    while read -r line; do
        [ "${line#"$2"}" = "$line" ] || return 0
    done 2> /dev/null < "$logs/$1.edu"
    return 1
}
emulator_runs() { kill -0 "${edu_pid[$1]}" 2> /dev/null; } # GUEST

# create_emulated GUEST [OPTION...]: it is paused, its device is there, and
# daemon_log is its daemon's.
create_emulated() {
    local name=$1 id
    shift
    rm -f "$logs/$name.log"
    if ! viommu-ctl create --paused "$rig/$name.cfg" > "$rig/$name.create" 2>&1; then
        keep "$name"
        fail "$name: created" "$(tail -n 1 "$rig/$name.create")"
        return 1
    fi
    id=$(xl domid "$name")
    # shellcheck disable=SC2034 # for those who source this
    daemon_log=/var/log/xen/viommud-$id.log
    $emulator "$id" --device $device "$@" > "$logs/$name.edu" 2>&1 &
    edu_pid[$name]=$!
    if ! wait_for 20 emulator_said "$name" ready; then
        fail "$name: the emulator is ready" "$(tail -n 2 "$logs/$name.edu")"
        xl destroy "$name"
        return 1
    fi
}
