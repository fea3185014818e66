"""Bochs as AMD's Zen: NRIP save, flush by ASID, SMEP and SMAP."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec, hypervisor
from guests import log_of, tiny_config
from machine import Boot, Machine
from paths import GUESTS
from runner import boot_test, machine_test
from test_guests import judge

IN_GUEST = "events"                        # the tiny kernel that dom0 makes a domain
AS_DOM0 = ("hello", "apic", "mmio", "timers", "xsave", "hypercall-args")


def _register_as_dom0(name: str) -> None:
    """Seconds each: no dom0 kernel, no toolstack."""
    @machine_test(name=f"bochs-ryzen-{name}", suite="boot", only_on="ours")
    def as_dom0(on: str) -> None:
        boot = Boot(xen=hypervisor(on), kernel=GUESTS / f"{name}.elf", profile="bochs-ryzen", memory=256, seconds=240,
                    xen_args="dom0_mem=64M")
        with Machine(boot, f"bochs-ryzen-{name}") as machine:
            try:
                machine.console.expect(rf"^PX-VERDICT {name} (pass|fail).*$", timeout=200, fail=r"Panic")
                judge(name, on, machine.console.text)
                for line in (r"CPU: SMEP, SMAP, ", r"AMD-V: .*next RIP, flush by ASID"):
                    assert machine.console.seen(line), f"the log has no '{line}'"
            except BaseException as error:
                error.console_tail = machine.console.tail()
                raise


for _name in AS_DOM0:
    _register_as_dom0(_name)

SCRIPT = f"""xl create -q /guest.cfg || exit 1
until grep -q PX-VERDICT {log_of(IN_GUEST)}; do usleep 100000; done
cat {log_of(IN_GUEST)}
dmesg | grep -E 'BUG:|Oops|WARNING: CPU|unchecked MSR access'
true
"""


@boot_test(Spec(profile="bochs-ryzen", cpus=1, memory=1536, kernel_args="mitigations=off", guests=(IN_GUEST,), debian_guest=False,
                files=(("/guest.cfg", tiny_config(IN_GUEST, IN_GUEST)), ("/autorun", SCRIPT))), name="bochs-ryzen", slow=True)
def bochs_ryzen(dom0: Dom0) -> None:
    text = dom0.autorun(timeout=300)
    judge(IN_GUEST, dom0.on, text)
    bad = re.search(r".*(BUG:|Oops|WARNING: CPU|unchecked MSR access).*", text)
    assert not bad, bad[0]
