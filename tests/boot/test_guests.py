"""tests/guests as PVH domains: each tiny kernel prints one verdict on its PV console."""
# SPDX-License-Identifier: Apache-2.0
import re
from dataclasses import dataclass

from dom0 import Dom0, Spec, hypervisor
from guests import create, destroy, log_of, tiny_config
from machine import Boot, Machine
from nmis import NmiStorm
from paths import GUESTS, REPO
from runner import Skipped, boot_test, machine_test


@dataclass(frozen=True)
class Guest:
    """How a tiny kernel is made a domain."""

    vcpus: int = 1
    memory: int = 32                   # MiB
    extra: str = ""                    # its command line
    timeout: int = 60


# Those not named here take the defaults.
GUEST_CASES = {
    "tiny": Guest(memory=8),
    "smp": Guest(vcpus=3),
    "clock": Guest(vcpus=4, extra="vcpus=4", timeout=120),
    "xsave": Guest(vcpus=4, extra="vcpus=4", timeout=120),
}
# Kernels that never say a verdict: their tests are in test_hostile_guests.py.
WITHOUT_VERDICT = {"triple-fault", "spin", "flood", "bench", "grants-pair"}

# What can't be asked of the reference, and why.
NOT_ON_REFERENCE = {
    "apic": "QEMU 7.2 itself ends each time, by an assertion in tcg_handle_interrupt()",
    "xsave": "with a PV dom0 QEMU 7.2 mixes up extended state: dom0's own programs suffer (malloc's lists) until it ends; not seen in Bochs",
}

FOLDERS = sorted(path.name for path in (REPO / "tests" / "guests").iterdir() if any(path.glob("*.cpp")) and path.name != "common")
NAMES = [name for name in FOLDERS if name not in WITHOUT_VERDICT] + ["tiny"]
SPEC = Spec(guests=tuple(FOLDERS + ["tiny"]))
DIVERGENCES = REPO / "tests" / "guests" / "divergences.txt"


def expected_divergences(name: str, on: str) -> set[str]:
    """Checks (file and text) which this hypervisor is known to answer otherwise."""
    lines = (line.split("|") for line in DIVERGENCES.read_text().splitlines() if line and not line.startswith("#"))
    return {check.strip() for where, guest, check, _reason in lines if where.strip() == on and guest.strip() == name}


def judge(name: str, on: str, console: str) -> None:
    """Raises unless the console holds this kernel's verdict and it is pass, or only known divergences stand in its way."""
    verdict = re.search(rf"PX-VERDICT {name} (pass|fail)(.*)", console)
    assert verdict, f"{name} said no verdict; its console: {console[-800:]}"
    if verdict[1] == "pass":
        return
    failed = [re.sub(r":\d+", "", text) for text in re.findall(rf"PX-CHECK {name} (.*)", console)]
    unexpected = [text for text in failed if text not in expected_divergences(name, on)]
    said = "\n".join(line for line in console.splitlines() if line.startswith(("PX-", "    ")))
    assert failed and not unexpected, f"{name}:{verdict[2]}\n{said[-1500:]}"


def config_of(name: str, guest: Guest, kernel: str = "") -> str:
    return tiny_config(name, kernel or name, guest.vcpus, guest.memory, guest.extra)


def start(dom0: Dom0, name: str, guest: Guest, kernel: str = "") -> None:
    create(dom0, name, config_of(name, guest, kernel))


def finish(dom0: Dom0, name: str, timeout: float) -> str:
    """Waits for the domain's verdict or its end, removes it; what its console said."""
    try:
        dom0.wait(f"grep -q PX-VERDICT {log_of(name)} 2>/dev/null || ! xl domid {name} >/dev/null 2>&1", timeout)
    except AssertionError as late:
        raise AssertionError(f"{name} said no verdict in time; its console:\n{dom0.run(f'cat {log_of(name)}', status=None)}") from late
    finally:
        destroy(dom0, name)
    return dom0.run(f"cat {log_of(name)}", status=None)


def _register(name: str, guest: Guest) -> None:
    @boot_test(SPEC, name=name, suite="guests")
    def as_domain(dom0: Dom0) -> None:
        if dom0.on == "reference" and name in NOT_ON_REFERENCE:
            raise Skipped(NOT_ON_REFERENCE[name])
        with NmiStorm(dom0, counted=False):
            start(dom0, name, guest)
            text = finish(dom0, name, guest.timeout)
        judge(name, dom0.on, text)


for _name in NAMES:
    _register(_name, GUEST_CASES.get(_name, Guest()))


def _register_pair(title: str, granter: str, mapper: str) -> None:
    @boot_test(SPEC, name=title, suite="guests")
    def pair(dom0: Dom0) -> None:
        start(dom0, "granter", Guest(extra=granter), "grants-pair")
        domid = int(dom0.run("xl domid granter"))
        dom0.wait(f"grep -q PX-GRANTS {log_of('granter')} 2>/dev/null", 30, "the granter's offer")
        start(dom0, "mapper", Guest(extra=f"granter={domid} {mapper}"), "grants-pair")
        verdicts = [finish(dom0, name, 60) for name in ("mapper", "granter")]
        for verdict in verdicts:
            judge("grants-pair", dom0.on, verdict)


_register_pair("grants-between-domains", "version=1", "")
_register_pair("grants-between-domains-v2", "version=2", "")
_register_pair("grants-of-a-mapper-that-ends", "version=1", "die=1")


@boot_test(SPEC, name="grants-of-a-granter-that-is-killed", suite="guests")
def killed_granter(dom0: Dom0) -> None:
    """Its page stays the mapper's until that lets it go; then nothing of the granter is left."""
    start(dom0, "granter", Guest(), "grants-pair")
    domid = int(dom0.run("xl domid granter"))
    dom0.wait(f"grep -q PX-GRANTS {log_of('granter')} 2>/dev/null", 30, "the granter's offer")
    start(dom0, "mapper", Guest(extra=f"granter={domid} hold=8"), "grants-pair")
    dom0.wait(f"grep -q 'PX-GRANTS held' {log_of('mapper')} 2>/dev/null", 30, "the mapping")
    dom0.run("xl destroy granter")
    left = dom0.run("xl list")
    assert re.search(rf"^\S+ +{domid} .*d", left, re.M), f"the granter isn't dying, although its page is mapped:\n{left}"
    judge("grants-pair", dom0.on, finish(dom0, "mapper", 60))
    dom0.wait("[ $(xl list | wc -l) = 2 ]", 30, "the granter's end")


ON_BOTH = ("hello", "hypercall-table")      # as dom0 on the reference, too


def _register_as_dom0(name: str) -> None:
    @machine_test(name=f"{name}-as-dom0", suite="guests", only_on=None if name in ON_BOTH else "ours")
    def as_dom0(on: str) -> None:
        guest = GUEST_CASES.get(name, Guest())
        extra = f"{guest.extra} avx=1" if name == "xsave" else guest.extra  # no #NM exit of ours upsets QEMU: see xsave.cpp
        # The reference has no PVH dom0 without an IOMMU.
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"{name}.elf", cpus=2, memory=512, seconds=90, profile="q35-vtd" if on == "reference" else "qemu-svm",
                    xen_args=f"dom0_mem=64M dom0_max_vcpus={guest.vcpus}", kernel_args=extra)
        with Machine(boot, f"{name}-as-dom0") as machine:
            try:
                machine.console.expect(rf"^PX-VERDICT {name} (pass|fail).*$", timeout=60, fail=r"\(PX\) panic|\(XEN\) Panic")
                judge(name, on, machine.console.text)
                assert machine.wait_end(20) == 0, "the machine did not end in order"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


# What these check doesn't depend on being privileged; before a toolstack runs, they are the first tests of a hypervisor.
for _name in ("apic", "clock", "cpuid", "events", "events-fifo", "hello", "hypercall-args", "hypercall-page", "hypercall-table", "mmio", "smp", "timers", "xsave"):
    _register_as_dom0(_name)
