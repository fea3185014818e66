"""Bochs: AMD's Zen (NRIP save, flush by ASID, SMEP and SMAP) and Intel's Skylake and Sandy Bridge (VT-x)."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec, hypervisor
from guests import log_of, tiny_config
from machine import Boot, Machine
from paths import GUESTS
from runner import boot_test, machine_test
from test_guests import GUEST_CASES, NAMES, Guest, config_of, judge

IN_GUEST = "events"                        # the tiny kernel that dom0 makes a domain
AS_DOM0 = ("hello", "apic", "mmio", "timers", "xsave", "hypercall-args")
# What the log of each machine says.
PROFILES = {
    "bochs-ryzen": (AS_DOM0, (r"CPU: SMEP, SMAP, ", r"AMD-V: .*next RIP, flush by ASID")),
    "bochs-skylake": (AS_DOM0, (r"CPU: SMEP, SMAP, x2APIC", r"VT-x: EPT with 1 GiB leaves \(code in small ones: "
                      r"CVE-2018-12207\), unrestricted guest, VPID, TPR shadow, APIC registers, virtual interrupts, PAUSE-loop")),
    "bochs-sandy-bridge": (("hello", "apic", "mmio"), (r"VT-x: EPT with 2 MiB leaves .*unrestricted guest, VPID, TPR shadow$",)),
}


def _register_as_dom0(profile: str, name: str, log: tuple[str, ...], title: str = "", cpus: int = 1, vcpus: int = 1) -> None:
    """Seconds each: no dom0 kernel, no toolstack."""
    title = title or name

    @machine_test(name=f"{profile}-{title}", suite="boot", only_on="ours")
    def as_dom0(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"{name}.elf", profile=profile, cpus=cpus, memory=256, seconds=240,
                    xen_args=f"dom0_mem=64M dom0_max_vcpus={vcpus}", kernel_args=f"vcpus={vcpus}")
        with Machine(boot, f"{profile}-{title}") as machine:
            try:
                machine.console.expect(rf"^PX-VERDICT {name} (pass|fail).*$", timeout=200, fail=r"Panic")
                judge(name, on, machine.console.text)
                for line in log:
                    assert machine.console.seen(line), f"the log has no '{line}'"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _profile, (_names, _log) in PROFILES.items():
    for _name in _names:
        _register_as_dom0(_profile, _name, _log)
# The host runs in x2APIC mode, here with IPIs.
_register_as_dom0("bochs-skylake", "smp", (r"CPU: .*x2APIC", r"2 CPUs online"), cpus=2, vcpus=3)
# A vCPU that waits for one that doesn't run, with interrupts off: Bochs lets no interrupt of the host end that, only the exit
# of a PAUSE loop does (docs/plan.md).
_register_as_dom0("bochs-skylake", "xsave", (r"VT-x: .*PAUSE-loop exits",), title="pause-loops", vcpus=4)

# A machine that can't be used says why in one line, and a PVH dom0 stops: name, profile, the line.
REFUSALS = (
    ("locked-off", "bochs-skylake", r"VT-x is locked off by the firmware \(IA32_FEATURE_CONTROL\)"),
    ("without-ept", "bochs-penryn", r"VT-x without extended page tables \(EPT\) can't be used"),
)


def _register_refusal(name: str, profile: str, line: str) -> None:
    @machine_test(name=f"vmx-{name}", suite="boot", only_on="ours")
    def refusal(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / "hello.elf", profile=profile, memory=256, seconds=240,
                    vmx_locked_off=name == "locked-off")
        with Machine(boot, f"vmx-{name}") as machine:
            machine.console.expect(rf"{line}.*$", timeout=200)
            machine.console.expect(r"a PVH dom0 needs hardware virtualization.*$", timeout=60)


for _refusal in REFUSALS:
    _register_refusal(*_refusal)

SCRIPT = f"""xl create -q /guest.cfg || exit 1
until grep -q PX-VERDICT {log_of(IN_GUEST)}; do usleep 100000; done
cat {log_of(IN_GUEST)}
dmesg | grep -E 'BUG:|Oops|WARNING: CPU|unchecked MSR access'
true
"""


def _register_dom0(profile: str, kind: str = "pvh") -> None:
    @boot_test(Spec(profile=profile, dom0=kind, cpus=1, memory=1536, kernel_args="mitigations=off", guests=(IN_GUEST,), debian_guest=False,
                    files=(("/guest.cfg", tiny_config(IN_GUEST, IN_GUEST)), ("/autorun", SCRIPT))), name=profile if kind == "pvh" else f"{profile}-pv-dom0", slow=True)
    def with_guest(dom0: Dom0) -> None:
        text = dom0.autorun(timeout=300)
        judge(IN_GUEST, dom0.on, text)
        bad = re.search(r".*(BUG:|Oops|WARNING: CPU|unchecked MSR access).*", text)
        assert not bad, bad[0]


for _profile in PROFILES:
    _register_dom0(_profile)
for _profile in ("bochs-skylake", "bochs-ryzen"):
    _register_dom0(_profile, "pv")

# Every tiny kernel as a domain, one after the other, then ten that are destroyed wherever they are; memory comes back whole.
ALL_SCRIPT = f"""count() {{
    until [ $(xl list | wc -l) = 2 ]; do usleep 100000; done
    xl dmesg -c >/dev/null
    xl debug-keys m
    xl dmesg | sed -n "s/.*PX-COUNT/PX-$1/p"
}}
for name in {" ".join(NAMES)}; do
    log={log_of("$name")}
    xl create -q /$name.cfg || exit 1
    until grep -q PX-VERDICT $log || ! xl domid $name >/dev/null 2>&1; do usleep 100000; done
    cat $log
    xl destroy $name >/dev/null 2>&1
    while xl domid $name >/dev/null 2>&1; do usleep 100000; done
    echo PX-ENDED $name
done
count BEFORE
for round in 0 1 2 3 4 5 6 7 8 9; do
    xl create -q /smp.cfg || exit 1
    xl destroy smp 2>/dev/null
    while xl domid smp >/dev/null 2>&1; do usleep 100000; done
done
count AFTER
"""


def _register_all_guests(profile: str) -> None:
    files = tuple((f"/{name}.cfg", config_of(name, GUEST_CASES.get(name, Guest()))) for name in NAMES)

    @boot_test(Spec(profile=profile, cpus=1, memory=1536, kernel_args="mitigations=off", guests=tuple(NAMES), debian_guest=False,
                    files=(*files, ("/autorun", ALL_SCRIPT))), name=f"{profile}-guests", slow=True, only_on="ours")
    def all_guests(dom0: Dom0) -> None:
        text = dom0.autorun(timeout=1000)
        failures = []
        for name in NAMES:
            try:
                judge(name, dom0.on, text)
            except AssertionError as failure:
                failures.append(str(failure))
        assert not failures, "\n".join(failures)
        # Free pages, heap objects by type, event channels: see test_leaks.py.
        before, after = (set(re.findall(rf"PX-{when} (\S+ \d+)", text)) for when in ("BEFORE", "AFTER"))
        assert before and before == after, f"ten domains left something behind: {sorted(before ^ after)}"


for _profile in ("bochs-skylake", "bochs-ryzen"):
    _register_all_guests(_profile)
