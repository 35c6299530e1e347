#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The command line of viommu-ctl: exit statuses, and which stream a message
# goes to.  Needs no Xen.
#
#   ctl.sh VIOMMU-CTL

set -eu

ctl=${1:?usage: ctl.sh VIOMMU-CTL}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail()
{
	echo "ctl: $*" >&2
	failed=$((failed + 1))
}

# check STATUS TEXT ARGUMENT...: TEXT is on standard output if the status is
# 0, on standard error, alone, otherwise.
check()
{
	want=$1 text=$2
	shift 2
	status=0
	XENSTORED_PATH=/nonexistent "$ctl" --run-dir="$dir" "$@" \
		>"$dir/out" 2>"$dir/err" || status=$?
	shown=err silent=out
	[ "$want" != 0 ] || shown=out silent=err
	if [ "$status" != "$want" ]; then
		fail "'$*': status $status instead of $want"
	elif ! grep -qF -e "$text" "$dir/$shown"; then
		fail "'$*': no '$text' on std$shown"
	elif [ -s "$dir/$silent" ]; then
		fail "'$*': something on std$silent"
	fi
}

check 0 'Commands:' --help
check 0 'Usage: viommu-ctl regs' regs --help
check 0 'viommu-ctl ' --version
check 2 'which command?'
check 2 "no command is named 'frobnicate'" frobnicate
check 2 'unrecognized option' --frobnicate
check 2 'dmar prints no JSON' --json dmar -c type=intel_vtd
check 2 'create prints no JSON' --json create x.cfg
check 2 'name either an xl.cfg or --config=SPEC' dmar
check 2 'name either an xl.cfg or --config=SPEC' dmar -c type=intel_vtd x.cfg
check 2 "name the guest's xl.cfg" create
check 2 "'-' is no KEY=VALUE for xl" create x.cfg -
check 2 'name a domain and its xl.cfg' configure 3
check 2 "'y' is one argument too many" configure 3 x.cfg y
check 1 "cannot read $dir/x.cfg: No such file" create "$dir/x.cfg"
check 1 "cannot read $dir/x.cfg: No such file" configure 3 "$dir/x.cfg"
check 1 'viommu: type=amd is not offered' dmar -c type=amd
check 0 '[]' --json list
check 0 'DOMID  NAME' list
for command in status regs irt queue faults stats devices why tlb clients; do
	check 2 'which domain?' $command
	check 3 'no viommud runs for domain 7' $command 7
	check 1 "'0' is not a guest's domain id" $command 0
	check 1 'cannot reach xenstore' $command guest
done
check 2 'which domain?' walk
check 2 'expected: DOMAIN SBDF[/PASID] IOVA' walk 7
check 2 'expected: DOMAIN SBDF[/PASID] IOVA' walk 7 00:05.0
check 2 "'x' is one argument too many" walk 7 00:05.0 0 x
check 3 'no viommud runs for domain 7' walk 7 00:05.0 0
for command in status irt queue faults stats devices why tlb clients; do
	check 2 "'x' is one argument too many" $command 7 x
done
for command in regs irt queue faults stats walk why tlb; do
	check 2 "'256' is not a unit; accepted: 0 to 255" $command -u 256 7
done

if [ "$failed" -gt 0 ]; then
	echo "ctl: $failed checks failed" >&2
	exit 1
fi
echo 'ctl: every exit status is as documented'
