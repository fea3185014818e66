"""Debian's kernel as a PVH guest of several sizes: more vCPUs than CPUs, vCPUs off- and on-lined, memory across the hole."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec
from guests import await_console, create, debian_config, destroy, domains, guest_console, run_in_guest
from nmis import NmiStorm
from runner import boot_test

SPEC = Spec(tools="philoxen", memory=8192)


def time_advances(dom0: Dom0, name: str, vcpus: int) -> None:
    await_console(dom0, name, "GUEST-READY", 120)
    times = await_console(dom0, name, "GUEST-TIME")
    assert re.findall(r"cpu (\d) advances", times) == [str(cpu) for cpu in range(vcpus)], times


@boot_test(SPEC, name="guest-4-vcpus-on-2-cpus")
def four_vcpus(dom0: Dom0) -> None:
    assert dom0.spec.cpus == 2
    create(dom0, "four", debian_config("four", vcpus=4))
    try:
        with NmiStorm(dom0):
            time_advances(dom0, "four", 4)
        with guest_console(dom0, "four") as guest:
            online = "/sys/devices/system/cpu/online"
            for cpu in (3, 1):
                run_in_guest(guest, f"echo 0 > /sys/devices/system/cpu/cpu{cpu}/online")
            assert run_in_guest(guest, f"cat {online}").strip() == "0,2"
        states = dict(re.findall(r"^four +\d+ +(\d) +\S+ +(\S+)", dom0.run("xl vcpu-list four"), re.M))
        assert [vcpu for vcpu, state in states.items() if "p" in state] == ["1", "3"], states
        with guest_console(dom0, "four") as guest:
            for cpu in (1, 3):
                run_in_guest(guest, f"echo 1 > /sys/devices/system/cpu/cpu{cpu}/online")
            assert run_in_guest(guest, f"cat {online}").strip() == "0-3"
            for cpu in range(4):
                run_in_guest(guest, f"taskset -c {cpu} sleep 0.2")
            run_in_guest(guest, "(usleep 300000; poweroff -f) &")  # Ctrl-] must come alone, after all that is typed
        dom0.wait("! xl domid four >/dev/null 2>&1", 60, "the guest powers off and is removed")
    finally:
        destroy(dom0, "four")


@boot_test(SPEC, name="guest-5-gib")
def five_gib(dom0: Dom0) -> None:
    """Its memory goes on above the hole below 4 GiB, and holds what is written."""
    create(dom0, "big", debian_config("big", memory=5120))
    try:
        time_advances(dom0, "big", 1)
        assert domains(dom0)["big"][1] == "5120"
        with guest_console(dom0, "big") as guest:
            ram = run_in_guest(guest, "grep 'System RAM' /proc/iomem").splitlines()
            ends = [int(line.split()[0].split("-")[1], 16) for line in ram]
            assert max(ends) > 5 << 30, ram
            assert int(run_in_guest(guest, "awk '/MemTotal/ {print $2}' /proc/meminfo")) > 4_900_000
            # More than the memory on one side of the hole, written and read back.
            run_in_guest(guest, "mkdir -p /full && mount -t tmpfs -o size=4500m full /full")
            sums = run_in_guest(guest, "cd /full && dd if=/dev/urandom of=seed bs=1M count=16 2>/dev/null && "
                                       "for n in $(seq 100 369); do cp seed $n || echo $n; done; md5sum seed [123]?0", 300)
            assert len(sums.splitlines()) == 28 and len({line.split()[0] for line in sums.splitlines()}) == 1, sums
    finally:
        destroy(dom0, "big")
