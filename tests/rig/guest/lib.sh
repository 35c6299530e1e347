# SPDX-License-Identifier: GPL-2.0-only
# What the guest's tests share; sourced by init.
# shellcheck shell=sh

# say KEY VALUE...: one fact for the test in dom0.
say() {
    echo "GUEST $*"
}

# Interrupts so far on lines of /proc/interrupts that match a pattern.
irq_count() {
    awk -v pattern="$1" '
        NR == 1 { cpus = NF; next }
        $0 ~ pattern { for (i = 2; i <= cpus + 1; i++) n += $i }
        END { print n + 0 }' /proc/interrupts
}

# The kernel's lines that a test in dom0 looks at.
say_dmesg() {
    dmesg | grep -E 'DMAR|x2apic|IRQ remapping|INTR-REMAP' | head -n 30 |
        while read -r line; do
            say "dmesg $line"
        done
}

say_interrupts() {
    grep -E 'IO-APIC|PCI-MSI|DMAR|CPU0' /proc/interrupts | tr -s ' ' |
        while read -r line; do
            say "irq $line"
        done
}

nvme_up() { # [COUNT]
    modprobe nvme || { say "error modprobe nvme"; return 1; }
    for _ in $(seq 100); do
        [ -b /dev/nvme0n1 ] && [ -b "/dev/nvme$((${1:-2} - 1))n1" ] && return 0
        sleep 0.1
    done
    say "error NVMe devices missing"
    return 1
}

# read_blocks COUNT [SKIP]: that many direct reads of 512 bytes.
read_blocks() {
    dd if=/dev/nvme0n1 of=/dev/null bs=512 count="$1" skip="${2:-0}" \
        iflag=direct 2> /dev/null
}

# What the kernel says of a unit that does not work, and of itself.
# shellcheck disable=SC2034 # used by tests
errors='DMAR: .*(IQE|ITE|Invalidation|VT-d detected)|soft lockup|rcu.*stall|BUG:'

# A word of the kernel's command line: KEY=WORD.
word() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

# Put a device into the hands of programs: vfio-edu is one.
vfio_take() { # ADDRESS
    modprobe -a vfio-pci vfio_iommu_type1 || say "error modprobe vfio"
    echo vfio-pci > "/sys/bus/pci/devices/$1/driver_override"
    echo "$1" > /sys/bus/pci/drivers_probe || say "error probe"
}
