"""dom0 itself: userspace on 1, 2 and 4 vCPUs, its devices, power-off and reboot."""
# SPDX-License-Identifier: Apache-2.0
import re

from dom0 import Dom0, Spec, hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import boot_test, machine_test


def comes_up(dom0: Dom0) -> None:
    assert dom0.run("nproc").strip() == str(dom0.spec.vcpus)
    assert "control_d" in dom0.run("cat /proc/xen/capabilities")
    assert dom0.run("cat /sys/hypervisor/type").strip() == "xen"
    assert dom0.run("cat /sys/hypervisor/version/major /sys/hypervisor/version/minor").split() == ["4", "17"]
    for cpu in range(dom0.spec.vcpus):
        dom0.run(f"taskset -c {cpu} sh -c 'a=$(cut -d. -f1 /proc/uptime); n=0; "
                 "while [ $(cut -d. -f1 /proc/uptime) = $a ]; do n=$((n+1)); [ $n -lt 100000 ] || exit 1; done'")
    text = dom0.run("dmesg")
    for bad in ("BUG:", "Oops", "WARNING: CPU", "soft lockup", "unchecked MSR access"):
        assert bad not in text, next(line for line in text.splitlines() if bad in line)


for _vcpus in (1, 2, 4):
    boot_test(Spec(cpus=_vcpus, vcpus=_vcpus), name=f"dom0-{_vcpus}-vcpus")(comes_up)

@boot_test(Spec(cpus=1, vcpus=1), name="console-input-switches", only_on="ours")
def input_switches(dom0: Dom0) -> None:
    """Ctrl-A three times gives the input to the hypervisor's keys and back to dom0, which loses nothing for it; two are dom0's."""
    console, switch = dom0.console, "\x01" * 3
    for _ in range(2):
        console.type(switch)
        console.expect(r"^\(PX\) console input goes to the hypervisor ", 10)
        console.type("q")
        console.expect(r"^\(PX\) domain 0: ", 10)
        console.type("\n?")
        console.expect(r"^\(PX\) no debug key '\?'; 'h' lists them$", 10)
        console.type(switch)
        console.expect(r"^\(PX\) console input goes to the hardware domain ", 10)
        assert dom0.run("echo back again") == "back again"
    console.type("head -n 1 | cat -v\n")
    console.type("a\x01b\x01\x01c\n")
    console.expect(r"^a\^Ab\^A\^Ac$", 10)
    assert dom0.run("echo $((6 * 7))") == "42"


boot_test(Spec(profile="q35", cpus=2, vcpus=2), name="dom0-q35")(comes_up)


def ends_the_machine(name: str, command: str, spec: Spec = Spec()) -> None:
    """Registers a test: the command in dom0 ends the emulator as it should."""
    @machine_test(name=name)
    def body(on: str) -> None:
        dom0 = Dom0(spec, on, f"{name}-{on}")
        try:
            dom0.console.type(f"{command}\n")
            status = dom0.machine.wait_end(60)
            assert status == 0, f"the emulator ended with status {status}"
        except BaseException as error:
            error.console_tail = dom0.console.tail()
            raise
        finally:
            dom0.stop()


ends_the_machine("dom0-powers-off", "poweroff -f")
ends_the_machine("dom0-reboots", "reboot -f")         # -no-reboot makes of it an end of the emulator


@machine_test(name="dom0-sleeps-by-hypercall", only_on="ours")
def sleeps_by_hypercall(on: str) -> None:
    """XENPF_enter_acpi_sleep: bad states are refused; S5 is our write of sleep type and enable to the PM1a control register."""
    boot = Boot(xen=hypervisor(on), kernel=GUESTS / "acpi-sleep.elf", memory=256, seconds=60, xen_args="dom0_mem=64M dom0_max_vcpus=1",
                devices=("-trace", "memory_region_ops_write"))
    with Machine(boot, "dom0-sleeps-by-hypercall") as machine:
        try:
            machine.console.expect(r"^PX-SLEEP S5 follows$", 30, fail="PX-CHECK|PX-VERDICT")
            assert machine.wait_end(20) == 0, "the emulator did not end in order"
            assert "PX-VERDICT" not in machine.console.text, "the call came back"
            writes = re.findall(r"value (0x[0-9a-f]+) size \d name 'acpi-cnt'", machine.emulator_log.read_text(errors="replace"))
            sleep_enable = 1 << 13
            assert writes and int(writes[-1], 16) & sleep_enable, f"no write of SLP_EN: {writes}"
        except BaseException as error:
            error.console_tail = machine.console.tail()
            raise
