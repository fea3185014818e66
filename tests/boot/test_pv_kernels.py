"""tests/guests/pv: tiny PV kernels as dom0, on a processor without virtualization."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import hypervisor
from machine import Boot, Machine
from paths import GUESTS, REPO
from runner import machine_test
from test_guests import judge

FOLDERS = sorted(path.name for path in (REPO / "tests" / "guests" / "pv").iterdir() if any(path.glob("*.cpp")) and path.name != "common")
WITHOUT_VERDICT = {"bench"}


def _register(name: str) -> None:
    @machine_test(name=f"pv-{name}-as-dom0", suite="guests")
    def as_dom0(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"pv-{name}.elf", cpu="qemu64,-svm", cpus=2, memory=512, seconds=90,
                    xen_args="dom0=pv dom0_mem=64M dom0_max_vcpus=1")
        with Machine(boot, f"pv-{name}-as-dom0-{on}") as machine:
            try:
                machine.console.expect(rf"^.*PX-VERDICT pv-{name} (pass|fail).*$", timeout=60, fail=r"Panic|panic on CPU")
                judge(f"pv-{name}", on, machine.console.text)
                assert machine.wait_end(20) == 0, "the machine did not end in order"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _name in FOLDERS:
    if _name not in WITHOUT_VERDICT:
        _register(_name)
