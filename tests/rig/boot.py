#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boot Xen and dom0 under QEMU, and wait for what dom0 reports.

dom0 shares a directory with the outer machine: it copies DIR/stage over its
root, runs what --run (or systemd, with --init) names, and leaves its results
in DIR/out: `results` (a line a test), `run.log`, `exit`.  Everything on the
console goes to DIR/out/console.log.

A boot that does not reach its first test within the boot timeout is an error of
the rig: it is retried once and said so.  So is a machine that stops altogether
(no CPU of QEMU's runs for a minute, though dom0 always has a timer): the tests
that had not ended are run in a second boot.  What ran and failed is never
retried.

Exit status: dom0's own, 123 if the machine stopped twice, 124 on a time-out, 125
if the rig did not boot, 126 if QEMU ended before dom0 was done.
"""
import argparse
import os
import re
import subprocess
import sys
import time

XEN_ARGS = ("console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all "
            "dom0_mem=1536M dom0_max_vcpus=1 dom0_vcpus_pin cpuidle=0 spec-ctrl=no "
            "noreboot=1")
# dom0 has the first CPU to itself (guests say cpus="1-2"): under TCG, programs
# of a dom0 that shares a CPU with an HVM guest die now and then.
# Which of TCG's CPU features do not work under Xen, and why: docs/rig.md.
CPU = ("EPYC,-smap,-monitor,-rdtscp,-avx,-avx2,-f16c,-fma,"
       "+svm,+npt,+x2apic")


def qemu_command(args):
    dom0 = "console=hvc0 rw quiet rig.init=%s rig.run=%s %s" % (
        args.init, args.run, args.append)
    return [
        "qemu-system-x86_64", "-M", "q35", "-cpu", CPU, "-smp", "3",
        "-m", "4096", "-accel", "tcg,thread=multi", "-display", "none",
        "-no-reboot", "-monitor", "none", "-serial",
        "file:" + os.path.join(args.share, "out/console.log"),
        "-kernel", args.xen, "-append", XEN_ARGS,
        "-initrd", "%s/dom0-vmlinuz %s,%s/dom0-initramfs" % (
            args.base, dom0.replace(",", ",,"), args.base),
        "-drive", "file=%s/dom0.ext4,format=raw,if=virtio,snapshot=on"
        % args.base,
        "-virtfs", "local,path=%s,mount_tag=host,security_model=none"
        % args.share,
        "-nic", "none",
    ]


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Idle:
    """Whether a process has used no CPU to speak of for a minute."""

    def __init__(self, pid):
        self.pid = pid
        self.restart()

    def restart(self):
        self.since = time.monotonic()
        self.used = cpu_seconds(self.pid)

    def stopped(self):
        if cpu_seconds(self.pid) - self.used > 0.3:
            self.restart()
        return time.monotonic() - self.since > 60


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


class Boot:
    def __init__(self, args):
        self.args = args
        self.out = os.path.join(args.share, "out")
        self.shown = 0
        # Counts for all boots together.
        self.deadline = time.monotonic() + args.timeout

    def show_results(self):
        text = read(os.path.join(self.out, "results"))
        lines = text[self.shown:].splitlines(keepends=True)
        for line in lines:
            if not line.endswith("\n"):
                break
            self.shown += len(line)
            if line.startswith(("BEGIN ", "END ")):
                continue
            if line.startswith("STEP "):
                print("==> %-52s %4d s" % (
                    line[5:-1], time.monotonic() - self.begin), flush=True)
            elif not self.args.quiet or line.startswith("FAIL "):
                print("    " + line, end="", flush=True)

    def started(self):
        return self.shown or os.path.exists(os.path.join(self.out, "started"))

    def run(self):
        os.makedirs(self.out, exist_ok=True)
        for name in ("results", "run.log", "exit", "started", "console.log"):
            if os.path.exists(os.path.join(self.out, name)):
                os.unlink(os.path.join(self.out, name))
        self.shown = 0
        self.begin = time.monotonic()
        qemu = subprocess.Popen(
            qemu_command(self.args), stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.out, "qemu.log"), "w"),
            stderr=subprocess.STDOUT, start_new_session=True)
        try:
            return self.wait(qemu)
        finally:
            if qemu.poll() is None:
                qemu.kill()
            qemu.wait()
            self.show_results()

    def wait(self, qemu):
        idle = Idle(qemu.pid)
        while True:
            self.show_results()
            status = read(os.path.join(self.out, "exit"))
            if status.endswith("\n"):
                return int(re.match(r"exit (\d+)", status).group(1))
            if qemu.poll() is not None:
                return 126
            seconds = time.monotonic() - self.begin
            if not self.started() and seconds > self.args.boot_timeout:
                return 125
            if time.monotonic() > self.deadline:
                return 124
            if idle.stopped():
                return 123
            time.sleep(0.2)


def run_rest(boot):
    """Boot again for the tests that had not ended when the machine stopped."""
    ended, kept, begun = [], [], []
    for line in read(os.path.join(boot.out, "results")).splitlines():
        if line.startswith("BEGIN "):
            begun = []
        elif line.startswith("END "):
            ended.append(line[4:])
            kept += begun
            begun = []
        else:
            begun.append(line)
    wanted = re.search(r"rig\.tests=(\S*)", boot.args.append)
    rest = [t for t in wanted.group(1).split(",") if t not in ended]
    print("    ERROR of the rig: the machine stopped; booting once more for "
          + ",".join(rest), flush=True)
    boot.args.append = re.sub(r"rig\.tests=\S*", "rig.tests=" + ",".join(rest),
                              boot.args.append)
    status = boot.run()
    path = os.path.join(boot.out, "results")
    again = read(path)
    with open(path, "w") as f:
        f.write("".join(line + "\n" for line in kept) + again)
    return status


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--xen", required=True)
    p.add_argument("--base", required=True, help="dom0's image and kernel")
    p.add_argument("--share", required=True, help="has stage/, gets out/")
    p.add_argument("--init", default="/usr/lib/viommud-rig/init")
    p.add_argument("--run", default="run-tests")
    p.add_argument("--append", default="", help="to dom0's command line")
    p.add_argument("--boot-timeout", type=int, default=150)
    p.add_argument("--timeout", type=int, default=1500)
    p.add_argument("--quiet", action="store_true")
    args = p.parse_args()
    boot = Boot(args)
    status = boot.run()
    if status in (125, 126) and not boot.started():
        print("    ERROR of the rig: no sign of dom0; booting once more",
              flush=True)
        status = boot.run()
        if status in (125, 126) and not boot.started():
            print(read(os.path.join(boot.out, "console.log"))[-2000:])
            return 125
    if status == 123:
        status = run_rest(boot)
    if status == 124:
        print("    timed out after %d s" % args.timeout, flush=True)
    elif status == 123:
        print("    the machine stopped once more", flush=True)
    elif status == 126:
        print("    the machine stopped before dom0 was done", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
