# SPDX-License-Identifier: GPL-2.0-only
# What the tests in dom0 share; sourced by each of them.
# shellcheck shell=bash
#
# A test reports with pass, fail, skip or check; each is a line in the results
# that the outer machine reads as it is written.
set -u
rig=/run/rig
host=/host
results=$host/out/results
logs=$host/out/guests
mkdir -p $rig $logs

report() { echo "$*" >> $results; }
pass() { report "PASS $1"; }
fail() { report "FAIL $1: ${2:-}"; }
skip() { report "SKIP $1: ${2:-}"; }

# check NAME WHAT-WAS-SEEN COMMAND...: passes if the command does.
check() {
    local name=$1 seen=$2
    shift 2
    if "$@"; then pass "$name"; else fail "$name" "${seen:-$*}"; fi
}
has() { grep -qE -- "$2" "$1"; } # FILE PATTERN
not() { ! "$@"; }
at_least() { [ "${1:-0}" -ge "$2" ] 2> /dev/null; } # SEEN WANTED
equal() { [ "${1-}" = "${2-}" ]; }

# dom0 has one emulated CPU, which the guests' device models need: while it
# waits, a test must not start programs, so it sleeps in a read that times out.
exec {quiet}<> <(:)
nap() { read -r -t "$1" -u "$quiet" _ || :; } # SECONDS
# wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        nap 0.5
    done
}

# Does a guest's console have a line that begins with these words?
console_has() { # GUEST WORDS
    local line
    local -a lines=()
    [ -e "$logs/$1.log" ] || return
    mapfile -t lines < "$logs/$1.log"
    for line in "${lines[@]}"; do
        [ "${line#"$2"}" = "$line" ] || return 0
    done
    return 1
}

# What a guest said (`say KEY VALUE` in tests/rig/guest): its value.
told() { sed -n "s/^GUEST $2 //p" "$logs/$1.log" | tr -d '\r' | tail -n 1; } # GUEST KEY
said() { console_has "$1" "GUEST $2"; } # GUEST WORDS
told_all() { sed -n "s/^GUEST $2 //p" "$logs/$1.log" | tr -d '\r'; }

# make_disk NAME KERNEL TEST CMDLINE: what a Linux guest boots from.
make_disk() {
    cp "$host/guests/$2.disk" "$rig/$1.disk"
    mcopy -o -i "$rig/$1.disk" - ::syslinux.cfg <<CFG
DEFAULT linux
LABEL linux
  KERNEL vmlinuz
  INITRD initrd.gz
  APPEND console=ttyS0 quiet nopv rig.test=$3 $4
CFG
}

# write_cfg NAME KERNEL TEST VIOMMU [CMDLINE]: a Linux guest's xl.cfg with two
# NVMe devices, the second with a single vector; VIOMMU may be empty.
write_cfg() {
    truncate -s 16M "$rig/$1.nvme0" "$rig/$1.nvme1"
    make_disk "$1" "$2" "$3" "nvme_core.io_timeout=5 ${5:-}"
    cat > "$rig/$1.cfg" <<CFG
name = "$1"
type = "hvm"
cpus = "1-2"
vcpus = 2
memory = 512
serial = "file:$logs/$1.log"
vga = "none"
nographic = 1
usb = 0
device_model_args = [
    "-drive", "file=$rig/$1.disk,if=none,id=disk,format=raw",
    "-device", "virtio-blk-pci,drive=disk,addr=5,bootindex=0",
    "-drive", "file=$rig/$1.nvme0,if=none,id=nvme0,format=raw",
    "-device", "nvme,drive=nvme0,serial=rig0,addr=6",
    "-drive", "file=$rig/$1.nvme1,if=none,id=nvme1,format=raw",
    "-device", "nvme,drive=nvme1,serial=rig1,addr=7,max_ioqpairs=1,msix_qsize=1" ]
CFG
    [ -z "$4" ] || echo "viommu = [ \"$4\" ]" >> "$rig/$1.cfg"
}

# Three answers: under emulation a program is lost now and then (docs/rig.md).
domain_gone() {
    ! xl domid "$1" > /dev/null 2>&1 && ! xl domid "$1" > /dev/null 2>&1 &&
        ! xl domid "$1" > /dev/null 2>&1
}
# Whether the guest is still there is asked now and then only.
guest_ended() { # GUEST
    console_has "$1" GUEST-END && return
    [ $((SECONDS % 10)) = 0 ] && domain_gone "$1"
}

# Keep what was seen where the outer machine can read it.
keep() { # NAME
    cp $rig/"$1".create $rig/"$1".cfg $host/out/guests/ 2> /dev/null
    cp /var/log/xen/qemu-dm-"$1".log $host/out/guests/ 2> /dev/null
    return 0
}

# start_guest NAME: with viommud if its configuration asks for it.
start_guest() {
    local how=(xl create)
    grep -q '^viommu' "$rig/$1.cfg" && how=(viommu-ctl create)
    "${how[@]}" "$rig/$1.cfg" > "$rig/$1.create" 2>&1
}

# What can be seen of a guest that did not do what it should.
autopsy() { # NAME
    local id vcpu
    id=$(xl domid "$1")
    xl vcpu-list "$1"
    for vcpu in 0 1 0 1; do
        /usr/lib/xen-4.17/bin/xenctx "$id" $vcpu | head -n 24
    done
    viommu-ctl status "$1"
    viommu-ctl regs "$1"
    viommu-ctl irt "$1"
    viommu-ctl faults "$1"
    viommu-ctl stats "$1"
    xl debug-keys q
    xl dmesg | tail -n 60
}

# run_guest NAME SECONDS: create it, wait until its test has ended.
run_guest() {
    if ! start_guest "$1"; then
        keep "$1"
        fail "$1: created" "$(tail -n 1 "$rig/$1.create")"
        return 1
    fi
    if ! wait_for "$2" guest_ended "$1" || ! console_has "$1" GUEST-END; then
        autopsy "$1" > "$logs/$1.autopsy" 2>&1
        xl destroy "$1"
        keep "$1"
        fail "$1: ran to its end" "$(tail -n 2 "$logs/$1.log" | tr -d '\r\n')"
        return 1
    fi
    keep "$1"
}

end_guest() { # NAME
    wait_for 10 domain_gone "$1" || xl destroy "$1"
}
