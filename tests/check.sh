#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `make check`: everything that proves that the project works, from a clean
# clone on a bare Debian 12 machine as root.  Each test is a line; the last
# line counts them.  Words select parts: unit lint fuzz xen rig.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
out=$top/build/check
mkdir -p "$out"
all=$out/results
: > "$all"
parts=${*:-unit lint fuzz xen rig}
begin=$SECONDS

# Whatever hangs, the last line is printed: each command has a time-out, and
# all of them together this many seconds.
limit=4500
left() { # MOST
    local s=$((limit - SECONDS + begin))
    [ "$s" -gt 10 ] || s=10
    [ "$s" -lt "$1" ] && echo "$s" || echo "$1"
}

wanted() { [[ " $parts " == *" $1 "* ]]; }
title() { printf '\n== %s (%d s since start)\n' "$1" $((SECONDS - begin)); }
result() { # PASS|FAIL|SKIP NAME
    echo "$*" >> "$all"
    [ "$1" = PASS ] || echo "    $*"
}

# test_of NAME COMMAND...: one test; what it printed is shown if it failed.
# No test takes ten minutes; one that does has failed.
test_of() {
    local name=$1 log start=$SECONDS
    shift
    log=$out/$(tr -cs 'a-zA-Z0-9\n' - <<< "$name").log
    if timeout -k 10 "$(left 600)" "$@" > "$log" 2>&1; then
        result PASS "$name"
        printf '    ok  %-56s %4d s\n' "$name" $((SECONDS - start))
    else
        tail -n 30 "$log" | sed 's/^/        /'
        result FAIL "$name: see ${log#"$top"/}"
    fi
}

# cmocka's TAP output becomes a result a test.
unit_program() { # KIND PROGRAM
    local name=$1/${2##*/} tap status
    tap=$(CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 "$(left 300)" "$2" 2> "$out/stderr")
    status=$?
    sed -n "s#^ok [0-9]* - #PASS $name: #p; s#^not ok [0-9]* - #FAIL $name: #p" \
        <<< "$tap" >> "$all"
    if [ $status != 0 ] || ! grep -q '^ok' <<< "$tap"; then
        printf '%s\n' "$tap" | grep -v '^ok' | tail -n 20 | sed 's/^/        /'
        tail -n 5 "$out/stderr" | sed 's/^/        /'
        grep -q '^not ok' <<< "$tap" || result FAIL "$name: status $status"
    fi
    printf '    %-60s %3d ok\n' "$name" "$(grep -c '^ok' <<< "$tap")"
}

unit_tests() { # KIND SAN
    test_of "build ($1)" make -j"$(nproc)" WERROR=1 SAN="$2" all unit
    local p
    for p in build/"$1"/tests/unit/*-test; do
        unit_program "$1" "$p"
    done
}

lint() {
    local c sh
    mapfile -t c < <(git ls-files 'daemon/*.[ch]' 'client/*.[ch]' 'tools/*.[ch]' 'tests/*.[ch]')
    mapfile -t sh < <(git ls-files '*.sh' 'tests/rig/dom0/*' 'tests/rig/guest/*' .ci/run |
        grep -v '\.service$')
    test_of 'lint: clang-format' clang-format --dry-run -Werror "${c[@]}"
    test_of 'lint: boundaries' tests/lint/layering.sh build/rel
    test_of 'lint: tree' tests/lint/tree.sh
    test_of 'lint: what docs/conformance.md names' tests/lint/conformance.py
    test_of 'lint: shellcheck' shellcheck "${sh[@]}"
    test_of 'lint: manual pages' mandoc -Tlint -Wwarning man/*
    test_of 'lint: spelling' codespell --ignore-words-list extint,nd,fro,te,datas \
        README.md docs man daemon client tools systemd tests/rig tests/guests tests/unit \
        tests/vfio
    test_of 'lint: viommu-ctl command line' tests/lint/ctl.sh build/rel/viommu-ctl
    test_of 'DMAR through iasl' tests/lint/dmar.sh build/rel/viommu-ctl
    test_of 'lint: install' tests/lint/install.sh
    test_of 'lint: clang-tidy' tests/lint/tidy.sh
}

# A boot of the rig: its results are added to ours.
boot() { # NAME SECONDS ARGUMENT...
    local name=$1 most=$2 share=$top/build/rig/boot-$1 status
    shift 2
    mkdir -p "$share"
    timeout -k 10 "$(left 600)" tests/rig/stage.sh "$share" \
        > "$out/stage-$name.log" 2>&1 ||
        { result FAIL "rig $name: staging, see build/check/stage-$name.log"; return; }
    tests/rig/boot.py --base build/rig --share "$share" \
        --timeout "$(left "$most")" "$@"
    status=$?
    cat "$share/out/results" >> "$all" 2> /dev/null
    [ $status = 0 ] || result FAIL "rig $name: ended with status $status, see build/rig/boot-$name/out"
    grep -qE '\(XEN\) (Assertion|Xen BUG|.*Panic on CPU)' "$share/out/console.log" &&
        result FAIL "rig $name: Xen complained, see build/rig/boot-$name/out/console.log"
}

rig_tests() {
    timeout -k 10 "$(left 1800)" tests/rig/prepare.sh || { result FAIL 'rig: prepare'; return; }
    title 'real Xen: guests'
    boot guests 1500 --xen build/xen/xen \
        --append 'rig.tests=00-plain-guest,10-linux,15-traces,30-ir-kernel,40-bad-input'
    local trace
    for trace in build/rig/boot-guests/out/traces/*.trace; do
        test_of "replay of ${trace##*/}" \
            env REPLAY="$trace" build/rel/tests/unit/daemon-replay-test
    done
    title 'real Xen: DMA of a driver in user space'
    boot dma 1500 --xen build/xen/xen --append 'rig.tests=16-dma'
    title 'real Xen: DMA of our own kernel'
    boot dma-kernel 600 --xen build/xen/xen \
        --append 'rig.tests=17-vhost,35-dma-kernel'
    title 'real Xen: systemd'
    boot systemd 420 --xen build/xen/xen --init /sbin/init \
        --append 'rig.tests=20-systemd'
    title 'real Xen, unpatched'
    boot stock 120 --xen build/xen/xen-stock \
        --append 'rig.tests=50-stock-xen'
}

title 'packages'
timeout -k 10 1200 tests/deps.sh || exit 1
if wanted unit; then
    title 'unit tests'
    unit_tests rel ''
    unit_tests san 1
    title 'the model against a second opinion'
    test_of 'property: ten million random operations' \
        make property WERROR=1 OPERATIONS=10000000
    test_of 'property: half a million, with sanitizers' \
        make property WERROR=1 SAN=1 OPERATIONS=500000
    test_of 'threads of clients, with ThreadSanitizer' make tsan WERROR=1
    test_of 'coverage of daemon/vtd' make coverage
    test_of 'mutate: ten of the changes of make mutate' \
        make mutate MUTANTS=10 MUTATE_NEED=70
fi
if wanted lint; then
    title 'checks of the tree'
    make -j"$(nproc)" WERROR=1 all > "$out/build.log" 2>&1
    lint
fi
if wanted fuzz; then
    title 'fuzzing'
    # The same way each time; `make fuzz` alone takes another one.
    test_of 'fuzz: six targets, 60 s each' \
        make -j2 WERROR=1 fuzz FUZZ_SECONDS=60 FUZZ_SEED=20261122
fi
if wanted xen; then
    title 'xen-hooks'
    if timeout -k 10 "$(left 2400)" xen-hooks/build.sh --each build/xen; then
        result PASS 'xen-hooks: every patch builds'
        test_of 'xen-hooks: the daemon has the same ABI' tests/lint/abi.sh build/xen/src
    else
        result FAIL 'xen-hooks: every patch builds'
    fi
fi
if wanted rig; then
    title 'the rig'
    rig_tests
fi

passed=$(grep -c '^PASS' "$all")
failed=$(grep -c '^FAIL' "$all")
skipped=$(grep -c '^SKIP' "$all")
title 'summary'
grep -E '^(FAIL|SKIP)' "$all"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
