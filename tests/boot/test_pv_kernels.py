"""tests/guests/pv: tiny PV kernels as dom0, on a processor without virtualization."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import hypervisor
from machine import Boot, Machine
from paths import GUESTS, REPO
from runner import machine_test
from test_guests import judge

FOLDERS = sorted(path.name for path in (REPO / "tests" / "guests" / "pv").iterdir() if any(path.glob("*.cpp")) and path.name != "common")
WITHOUT_VERDICT = {"bench", "long"}       # of the second: only under NMIs


def send_nmis(machine: Machine) -> None:
    """One to each CPU every few milliseconds, for as long as the kernel runs."""
    while "PX-VERDICT" not in machine.console.text and machine.alive:
        try:
            machine.monitor("nmi")
        except OSError:                    # the machine has ended meanwhile
            return
        machine.console.pump(0.002)


def _register(name: str, nmis: bool = False) -> None:
    title = f"pv-{name}-under-nmis" if nmis else f"pv-{name}-as-dom0"

    @machine_test(name=title, suite="guests")
    def as_dom0(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"pv-{name}.elf", cpu="qemu64,-svm", cpus=2, memory=512, seconds=90,
                    dom0="pv", xen_args="dom0_mem=64M dom0_max_vcpus=1")
        with Machine(boot, f"{title}-{on}") as machine:
            try:
                if nmis:
                    machine.console.expect("PX-PART", timeout=60)
                    send_nmis(machine)
                machine.console.expect(rf"^.*PX-VERDICT pv-{name} (pass|fail).*$", timeout=60, fail=r"Panic|panic on CPU")
                judge(f"pv-{name}", on, machine.console.text)
                assert machine.wait_end(20) == 0, "the machine did not end in order"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _name in FOLDERS:
    if _name not in WITHOUT_VERDICT:
        _register(_name)
_register("long", nmis=True)
