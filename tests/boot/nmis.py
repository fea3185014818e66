"""NMIs from the emulator's monitor, to every CPU at once, while something else goes on."""
# SPDX-License-Identifier: Apache-2.0
import re
import threading

from dom0 import Dom0

INTERVAL = 0.1                             # seconds
# One that comes while another one waits is lost, as on real CPUs: an emulator whose CPUs don't run for a while merges some.
LEAST = 0.9


def received(dom0: Dom0) -> int:
    """How many have reached the hypervisor, on all CPUs together, since it started."""
    text = dom0.run("xl dmesg -c >/dev/null; xl debug-keys N; xl dmesg | sed -n 's/.*NMIs that/NMIs that/p'")
    return int(re.search(r"^NMIs that no crash sent: (\d+)$", text, re.M)[1])


class NmiStorm:
    """Within, an NMI goes to every CPU each 100 ms. Whoever leaves in order knows that they have arrived, if `counted`, which takes a second.
    The reference is left in peace: it hands NMIs on to dom0, whose kernel says so on the console, two lines each."""

    def __init__(self, dom0: Dom0, counted: bool = True) -> None:
        self._dom0, self._counted = dom0, counted and dom0.on == "ours"
        self.sent = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self) -> None:
        while not self._over.wait(INTERVAL) and self._dom0.machine.alive:
            try:
                self._dom0.machine.monitor("nmi")
            except OSError:                # the machine has just ended, which others notice
                return
            self.sent += 1

    def __enter__(self) -> "NmiStorm":
        self._before = received(self._dom0) if self._counted else 0
        if self._dom0.on == "ours":
            self._thread.start()
        return self

    def __exit__(self, kind, *_) -> None:
        self._over.set()
        if self._dom0.on == "ours":
            self._thread.join(30)
        if kind is None and self._counted:
            self.check()

    def check(self) -> None:
        came, expected = received(self._dom0) - self._before, self.sent * self._dom0.spec.cpus
        assert LEAST * expected <= came <= expected, f"{self.sent} NMIs went to {self._dom0.spec.cpus} CPUs each, and {came} reached the hypervisor"
