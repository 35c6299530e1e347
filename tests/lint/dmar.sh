#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The DMAR table against iasl, which knows the format from elsewhere: what it
# disassembles must have the fields of the configuration, and what it compiles
# from that must be the same bytes again.
#
#   dmar.sh VIOMMU-CTL

set -eu

ctl=${1:?usage: dmar.sh VIOMMU-CTL}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
	echo "dmar: $spec: $*" >&2
	failed=$((failed + 1))
}

# The value of a field that occurs once, or its $3rd occurrence.
field()
{
	sed -n "s/^\[[^]]*\] *$2 : *//p" "$1" | sed -n "${3:-1}p"
}

expect()
{
	got=$(field "$dir/table.dsl" "$1" "${3:-1}")
	[ "$got" = "$2" ] || fail "$1 is '$got' instead of '$2'"
}

# iasl signs what it compiles: creator id and revision, hence the checksum.
without_creator()
{
	od -An -v -tx1 -w1 "$1" | sed -e 10d -e 29,36d
}

sum()
{
	od -An -v -tu1 -w1 "$1" | awk '{ s += $1 } END { print s % 256 }'
}

# The table of $spec, disassembled without a word against it.
build()
{
	if ! "$ctl" dmar -o "$dir/table.aml" --config "$spec"; then
		fail "viommu-ctl dmar failed"
		return 1
	fi
	"$ctl" dmar --config "$spec" >"$dir/stdout.aml"
	cmp -s "$dir/table.aml" "$dir/stdout.aml" ||
		fail "-o and standard output differ"
	[ "$(sum "$dir/table.aml")" = 0 ] || fail "checksum"

	if ! iasl -d -p "$dir/table" "$dir/table.aml" >"$dir/log" 2>&1; then
		cat "$dir/log" >&2
		fail "iasl cannot disassemble it"
		return 1
	fi
	if grep -qiE 'error|warning|invalid|unknown' "$dir/table.dsl"; then
		grep -iE 'error|warning|invalid|unknown' "$dir/table.dsl" >&2
		fail "iasl finds fault with it"
	fi
}

# Compiled again it is the same.
same_again()
{
	if ! iasl -p "$dir/again" "$dir/table.dsl" >"$dir/log" 2>&1; then
		cat "$dir/log" >&2
		fail "iasl cannot compile it again"
		return
	fi
	without_creator "$dir/table.aml" >"$dir/table.hex"
	without_creator "$dir/again.aml" >"$dir/again.hex"
	if ! diff "$dir/table.hex" "$dir/again.hex" >&2; then
		fail "iasl compiles something else from it"
	fi
}

# check SPEC WIDTH-1 FLAGS BASE IOAPIC-ID BUS PATH
check()
{
	spec=$1
	build || return 0
	expect 'Signature' '"DMAR"    [DMA Remapping table]'
	expect 'Table Length' 00000048
	expect 'Revision' 01
	expect 'Oem ID' '"VIOMMU"'
	expect 'Oem Table ID' '"VIOMMUD "'
	expect 'Host Address Width' "$2"
	expect 'Flags' "$3"
	expect 'Subtable Type' '0000 [Hardware Unit Definition]'
	expect 'Length' 0018
	expect 'Flags' 01 2
	expect 'PCI Segment Number' 0000
	expect 'Register Base Address' "$4"
	expect 'Device Scope Type' '03 [IOAPIC Device]'
	expect 'Entry Length' 08
	expect 'Enumeration ID' "$5"
	expect 'PCI Bus Number' "$6"
	expect 'PCI Path' "$7"
	same_again
}

# devices SPEC LENGTH FLAGS DEVICE-PATH...: explicit scopes
devices()
{
	spec=$1
	length=$2
	flags=$3
	shift 3
	build || return 0
	expect 'Table Length' "$length"
	expect 'Flags' "$flags"
	# No INCLUDE_PCI_ALL.
	expect 'Flags' 00 2
	n=0
	for path; do
		n=$((n + 1))
		expect 'Device Scope Type' '01 [PCI Endpoint Device]' "$n"
		expect 'PCI Path' "$path" "$n"
	done
	same_again
}

check type=intel_vtd 2D 01 00000000FED90000 01 FF 00,00
check type=intel_vtd,intremap=1,eim=0 2D 01 00000000FED90000 01 FF 00,00
check type=intel_vtd,x2apic_opt_out=1,width=39 \
	26 03 00000000FED90000 01 FF 00,00
check type=intel_vtd,base=0xfeda0000,ioapic_sid=f0:1f.6,ioapic_id=0,width=52 \
	33 01 00000000FEDA0000 00 F0 1F,06
check type=intel_vtd,ioapic_sid=00:1e.7,ioapic_id=255,faults=1,width=32 \
	1F 01 00000000FED90000 FF 00 1E,07

# units SPEC LENGTH BASE-FLAGS-SCOPES...: the units in their order, each with
# its base, its flags, and the types and paths of its scopes
units()
{
	spec=$1
	length=$2
	shift 2
	build || return 0
	expect 'Table Length' "$length"
	expect 'Flags' 01
	unit=0
	scope=0
	for want; do
		unit=$((unit + 1))
		expect 'Register Base Address' "00000000${want%%/*}" "$unit"
		want=${want#*/}
		expect 'Flags' "${want%%/*}" $((unit + 1))
		want=${want#*/}
		# shellcheck disable=SC2086 # a list of words
		set -- $want
		for path; do
			scope=$((scope + 1))
			expect 'PCI Path' "$path" "$scope"
		done
	done
	[ -z "$(field "$dir/table.dsl" 'PCI Path' $((scope + 1)))" ] ||
		fail "more than $scope scopes"
	[ -z "$(field "$dir/table.dsl" 'Register Base Address' $((unit + 1)))" ] ||
		fail "more than $unit units"
	same_again
}

devices 'type=intel_vtd,devices=00:04.0' 00000050 01 04,00
devices 'type=intel_vtd,intremap=0,dma=legacy,devices=00:04.0;00:05.1' \
	00000050 00 04,00 05,01
devices 'type=intel_vtd,dma=scalable,ats=1,devices=00:04.0;00:06.0,layout=one' \
	00000060 01 04,00 06,00

# Split, and two of the same written out.
units 'type=intel_vtd,dma=legacy,devices=00:04.0;00:05.1' 00000068 \
	'FED90000/00/04,00 05,01' 'FED91000/01/00,00'
units 'type=intel_vtd,dma=full,devices=00:04.0' 00000068 \
	'FED90000/00/04,00' 'FED91000/01/00,00'
units 'type=intel_vtd,dma=legacy,devices=00:04.0|type=intel_vtd,base=0xfed95000' \
	00000060 'FED90000/00/04,00' 'FED95000/01/00,00'
units 'type=intel_vtd,dma=legacy,devices=00:04.0|type=intel_vtd,base=0xfeda0000,dma=legacy,devices=00:05.0' \
	00000068 'FED90000/00/04,00 00,00' 'FEDA0000/00/05,00'

if [ "$failed" -gt 0 ]; then
	echo "dmar: $failed checks failed" >&2
	exit 1
fi
echo "dmar: 12 configurations, each disassembled and compiled again"
