"""Clocks of dom0 and of a guest against the host's, which is the emulator's RTC, while NMIs storm."""
# SPDX-License-Identifier: Apache-2.0
import time

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, guest_console, log_of, run_in_guest, tiny_config
from nmis import NmiStorm
from runner import boot_test

SPEC = Spec(cpus=2, vcpus=2, guests=("clock",))
TOLERANCE = 500e-6                     # of the time that passed
READING = 0.02                         # /proc/uptime counts in 0.01 s


class Reading:
    """A clock's value, and the host's time before and after it was read."""

    def __init__(self, read) -> None:
        self.before = time.monotonic()
        self.value = float(read().split()[0])
        self.after = time.monotonic()

    def check_since(self, first: "Reading", what: str) -> None:
        passed = self.value - first.value
        least, most = self.before - first.after, self.after - first.before
        allowed = READING + TOLERANCE * most
        assert least - allowed <= passed <= most + allowed, f"{what}: {passed:.2f} s passed, by the host's clock {least:.2f} to {most:.2f} s"


def pass_time(dom0: Dom0, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        dom0.console.pump(0.1)


def clocks(dom0: Dom0, seconds: float) -> None:
    uptime = "cat /proc/uptime"
    create(dom0, "watch", debian_config("watch"))
    create(dom0, "clock", tiny_config("clock", "clock", vcpus=4, extra="vcpus=4"))
    try:
        await_console(dom0, "watch", "GUEST-READY", 90)
        assert abs(int(dom0.run("date +%s")) - time.time()) < 5, "dom0's date is not the RTC's"
        dom0_first = Reading(lambda: dom0.run(uptime))
        with guest_console(dom0, "watch") as guest:
            guest_first = Reading(lambda: run_in_guest(guest, uptime))
            assert abs(int(run_in_guest(guest, "date +%s")) - time.time()) < 5, "the guest's date is not the RTC's"
            pass_time(dom0, seconds)
            Reading(lambda: run_in_guest(guest, uptime)).check_since(guest_first, "the guest's clock")
        Reading(lambda: dom0.run(uptime)).check_since(dom0_first, "dom0's clock")
        verdict = await_console(dom0, "clock", "PX-CLOCK|PX-VERDICT", 300)
        assert "PX-VERDICT clock pass" in verdict, dom0.run(f"cat {log_of('clock')}")
    finally:
        destroy(dom0, "watch")
        destroy(dom0, "clock")


@boot_test(SPEC, name="clocks-agree-during-nmis")
def shortly(dom0: Dom0) -> None:
    with NmiStorm(dom0) as storm:
        clocks(dom0, 15)
    assert dom0.on != "ours" or storm.sent > 75, "the emulator took few NMIs"


@boot_test(SPEC, name="clocks-agree-over-5-minutes", slow=True)
def over_five_minutes(dom0: Dom0) -> None:
    with NmiStorm(dom0) as storm:
        clocks(dom0, 300)
    assert dom0.on != "ours" or storm.sent > 1500, "the emulator took few NMIs"


@boot_test(SPEC, name="clock-goes-on-after-pauses")
def after_pauses(dom0: Dom0) -> None:
    """Millions of reads on four vCPUs while the domain is paused and goes on; none is earlier than another before it."""
    create(dom0, "clock", tiny_config("clock", "clock", vcpus=4, extra="vcpus=4 reads=20000000"), options="-p")
    try:
        pauses = int(dom0.run(f"n=0; until grep -q PX-VERDICT {log_of('clock')} 2>/dev/null; do xl unpause clock; usleep 50000; xl pause clock 2>/dev/null || break; "
                              "n=$((n+1)); usleep 100000; done; echo $n", timeout=300))
        verdict = await_console(dom0, "clock", "PX-CLOCK|PX-VERDICT", 30)
        assert "PX-VERDICT clock pass" in verdict, dom0.run(f"cat {log_of('clock')}")
        assert pauses > 2, f"only {pauses} pauses fell into its life"
    finally:
        destroy(dom0, "clock")
