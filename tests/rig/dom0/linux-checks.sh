# SPDX-License-Identifier: GPL-2.0-only
# What a Linux guest behind the vIOMMU must have said; sourced by the tests.
# shellcheck shell=bash

check_mode() { # GUEST xapic|x2apic
    local log=$logs/$1.log
    check "$1: remapping enabled in $2 mode" "$(told_all "$1" dmesg | grep -i remap)" \
        has "$log" "Enabled IRQ remapping in $2 mode"
    if [ "$2" = x2apic ]; then
        check "$1: x2apic enabled" "$(told_all "$1" dmesg | grep x2apic)" \
            has "$log" 'x2apic enabled'
    else
        check "$1: x2apic not enabled" "$(told_all "$1" dmesg | grep x2apic)" \
            not has "$log" 'x2apic enabled'
    fi
    check "$1: no DMA translation attempted" '' \
        has "$log" 'No supported address widths. Not attempting DMA translation'
}

check_interrupts() { # GUEST
    local log=$logs/$1.log
    check "$1: IR-IO-APIC lines" '' has "$log" 'irq .*IR-IO-APIC'
    check "$1: IR-PCI-MSI lines" '' has "$log" 'irq .*IR-PCI-MSI'
    check "$1: NVMe data is what was written" "$(told "$1" data)" \
        equal "$(told "$1" data)" same
    check "$1: IR-PCI-MSI counts grow" "$(told "$1" msi-grew)" \
        at_least "$(told "$1" msi-grew)" 200
    check "$1: IR-IO-APIC counts grow" "$(told "$1" ioapic-grew)" \
        at_least "$(told "$1" ioapic-grew)" 1
}

check_moves() { # GUEST
    check "$1: interrupt followed its affinity 20 times" \
        "$(told "$1" affinity-followed) of 20" \
        equal "$(told "$1" affinity-followed)" 20
    check "$1: no interrupt on the CPU it left" "$(told "$1" affinity-astray)" \
        equal "$(told "$1" affinity-astray)" 0
    check "$1: vCPU taken offline and back 20 times" \
        "$(told "$1" cpu-toggled) of 20" equal "$(told "$1" cpu-toggled)" 20
    check "$1: I/O went on meanwhile" "$(told "$1" reads-meanwhile)" \
        at_least "$(told "$1" reads-meanwhile)" 20
    check "$1: no interrupt lost" "$(told "$1" lost)" equal "$(told "$1" lost)" 0
    check "$1: no fault reported" "$(told "$1" faults)" \
        equal "$(told "$1" faults)" 0
}

# counters GUEST: "model accesses, Xen's requests" of viommud at this moment.
counters() {
    viommu-ctl --json stats "$1" |
        jq -r '"\(.model["mmio-reads"] + .model["mmio-writes"]) \(.xen.requests)"'
}

# Read the counters at both marks while the guest runs.
count_requests() { # GUEST
    local before after
    wait_for 300 said "$1" "mark start" || return
    before=$(counters "$1")
    said "$1" "mark run" && echo "counters of $1 read too late" && return
    wait_for 300 said "$1" "mark end" || return
    after=$(counters "$1")
    echo "$1: counters before $before, after $after"
    check "$1: 10,000 interrupts" "$(told "$1" nvme-interrupts)" \
        at_least "$(told "$1" nvme-interrupts)" 10000
    check "$1: no request to viommud, by its own counters" \
        "${before% *} before, ${after% *} after" equal "${before% *}" "${after% *}"
    check "$1: no request to viommud, by Xen's counters" \
        "${before#* } before, ${after#* } after" equal "${before#* }" "${after#* }"
}
