"""The hypervisor's own crash, asked for by a debug key on the serial line: its report, and what happens after it."""
# SPDX-License-Identifier: Apache-2.0
from dom0 import hypervisor
from machine import Boot, Machine
from paths import GUESTS
from runner import machine_test

SWITCH = "\x01" * 3                        # Ctrl-A, three times


def _crash(name: str, xen_args: str, after) -> None:
    boot = Boot(xen=hypervisor("ours"), kernel=GUESTS / "spin.elf", cpus=2, memory=256, seconds=60, xen_args=f"dom0_mem=64M dom0_max_vcpus=1 {xen_args}")
    with Machine(boot, name) as machine:
        console = machine.console
        try:
            console.expect(r"dom0: 64 MiB, 1 vCPU, starts", 30)
            console.type(SWITCH)
            console.expect(r"console input goes to the hypervisor", 10)
            console.type("h")
            console.expect(r"'C': crash the hypervisor", 10)
            console.type("C")
            console.expect(r"^\(PX\) panic on CPU \d: asked for by the debug key 'C'", 10)
            console.expect(r"^  from [0-9a-f]{16} px::console_poll_input\+0x[0-9a-f]+", 10)
            console.expect(r"^  from [0-9a-f]{16} px::process_softirqs\+0x[0-9a-f]+", 10)
            after(machine)
        except BaseException as error:
            error.console_tail = console.tail()
            raise


@machine_test(name="crash-reboots", only_on="ours")
def reboots(on: str) -> None:
    def after(machine: Machine) -> None:
        machine.console.expect(r"^\(PX\) rebooting", 10)
        assert machine.wait_end(20) == 0, "the machine was not reset"
    _crash("crash-reboots", "", after)


@machine_test(name="crash-halts", only_on="ours")
def halts(on: str) -> None:
    def after(machine: Machine) -> None:
        machine.console.expect(r"^\(PX\) noreboot: the machine stays as it is", 10)
        halted = machine.monitor("info cpus")
        assert machine.alive and halted.count("CPU #") == 2, halted
        machine.monitor("quit")
        assert machine.wait_end(20) == 0
    _crash("crash-halts", "noreboot", after)
