"""tests/guests/pv: tiny PV kernels as dom0, on a processor without virtualization and on others."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import PV_CPU, hypervisor
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


def _register(name: str, nmis: bool = False, cpu: str = "qemu64,-svm", profile: str = Boot.profile, args: str = "", only_on: str | None = None) -> None:
    title = f"pv-{name}-under-nmis" if nmis else f"{profile}-pv-{name}" if profile.startswith("bochs") else f"pv-{name}-as-dom0"

    @machine_test(name=title, suite="guests", only_on=only_on)
    def as_dom0(on: str) -> None:
        in_bochs = profile.startswith("bochs")
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"pv-{name}.elf", cpu=cpu, profile=profile, cpus=1 if in_bochs else 2, memory=512,
                    seconds=240 if in_bochs else 90, dom0="pv", xen_args="dom0_mem=64M dom0_max_vcpus=1", kernel_args=args)
        with Machine(boot, f"{title}-{on}") as machine:
            try:
                if nmis:
                    machine.console.expect("PX-PART", timeout=60)
                    send_nmis(machine)
                machine.console.expect(rf"^.*PX-VERDICT pv-{name} (pass|fail).*$", timeout=200 if in_bochs else 60, fail=r"Panic|panic on CPU")
                judge(f"pv-{name}", on, machine.console.text)
                if not in_bochs:
                    assert machine.wait_end(20) == 0, "the machine did not end in order"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _name in FOLDERS:
    if _name not in WITHOUT_VERDICT:
        # With FSGSBASE, which the reference doesn't give PV kernels in QEMU.
        _register(_name, **({"cpu": PV_CPU, "only_on": "ours"} if _name == "hostile" else {}))
# The reference hands NMIs on to dom0.
_register("long", nmis=True, only_on="ours")
_register("hostile", nmis=True, cpu=PV_CPU, args="rounds=1500", only_on="ours")
# These hold a debug trap back after MOV SS, which QEMU doesn't; and with VT-x on, CR4 has a bit that may not be cleared.
for _profile in ("bochs-skylake", "bochs-ryzen"):
    for _name in ("cpu", "hostile"):
        _register(_name, profile=_profile)
