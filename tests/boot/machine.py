"""Emulated machines: a hypervisor, a dom0 kernel and an initramfs in QEMU or Bochs, with the serial console on a pipe.

One emulator runs at a time on a host (a lock file says so), each is under `timeout`, and everything that an emulator
needs is in its own scratch directory, which goes with it.
"""
# SPDX-License-Identifier: Apache-2.0
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import bochs
import ways
from console import Console
from paths import WORK

LOCK = Path("/tmp/philoxen-emulator.lock")

CRASHES = {sign * number + base for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS) for sign, base in ((-1, 0), (1, 128))}
emulator_crashes: list[str] = []           # machines whose emulator crashed; the runner takes them out


# Ended by `timeout` or a CI, this program still ends its emulator: the context managers run.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


@dataclass(frozen=True)
class Boot:
    """What is switched on. Equal values can share one run."""

    xen: Path
    kernel: Path
    initrd: Path | None = None
    profile: str = "qemu-svm"          # a key of QEMU_PROFILES, or of bochs.MODELS
    way: str = "kernel"                # how QEMU starts it: a key of ways.WAYS
    cpus: int = 1
    memory: int = 2048                 # MiB
    dom0: str = "pvh"                  # its kind, pvh or pv; nothing: the hypervisor's choice
    xen_args: str = ""
    kernel_args: str = "console=hvc0"
    cpu: str = "EPYC,-monitor,-rdtscp"
    devices: tuple[str, ...] = ()      # further arguments of QEMU
    vmx_locked_off: bool = False       # Bochs: by the firmware
    seconds: int = 300                 # the emulator is killed after so long
    counted: bool = False              # QEMU: an instruction is a nanosecond, for virtual_time()
    trace: bool = False                # Bochs: writes every instruction between marks of the guest to NAME.emulator


QEMU_PROFILES = {
    "qemu-svm": [],
    "q35": ["-machine", "q35"],
    "q35-smm": ["-machine", "q35,smm=on"],
    "q35-vtd": ["-machine", "q35", "-device", "intel-iommu,intremap=on"],
}


class Machine:
    """A running emulator. Use as a context manager; leaving it ends the emulator."""

    def __init__(self, boot: Boot, name: str, echo=None) -> None:
        kind = f"dom0={boot.dom0}" if boot.dom0 else ""
        self.boot, self.name = replace(boot, xen_args=f"{kind} {boot.xen_args}".strip()), name
        WORK.mkdir(parents=True, exist_ok=True)
        self._scratch = Path(tempfile.mkdtemp(prefix="philoxen-"))
        self._lock = LOCK.open("a")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._start(echo)
        except BaseException:
            self._release()
            raise

    def _start(self, echo) -> None:
        log = WORK / f"{self.name}.console"
        if self.boot.profile.startswith("bochs"):
            command, read_fd, write_fd = bochs.prepare(self.boot, self._scratch)
            with self.emulator_log.open("wb") as output:
                self._process = subprocess.Popen(["timeout", "-k", "5", str(self.boot.seconds), *command], cwd=self._scratch,
                                                 stdin=subprocess.DEVNULL, stdout=output,
                                                 stderr=subprocess.STDOUT, start_new_session=True)
        else:
            # Not --foreground: timeout gives the emulator its own process group, away from a person's Ctrl-C.
            command = ["timeout", "-k", "5", str(self.boot.seconds), *qemu_command(self.boot, self._scratch)]
            with self.emulator_log.open("wb") as complaints:
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                 stderr=complaints, start_new_session=True)
            read_fd, write_fd = os.dup(self._process.stdout.fileno()), os.dup(self._process.stdin.fileno())
        self.started = time.monotonic()
        self.console = Console(read_fd, write_fd, log, alive=lambda: self.alive, echo=echo)

    @property
    def emulator_log(self) -> Path:
        """What the emulator itself says."""
        return WORK / f"{self.name}.emulator"

    def monitor(self, command: str) -> str:
        """One command of QEMU's human monitor, and what it answered."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self._scratch / "monitor"))
            answer = b""
            for line in (None, command):
                if line is not None:
                    connection.sendall(line.encode() + b"\n")
                    answer = b""
                while not answer.endswith(b"(qemu) "):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    answer += piece
        text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|.\x08", "", answer.decode("utf-8", "replace")).replace("\r", "")
        return text.removesuffix("(qemu) ").split("\n", 1)[-1]

    def virtual_time(self) -> int:
        """Nanoseconds since the machine's start, of a `counted` one: the real-time clock has the seconds, the ACPI PM timer the
        rest (24 bits at 3.58 MHz; SeaBIOS puts it at port 0x608)."""
        ticks = int(re.search(r"= (0x[0-9a-f]+)", self.monitor("i /w 0x608"))[1], 16) & 0xffffff
        clock = json.loads(self.monitor("qom-get /machine rtc-time"))
        seconds = (clock["tm_mday"] - 1) * 86400 + clock["tm_hour"] * 3600 + clock["tm_min"] * 60 + clock["tm_sec"]
        period, fraction = (1 << 24) / 3579545, ticks / 3579545
        wraps = round((seconds + 0.5 - fraction) / period)
        return round((max(wraps, 0) * period + fraction) * 1e9)

    def wait_end(self, timeout: float = 30) -> int:
        """Waits until the emulator ends by itself: its exit status (0: power-off, or a reset under -no-reboot)."""
        deadline = time.monotonic() + timeout
        while self.alive and time.monotonic() < deadline:
            if not self.console.pump(0.2) and self.console.ended:
                break
        while self.console.pump(0):
            pass
        try:
            return self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the machine still runs {timeout:.0f} s after it should have ended") from None

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def crashed(self) -> bool:
        """Whether a signal ended the emulator itself (`timeout` passes its own end by 124 and 137 on)."""
        if self.console.ended:             # it is about to end, or has ended
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        return self._process.poll() in CRASHES

    def stop(self) -> None:
        if self.crashed:
            emulator_crashes.append(self.name)
        if self.alive:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self.console.close()
        self._release()

    def _release(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def qemu_command(boot: Boot, scratch: Path) -> list[str]:
    """Switches the machine on with the hypervisor started in the way that is asked for."""
    counting = ["-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01T00:00:00,clock=vm"] if boot.counted else []
    # One thread for all CPUs: with one each, QEMU 7.2 loses guests' memory now and then (docs/plan.md), the reference's as well as ours.
    return ["qemu-system-x86_64", *QEMU_PROFILES[boot.profile], "-accel", "tcg,thread=single", *counting, "-cpu", boot.cpu,
            "-smp", str(boot.cpus), "-m", f"{boot.memory}M", "-display", "none", "-serial", "stdio", "-no-reboot",
            "-monitor", f"unix:{scratch}/monitor,server=on,wait=off", "-nic", "none", *boot.devices,
            *ways.arguments(boot, scratch)]
